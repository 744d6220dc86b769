"""The dashboard."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_login import current_user, login_required
from werkzeug.datastructures import MultiDict

from brainstem import demo
from brainstem.core import operations, references
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.core.times import lab_time
from brainstem.views import navigation, show
from brainstem.views.pages import page_actor

bp = Blueprint("home", __name__)


@bp.get("/")
@login_required
def dashboard() -> str:
    """What there is, and what was worked on last."""
    actor = page_actor()
    sessions = registry.get("session")
    recent = operations.find(
        actor, sessions, MultiDict([("sort[]", "-updated_date"), ("limit", "8")])
    )
    projects = {each for view in recent.views for each in view.refs["projects"]}
    names = operations.named(actor, registry.get("project"), list(projects))
    stats = [_stat(actor, kind) for kind in navigation.kinds() if not kind.menu]
    return render_template(
        "dashboard.html",
        stats=stats,
        recent=[_recent(view, names) for view in recent.views],
        can_load_demo=current_user.is_admin and not recent.total,
    )


def _stat(actor: Actor, kind: Any) -> dict[str, Any]:
    count = operations.find(actor, kind, MultiDict([("limit", "1")])).total
    label = kind.label if count == 1 else kind.labels
    return {"label": label, "count": count, "url": show.list_url(kind)}


def _recent(view: references.View, names: dict) -> dict[str, Any]:
    record = view.record
    return {
        "name": record.name,
        "url": url_for("pages.detail", kind="sessions", record_id=record.id),
        "when": record.date_time and f"{lab_time(record.date_time):%Y-%m-%d %H:%M}",
        "projects": [names[each] for each in view.refs["projects"]],
    }


@bp.post("/demo")
@login_required
def load_demo() -> Response:
    """Load the demonstration data, as this user."""
    made = demo.load(page_actor())
    flash(f"{made} sessions of Steinmetz et al. 2019 were added.", "success")
    return redirect(url_for("home.dashboard"))
