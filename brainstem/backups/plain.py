"""The form of an export: values and tables as JSON lines and CSV, and the manifest that says what is what."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from brainstem.backups.archive import Unusable, private, told
from brainstem.core.columns import Span, UtcDateTime
from brainstem.core.schemas import Duration
from brainstem.core.spreadsheets import guarded
from brainstem.core.times import parse, utc_text

FORMAT = "brainstem-export-1"
MANIFEST = "manifest.json"

_duration = Duration()


@dataclass(frozen=True)
class Kind:
    """A type of value: how it is written, how it is read, and the column that it is read into."""

    name: str
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    column: TypeEngine


def _same(value: Any) -> Any:
    return value


#: By the types of columns, the more special ones first.
KINDS: dict[type, Kind] = {
    UtcDateTime: Kind("moment", utc_text, parse, UtcDateTime()),
    Span: Kind(
        "duration",
        lambda value: _duration._serialize(value, None, None),
        _duration.deserialize,
        Span(),
    ),
    sa.Uuid: Kind("id", str, uuid.UUID, sa.Uuid()),
    sa.JSON: Kind("document", _same, _same, sa.JSON()),
    sa.Boolean: Kind("boolean", _same, _same, sa.Boolean()),
    sa.Integer: Kind("integer", _same, _same, sa.BigInteger()),
    sa.Float: Kind("number", _same, _same, sa.Float()),
    sa.Date: Kind("date", date.isoformat, date.fromisoformat, sa.Date()),
    sa.LargeBinary: Kind(
        "base64",
        lambda value: base64.b64encode(value).decode(),
        base64.b64decode,
        sa.LargeBinary(),
    ),
    sa.String: Kind("text", _same, _same, sa.String()),
}

BY_NAME = {kind.name: kind for kind in KINDS.values()}


def kind_of(column: sa.Column) -> Kind:
    """How the values of a column are written."""
    for each, kind in KINDS.items():
        if isinstance(column.type, each):
            return kind
    raise NotImplementedError(f"An export can't write {column}: say in plain.KINDS how.")


@dataclass
class File:
    """One table of an export: how its columns' values are written, its rows, and what it is, in words."""

    columns: dict[str, str]
    what: str
    rows: int = 0
    sha256: str = ""


@dataclass
class Manifest:
    """What an export is; `tables` by name."""

    revision: str
    made: str
    program: str
    database: str
    secrets: bool
    tables: dict[str, File] = field(default_factory=dict)
    format: str = FORMAT

    def write(self, folder: Path) -> None:
        """Into its file."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        write_text(folder / MANIFEST, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text into a new file."""
    with open(path, "w", encoding="utf-8", opener=private) as file:
        file.write(text)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export; `Unusable` for what is none."""
    try:
        with told(folder):
            found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise Unusable(f"{folder} is an export in a form that this program does not know.")
        tables = {name: File(**each) for name, each in found.pop("tables").items()}
        return Manifest(**found, tables=tables)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Unusable(f"{folder} is no export, or it is damaged: see its {MANIFEST}.") from None


def write_rows(path: Path, columns: list[str], rows: Iterable[dict[str, Any]]) -> tuple[int, str]:
    """Write rows to `path` with `.jsonl` and with `.csv`; how many, and the checksum of the lines."""
    checksum, count = hashlib.sha256(), 0
    with (
        open(path.with_suffix(".jsonl"), "wb", opener=private) as lines,
        open(path.with_suffix(".csv"), "w", newline="", encoding="utf-8", opener=private) as table,
    ):
        writer = csv.writer(table)
        writer.writerow(columns)
        for row in rows:
            line = json.dumps(row, ensure_ascii=False).encode() + b"\n"
            lines.write(line)
            checksum.update(line)
            writer.writerow([_cell(row[name]) for name in columns])
            count += 1
    return count, checksum.hexdigest()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows that were written."""
    with path.open("rb") as lines:
        for line in lines:
            yield json.loads(line)


def require_whole(path: Path, file: File) -> None:
    """`Unusable` where a file is not to the letter what was written."""
    checksum = hashlib.sha256()
    with told(path), path.open("rb") as opened:
        while chunk := opened.read(io.DEFAULT_BUFFER_SIZE * 16):
            checksum.update(chunk)
    if checksum.hexdigest() != file.sha256:
        raise Unusable(
            f"{path} is not what was exported: its checksum is wrong. Nothing was changed."
        )
