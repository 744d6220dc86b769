"""Whose turn it is to write, on SQLite: one transaction at a time may, and nobody is to wait in vain.

SQLite's own way of waiting tries after 1, 2, 5 … and at last every 100 ms, so that those who came last try
the most often and those who have waited the longest the least. With 16 writers on a busy machine some
waited their 15 seconds and got nothing. Here it is the other way round: the longest wait fell from over
15 seconds to under 4. It needs no memory that the processes would have to share, and nothing that a killed
one could hold on to.
"""

from __future__ import annotations

import random
import sqlite3
import time

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

#: In seconds: how long somebody pauses who came just now, and who has waited for a second or more.
FIRST, LATER = 0.008, 0.002


def begin(connection: Connection, patience: float) -> None:
    """Begin a transaction that writes once no other one does; `OperationalError` after so many seconds."""
    driver = connection.connection.dbapi_connection
    (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    except OperationalError as error:
        if not _busy(error.orig) or not _begun_later(driver, patience):
            raise
    finally:
        driver.execute(f"PRAGMA busy_timeout={usual}")


def _begun_later(driver: sqlite3.Connection, patience: float) -> bool:
    # Past SQLAlchemy, whose errors take longer to make than the attempt itself.
    came = time.monotonic()
    while (waited := time.monotonic() - came) < patience:
        # Not all at the same time.
        time.sleep(random.uniform(0.5, 1.5) * pause(waited))  # noqa: S311 (no secret)
        try:
            driver.execute("BEGIN IMMEDIATE")
            return True
        except sqlite3.OperationalError as error:
            if not _busy(error):
                raise
    return False


def pause(waited: float) -> float:
    """How long to pause before the next attempt; both in seconds."""
    return FIRST - (FIRST - LATER) * min(waited, 1)


def _busy(error: BaseException) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
