"""Device login: a program gets a token by its user's word, once (contract §12)."""

from __future__ import annotations

import re
import threading
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from brainstem.core.permissions import Actor
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records import devices, users
from brainstem.records.devices import DeviceLogin
from brainstem.records.tokens import Token
from tests.conftest import PASSWORD, Pages

PAGE = "/account/authorize/"


def start(app, payload=None, address="192.0.2.1", **kwargs):
    if "data" not in kwargs:
        kwargs.setdefault(
            "json", {"client_name": "brainstem-python"} if payload is None else payload
        )
    environ = {"REMOTE_ADDR": address}
    return app.test_client().post("/api/auth/device/", environ_overrides=environ, **kwargs)


def poll(app, login):
    response = app.test_client().post(
        "/api/auth/device/token/", json={"device_code": login["device_code"]}
    )
    assert response.status_code == 200
    return response.json


def decide(pages, login, decision, **more):
    shown = f"{PAGE}?user_code={login['user_code']}"
    return pages.submit(
        PAGE, {"user_code": login["user_code"], "_do": decision, **more}, page=shown
    )


def age(app, **by):
    """Make the logins older."""
    with app.app_context():
        values = {"created_date": utcnow() - timedelta(**by)}
        db.session.execute(update(DeviceLogin).values(**values))
        db.session.commit()


def test_a_program_asks(app, ada):
    response = start(app, base_url="http://lab-server:8000")
    assert response.status_code == 200
    login = response.json
    assert list(login) == [
        "session_id",
        "device_code",
        "user_code",
        "verification_uri",
        "verification_uri_complete",
        "interval",
        "expires_in",
    ]
    assert uuid.UUID(login["session_id"])
    assert len(login["device_code"]) >= 43
    assert re.fullmatch(r"[CDFGHJKLMNPQRTVWX]{4}-[2-9]{4}", login["user_code"])
    assert login["verification_uri"] == "http://lab-server:8000/account/authorize/"
    assert login["verification_uri_complete"] == (
        f"http://lab-server:8000/account/authorize/?user_code={login['user_code']}"
    )
    assert (login["interval"], login["expires_in"]) == (5, 900)
    with app.app_context():
        stored = db.session.execute(select(DeviceLogin.__table__)).one()
    assert login["device_code"] not in repr(stored)


NAMES = [
    ({}, "unknown client"),
    ({"client_name": None}, "unknown client"),
    ({"client_name": "  "}, "unknown client"),
    ({"client_name": " brainstem\n matlab "}, "brainstem matlab"),
    ({"client_name": "left\u202eright"}, "left right"),
    ({"client_name": "Ünïcode", "scope": "anything"}, "Ünïcode"),
    ({"client_name": "x" * 100}, "x" * 100),
]


@pytest.mark.parametrize(("payload", "name"), NAMES)
def test_what_a_program_calls_itself(app, ada, payload, name):
    assert start(app, payload).status_code == 200
    with app.app_context():
        assert db.session.scalar(select(DeviceLogin.client_name)) == name


REFUSED = [
    ({"json": {"client_name": "x" * 101}}, 400),
    ({"json": {"client_name": "a\0b"}}, 400),
    ({"json": {"client_name": "\ud800"}}, 400),
    ({"json": {"client_name": 5}}, 400),
    ({"json": []}, 400),
    ({"data": "{", "content_type": "application/json"}, 400),
    ({"data": {"client_name": "form"}}, 415),
    ({"data": ""}, 415),
]


@pytest.mark.parametrize(("request_", "status"), REFUSED)
def test_what_is_no_such_request(app, ada, request_, status):
    response = start(app, **request_)
    assert (response.status_code, response.is_json) == (status, True)


@pytest.mark.parametrize("address", ["/api/auth/device", "/api/auth/device/token"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_addresses_take_posts_alone_with_and_without_a_slash(app, address, slash):
    client = app.test_client()
    payload = {"client_name": "x", "device_code": "x"}
    assert client.post(address + slash, json=payload).status_code == 200
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        response = client.open(address + slash, method=method)
        assert (response.status_code, response.is_json) == (405, True)
        assert "POST" in response.headers["Allow"]


def test_the_story_of_an_approval(app, ada):
    login = start(app).json
    assert poll(app, login) == {"status": "authorization_pending"}

    # Signing in leads back to the page, with the code.
    pages = Pages(app)
    address = f"{PAGE}?user_code={login['user_code']}"
    door = pages.get(address)
    assert door.status_code == 302
    fields = {"email": ada.email, "password": PASSWORD}
    back = pages.submit(door.location, fields)
    assert back.location == address

    page = pages.get(address).text
    assert "brainstem-python" in page
    assert "192.0.2.1" in page
    assert f'value="{login["user_code"]}"' in page
    assert poll(app, login) == {"status": "authorization_pending"}, "looking is not approving"

    answer = decide(pages, login, "approve")
    result = pages.get(answer.location).text
    assert "Approved" in result
    assert "read and change your records" in result

    handed = poll(app, login)
    assert list(handed) == ["status", "token"]
    assert handed["status"] == "success"
    for _ in range(3):
        assert poll(app, login) == {"error": "already_used"}

    headers = {"Authorization": f"Bearer {handed['token']}"}
    made = app.test_client().post(
        "/api/private/stem/project/", json={"name": "From a script"}, headers=headers
    )
    assert made.status_code == 201
    assert ada.get("stem/project/")["count"] == 1
    page = pages.get("/account/tokens/").text
    assert "brainstem-python" in page
    assert handed["token"] not in page
    with app.app_context():
        stored = [
            repr(db.session.execute(select(table)).all()) for table in db.metadata.sorted_tables
        ]
    assert handed["token"] not in "".join(stored)


def test_the_code_can_be_typed(app, ada):
    login = start(app).json
    pages = ada.browser()
    assert "Code" in pages.get(PAGE).text
    plain = login["user_code"].lower().replace("-", " ")
    for typed in (plain, f" {plain.replace(' ', '')} ", plain.replace(" ", "–")):
        page = pages.get(PAGE, query_string={"user_code": typed})
        assert page.status_code == 200
        assert "brainstem-python" in page.text


def test_a_denial(app, ada):
    login = start(app).json
    pages = ada.browser()
    answer = decide(pages, login, "deny", read_only="1")
    assert "gets no access" in pages.get(answer.location).text
    for _ in range(2):
        assert poll(app, login) == {"error": "access_denied"}
    decide_again = {"user_code": login["user_code"], "_do": "approve"}
    pages.submit(PAGE, decide_again, page="/account/tokens/")
    assert poll(app, login) == {"error": "access_denied"}, "the first answer stands"


def test_reading_alone(app, ada):
    login = start(app).json
    pages = ada.browser()
    answer = decide(pages, login, "approve", read_only="1")
    assert "can now read your records" in pages.get(answer.location).text
    headers = {"Authorization": f"Bearer {poll(app, login)['token']}"}
    address = "/api/private/stem/project/"
    assert app.test_client().get(address, headers=headers).status_code == 200
    response = app.test_client().post(address, json={"name": "x"}, headers=headers)
    assert response.status_code == 403


def test_the_same_program_on_several_computers(app, ada):
    pages, name = ada.browser(), "x" * 100
    secrets = []
    for _ in range(3):
        login = start(app, {"client_name": name}).json
        decide(pages, login, "approve")
        secrets.append(poll(app, login)["token"])
    assert len(set(secrets)) == 3
    with app.app_context():
        mine = Token.user_id == ada.id, Token.name != "tests"
        names = sorted(db.session.scalars(select(Token.name).where(*mine)))
    assert names == ["x" * 98 + " 2", "x" * 98 + " 3", name]


@pytest.mark.parametrize("decision", [None, "approve", "deny"])
def test_a_login_expires(app, ada, decision):
    login = start(app).json
    pages = ada.browser()
    if decision:
        decide(pages, login, decision)
    age(app, minutes=15)
    assert poll(app, login) == {"error": "expired_token"}
    page = pages.get(f"{PAGE}?user_code={login['user_code']}")
    assert page.status_code == 400
    assert "older than 15 minutes" in page.text
    pages.submit(PAGE, {"user_code": login["user_code"], "_do": "approve"}, page="/account/tokens/")
    assert poll(app, login) == {"error": "expired_token"}

    assert start(app).status_code == 200
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(DeviceLogin)) == 1
    assert poll(app, login) == {"error": "expired_token"}


def test_shortly_before_it_expires(app, ada):
    login = start(app).json
    age(app, minutes=14, seconds=50)
    decide(ada.browser(), login, "approve")
    assert poll(app, login)["status"] == "success"


UNKNOWN = ["", "x", "x" * 100_000, "é"]


@pytest.mark.parametrize("code", UNKNOWN)
def test_a_code_that_nobody_knows(app, code):
    assert poll(app, {"device_code": code}) == {"error": "expired_token"}


@pytest.mark.parametrize(
    "payload",
    [{}, *({"device_code": each} for each in (None, 5, "a\0b", "\ud800"))],
)
def test_no_code_at_all(app, payload):
    response = app.test_client().post("/api/auth/device/token/", json=payload)
    assert response.status_code == 400
    assert list(response.json) == ["device_code"]


def test_the_token_is_handed_out_once_however_many_ask_at_once(app, ada):
    login = start(app).json
    decide(ada.browser(), login, "approve")
    answers, ready = [], threading.Barrier(12)

    def ask() -> None:
        ready.wait()
        answers.append(poll(app, login))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("token" in each for each in answers) == 1
    assert answers.count({"error": "already_used"}) == 11
    with app.app_context():
        mine = Token.user_id == ada.id, Token.name != "tests"
        assert db.session.scalar(select(func.count()).select_from(Token).where(*mine)) == 1


def test_many_programs_get_their_tokens_at_once(app, ada):
    pages = ada.browser()
    logins = [start(app).json for _ in range(12)]
    for login in logins:
        decide(pages, login, "approve")
    tokens, ready = [], threading.Barrier(12)

    def ask(login) -> None:
        ready.wait()
        tokens.append(poll(app, login).get("token"))

    threads = [threading.Thread(target=ask, args=(login,)) for login in logins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(tokens) - {None}) == 12


def test_polling_is_never_limited_and_never_writes(app, ada, statements):
    login = start(app).json
    statements.clear()
    for _ in range(50):
        assert poll(app, login) == {"status": "authorization_pending"}
    words = {each.split()[0] for each in statements}
    assert not words & {"INSERT", "UPDATE", "DELETE"}
    assert "BEGIN IMMEDIATE" not in statements


def test_somebody_else_can_not_answer_for_her(app, ada, ben):
    login = start(app).json
    decide(ada.browser(), login, "approve")
    pages = ben.browser()
    pages.submit(PAGE, {"user_code": login["user_code"], "_do": "deny"}, page="/account/tokens/")
    page = pages.get(f"{PAGE}?user_code={login['user_code']}").text
    assert "This code was used already" in page
    assert "ada" not in page
    headers = {"Authorization": f"Bearer {poll(app, login)['token']}"}
    users = app.test_client().get("/api/private/stem/project/", headers=headers)
    assert users.status_code == 200
    with app.app_context():
        assert db.session.scalar(select(Token.user_id).where(Token.name != "tests")) == ada.id


def test_an_answer_needs_a_sign_in_a_csrf_token_and_a_decision(app, ada):
    login = start(app).json
    fields = {"user_code": login["user_code"], "_do": "approve"}
    with_token = {"Authorization": f"Bearer {ada.secret}"}
    for client in (app.test_client(), ada.browser().client):
        assert client.post(PAGE, data=fields, headers=with_token).status_code == 400
    assert Pages(app).submit(PAGE, fields, page="/login").status_code == 302
    for decision in ("", "approved", "later"):
        assert decide(ada.browser(), login, decision).status_code == 400
    assert poll(app, login) == {"status": "authorization_pending"}


def test_ten_wrong_codes(app, ada, ben):
    login = start(app).json
    pages = ada.browser()

    def look(client, code, address):
        environ = {"REMOTE_ADDR": address}
        query = {"user_code": code}
        return client.get(PAGE, query_string=query, environ_overrides=environ)

    for number in range(10):
        page = look(pages.client, f"CCCC-{number}222", f"192.0.2.{number}")
        assert page.status_code == 400
        assert 'aria-invalid="true"' in page.text
        assert f"CCCC-{number}222" in page.text
    page = look(pages.client, login["user_code"], "192.0.2.99")
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= 900
    assert "Too many tries" in page.text
    fields = {"user_code": login["user_code"], "_do": "approve"}
    assert pages.submit(PAGE, fields).status_code == 429
    assert poll(app, login) == {"status": "authorization_pending"}
    # Her password is not what was guessed at; and others are not concerned.
    assert ada.browser().get("/account/tokens/").status_code == 200
    others = ben.browser()
    assert look(others.client, login["user_code"], "192.0.2.99").status_code == 200


def test_ten_wrong_codes_from_one_address(app, ada, ben):
    login = start(app).json
    for person in (ada, ben):
        pages = person.browser()
        for number in range(5):
            pages.get(PAGE, query_string={"user_code": f"CCCC-{number}222"})
    page = ben.browser().get(PAGE, query_string={"user_code": login["user_code"]})
    assert page.status_code == 429


def test_looking_again_at_a_code_is_no_failed_try(app, ada):
    login = start(app).json
    pages = ada.browser()
    for _ in range(12):
        assert pages.get(f"{PAGE}?user_code={login['user_code']}").status_code == 200
    age(app, minutes=15)
    for _ in range(12):
        assert pages.get(f"{PAGE}?user_code={login['user_code']}").status_code == 400


@pytest.mark.parametrize("typed", ["a\0b", "x" * 5000, "ﬁﬁﬁﬁ-1234", "<hr>", "é" * 8])
def test_nonsense_for_a_code(app, ada, typed):
    page = ada.browser().get(PAGE, query_string={"user_code": typed})
    assert page.status_code == 400
    assert "<hr>" not in page.text


def test_what_a_program_calls_itself_is_text(app, ada):
    login = start(app, {"client_name": "<script>alert(1)</script>"}).json
    page = ada.browser().get(f"{PAGE}?user_code={login['user_code']}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_not_too_many_wait_from_one_address(app, ada, monkeypatch):
    monkeypatch.setattr(devices, "MOST_WAITING", 3)
    for _ in range(3):
        login = start(app).json
    refused = start(app)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert start(app, address="198.51.100.1").status_code == 200
    decide(ada.browser(), login, "approve")
    assert start(app).status_code == 200


def test_it_goes_with_its_user(app, ada):
    login = start(app).json
    decide(ada.browser(), login, "approve")
    with app.app_context():
        db.session.execute(db.delete(db.metadata.tables["user"]))
        db.session.commit()
    assert poll(app, login) == {"error": "expired_token"}


def test_no_token_is_made_for_who_was_deactivated_since(app, ada, person):
    admin, login = person("boss@lab.org", admin=True), start(app).json
    decide(ada.browser(), login, "approve")
    with app.app_context():
        users.set_standing(Actor(admin.id), ada.id, is_active=False)
    assert poll(app, login) == {"error": "access_denied"}
    with app.app_context():
        users.set_standing(Actor(admin.id), ada.id, is_active=True)
    assert poll(app, login) == {"error": "access_denied"}
