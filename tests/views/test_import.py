"""Import through the pages, without scripts: the file, its columns, what it would do, the import, undo."""

from __future__ import annotations

import io
import re
import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from brainstem.core.permissions import Actor, Role
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.imports import carrying, progress, runs, tables
from brainstem.imports.runs import ImportRow, ImportRun
from tests.pages import Page, text_of

SESSIONS = "stem/session"


class Importer:
    """Somebody who imports: the pages as she goes through them."""

    def __init__(self, person):
        self.app, self.pages = person.app, person.browser()

    def choose(self, content, kind="sessions", name="rats.csv"):
        """Send a file."""
        data = self.pages.form("/import/", "Continue").sent("Continue")
        data.setlist("kind", [kind])
        content = content if isinstance(content, bytes) else content.encode()
        data["file"] = (io.BytesIO(content), name)
        return self.pages.client.post("/import/", data=data, content_type="multipart/form-data")

    def columns(self, content, **kwargs):
        """The form of the columns of a file."""
        self.at = self.choose(content, **kwargs).location
        assert self.at, "The file was refused."
        self.run_at = self.at.removesuffix("/columns")
        return self.pages.form(self.at, "Check the rows")

    def check(self, content, **fields):
        """The page that says what a file would do."""
        form = self.columns(content)
        form.set(**fields)
        assert self.pages.press(form, "Check the rows").location == self.run_at
        return self.page()

    def page(self, query=""):
        """The page of the run, when nothing goes on in the background any more."""
        runs.wait(self.id)
        return self.pages.open(self.run_at + query)

    def press(self, button):
        form = self.page().form(button)
        response = self.pages.press(form, button, self.run_at)
        runs.wait(self.id)
        return response

    @property
    def id(self):
        return UUID(self.run_at.rsplit("/", 1)[1])

    def stored(self):
        with self.app.app_context():
            return db.session.get(ImportRun, self.id)


@pytest.fixture
def importer(ada):
    return Importer(ada)


def rows(page):
    table = next(each for each in page.all("table"))
    return [[text_of(cell) for cell in row.iter("td")] for row in table.iter("tr")][1:]


def names(person):
    return [each["name"] for each in person.get(SESSIONS, query_string={"limit": 100})["sessions"]]


TABLE = (
    "session__name;project__name;session__date_time;session__tags;depth\n"
    "A;Maps;22.03.2023 15:30;deep, awake;12,5\nB;Maps;;;\nOld;;2024-01-01;;\n"
)


def test_from_the_file_to_undo(ada, importer):
    maps = ada.project("Maps")
    ada.project("Sleep")
    old = ada.session("Old", maps)
    form = importer.columns("\ufeff" + TABLE)
    page = importer.pages.open(importer.at)
    assert "3 rows, UTF-8, cells parted by semicolons" in page.text
    assert [each[0] for each in rows(page)] == TABLE.split("\n")[0].split(";")
    chosen = [form.fields[f"column-{index}"] for index in range(5)]
    assert chosen == ["name", "projects", "date_time", "tags", "+"]
    assert "12,5" in rows(page)[4][1]

    importer.pages.press(form, "Check the rows")
    page = importer.page()
    assert "2 to create 1 to change 0 unchanged 0 refused" in page.text
    assert rows(page) == [
        ["2", "A", "Will be created"],
        ["3", "B", "Will be created"],
        ["4", "Old", "Will change: Date and time"],
    ]
    assert names(ada) == ["Old"]

    importer.press("Import 3 sessions")
    page = importer.page()
    assert page.all("h1")[0].text == "Imported"
    assert "2 created 1 changed 0 unchanged 0 refused" in page.text
    a = ada.get(SESSIONS)["sessions"][0]
    assert [a["name"], a["date_time"], a["tags"]] == [
        "A",
        "2023-03-22T15:30:00Z",
        ["deep", "awake"],
    ]
    assert a["extra_fields"] == {"depth": 12.5}
    assert f"/sessions/{a['id']}" in page.html
    run = importer.stored()
    assert (run.status, run.counts["created"]) == ("done", 2)
    with importer.app.app_context():
        assert db.session.scalar(select(func.length(ImportRun.content))) == 0

    change = importer.pages.open(f"/changes/{run.change_id}")
    assert "Import of rats.csv: 3 sessions" in change.text
    importer.press("Undo the whole import")
    assert ada.get(SESSIONS)["sessions"] == [old]
    assert "Undo the whole import" not in importer.page().text
    assert "This import was undone." in importer.page().text


def test_refused_rows_stop_the_import_until_they_are_left_out(ada, importer):
    ada.project("Maps"), ada.project("Sleep")
    page = importer.check("name,project,date\nA,Maps,\nB,Nope,soon\nA,Maps,\n")
    assert "1 to create 0 to change 0 unchanged 2 refused" in page.text
    # The refused ones are shown first of all.
    assert [each[0] for each in rows(page)] == ["3", "4"]
    assert "project: There is no project “Nope” that you may use." in rows(page)[0][2]
    assert "date: “soon”: This is not a date and time" in rows(page)[0][2]
    assert "name: This session is in row 2 already." in rows(page)[1][2]
    assert [each[0] for each in rows(importer.page("?show=all"))] == ["2", "3", "4"]
    assert [each[0] for each in rows(importer.page("?show=created"))] == ["2"]
    assert "There are no such rows." in importer.page("?show=changed").text

    # Without a word about the refused ones, nothing is imported.
    importer.pages.submit(f"{importer.run_at}/store", {}, page=importer.run_at)
    page = importer.page()
    assert "Nothing was stored." in page.text
    assert names(ada) == []

    importer.press("Import the other row")
    page = importer.page()
    assert "1 created 0 changed 0 unchanged 2 refused" in page.text
    assert rows(page)[0][2].startswith("Not imported")
    assert names(ada) == ["A"]


def test_columns_can_be_matched_otherwise(ada, importer):
    ada.project("Maps")
    form = importer.columns("what,who,when\nA,rat1,2024-01-01\n")
    assert [form.fields[f"column-{i}"] for i in range(3)] == ["+", "+", "+"]
    response = importer.pages.press(form, "Check the rows")
    page = Page(response)
    assert (page.status, page.summary) == (400, ["column-0"])
    assert "Name: say which column has it." in page.text

    form = page.form("Check the rows").set(**{"column-0": "name", "column-1": "name"})
    form.action = importer.at
    page = Page(importer.pages.press(form, "Check the rows"))
    assert page.marks == {"column-1": "Column “what” is matched to this field already."}

    form = page.form("Check the rows").set(**{"column-1": "", "column-2": "date_time"})
    form.action = importer.at
    importer.pages.press(form, "Check the rows")
    importer.press("Import 1 session")
    (session,) = ada.get(SESSIONS)["sessions"]
    assert session["name"] == "A"
    assert (session["date_time"], session["extra_fields"]) == ("2024-01-01T00:00:00Z", {})


def test_rows_that_name_no_project_go_to_the_one_chosen(ada, importer):
    maps, _ = ada.project("Maps"), ada.project("Sleep")
    page = importer.check("name\nA\n")
    assert "1 refused" in page.text
    form = importer.pages.form(importer.at, "Check the rows")
    assert form.fields["default"] == ""
    importer.pages.press(form.set(default=maps["id"]), "Check the rows")
    importer.press("Import 1 session")
    assert ada.get(SESSIONS)["sessions"][0]["projects"] == [maps["id"]]


def test_the_only_project_there_is_is_chosen_already(ada, ben, importer):
    maps, theirs = ada.project("Maps"), ben.project("Theirs")
    form = importer.columns("name\nA\n")
    assert form.fields["default"] == maps["id"]
    page = Page(importer.pages.press(form.set(default=theirs["id"]), "Check the rows"))
    assert (page.status, page.marks) == (400, {"default": "Choose one of these."})


@pytest.mark.parametrize("role", [Role.MEMBER, None])
def test_rows_go_only_where_one_may_put_them(ada, ben, importer, role):
    ada.project("Maps")
    theirs = ben.project("Theirs")
    if role:
        ben.share("project", theirs, ada.email, role)
    form = importer.columns("name\nA\n")
    for text in (theirs["id"], "-" * 200 + theirs["id"], "x"):
        page = Page(importer.pages.press(form.set(default=text), "Check the rows"))
        assert (page.status, page.marks) == (400, {"default": "Choose one of these."})


def test_what_rows_belong_to_is_stored_as_it_is_spelled_everywhere(ada, importer):
    maps, _ = ada.project("Maps"), ada.project("Sleep")
    form = importer.columns("name\nA\n")
    odd = f"urn:uuid:{maps['id'].upper()}" + "-" * 100
    importer.pages.press(form.set(default=odd), "Check the rows")
    assert importer.stored().default == maps["id"]


FIND = "Find in project for rows that name none"


def test_more_projects_than_a_page_holds_are_looked_for(ada, importer, monkeypatch):
    """The page sends the first of them; the button beside the choice finds others, and judges nothing."""
    monkeypatch.setattr("brainstem.core.choosing.MOST", 2)
    names = ("Maps", "Mice", "Sleep", "Torpor")
    made = {name: ada.project(name)["id"] for name in names}
    form = importer.columns("what\nA\n")
    assert form.fields["default"] == ""
    sent = Page(importer.pages.get(importer.at)).html
    assert made["Maps"] in sent and made["Torpor"] not in sent
    # Also what finds nothing can be looked for otherwise, and the columns stay as they were chosen.
    page = Page(importer.pages.press(form.set(default__find="no", **{"column-0": "name"}), FIND))
    form = page.form("Check the rows")
    form.action = importer.at
    assert FIND in form.buttons and form.fields["column-0"] == "name"
    page = Page(importer.pages.press(form.set(default__find="torp", **{"column-0": "+"}), FIND))
    assert (page.status, page.marks, page.summary) == (200, {}, [])
    form = page.form("Check the rows")
    form.action = importer.at
    form = form.set(default=made["Torpor"], **{"column-0": "name"})
    importer.pages.press(form, "Check the rows")
    # It stays chosen, though it is not among the first.
    assert importer.pages.form(importer.at, "Check the rows").fields["default"] == made["Torpor"]
    importer.press("Import 1 session")
    assert ada.get(SESSIONS)["sessions"][0]["projects"] == [made["Torpor"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "This file is empty."),
        (b"PK\x03\x04", "This is an Excel or OpenDocument workbook, not a CSV file."),
        (b'a,b\n"', "is never closed"),
    ],
)
def test_a_file_that_is_no_table_is_refused_where_it_was_chosen(importer, content, said):
    page = Page(importer.choose(content, kind="epochs"))
    assert (page.status, page.summary) == (400, ["file"])
    assert said in page.marks["file"]
    assert 'id="kind-epochs" value="epochs" checked' in page.html


def test_no_file_at_all(importer):
    form = importer.pages.form("/import/", "Continue")
    page = Page(importer.pages.press(form, "Continue"))
    assert page.marks == {"file": "Choose a CSV file first."}


def test_a_file_may_be_larger_than_other_requests_but_not_boundless(importer, monkeypatch):
    importer.app.config["MAX_CONTENT_LENGTH"] = 10_000
    ample = "name,notes\n" + "B,\n" * 100_001
    response = importer.choose(ample)
    assert "more than 100,000 rows" in response.text
    monkeypatch.setattr(tables, "MOST_BYTES", 1000)
    page = Page(importer.choose("name\n" + "A\n" * 100_000))
    assert page.status == 413
    assert "Divide it into several files." in page.marks["file"]


def test_others_do_not_see_it(ada, ben, importer):
    ada.project("Maps")
    importer.check("name\nA\n")
    other = Importer(ben)
    for address in ("", "/columns", "/progress"):
        assert other.pages.get(importer.run_at + address).status_code == 404
    for address in ("/columns", "/check", "/store", "/discard"):
        response = other.pages.submit(importer.run_at + address, {}, page="/import/")
        assert response.status_code == 404
    assert "rats.csv" not in other.pages.open("/import/").text
    assert "rats.csv" in importer.pages.open("/import/").text
    assert names(ada) == []


def test_it_needs_a_sign_in_and_a_token_of_the_form(app, ada, importer):
    importer.columns("name\nA\n")
    assert "/login" in app.test_client().get("/import/").location
    for address in ("/check", "/store", "/discard"):
        assert importer.pages.client.post(importer.run_at + address).status_code == 400
    assert importer.pages.client.post("/import/").status_code == 400


def test_removing_it_from_the_list(ada, importer):
    ada.project("Maps")
    importer.check("name\nA\n")
    form = importer.pages.form("/import/", "Remove rats.csv")
    importer.pages.press(form, "Remove rats.csv")
    assert "rats.csv" not in importer.pages.open("/import/").text.split("was removed")[-1]
    assert importer.pages.get(importer.run_at).status_code == 404
    with importer.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(ImportRow)) == 0


def test_old_and_many_runs_go(ada, importer):
    importer.columns("name\nA\n")
    first = importer.id
    with importer.app.app_context():
        db.session.get(ImportRun, first).created_date = utcnow() - runs.KEPT - timedelta(minutes=1)
        db.session.commit()
    for _ in range(runs.MOST_RUNS + 2):
        importer.columns("name\nA\n")
    with importer.app.app_context():
        kept = db.session.scalars(select(ImportRun.id)).all()
    assert len(kept) == runs.MOST_RUNS
    assert first not in kept
    assert importer.id in kept


def test_how_far_it_is_can_be_seen_meanwhile(ada, importer, monkeypatch):
    """By the page and its script, from another connection, while the import's transaction is open."""
    ada.project("Maps")
    importer.check("name\nA\nB\n")
    seen = {}
    carried = carrying._carried

    def look():
        seen["progress"] = importer.pages.get(f"{importer.run_at}/progress").get_json()
        page = importer.pages.open(importer.run_at)
        seen["heading"] = text_of(page.all("h1")[0])
        seen["bar"] = page.all("progress")[0].attrib

    def carried_and_looked_at(plan, rows):
        outcomes = carried(plan, rows)
        progress.note(ImportRun, importer.id, 1)
        # As another request does, with a session of its own.
        other = threading.Thread(target=look)
        other.start()
        other.join()
        return outcomes

    monkeypatch.setattr(carrying, "_carried", carried_and_looked_at)
    importer.press("Import 2 sessions")
    assert seen["progress"] == {"running": True, "done": 1, "total": 2}
    assert seen["heading"] == "Importing sessions"
    assert (seen["bar"]["value"], seen["bar"]["max"]) == ("1", "2")
    after = importer.pages.get(f"{importer.run_at}/progress").get_json()
    assert after == {"running": False, "done": 2, "total": 2}
    assert names(ada) == ["A", "B"]


def test_a_run_that_is_not_heard_of_any_more_is_said_to_have_stopped(ada, importer):
    ada.project("Maps")
    importer.check("name\nA\n")
    with importer.app.app_context():
        run = db.session.get(ImportRun, importer.id)
        run.status, run.beat = runs.IMPORTING, utcnow() - progress.SILENCE - timedelta(seconds=1)
        db.session.commit()
    page = importer.page()
    assert "The server stopped meanwhile, and nothing was stored." in page.text
    importer.press("Check the rows again")
    importer.press("Import 1 session")
    assert names(ada) == ["A"]


def test_a_start_that_was_given_up_stores_nothing(app, ada, importer):
    ada.project("Maps")
    importer.check("name\nA\n")
    actor = Actor(ada.id, way="page")
    with app.app_context():
        first = runs._start(actor, importer.id, runs.IMPORTING, (runs.JUDGED,))
        assert runs._start(actor, importer.id, runs.IMPORTING, (runs.JUDGED,)) is None
        db.session.get(ImportRun, importer.id).beat = utcnow() - progress.SILENCE * 2
        db.session.commit()
        assert runs._start(actor, importer.id, runs.IMPORTING, (runs.FAILED,)) == first + 1
        with pytest.raises(runs.Abandoned):
            runs._carry_out(actor, importer.id, first, skip=False)
    assert names(ada) == []


def test_a_failure_of_the_program_is_said_and_nothing_is_stored(ada, importer, monkeypatch):
    ada.project("Maps")
    importer.check("name\nA\n")

    def fail(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(carrying.history, "describe", fail)
    importer.press("Import 1 session")
    assert "The program failed on this, and nothing was stored." in importer.page().text
    assert names(ada) == []


def test_an_import_that_was_built_upon_is_not_undone(ada, importer):
    ada.project("Maps")
    importer.check("name\nA\nB\n")
    importer.press("Import 2 sessions")
    session = ada.get(SESSIONS)["sessions"][0]
    ada("PATCH", f"{SESSIONS}/{session['id']}", {"description": "Looked at"})
    importer.press("Undo the whole import")
    page = importer.page()
    assert "This can’t be undone." in page.text
    assert "Undo the whole import" in page.text
    assert names(ada) == ["A", "B"]


def test_what_changed_since_the_check_is_judged_again(ada, importer):
    maps = ada.project("Maps")
    importer.check("name,project\nA,Maps\nB,Maps\n")
    ada("PATCH", f"stem/project/{maps['id']}", {"name": "Other"})
    importer.press("Import 2 sessions")
    page = importer.page()
    assert "Something changed since the rows were checked" in page.text
    assert "2 refused" in page.text
    assert names(ada) == []


def test_many_rows_are_shown_a_page_at_a_time(ada, importer):
    ada.project("Maps")
    page = importer.check("name\n" + "".join(f"s{n:03}\n" for n in range(230)))
    assert (len(rows(page)), rows(page)[0][0]) == (100, "2")
    assert "1–100 of 230" in page.text
    page = importer.page("?show=all&page=3")
    assert [rows(page)[0][0], len(rows(page))] == ["202", 30]
    for query in ("?page=0", "?page=99", "?page=x", "?show=x", "?page=" + "9" * 30):
        assert importer.page(query).status == 200


@pytest.mark.parametrize("kind", ["sessions", "subjects", "epochs"])
def test_a_template_can_be_imported_as_it_is(ada, importer, kind):
    response = importer.pages.get(f"/import/template/{kind}.csv")
    assert response.mimetype == "text/csv"
    assert f'filename="{kind}.csv"' in response.headers["Content-Disposition"]
    maps = ada.project("Cortex maps")
    ada.storage("Lab server")
    if kind == "epochs":
        ada.session("rat5_2024-05-06", maps)
    form = importer.columns(response.get_data(), kind=kind)
    importer.pages.press(form, "Check the rows")
    assert "1 to create" in importer.page().text
    assert re.search(r"Import 1 (session|subject|epoch)", importer.page().text)


@pytest.mark.parametrize("kind", ["sessions", "subjects"])
def test_lists_lead_to_their_import(importer, kind):
    page = importer.pages.open(f"/{kind}/")
    (link,) = [each for each in page.all("a") if text_of(each) == "Import"]
    page = importer.pages.open(link.get("href"))
    assert f'id="kind-{kind}" value="{kind}" checked' in page.html
    assert "Import" not in importer.pages.open("/projects/").text


def test_an_unknown_template_leads_to_the_import(importer):
    assert importer.pages.get("/import/template/mice.csv").status_code == 302


def test_hostile_texts_are_shown_as_texts(ada, importer):
    ada.project("Maps")
    evil = "<script>alert(1)</script>"
    importer.columns(f"name,{evil}\n{evil},{evil}\n", name=f"../{evil}.csv")
    assert evil not in importer.pages.open(importer.at).html
    importer.pages.press(importer.pages.form(importer.at, "Check the rows"), "Check the rows")
    assert evil not in importer.page().html
    assert evil not in importer.pages.open("/import/").html


def test_its_change_leads_back_here_to_be_undone(ada, importer):
    """A long undo would be a long request; here one sees how far it is."""
    ada.session("Old", ada.project("Maps"))
    importer.pages.press(importer.columns(TABLE), "Check the rows")
    importer.press("Import 3 sessions")
    form = importer.pages.form(f"/changes/{importer.stored().change_id}", "Undo")
    answer = importer.pages.press(form, "Undo")
    assert (answer.status_code, answer.location) == (307, f"{importer.run_at}/undo")
