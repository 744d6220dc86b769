"""What the writers write about: records that all of them use, and values for a session's fields."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.soak.client import Client

STORAGES = 6


def shuffled(values: list[str], seed: int) -> list[str]:
    return random.Random(seed).sample(values, len(values))


#: Values of a session's fields by a number, from the storages that there are.
FIELDS: dict[str, Callable[[int, list[str]], Any]] = {
    "description": lambda n, _: f"Text {n}, “quoted”\n  and *kept* to the letter\n",
    "tags": lambda n, _: [f"tag {n % 7}", f"tag {n % 5 + 7}"],
    "date_time": lambda n, _: f"2026-01-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}Z",
    "extra_fields": lambda n, _: {"n": n, "x": n / 2},
    "download_links": lambda n, _: [{"repository": "DANDI", "url": f"https://d.org/{n}"}],
    "datastorage": lambda n, storages: shuffled(storages, n),
}


@dataclass
class World:
    """What all writers share: a project, storages, a subject, and sessions that all of them change.

    Each writer has a storage that only it attaches to the session `sorted`, after the common ones;
    and a field in one of those `described`.
    """

    project: str
    storages: list[str]
    own_storages: list[str]
    subject: str
    counter: str
    described: list[str]
    sorted: str

    @classmethod
    def make(cls, client: Client, writers: int) -> World:
        def storages(name: str, many: int) -> list[str]:
            address = "personal_attributes/datastorage/"
            return [client.made(address, {"name": f"{name} {n}"})["id"] for n in range(many)]

        def session(name: str, **more: Any) -> str:
            return client.made("stem/session/", {"name": name, "projects": [project], **more})["id"]

        project = client.made("stem/project/", {"name": "Soak"})["id"]
        common = storages("Storage", STORAGES)
        return cls(
            project,
            common,
            storages("Writer's storage", writers),
            client.made("stem/subject/", {"name": "Rat", "projects": [project]})["id"],
            session("Counter", extra_fields={"n": 0}),
            [session(f"Described {n}") for n in range(-(-writers // len(FIELDS)))],
            session("Sorted", datastorage=common),
        )
