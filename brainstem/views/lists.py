"""List pages: what the address asks for, its filters, its columns, and the way to the other pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import render_template, request
from werkzeug.datastructures import MultiDict

from brainstem.core import operations, references
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, RefList, TagList, Text, label_of
from brainstem.views import show

#: A list to choose from that is longer than this helps nobody: it filters only by links to it.
MOST_CHOICES = 300


def list_page(actor: Actor, resource: Resource, new_url: str | None = None) -> str:
    """The list that the address asks for, as the actor sees it."""
    page = operations.find(actor, resource, _query(resource))
    wire = references.dump(actor, resource, page.views)
    names = show.names_for(actor, resource, wire)
    rows = [
        {"url": show.url_of(resource, each["id"]), "cells": show.cells(resource, each, names)}
        for each in wire
    ]
    return render_template(
        "list.html",
        resource=resource,
        index_url=show.list_url(resource),
        columns=[_column(resource, name) for name in resource.columns],
        rows=rows,
        search=request.args.get("q", "") if _searchable(resource) else None,
        filters=_filters(actor, resource),
        filtered=any(request.args.get(name) for name in ("q", *_filterable(resource))),
        pager=pager(page),
        new_url=new_url,
    )


def _query(resource: Resource) -> MultiDict[str, str]:
    """The address of a list page in the API's words."""
    args = MultiDict()
    if (q := request.args.get("q", "").strip()) and _searchable(resource):
        args.add(f"filter{{{resource.handle}.icontains}}", q)
    for name in _filterable(resource):
        if value := request.args.get(name):
            args.add(f"filter{{{name}}}", value)
    if sort := request.args.get("sort"):
        args.add("sort[]", sort)
    args.add("page", request.args.get("page", "1"))
    return args


def _searchable(resource: Resource) -> bool:
    return isinstance(resource.schema._declared_fields[resource.handle], Text)


def _filterable(resource: Resource) -> list[str]:
    declared = resource.schema._declared_fields
    named = [n for n in resource.columns if isinstance(declared[n], Ref | RefList | TagList)]
    return [name for name in named if not declared[name].dump_only]


def _filters(actor: Actor, resource: Resource) -> list[dict[str, Any]]:
    filters = []
    for name in _filterable(resource):
        field, chosen = resource.schema._declared_fields[name], request.args.get(name, "")
        if isinstance(field, TagList):
            options = {tag: tag for tag in operations.tags(actor, resource, used=True)}
        else:
            target = registry.get(field.kind)
            options = {str(i): text for i, text in operations.named(actor, target).items()}
            if len(options) > MOST_CHOICES:
                options = {each: text for each, text in options.items() if each == chosen}
            if not options:
                continue
        if chosen and chosen not in options:
            options[chosen] = chosen
        label = label_of(name, field)
        filters.append(
            {
                "name": name,
                "label": label,
                "options": [
                    {"value": value, "label": text, "selected": value == chosen}
                    for value, text in ({"": "All"} | options).items()
                ],
            }
        )
    return filters


def _column(resource: Resource, name: str) -> dict[str, Any]:
    """A column's heading; choosing it sorts by it, choosing it again turns the order round."""
    field = resource.schema._declared_fields[name]
    now = request.args.get("sort") or resource.sort[0]
    sorted_ = {name: "asc", f"-{name}": "desc"}.get(now, "")
    column = {"label": show.heading(resource, name), "sorted": sorted_, "sort_url": None}
    if not isinstance(field, RefList | TagList):
        sort = f"-{name}" if sorted_ == "asc" else name
        column["sort_url"] = _here(sort=sort, page=None)
    return column


def _here(**changes: Any) -> str:
    """This list with another page or order."""
    args = {**request.args.to_dict(), **changes}
    query = urlencode({name: value for name, value in args.items() if value})
    return f"{request.script_root}{request.path}?{query}"


def pager(page: operations.Page) -> dict[str, Any]:
    """Where a page of a list stands in the whole, and the ways to the others."""
    first = page.query.offset + 1
    return {
        "total": page.total,
        "first": first,
        "last": first + len(page.views) - 1,
        "page": page.number,
        "pages": page.pages,
        "previous_url": _here(page=page.number - 1) if page.number > 1 else None,
        "next_url": _here(page=page.number + 1) if page.number < page.pages else None,
    }
