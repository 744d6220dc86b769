"""The public portal's pages (contract §9): the same as for users, read-only, without signing in."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, render_template, request
from werkzeug.datastructures import MultiDict

from brainstem.core import finding
from brainstem.core.permissions import PUBLIC
from brainstem.core.resource import Resource, registry
from brainstem.views import show
from brainstem.views.lists import list_page, pager
from brainstem.views.pages import address_of, detail_page, kind_at

bp = Blueprint("public", __name__, url_prefix="/public")

KIND = address_of([kind for kind in registry if kind.page and PUBLIC.portal in kind.portals])


@bp.get("/")
def home() -> str:
    """What the lab has published: its projects, with what is in each."""
    projects = registry.get("project")
    asked = MultiDict({"page": request.args.get("page", "1")})
    page = finding.find(PUBLIC, projects, asked)
    cards = [_card(projects, each.wire) for each in page.sent]
    return render_template("public/home.html", projects=cards, pager=pager(page))


def _card(resource: Resource, record: dict[str, Any]) -> dict[str, Any]:
    """A project in short."""
    facts = show.facts(PUBLIC, resource, record)
    return {
        "name": record["name"],
        "url": show.url_of(resource, record["id"]),
        "about": show.plain_text(record["description"]),
        "counts": [each["items"][0] for each in facts if each.get("counted") and each["items"]],
        "tags": next((each["items"] for each in facts if each["kind"] == "tags"), []),
    }


@bp.get(f"/{KIND}/")
def index(kind: str) -> str:
    """The public records of a kind."""
    return list_page(PUBLIC, kind_at(kind))


@bp.get(f"/{KIND}/<uuid:record_id>")
def detail(kind: str, record_id: uuid.UUID) -> str:
    """One public record; what is not public is not found."""
    return detail_page(PUBLIC, kind_at(kind), record_id)
