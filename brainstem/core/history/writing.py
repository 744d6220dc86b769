"""Noting what operations do, while they do it."""

from __future__ import annotations

import json as json_text
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Column, Select, Table, bindparam, select, update
from sqlalchemy.orm.util import identity_key

from brainstem.core import people, reading, references
from brainstem.core.history.models import (
    CHANGE,
    CREATE,
    DELETE,
    Change,
    Revision,
    change_root,
    revision_root,
)
from brainstem.core.permissions import Actor, made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, Ref, RefList, TagList
from brainstem.core.sql import WHICH, is_among
from brainstem.core.times import utcnow
from brainstem.core.transactions import at_the_end, execute, insert_into
from brainstem.extensions import db

CHANGES: Table = Change.__table__
REVISIONS: Table = Revision.__table__
LAST_REVISIONS = (
    select(REVISIONS.c.id)
    .where(REVISIONS.c.change_id == bindparam("change"))
    .order_by(REVISIONS.c.id.desc())
)

#: Links that are known already, by field; none.
UNKNOWN: Mapping[str, list] = MappingProxyType({})

#: Who may read everything: the history knows more than most who see it.
EVERYBODY = Actor(None, portal="super")


class Named(NamedTuple):
    """A record as a revision speaks of it."""

    id: uuid.UUID
    title: str
    version: int


def describe(summary: str) -> None:
    """Say in words what the operation that runs does: “Import of rats.csv”."""
    work = db.session.info["operation"]
    work["summary"] = summary[:300]
    if "change" in work:
        this = update(CHANGES).where(CHANGES.c.id == work["change"]["id"])
        db.session.execute(this.values(summary=work["summary"]))


def change_id() -> uuid.UUID | None:
    """The id of what the operation that runs, or else the last one, has changed; None for nothing."""
    work = db.session.info.get("operation", db.session.info.get("last", {}))
    return work["change"]["id"] if "change" in work else None


def noted(record_id: uuid.UUID) -> list[str]:
    """The fields that the operation that runs has changed of a record."""
    return db.session.info["operation"].get("noted", {}).get(record_id, [])


def created(actor: Actor, resource: Resource, record: Any, links: dict[str, list]) -> None:
    """Note a new record; its `links` (ids, tags) need not be asked for."""
    if not resource.part_of:
        after = state(resource, record, recorded(resource), links)
        named = Named(record.id, resource.called(record), record.version)
        _note(actor, resource, named, CREATE, {}, after, roots(resource, record, links))


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
        named = Named(record.id, resource.called(record), record.version)
        _note(actor, resource, named, CHANGE, was, now, rooted, follows=follows)


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
    actor: Actor,
    resource: Resource,
    ids: list[uuid.UUID],
    rooted: Mapping[uuid.UUID, set[uuid.UUID]] | None = None,
    gone: frozenset[uuid.UUID] = frozenset(),
) -> frozenset[uuid.UUID]:
    """Note records that are about to be deleted, with all that goes with them or loses their name.

    What names them comes first and they come last: to take it all back, one goes the other way. Returns
    the ids of all that will be gone.

    Where they only follow, `rooted` says what they take their rights from, and `gone` is noted already.
    """
    if resource.part_of:
        return gone
    follows, gone = rooted is not None, gone.union(ids)
    if rooted is None:
        rooted = {each: roots(resource, db.session.get(resource.model, each)) for each in ids}
    _unname(actor, resource, ids, gone)
    for kind, relation in reversed(taken_along(resource)):
        if parts := dict(_parts(kind, relation, which=ids).all()):
            its_roots = {
                part: rooted[each]
                if kind.parents == (relation,)
                else roots(kind, db.session.get(kind.model, part))
                for part, each in parts.items()
            }
            gone = deleting(actor, kind, [*parts], its_roots, gone)
    for named, before in states(resource, ids, [*recorded(resource), "created_date"]):
        _note(actor, resource, named, DELETE, before, {}, rooted[named.id], follows=follows)
        known = db.session.identity_map.get(identity_key(resource.model, named.id))
        if follows and known is not None:
            # The database deletes it: nobody is to find it here afterwards.
            db.session.expunge(known)
    return gone


def _unname(
    actor: Actor, resource: Resource, ids: list[uuid.UUID], gone: frozenset[uuid.UUID]
) -> None:
    """Note of the records whose lists name these that they go on without them."""
    texts = set(map(str, ids))
    for kind, name in _lists_of(resource):
        naming = _naming(references.link_table_of(kind, name), which=ids).scalars()
        owners = [each for each in naming if each not in gone]
        for named, before in states(kind, owners, [name]):
            record = db.session.get(kind.model, named.id)
            record.version, record.updated_date = record.version + 1, utcnow()
            now = named._replace(version=record.version)
            after = {name: [each for each in before[name] if each not in texts]}
            rooted = roots(kind, record)
            _note(actor, kind, now, CHANGE, before, after, rooted, follows=True)


@made_once
def _parts(kind: Resource, relation: str) -> Select:
    """The records of a kind that belong to `WHICH`, and to which of them."""
    owner = getattr(kind.model, f"{relation}_id")
    return select(kind.model.id, owner).where(is_among(owner, WHICH)).order_by(kind.model.id)


@made_once
def _naming(table: Table) -> Select:
    """The records whose lists name `WHICH`."""
    owner, target, _ = references.columns_of(table)
    return select(owner).where(is_among(target, WHICH)).distinct()


@cache
def _lists_of(resource: Resource) -> list[tuple[Resource, str]]:
    """The lists in other records that name those of this kind, and go on without them."""
    return [
        (kind, name)
        for kind in registry
        for name, field in kind.schema.references()
        if isinstance(field, RefList)
        and field.kind == resource.name
        and not field.dump_only
        and _cascades(references.columns_of(references.link_table_of(kind, name))[1])
    ]


@cache
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


def states(
    resource: Resource, ids: list[uuid.UUID], names: list[str]
) -> Iterator[tuple[Named, dict[str, Any]]]:
    """`state` of records by their ids, read in one statement."""
    only = frozenset({resource.handle, *names})
    for sent in reading.sent(EVERYBODY, resource, ids, only=only):
        wire = sent.wire
        title = resource.title(wire[resource.handle])
        named = Named(uuid.UUID(sent.id), title, sent.version)
        yield named, {name: wire[name] for name in names}


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
    named: Named,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    rooted: set[uuid.UUID],
    *,
    follows: bool = False,
) -> None:
    work, change = db.session.info["operation"], _change(actor)
    revision = {
        "change_id": change["id"],
        "kind": resource.name,
        "record_id": named.id,
        "title": named.title[:300],
        "action": action,
        "version": named.version,
        "follows": follows,
        "before": before,
        "after": after,
    }
    at_the_end(Revision, [(revision, rooted)], _add)
    if action == CHANGE:
        work.setdefault("noted", {})[named.id] = list(dict.fromkeys([*noted(named.id), *after]))
    if new := rooted - work.setdefault("roots", set()):
        work["roots"] |= new
        rows = [{"change_id": change["id"], "root_id": each, "at": change["at"]} for each in new]
        at_the_end(change_root, rows, lambda rows: execute(insert_into(change_root), rows))


def _add(revisions: list[tuple[dict[str, Any], set[uuid.UUID]]]) -> None:
    values = [revision for revision, _ in revisions]
    if len(values) == 1:
        ids = execute(insert_into(REVISIONS), values[0]).inserted_primary_key
    else:
        execute(insert_into(REVISIONS), values)
        # They are counted in the order in which a transaction writes them.
        last = LAST_REVISIONS.limit(len(values))
        ids = execute(last, {"change": values[0]["change_id"]}).scalars().all()[::-1]
    rows = [
        {"revision_id": made, "root_id": each}
        for made, (_, rooted) in zip(ids, revisions, strict=True)
        for each in rooted
    ]
    if rows:
        execute(insert_into(revision_root), rows)


def _change(actor: Actor) -> dict[str, Any]:
    """The change that the operation that runs is."""
    work = db.session.info["operation"]
    if "change" not in work:
        work["change"] = {
            "id": uuid.uuid4(),
            "at": utcnow(),
            "user_id": actor.user_id,
            "way": actor.way,
            "by": actor.by[:200],
            "summary": work.get("summary", ""),
        }
        execute(insert_into(CHANGES), work["change"])
    return work["change"]


def _text(value: Any) -> str:
    # As text: 22 and 22.0 are two things here, and so are two orders of keys.
    return json_text.dumps(value)
