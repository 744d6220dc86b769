"""A list's count is the one of this moment, also where it need not be counted anew."""

from __future__ import annotations

import pytest
from sqlalchemy import delete
from werkzeug.datastructures import MultiDict

from brainstem.core import counting, finding
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records.sessions import Session

SESSIONS = "stem/session/?limit=1"


@pytest.fixture
def project(ada):
    with ada.app.app_context():
        # On SQLite each connection remembers for itself: earlier tests may have left several.
        db.engine.dispose()
    project = ada.project()
    for name in "ABC":
        ada.session(name, project)
    return project


def counts(statements):
    return sum("count(" in each for each in statements)


def test_it_is_counted_once_while_nothing_changes(ada, ben, project, statements):
    assert ada.get(SESSIONS)["count"] == 3
    statements.clear()
    assert ada.get(SESSIONS)["count"] == 3
    assert counts(statements) == 0


def test_each_has_a_count_of_her_own_and_each_filter(ada, ben, project):
    for _ in range(2):
        assert ada.get(SESSIONS)["count"] == 3
        assert ben.get(SESSIONS)["count"] == 0
        assert ada.get(f"{SESSIONS}&filter{{name}}=A")["count"] == 1
        assert ada.get(f"{SESSIONS}&filter{{-name}}=A")["count"] == 2
        assert ada.get("stem/project/?limit=1")["count"] == 1


def test_it_is_true_after_every_change(ada, ben, project):
    """By the API, by rights, by somebody else, and past the program."""
    assert (ada.get(SESSIONS)["count"], ben.get(SESSIONS)["count"]) == (3, 0)
    fourth = ada.session("D", project)
    assert ada.get(SESSIONS)["count"] == 4
    ada("DELETE", f"stem/session/{fourth['id']}/")
    assert ada.get(SESSIONS)["count"] == 3
    ada.share("project", project, ben.email, 1)
    assert ben.get(SESSIONS)["count"] == 3
    ben.session("E", ben.project("Ben's"))
    assert (ada.get(SESSIONS)["count"], ben.get(SESSIONS)["count"]) == (3, 4)
    ada.share("project", project, ben.email, None)
    assert ben.get(SESSIONS)["count"] == 1
    with ada.app.app_context(), db.engine.begin() as past:
        past.execute(delete(Session).where(Session.name == "A"))
    assert ada.get(SESSIONS)["count"] == 2


def test_what_is_undone_in_the_end_was_never_counted(app, ada, project):
    """Inside a transaction its own writes count; afterwards they don't, where it was taken back."""
    actor, kind = Actor(ada.id), registry.get("session")
    one = MultiDict({"limit": "1"})

    class Enough(Exception):
        pass

    @operation
    def empty():
        db.session.execute(delete(Session))
        assert finding.find(actor, kind, one).total == 0
        raise Enough

    with app.app_context():
        assert finding.find(actor, kind, one).total == 3
        with pytest.raises(Enough):
            empty()
        assert finding.find(actor, kind, one).total == 3


def test_a_count_is_the_one_of_the_page_beside_it(app, ada, project):
    """Somebody stores a session while another one lists: each answer is of one moment."""
    actor, kind = Actor(ada.id), registry.get("session")
    with app.app_context():
        for number in range(3):
            found = finding.find(actor, kind, MultiDict({"limit": "100"}))
            assert found.total == len(found.ids) == 3 + number
            assert finding.find(actor, kind, MultiDict({"limit": "1"})).total == 3 + number
            db.session.rollback()
            ada.session(f"More {number}", project)


def test_it_remembers_no_more_than_it_may(monkeypatch):
    monkeypatch.setattr(counting, "MOST", 3)
    memory = counting.Memory()
    for number in range(10):
        memory.put("state", number, number)
        assert memory.get("state", number) == number
        assert len(memory.counts) <= 3
    assert memory.get("state", 7) == 7, "the oldest go first"
    assert memory.get("another state", 9) is None
    assert memory.get(None, 9) is None
    memory.put("another state", 9, 10)
    assert memory.get("state", 9) is None
    assert memory.get("another state", 9) == memory.last(9) == 10
    assert memory.last("what nobody counted") is None
