"""Personal access tokens for scripts (contract §12): shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from itertools import count

import sqlalchemy
from marshmallow import ValidationError
from sqlalchemy import UniqueConstraint, bindparam, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core.permissions import Actor
from brainstem.core.schemas import Flag, Row, Text
from brainstem.core.times import utcnow
from brainstem.core.transactions import execute, if_possible, operation
from brainstem.errors import NotFound
from brainstem.extensions import db
from brainstem.records import audit
from brainstem.records.audit import Event
from brainstem.records.base import SECRET, Record, UtcDateTime, reference, text
from brainstem.records.users import User

PREFIX = "bst_"
VALID = timedelta(days=365)
#: A use is noted at most this often: reading must not become writing.
NOTED = timedelta(minutes=5)
MOST_NAME = 100


class Token(Record):
    """A token that a user made; `hash` is the SHA-256 of a random text, which needs no slow hash."""

    __tablename__ = "token"
    __table_args__ = (
        UniqueConstraint("hash"),
        UniqueConstraint("user_id", "name"),
        {"info": SECRET},
    )

    user_id: Mapped[uuid.UUID] = reference("user", ondelete="CASCADE", index=False)
    name: Mapped[str] = text(MOST_NAME)
    hash: Mapped[str] = text(64)
    read_only: Mapped[bool] = mapped_column(default=False)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    user: Mapped[User] = relationship()

    @property
    def expires(self) -> datetime:
        """When it is of no use any more."""
        return expiry(self.created_date, self.last_used)

    @property
    def expired(self) -> bool:
        """Whether it is of no use any more."""
        return self.expires < utcnow()


def expiry(made: datetime, last_used: datetime | None) -> datetime:
    """One year after the last use."""
    return (last_used or made) + VALID


#: Made once, and of columns: every request of a script asks it.
BY_HASH = (
    select(
        Token.id, Token.user_id, Token.name, Token.read_only, Token.created_date, Token.last_used
    )
    .join(Token.user)
    .where(User.is_active, Token.hash == bindparam("hash"))
)


class NewToken(Row):
    """What it takes to make a token."""

    name = Text(
        required=True,
        most=MOST_NAME,
        metadata={
            "help": "What will use it, for example “analysis server”. Only you see this name."
        },
    )
    read_only = Flag(
        load_default=False,
        metadata={"help": "It can then look at your records, but change nothing."},
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@operation
def add_token(actor: Actor, payload: dict) -> tuple[Token, str]:
    """Make a token for the actor; the text itself is known only now."""
    data = NewToken().load(payload)
    same = select(Token.id).where(Token.user_id == actor.user_id, Token.name == data["name"])
    if db.session.scalar(same):
        raise ValidationError({"name": ["You have a token of this name already."]})
    return _make(actor, **data)


@operation
def issue(user_id: uuid.UUID, name: str, *, how: str, read_only: bool = False) -> tuple[Token, str]:
    """Make a token that a program asked for: of that name, or with a number behind it.

    `how` the program got it, for the audit log.
    """
    # Its user's tokens are made one after the other: the same program may run on many computers.
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    taken = set(db.session.scalars(select(Token.name).where(Token.user_id == user_id)))
    numbered = (f"{name[: MOST_NAME - len(f' {n}')]} {n}" for n in count(2))
    while name in taken:
        name = next(numbered)
    return _make(Actor(user_id), name, read_only, how=how)


def _make(actor: Actor, name: str, read_only: bool, **more: str) -> tuple[Token, str]:
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(user_id=actor.user_id, name=name, read_only=read_only, hash=_hash(secret))
    db.session.add(token)
    db.session.flush()
    _note_token(Event.TOKEN_MADE, actor, token, **more)
    return token, secret


@operation
def revoke(actor: Actor, token_id: uuid.UUID) -> None:
    """Delete one of the actor's own tokens."""
    token = db.session.get(Token, token_id)
    if token is None or token.user_id != actor.user_id:
        raise NotFound("There is no such token.")
    db.session.delete(token)
    _note_token(Event.TOKEN_REVOKED, actor, token)


def _note_token(event: Event, actor: Actor, token: Token, **more: str) -> None:
    more |= {"name": token.name, "read_only": token.read_only}
    audit.note(event, actor, kind="token", target=token.id, **more)


def tokens_of(actor: Actor) -> list[Token]:
    """The actor's tokens, by name."""
    statement = select(Token).where(Token.user_id == actor.user_id).order_by(Token.name, Token.id)
    return list(db.session.scalars(statement))


def valid(secret: str) -> sqlalchemy.Row | None:
    """What is known of the token with this text, unless it is expired or its user gone; notes the use."""
    token, now = execute(BY_HASH, {"hash": _hash(secret)}).first(), utcnow()
    if token is None or expiry(token.created_date, token.last_used) < now:
        return None
    if token.last_used is None or now - token.last_used > NOTED:
        with if_possible():
            _note_use(token.id, now)
    return token


@operation
def _note_use(token_id: uuid.UUID, now: datetime) -> None:
    db.session.execute(update(Token).where(Token.id == token_id).values(last_used=now))
