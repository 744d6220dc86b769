"""How often somebody may guess a password or a code (contract §12).

After `MOST` failed tries within `WINDOW`, no further one is looked at, not even a right one. It is
counted in the database, so that it holds across worker processes and restarts; refused tries do not
count, so that a block ends by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import uuid
from datetime import datetime, timedelta
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from brainstem import signing
from brainstem.core.permissions import Actor
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.errors import NotFound, TooManyTries
from brainstem.extensions import db
from brainstem.records import audit, users
from brainstem.records.audit import Event
from brainstem.records.base import SECRET, UtcDateTime, json, text_type
from brainstem.records.passwords import NewPassword

MOST = 10
WINDOW = timedelta(minutes=15)


class FailedTries(db.Model):
    """The last failed tries at one target, or from one address.

    `key` is a keyed hash of which: people type passwords into the wrong field too. `times` are in
    seconds since 1970, the latest last, and not more of them than matter.
    """

    __tablename__ = "failed_tries"
    __table_args__ = {"info": SECRET}

    key: Mapped[str] = mapped_column(text_type(64), primary_key=True)
    times: Mapped[list[float]] = json(list)
    last: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def blocked_for(*sources: str) -> int:
    """For how many seconds nothing more is tried; 0 where it may be.

    A source is whom or what the guess is about, and where it comes from: `"password of ada@lab.org"`.
    """
    tries = select(FailedTries).where(FailedTries.key.in_(map(_key, sources)))
    found = db.session.scalars(tries.execution_options(populate_existing=True))
    return max((_wait(row.times) for row in found), default=0)


def refuse(*sources: str) -> None:
    """`TooManyTries` while any of the sources is blocked."""
    if seconds := blocked_for(*sources):
        raise TooManyTries(seconds)


@operation
def count(*sources: str) -> list[str]:
    """Note a failed try of each source; the sources of which this was the last one.

    `TooManyTries` where the tries were used up while this one was under way: however many are sent
    at once, no more than `MOST` learn that they were wrong.
    """
    now, used_up = utcnow(), []
    db.session.execute(delete(FailedTries).where(FailedTries.last <= now - WINDOW))
    # In one order, so that two of these wait for each other and do not lock each other out.
    for key, source in sorted((_key(source), source) for source in sources):
        row = db.session.get(FailedTries, key, with_for_update=True, populate_existing=True)
        if row is None:
            row = FailedTries(key=key, times=[], last=now)
            db.session.add(row)
        if seconds := _wait(row.times):
            raise TooManyTries(seconds)
        row.times = [*row.times, now.timestamp()][-MOST:]
        row.last = now
        if _wait(row.times):
            used_up.append(source)
        db.session.flush()
    return used_up


@operation
def failed(
    what: str,
    sources: dict[str, str],
    actor: Actor | None = None,
    *,
    about: uuid.UUID | None = None,
) -> None:
    """Count a failed try, and note it in the audit log: `what` was wrong, and whose account it is about.

    `sources` by what they are: `{"account": …, "address": …}`. What was typed is not noted.
    """
    used_up = count(*sources.values())
    whom = {"kind": "user" if about else "", "target": about, "what": what}
    audit.note(Event.SIGN_IN_FAILED, actor, **whom)
    if blocked := [name for name, source in sources.items() if source in used_up]:
        audit.note(Event.SIGN_IN_BLOCKED, actor, **whom, blocked=blocked)


@operation
def _forget(source: str) -> None:
    db.session.execute(delete(FailedTries).where(FailedTries.key == _key(source)))


def by_password(email: str, password: str, address: str | None) -> users.User | None:
    """The user whose email and password these are, unless too many were wrong before.

    `address` is where the request comes from. A right password clears its account, but not the
    address: else one's own account would be a way to go on guessing at the others.
    """
    sources = _of_password(email, address)
    refuse(*sources.values())
    user = users.by_password(email, password)
    if user is None:
        failed("a password", sources, about=users.id_of(email))
        return None
    # Wrong ones that were sent at the same time count before this one.
    refuse(*sources.values())
    _forget(sources["account"])
    return user


def _of_password(email: str, address: str | None) -> dict[str, str]:
    return {
        "account": f"password of {email.strip().lower()}",
        "address": f"password from {address}",
    }


def first_user(payload: dict[str, Any], code: str, address: str | None) -> users.User:
    """`users.add_administrator`, with as many tries at the set-up code from one address."""
    sources = {"address": f"set-up code from {address}"}
    refuse(*sources.values())
    try:
        return users.add_administrator(payload, code)
    except ValidationError as error:
        if "code" in error.messages:
            failed("the set-up code", sources)
        raise


def change_password(
    actor: Actor, payload: dict[str, Any], email: str, address: str | None
) -> users.User:
    """`users.change_password`, with as many tries at the password so far as for signing in."""
    sources = _of_password(email, address)
    refuse(*sources.values())
    try:
        return users.change_password(actor, payload)
    except ValidationError as error:
        if payload.get("current") and "current" in error.normalized_messages():
            failed("the current password", sources, actor, about=actor.user_id)
        raise


@operation
def give_password(email: str, payload: dict[str, Any]) -> users.User:
    """Give somebody a new password, as whoever may type commands on the server does.

    It is also the way out for an administrator whose account somebody keeps blocked by guessing: the
    tries so far are forgotten, and whoever is signed in stays so, however many more there are.
    """
    user_id = users.id_of(email)
    if user_id is None:
        raise NotFound(f"There is no user {email}.")
    user = users.give_password(users.COMMAND, user_id, NewPassword().load(payload))
    _forget(_of_password(user.email, None)["account"])
    return user


def _wait(times: list[float]) -> int:
    """Seconds until the first of the last `MOST` tries is long enough ago."""
    if len(times) < MOST:
        return 0
    left = times[-MOST] + WINDOW.total_seconds() - utcnow().timestamp()
    return max(0, math.ceil(left))


def _key(source: str) -> str:
    text = source.encode("utf-8", "surrogatepass")
    return hmac.new(signing.key(), text, hashlib.sha256).hexdigest()
