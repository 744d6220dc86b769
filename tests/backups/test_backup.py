"""Backups: made while others write, whole, to the letter, and only where they are safe."""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
import subprocess
import threading
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, update

from brainstem.backups import archive, backup, revisions
from brainstem.backups.stores import postgresql
from brainstem.core import operations
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records.users import User
from tests.filled import contents, running, same


def live_or_noted(name):
    """Whether a table's rows are of a running database alone, or what commands note of themselves."""
    table = db.metadata.tables.get(name)
    return name == "audit_event" or (table is not None and table.info.get("live"))


def events(url):
    """What the audit log says, in its order."""
    log = contents(url)["audit_event"]
    return [event for _, event in sorted(zip(log["id"], log["event"], strict=True))]


@pytest.fixture(scope="module")
def once(filled, flask, tmp_path_factory):
    """A filled database, and a backup of it."""
    url, path = filled.copy(), tmp_path_factory.mktemp("made") / "all.zip"
    done = flask(url, "backup", path)
    assert (done.exit_code, done.stderr) == (0, "")
    return url, path


@pytest.fixture
def made(once, tmp_path):
    """A filled database that stays as it is, and a backup of it to do anything with."""
    url, path = once
    return url, Path(shutil.copy2(path, tmp_path / "all.zip"))


def test_a_backup_brings_everything_back_to_the_letter(filled, flask, made):
    source, path = made
    before = contents(source)
    assert all(columns and next(iter(columns.values())) for columns in before.values())
    target = filled.empty()
    done = flask(target, "restore", path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert flask(target, "reindex", "--check").exit_code == 0
    same(contents(target), before, leave=live_or_noted)
    assert events(target) == [*events(source)[:-1], "restore"]
    # It works: somebody signs in with her token, and makes a record that gets the next number.
    with running(target):
        ada = db.session.scalar(select(User).where(User.email == "ada@lab.org"))
        operations.create(Actor(ada.id), registry.get("project"), {"name": "After"})


def test_a_stolen_backup_lets_nobody_in(filled, flask, tmp_path):
    """Neither sign-ins nor device logins are in it, nor the signing key."""
    url = filled.copy()
    columns = (("secret", "value"), ("sign_in", "hash"), ("device_login", "device_hash"))
    engine = create_engine(url)
    with engine.begin() as connection:
        for table, column in columns:
            connection.execute(
                update(db.metadata.tables[table]).values({column: f"a {table} " * 4})
            )
    engine.dispose()
    assert flask(url, "backup", tmp_path / "all.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as opened:
        manifest = json.loads(opened.read("manifest.json"))
        dump = Path(opened.extract(manifest["dump"], tmp_path))
    text = dump.read_bytes()
    if filled.kind == "postgresql":
        program = postgresql.find_program("pg_restore", 15)
        text = subprocess.run([program, "--file=-", dump], capture_output=True, check=True).stdout
    assert b"ada@lab.org" in text
    for table, _ in columns:
        assert f"a {table} a {table} ".encode() not in text


def test_the_file_says_what_it_is_and_is_for_its_owner_alone(made, flask):
    url, path = made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    with zipfile.ZipFile(path) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        assert opened.namelist() == [manifest["dump"], "manifest.json"]
    assert (manifest["format"], manifest["revision"]) == ("brainstem-backup-1", revisions.head())
    assert manifest["rows"]["session"] == 40
    done = flask(url, "backup", "--check", path)
    assert (done.exit_code, "40 sessions" in done.stdout) == (0, True)
    assert events(url)[-1] == "backup"


def test_a_file_that_is_there_stays_unless_told(made, flask):
    url, path = made
    before = path.read_bytes()
    done = flask(url, "backup", path)
    assert (done.exit_code, "exists already" in done.stderr) == (1, True)
    assert path.read_bytes() == before
    assert flask(url, "backup", path, "--overwrite").exit_code == 0
    assert path.read_bytes() != before


def test_a_folder_keeps_the_newest(filled, flask, tmp_path, monkeypatch):
    url = filled.copy()
    folder = tmp_path / "nightly"
    folder.mkdir()
    (folder / "mine.zip").touch()
    for day in range(1, 5):
        moment = datetime(2026, 12, day, 2, 15, tzinfo=UTC)
        monkeypatch.setattr(backup, "utcnow", lambda moment=moment: moment)
        assert flask(url, "backup", folder, "--keep", "2").exit_code == 0
    assert sorted(each.name for each in folder.iterdir()) == [
        f"brainstem-20261203T021500Z-revision-{revisions.head()}.zip",
        f"brainstem-20261204T021500Z-revision-{revisions.head()}.zip",
        "mine.zip",
    ]
    done = flask(url, "backup", tmp_path / "one.zip", "--keep", "2")
    assert (done.exit_code, "Only a folder" in done.stderr) == (1, True)


def test_two_in_one_second_are_two_files(filled, flask, tmp_path, monkeypatch):
    url, folder = filled.copy(), tmp_path / "nightly"
    folder.mkdir()
    moment = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
    monkeypatch.setattr(backup, "utcnow", lambda: moment)
    for _ in range(2):
        assert flask(url, "backup", folder).exit_code == 0
    assert sorted(each.name[:26] for each in folder.iterdir()) == [
        "brainstem-20261231T235959Z",
        "brainstem-20270101T000000Z",
    ]


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "cut short":
        del data[len(data) // 2 :]
    elif how == "a sector":
        # Not a bit: among the zeros of a database, one can say the same in another way.
        part = slice(len(data) // 3, len(data) // 3 + 512)
        data[part] = bytes(each ^ 0xFF for each in data[part])
    elif how == "empty":
        data.clear()
    elif how == "something else":
        data[:] = b"not a zip file\n" * 100
    elif how in ("other manifest", "other form", "other dump"):
        with zipfile.ZipFile(path) as opened:
            manifest = json.loads(opened.read("manifest.json"))
            dump = opened.read(manifest["dump"])
        if how == "other form":
            manifest["format"] = "brainstem-backup-9"
        elif how == "other manifest":
            del manifest["sha256"]
        else:
            dump += b"more"
        with zipfile.ZipFile(path, "w") as written:
            written.writestr(manifest["dump"], dump)
            written.writestr("manifest.json", json.dumps(manifest))
        return
    path.write_bytes(data)


DAMAGED = {
    "cut short": "is no backup, or it is not whole",
    "a sector": "is damaged",
    "empty": "is no backup, or it is not whole",
    "something else": "is no backup, or it is not whole",
    "other manifest": "is no backup, or it is damaged",
    "other form": "does not know (brainstem-backup-9)",
    "other dump": "its checksum is wrong",
    "gone": "No such file",
}


def test_a_damaged_backup_is_seen_before_anything_is_touched(once, flask, tmp_path):
    url, whole = once
    before = contents(url)
    for how, said in DAMAGED.items():
        path = tmp_path / how
        if how != "gone":
            shutil.copy(whole, path)
            damage(path, how)
        for words in (["backup", "--check", path], ["restore", path, "--overwrite"]):
            done = flask(url, *words)
            assert (done.exit_code, done.stdout) == (1, ""), how
            assert said in done.stderr, how
    same(contents(url), before)


def test_a_backup_under_writing_load_is_one_moments(filled, flask, tmp_path):
    url, rounds = filled.copy(), 2
    with running(url) as app:
        actor = Actor(db.session.scalar(select(User.id).where(User.email == "ada@lab.org")))
        db.session.remove()
        stop = threading.Event()
        written = []

        # Two projects in one transaction: a backup has both or neither, and their history.
        @operation
        def pair(number):
            for half in "ab":
                payload = {"name": f"Pair {number} {half}"}
                operations.create(actor, registry.get("project"), payload)

        def write():
            with app.app_context():
                while not stop.is_set():
                    pair(len(written))
                    written.append(None)
                db.session.remove()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(rounds):
                while len(written) < 5 * (number + 1):
                    time.sleep(0.01)
                least = len(written)
                backup.make(tmp_path / f"{number}.zip")
                assert backup.check(tmp_path / f"{number}.zip").rows["project"] >= least
        finally:
            stop.set()
            writer.join()
    for number in range(rounds):
        target = filled.empty()
        done = flask(target, "restore", tmp_path / f"{number}.zip")
        assert (done.exit_code, done.stderr) == (0, "")
        found = contents(target)
        names = {name for name in found["project"]["name"] if name.startswith("Pair")}
        pairs = {name.split()[1] for name in names}
        assert names == {f"Pair {pair} {half}" for pair in pairs for half in "ab"}
        assert pairs == {str(each) for each in range(len(pairs))}
        assert set(found["revision"]["record_id"]) >= set(found["project"]["id"])
        assert flask(target, "reindex", "--check").exit_code == 0


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_the_disk_has_against_it_is_said_and_leaves_nothing(
    filled, flask, tmp_path, monkeypatch, error
):
    url, folder = filled.copy(), tmp_path / "full"
    folder.mkdir()

    def fail(_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(archive.os, "fsync", fail)
    done = flask(url, "backup", folder / "all.zip")
    assert (done.exit_code, done.stdout) == (1, "")
    assert os.strerror(error) in done.stderr
    assert list(folder.iterdir()) == []
    assert "backup" not in events(url)


def test_a_folder_that_is_not_there_is_said(filled, flask, tmp_path):
    done = flask(filled.copy(), "backup", tmp_path / "no" / "all.zip")
    assert (done.exit_code, "No such file or directory" in done.stderr) == (1, True)


def test_an_empty_database_has_nothing_to_back_up(filled, flask, tmp_path):
    done = flask(filled.empty(), "backup", tmp_path / "all.zip")
    assert (done.exit_code, "nothing to back up" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def programs(monkeypatch, tmp_path):
    """Makes a program that says a version; no other one is found."""
    monkeypatch.setattr(postgresql, "PLACES", ())
    monkeypatch.setenv("PATH", "")

    def make(folder, version):
        place = tmp_path / folder
        place.mkdir()
        (place / "pg_dump").write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        (place / "pg_dump").chmod(0o755)
        monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{place}")
        return place / "pg_dump"

    return make


def test_the_program_fits_the_server(programs):
    programs("old", "14.2")
    newest = programs("newest", "17.1 (Debian 17.1-1)")
    newer = programs("newer", "16.0")
    assert postgresql.find_program("pg_dump", 16) == str(newer)
    assert postgresql.find_program("pg_dump", 15) == str(newer)
    assert postgresql.find_program("pg_dump", 17) == str(newest)
    with pytest.raises(archive.Unusable, match="newest here is of version 17"):
        postgresql.find_program("pg_dump", 18)


def test_without_the_program_it_says_what_to_install(programs):
    with pytest.raises(archive.Unusable, match="apt install postgresql-client-15"):
        postgresql.find_program("pg_dump", 15)


def test_the_password_is_on_no_command_line():
    engine = create_engine(
        "postgresql+psycopg://ada:s%3Acret%20@host/lab?sslmode=require&port=5433"
    )
    address, environment = postgresql._address(engine)
    assert "cret" not in address
    assert set(address.split()) == {
        "user=ada",
        "host=host",
        "dbname=lab",
        "sslmode=require",
        "port=5433",
    }
    assert environment["PGPASSWORD"] == "s:cret "
