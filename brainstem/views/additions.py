"""What a kind's own page shows beyond what every record's page does.

A module of `views/` adds to the page of its kind; `pages.py` names no kind:

    @additions.to_page("session")
    def timeline_and_paths(page: Opened) -> dict[str, Any]:
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource


@dataclass(frozen=True)
class Opened:
    """A record's page as it is drawn: the record on the wire, what belongs to it, what one may do."""

    actor: Actor
    resource: Resource
    record: Any
    wire: dict[str, Any]
    fields: list[dict[str, Any]]
    sections: list[dict[str, Any]]
    deeds: dict[str, str | None]


_pages: dict[str, Callable[[Opened], dict[str, Any]]] = {}


def to_page(kind: str) -> Callable[[Callable[[Opened], dict[str, Any]]], Callable]:
    """Register what a kind gives to its template besides what every page has."""

    def register(function: Callable[[Opened], dict[str, Any]]) -> Callable:
        _pages[kind] = function
        return function

    return register


def of_page(page: Opened) -> dict[str, Any]:
    """What the page's kind adds."""
    add = _pages.get(page.resource.name)
    return add(page) if add else {}
