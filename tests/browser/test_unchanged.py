"""A form that is saved unchanged changes nothing; one change leaves all the rest to the letter."""

import json

import pytest
from playwright.sync_api import expect

from tests.browser.steps import button, edit, field, rows, save, stored, version

pytestmark = pytest.mark.browser

#: Written by a script: what a browser's controls could not have made.
ODD = {
    "description": "\r\n  Windows line ends\r\n\r\n<b>and</b> a tab\there \n and one of Unix\r\n",
    "date_time": "2024-05-06T14:30:15.123456Z",
    "tags": ["a, b", 'say "hi"', '"', "  trimmed ", "ä", "two  blanks", "line\nbreak", "'", "a,"],
    "extra_fields": {
        "whole": 22,
        "real": 22.0,
        "text": "22",
        "long": 123456789012345678901234567890,
        "small": 1e-12,
        "large": 1e22,
        "negative": -0.0,
        "spaces": "  kept  ",
        "empty": "",
        "lines": "one\r\ntwo\nthree\rfour",
        "quotes": "\"<&>'",
    },
    "download_links": [
        {"repository": "Other", "url": "ftp://old.example/a b".replace(" ", "%20")},
        {"repository": "Zenodo", "url": "HTTPS://zenodo.org/records/1?x=1&amp;y=2#z"},
    ],
}

both = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
def odd(ada):
    storages = [ada.storage(name)["id"] for name in ("Beta", "Alpha")]
    projects = [ada.project(name) for name in ("Zeta", "Eta")]
    return ada.session("Odd", *projects, datastorage=storages, **ODD)


def exactly(record) -> str:
    """To the letter: 22 is not 22.0, and the order counts."""
    return json.dumps(record)


@both
def test_saved_unchanged(sign_in, ada, odd, script):
    before, at = exactly(stored(ada, odd)), version(ada, odd)
    page = sign_in(ada, java_script_enabled=script)
    edit(page, odd)
    save(page)
    expect(page.get_by_role("status")).to_contain_text("Nothing was changed.")
    assert exactly(stored(ada, odd)) == before
    assert version(ada, odd) == at


@both
@pytest.mark.parametrize("date", ["2024-05-06T14:30:00Z", "2024-05-06T14:30:15.120000Z", None])
def test_dates_saved_unchanged(app, sign_in, ada, script, date):
    app.config["LAB_TIMEZONE"] = "America/New_York"
    session = ada.session("Dated", ada.project(), date_time=date)
    before, at = exactly(stored(ada, session)), version(ada, session)
    page = sign_in(ada, java_script_enabled=script)
    edit(page, session)
    save(page)
    assert exactly(stored(ada, session)) == before
    assert version(ada, session) == at


@both
def test_one_change_leaves_the_rest_as_it_was(sign_in, ada, odd, script):
    before = stored(ada, odd)
    page = sign_in(ada, java_script_enabled=script)
    edit(page, odd)
    field(page, "Name").fill("Even")
    save(page)
    assert exactly(stored(ada, odd)) == exactly(before | {"name": "Even"})


@both
def test_one_extra_field_changed(sign_in, ada, odd, script):
    """The others are sent along, and stay what they were: numbers numbers, texts texts."""
    before = stored(ada, odd)
    page = sign_in(ada, java_script_enabled=script)
    edit(page, odd)
    row = rows(page, "Extra fields").nth(list(ODD["extra_fields"]).index("real"))
    expect(field(row, "Value")).to_have_value("22.0")
    field(row, "Value").fill("23.0")
    save(page)
    wanted = before | {"extra_fields": ODD["extra_fields"] | {"real": 23.0}}
    assert exactly(stored(ada, odd)) == exactly(wanted)


@both
def test_one_tag_added(sign_in, ada, odd, script):
    before = stored(ada, odd)
    page = sign_in(ada, java_script_enabled=script)
    edit(page, odd)
    if script:
        field(page, "Tags").press_sequentially('new "tag",')
    else:
        tags = field(page, "Tags")
        tags.fill(tags.input_value() + ', "new ""tag"""')
    save(page)
    assert stored(ada, odd) == before | {"tags": [*before["tags"], 'new "tag"']}


@both
def test_numbers_stay_numbers_and_texts_texts(sign_in, ada, script):
    session = ada.session("Numbers", ada.project())
    page = sign_in(ada, java_script_enabled=script)
    edit(page, session)
    given = {
        "whole": ("Number", "22", 22),
        "real": ("Number", "22.0", 22.0),
        "text": ("Text", "22", "22"),
        "long": ("Number", "123456789012345678901234567890", 123456789012345678901234567890),
        "tiny": ("Number", "-1.5e-07", -1.5e-07),
        "spaces": ("Text", " 22 ", " 22 "),
    }
    for key, (kind, typed, _) in given.items():
        button(page, "Add field").click()
        row = rows(page, "Extra fields").last
        field(row, "Key").fill(key)
        field(row, "Type").select_option(kind)
        field(row, "Value").fill(typed)
    save(page)
    wanted = {key: value for key, (_, _, value) in given.items()}
    assert exactly(stored(ada, session)["extra_fields"]) == exactly(wanted)
    edit(page, session)
    shown = [field(row, "Value").input_value() for row in rows(page, "Extra fields").all()]
    assert shown == [typed for _, typed, _ in given.values()]
