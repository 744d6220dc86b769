"""What can go wrong, and the one place that turns it into an answer: a page, or JSON under `/api/`."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request
from flask_login import AnonymousUserMixin
from marshmallow import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.http import HTTP_STATUS_CODES

from brainstem import outages
from brainstem.extensions import db
from brainstem.outages import Outage

log = logging.getLogger(__name__)

#: A form of this size is not read: its page can't show what was typed.
TOO_LARGE = "This is too much at once. Nothing was stored. Go back: what you typed is still there."


class ProgramError(Exception):
    """An error that an operation raises; the message is for the person who reads it."""

    status = 500


class SignInRequired(ProgramError):
    """No sign-in, or a token that is wrong, revoked or expired."""

    status = 401


class Forbidden(ProgramError):
    """The record exists; the actor lacks the right."""

    status = 403


class NotFound(ProgramError):
    """No such record, as far as the actor may know."""

    status = 404


class TooManyTries(ProgramError):
    """Too many failed tries; in so many seconds the next one is looked at."""

    status = 429

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // 60)
        wait = f"{minutes} minutes" if minutes > 1 else "a minute"
        super().__init__(f"Too many tries. Wait {wait}, then try again.")
        self.seconds = seconds


class Changed(ProgramError):
    """Somebody else changed the record since the version that this change was made against."""

    status = 412


def init_app(app: Flask) -> None:
    """Render every error, expected or not."""
    app.register_error_handler(ProgramError, lambda error: answer(error.status, str(error)))
    app.register_error_handler(TooManyTries, too_many_tries)
    app.register_error_handler(ValidationError, lambda error: invalid(error.normalized_messages()))
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(SQLAlchemyError, database_refused)
    app.register_error_handler(Exception, unexpected)


def wants_json() -> bool:
    """Under `/api/` every answer is JSON (contract §10); elsewhere where a script of a page asks for it."""
    in_api = request.path == "/api" or request.path.startswith("/api/")
    return in_api or request.headers.get("Accept") == "application/json"


def invalid(messages: dict[str, Any]) -> Response:
    """400: what is wrong, by field; what concerns no field is the `detail`."""
    if not wants_json():
        # Not at the top: the schemas know these errors.
        from brainstem.core.schemas import texts_in

        wrong = "; ".join(
            ("" if name == "_schema" else f"{name}: ") + " ".join(texts_in(each))
            for name, each in messages.items()
        )
        return answer(400, f"This address or form does not fit. {wrong[:500]}")
    general = messages.pop("_schema", None)
    if general is not None and not messages:
        messages = {"detail": " ".join(map(str, general))}
    response = jsonify(messages)
    response.status_code = 400
    return response


def too_many_tries(error: TooManyTries) -> Response:
    """429, with the seconds to wait."""
    response = answer(error.status, str(error))
    response.headers["Retry-After"] = str(error.seconds)
    return response


def http_error(error: HTTPException) -> Response:
    """Flask's and Werkzeug's own errors, with their headers (`Allow`, `Retry-After`)."""
    if error.code is None or error.response is not None or error.code < 400:
        return error.get_response()
    # What goes wrong outside of the views comes here: while the login cookie is read, or while the page
    # of another error is drawn.
    if outage := outages.of(original := getattr(error, "original_exception", None)):
        return unavailable(outage, original)
    text = TOO_LARGE if error.code == 413 and not wants_json() else error.description
    response = answer(error.code, text or "")
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def database_refused(error: SQLAlchemyError) -> Response:
    """What the database can't do for a while, or a defect."""
    if outage := outages.of(error):
        return unavailable(outage, error)
    return unexpected(error)


def unavailable(outage: Outage, error: BaseException) -> Response:
    """503: what is the matter, when to ask again, and on a page everything that was typed."""
    if db.session.info.get("stored"):  # and what came after it failed
        outage = outages.UNCERTAIN
    with suppress(SQLAlchemyError):
        db.session.rollback()
    # What is drawn and logged from here on must not ask the database who is signed in.
    g._login_user = AnonymousUserMixin()
    log.error("%s: %s", outage.title, getattr(error, "orig", None) or error)
    text = outage.text
    if outage is not outages.UNCERTAIN and request.method not in ("GET", "HEAD", "OPTIONS"):
        text = f"{text} Nothing was stored; try again in a moment."
    response = jsonify(detail=text) if wants_json() else _outage_page(outage.title, text)
    response.status_code = 503
    response.headers["Retry-After"] = str(outage.retry_after)
    return response


def _outage_page(title: str, text: str) -> Response:
    # Not at the top: the forms know these errors.
    from brainstem.views import sending_again

    try:
        page = render_template(
            "outage.html", code=503, title=title, message=text, **sending_again.shown()
        )
    except Exception:  # without a session, for one: it could not be opened
        log.exception("The page of an outage could not be drawn")
        return Response(f"{title}. {text}", mimetype="text/plain")
    return Response(page, mimetype="text/html")


def unexpected(error: Exception) -> Response:
    """A defect of the program: its traceback goes to the log, not to the reader."""
    db.session.rollback()
    log.exception("Unexpected error", exc_info=error)
    stored = "" if db.session.info.get("stored") else " Nothing was stored."
    return http_error(InternalServerError(f"The program failed on this.{stored}"))


def answer(status: int, message: str) -> Response:
    """The error as JSON or as a page."""
    if wants_json():
        response = jsonify(detail=message)
    else:
        title = HTTP_STATUS_CODES.get(status, "Error")
        page = render_template("error.html", code=status, title=title, message=message)
        response = Response(page, mimetype="text/html")
    response.status_code = status
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
