"""What SQLite needs to be asked for, so that it answers as PostgreSQL does."""

from flask import Flask
from psycopg import IsolationLevel
from sqlalchemy import Connection, Engine, event

from brainstem import turns
from brainstem.extensions import db

#: How long a transaction waits for another one that holds what it needs. In seconds.
PATIENCE = 15


def init_app(app: Flask) -> None:
    """Prepare the engine that the settings name."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
        else:
            prepare_postgresql(db.engine)


def prepare_sqlite(engine: Engine) -> None:
    """Foreign keys, the write-ahead log, full synchronisation, transactions as we begin them."""

    @event.listens_for(engine, "connect")
    def connect(connection, _record) -> None:
        # The driver would begin transactions late, at the first change: `begin` below does it.
        connection.isolation_level = None
        # SQLite's own lower() knows ASCII only.
        connection.create_function("unicode_lower", 1, unicode_lower, deterministic=True)
        for pragma in (
            "foreign_keys=ON",
            "journal_mode=WAL",
            "synchronous=FULL",
            f"busy_timeout={PATIENCE * 1000}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        # A transaction that reads first and writes later may fail half-way when another one wrote
        # in between; one that is going to write takes the lock at once and waits its turn.
        if connection.get_execution_options().get("write"):
            turns.begin(connection, PATIENCE)
        else:
            connection.exec_driver_sql("BEGIN")


def prepare_postgresql(engine: Engine) -> None:
    """Begin each transaction as PostgreSQL usually does; `_read_one_moment` comes after it."""

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        _isolate(connection, None)


@event.listens_for(db.session, "after_begin")
def _read_one_moment(_session, _transaction, connection) -> None:
    """Let all that a request reads on PostgreSQL be of one moment, as it is on SQLite.

    A list takes several statements; in between, somebody moves or deletes what the first one found. An
    operation that writes goes on seeing, statement by statement, what others have stored.
    """
    write = connection.get_execution_options().get("write")
    if connection.dialect.name == "postgresql" and not write:
        _isolate(connection, IsolationLevel.REPEATABLE_READ)


def _isolate(connection: Connection, level: IsolationLevel | None) -> None:
    # For the BEGIN that the driver sends with the first statement: this itself asks the server nothing.
    driver = connection.connection.dbapi_connection
    if driver.isolation_level != level:
        driver.isolation_level = level


def unicode_lower(text: str | None) -> str | None:
    """Lower case for every alphabet, as PostgreSQL's ICU collations do."""
    return None if text is None else text.lower()
