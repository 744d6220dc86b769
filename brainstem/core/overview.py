"""What somebody sees first: how much there is, what was done last, what is unfinished, where she belongs.

Each function takes one statement or two, however many records there are.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all

from brainstem.core import counting, history, listing
from brainstem.core.history import CREATE, Change, Revision
from brainstem.core.permissions import WHO, Actor, Right, Role, allowed, made_once, seen_as
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, RefList, TagList
from brainstem.core.sql import AT_MOST, WHICH, is_among, planned_anew, unindexed

#: How many records are looked at for what is unfinished.
LATELY = 200


def counts(actor: Actor, kinds: Sequence[Resource]) -> list[int]:
    """How many records of each kind the actor may read."""
    # One by one, for each is remembered by itself: see `counting`.
    return [_count(actor, kind, _readable.statement(actor, kind), "all") for kind in kinds]


@made_once
def _readable(actor: Actor, resource: Resource) -> Select:
    return select(resource.model.id).where(allowed(actor, resource))


def _count(actor: Actor, resource: Resource, statement: Select, *name: str) -> int:
    key = (actor.user_id, actor.portal, resource.name, *name)
    return counting.total(lambda: statement, {WHO.key: actor.user_id}, key)


def latest(actor: Actor, resource: Resource, most: int) -> list[Any]:
    """The records of a kind that were changed last, of those that the actor may read."""
    return list(_latest(actor, resource, most=most).scalars())


@made_once
def _latest(actor: Actor, resource: Resource) -> Select:
    model = resource.model
    latest = select(model).where(allowed(actor, resource))
    return latest.order_by(model.updated_date.desc(), model.id).limit(AT_MOST)


def unfinished(actor: Actor, resource: Resource, most: int) -> list[tuple[Any, list[str]]]:
    """Records that the actor may finish, the last changed first, each with the fields it still wants.

    Those are looked at that were changed lately: in a lab that finishes all of them one would look at all.
    """
    if not resource.wanted:
        return []
    found = _unfinished(actor, resource, most=most).scalars().all()
    if not found:
        return []
    rows = _wants(actor, resource, which=[each.id for each in found]).all()
    missing = {row[0]: [name for name in resource.wanted if getattr(row, name)] for row in rows}
    return [(each, missing[each.id]) for each in found]


@made_once
def _unfinished(actor: Actor, resource: Resource) -> Select:
    model = resource.model
    lately = (
        select(model.id)
        .where(allowed(actor, resource))
        .order_by(model.updated_date.desc(), model.id)
        .limit(LATELY)
    )
    wanting = or_(*(_wanting(actor, resource, name) for name in resource.wanted))
    rules = (model.id.in_(lately), allowed(actor, resource, Right.USE), wanting)
    # Among those: SQLite would look through all records for one of them, in their order.
    order = (unindexed(model.updated_date).desc(), model.id)
    return planned_anew(select(model).where(*rules).order_by(*order).limit(AT_MOST))


@made_once
def _wants(actor: Actor, resource: Resource) -> Select:
    columns = (_wanting(actor, resource, name).label(name) for name in resource.wanted)
    return select(resource.model.id, *columns).where(is_among(resource.model.id, WHICH))


def missing(actor: Actor, resource: Resource) -> dict[str, int]:
    """How many of the records that the actor may read want each of the fields they should have."""
    # One by one, for each is remembered by itself: see `counting`.
    return {
        name: _count(actor, resource, _lacking.statement(actor, resource, name), "missing", name)
        for name in resource.wanted
    }


@made_once
def _lacking(actor: Actor, resource: Resource, name: str) -> Select:
    rule = listing.condition(actor, resource, listing.MISSING, [name])
    return _readable.statement(actor, resource).where(rule)


def last_made(actor: Actor, resource: Resource) -> Any:
    """The last of the records of a kind that the actor has made herself and may still read."""
    return _made(actor, resource).scalar()


@made_once
def _made(actor: Actor, resource: Resource) -> Select:
    model = resource.model
    statement = (
        select(model)
        .join(Revision, Revision.record_id == model.id)
        .join(Change, Change.id == Revision.change_id)
        .where(Revision.kind == resource.name, Revision.action == CREATE)
        .where(Change.user_id == actor.user_id, allowed(actor, resource))
        .order_by(Change.at.desc(), unindexed(Revision.id).desc())
    )
    return statement.limit(1)


def belonging(
    actor: Actor, resource: Resource, most: int
) -> list[tuple[Any, Role, datetime | None]]:
    """The records on which the actor holds a role, with the highest she has and when something in them
    was changed last; those first where that was.
    """
    rows = _belonging(actor, resource, most=most)
    return [(record, Role(held), when) for record, held, when in rows]


@made_once
def _belonging(actor: Actor, resource: Resource) -> Select:
    model, role, root = resource.model, _roles(actor, resource), history.change_root.c
    last = select(func.max(root.at)).where(root.root_id == model.id).scalar_subquery()
    mine = select(model, role.c.role, last).join(role, role.c.record_id == model.id)
    return mine.order_by(last.is_(None), last.desc(), model.id).limit(AT_MOST)


def held(resource: Resource, name: str, owners: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many records a relation of each of these names, all of which their reader may read."""
    owners = list(owners)

    def find() -> tuple[dict[uuid.UUID, int], str | None]:
        rows = _held(resource, name, which=owners).all()
        return {owner: number for owner, number, _ in rows}, rows[0][2] if rows else None

    return counting.remembered((resource.name, "held", name, *owners), find)


@made_once
def _held(resource: Resource, name: str) -> Select:
    # Of the links, or of the records that name their owner: there are no others to look at.
    ((_, owner),) = getattr(resource.model, name).property.synchronize_pairs
    columns = select(owner, func.count(), counting.state_of_data())
    return columns.where(is_among(owner, WHICH)).group_by(owner)


def _wanting(actor: Actor, resource: Resource, name: str) -> ColumnElement[bool]:
    """Whether a record wants a field, as lists ask for it (`listing.MISSING`), but one record at a time.

    To begin with all that have the field, as is best for a list, took 0.5 s of 100,000 sessions.
    """
    field, relation = resource.schema._declared_fields[name], getattr(resource.model, name)
    if isinstance(field, Ref | RefList) and (target := registry.get(field.kind)):
        some = relation.any if relation.property.uselist else relation.has
        return ~some() if seen_as(resource, target) else ~some(allowed(actor, target))
    if isinstance(field, TagList):
        return ~relation.any()
    return listing.condition(actor, resource, listing.MISSING, [name])


def _roles(actor: Actor, resource: Resource) -> Any:
    """The highest role of a user on each record, directly or through a group: `record_id`, `role`."""
    roles = resource.roles
    record = next(iter(roles.users.c)).label("record_id")
    held = [select(record, roles.users.c.role).where(roles.users.c.user_id == actor.user_id)]
    if roles.groups is not None:
        members, groups = roles.memberships.c, roles.groups.c
        through = select(next(iter(groups)).label("record_id"), groups.role)
        held.append(
            through.join(roles.memberships, members.group_id == groups.group_id).where(
                members.user_id == actor.user_id
            )
        )
    every = union_all(*held).subquery()
    highest = func.max(every.c.role).label("role")
    return select(every.c.record_id, highest).group_by(every.c.record_id).subquery()
