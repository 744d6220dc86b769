"""The database fails for a while, under writing load: clear answers meanwhile, and service that comes back.

Nobody restarts anything: the same server goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import faults
from tests.soak.lab import Lab, running
from tests.soak.looking import look
from tests.soak.world import World
from tests.soak.writers import Writer, at_work

WRITERS = 6
#: The size of the disk that is filled, in MiB.
DISK = 64
AWAY_SECONDS, OTHER_SECONDS = 10, 4


@dataclass
class Outages:
    """What they came to: how many requests were refused with 503, and how soon writing went on."""

    away: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def outages(kind: str, seed: str, say: Callable[[str], Any] = print) -> Outages:
    """One after the other, on a database of this kind."""
    found = Outages()
    with ExitStack() as stack:
        # A disk of its own can be filled; PostgreSQL says itself that there is no room.
        disk = stack.enter_context(faults.small_disk(DISK)) if kind == "sqlite" else None
        lab = stack.enter_context(running(kind, on=disk))
        with lab.client() as client:
            world = World.make(client, WRITERS)
        writers = [Writer(number, world, seed) for number in range(WRITERS)]
        for name, fault, seconds in _faults(lab, disk):
            before = sum(writer.away for writer in writers)
            with at_work(lab, writers):
                time.sleep(1)
                with fault:
                    time.sleep(seconds)
                found.seconds[name] = _until_writing_goes_on(writers)
                time.sleep(0.5)
            refused = sum(writer.away for writer in writers) - before
            found.away += refused
            seen = look(lab, writers)
            if not refused:
                found.errors.append(f"{name}: nobody was told (503)")
            found.errors += [f"{name}: {each}" for each in seen.errors]
            found.problems += [f"{name}: {each}" for each in seen.problems]
            say(f"  {name}: {refused} times 503; wrote again after {found.seconds[name]:.1f} s")
        gone = sum(writer.gone for writer in writers)
        answered = sum(writer.away for writer in writers) + sum(
            writer.reads_away for writer in writers
        )
        if gone > answered:
            found.errors.append(f"{gone - answered} requests had no answer at all")
    return found


def _faults(lab: Lab, disk: Path | None) -> Iterator[tuple[str, AbstractContextManager, float]]:
    if lab.cluster is None:
        yield "a full disk", faults.filled(disk), OTHER_SECONDS
    else:
        yield "away", faults.away(lab.cluster), AWAY_SECONDS
        yield "read-only", faults.read_only(lab.url, lab.cluster), OTHER_SECONDS
        yield "a full disk", faults.full(lab.url), OTHER_SECONDS


def _until_writing_goes_on(writers: list[Writer]) -> float:
    """The seconds until something is acknowledged again."""
    begin, before = time.monotonic(), sum(writer.acknowledged for writer in writers)
    while sum(writer.acknowledged for writer in writers) == before:
        if time.monotonic() - begin > 60:
            raise AssertionError("Nobody can write although the database is well again.")
        time.sleep(0.02)
    return time.monotonic() - begin
