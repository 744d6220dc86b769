"""Who holds which role on a record (contract §6, §8).

On the wire, holders are named: a user by address, a group by name (its kind's `handle`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from blinker import Signal
from marshmallow import ValidationError
from sqlalchemy import Select, delete, insert, select, update

from brainstem.core.permissions import Actor, Right, Role, allowed, made_once, may
from brainstem.core.resource import Resource, registry
from brainstem.core.sql import WHICH, is_among
from brainstem.errors import Forbidden, NotFound
from brainstem.extensions import db

#: Sent in the transaction that gives, changes or takes away a role, by the kind of record: `actor`,
#: `record_id`, `holder` ("user" or "group"), `holder_id`, and the roles `was` and `now`.
role_written = Signal()


def held(
    resource: Resource, holder: str, owners: Iterable[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Role]]:
    """The roles of users or groups on records, by record and name; the highest first."""
    found: dict[uuid.UUID, dict[str, Role]] = {}
    for owner, who, role in _held(resource, holder, which=owners):
        found.setdefault(owner, {})[who] = Role(role)
    return found


@made_once
def _held(resource: Resource, holder: str) -> Select:
    table, name = resource.roles.of(holder), _name(holder)
    record_id, holder_id = list(table.c)[:2]
    found = select(record_id, name, table.c.role).join(name.class_, name.class_.id == holder_id)
    return found.where(is_among(record_id, WHICH)).order_by(table.c.role.desc(), name)


@dataclass
class Standing:
    """What a user is to a record: by a role of her own, and through groups (name, role)."""

    user: Any
    direct: Role | None = None
    through: list[tuple[str, Role]] = field(default_factory=list)

    @property
    def role(self) -> Role:
        """The role that counts: the highest one."""
        return max(filter(None, [self.direct, *(role for _, role in self.through)]))


def standings(actor: Actor, resource: Resource, record_id: uuid.UUID) -> list[Standing]:
    """Everybody who holds a role on a record, the highest first.

    Who is in a group shows only as far as the actor may read that group.
    """
    found: dict[uuid.UUID, Standing] = {}
    user, roles = registry.get("user").model, resource.roles
    record, who = list(roles.users.c)[:2]
    direct = select(user, roles.users.c.role).join(roles.users, who == user.id)
    for person, role in db.session.execute(direct.where(record == record_id)):
        found[person.id] = Standing(person, Role(role))
    if roles.groups is not None:
        group, members = registry.get("group"), roles.memberships
        record, which = list(roles.groups.c)[:2]
        name = _name("group")
        through = (
            select(user, name, roles.groups.c.role)
            .join(members, members.c.user_id == user.id)
            .join(group.model, group.model.id == members.c.group_id)
            .join(roles.groups, which == group.model.id)
            .where(record == record_id, allowed(actor, group))
            .order_by(roles.groups.c.role.desc(), name)
        )
        for person, group_name, role in db.session.execute(through):
            standing = found.setdefault(person.id, Standing(person))
            standing.through.append((group_name, Role(role)))
    return sorted(found.values(), key=lambda each: (-each.role, each.user.name, each.user.email))


def granted(
    actor: Actor, holder: Resource, holder_id: uuid.UUID
) -> list[tuple[Resource, list[tuple[uuid.UUID, str, Role]]]]:
    """The records on which a user or a group holds a role (id, name, role), by kind.

    Only what the actor may read; nothing for a kind of record that holds no roles.
    """
    found = []
    for kind in registry:
        table = kind.roles and kind.roles.of(holder.name)
        if table is None:
            continue
        record, who = list(table.c)[:2]
        handle = getattr(kind.model, kind.handle)
        statement = (
            select(kind.model.id, handle, table.c.role)
            .join(table, record == kind.model.id)
            .where(who == holder_id, allowed(actor, kind))
            .order_by(handle)
        )
        rows = [
            (i, kind.title(name), Role(role)) for i, name, role in db.session.execute(statement)
        ]
        if rows:
            found.append((kind, rows))
    return found


def dismiss(actor: Actor, resource: Resource, record_id: uuid.UUID) -> None:
    """Take the actor's own role on a record away; the last owner stays."""
    table = resource.roles.users
    record, who = list(table.c)[:2]
    roles = dict(db.session.execute(select(who, table.c.role).where(record == record_id)).all())
    was = roles.pop(actor.user_id, None)
    if was is None:
        raise NotFound(f"You hold no role of your own on this {resource.words}.")
    if wrong := _without_owner(roles.values()):
        raise ValidationError({"users": wrong})
    _write(actor, resource, "user", record_id, actor.user_id, Role(was), None)


def appoint(actor: Actor, resource: Resource, record_id: uuid.UUID, role: Role) -> None:
    """Give the actor, who holds no role on the record, one."""
    _write(actor, resource, "user", record_id, actor.user_id, None, role)


def end(actor: Actor, resource: Resource, record_id: uuid.UUID) -> None:
    """Say which roles end with a record that is about to be deleted: those held on it, and its own."""
    for kind in registry:
        for holder in ("user", "group"):
            table = kind.roles and kind.roles.of(holder)
            if table is None or resource.name not in (kind.name, holder):
                continue
            record, who = list(table.c)[:2]
            mine = record if kind is resource else who
            statement = select(record, who, table.c.role).where(mine == record_id)
            for on, holder_id, role in db.session.execute(statement).all():
                _tell(actor, kind, holder, on, holder_id, Role(role), None)


def problems(
    resource: Resource, record_id: uuid.UUID, holder: str, wanted: dict[str, Role | None]
) -> dict[str, list[str]] | list[str]:
    """What is wrong with a change of roles: unknown names, or no user left to own the record."""
    spelled = [_spelled(holder, name) for name in wanted]
    if twice := [name for name in wanted if spelled.count(_spelled(holder, name)) > 1]:
        return {name: ["Named twice."] for name in twice}
    ids = _ids(holder, wanted)
    if unknown := [name for name in wanted if name not in ids]:
        called = registry.get(holder).handle
        return {name: [f"There is no {holder} with this {called}."] for name in unknown}
    if holder == "user":
        after = held(resource, holder, [record_id]).get(record_id, {}) | _known(holder, wanted)
        return _without_owner(after.values())
    return []


def _without_owner(roles: Iterable[Role | None]) -> list[str]:
    """What is wrong where no user would own a record any more (contract §6)."""
    kept = Role.OWNER in roles
    return [] if kept else ["The last owner can neither be removed nor step down."]


def assign(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    holder: str,
    wanted: dict[str, Role | None],
) -> bool:
    """Set or remove the roles named; True where that changed anything.

    A manager says who is a member or a contributor; an owner also who is a manager or an owner.
    """
    ids = _ids(holder, wanted)
    before = held(resource, holder, [record_id]).get(record_id, {})
    owner = may(actor, Right.OWN, resource, record_id)
    changed = False
    for name, role in wanted.items():
        was = before.get(_spelled(holder, name))
        if role == was:
            continue
        if not owner and max(role or 0, was or 0) >= Role.MANAGER:
            raise Forbidden(f"Only owners may say who is a manager or an owner ({name}).")
        _write(actor, resource, holder, record_id, ids[name], was, role)
        changed = True
    return changed


def _write(
    actor: Actor,
    resource: Resource,
    holder: str,
    record_id: uuid.UUID,
    holder_id: uuid.UUID,
    was: Role | None,
    role: Role | None,
) -> None:
    table = resource.roles.of(holder)
    record, who = list(table.c)[:2]
    if was is None and role is not None:
        values = {record.name: record_id, who.name: holder_id, "role": role}
        db.session.execute(insert(table).values(values))
    elif role is None:
        db.session.execute(delete(table).where(record == record_id, who == holder_id))
    else:
        here = (record == record_id, who == holder_id)
        db.session.execute(update(table).where(*here).values(role=role))
    _tell(actor, resource, holder, record_id, holder_id, was, role)


def _tell(
    actor: Actor,
    resource: Resource,
    holder: str,
    record_id: uuid.UUID,
    holder_id: uuid.UUID,
    was: Role | None,
    now: Role | None,
) -> None:
    whose = {"holder": holder, "holder_id": holder_id}
    role_written.send(resource, actor=actor, record_id=record_id, **whose, was=was, now=now)


def _name(holder: str) -> Any:
    kind = registry.get(holder)
    return getattr(kind.model, kind.handle)


def _spelled(holder: str, name: str) -> str:
    """A name as it is stored: addresses in lower case."""
    return name.strip().lower() if holder == "user" else name.strip()


def _known(holder: str, wanted: dict[str, Role | None]) -> dict[str, Role | None]:
    return {_spelled(holder, name): role for name, role in wanted.items()}


def _ids(holder: str, wanted: dict[str, Role | None]) -> dict[str, uuid.UUID]:
    name = _name(holder)
    names = {_spelled(holder, each): each for each in wanted}
    statement = select(name, name.class_.id).where(name.in_(names))
    return {names[found]: holder_id for found, holder_id in db.session.execute(statement)}
