"""Forms in which a record is made, changed or deleted, for every kind of record that has pages."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, operations, references, whole
from brainstem.core.forms import DO, OPENED, RecordForm, form_for
from brainstem.core.forms.lists import RefsEntry
from brainstem.core.forms.parts import MOST as MOST_PARTS
from brainstem.core.parts import parts_of, state_of, stored_parts
from brainstem.core.permissions import Actor, right_to_change
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import RefList
from brainstem.core.transactions import TRIES
from brainstem.errors import Changed, Forbidden, NotFound
from brainstem.views import choices, conflicts, parts, show
from brainstem.views.pages import KIND, kind_at, page_actor, title_of
from brainstem.views.sign_in_again import drawn_again
from brainstem.views.undo import flash_with_undo

bp = Blueprint("forms", __name__)


@bp.route(f"/{KIND}/new", methods=["GET", "POST"])
@login_required
@drawn_again
def new(kind: str) -> Any:
    """A form for a new record; the address may choose what it refers to: `?session=<id>`."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    form = form_for(resource)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        _prefill(actor, form)
    if request.method != "POST" or DO in request.form:
        return _form(actor, resource, None, form)
    try:
        view = whole.save(actor, resource, None, form.payload(), form.wanted_parts())
    except ValidationError as error:
        return _form(actor, resource, None, form, error=error)
    except Forbidden as error:
        return _refused(actor, resource, None, form, error)
    flash_with_undo(f"{resource.label} “{title_of(resource, view)}” was created.")
    return redirect(_place_of(actor, resource, view))


def _prefill(actor: Actor, form: RecordForm) -> None:
    """Choose what the address names; what the user may not use is left out without a word."""
    for field in form.fields:
        if isinstance(field, RefsEntry) and field.short_name in request.args:
            target, right = registry.get(field.about.kind), field.about.right
            given = [each for each in map(as_id, request.args.getlist(field.short_name)) if each]
            usable = finding.named(actor, target, given, right)
            ids = [each for each in given if each in usable]
            field.show(ids if isinstance(field.about, RefList) else next(iter(ids), None))


def _place_of(actor: Actor, resource: Resource, view: references.View) -> str:
    """Where a record is seen: on the page of the one that it belongs to, or on its own."""
    (wire,) = references.dump(actor, resource, [view])
    home = parts.home_of_record(actor, resource, wire)
    return home["url"] if home else show.url_of(resource, view.record.id)


@bp.route(f"/{KIND}/<uuid:record_id>/edit", methods=["GET", "POST"])
@login_required
@drawn_again
def edit(kind: str, record_id: uuid.UUID) -> Any:
    """A form for an existing record; where somebody saved in between, both versions."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    try:
        view = finding.get(actor, resource, record_id, right=right_to_change(resource))
    except (Forbidden, NotFound) as error:
        # Where she had it open while it was deleted, or went to others.
        if request.method != "POST" or OPENED not in request.form:
            raise
        form, _ = conflicts.posted(resource, request.form)
        return _refused(actor, resource, record_id, form, error)
    if request.method != "POST":
        form = _stored_form(actor, resource, view)
        return _form(actor, resource, record_id, form, view=view)
    form, payload = conflicts.posted(resource, request.form)
    if DO in request.form:
        return _form(actor, resource, record_id, form, view=view)
    for _ in range(TRIES):
        wanted, version = form.wanted_parts(), form.version
        changes = bool(payload) or any(each.changes for each in wanted.values())
        try:
            view = whole.save(
                actor,
                resource,
                record_id,
                payload,
                wanted,
                version=(lambda stored, seen=version: stored == seen) if payload else None,
                keeping=True,
            )
        except ValidationError as error:
            return _form(actor, resource, record_id, form, view=view, error=error)
        except (Forbidden, NotFound) as error:
            return _refused(actor, resource, record_id, form, error)
        except Changed:
            try:
                current = _stored_form(actor, resource, finding.get(actor, resource, record_id))
            except (Forbidden, NotFound) as error:
                return _refused(actor, resource, record_id, form, error)
            choices.offer(actor, resource, form)
            choices.offer(actor, resource, current)
            found = conflicts.compare(form, current, payload)
            if found["taken_over"] or found["conflicts"]:
                return _conflict(resource, view, found), 409
            # Nothing that the form shows: then the same again, against the version of now.
            form, payload = conflicts.posted(resource, MultiDict(found["form"].hidden))
        else:
            flash_with_undo("Saved.") if changes else flash("Nothing was changed.", "success")
            return redirect(_place_of(actor, resource, view))
    return _conflict(resource, view, found), 409


def _conflict(resource: Resource, view: finding.Seen, found: dict[str, Any]) -> str:
    """The page with both versions."""
    return render_template(
        "conflict.html",
        resource=resource,
        title=title_of(resource, view),
        cancel_url=show.url_of(resource, view.record.id),
        **found,
    )


@bp.route(f"/{KIND}/<uuid:record_id>/delete", methods=["GET", "POST"])
@login_required
def delete(kind: str, record_id: uuid.UUID) -> Any:
    """Ask once more, then delete."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    view = finding.get(actor, resource, record_id, right=right_to_change(resource))
    blocked = operations.kept_by(actor, resource, record_id)
    changed, seen = False, request.form.get("state")
    if request.method == "POST" and not blocked:
        home = parts.home_of(resource) and _place_of(actor, resource, view)
        # Asked by the operation, when nobody else can change the record any more.
        same = (lambda _: state_of(resource, view.record) == seen) if seen else None
        try:
            operations.delete(actor, resource, record_id, version=same)
        except Changed:
            changed = True
        else:
            flash_with_undo(f"{resource.label} “{title_of(resource, view)}” was deleted.")
            return redirect(home or url_for("pages.index", kind=kind))
    page = render_template(
        "confirm_delete.html",
        resource=resource,
        title=title_of(resource, view),
        state=state_of(resource, view.record),
        changed=changed,
        consequences=[
            resource.deletion,
            "You can undo this afterwards, and restore it from the activity page later.",
        ],
        blocked=blocked,
        cancel_url=show.url_of(resource, record_id),
    )
    return page, 409 if changed else 200


def _stored_form(actor: Actor, resource: Resource, view: finding.Seen) -> RecordForm:
    """The form of a record as it is stored."""
    kind = form_for(resource)
    opened = {name: view.wire[name] for name in kind.names}
    more = {}
    for part in parts_of(resource):
        stored, total = stored_parts(actor, resource, view.record.id, part, MOST_PARTS)
        opened[part.name] = [(each.id, each.version, each.wire) for each in stored]
        more[part.name] = total - len(stored)
    form = kind(opened=opened, version=view.record.version)
    for name, number in more.items():
        form.parts[name].more = number
    return form


def _form(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID | None,
    form: RecordForm,
    *,
    view: finding.Seen | None = None,
    error: ValidationError | None = None,
) -> tuple[str, int]:
    """The form's page; with all that was typed, and every message at its field.

    A new record has no id; without a `view`, nothing is told of the record as it is now.
    """
    if DO in request.form:
        form.act(request.form[DO])
    choices.offer(actor, resource, form)
    form_error = form.place(error.normalized_messages()) if error else ""
    back = {"text": "Back", "url": show.url_of(resource, view.record.id)} if view else None
    back = back or _home(actor, resource, form)
    deed = "Edit" if record_id else "New"
    page = render_template(
        [
            f"{resource.page.strip('/')}/form.html",
            "whole_form.html" if resource.tabs else "form.html",
        ],
        resource=resource,
        title=f"Edit {title_of(resource, view)}" if view else f"{deed} {resource.words}",
        form=form,
        wanted=form.wanted(resource.wanted),
        record=view and view.record,
        back=back,
        cancel_url=back["url"],
        submit_label=f"Save {resource.words}",
        summary=form.summary,
        form_error=form_error,
    )
    return page, 400 if error else 200


def _refused(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID | None,
    form: RecordForm,
    error: Forbidden | NotFound,
) -> tuple[str, int]:
    """The form's page for who may not store it so, or any more: with all that was typed, and nothing of the
    record as it is now."""
    told = ValidationError(f"{error} Nothing was stored; what you typed is still here.")
    page, _ = _form(actor, resource, record_id, form, error=told)
    return page, error.status


def _home(actor: Actor, resource: Resource, form: RecordForm) -> dict[str, str]:
    """Where a form for a new record leads back to: the record that it will belong to, or the list."""
    home = parts.home_of(resource)
    if home and (
        found := parts.home_of_record(actor, resource, {home[0]: form[home[0]].value(None)})
    ):
        return found
    return {"text": resource.labels, "url": show.list_url(resource)}
