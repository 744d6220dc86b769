"""The columns of list pages, free fields among them, and the order by any of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError, fields
from sqlalchemy import ColumnElement, and_, case, func, select, true

from brainstem.core import conditions, counting, query
from brainstem.core.permissions import PUBLIC, Actor, allowed
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import TIMES, ExtraFields, Links, Ref, RefList, TagList, Text, label_of
from brainstem.core.sql import json_number, json_text
from brainstem.extensions import db

TIME_HEADINGS = {"created_date": "Created", "updated_date": "Last changed"}


def possible_columns(actor: Actor, resource: Resource) -> dict[str, fields.Field]:
    """The fields that can be columns of a kind's lists."""
    found = {}
    for name, field in (resource.schema._declared_fields | TIMES).items():
        hidden = actor == PUBLIC and field.metadata.get("private")
        nowhere = isinstance(field, Ref | RefList) and not _answers(actor, field)
        if name != "id" and not isinstance(field, Links) and not hidden and not nowhere:
            found[name] = field
    return found


def _answers(actor: Actor, field: Ref | RefList) -> bool:
    target = registry.get(field.kind)
    return target is not None and actor.portal in target.portals | {"super"}


def chosen_columns(actor: Actor, resource: Resource, chosen: list[str]) -> list[str]:
    """The columns that an address chooses, or the usual ones; the name, which is a link, is always there."""
    if not chosen:
        return list(resource.columns)
    possible = possible_columns(actor, resource)
    for name in chosen:
        if name not in possible and extra_key(resource, name) is None:
            raise ValidationError(f"There is no field {name!r}.")
    return chosen if resource.handle in chosen else [resource.handle, *chosen]


def extra_key(resource: Resource, name: str) -> tuple[str, str] | None:
    """The field and the key of a column such as `extra_fields.room`."""
    field, _, key = name.partition(".")
    known = isinstance(resource.schema._declared_fields.get(field), ExtraFields)
    return (field, key) if known and re.fullmatch(ExtraFields.KEY, key) else None


def extra_keys(actor: Actor, resource: Resource) -> list[str]:
    """A column for each free field that records have which the actor may read."""
    found = []
    for name, field in resource.schema._declared_fields.items():
        if isinstance(field, ExtraFields):
            used = _used_keys(actor, resource, name)
            found += [f"{name}.{key}" for key in sorted(used, key=lambda key: (key.lower(), key))]
    return found


def _used_keys(actor: Actor, resource: Resource, name: str) -> list[str]:
    """The keys that documents of a field have. All of them are looked at, 0.3 s of 100,000: so remembered."""

    def find() -> tuple[list[str], str | None]:
        keys = _keys(getattr(resource.model, name))
        columns = select(keys.c.key, counting.state_of_data())
        statement = columns.select_from(resource.model).join(keys, true())
        rows = db.session.execute(statement.where(allowed(actor, resource)).distinct()).all()
        return [key for key, _ in rows], rows[0][1] if rows else None

    return counting.remembered((actor.user_id, actor.portal, resource.name, "keys", name), find)


def _keys(document: Any) -> Any:
    on_sqlite = db.engine.dialect.name == "sqlite"
    function = func.json_each if on_sqlite else func.json_object_keys
    keys = function(document).table_valued("key", joins_implicitly=True)
    return keys if on_sqlite else keys.render_derived()


def heading(resource: Resource, name: str) -> str:
    """What stands over a column."""
    if extra := extra_key(resource, name):
        return extra[1]
    if name in TIME_HEADINGS:
        return TIME_HEADINGS[name]
    field = resource.schema._declared_fields[name]
    # Over the names of a kind that has no names of its own stands the kind.
    named = isinstance(field, Text) or name != resource.handle
    return label_of(name, field) if named else resource.label


def sortable(resource: Resource, name: str) -> bool:
    """Whether a list can be sorted by a column."""
    field = (resource.schema._declared_fields | TIMES).get(name)
    kinds = (*conditions.PLAIN, Ref, RefList, TagList)
    return isinstance(field, kinds) or extra_key(resource, name) is not None


def order_by(actor: Actor, resource: Resource, text: str) -> Iterable[ColumnElement]:
    """The columns of a sort key such as `-projects` or `extra_fields.depth`; what is empty comes last.

    Relations and tags go by the first name that the list shows of them, those that it counts by their
    number; free fields are numbers before texts.
    """
    name, down = text.removeprefix("-"), text.startswith("-")
    if not sortable(resource, name):
        raise ValidationError(f"Can't sort by {name!r}.")
    field = (resource.schema._declared_fields | TIMES).get(name)
    if extra := extra_key(resource, name):
        document = getattr(resource.model, extra[0])
        texts = func.nullif(json_text(document, extra[1]), "")
        numbers = json_number(document, extra[1])
        kind = case((numbers.is_not(None), 0), (texts.is_not(None), 1))
        values = [kind, numbers, texts]
    elif isinstance(field, Ref | RefList | TagList):
        values = [_first(actor, resource, name, field)]
    else:
        yield from query.order_by(actor, resource, text)
        return
    for value in values:
        yield (value.desc() if down else value.asc()).nulls_last()


def _first(actor: Actor, resource: Resource, name: str, field: fields.Field) -> Any:
    """The first that a list shows of a relation or of tags, as a value of the record's row."""
    relation = getattr(resource.model, name).property
    model = relation.entity.class_
    rules = [relation.primaryjoin]
    if relation.secondary is not None:
        rules.append(relation.secondaryjoin)
    handle = "name"
    if not isinstance(field, TagList):
        if (target := registry.get(field.kind)) is None:
            raise ValidationError(f"There are no {name} to sort by yet.")
        rules.append(allowed(actor, target))
        handle = target.handle
    if field.metadata.get("count"):
        shown = select(func.nullif(func.count(model.id), 0)).where(and_(*rules))
    else:
        order = (*(relation.order_by or ()), model.id)
        shown = select(getattr(model, handle)).where(*rules).order_by(*order).limit(1)
    return shown.correlate(resource.model.__table__).scalar_subquery()
