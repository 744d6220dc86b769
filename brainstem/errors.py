"""What can go wrong, and the one place that turns it into an answer: a page, or JSON under `/api/`."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, render_template, request
from marshmallow import ValidationError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.http import HTTP_STATUS_CODES

from brainstem.extensions import db

log = logging.getLogger(__name__)


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
    app.register_error_handler(OperationalError, database_away)
    app.register_error_handler(Exception, unexpected)


def wants_json() -> bool:
    """Under `/api/` every answer is JSON (contract §10)."""
    return request.path == "/api" or request.path.startswith("/api/")


def invalid(messages: dict[str, Any]) -> Response:
    """400: what is wrong, by field; what concerns no field is the `detail`."""
    if not wants_json():
        # Not at the top: the schemas know these errors.
        from brainstem.core.schemas import texts_in

        wrong = "; ".join(f"{name}: {' '.join(texts_in(each))}" for name, each in messages.items())
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
    response = answer(error.code, error.description or "")
    for name, value in error.get_headers(request.environ):
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def database_away(error: OperationalError) -> Response:
    """The database does not answer, or is busy for too long: that passes."""
    db.session.rollback()
    log.error("The database did not answer: %s", error.orig)
    text = "The database does not answer just now. Nothing was stored; try again in a moment."
    return http_error(ServiceUnavailable(text, retry_after=5))


def unexpected(error: Exception) -> Response:
    """A defect of the program: its traceback goes to the log, not to the reader."""
    db.session.rollback()
    log.exception("Unexpected error", exc_info=error)
    return http_error(InternalServerError("The program failed on this. Nothing was stored."))


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
