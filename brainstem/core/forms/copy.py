"""The form for a record like another one: what the new one has of its own, and what comes along."""

from __future__ import annotations

import functools
from datetime import UTC, date, datetime
from typing import Any

from brainstem.core import duplicate, times
from brainstem.core.forms import SchemaForm, entry_for, form_for
from brainstem.core.next_name import counted_up
from brainstem.core.resource import Resource
from brainstem.core.schemas import ExtraFields, LabDateTime

#: The fields of checkboxes: what comes along; and behind a field's name, its values besides its keys.
TAKE, VALUES = "take", ".values"


class CopyForm(SchemaForm):
    """Name, date and whatever else is the new record's own; the rest comes along as it is, or not."""

    kind: Resource
    #: The fields that are typed, and those that come along or not.
    typed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@functools.cache
def copy_form(resource: Resource) -> type[CopyForm]:
    """The form of a kind: an entry for each field that the new record has of its own."""
    schema, names = resource.schema(way="page"), form_for(resource).names
    typed = tuple(name for name in names if _is_typed(resource, name, schema.load_fields[name]))
    entries = {name: entry_for(name, schema.load_fields[name]) for name in typed}
    others = tuple(name for name in names if name not in typed)
    about = {"kind": resource, "typed": typed, "others": others}
    return type(f"{resource.name.capitalize()}CopyForm", (CopyForm,), about | entries)


def _is_typed(resource: Resource, name: str, field: Any) -> bool:
    """Its name, its time, whatever else counts up, and what a record can't be without."""
    counts = name == resource.handle or field.metadata.get("counted")
    return bool(counts or isinstance(field, LabDateTime) or field.required)


def proposed(resource: Resource, draft: duplicate.Draft) -> dict[str, Any]:
    """What the new record may be called, and when it may have been: today, at the same time of day."""
    fields = resource.schema._declared_fields
    today = times.lab_time(times.utcnow()).date()
    values = {name: draft.payload.get(name) for name in copy_form(resource).typed}
    moments = [name for name in values if isinstance(fields[name], LabDateTime) and values[name]]
    own = next((times.lab_time(times.parse(values[name])).date() for name in moments), None)
    for name in moments:
        values[name] = _on(today, values[name])
    for name, value in values.items():
        if name != resource.handle and not (value and fields[name].metadata.get("counted")):
            continue
        taken = functools.partial(duplicate.taken, resource) if name == resource.handle else _free
        most = fields[name].most
        values[name] = counted_up(value, today, own=own, taken=taken, most=most)
    return values


def _free(names: list[str]) -> list[str]:
    return []


def _on(day: date, moment: str) -> str:
    """Another moment's time of day on a day in the lab."""
    time = times.lab_time(times.parse(moment)).time().replace(microsecond=0)
    there = datetime.combine(day, time, times.lab_zone())
    return times.utc_text(there.astimezone(UTC))


def along(resource: Resource, draft: duplicate.Draft, taken: list[str]) -> dict[str, Any]:
    """The payload of the fields that come along; of free fields the keys alone where nothing more is said."""
    fields, payload = resource.schema._declared_fields, {}
    for name in copy_form(resource).others:
        if name not in taken or name not in draft.payload:
            continue
        value = draft.payload[name]
        if isinstance(fields[name], ExtraFields) and name + VALUES not in taken:
            value = dict.fromkeys(value, "")
        payload[name] = value
    return payload


def usual(resource: Resource, draft: duplicate.Draft) -> list[str]:
    """What comes along unless somebody says otherwise."""
    fields = resource.schema._declared_fields
    names = [n for n in copy_form(resource).others if fields[n].metadata.get("copied", True)]
    values = [name + VALUES for name in names if isinstance(fields[name], ExtraFields)]
    return names + values + [kind.name for kind in draft.parts]
