"""Whether a session's data is where it should be: folders looked at in the background.

Only what lies in a configured root (`DATA_ROOTS`), after links and `..` have been followed, is looked
at, and no link inside is followed. A check is a row in the database, so that every worker process sees
it and only one makes it: whoever writes the row's `claim` does the work. A claim that nobody finished,
because the process ended or the disk hangs, can be taken over after `STALE`. A machine whose disk is
away does not say so over what another one, which has the disk, found within `TRUSTED`.

A request never touches the file system: a disk that is away can stop whoever asks for it, for minutes.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import platform
import secrets
import stat
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flask import Flask, current_app
from sqlalchemy import BigInteger, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records import paths
from brainstem.records.base import UtcDateTime, text_type

log = logging.getLogger(__name__)

#: What a check may cost: seconds, entries of folders, folders within folders.
MOST_SECONDS, MOST_ENTRIES, DEEPEST = 30.0, 200_000, 64
#: After this long, a result is looked up anew when somebody opens the page.
FRESH = timedelta(hours=1)
#: After this long, a check that was not finished never will be.
STALE = timedelta(minutes=2)
#: For this long, what one machine found stands against another one's `AWAY`.
TRUSTED = timedelta(days=1)
#: After this long without anybody asking, a result is thrown away.
KEPT = timedelta(days=90)

WAITING, RUNNING, DONE = "waiting", "running", "done"
#: How a check may end. `OUTSIDE`: the path leads out of the roots. `AWAY`: its root is not there.
FOUND, MISSING, OUTSIDE, AWAY = "found", "missing", "outside", "away"
UNREADABLE, FAILED = "unreadable", "failed"

#: What the claims of this machine begin with.
MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:8]

#: So many checks at a time in one process; others wait.
_turns = threading.BoundedSemaphore(2)


@dataclass
class Result:
    """What was found: how many files, and how many bytes are in them.

    `partly` where there is more than was counted, because there was too much or some could not be read.
    """

    outcome: str
    folder: bool = False
    files: int = 0
    size: int = 0
    partly: bool = False


class StorageCheck(db.Model):
    """The last look at a path; `key` is the path's hash, since paths are too long for an index."""

    __tablename__ = "storage_check"

    key: Mapped[str] = mapped_column(text_type(64), primary_key=True)
    path: Mapped[str] = mapped_column(text_type())
    state: Mapped[str] = mapped_column(text_type(10))
    #: Since when it is in this state, and who works on it.
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    claim: Mapped[str] = mapped_column(text_type(32))
    asked: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    #: The last result; None and empty before the first.
    checked: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str] = mapped_column(text_type(10), default="")
    folder: Mapped[bool] = mapped_column(default=False)
    files: Mapped[int] = mapped_column(BigInteger, default=0)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    partly: Mapped[bool] = mapped_column(default=False)

    @property
    def busy(self) -> bool:
        """Whether a result is still to come."""
        return self.state != DONE and utcnow() - self.since < STALE


@dataclass(frozen=True)
class Claim:
    """A check that this process has taken on; `before` is the claim by which the last result came."""

    key: str
    path: str
    claim: str
    before: str = ""


def reachable(path: str) -> bool:
    """Whether the server may look at a path, as far as the path itself tells."""
    if paths.kind_of(path) != "absolute" or not path.isprintable():
        return False
    plain = os.path.normpath(path)
    return any(_within(plain, os.path.normpath(root)) for root in current_app.config["DATA_ROOTS"])


def known(wanted: Iterable[str]) -> dict[str, StorageCheck]:
    """The checks of these paths, as far as there are any."""
    keys = {_key(path): path for path in wanted}
    if not keys:
        return {}
    rows = select(StorageCheck).where(StorageCheck.key.in_(keys))
    found = db.session.scalars(rows.execution_options(populate_existing=True))
    return {keys[row.key]: row for row in found}


def due(wanted: Iterable[str]) -> list[str]:
    """Those of the paths that were not looked at lately."""
    wanted = list(wanted)
    rows, now = known(wanted), utcnow()
    return [path for path in wanted if path not in rows or _is_due(rows[path], now)]


def _is_due(row: StorageCheck, now: datetime) -> bool:
    return not row.busy and (row.checked is None or row.state != DONE or now - row.checked > FRESH)


@operation
def claim(wanted: Iterable[str]) -> list[Claim]:
    """Take on the checks of paths, but for those that somebody has taken on already."""
    now, claims = utcnow(), []
    # In one order, so that two of these wait for each other and do not lock each other out.
    for key, path in sorted((_key(path), path) for path in set(wanted)):
        row = db.session.get(StorageCheck, key, with_for_update=True, populate_existing=True)
        if row is None:
            row = StorageCheck(key=key, path=path)
            db.session.add(row)
        elif row.busy:
            continue
        before = row.claim if row.state == DONE else ""
        row.state, row.since, row.asked = WAITING, now, now
        row.claim = MACHINE + secrets.token_hex(12)
        claims.append(Claim(key, path, row.claim, before))
        db.session.flush()
    db.session.execute(delete(StorageCheck).where(StorageCheck.asked < now - KEPT))
    return claims


def start(claims: Sequence[Claim]) -> None:
    """Make the checks in the background. The thread ends with the process, done or not."""
    if claims:
        app = current_app._get_current_object()
        threading.Thread(target=_work, args=(app, list(claims)), daemon=True).start()


def _work(app: Flask, claims: list[Claim]) -> None:
    with app.app_context():
        for each in claims:
            # A disk that hangs keeps its turn for good; nobody queues up behind it longer than it matters.
            if not _turns.acquire(timeout=STALE.total_seconds()):
                return
            try:
                run(each)
            except Exception:
                # The claim goes stale, and the page says so.
                log.exception("A check of a data storage failed")
                db.session.rollback()
            finally:
                _turns.release()


def run(taken: Claim) -> None:
    """Make one check, unless somebody else took it over."""
    if not _begin(taken):
        return
    # No database connection is held while a slow disk is looked at.
    db.session.remove()
    _finish(taken, look(taken.path, current_app.config["DATA_ROOTS"]))


@operation
def _begin(taken: Claim) -> bool:
    row = db.session.get(StorageCheck, taken.key, with_for_update=True, populate_existing=True)
    if row is None or row.claim != taken.claim:
        return False
    row.state, row.since = RUNNING, utcnow()
    return True


@operation
def _finish(taken: Claim, result: Result) -> None:
    row = db.session.get(StorageCheck, taken.key, with_for_update=True, populate_existing=True)
    if row is None or row.claim != taken.claim:
        return
    now = utcnow()
    row.state, row.since = DONE, now
    if result.outcome == AWAY and _found_elsewhere(row, taken, now):
        row.claim = taken.before
        return
    row.checked = now
    for name, value in asdict(result).items():
        setattr(row, name, value)


def _found_elsewhere(row: StorageCheck, taken: Claim, now: datetime) -> bool:
    """Whether another machine, which has the disk, gave the result lately."""
    if not taken.before or taken.before.startswith(MACHINE):
        return False
    return row.checked is not None and row.outcome != AWAY and now - row.checked < TRUSTED


def look(path: str, roots: Sequence[str]) -> Result:
    """What is at a path, if it is in one of the roots; whatever the file system does meanwhile."""
    try:
        real = os.path.realpath(path)
        root = next((each for each in map(os.path.realpath, roots) if _within(real, each)), None)
        if root is None:
            return Result(OUTSIDE)
        if not _connected(root):
            return Result(AWAY)
        return _count(root, os.path.relpath(real, root))
    except (FileNotFoundError, NotADirectoryError):
        return Result(MISSING)
    except PermissionError:
        return Result(UNREADABLE)
    except (OSError, ValueError) as error:
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            return Result(MISSING)
        log.warning("A data storage could not be looked at: %s", error)
        return Result(FAILED)


def _connected(root: str) -> bool:
    """Whether a root has something in it; of a share that is not mounted, there is often an empty folder."""
    if not Path(root).is_dir():
        return False
    with os.scandir(root) as entries:
        return any(True for _ in entries)


def _count(root: str, below: str) -> Result:
    """Go down from the root folder by folder, following no link: what was none may be one by now."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        names = Path(below).parts
        for place, name in enumerate(names, 1):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if place == len(names) and stat.S_ISREG(found.st_mode):
                return Result(FOUND, files=1, size=found.st_size)
            inner = _open_folder(name, folder)
            os.close(folder)
            folder = inner
        return _count_in(folder)
    finally:
        os.close(folder)


def _open_folder(name: str, parent: int) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def _count_in(folder: int, depth: int = 0, tally: Tally | None = None) -> Result:
    """The regular files in a folder and in those below it."""
    tally = tally or Tally()
    try:
        entries = os.scandir(folder)
    except PermissionError:
        if depth == 0:
            raise
        tally.result.partly = True
        return tally.result
    with entries:
        for entry in entries:
            if tally.full:
                tally.result.partly = True
                break
            tally.entries += 1
            try:
                _add(entry, folder, depth, tally)
            except FileNotFoundError:
                pass  # it was removed meanwhile
            except OSError:
                tally.result.partly = True
    return tally.result


def _add(entry: os.DirEntry, folder: int, depth: int, tally: Tally) -> None:
    if entry.is_dir(follow_symlinks=False):
        if depth == DEEPEST:
            tally.result.partly = True
            return
        inner = _open_folder(entry.name, folder)
        try:
            _count_in(inner, depth + 1, tally)
        finally:
            os.close(inner)
    elif entry.is_file(follow_symlinks=False):
        tally.result.size += entry.stat(follow_symlinks=False).st_size
        tally.result.files += 1


class Tally:
    """What was counted so far, and whether that is enough."""

    def __init__(self) -> None:
        self.result = Result(FOUND, folder=True)
        self.entries = 0
        self.until = time.monotonic() + MOST_SECONDS

    @property
    def full(self) -> bool:
        return self.entries >= MOST_ENTRIES or time.monotonic() > self.until


def _within(path: str, root: str) -> bool:
    return os.path.commonpath([path, root]) == root


def _key(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()
