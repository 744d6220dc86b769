"""The pages of the history: what they tell, and the ways back that they offer."""

from __future__ import annotations

from uuid import uuid4

import pytest

from brainstem.core.permissions import Role
from tests.pages import Page, text_of


@pytest.fixture
def project(ada):
    return ada.project("Sleep")


@pytest.fixture
def session(ada, project):
    """A session that was changed twice."""
    session = ada.session("Monday", project, tags=["one"], description="a\nb\nc")
    change = {"tags": ["one", "two"], "description": "a\nB\nc", "extra_fields": {"depth": 3.0}}
    ada("PATCH", f"stem/session/{session['id']}", change)
    ada("PATCH", f"stem/session/{session['id']}", {"name": "Tuesday"})
    return session


def texts(page, css_class):
    return [
        text_of(each) for each in page.root.iter() if css_class in each.get("class", "").split()
    ]


def opened(browser, address):
    return Page(browser.get(address))


def actions(page, word):
    """Where the forms of a page lead whose address has this word in it."""
    return [each.get("action") for each in page.all("form") if word in each.get("action", "")]


def changes(page):
    """The addresses of the changes that a page names, the last first."""
    links = [each.get("href") for each in page.all("a") if "/changes/" in each.get("href", "")]
    return list(dict.fromkeys(links))


def test_a_record_tells_who_changed_what_and_how(ada, session):
    page = opened(ada.browser(), f"/sessions/{session['id']}/history")
    told = texts(page, "history-entry")
    assert [each.split(" it ")[0] for each in told] == [
        f"{ada.email} {deed}" for deed in ("changed", "changed", "created")
    ]
    assert "Name Monday Tuesday" in told[0]
    assert "with the token “tests”" in told[0]
    assert "depth: 3.0" in told[1]
    marks = [
        (each.tag, "".join(each.itertext()))
        for each in page.root.iter()
        if each.tag in ("del", "ins")
    ]
    assert ("del", "Monday") in marks
    assert ("ins", "two") in marks
    assert "one" not in told[1]
    assert ("del", "b") in marks
    assert ("ins", "B") in marks
    assert "Now" in texts(page, "history-now")


def test_an_earlier_state_is_restored_and_that_is_undone(ada, session):
    browser = ada.browser()
    address = f"/sessions/{session['id']}/history"
    states = actions(opened(browser, address), "restore")
    assert len(states) == 2
    version = ada("GET", f"stem/session/{session['id']}").headers["ETag"].strip('"')
    response = browser.submit(states[-1], {"version": version}, address)
    assert response.status_code == 302
    now = ada.get(f"stem/session/{session['id']}")["session"]
    assert (now["name"], now["tags"], now["extra_fields"]) == ("Monday", ["one"], {})
    page = opened(browser, f"/sessions/{session['id']}")
    (undo,) = actions(page, "undo")
    assert browser.submit(undo, {}, address).status_code == 302
    assert ada.get(f"stem/session/{session['id']}")["session"]["name"] == "Tuesday"


def test_a_state_is_not_restored_over_a_change_that_came_in_between(ada, session):
    browser = ada.browser()
    address = f"/sessions/{session['id']}/history"
    *_, oldest = actions(opened(browser, address), "restore")
    browser.submit(oldest, {"version": "1"}, address)
    assert "Nothing was restored" in browser.get(address).text
    assert ada.get(f"stem/session/{session['id']}")["session"]["name"] == "Tuesday"


def test_a_deleted_session_is_found_in_the_activity_and_comes_back(ada, session):
    browser = ada.browser()
    browser.submit(f"/sessions/{session['id']}/delete", {})
    ((text,)) = texts(opened(browser, "/activity/?deed=delete"), "activity-what")
    assert text == f"{ada.email} deleted session Tuesday"
    address = f"/sessions/{session['id']}/history"
    page = browser.open(address)
    assert "was deleted by" in page.text
    restore, *_ = actions(page, "restore")
    browser.submit(restore, {"version": ""}, address)
    assert ada.get(f"stem/session/{session['id']}")["session"]["name"] == "Tuesday"


def test_the_old_address_of_a_deleted_session_says_so_to_those_who_might_read_it(
    ada, person, session
):
    ada("DELETE", f"stem/session/{session['id']}")
    page = opened(ada.browser(), f"/sessions/{session['id']}")
    assert page.status == 404
    assert "This session was deleted by" in page.text
    page = opened(person().browser(), f"/sessions/{session['id']}")
    assert page.status == 404
    assert "deleted" not in page.text
    assert opened(ada.browser(), f"/sessions/{uuid4()}").status == 404


def test_deleting_offers_to_undo(ada, session):
    browser = ada.browser()
    browser.submit(f"/sessions/{session['id']}/delete", {})
    page = opened(browser, "/sessions/")
    (undo,) = actions(page, "undo")
    response = browser.submit(undo, {}, "/sessions/new")
    assert response.headers["Location"].endswith(f"/sessions/{session['id']}")
    assert ada("GET", f"stem/session/{session['id']}").status_code == 200


def test_what_can_not_be_undone_says_why(ada, session):
    browser = ada.browser()
    *_, creation, _project = changes(browser.open("/activity/"))
    browser.submit(f"{creation}/undo", {}, creation)
    assert "This can’t be undone. “Monday”: It was changed since." in browser.get(creation).text


def test_the_activity_of_a_project_is_its_own(ada, project, session):
    other = ada.project("Other")
    ada.session("Elsewhere", other)
    page = opened(ada.browser(), f"/projects/{project['id']}/activity")
    assert texts(page, "activity-what") == [
        f"{ada.email} changed name of session Tuesday",
        f"{ada.email} changed description, extra fields, tags of session Monday",
        f"{ada.email} created session Monday",
        f"{ada.email} created project Sleep",
    ]


def test_what_was_deleted_in_a_change_of_others_is_called_so(ada, session):
    for name in ("a", "b"):
        ada.made("stem/epoch/", {"name": name, "session": session["id"]})
    browser, address = ada.browser(), f"/sessions/{session['id']}/edit"
    form = browser.form(address, "Save session")
    form.set(**{"epochs-0-removed": "1", "epochs-1-notes": "calm"})
    assert browser.press(form, "Save session", address).status_code == 302
    told = texts(opened(browser, "/activity/"), "activity-what")[0]
    assert told == f"{ada.email} changed epoch a (deleted), epoch b"


def test_members_read_it_and_others_do_not(ada, ben, person, project, session):
    ada.share("project", project, ben.email, Role.MEMBER)
    address = f"/sessions/{session['id']}/history"
    page = opened(ben.browser(), address)
    assert page.status == 200
    assert actions(page, "restore") == []
    stranger = person().browser()
    change, *_ = changes(page)
    assert stranger.get(address).status_code == 403
    assert stranger.get(change).status_code == 404
    assert stranger.get(f"/projects/{project['id']}/activity").status_code == 403
    assert "Monday" not in stranger.get("/activity/").text
    assert ben.browser().get(f"/sessions/{uuid4()}/history").status_code == 404


def test_what_is_not_theirs_to_see_is_not_named_in_differences(ada, ben, project):
    ada.share("project", project, ben.email, Role.MEMBER)
    secret = ada.storage("Secret place")
    session = ada.session("Monday", project)
    ada("PATCH", f"stem/session/{session['id']}", {"datastorage": [secret["id"]]})
    address = f"/sessions/{session['id']}/history"
    assert "Secret place" in ada.browser().get(address).text
    hers = ben.browser().get(address).text
    assert "Secret place" not in hers
    assert secret["id"] not in hers
    ada("PATCH", f"stem/session/{session['id']}", {"datastorage": []})
    ada("DELETE", f"personal_attributes/datastorage/{secret['id']}")
    assert "Secret place" in ada.browser().get(address).text
    assert "Secret place" not in ben.browser().get(address).text


@pytest.mark.parametrize(
    "query", ["?user=x&deed=y&before=z", "?before=9999-99-99", "?before=%00", "?user=%00"]
)
def test_odd_addresses_are_no_errors(ada, query):
    assert ada.browser().get(f"/activity/{query}").status_code == 200


def test_a_long_history_comes_in_pages(ada, monkeypatch):
    monkeypatch.setattr("brainstem.views.history.PER_PAGE", 2)
    session = ada.session("S0", ada.project())
    for number in range(1, 4):
        ada("PATCH", f"stem/session/{session['id']}", {"name": f"S{number}"})
    browser = ada.browser()
    page = browser.open(f"/sessions/{session['id']}/history")
    assert len(texts(page, "history-entry")) == 2
    assert len(actions(page, "restore")) == 1
    (older,) = [each.get("href") for each in page.all("a") if each.get("rel") == "next"]
    page = browser.open(older)
    assert len(texts(page, "history-entry")) == len(actions(page, "restore")) == 2
    assert "Now" not in page.text
    for odd in ("0", "-1", "x", "9" * 40):
        assert browser.get(f"/sessions/{session['id']}/history?before={odd}").status_code == 200


def test_what_was_brought_back_is_not_called_new(ada, session):
    ada("DELETE", f"stem/session/{session['id']}")
    browser = ada.browser()
    address = f"/sessions/{session['id']}/history"
    restore, *_ = actions(opened(browser, address), "restore")
    browser.submit(restore, {"version": ""}, address)
    first, *_, last = texts(browser.open(address), "history-entry")
    assert first.startswith(f"{ada.email} restored it")
    assert last.startswith(f"{ada.email} created it")


def test_undoing_comes_back_to_the_list_as_it_was_narrowed(ada, session):
    ada("DELETE", f"stem/session/{session['id']}")
    browser = ada.browser()
    (change, *_) = changes(browser.open("/activity/"))
    data = {"csrf_token": browser.token("/activity/")}
    came = {"Referer": "http://localhost/sessions/?q=Mon&sort=name"}
    browser.client.post(f"{change}/undo", data=data, headers=came)
    (change, *_) = changes(browser.open("/activity/"))
    answer = browser.client.post(f"{change}/undo", data=data, headers=came)
    assert answer.location == "/sessions/?q=Mon&sort=name"
    elsewhere = {"Referer": "http://elsewhere.org/sessions/?q=x"}
    (change, *_) = changes(browser.open("/activity/"))
    assert browser.client.post(f"{change}/undo", data=data, headers=elsewhere).location.startswith(
        "/sessions/"
    )


def test_an_address_that_does_not_fit_says_what(ada):
    answer = ada.browser().get("/sessions/?missing=zz&from=abc")
    assert answer.status_code == 400
    assert "missing: Choose of" in answer.text
    assert "from: This is not a date" in answer.text
