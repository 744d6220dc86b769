"""For balancers and service managers: is the program alive, and can it do its work?

Nobody has to be signed in for it, and nobody is told more than that it works or which part does not.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from brainstem import health

bp = Blueprint("health", __name__)

#: In seconds: what fails here passes, or is being seen to.
AGAIN = 5


@bp.get("/healthz")
def alive() -> Response:
    """The process answers; of the database it says nothing: starting anew would not bring it back."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> Response:
    """Requests may be sent here: 503 while the database is away, or at another revision."""
    parts = health.ready()
    if set(parts.values()) == {health.OK}:
        return jsonify(status="ready", **parts)
    response = jsonify(status="not ready", **parts)
    response.status_code = 503
    response.headers["Retry-After"] = str(AGAIN)
    return response
