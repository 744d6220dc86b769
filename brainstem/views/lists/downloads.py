"""What a list page shows, as a file: all of its pages, with the same filters, order and columns."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from flask import Response, request, stream_with_context

from brainstem.core import listing, query, reading, streaming
from brainstem.core.openapi.queries import FILES
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.core.schemas import (
    TIMES,
    ExtraFields,
    Flag,
    LabDateTime,
    People,
    Ref,
    RefList,
    RowList,
    TagList,
)
from brainstem.core.spreadsheets import guarded, listed
from brainstem.core.times import lab_text, lab_time, parse, utcnow
from brainstem.records import audit
from brainstem.records.audit import Event
from brainstem.views import show
from brainstem.views.lists import table

#: Excel takes a file without it for something other than UTF-8.
BYTE_ORDER_MARK = "\ufeff"

MIME = FILES | {"json": "application/json"}


def download(actor: Actor, resource: Resource, form: str) -> Response:
    """The list that a page shows, as a file."""
    words = listing.words(actor, resource, request.args)
    columns = listing.chosen_columns(actor, resource, words.getlist(listing.COLUMNS))
    return sent(actor, resource, form, columns, listing.asked(actor, resource, words))


def sent(
    actor: Actor, resource: Resource, form: str, columns: list[str], asked: query.Query
) -> Response:
    """All that a query finds as a file, of these `columns` where it is a table.

    It is sent while it is read; what it holds is noted before that.
    """
    if form == "csv":
        heading = BYTE_ORDER_MARK + csv_lines([["id", *columns]])
        rows = streaming.texts(
            actor, resource, asked, lambda ids: _rows(actor, resource, columns, ids)
        )
        parts = chain([heading], rows)
    else:
        parts = streaming.texts(
            actor, resource, asked, lambda ids: _lines(actor, resource, asked, ids)
        )
        parts = parts if form == "jsonl" else _json(resource, parts)
    if actor.user_id is not None:
        words = request.query_string.decode("utf-8", "replace")[:1000]
        audit.note(Event.EXPORT, actor, kind=resource.name, format=form, query=words)
    return as_file(parts, resource.keys, form)


def as_file(parts: Iterator[str], name: str, form: str) -> Response:
    """What is yielded as a file to keep, with today's date in its name."""
    response = Response(stream_with_context(parts), mimetype=MIME[form])
    name = f"{name}_{lab_time(utcnow()):%Y-%m-%d}.{form}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _lines(actor: Actor, resource: Resource, asked: query.Query, ids: list[uuid.UUID]) -> str:
    """Each record as the API has it, on a line of its own."""
    found = reading.sent(actor, resource, ids, asked.include, guarded=True)
    return "".join(f"{each.json}\n" for each in found)


def _json(resource: Resource, lines: Iterator[str]) -> Iterator[str]:
    """The records under their key, as in the API's lists."""
    yield f"{{{json.dumps(resource.keys)}: [\n"
    parting = ""
    for part in filter(None, lines):
        yield parting + part.rstrip("\n").replace("\n", ",\n")
        parting = ",\n"
    yield "\n]}\n"


def _rows(actor: Actor, resource: Resource, columns: list[str], ids: list[uuid.UUID]) -> str:
    """The columns of records under the API's names, the id before them."""
    fields = table.fields_of(resource, columns)
    found = reading.sent(actor, resource, ids, guarded=True, only=fields)
    wire = [each.wire for each in found]
    table.count(resource, wire, columns)
    names = show.names_for(actor, (resource, wire))
    return csv_lines(
        [each["id"], *(text_of(resource, name, each, names) for name in columns)] for each in wire
    )


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as CSV has them."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def text_of(resource: Resource, name: str, record: dict[str, Any], names: show.Names) -> str:
    """A value in one cell: names for ids, several parted by semicolons, times on the lab's clock.

    Nothing is left that a spreadsheet would calculate. Numbers stay numbers.
    """
    if extra := listing.extra_key(resource, name):
        value = record[extra[0]].get(extra[1], "")
        return guarded(value) if isinstance(value, str) else json.dumps(value)
    field = (resource.schema._declared_fields | TIMES)[name]
    value = record[name]
    if name == resource.handle:
        return guarded(resource.title(value))
    if isinstance(field, Ref | RefList) and field.metadata.get("count"):
        return str(value)
    if isinstance(field, Ref | RefList):
        known = names.get(field.kind, {})
        ids = [value] if isinstance(value, str) else value or []
        return guarded(listed(known[each] for each in ids if each in known))
    for kind, write in WRITTEN.items():
        if isinstance(field, kind):
            return guarded(write(value))
    if isinstance(value, dict | list):
        return guarded(json.dumps(value, ensure_ascii=False) if value else "")
    return "" if value is None else guarded(value) if isinstance(value, str) else str(value)


#: How the values of some field types are written, where that is not as JSON has them.
WRITTEN: dict[type, Callable[[Any], str]] = {
    TagList: listed,
    LabDateTime: lambda value: lab_text(parse(value)).replace("T", " ") if value else "",
    Flag: lambda value: "Yes" if value else "No",
    ExtraFields: lambda value: "; ".join(
        f"{key}: {each if isinstance(each, str) else json.dumps(each)}"
        for key, each in value.items()
    ),
    People: "; ".join,
    RowList: lambda value: "; ".join(" ".join(map(show.cell, row.values())) for row in value),
}
