"""Behaviors, data acquisitions and manipulations of a session: their order, and what they name."""

from __future__ import annotations

import pytest

MODULES = {
    "behavior": ("behaviors", "behavior"),
    "dataacquisition": ("dataacquisition", "data_acquisition"),
    "manipulation": ("manipulations", "manipulation"),
}


@pytest.fixture
def lab(ada):
    """A project with a session and a subject."""
    project = ada.project()
    subject = ada.made("stem/subject/", {"name": "Mouse", "projects": [project["id"]]})
    return {"session": ada.session("Monday", project), "subject": subject, "project": project}


@pytest.fixture(params=MODULES)
def kind(request):
    return request.param


@pytest.fixture
def module(ada, lab, kind):
    """Makes a module of the kind in the session."""
    least = {
        "behavior": {"subjects": [lab["subject"]["id"]]},
        "dataacquisition": {"type": "Audio"},
        "manipulation": {"type": "TactileStimulation"},
    }[kind]

    def make(**fields):
        payload = {"session": lab["session"]["id"], **least, **fields}
        return ada.made(f"modules/{kind}/", payload)

    return make


def test_the_order_counts_on_from_the_last(ada, lab, module):
    assert [module()["order"] for _ in range(3)] == [0, 1, 2]
    assert module(order=10)["order"] == 10
    assert module()["order"] == 11
    assert module(order=5)["order"] == 5
    assert module()["order"] == 12
    other = ada.session("Tuesday", lab["project"])
    assert module(session=other["id"])["order"] == 0


def test_a_session_lists_its_modules_by_their_order(ada, lab, kind, module):
    field, _ = MODULES[kind]
    ids = {module(order=order)["id"]: order for order in (3, 0, 2, 1)}
    for where in (
        f"stem/session/{lab['session']['id']}/{field}/",
        f"modules/{kind}/",
        f"modules/{kind}/?filter{{session.id}}={lab['session']['id']}",
    ):
        found = next(iter(ada.get(where).values()))
        assert [each["order"] for each in found] == [0, 1, 2, 3]
    address = f"stem/session/{lab['session']['id']}"
    assert [ids[each] for each in ada.get(address)["session"][field]] == [0, 1, 2, 3]
    included = ada.get(f"{address}?include[]={field}")["session"][field]
    assert [each["order"] for each in included] == [0, 1, 2, 3]
    first = next(each for each, order in ids.items() if order == 0)
    assert ada("PATCH", f"modules/{kind}/{first}", {"order": 9}).status_code == 200
    assert ada.get(address)["session"][field][-1] == first


@pytest.mark.parametrize("order", [-1, 1.5, 1.0, "1", True, None, 2**31, 10**30, []], ids=str)
def test_an_order_is_a_whole_number_from_0(ada, kind, module, order):
    made = module()
    answer = ada("PATCH", f"modules/{kind}/{made['id']}", {"order": order})
    assert (answer.status_code, list(answer.json)) == (400, ["order"])


def test_a_replaced_module_keeps_its_place(ada, kind, module):
    module(), module()
    made = module(notes="x")
    del made["order"], made["notes"]
    answer = ada("PUT", f"modules/{kind}/{made['id']}", made)
    record = answer.json[MODULES[kind][1]]
    assert (record["order"], record["notes"]) == (2, "")


def test_a_module_may_go_to_another_session(ada, lab, kind, module):
    other = ada.session("Tuesday", lab["project"])
    made = module()
    answer = ada("PATCH", f"modules/{kind}/{made['id']}", {"session": other["id"]})
    assert answer.json[MODULES[kind][1]]["session"] == other["id"]
    field, _ = MODULES[kind]
    lists = [
        ada.get(f"stem/session/{each['id']}")["session"][field] for each in (lab["session"], other)
    ]
    assert lists == [[], [made["id"]]]


OBJECT = {"depth": 3.0, "b": {"z": [1, None, True], "a": ""}}
DETAILS = [
    # kind, sent, fits
    ("dataacquisition", {}, True),
    ("dataacquisition", OBJECT, True),
    ("dataacquisition", [OBJECT], False),
    ("dataacquisition", "x", False),
    ("dataacquisition", None, False),
    ("manipulation", [], True),
    ("manipulation", [OBJECT, {}], True),
    ("manipulation", OBJECT, True),
    ("manipulation", {}, True),
    ("manipulation", [OBJECT, 7], False),
    ("manipulation", [[OBJECT]], False),
    ("manipulation", "x", False),
    ("manipulation", None, False),
    ("procedure", OBJECT, True),
    ("procedure", [OBJECT], False),
    ("equipment", OBJECT, True),
    ("equipment", [], False),
]


def test_details_keep_the_shape_they_were_sent_in(subtests, ada, lab):
    setup = ada.made("personal_attributes/setup/", {"name": "Rig"})
    session = {"session": lab["session"]["id"]}
    least = {
        "dataacquisition": session | {"type": "Audio"},
        "manipulation": session | {"type": "TactileStimulation"},
        "procedure": {"type": "Surgery", "subject": lab["subject"]["id"]},
        "equipment": {"type": "Camera", "setup": setup["id"]},
    }
    for kind, details, fits in DETAILS:
        with subtests.test(kind=kind, details=details):
            answer = ada("POST", f"modules/{kind}/", least[kind] | {"details": details})
            if fits:
                assert answer.status_code == 201
                (record,) = answer.json.values()
                found = next(iter(ada.get(f"modules/{kind}/{record['id']}").values()))["details"]
                # Key order and `3.0` included.
                assert repr(found) == repr(details)
            else:
                assert (answer.status_code, list(answer.json)) == (400, ["details"])


def test_what_a_module_names_must_be_there_and_stays(ada, lab):
    setup = ada.made("personal_attributes/setup/", {"name": "Rig"})
    camera = ada.made("modules/equipment/", {"type": "Camera", "setup": setup["id"]})
    surgery = ada.made("modules/procedure/", {"type": "Surgery", "subject": lab["subject"]["id"]})
    payload = {
        "session": lab["session"]["id"],
        "type": "Audio",
        "equipment": [camera["id"]],
        "procedures": [surgery["id"]],
    }
    made = ada.made("modules/dataacquisition/", payload)
    assert (made["equipment"], made["procedures"]) == ([camera["id"]], [surgery["id"]])
    for address, record in (("equipment", camera), ("procedure", surgery)):
        answer = ada("DELETE", f"modules/{address}/{record['id']}")
        assert answer.status_code == 400
        assert "1 data acquisition" in answer.json["detail"]
    swapped = payload | {"equipment": [surgery["id"]], "procedures": [camera["id"]]}
    answer = ada("POST", "modules/dataacquisition/", swapped)
    assert (answer.status_code, answer.json.keys()) == (400, {"equipment", "procedures"})


def test_a_behavior_names_subjects_to_read_and_setups_to_use(ada, ben, lab):
    """Contract §8: a contributor of an attribute may name it; who is in a project may be named."""
    hers = {
        "setup": ada.made("personal_attributes/setup/", {"name": "Rig"}),
        "behavioralassay": ada.made("personal_attributes/behavioralassay/", {"name": "Maze"}),
    }
    project = ben.project("Ben's")
    mouse = ben.made("stem/subject/", {"name": "Ben's mouse", "projects": [project["id"]]})
    session = ben.session("Ben's", project)
    payload = {"session": session["id"], "subjects": [mouse["id"]]}
    for field, record in hers.items():
        wanted = payload | {field: record["id"]}
        assert ben("POST", "modules/behavior/", wanted).status_code == 403
        address = f"personal_attributes/{field}/{record['id']}"
        for rights, status in (({}, 403), ({"can_change": True}, 201)):
            ada("PATCH", address, {"users": {ben.email: rights}})
            assert ben("POST", "modules/behavior/", wanted).status_code == status
    unseen = payload | {"subjects": [lab["subject"]["id"]]}
    assert ben("POST", "modules/behavior/", unseen).status_code == 403


def test_an_unseen_setup_stays_where_it_is(ada, ben, lab):
    """Ben may change the session, but not see the setup: to him it is empty, and he can't lose it."""
    setup = ada.made("personal_attributes/setup/", {"name": "Rig"})
    payload = {
        "session": lab["session"]["id"],
        "subjects": [lab["subject"]["id"]],
        "setup": setup["id"],
    }
    made = ada.made("modules/behavior/", payload)
    where = f"modules/behavior/{made['id']}"
    people = {"users": {ben.email: {"can_change": True}}}
    assert ada("PATCH", f"stem/project/{lab['project']['id']}", people).status_code == 200
    seen = ben.get(where)["behavior"]
    assert seen == made | {"setup": None}
    for method in ("PATCH", "PUT"):
        assert ben(method, where, seen | {"notes": method}).json["behavior"]["notes"] == method
        assert ada.get(where)["behavior"]["setup"] == setup["id"]
    del seen["setup"]
    assert ben("PUT", where, seen).status_code == 200
    assert ada.get(where)["behavior"]["setup"] == setup["id"]
    assert ada("PATCH", where, {"setup": None}).json["behavior"]["setup"] is None
