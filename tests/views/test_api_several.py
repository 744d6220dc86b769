"""A list of records in one POST: all of them are made, or none (contract §10)."""

from __future__ import annotations

import pytest

from brainstem.core.permissions import Role
from brainstem.core.several import MOST_AT_ONCE

SESSIONS = "stem/session/"


@pytest.fixture
def project(ada):
    return ada.project()


def names(person):
    return [each["name"] for each in person.get(SESSIONS)["sessions"]]


def test_all_are_made_in_their_order(ada, project):
    payloads = [
        {"name": name, "projects": [project["id"]], "tags": ["pilot"], "extra_fields": {"n": place}}
        for place, name in enumerate(["c", "a", "b"])
    ]
    answer = ada("POST", SESSIONS, payloads)
    assert answer.status_code == 201
    assert list(answer.json) == ["sessions", "count"]
    assert answer.json["count"] == 3
    assert [each["name"] for each in answer.json["sessions"]] == ["c", "a", "b"]
    assert answer.headers["Location"].endswith("/api/private/stem/session/")
    for record in answer.json["sessions"]:
        assert ada.get(f"{SESSIONS}{record['id']}")["session"] == record


def test_each_has_its_history_and_can_be_found(ada, project):
    payloads = [{"name": f"wheel {n}", "projects": [project["id"]]} for n in range(2)]
    made = ada("POST", SESSIONS, payloads).json["sessions"]
    pages = ada.browser()
    for record in made:
        assert "created" in pages.get(f"/sessions/{record['id']}/history").text
    found = pages.get("/sessions/?q=wheel").text
    assert all(record["name"] in found for record in made)


def test_what_is_wrong_is_said_by_position_and_nothing_is_stored(ada, project):
    good = {"name": "good", "projects": [project["id"]]}
    answer = ada(
        "POST",
        SESSIONS,
        [
            good,
            {"projects": [project["id"]], "extra_feilds": {}},
            "a session",
            good | {"name": "other", "download_links": [{"repository": "DANDI", "url": "x"}]},
            good,
        ],
    )
    assert answer.status_code == 400
    assert list(answer.json) == ["1", "2", "3", "4"]
    assert set(answer.json["1"]) == {"name", "extra_feilds"}
    assert answer.json["2"] == ["This is not a JSON object."]
    assert list(answer.json["3"]["download_links"]["0"]) == ["url"]
    assert answer.json["4"] == {"name": ["Another session has this name."]}
    assert names(ada) == []


def test_a_name_that_is_stored_already_is_told_at_its_position(ada, project):
    ada.session("old", project)
    payloads = [{"name": name, "projects": [project["id"]]} for name in ("new", "old")]
    answer = ada("POST", SESSIONS, payloads)
    assert (answer.status_code, list(answer.json)) == (400, ["1"])
    assert names(ada) == ["old"]


def test_one_that_may_not_be_made_forbids_all(ada, ben, project):
    own = ben.project("Ben's")
    payloads = [{"name": "a", "projects": [own["id"]]}, {"name": "b", "projects": [project["id"]]}]
    assert ben("POST", SESSIONS, payloads).status_code == 403
    assert names(ben) == []
    ada.share("project", project, "ben@lab.org", Role.CONTRIBUTOR)
    assert ben("POST", SESSIONS, payloads).status_code == 201


@pytest.mark.parametrize(
    ("payload", "status"),
    [([], 400), ([{}] * (MOST_AT_ONCE + 1), 400), ([[]], 400), ([None], 400), (7, 400), ("", 400)],
)
def test_lists_that_are_none(ada, payload, status):
    answer = ada("POST", SESSIONS, payload)
    assert answer.status_code == status
    assert answer.json


@pytest.mark.parametrize("name", ["a\0b", "\ud800", 7, None, ["a"], "x" * 101, ""])
def test_a_name_that_can_be_none_is_told_at_its_position(ada, project, name):
    payloads = [{"name": each, "projects": [project["id"]]} for each in ("good", name)]
    answer = ada("POST", SESSIONS, payloads)
    assert (answer.status_code, list(answer.json)) == (400, ["1"])
    assert list(answer.json["1"]) == ["name"]


def test_rows_of_one_session_stand_in_their_order(ada, project):
    session = ada.session("s", project)
    storages = [ada.storage(f"Storage {n}")["id"] for n in range(3)]
    rows = [{"session": session["id"], "datastorage": each} for each in storages[:2]]
    rows.append({"session": session["id"], "datastorage": storages[2], "order": 0})
    answer = ada("POST", "stem/sessiondatastorage/", rows)
    assert answer.status_code == 201, answer.json
    found = ada.get(f"{SESSIONS}{session['id']}")["session"]["datastorage"]
    assert found == [storages[2], *storages[:2]]
    listed = ada.get(f"stem/sessiondatastorage/?filter{{session}}={session['id']}")
    assert [row["order"] for row in listed["sessiondatastorages"]] == [0, 1, 2]
    again = ada("POST", "stem/sessiondatastorage/", rows[:1])
    assert (again.status_code, list(again.json)) == (400, ["0"])


def test_modules_are_numbered_in_their_order(ada, project):
    session = ada.session("s", project)
    rows = [{"session": session["id"], "type": "Audio", "notes": str(n)} for n in range(3)]
    made = ada("POST", "modules/dataacquisition/", rows).json["data_acquisitions"]
    assert [each["order"] for each in made] == [0, 1, 2]
    assert [each["id"] for each in made] == ada.get(f"{SESSIONS}{session['id']}")["session"][
        "dataacquisition"
    ]


def test_a_data_acquisition_is_not_put_into_two_epochs_of_a_list(ada, project):
    session = ada.session("s", project)
    recording = ada.made("modules/dataacquisition/", {"session": session["id"], "type": "Audio"})
    epochs = [
        {"name": name, "session": session["id"], "dataacquisition": [recording["id"]]}
        for name in ("a", "b")
    ]
    answer = ada("POST", "stem/epoch/", epochs)
    assert (answer.status_code, list(answer.json)) == (400, ["1"])
    assert ada.get("stem/epoch/")["count"] == 0


def test_who_makes_projects_owns_each(ada):
    made = ada("POST", "stem/project/", [{"name": "a"}, {"name": "b"}]).json["projects"]
    assert all(each["users"]["ada@lab.org"]["is_owner"] for each in made)


def test_a_list_changes_nothing_elsewhere(ada, project):
    session = ada.session("s", project)
    for method in ("PATCH", "PUT"):
        answer = ada(method, f"{SESSIONS}{session['id']}", [{"name": "t"}])
        assert (answer.status_code, list(answer.json)) == (400, ["detail"])


def test_many_take_few_statements(ada, project, statements):
    def needed(how_many, start):
        payloads = [
            {"name": f"{start + n}", "projects": [project["id"]], "tags": ["t"]}
            for n in range(how_many)
        ]
        before = len(statements)
        assert ada("POST", SESSIONS, payloads).status_code == 201
        return len(statements) - before

    needed(1, 0)
    few, many = needed(2, 100), needed(42, 200)
    assert many - few <= 40 * 2
