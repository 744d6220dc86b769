"""The parameters of lists and of single records, kind by kind (contract §7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from marshmallow import fields

from brainstem.core.conditions import OPERATORS, PLAIN, SPECIAL
from brainstem.core.query import FAR, MOST_PER_PAGE, PER_PAGE
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    TIMES,
    Day,
    Duration,
    ExtraFields,
    LabDateTime,
    Ref,
    RefList,
    TagList,
)

#: Forms in which a list is sent whole, all of its pages, and their media types.
FILES = {"jsonl": "application/jsonl", "csv": "text/csv"}

FOR_TEXT = [name for name, each in OPERATORS.items() if name]
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FOR_ALL = [name for name, each in OPERATORS.items() if name and not each.for_text]


def shared() -> dict[str, dict[str, Any]]:
    """The parameters that are alike for all kinds, by the names of their components."""
    return {
        "Limit": _query("limit", _whole(1, MOST_PER_PAGE, PER_PAGE), "How many records at most."),
        "PerPage": _query("per_page", _whole(1, MOST_PER_PAGE), "The same as `limit`."),
        "Offset": _query("offset", _whole(0, FAR, 0), "How many records to leave out first."),
        "Page": _query("page", _whole(1, FAR), "Which page, from 1; not together with `offset`."),
        "Format": _query(
            "format",
            {"type": "string", "enum": ["json"]},
            "JSON even where the client would rather have a page.",
        ),
        "FormatOfList": _query(
            "format",
            {"type": "string", "enum": ["json", *FILES]},
            "`json` even where the client would rather have a page; `jsonl` (a record a line) or `csv` (a "
            "table) for all pages at once, then without `limit`, `per_page`, `offset` and `page`.",
        ),
        "IfMatch": {
            "name": "If-Match",
            "in": "header",
            "description": "The `ETag` of the record that this change was made against. If somebody "
            "changed it since, the answer is 412 and nothing is stored.",
            "schema": {"type": "string"},
        },
        "Id": {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "The record's id.",
            "schema": {"type": "string", "format": "uuid"},
        },
    }


def own(resource: Resource) -> dict[str, dict[str, Any]]:
    """The parameters that a kind has to itself, by the names of their components."""
    name = resource.model.__name__
    keys = [sign + key for key in sort_keys(resource) for sign in ("", "-")]
    found = {
        f"{name}Filter": _filters(resource),
        f"{name}Sort": _several(
            "sort[]",
            {"type": "string", "enum": keys},
            "What to sort by, the first key first; `-` turns it round. Empty values come last "
            f"both ways. The usual order: {', '.join(resource.sort)}.",
        ),
    }
    if relations := [name for name, _ in resource.schema.references()]:
        found[f"{name}Include"] = _several(
            "include[]",
            {"type": "string", "pattern": rf"^({'|'.join(relations)})(\.[a-z_]+)*(\.\*)?$"},
            "A relation to show as records in place of ids, and on from there: "
            f"`{relations[0]}.*`.",
        )
    return found


def of_list(resource: Resource, *, whole: bool) -> list[str]:
    """The names of what a list of a kind takes; `whole` where it can be had as a file."""
    form = "FormatOfList" if whole else "Format"
    return [*own(resource), "Limit", "Offset", "Page", "PerPage", form]


def of_one(resource: Resource) -> list[str]:
    """The names of what a single record takes."""
    return [*(name for name in own(resource) if name.endswith("Include")), "Format"]


def sort_keys(resource: Resource) -> list[str]:
    """The fields that a list can be sorted by."""
    known = resource.schema._declared_fields | TIMES
    return [name for name, field in known.items() if isinstance(field, (*PLAIN, Ref))]


def operators_of(field: fields.Field) -> list[str]:
    """The operators that fit a field; none where it can't be filtered by."""
    if isinstance(field, Ref | RefList | fields.UUID | fields.Boolean):
        return list(SPECIAL)
    if isinstance(field, fields.String | TagList | ExtraFields):
        return [*FOR_TEXT, *SPECIAL]
    return [*FOR_ALL, *SPECIAL] if isinstance(field, PLAIN) else []


def _filters(resource: Resource) -> dict[str, Any]:
    """All filters as one object, which stands in the address key by key: `filter{name}=x&…`."""
    patterns: dict[str, Any] = {}
    for name, field in (resource.schema._declared_fields | TIMES).items():
        if isinstance(field, Ref | RefList):
            patterns |= _on_from(name, registry.get(field.kind))
        for suffix, value in _values(field):
            patterns[_path(name, suffix)] = value
    return {
        "name": "filter",
        "in": "query",
        "style": "form",
        "explode": True,
        "description": "Filters, each a parameter of its own: `filter{field}=value` or "
        "`filter{field.operator}=value`, with `filter{-field…}` to exclude; all must hold. "
        "Relations go on with a field of theirs: `filter{projects.name.icontains}=rat`.",
        "schema": {
            "type": "object",
            "patternProperties": patterns,
            "additionalProperties": False,
        },
    }


def _path(name: str, suffix: str) -> str:
    return rf"^filter\{{-?{name}{suffix}\}}$"


def _values(field: fields.Field) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a field is compared with, by how its path ends."""
    if not (operators := operators_of(field)):
        return
    start = rf"\.{field.KEY}" if isinstance(field, ExtraFields) else ""
    is_id = isinstance(field, Ref | RefList) or field.metadata.get("own_id")
    start = r"(\.id)?" if is_id else start
    plain = [name for name in operators if name not in SPECIAL]
    end = rf"(\.({'|'.join(plain)}))?" if plain else ""
    one = _value(field)
    yield start + end, one
    several = {"type": "string"}
    if "pattern" in one:
        pattern = one["pattern"].strip("^$")
        several["pattern"] = f"^{pattern}(,{pattern})*$"
    yield rf"{start}\.in", several
    yield rf"{start}\.isnull", {"type": "string", "enum": ["true", "false"]}


def _value(field: fields.Field) -> dict[str, Any]:
    """A value of an address, which is always a text."""
    if isinstance(field, Ref | RefList | fields.UUID):
        return {"type": "string", "pattern": f"^{UUID}$"}
    if isinstance(field, Day):
        return {"type": "string", "format": "date"}
    if isinstance(field, LabDateTime):
        return {"type": "string", "format": "date-time"}
    if isinstance(field, Duration):
        return {"type": "string", "pattern": rf"^{Duration.CLOCK.pattern}$"}
    if isinstance(field, fields.Boolean):
        return {"type": "string", "enum": ["true", "false"]}
    if isinstance(field, fields.Integer):
        return {"type": "string", "pattern": "^[0-9]{1,9}$"}
    return {"type": "string"}


def _on_from(name: str, target: Resource) -> dict[str, Any]:
    """The paths that go on through a relation: to a field of the other record, or further on."""
    known = target.schema._declared_fields
    further = [each for each, _ in target.schema.references()]
    ends = [each for each in known if operators_of(known[each]) and each not in ("id", *further)]
    operators = "|".join([*FOR_TEXT, *SPECIAL])
    paths = [rf"\.({'|'.join(ends)})(\.({operators}))?"] if ends else []
    paths += [rf"\.({'|'.join(further)})(\.[A-Za-z_]+)*"] if further else []
    return {_path(name, each): {"type": "string"} for each in paths}


def _several(name: str, item: dict[str, Any], text: str) -> dict[str, Any]:
    return _query(name, {"type": "array", "items": item}, text) | {"style": "form", "explode": True}


def _query(name: str, schema: dict[str, Any], text: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": text, "schema": schema}


def _whole(least: int, most: int, default: int | None = None) -> dict[str, Any]:
    shape = {"type": "integer", "minimum": least, "maximum": most}
    return shape if default is None else shape | {"default": default}
