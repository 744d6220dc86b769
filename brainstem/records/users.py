"""The people who use the program, and how they prove who they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask import current_app
from flask_login import UserMixin
from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped

from brainstem.core.schemas import Row, Text
from brainstem.core.transactions import operation
from brainstem.errors import Forbidden
from brainstem.extensions import db, login_manager
from brainstem.records.base import Record, text

LEAST_PASSWORD, MOST_PASSWORD = 10, 1000


class User(UserMixin, Record):
    """Somebody who signs in; `email` is kept in lower case."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("email"),)

    email: Mapped[str] = text(254)
    first_name: Mapped[str] = text(100)
    last_name: Mapped[str] = text(100)
    password_hash: Mapped[str] = text(200)
    is_admin: Mapped[bool]

    @property
    def name(self) -> str:
        """What the pages call this person."""
        return f"{self.first_name} {self.last_name}".strip() or self.email


class Email(fields.Email):
    """An address, in lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return super()._deserialize(str(value).strip(), attr, data, **kwargs).lower()


class NewUser(Row):
    """What it takes to add a user."""

    email = Email(
        required=True,
        validate=validate.Length(max=254),
        metadata={"type": "email", "autocomplete": "username"},
    )
    first_name = Text(most=100, metadata={"autocomplete": "given-name"})
    last_name = Text(most=100, metadata={"autocomplete": "family-name"})
    password = fields.String(
        required=True,
        metadata={
            "password": True,
            "autocomplete": "new-password",
            "help": f"At least {LEAST_PASSWORD} characters; a short sentence is easy to type.",
        },
    )

    @validates_schema(skip_on_field_errors=False)
    def password_is_long_enough(self, data: dict[str, Any], **_: Any) -> None:
        if not LEAST_PASSWORD <= len(data.get("password", "")) <= MOST_PASSWORD:
            raise ValidationError(f"At least {LEAST_PASSWORD} characters.", "password")


@cache
def hasher(time_cost: int, memory_cost: int) -> PasswordHasher:
    """Argon2id, which takes memory as well as time to guess."""
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)


def _hasher() -> PasswordHasher:
    # OWASP's recommendation; tests turn it down.
    return hasher(*current_app.config.get("PASSWORD_COST", (2, 19 * 1024)))


@operation
def add_user(payload: dict[str, Any], *, is_admin: bool = False) -> User:
    """Add a user; `ValidationError` names what is wrong."""
    data = NewUser().load(payload)
    if db.session.scalar(select(User.id).where(User.email == data["email"])):
        raise ValidationError({"email": ["There is a user with this address already."]})
    password = data.pop("password")
    user = User(**data, is_admin=is_admin, password_hash=_hasher().hash(password))
    db.session.add(user)
    db.session.flush()
    return user


@operation
def add_administrator(payload: dict[str, Any], code: str) -> User:
    """Add the first user of all, who shows the one-time code that the server printed."""
    expected = open_setup_code()
    if expected is None:
        raise Forbidden("There is a user already. Ask an administrator to add you.")
    given = "".join(filter(str.isalnum, code)).upper()
    if not hmac.compare_digest(given.encode(), expected.replace("-", "").encode()):
        errors = NewUser().validate(payload)
        errors["code"] = ["This is not the code that the server printed."]
        raise ValidationError(errors)
    return add_user(payload, is_admin=True)


def open_setup_code() -> str | None:
    """The one-time set-up code, alike in all worker processes; None once there is a user.

    It follows from the signing key, so nothing is stored and nothing can be left behind.
    """
    if db.session.scalar(select(User.id).limit(1)):
        return None
    key = str(current_app.config["SECRET_KEY"]).encode()
    digest = hmac.digest(key, b"brainstem set-up code", hashlib.sha256)
    letters = base64.b32encode(digest).decode()[:12]
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def by_password(email: str, password: str) -> User | None:
    """The user whose address and password these are; it takes as long to say no to a stranger."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    stored = user.password_hash if user else _nobodys_hash(_hasher())
    try:
        _hasher().verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return None
    return user


@cache
def _nobodys_hash(with_hasher: PasswordHasher) -> str:
    return with_hasher.hash("nobody's password")


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    """The user of a login cookie."""
    try:
        return db.session.get(User, uuid.UUID(user_id))
    except ValueError:
        return None
