"""A database with something in every table, made by the program's own operations; and what is in one.

filled.copy()    the address of a database of its own, with all of it
filled.empty()   the address of one with nothing in it, not even tables
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    create_engine,
    func,
    insert,
    select,
)

from brainstem import demo
from brainstem.core.columns import Span, UtcDateTime
from brainstem.core.permissions import Actor
from brainstem.core.search.entries import BEHIND_THE_MODELS
from brainstem.extensions import db
from brainstem.records.tokens import add_token
from brainstem.records.users import add_user
from tests.databases import PostgresCluster
from tests.kinds import KINDS, LEAST, OPTIONAL
from tests.kinds import filled as with_ids
from tests.people import PASSWORD, Person

#: What text has to survive: quotes, lines, other alphabets, what CSV and COPY have a meaning for.
AWKWARD = "\"Über\" \\N \\. ,;\t| 🐭 é e\u0301\r\nline 2 'x' =1+1 \u2028"


class Filled:
    """Copies of a filled database, all of one kind."""

    def __init__(self, kind: str, folder: Path, cluster: PostgresCluster | None) -> None:
        self.kind, self._folder, self._cluster = kind, folder, cluster
        self._made = 0
        self._source: str | None = None

    def _name(self, number: int) -> str:
        # Others may be made on the same server.
        return f"filled_{id(self)}_{number}"

    @contextmanager
    def for_now(self) -> Iterator[None]:
        """Those made in the block go at its end: a server with hundreds of databases is slow to stop."""
        before = self._made
        yield
        for number in range(before + 1, self._made + 1):
            if self._cluster and not (self._source or "").count(f"/{self._name(number)}?"):
                self._cluster.drop_database(self._name(number))

    def empty(self) -> str:
        """The address of a new database."""
        self._made += 1
        if self._cluster:
            return self._cluster.create_database(self._name(self._made))
        return f"sqlite:///{self._folder / f'{self._name(self._made)}.sqlite3'}"

    def copy(self) -> str:
        """The address of a new copy."""
        if self._source is None:
            self._source = self.empty()
            fill(self._source)
        self._made += 1
        if self._cluster:
            source = self._source.partition("?")[0].rpartition("/")[2]
            return self._cluster.create_database(self._name(self._made), template=source)
        copy = self._folder / f"{self._name(self._made)}.sqlite3"
        shutil.copy(self._source.removeprefix("sqlite:///"), copy)
        return f"sqlite:///{copy}"


@contextmanager
def running(url: str, **settings: Any) -> Iterator[Flask]:
    """An application on a database, within its context."""
    # Here and not at the top: `tests.conftest` has the fixture that makes these.
    from tests.conftest import make_app

    app = make_app(url, **settings)
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def fill(url: str) -> None:
    """Real sessions, a record of every kind with all of its fields, changes, and all else there can be."""
    with running(url) as app:
        upgrade()
        boss = _person(app, "boss@lab.org", is_admin=True)
        demo.load(Actor(boss.id, way="command"))
        ada = _person(app, "ada@lab.org")
        made: dict[str, str] = {}
        for kind, least in LEAST.items():
            full = {name: each[1] for name, each in OPTIONAL[kind].items()}
            if "description" in full or "notes" in full:
                full["description" if "description" in full else "notes"] = AWKWARD[:500]
            if "extra_fields" in full:
                # A number that a double has not, and the order of keys.
                full["extra_fields"] |= {"z": 10**30, "a": 22.0, "b": 22, "text": AWKWARD}
            if kind == "session":
                full.pop("datastorage")
            payload = with_ids({**full, **least}, made)
            made[kind] = ada.made(KINDS[kind].address, payload)["id"]
        # A version of its own, and history; a record that is gone, with what went along.
        for name in ("First", "Second"):
            assert (
                ada("PATCH", f"stem/session/{made['session']}", {"name": name}).status_code == 200
            )
        gone = ada.made("stem/session", {"name": "Gone", "projects": [made["project"]]})
        ada.made("stem/epoch", {"name": "Gone too", "session": gone["id"]})
        assert ada("DELETE", f"stem/session/{gone['id']}").status_code == 204
        for kind in ("project", "datastorage"):
            roles = {"users": {"boss@lab.org": {"can_change": True}}, "groups": {"Group": {}}}
            assert ada("PATCH", f"{KINDS[kind].address}/{made[kind]}", roles).status_code == 200
        _fill_the_rest()


def _person(app: Flask, email: str, **more: Any) -> Person:
    user = add_user({"email": email, "password": PASSWORD}, **more)
    _, secret = add_token(Actor(user.id), {"name": "tests"})
    return Person(app, email, user.id, secret)


def _fill_the_rest() -> None:
    """A row for each table that has none yet, whatever it is: nothing may be forgotten by a backup."""
    with db.engine.begin() as connection:
        for table in db.metadata.sorted_tables:
            if not connection.scalar(select(func.count()).select_from(table)):
                row = {
                    column.name: _value(connection, column)
                    for column in table.columns
                    if column.autoincrement is not True
                }
                connection.execute(insert(table), row)


def _value(connection: Any, column: Column) -> Any:
    for key in column.foreign_keys:
        return connection.scalar(select(key.column).limit(1))
    moment = datetime(2025, 3, 30, 1, 30, 0, 123456, tzinfo=UTC)
    if isinstance(column.type, String):
        return AWKWARD[: column.type.length]
    for kind, value in (
        (UtcDateTime, moment),
        (Span, timedelta(microseconds=1)),
        (JSON, {"b": [1, 2.0, None], "a": AWKWARD}),
        (LargeBinary, b"\x00\xff\\x"),
        (Uuid, uuid.UUID(int=7)),
        (Boolean, True),
        (Date, moment.date()),
        (Integer, 1),  # also the least role
        (Float, 0.1),
    ):
        if isinstance(column.type, kind):
            return value
    raise NotImplementedError(column)


Contents = dict[str, dict[str, list[Any]]]


def contents(url: str) -> Contents:
    """All that a database holds: by table and column the values, rows in an order of their own.

    As the tables there are say, not the models: for any revision. Values are alike on both databases.
    """
    engine, metadata = create_engine(url), MetaData()
    try:
        with engine.connect() as connection:
            metadata.reflect(
                connection, only=lambda name, _: not name.startswith(BEHIND_THE_MODELS)
            )
            return {
                name: _rows(connection, table) for name, table in sorted(metadata.tables.items())
            }
    finally:
        engine.dispose()


def _rows(connection: Any, table: Table) -> dict[str, list[Any]]:
    found = connection.execute(select(table)).mappings().all()
    keys = [column.name for column in table.primary_key] or [each.name for each in table.columns]
    rows = [
        {column.name: plain(column, row[column.name]) for column in table.columns} for row in found
    ]
    rows.sort(key=lambda row: [str(row[key]) for key in keys])
    return {column.name: [row[column.name] for row in rows] for column in table.columns}


def plain(column: Column, value: Any) -> Any:
    """A value as both databases have it; a document as text, for its order and 22.0 count."""
    if value is None:
        return None
    kind = str(column.type).upper()
    if kind in ("JSON", "JSONB"):
        return json.dumps(value)
    if kind.startswith("CHAR(32)") or kind == "UUID":
        return str(value).replace("-", "")
    if kind == "BOOLEAN":
        return bool(value)
    return bytes(value) if isinstance(value, bytes | memoryview) else value


def same(
    found: Contents, wanted: Contents, leave: Callable[[str], bool] = lambda name: False
) -> None:
    """Assert that two databases hold the same, table by table, so that a difference can be read."""
    assert list(found) == list(wanted)
    for name, columns in wanted.items():
        if not leave(name):
            assert found[name] == columns, name
