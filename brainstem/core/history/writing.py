"""Noting what operations do, while they do it."""

from __future__ import annotations

import json as json_text
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, insert, select

from brainstem.core import people, references
from brainstem.core.history.models import (
    CHANGE,
    CREATE,
    DELETE,
    Change,
    Revision,
    change_root,
    revision_root,
)
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, Ref, RefList, TagList
from brainstem.core.times import utc_text, utcnow
from brainstem.core.transactions import together
from brainstem.extensions import db

#: Links that are known already, by field; none.
UNKNOWN: Mapping[str, list] = MappingProxyType({})


def describe(summary: str) -> None:
    """Say in words what the operation that runs does: “Import of rats.csv”."""
    work = db.session.info["operation"]
    work["summary"] = summary[:300]
    if "change" in work:
        work["change"].summary = work["summary"]


def change_id() -> uuid.UUID | None:
    """The id of what the operation that runs, or else the last one, has changed; None for nothing."""
    work = db.session.info.get("operation", db.session.info.get("last", {}))
    change = work.get("change")
    return change and change.id


def noted(record_id: uuid.UUID) -> list[str]:
    """The fields that the operation that runs has changed of a record."""
    return db.session.info["operation"].get("noted", {}).get(record_id, [])


def created(actor: Actor, resource: Resource, record: Any, links: dict[str, list]) -> None:
    """Note a new record; its `links` (ids, tags) need not be asked for."""
    if not resource.part_of:
        after = state(resource, record, recorded(resource), links)
        _note(actor, resource, record, CREATE, {}, after, roots(resource, record, links))


@contextmanager
def changing(
    actor: Actor,
    resource: Resource,
    record: Any,
    names: Iterable[str],
    *,
    follows: bool = False,
) -> Iterator[None]:
    """Note what the block does to these fields of a record."""
    if resource.part_of:
        yield
        return
    names = [name for name in recorded(resource) if name in names]
    rooted = roots(resource, record)
    before = state(resource, record, names)
    yield
    after = state(resource, record, names)
    differ = [name for name in names if _text(before[name]) != _text(after[name])]
    if differ:
        rooted |= roots(resource, record) if set(names) & set(resource.parents) else set()
        was, now = ({name: each[name] for name in differ} for each in (before, after))
        _note(actor, resource, record, CHANGE, was, now, rooted, follows=follows)


@contextmanager
def changing_owner(actor: Actor, resource: Resource, owner_id: uuid.UUID | None) -> Iterator[None]:
    """Note what the block does to the record that these are a part of (`Resource.part_of`)."""
    if not resource.part_of or owner_id is None:
        yield
        return
    owner = registry.of(getattr(resource.model, resource.part_of).entity.class_)
    names = [
        name
        for name, _ in owner.schema.references()
        if references.link_table_of(owner, name) is resource.model.__table__
    ]
    with changing(actor, owner, db.session.get(owner.model, owner_id), names):
        yield


def deleting(
    actor: Actor, resource: Resource, record: Any, gone: frozenset[uuid.UUID] = frozenset()
) -> None:
    """Note a record that is about to be deleted, with all that goes with it or loses its name.

    What names it comes first and the record last: to take it all back, one goes the other way.
    `gone` is what was noted before, where this one only follows.
    """
    if resource.part_of:
        return
    rooted, follows = roots(resource, record), bool(gone)
    gone = gone | {record.id}
    for kind, name, owner in _naming(resource, record, gone):
        before = state(kind, owner, [name])
        after = {name: [each for each in before[name] if each != str(record.id)]}
        owner.version, owner.updated_date = owner.version + 1, utcnow()
        _note(actor, kind, owner, CHANGE, before, after, roots(kind, owner), follows=True)
    for kind, relation in reversed(taken_along(resource)):
        column = getattr(kind.model, f"{relation}_id")
        for part in db.session.scalars(select(kind.model).where(column == record.id)).all():
            deleting(actor, kind, part, gone)
            gone = gone | {part.id}
    before = state(resource, record, recorded(resource))
    before["created_date"] = utc_text(record.created_date)
    _note(actor, resource, record, DELETE, before, {}, rooted, follows=follows)
    if follows:
        # The database deletes it: nobody is to find it here afterwards.
        db.session.expunge(record)


def taken_along(resource: Resource) -> list[tuple[Resource, str]]:
    """The kinds whose records are deleted with one of this kind, with their relation to it.

    In the order in which they can be made: epochs name modules, so they come after them.
    """
    return [
        (kind, name)
        for kind in registry
        if not kind.part_of
        for name in kind.parents
        if getattr(kind.model, name).entity.class_ is resource.model
        and not getattr(kind.model, name).property.uselist
        and _cascades(kind.model.__table__.c[f"{name}_id"])
    ]


def _naming(
    resource: Resource, record: Any, gone: frozenset[uuid.UUID]
) -> Iterator[tuple[Resource, str, Any]]:
    """The records whose lists name this one and go on without it."""
    for kind in registry:
        for name, field in kind.schema.references():
            if not isinstance(field, RefList) or field.kind != resource.name or field.dump_only:
                continue
            owner, target, _ = references.columns_of(references.link_table_of(kind, name))
            if not _cascades(target):
                continue
            named = select(owner).where(target == record.id, owner.not_in(gone))
            for each in db.session.scalars(select(kind.model).where(kind.model.id.in_(named))):
                yield kind, name, each


def _cascades(column: Column) -> bool:
    return any(key.ondelete == "CASCADE" for key in column.foreign_keys)


@cache
def recorded(resource: Resource) -> list[str]:
    """The fields that the history of a kind tells: what one can write, and who was noted as its author."""
    return [
        name
        for name, field in _schema(resource).fields.items()
        if name in _schema(resource).load_fields or isinstance(field, Ref)
    ]


@cache
def _schema(resource: Resource) -> Any:
    return resource.schema(way="page")


def state(
    resource: Resource,
    record: Any,
    names: Iterable[str],
    links: Mapping[str, list] = UNKNOWN,
) -> dict[str, Any]:
    """Fields of a record on the wire, with everything that it names, whoever may see that."""
    schema, refs = _schema(resource), {}
    for name in names:
        field = schema.fields[name]
        if name in links:
            refs[name] = links[name]
        elif isinstance(field, Ref):
            refs[name] = getattr(record, f"{name}_id")
        elif isinstance(field, RefList):
            table = references.link_table_of(resource, name)
            refs[name] = references.linked_ids(table, record.id)
        elif isinstance(field, TagList):
            refs[name] = references.tag_names(resource, name, record.id)
        elif isinstance(field, People):
            refs[name] = people.held(resource, field.kind, [record.id]).get(record.id, {})
    view = references.View(record, refs)
    return {
        name: schema.fields[name].serialize(name, view, accessor=schema.get_attribute)
        for name in names
    }


def roots(resource: Resource, record: Any, links: Mapping[str, list] = UNKNOWN) -> set[uuid.UUID]:
    """The records with roles of their own that a record takes its rights from."""
    if resource.roles is not None:
        return {record.id}
    found: set[uuid.UUID] = set()
    for name in resource.parents:
        relation = getattr(resource.model, name)
        parent = registry.of(relation.entity.class_)
        if name in links:
            ids = links[name]
        elif relation.property.uselist:
            ids = references.linked_ids(references.link_table_of(resource, name), record.id)
        else:
            ids = [getattr(record, f"{name}_id")]
        if parent.roles is not None:
            found.update(ids)
        else:
            for each in ids:
                found |= roots(parent, db.session.get(parent.model, each))
    return found


def _note(
    actor: Actor,
    resource: Resource,
    record: Any,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    rooted: set[uuid.UUID],
    *,
    follows: bool = False,
) -> None:
    change = _change(actor)
    revision = Revision(
        change_id=change.id,
        kind=resource.name,
        record_id=record.id,
        title=resource.called(record)[:300],
        action=action,
        version=record.version,
        follows=follows,
        before=before,
        after=after,
    )
    together(Revision, [(revision, rooted)], _add)
    if action == CHANGE:
        change_of = db.session.info["operation"].setdefault("noted", {})
        change_of[record.id] = list(dict.fromkeys([*noted(record.id), *after]))
    work = db.session.info["operation"]
    if new := rooted - work.setdefault("roots", set()):
        work["roots"] |= new
        rows = [{"change_id": change.id, "root_id": each, "at": change.at} for each in new]
        db.session.execute(insert(change_root), rows)


def _add(revisions: list[tuple[Revision, set[uuid.UUID]]]) -> None:
    db.session.add_all(revision for revision, _ in revisions)
    db.session.flush()
    rows = [
        {"revision_id": revision.id, "root_id": each}
        for revision, rooted in revisions
        for each in rooted
    ]
    if rows:
        db.session.execute(insert(revision_root), rows)


def _change(actor: Actor) -> Change:
    """The change that the operation that runs is."""
    work = db.session.info["operation"]
    if "change" not in work:
        change = Change(
            user_id=actor.user_id,
            way=actor.way,
            by=actor.by[:200],
            summary=work.get("summary", ""),
        )
        db.session.add(change)
        db.session.flush()
        work["change"] = change
    return work["change"]


def _text(value: Any) -> str:
    # As text: 22 and 22.0 are two things here, and so are two orders of keys.
    return json_text.dumps(value)
