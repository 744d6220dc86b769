"""What somebody sees first: how much there is, what was done last, what is unfinished, where she belongs.

Each function takes one statement or two, however many records there are.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from brainstem.core import counting, history, listing, references
from brainstem.core.history import CREATE, Change, Revision
from brainstem.core.permissions import Actor, Right, Role, allowed
from brainstem.core.resource import Resource
from brainstem.core.sql import unindexed
from brainstem.extensions import db

#: How many records are looked at for what is unfinished.
LATELY = 500


def counts(actor: Actor, kinds: Sequence[Resource]) -> list[int]:
    """How many records of each kind the actor may read."""
    # One by one, for each is remembered by itself: see `counting`.
    return [
        counting.total(
            select(kind.model.id).where(allowed(actor, kind)),
            {},
            (actor.user_id, actor.portal, kind.name, "all"),
            None,
        )
        for kind in kinds
    ]


def latest(actor: Actor, resource: Resource, most: int) -> list[Any]:
    """The records of a kind that were changed last, of those that the actor may read."""
    return _latest(resource, most, allowed(actor, resource))


def unfinished(actor: Actor, resource: Resource, most: int) -> list[tuple[Any, list[str]]]:
    """Records that the actor may finish, the last changed first, each with the fields it still wants.

    Those are looked at that were changed lately: in a lab that finishes all of them one would look at all.
    """
    rules, model = _wanting(actor, resource), resource.model
    lately = (
        select(model.id)
        .where(allowed(actor, resource))
        .order_by(model.updated_date.desc(), model.id)
        .limit(LATELY)
    )
    wanting = or_(false(), *rules.values())
    unfinished = (model.id.in_(lately), allowed(actor, resource, Right.USE), wanting)
    found = _latest(resource, most, *unfinished)
    if not found:
        return []
    columns = [model.id, *(rule.label(name) for name, rule in rules.items())]
    rows = db.session.execute(select(*columns).where(model.id.in_([each.id for each in found])))
    missing = {row[0]: [name for name in rules if getattr(row, name)] for row in rows}
    return [(each, missing[each.id]) for each in found]


def missing(actor: Actor, resource: Resource) -> dict[str, int]:
    """How many of the records that the actor may read want each of the fields they should have."""
    rules = _wanting(actor, resource)
    if not rules:
        return {}
    # One by one, for each is remembered by itself: see `counting`.
    wanting = {
        name: select(resource.model.id).where(allowed(actor, resource), rule)
        for name, rule in rules.items()
    }
    key = (actor.user_id, actor.portal, resource.name, "missing")
    return {name: counting.total(each, {}, (*key, name), None) for name, each in wanting.items()}


def last_made(actor: Actor, resource: Resource) -> Any:
    """The last of the records of a kind that the actor has made herself and may still read."""
    model = resource.model
    statement = (
        select(model)
        .join(Revision, Revision.record_id == model.id)
        .join(Change, Change.id == Revision.change_id)
        .where(Revision.kind == resource.name, Revision.action == CREATE)
        .where(Change.user_id == actor.user_id, allowed(actor, resource))
        # Among her own: SQLite would look through everybody's for one of hers.
        .order_by(unindexed(Revision.id).desc())
    )
    return db.session.scalar(statement.limit(1))


def belonging(
    actor: Actor, resource: Resource, most: int
) -> list[tuple[Any, Role, datetime | None]]:
    """The records on which the actor holds a role, with the highest she has and when something in them
    was changed last; those first where that was.
    """
    model, role, root = resource.model, _roles(actor, resource), history.change_root.c
    last = select(func.max(root.at)).where(root.root_id == model.id).scalar_subquery()
    mine = select(model, role.c.role, last).join(role, role.c.record_id == model.id)
    order = (last.is_(None), last.desc(), model.id)
    rows = db.session.execute(mine.order_by(*order).limit(most))
    return [(record, Role(held), when) for record, held, when in rows]


def held(resource: Resource, name: str, owners: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many records a relation of each of these names, all of which their reader may read."""
    target = getattr(resource.model, name).entity.class_
    columns = select(resource.model.id, func.count(target.id))
    statement = references.joined(columns, resource, name).group_by(resource.model.id)
    return dict(db.session.execute(statement.where(resource.model.id.in_(list(owners)))).all())


def _latest(resource: Resource, most: int, *rules: ColumnElement[bool]) -> list[Any]:
    model = resource.model
    order: Sequence[InstrumentedAttribute] = (model.updated_date.desc(), model.id)
    return list(db.session.scalars(select(model).where(*rules).order_by(*order).limit(most)))


def _wanting(actor: Actor, resource: Resource) -> dict[str, ColumnElement[bool]]:
    return {
        name: listing.condition(actor, resource, listing.MISSING, [name])
        for name in resource.wanted
    }


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
