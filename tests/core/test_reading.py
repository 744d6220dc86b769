"""The API's way to read records gives what the schema would write of the views that pages look at."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from brainstem.core import finding, reading, references
from brainstem.core.permissions import PUBLIC, Actor, Right, may
from brainstem.core.resource import registry
from brainstem.extensions import db
from tests.kinds import KINDS, OPTIONAL, filled, ids_of, one_of_each


@pytest.fixture
def lab(ada, ben):
    """Two records of every kind, one of them with something in all of its fields; Ben sees half."""
    least, more = one_of_each(ada), one_of_each(ada, " 2")
    for kind, fields in OPTIONAL.items():
        given = {name: filled(value, ids_of(more)) for name, (_, value) in fields.items()}
        where = f"{KINDS[kind].address}/{more[kind]['id']}"
        answer = ada("PATCH", where, given)
        assert answer.status_code == 200, (kind, answer.json)
    ada("PATCH", f"stem/project/{more['project']['id']}", {"users": {ben.email: {}}})
    return {kind: [least[kind]["id"], more[kind]["id"]] for kind in least}


def seen_by_each(ada, ben, lab):
    """Of each kind, for each of those who may look: the ids of what she may see."""
    for kind in registry:
        ids = list(map(UUID, lab.get(kind.name, [str(ada.id), str(ben.id)])))
        for actor in (Actor(ada.id), Actor(ben.id), PUBLIC, Actor(ada.id, portal="super")):
            yield kind, actor, [each for each in ids if may(actor, Right.READ, kind, each)]


def test_it_writes_what_the_schema_writes(subtests, app, ada, ben, lab):
    """To the letter: the order of keys, `22.0`, times, and what each may see of what is named."""
    with app.test_request_context():
        for kind, actor, seen in seen_by_each(ada, ben, lab):
            with subtests.test(kind=kind.name, portal=actor.portal, who=actor.user_id):
                records = [db.session.get(kind.model, each) for each in seen]
                views = references.view(actor, kind, records)
                sent = reading.sent(actor, kind, seen)
                dumped = references.dump(actor, kind, views)
                assert [json.dumps(each.wire) for each in sent] == list(map(json.dumps, dumped))
                assert [each.version for each in sent] == [each.version for each in records]


def test_they_come_as_asked_for_and_without_what_is_gone(app, ada, lab):
    kind, actor = registry.get("session"), Actor(ada.id)
    one, other = lab["session"]
    gone = "00000000-0000-4000-8000-000000000000"
    with app.test_request_context():
        found = reading.sent(actor, kind, [other, gone, one])
        assert [each.id for each in found] == [other, one]
        assert reading.sent(actor, kind, []) == []


def test_guarded_it_gives_what_the_actor_may_read(app, ada, ben, lab):
    kind = registry.get("session")
    with app.test_request_context():
        for who, portal, seen in [
            (ada.id, "private", lab["session"]),
            (ben.id, "private", lab["session"][1:]),
            (None, "public", lab["session"][1:]),
            (ben.id, "super", lab["session"]),
        ]:
            actor = Actor(who, portal=portal)
            found = reading.sent(actor, kind, lab["session"], guarded=True)
            assert [each.id for each in found] == seen


def test_answers_are_ascii_whatever_is_in_them(ada):
    tag, text = "größer ☃ 𝒮", 'é "quoted" \\ \x7f \u2028'
    session = ada.session("Ζ", ada.project(), description=text, tags=[tag], extra_fields={"a": tag})
    answer = ada("GET", f"stem/session/{session['id']}")
    assert answer.data.isascii()
    found = answer.json["session"]
    assert (found["description"], found["tags"], found["extra_fields"]) == (text, [tag], {"a": tag})


def test_names_stand_beside_the_ids_that_they_belong_to(subtests, app, ada, ben, lab):
    """And each sees the names of what she may see, as of everything else."""
    with app.test_request_context():
        for kind, actor, seen in seen_by_each(ada, ben, lab):
            with subtests.test(kind=kind.name, portal=actor.portal, who=actor.user_id):
                records, names = reading.named(actor, kind, seen, None)
                assert records == [each.wire for each in reading.sent(actor, kind, seen)]
                for name, known in names.items():
                    asked = finding.named(actor, registry.get(name), list(map(UUID, known)))
                    assert known == {str(each): text for each, text in asked.items()}


def test_names_of_what_somebody_may_not_see_are_not_told(app, ada, ben, lab):
    hidden = ada.project("Secret")
    ada("PATCH", f"stem/session/{lab['session'][1]}", {"projects": [hidden["id"]]})
    kind = registry.get("session")
    (session,) = lab["session"][1:]
    shared = ada.project("Shared")
    ada("PATCH", f"stem/project/{shared['id']}", {"users": {ben.email: {}}})
    ada("PATCH", f"stem/session/{session}", {"projects": [hidden["id"], shared["id"]]})
    with app.test_request_context():
        for who, expected in ((ada, {"Secret", "Shared"}), (ben, {"Shared"})):
            _, names = reading.named(Actor(who.id), kind, [UUID(session)], None)
            assert set(names["project"].values()) == expected
