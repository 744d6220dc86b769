"""A list as a file: everything that a query finds, a record a line or a row a record (contract §7)."""

from __future__ import annotations

import csv
import io
import json

import pytest
from sqlalchemy import select

from brainstem.core.permissions import Role
from brainstem.extensions import db
from brainstem.records.audit import AuditEvent, Event
from tests.kinds import KINDS, one_of_each

SESSIONS = "stem/session/"


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr("brainstem.core.streaming.CHUNK", 4)


@pytest.fixture
def project(ada):
    made = ada.project("Rats")
    payloads = [
        {"name": f"S{n:02}", "projects": [made["id"]], "tags": ["odd"] * (n % 2)} for n in range(23)
    ]
    assert ada("POST", SESSIONS, payloads).status_code == 201
    return made


def lines(answer):
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def rows(answer):
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


def test_lines_are_the_records_of_all_pages(ada, project):
    answer = ada("GET", f"{SESSIONS}?format=jsonl&sort[]=-name&filter{{tags}}=odd")
    assert answer.mimetype == "application/jsonl"
    assert "attachment" in answer.headers["Content-Disposition"]
    listed = ada.get(f"{SESSIONS}?sort[]=-name&filter{{tags}}=odd&limit=100")["sessions"]
    found = lines(answer)
    assert len(found) == 11
    assert found == listed and [list(each) for each in found] == [list(each) for each in listed]


def test_included_records_come_along(ada, project):
    query = "include[]=projects&sort[]=name"
    found = lines(ada("GET", f"{SESSIONS}?format=jsonl&{query}"))
    assert found == ada.get(f"{SESSIONS}?{query}&limit=100")["sessions"]


def test_a_table_has_every_field(ada, project):
    answer = ada("GET", f"{SESSIONS}?format=csv&sort[]=name")
    assert answer.mimetype == "text/csv"
    found = rows(answer)
    assert [each["name"] for each in found] == [f"S{n:02}" for n in range(23)]
    assert found[1]["tags"] == "odd" and found[1]["projects"] == "Rats"
    fields = set(ada.get(SESSIONS)["sessions"][0]) - {"links"}
    assert set(found[0]) == fields | {"created_date", "updated_date"}


def test_every_kind_of_record_can_be_had_as_a_file(ada):
    made = one_of_each(ada)
    for kind, described in KINDS.items():
        listed = ada.get(f"{described.address}/?limit=100")[described.keys]
        assert lines(ada("GET", f"{described.address}/?format=jsonl")) == listed
        table = rows(ada("GET", f"{described.address}/?format=csv"))
        assert [each["id"] for each in table] == [each["id"] for each in listed]
        assert kind == "user" or made[kind]["id"] in {each["id"] for each in table}


def test_only_what_the_caller_may_read_is_in_it(ada, ben, project, app):
    other = ada.project("Other")
    ada.session("secret", other)
    ada.share("project", project, "ben@lab.org", Role.MEMBER)
    for form in ("jsonl", "csv"):
        text = ben("GET", f"{SESSIONS}?format={form}").text
        assert "S22" in text and "secret" not in text
    public = app.test_client().get(f"/api/public/{SESSIONS}?format=jsonl")
    assert (public.status_code, public.text) == (200, "")
    assert ada("PATCH", f"stem/project/{project['id']}/", {"is_public": True}).status_code == 200
    found = lines(app.test_client().get(f"/api/public/{SESSIONS}?format=jsonl"))
    assert found == app.test_client().get(f"/api/public/{SESSIONS}?limit=100").json["sessions"]
    table = rows(app.test_client().get("/api/public/stem/project/?format=csv"))
    assert "users" not in table[0] and "ada@lab.org" not in str(table)


def test_what_is_deleted_meanwhile_is_left_out(ada, project):
    answer = ada("GET", f"{SESSIONS}?format=jsonl&sort[]=name", buffered=False)
    parts = answer.iter_encoded()
    first = next(parts)
    last = ada.get(f"{SESSIONS}?sort[]=-name")["sessions"][0]
    assert ada("DELETE", f"{SESSIONS}{last['id']}").status_code == 204
    text = b"".join([first, *parts]).decode()
    assert [json.loads(line)["name"] for line in text.splitlines()] == [
        f"S{n:02}" for n in range(22)
    ]


def test_head_sends_none_of_it(ada, project):
    answer = ada("HEAD", f"{SESSIONS}?format=jsonl")
    assert (answer.status_code, answer.data) == (200, b"")


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("format=jsonl&limit=10", ["limit"]),
        ("format=csv&page=2&per_page=5", ["per_page", "page"]),
        ("format=jsonl&offset=0", ["offset"]),
        ("format=jsonl&filter{nmae}=x", ["filter{nmae}"]),
        ("format=csv&include[]=projects", ["include[]"]),
        ("format=csv&format=jsonl", ["format"]),
        ("format=xml", ["format"]),
        ("format=json&format=csv", ["format"]),
    ],
)
def test_what_does_not_fit_is_named(ada, project, query, named):
    answer = ada("GET", f"{SESSIONS}?{query}")
    assert (answer.status_code, list(answer.json)) == (400, named)


def test_files_are_of_lists_only(ada, project):
    for address in (f"stem/project/{project['id']}/", f"stem/project/{project['id']}/sessions/"):
        assert list(ada("GET", f"{address}?format=csv").json) == ["format"]


def test_an_empty_list_is_an_empty_file(ada):
    assert ada("GET", f"{SESSIONS}?format=jsonl").text == ""
    assert rows(ada("GET", f"{SESSIONS}?format=csv")) == []
    whole = ada.browser().get("/sessions/download.json").text
    assert json.loads(whole) == {"sessions": []}


def test_who_took_a_file_is_in_the_audit_log(app, ada, project):
    ada("GET", f"{SESSIONS}?format=csv&filter{{tags}}=odd")
    app.test_client().get(f"/api/public/{SESSIONS}?format=csv")
    with app.app_context():
        exports = select(AuditEvent).where(AuditEvent.event == Event.EXPORT)
        (noted,) = db.session.scalars(exports).all()
    assert noted.user_id == ada.id
    assert noted.details["format"] == "csv" and "odd" in noted.details["query"]
