"""Making a record public, or private again: first a look at what everybody will see."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_login import login_required

from brainstem.core import finding, operations, publishing
from brainstem.core.permissions import Right
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import RefList
from brainstem.views import show
from brainstem.views.pages import address_of, kind_at, page_actor, published_apart, title_of

bp = Blueprint("publish", __name__)

KIND = address_of([kind for kind in registry if kind.page and published_apart(kind)])


@bp.get(f"/{KIND}/<uuid:record_id>/publish")
@login_required
def ask(kind: str, record_id: uuid.UUID) -> str:
    """What becomes visible, and what stays private."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    view = finding.get(actor, resource, record_id, right=Right.OWN)
    return render_template(
        "public/publish.html",
        resource=resource,
        title=title_of(resource, view),
        is_public=view.record.is_public,
        visible=[
            _part(part, _list_of(resource, part.kind, record_id))
            for part in publishing.visible(actor, resource, record_id)
        ],
        left_out=[_part(part) for part in publishing.left_out(actor, resource, record_id)],
        public_url=url_for("public.detail", kind=kind, record_id=record_id),
        record_url=show.url_of(resource, record_id),
    )


@bp.post(f"/{KIND}/<uuid:record_id>/publish")
@login_required
def publish(kind: str, record_id: uuid.UUID) -> Response:
    """Publish it, or make it private again."""
    resource = kind_at(kind)
    wanted = request.form.get("is_public") == "true"
    record = operations.alter(page_actor(resource), resource, record_id, {"is_public": wanted})
    state = "public: anyone can read it" if wanted else "private again"
    flash(f"{resource.label} “{resource.called(record)}” is {state}.", "success")
    return redirect(show.url_of(resource, record_id))


def _part(part: publishing.Part, all_url: str | None = None) -> dict[str, Any]:
    """How many of a kind, and the names of those that people know by a name of their own."""
    kind = part.kind
    items = [{"text": text, "url": show.url_of(kind, i)} for i, text in part.names.items()]
    return {
        "label": (kind.label if part.total == 1 else kind.labels).lower(),
        "total": part.total,
        "named": items if kind.nav else [],
        "more": part.total - len(items),
        "all_url": all_url,
    }


def _list_of(resource: Resource, kind: Resource, record_id: uuid.UUID) -> str | None:
    """The list of a record's records of a kind, where a field of it counts them."""
    for _, field in resource.schema.references():
        if field.kind == kind.name and isinstance(field, RefList) and "count" in field.metadata:
            return show.list_url(kind, **{field.metadata["count"]: record_id})
    return None
