"""The audit log as administrators read it: all of it, what they ask for, a page at a time, as a file."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from brainstem.core.permissions import Actor, Role
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records import audit, audit_reading
from brainstem.records.audit import AuditEvent, Event
from brainstem.views import audit as page_of_audit
from tests.conftest import PASSWORD, Pages
from tests.pages import text_of


@pytest.fixture
def admin(person):
    return person("admin@lab.org", admin=True)


@pytest.fixture
def pages(admin) -> Pages:
    return admin.browser()


def rows(pages: Pages, query: str = "") -> list[list[str]]:
    """Who, what, about, from; of each row the last first."""
    table = pages.open(f"/audit/{query}")
    found = [list(row.iter("td")) for row in table.all("tr")]
    return [[text_of(cell) for cell in cells[1:]] for cells in found if cells]


def lines(pages: Pages, query: str = "") -> list[list[str]]:
    answer = pages.get(f"/audit/download.csv{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("address", ["/audit/", "/audit/download.csv"])
def test_it_is_for_administrators(app, ada, address):
    browser = ada.browser()
    assert browser.get(address).status_code == 403
    assert "/audit/" not in browser.get("/").text
    assert Pages(app).get(address).status_code == 302
    with app.app_context():
        read = select(AuditEvent).where(AuditEvent.event.in_(["audit_read", "export"]))
        assert db.session.scalars(read).all() == []


def test_what_it_says(app, pages, admin, ada, ben):
    project = ada.project("Maze")
    ada.share("project", project, "ben@lab.org", Role.CONTRIBUTOR)
    ada.share("project", project, "ben@lab.org", None)
    ada("PATCH", f"stem/project/{project['id']}/", {"is_public": True})
    Pages(app).submit("/login", {"email": "ben@lab.org", "password": "wrong"})
    Pages(app).submit("/login", {"email": "nobody@lab.org", "password": "wrong"})
    browser = ada.browser()
    browser.submit("/account/tokens/", {"name": "reader", "read_only": "1"})
    browser.get("/projects/download.csv?search=maze")
    pages.submit(f"/people/{ben.id}/standing", {"is_admin": "true"}, page=f"/people/{ben.id}")
    assert rows(pages)[:11] == [
        ["admin@lab.org", "Read this log", "", ""],
        ["admin@lab.org", "Changed a user", "ben@lab.org: administrator", ""],
        ["ada@lab.org", "Downloaded", "projects as CSV, of search=maze", ""],
        ["ada@lab.org", "Made a token", "“reader”, read only", "127.0.0.1"],
        ["ada@lab.org", "Signed in", "", "127.0.0.1"],
        ["Somebody not signed in", "Failed to sign in", "a password was wrong", "127.0.0.1"],
        [
            "Somebody not signed in",
            "Failed to sign in",
            "ben@lab.org: a password was wrong",
            "127.0.0.1",
        ],
        ["ada@lab.org with the token “tests”", "Published", "project “Maze”", ""],
        [
            "ada@lab.org through the API",
            "Changed rights",
            "ben@lab.org: contributor → nothing, on the project “Maze”",
            "",
        ],
        [
            "ada@lab.org through the API",
            "Changed rights",
            "ben@lab.org: nothing → contributor, on the project “Maze”",
            "",
        ],
        [
            "ada@lab.org with the token “tests”",
            "Changed rights",
            "ada@lab.org: nothing → owner, on the project “Maze”",
            "",
        ],
    ]


def test_every_event_has_words_for_it():
    assert set(page_of_audit.LABELS) == set(Event)


@pytest.fixture
def events(app, pages, admin, ada, ben):
    """An export a day of Ada's, and a new password that she is given."""
    with app.app_context():
        db.session.execute(AuditEvent.__table__.delete())
        for day in range(1, 6):
            audit.note(Event.EXPORT, Actor(ada.id), day=day)
        audit.note(Event.PASSWORD_CHANGED, Actor(admin.id), kind="user", target=ada.id)
        audit.note(Event.EXPORT, Actor(ben.id), kind="user", target=ben.id)
        for number, event in enumerate(db.session.scalars(select(AuditEvent)).all()):
            event.at = datetime(2026, 3, 1, 23, 30, tzinfo=UTC) + timedelta(days=number)
        db.session.commit()


def test_filters(app, pages, events, ada):
    def count(**asked) -> int:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return len([each for each in rows(pages, f"?{query}") if each[1] != "Read this log"])

    assert count() == 7
    assert count(person=ada.id) == 6
    assert count(event="export") == 6
    assert count(event="export", person=ada.id) == 5
    assert count(day="2026-03-01") == 1
    assert count(day="2026-03-20") == 0
    assert count(day="2026-03-01", person=ada.id, event="sign_in") == 0
    app.config["LAB_TIMEZONE"] = "Europe/Copenhagen"
    # Half past eleven in the evening, UTC.
    assert count(day="2026-03-01") == 0
    assert count(day="2026-03-02") == 1


@pytest.mark.parametrize(
    "query",
    [
        "?person=nobody",
        "?event=nothing",
        "?day=yesterday",
        "?day=0001-01-01",
        "?day=9999-12-31",
        "?before=0",
        "?before=x",
        "?before=99999999999999999999",
        "?person=%00&event=%00&day=%00",
    ],
)
def test_what_makes_no_sense_is_left_out(pages, events, query):
    assert len(rows(pages, query)) == 8
    assert len(lines(pages, query)) >= 8


def test_nothing_found(pages, events):
    page = pages.open("/audit/?day=2026-03-20")
    assert "Nothing found" in page.text
    assert "download.csv" not in page.html


def test_page_by_page_nothing_is_left_out_or_shown_twice(app, pages, events, monkeypatch):
    monkeypatch.setattr(page_of_audit, "PER_PAGE", 3)
    seen, address = [], "/audit/?event=export"
    while address:
        page = pages.open(address)
        seen += [each.get("datetime") for each in page.all("time")]
        older = [each.get("href") for each in page.all("a") if each.get("rel") == "next"]
        address = older[0] if older else None
    assert len(seen) == len(set(seen)) == 6
    assert seen == sorted(seen, reverse=True)


def test_reading_is_noted_once_an_hour(app, pages, admin, monkeypatch):
    def count() -> int:
        with app.app_context():
            read = select(func.count()).where(AuditEvent.event == "audit_read")
            return db.session.scalar(read)

    for _ in range(3):
        pages.get("/audit/")
    assert count() == 1
    later = utcnow() + timedelta(minutes=61)
    monkeypatch.setattr(audit_reading, "utcnow", lambda: later)
    pages.get("/audit/")
    assert count() == 2


def test_the_file(app, pages, events, admin, monkeypatch):
    monkeypatch.setattr(audit_reading, "AT_ONCE", 2)
    first, *found = lines(pages, "?event=export")
    assert first == list(page_of_audit.COLUMNS)
    noted, *exports = found
    assert noted[1:4] == ["export", "admin@lab.org", "page"]
    assert [each[2] for each in exports] == ["ben@lab.org"] + ["ada@lab.org"] * 5
    assert exports[0][0] == "2026-03-07T23:30:00Z"
    assert exports[-1][8] == '{"day": 1}'


def test_nothing_in_the_file_is_a_formula(app, pages, admin):
    with app.app_context():
        audit.note(Event.EXPORT, Actor(admin.id, by="=1+1"), kind="@SUM(A1)")
    cells = [cell for line in lines(pages) for cell in line]
    assert "'=1+1" in cells
    assert "'@SUM(A1)" in cells
    assert not [each for each in cells if each.startswith(("=", "+", "-", "@"))]


def test_what_programs_call_themselves_is_shown_as_text(app, pages, ada):
    client, browser = app.test_client(), ada.browser()
    evil = "<script>alert(1)</script>"
    login = client.post("/api/auth/device/", json={"client_name": evil}).json
    browser.submit("/account/authorize/", {"user_code": login["user_code"], "_do": "approve"})
    page = pages.get("/audit/").text
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page


def test_it_takes_the_same_statements_for_many_events(app, pages, admin, statements):
    pages.get("/audit/")
    counts = []
    for number in (5, 40):
        with app.app_context():
            for _ in range(number):
                audit.note(Event.EXPORT, Actor(admin.id))
        statements.clear()
        pages.get("/audit/")
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert PASSWORD not in pages.get("/audit/").text
