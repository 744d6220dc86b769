"""The next record like one: a form with its name counted up, and a choice of what comes along."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask_login import login_required
from marshmallow import ValidationError, fields

from brainstem.core import duplicate, finding
from brainstem.core.forms import DO
from brainstem.core.forms.copy import TAKE, VALUES, CopyForm, along, copy_form, proposed, usual
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import ExtraFields, RefList, Text, label_of
from brainstem.views import choices, show
from brainstem.views.pages import address_of, kind_at, page_actor, title_of
from brainstem.views.sign_in_again import drawn_again
from brainstem.views.undo import flash_with_undo

bp = Blueprint("duplicate", __name__)

#: A record that holds roles of its own is not made like another one: who may see it is chosen anew.
KIND = address_of([kind for kind in registry if kind.page and kind.nav and kind.roles is None])

#: So much of a text is shown, and so many names.
LONGEST, NAMED = 160, 6

LINKED = "What doesn’t come along is left out of them, too."


@bp.route(f"/{KIND}/<uuid:record_id>/duplicate", methods=["GET", "POST"])
@login_required
@drawn_again
def ask(kind: str, record_id: uuid.UUID) -> Any:
    """What the new record is called and what comes along; then it is made."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    view = finding.get(actor, resource, record_id)
    draft = duplicate.draft(actor, resource, record_id)
    if request.method != "POST":
        form = copy_form(resource)(data=proposed(resource, draft))
        return _form(actor, resource, view, draft, form, usual(resource, draft))
    form, taken = copy_form(resource)(request.form), request.form.getlist(TAKE)
    if DO in request.form:
        return _form(actor, resource, view, draft, form, taken)
    try:
        copied = duplicate.duplicate(
            actor,
            resource,
            record_id,
            form.payload() | along(resource, draft, taken),
            [each for each in draft.parts if each.name in taken],
        )
    except ValidationError as error:
        return _form(actor, resource, view, draft, form, taken, error=error), 400
    name = resource.called(copied.record)
    flash_with_undo(f"{resource.label} “{name}” was created.", copied.change_id)
    return redirect(show.url_of(resource, copied.record.id))


def _form(
    actor: Actor,
    resource: Resource,
    view: Any,
    draft: duplicate.Draft,
    form: CopyForm,
    taken: list[str],
    *,
    error: ValidationError | None = None,
) -> str:
    choices.offer(actor, resource, form)
    form_error = form.place(error.normalized_messages()) if error else ""
    title = title_of(resource, view)
    return render_template(
        "duplicate.html",
        resource=resource,
        title=f"Next {resource.words} like “{title}”",
        back={"text": title, "url": show.url_of(resource, view.record.id)},
        form=form,
        choices=_choices(actor, resource, draft, taken),
        left_out=draft.left_out,
        summary=form.summary,
        form_error=form_error,
        submit_label=f"Create {resource.words}",
    )


def _choices(
    actor: Actor, resource: Resource, draft: duplicate.Draft, taken: list[str]
) -> list[dict[str, Any]]:
    """What can come along: a box each, with what is in it; for what is empty none."""
    declared, found = resource.schema._declared_fields, []
    for name in copy_form(resource).others:
        if not (value := draft.payload.get(name)):
            continue
        field = declared[name]
        found.append(_choice(name, label_of(name, field), _told(actor, field, value), taken))
        if isinstance(field, ExtraFields):
            found.append(_choice(name + VALUES, "With their values", "", taken, inner=True))
    for kind, parts in draft.parts.items():
        label = f"{kind.labels} ({len(parts)})"
        text = _short([part.title for part in parts])
        help = LINKED if _names_parts(kind, draft) else ""
        found.append(_choice(kind.name, label, text, taken, help=help))
    return found


def _choice(
    value: str, label: str, text: str, taken: list[str], *, inner: bool = False, help: str = ""
) -> dict[str, Any]:
    about = {"value": value, "label": label, "text": text, "inner": inner, "help": help}
    return about | {"id": f"{TAKE}-{value}", "checked": value in taken}


def _names_parts(kind: Resource, draft: duplicate.Draft) -> bool:
    """Whether parts of a kind name other parts, as epochs do modules."""
    named = {field.kind for _, field in kind.schema.references()}
    return any(each.name in named for each in draft.parts)


def _told(actor: Actor, field: fields.Field, value: Any) -> str:
    """What is in a field, in a line."""
    if isinstance(field, RefList):
        named = finding.named(actor, registry.get(field.kind), [uuid.UUID(i) for i in value])
        return _short([named[uuid.UUID(each)] for each in value if uuid.UUID(each) in named])
    if isinstance(field, Text):
        return show.plain_text(value, LONGEST)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return _short([" · ".join(map(str, row.values())) for row in value])
    if isinstance(value, list | dict):
        return _short(list(value))
    return str(value)


def _short(texts: list[str]) -> str:
    more = len(texts) - NAMED
    return ", ".join(texts[:NAMED]) + (f" and {more} more" if more > 0 else "")
