"""Commands on a database that can't do it: each ends with exit code 1 and a line that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup

from brainstem.extensions import db
from brainstem.outages import AWAY, BUSY, FULL, READ_ONLY
from tests import faults
from tests.conftest import make_app

SECRET = "hunter2"
CLOSED = f"postgresql+psycopg://brainstem:{SECRET}@127.0.0.1:1/sessions"

#: What is typed, by the command; `{}` is a folder.
READING = {
    "audit": "audit",
    "export": "export {}/fresh",
    "reindex": "reindex --check",
    "upgrade": "upgrade",
}
WRITING = {
    "user add": "user add new@lab.org --password-stdin",
    "user password": "user password ada@lab.org --password-stdin",
    "token add": "token add ada@lab.org analysis",
    "demo": "demo --user ada@lab.org",
    "import": "import subjects {}/table.csv --user ada@lab.org --project Maps",
    "reindex": "reindex",
    "export": "export {}/fresh",
}
#: Tried below, or in `tests/backups`.
OTHERS = {"restore", "backup", "status"}


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """Runs a command of an application: `run(app, "user add …")`."""
    (tmp_path / "table.csv").write_text("name,species\nM1,Mouse\n")

    def run(app: Flask, words: str) -> Result:
        apps.append(app)
        typed = "a long enough password\n" if "--password-stdin" in words else None
        flask = FlaskGroup(create_app=lambda: app)
        return CliRunner().invoke(
            flask, words.format(tmp_path).split(), input=typed, catch_exceptions=False
        )

    apps: list[Flask] = []
    yield run
    for app in apps:
        with app.app_context():
            db.engine.dispose()


def assert_said(done: Result, *texts: str) -> None:
    assert (done.exit_code, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    for text in texts:
        assert text in line
    assert SECRET not in line


def commands(group: click.Group, before: str = "") -> Iterator[str]:
    for name, each in group.commands.items():
        if isinstance(each, click.Group):
            yield from commands(each, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_all_commands_are_tried():
    found = {each for each in commands(make_app(CLOSED).cli) if not each.startswith("db ")}
    assert found == READING.keys() | WRITING.keys() | OTHERS


@pytest.fixture
def nowhere(tmp_path: Path) -> dict[str, str]:
    """Addresses of databases that there are not."""
    (tmp_path / "text").write_text("This is no database, but a text of some length. " * 100)
    return {
        "no server": CLOSED,
        "no folder": f"sqlite:///{tmp_path}/gone/x.sqlite3",
        "no database": f"sqlite:///{tmp_path}/text",
        "no tables": f"sqlite:///{tmp_path}/empty.sqlite3",
    }


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("no server", "The database can’t be reached: connection"),
        ("no folder", "The database can’t be reached: unable to open database file. Look at"),
        ("no database", "The database does not answer as it should: file is not a database"),
        ("no tables", "to date first: "),
    ],
)
@pytest.mark.parametrize("words", {**READING, **WRITING}.values())
def test_a_database_that_is_not_there(run, nowhere, where, said, words):
    done = run(make_app(nowhere[where]), words)
    if where == "no tables" and words == READING["upgrade"]:
        assert done.exit_code == 0, "it makes the tables"
    else:
        assert_said(done, said)


def test_the_status_of_a_database_that_is_not_there(run):
    assert_said(run(make_app(CLOSED), "status"), "Database: does not answer.")


def test_a_restore_into_a_database_that_is_not_there(app, run, nowhere):
    assert run(app, "export {}/export").exit_code == 0
    assert_said(run(make_app(CLOSED), "restore {}/export"), AWAY.title)


@pytest.mark.parametrize("fault", ["busy", "full", "read only"])
def test_what_can_not_be_stored(app, person, run, request, fault, monkeypatch):
    person("ada@lab.org", admin=True).project("Maps")
    monkeypatch.setattr("brainstem.database.PATIENCE", 0.1)
    server = make_app(app.config["SQLALCHEMY_DATABASE_URI"])
    title = {"busy": BUSY, "full": FULL, "read only": READ_ONLY}[fault].title
    words_of = dict(WRITING)
    if fault == "full" and faults.on_sqlite(server.config["SQLALCHEMY_DATABASE_URI"]):
        # A row or two still find room in the pages that there are.
        words_of = {"demo": WRITING["demo"]}
    with faults.broken(fault, server, request, "audit_event, session, subject, search_entry"):
        for words in words_of.values():
            assert_said(run(server, words), title)


def test_a_backup_is_made_where_nothing_can_be_stored(app, run, request, tmp_path):
    server = make_app(app.config["SQLALCHEMY_DATABASE_URI"])
    with faults.broken("read only", server, request):
        done = run(server, "backup {}/backup.zip")
    assert (done.exit_code, (tmp_path / "backup.zip").exists()) == (0, True), done.stderr
    assert READ_ONLY.title in done.stderr
