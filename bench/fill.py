"""A lab of any size, written into an empty database in bulk: the rows that the program itself would write.

Each session has 1 or 2 of 50 projects, 2 data storages, 3 tags, 1 behavior, 2 data acquisitions,
1 manipulation, 2 epochs, 3 extra fields and 1 download link, its entries in the search index and the
history of its creation. One user is a contributor on half of the projects. A lab gets larger by more animals,
each of which has 50 sessions. The same `n` gives the same lab.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from brainstem.core.permissions import Role
from brainstem.core.search import fold
from brainstem.extensions import db

PROJECTS, STORAGES, TAGS, SETUPS = 50, 10, 60, 5
#: How many sessions an animal has.
EACH = 50
FIRST_DAY = datetime(2019, 1, 7, 9)
#: The six years over which the sessions are spread, in minutes.
SPAN = 6 * 365 * 24 * 60

#: In the description of half of the sessions; of those of the later half of the animals.
COMMON, LATER = "baseline", "retrained"
WORDS = """
animal arena awake bandpass barrel calm camera cannula cell chamber check clean coil cortex cue deep delay
depth dorsal drift drink electrode fast firm fixation gain good grating ground hippocampus impedance
implant jitter lateral left lick light long maze medial motion noise novel open optic pause perfect probe
pulse quiet ramp rat recovery reference reward right robust running saline second session short signal
single sleep slow spikes stable stimulus strong sync task theta third tone track trial unit ventral weak
weight wheel whisker
""".split()
ACQUISITIONS = ("ExtracellularEphys", "VideoTracking", "BehavioralTracking", "Miniscope", "Audio")
MANIPULATIONS = ("OptogeneticStimulation", "VisualStimulation", "PharmacologicalInjection")
REPOSITORIES = ("DANDI", "Zenodo", "GitHub", "Figshare")

#: How many rows are on their way at once.
BATCH = 20_000


@dataclass
class Lab:
    """Rows by table, as the database stores them; `key` writes an id."""

    chance: random.Random
    dashes: bool
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    revisions: int = 0

    def key(self) -> str:
        """A new id."""
        found = uuid.UUID(int=self.chance.getrandbits(128), version=4)
        return str(found) if self.dashes else found.hex

    def add(self, table: str, **columns: Any) -> str:
        """A row; its id, where it has one."""
        self.rows.setdefault(table, []).append(columns)
        return columns.get("id", "")

    def record(self, table: str, when: str, **columns: Any) -> str:
        """A record: what every one has, and what this one has."""
        base = {"id": self.key(), "created_date": when, "updated_date": when, "version": 1}
        return self.add(table, **base, **columns)

    def link(self, owner: str, target: str, owner_id: str, ids: Iterable[str]) -> None:
        """Links in the order given."""
        for position, each in enumerate(ids):
            columns = {f"{owner}_id": owner_id, f"{target}_id": each, "position": position}
            self.add(f"{owner}_{target}", **columns)

    def entry(self, kind: str, record_id: str, title: str, *texts: str) -> None:
        """What a search finds of a record."""
        text = fold("\n".join(filter(None, texts)))
        self.add("search_entry", kind=kind, record_id=record_id, title=fold(title), text=text)

    def sentence(self, words: int) -> str:
        """Words in some order."""
        return " ".join(self.chance.choices(WORDS, k=words)).capitalize() + "."


@dataclass
class Shared:
    """What sessions name."""

    projects: list[str]
    storages: list[str]
    tags: dict[str, str]
    subjects: list[str]
    setups: list[str]
    assays: list[str]


def fill(engine: Engine, n: int, user_id: uuid.UUID) -> None:
    """Write the lab of a user, and let the database look at it."""
    store = Store(engine)
    lab = Lab(random.Random(n), dashes=store.postgres)
    animals = max(n // EACH, 1)
    shared = common(lab, str(user_id) if lab.dashes else user_id.hex, animals)
    store.take(lab)
    numbers: Iterator[int] = iter(range(n))
    while part := list(islice(numbers, BATCH)):
        for number in part:
            session(lab, shared, number)
        store.take(lab)
    store.close()


def common(lab: Lab, user_id: str, animals: int) -> Shared:
    """Projects, of which the user is a contributor on every other one, and what else sessions name."""
    when = text_of(FIRST_DAY)
    projects, storages = [], []
    for n in range(PROJECTS):
        name = f"Project {n:02}"
        columns = {"name": name, "description": "", "extra_fields": "{}", "is_public": False}
        projects.append(lab.record("project", when, **columns))
        lab.entry("project", projects[-1], name, name)
        if n % 2 == 0:
            role(lab, "project", projects[-1], user_id)
    for n in range(STORAGES):
        name, location = f"Storage {n}", f"/mnt/store{n}"
        documents = {"data_organization": "[]", "data_protocols": "[]"}
        columns = {"name": name, "location": location, "description": "", "is_public": False}
        storages.append(lab.record("datastorage", when, **columns, **documents))
        lab.entry("datastorage", storages[-1], name, name, location)
        role(lab, "datastorage", storages[-1], user_id)
    tags = {(name := f"tag {n:02}"): lab.record("tag", when, name=name) for n in range(TAGS)}
    subjects = [subject(lab, n, projects[n % PROJECTS], when) for n in range(animals)]
    setups, assays = [], []
    for n in range(SETUPS):
        name = f"Rig {n}"
        columns = {"name": name, "description": "", "is_public": False}
        setups.append(lab.record("setup", when, location="", **columns))
        assays.append(lab.record("behavioralassay", when, **columns))
        for kind, each in (("setup", setups[-1]), ("behavioralassay", assays[-1])):
            lab.entry(kind, each, name, name)
            role(lab, kind, each, user_id)
    return Shared(projects, storages, tags, subjects, setups, assays)


def role(lab: Lab, kind: str, record_id: str, user_id: str) -> None:
    columns = {f"{kind}_id": record_id, "user_id": user_id, "role": Role.CONTRIBUTOR.value}
    lab.add(f"{kind}_user_role", **columns)


def called(animal: int) -> str:
    """An animal's name, which begins those of its sessions."""
    return f"R{animal:05}"


def subject(lab: Lab, n: int, project: str, when: str) -> str:
    name = called(n)
    columns = {"sex": "F", "species": "Rattus norvegicus", "strain": "Long Evans", "genotype": ""}
    columns |= {"birth_date": None, "death_date": None, "extra_fields": "{}"}
    columns |= {"name": name, "description": "", "name_used_in_storage": ""}
    made = lab.record("subject", when, **columns)
    lab.link("subject", "project", made, [project])
    lab.entry("subject", made, name, name, columns["species"], columns["strain"])
    return made


def session(lab: Lab, shared: Shared, n: int) -> None:
    """A session with all its parts."""
    chance = lab.chance
    moment = FIRST_DAY + timedelta(minutes=chance.randrange(SPAN))
    when = text_of(moment)
    animals = len(shared.subjects)
    animal, its = n % animals, n // animals
    name = f"{called(animal)} {moment:%Y-%m-%d} {n:07}"
    words = [COMMON] if chance.random() < 0.5 else []
    words += [LATER] if animal >= animals // 2 else []
    description = " ".join([lab.sentence(12), *words, lab.sentence(8)])
    extra = {"room": f"B{n % 20}", "depth": n % 7 + 0.5, "probes": n % 4}
    links = [{"repository": REPOSITORIES[n % 4], "url": f"https://example.org/data/{n}"}]
    columns = {"name": name, "description": description, "date_time": when}
    columns |= {"extra_fields": json.dumps(extra), "download_links": json.dumps(links)}
    made = lab.record("session", when, **columns, name_used_in_storage="")

    projects = chance.sample(shared.projects, 1 + its % 2)
    storages = chance.sample(shared.storages, 2)
    tags = chance.sample(list(shared.tags), 3)
    lab.link("session", "project", made, projects)
    lab.link("session", "tag", made, [shared.tags[each] for each in tags])
    for order, each in enumerate(storages):
        ids = {"session_id": made, "datastorage_id": each}
        lab.record("sessiondatastorage", when, **ids, order=order)
    lab.entry(
        "session", made, name, name, description,
        *(f"{key} {value}" for key, value in extra.items()),
        *(text for link in links for text in link.values()), *tags,
    )  # fmt: skip
    parts(lab, shared, made, when, n)

    stored = columns | {"extra_fields": extra, "download_links": links, "tags": tags}
    stored |= {"projects": projects, "datastorage": storages, "date_time": f"{moment.isoformat()}Z"}
    noted(lab, made, when, stored, projects)


def parts(lab: Lab, shared: Shared, made: str, when: str, n: int) -> None:
    """The modules and epochs of a session."""
    chance = lab.chance
    notes = lab.sentence(3)
    rig = {"setup_id": shared.setups[n % SETUPS], "behavioralassay_id": shared.assays[n % SETUPS]}
    its = {"session_id": made, "notes": notes}
    behavior = lab.record("behavior", when, **its, order=0, **rig)
    lab.link("behavior", "subject", behavior, [shared.subjects[n % len(shared.subjects)]])
    lab.entry("behavior", behavior, "", notes)
    modules = [("dataacquisition", order, ACQUISITIONS) for order in range(2)]
    modules.append(("manipulation", 0, MANIPULATIONS))
    acquired, manipulated = [], []
    for kind, order, types in modules:
        named, rate = chance.choice(types), chance.choice((20_000, 30_000))
        details = {"samplingRate": rate} if kind == "dataacquisition" else [{"power": rate}]
        columns = {"type": named, "details": json.dumps(details), "type_schema_version": ""}
        each = lab.record(kind, when, **its, order=order, **columns)
        leaf = f"samplingRate {rate}" if kind == "dataacquisition" else f"power {rate}"
        lab.entry(kind, each, named, named, notes, leaf)
        (acquired if kind == "dataacquisition" else manipulated).append(each)
    for place, name in enumerate(("before", "after")):
        start = place * 1_800_000_000
        span = {"start": start, "end": start + 1_500_000_000}
        epoch = lab.record("epoch", when, session_id=made, name=name, notes="", **span)
        lab.link("epoch", "behavior", epoch, [behavior])
        lab.link("epoch", "dataacquisition", epoch, [acquired[place]])
        lab.link("epoch", "manipulation", epoch, manipulated[place:])
        lab.entry("epoch", epoch, name, name)


def noted(lab: Lab, made: str, when: str, stored: dict[str, Any], roots: list[str]) -> None:
    """The session's creation, in the history."""
    change = lab.key()
    columns = {"at": when, "user_id": None, "way": "command", "by": "", "summary": ""}
    lab.add("change", id=change, undone_by_id=None, **columns)
    lab.revisions += 1
    columns = {"kind": "session", "record_id": made, "title": stored["name"], "action": "create"}
    columns |= {"version": 1, "follows": False, "before": "{}", "after": json.dumps(stored)}
    lab.add("revision", id=lab.revisions, change_id=change, **columns)
    for each in roots:
        lab.add("revision_root", revision_id=lab.revisions, root_id=each)
        lab.add("change_root", change_id=change, root_id=each, at=when)


class Store:
    """Writes rows past the program, as fast as the database takes them."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.postgres = engine, engine.dialect.name == "postgresql"
        engine.dispose()
        self.pooled = engine.raw_connection()
        self.connection: Any = self.pooled.driver_connection
        if self.postgres:
            self.connection.autocommit = True
            return
        # Nobody else is there yet, and a lab that was not filled to its end is filled again.
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "journal_mode=OFF"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute("PRAGMA cache_size=-400000")

    def take(self, lab: Lab) -> None:
        """Write the rows that a lab has by now, those that others name first."""
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        for table in db.metadata.sorted_tables:
            if rows := lab.rows.pop(table.name, None):
                names = ", ".join(f'"{name}"' for name in rows[0])
                write = self._copy if self.postgres else self._insert
                write(cursor, f'"{table.name}" ({names})', rows)
        if self.postgres:
            cursor.execute("SELECT setval('revision_id_seq', max(id)) FROM revision")
        cursor.execute("COMMIT")
        assert not lab.rows, f"There are no tables {list(lab.rows)}"

    def _insert(self, cursor: Any, into: str, rows: list[dict[str, Any]]) -> None:
        places = ", ".join("?" * len(rows[0]))
        statement = f"INSERT INTO {into} VALUES ({places})"
        cursor.executemany(statement, [tuple(row.values()) for row in rows])

    def _copy(self, cursor: Any, into: str, rows: list[dict[str, Any]]) -> None:
        with cursor.copy(f"COPY {into} FROM STDIN") as out:
            for row in rows:
                out.write_row(tuple(row.values()))

    def close(self) -> None:
        """Let the database look at what it has."""
        last = (
            ("VACUUM ANALYZE", "CHECKPOINT")
            if self.postgres
            else ("ANALYZE", "PRAGMA journal_mode=WAL")
        )
        for each in last:
            self.connection.execute(each)
        self.pooled.invalidate()
        self.engine.dispose()


def text_of(moment: datetime) -> str:
    """A moment as both databases take it."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
