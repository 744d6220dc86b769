"""Editing the tags, projects or other lists of many records: choose, look at it, do it."""

from __future__ import annotations

import itertools
import uuid
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import login_required
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import bulk, finding
from brainstem.core.forms import DO
from brainstem.core.forms.bulk import BulkForm, bulk_form
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import label_of, texts_in
from brainstem.errors import Changed
from brainstem.views import choices, show
from brainstem.views.lists.addresses import pairs_of
from brainstem.views.pages import address_of, kind_at, page_actor
from brainstem.views.sign_in_again import drawn_again
from brainstem.views.undo import flash_with_undo

bp = Blueprint("bulk", __name__)


def edited_together(kind: Resource) -> bool:
    """Whether several records of a kind are edited at once: parts of others are not."""
    return bool(kind.page and kind.nav and bulk.editable(kind))


KIND = address_of([kind for kind in registry if edited_together(kind)])

#: So many records of a plan are shown, and so many names of what was chosen.
SHOWN, NAMED = 100, 12


@bp.app_template_global()
def bulk_url(resource: Resource) -> str | None:
    """Where several records of a kind are edited; None where they can't be, or not here."""
    if not edited_together(resource) or show.in_public():
        return None
    return show.at("bulk.choose", kind=resource.page.strip("/"))


@bp.route(f"/{KIND}/bulk", methods=["GET", "POST"])
@login_required
@drawn_again
def choose(kind: str) -> Any:
    """What is chosen, and the form that says what to do with it."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    ids = _chosen(actor, resource)
    if not ids or len(ids) > bulk.MOST:
        several = resource.labels.lower()
        many = f"These are more than {bulk.MOST:,} {several}: narrow the list down, and edit it in parts."
        flash(many if ids else f"Choose some {several} first.", "warning")
        return redirect(_list_url(resource))
    form = bulk_form(resource)(request.form if request.method == "POST" else None)
    return _choice(actor, resource, ids, form)


@bp.route(f"/{KIND}/bulk/preview", methods=["GET", "POST"])
@login_required
@drawn_again
def preview(kind: str) -> Any:
    """What would change, record by record; nothing is stored."""
    if request.form.get(DO, "").endswith(":look"):
        # Somebody is still looking for something to add.
        return choose(kind)
    return _planned(kind, storing=False)


@bp.route(f"/{KIND}/bulk/apply", methods=["GET", "POST"])
@login_required
@drawn_again
def apply(kind: str) -> Any:
    """Do what was shown; where it would be something else by now, show that."""
    return _planned(kind, storing=DO not in request.form)


def _planned(kind: str, *, storing: bool) -> Any:
    resource = kind_at(kind)
    if request.method != "POST":
        # What was typed is gone with the form.
        return redirect(show.list_url(resource))
    actor = page_actor(resource)
    ids = _chosen(actor, resource)
    form = bulk_form(resource)(request.form)
    _offer(actor, resource, ids, form)
    try:
        edits = form.edits()
        plan = bulk.plan(actor, resource, ids, edits)
    except ValidationError as error:
        form_error = form.place(error.normalized_messages())
        return _choice(actor, resource, ids, form, form_error=form_error), 400
    if not storing:
        return _preview(resource, form, plan)
    try:
        done = bulk.apply(actor, resource, ids, edits, request.form.get("plan", ""))
    except (Changed, ValidationError) as error:
        plan = bulk.plan(actor, resource, ids, edits)
        return _preview(resource, form, plan, notice=_why(error)), 409
    flash_with_undo(f"{_counted(resource, done.records)} changed: {plan.words}.", done.change_id)
    return redirect(_list_url(resource))


def _why(error: Changed | ValidationError) -> str:
    """Why nothing was done of a plan that was good when it was shown."""
    if isinstance(error, Changed):
        return f"{error} This is what would change now."
    texts = " ".join(texts_in(error.normalized_messages())[:NAMED])
    return f"Nothing was stored. {texts}"


def _chosen(actor: Actor, resource: Resource) -> list[uuid.UUID]:
    """The records that are ticked, or all that the list showed; some may be for others to see."""
    if request.values.get("all"):
        return bulk.matching(actor, resource, MultiDict(pairs_of(_query())))
    return list(filter(None, map(as_id, request.values.getlist("ids"))))


def _query() -> str:
    """The list's own query, written anew: it came with the request."""
    return urlencode(pairs_of(request.values.get("query", "")))


def _list_url(resource: Resource) -> str:
    query = _query()
    return show.list_url(resource) + (f"?{query}" if query else "")


def _carried() -> list[tuple[str, str]]:
    """What says which records are chosen, from page to page."""
    if request.values.get("all"):
        return [("all", "1"), ("query", _query())]
    ids = [("ids", each) for each in request.values.getlist("ids") if as_id(each)]
    return [*ids, ("query", _query())]


def _offer(actor: Actor, resource: Resource, ids: list[uuid.UUID], form: BulkForm) -> None:
    """Give the form what can be added, and what there is to be removed."""
    choices.offer_lists(actor, resource, form)
    for name, field in bulk.editable(resource).items():
        held = bulk.held(actor, resource, ids, name).values()
        form.offer_held(actor, name, field, itertools.chain.from_iterable(held))


def _choice(
    actor: Actor,
    resource: Resource,
    ids: list[uuid.UUID],
    form: BulkForm,
    *,
    form_error: str = "",
) -> str:
    _offer(actor, resource, ids, form)
    named = finding.named(actor, resource, ids)
    names = [named[each] for each in ids if each in named]
    return render_template(
        "bulk/choose.html",
        resource=resource,
        title=f"Edit {_counted(resource, len(names))}",
        names=names[:NAMED],
        more=max(len(names) - NAMED, 0),
        missing=len(ids) - len(names),
        groups=form.groups,
        summary=form.summary,
        form_error=form_error,
        carried=_carried(),
        preview_url=url_for("bulk.preview", kind=resource.page.strip("/")),
        list_url=_list_url(resource),
    )


def _preview(resource: Resource, form: BulkForm, plan: bulk.Plan, *, notice: str = "") -> str:
    kind = resource.page.strip("/")
    return render_template(
        "bulk/preview.html",
        resource=resource,
        title=f"Change {_counted(resource, len(plan.changing))}?"
        if plan.changing
        else "Nothing would change",
        deeds=plan.words[:1].upper() + plan.words[1:] if plan.changing else plan.words,
        notice=notice,
        changing=[_row(plan, row) for row in plan.changing[:SHOWN]],
        refused=[_row(plan, row) for row in plan.refused[:SHOWN]],
        staying=[_row(plan, row) for row in plan.staying[:SHOWN]],
        counts={
            "changing": _counted(resource, len(plan.changing)),
            "refused": _counted(resource, len(plan.refused)),
            "staying": _counted(resource, len(plan.staying)),
        },
        more={
            "changing": len(plan.changing) - SHOWN,
            "refused": len(plan.refused) - SHOWN,
            "staying": len(plan.staying) - SHOWN,
        },
        many=len(plan.changing) >= 500,
        missing=plan.missing,
        several=len(plan.edits) > 1,
        hidden=[*_carried(), *form.sent(), ("plan", plan.fingerprint)],
        apply_url=url_for("bulk.apply", kind=kind),
        choose_url=url_for("bulk.choose", kind=kind),
        list_url=_list_url(resource),
    )


def _row(plan: bulk.Plan, row: bulk.Row) -> dict[str, Any]:
    """A record of the plan: its lists before and after, with marks at what goes and what comes."""
    fields = plan.resource.schema._declared_fields
    lists = []
    for name in plan.edits:
        before, after = row.before[name], row.after[name]
        if before == after and row.payload:
            continue
        lists.append(
            {
                "label": label_of(name, fields[name]),
                "before": [(plan.text(name, each), each not in after) for each in before],
                "after": [(plan.text(name, each), each not in before) for each in after],
            }
        )
    return {
        "title": row.title,
        "url": show.url_of(plan.resource, row.id),
        "lists": lists,
        "problems": " ".join(row.problems),
    }


def _counted(resource: Resource, number: int) -> str:
    return f"{number:,} {(resource.label if number == 1 else resource.labels).lower()}"
