"""Whether the program can do its work: can the database be reached, is it what this program expects?"""

from __future__ import annotations

from functools import cache

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from brainstem.config import ROOT
from brainstem.database import in_memory
from brainstem.extensions import db

#: How long each step of a check may take, in seconds: whoever asks does not wait for long either.
PATIENCE = 2

OK, NO_ANSWER, UNKNOWN = "ok", "does not answer", "unknown"


def ready() -> dict[str, str]:
    """What the work needs, each `OK` or with what is wrong with it; no names and no addresses."""
    try:
        # A connection of its own: those of the pool may all be busy, or older than the trouble.
        with _engine().connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL statement_timeout = '{PATIENCE}s'"))
            current = revision(connection)
    except SQLAlchemyError:
        return {"database": NO_ANSWER, "migrations": UNKNOWN}
    return {"database": OK, "migrations": OK if current == expected() else behind(current)}


def behind(current: str | None) -> str:
    """What is to be done about a database at another revision."""
    there = f"the database is at {current or 'none'}"
    return f"{there}, this program works with {expected()}: upgrade whichever is older"


def revision(connection: Connection) -> str | None:
    """The revision of the migrations that the database is at."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def expected() -> str:
    """The revision that this program works with."""
    return ScriptDirectory(str(ROOT / "migrations")).get_current_head() or ""


def _engine() -> Engine:
    url = db.engine.url
    if in_memory(url):  # another connection would have a database of its own
        return db.engine
    # How the two drivers call it.
    name = "timeout" if url.get_backend_name() == "sqlite" else "connect_timeout"
    return create_engine(url, poolclass=NullPool, connect_args={name: PATIENCE})
