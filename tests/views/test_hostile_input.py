"""Input that is meant to hurt: it gets a clear answer, on every database, and never a 500."""

import re

import pytest

from brainstem.core.conditions import FURTHEST
from brainstem.core.resource import registry
from brainstem.core.schemas import Ref, RefList
from brainstem.views.show import MOST_TAGS, markdown

SESSIONS = "stem/session"


@pytest.fixture
def session(ada):
    return ada.session("Monday", ada.project())


@pytest.mark.parametrize("payload", [{"_schema": 1}, {"_schema": {"name": 1}, "name": ""}])
def test_a_field_called_like_marshmallow_s_own(ada, session, payload):
    answer = ada("PATCH", f"{SESSIONS}/{session['id']}", payload)
    assert answer.status_code == 400


@pytest.mark.parametrize("field", ["name", "extra_fields.a", "tags"])
def test_many_values_are_one_condition(ada, session, field):
    commas = "," * 1500
    answer = ada("GET", f"{SESSIONS}?filter{{{field}.in}}=Monday{commas}")
    assert answer.status_code == 200
    assert answer.json["count"] == (1 if field == "name" else 0)


def paths(kind, left):
    """Every path of relations from a kind, `left` steps long."""
    for name, field in kind.schema.references():
        target = registry.get(field.kind)
        if not left:
            yield (name,)
        elif target is not None and isinstance(field, Ref | RefList):
            for rest in paths(target, left - 1):
                yield (name, *rest)


def test_the_longest_paths_are_answered_on_every_database(ada, session):
    longest = {}
    for kind in registry:
        found = sorted(paths(kind, FURTHEST - 1))
        # The slowest ones to judge go through modules and epochs; a few of each kind will do.
        for path in [*found[:: max(len(found) // 6, 1)], *found[-2:]]:
            address = f"{kind.app}/{kind.name}?filter{{{'.'.join((*path, 'id'))}}}={session['id']}"
            longest[address] = ada("GET", address).status_code
    assert longest
    assert {*longest.values()} == {200}, [a for a, status in longest.items() if status != 200]


@pytest.mark.parametrize(
    "following", ["/%0d%0aSet-Cookie:a=b", "/%09/evil.org", "/%5Cevil.org", "//evil.org", "//["]
)
def test_where_to_go_after_signing_in_is_a_page_of_ours(ada, following):
    answer = ada.browser().get(f"/login?next={following}")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_what_was_sealed_as_one_thing_is_not_taken_as_another(ada, session):
    pages, address = ada.browser(), f"/sessions/{session['id']}/edit"
    project = f"/projects/{session['projects'][0]}/edit"
    opened, other = (
        re.search(r'name="_opened" value="([^"]+)"', pages.get(each).text)[1]
        for each in (address, project)
    )
    for fields in ({"_opened": opened, "_mine": opened}, {"_opened": other}):
        assert pages.submit(address, fields).status_code == 400


@pytest.mark.parametrize(
    ("field", "value"),
    [("tags", [str(n) for n in range(1001)]), ("projects", ["x"] * 10_001)],
)
def test_lists_end_somewhere(ada, session, field, value):
    answer = ada("PATCH", f"{SESSIONS}/{session['id']}", {field: value})
    assert (answer.status_code, list(answer.json)) == (400, [field])


def test_a_person_named_in_two_spellings(ada, ben, session):
    people = {ben.email: {}, ben.email.upper(): {}}
    answer = ada("PATCH", f"stem/project/{session['projects'][0]}", {"users": people})
    assert answer.json == {"users": {each: ["Named twice."] for each in people}}


def test_a_text_that_would_take_minutes_to_clean_is_shown_as_typed():
    shown = markdown("<div>" * (MOST_TAGS + 1))
    assert shown.startswith("<pre>&lt;div&gt;")


@pytest.mark.parametrize("text", ["1_000", "١٢", "1e3", "+5", " "])
def test_odd_numbers_are_no_durations(ada, session, text):
    payload = {"name": "Rest", "session": session["id"], "start": text}
    assert list(ada("POST", "stem/epoch/", payload).json) == ["start"]
