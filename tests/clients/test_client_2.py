"""The official Python client, version 2.0.0, unchanged, against a server process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from brainstem_api_tools import BrainstemClient, brainstem_api_client, cli
from brainstem_api_tools.brainstem_api_client import _MODEL_TO_APP, AuthenticationError

from tests.clients.conftest import form_of
from tests.kinds import KINDS, filled, ids_of

#: What the client calls kinds that it knows and we keep; `sessiondatastorage` it does not know.
OURS = [name for name in _MODEL_TO_APP if name in KINDS]


@pytest.fixture
def ada(server, lab):
    with server.client() as client:
        yield client


@pytest.fixture
def ben(server):
    with server.client("ben@lab.org") as client:
        yield client


# -- Loading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("model", OURS)
def test_load_every_kind(ada, lab, model):
    assert _MODEL_TO_APP[model] == KINDS[model].app
    answer = ada.load(model, limit=100)
    assert answer.status_code == 200
    records = answer.json()[KINDS[model].keys]
    if model in lab:
        one = ada.load(model, id=lab[model]["id"]).json()[KINDS[model].key]
        assert one in records
    assert ada.load(model, load_all=True)[KINDS[model].keys] == records


#: A loader, its keywords and values, which find the first record of the kind and not the second.
FOUND = [
    (
        "project",
        {"name": "aLPHa", "sessions": "{session}", "subjects": "{subject}", "tags": "alpha"},
    ),
    (
        "subject",
        {
            "name": "aLPHa",
            "projects": "{project}",
            "strain": "C57BL/6J",
            "sex": "F",
            "tags": "alpha",
        },
    ),
    (
        "session",
        {"name": "aLPHa", "projects": "{project}", "datastorage": "{datastorage}", "tags": "alpha"},
    ),
    ("collection", {"name": "aLPHa", "tags": "alpha"}),
    ("cohort", {"name": "aLPHa", "tags": "alpha"}),
    ("behavior", {"session": "{session}"}),
    ("dataacquisition", {"session": "{session}"}),
    ("manipulation", {"session": "{session}"}),
    ("procedure", {"subject": "{subject}"}),
    ("subjectlog", {"subject": "{subject}"}),
    ("equipment", {"name": "aLPHa", "setup": "{setup}"}),
    ("behavioralassay", {"name": "aLPHa"}),
    ("datastorage", {"name": "aLPHa"}),
    ("setup", {"name": "aLPHa"}),
]

#: What a loader includes where nobody says otherwise: fields, and the kinds they name.
INCLUDED = {
    "project": {
        "sessions": "session",
        "subjects": "subject",
        "collections": "collection",
        "cohorts": "cohort",
    },
    "subject": {"procedures": "procedure", "subjectlogs": "subjectlog"},
    "session": {
        "dataacquisition": "dataacquisition",
        "behaviors": "behavior",
        "manipulations": "manipulation",
        "epochs": "epoch",
    },
    "collection": {"sessions": "session"},
    "cohort": {"subjects": "subject"},
}

LOADERS = [name.removeprefix("load_") for name in dir(BrainstemClient) if name.startswith("load_")]


def test_every_loader_is_tried():
    assert {kind for kind, _ in FOUND} == set(LOADERS) & KINDS.keys()


@pytest.mark.parametrize(("kind", "filters"), FOUND, ids=[kind for kind, _ in FOUND])
def test_convenience_loaders_with_their_filters(subtests, ada, lab, kind, filters):
    load, keys = getattr(ada, f"load_{kind}"), KINDS[kind].keys
    filters = filled(filters, ids_of(lab))
    for query in [*({name: value} for name, value in filters.items()), filters]:
        with subtests.test(**query):
            answer = load(**query)
            assert answer.status_code == 200, answer.text
            (record,) = answer.json()[keys]
            assert record["id"] == lab[kind]["id"]
            included = {
                name: [each["id"] for each in record[name]] for name in INCLUDED.get(kind, {})
            }
            expected = {name: [lab[each]["id"]] for name, each in INCLUDED.get(kind, {}).items()}
            assert included == expected
            assert load(**query, load_all=True)[keys] == [record]
            # Without includes the record is as on its own address.
            (plain,) = load(**query, include=[]).json()[keys]
            assert load(id=lab[kind]["id"]).json() == {KINDS[kind].key: plain}
    if "tags" not in KINDS[kind].fields:
        answer = load(tags="alpha")
        assert (answer.status_code, list(answer.json())) == (400, ["filter{tags}"])


@pytest.mark.parametrize("kind", sorted(set(LOADERS) - KINDS.keys()))
def test_loaders_of_kinds_that_we_do_not_keep_say_so(ada, kind):
    answer = getattr(ada, f"load_{kind}")()
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


@pytest.fixture(scope="module")
def many(server):
    """Ben's project with 25 sessions, named by their number."""
    with server.client("ben@lab.org") as ben:
        project = ben.save("project", data={"name": "Many"}).json()["project"]
        for number in range(25):
            name = f"many {number:02}" + (" É" if number % 2 else "")
            answer = ben.save("session", data={"name": name, "projects": [project["id"]]})
            assert answer.status_code == 201, answer.text
    return project


@pytest.mark.parametrize("limit", [7, 10, 24, 25, 26, 100, None])
def test_load_all_pages_through_everything_once(ben, many, limit):
    where = {"filters": {"projects": many["id"]}, "limit": limit, "load_all": True}
    found = ben.load("session", **where, sort=["-name"])
    numbers = [int(each["name"][5:7]) for each in found["sessions"]]
    assert numbers == list(range(24, -1, -1))
    assert found["count"] == 25
    # Ties in the sort key neither repeat nor lose a record.
    tied = ben.load_session(**where, sort=["date_time"])["sessions"]
    assert len({each["id"] for each in tied}) == len(tied) == 25


def test_queries_reach_the_server_as_they_are_meant(ben, many):
    def numbers(**query):
        filters = {"projects.id": many["id"], **query.pop("filters", {})}
        answer = ben.load("session", filters=filters, **query)
        assert answer.status_code == 200, answer.text
        return [int(each["name"][5:7]) for each in answer.json()["sessions"]]

    assert numbers(limit=3, offset=20) == [20, 21, 22]
    assert numbers(filters={"name.icontains": "é"}, limit=2) == [1, 3]
    assert numbers(filters={"name.endswith": "É", "name.gt": "many 20"}) == [21, 23]
    assert numbers(filters={"name.startswith": "many 1", "name.lte": "many 12"}) == [10, 11, 12]
    assert numbers(
        filters={"projects.name": "Many", "name.contains": "03"}, include=["projects"]
    ) == [3]


# -- Saving and deleting -----------------------------------------------------------------------


def test_a_session_from_its_first_day_to_its_last(ben, many):
    first = {
        "name": "A day",
        "description": "some text",
        "projects": [many["id"]],
        "date_time": "2023-03-22T15:30:00Z",
        "extra_fields": {"room": "B115", "depth": 3.0, "n": 22},
        "download_links": [{"repository": "DANDI", "url": "https://dandiarchive.org/1"}],
        "tags": ["mouse", "new"],
    }
    answer = ben.save("session", data=first)
    assert answer.status_code == 201
    record = answer.json()["session"]
    assert {name: record[name] for name in first} == first
    answer = ben.save("session", id=record["id"], data={"description": "new text"})
    assert answer.status_code == 200
    assert answer.json()["session"] == record | {"description": "new text"}
    # What was read can be sent back.
    loaded = ben.load("session", id=record["id"]).json()["session"]
    assert ben.save("session", id=record["id"], data=loaded).json()["session"] == loaded
    assert ben.delete("session", id=record["id"]).status_code == 204
    assert ben.load("session", id=record["id"]).status_code == 404


def test_what_belongs_to_a_session(server, ben, many):
    def save(model, **data):
        answer = ben.save(model, data=data)
        assert answer.status_code == 201, answer.text
        return answer.json()[KINDS[model].key]

    mouse = save("subject", name="Ben's mouse", projects=[many["id"]])
    session = save("session", name="With all", projects=[many["id"]])
    inside = {"session": session["id"]}
    behavior = save("behavior", **inside, subjects=[mouse["id"]])
    recording = save("dataacquisition", **inside, type="Audio", details={"rate": 30000})
    light = save("manipulation", **inside, type="OptogeneticStimulation", details=[{"nm": 473}])
    # The client has no name for epochs; through its own connection it can make them all the same.
    task = inside | {"name": "Task", "start": 0, "end": "PT5M", "behaviors": [behavior["id"]]}
    answer = ben._session.post(f"{server.url}api/private/stem/epoch/", json=task, timeout=30)
    epoch = answer.json()["epoch"]
    (found,) = ben.load_session(name="with ALL").json()["sessions"]
    assert found["behaviors"] == [behavior]
    assert found["dataacquisition"] == [recording]
    assert found["manipulations"] == [light]
    assert found["epochs"] == [epoch]
    assert ben.load("session", id=session["id"], options="epochs/").json()["epochs"] == [epoch]
    assert ben.delete("behavior", id=behavior["id"]).status_code == 400
    assert ben.delete("session", id=session["id"]).status_code == 204
    assert ben.load("behavior", id=behavior["id"]).status_code == 404
    assert ben.delete("subject", id=mouse["id"]).status_code == 204


# -- The other portals, and what goes wrong ----------------------------------------------------


def test_the_public_portal(server, ada, lab):
    with BrainstemClient(token="nobody's", url=server.url) as stranger:
        for client in (stranger, ada):
            found = client.load_session(portal="public", name="alpha").json()["sessions"]
            assert [each["id"] for each in found] == [lab["session"]["id"]]
            assert [each["id"] for each in found[0]["behaviors"]] == [lab["behavior"]["id"]]
            everything = client.load("project", portal="public", limit=1, load_all=True)
            assert [each["name"] for each in everything["projects"]] == [
                "Project Alpha",
                "Project Beta",
            ]
            assert client.load("session", portal="public", id=lab["session"]["id"]).ok
            assert client.load("datastorage", portal="public").json()["datastorages"] == []
        assert stranger.load("user", portal="public").status_code == 404
        assert stranger.save("session", portal="public", data={"name": "x"}).status_code == 405
        assert stranger.load("session").status_code == 401
    assert ada.load("session", portal="super").status_code == 403


def test_a_token_that_is_not_valid(server):
    with BrainstemClient(token="bst_nobody's", url=server.url) as stranger:
        for answer in (
            stranger.load("session"),
            stranger.save("session", data={"name": "x"}),
            stranger.delete("session", id="0"),
        ):
            assert (answer.status_code, list(answer.json())) == (401, ["detail"])
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        with pytest.raises(AuthenticationError, match="invalid or expired"):
            stranger.load("session", load_all=True)


def test_what_goes_wrong_is_said(ben, lab):
    answer = ben.save("session", data={"nmae": "x", "projects": []})
    assert answer.status_code == 400
    assert answer.json().keys() == {"nmae", "name", "projects"}
    session = lab["session"]["id"]
    assert ben.load("session", id=session).status_code == 403
    assert ben.save("session", id=session, data={"name": "Mine"}).status_code == 403
    assert ben.delete("session", id=session).status_code == 403
    assert ben.load("session", filters={"nmae": "x"}).status_code == 400
    assert ben.load("session", limit=101).status_code == 400
    assert ben.load("session", id="nothing").status_code == 404


# -- Signing in --------------------------------------------------------------------------------


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """The client on a computer where nobody has signed in, with a clock that does not wait."""
    waited: list[float] = []
    clock = SimpleNamespace(sleep=waited.append, monotonic=time.monotonic)
    monkeypatch.setattr(brainstem_api_client, "time", clock)
    for module in (brainstem_api_client, cli):
        monkeypatch.setattr(module, "_TOKEN_FILE", tmp_path / "brainstem" / "token")
    return SimpleNamespace(waited=waited, token_file=tmp_path / "brainstem" / "token")


def browser_that(server, monkeypatch, *, does):
    """Let the client open a browser in which Ben approves or denies what he is shown."""
    opened = []

    def open_(address):
        with server.signed_in("ben@lab.org") as browser:
            page = browser.get(address, timeout=30).text
            assert "brainstem-python" in page
            fields = form_of(page) | {"_do": does}
            assert browser.post(address, data=fields, timeout=30).ok
        opened.append(address)

    monkeypatch.setattr(brainstem_api_client.webbrowser, "open", open_)
    return opened


def test_device_login(server, fresh, monkeypatch):
    opened = browser_that(server, monkeypatch, does="approve")
    with BrainstemClient(url=server.url) as client:
        assert opened[0].startswith(f"{server.url}account/authorize/")
        assert fresh.waited == [5]
        users = client.load("user", filters={"email": "ben@lab.org"}).json()["users"]
        assert client.save("project", data={"name": "By device login"}).status_code == 201
        assert [each["email"] for each in users] == ["ben@lab.org"]
        token = client._token
    assert fresh.token_file.read_text() == token
    # The next time it signs in by itself.
    with BrainstemClient(url=server.url) as again:
        assert again.load("session").status_code == 200
    assert len(opened) == 1


def test_device_login_that_is_denied(server, fresh, monkeypatch):
    browser_that(server, monkeypatch, does="deny")
    with pytest.raises(AuthenticationError, match="access_denied"):
        BrainstemClient(url=server.url)
    assert not fresh.token_file.exists()


def test_device_login_without_a_browser(server, fresh, monkeypatch, capsys):
    """The user reads the code off the terminal and types it, perhaps after a while."""
    polls = []

    def sleep(seconds):
        polls.append(seconds)
        if len(polls) == 3:
            line = capsys.readouterr().out
            address, code = line.split()[1], line.split()[-1]
            with server.signed_in("ben@lab.org") as browser:
                fields = form_of(browser.get(address, timeout=30).text)
                fields |= {"user_code": code.lower(), "_do": "approve"}
                assert browser.post(address, data=fields, timeout=30).ok

    monkeypatch.setattr(brainstem_api_client.time, "sleep", sleep)
    with BrainstemClient(url=server.url, headless=True) as client:
        assert client.load("session").status_code == 200
    assert polls == [5, 5, 5]


# -- The command line --------------------------------------------------------------------------


@pytest.fixture
def brainstem(server, tmp_path):
    """Runs `brainstem` as Ben, on a computer without a cached token; what it prints."""

    def run(command, *words, status=0, token=server.tokens["ben@lab.org"]):
        done = subprocess.run(
            [Path(sys.executable).with_name("brainstem"), command, "--url", server.url, *words],
            env=os.environ | {"HOME": str(tmp_path), "BRAINSTEM_API_TOKEN": token},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_command_line_saves_loads_and_deletes(brainstem, many):
    data = json.dumps({"name": "By command", "projects": [many["id"]]})
    record = json.loads(brainstem("save", "session", "--data", data))["session"]
    words = ["--filters", "name.icontains=BY c", "--sort=-name", "--include", "projects"]
    found = json.loads(brainstem("load", "session", *words, "--limit", "5", "--offset", "0"))
    assert [each["id"] for each in found["sessions"]] == [record["id"]]
    assert found["sessions"][0]["projects"][0]["name"] == "Many"
    data = '{"description": "changed"}'
    brainstem("save", "session", "--id", record["id"], "--data", data)
    one = json.loads(brainstem("load", "session", "--id", record["id"]))
    assert one == {"session": record | {"description": "changed"}}
    assert "Deleted" in brainstem("delete", "session", "--id", record["id"])


def test_the_command_line_says_what_went_wrong(brainstem, lab):
    wrong = json.loads(brainstem("save", "session", "--data", "{}", status=1))
    assert wrong.keys() == {"name", "projects"}
    assert "detail" in brainstem("load", "session", "--id", lab["session"]["id"], status=1)
    assert "detail" in brainstem("load", "session", status=1, token="bst_wrong")
    public = brainstem("load", "session", "--portal", "public", token="bst_wrong")
    assert json.loads(public)["count"] == 2


def test_the_command_line_signs_in_and_out(server, fresh, monkeypatch, capsys):
    browser_that(server, monkeypatch, does="approve")

    def run(*words):
        monkeypatch.delenv("BRAINSTEM_API_TOKEN", raising=False)
        monkeypatch.setattr(sys, "argv", ["brainstem", *words])
        cli.main()
        return capsys.readouterr().out

    assert "Token: bst_" in run("login", "--url", server.url)
    assert json.loads(run("load", "project", "--url", server.url))["count"] >= 0
    assert "Logged out" in run("logout")
    assert not fresh.token_file.exists()
