"""Fixtures: a database of each kind, an application on it, and people who use it."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from werkzeug.test import TestResponse

from brainstem import create_app
from brainstem.core import operations
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import registry
from brainstem.extensions import db
from brainstem.records.tokens import add_token
from brainstem.records.users import User, add_user
from tests.databases import PostgresCluster, Unavailable

PASSWORD = "a long enough password"

# Flask-Migrate sets up logging from its own file, which would silence the tests' own.
os.environ.setdefault("FLASK_SKIP_DOTENV", "1")


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


@dataclass
class Person:
    """A user who sends JSON with a token, and signs in to pages with a password."""

    app: Flask
    email: str
    id: Any
    secret: str

    def __call__(
        self, method: str, address: str, payload: Any = None, **kwargs: Any
    ) -> TestResponse:
        """A request to `/api/private/…`, or to a full address."""
        if not address.startswith("/"):
            address = f"/api/private/{address}"
        headers = {"Authorization": f"Bearer {self.secret}"} | kwargs.pop("headers", {})
        if payload is not None:
            kwargs["json"] = payload
        return self.app.test_client().open(address, method=method, headers=headers, **kwargs)

    def get(self, address: str, **kwargs: Any) -> Any:
        return self("GET", address, **kwargs).get_json()

    def made(self, address: str, payload: dict[str, Any]) -> Any:
        """The record that a POST made."""
        response = self("POST", address, payload)
        assert response.status_code == 201, response.get_json()
        (record,) = response.get_json().values()
        return record

    def project(self, name: str = "Project", **more: Any) -> Any:
        return self.made("stem/project/", {"name": name, **more})

    def storage(self, name: str = "Storage", **more: Any) -> Any:
        return self.made("personal_attributes/datastorage/", {"name": name, **more})

    def session(self, name: str, *projects: Any, **more: Any) -> Any:
        ids = [project["id"] for project in projects]
        return self.made("stem/session/", {"name": name, "projects": ids, **more})

    def share(self, kind: str, record: Any, email: str, role: Role | None) -> None:
        """Give somebody a role on a record that this person owns."""
        resource = registry.get(kind)
        rights = {"remove": True} if role is None else RIGHTS[role]
        with self.app.app_context():
            import uuid

            actor = Actor(self.id)
            operations.change(actor, resource, uuid.UUID(record["id"]), {"users": {email: rights}})

    def browser(self) -> Pages:
        """This person, signed in to the pages."""
        pages = Pages(self.app)
        response = pages.submit("/login", {"email": self.email, "password": PASSWORD})
        assert response.status_code == 302, response.text
        return pages


RIGHTS = {
    Role.MEMBER: {},
    Role.CONTRIBUTOR: {"can_change": True},
    Role.MANAGER: {"is_manager": True},
    Role.OWNER: {"is_owner": True},
}


class Pages:
    """A browser without JavaScript: it keeps cookies, and sends the forms that it was shown."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, address: str, **kwargs: Any) -> TestResponse:
        return self.client.get(address, **kwargs)

    def token(self, address: str) -> str:
        """The CSRF token of a page's form."""
        page = self.get(address).text
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
        assert found, page
        return found[1]

    def submit(self, address: str, fields: Any, page: str | None = None) -> TestResponse:
        """Post a form, with the CSRF token of its page."""
        token = self.token(page or address)
        items = (
            list(fields.items(multi=True))
            if hasattr(fields, "getlist")
            else [
                (name, each)
                for name, value in fields.items()
                for each in (value if isinstance(value, list) else [value])
            ]
        )
        from werkzeug.datastructures import MultiDict

        return self.client.post(address, data=MultiDict([*items, ("csrf_token", token)]))


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
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL statements that run meanwhile."""
    from sqlalchemy import event

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
