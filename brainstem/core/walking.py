"""Lists of which much matches: their first pages are found by going through the list in its order.

Usually what a filter or a search finds is looked up, each of it asked for its rights, and put in order: the
more there is of it, the longer that takes. Of 3,000 sessions of a project, among 100,000, it took 14 ms on
SQLite; of 37,000 with a word, 200. Where so much matches, the first 20 soon come up: that takes 1 ms, or 17.

They come up late where all of them stand at the end of the list. So nobody looks for longer than it would
take to look them up, and does that then: the answer is the same either way. PostgreSQL knows from its
statistics when to go through a list; but of searches it knows nothing.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BinaryExpression,
    Column,
    ColumnElement,
    Integer,
    Row,
    ScalarSelect,
    Select,
    bindparam,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.operators import in_op
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from brainstem.core import query, search
from brainstem.core.permissions import Actor, allowed, anybody
from brainstem.core.resource import Resource
from brainstem.core.sql import is_of_few, unindexed
from brainstem.core.transactions import execute
from brainstem.extensions import db

#: It is much where so many times as much matches as is wanted.
MANY = 30
#: SQLite's steps to look up one record that matches; in so many parts it is asked whether they are done.
STEPS, PARTS = 30, 20
#: PostgreSQL reads so many times as many records as are wanted, and looks for the words in those; then in
#: so many.
FIRST = (4, 15)
READ = bindparam("read", type_=Integer(), literal_execute=True)


def pays(asked: query.Query, matching: int) -> bool:
    """Whether this may be a good way to a page of a list of which so much is matching."""
    much = matching > MANY * (asked.offset + asked.limit)
    return much and bool(asked.words or (asked.where and db.engine.name == "sqlite"))


def statement(
    actor: Actor,
    resource: Resource,
    every: Select,
    words: int,
    where: Sequence[ColumnElement[bool]] = (),
    order: ColumnElement | None = None,
) -> Select:
    """What of a list is readable, and answers to a query: asked of one record after the other.

    `every` is the list before anything is left out; where filters narrow it, its `order` is by this first of
    all. It is asked with as many `words`, spelled (`search.spelled`).
    """
    sought = map(search.Word.any, range(words))
    held = [search.holding_all(actor, resource, sought)] if words else []
    readable = _readable(anybody(actor), resource)
    if db.engine.name == "sqlite":
        # Filters are asked before the rights, and leave little to ask; words after them: they take longer.
        return every.where(*(_not_looked_up(rule, order) for rule in where), readable, *held)
    page = every.where(readable)
    first = page.with_only_columns(resource.model.id).limit(READ).offset(None)
    return page.where(*where, *held, is_of_few(resource.model.id, first))


def rows(
    through: Select, asked: query.Query, values: dict[str, Any], matching: int
) -> list[Row] | None:
    """A page of a list by its `statement`; None where this is no good way to it after all."""
    if db.engine.name == "sqlite":
        return _within(matching * STEPS, through, values)
    for times in FIRST:
        read = min(times * (asked.offset + asked.limit), query.FAR)
        found = execute(through, values | {READ.key: read}).all()
        if len(found) == asked.limit:
            return found
    return None


_readable = lru_cache(1000)(allowed)


def _not_looked_up(rule: ColumnElement[bool], order: ColumnElement) -> ColumnElement[bool]:
    """The rule, in words by which no index is used, but for the one that the list is read in."""
    columns = {each for each in iterate(order) if isinstance(each, Column)}

    def hidden(element: Any, **_: Any) -> Any:
        if isinstance(element, SelectBase):
            return element
        if isinstance(element, BinaryExpression) and element.operator is in_op:
            return _linked(element.left, element.right)
        if isinstance(element, Column) and element not in columns:
            return unindexed(element)
        return None

    return replacement_traverse(rule, {}, hidden)


def _linked(key: ColumnElement, found: ColumnElement) -> ColumnElement[bool] | None:
    """Whether links name a record, asked of the record: SQLite would put down all that they name first."""
    links = found.element if isinstance(found, ScalarSelect) else None
    if not (
        isinstance(links, Select) and all(each.foreign_keys for each in links.selected_columns)
    ):
        return None
    (owner,) = links.selected_columns
    return links.where(owner == key).correlate(key.table).exists()


def _within(steps: int, statement: Select, values: dict[str, Any]) -> list[Row] | None:
    """What SQLite finds; None where it takes more steps than these."""
    # Nothing is written meanwhile: an interrupted write would take the whole transaction back.
    db.session.flush()
    connection = db.session.connection()
    driver = connection.connection.dbapi_connection
    # Counted here: a statement that is asked again goes on with SQLite's own count of its steps.
    parts = itertools.count(1)
    driver.set_progress_handler(lambda: next(parts) > PARTS, max(steps // PARTS, 1))
    try:
        return execute(statement, values).all()
    except OperationalError as error:
        if error.orig.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        driver.set_progress_handler(None, 0)
