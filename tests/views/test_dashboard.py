"""The dashboard: what was worked on last, what is unfinished, where one belongs, and where to go on."""

from __future__ import annotations

import pytest

from brainstem.core import overview
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import registry
from tests.pages import text_of


def section(page, title):
    """The rows of a part of the page, as they read; None where there is no such part."""
    for each in page.all("section"):
        heading = page.by_id.get(each.get("aria-labelledby", ""))
        if heading is not None and text_of(heading) == title:
            cards = [found for found in each.iter("ul") if "card" in found.get("class", "")]
            return [text_of(row) for card in cards for row in card.findall("li")]
    return None


def links(page, text):
    return [each.get("href") for each in page.all("a") if text_of(each) == text]


@pytest.fixture
def lab(ada):
    project = ada.project("Vision")
    storage = ada.storage()
    done = ada.session(
        "Done", project, date_time="2026-03-01", datastorage=[storage["id"]], description="x"
    )
    ada.made("stem/epoch/", {"session": done["id"], "name": "Whole"})
    ada.session("Bare", project)
    ada.session("Dated", project, date_time="2026-03-02")
    return ada


def test_with_nothing_it_says_where_to_begin(ada):
    page = ada.browser().open("/")
    assert "Your lab’s record starts here" in page.text
    assert links(page, "Create your first project") == ["/projects/new"]
    for title in ("Recent sessions", "Unfinished sessions", "My projects", "Activity"):
        assert section(page, title) is None


def test_a_first_project_does_not_end_the_beginning(ada):
    ada.project("Vision")
    page = ada.browser().open("/")
    assert "Your lab’s record starts here" in page.text
    (row,) = section(page, "My projects")
    assert row.startswith("Vision owner 0 sessions · last change 20")


def test_sessions_changed_last_come_first(lab):
    (bare,) = lab.get("stem/session/?filter{name}=Bare")["sessions"]
    lab("PATCH", f"stem/session/{bare['id']}/", {"description": "again"})
    page = lab.browser().open("/")
    assert section(page, "Recent sessions") == [
        "Bare Vision No date",
        "Dated Vision 2026-03-02 00:00",
        "Done Vision 2026-03-01 00:00",
    ]


def test_what_is_missing_is_told_and_leads_to_the_form_and_the_lists(lab):
    pages = lab.browser()
    page = pages.open("/")
    assert section(page, "Unfinished sessions") == [
        "Dated Still missing: data storage, epochs",
        "Bare Still missing: date and time, data storage, epochs",
    ]
    for text, names in (("No date and time 1", ["Bare"]), ("No epochs 2", ["Bare", "Dated"])):
        (address,) = links(page, text)
        shown = pages.open(address).text
        assert [name for name in ("Bare", "Dated", "Done") if name in shown] == names
    assert links(page, "Bare")[1].endswith("/edit")


def test_only_what_one_may_finish_is_unfinished(lab, ben):
    (project,) = lab.get("stem/project/")["projects"]
    lab.share("project", project, ben.email, Role.MEMBER)
    page = ben.browser().open("/")
    assert len(section(page, "Recent sessions")) == 3
    assert section(page, "Unfinished sessions") == []
    lab.share("project", project, ben.email, Role.CONTRIBUTOR)
    assert len(section(ben.browser().open("/"), "Unfinished sessions")) >= 2


def test_what_is_unfinished_is_what_the_lists_say_is_missing(lab, ben):
    """A storage that Ben can't see is none to him, here and there."""
    (done,) = lab.get("stem/session/?filter{name}=Done")["sessions"]
    lab.share("project", {"id": done["projects"][0]}, ben.email, Role.CONTRIBUTOR)
    for person in (lab, ben):
        pages = person.browser()
        told = {name: set() for name in ("date_time", "datastorage", "epochs")}
        with person.app.app_context():
            actor, kind = Actor(person.id), registry.get("session")
            for record, names in overview.unfinished(actor, kind, 5):
                for name in names:
                    told[name].add(record.name)
        for name, records in told.items():
            page = pages.open(f"/sessions/?missing={name}")
            shown = {text_of(a) for a in page.all("a") if a.get("class") == "record-link"}
            assert records == shown, name
    assert told["datastorage"] == {"Done", "Bare", "Dated"}


def test_my_projects_say_my_role_in_them(ada, ben):
    """The highest counts, directly or through a group; the one changed last comes first."""
    quiet, busy, hidden = ada.project("Quiet"), ada.project("Busy"), ada.project("Hidden")
    crew = ada.made("users/group/", {"name": "Crew"})
    ada("PATCH", f"users/group/{crew['id']}/", {"users": {ben.email: {}}})
    ada.share("project", quiet, ben.email, Role.MEMBER)
    for project, rights in ((quiet, {"is_manager": True}), (busy, {})):
        ada("PATCH", f"stem/project/{project['id']}/", {"groups": {"Crew": rights}})
    ada.session("Monday", busy, hidden)
    ada.session("Tuesday", busy)
    page = ben.browser().open("/")
    rows = section(page, "My projects")
    assert [row.split(" · ")[0] for row in rows] == [
        "Busy member 2 sessions",
        "Quiet manager 0 sessions",
    ]
    assert "Hidden" not in page.html
    (address,) = links(page, "2 sessions")
    assert "Monday" in ben.browser().open(address).text


def test_who_did_what_is_told(lab):
    rows = section(lab.browser().open("/"), "Activity")
    assert rows[0].startswith("ada@lab.org created session Dated")
    assert links(lab.browser().open("/"), "All activity") == ["/activity/"]


def test_the_next_steps(lab, ben):
    page = lab.browser().open("/")
    (session,) = lab.get("stem/session/?filter{name}=Dated")["sessions"]
    assert links(page, "New session") == ["/sessions/new"]
    assert links(page, "Next session like Dated") == [f"/sessions/{session['id']}/duplicate"]
    assert len(links(page, "Import")) == 1
    for address in (*links(page, "Next session like Dated"), *links(page, "Import")):
        assert lab.browser().open(address)
    # The last that somebody made herself.
    (project,) = lab.get("stem/project/")["projects"]
    lab.share("project", project, ben.email, Role.MEMBER)
    assert "Next session like" not in ben.browser().open("/").text


def test_saved_views_are_at_hand(lab):
    pages = lab.browser()
    pages.submit("/sessions/views", {"name": "No date", "query": "missing=date_time"})
    page = pages.open("/")
    assert section(page, "Saved views") == ["No date"]
    shown = pages.open(links(page, "No date")[0]).text
    assert "Bare" in shown
    assert "Dated" not in shown


def test_it_takes_few_statements(lab, statements):
    """However many sessions there are."""
    (project,) = lab.get("stem/project/")["projects"]
    pages = lab.browser()

    def asked():
        statements.clear()
        pages.open("/")
        return len(statements)

    pages.open("/")
    for number in range(10):
        lab.session(f"Session {number}", project)
    few = asked()
    for number in range(10, 20):
        lab.session(f"Session {number}", project)
    assert asked() == few < 45
