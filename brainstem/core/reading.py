"""Records as the API sends them: read by their ids, all that they name with them, in one statement.

Pages look at records through `references.view`, a statement a relation, and may do anything with them.
Here a row becomes the JSON that is sent, and nothing in between: what the database keeps as JSON, or can
write as JSON itself, is put in its place as it is. A list of 100 sessions took 62 ms of the processor by
views and takes 4 this way. The statement of a kind is made once; who asks, and for what, are its
parameters, so that the databases, too, understand it but once.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Any

from marshmallow import fields
from sqlalchemy import ColumnElement, Select, String, case, cast, literal, null, select

from brainstem.core import people, references
from brainstem.core.permissions import WHO, Actor, allowed, allowed_ids, seen_as, sees_parent
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    TIMES,
    Document,
    ExtraFields,
    Links,
    People,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
)
from brainstem.core.sql import (
    THE_ONE,
    WHICH,
    id_text,
    in_set,
    is_among,
    json_list,
)
from brainstem.core.transactions import execute

#: An include: `{"behaviors": {"subjects": {}}}`.
Tree = dict[str, "Tree"]

#: What records are called, by their kind and id.
Names = dict[str, dict[str, str]]
#: The letters of an id, as it is written.
ID = 36


@dataclass
class Sent:
    """A record as it is sent: its fields as JSON texts, in their order."""

    id: str
    version: int
    shape: Shape
    parts: list[str]

    @property
    def json(self) -> str:
        """The record's JSON."""
        return self.shape.template % tuple(self.parts)

    @property
    def wire(self) -> dict[str, Any]:
        """What the JSON says."""
        return json.loads(self.json)


def sent(
    actor: Actor,
    resource: Resource,
    ids: Iterable[uuid.UUID | str],
    include: Tree | None = None,
    *,
    guarded: bool = False,
    only: frozenset[str] | None = None,
    with_names: bool = False,
) -> list[Sent]:
    """The records of these ids, in their order; one that is there no more is left out.

    The actor may read them: that is known, unless `guarded` asks for it here. `only` names the fields
    that are wanted, times among them (`schemas.TIMES`), where they are not all that are sent. `with_names`
    is for `named`.
    """
    ids = list(map(str, ids))
    if not ids:
        return []
    single, found = len(ids) == 1, {}
    shape = _shape(resource, actor.portal, guarded, only, single, with_names)
    asked = {THE_ONE.key: uuid.UUID(ids[0])} if single else {WHICH.key: ids}
    for row in execute(shape.statement, {WHO.key: actor.user_id, **asked}).all():
        record_id, version, *values = row
        pairs = zip(shape.writers, values, strict=True)
        parts = [value if write is None else write(value) for write, value in pairs]
        found[record_id] = Sent(record_id, version, shape, parts)
    for place, (name, field) in enumerate(shape.fields.items()):
        if isinstance(field, People):
            _put_people(resource, field, place, found)
        elif include and name in include:
            _put_records(actor, field, place, include[name], found.values())
    return [found[each] for each in ids if each in found]


def named(
    actor: Actor, resource: Resource, ids: Iterable[uuid.UUID], only: frozenset[str] | None
) -> tuple[list[dict[str, Any]], Names]:
    """The records as they are sent, for a page that shows what they name by its name; and those names, of
    the kinds that have names of their own.

    To ask for the names apart took 0.4 of the 5 ms of a list.
    """
    found = sent(actor, resource, ids, only=only, with_names=True)
    records, names = json.loads(f"[{','.join(each.json for each in found)}]"), {}
    for name, target in found[0].shape.named.items() if found else ():
        known = names.setdefault(target.name, {})
        for record in records:
            value = record[name]
            listed = value if isinstance(value, list) else [value] if value else []
            known.update((each[:ID], target.title(each[ID:])) for each in listed)
            ids = [each[:ID] for each in listed]
            record[name] = ids if isinstance(value, list) else next(iter(ids), None)
    return records, names


def _put_people(resource: Resource, field: People, place: int, found: dict[str, Sent]) -> None:
    held = people.held(resource, field.kind, map(uuid.UUID, found))
    for record_id, each in found.items():
        roles = held.get(uuid.UUID(record_id), {})
        each.parts[place] = json.dumps(field._serialize(roles, None, None))


def _put_records(
    actor: Actor, field: Ref | RefList, place: int, branch: Tree, owners: Iterable[Sent]
) -> None:
    """Put records in the places of their ids."""
    named = [json.loads(each.parts[place]) for each in owners]
    lists = [each if isinstance(field, RefList) else [each] for each in named]
    target = registry.get(field.kind)
    ids = dict.fromkeys(each for inner in lists for each in inner if each)
    records = {each.id: each.json for each in sent(actor, target, ids, branch)} if target else {}
    for owner, inner in zip(owners, lists, strict=True):
        texts = [records[each] for each in inner if each in records]
        if isinstance(field, RefList):
            owner.parts[place] = f"[{','.join(texts)}]"
        else:
            owner.parts[place] = texts[0] if texts else "null"


@dataclass(frozen=True)
class Shape:
    """How the records of a kind are read, and written."""

    #: A select of id and version, and of a column for each of the fields.
    statement: Select
    fields: dict[str, fields.Field]
    #: What makes JSON of each of those; None where the database does.
    writers: list[Callable[[Any], str] | None]
    template: str
    #: What stands behind the ids of these relations is the name of what they name, of this kind.
    named: dict[str, Resource]


@lru_cache(1000)
def _shape(
    resource: Resource,
    portal: str,
    guarded: bool,
    only: frozenset[str] | None,
    single: bool,
    with_names: bool,
) -> Shape:
    who = Actor(WHO, portal=portal)
    model, times = resource.model, TIMES.keys() & (only or ())
    schema = resource.schema(portal=portal, only=only and only - times)
    shown = schema.dump_fields | {name: TIMES[name] for name in times}
    named = {
        name: target for name, field in shown.items() if with_names and (target := _named(field))
    }
    columns = [_column(who, resource, name, field, name in named) for name, field in shown.items()]
    statement = select(id_text(model.id), model.version, *columns)
    statement = statement.where(model.id == THE_ONE if single else is_among(model.id, WHICH))
    if guarded:
        statement = statement.where(allowed(who, resource))
    writers = [
        _writer(field) if name not in named or isinstance(field, RefList) else _text
        for name, field in shown.items()
    ]
    template = ",".join(f'"{name}":%s' for name in shown)
    return Shape(statement, shown, writers, f"{{{template}}}", named)


def _named(field: fields.Field) -> Resource | None:
    """The kind that a field names, if its records have names of their own."""
    target = registry.get(field.kind) if isinstance(field, Ref | RefList) else None
    return target if target and references.has_names(target) else None


#: The types of field that are sent as the database keeps them.
KEPT = (Document._serialize, ExtraFields._serialize, RowList._serialize)


def _column(
    who: Actor, resource: Resource, name: str, field: fields.Field, with_names: bool
) -> Any:
    """What stands in the place of a field: its value, or the ids of those that the actor may read; with their
    names behind them."""
    column = getattr(resource.model, f"{name}_id" if isinstance(field, Ref) else name, None)
    match field:
        case Links() | People():
            return null()
        case fields.UUID():
            return id_text(column)
        case TagList():
            tag = column.entity.class_
            return json_list(_related(resource, name, tag.name))
        case Ref() | RefList():
            return _referred(who, resource, name, field, with_names)
    return cast(column, String) if type(field)._serialize in KEPT else column


def _referred(
    who: Actor, resource: Resource, name: str, field: Ref | RefList, with_names: bool
) -> Any:
    target = registry.get(field.kind)
    if target is None:
        # The schema names a kind that no module has registered yet.
        return literal("[]") if isinstance(field, RefList) else null()
    if isinstance(field, RefList):
        return json_list(_ids(who, resource, name, target, with_names))
    key, seen = getattr(resource.model, f"{name}_id"), allowed(who, target)
    if with_names:
        its = select(_text_of(key, target, with_names)).where(target.model.id == key)
        its = its if sees_parent(resource, name) else its.where(seen)
        return its.correlate(resource.model.__table__).scalar_subquery()
    if sees_parent(resource, name):
        return id_text(key)
    return case((getattr(resource.model, name).has(seen), id_text(key)))


def _text_of(key: ColumnElement, target: Resource, with_names: bool) -> ColumnElement[str]:
    name = getattr(target.model, target.handle)
    return id_text(key).concat(name) if with_names else id_text(key)


def _ids(who: Actor, resource: Resource, name: str, target: Resource, with_names: bool) -> Select:
    """The ids of what a relation of the record names, as far as the actor may read it, in its order."""
    relation, order = getattr(resource.model, name).property, references.order_of(resource, name)
    links = relation.secondary
    if target.roles and links is not None and all(each.table is links for each in order):
        # The links say it all; and of such kinds there are few records that one may read.
        ((_, link),) = relation.secondary_synchronize_pairs
        found = select(_text_of(link, target, with_names).label("each")).where(relation.primaryjoin)
        if with_names:
            found = found.where(relation.secondaryjoin)
        if who.portal != "super":
            found = found.where(in_set(link, allowed_ids(who, target)))
        return found.order_by(*order, link).correlate(resource.model.__table__)
    found = _related(resource, name, _text_of(target.model.id, target, with_names))
    if not seen_as(resource, target):
        found = found.where(allowed(who, target))
    return found.order_by(target.model.id)


def _related(resource: Resource, name: str, column: ColumnElement) -> Select:
    """A column of what a relation of the record names, in the relation's order."""
    relation = getattr(resource.model, name).property
    statement = select(column.label("each")).where(relation.primaryjoin)
    if relation.secondary is not None:
        statement = statement.where(relation.secondaryjoin)
    order = references.order_of(resource, name)
    return statement.order_by(*order).correlate(resource.model.__table__)


def _writer(field: fields.Field) -> Callable[[Any], str] | None:
    """What makes JSON of a field's column."""
    if isinstance(field, RefList | TagList) or type(field)._serialize in KEPT:
        return None
    if isinstance(field, Ref | fields.UUID):
        return lambda value: "null" if value is None else f'"{value}"'
    if isinstance(field, Text):
        return encode_basestring_ascii
    if isinstance(field, Links):
        constant = json.dumps(field._serialize(None, None, None))
        return lambda _: constant
    if isinstance(field, People):
        return lambda _: "{}"  # `_put_people` does it
    return lambda value: json.dumps(field._serialize(value, None, None))


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring_ascii(value)


def ascii_json(text: str) -> bytes:
    """JSON for clients that guess what its letters are encoded in: none of them is beyond ASCII."""
    if not text.isascii():
        text = re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found[0])[1:-1], text)
    return text.encode()
