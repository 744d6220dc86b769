"""What becomes visible to everybody when a record is made public (contract §9), seen beforehand."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from blinker import Signal
from sqlalchemy import ColumnElement, and_, func, or_, select

from brainstem.core import references
from brainstem.core.permissions import PUBLIC, Actor, allowed
from brainstem.core.resource import Resource, registry
from brainstem.extensions import db

#: Sent in the transaction that publishes a record or makes it private again, by its kind: `actor`,
#: `record_id`, `is_public`.
switched = Signal()

#: How many names of a kind are told.
NAMED = 12


@dataclass
class Part:
    """Records of one kind: how many, and the names of the first ones by id."""

    kind: Resource
    total: int
    names: dict[uuid.UUID, str]


def switch(actor: Actor, resource: Resource, record_id: uuid.UUID, *, is_public: bool) -> None:
    """Say that a record was published, or made private again."""
    switched.send(resource, actor=actor, record_id=record_id, is_public=is_public)


def within(resource: Resource, record_id: uuid.UUID, kind: Resource) -> ColumnElement[bool] | None:
    """Which records of a kind belong to one record, directly or through others; None where none can.

    They take the right to be read from it, as `permissions.allowed` says.
    """
    if kind is resource:
        return kind.model.id == record_id
    conditions = []
    for name in kind.parents:
        relation = getattr(kind.model, name)
        rule = within(resource, record_id, registry.of(relation.entity.class_))
        if rule is not None:
            many = relation.property.uselist
            conditions.append(relation.any(rule) if many else relation.has(rule))
    return or_(*conditions) if conditions else None


def visible(actor: Actor, resource: Resource, record_id: uuid.UUID) -> list[Part]:
    """What anybody can read once the record is public: it takes along what belongs to it."""
    parts = []
    for kind in _public_kinds():
        rule = within(resource, record_id, kind)
        if kind is not resource and rule is not None:
            parts.append(_part(actor, kind, rule))
    return [part for part in parts if part.total]


def left_out(actor: Actor, resource: Resource, record_id: uuid.UUID) -> list[Part]:
    """What its records name that stays private, and is left out of them: storages, setups, assays."""
    named: dict[Resource, list[Any]] = {}
    for kind in _public_kinds():
        rule = within(resource, record_id, kind)
        for name, field in kind.schema.references() if rule is not None else ():
            target = registry.get(field.kind)
            if target in _public_kinds():
                ids = references.joined(select(target.model.id), kind, name).where(rule)
                named.setdefault(target, []).append(_aliased(target, ids))
    parts = []
    for target, conditions in named.items():
        rules = [or_(*conditions), ~allowed(PUBLIC, target)]
        if (inside := within(resource, record_id, target)) is not None:
            rules.append(~inside)
        parts.append(_part(actor, target, and_(*rules)))
    return [part for part in parts if part.total]


def _public_kinds() -> list[Resource]:
    return [kind for kind in registry if kind.page and PUBLIC.portal in kind.portals]


def _aliased(target: Resource, ids: Any) -> ColumnElement[bool]:
    """Whether a record is among those of a select, which shall not mix with the one around it."""
    return target.model.id.in_(select(ids.subquery().c.id))


def _part(actor: Actor, kind: Resource, rule: ColumnElement[bool]) -> Part:
    """Those that the actor may read, too: she learns nothing of others."""
    model, handle = kind.model, getattr(kind.model, kind.handle)
    rules = (rule, allowed(actor, kind))
    total = db.session.scalar(select(func.count()).select_from(model).where(*rules))
    statement = select(model.id, handle).where(*rules).order_by(handle, model.id).limit(NAMED)
    names = {found: kind.title(value) for found, value in db.session.execute(statement)}
    return Part(kind, total, names)
