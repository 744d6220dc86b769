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
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, Select
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.sql.visitors import iterate, replacement_traverse

from brainstem.core import query
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.core.sql import is_of_few, unindexed
from brainstem.core.transactions import execute
from brainstem.extensions import db

#: It is much where so many times as much matches as is wanted.
MANY = 30
#: SQLite's steps to look up one record that matches; in so many parts it is asked whether they are done.
STEPS, PARTS = 30, 20
#: PostgreSQL reads so many times as many records as are wanted, and looks for the words in those.
FIRST = 15


def first_of_many(
    actor: Actor,
    resource: Resource,
    asked: query.Query,
    page: Select,
    values: dict[str, Any],
    matching: int,
) -> list[Row] | None:
    """The rows of a page of a list, of which so much is matching; None where this is no good way to them.

    `page` is the list in its order, before anything is left out.
    """
    wanted = asked.offset + asked.limit
    on_sqlite = db.engine.dialect.name == "sqlite"
    if matching <= MANY * wanted or not (asked.texts or (on_sqlite and asked.where)):
        return None
    rules = query.rules(actor, resource, asked, one_by_one=True)
    if on_sqlite:
        first = (asked.order or query.usual_order(actor, resource))[0]
        rules = [_not_looked_up(rule, first) for rule in rules]
        return _within(matching * STEPS, page.where(*rules), values)
    first = page.with_only_columns(resource.model.id).limit(FIRST * wanted).offset(None)
    rules.append(is_of_few(resource.model.id, first))
    rows = execute(page.where(*rules), values).all()
    return rows if len(rows) == asked.limit else None


def _not_looked_up(rule: ColumnElement[bool], order: ColumnElement) -> ColumnElement[bool]:
    """The rule, in words by which no index is used, but for the one that the list is read in."""
    columns = {each for each in iterate(order) if isinstance(each, Column)}

    def hidden(element: Any, **_: Any) -> Any:
        if isinstance(element, SelectBase):
            return element
        if isinstance(element, Column) and element not in columns:
            return unindexed(element)
        return None

    return replacement_traverse(rule, {}, hidden)


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
        return connection.execute(statement, values).all()
    except OperationalError as error:
        if error.orig.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return None
    finally:
        driver.set_progress_handler(None, 0)
