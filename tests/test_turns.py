"""Who may write on SQLite, when several want to."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from brainstem import turns
from brainstem.database import prepare_sqlite


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path / 'turns.sqlite3'}")
    prepare_sqlite(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    yield engine
    engine.dispose()


@pytest.fixture
def other(engine):
    """Another program that writes."""
    connection = sqlite3.connect(engine.url.database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


def writing(engine):
    return engine.connect().execution_options(write=True)


def test_one_waits_until_the_other_has_written(engine, other):
    other.execute("UPDATE counter SET n = 7")
    threading.Timer(0.05, other.execute, ["COMMIT"]).start()
    with writing(engine) as connection:
        assert connection.scalar(text("SELECT n FROM counter")) == 7


def test_nobody_waits_for_ever(engine, other, monkeypatch):
    monkeypatch.setattr("brainstem.database.PATIENCE", 0.05)
    with writing(engine) as connection, pytest.raises(OperationalError, match="locked"):
        connection.execute(text("UPDATE counter SET n = 1"))
    other.execute("COMMIT")
    with writing(engine) as connection:
        connection.execute(text("UPDATE counter SET n = 1"))


def test_what_is_no_waiting_is_said_at_once(engine, monkeypatch):
    monkeypatch.setattr(turns, "_begun_later", lambda *_: pytest.fail("It waits."))
    with writing(engine) as connection:
        connection.begin()
        with pytest.raises(OperationalError, match="within a transaction"):
            turns.begin(connection, 15)


def test_other_waiting_stays_as_it_was(engine):
    with writing(engine) as connection:
        assert connection.scalar(text("PRAGMA busy_timeout")) == 15000


def test_who_has_waited_longer_tries_more_often():
    pauses = [turns.pause(waited) for waited in (0, 0.2, 0.5, 1, 5, 15)]
    assert pauses == sorted(pauses, reverse=True)
    assert pauses[0] > pauses[3] > 0


def test_many_write_one_after_the_other(engine):
    def count_up():
        for _ in range(10):
            with engine.connect().execution_options(write=True) as connection, connection.begin():
                n = connection.scalar(text("SELECT n FROM counter"))
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT n FROM counter")) == 80
