"""What a client knows of the records that it wrote: the server must know the same, whatever happened.

A `Known` session is what the server has acknowledged last. A request without an answer leaves it in
doubt: then it is that, or all of what the request asked for, and nothing in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tests.kinds import KINDS, LEAST, OPTIONAL
from tests.soak.client import Client

#: The parts of a session by kind, with the relation that holds them.
PARTS = {
    "behavior": "behaviors",
    "dataacquisition": "dataacquisition",
    "manipulation": "manipulations",
    "epoch": "epochs",
}
#: So many sessions one request asks for.
AT_ONCE = 40

#: A session with its parts, as `fields` of records by kind; None where it is not there.
State = dict[str, list[dict[str, Any]]] | None


def fields(kind: str) -> list[str]:
    """What one can write of a kind, and so knows."""
    order = ["order"] if kind in PARTS and "order" in KINDS[kind].fields else []
    return ["id", *LEAST[kind], *OPTIONAL[kind], *order]


def new(kind: str, payload: dict[str, Any], **given: Any) -> dict[str, Any]:
    """What a record is made of that is made of this; its id is not known yet."""
    defaults = {name: default for name, (default, _) in OPTIONAL[kind].items()}
    return {"id": None, **defaults, **payload, **given}


def told(kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """The same of a record that the server sent."""
    return {name: record[name] for name in fields(kind)}


@dataclass(eq=False)
class Known:
    """A session as its writer knows it, by its name, which no other has or will have."""

    name: str
    now: State = None
    perhaps: State = None
    in_doubt: bool = False

    @property
    def id(self) -> str:
        return self.now["session"][0]["id"]

    def parts(self, kind: str) -> list[dict[str, Any]]:
        return self.now[kind]


def same(expected: Any, found: Any) -> bool:
    """Whether two states are one; an id that is not known yet may be any."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() == found.keys() and all(
            same(value, found[name]) or (name == "id" and value is None)
            for name, value in expected.items()
        )
    if isinstance(expected, list) and isinstance(found, list):
        return len(expected) == len(found) and all(map(same, expected, found))
    return expected == found


def stored(client: Client, names: list[str]) -> dict[str, State]:
    """The sessions that the server has of these names."""
    assert len(names) <= AT_ONCE
    wanted = "&".join(f"filter{{name.in}}={quote(name)}" for name in names)
    including = "&".join(f"include[]={relation}.*" for relation in PARTS.values())
    answer = client.get(f"stem/session/?{wanted}&{including}&limit=100")
    assert answer.status == 200, answer.body
    states = {}
    for record in answer.json["sessions"]:
        state = {"session": [told("session", record)]}
        for kind, relation in PARTS.items():
            state[kind] = arranged(kind, [told(kind, part) for part in record[relation]])
        states[record["name"]] = state
    return states


def arranged(kind: str, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Parts in an order of their own, which states are compared in."""
    return sorted(parts, key=lambda part: part["name" if kind == "epoch" else "order"])
