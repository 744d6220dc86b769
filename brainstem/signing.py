"""The key that signs cookies, and from which limits and the set-up code follow: one for all processes.

`SECRET_KEY` in the environment wins. Without it, the key that this machine keeps in a file is the one on
SQLite, where there is but one machine; on PostgreSQL it is in the database, so that it is the same on all
machines that use it. The first one that needs it makes it, or gives the one that it kept in its file so far.

Whoever can read the database can sign cookies then; she can read all records anyway, and become anyone for
as long as she knows it. A lab that wants these apart sets `SECRET_KEY`. Backups and exports leave it out:
whoever steals one signs nothing for the server that runs. A database that was restored gets a new one, which
servers that run meanwhile do not know: they have to be started again.
"""

from __future__ import annotations

import secrets

from flask import Flask, current_app, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from brainstem import config
from brainstem.core.columns import LIVE, text_type
from brainstem.extensions import db

NAME = "signing key"

#: What is asked all day long is answered also while the database is away, and then at once.
WITHOUT_SESSION = ("/healthz", "/readyz")

#: Where a request keeps why there is no key.
FAILED = "brainstem.no_signing_key"


class Secret(db.Model):
    """What only the program itself is to know."""

    __tablename__ = "secret"
    __table_args__ = {"info": LIVE}

    name: Mapped[str] = mapped_column(text_type(50), primary_key=True)
    value: Mapped[str] = mapped_column(text_type(200))


class SignedSessions(SecureCookieSessionInterface):
    """Sessions as Flask keeps them; what signs them is made once for a key.

    Flask makes it for each request: of a script's, which has no session, that took a twentieth.
    """

    def __init__(self) -> None:
        self._made: tuple[str | bytes | None, URLSafeTimedSerializer | None] = (None, None)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        key, made = self._made
        if key != app.secret_key or made is None:
            made = super().get_signing_serializer(app)
            self._made = (app.secret_key, made)
        return made


class KeyInDatabase(SignedSessions):
    """Sessions whose key is fetched when the first one is opened: before there is a table for it, and before
    processes are forked, nothing is asked of the database.

    Without the key a request gets a session that is empty and takes nothing. What needs none goes on with it;
    to everything else `stop_without_key` says what was wrong.
    """

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        # Which view a request is for is not known yet.
        if request.path.rstrip("/") in WITHOUT_SESSION:
            return None
        try:
            load(app)
        except SQLAlchemyError as error:
            request.environ[FAILED] = error
            return None
        return super().get_signing_serializer(app)


def stop_without_key() -> None:
    """Answer as to anything else that the database refuses: here errors are handled, where the session is
    opened they are not."""
    error = request.environ.get(FAILED)
    # The page that says it has its styles.
    if error and request.endpoint not in ("static", "bootstrap.static"):
        raise error


def init_app(app: Flask) -> None:
    """Sign with the key that the settings give, or else with the one in the database."""
    app.session_interface = SignedSessions()
    if not app.config["SECRET_KEY"]:
        app.session_interface = KeyInDatabase()
        app.before_request(stop_without_key)


def key() -> bytes:
    """The signing key."""
    load(current_app._get_current_object())
    return str(current_app.config["SECRET_KEY"]).encode()


def load(app: Flask) -> None:
    """Fetch the key, where it is not known yet."""
    if not app.config["SECRET_KEY"]:
        app.config["SECRET_KEY"] = _stored() or _made()


def _stored() -> str | None:
    with db.engine.connect() as connection:
        return connection.scalar(select(Secret.value).where(Secret.name == NAME))


def _made() -> str:
    path = config.INSTANCE / "secret_key"
    value = path.read_text().strip() if path.is_file() else secrets.token_urlsafe(48)
    try:
        with db.engine.connect().execution_options(write=True) as connection, connection.begin():
            connection.execute(insert(Secret).values(name=NAME, value=value))
    except IntegrityError:  # another process was first
        return _stored()
    return value
