"""The search index: an entry for each record that has pages, with what can be read in it.

Entries are written in the transaction of the change itself. They hold what everybody sees who may read
the record: its own texts, and its tags. What it names is not copied into it (somebody may read a session
and not its subject; a subject may get another name): related records are found by entries of their own.

SQLite keeps the trigrams of the entries in a table of its own kind, `search_index` (FTS5), which triggers
keep true; PostgreSQL in an index of the extension pg_trgm, where the database can have it.
"""

from __future__ import annotations

import json
import unicodedata
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from marshmallow import fields
from sqlalchemy import Index, Table, Uuid, delete, func, insert, select
from sqlalchemy import text as text_of
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core import references
from brainstem.core.columns import DERIVED, text
from brainstem.core.references import View
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Document, ExtraFields, RowList, TagList, Text
from brainstem.core.sql import WHICH, is_among
from brainstem.core.transactions import execute, operation, together
from brainstem.extensions import db

#: The types of field that hold texts.
TEXTS = (Text, TagList, ExtraFields, Document, RowList)

#: How many records are read at once when all are looked at.
BATCH = 500

#: What the names of tables and indexes begin with that the models don't know: see migrations 0014 and 0019.
BEHIND_THE_MODELS = ("search_index", "sorted_index")


class Entry(db.Model):
    """What can be found of one record, in lower case: its name, and the name with all its texts."""

    __tablename__ = "search_entry"
    __table_args__ = (Index(None, "kind", "title"), {"info": DERIVED})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = text(100)
    record_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    title: Mapped[str] = text()
    text: Mapped[str] = text()


ENTRIES: Table = Entry.__table__
FORGET = delete(ENTRIES).where(is_among(ENTRIES.c.record_id, WHICH))


def fold(words: str) -> str:
    """A text as it is compared: É like é, and é like e with an accent put over it.

    Here and not in the database, so that both databases find alike.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", words).lower())


def searchable(resource: Resource) -> bool:
    """Whether records of a kind are in the index."""
    return bool(resource.page)


def kinds() -> list[Resource]:
    """The kinds whose records are in the index."""
    return list(filter(searchable, registry))


@cache
def searched_fields(resource: Resource) -> dict[str, fields.Field]:
    """The fields whose texts a record is found by; first what it is called.

    `metadata` of a field: `searched=False` for what not everybody sees who may read the record, and for
    words that stand in most records of the kind.
    """
    declared = resource.schema._declared_fields
    order = [resource.handle, *(each for each in declared if each != resource.handle)]
    return {
        name: declared[name]
        for name in order
        if isinstance(declared[name], TEXTS) and declared[name].metadata.get("searched", True)
    }


def _tag_lists(resource: Resource) -> list[str]:
    return [name for name, field in searched_fields(resource).items() if isinstance(field, TagList)]


def passages(resource: Resource, view: View) -> Iterator[tuple[str, str]]:
    """The texts that a record is found by, each with its field's name."""
    for name, field in searched_fields(resource).items():
        value = view.refs[name] if isinstance(field, TagList) else getattr(view.record, name)
        for each in _texts(field, value):
            yield name, each


def _texts(field: fields.Field, value: Any) -> Iterator[str]:
    match field:
        case Text():
            yield value or ""
        case TagList():
            yield from value
        case ExtraFields():
            yield from (f"{key} {_plain(each)}" for key, each in value.items())
        case Document():
            yield from _leaves(value)
        case RowList():
            for row in value:
                for name, column in field.inner.schema.fields.items():
                    if name in row:
                        yield from _texts(column, row[name])


def _leaves(document: Any, key: str = "") -> Iterator[str]:
    """The values of a JSON document, each behind its key."""
    if isinstance(document, dict):
        for name, each in document.items():
            yield from _leaves(each, name)
    elif isinstance(document, list):
        for each in document:
            yield from _leaves(each, key)
    else:
        yield f"{key} {_plain(document)}".strip()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _entry(resource: Resource, view: View) -> dict[str, Any]:
    texts = [each for _, each in passages(resource, view) if each]
    return {
        "kind": resource.name,
        "record_id": view.record.id,
        "title": title_of(resource, view.record),
        "text": fold("\n".join(texts)),
    }


def title_of(resource: Resource, record: Any) -> str:
    """A record's name, folded; nothing where the kind has none of its own."""
    return fold(getattr(record, resource.handle)) if references.has_names(resource) else ""


def put_new(resource: Resource, record: Any, data: Mapping[str, Any]) -> None:
    """Make an entry for a new record, of these data."""
    if searchable(resource):
        tags = {name: data.get(name, []) for name in _tag_lists(resource)}
        _put(_entry(resource, View(record, tags)))


def put(resource: Resource, record: Any, data: Mapping[str, Any]) -> None:
    """Make the entry of a record say what it says now, where these data of it were changed."""
    if searchable(resource) and any(name in data for name in searched_fields(resource)):
        tags = {
            name: data[name] if name in data else references.tag_names(resource, name, record.id)
            for name in _tag_lists(resource)
        }
        _put(_entry(resource, View(record, tags)))


def _put(entry: dict[str, Any]) -> None:
    together(ENTRIES, [entry], lambda entries: execute(_upsert(db.engine.name), entries))


@cache
def _upsert(database: str) -> Any:
    statement = {"sqlite": sqlite, "postgresql": postgresql}[database].insert(ENTRIES)
    new, old = statement.excluded, ENTRIES.c
    return statement.on_conflict_do_update(
        index_elements=[old.record_id],
        set_={"title": new.title, "text": new.text},
        where=(old.text != new.text) | (old.title != new.title),
    )


def forget(ids: Iterable[uuid.UUID]) -> None:
    """Take records out of the index that are about to be deleted."""
    execute(FORGET, {WHICH.key: ids})


def untrue() -> Iterator[tuple[str, uuid.UUID]]:
    """The kind and id of what the index does not say as the records do."""
    for resource in filter(searchable, registry):
        model = resource.model
        stray = select(Entry.record_id).where(
            Entry.kind == resource.name, Entry.record_id.not_in(select(model.id))
        )
        yield from ((resource.name, each) for each in db.session.scalars(stray).all())
        for wanted in _batches(resource):
            rule = Entry.record_id.in_([each["record_id"] for each in wanted])
            stored = {
                each.record_id: each for each in db.session.scalars(select(Entry).where(rule))
            }
            for each in wanted:
                found = stored.get(each["record_id"])
                if found is None or any(getattr(found, name) != each[name] for name in each):
                    yield resource.name, each["record_id"]
    known = [resource.name for resource in registry if searchable(resource)]
    other = select(Entry.kind, Entry.record_id).where(Entry.kind.not_in(known))
    yield from (tuple(each) for each in db.session.execute(other).all())


@operation
def rebuild() -> int:
    """Write the whole index anew; returns how many entries it has."""
    if db.engine.dialect.name == "postgresql":
        _index_by_trigrams()
    db.session.execute(delete(ENTRIES))
    for resource in filter(searchable, registry):
        for entries in _batches(resource):
            db.session.execute(insert(ENTRIES), entries)
    return db.session.scalar(select(func.count()).select_from(Entry))


def _index_by_trigrams() -> None:
    """Make what the migration could not, where the database has the extension pg_trgm by now."""
    try:
        with db.session.begin_nested():
            db.session.execute(text_of("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except DBAPIError:
        return
    index = (
        "CREATE INDEX IF NOT EXISTS search_index_text ON search_entry USING gin (text gin_trgm_ops)"
    )
    db.session.execute(text_of(index))


def _batches(resource: Resource) -> Iterator[list[dict[str, Any]]]:
    """What the entries of a kind have to be, some hundred at a time."""
    model, last = resource.model, None
    while True:
        statement = select(model).order_by(model.id).limit(BATCH)
        if last is not None:
            statement = statement.where(model.id > last)
        records = db.session.scalars(statement).all()
        if not records:
            return
        yield [_entry(resource, view) for view in views_of(resource, records)]
        last = records[-1].id
        for each in records:
            db.session.expunge(each)


def views_of(resource: Resource, records: list[Any]) -> list[View]:
    """The records with what the index knows of them: their tags, which everybody sees who may read them."""
    tags = {
        name: references.tags_of(resource, name, [each.id for each in records])
        for name in _tag_lists(resource)
    }
    return [
        View(each, {name: found.get(each.id, []) for name, found in tags.items()})
        for each in records
    ]
