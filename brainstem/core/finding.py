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

from sqlalchemy import BigInteger, Select, Uuid, bindparam, func, select
from werkzeug.datastructures import MultiDict

from brainstem.core import counting, query, reading, references, search, walking
from brainstem.core.few import with_few
from brainstem.core.permissions import WHO, Actor, Right, allowed, made_once, require
from brainstem.core.references import View, view
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, RefList
from brainstem.core.sql import AT_MOST, WHICH, is_among, planned_anew
from brainstem.core.transactions import execute
from brainstem.errors import NotFound
from brainstem.extensions import db

#: After how many records a list is asked for; and for those that one record names.
AFTER = bindparam("after", type_=BigInteger(), literal_execute=True)
OWNER = bindparam("owner", type_=Uuid())


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

    @cached_property
    def named(self) -> tuple[list[dict[str, Any]], reading.Names]:
        """The records as the API sends them, and the names of what they name, for a page to show."""
        return reading.named(self.actor, self.resource, self.ids, self.only)

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
    values |= search.spelled(asked.words)
    key = None
    if of is None:
        page = _in_order(_readable.statement(with_few(actor, resource), resource), asked)
        if asked.key is not None:
            key = (actor.user_id, actor.portal, resource.name, asked.key)
    else:
        values[OWNER.key] = of[2]
        if not asked.order:
            asked.sort = []
        page = _in_order(_named_by.statement(actor, resource, *of[:2]), asked)
    ids, total = _part(actor, resource, asked, page, values, key, whole_kind=of is None)
    return Page(actor, resource, ids, total, asked, only)


def _in_order(listed: Select, asked: query.Query) -> Select:
    """A list in the order that is asked for."""
    if not asked.order:
        return listed
    return planned_anew(listed.order_by(None).order_by(*asked.order))


def _part(
    actor: Actor,
    resource: Resource,
    asked: query.Query,
    page: Select,
    values: dict[str, Any],
    key: Hashable | None,
    *,
    whole_kind: bool,
) -> tuple[list[uuid.UUID], int]:
    """The ids of a part of a list, and how many there are in all; `page` has left nothing out yet.

    `key` stands for what the actor asks for, where that can be remembered; `whole_kind` for a list of all
    records of the kind, and not of those that one record names.
    """

    @cache
    def looked_up() -> Select:
        if not asked.narrowed:
            return page
        if whole_kind and asked.of_few_words:
            shapes = map(search.shape_of, asked.words)
            who, database = with_few(actor, resource), db.engine.name
            return _in_order(_searched.statement(who, resource, database, *shapes), asked)
        return query.narrowed(page, asked, query.rules(actor, resource, asked))

    rows = None
    if asked.narrowed and key is not None:
        many = counting.last(key)
        if many is None:
            # To look up what a common word finds takes as long as to count it.
            many = counting.total(looked_up, values, key) if asked.words else 0
        if walking.pays(asked, many):
            rows = walking.rows(_gone_through(actor, resource, asked), asked, values, many)
    if rows is None:
        rows = execute(looked_up(), values).all()
    ids = [row[0] for row in rows]
    if len(ids) < asked.limit and (ids or asked.offset == 0):
        return ids, asked.offset + len(ids)
    return ids, counting.total(looked_up, values, key, rows[0][1] if rows else None)


@made_once
def _listed(actor: Actor, resource: Resource) -> Select:
    """The ids of all records, in the order in which the actor sees them, and the state of the data."""
    ids = select(resource.model.id, counting.state_of_data())
    return ids.order_by(*query.usual_order(actor, resource)).limit(AT_MOST).offset(AFTER)


@made_once
def _readable(actor: Actor, resource: Resource) -> Select:
    """The same of those that the actor may read."""
    return _listed.statement(actor, resource).where(allowed(actor, resource))


@made_once
def _searched(actor: Actor, resource: Resource, database: str, *shapes: search.Shape) -> Select:
    """The same of those of them in which words of these shapes are found: see `search.spelled`.

    Each database has an index of its own for words. To write this down took 2 of the 8 ms of a search.
    """
    words = map(search.Word.any, range(len(shapes)), shapes)
    found = search.matching(actor, resource, words)
    return planned_anew(_readable.statement(actor, resource).where(found))


def _gone_through(actor: Actor, resource: Resource, asked: query.Query) -> Select:
    """The list that a query asks for, for `walking`."""
    words = len(asked.words)
    if asked.of_few_words and not asked.order:
        return _searched_through.statement(actor, resource, db.engine.name, words)
    every = _in_order(_listed.statement(actor, resource), asked)
    order = (asked.order or query.usual_order(actor, resource))[0]
    through = walking.statement(actor, resource, every, words, asked.where, order)
    return query.narrowed(through, asked, ())


@made_once
def _searched_through(actor: Actor, resource: Resource, database: str, words: int) -> Select:
    """The usual list, with so many words: kept, as `_searched` is, and planned but once."""
    return walking.statement(actor, resource, _listed.statement(actor, resource), words)


@made_once
def _named_by(actor: Actor, resource: Resource, owner: Resource, name: str) -> Select:
    """The same of those that a relation of one record names."""
    order = [*references.order_of(owner, name), resource.model.id]
    columns = select(resource.model.id, func.row_number().over(order_by=order).label("place"))
    joined = references.joined(columns, owner, name)
    among = joined.where(owner.model.id == OWNER).subquery()
    ids = _readable.statement(actor, resource).join(among, among.c.id == resource.model.id)
    return planned_anew(ids.order_by(None).order_by(among.c.place))


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
