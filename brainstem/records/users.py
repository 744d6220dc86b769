"""The people who use the program, and how they prove who they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from flask import current_app
from marshmallow import ValidationError, fields, validate
from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from brainstem import signing
from brainstem.core.operations import touch
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import REQUIRED, RecordSchema, Row, Text
from brainstem.core.transactions import operation
from brainstem.errors import Forbidden, NotFound
from brainstem.extensions import db, login_manager
from brainstem.records import audit, passwords, sign_ins
from brainstem.records.audit import Event
from brainstem.records.base import SECRET, Record, UtcDateTime, text
from brainstem.records.passwords import NewPassword

#: Whoever may type commands on the server.
COMMAND = Actor(None, way="command")


class User(sign_ins.Person, Record):
    """Somebody who signs in; `email` is kept in lower case."""

    __tablename__ = "user"
    __table_args__ = (UniqueConstraint("email"),)

    email: Mapped[str] = text(254)
    first_name: Mapped[str] = text(100)
    last_name: Mapped[str] = text(100)
    password_hash: Mapped[str] = text(200, info=SECRET)
    is_admin: Mapped[bool]
    #: Somebody who has left can't sign in any more; her records and roles stay.
    is_active: Mapped[bool] = mapped_column(default=True)
    last_sign_in: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Email(fields.Email):
    """An address, in lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not (text := str(value).strip()):
            raise ValidationError(REQUIRED)
        return super()._deserialize(text, attr, data, **kwargs).lower()


class OwnPassword(NewPassword):
    """What it takes to change one's own password."""

    current = Text(
        required=True,
        exact=True,
        metadata={
            "label": "Current password",
            "password": True,
            "autocomplete": "current-password",
        },
    )

    class Meta(Row.Meta):
        fields = ("current", "password")


class NewUser(NewPassword):
    """What it takes to add a user."""

    email = Email(
        required=True,
        validate=validate.Length(max=254),
        metadata={"type": "email", "autocomplete": "username"},
    )
    first_name = Text(most=100, metadata={"autocomplete": "given-name"})
    last_name = Text(most=100, metadata={"autocomplete": "family-name"})

    class Meta(Row.Meta):
        # The order of the form.
        fields = ("email", "first_name", "last_name", "password")


class UserSchema(RecordSchema):
    """A user on the wire: read-only (contract §6)."""

    email = Text(dump_only=True)
    first_name = Text(dump_only=True)
    last_name = Text(dump_only=True)


registry.register(
    Resource(
        app="users",
        name="user",
        key="user",
        keys="users",
        model=User,
        schema=UserSchema,
        label="User",
        labels="Users",
        handle="email",
        sort=("email",),
        read_only=True,
        administered=True,
        portals=frozenset({"private"}),
    )
)


@cache
def hasher(time_cost: int, memory_cost: int) -> PasswordHasher:
    """Argon2id, which takes memory as well as time to guess."""
    return PasswordHasher(time_cost=time_cost, memory_cost=memory_cost, parallelism=1)


def _hasher() -> PasswordHasher:
    # OWASP's recommendation; tests turn it down.
    return hasher(*current_app.config.get("PASSWORD_COST", (2, 19 * 1024)))


@operation
def add_user(payload: dict[str, Any], *, is_admin: bool = False, actor: Actor = COMMAND) -> User:
    """Add a user; `ValidationError` names what is wrong."""
    data = NewUser().load(payload)
    if db.session.scalar(select(User.id).where(User.email == data["email"])):
        raise ValidationError({"email": ["There is a user with this address already."]})
    password = data.pop("password")
    user = User(**data, is_admin=is_admin, password_hash=_hasher().hash(password))
    db.session.add(user)
    db.session.flush()
    audit.note(
        Event.USER_ADDED, actor, kind="user", target=user.id, name=user.email, is_admin=is_admin
    )
    return user


@operation
def admit(actor: Actor, payload: dict[str, Any], *, is_admin: bool = False) -> User:
    """Add a user, as an administrator does."""
    require_administrator(actor)
    return add_user(payload, is_admin=is_admin, actor=actor)


@operation
def set_standing(
    actor: Actor, user_id: uuid.UUID, *, is_admin: bool | None = None, is_active: bool | None = None
) -> User:
    """Make somebody an administrator or none, let her sign in or not; as an administrator does.

    One administrator who can sign in always stays.
    """
    require_administrator(actor)
    # All of them, in one order: two who make each other none must not both succeed.
    statement = select(User).where(User.is_admin, User.is_active).order_by(User.id)
    locked = statement.with_for_update().execution_options(populate_existing=True)
    administrators = {user.id for user in db.session.scalars(locked)}
    user = _user(user_id)
    asked = {"is_admin": is_admin, "is_active": is_active}
    changed = {name: on for name, on in asked.items() if on not in (None, getattr(user, name))}
    for name, on in changed.items():
        setattr(user, name, on)
    if administrators == {user_id} and not (user.is_admin and user.is_active):
        raise ValidationError("There must be an administrator: make somebody else one first.")
    touch(user)
    if changed:
        if not user.is_active:
            sign_ins.end_all(user_id)
        audit.note(
            Event.USER_CHANGED, actor, kind="user", target=user_id, name=user.email, **changed
        )
    return user


@operation
def set_password(actor: Actor, user_id: uuid.UUID, payload: dict[str, Any]) -> User:
    """Give somebody a new password, as an administrator does; it ends that user's sign-ins.

    The tokens go on working, here and where she changes it herself: programs that run at night do not
    know the password, so a new one is no reason to stop them, and the pages say so and lead to them.
    """
    require_administrator(actor)
    return give_password(actor, user_id, NewPassword().load(payload))


@operation
def change_password(actor: Actor, payload: dict[str, Any]) -> User:
    """Give oneself a new password; it takes the one so far, and ends one's other sign-ins."""
    user, wrong = _user(actor.user_id), OwnPassword().validate(payload)
    if "current" not in wrong and by_password(user.email, payload["current"]) is None:
        wrong["current"] = ["This is not your password."]
    if wrong:
        raise ValidationError(wrong)
    return give_password(actor, user.id, {"password": payload["password"]})


def give_password(actor: Actor, user_id: uuid.UUID, data: dict[str, Any]) -> User:
    """Within an operation that has judged whether it may be: a new password, and no sign-in stays."""
    user = _user(user_id)
    passwords.check(data["password"], user.email, user.first_name, user.last_name)
    user.password_hash = _hasher().hash(data["password"])
    sign_ins.end_all(user_id)
    touch(user)
    audit.note(Event.PASSWORD_CHANGED, actor, kind="user", target=user.id, name=user.email)
    return user


def _user(user_id: uuid.UUID) -> User:
    statement = select(User).where(User.id == user_id).with_for_update()
    user = db.session.scalar(statement.execution_options(populate_existing=True))
    if user is None:
        raise NotFound("There is no such user.")
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
    return add_user(payload, is_admin=True, actor=Actor(None, way="page"))


def open_setup_code() -> str | None:
    """The one-time set-up code, alike in all worker processes; None once there is a user.

    It follows from the signing key, so nothing is stored and nothing can be left behind.
    """
    if db.session.scalar(select(User.id).limit(1)):
        return None
    digest = hmac.digest(signing.key(), b"brainstem set-up code", hashlib.sha256)
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
    return user if user is not None and user.is_active else None


def id_of(email: str) -> uuid.UUID | None:
    """Whose address this is, also of somebody who has left."""
    return db.session.scalar(select(User.id).where(User.email == email.strip().lower()))


@cache
def _nobodys_hash(with_hasher: PasswordHasher) -> str:
    return with_hasher.hash("nobody's password")


def everybody() -> list[User]:
    """Who may sign in, by name."""
    found = db.session.scalars(select(User).where(User.is_active))
    return sorted(found, key=lambda user: (user.name.lower(), user.email))


def as_administrator(actor: Actor) -> Actor:
    """The same person in the super portal, where administrators see and change everything."""
    require_administrator(actor)
    return replace(actor, portal="super")


def require_administrator(actor: Actor) -> None:
    """`Forbidden` for everybody else."""
    user = db.session.get(User, actor.user_id)
    if user is None or not (user.is_admin and user.is_active):
        raise Forbidden("This is for administrators.")


@login_manager.user_loader
def load_user(cookie: str) -> sign_ins.SignedIn | None:
    """The user of a login cookie, as long as her sign-in lasts."""
    return sign_ins.of(cookie)
