"""Searching everything: the page of results, and the suggestions while somebody types."""

from __future__ import annotations

import re
import unicodedata
import uuid
from typing import Any

from flask import Blueprint, render_template, request
from flask_login import login_required
from markupsafe import Markup, escape
from marshmallow import ValidationError

from brainstem.core import finding, references, search
from brainstem.core.permissions import PUBLIC, Actor
from brainstem.core.resource import Resource
from brainstem.core.schemas import label_of, texts_in
from brainstem.core.times import utc_text
from brainstem.views import parts, show
from brainstem.views.pages import page_actor

bp = Blueprint("search", __name__)

#: How many finds of a kind are shown; among the suggestions, and how many of these in all.
MOST, MOST_SUGGESTED, SUGGESTED = 6, 4, 9

#: How many letters of a text are shown before and behind what was found in it.
BEFORE, BEHIND = 40, 100

#: Around what was found.
MARK, MARKED = Markup("<mark>"), Markup("</mark>")
LEFT_OUT = Markup("…")

#: How many passages say why a record was found.
REASONS = 2


@bp.get("/search")
@login_required
def results() -> Any:
    """What was found for `?q=`, by kind; with `suggest`, a short list for the search field."""
    return _results()


@bp.get("/public/search")
def public_results() -> Any:
    """The same of what is public."""
    return _results()


def _results() -> Any:
    text = unicodedata.normalize("NFC", request.args.get("q", "").strip())
    suggest, error = "suggest" in request.args, ""
    try:
        asked = search.words(text)
        groups, more = _groups(text, asked, MOST_SUGGESTED if suggest else MOST)
    except ValidationError as refused:
        asked, groups, more, error = [], [], False, " ".join(texts_in(refused.messages))
    total = sum(group["total"] for group in groups)
    page = render_template(
        "search/suggestions.html" if suggest else "search/results.html",
        text=text.replace("\0", ""),
        asked=asked,
        groups=_short(groups) if suggest else groups,
        total=total,
        more=more,
        error=error,
    )
    return page, 400 if error else 200


def _groups(text: str, asked: list[str], most: int) -> tuple[list[dict[str, Any]], bool]:
    """The finds of each kind, first where something is called so; and whether there may be more."""
    public = show.in_public()
    actors = {kind: PUBLIC if public else page_actor(kind) for kind in search.kinds()}
    hunt = search.Hunt.of(text, actors)
    best = [search.best(hunt, kind, most) for kind in hunt.kinds]
    found = sorted((each for each in best if each.ids), key=_place)
    groups = [_group(actors[each.resource], each, text, asked) for each in found]
    return groups, bool(hunt.cut) or any(each.more for each in best)


def _place(found: search.Found) -> tuple[bool, bool, bool, int]:
    """Before others come exact names and their beginnings, then names; among alike the navigation's order."""
    nav = found.resource.nav
    return (found.rank > search.BEGINS, found.rank >= search.ELSEWHERE, not nav, nav)


def _group(actor: Actor, found: search.Found, text: str, asked: list[str]) -> dict[str, Any]:
    kind = found.resource
    records = references.records(kind, found.ids)
    why = search.explained(actor, kind, records, text)
    homes = _homes(actor, kind, records)
    return {
        "kind": kind,
        "total": found.total,
        "more": found.more,
        "all_url": show.list_url(kind, q=text)
        if found.more or found.total > len(records)
        else None,
        "hits": [
            {
                "title": _marked(kind.called(record), asked),
                "url": show.url_of(kind, record.id),
                "home": homes.get(record.id, ""),
                "when": _when(kind, record),
                "why": [_reason(actor, kind, each, asked) for each in why[record.id][:REASONS]],
            }
            for record in records
        ],
    }


def _short(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As much of the groups as fits below a search field."""
    left, shown = SUGGESTED, []
    for group in groups:
        if left:
            shown.append(group | {"hits": group["hits"][:left]})
            left -= len(shown[-1]["hits"])
    return shown


def _homes(actor: Actor, kind: Resource, records: list[Any]) -> dict[uuid.UUID, str]:
    """What the records belong to, of a kind that is found on another one's pages."""
    home = parts.home_of(kind)
    if home is None:
        return {}
    owners = {each.id: getattr(each, f"{home[0]}_id") for each in records}
    names = finding.named(actor, home[1], list(set(owners.values())))
    return {each: names.get(owner, "") for each, owner in owners.items()}


def _when(kind: Resource, record: Any) -> str:
    value = getattr(record, kind.when) if kind.when else None
    return show.moment(utc_text(value)) if hasattr(value, "hour") else str(value or "")


def _reason(
    actor: Actor, kind: Resource, found: search.Passage, asked: list[str]
) -> dict[str, Any]:
    """Where words were found: the field, whose it is, and the text around them."""
    owner = found.resource or kind
    field = owner.schema._declared_fields[found.field]
    name = ""
    if found.resource and found.field != owner.handle:
        name = finding.named(actor, owner, [found.record_id]).get(found.record_id, "")
    label = owner.label if found.field == owner.handle else label_of(found.field, field)
    return {
        "label": label,
        "owner": name,
        "text": _excerpt(found.text, asked, getattr(field, "lines", False)),
    }


def _excerpt(text: str, asked: list[str], formatted: bool) -> Markup:
    """What stands around the first word that is found in a text, without its tags if it is formatted, with
    the words marked."""
    text = unicodedata.normalize("NFC", text)
    plain = " ".join(re.sub(r"<[^<>]{1,500}>" if formatted else "^$", " ", text).split())
    if any(word in search.fold(plain) for word in asked):
        text = plain
    folded = search.fold(text)
    first = min((place for word in asked if (place := folded.find(word)) >= 0), default=0)
    start, end = max(first - BEFORE, 0), first + BEHIND
    # Whole words, where there are blanks.
    if start and (blank := text.find(" ", start, first)) >= 0:
        start = blank + 1
    if end < len(text) and (blank := text.rfind(" ", first + BEHIND // 2, end)) >= 0:
        end = blank
    # Without the dots: among letters of ASCII alone, words are found in a fifth of the time.
    return LEFT_OUT * (start > 0) + _marked(text[start:end], asked) + LEFT_OUT * (end < len(text))


def _marked(text: str, asked: list[str]) -> Markup:
    """The text with the words marked that were found in it."""
    text = unicodedata.normalize("NFC", text)
    shown, last = Markup(), 0
    for start, end in search.spans(text, asked):
        # Not by `format`, which takes ten times as long.
        shown += escape(text[last:start]) + MARK + escape(text[start:end]) + MARKED
        last = end
    return shown + text[last:]
