"""The soak (`make soak`) in its short form, and whether it would see what it looks for."""

from __future__ import annotations

import subprocess
import sys
import time
import uuid
from logging import ERROR, LogRecord

import pytest
from sqlalchemy import text

from brainstem.extensions import db
from brainstem.logs import AsText
from tests.conftest import ROOT, missing
from tests.databases import Unavailable
from tests.kinds import one_of_each
from tests.soak import checks
from tests.soak.crash import crash
from tests.soak.journal import Known
from tests.soak.lab import processes, tracebacks
from tests.soak.load import load
from tests.soak.looking import Seen, judge

KINDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_acknowledged_outlives_a_kill(kind):
    try:
        crashes = crash(kind, rounds=2, seed="short")
    except Unavailable as error:
        missing(f"PostgreSQL: {error}")
    assert (crashes.errors, crashes.problems) == ([], [])
    assert crashes.acknowledged > 0


STARTED = """
import time
from tests.soak.lab import running
with running("sqlite") as lab:
    print(*(each.pid for each in lab.processes()), flush=True)
    time.sleep(60)
"""


def test_a_killed_test_leaves_no_server():
    words = [sys.executable, "-c", STARTED]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        master, *_ = map(int, process.stdout.readline().split())
        process.kill()
    for _ in range(200):
        if not processes(master):
            return
        time.sleep(0.05)
    pytest.fail("The server goes on.")


@pytest.mark.parametrize("kind", KINDS)
def test_many_at_once_see_no_error_and_lose_nothing(kind):
    try:
        found = load(kind, 2, "short", writers=6, readers=10)
    except Unavailable as error:
        missing(f"PostgreSQL: {error}")
    assert (found.errors, found.problems) == ([], [])
    assert found.writes
    assert found.reads


@pytest.fixture
def damaged(app, ada):
    """A lab with a record of every kind and some history; damages it by SQL, and finds what is wrong."""
    made = one_of_each(ada)
    session = made["session"]["id"]
    more = [ada.storage(f"Storage {n}")["id"] for n in range(2)]
    ids = [made["datastorage"]["id"], *more]
    for payload in ({"datastorage": ids}, {"tags": ["one", "two"]}, {"description": "Third"}):
        assert ada("PATCH", f"stem/session/{session}/", payload).status_code == 200

    def damage(statement: str) -> list[str]:
        sqlite = db.engine.dialect.name == "sqlite"
        record_id = uuid.UUID(session)
        with db.engine.begin() as connection:
            values = {"id": record_id.hex if sqlite else record_id}
            if statement:
                assert connection.execute(text(statement), values).rowcount
        return checks.problems()

    with app.app_context():
        yield damage


def test_a_whole_lab_has_no_problems(damaged):
    assert damaged("") == []


LAST = "(SELECT max(id) FROM revision WHERE record_id = :id)"


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            'UPDATE sessiondatastorage SET "order" = 7 WHERE "order" = 2',
            "order of sessiondatastorage",
        ),
        (
            'UPDATE sessiondatastorage SET "order" = 1 WHERE "order" = 2',
            "order of sessiondatastorage",
        ),
        ("UPDATE session_tag SET position = 3 WHERE position = 1", "order of session_tag"),
        ('UPDATE behavior SET "order" = 1', "order of behavior"),
        (f"UPDATE revision SET version = 9 WHERE id = {LAST}", "is version 9 after"),
        (f"DELETE FROM revision WHERE id = {LAST}", "its history ends at"),
        (f"DELETE FROM revision WHERE id = {LAST} - 1", "after"),
        ("DELETE FROM revision WHERE record_id = :id", "has no history"),
        (f"DELETE FROM revision WHERE id = {LAST}", "has no revision"),
        ("UPDATE session SET description = 'Other'", "its history says Third"),
        ("UPDATE session SET version = version + 1", "its history ends at"),
        ("DELETE FROM cohort", "and its history does not say so"),
        (
            "UPDATE search_entry SET text = 'other' WHERE kind = 'session'",
            "index is wrong about session",
        ),
        ("DELETE FROM search_entry WHERE kind = 'session'", "index is wrong about session"),
    ],
)
def test_damage_is_seen(damaged, statement, said):
    assert any(said in each for each in damaged(statement)), damaged("")


def test_an_error_in_the_servers_log_is_seen():
    try:
        raise ValueError("Not expected")
    except ValueError:
        record = LogRecord("brainstem", ERROR, "", 1, "Failed", (), sys.exc_info())
    log = f"A line\n{AsText().format(record)}\nAnother line\n"
    assert tracebacks(log) == ["ValueError: Not expected"]


@pytest.mark.parametrize(
    ("now", "perhaps", "stored", "problems"),
    [
        ("old", None, "old", 0),
        ("old", None, "new", 1),
        ("old", None, None, 1),
        (None, None, "old", 1),
        ("old", "new", "old", 0),
        ("old", "new", "new", 0),
        ("old", "new", "torn", 1),
        (None, "new", None, 0),
        (None, "new", "new", 0),
    ],
)
def test_a_lost_or_torn_write_is_seen(now, perhaps, stored, problems):
    def state(name):
        return name and {"session": [{"id": None, "name": name}]}

    session = Known("S", state(now), state(perhaps), in_doubt=perhaps is not None)
    found = stored and {"session": [{"id": "1", "name": stored}]}
    seen = Seen()
    judge(session, found, seen)
    assert len(seen.problems) == problems
    assert seen.stored == (perhaps is not None and stored == "new")
