"""List, detail, new, edit and delete pages, for every kind of record that has pages."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import operations, references
from brainstem.core.forms import DO, RecordForm, form_for
from brainstem.core.forms.entries import RefsEntry, TagsEntry
from brainstem.core.permissions import Actor, may, right_to_change
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import RefList, TagList, label_of
from brainstem.core.times import utc_text
from brainstem.errors import Changed
from brainstem.views import conflicts, show

bp = Blueprint("pages", __name__)

#: The first part of an address: one of the kinds that have pages.
KIND = f"<any({', '.join(kind.page.strip('/') for kind in registry if kind.page)}):kind>"


@bp.record_once
def add_to_templates(state: Any) -> None:
    """What every page shows: the navigation, and which browser libraries are installed."""
    app: Flask = state.app
    app.context_processor(lambda: {"nav": navigation(), "vendor": vendor(app)})


def navigation() -> list[dict[str, Any]]:
    """The links at the top of every page."""
    if not current_user.is_authenticated:
        return []
    links = [("Dashboard", "/")] + [
        (kind.labels, f"{kind.page}/") for kind in registry if kind.page
    ]
    return [{"label": label, "url": url, "active": _is_here(url)} for label, url in links]


def _is_here(url: str) -> bool:
    return request.path == url if url == "/" else f"{request.path}/".startswith(url)


def vendor(app: Flask) -> set[str]:
    """The browser libraries that the install step has fetched: none where Node is missing."""
    folder = app.static_folder and (Path(app.static_folder) / "vendor")
    return {file.name for file in folder.iterdir()} if folder and folder.is_dir() else set()


def page_actor() -> Actor:
    """The user who signed in."""
    return Actor(current_user.id, way="page")


def _kind(kind: str) -> Resource:
    return next(resource for resource in registry if resource.page == f"/{kind}")


@bp.get(f"/{KIND}/")
@login_required
def index(kind: str) -> str:
    """The records of a kind that the user may read."""
    resource, actor = _kind(kind), page_actor()
    page = operations.find(actor, resource, _query(resource))
    wire = references.dump(actor, resource, page.views)
    names = show.names_for(actor, resource, wire)
    rows = [
        {"url": show.url_of(resource, each["id"]), "cells": show.cells(resource, each, names)}
        for each in wire
    ]
    return render_template(
        "list.html",
        resource=resource,
        columns=[_column(resource, name) for name in resource.columns],
        rows=rows,
        search=request.args.get("q", ""),
        filters=_filters(actor, resource),
        filtered=any(request.args.get(name) for name in ("q", *_filterable(resource))),
        pager=_pager(page),
        new_url=url_for("pages.new", kind=kind),
    )


def _query(resource: Resource) -> MultiDict[str, str]:
    """The address of a list page in the API's words."""
    args = MultiDict()
    if q := request.args.get("q", "").strip():
        args.add("filter{name.icontains}", q)
    for name in _filterable(resource):
        if value := request.args.get(name):
            args.add(f"filter{{{name}}}", value)
    if sort := request.args.get("sort"):
        args.add("sort[]", sort)
    args.add("page", request.args.get("page", "1"))
    return args


def _filterable(resource: Resource) -> list[str]:
    declared = resource.schema._declared_fields
    lists = [n for n in resource.columns if isinstance(declared[n], RefList | TagList)]
    return [name for name in lists if not declared[name].dump_only]


def _filters(actor: Actor, resource: Resource) -> list[dict[str, Any]]:
    filters = []
    for name in _filterable(resource):
        field, chosen = resource.schema._declared_fields[name], request.args.get(name, "")
        if isinstance(field, TagList):
            options = {tag: tag for tag in operations.tags(actor, resource, used=True)}
        else:
            target = registry.get(field.kind)
            options = {str(i): text for i, text in operations.named(actor, target).items()}
        if chosen and chosen not in options:
            options[chosen] = chosen
        label = label_of(name, field)
        filters.append(
            {
                "name": name,
                "label": label,
                "options": [
                    {"value": value, "label": text, "selected": value == chosen}
                    for value, text in ({"": "All"} | options).items()
                ],
            }
        )
    return filters


def _column(resource: Resource, name: str) -> dict[str, Any]:
    """A column's heading; choosing it sorts by it, choosing it again turns the order round."""
    field = resource.schema._declared_fields[name]
    now = request.args.get("sort") or resource.sort[0]
    sorted_ = {name: "asc", f"-{name}": "desc"}.get(now, "")
    column = {"label": label_of(name, field), "sorted": sorted_, "sort_url": None}
    if not isinstance(field, RefList | TagList):
        sort = f"-{name}" if sorted_ == "asc" else name
        column["sort_url"] = _here(sort=sort, page=None)
    return column


def _here(**changes: Any) -> str:
    args = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in args.items() if value and name != "kind"}
    return url_for("pages.index", kind=request.view_args["kind"], **kept)


def _pager(page: operations.Page) -> dict[str, Any]:
    first = page.query.offset + 1
    return {
        "total": page.total,
        "first": first,
        "last": first + len(page.views) - 1,
        "page": page.number,
        "pages": page.pages,
        "previous_url": _here(page=page.number - 1) if page.number > 1 else None,
        "next_url": _here(page=page.number + 1) if page.number < page.pages else None,
    }


@bp.get(f"/{KIND}/<uuid:record_id>")
@login_required
def detail(kind: str, record_id: uuid.UUID) -> str:
    """One record."""
    resource, actor = _kind(kind), page_actor()
    view = operations.get(actor, resource, record_id)
    (wire,) = references.dump(actor, resource, [view])
    address = {"kind": kind, "record_id": record_id}
    changeable = may(actor, right_to_change(resource), resource, record_id)
    return render_template(
        [f"{kind}/detail.html", "detail.html"],
        resource=resource,
        title=view.record.name,
        fields=show.facts(actor, resource, wire),
        edit_url=url_for("pages.edit", **address) if changeable else None,
        delete_url=url_for("pages.delete", **address) if changeable else None,
        created=show.moment(utc_text(view.record.created_date)),
        updated=show.moment(utc_text(view.record.updated_date)),
    )


@bp.route(f"/{KIND}/new", methods=["GET", "POST"])
@login_required
def new(kind: str) -> Any:
    """A form for a new record."""
    resource, actor = _kind(kind), page_actor()
    form = form_for(resource)(request.form if request.method == "POST" else None)
    if request.method == "GET" or DO in request.form:
        return _form(actor, resource, form)
    try:
        view = operations.create(actor, resource, form.payload())
    except ValidationError as error:
        return _form(actor, resource, form, error=error)
    flash(f"{resource.label} “{view.record.name}” was created.", "success")
    return redirect(show.url_of(resource, view.record.id))


@bp.route(f"/{KIND}/<uuid:record_id>/edit", methods=["GET", "POST"])
@login_required
def edit(kind: str, record_id: uuid.UUID) -> Any:
    """A form for an existing record; where somebody saved in between, both versions."""
    resource, actor = _kind(kind), page_actor()
    view = operations.get(actor, resource, record_id, right=right_to_change(resource))
    if request.method == "GET":
        return _form(actor, resource, _stored_form(actor, resource, view), view=view)
    form, payload = conflicts.posted(resource, request.form)
    if DO in request.form:
        return _form(actor, resource, form, view=view)
    try:
        operations.change(
            actor,
            resource,
            record_id,
            payload,
            version=None if not payload else lambda stored: stored == form.version,
            keeping=True,
        )
    except ValidationError as error:
        return _form(actor, resource, form, view=view, error=error)
    except Changed:
        current = _stored_form(actor, resource, operations.get(actor, resource, record_id))
        offer_names(actor, resource, form)
        offer_names(actor, resource, current)
        return render_template(
            "conflict.html",
            resource=resource,
            title=view.record.name,
            cancel_url=show.url_of(resource, record_id),
            **conflicts.compare(form, current, payload),
        ), 409
    flash("Saved." if payload else "Nothing was changed.", "success")
    return redirect(show.url_of(resource, record_id))


@bp.route(f"/{KIND}/<uuid:record_id>/delete", methods=["GET", "POST"])
@login_required
def delete(kind: str, record_id: uuid.UUID) -> Any:
    """Ask once more, then delete."""
    resource, actor = _kind(kind), page_actor()
    view = operations.get(actor, resource, record_id, right=right_to_change(resource))
    blocked = operations.kept_by(resource, record_id)
    if request.method == "POST" and not blocked:
        operations.delete(actor, resource, record_id)
        flash(f"{resource.label} “{view.record.name}” was deleted.", "success")
        return redirect(url_for("pages.index", kind=kind))
    return render_template(
        "confirm_delete.html",
        resource=resource,
        title=view.record.name,
        consequences=[resource.deletion, "This can’t be undone."],
        blocked=blocked,
        cancel_url=show.url_of(resource, record_id),
    )


def _stored_form(actor: Actor, resource: Resource, view: references.View) -> RecordForm:
    """The form of a record as it is stored."""
    (wire,) = references.dump(actor, resource, [view])
    kind = form_for(resource)
    opened = {name: wire[name] for name in kind.names}
    return kind(opened=opened, version=view.record.version)


def offer_names(actor: Actor, resource: Resource, form: RecordForm) -> None:
    """Give the form's lists of records the names that the user may choose, or has chosen."""
    for field in form.fields:
        if isinstance(field, RefsEntry):
            target = registry.get(field.about.kind)
            names = operations.named(actor, target, right=field.about.right)
            chosen = [each for each in map(as_id, field.ids) if each and each not in names]
            names |= operations.named(actor, target, chosen)
            field.names = {str(each): text for each, text in names.items()}
            field.new_url = target.page and url_for("pages.new", kind=target.page.strip("/"))
        elif isinstance(field, TagsEntry):
            field.suggestions = operations.tags(actor, resource)


def _form(
    actor: Actor,
    resource: Resource,
    form: RecordForm,
    *,
    view: references.View | None = None,
    error: ValidationError | None = None,
) -> tuple[str, int]:
    """The form's page; with all that was typed, and every message at its field."""
    if DO in request.form:
        form.act(request.form[DO])
    offer_names(actor, resource, form)
    form_error = form.place(error.normalized_messages()) if error else ""
    home = url_for("pages.index", kind=resource.page.strip("/"))
    page = render_template(
        [f"{resource.page.strip('/')}/form.html", "form.html"],
        resource=resource,
        title=f"Edit {view.record.name}" if view else f"New {resource.words}",
        form=form,
        record=view and view.record,
        cancel_url=show.url_of(resource, view.record.id) if view else home,
        submit_label=f"Save {resource.words}",
        summary=form.summary,
        form_error=form_error,
    )
    return page, 400 if error else 200
