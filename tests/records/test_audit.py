"""What the audit log notes: every event of its list, by whom, about what, and nothing secret."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from brainstem.core import operations, people
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import registry
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records import audit, users
from brainstem.records.audit import AuditEvent, Event
from tests.conftest import PASSWORD, Pages
from tests.people import RIGHTS

WRONG = "hunter2 is what I type"
NEW = "an even longer password"


def noted(app, *events: Event) -> list[AuditEvent]:
    """The events of these kinds, the first one first."""
    with app.app_context():
        statement = select(AuditEvent).where(AuditEvent.event.in_(events))
        return list(db.session.scalars(statement.order_by(AuditEvent.id)))


def last(app, event: Event) -> AuditEvent:
    return noted(app, event)[-1]


@pytest.fixture
def admin(person):
    return person("admin@lab.org", admin=True)


# Signing in ----------------------------------------------------------------------------------------


def test_signing_in_and_out(app, ada):
    pages = ada.browser()
    pages.submit("/logout", {}, page="/account/tokens/")
    first, then = noted(app, Event.SIGN_IN, Event.SIGN_OUT)
    assert [first.event, then.event] == ["sign_in", "sign_out"]
    for each in (first, then):
        assert (each.user_id, each.way, each.address) == (ada.id, "page", "127.0.0.1")
        assert utcnow() - each.at < timedelta(minutes=1)


def test_signing_out_twice_is_noted_once(app, ada):
    pages = ada.browser()
    for form in ("/account/tokens/", "/login"):
        pages.submit("/logout", {}, page=form)
    assert len(noted(app, Event.SIGN_OUT)) == 1


def page(app, email, password):
    Pages(app).submit("/login", {"email": email, "password": password})


def api(app, email, password):
    app.test_client().post("/api/token/", json={"username": email, "password": password})


@pytest.mark.parametrize("way", [page, api])
def test_a_failed_sign_in_says_whose_account_was_meant(app, ada, way):
    way(app, " ADA@lab.org", WRONG)
    (event,) = noted(app, Event.SIGN_IN_FAILED)
    assert (event.user_id, event.target_kind, event.target_id) == (None, "user", ada.id)
    assert event.details == {"what": "a password"}
    assert event.address == "127.0.0.1"


@pytest.mark.parametrize("way", [page, api])
def test_what_was_typed_into_the_wrong_field_is_not_noted(app, ada, way):
    way(app, PASSWORD, "ada@lab.org")
    (event,) = noted(app, Event.SIGN_IN_FAILED)
    assert event.target_id is None
    assert PASSWORD not in everything(app)


def test_a_block_is_noted_once(app, ada):
    for number in range(15):
        page(app, "ada@lab.org" if number < 12 else "nobody@lab.org", WRONG)
    assert len(noted(app, Event.SIGN_IN_FAILED)) == 10
    (event,) = noted(app, Event.SIGN_IN_BLOCKED)
    assert event.target_id == ada.id
    assert event.details == {"what": "a password", "blocked": ["account", "address"]}


def test_wrong_set_up_codes(app):
    fields = {"email": "ada@lab.org", "password": PASSWORD, "code": "AAAA-BBBB-CCCC"}
    Pages(app).submit("/setup", fields)
    (event,) = noted(app, Event.SIGN_IN_FAILED)
    assert (event.target_id, event.details) == (None, {"what": "the set-up code"})


def test_the_first_user(app):
    with app.app_context():
        code = users.open_setup_code()
    fields = {"email": "ada@lab.org", "password": PASSWORD, "code": code}
    Pages(app).submit("/setup", fields)
    added, signed_in = noted(app, Event.USER_ADDED, Event.SIGN_IN)
    assert (added.user_id, added.way) == (None, "page")
    assert added.details == {"name": "ada@lab.org", "is_admin": True}
    assert signed_in.user_id == added.target_id


# Users ---------------------------------------------------------------------------------------------


def test_what_an_administrator_does_to_a_user(app, admin, ada):
    actor = Actor(admin.id, way="page")
    with app.app_context():
        ben = users.admit(actor, {"email": "ben@lab.org", "password": PASSWORD})
        users.set_standing(actor, ben.id, is_admin=True)
        users.set_standing(actor, ben.id, is_admin=True, is_active=False)
        users.set_standing(actor, ben.id, is_active=False)
        users.set_password(actor, ada.id, {"password": NEW})
    assert [
        (each.user_id, each.target_id, each.event, each.details)
        for each in noted(app, Event.USER_ADDED, Event.USER_CHANGED, Event.PASSWORD_CHANGED)[2:]
    ] == [
        (admin.id, ben.id, "user_added", {"name": "ben@lab.org", "is_admin": False}),
        (admin.id, ben.id, "user_changed", {"name": "ben@lab.org", "is_admin": True}),
        (admin.id, ben.id, "user_changed", {"name": "ben@lab.org", "is_active": False}),
        (admin.id, ada.id, "password_changed", {"name": "ada@lab.org"}),
    ]


def test_what_somebody_does_on_the_server(app, command):
    command("user", "add", "ada@lab.org", "--password-stdin", typed=f"{PASSWORD}\n")
    command("token", "add", "ada@lab.org", "script")
    added, made = noted(app, Event.USER_ADDED, Event.TOKEN_MADE)
    assert (added.user_id, added.way, added.address) == (None, "command", "")
    assert (made.way, made.details["name"]) == ("command", "script")


def test_ones_own_password(app, ada):
    pages = ada.browser()
    pages.submit("/account/password/", {"current": WRONG, "password": NEW})
    pages.submit("/account/password/", {"current": PASSWORD, "password": NEW})
    failed, changed = noted(app, Event.SIGN_IN_FAILED, Event.PASSWORD_CHANGED)
    assert failed.details == {"what": "the current password"}
    assert failed.user_id == failed.target_id == ada.id
    assert (changed.user_id, changed.target_id) == (ada.id, ada.id)


# Tokens and programs -------------------------------------------------------------------------------


def test_tokens(app, ada):
    pages = ada.browser()
    pages.submit("/account/tokens/", {"name": "reader", "read_only": "1"})
    made = last(app, Event.TOKEN_MADE)
    assert made.details == {"name": "reader", "read_only": True}
    pages.submit(f"/account/tokens/{made.target_id}/revoke", {}, page="/account/tokens/")
    revoked = last(app, Event.TOKEN_REVOKED)
    assert (revoked.target_kind, revoked.target_id) == ("token", made.target_id)
    assert revoked.details["name"] == "reader"
    assert revoked.user_id == made.user_id == ada.id
    assert revoked.address == made.address == "127.0.0.1"


def test_a_token_for_the_password(app, ada):
    api(app, "ada@lab.org", PASSWORD)
    assert last(app, Event.TOKEN_MADE).details["how"] == "for the password"


@pytest.mark.parametrize("answer", ["approve", "deny"])
def test_a_program_that_asks(app, ada, answer):
    client, pages = app.test_client(), ada.browser()
    login = client.post("/api/auth/device/", json={"client_name": "Notebook"}).json
    fields = {"user_code": login["user_code"], "_do": answer}
    assert pages.submit("/account/authorize/", fields).status_code == 302
    client.post("/api/auth/device/token/", json={"device_code": login["device_code"]})
    (event,) = noted(app, Event.DEVICE_APPROVED, Event.DEVICE_DENIED)
    assert event.event == {"approve": "device_approved", "deny": "device_denied"}[answer]
    assert (event.user_id, event.details) == (ada.id, {"name": "Notebook", "read_only": False})
    made = [each.details for each in noted(app, Event.TOKEN_MADE) if "how" in each.details]
    how = {"name": "Notebook", "read_only": False, "how": "approved in the browser"}
    assert made == ([how] if answer == "approve" else [])


def test_a_wrong_code_of_a_program(app, ada):
    ada.browser().submit("/account/authorize/", {"user_code": "CDFG-2345"})
    (event,) = noted(app, Event.SIGN_IN_FAILED)
    assert (event.user_id, event.details) == (ada.id, {"what": "the code of a program"})


# Rights --------------------------------------------------------------------------------------------


def changed_rights(app) -> list[tuple]:
    return [
        (each.details["record"], each.details["name"], each.details["was"], each.details["now"])
        for each in noted(app, Event.RIGHTS_CHANGED)
    ]


KINDS = [
    ("project", "stem/project/"),
    ("datastorage", "personal_attributes/datastorage/"),
    ("setup", "personal_attributes/setup/"),
    ("behavioralassay", "personal_attributes/behavioralassay/"),
    ("group", "users/group/"),
]


@pytest.mark.parametrize(("kind", "address"), KINDS)
def test_every_role_that_is_given_changed_or_taken(app, ada, ben, kind, address):
    record = ada.made(address, {"name": "Ours"})
    for role in (Role.MANAGER, Role.MEMBER, Role.MEMBER, None):
        ada.share(kind, record, "ben@lab.org", role)
    ada.share(kind, record, "ben@lab.org", Role.OWNER)
    with app.app_context():
        operations.leave(Actor(ben.id), registry.get(kind), UUID(record["id"]))
    assert ada("DELETE", f"{address}{record['id']}/").status_code == 204
    assert changed_rights(app) == [
        ("Ours", "ada@lab.org", None, "owner"),
        ("Ours", "ben@lab.org", None, "manager"),
        ("Ours", "ben@lab.org", "manager", "member"),
        ("Ours", "ben@lab.org", "member", None),
        ("Ours", "ben@lab.org", None, "owner"),
        ("Ours", "ben@lab.org", "owner", None),
        ("Ours", "ada@lab.org", "owner", None),
    ]
    events = noted(app, Event.RIGHTS_CHANGED)
    assert {(each.target_kind, str(each.target_id)) for each in events} == {(kind, record["id"])}
    assert [each.user_id for each in events].count(ben.id) == 1
    assert events[0].by == "tests"


def test_what_a_group_holds_and_loses_when_it_is_deleted(app, ada):
    project = ada.project("Maze")
    group = ada.made("users/group/", {"name": "Lab"})
    rights = {"groups": {"Lab": RIGHTS[Role.CONTRIBUTOR]}}
    assert ada("PATCH", f"stem/project/{project['id']}/", rights).status_code == 200
    ada("DELETE", f"users/group/{group['id']}/")
    given, *ended = changed_rights(app)[2:]
    assert given == ("Maze", "Lab", None, "contributor")
    assert set(ended) == {
        ("Maze", "Lab", "contributor", None),
        ("Lab", "ada@lab.org", "owner", None),
    }


def test_what_is_published(app, ada):
    project = ada.project("Maze")
    for wanted in (True, True, False):
        ada("PATCH", f"stem/project/{project['id']}/", {"is_public": wanted})
    ada.storage("Open", is_public=True)
    events = noted(app, Event.PUBLISHED, Event.UNPUBLISHED)
    assert [(each.event, each.target_kind, each.details["record"]) for each in events] == [
        ("published", "project", "Maze"),
        ("unpublished", "project", "Maze"),
        ("published", "datastorage", "Open"),
    ]
    assert {each.user_id for each in events} == {ada.id}


def test_a_download(app, ada):
    ada.browser().get("/projects/download.csv?search=maze")
    (event,) = noted(app, Event.EXPORT)
    assert (event.user_id, event.target_kind) == (ada.id, "project")
    assert event.details == {"format": "csv", "query": "search=maze"}


# How it is kept ------------------------------------------------------------------------------------


def test_it_is_stored_with_the_deed_or_not_at_all(app, ada, monkeypatch):
    project = ada.project("Maze")
    before = len(noted(app, *Event))
    actor, kind = Actor(ada.id), registry.get("project")

    @operation
    def fails_after_the_write() -> None:
        people.assign(actor, kind, UUID(project["id"]), "user", {"ada@lab.org": None})
        raise RuntimeError("too bad")

    with app.app_context(), pytest.raises(RuntimeError):
        fails_after_the_write()
    assert len(noted(app, *Event)) == before
    with app.app_context():
        held = people.held(kind, "user", [UUID(project["id"])])
    assert held == {UUID(project["id"]): {"ada@lab.org": Role.OWNER}}


def test_without_the_log_nothing_is_done(app, ada, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("the log is full")

    monkeypatch.setattr(audit, "note", broken)
    actor = Actor(ada.id)
    with app.app_context(), pytest.raises(RuntimeError):
        operations.create(actor, registry.get("project"), {"name": "Maze"})
    assert ada.get("stem/project/")["count"] == 0


def test_it_names_the_request(app, ada):
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": "192.0.2.9"}):
        audit.note(Event.TOKEN_MADE, Actor(ada.id))
        audit.note(Event.EXPORT, Actor(ada.id))
    made, export = noted(app, Event.TOKEN_MADE, Event.EXPORT)[-2:]
    assert re.fullmatch("[0-9a-f]{16}", made.request_id)
    assert export.request_id == made.request_id
    assert (made.address, export.address) == ("192.0.2.9", "")


def test_it_is_kept_for_its_time(app, ada, monkeypatch):
    app.config["AUDIT_DAYS"] = 30
    with app.app_context():
        for days in (31, 29):
            long_ago = utcnow() - timedelta(days=days)
            monkeypatch.setattr(audit, "utcnow", lambda at=long_ago: at)
            audit.note(Event.EXPORT, Actor(ada.id), days=days)
        monkeypatch.undo()
    ada.browser()
    assert [each.details["days"] for each in noted(app, Event.EXPORT)] == [29]


def test_it_outlasts_a_user(app, ada):
    ada.browser()
    with app.app_context():
        db.session.delete(db.session.get(users.User, ada.id))
        db.session.commit()
    assert last(app, Event.SIGN_IN).user_id == ada.id


def everything(app) -> str:
    """All that the log holds, as one text."""
    with app.app_context():
        rows = db.session.execute(select(AuditEvent.__table__)).all()
        return json.dumps([list(row) for row in rows], default=str)


def test_nothing_secret_is_in_it(app, ada, admin):
    client, pages = app.test_client(), ada.browser()
    secrets = [PASSWORD, NEW, WRONG, ada.secret]
    page(app, "ada@lab.org", WRONG)
    secrets.append(
        client.post("/api/token/", json={"username": "ada@lab.org", "password": PASSWORD}).json[
            "token"
        ]
    )
    login = client.post("/api/auth/device/", json={"client_name": "Notebook"}).json
    pages.submit("/account/authorize/", {"user_code": login["user_code"], "_do": "approve"})
    answer = client.post("/api/auth/device/token/", json={"device_code": login["device_code"]})
    secrets += [login["device_code"], login["user_code"], answer.json["token"]]
    pages.submit("/account/password/", {"current": PASSWORD, "password": NEW})
    with app.app_context():
        users.set_password(Actor(admin.id), ada.id, {"password": NEW})
        assert db.session.scalar(select(func.count()).select_from(AuditEvent)) > 8
    text = everything(app)
    assert [each for each in secrets if each in text] == []
