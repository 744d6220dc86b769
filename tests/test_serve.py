"""`make run`: it says where it is and with which code to begin, serves, and stops when told to."""

import gc
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from brainstem.serve import door, share, url
from tests.conftest import make_app
from tests.databases import OWNER, PORT

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def running(database: Path, **settings: str) -> Iterator[tuple[subprocess.Popen, str, list[str]]]:
    """A server started by `make run`; its process, its address, and what it has printed so far."""
    # Without the variables of the make that runs the tests.
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment |= {
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": "the key of the tests",
        "PORT": "0",
    }
    process = subprocess.Popen(
        ["make", "run"],
        cwd=ROOT,
        env=environment | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed = []
    try:
        for line in process.stdout:
            printed.append(line.strip())
            if found := re.match(r"BrainSTEM is at (http://\S+)", line):
                break
        else:
            pytest.fail("\n".join(["The server did not start:", *printed]))
        yield process, found[1], printed
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.stdout.read()
        process.stdout.close()
        process.wait(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("serve") / "lab.sqlite3") as (process, address, _):
        rest = [process.stdout.readline().strip() for _ in range(4)]
        yield address, rest


def test_the_address_and_the_set_up_code_are_printed(server):
    address, rest = server
    assert f"{address}/setup" in rest
    assert re.fullmatch(r"with the set-up code [A-Z0-9]{4}(-[A-Z0-9]{4})+", rest[-1])


def test_it_serves(server):
    address, _ = server
    assert requests.get(f"{address}/setup", timeout=10).status_code == 200
    assert requests.get(f"{address}/static/app.css", timeout=10).status_code == 200


@pytest.mark.parametrize("megabytes", [2, 20])
def test_too_large_a_request_is_answered_and_not_cut_off(server, megabytes):
    """The connection stays whole, and good for the next request."""
    address, _ = server
    with requests.Session() as client:
        for _ in range(3):
            answer = client.post(
                f"{address}/api/private/stem/session/",
                data=b"[" * (megabytes * 1024 * 1024),
                headers={"Content-Type": "application/json", "Authorization": "Bearer nobody's"},
                timeout=30,
            )
            assert answer.status_code in (401, 413)
            assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"GET /api/private/stem/session/?filter{{id.in}}={'x' * 9000} HTTP/1.1", 414),
        ("GET /api/private/stem/session/?filter{name}=É HTTP/1.1", 400),
        ("get /api/ HTTP/1.1", 400),
        ("GET /api/ HTTP/1.1\r\nContent-Length: x", 400),
        (f"GET /api/ HTTP/1.1\r\nX-Long: {'x' * 70_000}", 431),
    ],
    ids=["long", "raw letters", "no method", "no length", "long header"],
)
def test_what_never_reaches_the_program_is_refused_as_json_too(server, line, status):
    parts = urlsplit(server[0])
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as sent:
        sent.sendall(f"{line}\r\nHost: lab\r\n\r\n".encode())
        answer = HTTPResponse(sent)
        answer.begin()
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
        assert list(json.loads(answer.read())) == ["detail"]


def test_a_second_start_installs_nothing(tmp_path):
    """That is what keeps it under three seconds."""
    database = tmp_path / "lab.sqlite3"
    for _ in range(2):
        with running(database) as (_, address, printed):
            assert requests.get(f"{address}/login", timeout=10).status_code in (200, 302)
    assert not [line for line in printed if line.startswith(("Installing", "Making"))]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly(tmp_path, how):
    """As by Ctrl-C, and as by a service manager: nothing is left running."""
    with running(tmp_path / "lab.sqlite3") as (process, address, _):
        os.killpg(process.pid, how)
        printed = process.stdout.read()
        process.wait(15)
    assert "BrainSTEM has stopped." in printed
    assert "Traceback" not in printed
    host, port = address.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))


def test_it_starts_while_the_database_is_away(tmp_path):
    """As after a power cut, where PostgreSQL is still recovering: it serves as soon as that answers."""
    away = f"postgresql+psycopg://nobody@/lab?host={tmp_path}"
    process = subprocess.Popen(
        [".venv/bin/python", "-m", "brainstem.serve"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": away,
            "SECRET_KEY": "of the tests alone",
            "PORT": "0",
            # As one that is not set, and not as gunicorn takes it.
            "WEB_CONCURRENCY": "",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        address = re.search(r"http://\S+", process.stdout.readline())[0]
        assert "does not answer" in process.stdout.readline()
        assert "Look at DATABASE_URL" in process.stdout.readline()
        assert requests.get(f"{address}/healthz", timeout=10).status_code == 200
        assert requests.get(f"{address}/login", timeout=10).status_code == 503
    finally:
        process.terminate()
        process.stdout.read()
        process.stdout.close()
        process.wait(30)


@pytest.mark.postgresql
def test_a_database_that_comes_later_is_brought_up_to_date(cluster, tmp_path):
    """By itself, and the key that is kept in it is found or made."""
    cluster.create_database("later")
    process = subprocess.Popen(
        [".venv/bin/gunicorn", "-c", "python:brainstem.serve", "app:app"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": f"postgresql+psycopg://{OWNER}@/later?host={tmp_path}",
            "SECRET_KEY": "",
            "PORT": "0",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = re.search(r"http://\S+", process.stdout.readline())[0]
        assert requests.get(f"{address}/healthz", timeout=10).status_code == 200
        assert requests.get(f"{address}/readyz", timeout=10).status_code == 503
        name = f".s.PGSQL.{PORT}"
        (tmp_path / name).symlink_to(cluster.directory / name)
        end = time.monotonic() + 60
        while requests.get(f"{address}/readyz", timeout=10).status_code != 200:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert requests.get(f"{address}/setup", timeout=10).status_code == 200
    finally:
        process.terminate()
        printed = process.stdout.read()
        process.stdout.close()
        process.wait(30)
    assert printed.count("The database is up to date") == 1


def test_it_does_not_start_on_a_database_of_a_newer_program(tmp_path):
    path = tmp_path / "lab.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num text)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()
    done = subprocess.run(
        [".venv/bin/gunicorn", "-c", "python:brainstem.serve", "app:app"],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": f"sqlite:///{path}", "SECRET_KEY": "of the tests alone", "PORT": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.strip().splitlines()
    assert "newer than this program" in line


def test_a_port_that_is_none_is_said_plainly(tmp_path):
    done = subprocess.run(
        [".venv/bin/gunicorn", "-c", "python:brainstem.serve", "app:app"],
        cwd=ROOT,
        env=os.environ | {"PORT": "eighty"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "PORT is 'eighty'; it must be a whole number" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kept", [True, False])
def test_templates_are_compiled_once(tmp_path, monkeypatch, kept):
    """The next start has them from the one before; where nothing can be kept, it compiles them again."""
    compiled = []
    folder = tmp_path / "instance"
    if not kept:
        folder.write_text("no folder")
    for _ in range(2):
        app = make_app(f"sqlite:///{tmp_path / 'lab.sqlite3'}")
        monkeypatch.setattr(app, "instance_path", str(folder))
        compile_ = app.jinja_env.compile
        monkeypatch.setattr(
            app.jinja_env, "compile", lambda *a, c=compile_, **b: compiled.append(1) or c(*a, **b)
        )
        share(app)
    number = len(app.jinja_loader.list_templates())
    assert number > 50 and len(compiled) == (number if kept else 2 * number)
    gc.unfreeze()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("lab.example.org", "http://lab.example.org:8000"),
        ("0.0.0.0", "http://localhost:8000"),
        ("::", "http://localhost:8000"),
        ("::1", "http://[::1]:8000"),
    ],
)
def test_the_address_printed_is_one_to_open(host, expected):
    assert url(host, 8000) == expected


@pytest.mark.parametrize(
    ("names", "proxies", "expected"),
    [
        (None, 0, "http://127.0.0.1:8000"),
        (None, 1, "http://127.0.0.1:8000"),
        ([".example.org"], 1, "http://127.0.0.1:8000"),
        ([".example.org", "lab.example.org"], 1, "https://lab.example.org"),
        (["lab.example.org"], 0, "http://lab.example.org:8000"),
    ],
)
def test_the_first_account_is_made_where_the_server_answers(names, proxies, expected):
    """It refuses names that are not its own."""
    assert door("127.0.0.1", 8000, names, proxies) == expected
