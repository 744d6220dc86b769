"""A form whose sign-in has ended comes back after signing in, whole, and nothing was stored meanwhile."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from flask import session as cookie

from tests.pages import Page, Pages
from tests.people import PASSWORD

NEW = "/projects/new"
SAVE = "Save project"
TYPED = {"name": " Maze & “more” ", "description": "\n\n one\r\n<b>two</b>\n ", "tags": 'a, "b, c"'}
SIGN_IN = {"_sign_in-email": "ada@lab.org", "_sign_in-password": PASSWORD}


def end_sign_in(pages: Pages) -> None:
    """As when the browser was closed: the cookie is gone."""
    pages.client.delete_cookie("brainstem")


def end_it_with_a_new_password(pages: Pages) -> None:
    """The cookie stays, with its CSRF token; only nobody is signed in any more."""
    with pages.client.session_transaction() as stored:
        stored["_user_id"] = "of an old password"


ENDS = {"cookie gone": end_sign_in, "other password": end_it_with_a_new_password}


@pytest.fixture(params=ENDS)
def late(request, ada):
    """Ada's browser with a form filled in, and what came when it was sent after the sign-in had ended."""
    pages = ada.browser()
    form = pages.form(NEW, SAVE).set(**TYPED)
    ENDS[request.param](pages)
    answer = pages.press(form, SAVE)
    assert answer.status_code == 400
    return pages, form, Page(answer)


def test_nothing_is_lost_and_nothing_is_stored(late, ada):
    pages, form, page = late
    assert "Your sign-in has ended" in page.text
    asked = page.form("Sign in")
    assert asked.action is None  # to the form's own address, whatever was sent
    drawn = pages.press(asked.set(**SIGN_IN), "Sign in", NEW)
    assert drawn.status_code == 200
    again = Page(drawn).form(SAVE)
    assert "You are signed in again. Nothing is saved yet" in drawn.text
    for name, text in form.fields.items():
        if name not in ("csrf_token", "_do"):
            assert again.fields[name].replace("\r\n", "\n") == text.replace("\r\n", "\n"), name
    assert ada.get("stem/project/")["count"] == 0
    assert pages.press(again, SAVE, NEW).status_code == 302
    (project,) = ada.get("stem/project/")["projects"]
    assert (project["name"], project["tags"]) == ("Maze & “more”", ["a", "b, c"])


def test_a_wrong_password_loses_nothing_either(late, ada):
    pages, _, page = late
    for typed in (
        {"_sign_in-password": "wrong"},
        {"_sign_in-password": ""},
        {"_sign_in-email": ""},
    ):
        answer = pages.press(page.form("Sign in").set(**{**SIGN_IN, **typed}), "Sign in", NEW)
        page = Page(answer)
        assert answer.status_code == 400
        assert page.marks
        assert "You are not signed in yet: please look" in page.text
        assert PASSWORD not in answer.text
        assert page.form("Sign in").fields["name"] == TYPED["name"]
    answer = pages.press(page.form("Sign in").set(**SIGN_IN), "Sign in", NEW)
    assert Page(answer).form(SAVE).fields["name"] == TYPED["name"]
    assert ada.get("stem/project/")["count"] == 0


def test_nor_do_too_many_of_them(late, ada):
    pages, _, page = late
    for _ in range(11):
        wrong = page.form("Sign in").set(**{**SIGN_IN, "_sign_in-password": "wrong"})
        answer = pages.press(wrong, "Sign in", NEW)
        page = Page(answer)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"]
    assert "Too many tries" in page.text
    assert page.form("Sign in").fields["name"] == TYPED["name"]


def test_somebody_else_is_told_whose_form_it_is(late, ada, ben):
    pages, _, page = late
    asked = page.form("Sign in").set(**{**SIGN_IN, "_sign_in-email": ben.email})
    answer = pages.press(asked, "Sign in", NEW)
    assert "this form was filled in by somebody else" in answer.text
    assert Page(answer).form(SAVE).fields["name"] == TYPED["name"]
    assert ben.get("stem/project/")["count"] == ada.get("stem/project/")["count"] == 0


def test_a_form_of_a_record_that_changed_meanwhile_shows_both_versions(ada):
    project = ada.project("Maze")
    address = f"/projects/{project['id']}/edit"
    pages = ada.browser()
    form = pages.form(address, SAVE).set(description="mine")
    ada("PATCH", f"stem/project/{project['id']}/", {"description": "theirs"})
    end_sign_in(pages)
    asked = Page(pages.press(form, SAVE)).form("Sign in").set(**SIGN_IN)
    again = Page(pages.press(asked, "Sign in", address)).form(SAVE)
    answer = pages.press(again, SAVE, address)
    assert answer.status_code == 409
    assert {"mine", "theirs"} <= set(Page(answer).text.split())


def test_the_page_with_both_versions_comes_back_as_well(ada):
    project = ada.project("Maze")
    address = f"/projects/{project['id']}/edit"
    pages = ada.browser()
    form = pages.form(address, SAVE).set(description="mine")
    ada("PATCH", f"stem/project/{project['id']}/", {"description": "theirs"})
    both = Page(pages.press(form, SAVE)).form(SAVE)
    end_sign_in(pages)
    asked = Page(pages.press(both, SAVE, address)).form("Sign in").set(**SIGN_IN)
    again = Page(pages.press(asked, "Sign in", address)).form(SAVE)
    assert again.fields["description"].strip() == "mine"
    assert pages.press(again, SAVE, address).status_code == 302
    assert ada.get(f"stem/project/{project['id']}/")["project"]["description"] == "mine"


def test_whoever_signed_in_elsewhere_meanwhile_only_has_to_look(ada):
    """In another tab: the cookie is a new one, and the form's token an old one."""
    pages = ada.browser()
    form = pages.form(NEW, SAVE).set(**TYPED)
    end_sign_in(pages)
    pages.submit("/login", {"email": ada.email, "password": PASSWORD})
    page = Page(pages.press(form, SAVE))
    assert "you are signed in as" in page.text
    again = Page(pages.press(page.form("Show my form"), "Show my form", NEW)).form(SAVE)
    assert again.fields["name"] == TYPED["name"]
    assert ada.get("stem/project/")["count"] == 0
    assert pages.press(again, SAVE, NEW).status_code == 302


def test_a_button_inside_the_form_acts_after_signing_in(ada):
    storages = [ada.storage(name)["id"] for name in ("Alpha", "Beta")]
    session = ada.session("Night", ada.project(), datastorage=storages)
    address = f"/sessions/{session['id']}/edit"
    pages = ada.browser()
    form = pages.form(address, "Move Beta up")
    end_sign_in(pages)
    asked = Page(pages.press(form, "Move Beta up")).form("Sign in").set(**SIGN_IN)
    again = Page(pages.press(asked, "Sign in", address)).form("Save session")
    assert again.fields.getlist("datastorage") == storages[::-1]


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_what_other_sites_send_is_not_carried_along(ada, headers):
    for pages in (ada.browser(), Pages(ada.app)):
        answer = pages.client.post(NEW, data={"name": "Planted", **SIGN_IN}, headers=headers)
        assert answer.status_code == 400
        assert "Planted" not in answer.text
    assert ada.get("stem/project/")["count"] == 0


def test_signing_in_with_a_form_needs_its_token(ada):
    pages = Pages(ada.app)
    answer = pages.client.post(NEW, data={"name": "x", **SIGN_IN})
    assert answer.status_code == 400
    assert pages.get("/").status_code == 302


OTHERS = ["/projects/{id}/delete", "/logout", "/account/tokens/", "/demo", "/projects/{id}/publish"]


@pytest.mark.parametrize("address", OTHERS)
def test_no_other_form_is_sent_by_signing_in(ada, address):
    """Only forms that are drawn again: signing in must not delete or publish anything."""
    project = ada.project("Kept")
    pages = Pages(ada.app)
    data = {"csrf_token": pages.token(), "is_public": "true", "name": "x", **SIGN_IN}
    answer = pages.client.post(address.format(id=project["id"]), data=data)
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert urlsplit(answer.location).path == "/login"
    assert pages.get("/").status_code == 302
    assert ada.get(f"stem/project/{project['id']}/")["project"]["is_public"] is False


def test_a_form_too_large_to_be_carried_is_answered_plainly(app, ada):
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    pages = ada.browser()
    form = pages.form(NEW, SAVE).set(name="Large", description="x" * 60 * 1024)
    end_sign_in(pages)
    answer = pages.press(form, SAVE)
    assert answer.status_code == 400
    assert "Go back: what you typed is still there" in answer.text
    assert len(answer.text) < 20 * 1024


# -- For scripts -------------------------------------------------------------------------------


def test_a_page_can_ask_who_is_signed_in(ada):
    stranger = Pages(ada.app)
    assert stranger.get("/sign-in-again").json["user"] is None
    answer = ada.browser().get("/sign-in-again")
    assert answer.json["user"] == {"id": str(ada.id), "name": "ada@lab.org"}
    assert "no-store" in answer.headers["Cache-Control"]


def post(pages: Pages, token: str, **fields: str):
    return pages.client.post("/sign-in-again", data=fields, headers={"X-CSRFToken": token})


def test_a_page_can_sign_in_and_go_on(ada):
    pages = Pages(ada.app)
    token = pages.get("/sign-in-again").json["csrf_token"]
    answer = post(pages, token, email="Ada@lab.org", password=PASSWORD)
    assert (answer.status_code, answer.json["user"]["id"]) == (200, str(ada.id))
    fresh = {"X-CSRFToken": answer.json["csrf_token"]}
    saved = pages.client.post(NEW, data={"name": "Gone on"}, headers=fresh)
    assert saved.status_code == 302
    assert (
        pages.client.post(NEW, data={"name": "Old"}, headers={"X-CSRFToken": token}).status_code
        == 400
    )
    assert ada.get("stem/project/")["count"] == 1


REFUSED = [
    ({"email": "ada@lab.org", "password": "wrong"}, "password"),
    ({"email": "ada@lab.org", "password": "a\0b"}, "password"),
    ({"email": "", "password": PASSWORD}, "email"),
    ({}, "email"),
]


@pytest.mark.parametrize(("fields", "wrong"), REFUSED)
def test_a_page_is_told_why_it_can_not(ada, fields, wrong):
    pages = Pages(ada.app)
    answer = post(pages, pages.get("/sign-in-again").json["csrf_token"], **fields)
    assert answer.status_code == 400
    assert wrong in answer.json
    assert pages.get("/sign-in-again").json["user"] is None


def test_tries_from_within_a_page_count_like_all_others(ada):
    pages = Pages(ada.app)
    token = pages.get("/sign-in-again").json["csrf_token"]
    answers = [post(pages, token, email=ada.email, password="wrong") for _ in range(11)]
    assert [each.status_code for each in answers] == [400] * 10 + [429]
    assert answers[-1].headers["Retry-After"]
    assert "Too many tries" in answers[-1].json["detail"]


def test_signing_in_from_within_a_page_needs_a_token_and_starts_anew(app, ada):
    pages = Pages(app)
    with pages.client:
        pages.get("/sign-in-again")
        before = cookie["csrf_token"]
        assert post(pages, "wrong", email=ada.email, password=PASSWORD).status_code == 400
        token = pages.get("/sign-in-again").json["csrf_token"]
        assert post(pages, token, email=ada.email, password=PASSWORD).status_code == 200
        assert cookie["csrf_token"] != before


def test_the_browser_is_told_which_draft_was_saved(ada):
    pages = ada.browser()
    form = pages.form(NEW, SAVE).set(name="", _draft="a1b2")
    pages.press(form, SAVE)
    assert 'data-saved-draft=""' in pages.get("/").text
    pages.press(form.set(name="Saved"), SAVE)
    assert 'data-saved-draft="a1b2"' in pages.get("/").text


@pytest.mark.parametrize("draft", ["", "a b", "x" * 65, "é", "a;b", "<"])
def test_only_an_id_of_a_draft_is_taken(ada, draft):
    pages = ada.browser()
    pages.press(pages.form(NEW, SAVE).set(name="Saved", _draft=draft), SAVE)
    assert 'data-saved-draft=""' in pages.get("/").text
