"""How gunicorn serves the application: `python -m brainstem.serve`.

The names below are gunicorn's own settings and hooks. `HOST`, `PORT` and `WEB_CONCURRENCY` come
from the environment (contract §14).
"""

import ctypes
import gc
import json
import logging
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from jinja2.bccache import Bucket, FileSystemBytecodeCache

# Not the module `config`: that is a name of gunicorn's.
from brainstem import logs, signing
from brainstem.config import THREADS, SettingsError, read

try:
    settings = read()
except SettingsError as error:
    sys.exit(str(error))
HOST, PORT = settings["HOST"], settings["PORT"]

# Of a request that was answered before it was read to its end (413), this much is read and thrown
# away, for this long: see `post_request`.
DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_SECONDS = 10


def url(host: str, port: int) -> str:
    """The address for a person: `0.0.0.0` and `::` mean every address of this machine, so also
    the one that a browser on it can open."""
    try:
        address = ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://localhost:{port}"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


def door(host: str, port: int, names: list[str] | None, proxies: int) -> str:
    """Where people come in: by a name that the server goes by, and then by HTTPS if a proxy is in front."""
    name = next((each for each in names or () if not each.startswith(".")), "")
    if not name:
        return url(host, port)
    return f"https://{name}" if proxies else url(name, port)


bind = f"[{HOST}]:{PORT}" if ":" in HOST else f"{HOST}:{PORT}"

# Threads share a worker's memory and wait for the database together; processes use the cores.
workers = settings["WEB_CONCURRENCY"]
worker_class = "gthread"
threads = THREADS

# The application is loaded once, before the workers are forked: a mistake in the settings ends the
# start with one message, and the start is faster. No database connection crosses the fork.
preload_app = True

# A request that takes longer than `timeout` is beyond hope; a stop waits at most
# `graceful_timeout` for the requests under way. In seconds.
timeout = 60
graceful_timeout = 10
keepalive = 5

# Filters make long addresses; web servers in front take 8 KiB too, by default.
limit_request_line = 8190

# What proxies say of a request is for `proxies.py` to believe or not.
forwarded_allow_ips = ""
control_socket_disable = True


class Lines(Logger):
    """gunicorn's own lines, written as ours are; requests are told of by `logs.py`."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.propagate = True
        logs.configure(settings["LOG_FORMAT"], settings["LOG_LEVEL"])


logger_class = Lines
loglevel = settings["LOG_LEVEL"]
errorlog = accesslog = None


#: The name that glibc has for it (malloc.h).
M_ARENA_MAX = -8

#: Whether the database could not be brought up to date when the server started.
database_was_away = False
#: How often it is tried again after that, in seconds.
AGAIN = 2


def refuse(sock: socket.socket, status: int, reason: str, text: str) -> None:
    """Answer what never reaches the application, an address that is too long or no address at all, as JSON
    like all else that a script may get (contract §10). gunicorn itself would send a page."""
    body = json.dumps({"detail": f"{reason}: {text}" if text else reason}).encode()
    head = (
        f"HTTP/1.1 {status} {reason}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    util.write_nonblock(sock, "\r\n".join([*head, "", ""]).encode() + body)


util.write_error = refuse


def on_starting(server) -> None:
    """Bring the database up to date before anybody is let in, as `flask upgrade` does; or do not start.

    Here and not by a command before: loading the program takes longer than all else of a start.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from brainstem.backups import upgrade
    from brainstem.commands import refusal
    from brainstem.errors import ProgramError
    from brainstem.extensions import db

    global database_was_away
    with server.app.wsgi().app_context():
        try:
            db.engine.connect().close()
        except SQLAlchemyError:
            # One that does not answer yet is told of in `when_ready`; the workers bring it up to date.
            database_was_away = True
            return
        try:
            upgrade.bring_up_to_date(lambda line: print(line, flush=True))
        except ProgramError as error:
            sys.exit(str(error))
        except SQLAlchemyError as error:
            sys.exit(refusal(error) or str(error))
        finally:
            db.engine.dispose()


def post_fork(server, worker) -> None:
    """A connection that was opened before the fork must not be used by two processes."""
    from brainstem.extensions import db

    with server.app.wsgi().app_context():
        db.engine.dispose(close=False)


def post_worker_init(worker) -> None:
    """Where the database was away at the start, bring it up to date as soon as it answers.

    In the workers: a thread of the process that forks them could hold a lock that they need. They all try,
    and one does it.
    """
    if database_was_away:
        app = worker.app.wsgi()
        threading.Thread(target=bring_up_to_date_later, args=[app], daemon=True).start()


def bring_up_to_date_later(app) -> None:
    """Try it until it is done, or fails for another reason than that the database is away."""
    from brainstem import outages
    from brainstem.backups import upgrade
    from brainstem.errors import ProgramError

    log = logging.getLogger("brainstem.serve")
    while True:
        with app.app_context():
            try:
                upgrade.bring_up_to_date(lambda line: print(line, flush=True))
                return
            except ProgramError as error:
                log.error("%s", error)
                return
            except Exception as error:
                if not outages.of(error):
                    log.exception("The database could not be brought up to date")
                    return
        time.sleep(AGAIN)


def when_ready(server) -> None:
    """Say where the server is, and how to make the first account while there is none."""
    # Imported late: gunicorn reads this module before it loads the application.
    from sqlalchemy.exc import SQLAlchemyError

    from brainstem.commands import refusal
    from brainstem.extensions import db
    from brainstem.records.users import open_setup_code

    port = server.LISTENERS[0].sock.getsockname()[1]
    address = url(HOST, port)
    lines = [f"BrainSTEM is at {address}"]
    if HOST in ("0.0.0.0", "::"):  # noqa: S104 — compared, not bound
        lines[0] += " (and at this machine's other addresses)"

    code = None
    with server.app.wsgi().app_context():
        try:
            signing.load(server.app.wsgi())
            code = open_setup_code()
        except SQLAlchemyError as error:
            # After a power cut it may still be recovering, and nobody ought to have to start this again.
            lines += [
                "The database does not answer yet: the pages work as soon as it does.",
                refusal(error) or "",
            ]
        db.engine.dispose()
    if code:
        lines += [
            "",
            "There is no user yet. Make the administrator's account at",
            f"    {door(HOST, port, settings['HOST_NAMES'], settings['TRUSTED_PROXIES'])}/setup",
            f"with the set-up code {code}",
            "",
        ]
    # Flushed, so that it can be seen at once also where the output goes to a file.
    print("\n".join(lines), flush=True)
    share(server.app.wsgi())


class Compiled(FileSystemBytecodeCache):
    """The templates as they were compiled by the last start: half a second of the next one."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def share(app) -> None:
    """Make here what each worker would make for itself, and let them share it after the fork.

    To compile the templates leaves some 15 MB of holes in a process's memory. And a garbage collection
    writes into everything that it looks at: what is frozen it passes by, so that nobody has to copy it.
    """
    folder = Path(app.instance_path) / "templates"
    # Where nothing can be kept, they are compiled at each start.
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        app.jinja_env.bytecode_cache = Compiled(str(folder))
    for name in app.jinja_loader.list_templates():
        app.jinja_env.get_template(name)
    gc.collect()
    gc.freeze()
    # A form makes some ten thousand objects, and throws nearly all of them away without its help: to look
    # through them after every 700 took a tenth of its time.
    gc.set_threshold(20_000, 10, 10)
    # glibc would give each thread a heap of its own, and each would keep what its largest request took.
    # With one for all, a worker has 127 MB after the benchmarks instead of 153, and is no slower.
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def post_request(worker, req, environ, resp) -> None:
    """Read what the application left unread of the request's body.

    A request that is too large is answered without being read. A connection that is closed with
    unread data in it is reset by the system, and the client, still sending, would never see the
    answer: so read on, within bounds.
    """
    sock = environ.get("gunicorn.socket")
    if sock is None or resp is None:
        return
    deadline = time.monotonic() + DRAIN_SECONDS
    left = DRAIN_BYTES
    patience = sock.gettimeout()
    try:
        while left > 0 and (remaining := deadline - time.monotonic()) > 0:
            sock.settimeout(remaining)
            chunk = req.body.read(min(left, 65536))
            if not chunk:
                break
            left -= len(chunk)
        sock.settimeout(patience)
    except Exception as error:  # the client has gone or sends nonsense: the connection is closed
        worker.log.debug("The rest of a request could not be read: %s", error)


def on_exit(server) -> None:
    print("BrainSTEM has stopped.", flush=True)


def main() -> None:
    """Serve, as `gunicorn -c python:brainstem.serve app:app` does, but for one thing.

    gunicorn reads WEB_CONCURRENCY itself, before it reads anything of ours, and an empty one is its end: here
    it is one that is not set, and what is no number is told of like any other setting.
    """
    os.environ["WEB_CONCURRENCY"] = str(workers)
    from gunicorn.app.wsgiapp import run

    # As if it were called: by this it also starts itself anew (SIGUSR2).
    program = Path(sys.executable).with_name("gunicorn")
    sys.argv = [str(program), "-c", "python:brainstem.serve", *sys.argv[1:], "app:app"]
    run(prog="gunicorn")


if __name__ == "__main__":
    main()
