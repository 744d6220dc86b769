"""Sign-ins in browsers: each ends by itself, by signing out, or from afar.

A cookie proves no more than that it was given: that its sign-in has not ended stands here, so that a
cookie which somebody took along is of no use afterwards, in no worker process on no machine.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flask import current_app
from sqlalchemy import Select, UniqueConstraint, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from brainstem.core.permissions import Actor, made_once
from brainstem.core.times import utcnow
from brainstem.core.transactions import if_possible, operation
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
    user: Mapped[User] = relationship()

    @property
    def expires(self) -> datetime:
        """When it ends, unless it is used before; at the latest so many days after its beginning."""
        at_last = self.created_date + timedelta(days=current_app.config["SIGN_IN_DAYS"])
        if self.kept:
            return at_last
        return min(at_last, self.last_used + timedelta(hours=current_app.config["SIGN_IN_HOURS"]))

    @property
    def valid(self) -> bool:
        """Whether its user is signed in by it."""
        same = self.password == _fingerprint(self.user)
        return same and self.user.is_active and self.expires > utcnow()


@operation
def begin(user: User, *, kept: bool = False, browser: str = "") -> None:
    """Sign somebody in, who has proved who she is: `user.sign_in`, with the `secret` for the cookies."""
    now = utcnow()
    oldest = now - timedelta(days=current_app.config["SIGN_IN_DAYS"])
    db.session.execute(delete(SignIn).where(SignIn.created_date <= oldest))
    secret = secrets.token_urlsafe(32)
    sign_in = SignIn(
        user_id=user.id,
        hash=_hash(secret),
        password=_fingerprint(user),
        kept=kept,
        created_date=now,
        last_used=now,
        browser=browser[:100],
    )
    db.session.add(sign_in)
    user.last_sign_in = now
    db.session.flush()
    sign_in.secret, user.sign_in = secret, sign_in
    audit.note(Event.SIGN_IN, Actor(user.id, way="page"))


def of(secret: str) -> User | None:
    """The user whom a cookie signs in, with this `sign_in`; notes the use."""
    sign_in = _with_hash(hash=_hash(secret)).scalar()
    if sign_in is None or not sign_in.valid:
        return None
    sign_in.secret, sign_in.user.sign_in = secret, sign_in
    now = utcnow()
    if now - sign_in.last_used > NOTED:
        with if_possible():
            _note_use(sign_in.id, now)
    return sign_in.user


@made_once
def _with_hash() -> Select:
    statement = select(SignIn).where(SignIn.hash == bindparam("hash"))
    return statement.options(joinedload(SignIn.user))


@operation
def _note_use(sign_in_id: uuid.UUID, now: datetime) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(last_used=now))


def of_user(user: User) -> list[SignIn]:
    """Where somebody is signed in, the last used one first."""
    statement = select(SignIn).where(SignIn.user_id == user.id).options(joinedload(SignIn.user))
    found = db.session.scalars(statement.order_by(SignIn.last_used.desc(), SignIn.id))
    return [each for each in found if each.valid]


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


def _fingerprint(user: User) -> str:
    return _hash(user.password_hash)
