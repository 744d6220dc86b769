"""The fields of projects and data storages (contract §6), where a session has none like them."""

from __future__ import annotations

import pytest

PROJECT, STORAGE = "stem/project", "personal_attributes/datastorage"
REQUIRED, NULL = "This field is required.", "This field may not be null."
NO_FLAG = "This is neither true nor false."


def protocol(**more):
    return {"protocol": "SMB", "path": r"\\server\data", "is_public": False, **more}


# address, field, what is sent, what is stored
GOOD = [
    (PROJECT, "name", "x" * 200, "x" * 200),
    (PROJECT, "description", " kept\r\n", " kept\r\n"),
    (PROJECT, "extra_fields", {"b": 1, "a": 1.0}, {"b": 1, "a": 1.0}),
    (PROJECT, "is_public", True, True),
    (PROJECT, "tags", ["b", " a "], ["b", "a"]),
    (PROJECT, "sessions", ["ignored"], []),
    (PROJECT, "subjects", 7, []),
    (STORAGE, "name", "x" * 100, "x" * 100),
    (STORAGE, "location", " Room 5 ", "Room 5"),
    (STORAGE, "description", "x" * 500, "x" * 500),
    (STORAGE, "is_public", False, False),
    *(
        (STORAGE, "data_organization", [{"elements": each}], [{"elements": each}])
        for each in ("Projects", "Collections", "Cohorts", "Subjects", "Sessions", "Years")
    ),
    (STORAGE, "data_protocols", [protocol(is_public=True)], [protocol(is_public=True)]),
    (STORAGE, "data_protocols", [protocol(), protocol(path="p")], [protocol(), protocol(path="p")]),
]

# address, field, what is sent, the message
BAD = [
    (PROJECT, "name", "", [REQUIRED]),
    (PROJECT, "name", "x" * 201, ["At most 200 characters; these are 201."]),
    (PROJECT, "name", "Taken", ["Another project has this name."]),
    (PROJECT, "description", None, [NULL]),
    (PROJECT, "is_public", None, [NULL]),
    (PROJECT, "is_public", 1, [NO_FLAG]),
    (PROJECT, "is_public", "true", [NO_FLAG]),
    (PROJECT, "extra_fields", {"a": None}, {"a": ["A value is a text or a number."]}),
    (PROJECT, "location", "x", ["Unknown field."]),
    (STORAGE, "name", "x" * 101, ["At most 100 characters; these are 101."]),
    (STORAGE, "name", "Taken", ["Another data storage has this name."]),
    (STORAGE, "location", "x" * 101, ["At most 100 characters; these are 101."]),
    (STORAGE, "description", "x" * 501, ["At most 500 characters; these are 501."]),
    (STORAGE, "is_public", [], [NO_FLAG]),
    (STORAGE, "data_organization", None, [NULL]),
    (STORAGE, "data_organization", ["Sessions"], {"0": ["This is not a JSON object."]}),
    (
        STORAGE,
        "data_organization",
        [{"elements": "Sessions"}, {"elements": "sessions"}],
        {
            "1": {
                "elements": [
                    "Choose one of Projects, Collections, Cohorts, Subjects, Sessions, Years."
                ]
            }
        },
    ),
    (STORAGE, "data_organization", [{"elements": None}], {"0": {"elements": [NULL]}}),
    (STORAGE, "data_protocols", {}, ["This is not a list."]),
    (STORAGE, "data_protocols", [protocol(path="")], {"0": {"path": [REQUIRED]}}),
    (STORAGE, "data_protocols", [protocol(is_public=1)], {"0": {"is_public": [NO_FLAG]}}),
    (STORAGE, "data_protocols", [protocol(port=1)], {"0": {"port": ["Unknown field."]}}),
]


@pytest.fixture
def stored(ada):
    """The address of a record of each kind."""
    ada.project("Taken"), ada.storage("Taken")
    return {
        PROJECT: f"{PROJECT}/{ada.project()['id']}",
        STORAGE: f"{STORAGE}/{ada.storage()['id']}",
    }


def test_good_values_are_stored(subtests, ada, stored):
    for address, field, sent, kept in GOOD:
        with subtests.test(address=address, field=field, sent=str(sent)[:40]):
            (made,) = ada("POST", address, {"name": "New", field: sent}).json.values()
            assert made[field] == kept
            ada("DELETE", f"{address}/{made['id']}")
            (changed,) = ada("PATCH", stored[address], {field: sent}).json.values()
            assert changed[field] == kept


def test_bad_values_are_refused_at_their_field(subtests, ada, stored):
    before = [ada.get(each) for each in stored.values()]
    for address, field, sent, said in BAD:
        with subtests.test(address=address, field=field, sent=str(sent)[:40]):
            for method, where in (("POST", address), ("PATCH", stored[address])):
                body = {field: sent} if method == "PATCH" else {"name": "New", field: sent}
                answer = ada(method, where, body)
                assert (answer.status_code, answer.json) == (400, {field: said})
    assert [ada.get(each) for each in stored.values()] == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_protocol_is_private_unless_it_says_otherwise(ada, stored, method):
    payload = {"name": "New", "data_protocols": [{"protocol": "SMB", "path": "/data"}]}
    answer = ada(method, STORAGE if method == "POST" else stored[STORAGE], payload)
    record = answer.json["datastorage"]
    assert record["data_protocols"] == [{"protocol": "SMB", "path": "/data", "is_public": False}]


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("kind", ["project", "data storage"])
def test_what_sessions_use_can_not_be_deleted(ada, kind, count):
    project, storage = ada.project(), ada.storage()
    for number in range(count):
        ada.session(f"Session {number}", project, datastorage=[storage["id"]])
    record = project if kind == "project" else storage
    address = f"{PROJECT if kind == 'project' else STORAGE}/{record['id']}"
    answer = ada("DELETE", address)
    uses = "1 session (" if count == 1 else "2 sessions ("
    assert answer.status_code == 400
    assert list(answer.json) == ["detail"]
    assert uses in answer.json["detail"]
    for session in ada.get("stem/session")["sessions"]:
        assert ada("DELETE", f"stem/session/{session['id']}").status_code == 204
    assert ada("DELETE", address).status_code == 204
    assert ada("GET", address).status_code == 404
