"""What changes records of any kind, for pages, the API and commands alike; `finding` is what looks at them.

A change goes the same way each time, in one transaction: judge the payload by the schema → resolve what
it names → require the rights → write → note it in the history. Nothing else writes records.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm.attributes import flag_modified

from brainstem.core import finding, history, people, publishing, reading, references, search
from brainstem.core.judging import judge
from brainstem.core.permissions import (
    Actor,
    Right,
    Role,
    made_once,
    may,
    require,
    right_to_change,
    unusable,
)
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import People, Ref, RefList, TagList
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.errors import Changed, Forbidden, NotFound, SignInRequired
from brainstem.extensions import db

#: How many names a sentence lists.
SHOWN = 3


@operation
def create(
    actor: Actor,
    resource: Resource,
    payload: dict[str, Any],
    *,
    record_id: uuid.UUID | None = None,
) -> reading.Sent:
    """`add`, as the API does: the new record as it is sent."""
    return _sent(actor, resource, add(actor, resource, payload, record_id=record_id))


@operation
def add(
    actor: Actor,
    resource: Resource,
    payload: dict[str, Any],
    *,
    record_id: uuid.UUID | None = None,
) -> Any:
    """Store a new record, and return it. Its creator becomes its owner, where the kind has roles.

    `record_id` is for records that others name before they are there, and those that are restored.
    """
    _signed_in(actor)
    if resource.read_only:
        raise Forbidden(f"{resource.labels} are not made here.")
    if resource.locked_by and (owner_id := as_id(payload.get(resource.locked_by))):
        _lock(resource, None, owner_id)
    references.forget_links()
    data = judge(actor, resource, None, payload)
    columns, links, _ = _split(resource, data)
    resource.complete(actor, columns)
    record = resource.model(id=record_id or uuid.uuid4(), **columns)
    with history.changing_owner(actor, resource, columns.get(f"{resource.part_of}_id")):
        resource.insert(record, columns)
    for name, value in links.items():
        _link(actor, resource, record, name, value, fresh=True)
    if resource.roles is not None:
        people.appoint(actor, resource, record.id, Role.OWNER)
    if columns.get("is_public"):
        publishing.switch(actor, resource, record.id, is_public=True)
    history.created(actor, resource, record, links)
    search.put_new(resource, record, data)
    return record


@operation
def change(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    payload: dict[str, Any],
    *,
    replace: bool = False,
    version: Callable[[int], bool] | None = None,
    keeping: bool = False,
) -> reading.Sent:
    """`alter`, as the API does: the record as it is sent."""
    options = {"replace": replace, "version": version, "keeping": keeping}
    return _sent(actor, resource, alter(actor, resource, record_id, payload, **options))


@operation
def alter(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    payload: dict[str, Any],
    *,
    replace: bool = False,
    version: Callable[[int], bool] | None = None,
    keeping: bool = False,
) -> Any:
    """Change the fields given, or `replace` the record; returns it.

    `version` says whether the stored version is one that the actor expects, else `Changed`. `keeping`
    is for forms, which send back whole lists: it takes no right to name what is named already.
    """
    _signed_in(actor)
    record = _locked(resource, record_id, as_id(payload.get(resource.locked_by)))
    usual = right_to_change(resource)
    held = usual if may(actor, usual, resource, record_id) else None
    if not held:
        require(actor, Right.READ, resource, record_id)
    data = judge(actor, resource, record, payload, partial=not replace, keeping=keeping, held=held)
    _expect(record, version)

    data = _with_unseen(actor, resource, record, data)
    with (
        history.changing(actor, resource, record, data),
        history.changing_owner(actor, resource, _owner_of(resource, record)),
    ):
        _write(actor, resource, record, data)
    return record


def _write(actor: Actor, resource: Resource, record: Any, data: dict[str, Any]) -> None:
    columns, links, roles = _split(resource, data)
    columns = {name: value for name, value in columns.items() if _differs(record, name, value)}
    changed = bool(columns)
    for name, value in columns.items():
        # A JSON document compares as equal to one with another order of keys, or 22 for 22.0.
        if isinstance(value, dict | list):
            flag_modified(record, name)
    if columns:
        resource.update(record, columns)
    if "is_public" in columns:
        publishing.switch(actor, resource, record.id, is_public=columns["is_public"])
    for name, value in links.items():
        changed |= _link(actor, resource, record, name, value)
    for name, value in roles.items():
        holder = resource.schema._declared_fields[name].kind
        changed |= people.assign(actor, resource, record.id, holder, value)
    if changed and not resource.part_of:
        touch(record)
        search.put(resource, record, data)


@operation
def delete(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    *,
    version: Callable[[int], bool] | None = None,
) -> None:
    """Delete a record that nothing else needs."""
    _signed_in(actor)
    record = _locked(resource, record_id)
    require(actor, right_to_change(resource), resource, record_id)
    _expect(record, version)
    if reason := kept_by(actor, resource, record_id):
        raise ValidationError(reason)
    gone = history.deleting(actor, resource, [record_id])
    search.forget(gone)
    people.end(actor, resource, record.id)
    with history.changing_owner(actor, resource, _owner_of(resource, record)):
        resource.remove(record)
    references.forget_links()


@operation
def leave(actor: Actor, resource: Resource, record_id: uuid.UUID) -> None:
    """Give up the role that the actor herself holds on a record: that takes no right."""
    _signed_in(actor)
    record = _locked(resource, record_id)
    with history.changing(actor, resource, record, resource.schema._declared_fields):
        people.dismiss(actor, resource, record_id)
        touch(record)


def kept_by(actor: Actor, resource: Resource, record_id: uuid.UUID) -> str:
    """Why a record can't be deleted: how many records use it, and which; empty where it can."""
    uses = []
    for name in resource.kept_by:
        user = registry.of(getattr(resource.model, name).entity.class_)
        found = references.joined(select(user.model.id), resource, name)
        ids = list(db.session.scalars(found.where(resource.model.id == record_id)))
        if ids:
            label = (user.label if len(ids) == 1 else user.labels).lower()
            seen = list(finding.named(actor, user, ids).values())[:SHOWN]
            which = ", ".join(f"“{each}”" for each in seen) + (" …" if len(ids) > len(seen) else "")
            uses.append(f"{len(ids)} {label} ({which})" if seen else f"{len(ids)} {label}")
    if not uses:
        return ""
    return f"This {resource.words} can't be deleted, because it is in use by {' and '.join(uses)}."


def touch(record: Any) -> None:
    """Count a change of the record: stored together with what has changed."""
    record.version += 1
    record.updated_date = utcnow()


def _owner_of(resource: Resource, record: Any) -> uuid.UUID | None:
    """The record that this one is a part of."""
    return getattr(record, f"{resource.part_of}_id") if resource.part_of else None


def _sent(actor: Actor, resource: Resource, record: Any) -> reading.Sent:
    (found,) = reading.sent(actor, resource, [record.id])
    return found


def _signed_in(actor: Actor) -> None:
    if actor.user_id is None:
        raise SignInRequired("Sign in first.")


def _locked(resource: Resource, record_id: uuid.UUID, owner_id: uuid.UUID | None = None) -> Any:
    """The record, for this transaction alone; where its kind says so, by the record it belongs to.

    `owner_id` is the record that it shall belong to.
    """
    if resource.locked_by:
        _lock(resource, record_id, owner_id)
    record = db.session.scalar(_for_change.statement(resource), {"record": record_id})
    references.forget_links()
    if record is None:
        raise NotFound(f"There is no such {resource.words}.")
    return record


def _lock(
    resource: Resource, record_id: uuid.UUID | None, owner_id: uuid.UUID | None = None
) -> None:
    """Let nobody else change what belongs to the same records until this transaction ends.

    They are read anew; what asks for them by their ids until then finds them at hand.
    """
    values = {"record": record_id, "owner": owner_id}
    locked = db.session.info["operation"].setdefault("locked", [])
    locked += db.session.scalars(_owners_for_change.statement(resource), values)


@made_once
def _for_change(resource: Resource) -> Select:
    statement = select(resource.model).where(resource.model.id == bindparam("record"))
    return statement.with_for_update().execution_options(populate_existing=True)


@made_once
def _owners_for_change(resource: Resource) -> Select:
    """What a record belongs to, and what it shall belong to."""
    model, owner = resource.model, getattr(resource.model, resource.locked_by).entity.class_
    its = select(getattr(model, f"{resource.locked_by}_id")).where(model.id == bindparam("record"))
    these = or_(owner.id == its.scalar_subquery(), owner.id == bindparam("owner"))
    # In one order, so that two of these wait for each other and do not lock each other out.
    statement = select(owner).where(these).order_by(owner.id)
    return statement.with_for_update().execution_options(populate_existing=True)


def _expect(record: Any, version: Callable[[int], bool] | None) -> None:
    if version is not None and not version(record.version):
        raise Changed("Somebody changed this record in the meantime. Nothing was stored.")


def _with_unseen(
    actor: Actor, resource: Resource, record: Any, data: dict[str, Any]
) -> dict[str, Any]:
    """The data, less the empty references whose stored record the actor can't see: it stays."""
    kept = set()
    for name, field in resource.schema.references():
        if isinstance(field, Ref) and name in data and data[name] is None:
            stored = getattr(record, f"{name}_id")
            if stored and not may(actor, Right.READ, registry.get(field.kind), stored):
                kept.add(name)
    return {name: value for name, value in data.items() if name not in kept}


def _split(
    resource: Resource, data: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, list], dict[str, dict]]:
    """What goes into the record's own columns, into link tables, and into roles."""
    columns, links, roles = {}, {}, {}
    for name, value in data.items():
        field = resource.schema._declared_fields[name]
        if isinstance(field, RefList | TagList):
            links[name] = value
        elif isinstance(field, People):
            roles[name] = value
        else:
            columns[f"{name}_id" if isinstance(field, Ref) else name] = value
    return columns, links, roles


def _differs(record: Any, name: str, value: Any) -> bool:
    stored = getattr(record, name)
    if isinstance(value, dict | list):
        return json.dumps(stored) != json.dumps(value)
    return stored != value


def _link(
    actor: Actor,
    resource: Resource,
    record: Any,
    name: str,
    value: list,
    *,
    fresh: bool = False,
) -> bool:
    field, table = resource.schema._declared_fields[name], references.link_table_of(resource, name)
    if isinstance(field, TagList):
        value = references.tag_ids(getattr(resource.model, name).entity.class_, value)
    if fresh:
        return references.arrange(table, record.id, value)
    current = references.links(table, record.id)
    if isinstance(field, RefList):
        unseen = set(unusable(actor, Right.READ, registry.get(field.kind), [*current]))
        value = references.with_unseen([*current], current.keys() - unseen, value)
    return references.arrange(table, record.id, value, current)
