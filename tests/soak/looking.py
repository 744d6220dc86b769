"""After the writers have rested: is everything there that they were told is stored, and nothing torn?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.soak import checks, journal
from tests.soak.client import Client
from tests.soak.journal import Known, State, same
from tests.soak.lab import Lab
from tests.soak.writers import Writer


@dataclass
class Seen:
    """What is not as it must be, answers that were wrong, and what else was found."""

    problems: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    #: Requests without an answer that had been stored.
    stored: int = 0


def look(lab: Lab, writers: list[Writer], *, everything: bool = False) -> Seen:
    """Hold what the writers know against what the server says: of what they touched, or of everything.

    Afterwards nothing is in doubt any more: they go on with what was found.
    """
    seen = Seen()
    with lab.client() as client:
        _sessions(client, writers, everything, seen)
        seen.problems += _counter(client, writers)
        seen.problems += _described(client, writers)
        seen.problems += _sorted(client, writers)
    with lab.inside():
        seen.problems += checks.problems()
    for writer in writers:
        seen.errors += writer.problems
        writer.problems, writer.touched = [], set()
        writer.sessions = writer.settled()
    return seen


def _sessions(client: Client, writers: list[Writer], everything: bool, seen: Seen) -> None:
    ones = [each for writer in writers for each in (writer.every if everything else writer.touched)]
    for start in range(0, len(ones), journal.AT_ONCE):
        some = ones[start : start + journal.AT_ONCE]
        stored = journal.stored(client, [each.name for each in some])
        for each in some:
            judge(each, stored.get(each.name), seen)


def judge(session: Known, stored: State, seen: Seen) -> None:
    if not same(session.now, stored):
        if session.in_doubt and same(session.perhaps, stored):
            seen.stored += 1
        else:
            perhaps = f", and perhaps {session.perhaps}" if session.in_doubt else ""
            seen.problems.append(
                f"“{session.name}” is {stored}; acknowledged was {session.now}{perhaps}"
            )
    session.now, session.perhaps, session.in_doubt = stored, None, False


def _session(client: Client, record_id: str) -> dict:
    answer = client.get(f"stem/session/{record_id}/")
    assert answer.status == 200, answer.body
    return answer.record


def _counter(client: Client, writers: list[Writer]) -> Iterable[str]:
    """Nobody's counting is lost."""
    found = _session(client, writers[0].world.counter)["extra_fields"]["n"]
    least = sum(writer.counted for writer in writers)
    most = least + sum(writer.perhaps_counted for writer in writers)
    if not least <= found <= most:
        yield f"the counter is {found}; acknowledged were {least}, and perhaps {most - least} more"
    for writer in writers:
        writer.perhaps_counted = 0
    writers[0].counted += found - least


def _described(client: Client, writers: list[Writer]) -> Iterable[str]:
    """A field is what its writer stored last, whatever others did to the other fields."""
    records = {each: _session(client, each) for each in writers[0].world.described}
    for writer in writers:
        found = records[writer.described][writer.field]
        if found not in writer.values:
            yield f"{writer.field} of all is {found}; acknowledged was {writer.values}"
        writer.values = [found]


def _sorted(client: Client, writers: list[Writer]) -> Iterable[str]:
    """Each storage once: those of all, and those that their writers attached."""
    found = Counter(_session(client, writers[0].world.sorted)["datastorage"])
    yield from (
        f"storage {each} is attached {many} times" for each, many in found.items() if many > 1
    )
    for each in writers[0].world.storages:
        if each not in found:
            yield f"storage {each} was not detached by anybody, and is gone"
    for writer in writers:
        there = writer.world.own_storages[writer.number] in found
        if there not in writer.attached:
            yield f"the storage of writer {writer.number} is attached: {there}; it was told otherwise"
        writer.attached = [there]
