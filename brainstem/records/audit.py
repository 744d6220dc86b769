"""The audit log: who signed in, who got which rights, who took records out of here, and when.

The history (`core/history`) tells what happened to records; this tells what happened to the access to
them. To note something, name it in `Event` and call, inside the `@operation` that does it:

    audit.note(Event.TOKEN_REVOKED, actor, kind="token", target=token.id, name=token.name)

Then it is stored with the deed or, where that fails, neither is; called outside an operation it is one of
its own. `kind` and `target` say what it was done to, and further words are details: what JSON can hold.
`Actor(None, way="command")` is whoever types a command on the server.

Nothing secret goes into details, and nothing typed that may be something else than it was meant to be:
people type passwords where the email address belongs.

The program adds to the log and takes nothing out of it before its time (`AUDIT_DAYS`). Its default is
two years: intrusions are often found after many months, and longer than that nobody should
keep who signed in when.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import current_app, has_request_context, request
from sqlalchemy import BigInteger, Index, Integer, Uuid, delete, insert
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core import people, publishing
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import Resource, registry
from brainstem.core.times import utc_text, utcnow
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.logs import request_id
from brainstem.records.base import SECRET, UtcDateTime, json, text


class Event(StrEnum):
    """What is noted; the comment says what stands beside it."""

    # Signing in. `who` is who did; of a failed one, `target` is the account that was meant, if it exists.
    SIGN_IN = "sign_in"
    #: `what` was wrong: a password, the set-up code, the code of a program.
    SIGN_IN_FAILED = "sign_in_failed"
    #: Too many failed: `blocked` says whether the account or the address. Once a block, not once a try.
    SIGN_IN_BLOCKED = "sign_in_blocked"
    SIGN_OUT = "sign_out"
    # Users: `target` is the user.
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 (a name, no password)
    USER_ADDED = "user_added"
    #: What changed (`is_admin`, `is_active`) and what it is now.
    USER_CHANGED = "user_changed"
    # Access for programs: its `name`, whether `read_only`, and `how` it was made.
    TOKEN_MADE = "token_made"  # noqa: S105 (a name, no password)
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 (a name, no password)
    DEVICE_APPROVED = "device_approved"
    DEVICE_DENIED = "device_denied"
    # Access to records: the `record`'s name, the `holder` of the role (user or group; `name`, `id`), and
    # the roles it `was` and is `now`; null is none. A new record makes its creator an owner.
    RIGHTS_CHANGED = "rights_changed"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    # What leaves this place, and what comes back. An import is in the history.
    EXPORT = "export"
    BACKUP = "backup"
    RESTORE = "restore"
    #: Once an hour and reader at most.
    AUDIT_READ = "audit_read"


#: The events that say from which network address they came; of the others nobody needs to know.
FROM_WHERE = frozenset(
    {
        Event.SIGN_IN,
        Event.SIGN_IN_FAILED,
        Event.SIGN_IN_BLOCKED,
        Event.SIGN_OUT,
        Event.PASSWORD_CHANGED,
        Event.TOKEN_MADE,
        Event.TOKEN_REVOKED,
        Event.DEVICE_APPROVED,
        Event.DEVICE_DENIED,
    }
)


class AuditEvent(db.Model):
    """Something that happened, by whom (`user_id`) and in which `way` (`by`: the API token's name)."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index(None, "at"),
        Index(None, "event", "id"),
        Index(None, "user_id", "id"),
        Index(None, "target_id", "id"),
        {"info": SECRET},
    )

    # Counted: the order in which it happened, and the place where a page of the log ends.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    event: Mapped[str] = text(40)
    #: Users who have left stay in their table, so there is a name to it; but the log outlasts even them.
    user_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    way: Mapped[str] = text(20)
    by: Mapped[str] = text(200)
    address: Mapped[str] = text(100)
    #: Finds what the server's own log says of the same request.
    request_id: Mapped[str] = text(128)
    target_kind: Mapped[str] = text(100)
    target_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    details: Mapped[dict] = json(dict)


@operation
def note(
    event: Event,
    actor: Actor | None = None,
    *,
    kind: str = "",
    target: uuid.UUID | None = None,
    **details: Any,
) -> None:
    """Note an event; without an actor, nobody is signed in."""
    actor = actor or Actor(None, way="page")
    address = request.remote_addr if has_request_context() and event in FROM_WHERE else None
    values = {
        "at": utcnow(),
        "event": event.value,
        "user_id": actor.user_id,
        "way": actor.way,
        "by": actor.by[:200],
        "address": (address or "")[:100],
        "request_id": request_id() if has_request_context() else "",
        "target_kind": kind,
        "target_id": target,
        "details": details,
    }
    db.session.execute(insert(AuditEvent.__table__).values(values))
    if event is Event.SIGN_IN:
        # Often enough, and never while many write.
        _tidy()


def told(event: AuditEvent) -> dict[str, Any]:
    """An event as programs read it; what is unknown is left out."""
    columns = {column.name: getattr(event, column.name) for column in event.__table__.columns}
    found = {name: value for name, value in columns.items() if value not in ("", None, {})}
    return (
        found
        | {name: str(value) for name, value in found.items() if isinstance(value, uuid.UUID)}
        | {"at": utc_text(event.at)}
    )


def _tidy() -> None:
    """Forget what is older than it is kept."""
    oldest = utcnow() - timedelta(days=current_app.config["AUDIT_DAYS"])
    db.session.execute(delete(AuditEvent).where(AuditEvent.at < oldest))


@people.role_written.connect
def note_role(
    resource: Resource,
    *,
    actor: Actor,
    record_id: uuid.UUID,
    holder: str,
    holder_id: uuid.UUID,
    was: Role | None,
    now: Role | None,
) -> None:
    """A role on a record was given, changed or taken away."""
    note(
        Event.RIGHTS_CHANGED,
        actor,
        kind=resource.name,
        target=record_id,
        record=_called(resource, record_id),
        holder=holder,
        id=str(holder_id),
        name=_called(registry.get(holder), holder_id),
        was=was and was.name.lower(),
        now=now and now.name.lower(),
    )


@publishing.switched.connect
def note_publishing(
    resource: Resource, *, actor: Actor, record_id: uuid.UUID, is_public: bool
) -> None:
    """A record was published, or made private again."""
    event = Event.PUBLISHED if is_public else Event.UNPUBLISHED
    name = _called(resource, record_id)
    note(event, actor, kind=resource.name, target=record_id, record=name)


def _called(resource: Resource, record_id: uuid.UUID) -> str:
    record = db.session.get(resource.model, record_id)
    return resource.called(record) if record is not None else ""
