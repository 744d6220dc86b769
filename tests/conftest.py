"""Fixtures: a database of each kind, an application on it, and people who use it."""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import upgrade
from sqlalchemy import event

from brainstem import create_app
from brainstem.core import few, walking
from brainstem.core.permissions import Actor
from brainstem.core.search import lookup
from brainstem.extensions import db
from brainstem.records.tokens import add_token
from brainstem.records.users import User, add_user
from tests.databases import PostgresCluster, Unavailable
from tests.filled import Filled
from tests.pages import Pages
from tests.people import PASSWORD, Person


def missing(reason: str) -> None:
    """Skip a test for want of a program; fail it where nothing may be missing (`.ci/run`)."""
    if os.environ.get("REQUIRE_ALL"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresCluster]:
    try:
        running = PostgresCluster.start()
    except Unavailable as error:
        missing(f"PostgreSQL: {error}")
    yield running
    running.stop()


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.sqlite3'}"
    return request.getfixturevalue("cluster").create_database("test")


def make_app(url: str, **settings: Any) -> Flask:
    """An application as the tests use it: only the cost of passwords differs from a real one."""
    return create_app(
        {
            "SQLALCHEMY_DATABASE_URI": url,
            "SECRET_KEY": "for tests",
            "TESTING": True,
            "PASSWORD_COST": (1, 8),
            **settings,
        }
    )


@pytest.fixture(scope="session")
def migrated(database: str) -> Iterator[Flask]:
    app = make_app(database)
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]
)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Databases with something in every table."""
    return filled_of(request.param, request, tmp_path_factory)


def filled_of(kind: str, request: Any, tmp_path_factory: Any) -> Filled:
    """Databases of one kind."""
    cluster = request.getfixturevalue("cluster") if kind == "postgresql" else None
    return Filled(kind, tmp_path_factory.mktemp("filled"), cluster)


@pytest.fixture(autouse=True)
def few_or_many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the tests read lists as whoever may read but few records does, the others as everybody else.
    And half find their records as if very much matched.

    In a test there is not much of anything, so all would go the one way (`brainstem.core.few` and `walking`).
    A test's name says which it goes: the same each time, and most have another one on the other database.
    """
    number = zlib.crc32(request.node.nodeid.encode())
    if number % 2:
        monkeypatch.setattr(few, "FEW", -1)
    if number % 4 < 2:
        monkeypatch.setattr(walking, "MANY", -1)
        monkeypatch.setattr(walking, "STEPS", 10**6)
        monkeypatch.setattr(lookup, "LARGE", -1)


@pytest.fixture
def app(migrated: Flask) -> Iterator[Flask]:
    """The application on a database without records."""
    with migrated.app_context(), db.engine.begin() as connection:
        for table in reversed(db.metadata.sorted_tables):
            connection.execute(table.delete())
    settings = dict(migrated.config)
    yield migrated
    migrated.config.clear()
    migrated.config.update(settings)


@pytest.fixture
def person(app: Flask) -> Callable[..., Person]:
    """Makes a user: `person("ada@lab.org")`."""
    numbers = itertools.count()

    def make(email: str | None = None, *, admin: bool = False) -> Person:
        email = email or f"user{next(numbers)}@lab.org"
        with app.app_context():
            user = add_user({"email": email, "password": PASSWORD}, is_admin=admin)
            _, secret = add_token(Actor(user.id), {"name": "tests"})
            return Person(app, email, user.id, secret)

    return make


@pytest.fixture
def ada(person: Callable[..., Person]) -> Person:
    """A researcher."""
    return person("ada@lab.org")


@pytest.fixture
def ben(person: Callable[..., Person]) -> Person:
    """A colleague."""
    return person("ben@lab.org")


@pytest.fixture
def command(app: Flask) -> Callable[..., Result]:
    """Runs a command as a terminal does: `command("user", "add", "ada@lab.org", typed="…")`."""
    flask = FlaskGroup(create_app=lambda: app)
    return lambda *words, typed=None: CliRunner().invoke(flask, words, input=typed)


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL statements that run meanwhile."""
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_):
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


ROOT = Path(__file__).resolve().parent.parent
__all__ = ["PASSWORD", "ROOT", "Pages", "Person", "User", "make_app", "missing"]
