"""What the program writes down of a lab is for its own user alone to read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from brainstem.backups import backup, export, restore
from brainstem.extensions import db
from tests.filled import Filled, running


@pytest.fixture(autouse=True)
def _careless():
    """A user whose files everybody may read and write, unless a program says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_database_and_its_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("brainstem.config.INSTANCE", tmp_path / "instance")
    path = tmp_path / "instance" / "lab.sqlite3"
    with running(f"sqlite:///{path}"), db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE mine (id integer)")
        files = list(path.parent.iterdir())
        assert {path.name, f"{path.name}-wal", f"{path.name}-shm"} < {each.name for each in files}
        assert {mode(each) for each in files} == {0o600}
    assert mode(path.parent) == 0o700


def test_what_an_administrator_made_stays_as_it_is(tmp_path):
    path = tmp_path / "lab.sqlite3"
    path.touch(mode=0o640)
    with running(f"sqlite:///{path}"), db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE mine (id integer)")
        assert {mode(each) for each in tmp_path.iterdir()} == {0o640}


def test_backups_exports_and_what_is_restored(tmp_path):
    lab = Filled("sqlite", tmp_path, None)
    with running(lab.copy()):
        backup.make(tmp_path / "all.zip")
        export.export(tmp_path / "all")
    target = lab.empty()
    with running(target):
        restore.restore(tmp_path / "all.zip")
    assert mode(tmp_path / "all.zip") == mode(Path(target.removeprefix("sqlite:///"))) == 0o600
    exported = [tmp_path / "all", *(tmp_path / "all").rglob("*")]
    assert {mode(each) for each in exported if each.is_dir()} == {0o700}
    assert {mode(each) for each in exported if each.is_file()} == {0o600}
