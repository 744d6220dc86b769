"""What records say at a moment, whole, and what they take their rights from."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from brainstem.core import people, reading, references
from brainstem.core.history.noting import Named
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, Ref, RefList, TagList
from brainstem.extensions import db

#: Links that are known already, by field; none.
UNKNOWN: Mapping[str, list] = MappingProxyType({})

#: Who may read everything: the history knows more than most who see it.
EVERYBODY = Actor(None, portal="super")


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
