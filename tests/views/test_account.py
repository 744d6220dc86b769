"""Signing in and out, the first start, tokens, and the CSRF token that every form needs."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest

from brainstem.extensions import db
from brainstem.records.users import User, open_setup_code
from tests.pages import Page, Pages
from tests.people import PASSWORD

SESSIONS = "stem/session"
WRONG = "The email address or the password is wrong."


@pytest.fixture
def stranger(app):
    """A browser in which nobody has signed in."""
    return Pages(app)


# -- Signing in --------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["ada@lab.org", " ADA@Lab.org "])
def test_one_signs_in_with_address_and_password(ada, stranger, email):
    form = stranger.form("/login", "Sign in").set(email=email, password=PASSWORD)
    answer = stranger.press(form, "Sign in")
    assert (answer.status_code, answer.location) == (302, "/")
    assert stranger.open("/").text
    assert stranger.get("/login").location == "/"
    signed_out = stranger.press(stranger.open("/").form("Sign out"), "Sign out")
    assert (signed_out.status_code, signed_out.location) == (302, "/login")
    assert stranger.get("/").location == "/login"


STRANGERS = [
    ("ada@lab.org", "wrong", {"password": WRONG}),
    ("ada@lab.org", PASSWORD + " ", {"password": WRONG}),
    ("ada@lab.org", PASSWORD.upper(), {"password": WRONG}),
    ("nobody@lab.org", PASSWORD, {"password": WRONG}),
    ("ada", PASSWORD, {"password": WRONG}),
    ("", PASSWORD, {"email": "This field is required."}),
    ("ada@lab.org", "", {"password": "This field is required."}),
    ("x" * 10_000, "y" * 10_000, {"password": WRONG}),
]


def test_whoever_does_not_know_the_password_stays_outside(subtests, ada, stranger):
    for email, password, marks in STRANGERS:
        with subtests.test(email=email, password=password, marks=marks):
            form = stranger.form("/login", "Sign in").set(email=email, password=password)
            answer = stranger.press(form, "Sign in")
            page = Page(answer)
            assert (answer.status_code, page.marks) == (400, marks)
            again = page.form("Sign in")
            assert (again.fields["email"], again.fields["password"]) == (email, "")
            assert stranger.get("/").status_code == 302


def test_a_nul_in_the_sign_in_form_is_no_error_of_the_program(ada, stranger):
    form = stranger.form("/login", "Sign in").set(email="ada\0@lab.org", password="a\0b")
    assert stranger.press(form, "Sign in").status_code == 400


@pytest.mark.parametrize(
    "address",
    ["/sessions/", "/sessions/new", "/projects/?q=a%26b&sort=-name", "/account/tokens/"],
)
def test_signing_in_leads_back_to_where_one_wanted_to_go(ada, stranger, address):
    answer = stranger.get(address)
    assert answer.status_code == 302
    assert urlsplit(answer.location).path == "/login"
    form = stranger.form(answer.location, "Sign in").set(email=ada.email, password=PASSWORD)
    assert stranger.press(form, "Sign in").location == address


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.org/",
        "//evil.org/",
        "///evil.org/",
        "////evil.org",
        "/\\evil.org/",
        "\\\\evil.org/",
        "/\t/evil.org/",
        "/\n/evil.org/",
        "/\t\\evil.org/",
        "\t//evil.org/",
        " //evil.org/",
        "https:evil.org",
        "https:/evil.org",
        "javascript:alert(1)",
        "evil.org",
        "/../\\evil.org",
        "//[",
        "http://[",
        "/\0//evil.org",
        "",
    ],
)
def test_signing_in_never_leads_to_another_site(ada, stranger, target):
    page = stranger.client.get("/login", query_string={"next": target})
    form = Page(page).form("Sign in").set(email=ada.email, password=PASSWORD)
    answer = stranger.client.post(
        "/login", query_string={"next": target}, data=form.sent("Sign in")
    )
    assert answer.status_code == 302
    # As browsers read an address.
    seen = re.sub(r"[\t\r\n]", "", answer.headers["Location"]).strip().replace("\\", "/")
    assert urlsplit(urljoin("http://localhost/login", seen))[:2] == ("http", "localhost")


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(ada, stranger):
    form = stranger.form("/login", "Sign in").set(email=ada.email, password=PASSWORD, remember="1")
    cookies = stranger.press(form, "Sign in").headers.getlist("Set-Cookie")
    assert {each.split("=")[0] for each in cookies} == {"brainstem", "brainstem_remember"}
    for cookie in cookies:
        flags = [each.strip() for each in cookie.split(";")]
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(flags)


# -- The first start ---------------------------------------------------------------------------


@pytest.fixture
def code(app):
    """The set-up code of a program that nobody uses yet."""
    with app.app_context():
        return open_setup_code()


def first(pages, **fields):
    """The set-up form, filled in."""
    filled = {"email": "ada@lab.org", "first_name": "Ada", "last_name": "L", "password": PASSWORD}
    return pages.form("/setup", "Create administrator").set(**filled | fields)


@pytest.mark.parametrize("address", ["/", "/login", "/sessions/", "/account/tokens/"])
def test_while_there_is_no_user_every_page_leads_to_the_set_up(stranger, address):
    assert stranger.get(address).location == "/setup"


@pytest.mark.parametrize("typed", [str, str.lower, lambda code: f" {code.replace('-', ' ')} "])
def test_the_first_user_is_made_with_the_code_and_is_the_administrator(app, stranger, code, typed):
    answer = stranger.press(first(stranger, code=typed(code)), "Create administrator")
    assert (answer.status_code, answer.location) == (302, "/")
    assert "Ada L" in stranger.open("/").text
    with app.app_context():
        user = db.session.scalars(db.select(User)).one()
        assert (user.email, user.is_admin) == ("ada@lab.org", True)
        assert user.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("given", ["wrong", "AAAA-BBBB-CCCC", "É"])
def test_without_the_code_nobody_is_made(app, stranger, given):
    answer = stranger.press(first(stranger, code=given, email="x"), "Create administrator")
    page = Page(answer)
    assert (answer.status_code, set(page.marks)) == (400, {"code", "email"})
    with app.app_context():
        assert db.session.scalars(db.select(User)).all() == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", ""),
        ("email", ""),
        ("email", "ada"),
        ("password", "short"),
        ("first_name", "x" * 101),
    ],
)
def test_what_is_wrong_in_the_set_up_form_is_said_at_its_field(stranger, code, field, value):
    form = first(stranger, **{"code": code, field: value})
    answer = stranger.press(form, "Create administrator")
    assert (answer.status_code, set(Page(answer).marks)) == (400, {field})


def test_a_nul_in_the_set_up_form_is_no_error_of_the_program(stranger, code):
    form = first(stranger, code=code, first_name="a\0b", last_name="", password=PASSWORD)
    assert stranger.press(form, "Create administrator").status_code in (302, 400)


def test_once_there_is_a_user_the_set_up_is_closed(app, ada, stranger):
    assert stranger.get("/setup").location == "/login"
    payload = {"email": "eve@lab.org", "password": PASSWORD, "code": "AAAA-BBBB-CCCC"}
    assert stranger.submit("/setup", payload, page="/login").location == "/login"
    with app.app_context():
        assert open_setup_code() is None
        assert db.session.scalar(db.select(db.func.count(User.id))) == 1


# -- Tokens ------------------------------------------------------------------------------------

TOKENS = "/account/tokens/"


def shown_once(answer):
    """The token on the page that follows its making."""
    return Page(answer).by_id["new-token"].get("value")


def test_a_token_is_shown_once_works_and_ends_when_it_is_revoked(app, ada):
    pages = ada.browser()
    form = pages.form(TOKENS, "Create token").set(name="analysis server")
    secret = shown_once(pages.press(form, "Create token"))
    assert re.fullmatch(r"bst_[\w-]{43,}", secret)
    page = pages.open(TOKENS)
    assert secret not in page.html
    assert "analysis server" in page.text

    def status():
        headers = {"Authorization": f"Bearer {secret}"}
        return app.test_client().get(f"/api/private/{SESSIONS}/", headers=headers).status_code

    assert status() == 200
    assert (
        pages.press(page.form("Revoke analysis server"), "Revoke analysis server").location
        == TOKENS
    )
    assert status() == 401


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required."),
        ("  ", "This field is required."),
        ("x" * 101, "At most 100 characters; these are 101."),
        ("tests", "You have a token of this name already."),
    ],
)
def test_what_is_wrong_with_a_token_s_name_is_said_at_it(ada, name, said):
    pages = ada.browser()
    answer = pages.press(pages.form(TOKENS, "Create token").set(name=name), "Create token")
    assert (answer.status_code, Page(answer).marks) == (400, {"name": said})


def test_a_nul_in_a_token_s_name_is_no_error_of_the_program(ada):
    pages = ada.browser()
    answer = pages.press(pages.form(TOKENS, "Create token").set(name="a\0b"), "Create token")
    assert answer.status_code in (200, 400)


def test_nobody_sees_or_revokes_the_tokens_of_others(ada, ben):
    adas, bens = ada.browser(), ben.browser()
    adas.press(adas.form(TOKENS, "Create token").set(name="Ada's own"), "Create token")
    assert "Ada's own" not in bens.open(TOKENS).text
    address = adas.open(TOKENS).form("Revoke Ada's own").action
    assert bens.submit(address, {}, page=TOKENS).status_code == 404
    assert "Ada's own" in adas.open(TOKENS).text


# -- CSRF --------------------------------------------------------------------------------------

UNSAFE = [
    "/login",
    "/logout",
    "/demo",
    "/setup",
    "/account/tokens/",
    "/account/tokens/{id}/revoke",
    "/sessions/new",
    "/sessions/{id}/edit",
    "/sessions/{id}/delete",
    "/projects/new",
    "/datastorage/{id}/delete",
]


def test_nothing_is_taken_from_a_form_without_its_csrf_token(subtests, ada):
    pages = ada.browser()
    session = ada.session("Monday", ada.project())
    for address in UNSAFE:
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "wrong"}):
            with subtests.test(address=address, token=token):
                fields = {"name": "New", **token}
                answer = pages.client.post(address.format(id=session["id"]), data=fields)
                assert answer.status_code == 400
    assert ada.get(SESSIONS)["sessions"] == [session]
    assert pages.open("/").form("Sign out")


def test_one_user_s_csrf_token_is_of_no_use_to_another(ada, ben):
    token = ben.browser().token("/sessions/new")
    answer = ada.browser().client.post("/projects/new", data={"name": "X", "csrf_token": token})
    assert answer.status_code == 400
    assert ada.get("stem/project")["count"] == 0
