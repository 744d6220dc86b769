"""What both databases are asked for, so that they answer alike."""

from __future__ import annotations

import pytest
from flask import request_finished
from flask_migrate import upgrade
from psycopg import _queries
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records.tags import Tag
from tests.conftest import make_app

HOW_MANY = select(func.count()).select_from(Tag)


def made_elsewhere(number: int) -> None:
    """A tag that another process stores, whole and at once."""
    with db.engine.connect() as other, other.begin():
        other.execute(insert(Tag), {"name": f"Tag {number}"})


def test_what_a_request_reads_is_of_one_moment(app):
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 0
        made_elsewhere(1)
        assert db.session.scalar(HOW_MANY) == 0
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 1


def test_an_operation_sees_what_was_stored_before_it_began(app):
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 0
        made_elsewhere(1)
        assert operation(lambda: db.session.scalar(HOW_MANY))() == 1
        made_elsewhere(2)
        assert db.session.scalar(HOW_MANY) == 2


def test_an_answer_that_is_ready_is_given_although_the_connection_breaks(app, ada):
    """The database may be killed after the last statement, before the connection is given back."""

    def cut(*_: object, **__: object) -> None:
        db.session.connection().connection.dbapi_connection.close()

    with request_finished.connected_to(cut, app):
        assert ada("GET", "stem/project/").status_code == 200
    assert ada("GET", "stem/project/").status_code == 200


def test_what_is_asked_again_and_again_is_prepared_once(ada):
    """Also where every request ends with a rollback; and one that takes something back ends no other way."""
    with ada.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite keeps its statements itself")
        db.engine.dispose()
    project = ada.project()
    prepared = text("SELECT statement FROM pg_prepared_statements")
    for _ in range(8):
        assert ada.get(f"stem/project/{project['id']}/")["project"]["name"] == "Project"
    with ada.app.app_context():
        assert any("token.hash" in each for each in db.session.scalars(prepared))
        db.session.execute(insert(Tag), {"name": "taken back"})
    with ada.app.app_context():
        assert db.session.scalar(HOW_MANY) == 0


def test_also_long_statements_are_spelled_for_the_server_once(ada):
    with ada.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite takes them as they are")
        engine = db.engine
    long, pages = [], ada.browser()
    kept = _queries._query2pg

    def note(connection, cursor, statement, values, context, many):
        if len(statement) > 10_000:
            before = kept.cache_info().misses
            cursor.execute(statement, values)
            long.append(kept.cache_info().misses > before)

    event.listen(engine, "before_cursor_execute", note)
    kept.cache_clear()
    try:
        pages.get("/search?q=whisker")
        pages.get("/search?q=grating")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    half = len(long) // 2
    assert half and long == [True] * half + [False] * half


def test_a_transaction_that_failed_leaves_a_connection_to_use(app):
    with app.app_context(), pytest.raises(SQLAlchemyError):
        db.session.execute(text("SELECT nobody_knows()"))
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 0


def test_only_what_a_filter_finds_is_planned_anew(ada):
    """On PostgreSQL: the plan of everything else is made once, with whatever it is asked for."""
    with ada.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite plans each statement once")
        engine = db.engine
    ada.session("Monday", ada.project(), tags=["pilot"])
    planned = {}

    def note(connection, cursor, statement, values, context, many):
        driver = connection.connection.dbapi_connection
        mode = driver.execute("SHOW plan_cache_mode").fetchone()[0]
        planned.setdefault(mode, []).append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        ada.get("stem/session/?filter{tags}=pilot")
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert all("tag.name = " in each for each in planned["force_custom_plan"])
    assert any("FROM token" in each for each in planned["force_generic_plan"])
    assert any("session_tag" in each for each in planned["force_generic_plan"]), "the one after it"


def test_the_connections_to_sqlite_share_what_memory_they_may_take(app):
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL has memory of its own")
        taken = db.session.scalar(text("PRAGMA soft_heap_limit"))
        assert taken >= 4 * 1024 * -db.session.scalar(text("PRAGMA cache_size")) > 0


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_will_do_to_try_the_program(address):
    app = make_app(address)
    with app.app_context():
        upgrade()
    run = app.test_cli_runner().invoke
    names = ["--first-name", "Ada", "--last-name", "Lovelace", "--password-stdin"]
    run(args=["user", "add", "ada@lab.example", *names], input="correct horse battery")
    token = run(args=["token", "add", "ada@lab.example", "scripts"]).output.strip()
    client, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    made = client.post("/api/private/stem/project/", json={"name": "Maze"}, headers=headers)
    assert made.status_code == 201
    found = client.get("/api/private/stem/project/", headers=headers).json["projects"]
    assert [each["name"] for each in found] == ["Maze"]
    assert client.get("/readyz").json == {"status": "ready", "database": "ok", "migrations": "ok"}
    with app.app_context():
        assert db.session.scalar(text("PRAGMA foreign_keys")) == 1
        db.engine.dispose()


def test_who_is_done_while_many_work_keeps_nothing_of_the_file(app):
    """Three connections to SQLite stay warm; all of them stay open, and know what they have counted."""
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL keeps its pages itself")
        db.engine.dispose()
        said: list[list[str]] = []
        connections = [db.engine.connect() for _ in range(5)]
        for each in connections:
            said.append([])
            each.connection.driver_connection.set_trace_callback(said[-1].append)
        drivers = [each.connection.driver_connection for each in connections]
        for each in connections:
            each.close()
        assert ["PRAGMA shrink_memory" in each for each in said] == [
            True,
            True,
            False,
            False,
            False,
        ]
        again = [db.engine.connect() for _ in range(5)]
        assert {id(each.connection.driver_connection) for each in again} == set(map(id, drivers))
        for each in again:
            each.close()
        db.engine.dispose()
