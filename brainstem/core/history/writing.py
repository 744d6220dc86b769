"""Noting what operations do, while they do it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from brainstem.core import references
from brainstem.core.history.models import CHANGE, CREATE
from brainstem.core.history.noting import Named, note
from brainstem.core.history.states import recorded, roots, state
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.extensions import db


def created(actor: Actor, resource: Resource, record: Any, links: dict[str, list]) -> None:
    """Note a new record; its `links` (ids, tags) need not be asked for."""
    if not resource.part_of:
        after = state(resource, record, recorded(resource), links)
        named = Named(record.id, resource.called(record), record.version)
        note(actor, resource, named, CREATE, {}, after, roots(resource, record, links))


@contextmanager
def changing(
    actor: Actor,
    resource: Resource,
    record: Any,
    names: Iterable[str],
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
        note(actor, resource, named, CHANGE, was, now, rooted)


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


def _text(value: Any) -> str:
    # As text: 22 and 22.0 are two things here, and so are two orders of keys.
    return json.dumps(value)
