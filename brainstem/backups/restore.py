"""Putting a backup into a database: all of it, or nothing is changed."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from brainstem import outages
from brainstem.backups import archive, backup, revisions, stores
from brainstem.backups.archive import Manifest, Unusable
from brainstem.core import search
from brainstem.errors import ProgramError
from brainstem.extensions import db

log = logging.getLogger(__name__)


def restore(path: Path, *, overwrite: bool = False) -> Manifest:
    """Make the database what the backup says, brought up to this program's revision.

    The file is read to its end before anything is touched. What the database had is there until the new
    one is whole, migrated and counted.
    """
    engine = db.engine
    with archive.reading(path) as (opened, manifest):
        _require_fitting(path, manifest, engine.dialect.name)
        require_room(overwrite=overwrite)
        with Path(os.devnull).open("wb") as nowhere:
            archive.copy_out(path, opened, manifest, nowhere)
        with opened.open(manifest.dump) as source, replacing(manifest.revision, source) as fresh:
            if stores.count_rows(fresh) != manifest.rows:
                raise Unusable(f"{path} has other rows than it says. Nothing was changed.")
    return manifest


@contextmanager
def replacing(revision: str, source: IO[bytes] | None = None) -> Iterator[Connection]:
    """A new database for the block to look at or to fill; at the end it takes the old one's place.

    It is at the given revision then, and afterwards at the program's, with a true search index; and nobody is
    signed in.
    """
    engine = db.engine
    with stores.store_of(engine).replacing(engine, source) as connection:
        if source is None:
            _migrate(connection, revision)
        yield connection
        _migrate(connection)
        # What other programs or versions wrote may have them.
        stores.forget_live(connection)
    # Connections that were open know the old database.
    db.session.remove()
    engine.dispose()
    if source is None or revision != revisions.head():
        search.rebuild()


def _migrate(connection: Connection, revision: str = "head") -> None:
    try:
        revisions.upgrade(connection, revision)
    except SQLAlchemyError as error:
        if outages.of(error):
            raise
        log.exception("A migration failed")
        raise ProgramError(
            f"It could not be brought up to date: {getattr(error, 'orig', error)}. Nothing was changed."
        ) from error


def require_room(*, overwrite: bool) -> None:
    """`ProgramError` for a database that has records, unless they may go."""
    if damage := stores.store_of(db.engine).damage(db.engine):
        if overwrite:
            return
        raise ProgramError(
            f"The database {db.engine.url.database} is damaged ({damage}). Nothing was changed. Stop all "
            "servers; then --overwrite sets it aside, under another name, and restores into a new file."
        )
    with db.engine.connect() as connection:
        # Whatever is in it: a newer program made it, and would miss it.
        revisions.require_known(revisions.current(connection))
        if not overwrite and stores.has_records(connection):
            raise ProgramError(
                "The database has records, and all of them would be replaced. Nothing was changed. "
                "Make a backup of it first (flask backup FILE), then say --overwrite; or set "
                "DATABASE_URL to an empty database."
            )


def require_known(path: Path, revision: str) -> None:
    """`Unusable` for what a newer program wrote."""
    if not revisions.known(revision):
        raise Unusable(
            f"{path} was made by a newer version of this program: its revision is {revision}, and "
            f"the program here knows those up to {revisions.head()}. Nothing was changed. Update the "
            "program, then restore it."
        )


def _require_fitting(path: Path, manifest: Manifest, database: str) -> None:
    require_known(path, manifest.revision)
    if manifest.database != database:
        of, into = backup.NAMES[manifest.database], backup.NAMES[database]
        raise Unusable(
            f"{path} is a backup of {of}, and DATABASE_URL names {into}. Nothing was changed. Records go "
            f"from one to the other by an export: with DATABASE_URL set to the {of} database, flask "
            "export FOLDER --with-secrets; then, with the other one set, flask restore FOLDER."
        )
