"""How many records a list has in all: counted anew only when something has changed.

To count is to look at every record that matches, however small the page: with 100,000 sessions it took
80 of the 90 ms of a list. So a count is remembered with the state of the database that it was made in,
which the database says itself, and within the same transaction or statement as the page: a count is
always the one of the page that it stands beside.
"""

from __future__ import annotations

from collections.abc import Hashable
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, null

from brainstem.extensions import db

#: How many counts are remembered: a state has as many as there are people and lists that they look at.
MOST = 1000

#: What is visible to a statement, in words: two statements with the same words see the same data. A
#: replica's words don't say everything, so there it is counted each time.
SNAPSHOT = literal_column(
    "(SELECT CASE WHEN NOT pg_is_in_recovery() THEN CAST(pg_current_snapshot() AS text) END)"
)


class Memory:
    """The counts of one state of a database."""

    def __init__(self) -> None:
        self.state: Hashable = None
        self.counts: dict[Hashable, int] = {}

    def get(self, state: Hashable, key: Hashable) -> int | None:
        return self.counts.get(key) if state is not None and state == self.state else None

    def put(self, state: Hashable, key: Hashable, count: int) -> None:
        if state != self.state or len(self.counts) >= MOST:
            self.state, self.counts = state, {}
        self.counts[key] = count


#: PostgreSQL's, for all connections; SQLite says what changed to each connection in its own way.
_memories: WeakKeyDictionary[object, Memory] = WeakKeyDictionary()


def state_column() -> ColumnElement:
    """A column that says which state of the database the statement sees, where a column can."""
    return SNAPSHOT if db.engine.dialect.name == "postgresql" else null()


def total(matching: Select, key: Hashable | None, state: str | None) -> int:
    """How many rows a select has.

    `key` stands for the select: those of the same key are the same. `state` is what `state_column` said
    beside the rows of the page, where there were any.
    """
    connection = db.session.connection()
    counted = matching.with_only_columns(func.count(), state_column(), maintain_column_froms=True)
    if key is None or "operation" in db.session.info:
        # What an operation has written itself is no state of the database, and may be taken back.
        return db.session.execute(counted).first()[0]
    memory = _memory(connection)
    state = state or _state(connection)
    found = memory.get(state, key)
    if found is None:
        found, its_state = db.session.execute(counted).first()
        memory.put(its_state or state, key, found)
    return found


def _memory(connection: Connection) -> Memory:
    if connection.dialect.name == "postgresql":
        return _memories.setdefault(connection.engine, Memory())
    return connection.info.setdefault("counts", Memory())


def _state(connection: Connection) -> Hashable:
    """What SQLite says of the transaction: what others stored before it, what the connection itself did."""
    if connection.dialect.name != "sqlite":
        return None
    others = connection.exec_driver_sql("PRAGMA data_version").scalar()
    return others, connection.connection.driver_connection.total_changes
