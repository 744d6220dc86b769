"""What is measured: each operation as the program is asked, as the hand-written view is, and its limits."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from bench.fill import COMMON, LATER, called
from bench.load import Request

SESSIONS, ROWS = "/api/private/stem/session/", "/api/private/stem/sessiondatastorage/"
#: How many sessions each of the servers may delete.
TO_DELETE = 64
SERVERS = ("ours", "hand", "bare")

Requests = Iterator[Request]


@dataclass
class World:
    """What the requests name; all of it is readable, and what is changed is the user's to change.

    What can be done but once, or turned round, each of the servers has for itself.
    """

    count: int
    project: str
    projects: list[str]
    storages: list[str]
    sessions: list[str]
    writable: list[str]
    rows: dict[str, list[str]]
    to_delete: dict[str, list[str]]
    serial: Iterator[int]

    @classmethod
    def of(cls, connection: Connection) -> World:
        """Read it off a lab that `fill` has filled."""

        def column(statement: str, **values: Any) -> list[str]:
            found = connection.execute(text(statement), values).scalars().all()
            return [dashed(str(each)) for each in found]

        mine = "SELECT project_id FROM project_user_role"
        sessions = column(
            f"SELECT DISTINCT session_id FROM session_project WHERE project_id IN ({mine}) ORDER BY 1"
        )
        writable = column(
            f"""SELECT session_id FROM session_project GROUP BY session_id
                HAVING sum(CASE WHEN project_id IN ({mine}) THEN 0 ELSE 1 END) = 0 ORDER BY 1"""
        )
        random.Random(1).shuffle(writable)
        kept, going = writable[: -3 * TO_DELETE], writable[-3 * TO_DELETE :]
        rows = [
            column(
                'SELECT id FROM sessiondatastorage WHERE session_id = :id AND "order" = 0', id=key
            )[0]
            for key in (
                each if connection.dialect.name == "postgresql" else each.replace("-", "")
                for each in kept[:100]
            )
        ]
        projects = column(f"{mine} ORDER BY project_id")
        return cls(
            count=len(sessions),
            project=projects[3],
            projects=projects,
            storages=column("SELECT id FROM datastorage ORDER BY name"),
            sessions=random.Random(2).sample(sessions, min(400, len(sessions))),
            writable=kept,
            rows={name: rows[place::3] for place, name in enumerate(SERVERS)},
            to_delete={name: going[place::3] for place, name in enumerate(SERVERS)},
            serial=itertools.count(),
        )


def dashed(key: str) -> str:
    """An id as the API spells it, whichever way the database does."""
    key = key.replace("-", "")
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


@dataclass(frozen=True)
class Operation:
    """`ours` and `hand` make the requests; `limit` is how many times the median of `to` ours may be.

    `to` is the hand-written view, or another operation of ours. `growth` is how many times the median at
    the larger size may be that at the smaller one. `bare` are those that write the records alone, without
    history and search index.
    """

    name: str
    ours: Callable[[World], Requests]
    hand: Callable[[World], Requests] | None = None
    bare: Callable[[World], Requests] | None = None
    limit: float = 0
    growth: float = 0
    to: str = "hand"
    page: bool = False
    writes: bool = False
    #: Whether there is no end of its requests.
    endless: bool = True


def get(path: str | Callable[[World], str]) -> Callable[[World], Requests]:
    """The same address again and again."""

    def requests(world: World) -> Requests:
        return itertools.repeat(Request("GET", path(world) if callable(path) else path))

    return requests


def listed(
    name: str, query: str | Callable[[World], str], limit: float, growth: float
) -> Operation:
    """A list of sessions, which the hand-written view understands, too."""

    def at(base: str) -> Callable[[World], str]:
        return lambda world: f"{base}?{query(world) if callable(query) else query}"

    hand = get(at("/hand/sessions"))
    return Operation(name, get(at(SESSIONS)), hand, limit=limit, growth=growth)


def page(name: str, path: str | Callable[[World], str], **limits: Any) -> Operation:
    """A page, as a browser asks for it."""
    return Operation(name, get(path), page=True, **limits)


def written(
    name: str,
    requests: Callable[[str, str], Callable[[World], Requests]],
    ours: str,
    path: str,
    **how: Any,
) -> Operation:
    """Something that writes: the same requests to each of the servers."""
    hand, bare = requests(f"/hand{path}", "hand"), requests(f"/bare{path}", "bare")
    limits = {"limit": 3.0, "growth": 1.2, "writes": True}
    return Operation(name, requests(ours, "ours"), hand, bare, **limits, **how)


def details(base: str) -> Callable[[World], Requests]:
    def requests(world: World) -> Requests:
        return (Request("GET", f"{base}{each}") for each in itertools.cycle(world.sessions))

    return requests


def changes(base: str, whose: str) -> Callable[[World], Requests]:
    def requests(world: World) -> Requests:
        for each in itertools.cycle(world.writable[:200]):
            words = f"Signal lost and found again, for the time number {next(world.serial)}."
            yield Request("PATCH", f"{base}{each}", json.dumps({"description": words}).encode())

    return requests


def reorders(base: str, whose: str) -> Callable[[World], Requests]:
    def requests(world: World) -> Requests:
        # All first storages become second ones, and then first ones again.
        for place in itertools.cycle((1, 0)):
            for each in world.rows[whose]:
                yield Request("PATCH", f"{base}{each}", json.dumps({"order": place}).encode())

    return requests


def deletes(base: str, whose: str) -> Callable[[World], Requests]:
    def requests(world: World) -> Requests:
        while world.to_delete[whose]:
            yield Request("DELETE", f"{base}{world.to_delete[whose].pop()}", status=204)

    return requests


def creates(base: str, whose: str) -> Callable[[World], Requests]:
    def requests(world: World) -> Requests:
        for n in world.serial:
            payload = {
                "name": f"{called(n % 200)} made {n:07}",
                "description": "Made by the benchmarks. The signal was good, the animal calm.",
                "projects": [world.projects[n % len(world.projects)]],
                "date_time": "2025-05-05T10:00:00Z",
                "datastorage": [world.storages[n % 10], world.storages[(n + 1) % 10]],
                "extra_fields": {"room": "B1", "depth": 2.5, "probes": 2},
                "download_links": [{"repository": "DANDI", "url": f"https://example.org/{n}"}],
                "tags": [f"tag {n % 60:02}", f"tag {(n + 1) % 60:02}", f"tag {(n + 2) % 60:02}"],
            }
            yield Request("POST", base, json.dumps(payload).encode(), 201)

    return requests


INCLUDES = "&".join(
    f"include[]={name}.*" for name in ("dataacquisition", "behaviors", "manipulations", "epochs")
)
#: An animal, that is fifty sessions; ten animals, where there are so many.
ANIMAL = called(12).lower()
ANIMALS = ANIMAL[:-1]
RANGE = "filter{date_time.gte}=2022-03-01T00:00:00Z&filter{date_time.lt}=2022-04-01T00:00:00Z"

# `list-name-many` and `sessions-search-later` are the worst of their kind, and have no limit.
OPERATIONS = [
    listed("list-100", "limit=100", 2.0, 1.5),
    listed("list-20", "", 2.0, 1.5),
    listed("list-offset", lambda world: f"offset={max(world.count - 200, 0)}", 2.0, 0),
    listed("list-name", f"filter{{name.icontains}}={ANIMAL}", 2.5, 1.5),
    listed("list-name-many", f"filter{{name.icontains}}={ANIMALS}", 0, 0),
    listed("list-tag", "filter{tags}=tag 07".replace(" ", "%20"), 2.5, 1.5),
    listed("list-project", lambda world: f"filter{{projects}}={world.project}", 2.5, 1.5),
    listed("list-dates", RANGE, 2.5, 1.5),
    listed("list-latest", "sort[]=-date_time", 2.5, 1.5),
    listed("list-includes", INCLUDES, 2.5, 1.3),
    Operation("detail", details(SESSIONS), details("/hand/sessions/"), limit=2.0, growth=1.1),
    page("page-sessions", "/sessions/", limit=2.0, growth=1.3, to="list-20"),
    page("page-session", lambda world: f"/sessions/{world.sessions[0]}", growth=1.3),
    page("page-form", lambda world: f"/sessions/{world.writable[0]}/edit", growth=1.3),
    page("page-projects", "/projects/", growth=1.3),
    page("page-dashboard", "/", growth=1.3),
    page("search-animal", f"/search?q={ANIMAL}", limit=3.0, growth=2.0, to="list-20"),
    page("search-words", "/search?q=whisker+theta+dandi", limit=3.0, growth=2.0, to="list-20"),
    page("search-common", f"/search?q={COMMON}", limit=3.0, growth=2.0, to="list-20"),
    page("search-short", "/search?q=b1", limit=3.0, growth=2.0, to="list-20"),
    page("sessions-search", f"/sessions/?q={COMMON}", limit=3.0, growth=2.0, to="list-20"),
    page("sessions-search-later", f"/sessions/?q={LATER}", to="list-20"),
    written("change", changes, SESSIONS, "/sessions/"),
    written("reorder", reorders, ROWS, "/storages/"),
    written("delete", deletes, SESSIONS, "/sessions/", endless=False),
    written("create", creates, SESSIONS, "/sessions"),
]
