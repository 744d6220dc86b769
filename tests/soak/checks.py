"""What must be true of a lab's database whatever happened to it: each check tells what is not.

They read the database itself, inside an application context.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Table, func, select, text
from sqlalchemy.exc import DatabaseError

from brainstem.core import history, references, search
from brainstem.core.history import CREATE, DELETE, Change, Revision
from brainstem.core.history.states import recorded
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import RefList, TagList
from brainstem.extensions import db

#: Of the problems that one check finds, so many are told.
TOLD = 5
#: Kinds whose records count on from 0 within their session, and that no writer removes.
UNREMOVED = ("behavior",)

State = dict[str, Any]


def problems() -> list[str]:
    """Everything that is not as it must be."""
    found = []
    for check in CHECKS:
        wrong = list(check())
        found += wrong[:TOLD]
        if len(wrong) > TOLD:
            found.append(f"… and {len(wrong) - TOLD} more of {check.__name__}")
        db.session.rollback()
    return found


def orders() -> Iterator[str]:
    """What stands in an order counts 0, 1, 2 … without a gap or a repeat."""
    for table, owner, position in _ordered():
        yield from _gaps(table.name, owner, position)
    for kind in registry:
        if kind.placed_by:
            table = kind.model.__table__
            owner, position = table.c[f"{kind.locked_by}_id"], table.c[kind.placed_by]
            yield from _gaps(kind.name, owner, position, gaps=kind.name not in UNREMOVED)


def _ordered() -> Iterator[tuple[Table, Column, Column]]:
    """The link tables, but those that lose a row when what it names is deleted: they keep a gap."""
    for kind in registry:
        for name, field in kind.schema._declared_fields.items():
            if isinstance(field, RefList | TagList) and not field.dump_only:
                table = references.link_table_of(kind, name)
                owner, target, position = references.columns_of(table)
                if not any(key.ondelete for key in target.foreign_keys):
                    yield table, owner, position


def _gaps(name: str, owner: Column, position: Column, *, gaps: bool = False) -> Iterator[str]:
    many, last = func.count(), func.max(position)
    wrong = (func.count(position.distinct()) != many) | (func.min(position) < 0)
    if not gaps:
        wrong |= (last != many - 1) | (func.min(position) != 0)
    statement = select(owner, many, last).group_by(owner).having(wrong)
    for each, number, highest in db.session.execute(statement):
        yield f"the order of {name} in {each}: {number} of them, the last is {highest}"


def histories() -> Iterator[str]:
    """Each record's revisions follow one on another, and lead to what it is now."""
    now = {kind.name: _present(kind) for kind in registry if not kind.part_of}
    statement = select(Revision).order_by(Revision.kind, Revision.record_id, Revision.id)
    told = db.session.scalars(statement.execution_options(yield_per=500))
    for (name, record_id), revisions in groupby(told, lambda each: (each.kind, each.record_id)):
        who = f"{name} {record_id}"
        try:
            state, version = replayed(revisions)
        except ValueError as error:
            yield f"the history of {who}: {error}"
            now[name].pop(record_id, None)
            continue
        record = now[name].pop(record_id, None)
        if record is None and state is not None:
            yield f"{who} is gone, and its history does not say so"
        elif record is not None and state is None:
            yield f"{who} is there, and its history says that it was deleted"
        elif record is not None:
            yield from _against(registry.get(name), record, state, version)
    for name, left in now.items():
        if not registry.get(name).read_only:
            yield from (f"{name} {record_id} has no history" for record_id in left)


def replayed(revisions: Any) -> tuple[State | None, int]:
    """The state and version that revisions lead to; `ValueError` where one does not follow on another."""
    state, version = None, 0
    for each in revisions:
        if (state is None) != (each.action == CREATE):
            raise ValueError(f"revision {each.id} is “{each.action}” of {state}")
        if each.action != DELETE and each.version != version + 1:
            raise ValueError(f"revision {each.id} is version {each.version} after {version}")
        for name, value in each.before.items():
            if name != "created_date" and _text(value) != _text(state.get(name)):
                raise ValueError(
                    f"revision {each.id} found {name} {value}; it was {state.get(name)}"
                )
        state = None if each.action == DELETE else (state or {}) | each.after
        version = each.version
    return state, version


def _present(kind: Resource) -> dict[uuid.UUID, Any]:
    return {record.id: record for record in db.session.scalars(select(kind.model))}


def _against(kind: Resource, record: Any, state: State, version: int) -> Iterator[str]:
    found = history.state(kind, record, recorded(kind))
    differ = [name for name in found if _text(found[name]) != _text(state.get(name))]
    if record.version != version:
        yield f"{kind.name} {record.id} is version {record.version}, its history ends at {version}"
    for name in differ:
        yield f"{kind.name} {record.id}: {name} is {found[name]}, its history says {state.get(name)}"


def changes() -> Iterator[str]:
    """No change without what it changed."""
    empty = select(Change.id).where(Change.id.not_in(select(Revision.change_id)))
    yield from (f"change {each} has no revision" for each in db.session.scalars(empty))


def index() -> Iterator[str]:
    """What a search finds is what the records say: as `flask reindex --check`."""
    yield from (f"the search index is wrong about {kind} {each}" for kind, each in search.untrue())


def database() -> Iterator[str]:
    """What the database itself says of its tables, constraints and indexes."""
    if db.engine.dialect.name == "sqlite":
        yield from (f"integrity_check: {each}" for each in _lines("PRAGMA integrity_check", "ok"))
        yield from (f"foreign_key_check: {each}" for each in _lines("PRAGMA foreign_key_check"))
        try:
            db.session.execute(text(TRIGRAMS))
        except DatabaseError as error:
            yield f"the trigrams of the search index: {error.orig}"
        return
    db.session.execute(text("CREATE EXTENSION IF NOT EXISTS amcheck"))
    for name, kind in db.session.execute(text(RELATIONS)).all():
        if kind == "i":
            db.session.execute(
                text("SELECT bt_index_check(CAST(:it AS regclass), true)"), {"it": name}
            )
        else:
            statement = text("SELECT msg FROM verify_heapam(CAST(:it AS regclass))")
            wrong = db.session.scalars(statement, {"it": name})
            yield from (f"verify_heapam: {name}: {each}" for each in wrong)


# FTS5 compares what it has with the table that it is made from.
TRIGRAMS = "INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)"

# The tables and B-tree indexes of this database's own schema.
RELATIONS = """
    SELECT pg_class.oid::regclass::text, pg_class.relkind
    FROM pg_class JOIN pg_am ON pg_am.oid = pg_class.relam
    WHERE pg_class.relnamespace = 'public'::regnamespace
    AND pg_am.amname IN ('btree', 'heap') AND pg_class.relkind IN ('i', 'r')
"""


def _lines(statement: str, good: str = "") -> Iterator[str]:
    for row in db.session.execute(text(statement)):
        said = " ".join(map(str, row))
        if said != good:
            yield said


def _text(value: Any) -> str:
    # As text: 22 and 22.0 are two things here, and so are two orders of keys.
    return json.dumps(value)


CHECKS: list[Callable[[], Iterator[str]]] = [orders, histories, changes, index, database]
