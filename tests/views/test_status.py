"""The page Status and `flask status`: for administrators, true, and without secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from brainstem import config, status
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records.audit import AuditEvent, Event, note
from brainstem.version import VERSION
from tests.pages import Page, text_of
from tests.people import PASSWORD


@pytest.fixture
def root(person):
    """An administrator."""
    return person("root@lab.org", admin=True)


def facts_of(page: Page) -> dict[str, str]:
    rows = [row for row in page.root.iter("div") if row.find("dt") is not None]
    return {text_of(row.find("dt")): text_of(row.find("dd")) for row in rows}


def facts(root) -> dict[str, str]:
    return facts_of(root.browser().open("/status/"))


def test_it_is_for_administrators(app, ada, root):
    assert app.test_client().get("/status/").status_code == 302
    assert ada.browser().get("/status/").status_code == 403
    pages = root.browser()
    assert pages.get("/status/").status_code == 200
    assert 'href="/status/"' in pages.get("/").text
    assert 'href="/status/"' not in ada.browser().get("/").text


def test_a_token_of_an_administrator_does_not_open_it(root):
    assert root("GET", "/status/").status_code == 302


def test_what_it_says(root, database):
    project = root.project()
    root.session("One", project)
    root.session("Two", project)
    found = facts(root)
    assert found["Version"] == VERSION
    assert found["Sessions"] == "2"
    assert found["Projects"] == "1"
    assert found["Users"] == "1"
    assert found["Search index"] == "3 entries"
    kind = "SQLite 3." if database.startswith("sqlite") else "PostgreSQL 1"
    assert found["Kind"].startswith(kind)
    assert found["Size"][-2:] in ("kB", "MB")
    assert found["Revision of its tables"] == status.health.expected()
    assert " free of " in next(found[name] for name in found if "instance/" in name)


def test_settings_without_secrets(root):
    root.app.config["SECRET_KEY"] = "the key of the tests"
    page = root.browser().open("/status/")
    found = facts_of(page)
    assert {each.name for each in config.SETTINGS} <= found.keys()
    assert (found["LAB_TIMEZONE"], found["TRUSTED_HOSTS"]) == ("UTC", "any")
    for secret in ("the key of the tests", PASSWORD, root.secret):
        assert secret not in page.html


def test_the_password_of_the_database_is_not_shown(app):
    address = "postgresql+psycopg://ada:hunter2@host/db"
    with app.app_context():
        app.config["SQLALCHEMY_DATABASE_URI"] = address
        told = {fact.name: fact.value for fact in status.settings()}
    assert told["DATABASE_URL"] == "postgresql+psycopg://ada:***@host/db"


@pytest.mark.parametrize(
    ("hours", "said", "problem"),
    [
        (0, "lab.zip, {:%Y-%m-%d %H:%M}, just now", ""),
        (47, "lab.zip, {:%Y-%m-%d %H:%M}, 47 hours ago", ""),
        (49, "lab.zip, {:%Y-%m-%d %H:%M}, 2 days ago", "See why “flask backup” did not run since."),
        (None, "none yet", "Have “flask backup” run every night."),
    ],
)
def test_the_last_backup(root, hours, said, problem):
    made = utcnow() - timedelta(hours=hours or 0)
    with root.app.app_context():
        for ago in (500, hours) if hours is not None else ():
            note(Event.BACKUP, file=f"/srv/backups/{'old' if ago == 500 else 'lab'}.zip")
            late = {"at": utcnow() - timedelta(hours=ago)}
            newest = select(func.max(AuditEvent.id)).scalar_subquery()
            db.session.execute(update(AuditEvent).where(AuditEvent.id == newest).values(**late))
            db.session.commit()
    page = root.browser().open("/status/")
    assert facts_of(page)["Last backup"] == said.format(made)
    assert problem in page.html


def test_a_search_index_that_lacks_something_is_told(root):
    root.project()
    with root.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM search_entry"))
    page = root.browser().open("/status/")
    assert "There should be 1; “flask reindex” writes it anew." in page.html


def test_a_full_disk_is_told(root, monkeypatch):
    full = status.shutil._ntuple_diskusage(1000**4, 999 * 1000**3, 1000**3)
    monkeypatch.setattr(status.shutil, "disk_usage", lambda _: full)
    assert "1.0 GB free of 1.0 TB. Make room" in root.browser().open("/status/").html


@pytest.mark.parametrize(
    ("total", "free", "told"),
    [
        (1000**4, 4 * 1000**3, True),
        (1000**4, 6 * 1000**3, False),
        (10 * 1000**3, 2 * 1000**3, False),
        (10 * 1000**3, 900 * 1000**2, True),
    ],
)
def test_how_much_room_is_too_little(monkeypatch, tmp_path, total, free, told):
    sizes = status.shutil._ntuple_diskusage(total, total - free, free)
    monkeypatch.setattr(status.shutil, "disk_usage", lambda _: sizes)
    assert bool(status._room("here", tmp_path).problem) is told


def test_the_command_says_the_same(root, command):
    root.project()
    done = command("status")
    said = dict(line.strip().split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    shown = facts(root)
    same = said.keys() - {"Running since", "Size", "Connections"}
    assert said.keys() == shown.keys()
    assert {name: said[name] for name in same} == {name: shown[name] for name in same}


def test_the_command_fails_where_something_is_not_well(root, command):
    root.project()
    with root.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM search_entry"))
    done = command("status")
    assert done.exit_code == 1
    assert "Search index: 0 entries. There should be 1" in done.stderr


def test_counting_takes_one_statement(root, statements):
    pages = root.browser()
    statements.clear()
    pages.get("/status/")
    assert len([each for each in statements if "count(*)" in each and "FROM project" in each]) == 1
    assert len(statements) < 20
