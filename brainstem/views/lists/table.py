"""The table of a list page: its columns, which can be chosen, and its rows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from markupsafe import Markup

from brainstem.core import listing, overview
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.core.schemas import TIMES, RefList, TagList
from brainstem.views import show
from brainstem.views.lists.addresses import SHOW, Address

#: So much of a long text stands in a list.
LONGEST = 160


def column(resource: Resource, address: Address, name: str) -> dict[str, Any]:
    """A column's heading; choosing it sorts by it, choosing it again turns the order round."""
    now = address.words.get(listing.SORT) or resource.sort[0]
    sorted_ = {name: "asc", f"-{name}": "desc"}.get(now, "")
    found = {"name": name, "label": listing.heading(resource, name), "sorted": sorted_}
    if listing.sortable(resource, name):
        found["sort_url"] = address.at(sort=f"-{name}" if sorted_ == "asc" else name)
    return found


def chooser(
    actor: Actor, resource: Resource, address: Address, columns: list[str]
) -> dict[str, Any]:
    """The panel in which the columns are chosen; what it offers only where it is open."""
    is_open = address.shown == "columns"
    found = {"open": is_open, "url": address.at(**{SHOW: None if is_open else "columns"})}
    if not is_open:
        return found
    names = [*columns, *listing.possible_columns(actor, resource)]
    extra = listing.extra_keys(actor, resource)
    names += [name for name in extra if name not in names]
    options = [
        {
            "value": name,
            "label": listing.heading(resource, name),
            "checked": name in columns,
            "extra": listing.extra_key(resource, name) is not None,
        }
        for name in dict.fromkeys(names)
        if name != resource.handle
    ]
    return found | {
        "handle": resource.handle,
        "hidden": address.hidden(listing.COLUMNS),
        "fields": [each for each in options if not each["extra"]],
        "extras": [each for each in options if each["extra"]],
        "usual_url": address.with_words({listing.COLUMNS: None}),
    }


def rows(
    actor: Actor,
    resource: Resource,
    records: list[dict[str, Any]],
    names: show.Names,
    columns: list[str],
) -> list[dict[str, Any]]:
    """The records of a page, each with its cells as the template draws them."""
    count(resource, records, columns)
    names = names | show.names_for(actor, (resource, records), apart=names)
    cells = [_cells(resource, name, records, names) for name in columns]
    for name, column in zip(columns, cells, strict=True):
        label = listing.heading(resource, name)
        for cell in column:
            cell["opens"] = _opening(cell["kind"], bool(cell["empty"]), label)
    page = show.list_url(resource)
    return [
        {
            "id": record["id"],
            "name": resource.title(record[resource.handle]),
            "url": f"{page}{record['id']}",
            "cells": [column[place] for column in cells],
        }
        for place, record in enumerate(records)
    ]


@lru_cache(1000)
def _opening(kind: str, empty: bool, label: str) -> Markup:
    """The tag that a cell begins with: the same for most of a column."""
    nothing = " cell-nothing" if empty else ""
    return Markup('<td class="cell-{}{}" data-label="{}">').format(kind, nothing, label)


def fields_of(resource: Resource, columns: Iterable[str]) -> frozenset[str]:
    """The fields that a list with these columns shows something of, less those that it counts."""
    counted = _counted(resource, columns)
    columns = [name for name in columns if name not in counted]
    extra = {name: found[0] for name in columns if (found := listing.extra_key(resource, name))}
    return frozenset({extra.get(name, name) for name in columns} | {"id"})


def count(resource: Resource, records: list[dict[str, Any]], columns: Iterable[str]) -> None:
    """Put in how many records there are, where a column tells no more."""
    for name in _counted(resource, columns):
        numbers = overview.held(resource, name, [uuid.UUID(each["id"]) for each in records])
        for each in records:
            each[name] = numbers.get(uuid.UUID(each["id"]), 0)


def _counted(resource: Resource, columns: Iterable[str]) -> list[str]:
    """The columns that tell how many records there are: a project has thousands of sessions."""
    declared = resource.schema._declared_fields
    return [name for name in columns if name in declared and "count" in declared[name].metadata]


def _cells(
    resource: Resource, name: str, records: list[dict[str, Any]], names: show.Names
) -> list[dict[str, Any]]:
    """A column of a list, as the template draws it."""
    if extra := listing.extra_key(resource, name):
        values = [record[extra[0]].get(extra[1], "") for record in records]
        texts = [each if isinstance(each, str) else json.dumps(each) for each in values]
        return [_text("extra", each) for each in texts]
    if name in TIMES:
        return [
            _text("date", show.moment(record[name])[:16], iso=record[name]) for record in records
        ]
    if name == resource.handle:
        return [_text("link", resource.title(record[name])) for record in records]
    field = resource.schema._declared_fields[name]
    if getattr(field, "lines", False):
        return [_text("long", show.plain_text(record[name], LONGEST)) for record in records]
    values = (record[name] for record in records)
    if isinstance(field, TagList):
        return list(show.tags(resource, values))
    if isinstance(field, RefList) and "count" not in field.metadata:
        return list(show.refs(field, values, names))
    return [show.value(resource, name, field, record, names) for record in records]


def _text(kind: str, text: str, **more: str) -> dict[str, Any]:
    return {"kind": kind, "text": text, "empty": not text} | more
