"""`/healthz` and `/readyz`: for balancers, without a sign-in, and quick whatever state the database is in."""

from __future__ import annotations

import socket
import sqlite3
import time

import pytest
from sqlalchemy import text

from brainstem import health
from brainstem.extensions import db
from tests.conftest import make_app


@pytest.fixture
def at(app):
    """Sets the database to a revision, or to none, and back."""
    with app.app_context(), db.engine.begin() as connection:
        stored = connection.scalar(text("SELECT version_num FROM alembic_version"))

    def set_to(revision: str | None) -> None:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(text("DELETE FROM alembic_version"))
            if revision is not None:
                statement = text("INSERT INTO alembic_version VALUES (:revision)")
                connection.execute(statement, {"revision": revision})

    yield set_to
    set_to(stored)


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/healthz/", "/readyz/"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_all_is_well(app, ada, address, method):
    """The same for everybody: for a browser that is signed in, it sets no cookie either."""
    for client in (app.test_client(), ada.browser().client):
        answer = client.open(address, method=method)
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert (answer.text == "") is (method == "HEAD")


def test_what_is_said(app):
    client = app.test_client()
    assert client.get("/healthz").json == {"status": "alive"}
    ready = {"status": "ready", "database": "ok", "migrations": "ok"}
    assert client.get("/readyz").json == ready


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_only_asked(app, address, method):
    assert app.test_client().open(address, method=method).status_code in (400, 405)


def test_to_be_alive_needs_no_database(ada, statements):
    client = ada.browser().client
    statements.clear()
    assert client.get("/healthz").status_code == 200
    assert statements == []


@pytest.mark.parametrize("revision", ["0000", "9999", None])
def test_another_revision_is_not_ready(app, at, revision):
    """Older or newer: this program knows neither."""
    at(revision)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json["database"] == "ok"
    assert answer.json["status"] == "not ready"
    assert f"at {revision or 'none'}, this program works with" in answer.json["migrations"]
    assert app.test_client().get("/healthz").status_code == 200


def test_an_empty_database_is_not_ready(tmp_path):
    app = make_app(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["database"]) == (503, "ok")


@pytest.fixture
def silent():
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(params=["refuses", "silent", "folder", "no database"])
def away(request, tmp_path):
    """The address of a database that can't be reached."""
    if request.param == "folder":
        return f"sqlite:///{tmp_path / 'gone' / 'lab.sqlite3'}"
    if request.param == "no database":
        (tmp_path / "lab.sqlite3").write_text("something else" * 1000)
        return f"sqlite:///{tmp_path / 'lab.sqlite3'}"
    port = request.getfixturevalue("silent") if request.param == "silent" else 1
    return f"postgresql+psycopg://ada:hunter2@127.0.0.1:{port}/lab"


def test_a_database_that_is_away(away):
    app = make_app(away)
    began = time.monotonic()
    answer = app.test_client().get("/readyz")
    # It has an end; how soon is not a matter for a test.
    assert time.monotonic() - began < 60
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json == {
        "status": "not ready",
        "database": health.NO_ANSWER,
        "migrations": "unknown",
    }
    assert app.test_client().get("/healthz").status_code == 200


def test_a_database_that_is_away_with_the_key_in_it(caplog):
    """Nothing of a request needs the signing key before it is known whether one can do without it."""
    app = make_app("postgresql+psycopg://ada@127.0.0.1:1/lab", SECRET_KEY=None)
    client = app.test_client()
    assert client.get("/healthz/").status_code == 200
    assert client.get("/readyz").json["database"] == health.NO_ANSWER
    with client.get(f"{app.static_url_path}/app.css") as styles:
        assert styles.status_code == 200
    for answer in (client.get("/login"), client.post("/login"), client.get("/nothing")):
        assert (answer.status_code, answer.mimetype) == (503, "text/html")
        assert "The database can’t be reached" in answer.text
        assert "Set-Cookie" not in answer.headers
    answer = client.post("/api/private/stem/session/", json={})
    assert (answer.status_code, answer.mimetype) == (503, "application/json")
    assert "Traceback" not in caplog.text
    assert [each for each in caplog.records if each.exc_info] == []


def test_it_comes_back_by_itself(tmp_path):
    place = tmp_path / "later"
    client = make_app(f"sqlite:///{place / 'lab.sqlite3'}").test_client()
    assert client.get("/readyz").json["database"] == health.NO_ANSWER
    place.mkdir()
    with sqlite3.connect(place / "lab.sqlite3") as made:
        made.execute("CREATE TABLE alembic_version (version_num TEXT)")
        made.execute("INSERT INTO alembic_version VALUES (?)", [health.expected()])
    made.close()
    assert client.get("/readyz").status_code == 200


def test_a_balancer_may_ask_by_any_name(database, app):
    there = make_app(database, HOST_NAMES=["brainstem.lab.example"])
    client = there.test_client()
    for address in ("/healthz", "/readyz"):
        assert client.get(address, headers={"Host": "10.0.0.5:8000"}).status_code == 200
    with there.app_context():
        db.engine.dispose()


@pytest.mark.parametrize(("address", "told"), [("/healthz", 0), ("/readyz", 0), ("/login", 1)])
def test_who_asks_all_day_long_is_not_logged(app, caplog, address, told):
    with caplog.at_level("INFO", "brainstem"):
        app.test_client().get(address)
    assert len([each for each in caplog.records if each.name == "brainstem.logs"]) == told


def test_that_it_is_not_ready_is_logged(app, at, caplog):
    at("0000")
    app.test_client().get("/readyz")
    assert [each.levelname for each in caplog.records if each.name == "brainstem.logs"] == [
        "WARNING"
    ]
