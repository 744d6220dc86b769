"""What the program says while it runs: a line for each thing, on standard error, with the request's id.

Every request has an id. It is in the answer (`X-Request-ID`), on the page of an error, and in every line
that is written meanwhile: somebody who was told "it failed" can be told why.

What is written holds no personal data beyond need and no secrets: users by their ids, addresses by their
routes (`/sessions/<record_id>`), no queries, no bodies, no headers.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, current_app, g, has_request_context, request

log = logging.getLogger(__name__)

FORMATS = ("text", "json")
LEVELS = ("debug", "info", "warning", "error")

HEADER = "X-Request-ID"
#: What a proxy in front may call a request: nothing that could pass for more than a name.
WELL_FORMED = re.compile(r"[A-Za-z0-9._=+/:@-]{8,128}")

#: What a line tells besides its message, in this order, where there is something to tell.
FIELDS = ("request_id", "method", "route", "status", "ms", "user_id")

PARAMETER = re.compile(r"<(?:[^<>]*:)?(\w+)>")
WORD = re.compile(r"[a-z_]{1,40}")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def configure(style: str, level: str) -> None:
    """Have everything that this process says written in one style.

    The level is for our own lines and those of the server and the migrations. Other libraries keep to
    warnings: at their lower levels they tell what is in the records.
    """
    others = max(logging.WARNING, logging.getLevelName(level.upper()))
    ours = {name: {"level": level.upper()} for name in ("brainstem", "gunicorn", "alembic")}
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": AsJson if style == "json" else AsText}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": others, "handlers": ["stderr"]},
            # SQLAlchemy sets a level of its own.
            "loggers": {**ours, "sqlalchemy": {"level": others}},
        }
    )
    logging.captureWarnings(True)


def init_app(app: Flask) -> None:
    """Give every request its id, and write a line when it is answered.

    To be called before anything else sees requests: so theirs is the time that is measured.
    """
    app.add_template_global(request_id)

    @app.before_request
    def begin() -> None:
        request.environ["brainstem.began"] = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        status = response.status_code
        level = logging.WARNING if status >= 500 else _quiet_level()
        if log.isEnabledFor(level):
            began = request.environ.get("brainstem.began")
            # Until the answer begins; what is streamed takes longer.
            ms = None if began is None else round((time.perf_counter() - began) * 1000)
            log.log(level, "Answered", extra={"status": status, "ms": ms})
        return response


def _quiet_level() -> int:
    """Of a request that nothing is wrong with; what asks all day long whether we live is no news."""
    health = request.blueprint == "health"
    return logging.DEBUG if health or request.endpoint == "static" else logging.INFO


def request_id() -> str:
    """The id of the request under way: the one that the proxy in front gave it, or one of our own."""
    known = request.environ.get("brainstem.request_id")
    if known is None:
        given = request.headers.get(HEADER, "") if current_app.config["TRUSTED_PROXIES"] else ""
        known = given if WELL_FORMED.fullmatch(given) else secrets.token_hex(8)
        request.environ["brainstem.request_id"] = known
    return known


def note_user(user_id: Any) -> None:
    """Say whose request it is where no login cookie says so."""
    request.environ["brainstem.user_id"] = str(user_id)


def _user_id() -> str | None:
    if known := request.environ.get("brainstem.user_id"):
        return known
    # Flask-Login's own note: asking for `current_user` here could ask the database, and one that is in
    # trouble would spoil the line that says so.
    user = getattr(g, "_login_user", None)
    return None if user is None or user.is_anonymous else str(user.id)


def route() -> str | None:
    """The address as a pattern: kinds by their names, records and whatever else was typed left open."""
    if request.url_rule is None:
        return None
    given = request.view_args or {}

    def part(found: re.Match) -> str:
        value = str(given.get(found[1]))
        return value if WORD.fullmatch(value) else f"<{found[1]}>"

    return PARAMETER.sub(part, request.url_rule.rule)


def told(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says besides its message."""
    found: dict[str, Any] = {}
    if has_request_context():
        found = {
            "request_id": request_id(),
            "method": request.method,
            "route": route(),
            "user_id": _user_id(),
        }
    found |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
    return {name: found[name] for name in FIELDS if found.get(name) not in (None, False)}


#: What PostgreSQL says of a failed statement: the whole row, with whatever somebody typed.
ROW = re.compile(
    r"\nDETAIL: .*?(?=\n\[SQL: |\n\nThe above exception|\n\nDuring handling|\Z)", re.DOTALL
)


class Line(logging.Formatter):
    """What both styles know: the time in UTC, to the millisecond."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def trace(self, record: logging.LogRecord) -> str:
        """The traceback, where there is one."""
        parts = [self.formatException(record.exc_info)] if record.exc_info else []
        parts += [self.formatStack(record.stack_info)] if record.stack_info else []
        return ROW.sub("\nDETAIL: left out", "\n".join(parts))


class AsJson(Line):
    """One JSON object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **told(record),
        }
        if trace := self.trace(record):
            line["traceback"] = trace
        return json.dumps(line, ensure_ascii=False, default=str).translate(LINE_ENDS)


#: JSON lets these stand in a text; some programs take them for the end of a line.
LINE_ENDS = {0x85: "\\u0085", 0x2028: "\\u2028", 0x2029: "\\u2029"}


class AsText(Line):
    """For people: `2026-03-22T15:30:00.123Z WARNING brainstem.errors: what happened [status=503 …]`."""

    def format(self, record: logging.LogRecord) -> str:
        about = " ".join(f"{name}={value}" for name, value in told(record).items())
        text = f"{record.name}: {record.getMessage()}" + (f" [{about}]" if about else "")
        line = f"{self.formatTime(record)} {record.levelname} {_on_one_line(text)}"
        # Set in, so that nothing that somebody sent can look like a line of ours.
        trace = [f"    {_on_one_line(each)}" for each in self.trace(record).splitlines()]
        return "\n".join([line, *trace])


def _on_one_line(text: str) -> str:
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
