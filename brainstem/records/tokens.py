"""Personal access tokens for scripts (contract §12): shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta

from marshmallow import ValidationError
from sqlalchemy import UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core.permissions import Actor
from brainstem.core.schemas import Row, Text
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.errors import NotFound
from brainstem.extensions import db
from brainstem.records.base import Record, UtcDateTime, reference, text
from brainstem.records.users import User

PREFIX = "bst_"
VALID = timedelta(days=365)
#: A use is noted at most this often: reading must not become writing.
NOTED = timedelta(minutes=5)


class Token(Record):
    """A token that a user made; `hash` is the SHA-256 of a random text, which needs no slow hash."""

    __tablename__ = "token"
    __table_args__ = (UniqueConstraint("hash"), UniqueConstraint("user_id", "name"))

    user_id: Mapped[uuid.UUID] = reference("user", ondelete="CASCADE", index=False)
    name: Mapped[str] = text(100)
    hash: Mapped[str] = text(64)
    last_used: Mapped[datetime | None] = mapped_column(UtcDateTime)
    user: Mapped[User] = relationship()

    @property
    def expires(self) -> datetime:
        """One year after its last use."""
        return (self.last_used or self.created_date) + VALID


class NewToken(Row):
    """What it takes to make a token."""

    name = Text(
        required=True,
        most=100,
        metadata={
            "help": "What will use it, for example “analysis server”. Only you see this name."
        },
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


@operation
def add_token(actor: Actor, payload: dict) -> tuple[Token, str]:
    """Make a token for the actor; the text itself is known only now."""
    data, errors = NewToken().load(payload), {}
    same = select(Token.id).where(Token.user_id == actor.user_id, Token.name == data["name"])
    if db.session.scalar(same):
        errors["name"] = ["You have a token of this name already."]
        raise ValidationError(errors)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(user_id=actor.user_id, name=data["name"], hash=_hash(secret))
    db.session.add(token)
    db.session.flush()
    return token, secret


@operation
def revoke(actor: Actor, token_id: uuid.UUID) -> None:
    """Delete one of the actor's own tokens."""
    token = db.session.get(Token, token_id)
    if token is None or token.user_id != actor.user_id:
        raise NotFound("There is no such token.")
    db.session.delete(token)


def tokens_of(actor: Actor) -> list[Token]:
    """The actor's tokens, by name."""
    statement = select(Token).where(Token.user_id == actor.user_id).order_by(Token.name, Token.id)
    return list(db.session.scalars(statement))


def user_of(secret: str) -> uuid.UUID | None:
    """Whose token this is, while it is valid; notes the use."""
    token = db.session.scalar(select(Token).where(Token.hash == _hash(secret)))
    now = utcnow()
    if token is None or token.expires < now:
        return None
    if token.last_used is None or now - token.last_used > NOTED:
        _note(token.id, now)
    return token.user_id


@operation
def _note(token_id: uuid.UUID, now: datetime) -> None:
    db.session.execute(update(Token).where(Token.id == token_id).values(last_used=now))
