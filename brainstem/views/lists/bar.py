"""The bar above a list: the search, the filters with what they can be set to, and those that are set."""

from __future__ import annotations

import uuid
from typing import Any

from brainstem.core import finding, listing
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import Ref, RefList, TagList, label_of
from brainstem.views.lists.addresses import SHOW, Address

#: How many choices a panel offers at once; more are found by a part of their name.
MOST_CHOICES = 25

#: How many filters have a button of their own.
USUAL = 4

MORE = "more"

#: What the filters are called that are no fields.
LABELS = {
    listing.DATE: "Date",
    listing.FROM: "From",
    listing.TO: "To",
    listing.MISSING: "Missing",
    listing.CHANGED_BY: "Changed by",
}


def bar(actor: Actor, resource: Resource, address: Address) -> dict[str, Any]:
    """What the templates draw above a list."""
    panels = [_panel(actor, resource, address, *each) for each in _panels(actor, resource)]
    shown = {name for panel in panels if panel["open"] for name in panel["names"]}
    # Sort, columns and filters that have no control on this page go along unseen.
    return {
        "search": address.words.get(listing.SEARCH, ""),
        "panels": panels,
        "hidden": address.hidden(listing.SEARCH, *shown),
        "chips": _chips(actor, resource, address),
        "clear_url": address.with_words(dict.fromkeys(listing.narrowing(actor, resource))),
    }


def _panels(actor: Actor, resource: Resource) -> list[tuple[str, str, list[str]]]:
    """Name, heading and filters of each panel: the usual ones have one each, the rest share one."""
    own = list(listing.filterable(resource))[:USUAL] + [listing.DATE] * bool(resource.when)
    elsewhere = {*own, listing.SEARCH, listing.FROM, listing.TO}
    rest = [name for name in listing.narrowing(actor, resource) if name not in elsewhere]
    panels = [(name, _label(resource, name), [name]) for name in own]
    if len(rest) == 1:
        panels.append((rest[0], _label(resource, rest[0]), rest))
    elif rest:
        panels.append((MORE, "More filters", rest))
    return panels


def _label(resource: Resource, name: str) -> str:
    """What a filter is called."""
    field = listing.filterable(resource).get(name)
    return label_of(name.rpartition(".")[2], field) if field else LABELS[name]


def _panel(
    actor: Actor, resource: Resource, address: Address, name: str, label: str, filters: list[str]
) -> dict[str, Any]:
    is_open = address.shown == name
    return {
        "name": name,
        "label": label,
        "names": [*filters, *([listing.FROM, listing.TO] if listing.DATE in filters else [])],
        "open": is_open,
        "url": address.at(**{SHOW: None if is_open else name}),
        "groups": [_group(actor, resource, address, each) for each in filters] if is_open else [],
        "find": address.find,
    }


def _group(actor: Actor, resource: Resource, address: Address, name: str) -> dict[str, Any]:
    """What one filter can be set to, and is set to."""
    group = {"kind": "choices", "name": name, "label": _label(resource, name)}
    chosen = address.words.getlist(name)
    if name == listing.DATE:
        return group | {
            "kind": "date",
            "options": _options({"": "Any date"} | listing.DATES, chosen or [""]),
            "from": address.words.get(listing.FROM, ""),
            "to": address.words.get(listing.TO, ""),
        }
    if name == listing.MISSING:
        known = _names(actor, resource, name, list(resource.wanted))
        return group | {"options": _options(known, chosen)}
    found, more = listing.choices(actor, resource, name, like=address.find, most=MOST_CHOICES)
    # What is chosen stands first, found or not.
    known = _names(actor, resource, name, chosen) | found
    return group | {
        "options": _options(known, chosen),
        "all": isinstance(listing.filterable(resource).get(name), TagList),
        "more": more,
        "searched": more or bool(address.find),
    }


def _options(known: dict[str, str], chosen: list[str]) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": text, "checked": value in chosen} for value, text in known.items()
    ]


def _chips(actor: Actor, resource: Resource, address: Address) -> list[dict[str, str]]:
    """The filters that are set, each with the way to the list without it."""
    found = []
    for name in listing.narrowing(actor, resource):
        values = address.words.getlist(name) if name != listing.SEARCH else []
        texts = _names(actor, resource, name, values) if values else {}
        for value in values:
            url = address.less(name, value)
            found.append({"label": _label(resource, name), "text": texts[value], "url": url})
    return found


def _names(actor: Actor, resource: Resource, name: str, values: list[str]) -> dict[str, str]:
    """What a filter's values are called."""
    if name == listing.MISSING:
        fields = resource.schema._declared_fields
        return {value: label_of(value, fields[value]) for value in values}
    if name == listing.DATE:
        return {value: listing.DATES[value] for value in values}
    if name == listing.CHANGED_BY:
        target = registry.get("user")
    else:
        field = listing.filterable(resource).get(name)
        target = registry.get(field.kind) if isinstance(field, Ref | RefList) else None
    if target is None:
        return {value: value for value in values}
    ids: list[uuid.UUID] = [each for each in map(as_id, values) if each]
    known = finding.named(actor, target, ids) if ids else {}
    return {value: known.get(as_id(value), "not found") for value in values}
