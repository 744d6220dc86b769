"""Bringing the database up to the program's revision, with a backup before."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from flask import current_app

from brainstem import outages
from brainstem.backups import backup, revisions, stores
from brainstem.core.permissions import Actor
from brainstem.errors import ProgramError
from brainstem.extensions import db
from brainstem.records import audit

log = logging.getLogger(__name__)

#: So many of the backups that are made before an upgrade are kept.
KEPT = 5


class UpgradeFailed(ProgramError):
    """The database is as it was; the message says what to do."""


def folder() -> Path:
    """Where the backups go that are made before an upgrade."""
    # Not where other backups are: of these, those that are too many go.
    return Path(current_app.instance_path) / "before-upgrades"


def bring_up_to_date(say: Callable[[str], None], *, without_backup: bool = False) -> None:
    """Migrate the database where it is behind the program, after a backup of it.

    However many start at once, one migrates: the others wait for it, and find nothing left to do.
    """
    with db.engine.connect() as connection:
        if _up_to_date(connection):
            return
    with revisions.changing() as connection:
        if _up_to_date(connection):
            return
        before, kept = revisions.current(connection), None
        if stores.has_records(connection) and not without_backup:
            kept = _backup(before)
            say(f"The database as it was is kept in {kept}")
        try:
            revisions.upgrade(connection)
        except Exception as error:
            if outages.of(error):
                raise
            log.exception("A migration failed")
            kept = kept and _set_apart(kept, before)
            raise UpgradeFailed(_what_to_do(before, kept, error)) from error
    if kept:
        backup.forget_all_but(folder(), KEPT)
        audit.note(audit.Event.BACKUP, Actor(None, way="command"), file=str(kept))
    say(f"The database is up to date: revision {revisions.head()}.")


def _up_to_date(connection) -> bool:
    revision = revisions.current(connection)
    revisions.require_known(revision)
    return revision == revisions.head()


def _backup(revision: str) -> Path:
    try:
        for each in (folder().parent, folder()):
            each.mkdir(mode=0o700, exist_ok=True)
        path, _ = backup.make(folder())
        return path
    except (ProgramError, OSError) as error:
        raise UpgradeFailed(
            f"The database is at revision {revision} and has to be brought to {revisions.head()}; before "
            f"that it is backed up, and that failed: {error} Nothing was changed. If you have a backup of "
            "your own: .venv/bin/flask upgrade --without-backup"
        ) from error


def _set_apart(kept: Path, before: str | None) -> Path:
    """In place of that of the last try: a service that is started again and again must not fill the disk."""
    return kept.replace(kept.with_name(f"before-failed-upgrade-revision-{before}.zip"))


def _what_to_do(before: str | None, kept: Path | None, error: Exception) -> str:
    reason = str(getattr(error, "orig", None) or error).strip()
    copy = f" A backup of it is in {kept}." if kept else ""
    return (
        f"The database could not be brought up to date: {reason}\n"
        f"Nothing was changed: it is as it was, at revision {before or 'none'}.{copy}\n"
        "Put back the version of the program that you had before, and go on working; and tell the "
        "program's authors what the lines above say."
    )
