"""Forms drawn from a kind's schema: they show its fields, and its messages beside them.

A form judges nothing itself. It turns what a browser sends into the payload that a script would send,
and the operation's messages back into marks at the fields. It works without JavaScript: its row buttons
post it, and it comes back changed, with nothing stored.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from marshmallow import Schema, fields

from brainstem.core.forms.entries import (
    CheckEntry,
    ChoiceEntry,
    DateTimeEntry,
    DocumentEntry,
    Entry,
    NumberEntry,
    PasswordEntry,
    PlainEntry,
    TextEntry,
)
from brainstem.core.forms.lists import OrderedEntry, RefEntry, RefsEntry, TagsEntry
from brainstem.core.forms.parts import PartForm
from brainstem.core.forms.records import DO, OPENED, RecordForm, SchemaForm, seal, unseal
from brainstem.core.forms.rows import ExtraFieldsEntry, RowsEntry
from brainstem.core.forms.tabs import WholeForm
from brainstem.core.parts import parts_of
from brainstem.core.resource import Resource
from brainstem.core.schemas import (
    Day,
    Document,
    Duration,
    ExtraFields,
    Flag,
    LabDateTime,
    People,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
    Whole,
    label_of,
)


@cache
def small_form(schema: type[Schema]) -> type[SchemaForm]:
    """The form of a schema that is no kind of record: sign-in, a new token."""
    entries = {name: entry_for(name, field) for name, field in schema().load_fields.items()}
    return type(f"{schema.__name__}Form", (SchemaForm,), entries)


@cache
def form_for(resource: Resource) -> type[RecordForm]:
    """The form of a kind: an entry for each field that the web may write, and its parts on their tabs.

    Who holds which role on a record is no part of it: that has a page of its own.
    """
    names, entries = _entries(resource)
    made: dict[str, Any] = {"kind": resource.name, "names": names, **entries}
    if resource.tabs:
        parts = [(each, _part_form(each.kind, each.home)) for each in parts_of(resource)]
        made |= {"tabs_declared": resource.tabs, "part_forms": parts}
    base = WholeForm if resource.tabs else RecordForm
    return type(f"{resource.name.capitalize()}Form", (base,), made)


def _part_form(kind: Resource, home: str) -> type[PartForm]:
    """The form of a part: what it belongs to, and its place there, follow from where it stands."""
    names, entries = _entries(kind, without=(home, kind.placed_by))
    made = {"kind": kind.name, "names": names, **entries}
    return type(f"{kind.name.capitalize()}PartForm", (PartForm,), made)


def _entries(
    resource: Resource, without: tuple[str, ...] = ()
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The names of the fields that the web may write, in the order of the form, and their entries."""
    schema = resource.schema(way="page")
    written = (n for n, field in schema.load_fields.items() if not isinstance(field, People))
    names = tuple(name for name in resource.form or written if name not in without)
    return names, {name: entry_for(name, schema.load_fields[name]) for name in names}


def entry_for(name: str, field: fields.Field) -> Any:
    """The form field that shows a schema's field."""
    about = {"label": label_of(name, field), "field": field}
    match field:
        case LabDateTime():
            return DateTimeEntry(**about)
        case ExtraFields():
            return ExtraFieldsEntry(**about)
        case RowList():
            return RowsEntry(**about)
        case Ref():
            return RefEntry(**about)
        case Whole():
            return NumberEntry(**about)
        case Day() | Duration():
            return PlainEntry(**about)
        case Document():
            return DocumentEntry(**about)
        case RefList():
            ordered = field.metadata.get("ordered")
            return OrderedEntry(**about) if ordered else RefsEntry(**about)
        case TagList():
            return TagsEntry(**about)
        case Flag():
            return CheckEntry(**about)
        case Text() if field.validators:
            return ChoiceEntry(**about)
        case fields.Field() if field.metadata.get("password"):
            return PasswordEntry(**about)
        case _:
            return TextEntry(**about)


__all__ = [
    "DO",
    "OPENED",
    "Entry",
    "RecordForm",
    "SchemaForm",
    "form_for",
    "seal",
    "small_form",
    "unseal",
]
