"""How the server is: what an administrator looks at when something seems wrong, and before it does.

A `Part` is a heading with facts under it, each in words. One that is not well says what to do about it.
"""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import func, make_url, select, text

from brainstem import config, health
from brainstem.core import search
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.core.sizes import size_text
from brainstem.core.times import lab_time, utcnow
from brainstem.extensions import db
from brainstem.imports.models import RUNNING, ImportRun
from brainstem.records import storage_checks
from brainstem.records.audit import AuditEvent, Event
from brainstem.records.users import require_administrator
from brainstem.version import VERSION

#: A lab that works all week makes a backup every night; one may fail.
BACKUP_AGE = timedelta(hours=48)

#: With less room than both of these, a disk is about to be full. In bytes, and as a part of it.
LEAST_ROOM, LEAST_PART = 5 * 1000**3, 0.1

#: Of the connections that PostgreSQL takes, so many in use are too many.
MOST_CONNECTIONS = 0.8

#: When this process, or the one that it was forked from, began.
STARTED = utcnow()


@dataclass(frozen=True)
class Fact:
    """What is so; and, where it should not be, what to do about it."""

    name: str
    value: str
    problem: str = ""


@dataclass(frozen=True)
class Part:
    """Facts that belong together."""

    title: str
    facts: list[Fact]


def shown_to(actor: Actor) -> list[Part]:
    """All of it, for an administrator; `Forbidden` for everybody else."""
    require_administrator(actor)
    return parts()


def parts() -> list[Part]:
    """All of it."""
    counts = _counts()
    return [
        Part("Program", _program()),
        Part("Database", _database()),
        Part("Backups", [_backup()]),
        Part("Room on the disk", _disks()),
        Part("Records", _records(counts)),
        Part("Going on", _work(counts)),
        Part("Settings", settings()),
    ]


def problems(found: list[Part]) -> list[Fact]:
    """What is not well."""
    return [fact for part in found for fact in part.facts if fact.problem]


def _program() -> list[Fact]:
    return [
        Fact("Version", VERSION),
        Fact("Python", platform.python_version()),
        Fact("Running since", f"{_moment(STARTED)}, {_ago(STARTED)}"),
    ]


def _database() -> list[Fact]:
    connection = db.session.connection()
    current, expected = health.revision(connection), health.expected()
    wrong = "" if current == expected else f"This version of the program works with {expected}."
    about = _postgresql() if connection.dialect.name == "postgresql" else _sqlite()
    return [*about, Fact("Revision of its tables", current or "none", wrong)]


def _postgresql() -> list[Fact]:
    def ask(statement: str) -> Any:
        return db.session.scalar(text(statement))

    used = ask("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    most = int(ask("SHOW max_connections"))
    many = "" if used < most * MOST_CONNECTIONS else "Raise max_connections, or use a pool."
    copy = ask("SELECT pg_is_in_recovery()")
    trigrams = ask("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
    return [
        Fact("Kind", f"PostgreSQL {ask('SHOW server_version').split()[0]}"),
        Fact("Role", *(("a copy", "It can only be read.") if copy else ("the primary",))),
        Fact("Size", size_text(ask("SELECT pg_database_size(current_database())"))),
        Fact("Connections", f"{used} of {most}", many),
        Fact("Extension pg_trgm", *(("there",) if trigrams else ("missing", NO_TRIGRAMS))),
    ]


NO_TRIGRAMS = "Searching is slow without it: CREATE EXTENSION pg_trgm, then “flask reindex”."


def _sqlite() -> list[Fact]:
    version = db.session.scalar(text("SELECT sqlite_version()"))
    file = Path(db.engine.url.database or "")
    sizes = [
        each.stat().st_size for each in (file, Path(f"{file}-wal")) if each.is_file()
    ]  # what was written last lies beside it
    return [
        Fact("Kind", f"SQLite {version}"),
        Fact("File", str(file)),
        Fact("Size", size_text(sum(sizes))),
    ]


def _backup() -> Fact:
    """The last one; `flask backup` notes each in the audit log."""
    statement = select(AuditEvent).where(AuditEvent.event == Event.BACKUP.value)
    last = db.session.scalar(statement.order_by(AuditEvent.id.desc()).limit(1))
    if last is None:
        return Fact("Last backup", "none yet", "Have “flask backup” run every night.")
    file = Path(str(last.details.get("file", "a file"))).name
    value = f"{file}, {_moment(last.at)}, {_ago(last.at)}"
    old = utcnow() - last.at > BACKUP_AGE
    return Fact("Last backup", value, "See why “flask backup” did not run since." if old else "")


def _disks() -> list[Fact]:
    places = {"instance/": config.INSTANCE}
    if db.engine.dialect.name == "sqlite":
        places = {"The database": Path(db.engine.url.database or "").parent} | places
    # Two folders on one disk are one fact.
    disks: dict[int, tuple[str, Path]] = {}
    for name, place in places.items():
        if place.is_dir():
            device = place.stat().st_dev
            disks[device] = (f"{disks[device][0]}, {name}" if device in disks else name, place)
    return [_room(name, place) for name, place in disks.values()]


def _room(name: str, place: Path) -> Fact:
    disk = shutil.disk_usage(place)
    full = disk.free < min(LEAST_ROOM, disk.total * LEAST_PART)
    value = f"{size_text(disk.free)} free of {size_text(disk.total)}"
    return Fact(name, value, "Make room: nothing can be stored on a full disk." if full else "")


def _counts() -> dict[str, int]:
    """How many records of each kind, and entries of the search index, there are; at one moment."""
    models = {kind.labels: kind.model for kind in registry} | {INDEX: search.Entry}
    columns = [
        select(func.count()).select_from(model).scalar_subquery() for model in models.values()
    ]
    return dict(zip(models, db.session.execute(select(*columns)).one(), strict=True))


INDEX = "Search index"


def _records(counts: dict[str, int]) -> list[Fact]:
    return [Fact(name, f"{count:,}") for name, count in counts.items() if name != INDEX]


def _work(counts: dict[str, int]) -> list[Fact]:
    expected = sum(counts[kind.labels] for kind in registry if search.searchable(kind))
    wrong = f"There should be {expected:,}; “flask reindex” writes it anew."
    importing = select(ImportRun).where(ImportRun.status.in_(RUNNING))
    imports = [run for run in db.session.scalars(importing) if run.state in RUNNING]
    looking = select(func.count()).select_from(storage_checks.StorageCheck)
    looking = looking.where(storage_checks.StorageCheck.state == storage_checks.RUNNING)
    return [
        Fact(INDEX, f"{counts[INDEX]:,} entries", wrong if counts[INDEX] != expected else ""),
        Fact("Imports under way", str(len(imports))),
        Fact("Data being looked for", str(db.session.scalar(looking))),
    ]


def settings() -> list[Fact]:
    """The settings in force; what is secret is not shown."""
    return [Fact(each.name, _told(each)) for each in config.SETTINGS]


def _told(setting: config.Setting) -> str:
    value = current_app.config.get(setting.key or setting.name)
    if setting.name == "SECRET_KEY":
        return "not shown"
    if setting.name == "DATABASE_URL":
        return make_url(value).render_as_string(hide_password=True)
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "any" if value is None else str(value)


def _moment(moment: datetime) -> str:
    return f"{lab_time(moment):%Y-%m-%d %H:%M}"


def _ago(moment: datetime) -> str:
    """How long ago, roughly: `3 days`."""
    minutes = max(0, int((utcnow() - moment).total_seconds() // 60))
    for unit, length in (("day", 24 * 60), ("hour", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length} {unit}s ago"
    return f"{minutes} minutes ago" if minutes > 1 else "just now"
