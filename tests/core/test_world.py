"""Random worlds: every answer agrees with a model of contract §8 and §9 in a few lines of Python.

Hypothesis draws who holds which role, directly or through a group, what belongs to which project and
what is public; the model says who sees what. Lists, counts, details, relation addresses, includes and
filters must then say the same to every user, and to the public.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from brainstem.extensions import db
from tests.kinds import KINDS

USERS = ["ben@lab.org", "cara@lab.org"]
PUBLIC = "the public"
RIGHTS = [{}, {"can_change": True}, {"is_manager": True}, {"is_owner": True}]
HOLDERS = ["project", "datastorage", "setup", "behavioralassay"]

#: What sees a record, beside the kinds that hold roles: any record that the field names.
SEEN_BY = {
    "subject": ["projects"],
    "session": ["projects"],
    "sessiondatastorage": ["session", "datastorage"],
    "collection": ["project"],
    "cohort": ["project"],
    "epoch": ["session"],
    "behavior": ["session"],
    "dataacquisition": ["session"],
    "manipulation": ["session"],
    "procedure": ["subject"],
    "subjectlog": ["subject"],
    "equipment": ["setup"],
}

#: The fields that name other records, and the kinds they name.
NAMES = {
    "subject": {"projects": "project"},
    "session": {"projects": "project", "datastorage": "datastorage"},
    "sessiondatastorage": {"session": "session", "datastorage": "datastorage"},
    "collection": {"project": "project", "sessions": "session"},
    "cohort": {"project": "project", "subjects": "subject"},
    "equipment": {"setup": "setup"},
    "procedure": {"subject": "subject", "equipment": "equipment"},
    "subjectlog": {"subject": "subject"},
    "behavior": {
        "session": "session",
        "subjects": "subject",
        "setup": "setup",
        "behavioralassay": "behavioralassay",
    },
    "dataacquisition": {"session": "session", "procedures": "procedure", "equipment": "equipment"},
    "manipulation": {"session": "session", "procedures": "procedure", "equipment": "equipment"},
    "epoch": {"session": "session", "behaviors": "behavior", "dataacquisition": "dataacquisition"},
}

#: The same the other way round: kind, field → the kind that names it, and in which field.
BACK = {
    ("project", "sessions"): ("session", "projects"),
    ("project", "subjects"): ("subject", "projects"),
    ("project", "collections"): ("collection", "project"),
    ("project", "cohorts"): ("cohort", "project"),
    ("subject", "procedures"): ("procedure", "subject"),
    ("subject", "subjectlogs"): ("subjectlog", "subject"),
    ("session", "epochs"): ("epoch", "session"),
    ("session", "behaviors"): ("behavior", "session"),
    ("session", "dataacquisition"): ("dataacquisition", "session"),
    ("session", "manipulations"): ("manipulation", "session"),
}


@dataclass
class World:
    """Records by kind and id, each with the ids that it names; who holds roles; what is public."""

    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    readers: dict[str, set[str]] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)

    def sees(self, who: str, kind: str, record: str) -> bool:
        """The rule."""
        if kind in HOLDERS:
            return record in self.public if who == PUBLIC else who in self.readers[record]
        if kind == "sessiondatastorage" and who == PUBLIC:
            return False
        fields = self.records[kind][record]
        return all(
            any(self.sees(who, NAMES[kind][name], each) for each in listed(fields[name]))
            for name in SEEN_BY[kind]
        )

    def seen(self, who: str, kind: str) -> set[str]:
        return {each for each in self.records.get(kind, {}) if self.sees(who, kind, each)}

    def related(self, who: str, kind: str, record: str) -> dict[str, tuple[str, Any]]:
        """The relations of a record as somebody sees them: the kind, and the ids; those that the
        record names itself in their order, others as a set."""
        found: dict[str, tuple[str, Any]] = {}
        for name, target in NAMES.get(kind, {}).items():
            ids = listed(self.records[kind][record][name])
            found[name] = target, [each for each in ids if self.sees(who, target, each)]
        for (owner, name), (target, back) in BACK.items():
            if owner == kind:
                named = self.records.get(target, {})
                ids = {each for each in named if record in listed(named[each][back])}
                found[name] = target, {each for each in ids if self.sees(who, target, each)}
        return found


def listed(value: Any) -> list:
    return value if isinstance(value, list) else [value] if value else []


#: At how many kinds each reader looks closer, in each world.
CLOSER = 3


# -- Building one ------------------------------------------------------------------------------


class Builder:
    """Makes a world by the administrators' portal, as chance will have it."""

    def __init__(self, root: Any, chance: random.Random) -> None:
        self.root, self.chance, self.world = root, chance, World()
        self.numbers = count()

    def build(self) -> World:
        crew = self.root.made("/api/super/users/group/", {"name": "Crew"})
        inside = {email for email in USERS if self.chance.random() < 0.5}
        people = {"users": {email: {} for email in inside}}
        self.patch("group", crew["id"], people)
        for kind, number in (
            ("project", 3),
            ("datastorage", 2),
            ("setup", 2),
            ("behavioralassay", 1),
        ):
            for _ in range(number):
                self.share(kind, self.make(kind), inside)
        for _ in range(3):
            self.make("subject", projects=self.some("project", 1))
        for _ in range(3):
            storages = self.some("datastorage")
            self.make("session", projects=self.some("project", 1), datastorage=storages)
        for _ in range(2):
            self.make("collection", project=self.one("project"), sessions=self.some("session"))
            self.make("equipment", type="Camera", setup=self.one("setup"))
        self.make("cohort", project=self.one("project"), subjects=self.some("subject"))
        for _ in range(2):
            self.make(
                "procedure", type="X", subject=self.one("subject"), equipment=self.some("equipment")
            )
        self.make("subjectlog", type="Weight", subject=self.one("subject"))
        for _ in range(3):
            self.make(
                "behavior",
                session=self.one("session"),
                subjects=self.some("subject", 1),
                setup=self.chance.choice([None, self.one("setup")]),
                behavioralassay=self.chance.choice([None, self.one("behavioralassay")]),
            )
        for kind, type_ in (("dataacquisition", "Audio"), ("manipulation", "TactileStimulation")):
            for _ in range(2):
                self.make(
                    kind,
                    type=type_,
                    session=self.one("session"),
                    procedures=self.some("procedure"),
                    equipment=self.some("equipment"),
                )
        for session in self.world.records["session"]:
            own = {
                kind: [i for i, r in self.world.records[kind].items() if r["session"] == session]
                for kind in ("behavior", "dataacquisition")
            }
            self.make(
                "epoch",
                session=session,
                behaviors=own["behavior"],
                dataacquisition=own["dataacquisition"],
            )
        rows = self.root.get("/api/super/stem/sessiondatastorage/?limit=100")
        self.world.records["sessiondatastorage"] = {
            row["id"]: row for row in rows["sessiondatastorages"]
        }
        return self.world

    def make(self, kind: str, **fields: Any) -> str:
        payload = dict(fields)
        if "name" in KINDS[kind].fields and kind != "equipment":
            payload["name"] = f"{kind} {next(self.numbers)}"
        made = self.root.made(f"/api/super/{KINDS[kind].address}/", payload)
        self.world.records.setdefault(kind, {})[made["id"]] = fields
        return made["id"]

    def patch(self, kind: str, record: str, payload: dict[str, Any]) -> None:
        answer = self.root("PATCH", f"/api/super/{KINDS[kind].address}/{record}/", payload)
        assert answer.status_code == 200, answer.json

    def share(self, kind: str, record: str, inside: set[str]) -> None:
        users = {each: self.chance.choice(RIGHTS) for each in USERS if self.chance.random() < 0.4}
        groups = {"Crew": self.chance.choice(RIGHTS)} if self.chance.random() < 0.3 else {}
        public = self.chance.random() < 0.4
        self.patch(kind, record, {"users": users, "groups": groups, "is_public": public})
        self.world.readers[record] = set(users) | (inside if groups else set())
        if public:
            self.world.public.add(record)

    def one(self, kind: str) -> str:
        return self.chance.choice(list(self.world.records[kind]))

    def some(self, kind: str, least: int = 0) -> list[str]:
        known = list(self.world.records[kind])
        return self.chance.sample(known, self.chance.randint(least, min(2, len(known))))


# -- Asking ------------------------------------------------------------------------------------


class Reader:
    """What the program answers one user, or the public."""

    def __init__(self, who: str, person: Any) -> None:
        self.who, self.person = who, person
        self.portal = "public" if who == PUBLIC else "private"

    def address(self, kind: str, record: str = "", relation: str = "") -> str:
        parts = [f"/api/{self.portal}", KINDS[kind].address, record, relation]
        return "/".join(filter(None, parts)) + "/"

    def status(self, *where: str) -> int:
        return self.person("GET", self.address(*where)).status_code

    def list(self, kind: str, *where: str, **query: Any) -> list[dict[str, Any]]:
        answer = self.person(
            "GET", self.address(*where or (kind,)), query_string={"limit": 100, **query}
        )
        assert answer.status_code == 200, answer.json
        records = answer.json[KINDS[kind].keys]
        assert answer.json["count"] == answer.json["meta"]["total_results"] == len(records)
        return records

    def ids(self, kind: str, *where: str, **query: Any) -> list[str]:
        return [each["id"] for each in self.list(kind, *where, **query)]


def check(world: World, reader: Reader, chance: random.Random) -> None:
    """What every list shows agrees with the model, and a closer look at a few kinds does."""
    who = reader.who
    shown: dict[str, dict[str, dict[str, Any]]] = {}
    for kind in world.records:
        if kind == "sessiondatastorage" and who == PUBLIC:
            assert reader.status(kind) == 404
            continue
        shown[kind] = {each["id"]: each for each in reader.list(kind)}
        assert shown[kind].keys() == world.seen(who, kind), (who, kind)
        for record, fields in shown[kind].items():
            for name, (_, expected) in world.related(who, kind, record).items():
                agree(listed(fields[name]), expected, (who, kind, name))

    for kind in chance.sample(sorted(shown), CLOSER):
        look_closer(world, reader, chance, kind, shown)


def look_closer(
    world: World, reader: Reader, chance: random.Random, kind: str, shown: dict[str, Any]
) -> None:
    """Details, a record's relation addresses, includes and filters of one kind."""
    who, records = reader.who, shown[kind]
    for record in world.records[kind]:
        if record in records:
            one = reader.person.get(reader.address(kind, record))
            assert one == {KINDS[kind].key: records[record]}
        else:
            assert reader.status(kind, record) == (404 if who == PUBLIC else 403)
    if not records or not deeper(kind):
        return
    relations = {record: world.related(who, kind, record) for record in records}
    asked = chance.choice(sorted(records))
    names = sorted(relations[asked])
    for name, (target, expected) in relations[asked].items():
        agree(reader.ids(target, kind, asked, name), expected, (who, kind, name, "address"))

    # Every relation at once; then a step further, where nothing unseen may come up either.
    for record in reader.list(kind, **{"include[]": names}):
        for name in names:
            target = relations[record["id"]][name][0]
            expected = [shown[target][each] for each in listed(records[record["id"]][name])]
            assert listed(record[name]) == expected, (who, kind, name, "include")
    name = chance.choice(names)
    target = relations[asked][name][0]
    further = chance.choice(deeper(target) or [""])
    text = str(reader.list(kind, **{"include[]": f"{name}.{further}".strip(".")}))
    hidden = [i for k in world.records for i in world.records[k] if not world.sees(who, k, i)]
    assert not [each for each in hidden if each in text], (who, kind, name, further)

    # Filters, by what is seen and by what is not.
    wanted = chance.choice(sorted(world.records[target]))
    expected = {each for each in records if wanted in relations[each][name][1]}
    path = chance.choice([name, f"{name}.id", f"{name}.in"])
    assert set(reader.ids(kind, **{f"filter{{{path}}}": wanted})) == expected, (who, kind, path)
    found = set(reader.ids(kind, **{f"filter{{-{path}}}": wanted}))
    assert found == records.keys() - expected, (who, kind, path, "excluded")
    if further:
        beyond = {each: world.related(who, target, each)[further] for each in shown[target]}
        last = world.related(who, target, next(iter(world.records[target])))[further][0]
        wanted = chance.choice(sorted(world.records[last]))
        expected = {
            record
            for record in records
            if any(wanted in beyond[each][1] for each in relations[record][name][1])
        }
        found = set(reader.ids(kind, **{f"filter{{{name}.{further}}}": wanted}))
        assert found == expected, (who, kind, name, further)


def deeper(kind: str) -> list[str]:
    return [*NAMES.get(kind, {}), *(name for owner, name in BACK if owner == kind)]


def agree(found: list[str], expected: Any, what: Any) -> None:
    assert len(found) == len(set(found)), what
    if isinstance(expected, set):
        assert set(found) == expected, what
    else:
        assert found == expected, what


@pytest.fixture
def emptied(app) -> Iterator[Any]:
    """Takes every record away between two worlds."""

    def empty() -> None:
        with app.app_context(), db.engine.begin() as connection:
            for table in reversed(db.metadata.sorted_tables):
                connection.execute(table.delete())

    return empty


@settings(
    max_examples=6,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(chance=st.randoms())
@example(chance=random.Random(1))
@example(chance=random.Random(2))
def test_every_answer_agrees_with_the_model(emptied, person, chance):
    emptied()
    root = person("root@lab.org", admin=True)
    readers = [Reader(email, person(email)) for email in USERS]
    readers.append(Reader(PUBLIC, readers[0].person))
    world = Builder(root, chance).build()
    for reader in readers:
        check(world, reader, chance)


def test_the_model_knows_every_kind():
    """A new kind belongs into this world, too."""
    assert KINDS.keys() == SEEN_BY.keys() | {*HOLDERS, "user", "group"}
