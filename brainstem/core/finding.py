"""What people and scripts can look at: lists, records and their relations, as far as an actor may read them.

Pages, the API and commands call these, as they call `operations` for what changes records.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    bindparam,
    func,
    select,
)
from werkzeug.datastructures import MultiDict

from brainstem.core import counting, query, reading, references
from brainstem.core.few import with_few
from brainstem.core.permissions import WHO, Actor, Right, allowed, made_once, require
from brainstem.core.references import View, view
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, RefList, TagList
from brainstem.core.sql import WHICH, is_among
from brainstem.core.transactions import execute
from brainstem.errors import NotFound
from brainstem.extensions import db


@dataclass
class Page:
    """A part of a list, and where it stands in the whole; its records are read when somebody looks."""

    actor: Actor
    resource: Resource
    ids: list[uuid.UUID]
    total: int
    query: query.Query
    #: The fields that are wanted of the records as they are sent, where they are not all.
    only: frozenset[str] | None = None

    @cached_property
    def views(self) -> list[View]:
        """The records for a page to show."""
        records = references.records(self.resource, self.ids)
        return view(self.actor, self.resource, records, self.query.include)

    @cached_property
    def sent(self) -> list[reading.Sent]:
        """The records as the API sends them."""
        include = self.query.include
        return reading.sent(self.actor, self.resource, self.ids, include, only=self.only)

    @property
    def number(self) -> int:
        """The page's number, from 1."""
        return self.query.offset // self.query.limit + 1

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return math.ceil(self.total / self.query.limit)


def find(
    actor: Actor,
    resource: Resource,
    args: MultiDict[str, str] | query.Query,
    *,
    among: Subquery | None = None,
    only: frozenset[str] | None = None,
) -> Page:
    """The records that the actor may read and the query asks for.

    `among` narrows them to the `id`s of a subquery, and gives their usual order by its `place`.
    """
    asked = args if isinstance(args, query.Query) else query.parse(actor, resource, args)
    reader, who = with_few(actor, resource), {WHO.key: actor.user_id}
    matching = _readable.statement(reader, resource)
    if asked.where:
        matching = matching.where(*asked.where)
    if among is not None:
        matching = matching.join(among, among.c.id == resource.model.id)
        if not args.getlist("sort[]"):
            asked.order, asked.sort = [among.c.place], []
    if asked.where or asked.order or among is not None:
        page = _part(matching, asked.order or query.usual_order(actor, resource))
    else:
        page = _usual.statement(reader, resource)
    found = execute(page, who | {"limit": asked.limit, "offset": asked.offset}).all()
    ids = [row[0] for row in found]
    if 0 < len(ids) < asked.limit:
        total = asked.offset + len(ids)
    else:
        key = None
        if asked.key is not None and among is None:
            key = (actor.user_id, actor.portal, resource.name, asked.key)
        total = counting.total(matching, who, key, found[0][1] if found else None)
    return Page(actor, resource, ids, total, asked, only)


@made_once
def _readable(actor: Actor, resource: Resource) -> Select:
    """The ids of the records that the actor may read, and the state of the data."""
    return select(resource.model.id, counting.state_of_data()).where(allowed(actor, resource))


@made_once
def _usual(actor: Actor, resource: Resource) -> Select:
    """A part of the list of all that the actor may read, in its usual order."""
    order = query.usual_order(actor, resource)
    return _part(_readable.statement(actor, resource), order)


def _part(matching: Select, order: list[ColumnElement]) -> Select:
    limit, offset = bindparam("limit", type_=Integer()), bindparam("offset", type_=BigInteger())
    return matching.order_by(*order).limit(limit).offset(offset)


def get(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    args: MultiDict[str, str] | None = None,
    *,
    right: Right = Right.READ,
) -> View:
    """One record; `NotFound`, or `Forbidden` without the right."""
    require(actor, right, resource, record_id)
    asked = query.parse(actor, resource, args or MultiDict(), one=True)
    record = db.session.get(resource.model, record_id)
    return view(actor, resource, [record], asked.include)[0]


def sent(
    actor: Actor, resource: Resource, record_id: uuid.UUID, args: MultiDict[str, str]
) -> reading.Sent:
    """`get`, as the API sends it."""
    asked = query.parse(actor, resource, args, one=True)
    found = reading.sent(actor, resource, [record_id], asked.include, guarded=True)
    if not found:
        require(actor, Right.READ, resource, record_id)
        raise NotFound(f"There is no such {resource.words}.")
    return found[0]


def related(
    actor: Actor, resource: Resource, record_id: uuid.UUID, name: str, args: MultiDict[str, str]
) -> tuple[Resource | None, Page]:
    """The records that a relation of one record names, as a list, in the relation's order.

    The kind is None, and the list empty, where nobody has registered that kind.
    """
    require(actor, Right.READ, resource, record_id)
    found = resource.schema._declared_fields.get(name)
    if not isinstance(found, Ref | RefList):
        raise NotFound(f"A {resource.words} has no relation {name!r}.")
    target = registry.get(found.kind)
    if target is None:
        return None, Page(actor, resource, [], 0, query.Query())
    order = [*references.order_of(resource, name), target.model.id]
    columns = select(target.model.id, func.row_number().over(order_by=order).label("place"))
    joined = references.joined(columns, resource, name)
    among = joined.where(resource.model.id == record_id).subquery()
    return target, find(actor, target, args, among=among)


def named(
    actor: Actor, resource: Resource, ids: list[uuid.UUID] | None = None, right: Right = Right.READ
) -> dict[uuid.UUID, str]:
    """The names of records that the actor holds a right on, by id and in the order of the names."""
    if ids is None:
        found = _names(actor, resource, right)
    elif ids:
        found = _names_of(actor, resource, right, which=ids)
    else:
        return {}
    return {found_id: resource.title(value) for found_id, value in found}


@made_once
def _names(actor: Actor, resource: Resource, right: Right) -> Select:
    model, handle = resource.model, getattr(resource.model, resource.handle)
    names = select(model.id, handle).where(allowed(actor, resource, right))
    return names.order_by(handle, model.id)


@made_once
def _names_of(actor: Actor, resource: Resource, right: Right) -> Select:
    return _names.statement(actor, resource, right).where(is_among(resource.model.id, WHICH))


def tags(actor: Actor, resource: Resource, *, used: bool = False) -> list[str]:
    """Every tag, or those `used` on the records of a kind that the actor may read."""
    name = next(n for n, f in resource.schema._declared_fields.items() if isinstance(f, TagList))
    model = getattr(resource.model, name).entity.class_
    statement = select(model.name).distinct().order_by(model.name)
    if used:
        statement = references.joined(statement, resource, name).where(allowed(actor, resource))
    return list(db.session.scalars(statement))
