"""Making a backup, and looking at one."""

from __future__ import annotations

import os
import re
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from brainstem.backups import archive, revisions, stores
from brainstem.backups.archive import Manifest, Unusable
from brainstem.backups.stores import sqlite
from brainstem.core.resource import registry
from brainstem.core.times import utc_text, utcnow
from brainstem.errors import ProgramError
from brainstem.extensions import db
from brainstem.version import VERSION

#: What backups are called that name themselves: their time in UTC, and the database's revision.
NAMED = re.compile(r"brainstem-\d{8}T\d{6}Z-revision-\w+\.zip")

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def make(
    target: Path, *, overwrite: bool = False, keep: int | None = None
) -> tuple[Path, Manifest]:
    """Back up the database, as it is at one moment, into a file or a folder; the path of the file.

    Who is signed in stays out, and the key that proves it: nobody gets in by a stolen backup.

    In a folder the file names itself, and of those the `keep` newest stay.
    """
    if keep is not None and not target.is_dir():
        raise Unusable(f"Only a folder keeps several backups, and {target} is none.")
    engine, now = db.engine, utcnow()
    store = stores.store_of(engine)
    with engine.connect() as connection:
        revision, live = revisions.current(connection), stores.live_tables(connection)
    path = _named(target, now, revision) if target.is_dir() else target
    # Opened first: whether it can be written is known before the work is done.
    with (
        archive.new_file(path, overwrite=overwrite) as file,
        store.dump(engine, path, live) as (connection, write),
    ):
        revision = revisions.current(connection)
        if revision is None:
            raise ProgramError("The database is empty: there is nothing to back up.")
        manifest = Manifest(
            database=engine.dialect.name,
            revision=revision,
            made=utc_text(now.replace(microsecond=0)),
            program=VERSION,
            rows=stores.count_rows(connection),
            dump=store.DUMP,
        )
        with archive.writing(file, manifest, packed=store.PACKED) as dump:
            write(dump)
    if keep is not None:
        forget_all_but(target, max(keep, 1))
    return path, manifest


def _named(folder: Path, moment: datetime, revision: str | None) -> Path:
    """A name after the time that is not taken: one a second, the next goes on to the next second."""
    path = folder / f"brainstem-{moment:%Y%m%dT%H%M%SZ}-revision-{revision}.zip"
    return _named(folder, moment + timedelta(seconds=1), revision) if path.exists() else path


def forget_all_but(folder: Path, keep: int) -> None:
    """Remove all but the newest of the backups that named themselves."""
    named = sorted(each for each in folder.iterdir() if NAMED.fullmatch(each.name))
    for each in named[:-keep]:
        each.unlink(missing_ok=True)


def check(path: Path) -> Manifest:
    """Read a backup to its end: `Unusable` where it is not what was written, or does not open."""
    with (
        archive.reading(path) as (opened, manifest),
        tempfile.TemporaryDirectory() as folder,
        archive.told(Path(folder)),
    ):
        copy = Path(folder) / sqlite.DUMP if manifest.database == "sqlite" else Path(os.devnull)
        with copy.open("wb") as file:
            archive.copy_out(path, opened, manifest, file)
        if manifest.database == "sqlite":
            sqlite.prove(copy)
    return manifest


def told(manifest: Manifest) -> str:
    """What a backup is, in a line."""
    counts = [
        f"{manifest.rows[resource.model.__tablename__]:,} {resource.labels.lower()}"
        for resource in registry
        if resource.nav and manifest.rows.get(resource.model.__tablename__)
    ]
    return (
        f"{NAMES.get(manifest.database, manifest.database)} at revision {manifest.revision}, "
        f"made {manifest.made}: {', '.join(counts) or 'no records'}"
    )
