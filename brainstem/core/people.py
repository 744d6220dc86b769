"""Who holds which role on a record (contract §6, §8). Names are what the wire says: a user's address."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select, update

from brainstem.core.permissions import Actor, Right, Role, may
from brainstem.core.resource import Resource
from brainstem.errors import Forbidden
from brainstem.extensions import db


def held(
    resource: Resource, kind: str, owners: Iterable[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Role]]:
    """The roles of users on records, by record and name; the highest first.

    Groups hold none yet: there is no table that says so.
    """
    found: dict[uuid.UUID, dict[str, Role]] = {}
    if resource.roles is None or kind != "user":
        return found
    roles, user = resource.roles, db.metadata.tables["user"]
    record_id = roles.c[f"{resource.name}_id"]
    statement = (
        select(record_id, user.c.email, roles.c.role)
        .join(user, user.c.id == roles.c.user_id)
        .where(record_id.in_(list(owners)))
        .order_by(roles.c.role.desc(), user.c.email)
    )
    for owner, email, role in db.session.execute(statement):
        found.setdefault(owner, {})[email] = Role(role)
    return found


def appoint(resource: Resource, record_id: uuid.UUID, user_id: Any, role: Role) -> None:
    """Give a user who holds no role on the record one."""
    values = {f"{resource.name}_id": record_id, "user_id": user_id, "role": role}
    db.session.execute(insert(resource.roles).values(values))


def problems(
    resource: Resource, record_id: uuid.UUID, kind: str, wanted: dict[str, Role | None]
) -> dict[str, list[str]] | list[str]:
    """What is wrong with a change of roles: unknown names, or nobody left to own the record."""
    ids = _user_ids(wanted) if kind == "user" else {}
    if unknown := [name for name in wanted if name not in ids]:
        return {name: [f"There is no {kind} of this name."] for name in unknown}
    before = held(resource, kind, [record_id]).get(record_id, {})
    after = before | {name.lower(): role for name, role in wanted.items()}
    if kind == "user" and Role.OWNER not in after.values():
        return ["The last owner can neither be removed nor step down."]
    return []


def assign(
    actor: Actor, resource: Resource, record_id: uuid.UUID, wanted: dict[str, Role | None]
) -> bool:
    """Set or remove the roles named; True where that changed anything.

    A manager says who is a member or a contributor; an owner also who is a manager or an owner.
    """
    ids = _user_ids(wanted)
    before = held(resource, "user", [record_id]).get(record_id, {})
    owner = may(actor, Right.OWN, resource, record_id)
    changed = False
    for name, role in wanted.items():
        was = before.get(name.lower())
        if role == was:
            continue
        if not owner and max(role or 0, was or 0) >= Role.MANAGER:
            raise Forbidden(f"Only owners may say who is a manager or an owner ({name}).")
        _write(resource, record_id, ids[name], was, role)
        changed = True
    return changed


def _write(
    resource: Resource, record_id: uuid.UUID, user_id: Any, was: Role | None, role: Role | None
) -> None:
    table = resource.roles
    mine = (table.c[f"{resource.name}_id"] == record_id, table.c.user_id == user_id)
    if role is None:
        db.session.execute(delete(table).where(*mine))
    elif was is None:
        appoint(resource, record_id, user_id, role)
    else:
        db.session.execute(update(table).where(*mine).values(role=role))


def _user_ids(wanted: dict[str, Role | None]) -> dict[str, uuid.UUID]:
    user = db.metadata.tables["user"]
    names = {name.lower(): name for name in wanted}
    statement = select(user.c.email, user.c.id).where(user.c.email.in_(names))
    return {names[email]: user_id for email, user_id in db.session.execute(statement)}
