"""A database that is away, busy, full or only to be read: said with 503, nothing typed is lost, and the
program goes on by itself when that has passed (contract §10)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError

from brainstem import outages
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.outages import AWAY, BUSY, FULL, READ_ONLY, UNCERTAIN
from brainstem.records.projects import Project
from tests import faults
from tests.conftest import make_app
from tests.pages import Page, Pages
from tests.people import PASSWORD, Person

TYPED = {"name": " Maze & “more” ", "description": "\n\n one\r\n<b>two</b>\n ", "tags": 'a, "b, c"'}
NEW, SAVE = "/projects/new", "Save project"


@pytest.fixture
def lab(app: Flask, ada: Person, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """Ada, on a server of her own that waits for nobody long; errors are answered, not raised."""
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    monkeypatch.setattr("brainstem.database.PATIENCE", 0.2)
    server = make_app(url, PROPAGATE_EXCEPTIONS=False)
    yield Person(server, ada.email, ada.id, ada.secret)
    with server.app_context():
        db.engine.dispose()


SAID = {"busy": BUSY, "full": FULL, "read only": READ_ONLY}
#: A text that no page of a database has room for.
LONG = "x" * 100_000


@pytest.mark.parametrize("fault", SAID)
def test_what_can_not_be_stored_is_said_and_can_be_stored_afterwards(lab, request, fault):
    project = lab.project("Before")
    with faults.broken(fault, lab.app, request):
        answer = lab("POST", "stem/project/", {"name": "New", "description": LONG})
        assert answer.status_code == 503
        assert answer.get_json()["detail"].startswith(SAID[fault].text)
        assert "Nothing was stored" in answer.get_json()["detail"]
        assert answer.headers["Retry-After"] == str(SAID[fault].retry_after)
        # Reading goes on, also with a token whose use can't be noted.
        assert [each["name"] for each in lab.get("stem/project/")["projects"]] == ["Before"]
        assert lab.get(f"stem/project/{project['id']}/")["project"]["name"] == "Before"
    lab.project("New")
    assert lab.get("stem/project/")["count"] == 2
    assert_nothing_is_stuck(lab.app)


@pytest.mark.parametrize("fault", SAID)
def test_a_form_comes_back_with_all_that_was_typed_and_is_sent_again(lab, request, fault):
    pages = lab.browser()
    form = pages.form(NEW, SAVE).set(**TYPED)
    form.fields["description"] += LONG
    with faults.broken(fault, lab.app, request):
        answer = pages.press(form, SAVE)
        page = Page(answer)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert SAID[fault].title in page.text and SAID[fault].text in page.text
        again = page.form("Send again")
        assert again.action is None  # to where it was sent to
        for name, value in form.fields.items(multi=True):
            if name != "csrf_token":
                assert again.fields[name].replace("\r\n", "\n") == value.replace("\r\n", "\n"), name
        # Also a second time.
        answer = pages.press(again, "Send again", NEW)
        assert answer.status_code == 503
    saved = pages.press(Page(answer).form("Send again"), "Send again", NEW)
    assert saved.status_code == 302, saved.text
    (project,) = lab.get("stem/project/")["projects"]
    assert (project["name"], project["tags"]) == ("Maze & “more”", ["a", "b, c"])


def test_a_password_is_asked_for_anew(lab, request):
    pages = Pages(lab.app)
    form = pages.form("/login", "Sign in").set(email=lab.email, password=PASSWORD)
    with faults.broken("read only", lab.app, request):
        answer = pages.press(form, "Sign in")
        assert answer.status_code == 503
        assert PASSWORD not in answer.text
    again = Page(answer).form("Send again")
    assert again.fields["email"] == lab.email
    answer = pages.press(again.set(password=PASSWORD), "Send again", "/login")
    assert answer.status_code == 302


def test_nobody_elses_words_are_put_under_a_button(lab, request):
    """A page of another site can send a form here; it never gets a page that would send it again."""
    pages = lab.browser()
    with faults.broken("busy", lab.app, request):
        answer = pages.client.post(NEW, data={"name": "Planted"})
    assert answer.status_code == 400
    assert "Send again" not in answer.text


@pytest.mark.postgresql
@pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="session")
class TestPostgresAway:
    """The server is stopped and started again, or ends connections; a file does neither."""

    @pytest.fixture
    def url(self, lab):
        return lab.app.config["SQLALCHEMY_DATABASE_URI"]

    @pytest.mark.parametrize("how", ["INT", "QUIT"])
    def test_away_and_back(self, lab, url, cluster, how):
        pages = lab.browser()
        form = pages.form(NEW, SAVE).set(**TYPED)
        stranger = Pages(lab.app)
        with faults.away(cluster, how):
            for answer in (
                lab("GET", "stem/project/"),
                lab("POST", "stem/project/", {"name": "New"}),
                lab("GET", "/api/public/stem/project/"),
            ):
                assert answer.status_code == 503, answer.text
                assert answer.get_json()["detail"].startswith(AWAY.text)
                assert answer.headers["Retry-After"]
            # The login cookie can't be read: whatever the page, also one that there is not.
            for address in ("/", "/projects/", "/nowhere", "/sign-in-again"):
                page = Page(pages.get(address))
                assert page.status == 503, address
                assert AWAY.title in page.text
            assert stranger.get("/login").status_code == 503
            answer = pages.press(form, SAVE)
            assert answer.status_code == 503
        saved = pages.press(Page(answer).form("Send again"), "Send again", NEW)
        assert saved.status_code == 302
        assert pages.get("/").status_code == 200
        assert lab.get("stem/project/")["count"] == 1
        assert_nothing_is_stuck(lab.app)

    def test_nobody_sees_that_it_was_started_anew(self, lab, url, cluster):
        lab.project("Before")
        with faults.away(cluster):
            pass
        assert lab.get("stem/project/")["count"] == 1
        lab.project("After")

    def test_nobody_sees_that_connections_were_ended(self, lab, url):
        lab.project("Before")
        assert faults.terminate(url) > 0
        assert lab("GET", "stem/project/").status_code == 200

    def test_an_operation_whose_connection_is_ended_runs_again(self, lab, url):
        runs = []

        @operation
        def store():
            runs.append(1)
            db.session.execute(text("SELECT 1"))
            if len(runs) == 1:
                faults.terminate(url)
            db.session.execute(text("SELECT 1"))

        with lab.app.app_context():
            store()
        assert len(runs) == 2

    def test_what_is_lost_while_it_is_stored_is_not_done_again(self, lab, url, monkeypatch):
        """It may be stored: whoever does it again may do it twice."""
        runs, commit = [], db.session.commit

        @operation
        def store():
            runs.append(1)
            db.session.execute(text("SELECT 1"))
            monkeypatch.setattr(db.session, "commit", lambda: (faults.terminate(url), commit()))

        with lab.app.app_context(), pytest.raises(outages.CommitUnknown):
            store()
        assert runs == [1]

    def test_nobody_is_told_that_nothing_was_stored_where_it_was(self, lab, url, monkeypatch):
        def fail(*_):
            db.session.execute(text("SELECT 1"))
            faults.terminate(url)
            db.session.execute(text("SELECT 1"))

        monkeypatch.setattr("brainstem.views.api._one", fail)
        answer = lab("POST", "stem/project/", {"name": "New"})
        assert answer.status_code == 503
        assert answer.get_json()["detail"] == UNCERTAIN.text
        assert lab.get("stem/project/")["count"] == 1

    def test_a_machine_that_hangs_in_a_transaction_lets_go(self, lab, url):
        with lab.app.app_context():
            found = dict(
                db.session.execute(
                    text(
                        "SELECT name, setting FROM pg_settings WHERE name LIKE 'tcp_keepalives%' "
                        "OR name LIKE '%_timeout' OR name = 'application_name'"
                    )
                ).all()
            )
        assert found["idle_in_transaction_session_timeout"] == "60000"
        assert found["statement_timeout"] == "30000"
        assert found["lock_timeout"] == "200"
        assert found["application_name"] == "brainstem"


def test_a_pool_without_connections_is_busy(app, ada):
    options = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    server = make_app(url, SQLALCHEMY_ENGINE_OPTIONS=options)
    lab = Person(server, ada.email, ada.id, ada.secret)
    with server.app_context():
        engine = db.engine
    with engine.connect():
        answer = lab("GET", "stem/project/")
        assert answer.status_code == 503
        assert answer.get_json()["detail"] == BUSY.text
    assert lab("GET", "stem/project/").status_code == 200
    engine.dispose()


def test_a_mistake_in_a_statement_is_no_outage(lab, monkeypatch):
    """On SQLite it is an `OperationalError` as well."""
    monkeypatch.setattr(
        "brainstem.core.finding.find", lambda *_: db.session.execute(text("SELECT nothing"))
    )
    answer = lab("GET", "stem/project/")
    assert answer.status_code == 500
    assert "Retry-After" not in answer.headers


def of_sqlite(code: int) -> DBAPIError:
    error = sqlite3.OperationalError("…")
    error.sqlite_errorcode = code
    return OperationalError("…", {}, error)


def of_postgresql(state: str) -> DBAPIError:
    return DBAPIError("…", {}, psycopg.errors.lookup(state)("…"))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (of_sqlite(sqlite3.SQLITE_BUSY), BUSY),
        (of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT), BUSY),
        (of_sqlite(sqlite3.SQLITE_FULL), FULL),
        (of_sqlite(sqlite3.SQLITE_READONLY_DBMOVED), READ_ONLY),
        (of_sqlite(sqlite3.SQLITE_IOERR_FSYNC), AWAY),
        (of_sqlite(sqlite3.SQLITE_CANTOPEN), AWAY),
        (of_sqlite(sqlite3.SQLITE_ERROR), None),
        (of_sqlite(sqlite3.SQLITE_CORRUPT), None),
        (of_postgresql("08006"), AWAY),
        (of_postgresql("25006"), READ_ONLY),
        (of_postgresql("40P01"), BUSY),
        (of_postgresql("53100"), FULL),
        (of_postgresql("53300"), BUSY),
        (of_postgresql("55P03"), BUSY),
        (of_postgresql("57014"), BUSY),
        (of_postgresql("57P01"), AWAY),
        (of_postgresql("57P03"), AWAY),
        (of_postgresql("58030"), AWAY),
        (of_postgresql("42601"), None),
        (of_postgresql("22001"), None),
        (OperationalError("…", {}, psycopg.OperationalError("connection refused")), AWAY),
        (DBAPIError("…", {}, psycopg.InterfaceError("…"), connection_invalidated=True), AWAY),
        (DBAPIError("…", {}, psycopg.InterfaceError("the cursor is closed")), None),
        (IntegrityError("…", {}, sqlite3.IntegrityError("…")), None),
        (TimeoutError("QueuePool limit"), BUSY),
        (outages.CommitUnknown(), UNCERTAIN),
        (ValueError("…"), None),
        (None, None),
    ],
)
def test_which_errors_are_outages(error, expected):
    assert outages.of(error) is expected


def assert_nothing_is_stuck(server: Flask) -> None:
    """No transaction is left open, and the next one can write."""
    with server.app_context():
        assert db.engine.pool.checkedout() == 0
        if db.engine.dialect.name == "postgresql":
            open_ones = (
                "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
            )
            assert db.session.scalar(text(open_ones)) == 0
        assert db.session.scalar(select(func.count()).select_from(Project)) >= 0
