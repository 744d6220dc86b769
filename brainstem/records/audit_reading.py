"""What the audit log tells, and to whom: administrators."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import and_, or_, select

from brainstem.core.permissions import Actor
from brainstem.core.times import lab_zone, utcnow
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records import audit, users
from brainstem.records.audit import AuditEvent, Event

#: A reader is noted once in so long: whoever turns pages has read the log once.
READ_AGAIN = timedelta(hours=1)
AT_ONCE = 500


@dataclass(frozen=True)
class Asked:
    """Which events: of or about a person, of one sort, of one day on the lab's clock."""

    person: uuid.UUID | None = None
    event: Event | None = None
    day: date | None = None


def found(actor: Actor, asked: Asked, *, limit: int, before: int | None = None) -> list[AuditEvent]:
    """The events, the last one first; `before` goes on where a page ended."""
    users.require_administrator(actor)
    statement = select(AuditEvent)
    if asked.person:
        about = and_(AuditEvent.target_kind == "user", AuditEvent.target_id == asked.person)
        statement = statement.where(or_(AuditEvent.user_id == asked.person, about))
    if asked.event:
        statement = statement.where(AuditEvent.event == asked.event.value)
    if asked.day:
        start, end = (_midnight(asked.day + timedelta(days=each)) for each in (0, 1))
        statement = statement.where(AuditEvent.at >= start, AuditEvent.at < end)
    if before is not None:
        statement = statement.where(AuditEvent.id < before)
    return list(db.session.scalars(statement.order_by(AuditEvent.id.desc()).limit(limit)))


def every(actor: Actor, asked: Asked) -> Iterator[list[AuditEvent]]:
    """All of them, some hundred at a time."""
    before = None
    while events := found(actor, asked, limit=AT_ONCE, before=before):
        before = events[-1].id
        yield events


@operation
def note_reading(actor: Actor) -> None:
    """Note that somebody reads the log."""
    last = select(AuditEvent.id).where(
        AuditEvent.event == Event.AUDIT_READ.value,
        AuditEvent.user_id == actor.user_id,
        AuditEvent.at > utcnow() - READ_AGAIN,
    )
    if db.session.scalar(last.limit(1)) is None:
        audit.note(Event.AUDIT_READ, actor)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), lab_zone())
