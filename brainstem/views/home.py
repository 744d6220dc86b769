"""The dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask_login import current_user, login_required

from brainstem import demo
from brainstem.core import finding, history, listing, overview, references
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import label_of
from brainstem.core.times import utc_text
from brainstem.records import saved_views
from brainstem.views import activity, navigation, show
from brainstem.views.pages import page_actor

bp = Blueprint("home", __name__)

#: How much of each there is on the page.
RECENT, UNFINISHED, PROJECTS, CHANGES, VIEWS = 6, 5, 6, 7, 8


@bp.get("/")
@login_required
def dashboard() -> str:
    """What there is, what was worked on last, what is unfinished, and where to go on."""
    actor, sessions = page_actor(), registry.get("session")
    recent = overview.latest(actor, sessions, RECENT)
    last = overview.last_made(actor, sessions) if recent else None
    return render_template(
        "dashboard.html",
        stats=_stats(actor),
        recent=_sessions(actor, sessions, recent),
        unfinished=_unfinished(actor, sessions) if recent else [],
        missing=_missing(actor, sessions) if recent else [],
        projects=_projects(actor, registry.get("project")),
        activity=activity.entries(history.recent(actor, limit=CHANGES)),
        views=_views(actor, sessions),
        last=last
        and {
            "name": last.name,
            "url": url_for("duplicate.ask", kind="sessions", record_id=last.id),
        },
        can_load_demo=current_user.is_admin and not recent,
    )


def _stats(actor: Actor) -> list[dict[str, Any]]:
    kinds = [kind for kind in navigation.kinds() if not kind.menu]
    return [
        {
            "label": kind.label if count == 1 else kind.labels,
            "count": count,
            "url": show.list_url(kind),
        }
        for kind, count in zip(kinds, overview.counts(actor, kinds), strict=True)
    ]


def _sessions(actor: Actor, kind: Resource, records: Sequence[Any]) -> list[dict[str, Any]]:
    projects = registry.get("project")
    ids = [each.id for each in records]
    named: dict[Any, list[str]] = {}
    if ids:
        pairs = list(references.related(actor, kind, "projects", ids))
        names = finding.named(actor, projects, list({project for _, project in pairs}))
        for session, project in pairs:
            named.setdefault(session, []).append(names[project])
    return [
        {
            "name": each.name,
            "url": show.url_of(kind, each.id),
            "when": each.date_time and show.moment(utc_text(each.date_time)),
            "projects": named.get(each.id, []),
        }
        for each in records
    ]


def _unfinished(actor: Actor, kind: Resource) -> list[dict[str, Any]]:
    declared = kind.schema._declared_fields
    return [
        {
            "name": record.name,
            "url": url_for("forms.edit", kind="sessions", record_id=record.id),
            "missing": [label_of(name, declared[name]).lower() for name in missing],
        }
        for record, missing in overview.unfinished(actor, kind, UNFINISHED)
    ]


def _missing(actor: Actor, kind: Resource) -> list[dict[str, Any]]:
    """What sessions lack, with the way to the list of those that do."""
    declared = kind.schema._declared_fields
    return [
        {
            "label": f"No {label_of(name, declared[name]).lower()}",
            "count": count,
            "url": show.list_url(kind, **{listing.MISSING: name}),
        }
        for name, count in overview.missing(actor, kind).items()
        if count
    ]


def _projects(actor: Actor, kind: Resource) -> list[dict[str, Any]]:
    found = overview.belonging(actor, kind, PROJECTS)
    sessions = overview.held(kind, "sessions", [record.id for record, _, _ in found])
    return [
        {
            "name": record.name,
            "url": show.url_of(kind, record.id),
            "role": role.name.lower(),
            "sessions": sessions.get(record.id, 0),
            "sessions_url": show.list_url(registry.get("session"), projects=record.id),
            "when": show.moment(utc_text(when))[:10] if when else "",
            "iso": utc_text(when) if when else "",
        }
        for record, role, when in found
    ]


def _views(actor: Actor, kind: Resource) -> list[dict[str, str]]:
    return [
        {"name": view.name, "url": f"{show.list_url(kind)}?{view.query}"}
        for view in saved_views.views_of(actor, kind)[:VIEWS]
    ]


@bp.post("/demo")
@login_required
def load_demo() -> Response:
    """Load the demonstration data, as this user."""
    made = demo.load(page_actor())
    flash(f"{made} sessions of Steinmetz et al. 2019 were added.", "success")
    return redirect(url_for("home.dashboard"))
