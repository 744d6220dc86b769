"""Carrying a plan out: every row by the same operations as a page or a script, all in one transaction.

A dry run is the same work, taken back. It goes in batches, so that nobody has to wait for a long one to
end before something can be stored.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError

from brainstem.core import history, operations
from brainstem.core.schemas import ExtraFields, label_of
from brainstem.core.transactions import in_bulk, operation
from brainstem.errors import Forbidden, NotFound
from brainstem.extensions import db
from brainstem.imports.plan import Key, Plan, Problem
from brainstem.imports.tables import Row

CREATED, CHANGED, SAME, REFUSED = "created", "changed", "unchanged", "refused"

#: So many rows are tried in one transaction.
BATCH = 500
#: SQLite has one writer at a time, and whoever waits to be it looks every 0.1 seconds: between two batches
#: there is time to look.
PAUSE = 0.15

Progress = Callable[[int], None]


@dataclass
class Outcome:
    """What came, or would come, of a row. `problems` are messages by column; `fields` those that change."""

    number: int
    deed: str
    title: str = ""
    record_id: uuid.UUID | None = None
    problems: list[Problem] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def lines(self) -> list[str]:
        """What is wrong or to be known, a line each: `row 12, column session__date_time: …`."""
        told = self.problems + [("", self.note)] * bool(self.note)
        return [
            f"row {self.number}" + (f", column {column}" if column else "") + f": {text}"
            for column, text in told
        ]


class Refused(Exception):
    """Some rows can't be stored, so none was; `outcomes` says it of each."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__("Some rows can't be stored, so nothing was.")
        self.outcomes = outcomes


class _Tried(Exception):
    """The end of a batch of a dry run: what was done is taken back."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes


def count(outcomes: list[Outcome]) -> dict[str, int]:
    """How many rows came to what."""
    found = dict.fromkeys((CREATED, CHANGED, SAME, REFUSED), 0)
    for each in outcomes:
        found[each.deed] += 1
    return found


def rehearse(plan: Plan, progress: Progress = lambda done: None) -> list[Outcome]:
    """What would come of each row; nothing is stored."""
    outcomes: list[Outcome] = []
    rows = plan.table.rows
    for start in range(0, len(rows), BATCH):
        try:
            _try(plan, rows[start : start + BATCH])
        except _Tried as tried:
            outcomes += tried.outcomes
        progress(len(outcomes))
        if len(outcomes) < len(rows) and db.engine.dialect.name == "sqlite":
            time.sleep(PAUSE)
    return outcomes


@operation
def _try(plan: Plan, rows: list[Row]) -> None:
    raise _Tried(_carried(plan, rows))


@operation
def store(
    plan: Plan,
    summary: str,
    *,
    skip: bool = False,
    progress: Progress = lambda done: None,
    finish: Callable[[list[Outcome], uuid.UUID | None], None] = lambda outcomes, change_id: None,
) -> tuple[list[Outcome], uuid.UUID | None]:
    """Store the rows: all of them, or with `skip` those that can be; `Refused` where nothing was.

    Returns what came of each row, and the change that the history tells of. `finish` is for whoever
    has something to note in the same transaction.
    """
    outcomes: list[Outcome] = []
    rows = plan.table.rows
    for start in range(0, len(rows), BATCH):
        outcomes += _carried(plan, rows[start : start + BATCH])
        progress(len(outcomes))
    counts = count(outcomes)
    if counts[REFUSED] and not skip:
        raise Refused(outcomes)
    changed = counts[CREATED] + counts[CHANGED]
    words = plan.resource.label if changed == 1 else plan.resource.labels
    history.describe(f"{summary}: {changed} {words.lower()}")
    change_id = history.change_id()
    finish(outcomes, change_id)
    return outcomes, change_id


def _carried(plan: Plan, rows: list[Row]) -> list[Outcome]:
    with in_bulk():
        existing = plan.existing(rows)
        return [_carry(plan, row, existing) for row in rows]


def _carry(plan: Plan, row: Row, existing: dict[Key, uuid.UUID]) -> Outcome:
    if row.problem:
        return Outcome(row.number, REFUSED, problems=[("", row.problem)])
    payload = plan.payload(row)
    outcome = Outcome(row.number, REFUSED, plan.titled(payload), note=row.note)
    if row.number in plan.repeated:
        column = plan.column_of(plan.resource.handle)
        text = f"This {plan.resource.words} is in row {plan.repeated[row.number]} already."
        outcome.problems = [(column, text)]
        return outcome
    record_id = existing.get(plan.key(payload) or ())
    try:
        if record_id is None:
            payload = plan.with_default(payload)
            record = operations.add(plan.actor, plan.resource, payload)
            outcome.deed, outcome.record_id = CREATED, record.id
        else:
            _change(plan, record_id, payload, outcome)
    except ValidationError as error:
        outcome.problems = plan.problems(error.normalized_messages(), row)
    except (Forbidden, NotFound) as error:
        outcome.problems = [("", str(error))]
    return outcome


def _change(plan: Plan, record_id: uuid.UUID, payload: dict[str, Any], outcome: Outcome) -> None:
    resource = plan.resource
    record = db.session.get(resource.model, record_id)
    before = record.version
    payload = {
        name: getattr(record, name) | value if _extra(resource, name) else value
        for name, value in payload.items()
    }
    record = operations.alter(plan.actor, resource, record_id, payload, keeping=True)
    outcome.record_id = record_id
    outcome.deed = SAME
    if record.version != before:
        outcome.deed = CHANGED
        declared = resource.schema._declared_fields
        outcome.fields = [label_of(name, declared[name]) for name in history.noted(record_id)]


def _extra(resource: Any, name: str) -> bool:
    """Whether what is given is added to what is there: extra fields that the table does not have stay."""
    return isinstance(resource.schema._declared_fields[name], ExtraFields)
