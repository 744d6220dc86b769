"""List pages: what the address asks for, with everything that changes the address."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from brainstem.core import finding, listing
from brainstem.core.permissions import PUBLIC, Actor
from brainstem.core.resource import Resource
from brainstem.records import saved_views
from brainstem.views import show
from brainstem.views.lists import heatmap, table
from brainstem.views.lists.addresses import Address
from brainstem.views.lists.bar import bar


def list_page(actor: Actor, resource: Resource, new_url: str | None = None) -> str:
    """The list that the address asks for, as the actor sees it."""
    asked = listing.asked(actor, resource, request.args)
    address = Address.of_request(actor, resource)
    columns = listing.chosen_columns(actor, resource, address.words.getlist(listing.COLUMNS))
    fields = table.fields_of(resource, [resource.handle, *columns])
    page = finding.find(actor, resource, asked, only=fields)
    signed_in = actor != PUBLIC
    return render_template(
        "list.html",
        resource=resource,
        address=address,
        index_url=show.list_url(resource),
        columns=[table.column(resource, address, name) for name in columns],
        rows=table.rows(actor, resource, *page.named, columns),
        bar=bar(actor, resource, address),
        chooser=table.chooser(actor, resource, address, columns),
        heatmap=heatmap.heatmap(actor, resource, address) if resource.when else None,
        filtered=any(name in address.words for name in listing.narrowing(actor, resource)),
        pager=pager(page, address),
        new_url=new_url,
        saved=_saved(actor, resource, address) if signed_in else None,
        downloads=_downloads(resource, address) if signed_in else [],
        query=address.query,
    )


def _saved(actor: Actor, resource: Resource, address: Address) -> dict[str, Any]:
    """The views of this list that the user has saved, and the way to save this one."""
    views = saved_views.views_of(actor, resource)
    return {
        "views": [
            {
                "name": view.name,
                "url": f"{address.path}?{view.query}",
                "here": view.query == address.query,
            }
            for view in views
        ],
        "url": show.at("lists.saved", kind=resource.page.strip("/")),
    }


def _downloads(resource: Resource, address: Address) -> list[dict[str, str]]:
    kind = resource.page.strip("/")
    question = f"?{address.query}" if address.query else ""
    return [
        {
            "label": label,
            "about": about,
            "url": show.at("lists.download", kind=kind, form=form) + question,
        }
        for form, label, about in (
            ("csv", "CSV", "The columns of this list, for spreadsheets"),
            ("json", "JSON", "Whole records, as the API has them"),
        )
    ]


def pager(page: finding.Page, address: Address | None = None) -> dict[str, Any]:
    """Where a page of a list stands in the whole, and the ways to the others."""
    address = address or Address.of_path()
    first = page.query.offset + 1
    return {
        "total": page.total,
        "first": first,
        "last": first + len(page.ids) - 1,
        "page": page.number,
        "pages": page.pages,
        "previous_url": address.at(page=page.number - 1) if page.number > 1 else None,
        "next_url": address.at(page=page.number + 1) if page.number < page.pages else None,
    }
