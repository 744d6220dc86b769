"""Device login (contract §12, after RFC 8628): a program gets a token without seeing a password.

The program asks for two codes. The user opens the approval page in a browser, types or follows the
short one, and approves; the program, which knows the long one, asks until it gets its token. The
token is made when it is handed out, so that nothing but hashes is ever stored.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any

from marshmallow import EXCLUDE, ValidationError, fields
from sqlalchemy import UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core.permissions import Actor
from brainstem.core.schemas import Flag, Row, Text
from brainstem.core.times import utcnow
from brainstem.core.transactions import operation
from brainstem.errors import TooManyTries
from brainstem.extensions import db
from brainstem.records import audit, limits, tokens
from brainstem.records.audit import Event
from brainstem.records.base import LIVE, Record, reference, text
from brainstem.records.users import User

#: How long a code can be approved, and how often a program is to ask; also what it is told.
VALID = timedelta(minutes=15)
INTERVAL = timedelta(seconds=5)
#: So many logins may wait from one address: anyone can ask for one, and each takes up a code.
MOST_WAITING = 100

# No vowels, so no words; nothing that looks like something else: I and 1, O and 0, S and 5, Z and 2,
# B and 8. Together 342 million codes, of which one may try ten in 15 minutes.
LETTERS = "CDFGHJKLMNPQRTVWX"
DIGITS = "23456789"

PENDING, APPROVED, DENIED, USED = "pending", "approved", "denied", "used"


class DeviceLogin(Record):
    """A program that waits for a user's word. Once it is `used`, its token was handed out."""

    __tablename__ = "device_login"
    __table_args__ = (
        UniqueConstraint("device_hash"),
        UniqueConstraint("user_code"),
        {"info": LIVE},
    )

    device_hash: Mapped[str] = text(64)
    user_code: Mapped[str] = text(9)
    client_name: Mapped[str] = text(100)
    address: Mapped[str] = text(100)
    status: Mapped[str] = text(10)
    read_only: Mapped[bool] = mapped_column(default=False)
    #: Who approved or denied it.
    user_id: Mapped[uuid.UUID | None] = reference(
        "user", ondelete="CASCADE", nullable=True, index=False
    )

    @property
    def expires(self) -> datetime:
        """Until when it can be approved and its token be fetched."""
        return self.created_date + VALID


class ClientName(Text):
    """What a program calls itself, on one line and without characters that would hide or turn text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        name = super()._deserialize(value, attr, data, **kwargs)
        return " ".join("".join(c if c.isprintable() else " " for c in name).split())


class Start(Row):
    """What a program sends to begin; what else it sends is of no interest."""

    class Meta(Row.Meta):
        unknown = EXCLUDE

    client_name = ClientName(most=100, allow_none=True)


class Poll(Row):
    """What a program sends to ask for its token."""

    class Meta(Row.Meta):
        unknown = EXCLUDE

    device_code = fields.String(required=True)


class Code(Row):
    """The form for the code that the program shows."""

    user_code = Text(required=True, metadata={"label": "Code", "help": "Such as CDFG-2345."})


class Answer(Row):
    """The form to approve or deny."""

    user_code = Text(
        metadata={
            "label": "Code",
            "help": "Approve only what you started yourself just now, and only if it shows this very code.",
        }
    )
    read_only = Flag(
        load_default=False,
        metadata={"help": "It can then look at your records, but change nothing."},
    )


@operation
def start(client_name: str | None, address: str | None) -> tuple[DeviceLogin, str]:
    """Begin a login for a program at this address; the device code itself is known only now."""
    now = utcnow()
    db.session.execute(delete(DeviceLogin).where(DeviceLogin.created_date <= now - VALID))
    waiting = select(func.count(), func.min(DeviceLogin.created_date)).where(
        DeviceLogin.address == _short(address), DeviceLogin.status == PENDING
    )
    number, first = db.session.execute(waiting).one()
    if number >= MOST_WAITING:
        raise TooManyTries(max(1, int((first + VALID - now).total_seconds())))
    device_code = secrets.token_urlsafe(32)
    login = DeviceLogin(
        device_hash=_hash(device_code),
        user_code=_new_user_code(),
        client_name=client_name or "unknown client",
        address=_short(address),
        status=PENDING,
        created_date=now,
    )
    db.session.add(login)
    db.session.flush()
    return login, device_code


def poll(device_code: str) -> dict[str, str]:
    """How a login stands, as the program is told; with its token the first time after the approval.

    A code that nobody knows (any more) is answered as one that is expired.
    """
    login = db.session.scalar(
        select(DeviceLogin).where(DeviceLogin.device_hash == _hash(device_code))
    )
    # Programs ask every few seconds: only the one answer that writes takes a writing transaction.
    if login is not None and login.status == APPROVED and login.expires > utcnow():
        return _hand_out(login.id)
    return _standing(login)


@operation
def _hand_out(login_id: uuid.UUID) -> dict[str, str]:
    login = _locked(login_id)
    if login is None or login.status != APPROVED:
        return _standing(login)
    if not db.session.get(User, login.user_id, with_for_update=True).is_active:
        # Deactivated since she approved it: nothing new is made in her name.
        login.status = DENIED
        return _standing(login)
    login.status = USED
    _, secret = tokens.issue(
        login.user_id, login.client_name, read_only=login.read_only, how="approved in the browser"
    )
    return {"status": "success", "token": secret}


def _standing(login: DeviceLogin | None) -> dict[str, str]:
    if login is None or login.expires <= utcnow():
        return {"error": "expired_token"}
    if login.status == PENDING:
        return {"status": "authorization_pending"}
    return {"error": "access_denied" if login.status == DENIED else "already_used"}


def asked(actor: Actor, typed: str, address: str | None) -> DeviceLogin:
    """The login that a code belongs to. `ValidationError` for a wrong code, which counts as a failed
    try, and `TooManyTries` after too many."""
    sources = {"account": f"code by {actor.user_id}", "address": f"code from {address}"}
    limits.refuse(*sources.values())
    login = db.session.scalar(select(DeviceLogin).where(DeviceLogin.user_code == _as_code(typed)))
    if login is None:
        limits.failed("the code of a program", sources, actor, about=actor.user_id)
    if login is None or login.expires <= utcnow():
        text = "No program waits with this code. It may be mistyped, or older than 15 minutes."
        raise ValidationError({"user_code": [text]})
    return login


@operation
def answer(actor: Actor, login_id: uuid.UUID, *, approve: bool, read_only: bool = False) -> None:
    """Approve or deny a login; the first answer stands."""
    login = _locked(login_id)
    if login is None or login.status != PENDING or login.expires <= utcnow():
        return
    login.status = APPROVED if approve else DENIED
    login.read_only = approve and read_only
    login.user_id = actor.user_id
    audit.note(
        Event.DEVICE_APPROVED if approve else Event.DEVICE_DENIED,
        actor,
        kind="device_login",
        target=login.id,
        name=login.client_name,
        read_only=login.read_only,
    )


def _locked(login_id: uuid.UUID) -> DeviceLogin | None:
    return db.session.get(DeviceLogin, login_id, with_for_update=True, populate_existing=True)


def _new_user_code() -> str:
    letters = "".join(secrets.choice(LETTERS) for _ in range(4))
    return f"{letters}-{''.join(secrets.choice(DIGITS) for _ in range(4))}"


def _as_code(typed: str) -> str:
    """A code as it is kept, whatever case, blanks and dashes it was typed with."""
    plain = "".join(filter(str.isalnum, typed)).upper()
    return f"{plain[:4]}-{plain[4:]}"


def _hash(device_code: str) -> str:
    return hashlib.sha256(device_code.encode("utf-8", "replace")).hexdigest()


def _short(address: str | None) -> str:
    return (address or "")[:100]
