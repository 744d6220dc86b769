"""Faults of a database, made on purpose and taken back: for tests, and for longer trials.

Each is a context manager; when it ends, the database is as it was, and the program must be, too.

From outside, on whatever process uses the database:

    with away(cluster): …                 # PostgreSQL is stopped (SIGINT); "QUIT" is a crash
    with read_only(url, cluster): …       # PostgreSQL: every new transaction can only read
    with full(url): …                     # PostgreSQL: a change of any record finds no room (53100)
    with locked(url): …                   # both: somebody is writing, and does not end
    terminate(url)                        # PostgreSQL: every connection is ended by the server
    with small_disk(8) as folder: …       # a file system of so many MiB, for either; needs root
    with filled(folder): …                # …with no room left

From inside, on the SQLite of one application:

    with pragma(app, "query_only=ON"): …              # a file that can only be read
    with pragma(app, "max_page_count=1"): …           # a disk without room: the file can't grow
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from brainstem.extensions import db
from tests.databases import PostgresCluster, Unavailable

OTHERS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def on_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


@contextmanager
def connected(url: str):
    """A connection of nobody else's, each statement its own transaction."""
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def terminate(url: str) -> int:
    """End all connections to the database; how many there were."""
    with connected(url) as connection:
        return len(connection.execute(text(OTHERS)).all())


@contextmanager
def away(cluster: PostgresCluster, how: str = "INT") -> Iterator[None]:
    """The server is stopped, and started again at the end."""
    cluster.halt(how)
    try:
        yield
    finally:
        cluster.resume()


@contextmanager
def read_only(url: str, cluster: PostgresCluster) -> Iterator[None]:
    """As on a hot standby: all connections are ended, and new ones can only read."""
    name = f'"{make_url(url).database}"'

    def alter(words: str) -> None:
        # From another database: this one's own transactions can't change it any more.
        with connected(cluster.url("postgres")) as connection:
            connection.execute(text(f"ALTER DATABASE {name} {words}"))
        terminate(url)

    alter("SET default_transaction_read_only = on")
    try:
        yield
    finally:
        alter("RESET default_transaction_read_only")


FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
"""


@contextmanager
def full(url: str) -> Iterator[None]:
    """PostgreSQL answers every insert, update and delete with the error of a full disk."""
    with connected(url) as connection:
        connection.execute(text(FULL))
        tables = connection.scalars(
            text("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        ).all()
        for table in tables:
            connection.execute(
                text(
                    f"CREATE TRIGGER no_room BEFORE INSERT OR UPDATE OR DELETE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION no_room()"
                )
            )
        try:
            yield
        finally:
            _drop(connection)


def _drop(connection: Connection, tries: int = 20) -> None:
    # It locks every table, and those who are writing may lock some in another order: a deadlock.
    try:
        connection.execute(text("DROP FUNCTION no_room() CASCADE"))
    except OperationalError:
        if not tries:
            raise
        _drop(connection, tries - 1)


@contextmanager
def locked(url: str, table: str = "project") -> Iterator[None]:
    """Somebody is writing: on SQLite into the database, on PostgreSQL into a table."""
    with connected(url) as connection:
        begin = (
            "BEGIN IMMEDIATE" if on_sqlite(url) else f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE"
        )
        # The driver's own words for it are in the way.
        connection.connection.dbapi_connection.execute(begin)
        try:
            yield
        finally:
            connection.connection.dbapi_connection.execute("ROLLBACK")


@contextmanager
def pragma(app: Flask, words: str) -> Iterator[None]:
    """A `PRAGMA` on every connection of the application's, taken back at the end: it is SQLite's own way to
    play a file that can only be read, or that can't grow."""
    name = words.partition("=")[0]
    with app.app_context():
        engine = db.engine

    def play(connection, *_) -> None:
        connection.execute(f"PRAGMA {words}")

    def end(connection, *_) -> None:
        connection.execute(f"PRAGMA {name}={1 << 30 if name == 'max_page_count' else 'OFF'}")

    # `max_page_count` is never less than what there is; and what was deleted has left room.
    if name == "max_page_count":
        connection = engine.raw_connection()
        connection.execute("VACUUM")
        connection.close()
    event.listen(engine, "checkout", play)
    event.listen(engine, "checkin", end)
    try:
        yield
    finally:
        event.remove(engine, "checkout", play)
        event.remove(engine, "checkin", end)


@contextmanager
def broken(
    fault: str, app: Flask, request: pytest.FixtureRequest, table: str = "project"
) -> Iterator[None]:
    """Busy, full or read only, on whichever database the application has."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    if fault == "busy":
        made = locked(url, table)
    elif on_sqlite(url):
        made = pragma(app, {"full": "max_page_count=1", "read only": "query_only=ON"}[fault])
    elif fault == "full":
        made = full(url)
    else:
        made = read_only(url, request.getfixturevalue("cluster"))
    with made:
        yield


@contextmanager
def small_disk(mebibytes: int) -> Iterator[Path]:
    """A file system of that size, which everybody may write to; `Unavailable` where none can be made."""
    folder = Path(tempfile.mkdtemp(prefix="brainstem-disk-", dir="/tmp"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=1777", "tmpfs", str(folder)]
    try:
        try:
            done = subprocess.run(mount, capture_output=True, text=True)
        except OSError as error:
            raise Unavailable(str(error)) from error
        if done.returncode:
            raise Unavailable(done.stderr.strip())
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
    finally:
        folder.rmdir()


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No room is left on the file system of this folder."""
    ballast = folder / "ballast"
    try:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError), ballast.open("ab", buffering=0) as opened:
                while opened.write(b"\0" * size):
                    pass
        yield
    finally:
        ballast.unlink(missing_ok=True)
