"""The older Python client, and the reading rules of the MATLAB client (contract §3)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from tests.conftest import PASSWORD, ROOT, missing
from tests.kinds import KINDS

#: `tools/install.sh dev` puts it here: its module has the same name as that of the newer client.
OLDER = ROOT / ".venv" / "clients" / "0.2.0"

STORY = """
import json, sys
from brainstem_api_tools import BrainstemClient

address, email, password = sys.argv[1:]
client = BrainstemClient(token="asked for below")
client._address = address
client._token = client._BrainstemClient__set_token_authentication(
    url=address + "token/", username=email, password=password
)
said = []

def say(answer):
    body = answer.json() if answer.content else None
    said.append([answer.status_code, body])
    return body

project = say(client.save_model("project", data={"name": "By the older client"}))["project"]
for number in range(3):
    data = {"name": f"older {number}", "projects": [project["id"]]}
    session = say(client.save_model("session", data=data))["session"]
say(client.load_model("session", id=session["id"]))
say(client.load_model(
    "session",
    filters={"name.icontains": "OLDER", "projects": project["id"]},
    sort=["-name"],
    include=["projects"],
))
say(client.load_model("session", id=session["id"], options="projects/"))
say(client.load_model("project", portal="public"))
say(client.save_model("session", id=session["id"], data={"description": "changed"}))
say(client.delete_model("session", id=session["id"]))
say(client.load_model("session", id=session["id"]))
say(client.save_model("session", data={}))
client._token = "bst_wrong"
say(client.load_model("session"))
print(json.dumps(said))
"""


def test_the_older_python_client(server):
    if not OLDER.is_dir():
        missing("the older client: tools/install.sh dev installs it")
    done = subprocess.run(
        [sys.executable, "-c", STORY, f"{server.url}api/", "ben@lab.org", PASSWORD],
        env=os.environ | {"PYTHONPATH": str(OLDER)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [status for status, _ in said] == [
        *[201] * 4, 200, 200, 200, 200, 200, 204, 404, 400, 401
    ]  # fmt: skip
    project, *sessions = [next(iter(body.values())) for _, body in said[:4]]
    assert said[4][1] == {"session": sessions[-1]}
    listed = said[5][1]["sessions"]
    assert [each["name"] for each in listed] == ["older 2", "older 1", "older 0"]
    assert {each["projects"][0]["name"] for each in listed} == {project["name"]}
    assert [each["id"] for each in said[6][1]["projects"]] == [project["id"]]
    assert said[8][1]["session"] == sessions[-1] | {"description": "changed"}


# -- MATLAB ------------------------------------------------------------------------------------


def read_like_matlab(address, token):
    """All records of a list, and how many pages they came on.

    The records are what stands first beside the paging; the next page is where `next` says, to the
    letter. One record comes as it is, and a list of one too.
    """
    records, pages = [], 0
    while address:
        request = Request(address, headers={"Authorization": f"Bearer {token}"})
        with urlopen(request, timeout=30) as answer:
            body = json.load(answer)
        key = next(key for key in body if key not in ("count", "next", "previous"))
        found = body[key]
        records += found if isinstance(found, list) else [found]
        pages += 1
        address = body.get("next")
    return records, pages


@pytest.fixture(scope="module")
def numbered(server):
    """Ada's project with 23 sessions, whose names need encoding."""
    project = server.made("stem/project/", {"name": "Numbered & more", "is_public": False})
    for number in range(23):
        name = f"{number:02} & 100% É+?#"
        server.made("stem/session/", {"name": name, "projects": [project["id"]]})
    return project


@pytest.mark.parametrize(
    ("query", "numbers", "pages"),
    [
        ("", range(23), 2),
        ("&limit=5", range(23), 5),
        ("&limit=5&offset=3", range(3, 23), 4),
        ("&per_page=10&page=2", range(10, 23), 2),
        ("&limit=23", range(23), 1),
        ("&limit=7&sort[]=-name", range(22, -1, -1), 4),
        ("&limit=4&filter{name.startswith}=1&include[]=projects.*", range(10, 20), 3),
        ("&limit=4&filter{-name.startswith}=1", [*range(10), 20, 21, 22], 4),
        ("&limit=2&filter{name.icontains}=" + quote("% é+?#"), range(23), 12),
        ("&limit=2&filter{name.in}=" + quote("01 & 100% É+?#,05 & 100% É+?#,07"), [1, 5], 1),
        ("&limit=9&format=json&sort[]=date_time&sort[]=name", range(23), 3),
    ],
)
def test_following_next_to_the_letter_reads_everything(server, numbered, query, numbers, pages):
    address = f"{server.url}api/private/stem/session/?filter{{projects}}={numbered['id']}{query}"
    found, read = read_like_matlab(address, server.tokens["ada@lab.org"])
    assert [int(each["name"][:2]) for each in found] == list(numbers)
    assert read == pages
    if "include" in query:
        assert {each["projects"][0]["name"] for each in found} == {"Numbered & more"}


def test_every_list_and_every_record_reads_alike(subtests, server, lab):
    token = server.tokens["ada@lab.org"]
    for kind, entry in KINDS.items():
        for portal in ("private", "public"):
            if portal == "public" and kind in ("user", "group", "sessiondatastorage"):
                continue
            with subtests.test(kind=kind, portal=portal):
                address = f"{server.url}api/{portal}/{entry.address}"
                paged, _ = read_like_matlab(f"{address}/?limit=1", token)
                assert paged == read_like_matlab(f"{address}?limit=100", token)[0]
                for record in paged:
                    assert read_like_matlab(f"{address}/{record['id']}", token)[0] == [record]
