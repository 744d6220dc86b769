"""What the database can't do for a while: recognised by its own codes, never by the text of an error.

An outage passes: the disk gets room again, the server comes back, whoever holds the lock lets go. It is
answered with 503, words that say what it is, and when to ask again. Everything else that a database
refuses is a defect of the program, and stays one (500).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

import psycopg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, TimeoutError


@dataclass(frozen=True)
class Outage:
    """A state of the database; `text` is for whoever reads the answer, `retry_after` is in seconds."""

    title: str
    text: str
    retry_after: int


AWAY = Outage(
    "The database can’t be reached",
    "The database does not answer just now. It is tried anew with every request.",
    5,
)
BUSY = Outage(
    "The database is busy",
    "Something long is being stored, or very many are at work at once.",
    5,
)
FULL = Outage(
    "The disk is full",
    "The database has no room left, so nothing can be stored; reading still works. "
    "Whoever looks after the server has to make room.",
    60,
)
READ_ONLY = Outage(
    "Nothing can be changed just now",
    "The database can only be read at the moment; reading still works.",
    30,
)
UNCERTAIN = Outage(
    "It is not certain whether this was stored",
    "The database went away in the very moment of storing. Look whether it is there before you send it "
    "again.",
    5,
)


class CommitUnknown(SQLAlchemyError):
    """The connection was lost while a transaction ended: it may be stored, or not."""


#: SQLite's primary result codes.
OF_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_PROTOCOL: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_PERM: READ_ONLY,
    sqlite3.SQLITE_IOERR: AWAY,
    sqlite3.SQLITE_CANTOPEN: AWAY,
}

#: PostgreSQL's codes, whole or by their class: https://www.postgresql.org/docs/current/errcodes-appendix.html
OF_POSTGRESQL = {
    "08": AWAY,  # connection exceptions
    "25006": READ_ONLY,  # a hot standby, or default_transaction_read_only
    "25P03": BUSY,  # idle_in_transaction_session_timeout
    "25P04": BUSY,  # transaction_timeout
    "40": BUSY,  # deadlocks and serialisation failures, after all tries
    "53": BUSY,  # too many connections, no memory
    "53100": FULL,
    "55P03": BUSY,  # lock_timeout
    "57014": BUSY,  # statement_timeout
    "57P": AWAY,  # shut down, starting, dropped
    "58": AWAY,  # the server's own disk and system
}


def of(error: BaseException | None) -> Outage | None:
    """The outage that an error tells of; None for a defect."""
    if isinstance(error, CommitUnknown):
        return UNCERTAIN
    if isinstance(error, TimeoutError):  # all connections of the pool are in use
        return BUSY
    if not isinstance(error, DBAPIError | psycopg.Error):
        return None
    original = getattr(error, "orig", error)
    if (code := getattr(original, "sqlite_errorcode", None)) is not None:
        return OF_SQLITE.get(code & 0xFF)
    state = getattr(original, "sqlstate", None) or ""
    for known in (state, state[:3], state[:2]):
        if known in OF_POSTGRESQL:
            return OF_POSTGRESQL[known]
    # Without a code it is the client that speaks: it can't connect, or has lost its connection.
    lost = not state and isinstance(original, psycopg.OperationalError)
    return AWAY if lost or getattr(error, "connection_invalidated", False) else None
