"""What records name: read for a whole page of records at once, and written without losing the unseen.

Reading takes one statement a relation, whatever the number of records. Every reference passes
`allowed()`: what the actor may not read is not there for her, not even as an id.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import (
    Select,
    Table,
    UniqueConstraint,
    Update,
    bindparam,
    delete,
    select,
    update,
)

from brainstem.core import people
from brainstem.core.permissions import Actor, allowed, made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, Ref, RefList, TagList, Text
from brainstem.core.sql import WHICH, is_among
from brainstem.core.times import utcnow
from brainstem.core.transactions import execute, insert_into, recalled, together
from brainstem.extensions import db


@dataclass
class View:
    """A record as one actor may see it: its own fields, and by field name what it refers to."""

    record: Any
    refs: dict[str, Any] = field(default_factory=dict)


def view(
    actor: Actor, resource: Resource, records: Sequence[Any], include: dict[str, dict] | None = None
) -> list[View]:
    """The records with their references; those in `include` as wire records instead of ids."""
    views = {record.id: View(record) for record in records}
    if not views:
        return []
    include = include or {}
    for name, kind in resource.schema._declared_fields.items():
        if isinstance(kind, TagList):
            found = tags_of(resource, name, views)
        elif isinstance(kind, People):
            found = people.held(resource, kind.kind, views) if actor.portal != "public" else {}
        elif isinstance(kind, Ref | RefList):
            found = by_owner(related(actor, resource, name, views))
            if name in include:
                _replace_by_records(actor, kind, found, include[name])
        else:
            continue
        for record_id, each in views.items():
            value = found.get(record_id, {} if isinstance(kind, People) else [])
            each.refs[name] = next(iter(value), None) if isinstance(kind, Ref) else value
    return list(views.values())


def records(resource: Resource, ids: list[uuid.UUID]) -> list[Any]:
    """The records of these ids, in their order; one that is there no more is left out."""
    found = {each.id: each for each in _records(resource, which=ids).scalars()} if ids else {}
    return [found[each] for each in ids if each in found]


@made_once
def _records(resource: Resource) -> Select:
    return select(resource.model).where(is_among(resource.model.id, WHICH))


def dump(actor: Actor, resource: Resource, views: Iterable[View]) -> list[dict[str, Any]]:
    """The views on the wire."""
    schema = resource.schema(portal=actor.portal)
    return schema.dump(views, many=True)


def by_owner(pairs: Iterable[tuple[uuid.UUID, Any]]) -> dict[uuid.UUID, list]:
    """What belongs to each owner, in its order."""
    found: dict[uuid.UUID, list] = {}
    for owner, value in pairs:
        found.setdefault(owner, []).append(value)
    return found


def related(
    actor: Actor, resource: Resource, name: str, owners: Iterable[uuid.UUID]
) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    """(owner's id, id of a record that its relation names), in the relation's order."""
    if registry.get(resource.schema._declared_fields[name].kind) is None:
        # The schema names a kind that no module has registered yet.
        return []
    return _related(actor, resource, name, which=owners)


@made_once
def _related(actor: Actor, resource: Resource, name: str) -> Select:
    target = registry.get(resource.schema._declared_fields[name].kind)
    found = joined(select(resource.model.id, target.model.id), resource, name)
    found = found.where(is_among(resource.model.id, WHICH), allowed(actor, target))
    return found.order_by(*order_of(resource, name), target.model.id)


def has_names(resource: Resource) -> bool:
    """Whether the records of a kind have names of their own."""
    return isinstance(resource.schema._declared_fields[resource.handle], Text)


def joined(columns: Select, resource: Resource, *path: str) -> Select:
    """The columns, from records joined to what a relation of theirs names, and to what one of those names.

    Not `join(relation)`: that would name the link table anew, and the relation's order speaks of it. So no
    kind may stand twice in a path.
    """
    statement, model, known = columns.select_from(resource.model), resource.model, set()
    for name in path:
        known.add(model)
        relation = getattr(model, name).property
        model = relation.entity.class_
        if model in known and len(path) > 1:
            raise ValueError(f"{path} comes back to where it was.")
        if relation.secondary is None:
            statement = statement.join(model, relation.primaryjoin)
        else:
            statement = statement.join(relation.secondary, relation.primaryjoin)
            statement = statement.join(model, relation.secondaryjoin)
    return statement


def order_of(resource: Resource, name: str) -> Sequence[Any]:
    """The order of a relation's records."""
    return getattr(resource.model, name).property.order_by or ()


def _replace_by_records(
    actor: Actor, kind: Ref | RefList, found: dict[uuid.UUID, list], include: dict[str, dict]
) -> None:
    target = registry.get(kind.kind)
    if target is None:
        return
    ids = {each for value in found.values() for each in value}
    records = db.session.scalars(select(target.model).where(target.model.id.in_(ids))).all()
    wire = dump(actor, target, view(actor, target, records, include))
    by_id = dict(zip((record.id for record in records), wire, strict=True))
    for owner, value in found.items():
        found[owner] = [by_id[each] for each in value]


def tags_of(
    resource: Resource, name: str, owners: Iterable[uuid.UUID]
) -> dict[uuid.UUID, list[str]]:
    """The tags of records, in their order."""
    return by_owner(_tags(resource, name, which=owners))


@made_once
def _tags(resource: Resource, name: str) -> Select:
    tag = getattr(resource.model, name).entity.class_
    found = joined(select(resource.model.id, tag.name), resource, name)
    return found.where(is_among(resource.model.id, WHICH)).order_by(*order_of(resource, name))


def tag_names(resource: Resource, name: str, record_id: uuid.UUID) -> list[str]:
    """The tags of one record, in their order."""
    return tags_of(resource, name, [record_id]).get(record_id, [])


def with_unseen(
    current: list[uuid.UUID], seen: set[uuid.UUID], wanted: list[uuid.UUID]
) -> list[uuid.UUID]:
    """The list that an actor wants, with what she can't see kept in its place (contract §8).

    >>> with_unseen(["a", "X", "b"], {"a", "b"}, ["b", "c", "a"])
    ['b', 'X', 'c', 'a']
    """
    result = [each for each in wanted if each in seen or each not in current]
    for place, each in enumerate(current):
        if each not in seen:
            result.insert(min(place, len(result)), each)
    return result


def link_table_of(resource: Resource, name: str) -> Table:
    """The table that holds a relation's links."""
    return getattr(resource.model, name).property.secondary


def linked_ids(table: Table, owner_id: uuid.UUID) -> list[uuid.UUID]:
    """What a record's link table names, in order."""
    return list(links(table, owner_id))


def links(table: Table, owner_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """What a record's link table names, in order, with the places.

    The change of a record reads it once: before, for the history, and after, when `arrange` knows.
    """
    known = _known_links()
    if (table, owner_id) not in known:
        known[table, owner_id] = dict(_links(table, owner=owner_id).all())
    return known[table, owner_id]


def _known_links() -> dict[tuple[Table, uuid.UUID], dict[uuid.UUID, int]]:
    return db.session.info.get("operation", {}).setdefault("links", {})


def forget_links() -> None:
    """Read them anew: others may have changed them until the lock that this change began with, or what they
    named is deleted."""
    _known_links().clear()


@made_once
def _links(table: Table) -> Select:
    owner, target, position = columns_of(table)
    return select(target, position).where(owner == bindparam("owner")).order_by(position)


def arrange(
    table: Table,
    owner_id: uuid.UUID,
    wanted: list[uuid.UUID],
    current: dict[uuid.UUID, int] | None = None,
) -> bool:
    """Make a link table name just these, in this order, 0, 1, 2 …; True where that changed anything.

    `current` are the `links` of an owner that is not new; those that stay keep their rows. The caller
    holds the lock of the owner's row.
    """
    owner, target, position = columns_of(table)
    fresh, current = current is None, current or {}
    gone = current.keys() - set(wanted)
    if gone:
        db.session.execute(delete(table).where(owner == owner_id, target.in_(gone)))
    places = {each: place for place, each in enumerate(wanted) if current.get(each) != place}
    moved = [each for each in places if each in current]
    if moved:
        values = [{"owner": owner_id, "target": each, "place": places[each]} for each in moved]
        execute(_move(table), [each | {"now": utcnow()} for each in values])
    new = [
        {owner.name: owner_id, target.name: each, position.name: place}
        for each, place in places.items()
        if each not in current
    ]
    if new and fresh and not _exclusive(table, owner):
        together(table, new, lambda rows: execute(insert_into(table), rows))
    elif new:
        execute(insert_into(table), new)
    if not fresh:
        _known_links()[table, owner_id] = {each: place for place, each in enumerate(wanted)}
    return bool(gone or places)


@cache
def _move(table: Table) -> Update:
    """Give a link another place. It may be a record itself, and one that moved is a new version of it."""
    owner, target, position = columns_of(table)
    values = {position: bindparam("place")}
    if "version" in table.c:
        values |= {table.c.version: table.c.version + 1, table.c.updated_date: bindparam("now")}
    link = (owner == bindparam("owner"), target == bindparam("target"))
    return update(table).where(*link).values(values)


def _exclusive(table: Table, owner: Any) -> bool:
    """Whether the links of one record can stand in the way of another's: then checks look at them."""
    unique = (each for each in table.constraints if isinstance(each, UniqueConstraint))
    return any(owner.name not in each.columns for each in unique)


def columns_of(table: Table) -> tuple[Any, Any, Any]:
    """Owner, target and position of a link table; the owner's column stands first."""
    owner, target = (column for column in table.columns if column.foreign_keys)
    return owner, target, table.c.order if "order" in table.c else table.c.position


@made_once
def _tags_called(model: Any) -> Select:
    return select(model.name, model.id).where(model.name.in_(bindparam("names", expanding=True)))


def tag_ids(model: Any, names: list[str]) -> list[uuid.UUID]:
    """The ids of tags by name, made where they are new."""

    def find_or_make(asked: list[str]) -> dict[str, uuid.UUID]:
        known = dict(_tags_called(model, names=asked).all())
        for name in asked:
            if name not in known:
                tag = model(name=name)
                db.session.add(tag)
                db.session.flush()
                known[name] = tag.id
        return known

    known = recalled(model, names, find_or_make)
    return [known[name] for name in names]
