"""PostgreSQL: its own programs `pg_dump` and `pg_restore` write and read a database.

`pg_restore` only turns the dump into a script here, which this program runs itself: so all of a restore is
one transaction, what comes after it included.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg
from psycopg import conninfo, sql
from sqlalchemy import Connection, Engine, text

from brainstem.backups import revisions
from brainstem.backups.archive import CHUNK, DUMPS, Hashing, Unusable
from brainstem.extensions import db

DUMP = DUMPS["postgresql"]
PACKED = True

#: What a transaction begins with that reads everything as it is at one moment.
ONE_MOMENT = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

#: Where systems keep PostgreSQL's programs, besides PATH.
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Library/PostgreSQL/*/bin",
)

#: How an entry of the script begins, after an empty comment.
ENTRY = re.compile(
    rb"-- (?:Data for )?Name: (?P<name>.*); Type: (?P<type>[A-Z ]+); Schema: (?P<schema>[^;]+);"
)
COPY = re.compile(rb"COPY .* FROM stdin;\n")

#: What an index needs that only the extension pg_trgm has.
TRIGRAMS = b"_trgm_ops"


@contextmanager
def dump(
    engine: Engine, out: Path, without: Iterable[str]
) -> Iterator[tuple[Connection, Callable[[Hashing], None]]]:
    """The database as it is at one moment: a connection to look at it, and what writes it into a file."""
    with engine.connect() as connection:
        connection.execute(ONE_MOMENT)
        program = find_program("pg_dump", _server_version(connection))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '0'"))
        snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
        schema = connection.scalar(text("SELECT current_schema()"))

        def write(target: Hashing) -> None:
            address, environment = _address(engine)
            words = ["--format=custom", "--no-owner", "--no-privileges", "--no-password"]
            words += [f"--snapshot={snapshot}", f'--schema="{schema}"', f"--dbname={address}"]
            words += [f'--exclude-table-data="{schema}"."{name}"' for name in without]
            with _running([program, *words], env=environment, stdin=subprocess.DEVNULL) as made:
                shutil.copyfileobj(made, target, CHUNK)

        yield connection, write


def damage(_engine: Engine) -> str | None:
    """What is wrong with its files is the server's to say."""
    return None


@contextmanager
def replacing(engine: Engine, source: IO[bytes] | None = None) -> Iterator[Connection]:
    """A transaction on a new database, which at its end takes the place of the one there is.

    It holds what the dump `source` has, or nothing. Until it ends, everybody else waits; where it does not
    end well, nothing has changed.
    """
    with revisions.changing(engine) as connection:
        driver = connection.connection.driver_connection
        _drop(driver)
        if source is not None:
            program = find_program("pg_restore", _server_version(connection))
            with _running(
                [program, "--file=-", "--no-owner", "--no-privileges"], feed=source
            ) as made:
                _run_script(driver, made)
        yield connection


def _drop(driver: psycopg.Connection) -> None:
    """Take away the program's own tables; what else lies in the database stays."""
    for name in [*db.metadata.tables, revisions.TABLE]:
        driver.execute(sql.SQL("DROP TABLE IF EXISTS {} CASCADE").format(sql.Identifier(name)))


def _run_script(driver: psycopg.Connection, script: Iterable[bytes]) -> None:
    """Run what `pg_restore` writes, entry by entry; the data goes through as it is."""
    schema = driver.execute("SELECT current_schema()").fetchone()[0]
    trigrams = _can_have_trigrams(driver)
    # As pg_restore does: every name in the script tells its schema.
    driver.execute("SET LOCAL check_function_bodies = off; SET LOCAL search_path = ''")
    lines, entry, kind = iter(script), [], None
    for line in lines:
        if found := ENTRY.match(line):
            _run_entry(driver, kind, entry, trigrams)
            kind, entry = found["type"], []
            if found["schema"].decode() not in ("-", schema):
                raise Unusable(
                    f"The backup is of the schema {found['schema'].decode()}, and this database uses "
                    f"{schema}. Nothing was changed. Give both the same name, or carry the records "
                    "across with flask export."
                )
        elif COPY.fullmatch(line):
            with driver.cursor().copy(line) as copy:
                for data in lines:
                    if data == b"\\.\n":
                        break
                    copy.write(data)
        # What begins with a backslash is meant for psql.
        elif not line.startswith((b"--", b"\\")):
            entry.append(line)
    _run_entry(driver, kind, entry, trigrams)
    driver.execute("SET LOCAL search_path TO DEFAULT; SET LOCAL check_function_bodies TO DEFAULT")


def _run_entry(
    driver: psycopg.Connection, kind: bytes | None, lines: list[bytes], trigrams: bool
) -> None:
    statement = b"".join(lines).strip()
    # What stands before the first entry are settings of a session of its own. The schema is there.
    if not statement or kind in (None, b"SCHEMA"):
        return
    if TRIGRAMS in statement and not trigrams:
        return
    if kind == b"FUNCTION":
        statement = statement.replace(b"CREATE FUNCTION", b"CREATE OR REPLACE FUNCTION", 1)
    driver.execute(statement)


def _can_have_trigrams(driver: psycopg.Connection) -> bool:
    """Whether the extension is there, or could be made: without it searching is slower, no less."""
    with suppress(psycopg.Error), driver.transaction():
        driver.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        return True
    return False


def _server_version(connection: Connection) -> int:
    return connection.connection.driver_connection.info.server_version // 10000


def find_program(name: str, server: int) -> str:
    """The path of one of PostgreSQL's programs, of the server's version or the next newer one there is."""
    places = [Path(place) for place in os.get_exec_path()]
    places += [place for pattern in PLACES for place in Path("/").glob(pattern.lstrip("/"))]
    found = [
        (version, str(place / name))
        for place in places
        if os.access(place / name, os.X_OK) and (version := _version(place / name))
    ]
    if fitting := [each for each in found if each[0] >= server]:
        return min(fitting)[1]
    there = f"the newest here is of version {max(found)[0]}" if found else "there is none here"
    raise Unusable(
        f"This needs the program {name} of PostgreSQL {server} or newer, and {there}. Install it "
        f"(on Debian and Ubuntu: apt install postgresql-client-{server}), or put its folder into PATH."
    )


def _version(program: Path) -> int | None:
    with suppress(OSError, subprocess.TimeoutExpired):
        said = subprocess.run(  # noqa: S603 — a program that the administrator installed
            [program, "--version"], capture_output=True, text=True, timeout=20
        ).stdout
        if found := re.search(r"\(PostgreSQL\) (\d+)", said):
            return int(found[1])
    return None


def _address(engine: Engine) -> tuple[str, dict[str, str]]:
    """Where the database is, as PostgreSQL's programs take it; the password apart, where nobody sees it."""
    _, found = engine.dialect.create_connect_args(engine.url)
    known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    given = {name: value for name, value in found.items() if name in known}
    password = given.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    return conninfo.make_conninfo(**given), environment


@contextmanager
def _running(
    words: list[str], feed: IO[bytes] | None = None, **options: object
) -> Iterator[IO[bytes]]:
    """What a program writes, while it writes it; `Unusable` with its own words where it fails."""
    with tempfile.TemporaryFile() as errors:
        stdin = {"stdin": subprocess.PIPE} if feed else {}
        process = subprocess.Popen(  # noqa: S603 — found by find_program; no shell
            words, stdout=subprocess.PIPE, stderr=errors, **stdin, **options
        )
        feeding = threading.Thread(target=_feed, args=(feed, process.stdin)) if feed else None
        try:
            if feeding:
                feeding.start()
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        finally:
            process.stdout.close()
            process.wait()
            if feeding:
                feeding.join()
        if process.returncode:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip()
            raise Unusable(f"{Path(words[0]).name} failed: {said}")


def _feed(source: IO[bytes], target: IO[bytes]) -> None:
    # A program that stops reading says itself why.
    with suppress(BrokenPipeError), target:
        shutil.copyfileobj(source, target, CHUNK)
