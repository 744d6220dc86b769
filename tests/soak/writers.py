"""People and scripts who write, each at random, and know what they were told: see `journal`."""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.kinds import OPTIONAL
from tests.soak.client import Answer, Client, Gone
from tests.soak.journal import PARTS, Known, State, arranged, new, told
from tests.soak.lab import Lab
from tests.soak.world import FIELDS, STORAGES, World

#: So many sessions of its own a writer works on at a time.
SESSIONS = 8


class Writer:
    """One of them. Its sessions are its own; what it does to those of all, it counts."""

    def __init__(self, number: int, world: World, seed: str) -> None:
        self.number, self.world = number, world
        self.field = list(FIELDS)[number % len(FIELDS)]
        self.described = world.described[number // len(FIELDS)]
        self.chance = random.Random(f"{seed} writer {number}")
        self.sessions: list[Known] = []
        self.every: list[Known] = []
        self.touched: set[Known] = set()
        self.problems: list[str] = []
        self.made = 0
        #: How often the server was not there, or did not answer; of requests that read, too.
        self.gone = 0
        #: Requests that write: acknowledged, refused because of another's change, or because the
        #: database did not answer (503); without an answer.
        self.acknowledged = self.refused = self.away = self.unanswered = 0
        #: Requests that read, answered with 503.
        self.reads_away = 0
        self.seconds: list[float] = []
        #: Of what all change: how often this one counted up and how often perhaps; what its field
        #: may be; whether its storage may be attached.
        self.counted = self.perhaps_counted = 0
        self.values = [OPTIONAL["session"][self.field][0]]
        self.attached = [False]

    def run(self, client: Client, ending: threading.Event) -> None:
        """Do this and that until the end. A server that does not answer is asked again a little later."""
        self.client = client
        while not ending.is_set():
            deed = self.chance.choices(DEEDS, WEIGHTS)[0]
            try:
                # First: what was never sent is not in doubt.
                client.connect()
                deed(self)
            except Gone:
                self.gone += 1
                ending.wait(0.1)
            except Exception as error:
                self.problems.append(f"{deed.__name__} of writer {self.number}: {error!r}")

    # What it does ------------------------------------------------------------------------------

    def create(self) -> None:
        if len(self.settled()) >= SESSIONS:
            return
        self.made += 1
        session = Known(f"Writer {self.number} session {self.made}")
        payload = {"name": session.name, "projects": [self.world.project], **self.some_fields()}
        state = {"session": [new("session", payload)]}
        state |= {kind: [] for kind in PARTS}
        self.sessions.append(session)
        self.every.append(session)
        self.attempt(session, state, "POST", "stem/session/", payload)

    def change(self) -> None:
        if session := self.one():
            payload = self.some_fields()
            state = copy.deepcopy(session.now)
            state["session"][0] |= payload
            self.attempt(session, state, "PATCH", f"stem/session/{session.id}/", payload)

    def replace(self) -> None:
        if session := self.one():
            payload = {"name": session.name, "projects": [self.world.project], **self.some_fields()}
            state = copy.deepcopy(session.now)
            state["session"] = [new("session", payload) | {"id": session.id}]
            self.attempt(session, state, "PUT", f"stem/session/{session.id}/", payload)

    def sort_storages(self) -> None:
        if session := self.one():
            payload = {"datastorage": self.chance.sample(self.world.storages, 4)}
            state = copy.deepcopy(session.now)
            state["session"][0] |= payload
            self.attempt(session, state, "PATCH", f"stem/session/{session.id}/", payload)

    def arrange_storages(self) -> None:
        """By the rows of the through table: one more, one moved, one less."""
        if not (session := self.one()):
            return
        address = "stem/sessiondatastorage/"
        state = copy.deepcopy(session.now)
        order = state["session"][0]["datastorage"]
        free = [each for each in self.world.storages if each not in order]
        deed = self.chance.choice(["add", "move", "remove"] if order and free else ["add"])
        if deed == "add" and free:
            place = self.chance.randrange(len(order) + 1)
            payload = {"session": session.id, "datastorage": free[0], "order": place}
            order.insert(place, free[0])
            self.attempt(session, state, "POST", address, payload)
        elif deed != "add":
            found = self.client.get(f"{address}?filter{{session}}={session.id}&limit=100")
            rows = self.expected(found, 200)["sessiondatastorages"]
            row, place = self.chance.choice(rows), self.chance.randrange(len(order))
            order.remove(row["datastorage"])
            if deed == "remove":
                self.attempt(session, state, "DELETE", f"{address}{row['id']}/")
            else:
                order.insert(place, row["datastorage"])
                self.attempt(session, state, "PATCH", f"{address}{row['id']}/", {"order": place})

    def add_module(self) -> None:
        if not (session := self.one()):
            return
        kind = self.chance.choice(["behavior", "dataacquisition", "manipulation"])
        payload = {"session": session.id, "notes": self.text()}
        if kind == "behavior":
            payload["subjects"] = [self.world.subject]
        elif kind == "dataacquisition":
            payload["type"] = "ExtracellularEphys"
        else:
            payload["type"] = "OptogeneticStimulation"
        state = copy.deepcopy(session.now)
        last = max((each["order"] for each in state[kind]), default=-1)
        state[kind].append(new(kind, payload, order=last + 1))
        self.attempt(session, state, "POST", f"modules/{kind}/", payload)

    def remove_module(self) -> None:
        """Not a behavior: theirs are counted without a gap as long as none is removed."""
        kind = self.chance.choice(["dataacquisition", "manipulation"])
        if (session := self.one()) and (part := self.part(session, kind)):
            state = copy.deepcopy(session.now)
            state[kind].remove(part)
            self.attempt(session, state, "DELETE", f"modules/{kind}/{part['id']}/")

    def add_epoch(self) -> None:
        if session := self.one():
            self.made += 1
            payload = {"name": f"Epoch {self.made:06}", "session": session.id, "start": "00:05:00"}
            if part := self.part(session, "behavior"):
                payload["behaviors"] = [part["id"]]
            state = copy.deepcopy(session.now)
            state["epoch"] = arranged("epoch", [*state["epoch"], new("epoch", payload)])
            self.attempt(session, state, "POST", "stem/epoch/", payload)

    def change_part(self) -> None:
        kind = self.chance.choice(["behavior", "dataacquisition", "manipulation", "epoch"])
        if (session := self.one()) and (part := self.part(session, kind)):
            payload = {"notes": self.text()}
            state = copy.deepcopy(session.now)
            state[kind][session.now[kind].index(part)] |= payload
            app = "stem" if kind == "epoch" else "modules"
            self.attempt(session, state, "PATCH", f"{app}/{kind}/{part['id']}/", payload)

    def remove_epoch(self) -> None:
        if (session := self.one()) and (part := self.part(session, "epoch")):
            state = copy.deepcopy(session.now)
            state["epoch"].remove(part)
            self.attempt(session, state, "DELETE", f"stem/epoch/{part['id']}/")

    def delete(self) -> None:
        if (session := self.one()) and len(self.settled()) > 2:
            self.attempt(session, None, "DELETE", f"stem/session/{session.id}/")

    # What all of them do to the same records ------------------------------------------------------

    def count_up(self) -> None:
        """Read, add one, and store it if nobody did so in between: no one's is lost."""
        address = f"stem/session/{self.world.counter}/"
        found = self.client.get(address)
        payload = {
            "extra_fields": {"n": self.expected(found, 200)["session"]["extra_fields"]["n"] + 1}
        }
        self.perhaps_counted += 1
        answer = self.send("PATCH", address, payload, {"If-Match": found.headers["ETag"]})
        self.perhaps_counted -= 1
        if answer.status == 412:
            self.refused += 1
        else:
            self.expected(answer, 200)
            self.counted += 1

    def describe(self) -> None:
        """Change one field, while others change others without asking for the version."""
        value = FIELDS[self.field](self.chance.randrange(86400), self.world.storages)
        self.values.append(value)
        address = f"stem/session/{self.described}/"
        self.expected(self.send("PATCH", address, {self.field: value}), 200)
        self.values = [value]

    def share(self) -> None:
        """Attach one's own storage to the session that all sort, or take it away."""
        if len(self.attached) > 1:
            return
        address, mine = "stem/sessiondatastorage/", self.world.own_storages[self.number]
        (there,) = self.attached
        self.attached = [there, not there]
        if there:
            (row,) = self.rows(f"&filter{{datastorage}}={mine}")
            self.expected(self.send("DELETE", f"{address}{row['id']}/"), 204)
        else:
            payload = {"session": self.world.sorted, "datastorage": mine}
            payload["order"] = self.chance.randrange(STORAGES)
            self.expected(self.send("POST", address, payload), 201)
        self.attached = [not there]

    def sort_shared(self) -> None:
        """Move any row; it may be gone meanwhile."""
        row = self.chance.choice(self.rows())
        payload = {"order": self.chance.randrange(STORAGES)}
        answer = self.send("PATCH", f"stem/sessiondatastorage/{row['id']}/", payload)
        if answer.status != 404:
            self.expected(answer, 200)

    def rows(self, more: str = "") -> list[dict[str, Any]]:
        session = self.world.sorted
        address = f"stem/sessiondatastorage/?filter{{session}}={session}&limit=100{more}"
        return self.expected(self.client.get(address), 200)["sessiondatastorages"]

    # How it does it --------------------------------------------------------------------------------

    def attempt(
        self, session: Known, then: State, method: str, address: str, payload: Any = None
    ) -> None:
        """Ask for something that makes `then` of a session.

        A session in doubt is left alone until the journal has looked.
        """
        self.touched.add(session)
        session.perhaps, session.in_doubt = then, True
        answer = self.expected(self.send(method, address, payload), 200, 201, 204)
        if answer:
            (record,) = answer.values()
            self.learn(then, method, address, record)
        session.now, session.perhaps, session.in_doubt = then, None, False

    def learn(self, state: State, method: str, address: str, record: dict[str, Any]) -> None:
        """Compare what was answered with what was asked for; a new record's id is known from now on."""
        kind = address.split("/")[1]
        if kind == "sessiondatastorage":
            return
        answered = told(kind, record)
        mine = [each for each in state[kind] if each["id"] in (record["id"], None)]
        if [each | {"id": record["id"]} for each in mine] != [answered]:
            self.problems.append(f"{method} {address} answered {answered}; expected was {mine}")
        for each in mine:
            each["id"] = record["id"]

    def send(self, method: str, address: str, payload: Any = None, headers: Any = None) -> Answer:
        """A request that writes. Without an answer, or with 503, it is in doubt: `Gone`."""
        self.unanswered += 1
        answer = self.client(method, address, payload, headers)
        self.unanswered -= 1
        if answer.status == 503:
            self.away += 1
            if "Retry-After" not in answer.headers:
                self.problems.append(f"{method} {address}: 503 without Retry-After")
            raise Gone(f"{method} {address}: 503")
        self.acknowledged += answer.status < 300
        self.seconds.append(answer.seconds)
        return answer

    def expected(self, answer: Answer, *statuses: int) -> Any:
        """The JSON of an answer that must have one of these statuses."""
        if answer.status == 503:
            self.reads_away += 1
            raise Gone("503")
        if answer.status not in statuses:
            raise AssertionError(f"{answer.status} instead of {statuses}: {answer.body[:500]!r}")
        return answer.json if answer.body else None

    def settled(self) -> list[Known]:
        return [each for each in self.sessions if not each.in_doubt and each.now]

    def one(self) -> Known | None:
        return self.chance.choice(self.settled() or [None])

    def part(self, session: Known, kind: str) -> dict[str, Any] | None:
        return self.chance.choice(session.parts(kind) or [None])

    def text(self) -> str:
        return f"Note {self.chance.randrange(10**9)}\n"

    def some_fields(self) -> dict[str, Any]:
        """Some fields of a session. The text and the number say the same: one is never without the other."""
        number = self.chance.randrange(86400)
        some = self.chance.sample(sorted(FIELDS), 2)
        names = ["description", "extra_fields", *some]
        return {name: FIELDS[name](number, self.world.storages) for name in names}


#: What writers do, and how often.
USUAL: list[tuple[Callable[[Writer], None], int]] = [
    (Writer.create, 5),
    (Writer.change, 5),
    (Writer.replace, 1),
    (Writer.sort_storages, 3),
    (Writer.arrange_storages, 4),
    (Writer.add_module, 5),
    (Writer.remove_module, 2),
    (Writer.add_epoch, 3),
    (Writer.change_part, 3),
    (Writer.remove_epoch, 1),
    (Writer.delete, 1),
    (Writer.count_up, 3),
    (Writer.describe, 3),
    (Writer.share, 2),
    (Writer.sort_shared, 2),
]
DEEDS, WEIGHTS = zip(*USUAL, strict=True)


@contextmanager
def at_work(lab: Lab, people: Sequence[Any]) -> Iterator[None]:
    """They write, or read, until the end of the block: each has `run(client, ending)`."""
    ending, clients = threading.Event(), [lab.client() for _ in people]
    threads = [
        threading.Thread(target=each.run, args=(client, ending), daemon=True)
        for each, client in zip(people, clients, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join(90)
            assert not thread.is_alive(), "Somebody waits for ever."
        for client in clients:
            client.close()
