"""What a revision changed, field by field, in a form that people can read."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from marshmallow import fields

from brainstem.core import finding, history
from brainstem.core.history import Revision
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import (
    Document,
    ExtraFields,
    Flag,
    LabDateTime,
    People,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
    label_of,
)
from brainstem.views import show

#: Of a long text so many unchanged lines stand around a change.
AROUND = 2
#: Longer texts are not compared line by line: that would take too long.
MOST_LINES = 2_000

Piece = dict[str, str]
Names = dict[str, str]


def of(
    actor: Actor, resource: Resource, revisions: Iterable[Revision]
) -> list[list[dict[str, Any]]]:
    """For each revision of one kind its fields that differ, as far as the actor may see them.

    A field is `{"label", "before", "after"}`, each side a list of pieces, or `{"label", "lines"}`; a piece
    or line has a text, an address where there is one, and the mark `del` or `ins` where it differs.
    """
    revisions = list(revisions)
    names = _names(actor, resource, revisions)
    return [list(_fields(resource, each, names)) for each in revisions]


def _names(actor: Actor, resource: Resource, revisions: list[Revision]) -> dict[str, Names]:
    """What the actor may see of what was named, by kind and id; what is gone by its last name."""
    ids: dict[str, set[str]] = {}
    for name, field in resource.schema.references():
        for side in (side for each in revisions for side in (each.before, each.after)):
            value = side.get(name) or []
            ids.setdefault(field.kind, set()).update(_list(value))
    names = {}
    for kind, found in ids.items():
        target = registry.get(kind)
        known = [each for each in map(as_id, found) if each]
        seen = finding.named(actor, target, known) if target and known else {}
        gone = history.gone(actor, target, known) if target and known else {}
        names[kind] = {str(each): text for each, text in (gone | seen).items()}
    return names


def _fields(
    resource: Resource, revision: Revision, names: dict[str, Names]
) -> Iterator[dict[str, Any]]:
    for name, field in resource.schema._declared_fields.items():
        if name not in revision.before and name not in revision.after:
            continue
        before, after = revision.before.get(name), revision.after.get(name)
        entry = {"name": name, "label": label_of(name, field)}
        if _is_long(field, before, after):
            lines = _lines(_as_text(before), _as_text(after))
            if lines:
                yield entry | {"lines": lines}
            continue
        was, now = _pieces(field, before, names), _pieces(field, after, names)
        ordered = bool(field.metadata.get("ordered"))
        if was and now:
            was, now = _marked(was, now, "del", ordered), _marked(now, was, "ins", ordered)
        if was or now:
            yield entry | {"before": was, "after": now, "ordered": ordered}


def _is_long(field: fields.Field, before: Any, after: Any) -> bool:
    text = isinstance(field, Text) and any("\n" in (each or "") for each in (before, after))
    return text or isinstance(field, Document)


def _as_text(value: Any) -> str:
    if isinstance(value, str) or not value:
        return value or ""
    return json.dumps(value, indent=2, ensure_ascii=False)


def _pieces(field: fields.Field, value: Any, names: dict[str, Names]) -> list[Piece]:
    """A value in pieces that can be compared."""
    if value in (None, "", [], {}):
        return []
    match field:
        case Ref() | RefList():
            target, known = registry.get(field.kind), names.get(field.kind, {})
            return [_reference(target, each, known[each]) for each in _list(value) if each in known]
        case TagList():
            return [{"text": each} for each in value]
        case LabDateTime():
            return [{"text": show.moment(value)}]
        case Flag():
            return [{"text": "Yes" if value else "No"}]
        case ExtraFields():
            return [{"text": f"{key}: {each}"} for key, each in value.items()]
        case People():
            held = [show.person(*each) for each in value.items()]
            return [{"text": f"{each['text']} ({each['role']})"} for each in held]
        case RowList():
            return [
                {"text": " · ".join(filter(None, map(show.cell, row.values())))} for row in value
            ]
        case _:
            return [{"text": str(value)}]


def _reference(target: Resource, record_id: str, text: str) -> Piece:
    url = show.url_of(target, record_id) if target.page else ""
    return {"text": text, "url": url}


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


def _marked(pieces: list[Piece], others: list[Piece], mark: str, ordered: bool) -> list[Piece]:
    """The pieces that differ, marked; with the others where nothing but their order does, or it counts."""
    texts = {each["text"] for each in others}
    moved = texts == {each["text"] for each in pieces}
    return [
        each if each["text"] in texts else each | {"mark": mark}
        for each in pieces
        if ordered or moved or each["text"] not in texts
    ]


def _lines(before: str, after: str) -> list[Piece]:
    """The lines that differ, with some around them; “…” where lines are left out."""
    was, now = before.splitlines(), after.splitlines()
    if max(len(was), len(now)) > MOST_LINES:
        return [{"text": f"{len(was)} lines before, {len(now)} lines after."}]
    found: list[Piece] = []
    # Lines that repeat often are no landmarks (`autojunk`): two texts made of them would take minutes.
    for group in difflib.SequenceMatcher(None, was, now).get_grouped_opcodes(AROUND):
        if group[0][1] or found:
            found.append({"text": "…"})
        for tag, a, b, c, d in group:
            if tag == "equal":
                found += [{"text": line} for line in was[a:b]]
            else:
                found += [{"text": line, "mark": "del"} for line in was[a:b]]
                found += [{"text": line, "mark": "ins"} for line in now[c:d]]
        if group[-1][2] < len(was):
            found.append({"text": "…"})
    return [each for place, each in enumerate(found) if not _twice(found, place)]


def _twice(found: list[Piece], place: int) -> bool:
    return place > 0 and found[place] == found[place - 1] == {"text": "…"}
