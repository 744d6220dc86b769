"""One edit of many records: what is planned is what is done, by the rules of each single change."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError
from sqlalchemy import func, select

from brainstem.core import bulk, history, operations, restoring
from brainstem.core.bulk import Edit
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import registry
from brainstem.errors import Changed, Forbidden
from brainstem.extensions import db

#: values, what is added, what is removed, values afterwards
EDITS = [
    (["a", "b"], ["c"], [], ["a", "b", "c"]),
    (["a", "b"], ["b"], [], ["a", "b"]),
    (["a", "b"], ["d", "c", "a"], [], ["a", "b", "d", "c"]),
    (["a", "b"], [], ["a"], ["b"]),
    (["a", "b"], [], ["c"], ["a", "b"]),
    (["a", "b"], ["c"], ["a", "b"], ["c"]),
    ([], ["c"], ["a"], ["c"]),
    ([], [], [], []),
]


@pytest.mark.parametrize(("values", "add", "remove", "after"), EDITS)
def test_a_list_keeps_its_order_and_what_is_new_comes_last(values, add, remove, after):
    assert Edit(tuple(add), tuple(remove)).of(values) == after


class World:
    """Ada's sessions in projects where Ben holds different roles; storages that he may use or not."""

    SESSION = registry.get("session")

    def __init__(self, app, ada, ben) -> None:
        self.app, self.ada, self.ben = app, ada, ben
        self.actor = Actor(ben.id, way="page")
        roles = {"works": Role.CONTRIBUTOR, "reads": Role.MEMBER, "unseen": None}
        self.projects = {name: ada.project(f"Project {name}") for name in roles}
        self.storages = {name: ada.storage(f"Storage {name}") for name in roles}
        for name, role in roles.items():
            if role is not None:
                ada.share("project", self.projects[name], "ben@lab.org", role)
                ada.share("datastorage", self.storages[name], "ben@lab.org", role)
        in_projects = {
            "mine": ["works"],
            "read": ["reads"],
            "both": ["works", "reads"],
            "other": ["works", "unseen"],
            "gone": ["unseen"],
        }
        storages = [self.storages[name]["id"] for name in ("unseen", "reads")]
        self.sessions = {
            name: ada.session(
                name,
                *(self.projects[each] for each in projects),
                tags=["raw", "checked"],
                datastorage=storages,
            )
            for name, projects in in_projects.items()
        }

    def id(self, kind: str, name: str) -> UUID:
        return UUID(getattr(self, kind)[name]["id"])

    @property
    def ids(self) -> list[UUID]:
        return [self.id("sessions", name) for name in self.sessions]

    def plan(self, ids=None, **edits: Edit) -> bulk.Plan:
        return bulk.plan(self.actor, self.SESSION, self.ids if ids is None else ids, edits)

    def apply(self, plan: bulk.Plan, ids=None) -> bulk.Done:
        ids = self.ids if ids is None else ids
        return bulk.apply(self.actor, self.SESSION, ids, plan.edits, plan.fingerprint)

    def tags(self, name: str) -> list[str]:
        return self.stored(name)["tags"]

    def stored(self, name: str):
        return self.ada.get(f"stem/session/{self.sessions[name]['id']}/")["session"]


@pytest.fixture
def world(app, ada, ben):
    with app.app_context():
        yield World(app, ada, ben)


def titles(rows):
    return [row.title for row in rows]


def test_the_plan_says_what_changes_what_stays_and_what_is_refused(world):
    world.ada("PATCH", f"stem/session/{world.sessions['mine']['id']}/", {"tags": ["pilot"]})
    third = world.ada.session("third", world.projects["works"])
    plan = world.plan([*world.ids, UUID(third["id"])], tags=Edit(("pilot",), ("raw",)))
    assert titles(plan.changing) == ["third"]
    assert titles(plan.staying) == ["mine"]
    assert titles(plan.refused) == ["read", "both", "other"]
    assert plan.missing == 1
    assert plan.words == "tag “pilot” added, tag “raw” removed"
    assert plan.changing[0].before == {"tags": []}
    assert plan.changing[0].after == {"tags": ["pilot"]}
    assert plan.refused[0].problems == [
        "You may see this session, but not change it: that takes a contributor to all of its projects."
    ]


def test_nothing_is_told_of_records_that_the_actor_may_not_read(world):
    ids = [UUID(world.sessions[name]["id"]) for name in ("gone", "mine")]
    for name in bulk.editable(world.SESSION):
        with world.app.app_context():
            assert bulk.held(world.actor, world.SESSION, ids, name).keys() == {ids[1]}, name


def edits_of(world):
    """Edits of every list, with what Ben may name and what he may not."""
    storages = {name: world.id("storages", name) for name in world.storages}
    projects = {name: world.id("projects", name) for name in world.projects}
    yield {"tags": Edit(add=("pilot", "raw"))}
    yield {"tags": Edit(remove=("raw", "checked"))}
    yield {"tags": Edit(add=("x" * 201,))}
    yield {"tags": Edit(add=("nul\0",))}
    for which in (storages, projects):
        name = "datastorage" if which is storages else "projects"
        for each in [*which.values(), uuid4()]:
            yield {name: Edit(add=(each,))}
            yield {name: Edit(remove=(each,))}
    yield {"projects": Edit(add=(projects["works"],), remove=(projects["reads"],))}
    yield {"tags": Edit(add=("new",)), "datastorage": Edit(remove=(storages["reads"],))}


def test_the_plan_says_what_the_operation_would(world, subtests):
    """Record by record, edit by edit: the same is refused, and the same comes out."""
    for edits in edits_of(world):
        planned = world.plan(**edits)
        assert len(planned.rows) == 4
        for row in planned.rows:
            with subtests.test(edits=edits, record=row.title):
                before = world.stored(row.title)
                if row.payload:
                    try:
                        operations.change(
                            world.actor, world.SESSION, row.id, row.payload, keeping=True
                        )
                        refused = False
                    except (ValidationError, Forbidden):
                        refused = True
                    # The one thing that only the plan refuses: to name what is there, unseen.
                    guessed = not refused and world.stored(row.title) == before
                    assert bool(row.problems) == (refused or guessed)
                after = world.stored(row.title)
                for name, wanted in row.after.items() if row in planned.changing else ():
                    seen = [str(each) for each in row.before[name]]
                    unseen = [each for each in before[name] if each not in seen]
                    assert [each for each in after[name] if each not in unseen] == list(
                        map(str, wanted)
                    )
                    assert set(unseen) <= set(after[name])
                world.ada("PATCH", f"stem/session/{before['id']}/", before)


def test_one_edit_is_one_change_and_is_undone_in_one_step(world):
    ids = [UUID(world.ada.session(f"s{i}", world.projects["works"])["id"]) for i in range(3)]
    storage = world.id("storages", "works")
    plan = world.plan(ids, tags=Edit(("pilot",)), datastorage=Edit((storage,)))
    done = world.apply(plan, ids)
    assert done.records == 3
    found = [world.ada.get(f"stem/session/{each}/")["session"] for each in ids]
    assert [(each["tags"], each["datastorage"]) for each in found] == [
        (["pilot"], [str(storage)])
    ] * 3
    change = restoring.found(world.actor, done.change_id)
    revisions = select(func.count()).where(history.Revision.change_id == done.change_id)
    assert db.session.scalar(revisions) == 3
    # Who reads it may not read the storage.
    assert change.summary == "Edit of several sessions: tag “pilot” added, data storage added"
    restoring.undo(world.actor, done.change_id)
    found = [world.ada.get(f"stem/session/{each}/")["session"] for each in ids]
    assert [(each["tags"], each["datastorage"]) for each in found] == [([], [])] * 3


def test_unseen_storages_keep_their_places(world):
    mine = world.id("sessions", "mine")
    unseen, seen, new = (str(world.id("storages", n)) for n in ("unseen", "reads", "works"))
    assert world.stored("mine")["datastorage"] == [unseen, seen]
    plan = world.plan([mine], datastorage=Edit((UUID(new),), (UUID(seen),)))
    assert plan.changing[0].before == {"datastorage": [UUID(seen)]}
    world.apply(plan, [mine])
    assert world.stored("mine")["datastorage"] == [unseen, new]


def test_what_changed_since_the_plan_is_not_done(world):
    ids = [world.id("sessions", "mine")]
    plan = world.plan(ids, tags=Edit(("pilot",)))
    world.ada("PATCH", f"stem/session/{ids[0]}/", {"description": "Changed"})
    with pytest.raises(Changed):
        world.apply(plan, ids)
    assert world.tags("mine") == ["raw", "checked"]
    world.apply(world.plan(ids, tags=Edit(("pilot",))), ids)
    assert world.tags("mine") == ["raw", "checked", "pilot"]


def test_rights_lost_since_the_plan_count(world):
    ids = [world.id("sessions", "mine")]
    plan = world.plan(ids, tags=Edit(("pilot",)))
    world.ada.share("project", world.projects["works"], "ben@lab.org", Role.MEMBER)
    with pytest.raises(Changed):
        world.apply(plan, ids)
    assert world.tags("mine") == ["raw", "checked"]


def test_all_or_nothing_with_the_errors_by_record(world, monkeypatch):
    records = [world.ada.session(f"s{i}", world.projects["works"]) for i in range(3)]
    ids, alter = [UUID(each["id"]) for each in records], operations.alter

    def fails_once(actor, resource, record_id, *args, **kwargs):
        if record_id == ids[1]:
            raise Forbidden("Not this one.")
        return alter(actor, resource, record_id, *args, **kwargs)

    plan = world.plan(ids, tags=Edit(("pilot",)))
    monkeypatch.setattr(operations, "alter", fails_once)
    with pytest.raises(ValidationError) as error:
        world.apply(plan, ids)
    assert error.value.normalized_messages() == {str(ids[1]): ["“s1”: Not this one."]}
    stored = [world.ada.get(f"stem/session/{each}/")["session"]["tags"] for each in ids]
    assert stored == [[], [], []]


def test_edits_that_no_record_can_have(world, subtests):
    cases = {
        "no such list": {"sessions": Edit(("x",))},
        "no list": {"name": Edit(("x",))},
        "read-only": {"epochs": Edit((uuid4(),))},
        "both": {"tags": Edit(("a",), ("a",))},
    }
    for name, edits in cases.items():
        with subtests.test(case=name), pytest.raises(ValidationError):
            world.plan(**edits)
    with pytest.raises(ValidationError):
        world.plan([uuid4() for _ in range(bulk.MOST + 1)], tags=Edit(("a",)))


def test_a_plan_reads_all_records_at_once(world, statements):
    some = [UUID(world.ada.session(f"s{i}", world.projects["works"])["id"]) for i in range(6)]
    edits = {"tags": Edit(("pilot",)), "datastorage": Edit((world.id("storages", "works"),))}
    counts = []
    for ids in (some[:2], some):
        db.session.rollback()
        statements.clear()
        world.plan(ids, **edits)
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("kind", "lists"),
    [
        ("session", ["tags", "projects", "datastorage"]),
        ("subject", ["tags", "projects"]),
        ("project", ["tags"]),
        ("collection", ["tags", "sessions"]),
        ("datastorage", []),
        ("user", []),
    ],
)
def test_which_lists_a_kind_has(kind, lists):
    assert list(bulk.editable(registry.get(kind))) == lists
