"""The page that tells administrators how the server is."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user, login_required

from brainstem import status
from brainstem.core.permissions import Actor

bp = Blueprint("status", __name__)


@bp.get("/status/")
@login_required
def index() -> str:
    """Version, database, room, counts, backups, settings; first what is not well."""
    parts = status.shown_to(Actor(current_user.id, way="page"))
    return render_template("status.html", parts=parts, problems=status.problems(parts))
