"""Where much matches, lists are gone through in their order: they find what they find otherwise."""

from __future__ import annotations

import itertools

import pytest
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, listing, walking
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.extensions import db

ORDERS = ("name", "-date_time", "description", "-id")
PARTS = (("3", "2"), ("100", "0"))


@pytest.fixture
def lab(ada, ben):
    """Sessions of which half have something in common, and half of those somebody else's, too."""
    projects = [ada.project("One"), ada.project("Two")]
    subject = ada.made("stem/subject/", {"name": "Rat 7", "projects": [projects[0]["id"]]})
    ada.share("project", projects[1], ben.email, 1)
    for n in range(12):
        session = ada.session(
            f"Day {n % 5} {n}",
            projects[n % 2],
            description="theta" if n % 3 else "",
            tags=["pilot"] if n % 2 else [],
            date_time=f"2026-03-{n + 1:02}T10:00:00Z" if n % 4 else None,
            extra_fields={"room": "B1", "depth": n},
        )
        if not n % 2:
            ada.made("modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]})
    ben.session("Day 0 of Ben's", ben.project("Ben's"), description="theta", tags=["pilot"])
    return projects, subject


@pytest.fixture
def many(monkeypatch):
    """Makes everything count as much, or nothing; and whether the databases go far enough to find it."""

    def become(much: bool, enough: bool = True) -> None:
        monkeypatch.setattr(walking, "MANY", -1 if much else 10**9)
        monkeypatch.setattr(walking, "STEPS", 10**6 if enough else 0)
        monkeypatch.setattr(walking, "FIRST", (1, 15) if enough else (0,))

    return become


def asked(actor, page, args):
    resource = registry.get("session")
    return finding.find(actor, resource, listing.asked(actor, resource, args) if page else args)


def questions(projects, subject):
    """(whether a page asks it, what it asks)"""
    scripts = (
        {"filter{tags}": "pilot"},
        {"filter{-tags}": "pilot"},
        {"filter{projects}": projects[1]["id"]},
        {"filter{projects.name.icontains}": "tw"},
        {"filter{date_time.gte}": "2026-03-03", "filter{date_time.lt}": "2026-03-10"},
        {"filter{name.icontains}": "day 1"},
        {"filter{description}": "theta", "filter{tags.isnull}": "false"},
        {"filter{behaviors.subjects}": subject["id"]},
        {"filter{extra_fields.depth.gt}": "4"},
        {"filter{name.in}": "Day 0 0,Day 1 1,Day 2 2,Day 3 3"},
        {"filter{-name.istartswith}": "DAY 2", "filter{date_time.isnull}": "true"},
        {"filter{datastorage.isnull}": "true", "filter{-projects.id}": projects[0]["id"]},
    )
    for query, order, (limit, offset) in itertools.product(scripts, ORDERS, PARTS):
        yield False, MultiDict({**query, "sort[]": order, "limit": limit, "offset": offset})
    for text, rest in itertools.product(
        ("theta", "day", "b1", "rat pilot", "rat 7", "nowhere", '"day 1" theta'),
        (
            {},
            {"tags": "pilot"},
            {"sort": "-date_time"},
            {"from": "2026-03-04", "sort": "date_time"},
        ),
    ):
        yield True, MultiDict({"q": text, **rest})


def test_it_finds_the_same_as_otherwise(app, ada, ben, lab, many):
    found = 0
    with app.app_context():
        for actor in (Actor(ada.id), Actor(ben.id)):
            for page, args in questions(*lab):
                answers = []
                for how in ((False,), (True,), (True, False)):
                    many(*how)
                    answer = asked(actor, page, args)
                    answers.append((answer.ids, answer.total))
                assert answers[0] == answers[1] == answers[2], args
                found += answers[0][1]
    assert found > 300


def pages_in(statements):
    """The statements that asked for a page."""
    return [each for each in statements if "state_of_data" in each and "LIMIT" in each]


def test_much_is_what_was_counted(app, ada, lab, monkeypatch, statements):
    """As long as nobody knows how much there is, it is looked up."""
    monkeypatch.setattr(walking, "MANY", 4)
    monkeypatch.setattr(walking, "STEPS", 0)
    tagged = {"filter{tags}": "pilot"}
    with app.app_context():
        db.engine.dispose()  # On SQLite each connection has counts of its own.
        # SQLite tries it in vain. PostgreSQL knows itself how much there is.
        tried = 2 if db.engine.dialect.name == "sqlite" else 1
        for limit, number in (("1", 1), ("1", tried), ("2", 1)):
            statements.clear()
            assert asked(Actor(ada.id), False, MultiDict({**tagged, "limit": limit})).total == 6
            assert len(pages_in(statements)) == number


def test_where_they_stand_at_the_end_they_are_looked_up(app, ada, lab, many, statements):
    """Nobody searches the whole list: SQLite takes but so many steps, PostgreSQL so many records."""
    many(True, enough=False)
    with app.app_context():
        found = asked(Actor(ada.id), True, MultiDict({"q": "theta"}))
        assert found.total == len(found.ids) == 8
    assert len(pages_in(statements)) == 2


NUMBERS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 5000)"
COUNT = db.text(f"{NUMBERS} SELECT count(*) FROM n")


@pytest.fixture
def on_sqlite(app):
    with app.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("SQLite alone is interrupted")
        yield


def test_a_mistake_of_the_database_is_no_lack_of_patience(on_sqlite):
    with pytest.raises(Exception, match="no such function"):
        walking._within(1000, db.select(db.func.nobody_knows()), {})
    # And afterwards it has all the time again.
    assert walking._within(10, COUNT, {}) is None
    assert db.session.scalar(COUNT) == 5000


def test_what_is_asked_again_has_its_time_again(on_sqlite):
    """SQLite counts the steps of a statement on and on, however often it is asked."""
    driver = db.session.connection().connection.dbapi_connection
    seen = []
    driver.set_progress_handler(lambda: seen.append(1), 100)
    driver.execute(COUNT.text).fetchall()
    driver.set_progress_handler(None, 0)
    steps = 100 * len(seen)
    assert all(walking._within(steps * 3 // 2, COUNT, {}) for _ in range(12))
    assert not any(walking._within(steps // 2, COUNT, {}) for _ in range(12))
