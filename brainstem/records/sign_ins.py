"""Sign-ins in browsers: each ends by itself, by signing out, or from afar.

A cookie proves no more than that it was given: that its sign-in has not ended stands here, so that a
cookie which somebody took along is of no use afterwards, in no worker process on no machine.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import current_app
from flask_login import UserMixin
from sqlalchemy import Row, Select, UniqueConstraint, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core.permissions import Actor, made_once
from brainstem.core.times import utcnow
from brainstem.core.transactions import execute, if_possible, operation
from brainstem.errors import NotFound
from brainstem.extensions import db
from brainstem.records import audit
from brainstem.records.audit import Event
from brainstem.records.base import LIVE, Record, UtcDateTime, reference, text

if TYPE_CHECKING:
    from brainstem.records.users import User

#: A use is noted at most this often: reading must not become writing.
NOTED = timedelta(minutes=5)


class SignIn(Record):
    """Somebody signed in, in one browser; `hash` is the SHA-256 of what its cookies say."""

    __tablename__ = "sign_in"
    __table_args__ = (UniqueConstraint("hash"), {"info": LIVE})

    user_id: Mapped[uuid.UUID] = reference("user", ondelete="CASCADE")
    hash: Mapped[str] = text(64)
    #: Which password it was: a new one ends it.
    password: Mapped[str] = text(64)
    #: Whether she chose to stay signed in.
    kept: Mapped[bool]
    last_used: Mapped[datetime] = mapped_column(UtcDateTime)
    #: “Firefox on Linux”: for its user to know it by.
    browser: Mapped[str] = text(100)


class Person:
    """Somebody with a name."""

    email: str
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """What the pages call this person."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


@dataclass(frozen=True)
class SignedIn(Person, UserMixin):
    """Somebody who is signed in, and the browser in which she is: Flask-Login's `current_user`.

    Every page asks for it: as objects, a user and a sign-in took 0.15 of the 4 ms of a list.
    """

    id: uuid.UUID
    email: str
    first_name: str
    last_name: str
    is_admin: bool
    sign_in_id: uuid.UUID
    created_date: datetime
    last_used: datetime
    kept: bool
    browser: str
    #: What her cookie says.
    secret: str = field(repr=False)

    def get_id(self) -> str:
        return self.secret

    @property
    def expires(self) -> datetime:
        """When it ends, unless it is used before; at the latest so many days after its beginning."""
        at_last = self.created_date + timedelta(days=current_app.config["SIGN_IN_DAYS"])
        if self.kept:
            return at_last
        return min(at_last, self.last_used + timedelta(hours=current_app.config["SIGN_IN_HOURS"]))


@operation
def begin(user: User, *, kept: bool = False, browser: str = "") -> SignedIn:
    """Sign somebody in, who has proved who she is."""
    now = utcnow()
    oldest = now - timedelta(days=current_app.config["SIGN_IN_DAYS"])
    db.session.execute(delete(SignIn).where(SignIn.created_date <= oldest))
    secret = secrets.token_urlsafe(32)
    sign_in = SignIn(
        user_id=user.id,
        hash=_hash(secret),
        password=_hash(user.password_hash),
        kept=kept,
        created_date=now,
        last_used=now,
        browser=browser[:100],
    )
    db.session.add(sign_in)
    user.last_sign_in = now
    db.session.flush()
    audit.note(Event.SIGN_IN, Actor(user.id, way="page"))
    return SignedIn(
        user.id,
        user.email,
        user.first_name,
        user.last_name,
        user.is_admin,
        sign_in.id,
        now,
        now,
        kept,
        sign_in.browser,
        secret,
    )


def of(secret: str) -> SignedIn | None:
    """Whom a cookie signs in; notes the use."""
    found = next(_lasting(_with_hash(hash=_hash(secret)).all(), secret), None)
    if found and utcnow() - found.last_used > NOTED:
        with if_possible():
            _note_use(found.sign_in_id, utcnow())
    return found


def _lasting(rows: Iterable[Row], secret: str = "") -> Iterator[SignedIn]:
    """Those of the sign-ins that have not ended."""
    for password, password_hash, *known in rows:
        found = SignedIn(*known, secret)
        if password == _hash(password_hash) and found.expires > utcnow():
            yield found


@made_once
def _with_hash() -> Select:
    return _known().where(SignIn.hash == bindparam("hash"))


def _known() -> Select:
    from brainstem.records.users import User

    return (
        select(
            SignIn.password,
            User.password_hash,
            User.id,
            User.email,
            User.first_name,
            User.last_name,
            User.is_admin,
            SignIn.id,
            SignIn.created_date,
            SignIn.last_used,
            SignIn.kept,
            SignIn.browser,
        )
        .join(User, User.id == SignIn.user_id)
        .where(User.is_active)
    )


@operation
def _note_use(sign_in_id: uuid.UUID, now: datetime) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(last_used=now))


def of_user(user_id: uuid.UUID) -> list[SignedIn]:
    """Where somebody is signed in, the last used one first."""
    theirs = _known().where(SignIn.user_id == user_id)
    return list(_lasting(execute(theirs.order_by(SignIn.last_used.desc(), SignIn.id))))


@operation
def end(actor: Actor, sign_in_id: uuid.UUID) -> None:
    """Sign the actor out where one sign-in was."""
    mine = (SignIn.id == sign_in_id, SignIn.user_id == actor.user_id)
    browser = db.session.scalar(select(SignIn.browser).where(*mine))
    if browser is None:
        raise NotFound("There is no such sign-in: it has ended.")
    db.session.execute(delete(SignIn).where(*mine))
    audit.note(Event.SIGN_OUT, actor, browser=browser)


@operation
def end_others(actor: Actor, sign_in_id: uuid.UUID) -> None:
    """Sign the actor out everywhere but here."""
    others = (SignIn.id != sign_in_id, SignIn.user_id == actor.user_id)
    db.session.execute(delete(SignIn).where(*others))
    audit.note(Event.SIGN_OUT, actor, browser="everywhere else")


def end_all(user_id: uuid.UUID) -> None:
    """Within an operation: no cookie of somebody's works any more."""
    db.session.execute(delete(SignIn).where(SignIn.user_id == user_id))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
