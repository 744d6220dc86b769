"""`filter{}`, `sort[]`, `include[]`, `limit`, `offset`, `page` → a select (contract §7).

A query is written in the wire format's names; the schema says what each one is. A field, operator or
value that does not fit is an error that names it; nothing is ever ignored.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError, fields
from sqlalchemy import ColumnElement, case, false, func, not_, or_
from werkzeug.datastructures import MultiDict

from brainstem.core import search
from brainstem.core.conditions import column_of, condition, exists, field_of, whole_number
from brainstem.core.permissions import Actor, allowed, sees_parent
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import TIMES, Ref, RefList, unstorable

PER_PAGE, MOST_PER_PAGE = 20, 100
#: The largest offset that every database takes; there is nothing behind it either.
FAR = 2**62

#: How far an include goes.
STEPS = 2


@dataclass
class Query:
    """A list query, understood: what to select, in which order, and which part of it."""

    where: list[ColumnElement[bool]] = field(default_factory=list)
    #: What is searched for besides: the words of each text.
    texts: list[str] = field(default_factory=list)
    #: Empty for the usual one (`usual_order`).
    order: list[ColumnElement] = field(default_factory=list)
    limit: int = PER_PAGE
    offset: int = 0
    #: Relations to show as records instead of ids: `{"behaviors": {"subjects": {}}}`.
    include: dict[str, dict] = field(default_factory=dict)
    #: What was asked, for `meta`.
    filters: dict[str, Any] = field(default_factory=dict)
    sort: list[str] = field(default_factory=list)
    #: What stands for `where` and `texts`: for one actor, queries of the same key ask for the same records.
    key: Hashable | None = None

    @property
    def narrowed(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.where or self.texts)


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
    if query.order:
        query.order.append(resource.model.id)
    else:
        query.sort = list(resource.sort)
    query.key = short(repr(query.filters))
    return query


def rules(
    actor: Actor, resource: Resource, asked: Query, *, one_by_one: bool = False
) -> list[ColumnElement[bool]]:
    """All that a query says of the records that it finds, as conditions on their model.

    `one_by_one` where they are to be asked of one record after the other.
    """
    found = search.holding_all if one_by_one else search.matching
    return [*asked.where, *(found(actor, resource, text) for text in asked.texts)]


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
        for group in [values] if path[-1] == "in" else [[value] for value in values]:
            found = condition(actor, resource, path, group)
            query.where.append(not_(func.coalesce(found, false())) if excluded else found)
        query.filters[match[1] + match[2]] = values[0] if len(values) == 1 else values
    elif name == "sort[]":
        query.order = [each for value in values for each in order_by(actor, resource, value)]
        query.sort = values
    elif name == "include[]":
        query.include = _include(resource, values)
    elif name in ("limit", "per_page"):
        query.limit = _page_size(args)
    elif name == "offset":
        query.offset = min(whole_number(args[name], least=0), FAR)
    elif name == "page":
        if "offset" in args:
            raise ValidationError("Give a page or an offset, not both.")
        query.offset = min((whole_number(args[name], least=1) - 1) * _page_size(args), FAR)
    elif name == "format":
        if values != ["json"]:
            raise ValidationError("Only json is known.")
    else:
        raise ValidationError("Unknown parameter.")


def _page_size(args: MultiDict[str, str]) -> int:
    if "limit" in args and "per_page" in args:
        raise ValidationError("Give limit or per_page, not both.")
    text = args.get("limit", args.get("per_page", str(PER_PAGE)))
    return whole_number(text, least=1, most=MOST_PER_PAGE)


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


def _include(resource: Resource, values: list[str]) -> dict[str, dict]:
    """The tree of relations to show as records: two steps, or there and back answers would explode."""
    tree: dict[str, dict] = {}
    for value in values:
        kind, branch, path = resource, tree, value.removesuffix(".*").split(".")
        if len(path) > STEPS:
            raise ValidationError(f"{value!r} goes more than {STEPS} steps.")
        for name in path:
            found = kind and kind.schema._declared_fields.get(name)
            if not isinstance(found, Ref | RefList):
                raise ValidationError(f"There is nothing to include at {value!r}.")
            branch = branch.setdefault(name, {})
            kind = registry.get(found.kind)
    return tree
