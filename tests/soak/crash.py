"""The server is killed while people write: what it acknowledged is there, and nothing is torn.

A round: writers at work; at random moments SIGKILL for one worker, the master, all of them, or
PostgreSQL's own processes; then whatever was killed is started again, as a service manager would, and
everything is looked at. The moments follow from the seed, and how far the writers are then does not.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.soak.lab import Lab, running
from tests.soak.looking import look
from tests.soak.world import World
from tests.soak.writers import Writer, at_work

WRITERS = 6


@dataclass
class Crashes:
    """What the rounds came to."""

    rounds: int = 0
    kills: Counter = field(default_factory=Counter)
    acknowledged: int = 0
    #: Answered with 503, and not answered at all.
    away: int = 0
    unanswered: int = 0
    #: Of these two, those that had been stored nevertheless.
    stored: int = 0
    #: Answers that were wrong; what was acknowledged and is not there, and whatever else is torn.
    errors: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def crash(kind: str, rounds: int, seed: str, say: Callable[[str], Any] = print) -> Crashes:
    """So many rounds on a database of this kind."""
    crashes = Crashes()
    with running(kind) as lab:
        with lab.client() as client:
            world = World.make(client, WRITERS)
        writers = [Writer(number, world, seed) for number in range(WRITERS)]
        for number in range(rounds):
            chance = random.Random(f"{seed} round {number}")
            killed = one_round(lab, writers, number, chance)
            found = look(lab, writers)
            crashes.rounds += 1
            crashes.kills.update(killed)
            crashes.stored += found.stored
            where = f"round {number} ({', '.join(killed)})"
            crashes.problems += [f"{where}: {each}" for each in found.problems]
            crashes.errors += [f"{where}: {each}" for each in found.errors]
            say(f"  {where}: {len(found.errors + found.problems) or 'no'} problems")
            for each in found.errors + found.problems:
                say(f"    {each}")
        crashes.problems += look(lab, writers, everything=True).problems
        crashes.errors += lab.failures()
        crashes.acknowledged = sum(writer.acknowledged for writer in writers)
        crashes.away = sum(writer.away for writer in writers)
        crashes.unanswered = sum(writer.unanswered for writer in writers)
    return crashes


def one_round(lab: Lab, writers: list[Writer], number: int, chance: random.Random) -> list[str]:
    """Writers at work, and one or two kills at random moments; returns what was killed."""
    ways = [way for way in WAYS if lab.cluster or way not in OF_POSTGRESQL]
    # Each way in its turn, so that none is left out; then perhaps another one.
    killed = [ways[number % len(ways)], *chance.sample(ways, chance.choice([0, 0, 1]))]
    with at_work(lab, writers):
        for way in killed:
            time.sleep(chance.uniform(0.1, 0.9))
            WAYS[way](lab, chance)
            time.sleep(chance.choice([0, 0.3]))
    lab.wait()
    lab.settled()
    return killed


def worker(lab: Lab, chance: random.Random) -> None:
    """One of the workers; the master makes another."""
    lab.kill(chance.choice(lab.workers()).pid)


def master(lab: Lab, chance: random.Random) -> None:
    """The master; its workers go on for a moment, until a service manager ends them, too."""
    lab.kill(lab.server.pid)
    time.sleep(chance.uniform(0, 0.5))
    lab.kill()
    again(lab)


def server(lab: Lab, _: random.Random) -> None:
    """All of the server."""
    lab.kill()
    again(lab)


def backend(lab: Lab, chance: random.Random) -> None:
    """One process of PostgreSQL, which then ends all others and recovers."""
    lab.kill(chance.choice(lab.backends()))
    lab.wait()


def postgresql(lab: Lab, _: random.Random) -> None:
    """All of PostgreSQL; the server finds it again."""
    lab.cluster.crash()
    lab.wait()


def both(lab: Lab, _: random.Random) -> None:
    """The whole machine, as far as a program can do that."""
    lab.kill()
    lab.cluster.crash()
    again(lab)


def again(lab: Lab) -> None:
    lab.gone()
    lab.start()


WAYS = {each.__name__: each for each in (server, both, worker, postgresql, backend, master)}
OF_POSTGRESQL = ("backend", "postgresql", "both")
