"""Filters into `extra_fields` (contract §7): the same answers on both databases."""

from __future__ import annotations

import pytest

THIRTY = 123456789012345678901234567890

#: One letter a session.
STORED = {
    "A": {"n": 123, "room": "B115"},
    "B": {"n": "123", "room": "b115"},
    "C": {"n": 123.0, "room": "B116"},
    "D": {"n": 122.5, "room": "100%"},
    "E": {"n": -1, "room": "100_"},
    "F": {"n": THIRTY, "room": "É"},
    "G": {"n": "", "room": ""},
    "H": {"n": "abc", "room": "a\\b"},
    "I": {"N": 123, "room": '"quoted"'},
    "J": {"n": 1e300, "room": "a,b"},
    "K": {},
}
#: Besides, what double precision does not tell apart.
EXACT = {"A": 2**53 + 1, "B": 2**53, "C": THIRTY, "D": -(THIRTY + 1), "E": 0.1}
STORED = {
    name: each | ({"m": EXACT[name]} if name in EXACT else {}) for name, each in STORED.items()
}

FOUND = [
    # A value that spells a number finds the number and the text.
    ("n=123", "ABC"),
    ("n=123.0", "AC"),
    ("n=1.23e2", "AC"),
    ("n=+123", "AC"),
    ("n=0123", "AC"),
    ("n=-1", "E"),
    ("n=-1.0", "E"),
    (f"n={THIRTY}", "F"),
    # To the last digit.
    (f"m={THIRTY}", "C"),
    (f"m={THIRTY + 1}", ""),
    (f"m={THIRTY}.0", "C"),
    (f"m={2**53 + 1}", "A"),
    (f"m={2**53}", "B"),
    (f"m.in={2**53},{2**53 + 2},{THIRTY - 1}", "B"),
    (f"m.gt={2**53}", "AC"),
    (f"m.gte={2**53 + 1}", "AC"),
    (f"m.gt={THIRTY - 1}", "C"),
    (f"m.gt={THIRTY}", ""),
    (f"m.lt={-THIRTY}", "D"),
    (f"m.lte={-THIRTY - 2}", ""),
    ("m.in=" + ",".join(map(str, range(1500))) + f",{THIRTY}", "C"),
    ("m=0.1", "E"),
    ("m=0.10", "E"),
    ("m=1e-999999999999", ""),
    ("m=0e999999999999", ""),
    ("n=1e300", "J"),
    ("n=abc", "H"),
    ("n=", "G"),
    ("n=1e999", ""),
    ("n=NaN", ""),
    ("n=Infinity", ""),
    ("n=12_3", ""),
    ("n=١٢٣", ""),
    ("n=true", ""),
    ("n=null", ""),
    # Numbers with numbers, texts with texts.
    ("n.gt=122.5", "ACFJ"),
    ("n.gte=122.5", "ACDFJ"),
    ("n.lt=123", "DE"),
    ("n.lte=123", "ACDE"),
    ("n.gt=-5", "ACDEFJ"),
    ("n.gt=1e29", "FJ"),
    ("n.lt=1e-300", "E"),
    ("n.gt=aaa", "H"),
    ("n.gte=abc", "H"),
    ("n.lt=b", "BGH"),
    ("n.lte=", "G"),
    ("n.gt=", "BH"),
    # Several at once.
    ("n.in=123,abc", "ABCH"),
    ("n.in=122.5,-1", "DE"),
    ("n.in=", "G"),
    ("room.in=B115,É", "AF"),
    ("room.in=a,b", ""),
    # Whether it is there.
    ("n.isnull=true", "IK"),
    ("n.isnull=false", "ABCDEFGHJ"),
    ("n.isnull=1", "IK"),
    ("N.isnull=0", "I"),
    ("nothing.isnull=true", "ABCDEFGHIJK"),
    ("nothing.isnull=false", ""),
    # Texts; letter case counts, but for the operators with an i; no character means another.
    ("room=B115", "A"),
    ("room.iexact=B115", "AB"),
    ("room.iexact=é", "F"),
    ("room.contains=11", "ABC"),
    ("room.contains=b1", "B"),
    ("room.icontains=b1", "ABC"),
    ("room.contains=%25", "D"),
    ("room.contains=_", "E"),
    ("room.contains=\\", "H"),
    ('room.contains="', "I"),
    ("room.startswith=B", "AC"),
    ("room.istartswith=b", "ABC"),
    ("room.endswith=6", "C"),
    ("room.iendswith=É", "F"),
    ("room=a,b", "J"),
    ("room.startswith=", "ABCDEFGHIJ"),
    # Numbers are not texts.
    ("n.contains=12", "B"),
    ("n.startswith=1", "B"),
    ("n.iexact=123", "B"),
    # A key is one alone, in its own letter case.
    ("N=123", "I"),
    ("roo=B115", ""),
    ("nothing=x", ""),
]

EXCLUDED = [
    ("n=123", "DEFGHIJK"),
    ("n.gt=122.5", "BDEGHIK"),
    ("n.isnull=true", "ABCDEFGHJ"),
    ("room.icontains=b", "DEFGIK"),
    ("nothing=x", "ABCDEFGHIJK"),
]

REFUSED = [
    "extra_fields",
    "extra_fields.",
    "extra_fields.1a",
    "extra_fields._a",
    "extra_fields.a-b",
    "extra_fields.a b",
    "extra_fields.é",
    'extra_fields.a"',
    "extra_fields.a'",
    "extra_fields.a'--",
    "extra_fields.$",
    "extra_fields.a[0]",
    "extra_fields.a\n",
    "extra_fields.n.gtt",
    "extra_fields.n.id",
    "extra_fields.n.gt.lt",
    "extra_fields.n.",
    "extra_fields..gt",
    "extra_fields.n.regex",
    "extra_fields.n.b",
]


@pytest.fixture
def sessions(ada):
    """The sessions above, in a project."""
    project = ada.project(extra_fields={"grant": "R01"})
    for name, fields in STORED.items():
        ada.session(name, project, extra_fields=fields)


def names(who, **query):
    found = who.get("stem/session/", query_string={"limit": 100, **query})
    assert found["count"] == len(found["sessions"])
    return "".join(each["name"] for each in found["sessions"])


def test_what_is_found(subtests, ada, sessions):
    for query, expected in FOUND:
        with subtests.test(query=query):
            path, value = query.replace("%25", "%").split("=", 1)
            assert names(ada, **{f"filter{{extra_fields.{path}}}": value}) == expected
    for query, expected in EXCLUDED:
        with subtests.test(excluded=query):
            path, value = query.split("=", 1)
            assert names(ada, **{f"filter{{-extra_fields.{path}}}": value}) == expected


def test_filters_hold_together(subtests, ada, sessions):
    several = {"filter{extra_fields.n.gte}": "100", "filter{extra_fields.room.istartswith}": "b"}
    assert names(ada, **several) == "AC"
    assert names(ada, **several, **{"filter{-extra_fields.room}": "B116"}) == "A"
    assert names(ada, **{"filter{extra_fields.n.in}": ["123", "abc,-1"]}) == "ABCEH"
    twice = {"filter{extra_fields.room.contains}": ["B", "5"]}
    assert names(ada, **twice) == "A"
    through = {"filter{projects.extra_fields.grant}": "R01", "filter{extra_fields.n}": "abc"}
    assert names(ada, **through) == "H"


def test_what_does_not_fit_is_refused_by_name(subtests, ada, sessions):
    for path in REFUSED:
        for name in (f"filter{{{path}}}", f"filter{{-{path}}}"):
            with subtests.test(name=name):
                answer = ada("GET", "stem/session/", query_string={name: "1"})
                assert (answer.status_code, list(answer.json)) == (400, [name])
    answer = ada("GET", "stem/session/", query_string={"filter{extra_fields.n.isnull}": "maybe"})
    assert answer.status_code == 400
    for sort in ("extra_fields", "extra_fields.n"):
        assert ada("GET", "stem/session/", query_string={"sort[]": sort}).status_code == 400


def test_the_same_everywhere(ada):
    """Projects and subjects have free fields as well."""
    project = ada.project(extra_fields={"depth": 3})
    where = {"projects": [project["id"]], "extra_fields": {"depth": 3.0}}
    ada.made("stem/subject/", {"name": "Mouse", **where})
    for address in ("stem/project/", "stem/subject/"):
        assert ada.get(f"{address}?filter{{extra_fields.depth.gte}}=3")["count"] == 1
        assert ada.get(f"{address}?filter{{extra_fields.depth.gt}}=3")["count"] == 0
