"""JSON for people's eyes: highlighted, with links to follow. The text is the same JSON.

Only what the schemas say is an id, and the addresses that the program made itself, become links;
whatever a record holds is text, and looks like nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import request
from markupsafe import Markup

from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import Links, Ref, RefList

STEP = "  "


class Spot:
    """A place in the JSON: where its text leads, and what stands inside. Here: nothing known."""

    def href(self, text: str) -> str | None:
        """Where a text here leads."""
        return None

    def inside(self, key: str, whole: dict[str, Any]) -> Spot:
        """The place at a key of an object here."""
        return NOWHERE


NOWHERE = Spot()


class Address(Spot):
    """An address that the program made."""

    def href(self, text: str) -> str | None:
        return text


@dataclass(frozen=True)
class Suffixes(Spot):
    """Suffixes of a record's address."""

    address: str

    def href(self, text: str) -> str | None:
        return self.address + text

    def inside(self, key: str, whole: dict[str, Any]) -> Spot:
        return self


@dataclass(frozen=True)
class Record(Spot):
    """A record of a kind in a portal, or its id; a list of them is such a place as well."""

    resource: Resource
    portal: str

    def href(self, text: str) -> str | None:
        if as_id(text) is None or self.portal not in self.resource.portals | {"super"}:
            return None
        kind = self.resource
        return f"{request.script_root}/api/{self.portal}/{kind.app}/{kind.name}/{text}/"

    def inside(self, key: str, whole: dict[str, Any]) -> Spot:
        if key == "id":
            return self
        field = self.resource.schema._declared_fields.get(key)
        if isinstance(field, Links):
            address = self.href(str(whole.get("id")))
            return Suffixes(address) if address else NOWHERE
        target = registry.get(field.kind) if isinstance(field, Ref | RefList) else None
        return Record(target, self.portal) if target else NOWHERE


@dataclass(frozen=True)
class Envelope(Spot):
    """The outermost object of a good answer."""

    record: Record

    def inside(self, key: str, whole: dict[str, Any]) -> Spot:
        if key in ("next", "previous"):
            return Address()
        kind = self.record.resource
        return self.record if key in (kind.key, kind.keys) else NOWHERE


def markup(value: Any, spot: Spot = NOWHERE) -> Markup:
    """The value as highlighted JSON, for a `<pre>`."""
    return Markup("").join(_pieces(value, spot, "\n"))


def _pieces(value: Any, spot: Spot, line: str) -> Iterator[Markup | str]:
    """The JSON in pieces; `line` begins a line at this depth."""
    if isinstance(value, dict) and value:
        entries = (
            [_key(key), ": ", *_pieces(each, spot.inside(key, value), line + STEP)]
            for key, each in value.items()
        )
        yield from _block("{", entries, "}", line)
    elif isinstance(value, list) and value:
        yield from _block("[", (_pieces(each, spot, line + STEP) for each in value), "]", line)
    elif isinstance(value, dict | list):
        yield json.dumps(value)
    elif isinstance(value, str):
        yield _text(value, spot.href(value))
    else:
        kind = (
            "number" if isinstance(value, int | float) and not isinstance(value, bool) else "word"
        )
        yield Markup('<span class="json-{}">{}</span>').format(kind, json.dumps(value))


def _block(begin: str, entries: Any, end: str, line: str) -> Iterator[Markup | str]:
    yield begin
    for place, entry in enumerate(entries):
        yield ("," if place else "") + line + STEP
        yield from entry
    yield line + end


def _key(key: str) -> Markup:
    return Markup('<span class="json-key">{}</span>').format(quoted(key))


def _text(text: str, href: str | None) -> Markup:
    if href is None:
        return Markup('<span class="json-text">{}</span>').format(quoted(text))
    link = Markup('<span class="json-text">"<a href="{}">{}</a>"</span>')
    return link.format(href, quoted(text)[1:-1])


def quoted(text: str) -> str:
    """A JSON text with its letters as letters; what can't be seen, or turns the writing round, as `\\u`."""
    shown = json.dumps(text, ensure_ascii=False)
    if not shown.isprintable():
        shown = "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in shown)
    return shown
