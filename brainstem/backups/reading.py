"""Reading an export back, into a database of either kind: ids, times, versions, order and history too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, bindparam, func, select, text, update

from brainstem.backups import plain, restore
from brainstem.backups.archive import Unusable

#: How many rows are stored at once.
CHUNK = 500


def read(folder: Path, *, overwrite: bool = False) -> plain.Manifest:
    """Make the database what an export says; all of its files are checked before anything is touched."""
    manifest = plain.read_manifest(folder)
    restore.require_known(folder, manifest.revision)
    restore.require_room(overwrite=overwrite)
    for name, file in manifest.tables.items():
        plain.require_whole(folder / "tables" / f"{name}.jsonl", file)
    with restore.replacing(manifest.revision) as connection:
        _fill(connection, folder / "tables", manifest)
    return manifest


def _fill(connection: Connection, folder: Path, manifest: plain.Manifest) -> None:
    """Store the rows of all tables, those first that others name."""
    metadata = MetaData()
    metadata.reflect(connection, only=list(manifest.tables))
    for table in metadata.sorted_tables:
        file, path = manifest.tables[table.name], folder / f"{table.name}.jsonl"
        for name, kind in file.columns.items():
            # As the export says: SQLite tells little of what its columns hold.
            table.c[name].type = plain.BY_NAME[kind].column
        # Rows that name rows of the same table wait until all of those are there.
        later = [key.parent.name for key in table.foreign_keys if key.column.table is table]
        left_out = {
            column.name: ""
            for column in table.columns
            if column.name not in file.columns and not column.nullable and not column.server_default
        }
        count = 0
        for rows in _batched(_read(path, file)):
            count += len(rows)
            hidden = dict.fromkeys(later)
            connection.execute(table.insert(), [row | left_out | hidden for row in rows])
        if count != file.rows:
            raise Unusable(f"{path} has {count} rows, not {file.rows}. Nothing was changed.")
        if later:
            _name_each_other(connection, table, later, _read(path, file))
        _count_on(connection, table)


def _read(path: Path, file: plain.File) -> Iterator[dict[str, Any]]:
    kinds = {name: plain.BY_NAME[kind] for name, kind in file.columns.items()}
    for row in plain.read_rows(path):
        yield {
            name: None if row[name] is None else kind.read(row[name])
            for name, kind in kinds.items()
        }


def _batched(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _name_each_other(
    connection: Connection, table: Table, names: list[str], rows: Iterator[dict[str, Any]]
) -> None:
    keys = [column.name for column in table.primary_key]
    statement = (
        update(table)
        .where(*(table.c[key] == bindparam(f"_{key}") for key in keys))
        .values({name: bindparam(f"_{name}") for name in names})
    )
    naming = (row for row in rows if any(row[name] is not None for name in names))
    for chunk in _batched({f"_{name}": row[name] for name in [*keys, *names]} for row in naming):
        connection.execute(statement, chunk)


def _count_on(connection: Connection, table: Table) -> None:
    """Have PostgreSQL number the next row after the last one."""
    keys = list(table.primary_key)
    if connection.dialect.name == "postgresql" and len(keys) == 1:
        name = connection.scalar(
            text("SELECT pg_get_serial_sequence(quote_ident(:table), :column)"),
            {"table": table.name, "column": keys[0].name},
        )
        if name and (last := connection.scalar(select(func.max(keys[0])))):
            connection.execute(select(func.setval(name, last)))
