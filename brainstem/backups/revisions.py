"""Which revision a database is at, and the transaction in which that changes.

All of an upgrade is one transaction, however many revisions it goes: it leads to the last one or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, Engine, text

from brainstem import health
from brainstem.database import in_memory, set_up_sqlite
from brainstem.errors import ProgramError
from brainstem.extensions import db

#: Alembic's own table, which says the revision.
TABLE = "alembic_version"

#: Names the one lock that whoever changes the structure of a PostgreSQL database holds.
LOCK = 0x42_53_54_45_4D

#: As long waits one who starts while another one migrates. In seconds.
PATIENCE = 600


class NewerDatabase(ProgramError):
    """The database was made by a newer version of the program, or by another one."""


#: The revision that a database is at (none without tables), and the one that this program works with.
current, head = health.revision, health.expected


def known(revision: str) -> bool:
    """Whether this program has a migration of that name."""
    try:
        return _scripts().get_revision(revision) is not None
    except CommandError:
        return False


def require_known(revision: str | None) -> None:
    """`NewerDatabase` for a database that this program does not understand."""
    if revision is not None and not known(revision):
        raise NewerDatabase(
            f"The database is newer than this program: it is at revision {revision}, the program "
            f"knows those up to {head()}. Nothing was changed. Put the newer version of the program "
            "here, or set DATABASE_URL to another database."
        )


@contextmanager
def changing(engine: Engine | None = None) -> Iterator[Connection]:
    """A transaction that may change the structure of the database; no other one does so meanwhile.

    SQLite alters many things by building a table anew: foreign keys rest meanwhile, as its documentation
    asks, or what names the old table's rows would be deleted with it. They are checked at the end.
    """
    engine = engine or db.engine
    sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if sqlite:
            driver = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")
            driver.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")
        try:
            with connection.execution_options(write=True).begin():
                if not sqlite:
                    _alone(connection)
                yield connection
                if sqlite and (stray := connection.execute(text("PRAGMA foreign_key_check")).all()):
                    tables = ", ".join(sorted({row[0] for row in stray}))
                    raise ProgramError(f"Rows would be left that name nothing, in: {tables}.")
        finally:
            if sqlite and in_memory(engine.url):
                set_up_sqlite(driver)
            elif sqlite:
                # Not for whoever gets this connection from the pool next.
                connection.invalidate()


def _alone(connection: Connection) -> None:
    """Wait for others that migrate; then nothing here is cut short, for it may take its time."""
    for setting, value in (
        ("lock_timeout", f"{PATIENCE}s"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
    ):
        connection.execute(text(f"SET LOCAL {setting} = '{value}'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the database up to a revision, within a transaction of `changing`."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _config() -> Config:
    return current_app.extensions["migrate"].migrate.get_config()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
