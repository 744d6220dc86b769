"""Restoring: into an empty database, or over another one when told; all of it or nothing."""

from __future__ import annotations

import json
import stat
import tempfile
import zipfile
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import create_engine, make_url, select, text

from brainstem.backups import archive, backup, revisions
from brainstem.core.permissions import Actor
from brainstem.extensions import db
from brainstem.records import devices, sign_ins
from brainstem.records.users import User
from tests.filled import contents, running, same

OTHER = {"sqlite": "postgresql", "postgresql": "sqlite"}


@pytest.fixture
def made(filled, flask, tmp_path):
    """A filled database, and the path of a backup of it."""
    url = filled.copy()
    assert flask(url, "backup", tmp_path / "all.zip").exit_code == 0
    return url, tmp_path / "all.zip"


def change(path, **values):
    """Write other values into a backup's manifest."""
    with zipfile.ZipFile(path) as opened:
        manifest = json.loads(opened.read("manifest.json"))
        dump = opened.read(manifest["dump"])
    with zipfile.ZipFile(path, "w") as written:
        manifest |= values
        written.writestr(manifest["dump"], dump)
        written.writestr("manifest.json", json.dumps(manifest))


def execute(url, *statements):
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_database_with_records_is_replaced_only_when_told(made, flask):
    url, path = made
    execute(url, "UPDATE session SET description = 'changed since'")
    before = contents(url)
    done = flask(url, "restore", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "has records" in done.stderr
    assert "--overwrite" in done.stderr
    same(contents(url), before)
    assert flask(url, "restore", path, "--overwrite").exit_code == 0
    assert "changed since" not in contents(url)["session"]["description"]


@pytest.mark.parametrize("words", [["backup"], ["export", "--with-secrets"]])
def test_a_sign_in_that_has_ended_does_not_come_back(filled, flask, tmp_path, words):
    url, path = filled.copy(), tmp_path / "before"
    with running(url):
        ada = db.session.scalar(select(User).where(User.email == "ada@lab.org"))
        secret = sign_ins.begin(ada).secret
        device_code = devices.start("script", "10.0.0.1")[1]
        sign_in_id = sign_ins.of(secret).sign_in_id
    assert flask(url, words[0], path, *words[1:]).exit_code == 0
    with running(url):
        sign_ins.end(Actor(ada.id), sign_in_id)
    done = flask(url, "restore", path, "--overwrite")
    assert (done.exit_code, "sign in again" in done.stdout) == (0, True)
    with running(url):
        assert sign_ins.of(secret) is None
        assert devices.poll(device_code) == {"error": "expired_token"}
    found = contents(url)
    assert not found["sign_in"]["id"] + found["device_login"]["id"] + found["secret"]["name"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"revision": "9999"}, "made by a newer version of this program"),
        ({"rows": {"session": 1}}, "has other rows than it says"),
    ],
)
def test_what_does_not_fit_changes_nothing(made, flask, values, said):
    url, path = made
    change(path, **values)
    before = contents(url)
    done = flask(url, "restore", path, "--overwrite")
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    same(contents(url), before)


@pytest.mark.parametrize("name", ["{folder}/crafted", "../crafted", "crafted"])
@pytest.mark.parametrize("words", [["backup", "--check"], ["restore", "--overwrite"]])
def test_a_backup_does_not_say_where_its_dump_is_written(
    made, flask, tmp_path, monkeypatch, name, words
):
    url, path = made
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    change(path, dump=name.format(folder=tmp_path))
    before = contents(url)
    done = flask(url, *words, path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is no backup, or it is damaged" in done.stderr
    assert not list(tmp_path.rglob("crafted"))
    same(contents(url), before)


def test_the_other_database_is_pointed_to_the_export(made, flask, filled):
    url, path = made
    change(path, database=OTHER[filled.kind], dump=archive.DUMPS[OTHER[filled.kind]])
    before = contents(url)
    done = flask(url, "restore", path, "--overwrite")
    assert (done.exit_code, "flask export FOLDER" in done.stderr) == (1, True)
    same(contents(url), before)


def test_a_database_of_a_newer_program_stays(made, flask):
    url, path = made
    execute(url, "UPDATE alembic_version SET version_num = '9999'")
    for words in (["restore", path, "--overwrite"], ["upgrade"]):
        done = flask(url, *words)
        assert (done.exit_code, "newer than this program" in done.stderr) == (1, True)
    assert contents(url)["alembic_version"] == {"version_num": ["9999"]}


def test_a_backup_of_an_older_revision_is_migrated(filled, flask, tmp_path):
    old, target = filled.copy(), filled.copy()
    with running(old):
        downgrade(revision="0013")
    before = contents(old)
    with running(old):
        # As the program of that time did: it knew no audit log.
        backup.make(tmp_path / "old.zip")
    done = flask(target, "restore", tmp_path / "old.zip", "--overwrite")
    assert (done.exit_code, done.stderr) == (0, "")
    assert flask(target, "reindex", "--check").exit_code == 0
    found = contents(target)
    assert found["alembic_version"] == {"version_num": [revisions.head()]}
    for name in before.keys() - {"alembic_version", "device_login"}:
        assert {column: found[name][column] for column in before[name]} == before[name], name


def test_a_restore_whose_migration_fails_changes_nothing(filled, flask, tmp_path, monkeypatch):
    old, target = filled.copy(), filled.copy()
    with running(old):
        downgrade(revision="0013")
        backup.make(tmp_path / "old.zip")
    before = contents(target)

    def fail(connection, revision="head"):
        connection.execute(text("DELETE FROM session_project"))
        connection.execute(text("SELECT nonsense"))

    monkeypatch.setattr(revisions, "upgrade", fail)
    done = flask(target, "restore", tmp_path / "old.zip", "--overwrite")
    assert done.exit_code == 1
    same(contents(target), before)


def test_a_server_that_runs_sees_the_restored_records(made, filled, flask):
    _, path = made
    target = filled.empty()
    with running(target) as app:
        upgrade()
    # Outside of the context: each request has its own, as with a server.
    client = app.test_client()
    assert client.get("/api/public/stem/session/").json["count"] == 0
    assert flask(target, "restore", path).exit_code == 0
    assert client.get("/api/public/stem/session/").json["count"] >= 1
    with app.app_context():
        db.engine.dispose()


def spoil(file, how):
    """Make a database file one that SQLite can't read; what was in it then."""
    data = bytearray(file.read_bytes())
    if how == "header":
        data[:100] = b"x" * 100
    elif how == "noise":
        data[:] = bytes(range(1, 256)) * 100
    else:
        # All but the first page, which has the structure.
        data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)
    return bytes(data)


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
@pytest.mark.parametrize("how", ["header", "noise", "pages"])
@pytest.mark.parametrize("words", [["backup"], ["export", "--with-secrets"]])
def test_a_damaged_database_is_set_aside_when_told(filled, flask, tmp_path, how, words):
    url, path = filled.copy(), tmp_path / "before"
    assert flask(url, words[0], path, *words[1:]).exit_code == 0
    whole = contents(url)
    file = Path(make_url(url).database)
    data = spoil(file, how)
    logs = {ending: file.with_name(file.name + ending) for ending in ("-wal", "-shm")}
    for ending, log in logs.items():
        log.write_bytes(f"its {ending}".encode())

    done = flask(url, "restore", path)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "is damaged" in done.stderr
    assert "--overwrite sets it aside" in done.stderr
    assert file.read_bytes() == data
    assert not list(file.parent.glob(f"{file.name}.damaged-*"))

    done = flask(url, "restore", path, "--overwrite")
    assert done.exit_code == 0
    aside = sorted(file.parent.glob(f"{file.name}.damaged-*"))
    assert aside[0].read_bytes() == data
    assert [each.name for each in aside[1:]] == [
        f"{aside[0].name}{end}" for end in ("-shm", "-wal")
    ]
    assert str(aside[0]) in done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    restored = contents(url)
    assert restored["session"] == whole["session"]
    assert restored["user"] == whole["user"]


@pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
def test_what_is_damaged_stays_where_the_backup_is_no_good(made, flask, filled):
    url, path = made
    change(path, rows={"session": 1})
    file = Path(make_url(url).database)
    data = spoil(file, "noise")
    done = flask(url, "restore", path, "--overwrite")
    assert (done.exit_code, "other rows than it says" in done.stderr) == (1, True)
    assert file.read_bytes() == data
    assert not list(file.parent.glob(f"{file.name}.damaged-*"))
