"""A PostgreSQL server for the tests: made when they start, gone when they end, however they end.

    cluster = PostgresCluster.start()          # raises Unavailable, with the reason
    url = cluster.create_database("sessions")  # postgresql+psycopg://…
    cluster.stop()

It listens on a socket in a directory of its own and on no port, so that any number of them can run
side by side (a worker of pytest-xdist starts its own). Nothing of the machine's own PostgreSQL is
touched, and none of its settings matter.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psycopg
from psycopg import sql
from sqlalchemy import URL

OWNER = "brainstem"
PORT = 5432  # names the socket's file, nothing more
START_SECONDS = 30

# For data that nobody will miss: no waiting for the disk.
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    # Nobody watches over a test: one that waits for a lock of its own fails instead of hanging.
    "lock_timeout": "60s",
}
#: For data that must outlive a crash: what a lab's server does without being told.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

# The server runs under this script, and the script waits for the end of its standard input, a pipe
# whose other end the tests hold. It ends with them: by `stop`, or because they crashed or were
# killed. Then the server stops at once and its directory goes. A line of input before that is a signal
# for the server, whose end is waited for; "start"; or empty: the server was killed, and another is
# started on what it left.
KEEPER = """
directory=$1; shift
start() {
    "$@" </dev/null >>"$directory/log" 2>&1 &
    server=$!
}
start "$@"
while read -r order; do
    case $order in
        start) start "$@" ;;
        "")
            wait $server 2>/dev/null
            # A process that the killed one had just begun may be there for a moment: while it is, PostgreSQL
            # refuses to start.
            for _ in $(seq 50); do
                start "$@"
                sleep 0.2
                kill -0 $server 2>/dev/null && break
            done ;;
        *) kill -"$order" $server; wait $server; touch "$directory/halted" ;;
    esac
done
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$directory"
"""


class Unavailable(Exception):
    """There can be no PostgreSQL here; the message says why."""


@dataclass
class PostgresCluster:
    """A running server; `directory` holds its data, its log and its socket."""

    directory: Path
    keeper: subprocess.Popen

    @classmethod
    def start(
        cls, settings: Mapping[str, str] = MappingProxyType({}), data: Path | None = None
    ) -> "PostgresCluster":
        """Make a cluster and wait until it answers; `Unavailable` when that can't be.

        `settings` of the server go before `SETTINGS`; `data` is what a cluster was `kept` as, to begin with.

        Takes PGHOST, PGOPTIONS and their like out of this process's environment: they would change
        how every connection to the cluster is made.
        """
        for name in [name for name in os.environ if name.startswith("PG")]:
            del os.environ[name]
        programs = find_programs()
        account = unprivileged_account()
        # Not under TMPDIR: the path of a socket may have 107 bytes at most, and the server's
        # account must be able to reach it.
        directory = Path(tempfile.mkdtemp(prefix="brainstem-pg-", dir="/tmp"))
        if account:
            os.chown(directory, account["user"], account["group"])
        surroundings = {
            "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            "cwd": directory,
            "start_new_session": True,  # Ctrl-C is for the tests: they stop the server
            **account,
        }
        try:
            made = subprocess.run(
                [
                    programs / "initdb",
                    "--no-sync",
                    "--auth=trust",
                    f"--username={OWNER}",
                    "--encoding=UTF8",
                    "--locale=C",
                    f"--pgdata={directory / 'data'}",
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                **surroundings,
            )
        except OSError as error:
            shutil.rmtree(directory, ignore_errors=True)
            raise Unavailable(f"{programs / 'initdb'} can't be run: {error}") from error
        if made.returncode:
            shutil.rmtree(directory, ignore_errors=True)
            raise Unavailable(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")

        if data is not None:
            shutil.rmtree(directory / "data")
            shutil.copytree(data, directory / "data")
            for each in [directory / "data", *(directory / "data").rglob("*")] if account else ():
                os.chown(each, account["user"], account["group"])
        settings = {
            **SETTINGS,
            **settings,
            "unix_socket_directories": str(directory),
            "port": str(PORT),
        }
        server = [programs / "postgres", "-D", directory / "data"]
        server += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        keeper = subprocess.Popen(
            ["/bin/sh", "-c", KEEPER, "keeper", directory, *server],
            stdin=subprocess.PIPE,
            bufsize=0,
            **surroundings,
        )
        cluster = cls(directory, keeper)
        cluster._wait()
        return cluster

    def halt(self, how: str = "INT") -> None:
        """Stop the server for a while: `INT` ends all connections, `QUIT` is a crash.

        A crash, too, leaves everything that was acknowledged, as on a lab's server: `SETTINGS` alone would
        lose the last moments.
        """
        with self._connect() as connection:
            connection.execute("CHECKPOINT")
        self._order(how)
        deadline = time.monotonic() + START_SECONDS
        while not (halted := self.directory / "halted").exists():
            if time.monotonic() > deadline:
                raise TimeoutError("the server does not stop")
            time.sleep(0.02)
        halted.unlink()

    def resume(self) -> None:
        """Start the server again, and wait until it answers."""
        self._order("start")
        self._wait()

    def _order(self, word: str) -> None:
        self.keeper.stdin.write(f"{word}\n".encode())
        self.keeper.stdin.flush()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    log = (self.directory / "log").read_text(errors="replace")
                    self.stop()
                    raise Unavailable(f"the server did not start: {log[-2000:]}") from error
                time.sleep(0.05)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.directory), port=PORT, user=OWNER, dbname="postgres", autocommit=True
        )

    def url(self, name: str) -> str:
        """The address of a database, for `DATABASE_URL` and SQLAlchemy."""
        return URL.create(
            "postgresql+psycopg",
            username=OWNER,
            database=name,
            query={"host": str(self.directory), "port": str(PORT)},
        ).render_as_string()

    def create_database(self, name: str, template: str | None = None) -> str:
        """A fresh database, in place of one of that name; empty, or a copy of `template`, which
        nobody may be connected to. Returns its address."""
        self.drop_database(name)
        with self._connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template or "template0")
                )
            )
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever may still be connected to it."""
        with self._connect() as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def keep(self, data: Path) -> None:
        """Stop the server in good order, and keep what it has in a directory that is not there yet.

        Another cluster can start with that. This one is at its end, but for `stop`.
        """
        process = int((self.directory / "data/postmaster.pid").read_text().split()[0])
        os.kill(process, signal.SIGINT)
        while (self.directory / "data/postmaster.pid").exists():
            time.sleep(0.05)
        shutil.copytree(self.directory / "data", data)

    def crash(self) -> None:
        """Kill the server with all its processes, and start another on what it left.

        Returns at once: the new one takes connections when it has recovered.
        """
        postmaster = int((self.directory / "data/postmaster.pid").read_text().split()[0])
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
        )
        pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        # The postmaster first, so that it starts no others; one of them may have ended by itself.
        for pid in [postmaster, *(pid for pid, parent in pairs if parent == postmaster)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.keeper.stdin.write(b"\n")

    def stop(self) -> None:
        """Stop the server and remove its data; a second time does nothing."""
        self.keeper.stdin.close()
        self.keeper.wait(30)


def find_programs() -> Path:
    """The directory of `initdb` and `postgres`, of the newest version there is.

    Debian's first: it keeps them out of PATH, and a PATH may hold wrappers that another account
    can't run.
    """
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    places = sorted(debian, key=lambda path: version_of(path.parent.name), reverse=True)
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    for place in places:
        if all(os.access(place / program, os.X_OK) for program in ("initdb", "postgres")):
            return place
    raise Unavailable("no PostgreSQL server is installed (initdb was not found)")


def version_of(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return 0


def unprivileged_account() -> dict:
    """As whom to start the server, which refuses to run as root: `Popen` arguments."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    raise Unavailable("PostgreSQL does not run as root, and there is no account to run it as")
