"""The soak in its long form: `make soak`, or a part of it: `make soak ARGS="crash --database sqlite"`.

What was done in full length goes into docs/reliability.md, part by part.
"""

from __future__ import annotations

import argparse
import secrets
import statistics
import sys
import time
from collections.abc import Callable

from tests.databases import Unavailable
from tests.soak import outages as outages_of
from tests.soak import report
from tests.soak.crash import crash
from tests.soak.generated import generated
from tests.soak.lab import KINDS
from tests.soak.load import MARGIN, READERS, WRITERS, load

ROUNDS, SECONDS, REQUESTS = 50, 60, 10_000
#: Of what is wrong, so much is printed.
TOLD = 20

Found = tuple[str, list[str], list[str], str]


def crashes(kind: str, asked: argparse.Namespace) -> Found:
    found = crash(kind, asked.rounds, asked.seed)
    killed = ", ".join(f"{what} {many}" for what, many in found.kills.most_common())
    further = (
        f"{found.acknowledged} writes acknowledged; {found.unanswered} without an answer "
        f"(of which {found.stored} were found stored), {found.away} refused with 503"
    )
    done = f"{found.rounds} rounds, {found.kills.total()} kills ({killed})"
    return done, found.errors, found.problems, further


def loads(kind: str, asked: argparse.Namespace) -> Found:
    found = load(kind, asked.seconds, asked.seed)
    before, after = found.memory
    if after - before > MARGIN:
        found.errors.append(f"a worker grew from {before:.0f} to {after:.0f} MB")
    further = (
        f"{times('reads', found.reads)}; {times('writes', found.writes)}; "
        f"the largest worker {before:.0f} MB when warm, {after:.0f} MB at the end"
    )
    done = f"{WRITERS} writers, {READERS} readers, {asked.seconds:.0f} s"
    return done, found.errors, found.problems, further


def times(what: str, seconds: list[float]) -> str:
    """How many, and how long they took, in milliseconds."""
    if len(seconds) < 2:
        return f"{len(seconds)} {what}"
    p95 = statistics.quantiles(seconds, n=20)[-1]
    median = statistics.median(seconds)
    return (
        f"{len(seconds)} {what}, median {median * 1000:.0f} ms, 95 % under {p95 * 1000:.0f} ms, "
        f"longest {max(seconds) * 1000:.0f} ms"
    )


def outages(kind: str, asked: argparse.Namespace) -> Found:
    found = outages_of.outages(kind, asked.seed)
    again = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in found.seconds.items())
    further = f"{found.away} writes refused with 503; written again after the end of {again}"
    return f"{len(found.seconds)} faults", found.errors, found.problems, further


def requests(kind: str, asked: argparse.Namespace) -> Found:
    found = generated(kind, asked.requests)
    return f"{found.requests} generated requests", found.problems, [], "all portals and methods"


PARTS: dict[str, Callable[[str, argparse.Namespace], Found]] = {
    "crash": crashes,
    "load": loads,
    "outages": outages,
    "generated": requests,
}


def main() -> int:
    asked = arguments()
    full = asked.rounds >= ROUNDS and asked.seconds >= SECONDS and asked.requests >= REQUESTS
    rows, wrong = [], 0
    print(f"--seed {asked.seed} repeats this run as far as chance goes", flush=True)
    for part in asked.parts:
        for kind in asked.database:
            print(f"{part} on {report.NAMES[kind]}", flush=True)
            begin = time.monotonic()
            try:
                done, errors, lost, further = PARTS[part](kind, asked)
            except Unavailable as error:
                print(f"  left out: {error}")
                continue
            for each in (errors + lost)[:TOLD]:
                print(f"  wrong: {each}")
            wrong += len(errors) + len(lost)
            took = time.monotonic() - begin
            rows.append(report.row(part, kind, done, len(errors), len(lost), further, took))
            if full:
                report.PAGE.write_text(report.written(report.PAGE.read_text(), rows))
    print("\n" + report.table(rows))
    return 1 if wrong else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"{', '.join(PARTS)}; all of them")
    parser.add_argument("--database", action="append", choices=KINDS, help="one of the databases")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of crashes")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long the load lasts")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="generated ones a database")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="what chance follows from")
    asked = parser.parse_args()
    asked.parts, asked.database = asked.parts or list(PARTS), asked.database or list(KINDS)
    if unknown := set(asked.parts) - PARTS.keys():
        parser.error(f"no part of the soak: {', '.join(sorted(unknown))}")
    return asked


if __name__ == "__main__":
    sys.exit(main())
