"""Passwords, tokens and codes are in no log: not when all goes well, not in a traceback."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import false, select

from brainstem import logs
from brainstem.extensions import db
from brainstem.records import devices, limits, tokens, users
from brainstem.records.tokens import Token
from brainstem.records.users import User
from tests.conftest import PASSWORD, Pages

WRONG, NEW = "hunter2 is what I type", "an even longer password"
STYLES = [logs.AsText(), logs.AsJson()]


@pytest.fixture
def written():
    """All that any part of the program writes meanwhile, in both styles."""

    class Kept(logging.Handler):
        def emit(self, record):
            lines.extend(style.format(record) for style in STYLES)

    lines: list[str] = []
    handler, root, own = Kept(), logging.getLogger(), logging.getLogger("brainstem")
    levels, spreads = (root.level, own.level), own.propagate
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    own.setLevel(logging.DEBUG)
    own.propagate = True
    yield lines
    root.removeHandler(handler)
    root.setLevel(levels[0])
    own.setLevel(levels[1])
    own.propagate = spreads


@pytest.fixture
def server(app):
    """Failures are answered, as by a real server."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


def stored(app) -> list[str]:
    """Hashes are nobody's business either."""
    with app.app_context():
        hashes = db.session.scalars(select(User.password_hash)).all()
        return [*hashes, *db.session.scalars(select(Token.hash))]


def leaked(lines: list[str], secrets: list[str]) -> list[str]:
    text = "\n".join(lines)
    return [each for each in secrets if each in text]


def test_when_all_goes_well_and_when_it_is_refused(server, written):
    pages, client = Pages(server), server.test_client()
    with server.app_context():
        code = users.open_setup_code()
    fields = {"email": "ada@lab.org", "password": PASSWORD}
    pages.submit("/setup", {**fields, "code": "AAAA-BBBB-CCCC"})
    pages.submit("/setup", {**fields, "code": code})
    Pages(server).submit("/login", {"email": "ada@lab.org", "password": WRONG})
    signed = {"username": "ada@lab.org", "password": PASSWORD}
    token = client.post("/api/token/", json=signed).json["token"]
    client.post("/api/token/", json=signed | {"password": WRONG})
    for secret in (token, "bst_wrong-one"):
        headers = {"Authorization": f"Bearer {secret}"}
        client.get("/api/private/stem/session/", headers=headers)
    login = client.post("/api/auth/device/", json={"client_name": "Notebook"}).json
    pages.get(f"/account/authorize/?user_code={login['user_code']}")
    answer = {"user_code": login["user_code"], "_do": "approve"}
    pages.submit("/account/authorize/", answer)
    sent = {"device_code": login["device_code"]}
    device_token = client.post("/api/auth/device/token/", json=sent).json["token"]
    pages.submit("/account/password/", {"current": PASSWORD, "password": NEW})
    with pages.client.session_transaction() as cookie:
        secrets = [cookie["_user_id"]]
    secrets += [PASSWORD, WRONG, NEW, code, token, "bst_wrong-one", device_token]
    secrets += [login["device_code"], login["user_code"], *stored(server)]
    assert len(written) > 20
    assert leaked(written, secrets) == []


def fails(*args, **kwargs):
    raise RuntimeError("a defect of the program")


def at_the_sign_in(server, ada):
    Pages(server).submit("/login", {"email": "hidden@lab.org", "password": WRONG})


def for_the_password(server, ada):
    signed = {"username": "hidden@lab.org", "password": WRONG}
    server.test_client().post("/api/token/", json=signed)


def with_a_token(server, ada):
    ada("GET", "stem/session/")


def of_a_program(server, ada):
    sent = {"device_code": WRONG}
    server.test_client().post("/api/auth/device/token/", json=sent)


def with_a_code(server, ada):
    ada.browser().get("/account/authorize/?user_code=CDFG-2345")


DEFECTS = [
    (users, "by_password", at_the_sign_in),
    (limits, "refuse", for_the_password),
    (tokens, "valid", with_a_token),
    (devices, "poll", of_a_program),
    (devices, "_as_code", with_a_code),
]


@pytest.mark.parametrize(("module", "name", "ask"), DEFECTS)
def test_in_the_traceback_of_a_defect(server, ada, written, monkeypatch, module, name, ask):
    monkeypatch.setattr(module, name, fails)
    ask(server, ada)
    assert any("a defect of the program" in line for line in written)
    secrets = [WRONG, PASSWORD, "hidden@lab.org", "CDFG-2345", ada.secret, *stored(server)]
    assert leaked(written, secrets) == []


def test_in_what_the_database_says_of_a_failed_statement(server, person, written, monkeypatch):
    """SQLAlchemy tells the parameters of a statement, PostgreSQL the whole row, unless they are stopped."""
    person("hidden@lab.org")
    pages = person("admin@lab.org", admin=True).browser()
    names = {"email": "hidden@lab.org", "first_name": "line one\n\nline two", "password": NEW}
    token = pages.token("/people/new")

    # As if nobody had this address yet: then the database has the last word.
    monkeypatch.setattr(users, "select", lambda *columns: select(*columns).where(false()))
    response = pages.client.post("/people/new", data={"csrf_token": token, **names})
    assert response.status_code == 500
    assert any("IntegrityError" in line for line in written)
    assert leaked(written, ["hidden@lab.org", "line one", "line two", NEW]) == []
