"""How often somebody may guess a password or a code (contract §12).

After `MOST` failed tries within `WINDOW`, no further one is looked at, not even a right one. It is
counted in the database, so that it holds across worker processes and restarts; refused tries do not
count, so that a block ends by itself.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from marshmallow import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core.permissions import Actor
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.errors import TooManyTries
from brainstem.extensions import db
from brainstem.records import users
from brainstem.records.base import UtcDateTime, json, text_type

MOST = 10
WINDOW = timedelta(minutes=15)


class FailedTries(db.Model):
    """The last failed tries at one target, or from one address.

    `key` is a keyed hash of which: people type passwords into the wrong field too. `times` are in
    seconds since 1970, the latest last, and not more of them than matter.
    """

    __tablename__ = "failed_tries"

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
def count(*sources: str) -> None:
    """Note a failed try of each source.

    `TooManyTries` where the tries were used up while this one was under way: however many are sent
    at once, no more than `MOST` learn that they were wrong.
    """
    now = utcnow()
    db.session.execute(delete(FailedTries).where(FailedTries.last <= now - WINDOW))
    # In one order, so that two of these wait for each other and do not lock each other out.
    for key in sorted(map(_key, sources)):
        row = db.session.get(FailedTries, key, with_for_update=True, populate_existing=True)
        if row is None:
            row = FailedTries(key=key, times=[], last=now)
            db.session.add(row)
        if seconds := _wait(row.times):
            raise TooManyTries(seconds)
        row.times = [*row.times, now.timestamp()][-MOST:]
        row.last = now
        db.session.flush()


@operation
def _forget(source: str) -> None:
    db.session.execute(delete(FailedTries).where(FailedTries.key == _key(source)))


def by_password(email: str, password: str, address: str | None) -> users.User | None:
    """The user whose email and password these are, unless too many were wrong before.

    `address` is where the request comes from. A right password clears its account, but not the
    address: else one's own account would be a way to go on guessing at the others.
    """
    account = f"password of {email.strip().lower()}"
    place = f"password from {address}"
    refuse(account, place)
    user = users.by_password(email, password)
    if user is None:
        count(account, place)
        return None
    # Wrong ones that were sent at the same time count before this one.
    refuse(account, place)
    _forget(account)
    return user


def first_user(payload: dict[str, Any], code: str, address: str | None) -> users.User:
    """`users.add_administrator`, with as many tries at the set-up code from one address."""
    place = f"set-up code from {address}"
    refuse(place)
    try:
        return users.add_administrator(payload, code)
    except ValidationError as error:
        if "code" in error.messages:
            count(place)
        raise


def change_password(
    actor: Actor, payload: dict[str, Any], email: str, address: str | None
) -> users.User:
    """`users.change_password`, with as many tries at the password so far as for signing in."""
    account, place = f"password of {email}", f"password from {address}"
    refuse(account, place)
    try:
        return users.change_password(actor, payload)
    except ValidationError as error:
        if payload.get("current") and "current" in error.messages:
            count(account, place)
        raise


def _wait(times: list[float]) -> int:
    """Seconds until the first of the last `MOST` tries is long enough ago."""
    if len(times) < MOST:
        return 0
    left = times[-MOST] + WINDOW.total_seconds() - utcnow().timestamp()
    return max(0, math.ceil(left))


def _key(source: str) -> str:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    text = source.encode("utf-8", "surrogatepass")
    return hmac.new(secret, text, hashlib.sha256).hexdigest()
