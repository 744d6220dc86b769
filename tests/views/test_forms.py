"""The forms (contract §13): what they take, say and store is what the API takes, says and stores."""

from __future__ import annotations

import json
from types import SimpleNamespace
from uuid import uuid4

import pytest

from brainstem.core import references, whole
from brainstem.core.permissions import Role
from brainstem.core.schemas import REQUIRED, ExtraFields, texts_in
from tests.pages import Page

SESSIONS, SAVE = "stem/session", "Save session"


@pytest.fixture
def lab(ada):
    """Ada at her browser, with a project and three data storages; the ids by short names."""
    names = ("project", "a", "b", "c")
    made = [ada.project(), *(ada.storage(f"Storage {name}") for name in "ABC")]
    ids = dict(zip(names, (each["id"] for each in made), strict=True), nothing=str(uuid4()))
    return SimpleNamespace(ids=ids, pages=ada.browser(), project=made[0])


def filled(value, ids):
    """A value with the ids that it asks for, such as `{project}`."""
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    return ids.get(value[1:-1], value) if isinstance(value, str) else value


def fill(form, payload):
    """Type a payload into a session's form."""
    for name, value in payload.items():
        if name == "tags":
            quoted = ['"' + each.replace('"', '""') + '"' for each in value]
            form.set(tags=", ".join(quoted))
        elif name == "extra_fields":
            rows = [
                {
                    "key": key,
                    "type": "text" if isinstance(each, str) else "number",
                    "value": each if isinstance(each, str) else json.dumps(each),
                }
                for key, each in value.items()
            ]
            form.set_rows(name, rows)
        elif name == "download_links":
            form.set_rows(name, value)
        else:
            form.set(**{name: "" if value is None else value})
    return form


def marks_for(payload, errors):
    """Where the form shows what the API says: the message at each control."""
    marks = {}
    for field, messages in errors.items():
        if field == "download_links":
            for position, row in messages.items():
                for column, said in row.items():
                    marks[f"{field}-{position}-{column}"] = " ".join(said)
        elif field == "extra_fields":
            for key, said in messages.items():
                column = "key" if said == [ExtraFields.BAD_KEY] else "value"
                marks[f"{field}-{list(payload[field]).index(key)}-{column}"] = " ".join(said)
        else:
            marks[field] = " ".join(texts_in(messages))
    if "datastorage" in marks:
        marks["datastorage-add"] = marks["datastorage"]
    return marks


def link(url="https://a.org/1", repository="DANDI"):
    return {"repository": repository, "url": url}


PAYLOADS = [
    {},
    {"name": "  trimmed  "},
    {"name": "É" * 100, "description": "*Markdown* and\n<b>HTML</b>\n\n"},
    {"description": "\n leading and trailing \n"},
    {"date_time": "2023-03-22"},
    {"date_time": "2023-03-22T15:30"},
    {"date_time": "2023-03-22 15:30:07.25"},
    {"date_time": "2023-03-22T15:30:00+05:30"},
    {"date_time": "2023-03-22T15:30:00.123456Z"},
    {"date_time": None},
    {"datastorage": ["{b}", "{a}"]},
    {"datastorage": ["{c}", "{a}", "{b}"]},
    {"tags": ["b", " a ", "b", "with, comma", 'with "quotes"']},
    {"extra_fields": {"b": 22, "a": 22.0, "C3": "22", "e": 1e-7, "minus": -3}},
    {"extra_fields": {"long": 123456789012345678901234567890, "text": " kept "}},
    {"extra_fields": {"empty": ""}},
    {"download_links": [link(), link("ftp://b.org/2", "Other"), link()]},
    {
        "description": "Everything",
        "date_time": "2023-03-22T15:30:01",
        "datastorage": ["{a}"],
        "tags": ["x"],
        "extra_fields": {"x": "y"},
        "download_links": [link()],
    },
    {"name": ""},
    {"name": "   "},
    {"name": "x" * 101},
    {"name": "Taken"},
    {"name": "a\0b"},
    {"description": "a\0b"},
    {"projects": []},
    {"projects": ["{nothing}"]},
    {"projects": ["{project}", "not an id", "{nothing}"]},
    {"date_time": "yesterday"},
    {"date_time": "2023-02-29T10:00"},
    {"date_time": "0001-01-01"},
    {"datastorage": ["{nothing}", "{a}"]},
    {"datastorage": ["{a}", "not an id"]},
    {"tags": ["x" * 201]},
    {"tags": ["ok", "a\0b"]},
    {"extra_fields": {"1st": "x"}},
    {"extra_fields": {"ok": 1, "a b": "x", "é": 2}},
    {"extra_fields": {"ok": "x", "nul": "a\0b"}},
    {"extra_fields": {"huge": 10**309}},
    {"download_links": [link("a.org")]},
    {"download_links": [link(), link("javascript:alert(1)"), link("")]},
    {"download_links": [link(repository="")]},
    {"download_links": [link(repository="Dropbox", url="https://")]},
    {"name": "", "projects": [], "date_time": "x", "extra_fields": {"-": 1}, "tags": ["y" * 201]},
]


def test_new_sessions_have_the_same_outcome_by_form_and_by_api(subtests, app, ada, lab):
    app.config["LAB_TIMEZONE"] = "America/New_York"
    ada.session("Taken", lab.project)
    for changes in PAYLOADS:
        with subtests.test(payload=ascii(changes)[:60]):
            payload = {"name": "Monday", "projects": ["{project}"], **changes}
            payload = {name: filled(value, lab.ids) for name, value in payload.items()}
            by_api = ada("POST", SESSIONS, payload)
            stored = by_api.json.get("session")
            if stored:
                assert ada("DELETE", f"{SESSIONS}/{stored['id']}").status_code == 204
            form = fill(lab.pages.form("/sessions/new", SAVE), payload)
            by_form = lab.pages.press(form, SAVE)
            if stored:
                assert by_form.status_code == 302
                address = f"{SESSIONS}/{by_form.location.rsplit('/', 1)[1]}"
                same(ada.get(address)["session"], stored)
                assert ada("DELETE", address).status_code == 204
            else:
                refused(by_form, payload, by_api)
                assert ada.get(SESSIONS)["count"] == 1


def test_changes_have_the_same_outcome_by_form_and_by_api(subtests, app, ada, lab):
    app.config["LAB_TIMEZONE"] = "America/New_York"
    ada.session("Taken", lab.project)
    before = {
        "name": "Before",
        "projects": [lab.ids["project"]],
        "description": "before\nbefore",
        "date_time": "2020-01-01T01:01:01Z",
        "datastorage": [lab.ids["a"], lab.ids["b"]],
        "extra_fields": {"before": 1.0, "b": "x"},
        "download_links": [link("https://before.org/")],
        "tags": ["before", "b"],
    }
    address = f"{SESSIONS}/{ada.made(SESSIONS, before)['id']}"
    page = f"/sessions/{address.rsplit('/', 1)[1]}/edit"
    for changes in PAYLOADS:
        with subtests.test(payload=ascii(changes)[:60]):
            assert ada("PUT", address, before).status_code == 200
            payload = {name: filled(value, lab.ids) for name, value in changes.items()}
            by_api = ada("PATCH", address, payload)
            assert ada("PUT", address, before).status_code == 200
            form = fill(lab.pages.form(page, SAVE), payload)
            by_form = lab.pages.press(form, SAVE)
            if by_api.status_code == 200:
                assert by_form.status_code == 302
                same(ada.get(address)["session"], by_api.json["session"])
            else:
                refused(by_form, payload, by_api)
                same(ada.get(address)["session"], before | {"id": ""})


def same(record, expected):
    """The same fields, told apart as JSON does: 22 from 22.0, one order from another."""
    found = {name: record[name] for name in expected if name != "id"}
    assert json.dumps(found) == json.dumps({n: v for n, v in expected.items() if n != "id"})


def refused(by_form, payload, by_api):
    """The form says what the API says, at its fields, with all that was typed still there."""
    assert by_form.status_code == by_api.status_code == 400
    page = Page(by_form)
    expected = marks_for(payload, by_api.json)
    assert page.marks == expected
    assert set(page.summary) == expected.keys() - {"datastorage-add"}
    again = page.form(SAVE)
    if "name" in payload:
        assert again.fields["name"] == payload["name"]
    for name in ("projects", "datastorage"):
        assert name not in payload or again.fields.getlist(name) == payload[name]


ROWS = [
    ([("a", "number", "x")], {"0-value": "This is not a number."}),
    ([("a", "number", "")], {"0-value": "This is not a number."}),
    (
        [("a", "number", "1e999")],
        {"0-value": "A number must be finite: at most about 1.8e308."},
    ),
    ([("a", "number", "NaN")], {"0-value": "This is not a number."}),
    ([("a", "number", "1_000")], {"0-value": "This is not a number."}),
    ([("a", "number", "٣")], {"0-value": "This is not a number."}),
    ([("a", "number", "1,5")], {"0-value": "This is not a number."}),
    ([("a", "number", "9" * 5000)], {"0-value": "This is not a number."}),
    ([("a", "text", "1"), ("a", "text", "2")], {"1-key": "This key is given twice."}),
    ([("a", "text", "1"), (" a ", "number", "2")], {"1-key": "This key is given twice."}),
    ([("", "text", "1")], {"0-key": ExtraFields.BAD_KEY}),
    # A row left blank does not count; the others keep their places.
    ([("", "text", ""), ("1", "text", "x")], {"1-key": ExtraFields.BAD_KEY}),
    ([("a", "text", ""), ("", "number", "")], {}),
    ([("a", "number", " +1.50 "), ("b", "number", ".5"), ("c", "number", "-1E3")], {}),
]


def test_extra_fields_are_judged_row_by_row(subtests, lab):
    for rows, marks in ROWS:
        with subtests.test(rows=rows, marks=marks):
            form = lab.pages.form("/sessions/new", SAVE)
            form.set(name=f"Rows {rows}"[:100], projects=lab.ids["project"])
            form.set_rows(
                "extra_fields",
                [dict(zip(("key", "type", "value"), row, strict=True)) for row in rows],
            )
            answer = lab.pages.press(form, SAVE)
            assert answer.status_code == (400 if marks else 302)
            if marks:
                assert Page(answer).marks == {
                    f"extra_fields-{at}": said for at, said in marks.items()
                }


# -- All or nothing ----------------------------------------------------------------------------


@pytest.fixture
def fail(monkeypatch):
    """From now on the second list of links that is written fails, when the first stands already."""

    def begin():
        written, arrange = [], references.arrange

        def arrange_once(*args, **options):
            written.append(args)
            if len(written) == 2:
                raise RuntimeError("on purpose")
            return arrange(*args, **options)

        monkeypatch.setattr(references, "arrange", arrange_once)
        return written

    return begin


CHANGED = {"name": "New", "tags": ["new"], "datastorage": ["{b}", "{a}"], "description": "New"}


@pytest.mark.parametrize("way", ["API", "form"])
@pytest.mark.parametrize("deed", ["create", "change"])
def test_what_fails_half_way_leaves_nothing_behind(ada, lab, fail, way, deed):
    ada.storage("Unused")
    session = ada.made(SESSIONS, {"name": "Before", "projects": [lab.ids["project"]]})
    address, page = f"{SESSIONS}/{session['id']}", f"/sessions/{session['id']}/edit"
    before = everything(ada)
    payload = {name: filled(value, lab.ids) for name, value in CHANGED.items()}
    payload["projects"] = [lab.ids["project"]]
    form = fill(lab.pages.form("/sessions/new" if deed == "create" else page, SAVE), payload)
    written = fail()
    if way == "form":
        answer = lab.pages.press(form, SAVE)
    elif deed == "create":
        answer = ada("POST", SESSIONS, payload)
    else:
        answer = ada("PATCH", address, payload)
    assert (answer.status_code, len(written)) == (500, 2)
    assert everything(ada) == before
    # And the program goes on as before.
    assert ada("PATCH", address, {"tags": ["new"]}).status_code == 200


def everything(who):
    """All that somebody can read, with the versions."""
    addresses = (SESSIONS, "stem/sessiondatastorage", "stem/project")
    lists = [who.get(each) for each in addresses]
    etags = [
        who("GET", f"{SESSIONS}/{each['id']}").headers["ETag"] for each in lists[0]["sessions"]
    ]
    return lists, etags


# -- Saved unchanged ---------------------------------------------------------------------------

UNCHANGED = [
    {},
    {"name": "two\nlines"},
    {"name": "two\r\nlines\rthree"},
    {"name": "a\rb"},
    {"description": "a\r\nb\r\n"},
    {"description": "a\nb\r\nc\rd"},
    {"description": "\n\nleading"},
    {"description": "\r\nleading"},
    {"description": "trailing \n\n"},
    {"description": "</textarea><script>alert(1)</script>&amp;"},
    {"date_time": "2023-03-22T15:30:00Z"},
    {"date_time": "2023-03-22T15:30:07Z"},
    {"date_time": "2023-03-22T15:30:07.250000Z"},
    {"date_time": "2023-03-22T15:30:00.000001Z"},
    # Half past two, the first and the second time in that night.
    {"date_time": "2023-10-29T00:30:00Z"},
    {"date_time": "2023-10-29T01:30:00Z"},
    {"date_time": "0001-01-01T00:00:00Z"},
    {"date_time": "9999-12-31T23:59:59.999999Z"},
    {"extra_fields": {"b": 22.0, "a": 22, "big": 123456789012345678901234567890, "e": 1e-300}},
    {"extra_fields": {"spaces": "  ", "lines": "a\r\nb\nc\rd", "empty": "", "number": "1.0"}},
    {"extra_fields": {"number": 1e22, "precise": 0.1234567890123456}},
    {"tags": ["b", "a", "with, comma", 'with "quotes"', '"', "line\nbreak", "line\r\nbreak"]},
    {"tags": ["a\rb", "'", "é"]},
    {"download_links": [link("https://a.org/?a=1&b=\"2\"'3'"), link(repository="Other")]},
    {"datastorage": ["{unseen}", "{readable}", "{usable}"]},
    {"datastorage": ["{usable}", "{unseen}", "{readable}"]},
]


@pytest.mark.parametrize("touched", [False, True], ids=["unchanged", "another field changed"])
def test_a_form_changes_only_what_was_changed_in_it(subtests, app, ada, ben, touched):
    app.config["LAB_TIMEZONE"] = "Europe/Copenhagen"
    project = ada.project()
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    ids = {name: ada.storage(name)["id"] for name in ("unseen", "readable", "usable")}
    ada.share("datastorage", {"id": ids["readable"]}, ben.email, Role.MEMBER)
    ada.share("datastorage", {"id": ids["usable"]}, ben.email, Role.CONTRIBUTOR)
    pages = ben.browser()
    for number, fields in enumerate(UNCHANGED):
        with subtests.test(fields=ascii(fields)[:60]):
            payload = {name: filled(value, ids) for name, value in fields.items()}
            stored = ada.session(payload.pop("name", f"Session {number}"), project, **payload)
            form = pages.form(f"/sessions/{stored['id']}/edit", SAVE)
            if touched:
                form.set(name_used_in_storage=" folder ")
            assert pages.press(form, SAVE).status_code == 302
            answer = ada("GET", f"{SESSIONS}/{stored['id']}")
            expected = stored | ({"name_used_in_storage": "folder"} if touched else {})
            same(answer.json["session"], expected)
            assert answer.headers["ETag"] == ('"2"' if touched else '"1"')


def test_projects_and_storages_saved_unchanged_stay_what_they_are(ada, ben):
    project = ada.project("Ada's", description="a\r\nb", tags=["b", "a"], is_public=True)
    protocols = [
        {"protocol": "SMB", "path": r"\\server\data", "is_public": True},
        {"protocol": "NFS", "path": "/data", "is_public": False},
    ]
    levels = [{"elements": "Subjects"}, {"elements": "Years"}]
    storage = ada.storage("Ada's", data_protocols=protocols, data_organization=levels)
    for kind, record in (("project", project), ("datastorage", storage)):
        ada.share(kind, record, ben.email, Role.MANAGER)
    pages = ada.browser()
    for path, button, address in (
        (f"/projects/{project['id']}/edit", "Save project", f"stem/project/{project['id']}"),
        (
            f"/datastorage/{storage['id']}/edit",
            "Save data storage",
            f"personal_attributes/datastorage/{storage['id']}",
        ),
    ):
        before = ada("GET", address)
        assert pages.press(pages.form(path, button), button).status_code == 302
        after = ada("GET", address)
        assert (after.text, after.headers["ETag"]) == (before.text, before.headers["ETag"])


# -- Without JavaScript ------------------------------------------------------------------------


def test_every_button_of_the_form_works_without_javascript(ada, lab):
    """A session made by posts alone: each button gives the form back, with nothing stored."""
    pages = lab.pages
    form = pages.form("/sessions/new", SAVE)
    form.set(name="Monday", projects=lab.ids["project"], description="typed", tags="a, b")

    def press(button, **fields):
        answer = pages.press(form.set(**fields), button, "/sessions/new")
        assert answer.status_code == 200
        page = Page(answer)
        assert page.marks == {}
        assert ada.get(SESSIONS)["count"] == 0
        return page.form(SAVE)

    for name in "ABC":
        form = press("Add", datastorage__add=lab.ids[name.lower()])
    form = press("Move Storage C up")
    form = press("Move Storage A down")
    form = press("Move Storage C up")
    form = press("Move Storage B down")
    form = press("Remove Storage A")
    form = press("Add field")
    form = press(
        "Add field",
        **{"extra_fields-0-key": "room", "extra_fields-0-value": "B115"},
    )
    fields = {"key": "depth", "type": "number", "value": "22.0"}
    form = press("Add field", **{f"extra_fields-1-{name}": value for name, value in fields.items()})
    form = press("Add link", **{"extra_fields-2-key": "gone"})
    form = press("Add link", **{"download_links-0-repository": "GitHub"})
    form.set(**{"download_links-0-url": "https://a.org/", "download_links-1-url": "x"})
    # The last of its kind: "Remove" is the name of every row's button.
    form.buttons["Remove field"] = ("_do", "extra_fields:remove:2")
    form = press("Remove field")
    form.buttons["Remove link"] = ("_do", "download_links:remove:1")
    form = press("Remove link")

    assert pages.press(form, SAVE, "/sessions/new").status_code == 302
    (session,) = ada.get(SESSIONS)["sessions"]
    assert session["datastorage"] == [lab.ids["c"], lab.ids["b"]]
    assert json.dumps(session["extra_fields"]) == '{"room": "B115", "depth": 22.0}'
    assert session["download_links"] == [link("https://a.org/", "GitHub")]
    assert (session["name"], session["description"]) == ("Monday", "typed")
    assert session["tags"] == ["a", "b"]


NOTHINGS = [
    "datastorage:up:0",
    "datastorage:down:2",
    "datastorage:up:99",
    "datastorage:up:-1",
    "datastorage:up:x",
    "datastorage:up:" + "9" * 50,
    "datastorage:nothing:1",
    "datastorage",
    "extra_fields:remove:7",
    "extra_fields:remove:",
    "name:add",
    "nothing:add",
    "errors:add",
    "",
    ":::",
]


def test_a_button_that_does_nothing_gives_the_form_back(subtests, ada, lab):
    session = ada.session("Monday", lab.project, datastorage=[lab.ids[each] for each in "abc"])
    address = f"/sessions/{session['id']}/edit"
    for do in NOTHINGS:
        with subtests.test(do=do):
            form = lab.pages.form(address, SAVE)
            form.buttons["Button"] = ("_do", do)
            answer = lab.pages.press(form, "Button")
            assert answer.status_code == 200
            fields = Page(answer).form(SAVE).fields
            if do != "datastorage:nothing:1":
                assert fields.getlist("datastorage") == session["datastorage"]
            assert ada.get(f"{SESSIONS}/{session['id']}")["session"] == session


def test_what_is_chosen_under_add_counts_when_the_form_is_saved(ada, lab):
    form = lab.pages.form("/sessions/new", SAVE)
    form.set(name="Monday", projects=lab.ids["project"], datastorage__add=lab.ids["b"])
    assert lab.pages.press(form, SAVE).status_code == 302
    assert ada.get(SESSIONS)["sessions"][0]["datastorage"] == [lab.ids["b"]]


# -- Two people at once ------------------------------------------------------------------------


@pytest.fixture
def both(ada, ben):
    """A session that Ada and Ben have open at the same time; `(session, Ada's, Ben's)`."""
    project = ada.project()
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    storages = [ada.storage(name) for name in "AB"]
    for each in storages:
        ada.share("datastorage", each, ben.email, Role.MEMBER)
    session = ada.session(
        "Monday",
        project,
        description="before",
        tags=["x"],
        extra_fields={"a": 1, "b": 2},
        datastorage=[each["id"] for each in storages],
        date_time="2023-03-22T15:30:00Z",
    )
    address = f"/sessions/{session['id']}/edit"
    opened = []
    for who in (ada, ben):
        pages = who.browser()
        opened.append(SimpleNamespace(pages=pages, form=pages.form(address, SAVE)))
    return session, *opened


def save(editor, form=None, **fields):
    form = (form or editor.form).set(**fields)
    return editor.pages.press(form, SAVE, editor.form.action)


def groups(page):
    """The fields to choose in, with the text of each version."""
    return {
        next(each.iter("legend")).text: [pre.text.strip("\n") for pre in each.iter("pre")]
        for each in page.all("fieldset")
    }


def test_nothing_typed_is_lost_when_two_people_edit_at_once(ada, both):
    session, adas, bens = both
    assert save(adas, description="Ada's", name="Tuesday").status_code == 302
    answer = save(bens, description="Ben's", tags="x, y")
    assert answer.status_code == 409
    page = Page(answer)
    assert groups(page) == {"Description": ["Ben's", "Ada's"]}
    assert "Tuesday" in page.text
    stored = ada.get(f"{SESSIONS}/{session['id']}")["session"]
    assert (stored["description"], stored["tags"]) == ("Ada's", ["x"])

    assert save(bens, page.form(SAVE)).status_code == 302
    stored = ada.get(f"{SESSIONS}/{session['id']}")["session"]
    assert stored == session | {"name": "Tuesday", "description": "Ben's", "tags": ["x", "y"]}


@pytest.mark.parametrize(
    ("choices", "kept"),
    [
        ({}, "yours yours yours"),
        ({"description": "theirs"}, "theirs yours yours"),
        ({"description": "theirs", "extra_fields": "theirs"}, "theirs theirs yours"),
        ({"datastorage": "theirs"}, "yours yours theirs"),
    ],
)
def test_each_field_that_both_changed_is_chosen_by_itself(ada, both, choices, kept):
    session, adas, bens = both
    rows = "extra_fields-0-value"
    a, b = session["datastorage"]
    assert save(adas, description="theirs", datastorage=[b, a], **{rows: "10"}).status_code == 302
    answer = save(bens, description="yours", datastorage=[b], **{rows: "20"})
    page = Page(answer)
    assert list(groups(page)) == ["Description", "Data storage", "Extra fields"]
    form = page.form(SAVE).set(**{f"choice-{name}": choice for name, choice in choices.items()})
    assert save(bens, form).status_code == 302
    stored = ada.get(f"{SESSIONS}/{session['id']}")["session"]
    whose = [
        stored["description"],
        {10: "theirs", 20: "yours"}[stored["extra_fields"]["a"]],
        "yours" if stored["datastorage"] == [b] else "theirs",
    ]
    assert " ".join(whose) == kept
    assert stored["extra_fields"]["b"] == 2


def test_a_third_edit_is_asked_about_as_well(ada, both):
    session, adas, bens = both
    save(adas, description="second")
    first = Page(save(bens, description="mine", name="Mine"))
    ada("PATCH", f"{SESSIONS}/{session['id']}", {"description": "third", "name": "Third"})
    answer = save(bens, first.form(SAVE))
    assert answer.status_code == 409
    assert groups(Page(answer)) == {"Name": ["Mine", "Third"], "Description": ["mine", "third"]}
    assert save(bens, Page(answer).form(SAVE)).status_code == 302
    stored = ada.get(f"{SESSIONS}/{session['id']}")["session"]
    assert (stored["name"], stored["description"]) == ("Mine", "mine")


def test_the_same_change_twice_is_no_conflict(ada, both):
    session, adas, bens = both
    assert save(adas, description="same").status_code == 302
    # Nothing to choose from: nobody is asked.
    assert save(bens, description="same", tags="y").status_code == 302
    stored = ada.get(f"{SESSIONS}/{session['id']}")["session"]
    assert (stored["description"], stored["tags"]) == ("same", ["y"])


def test_a_mistake_is_said_before_a_conflict_and_loses_nothing(ada, both):
    _, adas, bens = both
    save(adas, description="Ada's")
    answer = save(bens, description="Ben's", name="")
    assert answer.status_code == 400
    page = Page(answer)
    assert list(page.marks) == ["name"]
    answer = save(bens, page.form(SAVE).set(name="Named"))
    assert (answer.status_code, groups(Page(answer))) == (409, {"Description": ["Ben's", "Ada's"]})


def test_a_form_left_unchanged_never_conflicts(ada, both):
    session, adas, bens = both
    save(adas, description="Ada's")
    assert save(bens).status_code == 302
    assert ada.get(f"{SESSIONS}/{session['id']}")["session"]["description"] == "Ada's"


def given_away(ada, ben, session):
    """To a project in which Ben has no part."""
    theirs = ada.project("Theirs")["id"]
    ada("PATCH", f"{SESSIONS}/{session['id']}", {"projects": [theirs]})


def only_to_read(ada, ben, session):
    ada.share("project", {"id": session["projects"][0]}, ben.email, Role.MEMBER)


def not_even_to_read(ada, ben, session):
    ada.share("project", {"id": session["projects"][0]}, ben.email, None)


def gone(ada, ben, session):
    ada("DELETE", f"{SESSIONS}/{session['id']}")


@pytest.mark.parametrize(
    ("meanwhile", "status"),
    [(given_away, 403), (only_to_read, 403), (not_even_to_read, 403), (gone, 404)],
)
def test_what_was_typed_is_kept_where_the_record_may_not_be_changed_any_more(
    ada, ben, both, meanwhile, status
):
    session, _, bens = both
    meanwhile(ada, ben, session)
    answer = save(bens, description="typed for an hour", **{"extra_fields-0-value": "77"})
    page = Page(answer)
    assert answer.status_code == status
    assert "Nothing was stored; what you typed is still here." in page.text
    assert "<h1>Edit session</h1>" in answer.text
    fields = page.form(SAVE).fields
    assert fields["description"] == "typed for an hour"
    assert fields["extra_fields-0-value"] == "77"
    # Opening the form anew is refused as ever.
    assert bens.pages.get(f"/sessions/{session['id']}/edit").status_code == status


@pytest.mark.parametrize("first", ["nothing", "a change"])
@pytest.mark.parametrize(("meanwhile", "status"), [(given_away, 403), (gone, 404)])
def test_what_was_typed_is_kept_where_that_happens_while_it_is_saved(
    ada, ben, both, monkeypatch, first, meanwhile, status
):
    session, _, bens = both
    save_whole = whole.save

    def late(*args, **kwargs):
        if first == "a change":
            ada("PATCH", f"{SESSIONS}/{session['id']}", {"description": "Ada's"})
            try:
                return save_whole(*args, **kwargs)
            finally:
                meanwhile(ada, ben, session)
        meanwhile(ada, ben, session)
        return save_whole(*args, **kwargs)

    monkeypatch.setattr(whole, "save", late)
    answer = save(bens, description="typed for an hour")
    assert answer.status_code == status
    assert Page(answer).form(SAVE).fields["description"] == "typed for an hour"


def test_what_was_typed_is_kept_where_a_new_record_names_what_one_may_not_use(ada, ben):
    theirs, pages = ada.project("Theirs"), ben.browser()
    form = pages.form("/sessions/new", SAVE).set(name="Mine", description="typed")
    answer = pages.press(form.set(projects=[theirs["id"]]), SAVE, "/sessions/new")
    page = Page(answer)
    assert (answer.status_code, "Theirs" in answer.text) == (403, False)
    assert "<h1>New session</h1>" in answer.text
    assert page.form(SAVE).fields["description"] == "typed"
    assert ben.get(SESSIONS)["sessions"] == []


@pytest.mark.parametrize("value", ["", "x", "a.b.c"])
@pytest.mark.parametrize("name", ["_opened", "_mine"])
def test_hidden_fields_that_were_tampered_with_are_refused(ada, both, name, value):
    session, adas, bens = both
    save(adas, description="Ada's")
    form = Page(save(bens, description="Ben's")).form(SAVE)
    answer = save(bens, form.set(**{name: value}))
    assert answer.status_code == 400
    words = "This form is too old, or was changed on its way."
    assert f"This address or form does not fit. {words}" in Page(answer).text
    assert ada.get(f"{SESSIONS}/{session['id']}")["session"]["description"] == "Ada's"


@pytest.mark.parametrize("kind", ["collection", "cohort"])
def test_nothing_chosen_where_something_must_be(ada, kind):
    """A form knows of no null: that is the API's word for it."""
    pages, project = ada.browser(), ada.project()
    button = f"Save {kind}"
    page = Page(pages.press(pages.form(f"/{kind}s/new", button), button))
    assert page.marks == {"name": REQUIRED, "project": REQUIRED}
    assert page.summary == ["name", "project"]
    record = ada.made(f"stem/{kind}/", {"name": "Ours", "project": project["id"]})
    form = pages.form(f"/{kind}s/{record['id']}/edit", button).set(project="")
    assert Page(pages.press(form, button)).marks == {"project": REQUIRED}
    assert ada.get(f"stem/{kind}/{record['id']}/")[kind]["project"] == project["id"]
    refused = ada("POST", f"stem/{kind}/", {"name": "x", "project": None})
    assert refused.json == {"project": ["This field may not be null."]}
