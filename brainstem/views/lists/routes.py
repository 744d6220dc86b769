"""Where list pages lead to: their downloads, and the views of them that people save."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_login import login_required
from marshmallow import ValidationError

from brainstem.core import listing
from brainstem.core.forms import SchemaForm, small_form
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.records import saved_views
from brainstem.records.saved_views import ViewName
from brainstem.views import show
from brainstem.views.lists import addresses, downloads
from brainstem.views.pages import KIND, kind_at, page_actor

bp = Blueprint("lists", __name__)


@bp.get(f"/{KIND}/download.<any(csv, json):form>")
@login_required
def download(kind: str, form: str) -> Response:
    """The list that the address asks for, as a file."""
    resource = kind_at(kind)
    return downloads.download(page_actor(resource), resource, form)


@bp.route(f"/{KIND}/views", methods=["GET", "POST"])
@login_required
def saved(kind: str) -> Any:
    """The views of a list that the user has saved; another one."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    if request.method != "POST":
        return _page(actor, resource)
    form, words = small_form(ViewName)(request.form), request.form.get("query", "")
    words = addresses.read(actor, resource, words)
    listing.asked(actor, resource, words)
    query = addresses.written(words)
    try:
        view = saved_views.save_view(actor, resource, form.payload(), query)
    except ValidationError as error:
        form.place(error.normalized_messages())
        return _page(actor, resource, form=form, query=query), 400
    flash(f"The view “{view.name}” was saved.", "success")
    return redirect(_address(resource, query))


@bp.post(f"/{KIND}/views/<uuid:view_id>/rename")
@login_required
def rename(kind: str, view_id: uuid.UUID) -> Any:
    """Call a view something else."""
    resource, form = kind_at(kind), small_form(ViewName)(request.form)
    actor = page_actor(resource)
    try:
        view = saved_views.rename_view(actor, view_id, form.payload())
    except ValidationError as error:
        form.place(error.normalized_messages())
        return _page(actor, resource, renamed=(view_id, form)), 400
    flash(f"The view is called “{view.name}” now.", "success")
    return redirect(url_for("lists.saved", kind=kind))


@bp.post(f"/{KIND}/views/<uuid:view_id>/delete")
@login_required
def forget(kind: str, view_id: uuid.UUID) -> Any:
    """Delete a view: the records that it shows stay."""
    name = saved_views.delete_view(page_actor(), view_id)
    flash(f"The view “{name}” was deleted.", "success")
    return redirect(url_for("lists.saved", kind=kind))


def _address(resource: Resource, query: str) -> str:
    return show.list_url(resource) + (f"?{query}" if query else "")


def _page(
    actor: Actor,
    resource: Resource,
    *,
    form: SchemaForm | None = None,
    query: str = "",
    renamed: tuple[uuid.UUID, SchemaForm] | None = None,
) -> str:
    """The views of a list, with the one that was not saved, or not renamed, and why."""
    kind, rows, summary = resource.page.strip("/"), [], form.summary if form else []
    for view in saved_views.views_of(actor, resource):
        field = small_form(ViewName)(data={"name": view.name})["name"]
        if renamed and renamed[0] == view.id:
            field = renamed[1]["name"]
        field.id = f"name-{view.id}"
        summary += [{"href": f"#{place}", "text": text} for place, text in field.problems()]
        rows.append(
            {
                "name": view.name,
                "url": _address(resource, view.query),
                "field": field,
                "rename_url": url_for("lists.rename", kind=kind, view_id=view.id),
                "delete_url": url_for("lists.forget", kind=kind, view_id=view.id),
            }
        )
    return render_template(
        "lists/views.html",
        resource=resource,
        list_url=show.list_url(resource),
        rows=rows,
        form=form,
        query=query,
        summary=summary,
    )
