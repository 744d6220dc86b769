"""A new record like another one, with the parts that belong to it: yesterday's, ready for today.

`draft` says what could come along for this actor, and what can't; `duplicate` makes the new record of
what was chosen, all or nothing. Parts are the kinds whose records are deleted with theirs; where they
name one another (an epoch its modules), the new ones name the new ones.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select

from brainstem.core import finding, history, operations, references
from brainstem.core.permissions import Actor, allowed, unusable
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import People, Ref, RefList, texts_in
from brainstem.core.transactions import operation
from brainstem.errors import Forbidden
from brainstem.extensions import db


@dataclass
class Part:
    """A record that belongs to the one that is copied, on the wire, less what can't come along."""

    id: uuid.UUID
    title: str
    payload: dict[str, Any]


@dataclass
class Draft:
    """What can come along: fields of the record itself, on the wire, and its parts by kind."""

    payload: dict[str, Any]
    #: In the order in which they can be made: what others name comes first.
    parts: dict[Resource, list[Part]] = field(default_factory=dict)
    #: What the actor sees of the record, and may not use: a sentence each.
    left_out: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Copied:
    """The new record, and which change that is in the history."""

    record: Any
    change_id: uuid.UUID | None


def draft(actor: Actor, resource: Resource, record_id: uuid.UUID) -> Draft:
    """What could come along of a record; `NotFound` or `Forbidden` where the actor may not read it."""
    view = finding.get(actor, resource, record_id)
    (wire,) = references.dump(actor, resource, [view])
    left_out: list[str] = []
    (payload,) = _usable(actor, resource, [wire], left_out)
    made = Draft(payload, left_out=left_out)
    for kind, relation in history.taken_along(resource):
        if parts := _parts(actor, resource, kind, relation, record_id, left_out):
            made.parts[kind] = parts
    return made


def _parts(
    actor: Actor,
    resource: Resource,
    kind: Resource,
    relation: str,
    record_id: uuid.UUID,
    left_out: list[str],
) -> list[Part]:
    """The record's parts of a kind that can come along, in the order that they have there."""
    model = kind.model
    of_it = select(model).where(getattr(model, f"{relation}_id") == record_id, allowed(actor, kind))
    listed = (name for name, each in resource.schema.references() if each.kind == kind.name)
    order = [each for name in listed for each in references.order_of(resource, name)]
    records = db.session.scalars(of_it.order_by(*order, model.id)).all()
    wire = references.dump(actor, kind, references.view(actor, kind, records))
    payloads = _usable(actor, kind, wire, left_out, apart=relation)
    titles = [kind.called(record) for record in records]
    parts = [
        Part(record.id, title, payload)
        for record, title, payload in zip(records, titles, payloads, strict=True)
    ]
    whole = [part for part in parts if not _lacks(kind, relation, part.payload)]
    for part in parts:
        if part not in whole:
            left_out.append(f"{kind.label} “{part.title}”: you may not use what it needs.")
    return whole


def _lacks(kind: Resource, relation: str, payload: dict[str, Any]) -> bool:
    """Whether a reference is missing that the kind can't be without."""
    needed = [name for name, each in kind.schema.references() if each.required and name != relation]
    return any(not payload.get(name) for name in needed)


def _usable(
    actor: Actor,
    resource: Resource,
    wire: list[dict[str, Any]],
    left_out: list[str],
    *,
    apart: str = "",
) -> list[dict[str, Any]]:
    """Records on the wire as payloads of new ones: what can be written, and named by this actor.

    Without the relation `apart`, which the new records have to another one.
    """
    written = {
        name: each
        for name, each in resource.schema(way=actor.way).load_fields.items()
        if name != apart and not isinstance(each, People)
    }
    found = [{name: each[name] for name in written if name in each} for each in wire]
    for name, kind in written.items():
        if not isinstance(kind, Ref | RefList):
            continue
        target = registry.get(kind.kind)
        ids = dict.fromkeys(each for payload in found for each in _listed(payload.get(name)))
        barred = set(map(str, unusable(actor, kind.right, target, [uuid.UUID(i) for i in ids])))
        names = finding.named(actor, target, [uuid.UUID(each) for each in barred])
        for text in names.values():
            sentence = f"{target.label} “{text}”: you may see it, but not use it."
            if sentence not in left_out:
                left_out.append(sentence)
        for payload in found:
            kept = [each for each in _listed(payload.get(name)) if each not in barred]
            payload[name] = kept if isinstance(kind, RefList) else next(iter(kept), None)
    return found


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def taken(resource: Resource, names: list[str]) -> set[str]:
    """Those of the names that records of a kind have, whoever may see them."""
    handle = getattr(resource.model, resource.handle)
    return set(db.session.scalars(select(handle).where(handle.in_(names))))


@operation
def duplicate(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    payload: Mapping[str, Any],
    kinds: Iterable[Resource] = (),
) -> Copied:
    """Make a new record of the payload, with the parts of these kinds that another record has.

    The payload is judged as that of any new record. Errors in the parts stand under their kind's name.
    """
    drafted = draft(actor, resource, record_id)
    history.describe(f"New {resource.words} like another one")
    new = operations.add(actor, resource, dict(payload))
    chosen = {kind: drafted.parts.get(kind, []) for kind in drafted.parts if kind in set(kinds)}
    ids = {part.id: uuid.uuid4() for parts in chosen.values() for part in parts}
    ids[record_id] = new.id
    own = {resource, *(kind for kind, _ in history.taken_along(resource))}
    errors: dict[str, list[str]] = {}
    for kind, relation in history.taken_along(resource):
        for part in chosen.get(kind, []):
            mapped = _mapped(kind, part.payload | {relation: str(record_id)}, ids, own)
            try:
                operations.add(actor, kind, mapped, record_id=ids[part.id])
            except ValidationError as error:
                texts = texts_in(error.normalized_messages())
                errors.setdefault(kind.name, []).append(f"“{part.title}”: {' '.join(texts)}")
            except Forbidden as error:
                errors.setdefault(kind.name, []).append(f"“{part.title}”: {error}")
    if errors:
        raise ValidationError(errors)
    return Copied(new, history.change_id())


def _mapped(
    kind: Resource,
    payload: dict[str, Any],
    ids: dict[uuid.UUID, uuid.UUID],
    own: set[Resource],
) -> dict[str, Any]:
    """A part's payload with the new ids in place of the old ones, and without parts that stay behind."""
    mapped = dict(payload)
    for name, each in kind.schema.references():
        if name not in payload or registry.get(each.kind) not in own:
            continue
        new = [ids[old] for old in map(as_id, _listed(payload[name])) if old in ids]
        names = [str(one) for one in new]
        mapped[name] = names if isinstance(each, RefList) else next(iter(names), None)
    return mapped
