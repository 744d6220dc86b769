"""What the databases need for a backup, each in its own way, under the same names.

dump(engine, out, without)   the database at one moment, but for the rows of some tables: a connection to it,
                             and a function that writes it
damage(engine)               why the database can't be read, where its file is damaged
replacing(engine, source)    a transaction that at its end has put a new database in the old one's place
"""

from __future__ import annotations

from types import ModuleType

from sqlalchemy import Connection, Engine, delete, func, inspect, select, table

from brainstem.backups import revisions
from brainstem.backups.stores import postgresql, sqlite
from brainstem.core.resource import registry
from brainstem.core.search.entries import BEHIND_THE_MODELS
from brainstem.extensions import db


def store_of(engine: Engine) -> ModuleType:
    """The module for the database that an engine connects to."""
    return {"sqlite": sqlite, "postgresql": postgresql}[engine.dialect.name]


def tables(connection: Connection) -> list[str]:
    """The tables there are, by name; not those that the search index keeps for itself, nor Alembic's."""
    return sorted(
        name
        for name in inspect(connection).get_table_names()
        if name != revisions.TABLE and not name.startswith(BEHIND_THE_MODELS)
    )


def live_tables(connection: Connection) -> list[str]:
    """Those of the tables there are whose rows are of the running database alone."""
    models = db.metadata.tables
    return [each for each in tables(connection) if each in models and models[each].info.get("live")]


def forget_live(connection: Connection) -> None:
    """Remove who is signed in, and all else that is of a running database alone."""
    for name in live_tables(connection):
        connection.execute(delete(table(name)))


def count_rows(connection: Connection) -> dict[str, int]:
    """How many rows each table has, of those that are taken along."""
    live = live_tables(connection)
    return {
        name: connection.scalar(select(func.count()).select_from(table(name)))
        for name in tables(connection)
        if name not in live
    }


def has_records(connection: Connection) -> bool:
    """Whether anybody has entered anything yet: a user, or any record."""
    there = set(tables(connection))
    names = {resource.model.__tablename__ for resource in registry} & there
    return any(
        connection.execute(select(1).select_from(table(name)).limit(1)).first() for name in names
    )
