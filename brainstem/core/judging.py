"""Is this payload right, and may this actor send it? What needs the database is judged here.

The schema judges a payload's shape first. Then: does what it names exist, may the actor use it, is a
name taken, and whatever a kind's own `check` asks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Select, UniqueConstraint, bindparam, select

from brainstem.core import people, references
from brainstem.core.permissions import (
    Actor,
    Right,
    made_once,
    require,
    right_to_change,
    unusable,
)
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, RecordSchema, Ref, merged
from brainstem.errors import Forbidden
from brainstem.extensions import db


def judge(
    actor: Actor,
    resource: Resource,
    record: Any,
    payload: dict[str, Any],
    *,
    partial: bool = False,
    keeping: bool = False,
    held: Right | None = None,
) -> dict[str, Any]:
    """The payload's data; `ValidationError` with everything that is wrong by field, or `Forbidden`.

    What is stored already is compared only for those who hold the rights: else its errors would tell
    what they may not see. `held` is a right on the record that the actor is known to hold.
    """
    data, errors, partly = _schema(resource.schema, actor.way).judge(payload, partial=partial)
    understood = data | partly
    lacking = _lacking(actor, resource, understood)
    errors = merged(errors, _missing(resource, understood, lacking))
    good = {name: value for name, value in data.items() if name not in errors}
    refused = None
    try:
        if record is not None and (right := right_for(resource, [*good, *partly])) is not held:
            require(actor, right, resource, record.id)
        named = _held(resource, record, good, lists=keeping) if record is not None else set()
        _require_references(resource, good, lacking, named)
        errors |= _taken(resource, record, good) | resource.check(actor, record, good)
        errors = merged(errors, _people(resource, record, understood))
    except Forbidden as error:
        refused = error
    if errors:
        raise ValidationError(errors)
    if refused:
        raise refused
    return data


@cache
def _schema(schema: type[RecordSchema], way: str) -> RecordSchema:
    """A schema keeps nothing of what it judges, and takes longer to make than to use."""
    return schema(way=way)


def right_for(resource: Resource, data: Iterable[str]) -> Right:
    """The highest right that the fields given take."""
    usual = right_to_change(resource)
    fields = resource.schema._declared_fields
    rights = [fields[name].metadata.get("right", usual) for name in data]
    return max(rights, key=lambda right: right.value, default=usual)


def _people(resource: Resource, record: Any, data: dict[str, Any]) -> dict[str, Any]:
    """Errors, by field, for people and groups who can't hold these roles on it."""
    errors: dict[str, Any] = {}
    for name, value in data.items():
        field = resource.schema._declared_fields[name]
        if not isinstance(field, People):
            continue
        if record is None:
            errors[name] = ["The creator owns it alone at first: add people afterwards."]
        elif wrong := people.problems(resource, record.id, field.kind, value):
            errors[name] = wrong
    return errors


def _ids(value: Any) -> list[uuid.UUID]:
    return [each for each in value if each] if isinstance(value, list) else [value] if value else []


def _lacking(actor: Actor, resource: Resource, data: dict[str, Any]) -> dict[str, list[uuid.UUID]]:
    """The ids that a payload names and the actor may not use, by field: most often none."""
    found = {}
    for name, field in resource.schema.references():
        if name in data and (target := registry.get(field.kind)):
            found[name] = unusable(actor, field.right, target, _ids(data[name]))
    return found


def _missing(
    resource: Resource, data: dict[str, Any], lacking: dict[str, list[uuid.UUID]]
) -> dict[str, Any]:
    """Errors for ids that name nothing, by field: in a list at their positions."""
    errors: dict[str, Any] = {}
    for name, ids in lacking.items():
        if not ids:
            continue
        target = registry.get(resource.schema._declared_fields[name].kind)
        model = target.model
        known = set(db.session.scalars(select(model.id).where(model.id.in_(ids))))
        missing, text = set(ids) - known, f"There is no such {target.words}."
        if missing and isinstance(data[name], list):
            places = enumerate(data[name])
            errors[name] = {place: [text] for place, each in places if each in missing}
        elif missing:
            errors[name] = [text]
    return errors


def _taken(resource: Resource, record: Any, data: dict[str, Any]) -> dict[str, list[str]]:
    """Errors for values that must be unique and stand elsewhere already.

    The database's own constraints have the last word: see `transactions.operation`.
    """
    errors, model = {}, resource.model
    for constraint in model.__table__.constraints:
        if not isinstance(constraint, UniqueConstraint):
            continue
        fields = [column.name.removesuffix("_id") for column in constraint.columns]
        if not any(name in data for name in fields):
            continue
        values = [
            data[name] if name in data else getattr(record, column.name, None)
            for name, column in zip(fields, constraint.columns, strict=True)
        ]
        if None in values:
            continue
        if record is not None and values == [getattr(record, c.name) for c in constraint.columns]:
            continue
        if record is None and known_free(resource, fields).intersection([tuple(values)]):
            known_free(resource, fields).discard(tuple(values))
            continue
        sought = dict(zip((column.name for column in constraint.columns), values, strict=True))
        own = {"own": record.id} if record is not None else {}
        if _others(resource, tuple(sought), bool(own), **sought, **own).scalar():
            text = constraint.info.get(
                "message", f"Another {resource.words} has this {fields[-1]}."
            )
            errors[fields[-1]] = [text]
    return errors


@made_once
def _others(resource: Resource, names: tuple[str, ...], but_own: bool) -> Select:
    """Whether there are records with certain values in these columns, but for one's `own`."""
    columns = resource.model.__table__.c
    same = [columns[name] == bindparam(name) for name in names]
    if but_own:
        same.append(columns.id != bindparam("own"))
    return select(select(columns.id).where(*same).exists())


def known_free(resource: Resource, fields: Iterable[str]) -> set[tuple]:
    """Values of unique fields that stand nowhere yet, where somebody has asked for many at once.

    Only `in_bulk`, where whoever did so puts them here; each can be taken once.
    """
    memory = db.session.info.get("operation", {}).get("memory")
    return set() if memory is None else memory.setdefault(("free", resource, *fields), set())


def _require_references(
    resource: Resource,
    data: dict[str, Any],
    lacking: dict[str, list[uuid.UUID]],
    held: set[uuid.UUID],
) -> None:
    """`Forbidden` for records that the payload names and the actor may not use, but for those it `held`."""
    for name, ids in lacking.items():
        for each in ids if name in data else ():
            if each not in held:
                target = registry.get(resource.schema._declared_fields[name].kind)
                raise Forbidden(f"You may not use the {target.words} {each} ({name}).")


def _held(resource: Resource, record: Any, data: dict[str, Any], *, lists: bool) -> set[uuid.UUID]:
    """What the record names already, in the fields of a payload; in its `lists` only where asked."""
    held: set[uuid.UUID] = set()
    for name, field in resource.schema.references():
        if name in data and isinstance(field, Ref):
            held.add(getattr(record, f"{name}_id"))
        elif name in data and lists:
            held.update(references.linked_ids(references.link_table_of(resource, name), record.id))
    return held
