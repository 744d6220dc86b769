"""Editing many records, and the next session like one, on pages without scripts."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from brainstem.core import bulk, choosing, operations, times
from brainstem.core.permissions import Role
from brainstem.errors import Forbidden
from tests.pages import Page, text_of
from tests.people import PASSWORD

SHOW, CHANGE_2 = "Show what changes", "Change 2 sessions"
CREATE = "Create session"
SIGN_IN = {"_sign_in-email": "ada@lab.org", "_sign_in-password": PASSWORD}


@pytest.fixture
def sessions(ada):
    project = ada.project()
    return [ada.session(f"s{number}", project, tags=["raw"]) for number in range(3)]


def chosen(*records, **more):
    pairs = [("ids", each["id"]) for each in records]
    return f"/sessions/bulk?{urlencode([*pairs, *more.items()])}"


def tags(person, *records):
    return [person.get(f"stem/session/{each['id']}/")["session"]["tags"] for each in records]


def undo(pages, page):
    """Press the Undo button of a message."""
    form = page.form("Undo")
    return pages.press(form, "Undo")


# Bulk edit ----------------------------------------------------------------------------------------


def test_choose_look_do_and_undo(ada, sessions):
    pages, two = ada.browser(), sessions[:2]
    form = pages.form(chosen(*two, query="q=s&page=1"), SHOW)
    form.set(add_tags='pilot, "a, b"', remove_tags="raw")
    page = Page(pages.press(form, SHOW))
    assert "Change 2 sessions?" in page.text
    before, after = [text_of(cell) for cell in page.all("td") if "cell-list" in cell.get("class")][
        :2
    ]
    assert (before, after) == ("removed: raw", "added: pilot added: a, b")
    assert tags(ada, *two) == [["raw"], ["raw"]]

    done = pages.press(page.form(CHANGE_2), CHANGE_2)
    assert (done.status_code, done.location) == (302, "/sessions/?q=s&page=1")
    assert tags(ada, *sessions) == [["pilot", "a, b"], ["pilot", "a, b"], ["raw"]]
    listed = pages.open(done.location)
    assert "2 sessions changed: tags “pilot”, “a, b” added, tag “raw” removed." in listed.text
    undo(pages, listed)
    assert tags(ada, *two) == [["raw"], ["raw"]]


def test_all_that_the_list_shows(ada, ben, sessions):
    ben.session("s of Ben's", ben.project("Ben's"))
    pages = ada.browser()
    form = pages.form("/sessions/bulk?all=1&query=" + "tags%3Draw%26sort%3D-name", SHOW)
    assert [text_of(each) for each in pages.open("/sessions/bulk?all=1&query=").all("h1")] == [
        "Edit 3 sessions"
    ]
    page = Page(pages.press(form.set(add_tags="pilot"), SHOW))
    links = [each for each in page.all("a") if each.get("class") == "record-link"]
    assert [text_of(each) for each in links] == ["s2", "s1", "s0"]
    done = pages.press(page.form("Change 3 sessions"), "Change 3 sessions")
    assert done.location == "/sessions/?tags=raw&sort=-name"
    assert tags(ada, *sessions) == [["raw", "pilot"]] * 3


def test_one_more_that_matches_is_shown_before_it_is_changed(ada, sessions):
    pages = ada.browser()
    form = pages.form("/sessions/bulk?all=1&query=tags%3Draw", SHOW).set(add_tags="pilot")
    page = Page(pages.press(form, SHOW))
    late = ada.session("late", ada.project("Another"), tags=["raw"])
    answer = pages.press(page.form("Change 3 sessions"), "Change 3 sessions")
    assert answer.status_code == 409
    page = Page(answer)
    assert "Nothing was stored. This is what would change now." in page.text
    assert tags(ada, late, *sessions) == [["raw"]] * 4
    pages.press(page.form("Change 4 sessions"), "Change 4 sessions")
    assert tags(ada, late, *sessions) == [["raw", "pilot"]] * 4


def test_what_one_may_not_change_is_told_and_left_alone(ada, ben, sessions):
    reading, working = ada.project("Reading"), ada.project("Working")
    ada.share("project", reading, "ben@lab.org", Role.MEMBER)
    ada.share("project", working, "ben@lab.org", Role.CONTRIBUTOR)
    read = ada.session("read", reading, tags=["raw"])
    mine = ada.session("mine", working, tags=["raw"])
    pages = ben.browser()
    form = pages.form(chosen(read, mine, sessions[0]), SHOW).set(add_tags="pilot")
    page = Page(pages.press(form, SHOW))
    assert "1 session would change" in page.text
    assert "1 session can’t be changed by you" in page.text
    assert "1 not there any more, or not for you to see" in page.text
    assert "s0" not in page.text
    pages.press(page.form("Change 1 session"), "Change 1 session")
    assert tags(ada, read, mine, sessions[0]) == [["raw"], ["raw", "pilot"], ["raw"]]


def test_only_what_may_be_used_is_offered(ada, ben):
    project, storage = ada.project(), ada.storage("Ada's alone")
    shown = ben.storage("Ben shows it")
    ben.share("datastorage", shown, "ada@lab.org", Role.MEMBER)
    session = ada.session("s", project, datastorage=[storage["id"]])
    ada.share("project", project, "ben@lab.org", Role.CONTRIBUTOR)
    page = ben.browser().open(chosen(session))
    assert "Ada's alone" not in page.text
    assert [option.get("value") for option in page.by_id["add_datastorage"].iter("option")] == [
        shown["id"]
    ]
    pages = ada.browser()
    form = pages.form(chosen(session), SHOW).set(add_datastorage=shown["id"])
    page = Page(pages.press(form, SHOW))
    assert page.marks == {
        "add_datastorage": "There is no such data storage, or you may not use it."
    }
    assert page.summary == ["add_datastorage"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"add_tags": "x" * 201},
        {"add_tags": "nul\0"},
        {"add_tags": "raw", "remove_tags": "raw"},
        {"add_projects": "not an id"},
        {"add_projects": "00000000-0000-0000-0000-000000000000"},
        {"remove_projects": "\0", "add_datastorage": "\0"},
    ],
)
def test_what_does_not_fit_comes_back_with_its_message(ada, sessions, fields):
    pages = ada.browser()
    address = chosen(sessions[0])
    for place in ("preview", "apply"):
        data = {"ids": sessions[0]["id"], "plan": "x", **fields}
        answer = pages.submit(f"/sessions/bulk/{place}", data, page=address)
        assert answer.status_code == 400
        assert Page(answer).form(SHOW).fields["ids"] == sessions[0]["id"]
    assert tags(ada, *sessions) == [["raw"]] * 3


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/sessions/bulk", 302),
        ("/sessions/bulk?ids=x&ids=", 302),
        ("/sessions/bulk?ids=%00", 302),
        ("/sessions/bulk?all=1&query=%00", 302),
        ("/sessions/bulk?all=1&query=sort%3Dnonsense", 400),
        ("/sessions/bulk?all=1&query=q%3D%2500", 400),
        ("/sessions/bulk/preview", 302),
        ("/sessions/bulk/apply", 302),
        ("/subjects/bulk", 302),
        ("/datastorage/bulk", 404),
    ],
)
def test_strange_addresses(ada, address, status):
    assert ada.browser().get(address).status_code == status


def test_too_many_at_once(ada, sessions, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    pages = ada.browser()
    answer = pages.get("/sessions/bulk?all=1&query=sort%3Dname")
    assert (answer.status_code, answer.location) == (302, "/sessions/?sort=name")
    assert "more than 2 sessions" in pages.open(answer.location).text
    data = {"all": "1", "add_tags": "pilot", "plan": "x"}
    page = Page(pages.submit("/sessions/bulk/apply", data, page="/sessions/new"))
    assert (page.status, tags(ada, *sessions)) == (400, [["raw"]] * 3)
    assert "At most 2 sessions at once" in page.text


def test_back_to_the_choice_with_all_that_was_typed(ada, sessions):
    pages = ada.browser()
    form = pages.form(chosen(*sessions), SHOW).set(add_tags="pilot", remove_tags="raw")
    page = Page(pages.press(form, SHOW))
    form = page.form("Choose again")
    (button,) = (each for each in page.all("button") if each.get("formaction"))
    form.action = button.get("formaction")
    again = Page(pages.press(form, "Choose again"))
    assert again.form(SHOW).fields["add_tags"] == "pilot"
    assert again.form(SHOW).fields["remove_tags"] == "raw"


def test_one_that_fails_after_all(ada, sessions, monkeypatch):
    alter = operations.alter

    def fails_once(actor, resource, record_id, *args, **kwargs):
        if str(record_id) == sessions[1]["id"]:
            raise Forbidden("Not this one.")
        return alter(actor, resource, record_id, *args, **kwargs)

    pages = ada.browser()
    form = pages.form(chosen(*sessions), SHOW).set(add_tags="pilot")
    page = Page(pages.press(form, SHOW))
    monkeypatch.setattr(operations, "alter", fails_once)
    answer = pages.press(page.form("Change 3 sessions"), "Change 3 sessions")
    assert answer.status_code == 409
    assert "Nothing was stored. “s1”: Not this one." in Page(answer).text
    assert tags(ada, *sessions) == [["raw"]] * 3


def test_what_is_not_among_the_first_is_found_and_added(ada, sessions, monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 2)
    for name in ("Anatomy", "Barrels", "Zebra"):
        ada.project(name)
    pages = ada.browser()
    form = pages.form(chosen(*sessions[:2]), SHOW).set(add_projects__find="zeb")
    page = Page(pages.press(form, "Find in add projects", address="/sessions/bulk/preview"))
    (found,) = page.by_id["add_projects"].iter("option")
    page = Page(pages.press(page.form(SHOW).set(add_projects=[found.get("value")]), SHOW))
    pages.press(page.form(CHANGE_2), CHANGE_2)
    projects = ada.get(f"stem/session/{sessions[0]['id']}/")["session"]["projects"]
    assert found.get("value") in projects


@pytest.mark.parametrize(("address", "button"), [("preview", SHOW), ("apply", CHANGE_2)])
def test_a_sign_in_that_ended_costs_nothing(ada, sessions, address, button):
    pages = ada.browser()
    form = pages.form(chosen(*sessions[:2]), SHOW).set(add_tags="pilot")
    if address == "apply":
        form = Page(pages.press(form, SHOW)).form(CHANGE_2)
    pages.client.delete_cookie("brainstem")
    asked = Page(pages.press(form, button)).form("Sign in")
    page = Page(pages.press(asked.set(**SIGN_IN), "Sign in", address=f"/sessions/bulk/{address}"))
    assert tags(ada, *sessions) == [["raw"]] * 3
    pages.press(page.form(CHANGE_2), CHANGE_2)
    assert tags(ada, *sessions) == [["raw", "pilot"]] * 2 + [["raw"]]


# The next session like this -----------------------------------------------------------------------


@pytest.fixture
def noon(app, monkeypatch):
    """It is noon on 24 November 2026; the lab is in Copenhagen."""
    app.config["LAB_TIMEZONE"] = "Europe/Copenhagen"
    monkeypatch.setattr(times, "utcnow", lambda: datetime(2026, 11, 24, 12, tzinfo=UTC))


@pytest.fixture
def yesterday(ada, noon):
    project, storage = ada.project(), ada.storage()
    session = ada.session(
        "M12 2026-11-23",
        project,
        description="A **long** day",
        date_time="2026-11-23T09:15:00",
        tags=["pilot"],
        datastorage=[storage["id"]],
        extra_fields={"room": "B115", "depth": 22.0},
        download_links=[{"repository": "Other", "url": "https://a.org/"}],
    )
    for name in ("Baseline", "Task"):
        ada.made("stem/epoch/", {"session": session["id"], "name": name})
    return session


def duplicate_of(record):
    return f"/sessions/{record['id']}/duplicate"


def created(person, answer):
    assert answer.status_code == 302, Page(answer).text
    record_id = answer.location.rpartition("/")[2]
    return person.get(f"stem/session/{record_id}/?include[]=epochs")["session"]


def test_today_like_yesterday(ada, yesterday):
    pages = ada.browser()
    form = pages.form(duplicate_of(yesterday), CREATE)
    assert form.fields["name"] == "M12 2026-11-24"
    assert form.fields["date_time"] == "2026-11-24T09:15"
    answer = pages.press(form, CREATE)
    new = created(ada, answer)
    same = ["projects", "description", "tags", "datastorage", "extra_fields"]
    assert {name: new[name] for name in same} == {name: yesterday[name] for name in same}
    assert (new["name"], new["date_time"]) == ("M12 2026-11-24", "2026-11-24T08:15:00Z")
    assert new["download_links"] == []
    assert [epoch["name"] for epoch in new["epochs"]] == ["Baseline", "Task"]
    page = pages.open(answer.location)
    assert "Session “M12 2026-11-24” was created." in page.text
    undo(pages, page)
    assert ada("GET", f"stem/session/{new['id']}/").status_code == 404
    assert ada.get("stem/session/")["count"] == 1


#: what is ticked, and what the new session then has
CHOICES = [
    ([], {"tags": [], "description": "", "extra_fields": {}, "datastorage": [], "epochs": []}),
    (["tags"], {"tags": ["pilot"], "description": ""}),
    (["extra_fields"], {"extra_fields": {"room": "", "depth": ""}}),
    (["extra_fields", "extra_fields.values"], {"extra_fields": {"room": "B115", "depth": 22.0}}),
    (["extra_fields.values"], {"extra_fields": {}}),
    (["download_links"], {"download_links": [{"repository": "Other", "url": "https://a.org/"}]}),
    (["no such thing", "\0", "users"], {"tags": []}),
]


@pytest.mark.parametrize(("ticked", "expected"), CHOICES)
def test_only_what_is_ticked_comes_along(ada, yesterday, ticked, expected):
    pages = ada.browser()
    form = pages.form(duplicate_of(yesterday), CREATE).set(take=ticked, name="Another")
    new = created(ada, pages.press(form, CREATE))
    assert {name: new[name] for name in expected} == expected


def test_errors_at_their_fields_and_nothing_lost(ada, yesterday):
    pages = ada.browser()
    form = pages.form(duplicate_of(yesterday), CREATE)
    form.set(name="M12 2026-11-23", date_time="soon", projects=[], take=["tags"])
    form.set(name_used_in_storage="x" * 201)
    answer = pages.press(form, CREATE)
    page = Page(answer)
    assert answer.status_code == 400
    assert set(page.marks) == {"name", "date_time", "projects", "name_used_in_storage"}
    again = page.form(CREATE)
    assert again.fields["name"] == "M12 2026-11-23"
    assert again.fields.getlist("take") == ["tags"]
    assert ada.get("stem/session/")["count"] == 1


def test_the_name_in_storage_counts_too(ada, yesterday):
    pages = ada.browser()
    form = pages.form(f"/sessions/{yesterday['id']}/edit", "Save session")
    pages.press(form.set(name_used_in_storage="M12_231126"), "Save session")
    form = pages.form(duplicate_of(yesterday), CREATE)
    assert form.fields["name_used_in_storage"] == "M12_241126"


def test_a_reader_makes_one_in_a_project_of_her_own(ada, ben, yesterday):
    ada.share("project", {"id": yesterday["projects"][0]}, "ben@lab.org", Role.MEMBER)
    mine, pages = ben.project("Ben's"), ben.browser()
    page = pages.open(duplicate_of(yesterday))
    assert "Project “Project”: you may see it, but not use it." in page.text
    assert "Storage" not in page.text
    form = page.form(CREATE).set(projects=mine["id"])
    new = created(ben, pages.press(form, CREATE, address=duplicate_of(yesterday)))
    assert new["projects"] == [mine["id"]]
    assert new["datastorage"] == []


def test_a_sign_in_that_ended_costs_no_session(ada, yesterday):
    pages, address = ada.browser(), duplicate_of(yesterday)
    form = pages.form(address, CREATE).set(name="Mine", take=["tags"])
    pages.client.delete_cookie("brainstem")
    asked = Page(pages.press(form, CREATE)).form("Sign in")
    page = Page(pages.press(asked.set(**SIGN_IN), "Sign in", address=address))
    assert ada.get("stem/session/")["count"] == 1
    again = page.form(CREATE)
    assert (again.fields["name"], again.fields.getlist("take")) == ("Mine", ["tags"])
    assert created(ada, pages.press(again, CREATE, address=address))["name"] == "Mine"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_strangers_see_nothing_of_it(ada, ben, yesterday, method):
    pages = ben.browser()
    data = {"csrf_token": pages.token("/sessions/new")} if method == "POST" else None
    answer = pages.client.open(duplicate_of(yesterday), method=method, data=data)
    assert answer.status_code == 403
    assert "2026-11-23" not in answer.text


def test_a_query_longer_than_any_address_is_refused(ada, sessions):
    pages = ada.browser()
    sent = {
        "all": "1",
        "query": f"q=%22{'a' * 100_000}",
        "csrf_token": pages.token(chosen(*sessions)),
    }
    assert pages.client.post("/sessions/bulk", data=sent).status_code == 400
