"""What SQLite needs to be asked for, so that it answers as PostgreSQL does."""

from flask import Flask
from sqlalchemy import Engine, event

from brainstem.extensions import db


def init_app(app: Flask) -> None:
    """Prepare the engine that the settings name."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)


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
            "busy_timeout=15000",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        # A transaction that reads first and writes later may fail half-way when another one wrote
        # in between; one that is going to write takes the lock at once and waits its turn.
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def unicode_lower(text: str | None) -> str | None:
    """Lower case for every alphabet, as PostgreSQL's ICU collations do."""
    return None if text is None else text.lower()
