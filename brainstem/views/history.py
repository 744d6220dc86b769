"""The history of a record and of a project, one change, and the ways back."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from marshmallow import ValidationError

from brainstem.core import finding, history, restoring
from brainstem.core.history import CREATE, DELETE, Revision
from brainstem.core.permissions import Actor, Right, may, require, right_to_change
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import texts_in
from brainstem.errors import Changed, NotFound, answer
from brainstem.extensions import db
from brainstem.imports import runs
from brainstem.records.users import User
from brainstem.views import activity, differences, show
from brainstem.views.pages import KIND, address_of, kind_at, page_actor
from brainstem.views.undo import flash_with_undo

bp = Blueprint("history", __name__)

#: The first part of an address: one of the kinds that hold roles of their own.
ROOT_KIND = address_of([kind for kind in registry if kind.page and kind.roles is not None])

#: So many changes stand on a page, and so many records of one change.
PER_PAGE, MOST_OF_CHANGE = 30, 200


@bp.get(f"/{KIND}/<uuid:record_id>/history")
@login_required
def record(kind: str, record_id: uuid.UUID) -> str:
    """Every change of a record that the user may see, also of one that was deleted."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    stored = db.session.get(resource.model, record_id)
    if stored is not None:
        require(actor, Right.READ, resource, record_id)
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**62:
        before = None
    found = history.of_record(actor, resource, record_id, before=before, limit=PER_PAGE + 1)
    if stored is None and not found:
        raise NotFound(f"There is no such {resource.words}.")
    revisions = found[:PER_PAGE]
    changeable = stored is None or may(actor, right_to_change(resource), resource, record_id)
    return render_template(
        "history/record.html",
        resource=resource,
        title=resource.called(stored) if stored else revisions[0].title,
        deleted=stored is None,
        version=stored.version if stored else "",
        back_url=show.url_of(resource, record_id) if stored else show.list_url(resource),
        entries=_told(actor, resource, revisions, newest=before is None),
        newest=before is None,
        older=len(found) > PER_PAGE and _here(before=revisions[-1].id),
        restorable=changeable and not resource.read_only,
        kind=kind,
        record_id=record_id,
    )


@bp.app_errorhandler(NotFound)
def not_found(error: NotFound) -> Any:
    """Where a record was that is deleted, whoever may see its history finds that."""
    if request.endpoint == "pages.detail" and current_user.is_authenticated:
        with suppress(NotFound):
            return record(**request.view_args), error.status
    return answer(error.status, str(error))


def _here(**changes: Any) -> str:
    """This page with other words in its address."""
    return url_for(request.endpoint, **request.view_args, **changes)


def _told(
    actor: Actor, resource: Resource, revisions: list[Revision], *, newest: bool
) -> list[dict[str, Any]]:
    """The revisions of one record: who and when, and what differs."""
    last = len(revisions) - 1
    who = activity.people(each.change.user_id for each in revisions)
    told = differences.of(actor, resource, revisions)
    return [
        activity.head(each.change, who)
        | {
            "revision": each.id,
            # A record is made once: what was made after something else was brought back.
            "deed": "restored"
            if each.action == CREATE and place < last
            else activity.DEEDS[each.action],
            "action": each.action,
            "fields": fields,
            "first": newest and place == 0,
        }
        for place, (each, fields) in enumerate(zip(revisions, told, strict=True))
    ]


@bp.post(f"/{KIND}/<uuid:record_id>/history/<int:revision_id>/restore")
@login_required
def restore(kind: str, record_id: uuid.UUID, revision_id: int) -> Any:
    """Give the record the state that it had after a revision."""
    resource = kind_at(kind)
    here = redirect(url_for("history.record", kind=kind, record_id=record_id))
    version = request.form.get("version", "")
    try:
        restored = restoring.restore(
            page_actor(resource),
            resource,
            record_id,
            revision_id,
            version=lambda stored: str(stored) == version,
        )
    except (ValidationError, Changed) as error:
        flash(f"Nothing was restored. {_reason(error)}", "danger")
        return here
    flash_with_undo(f"The earlier state was restored.{_left_out(restored)}", restored.change_id)
    return redirect(show.url_of(resource, record_id))


@bp.get("/changes/<uuid:change_id>")
@login_required
def change(change_id: uuid.UUID) -> str:
    """One change with all that it did, as far as the user may see it."""
    actor = page_actor()
    found = restoring.found(actor, change_id)
    wanted = [history.visible(actor)]
    revisions = history.revisions(found, wanted, MOST_OF_CHANGE + 1)
    shown = revisions[:MOST_OF_CHANGE]
    by_kind: dict[str, list[Revision]] = {}
    for each in shown:
        by_kind.setdefault(each.kind, []).append(each)
    groups = []
    for name, mine in by_kind.items():
        kind = registry.get(name)
        told = differences.of(actor, kind, mine)
        known = finding.named(actor, kind, [each.record_id for each in mine])
        groups.append(
            {
                "label": kind.labels,
                "items": [
                    {
                        "title": each.title,
                        "url": activity.url_of(kind, each.record_id, each.record_id in known),
                        "deed": activity.DEEDS[each.action],
                        "action": each.action,
                        "fields": fields,
                    }
                    for each, fields in zip(mine, told, strict=True)
                ],
            }
        )
    return render_template(
        "history/change.html",
        head=activity.head(found, activity.people([found.user_id])),
        groups=groups,
        more=len(revisions) > len(shown),
        most=MOST_OF_CHANGE,
        undone=found.undone_by_id is not None,
    )


@bp.post("/changes/<uuid:change_id>/undo")
@login_required
def undo(change_id: uuid.UUID) -> Any:
    """Take a whole change back."""
    actor = page_actor()
    if run_id := runs.of_change(actor, change_id):
        # Thousands of rows: its own page shows how far that is.
        return redirect(url_for("imports.undo", run_id=run_id), code=307)
    try:
        restored = restoring.undo(actor, change_id)
    except ValidationError as error:
        flash(f"This can’t be undone. {_reason(error)}", "danger")
        return redirect(url_for("history.change", change_id=change_id))
    flash_with_undo(f"Undone.{_left_out(restored)}", restored.change_id, button="Redo")
    return redirect(_place_of(actor, restored.change_id) or url_for("history.recent"))


def _place_of(actor: Actor, change_id: uuid.UUID | None) -> str | None:
    """Where one looks after an undo: at the record, where it was one; else at the kind's list."""
    if change_id is None:
        return None
    found = restoring.found(actor, change_id)
    records = history.revisions(found, [history.visible(actor), ~Revision.follows], 2)
    kind = registry.get(records[0].kind) if records else None
    if kind is None or not kind.page:
        return None
    if len(records) > 1 or records[0].action == DELETE:
        # The list as it was narrowed, where one comes from there.
        here, came = show.list_url(kind), urlsplit(request.referrer or "")
        return f"{here}?{came.query}" if came.path == here and came.query else here
    return show.url_of(kind, records[0].record_id)


@bp.get("/activity/")
@login_required
def recent() -> str:
    """What happened lately to everything that the user may read."""
    return _activity(page_actor(), "Activity", None)


@bp.get(f"/{ROOT_KIND}/<uuid:record_id>/activity")
@login_required
def of_root(kind: str, record_id: uuid.UUID) -> str:
    """What happened lately to a project, and to what is in it."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    require(actor, Right.READ, resource, record_id)
    name = finding.named(actor, resource, [record_id])[record_id]
    back = {"text": name, "url": show.url_of(resource, record_id)}
    return _activity(actor, f"Activity in “{name}”", back, root_id=record_id)


def _activity(
    actor: Actor, title: str, back: dict[str, str] | None, root_id: uuid.UUID | None = None
) -> str:
    chosen = {"user": as_id(request.args.get("user")), "deed": request.args.get("deed", "")}
    found = history.recent(
        actor,
        limit=PER_PAGE + 1,
        before=_moment(request.args.get("before", "")),
        root_id=root_id,
        user_id=chosen["user"],
        action=chosen["deed"] if chosen["deed"] in activity.DEEDS else "",
    )
    shown = found[:PER_PAGE]
    kept = {name: str(value) for name, value in chosen.items() if value}
    older = None
    if len(found) > PER_PAGE:
        older = _here(**kept, before=shown[-1][0].at.replace(tzinfo=None).isoformat())
    return render_template(
        "history/activity.html",
        title=title,
        back=back,
        entries=activity.entries(shown),
        users=[
            (str(user.id), user.name, user.id == chosen["user"])
            for user in history.authors(actor, User, root_id)
        ],
        deeds=[(deed, words, deed == chosen["deed"]) for deed, words in activity.DEEDS.items()],
        filtered=bool(kept or request.args.get("before")),
        here=request.path,
        older=older,
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment and moment.replace(tzinfo=UTC)


def _reason(error: ValidationError | Changed) -> str:
    texts = texts_in(error.messages) if isinstance(error, ValidationError) else [str(error)]
    return " ".join(texts)


def _left_out(restored: restoring.Restored) -> str:
    """What could not be named again: gone since, or not the user's to see."""
    count = len(restored.left_out)
    if not count:
        return ""
    what = "One record that it named is" if count == 1 else f"{count} records that it named are"
    return f" {what} gone or not yours to see, and left as it is."
