"""Everything as JSON lines and CSV, in a folder, from one moment of the database.

    records/   each kind of record as the API gives it to an administrator: for other tools
    tables/    each table of the database to the letter, history included: for reading back

What belongs there follows from the registry and the models. A column or table that is not for everybody's
eyes says so (`info=SECRET`), as one does that can be made anew from others (`DERIVED`), or that is of a
running database alone (`LIVE`).
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from brainstem.backups import archive, plain, revisions
from brainstem.backups.archive import Unusable
from brainstem.backups.stores.postgresql import ONE_MOMENT
from brainstem.core import references
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.times import utc_text, utcnow
from brainstem.errors import ProgramError
from brainstem.extensions import db
from brainstem.version import VERSION

#: How many rows are in memory at once.
CHUNK = 500

#: Who sees all records.
EVERYTHING = Actor(None, portal="super", way="command")

README = """\
Everything that BrainSTEM for the lab ({program}) had stored at {made} (UTC).

records/  Each kind of record as the API gives it, one to a line: ids name other records, in their order.
tables/   The database to the letter, history included. `flask restore` reads this folder back.

Every file is there twice. *.jsonl (JSON lines, UTF-8) is exact. *.csv says the same for spreadsheets: lists
and objects are JSON in their cell, and a text that a spreadsheet would take for a formula has an
apostrophe before it. manifest.json has the columns, the number of rows and the SHA-256 of each of
tables/*.jsonl. Times are UTC; durations are hours:minutes:seconds.

{secrets}
Who is signed in is never taken along: when this is read back, everybody signs in anew.

records/
{records}

tables/
{tables}
"""

LEFT_OUT = """\
Left out, because others could use them: the hashes of passwords and tokens, other secrets, and the audit
log. Read back without them, people need new passwords and tokens. `flask export --with-secrets` has them."""

INCLUDED = """\
It holds the hashes of passwords and tokens, other secrets, and the audit log: keep it as safe as the
database itself."""


def export(folder: Path, *, with_secrets: bool = False) -> plain.Manifest:
    """Write a new folder with everything, for its owner alone; it appears when it is whole."""
    if folder.exists():
        raise Unusable(f"{folder} exists already. Choose another name.")
    draft = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    with archive.told(folder):
        draft.mkdir(mode=0o700)
        try:
            manifest = _write(draft, with_secrets)
            draft.rename(folder)
            archive.sync_folder(folder.parent)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            # Ends the moment that all of it was read at.
            db.session.rollback()
    return manifest


def _write(folder: Path, with_secrets: bool) -> plain.Manifest:
    db.session.rollback()
    dialect = db.engine.dialect.name
    connection = db.session.connection()
    if dialect == "postgresql":
        connection.execute(ONE_MOMENT)
    if (revision := revisions.current(connection)) != revisions.head():
        raise ProgramError(
            f"The database is at revision {revision or 'none'} and this program works with "
            f"{revisions.head()}. Bring it up to date first: flask upgrade"
        )
    made = utc_text(utcnow().replace(microsecond=0))
    manifest = plain.Manifest(revision, made, VERSION, dialect, with_secrets)
    (folder / "tables").mkdir(mode=0o700)
    for table in db.metadata.sorted_tables:
        if not _stays_out(table, with_secrets):
            manifest.tables[table.name] = _write_table(folder / "tables", table, with_secrets)
    (folder / "records").mkdir(mode=0o700)
    records = {}
    for resource in registry:
        rows = _records(resource)
        columns = list(resource.schema(portal=EVERYTHING.portal).dump_fields)
        plain.write_rows(folder / "records" / resource.keys, columns, rows)
        records[resource.keys] = resource.labels
    _write_readme(folder, manifest, records)
    manifest.write(folder)
    return manifest


def _stays_out(table: Table, with_secrets: bool) -> bool:
    marks = {"derived", "live"} if with_secrets else {"derived", "live", "secret"}
    return any(table.info.get(mark) for mark in marks)


def _write_table(folder: Path, table: Table, with_secrets: bool) -> plain.File:
    columns = {
        column.name: plain.kind_of(column)
        for column in table.columns
        if with_secrets or not column.info.get("secret")
    }
    statement = select(*(table.c[name] for name in columns)).order_by(*table.primary_key)

    def rows() -> Iterator[dict[str, Any]]:
        options = {"yield_per": CHUNK}
        for row in db.session.connection().execute(statement, execution_options=options):
            yield {
                name: None if value is None else kind.write(value)
                for (name, kind), value in zip(columns.items(), row, strict=True)
            }

    file = plain.File({name: kind.name for name, kind in columns.items()}, _told(table))
    file.rows, file.sha256 = plain.write_rows(folder / table.name, list(columns), rows())
    return file


def _records(resource: Resource) -> Iterator[dict[str, Any]]:
    """The records of a kind on the wire, by id."""
    model, last = resource.model, None
    while True:
        statement = select(model).order_by(model.id).limit(CHUNK)
        if last is not None:
            statement = statement.where(model.id > last)
        records = db.session.scalars(statement).all()
        if not records:
            return
        last = records[-1].id
        views = references.view(EVERYTHING, resource, records)
        yield from references.dump(EVERYTHING, resource, views)
        db.session.expunge_all()


def _told(table: Table) -> str:
    """What a table holds, in a line: what its model says, or else whom it links."""
    for mapper in db.Model.registry.mappers:
        if mapper.local_table is table:
            return (mapper.class_.__doc__ or "").strip().partition("\n")[0]
    named = [key.column.table.name for each in table.columns for key in each.foreign_keys]
    return f"Links: {', '.join(named)}." if named else ""


def _write_readme(folder: Path, manifest: plain.Manifest, records: dict[str, str]) -> None:
    width = max(map(len, [*records, *manifest.tables])) + 2
    lines = {
        "records": [f"  {name:{width}}{label}" for name, label in records.items()],
        "tables": [
            f"  {name:{width}}{file.what}" for name, file in sorted(manifest.tables.items())
        ],
    }
    text = README.format(
        program=manifest.program,
        made=manifest.made,
        secrets=INCLUDED if manifest.secrets else LEFT_OUT,
        **{name: "\n".join(each) for name, each in lines.items()},
    )
    plain.write_text(folder / "README.txt", text)
