"""Filters, sorts, pages and includes (contract §7), with the same answers on every database."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit
from uuid import uuid4

import pytest

SESSIONS, PROJECTS = "stem/session", "stem/project"


@pytest.fixture
def lab(ada):
    """Sessions to look for. Each is known by its first letter."""
    mice, rats = ada.project("Mice", is_public=True), ada.project("Rats in the lab")
    disk, tape = ada.storage("Disk", location="Room 5"), ada.storage("Tape")
    ada.session(
        "Alpha",
        mice,
        description="Élan vital",
        date_time="2023-03-22T15:30:00Z",
        datastorage=[disk["id"], tape["id"]],
        tags=["brain", "Mouse"],
        extra_fields={"room": "B115"},
    )
    ada.session("beta", mice, rats, description="élan", date_time="2023-03-22T15:30:00.5Z")
    ada.session("Côte 100%", rats, description="50% of a_b\\c", tags=["brain"])
    ada.session("delta", rats, date_time="2020-02-29", datastorage=[tape["id"]], tags=["mouse"])
    ada.session("Épsilon", mice, description="ÉLAN x", date_time="1999-12-31T23:59:59Z")
    return {"mice": mice["id"], "rats": rats["id"], "disk": disk["id"], "tape": tape["id"]}


def initials(answer):
    return "".join(each["name"][0] for each in answer["sessions"])


def found(who, query, address=SESSIONS):
    """The first letters of what a query finds."""
    answer = who("GET", f"{address}?{query}")
    assert answer.status_code == 200, answer.json
    assert answer.json["count"] == len(answer.json["sessions"])
    return initials(answer.json)


# The default order is by name, by code point: A C b d É
FOUND = {
    "exactly": [
        ("filter{name}=Alpha", "A"),
        ("filter{name}=alpha", ""),
        ("filter{name}= Alpha", ""),
        ("filter{name}=", ""),
        ("filter{description}=", "d"),
        ("filter{-name}=Alpha", "CbdÉ"),
        ("filter{name}=Épsilon", "É"),
        ("filter{name}=%C3%89psilon", "É"),
        ("filter{name}=Epsilon", ""),
    ],
    "text, case counts": [
        ("filter{name.contains}=lph", "A"),
        ("filter{name.contains}=LPH", ""),
        ("filter{name.startswith}=A", "A"),
        ("filter{name.startswith}=a", ""),
        ("filter{name.startswith}=Alphabet", ""),
        ("filter{name.endswith}=ta", "bd"),
        ("filter{name.endswith}=TA", ""),
        ("filter{name.endswith}=in the beginning there was Alpha", ""),
        ("filter{description.contains}=Élan", "A"),
        ("filter{description.startswith}=é", "b"),
        ("filter{name.contains}=", "ACbdÉ"),
        ("filter{name.startswith}=", "ACbdÉ"),
        ("filter{name.endswith}=", "ACbdÉ"),
    ],
    "text, case does not count": [
        ("filter{name.iexact}=ALPHA", "A"),
        ("filter{name.iexact}=épsilon", "É"),
        ("filter{name.iexact}=ÉPSILON", "É"),
        ("filter{name.icontains}=CÔTE", "C"),
        ("filter{name.icontains}=TA", "bd"),
        ("filter{description.icontains}=éLaN", "AbÉ"),
        ("filter{description.istartswith}=ÉLAN", "AbÉ"),
        ("filter{description.iendswith}=ÉLAN", "b"),
        ("filter{-description.icontains}=élan", "Cd"),
    ],
    "signs that mean something elsewhere": [
        ("filter{name.contains}=%25", "C"),
        ("filter{name.icontains}=100%25", "C"),
        ("filter{name.contains}=0%25%25", ""),
        ("filter{description.icontains}=_", "C"),
        ("filter{description.contains}=a_b", "C"),
        ("filter{description.contains}=a%25b", ""),
        ("filter{description.contains}=b\\c", "C"),
        ("filter{description.endswith}=\\c", "C"),
        ("filter{name.startswith}=_lpha", ""),
        ("filter{name}='; DROP TABLE session; --", ""),
    ],
    "in an order": [
        ("filter{name.gt}=Alpha", "CbdÉ"),
        ("filter{name.gte}=b&filter{name.lt}=d", "b"),
        ("filter{name.lte}=Z", "AC"),
        ("filter{date_time.gt}=2023-03-22T15:30:00Z", "b"),
        ("filter{date_time.gte}=2023-03-22T15:30:00Z", "Ab"),
        ("filter{date_time.lt}=2020-03-01", "dÉ"),
        ("filter{date_time.lte}=1999-12-31T23:59:59Z", "É"),
        ("filter{date_time}=2023-03-22T16:30:00%2B01:00", "A"),
        ("filter{date_time}=2023-03-22T15:30:00.500Z", "b"),
        ("filter{-date_time.gt}=2020-01-01", "CÉ"),
        ("filter{created_date.gt}=2020-01-01", "ACbdÉ"),
        ("filter{updated_date.lt}=2020-01-01", ""),
    ],
    "one of several, or none": [
        ("filter{name.in}=Alpha,beta,Nothing", "Ab"),
        ("filter{name.in}=Alpha&filter{name.in}=beta", "Ab"),
        ("filter{-name.in}=Alpha,beta", "CdÉ"),
        ("filter{date_time.in}=2020-02-29,1999-12-31T23:59:59Z", "dÉ"),
        ("filter{date_time.isnull}=true", "C"),
        ("filter{date_time.isnull}=1", "C"),
        ("filter{date_time.isnull}=false", "AbdÉ"),
        ("filter{-date_time.isnull}=True", "AbdÉ"),
    ],
    "tags": [
        ("filter{tags}=brain", "AC"),
        ("filter{tags}=mouse", "d"),
        ("filter{tags.iexact}=MOUSE", "Ad"),
        ("filter{tags.icontains}=ous", "Ad"),
        ("filter{tags.in}=Mouse,mouse", "Ad"),
        ("filter{tags}=brain&filter{tags}=Mouse", "A"),
        ("filter{-tags}=brain", "bdÉ"),
        ("filter{tags}=", ""),
        ("filter{tags.isnull}=false", "ACd"),
    ],
    "relations": [
        ("filter{projects}={mice}", "AbÉ"),
        ("filter{projects.id}={rats}", "Cbd"),
        ("filter{projects.in}={mice},{rats}", "ACbdÉ"),
        ("filter{projects}={mice}&filter{projects}={rats}", "b"),
        ("filter{-projects}={mice}", "Cd"),
        ("filter{projects.name}=Mice", "AbÉ"),
        ("filter{projects.name.icontains}=LAB", "Cbd"),
        ("filter{projects.is_public}=true", "AbÉ"),
        ("filter{projects.sessions.name}=delta", "Cbd"),
        ("filter{datastorage}={tape}", "Ad"),
        ("filter{datastorage.id}={disk}", "A"),
        ("filter{datastorage.location}=Room 5", "A"),
        ("filter{datastorage.name.in}=Disk,Tape", "Ad"),
        ("filter{datastorage.isnull}=true", "CbÉ"),
        ("filter{datastorage.isnull}=false", "Ad"),
        ("filter{projects}=00000000-0000-0000-0000-000000000000", ""),
        ("filter{id}=00000000-0000-0000-0000-000000000000", ""),
    ],
    "several at once": [
        ("filter{tags}=brain&filter{projects}={mice}", "A"),
        ("filter{name.contains}=ta&filter{-tags}=mouse", "b"),
        ("filter{name.contains}=a&filter{name.contains}=b", "b"),
    ],
    "in another order": [
        ("sort[]=name", "ACbdÉ"),
        ("sort[]=-name", "ÉdbCA"),
        ("sort[]=date_time", "ÉdAbC"),
        ("sort[]=-date_time", "bAdÉC"),
        ("sort[]=description", "CÉAbd"),
        ("sort[]=-description", "bAÉCd"),
        ("sort[]=name_used_in_storage&sort[]=-name", "ÉdbCA"),
        ("sort[]=created_date", "AbCdÉ"),
        ("sort[]=-updated_date", "ÉdCbA"),
        ("sort[]=-name&filter{tags}=brain", "CA"),
    ],
    "written in another way": [
        ("filter%7Bname%7D=Alpha", "A"),
        ("filter%7B-name.icontains%7D=a", "CÉ"),
        ("sort%5B%5D=-name", "ÉdbCA"),
        ("format=json", "ACbdÉ"),
        ("filter{name}=Alpha&format=json", "A"),
    ],
}


def filled(query, ids):
    """The query with the ids that it asks for, such as `{mice}`."""
    for name, value in ids.items():
        query = query.replace(f"{{{name}}}", value)
    return query


@pytest.mark.parametrize("braces", ["raw", "encoded"])
def test_queries_find_what_they_say(subtests, ada, lab, braces):
    for kind, queries in FOUND.items():
        for query, expected in queries if braces == "raw" else queries[::3]:
            with subtests.test(kind=kind, query=query):
                address = filled(query, lab)
                if braces == "encoded":
                    address = quote(address, safe="=&%,\\ ;'")
                assert found(ada, address) == expected


UNKNOWN = [
    # query, what the message must name; the key is the parameter
    ("filter{nothing}=x", "'nothing'"),
    ("filter{-nothing}=x", "'nothing'"),
    ("filter{name.nothing}=x", "'nothing'"),
    ("filter{name.contains.x}=x", "'contains.x'"),
    ("filter{date_time.year}=2023", "'year'"),
    ("filter{projects.nothing}=x", "'nothing'"),
    ("filter{projects.name.nothing}=x", "'nothing'"),
    ("filter{projects.sessions.nothing}=x", "'nothing'"),
    ("filter{tags.nothing}=x", "'nothing'"),
    ("filter{extra_fields}=x", "extra_fields"),
    ("filter{download_links}=x", "download_links"),
    ("filter{links}=x", "links"),
    ("filter{}=x", "Unknown parameter"),
    ("filter{{name}}=x", "Unknown parameter"),
    ("filter{name=x", "Unknown parameter"),
    ("filter[name]=x", "Unknown parameter"),
    ("filter{.name}=x", "''"),
    ("filter{date_time}=yesterday", "date and time"),
    ("filter{date_time.gt}=", "date and time"),
    ("filter{date_time.contains}=2023", "'contains'"),
    ("filter{date_time.isnull}=maybe", "neither true nor false"),
    ("filter{projects.is_public}=maybe", "neither true nor false"),
    ("filter{projects}=x", "UUID"),
    ("filter{projects.in}=x,y", "UUID"),
    ("filter{projects.gt}=00000000-0000-0000-0000-000000000000", "'gt'"),
    ("filter{id}=x", "UUID"),
    ("sort[]=nothing", "'nothing'"),
    ("sort[]=--name", "'-name'"),
    ("sort[]=", "''"),
    ("sort[]=projects", "projects"),
    ("sort[]=projects.name", "'projects.name'"),
    ("sort[]=tags", "tags"),
    ("sort[]=extra_fields", "extra_fields"),
    ("sort=name", "Unknown parameter"),
    ("include[]=nothing", "'nothing'"),
    ("include[]=name", "'name'"),
    ("include[]=tags", "'tags'"),
    ("include[]=", "''"),
    ("include[]=projects.nothing", "'projects.nothing'"),
    ("limit=0", "from 1 to 100"),
    ("limit=101", "from 1 to 100"),
    ("limit=-1", "from 1 to 100"),
    ("limit=ten", "from 1 to 100"),
    ("limit=", "from 1 to 100"),
    ("limit=5.0", "from 1 to 100"),
    ("limit=%2B5", "from 1 to 100"),
    ("limit=٥", "from 1 to 100"),
    ("per_page=101", "from 1 to 100"),
    ("offset=-1", "from 0"),
    ("offset=x", "from 0"),
    ("page=0", "from 1"),
    ("page=x", "from 1"),
    ("format=xml", "json"),
    ("format=", "json"),
    ("fields=name", "Unknown parameter"),
    ("Limit=5", "Unknown parameter"),
    ("=", "Unknown parameter"),
]


def test_what_does_not_fit_is_named_and_never_ignored(subtests, ada, lab):
    for portal in ("private", "public"):
        for query, named in UNKNOWN:
            with subtests.test(portal=portal, query=query):
                answer = ada("GET", f"/api/{portal}/{SESSIONS}/?{query}")
                ((parameter, _),) = parse_qsl(query, keep_blank_values=True)
                assert (answer.status_code, list(answer.json)) == (400, [parameter])
                assert named in str(answer.json[parameter])


@pytest.mark.parametrize("query", ["filter{name.}=x", "filter{projects.name.}=x"])
def test_an_operator_without_a_name_is_refused(ada, query):
    assert ada("GET", f"{SESSIONS}?{query}").status_code == 400


def test_isnull_finds_records_without_tags(ada, lab):
    assert found(ada, "filter{tags.isnull}=true") == "bÉ"


@pytest.mark.parametrize(
    "query",
    [
        "limit=5&per_page=5",
        "page=2&offset=5",
        "page=1&limit=5&per_page=5",
        "limit=5&limit=7",
        "limit=5&limit=5",
        "offset=1&offset=2",
        "page=1&page=2",
        "format=json&format=json",
    ],
)
def test_two_ways_to_say_the_same_are_refused(ada, query):
    assert ada("GET", f"{SESSIONS}?{query}").status_code == 400


def test_all_that_does_not_fit_is_said_at_once(ada):
    answer = ada("GET", f"{SESSIONS}?limit=0&sort[]=x&filter{{y}}=1&filter{{name}}=z&q=1")
    assert answer.json.keys() == {"limit", "sort[]", "filter{y}", "q"}
    for name, count in (("sort[]", 2), ("include[]", 3), ("filter{date_time.gt}", 1)):
        answer = ada("GET", f"{SESSIONS}?{name}=x&{name}=date_time&{name}=yy")
        assert len(answer.json[name]) == count
    assert ada("GET", f"{SESSIONS}?page=2&limit=0").json.keys() == {"limit"}


@pytest.mark.parametrize("query", ["limit=5", "filter{name}=x", "sort[]=name", "offset=0", "q=x"])
def test_an_address_of_one_record_takes_includes_alone(ada, query):
    project = ada.project()
    address = f"{PROJECTS}/{project['id']}"
    assert ada("GET", f"{address}?{query}").status_code == 400
    assert ada("GET", f"{address}?include[]=sessions&format=json").status_code == 200


# -- Pages -------------------------------------------------------------------------------------


@pytest.fixture
def many(ada):
    """Twelve sessions; the even ones have a tag."""
    project = ada.project("Öl & Wasser+%", is_public=True)
    for number in range(12):
        ada.session(f"S{number:02}", project, tags=[] if number % 2 else ["é&= +%"])
    return project


QUERIES = [
    "",
    "limit=5",
    "limit=1",
    "limit=100",
    "per_page=5",
    "page=1&per_page=5",
    "offset=0&limit=4",
    "sort[]=-name&limit=5",
    "sort[]=name_used_in_storage&sort[]=-name&limit=5",
    "filter{tags}=%C3%A9%26%3D%20%2B%25&limit=2",
    "filter{name.in}=S01,S02&filter{name.in}=S03&limit=2",
    "filter%7B-name%7D=S01&include%5B%5D=projects&limit=4&format=json",
    "filter{projects.name}=%C3%96l+%26+Wasser%2B%25&limit=5",
]


@pytest.mark.parametrize("portal", ["private", "public"])
def test_next_leads_to_the_end_and_previous_back_to_the_letter(subtests, ada, many, portal):
    for query in QUERIES:
        with subtests.test(query=query):
            address = f"/api/{portal}/{SESSIONS}/?{query}"
            first = ada.get(address)
            pages = list(follow(ada, first, "next"))
            names = [each["name"] for page in pages for each in page["sessions"]]
            assert len(names) == len(set(names)) == first["count"]
            assert {page["count"] for page in pages} == {first["count"]}
            assert [page["meta"]["page"] for page in pages] == list(range(1, len(pages) + 1))
            assert len(pages) == first["meta"]["total_pages"]
            back = list(follow(ada, pages[-1], "previous"))
            assert [each["sessions"] for each in reversed(back)] == [p["sessions"] for p in pages]
            assert back[-1]["previous"] is None


def test_next_is_hardly_longer_than_the_address_itself(ada, many):
    """One with hundreds of ids would become longer than what servers take."""
    ids = [each["id"] for each in ada.get(f"{SESSIONS}?limit=10")["sessions"]]
    query = f"limit=2&filter{{id.in}}={','.join([*ids, *(str(uuid4()) for _ in range(190))])}"
    found = ada.get(f"{SESSIONS}?{query}")
    _, _, asked_next = found["next"].partition("?")
    assert len(asked_next) < len(query) + 50
    assert len(list(follow(ada, found, "next"))) == 5


def follow(who, page, way):
    """The page and all that its `next` (or `previous`) leads to."""
    while True:
        yield page
        if page[way] is None:
            return
        parts = urlsplit(page[way])
        assert (parts.scheme, parts.netloc) == ("http", "localhost")
        page = who.get(f"{parts.path}?{parts.query}")


PLACES = [
    ("", 12, {"total_pages": 1, "page": 1, "per_page": 20}),
    ("limit=5", 5, {"total_pages": 3, "page": 1, "per_page": 5}),
    ("limit=5&offset=5", 5, {"total_pages": 3, "page": 2, "per_page": 5}),
    ("page=3&per_page=5", 2, {"total_pages": 3, "page": 3, "per_page": 5}),
    ("page=3&limit=5", 2, {"total_pages": 3, "page": 3, "per_page": 5}),
    ("page=9&limit=5", 0, {"total_pages": 3, "page": 9, "per_page": 5}),
    ("offset=12", 0, {"total_pages": 1, "per_page": 20}),
    ("offset=" + "9" * 30, 0, {"total_pages": 1, "per_page": 20}),
    ("page=" + "9" * 30, 0, {"total_pages": 1, "per_page": 20}),
    ("filter{name}=nothing", 0, {"total_pages": 0, "page": 1, "per_page": 20}),
]


def test_meta_says_where_a_page_stands(subtests, ada, many):
    for query, count, meta in PLACES:
        with subtests.test(query=query, count=count, meta=meta):
            page = ada.get(f"{SESSIONS}?{query}")
            assert len(page["sessions"]) == count
            assert page["meta"] | meta == page["meta"]
            assert page["count"] == page["meta"]["total_results"]
            assert (page["next"] is None) == (count < page["meta"]["per_page"])


def test_meta_says_what_was_asked(ada, many):
    query = "filter{tags}=x&filter{-name.in}=a&filter{-name.in}=b&sort[]=-date_time&sort[]=name"
    meta = ada.get(f"{SESSIONS}?{query}")["meta"]
    assert meta["filters"] == {"tags": "x", "-name.in": ["a", "b"]}
    assert meta["sort"] == ["-date_time", "name"]
    assert ada.get(SESSIONS)["meta"]["sort"] == ["name"]


def test_ties_are_in_the_order_of_the_ids_both_ways(ada, many):
    for sort in ("description", "-description", "date_time", "-date_time"):
        page = ada.get(SESSIONS, query_string={"sort[]": sort})
        ids = [each["id"] for each in page["sessions"]]
        assert ids == sorted(ids)


def test_times_of_making_and_changing_can_be_compared(ada, many):
    now = datetime.now().astimezone()
    for field in ("created_date", "updated_date"):
        for hours, count in ((-1, 12), (1, 0)):
            value = (now + timedelta(hours=hours)).isoformat()
            query = {f"filter{{{field}.gt}}": value}
            assert ada.get(SESSIONS, query_string=query)["count"] == count


# -- Includes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("include", ["projects", "projects.*"])
@pytest.mark.parametrize("portal", ["private", "public"])
def test_an_include_puts_the_records_in_place_of_the_ids(ada, many, include, portal):
    base = f"/api/{portal}"
    project = ada.get(f"{base}/{PROJECTS}/{many['id']}")["project"]
    plain = ada.get(f"{base}/{SESSIONS}/")["sessions"]
    listed = ada.get(f"{base}/{SESSIONS}/?include[]={include}")["sessions"]
    assert listed == [each | {"projects": [project]} for each in plain]
    assert [list(each) for each in listed] == [list(each) for each in plain]
    single = ada.get(f"{base}/{SESSIONS}/{plain[0]['id']}?include[]={include}")["session"]
    assert single == listed[0]


def test_includes_stand_side_by_side(ada, lab):
    query = "include[]=projects&include[]=datastorage&filter{name}=Alpha"
    (alpha,) = ada.get(f"{SESSIONS}?{query}")["sessions"]
    assert [each["name"] for each in alpha["projects"]] == ["Mice"]
    assert [each["name"] for each in alpha["datastorage"]] == ["Disk", "Tape"]
    assert alpha["epochs"] == []


@pytest.mark.parametrize("star", ["", ".*"])
def test_includes_go_further(ada, lab, star):
    (mice,) = ada.get(f"{PROJECTS}?include[]=sessions.datastorage{star}&filter{{name}}=Mice")[
        "projects"
    ]
    assert [each["name"] for each in mice["sessions"]] == ["Alpha", "beta", "Épsilon"]
    assert [[disk["name"] for disk in each["datastorage"]] for each in mice["sessions"]] == [
        ["Disk", "Tape"],
        [],
        [],
    ]
    assert [each["projects"] for each in mice["sessions"]][1] == [lab["mice"], lab["rats"]]


@pytest.mark.parametrize("portal", ["private", "public"])
def test_includes_do_not_go_back_and_forth(ada, lab, portal):
    """Thirteen sessions of one project, five times there and back, were an answer of 2.6 GB."""
    query = "include[]=projects.sessions.projects.sessions"
    assert ada("GET", f"/api/{portal}/{SESSIONS}?{query}").status_code == 400


@pytest.mark.parametrize("relation", ["epochs", "behaviors", "dataacquisition", "manipulations"])
def test_relations_without_records_can_be_included(ada, lab, relation):
    (alpha,) = ada.get(f"{SESSIONS}?filter{{name}}=Alpha&include[]={relation}")["sessions"]
    assert alpha[relation] == []


def test_a_row_includes_its_single_relations(ada, lab):
    query = "include[]=session&include[]=datastorage&filter{session.name}=delta"
    (row,) = ada.get(f"stem/sessiondatastorage?{query}")["sessiondatastorages"]
    assert (row["session"]["name"], row["datastorage"]["name"]) == ("delta", "Tape")


def test_pages_are_parts_of_the_list(ada):
    project, names = ada.project(), [f"S{number}" for number in range(5)]
    for name in names:
        ada.session(name, project)
    for offset in range(7):
        page = ada.get("stem/session/", query_string={"limit": 2, "offset": offset})
        assert [each["name"] for each in page["sessions"]] == names[offset : offset + 2]
        assert page["count"] == 5
