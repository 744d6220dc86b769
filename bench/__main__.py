"""How fast the program is, beside what could be had: `make bench`.

Real servers on SQLite and PostgreSQL, with 1,000 and 100,000 sessions, are asked for each operation in
turn with two others: a bare view with hand-written SQL, and the same bytes from memory (`bench/floors.py`).
What counts is how many times as long ours takes, in the same minutes on the same machine.

    make bench                                                       # everything, some ten minutes
    make bench ARGS="--only list-100,detail --n 1000 --database sqlite"
    make bench ARGS="--million"                                      # with 1,000,000 sessions besides
    make bench ARGS="--record"                                       # and write docs/performance.md
"""

from __future__ import annotations

import argparse
import gc
import json
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import event

from bench import labs, table
from bench.load import Client, Request
from bench.operations import OPERATIONS, Operation, World
from bench.servers import running
from brainstem.extensions import db
from tests.databases import Unavailable

CONNECTIONS = 4
SCRIPT = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "bench"}
BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip, deflate, br", "User-Agent": "bench"}


def main() -> None:
    asked = arguments()
    results = []
    for database in asked.database:
        for n in asked.n:
            try:
                with labs.lab(database, n, asked.labs) as (url, token):
                    results += measured(database, n, url, token, asked)
            except Unavailable as reason:
                print(f"Not measured on {database}: {reason}")
    labs.KEPT.mkdir(parents=True, exist_ok=True)
    (labs.KEPT / "results.json").write_text(json.dumps(results))
    written = table.written(results)
    (labs.KEPT / "table.md").write_text(written)
    print(written)
    if asked.record:
        table.record(written)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.split("\n")[0])
    names = [operation.name for operation in OPERATIONS]
    parser.add_argument("--only", type=words, default=names, help=f"of {', '.join(names)}")
    parser.add_argument("--database", type=words, default=["sqlite", "postgresql"])
    parser.add_argument(
        "--n", type=lambda text: [int(each) for each in words(text)], default=[1_000, 100_000]
    )
    parser.add_argument("--million", action="store_true", help="1,000,000 sessions besides")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each figure, in each round")
    parser.add_argument("--labs", type=Path, default=labs.KEPT, help="where filled labs are kept")
    parser.add_argument("--record", action="store_true", help="write docs/performance.md")
    asked = parser.parse_args()
    if unknown := set(asked.only) - set(names):
        parser.error(f"There is no operation {', '.join(sorted(unknown))}.")
    if asked.million:
        asked.n.append(1_000_000)
    return asked


def words(text: str) -> list[str]:
    return text.split(",")


def measured(
    database: str, n: int, url: str, token: str, asked: argparse.Namespace
) -> list[dict[str, Any]]:
    """The figures of all operations on one database."""
    app = labs.app_on(url)
    with app.app_context(), db.engine.connect() as connection:
        world = World.of(connection)
    memory = Path(tempfile.mkdtemp(prefix="brainstem-bench-"))
    settings = {"DATABASE_URL": url, "SECRET_KEY": labs.SECRET_KEY}
    floors = {"BENCH_DATABASE": url, "BENCH_MEMORY": str(memory)}
    results = []
    try:
        with (
            running("brainstem.serve", "app:app", **settings) as ours,
            running("bench.serving", "bench.writes:app", **floors) as floor,
        ):
            headers = SCRIPT | {"Authorization": f"Bearer {token}"}
            browser = BROWSER | {"Cookie": signed_in(ours.port)}
            chosen = [each for each in OPERATIONS if each.name in asked.only]
            for operation in chosen:
                sent = browser if operation.page else headers
                clients = {
                    "ours": (Client(ours.port, sent), operation.ours(world)),
                    "memory": (Client(floor.port), None),
                }
                if operation.hand:
                    clients["hand"] = (Client(floor.port, headers), operation.hand(world))
                    if operation.bare:
                        clients["bare"] = (Client(floor.port, headers), operation.bare(world))
                elif operation.to != "hand":
                    same_list = next(each for each in OPERATIONS if each.name == operation.to)
                    clients["reference"] = (Client(ours.port, headers), same_list.ours(world))
                found = {"database": database, "n": n, "operation": operation.name}
                found |= figures(operation, clients, memory, asked)
                found["statements"] = statements(app, operation, world, sent)
                found["memory_now"] = ours.memory()
                results.append(found)
                print(table.line(found), flush=True)
    finally:
        shutil.rmtree(memory)
        with app.app_context():
            db.engine.dispose()
    return results


def figures(
    operation: Operation, clients: dict[str, Any], memory: Path, asked: argparse.Namespace
) -> dict[str, Any]:
    """Medians and rates of the servers, asked in turn."""
    if operation.writes:
        del clients["memory"]
    else:
        client, requests = clients["ours"]
        _, body = client.fetch(next(requests))
        if operation.hand:
            same(operation, body, *clients["hand"])
        (memory / operation.name).write_bytes(body)
        clients["memory"] = (
            clients["memory"][0],
            forever(Request("GET", f"/memory/{operation.name}")),
        )
    times: dict[str, list[float]] = {name: [] for name in clients}
    rates: dict[str, list[float]] = {name: [] for name in clients}
    if operation.endless:
        for client, requests in clients.values():
            client.per_second(requests, CONNECTIONS, 0.2)
    gc.collect()
    gc.disable()
    for _ in range(asked.rounds):
        for name, (client, requests) in clients.items():
            times[name] += client.times(requests, 20, 4 * asked.seconds if operation.endless else 0)
        for name, (client, requests) in clients.items():
            if operation.endless:
                rates[name].append(client.per_second(requests, CONNECTIONS, asked.seconds))
    gc.enable()
    return {
        name: {
            "median": statistics.median(times[name]) * 1000,
            "p95": sorted(times[name])[int(len(times[name]) * 0.95)] * 1000,
            "rate": statistics.median(rates[name]) if rates[name] else None,
        }
        for name in clients
    }


def forever(request: Request) -> Iterator[Request]:
    while True:
        yield request


def same(operation: Operation, body: bytes, client: Client, requests: Iterator[Request]) -> None:
    """The hand-written view must return the same records, or it is no measure."""
    mine, other = json.loads(body), json.loads(client.fetch(next(requests))[1])
    for name in other:
        if json.dumps(mine[name]) != json.dumps(other[name]):
            shown = [json.dumps(each[name])[:2000] for each in (mine, other)]
            sys.exit(f"{operation.name}: {name} differ.\n{shown[0]}\n\n{shown[1]}")
    assert mine.get("sessions", True), f"{operation.name} finds nothing"


def statements(app: Any, operation: Operation, world: World, headers: dict[str, str]) -> int:
    """How many SQL statements one request takes, once everything is warm."""
    seen = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    requests, client = operation.ours(world), app.test_client(use_cookies=False)
    with app.app_context():
        engine = db.engine
    for _ in range(2):
        request = next(requests)
        seen.clear()
        event.listen(engine, "before_cursor_execute", note)
        answer = client.open(
            request.path,
            method=request.method,
            data=request.body,
            headers=headers | ({"Content-Type": "application/json"} if request.body else {}),
        )
        event.remove(engine, "before_cursor_execute", note)
        assert answer.status_code == request.status, answer.text
    return len(seen)


def signed_in(port: int) -> str:
    """The cookies of a browser that has signed in."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/login", headers=BROWSER | {"Accept-Encoding": "identity"})
    answer = connection.getresponse()
    token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', answer.read().decode())[1]
    form = {"email": labs.EMAIL, "password": labs.PASSWORD, "csrf_token": token}
    sent = BROWSER | {
        "Cookie": cookies(answer),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    connection.request("POST", "/login", urlencode(form), sent)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 302, f"The benchmarks' user can't sign in: {answer.status}"
    return cookies(answer)


def cookies(answer: Any) -> str:
    return "; ".join(each.split(";")[0] for each in answer.headers.get_all("Set-Cookie", []))


if __name__ == "__main__":
    main()
