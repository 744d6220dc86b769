"""How many records a list has in all: counted anew only when something has changed.

To count is to look at every record that matches, however small the page: with 100,000 sessions it took
80 of the 90 ms of a list. So a count is remembered with the state of the database that it was made in,
which the database says itself, and within the same transaction or statement as the page: a count is
always the one of the page that it stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, String, Transaction, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from brainstem.core.transactions import execute
from brainstem.extensions import db

#: How many counts are remembered: of as many people, and lists that they look at; the oldest goes first.
MOST = 1000


class state_of_data(GenericFunction):
    """What the statement sees, in words, where the database can say it so: see `total`."""

    type = String()
    inherit_cache = True


@compiles(state_of_data, "postgresql")
def _(element: state_of_data, compiler: Any, **options: Any) -> str:
    # Two statements with the same snapshot see the same data; but a replica's does not say everything.
    snapshot = "CASE WHEN NOT pg_is_in_recovery() THEN CAST(pg_current_snapshot() AS text) END"
    return f"(SELECT {snapshot})"


@compiles(state_of_data, "sqlite")
def _(element: state_of_data, compiler: Any, **options: Any) -> str:
    return "NULL"


class Memory:
    """The last counts, each with the state of the database that it was made in."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.counts: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, state: Hashable, key: Hashable) -> Any:
        found = self.counts.get(key)
        return found[1] if found and state is not None and state == found[0] else None

    def last(self, key: Hashable) -> Any:
        """What it was when it was last counted."""
        found = self.counts.get(key)
        return found and found[1]

    def put(self, state: Hashable, key: Hashable, count: Any) -> None:
        with self.lock:
            if key not in self.counts and len(self.counts) >= MOST:
                del self.counts[next(iter(self.counts))]
            self.counts[key] = state, count


#: PostgreSQL's, for all connections; SQLite says what changed to each connection in its own way.
_memories: WeakKeyDictionary[object, Memory] = WeakKeyDictionary()
#: What PostgreSQL's transactions see: it stays the same as long as they last.
_states: WeakKeyDictionary[Transaction, Hashable] = WeakKeyDictionary()


def total(
    matching: Callable[[], Select],
    params: dict[str, Any],
    key: Hashable | None,
    state: str | None = None,
) -> int:
    """How many rows a select has, whatever its order, and without its limits.

    `key` stands for the select and its parameters: those of the same key are the same. `state` is the
    `state_of_data` beside the rows of the page, where there were any.
    """
    return remembered(key, lambda: _count(matching(), params), state)


def last(key: Hashable) -> int | None:
    """A `total` as it was the last time, which may be long ago; None where it is not known."""
    return _memory(db.session.connection()).last(key)


def remembered(
    key: Hashable | None, find: Callable[[], tuple[Any, str | None]], state: str | None = None
) -> Any:
    """What `find` finds, with the `state_of_data` that it saw; as long as nothing changes, what it found.

    For what takes long and grows with the lab: counts, and what there is to choose from. As for `total`,
    `key` stands for all that it depends on, and may be None.
    """
    if key is None or "operation" in db.session.info:
        # What an operation has written itself is no state of the database, and may be taken back.
        return find()[0]
    connection = db.session.connection()
    memory = _memory(connection)
    state = state or _state(connection)
    found = memory.get(state, key)
    if found is None:
        found, its_state = find()
        memory.put(its_state or state, key, found)
    return found


def _count(matching: Select, params: dict[str, Any]) -> Any:
    every = matching.order_by(None).limit(None).offset(None)
    counted = every.with_only_columns(func.count(), state_of_data(), maintain_column_froms=True)
    return execute(counted, params).first()


def forget(engine: Engine) -> None:
    """Remember nothing of before: a server that comes back may call another state by the same words."""
    _memories.pop(engine, None)


def _memory(connection: Connection) -> Memory:
    if connection.dialect.name == "postgresql":
        return _memories.setdefault(connection.engine, Memory())
    return connection.info.setdefault("counts", Memory())


def _state(connection: Connection) -> Hashable:
    """The state that the transaction sees. SQLite says what others stored before it, and what the
    connection itself did."""
    if connection.dialect.name != "sqlite":
        transaction = connection.get_transaction()
        if transaction not in _states:
            _states[transaction] = connection.scalar(select(state_of_data()))
        return _states[transaction]
    others = connection.exec_driver_sql("PRAGMA data_version").scalar()
    return others, connection.connection.driver_connection.total_changes
