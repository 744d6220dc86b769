"""What the rows of a table ask for: their payloads, and which columns a message is about."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import UniqueConstraint, select

from brainstem.core.judging import known_free
from brainstem.core.permissions import Actor, Right, allowed, right_to_change, unusable
from brainstem.core.resource import as_id, registry
from brainstem.core.schemas import RefList, Unreadable, label_of, texts_in
from brainstem.core.schemas.messages import UNSTORABLE
from brainstem.core.spreadsheets import unguarded
from brainstem.extensions import db
from brainstem.imports import matching, values
from brainstem.imports.kinds import ImportKind
from brainstem.imports.tables import Row, Table

#: So many names go into one statement.
AT_ONCE = 500

#: A cell that is longer than this is not repeated.
MOST_SHOWN = 60

Problem = tuple[str, str]
Key = tuple[str, ...]


@dataclass
class Plan:
    """A table, where its columns go, and for whom; `default` is what rows belong to that say nothing."""

    actor: Actor
    kind: ImportKind
    table: Table
    matched: list[str]
    default: str = ""
    names: values.Names = field(init=False)

    def __post_init__(self) -> None:
        self.names = values.Names(self.actor)
        self.resource = self.kind.resource

    @cached_property
    def readers(self) -> list[values.Reader | None]:
        """What reads the cells of each column; None for a column that goes nowhere."""
        known, found = matching.targets(self.kind), []
        for index, target in enumerate(self.matched):
            if matching.is_extra(target):
                comma = self._semicolons and values.decimal_comma(self.table.column(index))
                found.append(lambda text, comma=comma: values.number(text, comma=comma))
            elif target in known:
                found.append(
                    values.reader_of(
                        known[target].field,
                        self.names,
                        list(self.table.column(index)),
                        semicolons=self._semicolons,
                        words=self.kind.words.get(target, {}),
                    )
                )
            else:
                found.append(None)
        return found

    @property
    def _semicolons(self) -> bool:
        return self.table.delimiter == ";"

    @cached_property
    def _nth(self) -> list[int]:
        """Which row of a field of rows a column belongs to: the second `url` to the second row."""
        seen: dict[str, int] = {}
        found = []
        for target in self.matched:
            found.append(seen.get(target, 0))
            seen[target] = found[-1] + 1
        return found

    def payload(self, row: Row) -> dict[str, Any]:
        """What a script would send for a row. Empty cells say nothing."""
        payload: dict[str, Any] = {}
        rows: dict[str, dict[int, dict[str, Any]]] = {}
        for index, (target, read) in enumerate(zip(self.matched, self.readers, strict=True)):
            cell = _cell(row, index)
            if read is None or not cell.strip():
                continue
            if matching.is_extra(target):
                name, _, key = target.partition(":")
                # What is guarded was a text where it was written, though it may spell a number.
                payload.setdefault(name, {})[key] = read(cell) if cell == row.cells[index] else cell
            elif "." in target:
                name, _, part = target.partition(".")
                rows.setdefault(name, {}).setdefault(self._nth[index], {})[part] = cell.strip()
            else:
                exact = getattr(matching.targets(self.kind)[target].field, "exact", False)
                payload[target] = read(cell if exact else cell.strip())
        for name, found in rows.items():
            payload[name] = [found[place] for place in sorted(found)]
        return payload

    def with_default(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of a new record, with what it belongs to where its row says nothing of that."""
        name = self.kind.default
        if not (name and self.default) or name in payload:
            return payload
        several = isinstance(matching.targets(self.kind)[name].field, RefList)
        return payload | {name: [self.default] if several else self.default}

    def of_others(self) -> list[int]:
        """The columns that would say what rows belong to, but in which nothing is known here.

        A published table names its authors' project. A name such as `project__name` is ours, and meant.
        """
        found = []
        for index, target in enumerate(self.matched):
            if target == self.kind.default and "__" not in self.table.header[index]:
                cells = {cell.strip() for cell in self.table.column(index)} - {""}
                read = self.readers[index]
                if cells and all(isinstance(read(cell), Unreadable) for cell in cells):
                    found.append(index)
        return found

    # Which record a row speaks of -------------------------------------------------------------------

    @cached_property
    def identity(self) -> list[str]:
        """The fields that no two records of this kind share: a name; or what it belongs to, and a name."""
        resource = self.resource
        for constraint in resource.model.__table__.constraints:
            names = [column.name.removesuffix("_id") for column in constraint.columns]
            if isinstance(constraint, UniqueConstraint) and resource.handle in names:
                return names
        return [resource.handle]

    def key(self, payload: dict[str, Any]) -> Key | None:
        """The values of those fields; None where the row does not give them."""
        found = []
        for name in self.identity:
            value = payload.get(name)
            if not isinstance(value, str) or not value.strip() or UNSTORABLE.search(value):
                return None
            found.append(value.strip().lower() if name != self.resource.handle else value.strip())
        return tuple(found)

    @cached_property
    def repeated(self) -> dict[int, int]:
        """The rows that speak of the same record as one before them, with that one."""
        first: dict[Key, int] = {}
        found = {}
        for row in self.table.rows:
            if row.problem or (key := self.key(self._identifying(row))) is None:
                continue
            if key in first:
                found[row.number] = first[key]
            else:
                first[key] = row.number
        return found

    def _identifying(self, row: Row) -> dict[str, Any]:
        """The part of a row's payload that says which record it is."""
        return {
            target: read(_cell(row, index).strip())
            for index, (target, read) in enumerate(zip(self.matched, self.readers, strict=True))
            if target in self.identity
        }

    def existing(self, rows: list[Row]) -> dict[Key, uuid.UUID]:
        """The records that rows speak of and that are there already, as far as the actor may read them.

        That the others are not there need not be asked again for each (`judging.known_free`).
        """
        model, resource = self.resource.model, self.resource
        handle = getattr(model, resource.handle)
        others = [getattr(model, f"{n}_id") for n in self.identity if n != resource.handle]
        keys = {self.key(self._identifying(row)) for row in rows if not row.problem} - {None}
        wanted = list({key[self.identity.index(resource.handle)] for key in keys})
        readable = allowed(self.actor, resource).label("readable")
        stored: set[Key] = set()
        found: dict[Key, uuid.UUID] = {}
        for start in range(0, len(wanted), AT_ONCE):
            statement = select(model.id, readable, handle, *others)
            statement = statement.where(handle.in_(wanted[start : start + AT_ONCE]))
            for record_id, may_read, name, *ids in db.session.execute(statement):
                places = iter(map(str, ids))
                key = tuple(name if n == resource.handle else next(places) for n in self.identity)
                stored.add(key)
                if may_read:
                    found[key] = record_id
        # So are the rights on those that are there, for all at once.
        for right in (Right.READ, right_to_change(resource)):
            unusable(self.actor, right, resource, list(found.values()))
        known_free(resource, self.identity).update(map(self._typed, keys - stored))
        return found

    def _typed(self, key: Key) -> tuple[Any, ...]:
        """A key as the columns hold it."""
        pairs = zip(self.identity, key, strict=True)
        return tuple(text if name == self.resource.handle else as_id(text) for name, text in pairs)

    # What messages are about ------------------------------------------------------------------------

    def problems(self, errors: dict[str, Any], row: Row) -> list[Problem]:
        """An operation's messages by field, as messages by column."""
        found: list[Problem] = []
        for name, message in errors.items():
            for column, text in self._by_column(name, message, row):
                if (each := (column, self._quoting(column, text, row))) not in found:
                    found.append(each)
        return found

    def _quoting(self, column: str, text: str, row: Row) -> str:
        """A message with what stands in its cell, where that is short and the message does not say it."""
        cell = row.cells[self.table.header.index(column)] if column in self.table.header else ""
        cell = " ".join(cell.split())
        told = not cell or len(cell) > MOST_SHOWN or cell in text
        return text if told else f"{values.quoted(cell)}: {text}"

    def _by_column(self, name: str, message: Any, row: Row) -> Iterator[tuple[str, str]]:
        if not isinstance(message, dict):
            yield self.column_of(name), " ".join(texts_in(message))
            return
        for position, each in message.items():
            if f"{name}:{position}" in self.matched:
                yield self.column_of(f"{name}:{position}"), " ".join(texts_in(each))
            elif isinstance(each, dict):
                nth = self._nth_of(name, position, row)
                for part, text in each.items():
                    yield self.column_of(f"{name}.{part}", nth), " ".join(texts_in(text))
            else:
                yield self.column_of(name), " ".join(texts_in(each))

    def _nth_of(self, name: str, position: Any, row: Row) -> int:
        """Which of the columns of a field of rows a position in the payload speaks of."""
        given = {
            self._nth[index]
            for index, target in enumerate(self.matched)
            if target.startswith(f"{name}.") and row.cells[index].strip()
        }
        places = dict(enumerate(sorted(given)))
        return places.get(position, 0)

    def column_of(self, target: str, nth: int = 0) -> str:
        """The name of a column as it stands in the table; of one that is not there, the field's label."""
        places = [index for index, each in enumerate(self.matched) if each == target]
        if places:
            return self.table.header[places[min(nth, len(places) - 1)]]
        known = matching.targets(self.kind).get(target)
        if known is not None:
            return known.label
        field = self.resource.schema._declared_fields.get(target)
        return label_of(target, field) if field is not None else target

    def titled(self, payload: dict[str, Any]) -> str:
        """What a row's record is called."""
        handle = payload.get(self.resource.handle, "")
        return "" if isinstance(handle, Unreadable) else re.sub(r"\s+", " ", str(handle)).strip()


def _cell(row: Row, index: int) -> str:
    return unguarded(row.cells[index])


def usable_default(actor: Actor, kind: ImportKind, text: str) -> str:
    """The id of what rows shall belong to that say nothing; `ValueError` where the actor may not use it."""
    about = matching.home_field(kind)
    return values.Names(actor).find(registry.get(about.kind), about.right, text.strip())
