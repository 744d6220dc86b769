"""A record saved with its parts: all of it or nothing, in whatever order it can be done."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from marshmallow import ValidationError

from brainstem.core import history, restoring, whole
from brainstem.core.parts import Part, Parts, parts_of
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.errors import Changed, Forbidden

REQUIRED = "This field is required."


@pytest.fixture
def lab(app, ada):
    """Ada's project with two subjects, and a session with two modules and two epochs."""
    project = ada.project()
    subjects = [
        ada.made("stem/subject/", {"name": name, "projects": [project["id"]]})["id"]
        for name in ("Rat 1", "Rat 2")
    ]
    session = ada.session("Monday", project)
    modules = [
        ada.made("modules/dataacquisition/", {"type": kind, "session": session["id"]})
        for kind in ("Audio", "Miniscope")
    ]
    epochs = [
        ada.made("stem/epoch/", {"name": n, "session": session["id"], "dataacquisition": [m["id"]]})
        for n, m in zip(("A", "B"), modules, strict=True)
    ]
    with app.app_context():
        yield SimpleNamespace(
            actor=Actor(ada.id, way="page"),
            session=registry.get("session"),
            id=UUID(session["id"]),
            project=project["id"],
            subjects=subjects,
            modules=[UUID(each["id"]) for each in modules],
            epochs=[UUID(each["id"]) for each in epochs],
        )


def save(lab, payload=None, record_id=None, **parts):
    return whole.save(lab.actor, lab.session, record_id, payload or {}, parts)


def edit(lab, payload=None, **parts):
    return save(lab, payload, lab.id, **parts)


def refused(call, *args, **parts):
    with pytest.raises(ValidationError) as raised:
        call(*args, **parts)
    return raised.value.messages


def epochs_of(ada, **fields):
    found = ada.get("stem/epoch/?sort[]=name")["epochs"]
    return [tuple(each[name] for name in fields.get("of", ("name",))) for each in found]


def test_the_kinds_of_parts_stand_in_an_order_in_which_they_can_be_made(app):
    parts = parts_of(registry.get("session"))
    assert [each.name for each in parts][-1] == "epochs"
    assert {each.name for each in parts} == {
        "epochs",
        "behaviors",
        "dataacquisition",
        "manipulations",
    }
    assert parts_of(registry.get("subject")) == []


def test_a_new_record_comes_with_parts_that_name_each_other(lab, ada):
    module, epoch = uuid4(), uuid4()
    view = save(
        lab,
        {"name": "Tuesday", "projects": [lab.project]},
        epochs=Parts([Part(epoch, {"name": "E", "behaviors": [str(module)]})]),
        behaviors=Parts([Part(module, {"subjects": lab.subjects})]),
    )
    stored = ada.get(f"stem/session/{view.record.id}/")["session"]
    assert (stored["epochs"], stored["behaviors"]) == ([str(epoch)], [str(module)])
    assert ada.get(f"stem/epoch/{epoch}/")["epoch"]["behaviors"] == [str(module)]


def test_everything_that_is_wrong_is_told_at_once(lab, ada):
    module = uuid4()
    before = ada.get("stem/session/")["count"]
    messages = refused(
        save,
        lab,
        {"projects": []},
        epochs=Parts(
            [
                Part(uuid4(), {"name": "", "start": "x", "behaviors": [str(module)]}),
                Part(uuid4(), {"name": "Right", "behaviors": [str(module), str(uuid4())]}),
                Part(uuid4(), {"name": "Right too"}),
            ]
        ),
        behaviors=Parts([Part(module, {"notes": "x" * 501})]),
    )
    assert messages.pop("name") == [REQUIRED]
    assert messages.pop("projects") == ["Name at least one."]
    # That the module can't be made is said at the module, not at those that name it.
    assert set(messages["epochs"]) == {0, 1}
    assert set(messages["epochs"][0]) == {"name", "start"}
    assert messages["epochs"][1] == {"behaviors": {1: ["There is no such behavior."]}}
    assert set(messages["behaviors"][0]) == {"subjects", "notes"}
    assert ada.get("stem/session/")["count"] == before


def test_what_fails_in_one_part_leaves_all_others_undone(lab, ada):
    messages = refused(
        edit,
        lab,
        {"description": "new"},
        epochs=Parts(
            [
                Part(lab.epochs[0], {"name": "Renamed"}, 1),
                Part(lab.epochs[1], {"name": ""}, 1),
                Part(uuid4(), {"name": "New"}),
            ]
        ),
        dataacquisition=Parts([Part(lab.modules[1], version=1, removed=True)]),
    )
    assert messages["epochs"] == {1: {"name": [REQUIRED]}}
    assert epochs_of(ada) == [("A",), ("B",)]
    assert ada.get(f"stem/session/{lab.id}/")["session"]["description"] == ""


SWAPS = [
    # What one gives up another can take, whichever comes first.
    ({"dataacquisition": 1}, {"dataacquisition": 0}),
    ({"dataacquisition": 1}, {"dataacquisition": None}),
    ({"dataacquisition": None}, {"dataacquisition": 0}),
    ({"name": "B"}, {"name": "C"}),
    ({"name": "C"}, {"name": "A"}),
    ({"name": "B"}, None),
    (None, {"name": "A"}),
]


@pytest.mark.parametrize(("first", "second"), SWAPS)
def test_parts_exchange_what_only_one_can_have(lab, ada, first, second):
    def part(epoch, change):
        payload = dict(change or {})
        if "dataacquisition" in payload:
            number = payload["dataacquisition"]
            payload["dataacquisition"] = [] if number is None else [str(lab.modules[number])]
        return Part(epoch, payload, 1, removed=change is None)

    wanted = [part(*each) for each in zip(lab.epochs, (first, second), strict=True)]
    edit(lab, epochs=Parts(wanted))
    stored = {each["id"]: each for each in ada.get("stem/epoch/")["epochs"]}
    assert set(stored) == {str(each.id) for each in wanted if not each.removed}
    for each in wanted:
        for name, value in each.payload.items():
            assert stored[str(each.id)][name] == value


def test_a_module_goes_once_no_epoch_of_the_form_names_it(lab, ada):
    gone = Parts([Part(lab.modules[0], version=1, removed=True)])
    messages = refused(edit, lab, dataacquisition=gone)
    assert "“A”" in messages["dataacquisition"][0]["_schema"][0]
    edit(
        lab,
        dataacquisition=gone,
        epochs=Parts([Part(lab.epochs[0], {"dataacquisition": []}, 1)]),
    )
    assert ada.get("modules/dataacquisition/")["count"] == 1


@pytest.mark.parametrize(
    ("stored", "wanted", "expected"),
    [
        ([0, 1, 2], "210", {2: 0, 1: 1, 0: 2}),
        # No more is written than it takes, and gaps stay.
        ([0, 5, 9], "021", {0: 0, 2: 5, 1: 9}),
        ([3, 3, 3], "201", {2: 3, 0: 4, 1: 5}),
        ([0, 1, 2], "0n12", {0: 0, "n": 1, 1: 2, 2: 3}),
        ([0, 1, 1_000_000_000], "012n", {0: 0, 1: 1, 2: 2, "n": 3}),
    ],
)
def test_parts_are_put_into_an_order(lab, ada, stored, wanted, expected):
    ids, home = [], str(lab.id)
    for place in stored:
        payload = {"session": home, "type": "VisualStimulation", "order": place}
        ids.append(ada.made("modules/manipulation/", payload)["id"])
    if len(set(stored)) == 1:
        ids.sort()
    new = uuid4()
    parts = [
        Part(new, {"type": "TactileStimulation"})
        if each == "n"
        else Part(UUID(ids[int(each)]), {}, 1)
        for each in wanted
    ]
    seen = [UUID(each) for each in ids]
    edit(lab, manipulations=Parts(parts, seen, arranged=True))
    found = ada.get("modules/manipulation/?sort[]=order")["manipulations"]
    named = {str(new): "n"} | {each: number for number, each in enumerate(ids)}
    assert {named[each["id"]]: each["order"] for each in found} == expected


def test_what_is_left_unchanged_is_not_written(lab, ada, statements):
    version = ada("GET", f"stem/epoch/{lab.epochs[0]}/").headers["ETag"]
    edit(lab, {"description": "new"}, epochs=Parts([Part(each, {}, 1) for each in lab.epochs]))
    assert ada("GET", f"stem/epoch/{lab.epochs[0]}/").headers["ETag"] == version
    assert not any("UPDATE epoch" in each for each in statements)


def test_what_somebody_changed_meanwhile_is_not_written_over(lab, ada):
    ada("PATCH", f"stem/epoch/{lab.epochs[0]}/", {"notes": "theirs"})
    for part in (
        Part(lab.epochs[0], {"notes": "mine"}, 1),
        Part(lab.epochs[0], {}, 1, removed=True),
    ):
        with pytest.raises(Changed):
            edit(lab, {"description": "new"}, epochs=Parts([part]))
    # What I leave alone is no matter of mine.
    edit(lab, {"description": "new"}, epochs=Parts([Part(lab.epochs[0], {}, 1)]))
    # A mistake is told first.
    messages = refused(
        edit, lab, {"name": ""}, epochs=Parts([Part(lab.epochs[0], {"notes": "x"}, 1)])
    )
    assert messages == {"name": [REQUIRED]}
    assert ada.get(f"stem/epoch/{lab.epochs[0]}/")["epoch"]["notes"] == "theirs"


def test_what_somebody_deleted_meanwhile(lab, ada):
    ada("DELETE", f"stem/epoch/{lab.epochs[0]}/")
    edit(lab, epochs=Parts([Part(lab.epochs[0], {}, 1)]))
    edit(lab, epochs=Parts([Part(lab.epochs[0], {}, 1, removed=True)]))
    with pytest.raises(Changed):
        edit(lab, epochs=Parts([Part(lab.epochs[0], {"notes": "mine"}, 1)]))
    assert epochs_of(ada) == [("B",)]


def test_an_order_that_somebody_changed_meanwhile_is_not_written_over(lab, ada):
    ada("PATCH", f"modules/dataacquisition/{lab.modules[0]}/", {"order": 7})
    parts = [Part(each, {}, 1) for each in reversed(lab.modules)]
    with pytest.raises(Changed):
        edit(lab, dataacquisition=Parts(parts, lab.modules, arranged=True))


def test_a_form_that_is_sent_twice_adds_once(lab, ada):
    new = Part(uuid4(), {"name": "New", "notes": "kept"})
    for _ in range(2):
        edit(lab, epochs=Parts([new]))
    assert epochs_of(ada, of=("name", "notes")) == [("A", ""), ("B", ""), ("New", "kept")]


def test_an_id_of_another_record_is_not_taken(lab, ada):
    other = ada.session("Other", {"id": lab.project})
    epoch = ada.made("stem/epoch/", {"name": "Theirs", "session": other["id"]})
    messages = refused(edit, lab, epochs=Parts([Part(UUID(epoch["id"]), {"name": "Mine"})]))
    assert messages == {"epochs": {0: {"_schema": [whole.TAKEN]}}}
    # Nor can it be changed, or deleted, from here.
    with pytest.raises(Changed):
        edit(lab, epochs=Parts([Part(UUID(epoch["id"]), {"name": "Mine"}, 1)]))
    edit(lab, epochs=Parts([Part(UUID(epoch["id"]), {}, 1, removed=True)]))
    assert ada.get(f"stem/epoch/{epoch['id']}/")["epoch"] == epoch


def test_a_part_of_the_wrong_kind_is_not_silently_left_out(lab):
    module = uuid4()
    messages = refused(
        edit,
        lab,
        behaviors=Parts([Part(module, {"subjects": lab.subjects})]),
        epochs=Parts([Part(uuid4(), {"name": "E", "manipulations": [str(module)]})]),
    )
    assert messages["epochs"][0] == {"manipulations": {0: ["There is no such manipulation."]}}


def test_it_takes_the_rights_that_each_part_takes(lab, ben):
    lab.actor = Actor(ben.id, way="page")
    for parts in (
        {},
        {"epochs": Parts([Part(uuid4(), {"name": "New"})])},
        {"epochs": Parts([Part(lab.epochs[0], {"name": "New"}, 1)])},
        {"epochs": Parts([Part(lab.epochs[0], {}, 1, removed=True)])},
    ):
        with pytest.raises(Forbidden):
            edit(lab, **parts)


def test_it_is_one_change_in_the_history(lab):
    edit(
        lab,
        {"description": "new"},
        epochs=Parts([Part(lab.epochs[0], {"notes": "new"}, 1), Part(uuid4(), {"name": "New"})]),
    )
    changes = history.recent(lab.actor)
    latest = changes[0][0] if isinstance(changes, list) else changes.changes[0][0]
    assert len(latest.revisions) == 3


def test_a_new_part_takes_no_id_of_somebody_else_s(lab, ada, ben):
    """The history and the search know records by their ids alone."""
    gone = ada.made("stem/epoch/", {"name": "Gone", "session": str(lab.id)})["id"]
    ada("DELETE", f"stem/epoch/{gone}")
    deleted = history.of_record(Actor(ada.id), registry.get("epoch"), UUID(gone))[0].change_id
    mine = UUID(ben.session("Mine", ben.project("Ben's"))["id"])
    for taken in (lab.id, lab.epochs[0], UUID(gone)):
        parts = {"epochs": Parts([Part(taken, {"name": "Evil"})])}
        with pytest.raises(ValidationError) as raised:
            whole.save(Actor(ben.id, way="page"), lab.session, mine, {}, parts)
        assert "can't be stored under its id" in str(raised.value.messages["epochs"][0])
    restoring.undo(lab.actor, deleted)
    # Whoever may see what was there can have it anew, as with a form that is sent once more.
    ada("DELETE", f"stem/epoch/{gone}")
    edit(lab, epochs=Parts([Part(UUID(gone), {"name": "Again"})]))
    assert ada.get(f"stem/epoch/{gone}")["epoch"]["name"] == "Again"
