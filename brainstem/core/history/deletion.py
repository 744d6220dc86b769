"""Noting a deletion: with the record goes what belongs to it, and its name from the lists of others."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cache

from sqlalchemy import Column, Select, Table, select
from sqlalchemy.orm.util import identity_key

from brainstem.core import references
from brainstem.core.history.models import CHANGE, DELETE
from brainstem.core.history.noting import note
from brainstem.core.history.states import recorded, roots, states
from brainstem.core.permissions import Actor, made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import RefList
from brainstem.core.sql import WHICH, is_among
from brainstem.core.times import utcnow
from brainstem.extensions import db


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
        note(actor, resource, named, DELETE, before, {}, rooted[named.id], follows=follows)
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
            note(actor, kind, now, CHANGE, before, after, rooted, follows=True)


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
