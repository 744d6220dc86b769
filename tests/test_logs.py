"""What is logged: a line for each thing, with the id of its request; no personal data, no secrets."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess

import pytest
from flask_login import current_user

from brainstem import logs
from brainstem.extensions import db
from tests.conftest import ROOT, make_app
from tests.people import PASSWORD

MADE = re.compile(r"[0-9a-f]{16}")


@pytest.fixture
def lines(app):
    """The lines that are written meanwhile, as JSON lines read back."""

    class Kept(logging.Handler):
        def emit(self, record):
            written.append(json.loads(self.format(record)))

    written: list[dict] = []
    handler, logger = Kept(), logging.getLogger("brainstem")
    handler.setFormatter(logs.AsJson())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)
    logger.setLevel(level)


@pytest.fixture
def failing(database):
    """An application with a page that fails."""
    app = make_app(database, PROPAGATE_EXCEPTIONS=False)

    @app.get("/fail")
    @app.get("/api/fail")
    def fail():
        raise RuntimeError("the secret of the defect")

    return app


# The id ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/login", "/", "/nothing", "/api/private/stem/session/", "/static/app.css"]
)
def test_every_answer_has_an_id_of_its_own(app, address):
    ids = []
    for _ in range(2):
        with app.test_client().get(address) as answer:
            ids.append(answer.headers["X-Request-ID"])
    first, second = ids
    assert MADE.fullmatch(first)
    assert first != second


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("0123456789abcdef", True),
        ("6c9a1a4e-9d57-4b1f-a1c0-0f7d2f6f3a11", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("short", False),
        ("", False),
        ("with a blank", False),
        ("<script>alert(1)</script>", False),
        ("käse-käse-käse", False),
    ],
)
def test_a_proxy_in_front_may_give_the_id(app, given, taken):
    headers = {"X-Request-ID": given.encode().decode("latin-1")}
    ask = app.test_client().get
    assert MADE.fullmatch(ask("/login", headers=headers).headers["X-Request-ID"])
    app.config["TRUSTED_PROXIES"] = 1
    answered = ask("/login", headers=headers).headers["X-Request-ID"]
    assert (answered == given) is taken
    assert taken or MADE.fullmatch(answered)


def test_the_page_of_a_failure_and_its_lines_tell_the_id(failing, lines):
    answer = failing.test_client().get("/fail")
    number = answer.headers["X-Request-ID"]
    assert answer.status_code == 500
    assert f"<code>{number}</code>" in answer.text
    assert [line["request_id"] for line in lines] == [number] * 2
    error, answered = lines
    assert (error["level"], error["message"]) == ("error", "Unexpected error")
    assert "RuntimeError: the secret of the defect" in error["traceback"]
    assert "the secret of the defect" not in answer.text
    assert (answered["level"], answered["status"]) == ("warning", 500)


def test_a_failure_under_api_has_it_too(failing, lines):
    answer = failing.test_client().get("/api/fail")
    assert {line["request_id"] for line in lines} == {answer.headers["X-Request-ID"]}


def test_a_page_that_is_not_there_is_no_matter_for_the_administrator(app):
    answer = app.test_client().get("/nothing")
    assert answer.headers["X-Request-ID"] not in answer.text


# What a line says -----------------------------------------------------------------------------------


def test_a_request_is_a_line(ada, lines):
    project = ada.project()
    lines.clear()
    assert ada("PATCH", f"stem/project/{project['id']}/", {"description": "new"}).status_code == 200
    (line,) = lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert isinstance(line.pop("ms"), int)
    assert MADE.fullmatch(line.pop("request_id"))
    assert line == {
        "level": "info",
        "logger": "brainstem.logs",
        "message": "Answered",
        "method": "PATCH",
        "route": "/api/private/stem/project/<record_id>/",
        "status": 200,
        "user_id": str(ada.id),
    }


def test_whose_request_it_is_follows_from_the_login_too(ada, lines):
    pages = ada.browser()
    lines.clear()
    pages.get("/sessions/")
    assert (lines[0]["user_id"], lines[0]["route"]) == (str(ada.id), "/sessions/")
    lines.clear()
    ada.app.test_client().get("/login")
    assert "user_id" not in lines[0]


def test_nothing_of_what_people_send_is_written(app, ada, lines):
    """Neither what they type nor what they look for; nor their names, tokens and passwords."""
    project = ada.project("Hidden name")
    pages = ada.browser()
    pages.get("/sessions/?q=Hidden+search")
    pages.submit("/login", {"email": "hidden@lab.org", "password": "Hidden password"}, page="/")
    app.test_client().post("/api/token/", json={"username": "hidden@lab.org", "password": "Hidden"})
    ada("GET", f"stem/project/?filter{{name}}=Hidden&filter{{id}}={project['id']}")
    ada("GET", "stem/hidden@lab.org/Hidden name/")
    ada("GET", "/nothing/hidden@lab.org/")
    text = json.dumps(lines)
    assert len(lines) > 5
    for hidden in ("idden", "ada@lab.org", "bst_", ada.secret, PASSWORD, project["id"]):
        assert hidden not in text


def test_static_files_are_told_of_only_at_debug(app, lines):
    app.test_client().get(f"{app.static_url_path}/app.css").close()
    assert lines == []


# The styles -----------------------------------------------------------------------------------------


def record(message: str, *args, error: Exception | None = None) -> logging.LogRecord:
    info = (type(error), error, None) if error else None
    made = logging.LogRecord("brainstem.tests", logging.WARNING, "", 0, message, args, info)
    made.created = 1774193400.1234
    return made


def test_as_text():
    assert logs.AsText().format(record("Two %s", "words")) == (
        "2026-03-22T15:30:00.123Z WARNING brainstem.tests: Two words"
    )


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\x1b[2J", "\x85", "\u2028", "\0"])
@pytest.mark.parametrize("style", [logs.AsText, logs.AsJson])
def test_nobody_can_write_a_line_of_her_own(style, break_):
    """What somebody sent may be in a message; it can't pass for a line, nor steer a terminal."""
    forged = f"x{break_}2026-03-22T15:30:00.123Z ERROR forged"
    text = style().format(record("Sent: %s", forged))
    assert text.isprintable()
    trace = style().format(record("Failed", error=ValueError(forged)))
    assert not [each for each in re.split(r"[\n\r\x85\u2028]", trace)[1:] if each[:4] != "    "]


def test_as_json_a_text_stays_what_it_was():
    line = logs.AsJson().format(record("Käse \u2028 \n \x85"))
    assert json.loads(line)["message"] == "Käse \u2028 \n \x85"


def run(*words: str, **settings: str) -> subprocess.CompletedProcess:
    script = [".venv/bin/python", "-c", "\n".join(words)]
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "the key of the tests", **settings}
    return subprocess.run(
        script, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("debug", ["brainstem", "alembic", "brainstem", "sqlalchemy.engine"]),
        ("info", ["alembic", "brainstem", "sqlalchemy.engine"]),
        ("warning", ["brainstem", "sqlalchemy.engine"]),
        ("error", []),
    ],
)
def test_the_level_is_a_setting_and_what_tells_of_records_stays_out(level, told):
    """At their lower levels, libraries tell of the rows that they read."""
    done = run(
        "import app, logging",
        "logging.getLogger('brainstem.x').debug('')",
        "logging.getLogger('alembic').info('')",
        "logging.getLogger('brainstem').warning('')",
        "logging.getLogger('sqlalchemy.engine').info('rows')",
        "logging.getLogger('sqlalchemy.engine').warning('')",
        LOG_LEVEL=level,
        LOG_FORMAT="json",
    )
    names = [json.loads(line)["logger"].removesuffix(".x") for line in done.stderr.splitlines()]
    assert (names, done.stdout) == (told, "")


def test_warnings_of_python_are_lines_too():
    done = run("import app, warnings", "warnings.warn('look out')", LOG_FORMAT="json")
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["logger"], "look out" in line["message"]) == ("py.warnings", True)


def test_a_line_after_a_rollback_asks_the_database_nothing(app, ada, lines, statements):
    """It may be the database that failed; then the line would be lost, with what it says."""
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = f"{name}={ada.browser().client.get_cookie(name).value}"
    with app.test_request_context("/", headers={"Cookie": cookie}):
        assert current_user.is_authenticated
        db.session.rollback()
        statements.clear()
        logging.getLogger("brainstem.errors").warning("It failed")
    assert statements == []
    assert (lines[-1]["message"], lines[-1]["user_id"]) == ("It failed", str(ada.id))
