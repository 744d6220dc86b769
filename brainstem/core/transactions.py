"""One transaction an operation: all of it is stored, or nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import CursorResult, Executable, Insert, Table, insert
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from brainstem import outages
from brainstem.extensions import db
from brainstem.outages import CommitUnknown

P = ParamSpec("P")
R = TypeVar("R")
K = TypeVar("K")
V = TypeVar("V")

TRIES = 4


def execute(statement: Executable, values: Any = None) -> CursorResult:
    """Execute a statement of columns, or one that writes rows, in the transaction under way.

    `db.session.execute` looks for objects among the columns, and takes 0.2 ms to find none: of reading one
    record through the API, with its token, a quarter. What is `seldom` asked (`query.narrowed`) is not kept.
    """
    db.session.flush()
    seldom = statement.get_execution_options().get("seldom")
    options = {"compiled_cache": None} if seldom else None
    return db.session.connection().execute(statement, values, execution_options=options)


@functools.cache
def insert_into(table: Table) -> Insert:
    """A statement that writes rows, or one, into a table."""
    return insert(table)


def operation(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function in a transaction of its own; inside another operation, as a part of that one.

    Where another transaction got in between (a name taken since it was checked, a deadlock), the
    database refuses, and the operation runs again from its beginning: then its own checks see what
    happened and say it in words, by field. Likewise where the connection was lost before the end.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if "operation" in db.session.info:
            return function(*args, **kwargs)
        for last in [False] * (TRIES - 1) + [True]:
            db.session.info["operation"] = {"later": {}}
            try:
                # What was read so far (who is signed in) ends here: a transaction that writes begins
                # as one, and sees all that was stored before it began.
                db.session.commit()
                at_once = "at_once" in db.session.info
                db.session.connection(execution_options={"write": True, "at_once": at_once})
                result = function(*args, **kwargs)
                write_out()
                _commit()
                if not at_once:
                    db.session.info["stored"] = True
                return result
            except DBAPIError as error:
                db.session.rollback()
                if last or not can_run_again(error):
                    raise
            except BaseException:
                db.session.rollback()
                raise
            finally:
                # What was done stays known until the next operation: a page offers to undo it.
                db.session.info["last"] = db.session.info.pop("operation")
        raise AssertionError("unreachable")

    return run


@contextmanager
def if_possible() -> Iterator[None]:
    """For what is worth a note, but is no reason to refuse a request: where the database is busy, full or
    can only be read, it is left out, and not waited for."""
    db.session.info["at_once"] = True
    try:
        yield
    except SQLAlchemyError as error:
        if not outages.of(error):
            raise
        db.session.rollback()
    finally:
        db.session.info.pop("at_once", None)


@contextmanager
def in_bulk() -> Iterator[None]:
    """Within an operation: ask the database once for what `recalled` asks for again and again, and write
    what is written `together` at the end.

    For whoever stores hundreds of records that name the same few others, changes none of those, and
    looks at none of the new ones before the end.
    """
    work = db.session.info["operation"]
    work["memory"] = {}
    try:
        yield
        write_out()
    finally:
        del work["memory"]


def together(topic: Hashable, rows: list[V], write: Callable[[list[V]], Any]) -> None:
    """Write rows: now, or `in_bulk` at the end, with all others of the topic at once."""
    if "memory" in db.session.info["operation"]:
        at_the_end(topic, rows, write)
    else:
        write(rows)


def at_the_end(topic: Hashable, rows: list[V], write: Callable[[list[V]], Any]) -> None:
    """Write rows that nobody looks at before the operation ends, with all others of the topic at once."""
    later = db.session.info["operation"]["later"]
    later.setdefault(topic, (write, []))[1].extend(rows)


def write_out() -> None:
    """Write now what is kept for the end."""
    later = db.session.info["operation"]["later"]
    while later:
        write, rows = later.pop(next(iter(later)))
        write(rows)


def recalled(
    topic: Hashable, keys: Iterable[K], find: Callable[[list[K]], Mapping[K, V]]
) -> dict[K, V]:
    """What `find` finds of the keys, by key; `in_bulk`, each is found once.

    What is not found is looked for anew each time: it may be made in between.
    """
    keys = list(keys)
    memory = db.session.info.get("operation", {}).get("memory")
    if memory is None:
        return dict(find(keys)) if keys else {}
    known = memory.setdefault(topic, {})
    if unknown := [key for key in keys if key not in known]:
        known.update(find(unknown))
    return {key: known[key] for key in keys if key in known}


def _commit() -> None:
    """Store it. `CommitUnknown` where the connection was lost meanwhile: nobody may do it again then."""
    db.session.flush()
    try:
        db.session.commit()
    except DBAPIError as error:
        if error.connection_invalidated or outages.of(error) is outages.AWAY:
            raise CommitUnknown("The connection was lost during a commit") from error
        raise


def can_run_again(error: DBAPIError) -> bool:
    """Whether nothing was stored, and the next try may end otherwise: another transaction is to blame
    (a constraint, a deadlock, a serialisation failure), or the connection was lost."""
    state = getattr(error.orig, "sqlstate", None) or ""
    in_between = isinstance(error, IntegrityError) or state.startswith("40")
    lost = error.connection_invalidated or state in ("57P01", "57P02")
    return in_between or lost
