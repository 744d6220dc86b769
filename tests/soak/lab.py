"""A lab as it is in life: the server that `make run` starts, on a database of its own.

    with running("postgresql") as lab:
        lab.client().get("stem/session/")
        lab.kill(lab.workers()[0])

SQLite lies in a directory of its own; PostgreSQL is a cluster of its own, with the settings that keep
what was acknowledged. Nothing of either is left, however the tests end.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import select, text

from brainstem import create_app
from brainstem.extensions import db
from brainstem.records.users import User
from tests.databases import DURABLE, PostgresCluster
from tests.people import PASSWORD, Person
from tests.soak.client import Client, Gone

ROOT = Path(__file__).resolve().parent.parent.parent
EMAIL = "soak@lab.org"
SECRET = "signs the cookies of nobody"
START_SECONDS = 60
KINDS = ("sqlite", "postgresql")

# A line of input says that all is well; the end of the input, that the tests are gone.
KEEPER = 'read -r _ || kill -s KILL -- "-$1"'


@dataclass
class Process:
    """One process of a server; `memory` is what it holds of the machine's, in MB."""

    pid: int
    parent: int
    memory: float


class Lab:
    """A server with some workers, its database, and a user with a token."""

    def __init__(
        self, kind: str, directory: Path, cluster: PostgresCluster | None, workers: int
    ) -> None:
        self.kind, self.cluster, self.number = kind, cluster, workers
        self.database = directory / "lab.sqlite3"
        self.url = cluster.create_database("lab") if cluster else f"sqlite:///{self.database}"
        self.log = directory / "server.log"
        self.port = free_port()
        self.server: subprocess.Popen | None = None
        self.app = create_app({"SQLALCHEMY_DATABASE_URI": self.url, "SECRET_KEY": SECRET})
        with self.inside():
            upgrade()
        self.token = self._token()

    def person(self) -> Person:
        """The user, for requests to the application in this process."""
        with self.inside():
            user = db.session.scalar(select(User.id).where(User.email == EMAIL))
        return Person(self.app, EMAIL, user, self.token)

    def _token(self) -> str:
        runner = self.app.test_cli_runner()
        made = runner.invoke(
            args=["user", "add", EMAIL, "--admin", "--password-stdin"], input=PASSWORD
        )
        assert made.exit_code == 0, made.output
        made = runner.invoke(args=["token", "add", EMAIL, "soak"])
        assert made.exit_code == 0, made.output
        with self.inside():  # lets go of the commands' connections
            return made.output.strip()

    @contextmanager
    def inside(self) -> Iterator[Flask]:
        """The application on the lab's database, in this process; it holds no connection afterwards."""
        with self.app.app_context():
            try:
                yield self.app
            finally:
                db.session.remove()
                db.engine.dispose()

    def client(self, **options: float) -> Client:
        return Client(self.port, self.token, **options)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        names = {name: value for name, value in os.environ.items() if "MAKE" not in name}
        settings = {
            "DATABASE_URL": self.url,
            "SECRET_KEY": SECRET,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": str(self.number),
        }
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "python:brainstem.serve", "app:app"],
                cwd=ROOT,
                env=names | settings,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", str(self.server.pid)],
            stdin=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self.wait()

    def wait(self) -> None:
        """Wait until the server answers with what is in the database."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            with suppress(Gone), self.client(patience=5) as client:
                answer = client.get("stem/project/?limit=1")
                if answer.status == 200:
                    return
            if self.server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"The server does not answer:\n{self.said()[-3000:]}")
            time.sleep(0.02)

    def processes(self) -> list[Process]:
        """The server's processes, its master first."""
        return sorted(processes(self.server.pid), key=lambda each: each.pid != self.server.pid)

    def workers(self) -> list[Process]:
        return [each for each in self.processes() if each.parent == self.server.pid]

    def kill(self, *pids: int) -> None:
        """Kill some of the server's processes, or all of them, as a power cut would."""
        for pid in pids or [each.pid for each in self.processes()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def gone(self) -> None:
        """Wait until no process of a killed server is left: workers stop when they miss their master."""
        self.server.wait(30)
        deadline = time.monotonic() + 30
        while processes(self.server.pid):
            assert time.monotonic() < deadline, "The workers of a killed server go on."
            time.sleep(0.02)
        self._dismiss_keeper()

    def settled(self) -> None:
        """Wait until the database has ended whatever the killed processes had asked of it."""
        if self.cluster is None:
            return
        busy = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND state <> 'idle'"
        )
        deadline = time.monotonic() + 30
        with self.inside():
            while db.session.scalar(busy):
                db.session.rollback()
                assert time.monotonic() < deadline, "The database goes on with a killed request."
                time.sleep(0.02)

    def backends(self) -> list[int]:
        """The processes of PostgreSQL that work for the server."""
        mine = text(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid()"
        )
        with self.inside():
            return list(db.session.scalars(mine))

    def said(self) -> str:
        """What the server has printed and logged."""
        return self.log.read_text(errors="replace")

    def failures(self) -> list[str]:
        """Problems that its log tells: an error that no answer was prepared for."""
        return [f"the server's log has a traceback: {each}" for each in tracebacks(self.said())]

    def stop(self) -> None:
        """Stop the server as a service manager does, and by force where that does not help."""
        if self.server is None:
            return
        if self.server.poll() is None:
            self.server.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.server.wait(15)
        with suppress(ProcessLookupError):
            os.killpg(self.server.pid, signal.SIGKILL)
        self.gone()

    def _dismiss_keeper(self) -> None:
        with suppress(BrokenPipeError):
            self.keeper.stdin.write(b"\n")
        self.keeper.stdin.close()
        self.keeper.wait(10)


@contextmanager
def laid_out(kind: str, *, workers: int = 2, on: Path | None = None) -> Iterator[Lab]:
    """A lab whose server is not started. `Unavailable` where there is no PostgreSQL for it.

    SQLite lies `on` a file system where one is given.
    """
    directory = Path(tempfile.mkdtemp(prefix="brainstem-soak-", dir=on or "/tmp"))
    cluster = lab = None
    try:
        cluster = PostgresCluster.start(DURABLE) if kind == "postgresql" else None
        lab = Lab(kind, directory, cluster, workers)
        yield lab
    finally:
        if lab is not None:
            lab.stop()
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def running(kind: str, *, workers: int = 2, on: Path | None = None) -> Iterator[Lab]:
    """A lab whose server answers."""
    with laid_out(kind, workers=workers, on=on) as lab:
        lab.start()
        yield lab


def tracebacks(log: str) -> list[str]:
    """The errors at the end of the tracebacks in a log, which may be set in."""
    found = re.findall(r"^( *)Traceback.*\n(?:\1[ \t].*\n)*\1(\S.*)", log, re.M)
    return [error for _, error in found]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def processes(group: int) -> list[Process]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,pgid=,ppid=,rss=,stat="],
        capture_output=True,
        text=True,
        check=True,
    )
    found = []
    for line in listed.stdout.splitlines():
        pid, its_group, parent, memory, state = line.split()
        if int(its_group) == group and not state.startswith("Z"):
            found.append(Process(int(pid), int(parent), int(memory) / 1024))
    return found
