"""List pages: what their addresses say, and everything that changes the address or answers to it."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from brainstem.core.permissions import Role
from tests.pages import Page, Pages, text_of

BOM = "\ufeff"


def names(page):
    """The names in the table, in its order."""
    return [text_of(link) for link in page.all("a") if link.get("class") == "record-link"]


def columns(page):
    return [text_of(each) for each in page.all("th")][1:]


def chips(page):
    """The filters that are set, and the way to the list without each."""
    links = [each for each in page.all("a") if each.get("class") == "chip-remove"]
    return {
        each.get("aria-label").removeprefix("Remove filter "): each.get("href") for each in links
    }


@pytest.fixture
def lab(app, ada, monkeypatch):
    """Five sessions in a lab in Berlin, where it is the morning of Tuesday, 24 November 2026."""
    app.config["LAB_TIMEZONE"] = "Europe/Berlin"
    now = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    monkeypatch.setattr("brainstem.core.listing.filters.utcnow", lambda: now)
    rats, mice = ada.project("Rats"), ada.project("Mice")
    nas, tape = ada.storage("NAS"), ada.storage("Tape")
    subject = ada.made("stem/subject/", {"name": "R12", "projects": [rats["id"]]})

    def session(name, *projects, storages=(), **more):
        return ada.session(name, *projects, datastorage=[each["id"] for each in storages], **more)

    made = {
        "A": session(
            "A",
            rats,
            storages=[nas, tape],
            date_time="2026-11-24T07:00:00Z",
            tags=["x", "good"],
            extra_fields={"depth": 10, "room": "B2"},
        ),
        # Late on the 23rd in London is the 24th in Berlin.
        "B": session(
            "B",
            mice,
            rats,
            storages=[tape],
            date_time="2026-11-23T23:30:00Z",
            tags=["x"],
            extra_fields={"depth": 9.5},
        ),
        "C": session("C", mice, date_time="2026-11-18T12:00:00Z", extra_fields={"depth": "deep"}),
        "D": session("D", mice, storages=[nas], date_time="2026-01-31T12:00:00Z", tags=["good"]),
        "E": session("E", rats, extra_fields={"depth": -1, "rig": "NP"}),
    }
    ada.made("modules/behavior/", {"session": made["D"]["id"], "subjects": [subject["id"]]})
    ada.made("stem/epoch/", {"name": "Task", "session": made["A"]["id"]})
    return {"rats": rats["id"], "mice": mice["id"], "nas": nas["id"], "tape": tape["id"]} | {
        "subject": subject["id"], "ada": str(ada.id), "sessions": made
    }  # fmt: skip


FILTERS = [
    ("", "ABCDE"),
    ("projects={rats}", "ABE"),
    ("projects={rats}&projects={mice}", "ABCDE"),
    ("tags=x", "AB"),
    ("tags=x&tags=good", "A"),
    ("tags=X", ""),
    ("datastorage={nas}", "AD"),
    ("datastorage={nas}&projects={rats}", "A"),
    ("behaviors.subjects={subject}", "D"),
    ("date=today", "AB"),
    ("date=week", "ABC"),
    ("date=month", "ABC"),
    ("date=year", "ABCD"),
    ("from=2026-11-24", "AB"),
    ("to=2026-11-23", "CD"),
    ("from=2026-01-31&to=2026-11-18", "CD"),
    ("from=2026-11-24&to=2026-11-01", ""),
    ("to=9999-12-31", "ABCD"),
    ("missing=datastorage", "CE"),
    ("missing=date_time", "E"),
    ("missing=epochs", "BCDE"),
    ("missing=datastorage&missing=date_time&projects={mice}", "C"),
    ("changed_by={ada}", "ABCDE"),
    ("changed_by=00000000-0000-0000-0000-000000000000", ""),
    ("projects=00000000-0000-0000-0000-000000000000", ""),
    ("utm_source=x&_scheme=y", "ABCDE"),
    ("q=B", "AB"),
    ("q=B&tags=good", "A"),
]


def test_filters(subtests, ada, lab):
    pages = ada.browser()
    for query, found in FILTERS:
        with subtests.test(query):
            page = pages.open("/sessions/?" + query.format(**lab))
            assert "".join(names(page)) == found
            assert ("Nothing found" in page.text) == (not found)


SORTS = [
    ("-name", "EDCBA"),
    ("date_time", "DCBAE"),
    ("-date_time", "ABCDE"),
    # The first project that is shown; ties by id, so only the groups are sure.
    ("projects", ("BCD", "AE")),
    ("-projects", ("AE", "BCD")),
    ("datastorage", ("AD", "B", "CE")),
    ("-datastorage", ("B", "AD", "CE")),
    ("tags", ("D", "AB", "CE")),
    ("-tags", ("AB", "D", "CE")),
    # Numbers, then texts, and what is empty last.
    ("extra_fields.depth", "EBACD"),
    ("-extra_fields.depth", "CABED"),
    ("extra_fields.room", ("A", "BCDE")),
    ("extra_fields.nowhere", ("ABCDE",)),
    ("epochs", ("A", "BCDE")),
    ("created_date", "ABCDE"),
    ("-updated_date", "EDCBA"),
]


def test_sorting_by_any_column(subtests, ada, lab):
    pages = ada.browser()
    for sort, expected in SORTS:
        with subtests.test(sort):
            found = "".join(names(pages.open(f"/sessions/?sort={sort}")))
            assert [sorted(each) for each in expected] == [
                sorted(found[start : start + len(each)]) for start, each in _places(expected)
            ]


def _places(groups):
    start = 0
    for each in groups:
        yield start, each
        start += len(each)


WRONG = [
    "sort=nothing",
    "sort=download_links",
    "sort=extra_fields",
    "sort=extra_fields.a-b",
    "sort=projects.name",
    "columns=nothing",
    "columns=extra_fields.a%22b",
    "projects=x",
    "changed_by=x",
    "changed_by=%00",
    "missing=name",
    "date=yesterday",
    "from=24.11.2026",
    "from=2026-02-30",
    "from=0001-01-01",
    "to=99999-01-01",
    "tags=%00",
    "q=a%00b",
    "page=0",
]


def test_what_does_not_fit_is_said(subtests, ada, lab):
    pages = ada.browser()
    for query in WRONG:
        with subtests.test(query):
            assert pages.get(f"/sessions/?{query}").status_code == 400
            download = pages.get(f"/sessions/download.csv?{query}")
            assert download.status_code == (200 if query.startswith("page") else 400)


ODD = [
    "show=%00",
    "show=nothing",
    "show=projects&find=%00%25",
    "show=behaviors.subjects&find=" + "x" * 5000,
    "calendar=0000",
    "calendar=9999",
    "calendar=%D9%A1%D9%A2%D9%A3%D9%A4",
    "calendar=latest&date=month&from=2026-11-01",
    "tags=" + "x" * 3000,
    "q=%22%27--%25_\\",
    "columns=name&columns=name&sort=name&sort=name",
    "page=999999999999999999999",
    "&".join(f"tags={number}" for number in range(60)),
]


def test_odd_addresses_answer(subtests, ada, lab):
    pages = ada.browser()
    for query in ODD:
        with subtests.test(query[:60]):
            assert pages.get(f"/sessions/?{query}").status_code == 200


def test_a_filter_is_shown_and_taken_back(ada, lab):
    pages = ada.browser()
    page = pages.open(f"/sessions/?tags=x&projects={lab['rats']}&missing=epochs&sort=-name")
    shown = chips(page)
    assert list(shown) == ["Projects Rats", "Tags x", "Missing Epochs"]
    query = parse_qs(urlsplit(shown["Tags x"]).query)
    assert query == {"projects": [lab["rats"]], "missing": ["epochs"], "sort": ["-name"]}
    assert chips(pages.open(shown["Tags x"])).keys() == {"Projects Rats", "Missing Epochs"}


def test_choosing_without_scripts(ada, lab):
    """A panel opens by a link; what else is set goes along with the form."""
    pages = ada.browser()
    page = pages.open("/sessions/?tags=x&sort=-name")
    (link,) = [each for each in page.all("a") if each.get("data-panel") == "projects"]
    form = pages.open(link.get("href")).form("Search")
    assert form.fields.getlist("tags") == ["x"] and "projects" not in form.fields
    found = pages.client.get("/sessions/", query_string=form.set(projects=[lab["rats"]]).fields)
    assert names(Page(found)) == ["B", "A"]


def test_many_choices_are_found_by_name(ada):
    project = ada.project("Rats")
    for number in range(30):
        ada.made("stem/subject/", {"name": f"R{number:02}", "projects": [project["id"]]})
    ada.session("A", project)
    pages, address = ada.browser(), "/sessions/?show=behaviors.subjects"
    page = pages.open(address)
    assert "R24" in page.text and "R25" not in page.text and "There are more" in page.text
    page = pages.open(f"{address}&find=r2")
    assert "R29" in page.text and "R19" not in page.text


def test_columns_are_chosen(ada, lab):
    pages = ada.browser()
    page = pages.open("/sessions/?show=columns")
    offered = [each.get("value") for each in page.all("input") if each.get("name") == "columns"]
    assert {"description", "epochs", "created_date", "updated_date"} <= set(offered)
    assert [each for each in offered if "." in each] == [
        "extra_fields.depth",
        "extra_fields.rig",
        "extra_fields.room",
    ]
    form = page.form("Apply").set(columns=["name", "extra_fields.depth", "created_date"])
    found = Page(pages.client.get("/sessions/", query_string=form.fields))
    assert columns(found) == ["Name", "depth", "Created"]
    cells = [text_of(each) for each in found.all("td") if each.get("data-label") == "depth"]
    assert cells == ["10", "9.5", "deep", "", "-1"]
    # The name, which is the link, is always there.
    assert columns(pages.open("/sessions/?columns=tags")) == ["Name", "Tags"]


def test_every_field_can_be_a_column(subtests, ada, lab):
    pages = ada.browser()
    kinds = ("sessions", "projects", "subjects", "collections", "cohorts", "datastorage", "epochs")
    for kind in (*kinds, "behaviors", "setups", "subjectlogs", "procedures", "groups"):
        with subtests.test(kind):
            page = pages.open(f"/{kind}/?show=columns&q=")
            inputs = [each for each in page.all("input") if each.get("name") == "columns"]
            query = "&".join(f"columns={each.get('value')}" for each in inputs)
            for address in (f"/{kind}/?{query}", f"/{kind}/download.csv?{query}"):
                assert pages.get(address).status_code == 200, address


# -- What nobody else may see ------------------------------------------------------------------------


def test_lists_tell_nothing_of_what_is_hidden(ada, ben):
    seen, hidden = ada.project("Seen"), ada.project("Aaa hidden")
    disk = ada.storage("Secret disk")
    ada.share("project", seen, ben.email, Role.MEMBER)
    subject = ada.made("stem/subject/", {"name": "Secret subject", "projects": [hidden["id"]]})
    both = ada.session("S1", hidden, seen, datastorage=[disk["id"]])
    ada.session("S2", seen)
    ada.session("S3", hidden, tags=["secret tag"], extra_fields={"secret_key": 1})
    ada.made("modules/behavior/", {"session": both["id"], "subjects": [subject["id"]]})
    pages = ben.browser()
    panels = ("projects", "tags", "datastorage", "behaviors.subjects", "columns")
    for address in (
        "/sessions/",
        *(f"/sessions/?show={name}" for name in panels),
        "/sessions/?calendar=latest",
        f"/sessions/?projects={hidden['id']}&datastorage={disk['id']}",
        "/sessions/download.csv",
        "/sessions/download.json",
    ):
        text = pages.get(address).text.lower()
        assert "hidden" not in text.replace('type="hidden"', "").replace("hidden>", "").replace(
            "visually-hidden", ""
        ).replace('aria-hidden="true"', ""), address
        assert "secret" not in text, address
    for query in (
        f"projects={hidden['id']}",
        f"datastorage={disk['id']}",
        f"behaviors.subjects={subject['id']}",
        "tags=secret tag",
    ):
        assert names(pages.open(f"/sessions/?{query}")) == [], query
    # To her neither has a storage, and both are in the one project that she sees.
    assert names(pages.open("/sessions/?missing=datastorage")) == ["S1", "S2"]
    ids = sorted(each["id"] for each in ben.get("stem/session/")["sessions"])
    for sort in ("projects", "-projects", "datastorage"):
        rows = csv.DictReader(io.StringIO(pages.get(f"/sessions/download.csv?sort={sort}").text))
        assert [row[f"{BOM}id"] for row in rows] == ids, sort


# -- Downloads ---------------------------------------------------------------------------------------


def rows_of(answer):
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    text = answer.get_data().decode("utf-8")
    assert text.startswith(BOM)
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def test_a_download_is_the_list(ada, lab):
    pages, made = ada.browser(), lab["sessions"]
    answer = pages.get("/sessions/download.csv?date=year&sort=-date_time")
    assert re.search(r'filename="sessions_\d{4}-\d\d-\d\d\.csv"', str(answer.headers))
    assert rows_of(answer) == [
        ["id", "name", "date_time", "projects", "datastorage", "tags"],
        [made["A"]["id"], "A", "2026-11-24 08:00:00", "Rats", "NAS; Tape", "x; good"],
        [made["B"]["id"], "B", "2026-11-24 00:30:00", "Mice; Rats", "Tape", "x"],
        [made["C"]["id"], "C", "2026-11-18 13:00:00", "Mice", "", ""],
        [made["D"]["id"], "D", "2026-01-31 13:00:00", "Mice", "NAS", "good"],
    ]
    answer = pages.get("/sessions/download.csv?columns=extra_fields.depth&columns=epochs&tags=x")
    assert rows_of(answer)[1:] == [
        [made["A"]["id"], "A", "10", "Task"],
        [made["B"]["id"], "B", "9.5", ""],
    ]
    answer = pages.get("/sessions/download.json?tags=x&sort=-name")
    found = json.loads(answer.text)["sessions"]
    listed = ada.get("stem/session/?filter{tags}=x&sort[]=-name")["sessions"]
    assert found == listed and [list(each) for each in found] == [list(each) for each in listed]


def test_a_download_has_all_pages(ada, monkeypatch):
    monkeypatch.setattr("brainstem.core.streaming.CHUNK", 4)
    project = ada.project()
    for number in range(23):
        ada.session(f"S{number:02}", project)
    pages = ada.browser()
    found = rows_of(pages.get("/sessions/download.csv?page=2&columns=name"))
    assert [row[1] for row in found[1:]] == [f"S{number:02}" for number in range(23)]
    records = json.loads(pages.get("/sessions/download.json").text)["sessions"]
    assert [each["name"] for each in records] == [f"S{number:02}" for number in range(23)]


def test_a_spreadsheet_calculates_nothing(ada):
    project = ada.project("=1+1")
    texts = ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\uff1d1", "plain", 'a,"b"\nc;é']
    for number, text in enumerate(texts):
        ada.session(f"-{number}", project, description=text, tags=[f"={number}"],
                    extra_fields={"t": text, "n": -5})  # fmt: skip
    query = "&".join(f"columns={n}" for n in ("description", "projects", "tags", "extra_fields.t",
                                              "extra_fields.n", "extra_fields"))  # fmt: skip
    for row in rows_of(ada.browser().get(f"/sessions/download.csv?{query}"))[1:]:
        assert row[6] == "-5"  # a number is one
        assert not [each for each in row[:6] if each.startswith(("=", "+", "-", "@", "\uff1d"))]
    assert [
        row[2] for row in rows_of(ada.browser().get(f"/sessions/download.csv?{query}"))[-2:]
    ] == [
        "plain",
        'a,"b"\nc;é',
    ]


def test_downloads_are_for_those_who_signed_in(app, ada, lab):
    visitor = Pages(app)
    for address in ("/sessions/download.csv", "/sessions/views"):
        assert visitor.get(address).status_code == 302
    assert visitor.get("/public/sessions/download.csv").status_code == 404


# -- Saved views -------------------------------------------------------------------------------------


def saved(page):
    """The links above the list."""
    bars = [each for each in page.all("nav") if each.get("aria-label") == "Saved views"]
    links = [link for bar in bars for link in bar.iter("a")]
    return {text_of(link): link for link in links if text_of(link) != "Edit views"}


def test_views_are_saved_renamed_and_forgotten(ada, ben, lab):
    pages, query = ada.browser(), "tags=x&missing=epochs&sort=-name&columns=name&columns=tags"
    address = f"/sessions/?{query}&page=1&show=columns"
    assert saved(pages.open(address)) == {}
    form = pages.open(address).form("Save view").set(name="Unfinished")
    answer = pages.press(form, "Save view")
    assert (answer.status_code, answer.location) == (302, f"/sessions/?{query}")
    shown = saved(pages.open(answer.location))
    assert shown["Unfinished"].get("href") == f"/sessions/?{query}"
    assert shown["Unfinished"].get("aria-current") == "true"
    assert saved(pages.open("/sessions/"))["Unfinished"].get("aria-current") is None
    assert saved(pages.open("/projects/")) == {} == saved(ben.browser().open("/sessions/"))

    # A name that is taken, or none, is said at the field; what was to be saved is still there.
    for name, words in (("Unfinished", "already"), ("", "required"), ("x" * 101, "At most 100")):
        page = Page(pages.press(form.set(name=name), "Save view"))
        assert page.status == 400 and words in page.marks["name"]
        assert page.summary == ["name"]
        again = page.form("Save view")
        assert again.fields["query"] == query and again.fields["name"] == name
    assert pages.press(again.set(name="Second"), "Save view", "/sessions/views").status_code == 302
    # Of another list it may be called the same.
    other = pages.open("/projects/").form("Save view").set(name="Second")
    assert pages.press(other, "Save view").status_code == 302

    page = pages.open("/sessions/views")
    taken = Page(pages.press(page.form("Rename Second").set(name="Unfinished"), "Rename Second"))
    assert taken.status == 400 and len(taken.marks) == 1
    assert (
        pages.press(page.form("Rename Second").set(name="Mine"), "Rename Second").status_code == 302
    )
    own = page.form("Rename Unfinished").set(name="Unfinished")
    assert pages.press(own, "Rename Unfinished").status_code == 302
    assert set(saved(pages.open("/sessions/"))) == {"Mine", "Unfinished"}
    stranger = ben.browser()
    for action in (page.form("Rename Second").action, page.form("Delete view Second").action):
        sent = {"name": "Ben's"}
        assert stranger.submit(action, sent, page="/account/tokens/").status_code == 404
    assert pages.press(page.form("Delete view Second"), "Delete view Second").status_code == 302
    assert set(saved(pages.open("/sessions/"))) == {"Unfinished"}


SAVED = [
    ("", 302),
    ("utm=1&page=7&_scheme=x", 302),
    ("projects=x", 400),
    ("sort=nothing", 400),
    ("q=%00", 400),
    ("tags=" + "&tags=".join(map(str, range(900))), 400),
    ("&".join("ab"[n % 2] for n in range(3000)), 400),
]


def test_only_what_a_list_understands_is_saved(subtests, ada):
    pages, kept = ada.browser(), set()
    for number, (query, status) in enumerate(SAVED):
        with subtests.test(query[:60]):
            sent = {"name": f"View {number}", "query": query}
            answer = pages.submit("/sessions/views", sent, page="/account/tokens/")
            assert answer.status_code == status
            if status == 302:
                assert answer.location == "/sessions/"
                kept.add(sent["name"])
    ada.session("A", ada.project())
    assert saved(pages.open("/sessions/")).keys() == kept


# -- The calendar ------------------------------------------------------------------------------------


def days(page):
    """The days that there are sessions of, and where they lead."""
    links = [
        each for each in page.all("a") if re.match(r"\d+ \w+ \d{4}: ", each.get("aria-label", ""))
    ]
    return {each.get("aria-label"): each.get("href") for each in links}


def test_the_calendar_counts_by_the_labs_days_and_filters(ada, lab):
    pages = ada.browser()
    assert days(pages.open("/sessions/")) == {}
    page = pages.open("/sessions/?calendar=latest&projects=" + lab["mice"])
    assert list(days(page)) == [
        "31 January 2026: 1 session",
        "18 November 2026: 1 session",
        "24 November 2026: 1 session",
    ]
    day = days(page)["24 November 2026: 1 session"]
    narrowed = pages.open(day)
    assert names(narrowed) == ["B"]
    assert list(chips(narrowed)) == ["Projects Mice", "From 2026-11-24", "To 2026-11-24"]
    # It counts what the other filters leave, so that one can go on to another day; this one is marked.
    assert len(days(narrowed)) == 3
    marked = [each for each in narrowed.all("a") if each.get("aria-current") == "date"]
    assert [each.get("aria-label") for each in marked] == ["24 November 2026: 1 session"]
    months = {text_of(each): each.get("href") for each in page.all("a") if "2026," in text_of(each)}
    assert names(pages.open(months["November 2026,"])) == ["B", "C"]
    assert days(pages.open("/sessions/?calendar=2025")) == {}
    assert "2025" in text_of(pages.open("/sessions/?calendar=2026").by_id["list-calendar"])
    # Above the list of all years it says which of them it counts.
    total = re.search(r"heatmap-total\">([^<]+)<", page.html)[1]
    assert total == "3 sessions in this year: choose a day or a month to list those alone"


# -- Elsewhere ---------------------------------------------------------------------------------------


def test_the_public_list_filters_but_keeps_nothing(app, ada):
    project = ada.project("Open", is_public=True)
    ada.session("A", project, date_time="2026-03-04", tags=["x"])
    ada.session("B", project)
    visitor = Pages(app)
    page = visitor.open(
        "/public/sessions/?missing=date_time&show=more&calendar=latest&show=columns"
    )
    assert names(page) == ["B"]
    for words in ("Save view", "Download", "Changed by", "Edit selected", "ada@lab.org"):
        assert words not in page.text
    assert names(visitor.open(f"/public/sessions/?changed_by={ada.id}")) == ["A", "B"]
    assert names(visitor.open("/public/sessions/?tags=x&calendar=2026")) == ["A"]
    assert visitor.get("/public/projects/?columns=users").status_code == 400


def test_rows_can_be_ticked_for_an_edit(ada, lab):
    page = ada.browser().open("/sessions/?tags=x")
    boxes = [each for each in page.all("input") if each.get("name") == "ids"]
    assert [(each.get("aria-label"), each.get("form")) for each in boxes] == [
        ("Select A", "bulk"),
        ("Select B", "bulk"),
    ]
    assert page.form("Edit selected…").fields["query"] == "tags=x"


def test_the_number_of_queries_does_not_grow(ada, statements):
    project, pages = ada.project(), ada.browser()
    ada.session("A", project, tags=["x"], extra_fields={"a": 1})
    address = "/sessions/?calendar=latest&show=columns&columns=projects&columns=extra_fields.a"

    def asked():
        pages.get(address)
        statements.clear()
        assert pages.get(address).status_code == 200
        return len(statements)

    before = asked()
    for number in range(12):
        ada.session(f"B{number}", project, tags=["x", str(number)], extra_fields={f"b{number}": 1})
    assert asked() == before


def test_a_page_behind_the_last_says_so(ada, lab):
    page = ada.browser().open("/sessions/?page=7")
    assert "There is no such page" in page.text and names(page) == []
