"""The settings, their defaults, and where they come from: environment variables (contract §14)."""

import os
import secrets
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

ROOT = Path(__file__).resolve().parent.parent

MEBIBYTE = 1024 * 1024


class SettingsError(Exception):
    """A setting that the program can't start with; the message says how to put it right."""


class Config:
    """What a lab may set, then what the program sets for itself."""

    def __init__(self, instance: Path) -> None:
        env = os.environ.get
        self.SQLALCHEMY_DATABASE_URI = database_url(env("DATABASE_URL") or "", instance)
        self.SECRET_KEY = env("SECRET_KEY") or kept_secret(instance / "secret_key")
        self.LAB_TIMEZONE = env("LAB_TIMEZONE") or "UTC"
        self.LAB_NAME = env("LAB_NAME") or "BrainSTEM"
        # Folders, with colons between them, in which the server looks whether a session's data is there.
        self.DATA_ROOTS = [root for root in (env("DATA_ROOTS") or "").split(":") if root]

        # One mebibyte a request, in JSON (contract §10) and in forms.
        self.MAX_CONTENT_LENGTH = MEBIBYTE
        self.MAX_FORM_MEMORY_SIZE = MEBIBYTE

        self.SESSION_COOKIE_NAME = "brainstem"
        self.SESSION_COOKIE_HTTPONLY = True
        self.SESSION_COOKIE_SAMESITE = "Lax"
        self.REMEMBER_COOKIE_NAME = "brainstem_remember"
        self.REMEMBER_COOKIE_HTTPONLY = True
        self.REMEMBER_COOKIE_SAMESITE = "Lax"
        # A form may stay open all day: its token lives as long as the sign-in.
        self.WTF_CSRF_TIME_LIMIT = None

        self.BOOTSTRAP_SERVE_LOCAL = True
        # Styles, scripts and icons need not be asked for again on every page. In seconds.
        self.SEND_FILE_MAX_AGE_DEFAULT = 600


def database_url(url: str, instance: Path) -> str:
    """The SQLAlchemy URL for `DATABASE_URL`, with the driver that the program brings."""
    if not url:
        return f"sqlite:///{instance / 'brainstem.sqlite3'}"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(
            "DATABASE_URL is not a database address; "
            "for example postgresql+psycopg://user:password@host/database"
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("postgresql+psycopg", "sqlite"):
        raise SettingsError(
            f"DATABASE_URL names {parsed.drivername}; use sqlite:// or postgresql+psycopg://"
        )
    return parsed.render_as_string(hide_password=False)


def kept_secret(path: Path) -> str:
    """The secret kept in `path`, made at the first start; only its owner can read the file.

    Several workers may start at once: the file appears whole or not at all, and the first one wins.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def check(config: dict) -> None:
    """Refuse to start with settings that would fail later (`SettingsError`)."""
    try:
        ZoneInfo(config["LAB_TIMEZONE"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(
            f"LAB_TIMEZONE is {config['LAB_TIMEZONE']!r}, which is no time zone; "
            "for example Europe/Copenhagen or America/New_York"
        ) from None
    for root in config["DATA_ROOTS"]:
        # Not the whole computer either: whoever describes a data storage learns what lies in a root.
        if not root.startswith("/") or os.path.normpath(root).strip("/") == "":
            raise SettingsError(
                f"DATA_ROOTS names {root!r}; "
                "give folders by their whole paths, with colons between them: /mnt/data:/mnt/archive"
            )
