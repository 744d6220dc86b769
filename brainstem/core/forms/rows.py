"""Form fields of several rows: extra fields, download links, protocols."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import marshmallow
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import times
from brainstem.core.forms.entries import (
    Entry,
    as_browser,
    choices_of,
    document_text,
    read_document,
)
from brainstem.core.schemas import (
    Document,
    ExtraFields,
    Flag,
    LabDateTime,
    Unreadable,
    label_of,
)


@dataclass(frozen=True)
class Column:
    """One control of every row."""

    name: str
    label: str
    kind: str
    about: marshmallow.fields.Field | None = None
    options: tuple[tuple[str, str], ...] = ()


@dataclass
class Cell:
    """A control in a row, as a template draws it."""

    column: Column
    name: str
    text: str
    errors: list[str] = field(default_factory=list)
    required = False
    readonly = False
    help = ""

    @property
    def id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.column.label

    @property
    def kind(self) -> str:
        return self.column.kind

    @property
    def checked(self) -> bool:
        return bool(self.text)

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        if self.column.options:
            return [(value, label, value == self.text) for value, label in self.column.options]
        return choices_of(self.column.about, self.text)


@dataclass
class Line:
    """A row, as a template draws it."""

    index: int | str
    cells: list[Cell]
    errors: list[str] = field(default_factory=list)


class RowsEntry(Entry):
    """A list of small objects, a row each. Rows left wholly blank don't count."""

    kind = "rows"
    key_pattern = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = self.make_columns()
        self.add_label = self.about.metadata.get("add", "Add row")
        self.remove_label = self.about.metadata.get("remove", "Remove row")

    def make_columns(self) -> list[Column]:
        row = self.about.inner.schema
        return [
            Column(name, label_of(name, each), _kind(each), each)
            for name, each in row.load_fields.items()
        ]

    def texts_of(self, value: Any) -> list[list[str]]:
        """The texts of the rows that show a wire value."""
        return [[_shown(column, row.get(column.name)) for column in self.columns] for row in value]

    def show(self, value: Any) -> None:
        self._take([[as_browser(text) for text in row] for row in self.texts_of(value or ())])

    def read(self, formdata: MultiDict[str, str]) -> None:
        pattern = re.compile(re.escape(self.name) + r"-(\d{1,5})-\w+", re.ASCII)
        found = [match[1] for match in map(pattern.fullmatch, formdata) if match]
        self._take(
            [
                [
                    formdata.get(f"{self.name}-{index}-{column.name}", "").replace("\r\n", "\n")
                    for column in self.columns
                ]
                for index in dict.fromkeys(found)
            ]
        )

    def _take(self, texts: list[list[str]]) -> None:
        self.rows = [self._line(index, row) for index, row in enumerate(texts)]

    def _line(self, index: int | str, texts: list[str]) -> Line:
        cells = [
            Cell(column, f"{self.name}-{index}-{column.name}", text)
            for column, text in zip(self.columns, texts, strict=True)
        ]
        return Line(index, cells)

    @property
    def blank(self) -> Line:
        """The row that a script copies."""
        return self._line("__index__", [_first(column) for column in self.columns])

    @property
    def filled(self) -> list[Line]:
        """The rows that count, in order."""
        return [row for row in self.rows if any(_typed(cell) for cell in row.cells)]

    @property
    def state(self) -> Any:
        return [[cell.text for cell in row.cells] for row in self.filled]

    def as_text(self) -> str:
        return "\n".join(" · ".join(filter(None, row)) for row in self.state)

    def value(self, before: Any) -> Any:
        rows, errors = [], {}
        for number, row in enumerate(self.filled):
            wrong: dict[str, list[str]] = {}
            rows.append({cell.column.name: _read(cell, wrong) for cell in row.cells})
            if wrong:
                errors[number] = wrong
        return Unreadable(errors, rows) if errors else rows

    def act(self, verb: str, index: int | None) -> None:
        texts = [[cell.text for cell in row.cells] for row in self.rows]
        if verb == "add":
            texts.append([_first(column) for column in self.columns])
        elif verb == "remove" and index is not None and index < len(texts):
            del texts[index]
        self._take(texts)

    def place(self, message: Any) -> None:
        rows = self.filled
        if not isinstance(message, dict):
            return super().place(message)
        for position, each in message.items():
            row = self.row_of(position, rows)
            if row is None:
                super().place({position: each})
            elif isinstance(each, dict):
                for cell in row.cells:
                    cell.errors = list(each.get(cell.column.name, ()))
            else:
                self.blame(row, list(each))

    def row_of(self, position: Any, rows: list[Line]) -> Line | None:
        """The row that a message's key speaks of."""
        return rows[position] if isinstance(position, int) and position < len(rows) else None

    def blame(self, row: Line, messages: list[str]) -> None:
        """Show what is wrong with a whole row, at its first control."""
        row.cells[0].errors = messages

    def problems(self) -> list[tuple[str, str]]:
        found = super().problems()
        for number, row in enumerate(self.rows, 1):
            place = f"{self.label}, row {number}"
            if row.errors:
                found.append((row.cells[0].id, f"{place}: {' '.join(row.errors)}"))
            for cell in row.cells:
                if cell.errors:
                    found.append((cell.id, f"{place}, {cell.label}: {' '.join(cell.errors)}"))
        return found


def _kind(about: marshmallow.fields.Field) -> str:
    if isinstance(about, Flag):
        return "checkbox"
    if isinstance(about, Document):
        return "textarea"
    return "select" if about.validators else "text"


def _read(cell: Cell, wrong: dict[str, list[str]]) -> Any:
    """A cell's value; what is wrong with it goes into `wrong`."""
    if cell.kind == "checkbox":
        return cell.checked
    if isinstance(cell.column.about, Document):
        try:
            return read_document(cell.text)
        except ValidationError as error:
            wrong[cell.column.name] = error.messages
    return cell.text


def _shown(column: Column, value: Any) -> str:
    if isinstance(column.about, Document):
        return document_text(value)
    if isinstance(column.about, LabDateTime) and value:
        return times.lab_text(times.parse(value)).replace("T", " ")
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)


def _first(column: Column) -> str:
    return column.options[0][0] if column.options else ""


def _typed(cell: Cell) -> bool:
    """Whether somebody has written into the cell: what is preset or ticked alone does not count."""
    return bool(cell.text) and cell.kind != "checkbox" and not cell.column.options


class ExtraFieldsEntry(RowsEntry):
    """Free fields: a key, whether the value is a text or a number, and the value."""

    KEY, TYPE, VALUE = range(3)
    REPEATED = "This key is given twice."
    NO_NUMBER = "This is not a number."
    NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

    key_pattern = ExtraFields.KEY
    key_message = ExtraFields.BAD_KEY
    key_repeated = REPEATED

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.add_label, self.remove_label = "Add field", "Remove field"

    def make_columns(self) -> list[Column]:
        return [
            Column("key", "Key", "text"),
            Column("type", "Type", "select", options=(("text", "Text"), ("number", "Number"))),
            Column("value", "Value", "text"),
        ]

    def texts_of(self, value: Any) -> list[list[str]]:
        return [
            [key, "text", each] if isinstance(each, str) else [key, "number", json.dumps(each)]
            for key, each in dict(value).items()
        ]

    def value(self, before: Any) -> Any:
        found: dict[str, Any] = {}
        errors: dict[str, dict[str, list[str]]] = {}
        # A text that nobody has touched keeps its own line ends.
        kept = before.original if before is not None else {}
        for number, row in enumerate(self.filled):
            key, kind, text = (cell.text for cell in row.cells)
            key = key.strip()
            if key in found:
                errors[number] = {"key": [self.REPEATED]}
            elif kind == "number":
                try:
                    found[key] = self._number(text.strip())
                except ValueError:
                    errors[number] = {"value": [self.NO_NUMBER]}
                    found[key] = 0
            else:
                was = kept.get(key)
                same = isinstance(was, str) and as_browser(was) == text
                found[key] = was if same else text
        return Unreadable(errors, found) if errors else found

    def show(self, value: Any) -> None:
        self.original = value or {}
        super().show(value)

    def _number(self, text: str) -> int | float:
        if not self.NUMBER.fullmatch(text):
            raise ValueError(text)
        return int(text) if re.fullmatch(r"[+-]?\d+", text, re.ASCII) else float(text)

    def row_of(self, position: Any, rows: list[Line]) -> Line | None:
        if isinstance(position, int):
            return super().row_of(position, rows)
        return next((row for row in rows if row.cells[self.KEY].text.strip() == position), None)

    def blame(self, row: Line, messages: list[str]) -> None:
        bad_key = self.key_message in messages
        row.cells[self.KEY if bad_key else self.VALUE].errors = messages
