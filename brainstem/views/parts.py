"""Records that are found on the page of another one: a session's epochs, a subject's procedures."""

from __future__ import annotations

import uuid
from typing import Any

from flask import url_for
from marshmallow import fields
from werkzeug.datastructures import MultiDict

from brainstem.core import finding
from brainstem.core.choosing import home_of
from brainstem.core.permissions import Actor, Right, may
from brainstem.core.query import MOST_PER_PAGE
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import Text
from brainstem.views import show


def top_of(resource: Resource) -> Resource:
    """The kind in the navigation that one comes to this kind by."""
    while (home := home_of(resource)) is not None:
        resource = home[1]
    return resource


def parts_of(resource: Resource) -> list[tuple[str, Resource]]:
    """The kinds that are found on the pages of this one, each with its relation to it."""
    homes = [(home_of(kind), kind) for kind in registry if kind.page]
    found = [(home[0], kind) for home, kind in homes if home and home[1] is resource]
    # In the order of the record's own fields, where it names them.
    places = {field.kind: place for place, (_, field) in enumerate(resource.schema.references())}
    return sorted(found, key=lambda part: places.get(part[1].name, len(places)))


def new_ones(actor: Actor, resource: Resource, record_id: uuid.UUID) -> dict[str, dict[str, str]]:
    """Where records are made that will stand in the record's lists, by the list: a project's sessions."""
    lists = {field.kind: name for name, field in resource.schema.references() if field.dump_only}
    here = {kind.name for _, kind in parts_of(resource)}
    found = {}
    for kind in map(registry.get, lists):
        homes = kind and [n for n, f in kind.schema.references() if f.kind == resource.name]
        if homes and kind.page and kind.name not in here and homes[0] in kind.parents:
            url = url_for("forms.new", kind=kind.page.strip("/"), **{homes[0]: record_id})
            found[lists[kind.name]] = {"text": f"New {kind.words}", "url": url}
    return found if found and may(actor, Right.USE, resource, record_id) else {}


def home_of_record(
    actor: Actor, resource: Resource, record: dict[str, Any]
) -> dict[str, str] | None:
    """The record that this one is found with, to go back to: its name, and the place on its page."""
    home = home_of(resource)
    parent_id = home and as_id(record[home[0]])
    if not parent_id:
        return None
    parent = home[1]
    text = finding.named(actor, parent, [parent_id]).get(parent_id, parent.label)
    return {"text": text, "url": f"{show.url_of(parent, parent_id)}#{resource.page.strip('/')}"}


def sections(actor: Actor, resource: Resource, record_id: uuid.UUID) -> list[dict[str, Any]]:
    """What belongs to a record, a section a kind; with the way to add to it, for who may.

    For all others, kinds of which there is nothing are left out.
    """
    kinds = parts_of(resource)
    addable = bool(kinds) and may(actor, Right.USE, resource, record_id)
    pages = [_page(actor, resource, record_id, name, kind) for name, kind in kinds]
    wire = [(page.resource, [each.wire for each in page.sent]) for page in pages]
    # They all name the record that they are parts of.
    names = show.names_for(actor, *wire, apart=[resource.name])
    return [
        _section(record_id, name, page, records, names, addable)
        for (name, _), page, (_, records) in zip(kinds, pages, wire, strict=True)
        if records or addable
    ]


def _page(
    actor: Actor, resource: Resource, record_id: uuid.UUID, name: str, kind: Resource
) -> finding.Page:
    """The records of a kind that belong to a record, which the actor may read."""
    asked = MultiDict([("limit", str(MOST_PER_PAGE))])
    if relation := _relation_to(kind, resource):
        return finding.find(actor, kind, asked, of=(resource, relation, record_id))
    asked.add(f"filter{{{name}}}", str(record_id))
    return finding.find(actor, kind, asked)


def _section(
    record_id: uuid.UUID,
    name: str,
    page: finding.Page,
    wire: list[dict[str, Any]],
    names: show.Names,
    addable: bool,
) -> dict[str, Any]:
    kind = page.resource
    columns = [each for each in kind.columns if each != name] + _notes(kind)
    place = kind.page.strip("/")
    return {
        "id": place,
        "label": kind.labels,
        "words": kind.words,
        "columns": [show.heading(kind, each) for each in columns],
        "rows": [
            {"url": show.url_of(kind, each["id"]), "cells": show.cells(kind, each, names, columns)}
            for each in wire
        ],
        # For pages that show them in a way of their own.
        "records": wire,
        "names": names,
        "total": page.total,
        "all_url": show.list_url(kind, **{name: record_id}) if page.pages > 1 else None,
        "add_url": url_for("forms.new", kind=place, **{name: record_id}) if addable else None,
    }


def _relation_to(kind: Resource, resource: Resource) -> str | None:
    """The field of the parent that names its records of a kind, in the order they have there."""
    fields = resource.schema.references()
    return next((name for name, field in fields if field.kind == kind.name), None)


def _notes(kind: Resource) -> list[str]:
    """The field with what people wrote about a record, where it is no column anyway."""
    declared: dict[str, fields.Field] = kind.schema._declared_fields
    written = [name for name, each in declared.items() if isinstance(each, Text) and each.lines]
    return [name for name in written[:1] if name not in kind.columns]
