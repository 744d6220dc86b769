"""SQLite: its online backup copies a database while others write to it, and puts one in another's place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import click
from sqlalchemy import Connection, Engine, create_engine

from brainstem.backups import revisions
from brainstem.backups.archive import CHUNK, DUMPS, Hashing, Unusable, sync_folder, told
from brainstem.core.times import utcnow
from brainstem.database import prepare_sqlite
from brainstem.errors import ProgramError

DUMP = DUMPS["sqlite"]
PACKED = False


@contextmanager
def dump(
    engine: Engine, out: Path, without: Iterable[str]
) -> Iterator[tuple[Connection, Callable[[Hashing], None]]]:
    """The database as it is at one moment: a connection to look at it, and what writes it into a file.

    It is copied beside `out` first: the copy is one moment's, and has to be whole before it is packed.
    """
    with scratch(out) as copy:
        try:
            with (
                closing(sqlite3.connect(_file(engine))) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                # All at once: in parts it would begin anew with each write of somebody else's.
                source.backup(target)
                # A database in one file, whoever opens it.
                target.execute("PRAGMA journal_mode=DELETE")
                # Overwritten, not only taken out of the table.
                target.execute("PRAGMA secure_delete=ON")
                for name in without:
                    target.execute(f'DELETE FROM "{name}"')  # noqa: S608 — a table of ours
                target.commit()
        except sqlite3.Error as error:
            raise Unusable(f"The database can't be copied: {error}.") from None
        prove(copy)

        def write(target: Hashing) -> None:
            with copy.open("rb") as file:
                shutil.copyfileobj(file, target, CHUNK)

        with _opened(copy) as copied, copied.connect() as connection:
            yield connection, write


@contextmanager
def replacing(engine: Engine, source: IO[bytes] | None = None) -> Iterator[Connection]:
    """A transaction on a new database, which at its end takes the place of the one there is.

    It holds what the dump `source` has, or nothing. It is made beside the old one and put in its place in
    one transaction of SQLite's own: at any moment there is the old one or the new one, and a server that
    runs sees the change as it sees any other. One that is damaged can't take part: it is set aside.
    """
    place = _file(engine).resolve()
    with scratch(place) as draft:
        if source is not None:
            with draft.open("wb") as file:
                shutil.copyfileobj(source, file, CHUNK)
            prove(draft)
        with _opened(draft) as fresh, revisions.changing(fresh) as connection:
            yield connection
        prove(draft)
        if damage(engine):
            # Who closes a connection to it later would remove the log of the new one.
            engine.dispose()
            _set_aside(place, draft)
        else:
            _take_place(draft, place)


def damage(engine: Engine) -> str | None:
    """What SQLite finds wrong with the database there is. Looking changes neither it nor its logs."""
    place = _file(engine).absolute()
    if not place.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{place.as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        # The others pass, or are told by whoever meets them.
        damaged = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        return str(error) if damaged else None
    return None if found == "ok" else " ".join(found.split())


def _set_aside(place: Path, draft: Path) -> None:
    """Give a damaged database another name, and its logs: something may be got out of it yet."""
    aside = place.with_name(f"{place.name}.damaged-{utcnow():%Y%m%dT%H%M%SZ}")
    with told(place):
        before = place.stat()
        with draft.open("rb+") as file:
            os.fchmod(file.fileno(), 0o600)
            # Restored by root, it is the server's user's all the same.
            with suppress(PermissionError):
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            os.fsync(file.fileno())
        # The logs first: left beside the new one, they would be taken for its own.
        for ending in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                place.with_name(place.name + ending).rename(aside.with_name(aside.name + ending))
        draft.rename(place)
        sync_folder(place.parent)
    click.echo(f"The damaged database is kept as {aside}, with what was beside it.", err=True)


def _take_place(draft: Path, place: Path) -> None:
    deadline = time.monotonic() + 60

    def wait(_status: int, _remaining: int, _total: int) -> None:
        if time.monotonic() > deadline:
            raise ProgramError(
                "The database is in use all the time: stop the server first. Nothing was changed."
            )

    try:
        with closing(sqlite3.connect(draft)) as new, closing(sqlite3.connect(place)) as old:
            old.execute("PRAGMA synchronous=FULL")
            new.backup(old, progress=wait)
    except sqlite3.Error as error:
        raise ProgramError(
            f"The database can't be put in place: {error}. It is as it was before."
        ) from None


def prove(path: Path) -> None:
    """`Unusable` for a file that SQLite finds anything wrong with."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(5)")]
    except sqlite3.Error as error:
        found = [str(error)]
    if found != ["ok"]:
        raise Unusable(f"SQLite says that the database is damaged: {'; '.join(found)}.")


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """A name for a file beside another one, which nobody else can read, gone with all of it afterwards."""
    with tempfile.TemporaryDirectory(prefix=f".{beside.name}.", dir=beside.parent) as folder:
        yield Path(folder) / DUMP


@contextmanager
def _opened(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    prepare_sqlite(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def _file(engine: Engine) -> Path:
    name = engine.url.database
    if not name or name == ":memory:":
        raise ProgramError("The database is in memory only: there is nothing to back up.")
    return Path(name)
