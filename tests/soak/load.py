"""Many people at once, for a while: nobody sees an error, nothing is lost, and memory does not grow."""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.soak.client import Client, Gone
from tests.soak.lab import Lab, running
from tests.soak.looking import look
from tests.soak.world import World
from tests.soak.writers import Writer, at_work

WRITERS, READERS = 16, 64
#: Of the time, this much is for the workers to reach their usual size.
WARMING = 0.3
#: What a worker may grow by after that, in MB: allocators keep some for themselves.
MARGIN = 15


@dataclass
class Load:
    """What it came to; seconds are those of answers, memory is a worker's in MB."""

    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    #: Changes refused because another one came first (412), as was asked for.
    refused: int = 0
    memory: tuple[float, float] = (0, 0)
    #: Requests that failed, and what was acknowledged and is not there.
    errors: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Reader:
    """Somebody who looks at lists, records and pages."""

    def __init__(self, number: int, world: World) -> None:
        self.chance = random.Random(number)
        self.addresses = [
            "/healthz",
            "/readyz",
            "modules/behavior/",
            "stem/session/",
            "stem/session/?sort[]=-date_time&limit=20",
            f"stem/session/?filter{{name.icontains}}=session%20{number}",
            f"stem/session/?filter{{tags}}=tag%20{number % 7}",
            f"stem/session/{world.counter}/",
            f"stem/session/{world.sorted}/?include[]=datastorage",
            f"stem/sessiondatastorage/?filter{{session}}={world.sorted}",
        ]
        self.seconds: list[float] = []
        self.errors: Counter[str] = Counter()

    def run(self, client: Client, ending: threading.Event) -> None:
        while not ending.is_set():
            try:
                self.read(client)
            except Gone as error:
                self.errors[str(error)] += 1

    def read(self, client: Client) -> None:
        address = self.chance.choice(self.addresses)
        answer = client.get(address)
        self.seconds.append(answer.seconds)
        if answer.status != 200:
            self.errors[f"{address}: {answer.status} {answer.body[:200]!r}"] += 1
        elif address.startswith("stem/session/?"):
            for each in answer.json["sessions"]:
                self.whole(each)
        elif address.startswith("stem/sessiondatastorage"):
            orders = [each["order"] for each in answer.json["sessiondatastorages"]]
            if orders != list(range(answer.json["count"])):
                self.errors[f"a reader saw the orders {orders}"] += 1

    def whole(self, record: dict[str, Any]) -> None:
        """What was stored at once is never seen in parts: see `Writer.some_fields`."""
        text, number = record["description"], record["extra_fields"].get("n")
        if record["name"].startswith("Writer ") and not text.startswith(f"Text {number},"):
            self.errors[f"a reader saw {number} with {text!r}"] += 1


def load(
    kind: str,
    seconds: float,
    seed: str,
    say: Callable[[str], Any] = print,
    *,
    writers: int = WRITERS,
    readers: int = READERS,
) -> Load:
    """So many writers and readers for so many seconds on a database of this kind."""
    with running(kind) as lab:
        with lab.client() as client:
            world = World.make(client, writers)
        writing = [Writer(number, world, seed) for number in range(writers)]
        reading = [Reader(number, world) for number in range(readers)]
        with at_work(lab, [*writing, *reading]), sampled(lab) as samples:
            time.sleep(seconds)
        found = Load(memory=growth(samples))
        for writer in writing:
            found.writes += writer.seconds
            found.refused += writer.refused
            found.errors += [f"{each} requests without an answer" for each in [writer.gone] if each]
            found.errors += [f"{each} requests with 503" for each in [writer.away] if each]
        for reader in reading:
            found.reads += reader.seconds
            found.errors += [f"{many} × {each}" for each, many in reader.errors.items()]
        seen = look(lab, writing, everything=True)
        found.problems = seen.problems
        found.errors += seen.errors + lab.failures()
        say(f"  {len(found.writes)} writes, {len(found.reads)} reads")
    return found


@contextmanager
def sampled(lab: Lab) -> Iterator[list[float]]:
    """The memory of the largest worker, twice a second, until the block ends."""
    samples: list[float] = []
    ending = threading.Event()

    def sample() -> None:
        while not ending.wait(0.5):
            if workers := lab.workers():
                samples.append(max(each.memory for each in workers))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ending.set()
        thread.join()


def growth(samples: list[float]) -> tuple[float, float]:
    """The memory when the workers had reached their usual size, and at the end."""
    if not samples:
        return (0, 0)
    warm = samples[int(len(samples) * WARMING) :]
    part = max(1, len(warm) // 5)
    return statistics.median(warm[:part]), statistics.median(warm[-part:])
