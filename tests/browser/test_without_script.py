"""Everything again in a browser without JavaScript: the buttons post the form, and it comes back."""

import pytest
from playwright.sync_api import expect

from tests.browser.steps import (
    button,
    described,
    edit,
    expect_order,
    field,
    group,
    refuse,
    rows,
    save,
    stored,
    stored_order,
)

pytestmark = pytest.mark.browser


def test_a_session_is_created(sign_in, ada):
    """Each button brings the form back with the one change, and all that was typed."""
    for name in ("Cortex maps", "Sleep"):
        ada.project(name)
    for name in ("Alpha", "Beta", "Gamma"):
        ada.storage(name)
    page = sign_in(ada, java_script_enabled=False)
    page.goto("/sessions/new")
    field(page, "Name").fill("  Plain  ")
    field(page, "Projects").select_option(["Sleep", "Cortex maps"])
    field(page, "Date and time").fill("2024-05-06T14:30:15")
    field(page, "Description").fill("\n\nTwo empty lines first, <b>bold</b> & last ones\n\n")
    field(page, "Tags").fill('awake, "a, b", deep,')
    field(page, "Name used in storage").fill("plain_1")

    def nothing_is_lost():
        expect(field(page, "Name")).to_have_value("  Plain  ")
        expect(field(page, "Projects")).to_have_values(chosen)
        expect(field(page, "Date and time")).to_have_value("2024-05-06T14:30:15")
        expect(field(page, "Description")).to_have_value(
            "\n\nTwo empty lines first, <b>bold</b> & last ones\n\n"
        )
        expect(field(page, "Tags")).to_have_value('awake, "a, b", deep,')
        expect(field(page, "Name used in storage")).to_have_value("plain_1")

    chosen = field(page, "Projects").evaluate("e => [...e.selectedOptions].map(o => o.value)")
    for name in ("Gamma", "Alpha", "Beta"):
        field(page, "Add data storage").select_option(name)
        button(page, "Add").click()
        nothing_is_lost()
    expect_order(page, "Gamma", "Alpha", "Beta")
    button(page, "Move Beta up").click()
    expect_order(page, "Gamma", "Beta", "Alpha")
    button(page, "Move Gamma down").click()
    expect_order(page, "Beta", "Gamma", "Alpha")
    button(page, "Move Beta up").click(force=True)  # it is the first one already
    expect_order(page, "Beta", "Gamma", "Alpha")
    button(page, "Remove Gamma").click()
    expect_order(page, "Beta", "Alpha")
    nothing_is_lost()

    for key, kind, value in (("room", "Text", "22"), ("gone", "Text", "x"), ("n", "Number", "22")):
        button(page, "Add field").click()
        row = rows(page, "Extra fields").last
        field(row, "Key").fill(key)
        field(row, "Type").select_option(kind)
        field(row, "Value").fill(value)
    button(rows(page, "Extra fields").nth(1), "Remove field").click()
    expect(rows(page, "Extra fields")).to_have_count(2)
    for _ in range(2):
        button(page, "Add link").click()
    field(rows(page, "Download links").last, "Repository").select_option("DANDI")
    field(rows(page, "Download links").last, "URL").fill("https://dandiarchive.org/1")
    button(rows(page, "Download links").first, "Remove link").click()
    nothing_is_lost()
    save(page)

    (session,) = ada.get("stem/session/")["sessions"]
    assert session["name"] == "Plain"
    assert session["projects"] == chosen
    assert session["date_time"] == "2024-05-06T14:30:15Z"
    assert session["description"].split() == (
        ["Two", "empty", "lines", "first,", "<b>bold</b>", "&", "last", "ones"]
    )
    assert session["tags"] == ["awake", "a, b", "deep"]
    assert session["extra_fields"] == {"room": "22", "n": 22}
    assert session["download_links"] == [
        {"repository": "DANDI", "url": "https://dandiarchive.org/1"}
    ]
    assert session["name_used_in_storage"] == "plain_1"
    assert stored_order(ada, session) == ["Beta", "Alpha"]


def test_what_is_chosen_but_not_added_counts(sign_in, ada):
    """As somebody would do it who overlooks the button `Add`."""
    ada.storage("Alpha")
    session = ada.session("Overlooked", ada.project())
    page = sign_in(ada, java_script_enabled=False)
    edit(page, session)
    field(page, "Add data storage").select_option("Alpha")
    save(page)
    assert stored_order(ada, session) == ["Alpha"]


def test_the_enter_key_saves(sign_in, ada):
    """It must not press one of the row buttons, which stand first in the form."""
    storages = [ada.storage(name)["id"] for name in ("Alpha", "Beta")]
    session = ada.session("Entered", ada.project(), datastorage=storages)
    page = sign_in(ada, java_script_enabled=False)
    edit(page, session)
    field(page, "Name").fill("Entered again")
    field(page, "Name").press("Enter")
    expect(page.get_by_role("heading", name="Entered again", level=1)).to_be_visible()
    assert stored_order(ada, session) == ["Alpha", "Beta"]


def test_errors_stand_at_their_fields(sign_in, ada):
    session = ada.session("Right", ada.project())
    page = sign_in(ada, java_script_enabled=False)
    edit(page, session)
    field(page, "Name").fill("")
    field(page, "Tags").fill("kept")
    button(page, "Add field").click()
    field(page, "Key").fill("2bad")
    field(page, "Value").fill("kept too")
    summary = refuse(page)
    described(field(page, "Name"), "This field is required.")
    described(field(page, "Key"), "A key starts with a letter")
    expect(field(page, "Tags")).to_have_value("kept")
    expect(field(page, "Value")).to_have_value("kept too")
    summary.get_by_role("link", name="Key").click()
    expect(field(page, "Key")).to_be_focused()
    button(page, "Remove field").click()
    expect(group(page, "Extra fields").get_by_role("listitem")).to_have_count(0)
    field(page, "Name").fill("Right again")
    save(page)
    assert stored(ada, session)["tags"] == ["kept"]
