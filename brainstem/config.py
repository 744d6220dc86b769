"""The settings: environment variables, what each must be, and what the program sets for itself."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from brainstem import logs

ROOT = Path(__file__).resolve().parent.parent
INSTANCE = ROOT / "instance"

MEBIBYTE = 1024 * 1024
#: Characters of a key that nobody guesses.
LEAST_SECRET = 16
MOST_LAB_NAME = 60
#: Requests that a server process answers at a time; each may need a connection to the database.
THREADS = 8

HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.I
)


class SettingsError(Exception):
    """Settings that the program can't start with: a line for each, which says how to put it right."""


@dataclass(frozen=True)
class Setting:
    """An environment variable; README.md says what it means.

    `read` turns its text into the value, or raises a `ValueError` that goes on after the name: "is 'x'; …".
    """

    name: str
    read: Callable[[str], Any]
    default: str = ""
    #: What the value is called in Flask's configuration.
    key: str = ""


def read(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What the environment says, or `SettingsError` with everything that is wrong in it.

    A variable that is empty is one that is not set.
    """
    values, wrong = {}, []
    for setting in SETTINGS:
        try:
            values[setting.key or setting.name] = setting.read(
                environ.get(setting.name) or setting.default
            )
        except ValueError as error:
            wrong.append(f"{setting.name} {error}")
    if not wrong and not values["SECRET_KEY"]:
        try:
            values["SECRET_KEY"] = _kept_here(values["SQLALCHEMY_DATABASE_URI"])
        except ValueError as error:
            wrong.append(f"SECRET_KEY {error}")
    if wrong:
        raise SettingsError("\n".join(wrong))
    return values


def _whole(smallest: int, largest: int) -> Callable[[str], int]:
    def reader(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,6}", text) or not smallest <= int(text) <= largest:
            raise ValueError(f"is {text!r}; it must be a whole number from {smallest} to {largest}")
        return int(text)

    return reader


def _one_of(*words: str) -> Callable[[str], str]:
    def reader(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"is {text!r}; it must be one of {', '.join(words)}")
        return text.lower()

    return reader


def _database(text: str) -> str:
    """The SQLAlchemy URL, with the driver that the program brings; a password in it is not told."""
    try:
        parsed = make_url(text or f"sqlite:///{INSTANCE / 'brainstem.sqlite3'}")
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not a database address; for example postgresql+psycopg://user:password@host/database"
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        _check_file(parsed.database)
    elif parsed.drivername != "postgresql+psycopg":
        raise ValueError(f"names {parsed.drivername}; use sqlite:// or postgresql+psycopg://")
    return parsed.render_as_string(hide_password=False)


def _check_file(database: str | None) -> None:
    if database in (None, "", ":memory:"):
        raise ValueError(
            "names no file, so nothing would be kept; for example sqlite:////srv/lab.db"
        )
    path = INSTANCE / database
    if path.is_dir():
        raise ValueError(f"names {path}, which is a folder; name a file in it")
    if path.parent != INSTANCE and not path.parent.is_dir():
        raise ValueError(f"names a file in {path.parent}, which is no folder; make it first")


def _kept_here(database: str) -> str | None:
    """This machine's own key; None where several machines share a database, which has it: signing.py."""
    on_sqlite = make_url(database).drivername == "sqlite"
    return kept_secret(INSTANCE / "secret_key") if on_sqlite else None


def _secret(text: str) -> str:
    if text and len(text) < LEAST_SECRET:
        raise ValueError(
            f"is too short, so it could be guessed; at least {LEAST_SECRET} characters, made by "
            "chance, for example by: openssl rand -base64 33"
        )
    return text


def _host(text: str) -> str:
    try:
        ip_address(text)
    except ValueError:
        if not HOST_NAME.fullmatch(text):
            raise ValueError(
                f"is {text!r}; it must be an address of this computer, for example 127.0.0.1, or 0.0.0.0 "
                "for all of them"
            ) from None
    return text


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"is {text!r}, which is no time zone; for example Europe/Copenhagen or America/New_York"
        ) from None
    return text


def _lab_name(text: str) -> str:
    text = text.strip()
    if not 1 <= len(text) <= MOST_LAB_NAME or not text.isprintable():
        raise ValueError(f"must be one line of at most {MOST_LAB_NAME} characters")
    return text


def _data_roots(text: str) -> list[str]:
    roots = [root for root in text.split(":") if root]
    for root in roots:
        # Not the whole computer either: whoever describes a data storage learns what lies in a root.
        if not root.startswith("/") or os.path.normpath(root).strip("/") == "":
            raise ValueError(
                f"names {root!r}; "
                "give folders by their whole paths, with colons between them: /mnt/data:/mnt/archive"
            )
    return roots


def _trusted_hosts(text: str) -> list[str] | None:
    hosts = [host.strip() for host in text.split(",") if host.strip()]
    for host in hosts:
        if not HOST_NAME.fullmatch(host.removeprefix(".")):
            raise ValueError(
                f"names {host!r}; give host names without http:// and port, with commas between them: "
                "brainstem.lab.example.org,localhost"
            )
    return hosts or None


SETTINGS = (
    Setting("DATABASE_URL", _database, key="SQLALCHEMY_DATABASE_URI"),
    Setting("SECRET_KEY", _secret),
    Setting("HOST", _host, "127.0.0.1"),
    Setting("PORT", _whole(0, 65535), "8000"),
    Setting("WEB_CONCURRENCY", _whole(1, 64), "2"),
    Setting("LAB_TIMEZONE", _timezone, "UTC"),
    Setting("LAB_NAME", _lab_name, "BrainSTEM"),
    # Folders in which the server looks whether a session's data is there.
    Setting("DATA_ROOTS", _data_roots),
    # How long the audit log keeps who signed in and who got which rights: see records/audit.py.
    Setting("AUDIT_DAYS", _whole(1, 36_500), "730"),
    # A sign-in ends after so many hours without use, unless one chose to stay signed in, and in any
    # case after so many days: a working day, and what NIST SP 800-63B asks of its level 1.
    Setting("SIGN_IN_HOURS", _whole(1, 720), "12"),
    Setting("SIGN_IN_DAYS", _whole(1, 365), "30"),
    Setting("TRUSTED_PROXIES", _whole(0, 10), "0"),
    # Flask has a setting of that name, and then no address at hand for the page that says so.
    Setting("TRUSTED_HOSTS", _trusted_hosts, key="HOST_NAMES"),
    Setting("LOG_LEVEL", _one_of(*logs.LEVELS), "warning"),
    Setting("LOG_FORMAT", _one_of(*logs.FORMATS), "text"),
)


class Fixed:
    """What no lab has to set."""

    # One mebibyte a request, in JSON (contract §10) and in forms.
    MAX_CONTENT_LENGTH = MEBIBYTE
    MAX_FORM_MEMORY_SIZE = MEBIBYTE

    # That they are sent over HTTPS alone, where it is HTTPS: see proxies.py.
    SESSION_COOKIE_NAME = "brainstem"
    SESSION_COOKIE_HTTPONLY = True
    SESSION_COOKIE_SAMESITE = "Lax"
    REMEMBER_COOKIE_NAME = "brainstem_remember"
    REMEMBER_COOKIE_HTTPONLY = True
    REMEMBER_COOKIE_SAMESITE = "Lax"
    # A form may stay open all day: its token lives as long as the sign-in.
    WTF_CSRF_TIME_LIMIT = None

    BOOTSTRAP_SERVE_LOCAL = True
    # Styles, scripts and icons need not be asked for again on every page. In seconds.
    SEND_FILE_MAX_AGE_DEFAULT = 600


def kept_secret(path: Path) -> str:
    """The secret kept in `path`, made at the first start; only its owner can read the file.

    Several workers may start at once: the file appears whole or not at all, and the first one wins.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_secret(path)
        return path.read_text().strip()
    except OSError as error:
        raise ValueError(
            f"is not set, and can't be kept in {path} ({error.strerror}); let this user "
            "write there, or set it"
        ) from None


def _make_secret(path: Path) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
