"""The address of a list page, and those of the pages that differ from it in one thing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from flask import request
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import listing
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.views import show

#: Besides what is listed, an address says which year's calendar is open, and which choices are.
CALENDAR, SHOW, FIND = "calendar", "show", "find"

#: Forms that send an address along could send more than any address holds.
LONGEST = 16_000


@dataclass(frozen=True)
class Address:
    """What the address of this request says; `words` is what can be saved and shared of it."""

    path: str
    words: listing.Words
    calendar: str = ""
    #: The panel of choices that is open, and what is looked for in it.
    shown: str = ""
    find: str = ""

    @classmethod
    def of_request(cls, actor: Actor, resource: Resource) -> Address:
        """The address of a list page."""
        calendar = request.args.get(CALENDAR, "")
        return cls(
            path=f"{request.script_root}{request.path}",
            words=listing.words(actor, resource, request.args),
            calendar=calendar if re.fullmatch("latest|[0-9]{4}", calendar, re.ASCII) else "",
            shown=request.args.get(SHOW, ""),
            find=request.args.get(FIND, "").replace("\x00", "").strip(),
        )

    @classmethod
    def of_path(cls) -> Address:
        """An address that says nothing but the page."""
        return cls(path=f"{request.script_root}{request.path}", words=MultiDict())

    @property
    def query(self) -> str:
        """What is listed, as it stands behind the question mark."""
        return written(self.words)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All that stays when something else changes."""
        return [*self.words.items(multi=True), *([(CALENDAR, self.calendar)] * bool(self.calendar))]

    def hidden(self, *but: str) -> list[tuple[str, str]]:
        """What a form sends along that has controls for the others."""
        return [(name, value) for name, value in self.pairs if name not in but]

    def at(self, **changes: Any) -> str:
        """This list with other values of some words; None or nothing takes a word away."""
        return self.with_words(changes)

    def with_words(self, changes: dict[str, Any]) -> str:
        """As `at`, for words that are no names in Python."""
        kept = [(name, value) for name, value in self.pairs if name not in changes]
        for name, value in changes.items():
            values = value if isinstance(value, list) else [value] if value else []
            kept += [(name, each) for each in values]
        return f"{self.path}?{show.question(kept)}" if kept else self.path

    def less(self, name: str, value: str) -> str:
        """This list without one value of a word."""
        left = [each for each in self.words.getlist(name) if each != value]
        return self.with_words({name: left})


def written(words: listing.Words) -> str:
    """What is listed, as it stands behind the question mark."""
    return show.question(words.items(multi=True))


def read(actor: Actor, resource: Resource, query: str) -> listing.Words:
    """What `written` has written; or somebody else, or by hand."""
    return listing.words(actor, resource, MultiDict(pairs_of(query)))


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The words of a query that came with a form; `ValidationError` for more than an address holds."""
    try:
        if len(query) > LONGEST:
            raise ValueError
        return parse_qsl(query, max_num_fields=1000)
    except ValueError:
        raise ValidationError({"query": ["This is too much for an address."]}) from None
