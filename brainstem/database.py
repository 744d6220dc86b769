"""The engine: how the database that `DATABASE_URL` names is connected to, and what it is asked for.

SQLite is asked for what lets it answer as PostgreSQL does. PostgreSQL is asked to let go of what a
process holds that has died or hangs: another one, on whatever machine, must be able to go on.
"""

from __future__ import annotations

import logging
import os
import select
import sqlite3
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask
from psycopg import IsolationLevel, _queries
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError

from brainstem import turns
from brainstem.config import THREADS
from brainstem.core import counting, sql
from brainstem.extensions import db

log = logging.getLogger(__name__)

# All in seconds.
#: How long a transaction waits for another one that holds what it needs.
PATIENCE = 15
#: A statement that takes longer would outlast the patience of whoever waits for the answer.
LONGEST_STATEMENT = 30
#: A transaction in which nothing happens for so long belongs to a process that hangs, and holds locks.
LONGEST_IDLE = 60
#: How long a machine that does not answer is tried.
CONNECTING = 5
#: How long a request waits for a connection of its process's pool.
QUEUEING = 10
#: A connection is made anew after this: a server's process grows with what it has cached.
RECYCLED = 30 * 60

#: So many connections to SQLite keep what they have read of the file when they are not needed any more.
WARM = 3

#: The longest statement of which its spelling is kept, in letters, and its parameters.
LONGEST_KEPT, MOST_PARAMETERS = 20_000, 100


def init_app(app: Flask) -> None:
    """Make the engine and prepare it; nothing is connected to yet, so nothing crosses a fork."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    given = app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url) | given
    here = Path(app.instance_path)
    in_file = url.get_backend_name() == "sqlite" and not in_memory(url)
    if in_file and here == (here / url.database).parent:
        here.mkdir(mode=0o700, exist_ok=True)
    db.init_app(app)
    # After Flask-SQLAlchemy's own, so that it runs before it.
    app.teardown_appcontext(let_go)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            prepare_sqlite(db.engine)
        else:
            prepare_postgresql(db.engine)


def let_go(_error: BaseException | None) -> None:
    """End what a request has read, also where its connection has broken since its last statement.

    The answer is ready, and right: it is not to become a 500 because of what nobody needs any more.
    """
    try:
        db.session.close()
    except SQLAlchemyError as error:
        log.warning("A connection broke when it was given back: %s", getattr(error, "orig", error))
        db.session().invalidate()


def in_memory(url: URL) -> bool:
    """Whether nothing of it is kept when the process ends."""
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def engine_options(url: URL) -> dict[str, Any]:
    """What SQLAlchemy's `create_engine` is told."""
    if in_memory(url):
        # For tests, and for who tries the program from Python: there is but one connection, and it holds all.
        return {"hide_parameters": True}
    options: dict[str, Any] = {
        # One for each thread that answers requests; a few more, while they are needed, for what goes on
        # in the background: an import has two, a look at a data storage one for a moment.
        "pool_size": THREADS,
        "max_overflow": 4,
        "pool_timeout": QUEUEING,
        # The same few connections work while there is little to do, and have at hand what they need; the
        # others can be recycled.
        "pool_use_lifo": True,
        # What goes into the log must not tell what people typed, passwords' hashes among it.
        "hide_parameters": True,
    }
    if url.get_backend_name() == "postgresql":
        options |= {
            "pool_recycle": RECYCLED,
            "connect_args": postgresql_arguments(url),
        }
    return options


def postgresql_arguments(url: URL) -> dict[str, Any]:
    """The parameters of a connection, but for those that `DATABASE_URL` has itself."""
    settings = {
        "statement_timeout": LONGEST_STATEMENT,
        "lock_timeout": PATIENCE,
        "idle_in_transaction_session_timeout": LONGEST_IDLE,
    }
    options = [f"-c {name}={round(value * 1000)}" for name, value in settings.items()]
    # A machine that lost its power says no farewell, and the server would keep its locks for hours.
    options += ["-c tcp_keepalives_idle=30", "-c tcp_keepalives_interval=10"]
    options += ["-c tcp_keepalives_count=3"]
    # To compile a statement takes 0.2 s; none of ours takes so long, also where the planner thinks so.
    options += ["-c jit=off"]
    # A statement that is asked again is planned once; else the larger ones are planned anew each time, which
    # takes longer than they do. Where a plan depends on what is asked for: `planned_anew`.
    options += ["-c plan_cache_mode=force_generic_plan"]
    arguments = {
        "application_name": "brainstem",
        "connect_timeout": CONNECTING,
        # The same the other way round: a server that has gone is noticed within half a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    wanted = {name: value for name, value in arguments.items() if name not in url.query}
    # The later ones count: those of the address.
    given = url.query.get("options", "")
    return wanted | {"options": " ".join([*options, *([given] if given else [])])}


def prepare_postgresql(engine: Engine) -> None:
    """Use no connection that the server has closed meanwhile: after a restart, nobody sees an error.
    Transactions begin as PostgreSQL's usually do; and what is `planned_anew` gets a plan of its own.
    """

    # Psycopg keeps how it spells a statement for the server, but of no long ones: those of a search, with all
    # rights 16,000 letters and 40 parameters, it would read through each time, which takes a millisecond.
    _queries.MAX_CACHED_STATEMENT_LENGTH = LONGEST_KEPT
    _queries.MAX_CACHED_STATEMENT_PARAMS = MOST_PARAMETERS

    @event.listens_for(engine, "checkout")
    def look(connection: psycopg.Connection, _record, _proxy) -> None:
        # A connection at rest has nothing to say; one that has was ended. Asking the kernel takes some
        # 2 µs, SQLAlchemy's pre-ping, which asks the server itself, 150.
        if connection.closed or _says_something(connection.fileno()):
            raise InvalidatePoolError("The server has ended this connection")

    @event.listens_for(engine, "connect")
    def begin_anew(_connection, _record) -> None:
        counting.forget(engine)

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        # As PostgreSQL usually does; `_read_one_moment` comes after it.
        _isolate(connection, None)

    @event.listens_for(engine, "rollback")
    def roll_back(connection) -> None:
        # Past psycopg, which would forget all prepared statements, as they might name tables that the
        # rollback takes back: none of ours does. To plan them anew took half of the time of reading a record.
        if connection.invalidated:  # it has broken, and nothing of it is left
            return
        driver = connection.connection.dbapi_connection
        if driver.info.transaction_status == TransactionStatus.INTRANS:
            # Where the connection has broken, psycopg's own rollback says so.
            with suppress(psycopg.Error):
                driver.pgconn.exec_(b"ROLLBACK")

    @event.listens_for(engine, "before_cursor_execute")
    def plan(connection, _cursor, _statement, _values, context, _many) -> None:
        if context.execution_options.get("planned_anew"):
            _plan_by(connection, "force_custom_plan")

    @event.listens_for(engine, "after_cursor_execute")
    def planned(connection, _cursor, _statement, _values, context, _many) -> None:
        if context.execution_options.get("planned_anew"):
            _plan_by(connection, "force_generic_plan")


def _plan_by(connection: Connection, mode: str) -> None:
    """Until the transaction ends, at most."""
    driver = connection.connection.dbapi_connection
    driver.execute(f"SET LOCAL plan_cache_mode = {mode}", prepare=False)


def _says_something(socket: int) -> bool:
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def prepare_sqlite(engine: Engine) -> None:
    """Foreign keys, the write-ahead log, full synchronisation, transactions as we begin them; and files that
    their owner alone can read.
    """

    @event.listens_for(engine, "do_connect")
    def make(_dialect, _record, _arguments, _options) -> None:
        # SQLite would make it for everybody to read. Its logs beside it get the mode that it has. One that is
        # there is never opened here: closing it would end the locks that this process has on it.
        name = engine.url.database or ":memory:"
        if not name.startswith((":", "file:")):
            # What else is wrong SQLite says itself.
            with suppress(OSError):
                os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    @event.listens_for(engine, "connect")
    def connect(connection, _record) -> None:
        # The driver would begin transactions late, at the first change: `begin` below does it.
        connection.isolation_level = None
        # SQLite's own lower() knows ASCII only.
        connection.create_function("unicode_lower", 1, unicode_lower, deterministic=True)
        # Nor has it numbers of more than some 16 digits: see `sql.json_plain`.
        connection.create_function("plain_number", 1, plain, deterministic=True)
        connection.create_function("compare_numbers", 2, compare_numbers, deterministic=True)
        set_up_sqlite(connection)

    def rest(connection, _record) -> None:
        # While many work, those that are done first are not needed again before the others: what they have
        # read of the file is of use to nobody. Of a worker's 154 MB with 100,000 sessions, these are 6.
        if connection is not None and engine.pool.checkedout() > WARM:
            connection.execute("PRAGMA shrink_memory")

    if not in_memory(engine.url):
        event.listen(engine, "checkin", rest)

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        # A transaction that reads first and writes later may fail half-way when another one wrote
        # in between; one that is going to write takes the lock at once and waits its turn.
        options = connection.get_execution_options()
        if options.get("write"):
            turns.begin(connection, 0 if options.get("at_once") else PATIENCE)
        else:
            # Past SQLAlchemy, which takes longer: this asks the file nothing yet.
            connection.connection.dbapi_connection.execute("BEGIN")


@event.listens_for(db.session, "after_begin")
def _read_one_moment(_session, _transaction, connection) -> None:
    """Let all that a request reads on PostgreSQL be of one moment, as it is on SQLite.

    A list takes several statements; in between, somebody moves or deletes what the first one found. An
    operation that writes goes on seeing, statement by statement, what others have stored.
    """
    write = connection.get_execution_options().get("write")
    if connection.dialect.name == "postgresql" and not write:
        _isolate(connection, IsolationLevel.REPEATABLE_READ)


def _isolate(connection: Connection, level: IsolationLevel | None) -> None:
    # For the BEGIN that the driver sends with the first statement: this itself asks the server nothing.
    driver = connection.connection.dbapi_connection
    if driver.isolation_level != level:
        driver.isolation_level = level


def set_up_sqlite(connection: sqlite3.Connection) -> None:
    """What a connection is told, and is to know again after it was told otherwise."""
    for pragma in (
        f"busy_timeout={round(PATIENCE * 1000)}",
        "foreign_keys=ON",
        "journal_mode=WAL",
        "synchronous=FULL",
        # In KiB: the pages of the usual lists of 100,000 sessions, which take twice as long with 2,000.
        "cache_size=-8000",
        # In bytes, for all connections of the process: where they are many, they get by with less.
        f"soft_heap_limit={32 * 1024 * 1024}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def unicode_lower(text: str | None) -> str | None:
    """Lower case for every alphabet, as PostgreSQL's ICU collations do."""
    return None if text is None else text.lower()


def _one(written: str) -> str:
    """The number of which SQLite says `[22.0,22.0]`."""
    return written[1:].partition(",")[0]


def plain(written: str) -> str:
    """See `sql.json_plain`."""
    return sql.plain_number(_one(written))


def compare_numbers(written: str, given: str) -> int:
    """See `sql.json_compared`."""
    first, second = Decimal(_one(written)), Decimal(given)
    return (first > second) - (first < second)
