"""What people and scripts can look at: lists, records and their relations, as far as an actor may read them.

Pages, the API and commands call these, as they call `operations` for what changes records.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from sqlalchemy import BigInteger, Select, Uuid, bindparam, func, literal, select
from werkzeug.datastructures import MultiDict

from brainstem.core import counting, query, reading, references, walking
from brainstem.core.few import with_few
from brainstem.core.permissions import WHO, Actor, Right, allowed, made_once, require
from brainstem.core.references import View, view
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, RefList
from brainstem.core.sql import AT_MOST, WHICH, is_among
from brainstem.core.transactions import execute
from brainstem.errors import NotFound
from brainstem.extensions import db

#: After how many records a list is asked for; and for those that one record names.
AFTER = bindparam("after", type_=BigInteger())
OWNER = bindparam("owner", type_=Uuid())
#: From so many records on, the statement says after how many: PostgreSQL plans what it has prepared for a
#: small number of them, and took 350 ms of 100,000 sessions instead of 60.
DEEP = 1000


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
    of: tuple[Resource, str, uuid.UUID] | None = None,
    only: frozenset[str] | None = None,
) -> Page:
    """The records that the actor may read and the query asks for.

    `of` (a kind, a relation, a record's id) narrows them to what one record names there, in that order.
    """
    asked = args if isinstance(args, query.Query) else query.parse(actor, resource, args)
    values = {WHO.key: actor.user_id, AT_MOST.key: asked.limit, AFTER.key: asked.offset}
    key = None
    if of is None:
        page = _readable.statement(with_few(actor, resource), resource)
        if asked.key is not None:
            key = (actor.user_id, actor.portal, resource.name, asked.key)
    else:
        page = _named_by.statement(actor, resource, *of[:2])
        values[OWNER.key] = of[2]
        if not asked.order:
            asked.sort = []
    if asked.order:
        page = page.order_by(None).order_by(*asked.order)
    if asked.offset >= DEEP:
        page = page.offset(literal(asked.offset, AFTER.type, literal_execute=True))
    ids, total = _part(actor, resource, asked, page, values, key)
    return Page(actor, resource, ids, total, asked, only)


def _part(
    actor: Actor,
    resource: Resource,
    asked: query.Query,
    page: Select,
    values: dict[str, Any],
    key: Hashable | None,
) -> tuple[list[uuid.UUID], int]:
    """The ids of a part of a list, and how many there are in all; `page` has left nothing out yet.

    `key` stands for what the actor asks for, where that can be remembered.
    """

    @cache
    def looked_up() -> Select:
        return page.where(*query.rules(actor, resource, asked)) if asked.narrowed else page

    rows = None
    if asked.narrowed and key is not None:
        many = counting.last(key)
        if many is None:
            # To look up what a common word finds takes as long as to count it.
            many = counting.total(looked_up, values, key) if asked.texts else 0
        rows = walking.first_of_many(actor, resource, asked, page, values, many)
    if rows is None:
        rows = execute(looked_up(), values).all()
    ids = [row[0] for row in rows]
    if len(ids) < asked.limit and (ids or asked.offset == 0):
        return ids, asked.offset + len(ids)
    return ids, counting.total(looked_up, values, key, rows[0][1] if rows else None)


@made_once
def _readable(actor: Actor, resource: Resource) -> Select:
    """The ids of the records that the actor may read, and the state of the data."""
    ids = select(resource.model.id, counting.state_of_data()).where(allowed(actor, resource))
    return ids.order_by(*query.usual_order(actor, resource)).limit(AT_MOST).offset(AFTER)


@made_once
def _named_by(actor: Actor, resource: Resource, owner: Resource, name: str) -> Select:
    """The same of those that a relation of one record names."""
    order = [*references.order_of(owner, name), resource.model.id]
    columns = select(resource.model.id, func.row_number().over(order_by=order).label("place"))
    joined = references.joined(columns, owner, name)
    among = joined.where(owner.model.id == OWNER).subquery()
    ids = _readable.statement(actor, resource).join(among, among.c.id == resource.model.id)
    return ids.order_by(None).order_by(among.c.place)


@dataclass
class Seen:
    """One record as an actor may see it, as a `View` and on the wire; each is read when somebody looks."""

    actor: Actor
    resource: Resource
    record: Any

    @cached_property
    def refs(self) -> dict[str, Any]:
        """What it refers to, by field name."""
        return view(self.actor, self.resource, [self.record])[0].refs

    @cached_property
    def wire(self) -> dict[str, Any]:
        """What the API sends."""
        return sent(self.actor, self.resource, self.record.id, MultiDict()).wire


def get(
    actor: Actor, resource: Resource, record_id: uuid.UUID, *, right: Right = Right.READ
) -> Seen:
    """One record; `NotFound`, or `Forbidden` without the right."""
    require(actor, right, resource, record_id)
    return Seen(actor, resource, db.session.get(resource.model, record_id))


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
    return target, find(actor, target, args, of=(resource, name, record_id))


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
