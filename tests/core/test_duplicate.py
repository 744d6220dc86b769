"""A new session like another one: what comes along, with new ids in all that its parts name."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError

from brainstem.core import duplicate, restoring
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import registry
from brainstem.errors import Forbidden, NotFound
from brainstem.extensions import db

SESSION = registry.get("session")
#: The relations to the parts of a session, and their kinds.
PARTS = {
    "behaviors": "behavior",
    "dataacquisition": "dataacquisition",
    "manipulations": "manipulation",
    "epochs": "epoch",
}
EVERY = tuple(PARTS.values())


class World:
    """Ada's session with two of every module, and epochs that name them."""

    def __init__(self, app, ada) -> None:
        self.app, self.ada, self.actor = app, ada, Actor(ada.id, way="page")
        self.project, self.storage = ada.project(), ada.storage()
        self.setup = ada.made("personal_attributes/setup/", {"name": "Rig"})
        self.subject = ada.made("stem/subject/", {"name": "M12", "projects": [self.project["id"]]})
        self.camera = ada.made("modules/equipment/", {"type": "Camera", "setup": self.setup["id"]})
        self.session = ada.session(
            "M12 2026-11-23",
            self.project,
            description="Long\r\nday",
            tags=["pilot", "opto"],
            datastorage=[self.storage["id"]],
            extra_fields={"room": "B115", "depth": 22.0},
            download_links=[{"repository": "Other", "url": "https://a.org/"}],
        )
        made = {name: [] for name in ("behavior", "dataacquisition", "manipulation")}
        for number in range(2):
            notes = {"session": self.session["id"], "notes": f"number {number}"}
            made["behavior"].append(
                ada.made(
                    "modules/behavior/",
                    {"subjects": [self.subject["id"]], "setup": self.setup["id"], **notes},
                )
            )
            for kind, type_ in (
                ("dataacquisition", "VideoTracking"),
                ("manipulation", "OdorStimulation"),
            ):
                payload = {"type": type_, "equipment": [self.camera["id"]], **notes}
                made[kind].append(ada.made(f"modules/{kind}/", payload))
        for number in range(2):
            ada.made(
                "stem/epoch/",
                {
                    "session": self.session["id"],
                    "name": f"Epoch {number}",
                    "start": 60 * number,
                    "end": 60 * number + 30,
                    "notes": "first\nsecond",
                    "behaviors": [each["id"] for each in made["behavior"]],
                    "dataacquisition": [made["dataacquisition"][number]["id"]],
                    "manipulations": [made["manipulation"][1 - number]["id"]],
                },
            )

    def whole(self, session_id, who=None):
        """A session and its parts, with a place in the session in place of every id."""
        who = who or self.ada
        include = "&".join(f"include[]={name}" for name in PARTS)
        answer = who.get(f"stem/session/{session_id}/?{include}")
        record = answer["session"]
        places = {record["id"]: "session"}
        for name in PARTS:
            for place, part in enumerate(record[name]):
                places[part["id"]] = f"{name} {place}"

        def told(value):
            if isinstance(value, dict):
                return {key: told(each) for key, each in value.items()}
            if isinstance(value, list):
                return [told(each) for each in value]
            return places.get(value, value) if isinstance(value, str) else value

        return told(record)

    def copy(self, kinds=EVERY, actor=None, **fields):
        payload = {"name": "M12 2026-11-24", "projects": [self.project["id"]], **fields}
        return duplicate.duplicate(
            actor or self.actor,
            SESSION,
            UUID(self.session["id"]),
            payload,
            [registry.get(kind) for kind in kinds],
        )

    def draft(self, actor=None):
        # What was read so far ends here, as between two requests.
        db.session.rollback()
        return duplicate.draft(actor or self.actor, SESSION, UUID(self.session["id"]))


@pytest.fixture
def world(app, ada, ben):
    with app.app_context():
        yield World(app, ada)


def test_everything_comes_along_and_names_the_new_parts(world):
    draft = world.draft()
    assert [(kind.name, len(parts)) for kind, parts in draft.parts.items()] == [
        ("behavior", 2),
        ("dataacquisition", 2),
        ("manipulation", 2),
        ("epoch", 2),
    ]
    assert draft.left_out == []
    before = world.whole(world.session["id"])
    copied = world.copy(**{**draft.payload, "name": "M12 2026-11-24"})
    new = world.whole(copied.record.id)
    assert new.pop("name") == "M12 2026-11-24"
    assert before.pop("name") == "M12 2026-11-23"
    assert new == before
    assert world.whole(world.session["id"]) == before | {"name": "M12 2026-11-23"}


def test_it_is_one_change_and_undone_in_one_step(world):
    copied = world.copy()
    new = copied.record.id
    restoring.undo(world.actor, copied.change_id)
    assert world.ada("GET", f"stem/session/{new}/").status_code == 404
    assert world.ada.get("stem/epoch/")["count"] == 2
    assert len(world.whole(world.session["id"])["epochs"]) == 2


#: which parts come along, what the first epoch then names
CHOICES = [
    ([], None),
    (["epoch"], ([], [], [])),
    (["behavior", "epoch"], (["behaviors 0", "behaviors 1"], [], [])),
    (
        ["dataacquisition", "manipulation", "epoch"],
        ([], ["dataacquisition 0"], ["manipulations 1"]),
    ),
    (["behavior"], None),
]


@pytest.mark.parametrize(("kinds", "named"), CHOICES)
def test_epochs_name_what_comes_along_and_no_more(world, kinds, named):
    new = world.whole(world.copy(kinds).record.id)
    assert [kind for name, kind in PARTS.items() if new[name]] == [
        kind for kind in PARTS.values() if kind in kinds
    ]
    if named is not None:
        epoch = new["epochs"][0]
        assert (epoch["behaviors"], epoch["dataacquisition"], epoch["manipulations"]) == named


def test_what_somebody_may_not_use_stays_behind_and_is_told(world, ben):
    ada, mine = world.ada, ben.project("Ben's")
    unseen = ada.storage("Unseen")
    both = [unseen["id"], world.storage["id"]]
    ada("PATCH", f"stem/session/{world.session['id']}/", {"datastorage": both})
    for kind, record in (("project", world.project), ("datastorage", world.storage)):
        ada.share(kind, record, "ben@lab.org", Role.MEMBER)
    ada.share("setup", world.setup, "ben@lab.org", Role.MEMBER)
    actor = Actor(ben.id, way="page")
    draft = world.draft(actor)
    assert sorted(draft.left_out) == [
        "Data storage “Storage”: you may see it, but not use it.",
        "Equipment “Camera”: you may see it, but not use it.",
        "Project “Project”: you may see it, but not use it.",
        "Setup “Rig”: you may see it, but not use it.",
    ]
    assert draft.payload["projects"] == draft.payload["datastorage"] == []
    copied = world.copy(actor=actor, projects=[mine["id"]])
    new = world.whole(copied.record.id, who=ben)
    assert new["projects"] == [mine["id"]]
    assert [each["setup"] for each in new["behaviors"]] == [None, None]
    assert [each["equipment"] for each in new["manipulations"]] == [[], []]
    assert [each["subjects"] for each in new["behaviors"]] == [[world.subject["id"]]] * 2


def test_a_behavior_of_subjects_that_one_may_not_see_stays_behind(world, ben):
    """It can't be without a subject; the session is in Ben's project, the subject is not."""
    mine = ben.project("Ben's")
    ben.share("project", mine, "ada@lab.org", Role.CONTRIBUTOR)
    both = [world.project["id"], mine["id"]]
    world.ada("PATCH", f"stem/session/{world.session['id']}/", {"projects": both})
    draft = world.draft(Actor(ben.id))
    assert registry.get("behavior") not in draft.parts
    assert "Behavior “Behavior 1”: you may not use what it needs." in draft.left_out
    copied = world.copy(actor=Actor(ben.id), projects=[mine["id"]])
    new = world.whole(copied.record.id, who=ben)
    assert new["behaviors"] == new["epochs"][0]["behaviors"] == []
    assert len(new["epochs"]) == len(new["manipulations"]) == 2


def test_nothing_is_stored_where_anything_is_wrong(world, ben, monkeypatch):
    with pytest.raises(ValidationError) as error:
        world.copy(name="M12 2026-11-23", projects=[], date_time="soon")
    assert set(error.value.normalized_messages()) == {"name", "projects", "date_time"}
    with pytest.raises(Forbidden):
        world.copy(actor=Actor(ben.id))
    with pytest.raises(NotFound):
        duplicate.draft(world.actor, SESSION, uuid4())

    def refuse(self, actor, record, data):
        return {"name": ["Not today."]} if data["name"] == "Epoch 1" else {}

    monkeypatch.setattr(type(registry.get("epoch")), "check", refuse)
    with pytest.raises(ValidationError) as error:
        world.copy()
    assert error.value.normalized_messages() == {"epoch": ["“Epoch 1”: Not today."]}
    assert world.ada.get("stem/session/")["count"] == 1


def test_names_are_taken_by_records_that_one_may_not_see(world, ben):
    ben.session("M12 2026-11-24", ben.project("Ben's"))
    names = ["M12 2026-11-23", "M12 2026-11-24", "M12 2026-11-25"]
    assert duplicate.taken(SESSION, names) == set(names[:2])


def test_any_kind_can_be_copied(world):
    """What belongs to a subject stays when it is deleted, and stays behind when it is copied."""
    subject, record_id = registry.get("subject"), UUID(world.subject["id"])
    draft = duplicate.draft(world.actor, subject, record_id)
    assert draft.parts == {}
    copied = duplicate.duplicate(world.actor, subject, record_id, draft.payload | {"name": "M13"})
    new = world.ada.get(f"stem/subject/{copied.record.id}/")["subject"]
    before = world.ada.get(f"stem/subject/{record_id}/")["subject"]
    assert new == before | {"id": str(copied.record.id), "name": "M13"}
