"""How long the common requests take in a database with many sessions: `make bench`.

Each request goes through the whole program, without the network, and is repeated; the table shows
the median and the slowest time in milliseconds, and how many SQL statements one request took.
SQLite first, then PostgreSQL where it is installed.
"""

import itertools
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event

from brainstem import create_app
from brainstem.extensions import db
from tests.databases import PostgresCluster, Unavailable

SESSIONS = int(os.environ.get("BENCH_SESSIONS", "1000"))
REPEATS = 30
EMAIL, PASSWORD = "bench@example.org", "a password for the benchmarks"


class Lab:
    """A database with one user, two projects, three data storages and many sessions."""

    def __init__(self, url: str) -> None:
        self.app = create_app({"SQLALCHEMY_DATABASE_URI": url, "SECRET_KEY": "bench"})
        with self.app.app_context():
            upgrade()
        self.client = signed_in(self.app)
        self.projects = [self.create("stem/project", name=f"Project {n}") for n in range(2)]
        self.storages = [
            self.create("personal_attributes/datastorage", name=f"Storage {n}") for n in range(3)
        ]
        self.serial = itertools.count()
        self.sessions = [self.create_session() for _ in range(SESSIONS)]

    def create(self, address: str, **payload: object) -> str:
        """Create a record; its id."""
        answer = self.client.post(f"/api/private/{address}/", json=payload)
        if answer.status_code != 201:
            sys.exit(f"{address} could not be created: {answer.get_data(as_text=True)}")
        return next(iter(answer.json.values()))["id"]

    def create_session(self) -> str:
        n = next(self.serial)
        return self.create(
            "stem/session",
            name=f"Session {n:06}",
            description="A *typical* description, a line or two long. " * 3,
            projects=self.projects[: 1 + n % 2],
            date_time=f"2026-{1 + n % 12:02}-{1 + n % 28:02}T10:00:00Z",
            datastorage=self.storages,
            extra_fields={"room": f"B{n % 20}", "depth": n % 7 + 0.5, "probes": n % 4},
            download_links=[{"repository": "DANDI", "url": f"https://example.org/{n}"}],
            tags=["pilot", f"rig {n % 5}"],
        )


def signed_in(app: Flask) -> FlaskClient:
    """A client that sends the token of a new user."""
    runner = app.test_cli_runner()
    names = ["--first-name", "Ben", "--last-name", "Ch", "--password-stdin"]
    made = runner.invoke(args=["user", "add", EMAIL, *names], input=PASSWORD)
    token = runner.invoke(args=["token", "add", EMAIL, "bench"])
    if made.exit_code or token.exit_code:
        sys.exit(f"No user for the benchmarks: {made.output}{token.output}")
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token.output.strip()}"
    return client


def requests(lab: Lab) -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    client, sessions = lab.client, itertools.cycle(lab.sessions)

    def get(query: str) -> Callable[[], object]:
        return lambda: client.get(f"/api/private/stem/session/{query}")

    def change(**payload: object) -> object:
        return client.patch(f"/api/private/stem/session/{next(sessions)}/", json=payload)

    turns = itertools.cycle([lab.storages[::-1], lab.storages])
    texts = itertools.count()
    return {
        "list of 20": get(""),
        "list of 100": get("?limit=100"),
        "list of 20, the last page": get(f"?offset={SESSIONS - 20}"),
        "list of 20, latest first": get("?sort[]=-date_time"),
        "find by a part of the name": get("?filter{name.icontains}=99"),
        "one session": lambda: client.get(f"/api/private/stem/session/{next(sessions)}/"),
        "create a session": lab.create_session,
        "change a description": lambda: change(description=f"text {next(texts)}"),
        "reorder data storages": lambda: change(datastorage=next(turns)),
    }


def measure(lab: Lab, title: str) -> None:
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    with lab.app.app_context():
        event.listen(db.engine, "before_cursor_execute", count)
    print(f"\n{title}, {SESSIONS} sessions")
    print(f"{'':30}{'median ms':>10}{'slowest':>10}{'SQL':>6}")
    for name, call in requests(lab).items():
        call()
        times, statements = [], 0
        for _ in range(REPEATS):
            begin = time.perf_counter()
            answer = call()
            times.append((time.perf_counter() - begin) * 1000)
            if getattr(answer, "status_code", 200) != 200:
                sys.exit(f"{name}: {answer.get_data(as_text=True)}")
        median, slowest = statistics.median(times), max(times)
        print(f"{name:30}{median:10.1f}{slowest:10.1f}{statements / REPEATS:6.0f}")
    with lab.app.app_context():
        db.engine.dispose()


with tempfile.TemporaryDirectory() as directory:
    measure(Lab(f"sqlite:///{Path(directory) / 'bench.sqlite3'}"), "SQLite")
try:
    cluster = PostgresCluster.start()
except Unavailable as reason:
    print(f"\nNot measured on PostgreSQL: {reason}")
else:
    try:
        measure(Lab(cluster.create_database("bench")), "PostgreSQL")
    finally:
        cluster.stop()
