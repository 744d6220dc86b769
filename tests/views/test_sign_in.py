"""Signing in with a password, on the page and for the older client; and tokens that only read."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records import limits, tokens, users
from brainstem.records.tokens import Token
from tests.conftest import PASSWORD, Pages
from tests.pages import Page

WRONG = "not the password"


def ask(app, payload=None, address="192.0.2.1", **kwargs):
    """POST /api/token/, as the older client does."""
    if "data" not in kwargs:
        kwargs.setdefault("json", payload)
    client = app.test_client()
    return client.post("/api/token/", environ_overrides={"REMOTE_ADDR": address}, **kwargs)


def sign_in(app, email, password, address="192.0.2.1", **more):
    pages = Pages(app)
    token = pages.token("/login")
    fields = {"email": email, "password": password, "csrf_token": token, **more}
    environ = {"REMOTE_ADDR": address}
    return pages.client.post("/login", data=fields, environ_overrides=environ)


def test_a_token_for_a_password(app, ada):
    answers = [
        ask(app, {"username": name, "password": PASSWORD}) for name in (ada.email, "ADA@lab.org ")
    ]
    for response in answers:
        assert response.status_code == 200
        assert list(response.json) == ["token"]
        headers = {"Authorization": f"Bearer {response.json['token']}"}
        got = app.test_client().get("/api/private/stem/session/", headers=headers)
        assert got.status_code == 200
    page = ada.browser().get("/account/tokens/").text
    assert "Signed in with the password" in page
    assert "Signed in with the password 2" in page
    assert answers[0].json["token"] not in page


@pytest.mark.parametrize("address", ["/api/token", "/api/token/"])
def test_its_address_works_both_ways_and_takes_posts_alone(app, ada, address):
    client = app.test_client()
    payload = {"username": ada.email, "password": PASSWORD}
    assert client.post(address, json=payload).status_code == 200
    refused = client.get(address)
    assert refused.status_code == 405
    assert "POST" in refused.headers["Allow"]


BAD = [
    ({"json": {"username": "ada@lab.org", "password": WRONG}}, 401),
    ({"json": {"username": "nobody@lab.org", "password": PASSWORD}}, 401),
    ({"json": {"username": "ada@lab.org", "password": f" {PASSWORD}"}}, 401),
    ({"json": {"username": "ada@lab.org", "password": ""}}, 401),
    ({"json": {"username": "ada@lab.org"}}, 400),
    ({"json": {"password": PASSWORD}}, 400),
    ({"json": {"username": "", "password": PASSWORD}}, 400),
    ({"json": {"username": None, "password": None}}, 400),
    ({"json": {"username": ["ada@lab.org"], "password": 1}}, 400),
    ({"json": {"username": "ada@lab.org\0", "password": PASSWORD}}, 400),
    ({"json": {"username": "ada@lab.org", "password": "\ud800"}}, 400),
    ({"json": []}, 400),
    ({"data": "{", "content_type": "application/json"}, 400),
    ({"data": {"username": "ada@lab.org", "password": PASSWORD}}, 415),
]


@pytest.mark.parametrize(("request_", "status"), BAD)
def test_no_token_otherwise(app, ada, request_, status):
    response = ask(app, **request_)
    assert response.status_code == status
    assert response.is_json
    assert WRONG not in response.text
    if status == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert list(response.json) == ["detail"]


WAYS = {
    "page": lambda app, email, password, address: sign_in(app, email, password, address),
    "api": lambda app, email, password, address: ask(
        app, {"username": email, "password": password}, address
    ),
}
RIGHT, FAILED = {"page": 302, "api": 200}, {"page": 400, "api": 401}


@pytest.mark.parametrize("way", WAYS)
def test_ten_wrong_passwords_for_one_account(app, ada, ben, way):
    """From many addresses, spelled in many ways; then not even the right one, anywhere."""
    spellings = ["ada@lab.org", "ADA@lab.org", " ada@LAB.org\t"]
    for number in range(10):
        response = WAYS[way](app, spellings[number % 3], WRONG, f"192.0.2.{number}")
        assert response.status_code == FAILED[way], number
    for each in WAYS:
        for password in (WRONG, PASSWORD):
            response = WAYS[each](app, "Ada@lab.org", password, "198.51.100.1")
            assert response.status_code == 429
            assert 0 < int(response.headers["Retry-After"]) <= 15 * 60
            assert response.is_json == (each == "api")
        assert WAYS[each](app, ben.email, PASSWORD, "192.0.2.1").status_code == RIGHT[each]


@pytest.mark.parametrize("way", WAYS)
def test_ten_wrong_passwords_from_one_address(app, ada, way):
    for number in range(10):
        WAYS[way](app, f"user{number}@lab.org", WRONG, "192.0.2.7")
    assert WAYS[way](app, ada.email, PASSWORD, "192.0.2.7").status_code == 429
    assert WAYS[way](app, ada.email, PASSWORD, "192.0.2.8").status_code == RIGHT[way]


def test_a_header_changes_no_address(app, ada):
    for number in range(10):
        ask(
            app,
            {"username": f"user{number}@lab.org", "password": WRONG},
            headers={"X-Forwarded-For": f"198.51.100.{number}", "Forwarded": f"for={number}"},
        )
    assert ask(app, {"username": ada.email, "password": PASSWORD}).status_code == 429


def test_a_right_password_clears_its_account_but_not_the_address(app, ada):
    for number in range(9):
        assert ask(app, {"username": ada.email, "password": WRONG}).status_code == 401, number
    assert sign_in(app, ada.email, PASSWORD).status_code == 302
    for number in range(9):
        response = ask(app, {"username": ada.email, "password": WRONG}, f"198.51.100.{number}")
        assert response.status_code == 401
    assert ask(app, {"username": "other", "password": WRONG}).status_code == 401
    assert ask(app, {"username": "other", "password": WRONG}).status_code == 429


def test_it_ends(app, ada, monkeypatch):
    for _ in range(10):
        ask(app, {"username": ada.email, "password": WRONG})
    monkeypatch.setattr(limits, "utcnow", lambda: utcnow() + timedelta(minutes=15))
    assert ask(app, {"username": ada.email, "password": PASSWORD}).status_code == 200


def test_the_page_keeps_what_was_typed_but_the_password(app, ada):
    for _ in range(10):
        ask(app, {"username": ada.email, "password": WRONG})
    response = sign_in(app, "Ada@lab.org", PASSWORD, remember="1")
    assert response.status_code == 429
    assert "Too many tries. Wait 15 minutes" in response.text
    assert 'value="Ada@lab.org"' in response.text
    assert "checked" in response.text
    assert PASSWORD not in response.text
    assert 'role="alert"' in response.text


def test_a_wrong_password_is_told_in_fitting_words(app, ada):
    """Signing in would have saved nothing anyway."""
    for password in (WRONG, ""):
        page = Page(sign_in(app, ada.email, password))
        assert page.summary == ["password"]
        assert "You are not signed in yet: please look at the following." in page.text
        assert "saved" not in page.text


def test_characters_that_no_account_can_have(app, ada):
    response = sign_in(app, "ada@lab.org\0", PASSWORD)
    assert response.status_code == 400
    assert "can&#39;t be stored" in response.text


def test_ten_wrong_passwords_on_the_page_for_a_new_one(app, ada):
    """Whoever finds a computer signed in can guess there no longer than at the sign-in."""
    pages = ada.browser()
    fields = {"current": WRONG, "password": "another long password"}
    for _ in range(10):
        assert pages.submit("/account/password/", fields).status_code == 400
    fields["current"] = PASSWORD
    assert pages.submit("/account/password/", fields).status_code == 429
    assert sign_in(app, ada.email, PASSWORD, "198.51.100.1").status_code == 429


def test_ten_wrong_set_up_codes(app):
    pages = Pages(app)
    fields = {"email": "ada@lab.org", "first_name": "Ada", "last_name": "", "password": PASSWORD}
    for _ in range(10):
        response = pages.submit("/setup", {**fields, "code": "AAAA-BBBB-CCCC"})
        assert response.status_code == 400
    with app.app_context():
        code = users.open_setup_code()
    response = pages.submit("/setup", {**fields, "code": code})
    assert response.status_code == 429
    assert response.headers["Retry-After"]
    assert 'value="Ada"' in response.text
    elsewhere = {"REMOTE_ADDR": "198.51.100.1"}
    data = {**fields, "code": code, "csrf_token": pages.token("/setup")}
    response = pages.client.post("/setup", data=data, environ_overrides=elsewhere)
    assert response.status_code == 302


def test_wrong_fields_with_the_right_set_up_code_are_no_guesses(app):
    pages = Pages(app)
    with app.app_context():
        fields = {"email": "ada", "password": "short", "code": users.open_setup_code()}
    statuses = [pages.submit("/setup", fields).status_code for _ in range(11)]
    assert statuses == [400] * 11


@pytest.fixture
def reader(app, ada):
    """The headers of a token of Ada's that only reads."""
    response = ada.browser().submit("/account/tokens/", {"name": "reader", "read_only": "1"})
    assert response.status_code == 200
    (secret,) = set(re.findall(r"bst_[\w-]+", response.text))
    return {"Authorization": f"Bearer {secret}"}


def test_a_token_that_only_reads(app, ada, reader):
    project = ada.project("Maze")
    client = app.test_client()
    one = f"/api/private/stem/project/{project['id']}/"
    for address in ("/api/private/stem/project/", one):
        assert client.get(address, headers=reader).status_code == 200
        assert client.head(address, headers=reader).status_code == 200
        assert client.options(address, headers=reader).status_code == 200
    refused = [
        client.post("/api/private/stem/project/", json={"name": "New"}, headers=reader),
        client.patch(one, json={"name": "New"}, headers=reader),
        client.put(one, json={"name": "New"}, headers=reader),
        client.delete(one, headers=reader),
    ]
    for response in refused:
        assert response.status_code == 403
        assert response.json == {"detail": "This token is read-only: it can't change anything."}
    assert ada.get(one)["project"]["name"] == "Maze"


def test_the_page_shows_each_token(app, ada, reader):
    with app.app_context():
        long_ago = utcnow() - tokens.VALID - timedelta(days=1)
        old = update(Token).where(Token.name == "tests")
        db.session.execute(old.values(created_date=long_ago, last_used=None))
        db.session.commit()
    pages = ada.browser()
    page = pages.get("/account/tokens/").text
    assert "Read only</td>" in page
    assert "Read and write</td>" in page
    assert "<strong>Expired</strong>" in page
    assert ada("GET", "stem/project/").status_code == 401
    assert app.test_client().get("/api/private/stem/project/", headers=reader).status_code == 200
    page = pages.get("/account/tokens/").text
    revoke = re.search(r'action="([^"]+/revoke)">(?:(?!action=).)*Revoke reader', page, re.DOTALL)
    assert pages.submit(revoke[1], {}, page="/account/tokens/").status_code == 302
    assert "reader" not in pages.get("/account/tokens/").text
    assert app.test_client().get("/api/private/stem/project/", headers=reader).status_code == 401


def test_a_name_that_can_not_be_stored(ada):
    response = ada.browser().submit("/account/tokens/", {"name": "a\0b"})
    assert response.status_code == 400
    assert "can&#39;t be stored" in response.text
