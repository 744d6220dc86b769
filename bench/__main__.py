"""How fast the program is, beside what could be had: `make bench`.

Real servers on SQLite and PostgreSQL, with 1,000 and 100,000 sessions, are asked for each operation in
turn with two others: a bare view with hand-written SQL, and the same bytes from memory (`bench/floors.py`).
What counts is how many times as long ours takes, and how many times as long the larger lab, in the same
seconds on the same machine.

    make bench                                                       # everything, some ten minutes
    make bench ARGS="--only list-100,detail --n 1000 --database sqlite"
    make bench ARGS="--million"                                      # with 1,000,000 sessions besides
    make bench ARGS="--record"                                       # and write docs/performance.md
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from sqlalchemy import event

from bench import labs, table
from bench.load import Client, Request
from bench.operations import OPERATIONS, Operation, Requests, World
from bench.servers import Server, running
from brainstem.extensions import db
from tests.databases import Unavailable

CONNECTIONS = 4
SCRIPT = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "User-Agent": "bench"}
BROWSER = {"Accept": "text/html", "Accept-Encoding": "gzip, deflate, br", "User-Agent": "bench"}


def main() -> None:
    asked = arguments()
    results = []
    for database in asked.database:
        try:
            results += measured(database, asked)
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


@dataclass
class Lab:
    """A lab of one size, served by the program and by the floors."""

    n: int
    app: Flask
    world: World
    ours: Server
    floor: Server
    #: What `floor` sends from memory: a folder of files.
    memory: Path
    #: Of a script, and of a browser that has signed in.
    headers: dict[str, str]
    browser: dict[str, str]

    def sent(self, operation: Operation) -> dict[str, str]:
        """The headers that an operation is asked with."""
        return self.browser if operation.page else self.headers

    def clients(self, operation: Operation) -> Clients:
        """Who asks whom for what, by the name in the tables."""
        sent, floor = self.sent(operation), Client(self.floor.port, self.headers)
        clients = {"ours": (Client(self.ours.port, sent), operation.ours(self.world))}
        if operation.hand:
            clients["hand"] = (floor, operation.hand(self.world))
        elif operation.to != "hand":
            same_list = next(each for each in OPERATIONS if each.name == operation.to)
            reference = Client(self.ours.port, self.headers)
            clients["reference"] = (reference, same_list.ours(self.world))
        if operation.bare:
            clients["bare"] = (floor, operation.bare(self.world))
        elif not operation.writes:
            clients["memory"] = (Client(self.floor.port), self.remembered(operation))
        return clients

    def remembered(self, operation: Operation) -> Requests:
        """Requests for what the program answers, from memory; the floor by hand has to answer the same."""
        _, body = Client(self.ours.port, self.sent(operation)).fetch(
            next(operation.ours(self.world))
        )
        if operation.hand:
            hand = Client(self.floor.port, self.headers).fetch(next(operation.hand(self.world)))[1]
            same(operation, json.loads(body), json.loads(hand))
        (self.memory / operation.name).write_bytes(body)
        return itertools.repeat(Request("GET", f"/memory/{operation.name}"))


#: For each of the servers, who asks it for what.
Clients = dict[str, tuple[Client, Requests]]


@contextmanager
def served(database: str, n: int, kept: Path) -> Iterator[Lab]:
    """A copy of a lab, with its servers."""
    with (
        labs.lab(database, n, kept) as (url, token),
        tempfile.TemporaryDirectory(prefix="brainstem-bench-") as memory,
    ):
        app = labs.app_on(url)
        with app.app_context(), db.engine.connect() as connection:
            world = World.of(connection)
        settings = {"DATABASE_URL": url, "SECRET_KEY": labs.SECRET_KEY}
        floors = {"BENCH_DATABASE": url, "BENCH_MEMORY": memory}
        try:
            with (
                running("brainstem.serve", "app:app", **settings) as ours,
                running("bench.serving", "bench.writes:app", **floors) as floor,
            ):
                headers = SCRIPT | {"Authorization": f"Bearer {token}"}
                browser = BROWSER | {"Cookie": signed_in(ours.port)}
                yield Lab(n, app, world, ours, floor, Path(memory), headers, browser)
        finally:
            with app.app_context():
                db.engine.dispose()


def measured(database: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """The figures of all operations on one database."""
    results = []
    chosen = [each for each in OPERATIONS if each.name in asked.only]
    with ExitStack() as stack:
        sizes = [stack.enter_context(served(database, n, asked.labs)) for n in asked.n]
        for lab, operation in itertools.product(sizes, chosen):
            if operation.endless:
                client = Client(lab.ours.port, lab.sent(operation))
                client.per_second(operation.ours(lab.world), CONNECTIONS, asked.seconds)
        warm = [lab.ours.memory() for lab in sizes]
        for operation in chosen:
            clients = [lab.clients(operation) for lab in sizes]
            all_figures = figures(operation, clients, asked)
            for lab, at_first, its_figures in zip(sizes, warm, all_figures, strict=True):
                found = {
                    "database": database,
                    "n": lab.n,
                    "operation": operation.name,
                    **its_figures,
                }
                found["statements"] = statements(lab, operation)
                found |= {"memory_warm": at_first, "memory_now": lab.ours.memory()}
                results.append(found)
                print(table.line(found), flush=True)
    return results


def figures(
    operation: Operation, labs_clients: list[Clients], asked: argparse.Namespace
) -> list[dict[str, Any]]:
    """Medians and rates of the servers of each lab, all of them asked in turn."""
    times: list[dict[str, list[float]]] = [{name: [] for name in each} for each in labs_clients]
    rates: list[dict[str, list[float]]] = [{name: [] for name in each} for each in labs_clients]
    every = [
        (*clients[name], its_times[name], its_rates[name])
        for clients, its_times, its_rates in zip(labs_clients, times, rates, strict=True)
        for name in clients
    ]
    seconds = 4 * asked.seconds if operation.endless else 0
    if operation.endless:
        for client, requests, *_ in every:
            client.per_second(requests, CONNECTIONS, 0.2)
    gc.collect()
    gc.disable()
    for _ in range(asked.rounds):
        for client, requests, its_times, _rates in every:
            its_times += client.times(requests, 20, seconds)
        for client, requests, _times, its_rates in every if operation.endless else ():
            its_rates.append(client.per_second(requests, CONNECTIONS, asked.seconds))
    gc.enable()
    return [
        {name: summary(its_times[name], its_rates[name]) for name in its_times}
        for its_times, its_rates in zip(times, rates, strict=True)
    ]


def summary(times: list[float], rates: list[float]) -> dict[str, float | None]:
    """What the tables tell: milliseconds, and requests a second where they were counted."""
    return {
        "median": statistics.median(times) * 1000,
        "p95": sorted(times)[int(len(times) * 0.95)] * 1000,
        "rate": statistics.median(rates) if rates else None,
    }


def same(operation: Operation, mine: dict[str, Any], other: dict[str, Any]) -> None:
    """The hand-written view must return the same records, or it is no measure."""
    for name in other:
        if json.dumps(mine[name]) != json.dumps(other[name]):
            shown = [json.dumps(each[name])[:2000] for each in (mine, other)]
            sys.exit(f"{operation.name}: {name} differ.\n{shown[0]}\n\n{shown[1]}")
    assert mine.get("sessions", True), f"{operation.name} finds nothing"


def statements(lab: Lab, operation: Operation) -> int:
    """How many SQL statements one request takes, once everything is warm."""
    seen = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    requests, client = operation.ours(lab.world), lab.app.test_client(use_cookies=False)
    with lab.app.app_context():
        engine = db.engine
    for _ in range(2):
        request = next(requests)
        seen.clear()
        event.listen(engine, "before_cursor_execute", note)
        answer = client.open(
            request.path,
            method=request.method,
            data=request.body,
            headers=lab.sent(operation)
            | ({"Content-Type": "application/json"} if request.body else {}),
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
