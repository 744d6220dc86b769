"""What somebody is importing through the pages: the file, how its columns are matched, what came of it.

Only its owner sees a run. The file is deleted as soon as it is imported, and everything after a week.
"""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import current_app
from marshmallow import ValidationError
from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from brainstem import outages
from brainstem.core import restoring
from brainstem.core.permissions import Actor
from brainstem.core.schemas import texts_in
from brainstem.core.schemas.messages import UNSTORABLE
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.errors import NotFound, ProgramError
from brainstem.extensions import db
from brainstem.imports import carrying, progress, tables
from brainstem.imports.carrying import Outcome, Refused
from brainstem.imports.kinds import ImportKind
from brainstem.imports.models import (
    DONE,
    FAILED,
    IMPORTING,
    JUDGED,
    JUDGING,
    NEW,
    RUNNING,
    UNDOING,
    ImportRow,
    ImportRun,
)
from brainstem.imports.plan import Plan
from brainstem.imports.values import REPLACEMENT

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
#: So many runs of one person are kept; their files are large.
MOST_RUNS = 10

BROKEN = "The program failed on this, and nothing was stored. The server's log says more."
# What a person does ---------------------------------------------------------------------------------


def own(actor: Actor, run_id: uuid.UUID) -> ImportRun:
    """A run of the actor's; `NotFound` for anybody else's."""
    run = db.session.get(ImportRun, run_id)
    if run is None or run.user_id != actor.user_id:
        raise NotFound("There is no such import. Imports are kept for a week.")
    return run


def recent(actor: Actor) -> list[ImportRun]:
    """The actor's runs, the last first."""
    statement = select(ImportRun).where(ImportRun.user_id == actor.user_id)
    return list(db.session.scalars(statement.order_by(ImportRun.created_date.desc(), ImportRun.id)))


@operation
def begin(
    actor: Actor, kind: ImportKind, filename: str, content: bytes, table: tables.Table, **more: Any
) -> ImportRun:
    """Keep a file that is to be imported; what is old goes."""
    _tidy(actor)
    name = filename.replace("\\", "/").rsplit("/", 1)[-1].replace("\0", "").strip()
    run = ImportRun(
        user_id=actor.user_id,
        kind=kind.plural,
        filename=name.encode("utf-8", "replace").decode()[-300:] or "table.csv",
        content=content,
        status=NEW,
        total=len(table.rows),
        **more,
    )
    db.session.add(run)
    db.session.flush()
    return run


def _tidy(actor: Actor) -> None:
    old = select(ImportRun.id).where(ImportRun.created_date < utcnow() - KEPT)
    mine = select(ImportRun.id).where(ImportRun.user_id == actor.user_id)
    mine = mine.order_by(ImportRun.created_date.desc()).offset(MOST_RUNS - 1).limit(1000)
    gone = [*db.session.scalars(old), *db.session.scalars(mine)]
    db.session.execute(delete(ImportRun).where(ImportRun.id.in_(gone)))
    for each in gone:
        progress.forget(each)


@operation
def match(actor: Actor, run_id: uuid.UUID, matched: list[str], default: str) -> ImportRun:
    """Say where the columns go."""
    run = _locked(actor, run_id)
    if run.status == DONE or run.state in RUNNING:
        raise ProgramError("This import is under way or done.")
    run.matched, run.default = matched, default
    return run


@operation
def discard(actor: Actor, run_id: uuid.UUID) -> None:
    """Forget a run: what it imported stays."""
    db.session.delete(_locked(actor, run_id))
    progress.forget(run_id)


@operation
def _start(actor: Actor, run_id: uuid.UUID, status: str, after: tuple[str, ...]) -> int | None:
    """Have a run begin; the number of this start, or None where it is no time for it."""
    run = _locked(actor, run_id)
    if run.state not in after:
        return None
    run.status, run.done, run.beat, run.problem = status, 0, utcnow(), ""
    run.version += 1
    progress.forget(run_id)
    return run.version


def _locked(actor: Actor, run_id: uuid.UUID) -> ImportRun:
    own(actor, run_id)
    return db.session.get(ImportRun, run_id, with_for_update=True, populate_existing=True)


def table_of(run: ImportRun) -> tables.Table:
    """The table in a run's file."""
    return tables.read(run.content)


def _plan(actor: Actor, run: ImportRun) -> Plan:
    return Plan(actor, run.import_kind, table_of(run), run.matched, run.default)


# What goes on meanwhile ------------------------------------------------------------------------------

#: The threads at work in this process, by run.
threads: dict[uuid.UUID, threading.Thread] = {}


def of_change(actor: Actor, change_id: uuid.UUID) -> uuid.UUID | None:
    """The actor's own run that made a change."""
    rules = (ImportRun.change_id == change_id, ImportRun.user_id == actor.user_id)
    return db.session.scalar(select(ImportRun.id).where(*rules))


def rehearse(actor: Actor, run_id: uuid.UUID) -> None:
    """Begin a dry run."""
    start = _start(actor, run_id, JUDGING, (NEW, JUDGED, FAILED))
    if start is not None:
        _in_background(run_id, start, lambda: _rehearse(actor, run_id, start))


def carry_out(actor: Actor, run_id: uuid.UUID, *, skip: bool) -> None:
    """Begin the import itself."""
    start = _start(actor, run_id, IMPORTING, (JUDGED, FAILED))
    if start is not None:
        _in_background(run_id, start, lambda: _carry_out(actor, run_id, start, skip))


def take_back(actor: Actor, run_id: uuid.UUID) -> None:
    """Begin to undo a whole import."""
    start = _start(actor, run_id, UNDOING, (DONE,))
    if start is not None:
        _in_background(run_id, start, lambda: _take_back(actor, run_id, start), failed=DONE)


def _in_background(
    run_id: uuid.UUID, start: int, work: Callable[[], None], failed: str = FAILED
) -> None:
    app = current_app._get_current_object()

    def run() -> None:
        with app.app_context():
            try:
                with progress.heard(ImportRun, run_id):
                    work()
            except Abandoned as abandoned:
                log.info("%s", abandoned)
            except Exception as error:
                log.exception("Import %s failed", run_id)
                problem = _problem(error)
                # Where that can't be said either, its silence will.
                with suppress(Abandoned, SQLAlchemyError):
                    _end(run_id, start, failed, problem=problem)
            finally:
                progress.forget(run_id)
                threads.pop(run_id, None)

    threads[run_id] = threading.Thread(target=run, name=f"import {run_id}", daemon=True)
    threads[run_id].start()


def _problem(error: Exception) -> str:
    outage = outages.of(error)
    if outage is None:
        return BROKEN
    known = outages.AWAY if outage is outages.UNCERTAIN else outage
    return f"{known.title}, so nothing was stored. Try again in a moment."


def wait(run_id: uuid.UUID, seconds: float | None = None) -> None:
    """Wait for what goes on in this process, so long at most: a short import needs no page that waits."""
    if thread := threads.get(run_id):
        thread.join(seconds)


def _rehearse(actor: Actor, run_id: uuid.UUID, start: int) -> None:
    plan = _plan(actor, own(actor, run_id))
    outcomes = carrying.rehearse(plan, _teller(run_id))
    _end(run_id, start, JUDGED, outcomes)


def _carry_out(actor: Actor, run_id: uuid.UUID, start: int, skip: bool) -> None:
    run = own(actor, run_id)
    plan = _plan(actor, run)

    def finish(outcomes: list[Outcome], change_id: uuid.UUID | None) -> None:
        # In the transaction of the import: it is said to be done exactly when it is.
        _note_end(run_id, start, DONE, outcomes, change_id=change_id, content=b"")

    try:
        carrying.store(
            plan, summary_of(run.filename), skip=skip, progress=_teller(run_id), finish=finish
        )
    except Refused as refused:
        problem = (
            "Nothing was stored. Something changed since the rows were checked: some of them are "
            "refused now."
        )
        _end(run_id, start, JUDGED, refused.outcomes, problem=problem)


def _take_back(actor: Actor, run_id: uuid.UUID, start: int) -> None:
    run = own(actor, run_id)
    problem = ""
    try:
        restoring.undo(actor, run.change_id)
    except ValidationError as error:
        problem = f"This can’t be undone. {' '.join(texts_in(error.messages))}"[:1000]
    except ProgramError as error:
        problem = f"This can’t be undone. {error}"
    _end(run_id, start, DONE, problem=problem)


def summary_of(filename: str) -> str:
    """What the history calls an import."""
    return f"Import of {filename[-200:]}"


def _teller(run_id: uuid.UUID) -> carrying.Progress:
    return lambda done: progress.note(ImportRun, run_id, done)


@operation
def _end(run_id: uuid.UUID, start: int, status: str, outcomes=None, **more: Any) -> None:
    _note_end(run_id, start, status, outcomes, **more)


def _note_end(
    run_id: uuid.UUID,
    start: int,
    status: str,
    outcomes: list[Outcome] | None = None,
    **more: Any,
) -> None:
    """Note what came of a start; of one that was given up, whose run is gone, or that has ended after all
    (when the connection is lost, the word that it is stored may be lost with it), nothing may come."""
    run = db.session.get(ImportRun, run_id, with_for_update=True, populate_existing=True)
    if run is None or run.version != start or run.status not in RUNNING:
        raise Abandoned(f"Import {run_id} was discarded or started anew.")
    run.status = status
    for name, value in more.items():
        setattr(run, name, value)
    if outcomes is None:
        return
    run.counts, run.done = carrying.count(outcomes), len(outcomes)
    db.session.execute(delete(ImportRow).where(ImportRow.run_id == run_id))
    rows = [_row(run_id, each, stored=status == DONE) for each in outcomes]
    if rows:
        db.session.execute(insert(ImportRow), rows)


class Abandoned(ProgramError):
    """Nobody waits for this import any more: it must not store anything."""


def _row(run_id: uuid.UUID, outcome: Outcome, *, stored: bool) -> dict[str, Any]:
    there = stored or outcome.deed != carrying.CREATED
    told = {"problems": outcome.problems, "fields": outcome.fields, "note": outcome.note}
    return {
        "run_id": run_id,
        "number": outcome.number,
        "deed": outcome.deed,
        "title": UNSTORABLE.sub(REPLACEMENT, outcome.title)[:300],
        "record_id": outcome.record_id if there else None,
        "told": {name: value for name, value in told.items() if value},
    }


def rows_of(run: ImportRun, deed: str, offset: int, limit: int) -> tuple[list[ImportRow], int]:
    """A part of what came of the rows, of one sort or of all, and how many there are."""
    rules = [ImportRow.run_id == run.id]
    if deed:
        rules.append(ImportRow.deed == deed)
    total = db.session.scalar(select(func.count()).select_from(ImportRow).where(*rules))
    statement = select(ImportRow).where(*rules).order_by(ImportRow.number)
    return list(db.session.scalars(statement.offset(offset).limit(limit))), total
