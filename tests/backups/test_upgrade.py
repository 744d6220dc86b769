"""Upgrades: a backup first, all or nothing, and one at a time."""

from __future__ import annotations

import threading
import zipfile

import pytest
from flask_migrate import downgrade
from sqlalchemy import create_engine, text

from brainstem.backups import revisions, upgrade
from brainstem.extensions import db
from tests.conftest import make_app
from tests.filled import contents, running, same

#: The revision that these begin at: several lead from it to the newest, and the second one
#: makes the table of the search index.
OLD = "0012"


@pytest.fixture
def old(filled):
    """A filled database of an older version."""
    url = filled.copy()
    with running(url):
        downgrade(revision=OLD)
    return url


def execute(url, statement):
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_an_upgrade_backs_up_first_and_loses_nothing(old, flask, kept, filled):
    before = contents(old)
    done = flask(old, "upgrade")
    assert (done.exit_code, done.stderr) == (0, "")
    found = contents(old)
    for name in before.keys() - {"alembic_version"}:
        assert {column: found[name][column] for column in before[name]} == before[name], name
    assert found["alembic_version"]["version_num"] == [revisions.head()]
    (backup,) = kept.iterdir()
    assert f"revision-{OLD}" in backup.name
    assert str(backup) in done.stdout
    assert found["audit_event"]["event"] == ["backup"]
    # The backup is the way back, for the version of the program that was there before.
    with zipfile.ZipFile(backup) as opened:
        assert opened.testzip() is None
    assert flask(old, "reindex", "--check").exit_code == 0
    # A second time there is nothing to do, and nothing to say.
    done = flask(old, "upgrade")
    assert (done.exit_code, done.output) == (0, "")
    assert list(kept.iterdir()) == [backup]


def test_a_migration_that_fails_leaves_the_database_as_it_was(old, flask, kept, filled):
    # In the way of the second of several migrations: the first one has been done by then.
    execute(old, "CREATE TABLE search_entry (id integer)")
    before = contents(old)
    done = flask(old, "upgrade")
    assert (done.exit_code, "up to date: revision" in done.stdout) == (1, False)
    # Also where a service manager tries again and again.
    assert flask(old, "upgrade").exit_code == 1
    (backup,) = kept.iterdir()
    for said in (
        "search_entry",
        f"as it was, at revision {OLD}",
        str(backup),
        "Put back the version",
    ):
        assert said in done.stderr
    same(contents(old), before)
    execute(old, "DROP TABLE search_entry")
    assert flask(old, "upgrade").exit_code == 0


def test_tries_that_fail_cost_no_backup_of_before(old, flask, kept, filled):
    kept.mkdir()
    earlier = {f"brainstem-202501{day:02}T000000Z-revision-0001.zip" for day in range(1, 6)}
    for name in earlier:
        (kept / name).touch()
    execute(old, "CREATE TABLE search_entry (id integer)")
    for _ in range(2):
        assert flask(old, "upgrade").exit_code == 1
    assert earlier < {each.name for each in kept.iterdir()}
    assert len(list(kept.iterdir())) == len(earlier) + 1


def test_a_backup_that_fails_stops_the_upgrade(old, flask, kept):
    kept.parent.joinpath("kept").write_text("in the way")
    done = flask(old, "upgrade")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "--without-backup" in done.stderr
    assert contents(old)["alembic_version"]["version_num"] == [OLD]
    assert flask(old, "upgrade", "--without-backup").exit_code == 0


def test_a_new_database_needs_no_backup(filled, flask, kept):
    url = filled.empty()
    done = flask(url, "upgrade")
    assert (done.exit_code, done.stderr) == (0, "")
    assert not kept.exists()
    assert contents(url)["alembic_version"]["version_num"] == [revisions.head()]


def test_the_newest_backups_are_kept(kept, filled, flask, old):
    kept.mkdir()
    for day in range(1, 9):
        (kept / f"brainstem-202501{day:02}T000000Z-revision-0001.zip").touch()
    assert flask(old, "upgrade").exit_code == 0
    names = sorted(each.name for each in kept.iterdir())
    assert len(names) == upgrade.KEPT
    assert f"revision-{OLD}" in names[-1]


def test_of_two_that_start_at_once_one_migrates(old, kept):
    said, failed = [], []
    start = threading.Barrier(2)

    def begin(app):
        try:
            with app.app_context():
                start.wait(20)
                upgrade.bring_up_to_date(said.append)
                db.session.remove()
                db.engine.dispose()
        except Exception as error:
            failed.append(error)

    # Made one after the other: Python before 3.11.8 fails when two threads compile at once.
    threads = [threading.Thread(target=begin, args=[make_app(old)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len([each for each in said if "up to date" in each]) == 1
    assert len(list(kept.iterdir())) == 1
