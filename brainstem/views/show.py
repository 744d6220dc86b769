"""How values of the wire format look on a page: cells of a list, facts of a detail page."""

from __future__ import annotations

import html
import json
import re
import textwrap
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import nh3
from flask import g, request, url_for
from markdown_it import MarkdownIt
from markupsafe import Markup
from marshmallow import fields

from brainstem.core import finding, times
from brainstem.core.permissions import Actor
from brainstem.core.reading import Names
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    Day,
    Document,
    Duration,
    ExtraFields,
    Flag,
    LabDateTime,
    Links,
    People,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
    WebAddress,
    Whole,
    label_of,
)

MARKDOWN = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(
    ["table", "strikethrough"]
)
TAGS = nh3.ALLOWED_TAGS - {"img", "map", "area", "article", "aside", "header", "footer", "nav"}


#: What is longer, or has more tags, is shown as it was typed: cleaning it would take too long.
LONGEST, MOST_TAGS = 100_000, 2_000


def markdown(text: str) -> Markup:
    """Markdown or simple HTML as safe HTML: no scripts, no styles, no pictures from elsewhere."""
    if len(text) > LONGEST or text.count("<") > MOST_TAGS:
        return Markup("<pre>{}</pre>").format(text)
    safe = nh3.clean(MARKDOWN.render(text), tags=TAGS, link_rel="noopener noreferrer nofollow")
    return Markup(safe)  # noqa: S704 (nh3 has cleaned it)


def plain_text(text: str, most: int = 280) -> str:
    """The beginning of a Markdown or HTML text, without its marks."""
    words = html.unescape(nh3.clean(MARKDOWN.render(text[: most * 10]), tags=set())).split()
    return textwrap.shorten(" ".join(words), most, placeholder=" …")


def moment(value: str | None) -> str:
    """A time of the wire on the lab's clock, for people."""
    if not value:
        return ""
    text = times.lab_time(datetime.fromisoformat(value)).isoformat(" ", "seconds")[:19]
    return text.removesuffix(":00")


def names_for(
    actor: Actor, *records: tuple[Resource, Iterable[dict[str, Any]]], apart: Iterable[str] = ()
) -> Names:
    """The names of what these records refer to, but for the kinds `apart`: one query a kind."""
    wanted: dict[str, set[str]] = {}
    for resource, wire in records:
        for name, field in resource.schema.references():
            if field.kind in apart or field.metadata.get("count"):
                continue
            ids = wanted.setdefault(field.kind, set())
            for record in wire:
                value = record.get(name) or ()
                ids.update([value] if isinstance(value, str) else value)
    found: Names = {}
    for kind, ids in wanted.items():
        if ids and (target := registry.get(kind)):
            named = finding.named(actor, target, [uuid.UUID(each) for each in ids])
            found[kind] = {str(each): text for each, text in named.items()}
    return found


def in_public() -> bool:
    """Whether this is a page of the public portal: then its links stay there."""
    return f"{request.path}/".startswith("/public/")


def _page_of(resource: Resource) -> str:
    # Written and not built by `url_for`, its beginning once a request: a page has a hundred of these.
    try:
        root = g.pages_at
    except AttributeError:
        root = g.pages_at = request.script_root + ("/public" if in_public() else "")
    return f"{root}{resource.page}/"


def at(endpoint: str, **values: str) -> str:
    """An address like `url_for`'s, of a page that is there for everybody: built but once."""
    return _built(request.script_root, endpoint, tuple(values.items()))


@lru_cache(1000)
def _built(root: str, endpoint: str, values: tuple[tuple[str, str], ...]) -> str:
    """Below the `root` of this request."""
    return url_for(endpoint, **dict(values))


def list_url(resource: Resource, **filters: Any) -> str:
    """The list page of a kind."""
    return f"{_page_of(resource)}?{question(filters.items())}" if filters else _page_of(resource)


def question(pairs: Iterable[tuple[str, Any]]) -> str:
    """What stands behind the question mark of an address."""
    # Commas and colons may stand as they are: addresses are read by people, too.
    return "&".join(f"{_quoted(name)}={_quoted(str(value))}" for name, value in pairs)


def url_of(resource: Resource, record_id: Any) -> str:
    """The page of a record."""
    return f"{_page_of(resource)}{record_id}"


def refs(field: Ref | RefList, values: Iterable[Any], names: Names) -> Iterator[dict[str, Any]]:
    """What each of these values names: of a column, or of one record."""
    target, known = registry.get(field.kind), names.get(field.kind, {})
    page = _page_of(target) if target and target.page else ""
    for value in values:
        ids = [value] if isinstance(value, str) else value or []
        items = [
            {"text": known[each], "url": page and f"{page}{each}"} for each in ids if each in known
        ]
        yield {"kind": "refs", "items": items, "empty": not items}


def tags(resource: Resource, values: Iterable[list[str]]) -> Iterator[dict[str, Any]]:
    """The tags in each of these values, with the way to the list of what has them."""
    listed = f"{_page_of(resource)}?tags="
    for value in values:
        items = [{"text": tag, "url": f"{listed}{_quoted(tag)}"} for tag in value]
        yield {"kind": "tags", "items": items, "empty": not items}


def _count(resource: Resource, name: str, field: RefList, record: dict[str, Any]) -> dict[str, Any]:
    """How many records a relation names, with the way to their list."""
    target = registry.get(field.kind)
    count = record[name] if isinstance(record[name], int) else len(record[name])
    if target is None or not target.page or not count:
        return {"kind": "text", "text": str(count) if count else ""}
    words = (target.label if count == 1 else target.labels).lower()
    url = list_url(target, **{field.metadata["count"]: record["id"]})
    return {"kind": "refs", "items": [{"text": f"{count} {words}", "url": url}], "counted": True}


def value(
    resource: Resource, name: str, field: fields.Field, record: dict[str, Any], names: Names
) -> dict[str, Any]:
    """A value as the templates draw it; `empty` where there is nothing to see."""
    raw = record[name]
    match field:
        case RefList() if field.metadata.get("count"):
            shown = _count(resource, name, field, record)
        case Ref() | RefList():
            (shown,) = refs(field, [raw], names)
            shown["ordered"] = bool(field.metadata.get("ordered"))
        case TagList():
            (shown,) = tags(resource, [raw])
        case LabDateTime():
            shown = {"kind": "date", "text": moment(raw), "iso": raw or ""}
        case Flag():
            shown = {"kind": "bool", "text": "Yes" if raw else "No"}
        case ExtraFields():
            items = [_pair(key, _plain(each)) for key, each in raw.items()]
            shown = {"kind": "pairs", "items": items}
        case People():
            shown = {"kind": "people", "items": [person(*each) for each in raw.items()]}
        case RowList():
            shown = _rows(field, raw)
        case Document():
            shown = {
                "kind": "code",
                "text": json.dumps(raw, indent=2, ensure_ascii=False) if raw else "",
            }
        case Whole() | Day() | Duration():
            shown = {"kind": "text", "text": "" if raw is None else str(raw)}
        case Text() if field.lines:
            shown = {"kind": "html", "html": markdown(raw), "text": raw}
        case _:
            shown = {"kind": "text", "text": str(raw)}
    shown["empty"] = not (shown.get("items") or shown.get("text") or shown.get("rows"))
    return shown


def _quoted(text: str) -> str:
    """A text in an address: the same few come again and again, in each of the hundred of a page."""
    # Long ones don't, and would be kept for nothing.
    return _kept(text) if len(text) <= 100 else quote(text, safe=":,")


@lru_cache(2000)
def _kept(text: str) -> str:
    return quote(text, safe=":,")


def _pair(key: str, text: str) -> dict[str, str]:
    """A free field; a text that is an address can be followed."""
    address = re.fullmatch(r"https?://[^\s<>\"]+", text)
    return {"key": key, "value": text, "url": text if address else ""}


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def person(name: str, rights: dict[str, bool]) -> dict[str, str]:
    """Who holds a role, and which."""
    held = [role for right, role in People.RIGHTS if rights.get(right)]
    return {"text": name, "role": max(held).name.lower() if held else "member"}


def _rows(field: RowList, raw: list[dict[str, Any]]) -> dict[str, Any]:
    columns = field.inner.schema.load_fields
    address = next((name for name, each in columns.items() if isinstance(each, WebAddress)), None)
    if address is not None:
        (label,) = columns.keys() - {address}
        items = [{"label": row[label], "url": row[address]} for row in raw]
        return {"kind": "links", "items": items}
    return {
        "kind": "table",
        "columns": [label_of(name, each) for name, each in columns.items()],
        "rows": [[cell(row.get(name)) for name in columns] for row in raw],
    }


def cell(raw: Any) -> str:
    """A value of a row of small fields."""
    if isinstance(raw, dict | list):
        return json.dumps(raw, ensure_ascii=False) if raw else ""
    return {True: "Yes", False: "No", None: ""}.get(raw, raw) if not isinstance(raw, str) else raw


def facts(
    actor: Actor, resource: Resource, record: dict[str, Any], apart: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """The fields of a detail page: those of the form first, in its order.

    References to the kinds `apart` are left out: the page has sections for them.
    """
    declared = resource.schema._declared_fields
    order = [*resource.form, *(name for name in declared if name not in resource.form)]
    names = names_for(actor, (resource, [record]), apart=apart)
    shown = []
    for name in order:
        field = declared[name]
        known = not isinstance(field, Ref | RefList) or (
            registry.get(field.kind) and field.kind not in apart
        )
        if (
            name in ("id", resource.handle)
            or name not in record
            or isinstance(field, Links)
            or not known
        ):
            continue
        entry = value(resource, name, field, record, names)
        if isinstance(field, People) and entry["empty"]:
            continue
        shown.append({"label": label_of(name, field), "name": name} | entry)
    return shown


def heading(resource: Resource, name: str) -> str:
    """What stands over a column; over the names of a kind that has none of its own, the kind."""
    field = resource.schema._declared_fields[name]
    named = isinstance(field, Text) or name != resource.handle
    return label_of(name, field) if named else resource.label


def cells(
    resource: Resource,
    record: dict[str, Any],
    names: Names,
    columns: Iterable[str] | None = None,
) -> list[dict[str, Any]]:
    """The columns of a list page, or other ones."""
    declared = resource.schema._declared_fields
    row = []
    for name in resource.columns if columns is None else columns:
        cell = value(resource, name, declared[name], record, names)
        if name == resource.handle:
            cell |= {"kind": "link", "text": resource.title(record[name])}
        row.append(cell)
    return row
