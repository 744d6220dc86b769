"""`include[]` (contract §7): ids replaced, in their place, by the records, as far as one may see."""

from __future__ import annotations

import pytest

from tests.kinds import KINDS, one_of_each


@pytest.fixture
def lab(ada):
    """Ada's record of every kind, all of them named where they can be."""
    made = one_of_each(ada)
    ids = {kind: record["id"] for kind, record in made.items()}
    for kind, fields in {
        "collection": {"sessions": ["session"]},
        "cohort": {"subjects": ["subject"]},
        "procedure": {"equipment": ["equipment"]},
        "behavior": {"setup": "setup", "behavioralassay": "behavioralassay"},
        "dataacquisition": {"procedures": ["procedure"], "equipment": ["equipment"]},
        "manipulation": {"procedures": ["procedure"], "equipment": ["equipment"]},
        "epoch": {
            "behaviors": ["behavior"],
            "dataacquisition": ["dataacquisition"],
            "manipulations": ["manipulation"],
        },
    }.items():
        named = {
            name: [ids[each] for each in value] if isinstance(value, list) else ids[value]
            for name, value in fields.items()
        }
        where = f"{KINDS[kind].address}/{ids[kind]}"
        assert ada("PATCH", where, named).status_code == 200
    return {kind: ada.get(f"{KINDS[kind].address}/{ids[kind]}")[KINDS[kind].key] for kind in made}


# kind: its relations, and the kinds they name
RELATIONS = {
    "project": {
        "sessions": "session",
        "subjects": "subject",
        "collections": "collection",
        "cohorts": "cohort",
    },
    "subject": {"projects": "project", "procedures": "procedure", "subjectlogs": "subjectlog"},
    "session": {
        "projects": "project",
        "epochs": "epoch",
        "datastorage": "datastorage",
        "dataacquisition": "dataacquisition",
        "behaviors": "behavior",
        "manipulations": "manipulation",
    },
    "sessiondatastorage": {"session": "session", "datastorage": "datastorage"},
    "collection": {"project": "project", "sessions": "session"},
    "cohort": {"project": "project", "subjects": "subject"},
    "epoch": {
        "session": "session",
        "behaviors": "behavior",
        "dataacquisition": "dataacquisition",
        "manipulations": "manipulation",
    },
    "behavior": {
        "session": "session",
        "subjects": "subject",
        "setup": "setup",
        "behavioralassay": "behavioralassay",
    },
    "dataacquisition": {"session": "session", "procedures": "procedure", "equipment": "equipment"},
    "manipulation": {"session": "session", "procedures": "procedure", "equipment": "equipment"},
    "procedure": {"subject": "subject", "equipment": "equipment"},
    "equipment": {"setup": "setup"},
    "subjectlog": {"subject": "subject"},
}


def both(who, kind, record, *include, portal="private"):
    """A record with its includes, the same on its detail and on the list."""
    address, query = f"/api/{portal}/{KINDS[kind].address}", {"include[]": list(include)}
    listed = who.get(address, query_string=query | {"filter{id}": record["id"]})
    (one,) = listed[KINDS[kind].keys]
    assert who.get(f"{address}/{record['id']}", query_string=query) == {KINDS[kind].key: one}
    return one


def test_ids_are_replaced_in_their_place(subtests, ada, lab):
    for kind, relations in RELATIONS.items():
        for name, target in relations.items():
            with subtests.test(kind=kind, include=name):
                many = isinstance(lab[kind][name], list)
                expected = lab[kind] | {name: [lab[target]] if many else lab[target]}
                for spelled in (name, f"{name}.*"):
                    found = both(ada, kind, lab[kind], spelled)
                    assert found == expected
                    assert list(found) == list(lab[kind])


def test_a_second_step(subtests, ada, lab):
    for kind, first, second in [
        ("session", "behaviors", "subjects"),
        ("session", "dataacquisition", "equipment"),
        ("session", "epochs", "manipulations"),
        ("session", "projects", "subjects"),
        ("epoch", "session", "projects"),
        ("procedure", "subject", "projects"),
        ("procedure", "equipment", "setup"),
        ("project", "sessions", "projects"),
    ]:
        with subtests.test(kind=kind, steps=(first, second)):
            target = RELATIONS[kind][first]
            inner = lab[RELATIONS[target][second]]
            many = isinstance(lab[target][second], list)
            middle = lab[target] | {second: [inner] if many else inner}
            outer = [middle] if isinstance(lab[kind][first], list) else middle
            # A step names its middle as well, whether or not that is asked for itself.
            for include in (
                [f"{first}.{second}"],
                [f"{first}.{second}.*"],
                [f"{first}.*", f"{first}.{second}.*"],
            ):
                assert both(ada, kind, lab[kind], *include)[first] == outer


def test_several_at_once(ada, lab):
    found = both(ada, "session", lab["session"], *RELATIONS["session"], "behaviors.subjects")
    for name, target in RELATIONS["session"].items():
        if name != "behaviors":
            assert found[name] == [lab[target]]
    assert found["behaviors"] == [lab["behavior"] | {"subjects": [lab["subject"]]}]


def test_what_is_empty_stays_empty(ada):
    session = ada.session("Monday", ada.project())
    assert both(ada, "session", session, "behaviors", "datastorage", "epochs.behaviors") == session
    mouse = ada.made("stem/subject/", {"name": "Mouse", "projects": session["projects"]})
    payload = {"session": session["id"], "subjects": [mouse["id"]]}
    behavior = ada.made("modules/behavior/", payload)
    assert both(ada, "behavior", behavior, "setup", "behavioralassay") == behavior


@pytest.mark.parametrize(
    "include",
    ["nothing", "name", "tags", "links", "behaviors.nothing", "behaviors.notes", "", "*", ".", ".*",
     "behaviors..subjects", "behaviors.subjects.", "Behaviors"],
)  # fmt: skip
def test_what_is_not_there_to_include_is_400(ada, lab, include):
    for where in ("stem/session/", f"stem/session/{lab['session']['id']}"):
        answer = ada("GET", where, query_string={"include[]": include})
        assert (answer.status_code, list(answer.json)) == (400, ["include[]"])


def test_relation_addresses_include_as_well(ada, lab):
    where = f"stem/project/{lab['project']['id']}/sessions/"
    (session,) = ada.get(f"{where}?include[]=behaviors.subjects.*")["sessions"]
    expected = [lab["behavior"] | {"subjects": [lab["subject"]]}]
    assert session == lab["session"] | {"behaviors": expected}


def test_the_unseen_stays_unseen(ada, ben, lab):
    """Ben reads the project and none of the rest; of a second project of the session, nothing."""
    other = ada.project("Other")
    where = f"stem/session/{lab['session']['id']}"
    ada("PATCH", where, {"projects": [other["id"], lab["project"]["id"]]})
    ada("PATCH", f"stem/project/{lab['project']['id']}", {"users": {ben.email: {}}})
    found = both(
        ben,
        "session",
        lab["session"],
        "projects.sessions",
        "datastorage",
        "behaviors.setup",
        "behaviors.behavioralassay",
        "dataacquisition.equipment",
        "dataacquisition.procedures",
    )
    (project,) = found["projects"]
    assert project["id"] == lab["project"]["id"]
    assert [each["projects"] for each in project["sessions"]] == [[project["id"]]]
    assert found["datastorage"] == []
    assert found["behaviors"][0]["setup"] is None
    assert found["behaviors"][0]["behavioralassay"] is None
    assert found["dataacquisition"][0]["equipment"] == []
    (procedure,) = found["dataacquisition"][0]["procedures"]
    assert procedure["equipment"] == []
    assert not [
        each for each in (other, lab["setup"], lab["datastorage"]) if each["id"] in str(found)
    ]


def test_the_public_sees_what_is_public(ada, lab):
    ada("PATCH", f"stem/project/{lab['project']['id']}", {"is_public": True})
    ada("PATCH", f"personal_attributes/setup/{lab['setup']['id']}", {"is_public": True})
    found = both(
        ada,
        "session",
        lab["session"],
        "projects",
        "datastorage",
        "behaviors.setup",
        "behaviors.behavioralassay",
        portal="public",
    )
    assert "users" not in found["projects"][0]
    assert "groups" not in found["projects"][0]
    assert found["datastorage"] == []
    (behavior,) = found["behaviors"]
    assert behavior["setup"]["name"] == "Setup"
    assert "users" not in behavior["setup"]
    assert behavior["behavioralassay"] is None
    assert ada.email not in str(found)


def test_the_statements_are_as_many_for_one_record_as_for_twenty(ada, lab, statements):
    """One for each relation of a whole page, never one for each record."""
    query = {"include[]": ["behaviors.subjects", "projects", "epochs", "datastorage"]}

    def spent():
        before = len(statements)
        assert ada("GET", "stem/session/", query_string=query).status_code == 200
        return len(statements) - before

    spent()
    for_one = spent()
    for number in range(6):
        payload = {"projects": [lab["project"]["id"]], "datastorage": [lab["datastorage"]["id"]]}
        session = ada.made("stem/session/", {"name": f"S{number}", **payload})
        where = {"session": session["id"]}
        for order in range(2):
            ada.made("modules/behavior/", where | {"subjects": [lab["subject"]["id"]]})
            ada.made("stem/epoch/", where | {"name": f"E{order}"})
    assert spent() == for_one
