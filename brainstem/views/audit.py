"""The audit log for administrators: a page, and a file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_login import current_user, login_required

from brainstem.core.permissions import Actor
from brainstem.core.resource import as_id, registry
from brainstem.core.spreadsheets import guarded
from brainstem.core.times import lab_time, utc_text
from brainstem.extensions import db
from brainstem.records import audit, audit_reading, users
from brainstem.records.audit import AuditEvent, Event
from brainstem.records.audit_reading import Asked
from brainstem.views.activity import WAYS
from brainstem.views.lists import downloads

bp = Blueprint("audit", __name__, url_prefix="/audit")

PER_PAGE = 50

#: What is said of each event.
LABELS = {
    Event.SIGN_IN: "Signed in",
    Event.SIGN_IN_FAILED: "Failed to sign in",
    Event.SIGN_IN_BLOCKED: "Blocked for a while",
    Event.SIGN_OUT: "Signed out",
    Event.PASSWORD_CHANGED: "Changed a password",
    Event.USER_ADDED: "Added a user",
    Event.USER_CHANGED: "Changed a user",
    Event.TOKEN_MADE: "Made a token",
    Event.TOKEN_REVOKED: "Revoked a token",
    Event.DEVICE_APPROVED: "Let a program in",
    Event.DEVICE_DENIED: "Turned a program away",
    Event.RIGHTS_CHANGED: "Changed rights",
    Event.PUBLISHED: "Published",
    Event.UNPUBLISHED: "Made private again",
    Event.EXPORT: "Downloaded",
    Event.BACKUP: "Made a backup",
    Event.RESTORE: "Restored a backup",
    Event.AUDIT_READ: "Read this log",
}
#: What somebody should look at.
ALARMING = frozenset({Event.SIGN_IN_BLOCKED, Event.SIGN_IN_FAILED})
#: Details that are said in words of their own.
STANDINGS = {
    ("is_admin", True): "administrator",
    ("is_admin", False): "no administrator",
    ("is_active", True): "can sign in again",
    ("is_active", False): "can’t sign in any more",
    ("read_only", True): "read only",
    ("read_only", False): "",
}

COLUMNS = (
    "time",
    "event",
    "user",
    "way",
    "token",
    "address",
    "target_kind",
    "target_id",
    "details",
    "request_id",
)


@bp.get("/")
@login_required
def index() -> str:
    """What happened, the last first."""
    actor, asked = _actor(), _asked()
    users.require_administrator(actor)
    audit_reading.note_reading(actor)
    before = request.args.get("before", type=int)
    if before is not None and not 0 < before < 2**62:
        before = None
    events = audit_reading.found(actor, asked, limit=PER_PAGE + 1, before=before)
    shown = events[:PER_PAGE]
    everybody = _names()
    words = {
        "person": asked.person and str(asked.person),
        "event": asked.event and asked.event.value,
        "day": asked.day and asked.day.isoformat(),
    }
    older = url_for("audit.index", **words, before=shown[-1].id) if len(events) > PER_PAGE else ""
    return render_template(
        "audit.html",
        entries=[_entry(each, everybody) for each in shown],
        people=[(str(i), name, i == asked.person) for i, name in _by_name(everybody)],
        events=[(each.value, LABELS[each], each is asked.event) for each in Event],
        day=words["day"] or "",
        filtered=any(words.values()),
        newest_url=url_for("audit.index", **words) if before else "",
        older=older,
        download_url=url_for("audit.download", **words),
    )


@bp.get("/download.csv")
@login_required
def download() -> Response:
    """The events that the page shows, on all of its pages, as a file."""
    actor, asked = _actor(), _asked()
    users.require_administrator(actor)
    query = request.query_string.decode("utf-8", "replace")[:1000]
    audit.note(Event.EXPORT, actor, what="the audit log", format="csv", query=query)
    return downloads.as_file(_csv(actor, asked), "audit", "csv")


def _csv(actor: Actor, asked: Asked) -> Iterator[str]:
    yield downloads.BYTE_ORDER_MARK + downloads.csv_lines([COLUMNS])
    addresses = {user.id: user.email for user in _everybody()}
    for events in audit_reading.every(actor, asked):
        yield downloads.csv_lines(
            [[guarded(str(cell)) for cell in _cells(each, addresses)] for each in events]
        )


def _cells(event: AuditEvent, addresses: dict[uuid.UUID, str]) -> Iterable[Any]:
    return (
        utc_text(event.at),
        event.event,
        addresses.get(event.user_id, event.user_id or ""),
        event.way,
        event.by,
        event.address,
        event.target_kind,
        event.target_id or "",
        json.dumps(event.details, ensure_ascii=False),
        event.request_id,
    )


def _actor() -> Actor:
    return Actor(current_user.id, way="page")


def _asked() -> Asked:
    """What the address asks for; what makes no sense in it is left out, as on a page that was never asked."""
    args = request.args
    try:
        day = date.fromisoformat(args.get("day", ""))
    except ValueError:
        day = None
    # The days at either end of the calendar have no midnight in every time zone.
    if day is not None and not 1900 < day.year < 9000:
        day = None
    known = args.get("event") in {each.value for each in Event}
    return Asked(as_id(args.get("person")), Event(args["event"]) if known else None, day)


def _everybody() -> list[users.User]:
    return list(db.session.scalars(db.select(users.User)))


def _names() -> dict[uuid.UUID, str]:
    """Everybody's name, also of those who have left; with the address, where names are the same."""
    everybody = _everybody()
    names = [user.name for user in everybody]
    return {
        user.id: user.name if names.count(user.name) == 1 else f"{user.name} ({user.email})"
        for user in everybody
    }


def _by_name(names: dict[uuid.UUID, str]) -> list[tuple[uuid.UUID, str]]:
    return sorted(names.items(), key=lambda each: (each[1].lower(), each[0]))


def _entry(event: AuditEvent, names: dict[uuid.UUID, str]) -> dict[str, Any]:
    """A row of the page."""
    what = Event(event.event) if event.event in set(Event) else None
    if event.user_id is None:
        who = "A command on the server" if event.way == "command" else "Somebody not signed in"
    else:
        who = names.get(event.user_id, "Somebody who is gone")
    way = f"with the token “{event.by}”" if event.by else WAYS.get(event.way, "")
    # That somebody signs in with a browser goes without saying.
    way = "" if event.way == "page" or (event.user_id is None and event.way == "command") else way
    return {
        "when": f"{lab_time(event.at):%Y-%m-%d %H:%M:%S}",
        "iso": utc_text(event.at),
        "who": who,
        "way": way,
        "what": LABELS.get(what, event.event),
        "alarming": what in ALARMING,
        "about": _about(event, names),
        "address": event.address,
    }


def _about(event: AuditEvent, names: dict[uuid.UUID, str]) -> str:
    """What it was about, in words: “ben@lab.org: administrator”."""
    left = dict(event.details)
    name, record = left.pop("name", ""), left.pop("record", "")
    kind, parting = registry.get(event.target_kind), ", "
    about = f"“{name}”" if name else ""
    if record:
        about = f"{kind.words if kind else event.target_kind} “{record}”"
    elif event.event == Event.EXPORT.value and kind is not None:
        about, parting = kind.labels.lower(), " "
    elif event.target_kind == "user":
        parting = ": "
        # Whoever changes something of their own is named beside it.
        own = event.target_id == event.user_id
        about = "" if own else names.get(event.target_id, name or "Somebody who is gone")
    if "holder" in left:
        holder, _ = left.pop("holder"), left.pop("id")
        was, now = (left.pop(each) or "nothing" for each in ("was", "now"))
        whose = f"the group {name}" if holder == "group" else name
        about = f"{whose}: {was} → {now}, on the {about}"
    words = ", ".join(filter(None, map(_word, left.items())))
    return parting.join(filter(None, [about, words]))


def _word(detail: tuple[str, Any]) -> str:
    name, value = detail
    if isinstance(value, bool) and (name, value) in STANDINGS:
        return STANDINGS[name, value]
    match name:
        case "what" if value in _WRONG:
            return f"{value} was wrong"
        case "blocked":
            return "blocked is the " + " and the ".join(value)
        case "query":
            return f"of {value}" if value else ""
        case "format":
            return f"as {str(value).upper()}"
        case "what" | "how" | "browser":
            return str(value)
    return f"{name}: {value}"


#: What somebody may have got wrong.
_WRONG = {"a password", "the current password", "the set-up code", "the code of a program"}
