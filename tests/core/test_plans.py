"""What lists are sorted and filtered by, an index serves, on both databases: whole tables are not read."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import event, text
from werkzeug.datastructures import MultiDict

from brainstem.core import finding
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.extensions import db

UNKNOWN = "00000000-0000-4000-8000-000000000000"

# what is asked for: a table that is found in by an index of its own
SERVED = {
    "sort[]=name": "session",
    "sort[]=-name": "session",
    "sort[]=date_time": "session",
    "sort[]=-date_time": "session",
    "sort[]=created_date": "session",
    "sort[]=-created_date": "session",
    "sort[]=updated_date": "session",
    "sort[]=-updated_date": "session",
    f"filter{{id}}={UNKNOWN}": "session",
    "filter{name}=Monday": "session",
    "filter{name.in}=Monday,Tuesday": "session",
    "filter{date_time.gte}=2026-01-01": "session",
    "filter{created_date.gt}=2026-01-01": "session",
    "filter{updated_date.lt}=2026-01-01": "session",
    f"filter{{projects}}={UNKNOWN}": "session_project",
    f"filter{{datastorage}}={UNKNOWN}": "sessiondatastorage",
    "filter{tags}=pilot": "session_tag",
    f"filter{{behaviors}}={UNKNOWN}": "behavior",
    f"filter{{behaviors.subjects}}={UNKNOWN}": "behavior_subject",
    "filter{name.icontains}=monday": "search_index",
    "filter{name.contains}=Monday": "search_index",
    "filter{description.istartswith}=whisker": "search_index",
    "filter{extra_fields.room.icontains}=b115": "search_index",
}


@pytest.fixture
def plan(app, ada, monkeypatch):
    """How the database finds the page that a query asks for, though the tables are all but empty."""
    # Ada would begin with the one record that she may read.
    monkeypatch.setattr("brainstem.core.few.FEW", -1)
    ada.session("Monday", ada.project(), tags=["pilot"])

    def explained(query, kind="session"):
        seen = []
        with app.app_context():
            connection = db.session.connection()
            event.listen(db.engine, "before_cursor_execute", lambda *a: seen.append(a[2:4]))
            args = MultiDict([query.split("=", 1)] if query else [])
            finding.find(Actor(ada.id), registry.get(kind), args)
            statement, values = next(each for each in seen if "state_of_data" in each[0])
            postgresql = connection.dialect.name == "postgresql"
            if postgresql:
                db.session.execute(text("SET LOCAL enable_seqscan = off"))
                db.session.execute(text("SET LOCAL enable_sort = off"))
            cursor = connection.connection.driver_connection.cursor()
            cursor.execute(
                ("EXPLAIN " if postgresql else "EXPLAIN QUERY PLAN ") + statement, values
            )
            return "\n".join(str(row[0] if postgresql else row[3]) for row in cursor.fetchall())

    return explained


@pytest.mark.parametrize("query", SERVED)
def test_an_index_serves_it(plan, query):
    found, name = plan(query), SERVED[query]
    if name == "search_index":
        # In a table of one row PostgreSQL takes any other index; with 100,000 it takes this one.
        assert "search_index" in found or "search_entry" in found, found
    else:
        assert_served(found, name, in_order="sort" in query)


@pytest.mark.parametrize("query", ["", "sort[]=-updated_date", "sort[]=created_date"])
@pytest.mark.parametrize(
    "kind", ["behavior", "dataacquisition", "manipulation", "epoch", "sessiondatastorage"]
)
def test_lists_of_what_belongs_to_sessions_are_read_in_their_order(plan, kind, query):
    assert_served(plan(query, kind), kind, in_order=True)


def assert_served(found, name, *, in_order):
    used = (
        rf"(SEARCH {name} USING|SCAN {name} USING( COVERING)? INDEX)"
        rf"|Index( Only)? Scan( Backward)? using \S+ on {name}\b|Bitmap Heap Scan on {name}\b"
    )
    assert re.search(used, found), found
    if in_order:
        # What comes in order is at most put in order among equals.
        assert not re.search(r"TEMP B-TREE FOR ORDER BY|^ *(->  )?Sort  \(", found, re.MULTILINE), (
            found
        )


# name: what is found in it, case counting or not, also where the search index can't help
HELD = {
    "cafe\u0301 noir": ["cafe", "CAFE", "e\u0301 n", "cafe\u0301", "noir", "noi"],
    "Na\u0308he 100%": ["Na", "100%", "HE 100", "a\u0308he"],
    "x<\u0338y=z": ["x<", "y=z", "=z"],
    "CAF\u00c9 NOIR": ["caf", "f\u00e9 n", "NOIR"],
}


@pytest.mark.parametrize("name", HELD)
def test_the_search_index_hides_nothing(ada, name):
    ada.session(name, ada.project())
    for part in HELD[name]:
        found = ada.get("stem/session/", query_string={"filter{name.icontains}": part})
        assert [each["name"] for each in found["sessions"]] == [name], part


def test_fields_that_are_not_searched_can_be_filtered_by(ada):
    session = ada.session("Monday", ada.project())
    payload = {"type": "Audio", "session": session["id"], "type_schema_version": "version 12"}
    ada.made("modules/dataacquisition/", payload)
    query = {"filter{type_schema_version.contains}": "version"}
    assert ada.get("modules/dataacquisition/", query_string=query)["count"] == 1
