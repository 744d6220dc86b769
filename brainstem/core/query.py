"""`filter{}`, `sort[]`, `include[]`, `limit`, `offset`, `page` → a select (contract §7).

A query is written in the wire format's names; the schema says what each one is. A field, operator or
value that does not fit is an error that names it; nothing is ever ignored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import ValidationError, fields
from sqlalchemy import ColumnElement, Select, case, false, func, not_, or_
from werkzeug.datastructures import MultiDict

from brainstem.core import search
from brainstem.core.conditions import column_of, condition, exists, field_of, whole_number
from brainstem.core.permissions import Actor, allowed, sees_parent
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import TIMES, Ref, RefList, unstorable
from brainstem.core.sql import planned_anew

V = TypeVar("V")
R = TypeVar("R")

PER_PAGE, MOST_PER_PAGE = 20, 100
#: The largest offset that every database takes; there is nothing behind it either.
FAR = 2**62

#: How far an include goes.
STEPS = 2

#: Statements of so many conditions are kept.
KEPT = 4


@dataclass
class Query:
    """A list query, understood: what to select, in which order, and which part of it."""

    where: list[ColumnElement[bool]] = field(default_factory=list)
    #: What is searched for besides: the words of all texts.
    words: list[str] = field(default_factory=list)
    #: Empty for the usual one (`usual_order`).
    order: list[ColumnElement] = field(default_factory=list)
    limit: int = PER_PAGE
    offset: int = 0
    #: Relations to show as records instead of ids: `{"behaviors": {"subjects": {}}}`.
    include: dict[str, dict] = field(default_factory=dict)
    #: What was asked, for `meta`.
    filters: dict[str, Any] = field(default_factory=dict)
    sort: list[str] = field(default_factory=list)
    #: What stands for `where` and `words`: for one actor, queries of the same key ask for the same records.
    key: Hashable | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.where or self.words)

    @property
    def of_few_words(self) -> bool:
        """Whether it asks for some words and nothing else: such statements are made once, and kept."""
        return not self.where and len(self.words) <= KEPT


#: What an address of one record takes.
FOR_ONE = ("include[]", "format")


def parse(
    actor: Actor, resource: Resource, args: MultiDict[str, str], *, one: bool = False
) -> Query:
    """The query that the arguments of an address spell; `ValidationError` names what does not fit.

    An address of `one` record takes its includes alone.
    """
    query, errors = Query(), {}
    for name in args:
        try:
            if one and name not in FOR_ONE:
                raise ValidationError("Unknown parameter.")
            _read(actor, resource, name, args, query)
        except ValidationError as error:
            errors[name] = error.messages
    if errors:
        raise ValidationError(errors)
    if one:
        return query
    if "page" in args:
        query.offset = min((query.offset - 1) * query.limit, FAR)
    if query.order:
        query.order.append(resource.model.id)
    else:
        query.sort = list(resource.sort)
    query.key = short(repr(query.filters))
    return query


def rules(actor: Actor, resource: Resource, asked: Query) -> list[ColumnElement[bool]]:
    """All that a query says of the records that it finds, as conditions on their model."""
    words = map(search.Word.of, asked.words)
    return [*asked.where, *([search.matching(actor, resource, words)] if asked.words else [])]


def narrowed(statement: Select, asked: Query, rules: Iterable[ColumnElement[bool]]) -> Select:
    """A statement with these `rules` of the query: planned for what is asked for.

    One of many conditions is not kept: it takes up to a megabyte, and nobody asks it again.
    """
    found = planned_anew(statement.where(*rules))
    return found.execution_options(seldom=len(asked.where) + len(asked.words) > KEPT)


def usual_order(actor: Actor, resource: Resource) -> list[ColumnElement]:
    """The order of lists that ask for none."""
    order = [each for name in resource.sort for each in order_by(actor, resource, name)]
    return [*order, resource.model.id]


def short(key: str) -> str:
    """A key that takes no more memory than another one, whatever an address says."""
    return hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()


FILTER = re.compile(r"filter\{(-?)([^{}]+)\}")


def _read(
    actor: Actor, resource: Resource, name: str, args: MultiDict[str, str], query: Query
) -> None:
    values = args.getlist(name)
    if any(map(unstorable, values)):
        raise ValidationError("Contains a character that can't be stored.")
    if match := FILTER.fullmatch(name):
        excluded, path = bool(match[1]), match[2].split(".")
        # A filter given twice must hold twice; `in` takes all its values together.
        groups = [values] if path[-1] == "in" else [[value] for value in values]
        for found in _each(groups, lambda group: condition(actor, resource, path, group)):
            query.where.append(not_(func.coalesce(found, false())) if excluded else found)
        query.filters[match[1] + match[2]] = values[0] if len(values) == 1 else values
    elif name == "sort[]":
        keys = _each(values, lambda value: list(order_by(actor, resource, value)))
        query.order, query.sort = [column for key in keys for column in key], values
    elif name == "include[]":
        _each(values, lambda value: _include(resource, value, query.include))
    elif name not in ("limit", "per_page", "offset", "page", "format"):
        raise ValidationError("Unknown parameter.")
    elif len(values) > 1:
        raise ValidationError("Give one.")
    elif name == "format":
        if values != ["json"]:
            raise ValidationError("A format is json; of a whole list also jsonl, or csv.")
    elif name in ("limit", "per_page"):
        if {"limit", "per_page"} <= args.keys():
            raise ValidationError("Give limit or per_page, not both.")
        query.limit = whole_number(values[0], least=1, most=MOST_PER_PAGE)
    elif {"offset", "page"} <= args.keys():
        raise ValidationError("Give a page or an offset, not both.")
    else:
        # A page's number becomes its offset when all is read: see `parse`.
        query.offset = min(whole_number(values[0], least=int(name == "page")), FAR)


def _each(values: list[V], read: Callable[[V], R]) -> list[R]:
    """All the values, read; or all that is wrong with them."""
    found, wrong = [], []
    for value in values:
        try:
            found.append(read(value))
        except ValidationError as error:
            wrong += error.messages
    if wrong:
        raise ValidationError(list(dict.fromkeys(wrong)))
    return found


def order_by(actor: Actor, resource: Resource, text: str) -> Iterable[ColumnElement]:
    """The columns of a sort key; empty values come last both ways, and so does what is unseen."""
    name = text.removeprefix("-")
    found = field_of(resource, name)
    if isinstance(found, Ref) and sees_parent(resource, name):
        column = getattr(resource.model, f"{name}_id")
    elif isinstance(found, Ref):
        relation, column = getattr(resource.model, name), getattr(resource.model, f"{name}_id")
        target = registry.get(found.kind)
        column = case((exists(relation, allowed(actor, target)), column))
    else:
        column = column_of(resource, name, found)
    ordered = column.desc() if text.startswith("-") else column.asc()
    if found.required or name in TIMES:
        yield ordered
    elif isinstance(found, fields.String):
        yield case((or_(column.is_(None), column == ""), 1), else_=0)
        yield ordered
    else:
        # An index serves this form on both databases.
        yield ordered.nulls_last()


def _include(resource: Resource, value: str, tree: dict[str, dict]) -> None:
    """Put a relation to show as records into the tree: two steps, or there and back answers would explode."""
    kind, branch, path = resource, tree, value.removesuffix(".*").split(".")
    if len(path) > STEPS:
        raise ValidationError(f"{value!r} goes more than {STEPS} steps.")
    for name in path:
        found = kind and kind.schema._declared_fields.get(name)
        if not isinstance(found, Ref | RefList):
            raise ValidationError(f"There is nothing to include at {value!r}.")
        branch = branch.setdefault(name, {})
        kind = registry.get(found.kind)
