"""The demonstration data: 39 real sessions, loaded through the ordinary operations."""

from __future__ import annotations

import csv

import pytest

from brainstem.demo import TABLE

SESSIONS = "stem/session"


@pytest.fixture
def boss(person):
    """The administrator."""
    return person("boss@lab.org", admin=True)


@pytest.fixture
def load(command):
    """Runs `flask demo`."""
    return lambda *words: command("demo", *words)


def everything(who):
    """All records, and the versions of the sessions."""
    addresses = (SESSIONS, "stem/project", "personal_attributes/datastorage")
    lists = [who.get(each, query_string={"limit": 100}) for each in addresses]
    tags = [who("GET", f"{SESSIONS}/{each['id']}").headers["ETag"] for each in lists[0]["sessions"]]
    return lists, tags


def test_the_sessions_of_the_table_are_loaded_once(boss, load):
    with TABLE.open(newline="", encoding="utf-8") as file:
        table = {row["session_name"]: row for row in csv.DictReader(file)}
    done = load()
    assert (done.exit_code, done.stderr) == (0, "")
    before = everything(boss)
    (sessions, projects, storages), tags = before
    assert (sessions["count"], projects["count"], storages["count"]) == (39, 1, 2)
    assert set(tags) == {'"1"'}
    by_name = {each["name"]: each["id"] for each in storages["datastorages"]}
    order = [by_name[name] for name in sorted(by_name, key=lambda name: "Figshare" not in name)]

    for session in sessions["sessions"]:
        row = table[session["name"]]
        assert session["projects"] == [projects["projects"][0]["id"]]
        assert session["datastorage"] == order
        assert session["date_time"] == f"{row['date_time']}T00:00:00Z"
        assert session["description"] == row["description"]
        assert session["tags"] == row["tags"].split(";")
        assert session["download_links"] == [
            {"repository": "Figshare", "url": row["url"]},
            {"repository": "DANDI", "url": row["mirror_url"]},
        ]
        extra = session["extra_fields"]
        assert {name: str(value) for name, value in extra.items()} == {
            name: row[name] for name in extra
        }
        assert extra["subject"] == row["subject"]
        for name in ("age_in_days", "n_trials", "nwb_size_bytes"):
            assert name not in extra or type(extra[name]) is int
    assert projects["projects"][0]["name"] == table["Cori_2016-12-14"]["project"]

    again = load()
    assert again.exit_code == 0
    assert "0 sessions added" in again.stdout
    assert everything(boss) == before


def test_what_is_missing_is_added_and_what_was_changed_stays(boss, load):
    load()
    first, second = boss.get(SESSIONS)["sessions"][:2]
    boss("DELETE", f"{SESSIONS}/{first['id']}")
    changed = boss("PATCH", f"{SESSIONS}/{second['id']}", {"description": "Mine"}).json
    assert "1 sessions added" in load().stdout
    assert boss.get(SESSIONS)["count"] == 39
    assert boss.get(f"{SESSIONS}/{second['id']}") == changed


def test_the_dashboard_offers_it_to_administrators_while_there_is_nothing(boss, ada):
    assert "Load demonstration data" not in ada.browser().open("/").text
    pages = ada.browser()
    assert pages.submit("/demo", {}, page="/sessions/new").status_code == 403
    assert boss.get(SESSIONS)["count"] == 0
    pages = boss.browser()
    form = pages.open("/").form("Load demonstration data")
    assert pages.press(form, "Load demonstration data").location == "/"
    assert boss.get(SESSIONS)["count"] == 39
    assert "Load demonstration data" not in pages.open("/").text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "There is no administrator yet"),
        (["--user", "nobody@lab.org"], "There is no user nobody@lab.org."),
        (["--user", "ada@lab.org"], "Only administrators load the demonstration data."),
    ],
)
def test_it_needs_an_administrator(ada, load, words, said):
    done = load(*words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
    assert ada.get(SESSIONS)["count"] == 0
