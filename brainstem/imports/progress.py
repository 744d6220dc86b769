"""How far an import is, for whoever asks meanwhile, in whatever process.

While an import writes, its own transaction can't tell: nobody sees it before it ends. PostgreSQL takes
the note on a connection of its own. SQLite has one writer at a time, and that is the import: there a small
file beside the database takes it, which every process on the machine can read.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from brainstem.core.times import utcnow
from brainstem.extensions import db

#: How often an import says that it is alive, in seconds.
BEAT = 10
#: One that has not been heard of for so long is not running any more.
SILENCE = timedelta(seconds=90)


def note(table: type, run_id: uuid.UUID, done: int | None = None) -> None:
    """So many rows are done, or without a number: the import is alive.

    It is but a note: an import goes on where it can't be taken.
    """
    with suppress(SQLAlchemyError, OSError):
        if (path := _file(run_id)) is None:
            values = {"beat": utcnow()} | ({} if done is None else {"done": done})
            with db.engine.begin() as connection:
                connection.execute(update(table).where(table.id == run_id).values(**values))
        elif done is None:
            path.touch()
        else:
            path.write_text(str(done))


@contextmanager
def heard(table: type, run_id: uuid.UUID) -> Iterator[None]:
    """Say meanwhile, every few seconds, that the import is alive, however long one step of it takes."""
    app, over = current_app._get_current_object(), threading.Event()

    def beat() -> None:
        while not over.wait(BEAT):
            with app.app_context():
                note(table, run_id)

    thread = threading.Thread(target=beat, name=f"heartbeat {run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def latest(run_id: uuid.UUID, done: int, beat: datetime) -> tuple[int, datetime]:
    """How many rows are done and when that was said, where the database says `done` and `beat`."""
    path = _file(run_id)
    try:
        if path is not None:
            text, said = path.read_text(), datetime.fromtimestamp(path.stat().st_mtime, UTC)
            return int(text) if text.isdecimal() else done, max(said, beat)
    except OSError:
        pass
    return done, beat


def forget(run_id: uuid.UUID) -> None:
    """Leave nothing behind."""
    if (path := _file(run_id)) is not None:
        path.unlink(missing_ok=True)


def _file(run_id: uuid.UUID) -> Path | None:
    """Where SQLite's imports tell; None on other databases."""
    if db.engine.dialect.name != "sqlite":
        return None
    database = Path(db.engine.url.database)
    return database.with_name(f"{database.name}-import-{run_id}")
