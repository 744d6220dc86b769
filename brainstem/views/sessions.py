"""What a session's page has beyond every record's: the timeline of its epochs, and where its data is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, current_app, redirect, render_template, url_for
from flask_login import login_required
from werkzeug import Response
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, times
from brainstem.core.permissions import PUBLIC
from brainstem.core.query import MOST_PER_PAGE
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, label_of
from brainstem.views import additions, places, show, timeline
from brainstem.views.pages import page_actor

bp = Blueprint("sessions", __name__)

#: How many epochs are read; a session with more shows the first ones.
MOST_EPOCHS = 500


def _kind() -> Resource:
    return registry.get("session")


@additions.to_page("session")
def to_page(page: additions.Opened) -> dict[str, Any]:
    """The timeline with its table, the modules, the paths, and what is still missing."""
    tabs = [name for _, names in page.resource.tabs for name in names]
    by_tab = sorted(page.sections, key=lambda section: tabs.index(section["id"]))
    sections = {section["id"]: section for section in by_tab}
    epochs = sections.pop(registry.get("epoch").page.strip("/"), None)
    address = {"kind": page.resource.page.strip("/"), "record_id": page.wire["id"]}
    return {
        "fields": [each for each in page.fields if each["name"] != "datastorage"],
        "epochs": epochs and _epochs(page, epochs, list(sections.values())),
        "modules": [_listed(page, section) for section in sections.values()],
        "where": places.where(page.actor, page.wire, look=page.actor != PUBLIC),
        "missing": _missing(page) if page.deeds.get("edit_url") else [],
        "next_url": page.deeds.get("edit_url") and url_for("duplicate.ask", **address),
    }


def _missing(page: additions.Opened) -> list[dict[str, str]]:
    """What a session is not complete without, each with the way to add it."""
    adding = {section["id"]: section["add_url"] for section in page.sections}
    found = []
    for name in page.resource.wanted:
        if not page.wire[name]:
            label = label_of(name, page.resource.schema._declared_fields[name]).lower()
            url = adding.get(name) or f"{page.deeds['edit_url']}#{name}"
            found.append({"text": label, "url": url})
    return found


@bp.get("/sessions/<uuid:record_id>/where")
@login_required
def where(record_id: uuid.UUID) -> str:
    """The part of the page that says where the data is, for a page that waits for a check."""
    actor = page_actor()
    wire = finding.get(actor, _kind(), record_id).wire
    return render_template("sessions/_where.html", where=places.where(actor, wire))


@bp.post("/sessions/<uuid:record_id>/where")
@login_required
def look_again(record_id: uuid.UUID) -> Response:
    """Look anew whether the data is there."""
    actor = page_actor()
    wire = finding.get(actor, _kind(), record_id).wire
    places.look_again(actor, wire)
    return redirect(f"{show.url_of(_kind(), record_id)}#where")


# -- Modules and epochs ----------------------------------------------------------------------


def _listed(page: additions.Opened, section: dict[str, Any]) -> dict[str, Any]:
    """A section's records in a few words each."""
    kind = _kind_of(section)
    items = []
    for record in section["records"]:
        facts = [
            each
            for name, field in kind.schema.references()
            if name != kind.parents[0]
            for each in show.value(kind, name, field, record, section["names"])["items"]
        ]
        address = {"kind": section["id"], "record_id": record["id"]}
        items.append(
            {
                "text": kind.title(record[kind.handle]),
                "url": show.url_of(kind, record["id"]),
                "edit_url": page.deeds.get("edit_url") and url_for("forms.edit", **address),
                "facts": facts,
                "notes": show.plain_text(record["notes"]),
            }
        )
    return section | {"listed": items}


def _kind_of(section: dict[str, Any]) -> Resource:
    return next(each for each in registry if each.page == f"/{section['id']}")


def _epochs(
    page: additions.Opened, section: dict[str, Any], others: list[dict[str, Any]]
) -> dict[str, Any]:
    """The drawing of the epochs, and the same as a table."""
    records = section["records"]
    while len(records) < min(section["total"], MOST_EPOCHS):
        asked = MultiDict({"limit": str(MOST_PER_PAGE), "offset": str(len(records))})
        of = (page.resource, "epochs", uuid.UUID(page.wire["id"]))
        more = finding.find(page.actor, registry.get("epoch"), asked, of=of)
        if not more.sent:
            break
        records = records + [each.wire for each in more.sent]
    modules = [each for other in others for each in _modules(other)]
    names = {module.id: module for module in modules}
    kind = registry.get("epoch")
    held = [name for name, field in kind.schema.references() if not isinstance(field, Ref)]
    stretches, rows = [], []
    for record in records:
        ids = [each for name in held for each in record[name]]
        stretch = timeline.Stretch(
            name=record["name"],
            url=show.url_of(kind, record["id"]),
            start=_seconds(record["start"]),
            end=_seconds(record["end"]),
            modules=ids,
        )
        stretches.append(stretch)
        rows.append(_row(page, kind, record, stretch, [names[i] for i in ids if i in names]))
    in_epochs = {each for stretch in stretches for each in stretch.modules}
    return section | {
        "drawing": timeline.draw(stretches, modules, _clock(page.record.date_time)),
        "rows": rows,
        "zone": current_app.config["LAB_TIMEZONE"],
        "apart": [each for each in modules if stretches and each.id not in in_epochs],
    }


def _row(
    page: additions.Opened,
    kind: Resource,
    record: dict[str, Any],
    stretch: timeline.Stretch,
    modules: list[timeline.Module],
) -> dict[str, Any]:
    """An epoch's line in the table."""
    timed = stretch.start is not None and stretch.end is not None
    place = kind.page.strip("/")
    return {
        "name": record["name"],
        "url": stretch.url,
        "start": record["start"] or "",
        "end": record["end"] or "",
        "lasts": timeline.duration(stretch.end - stretch.start) if timed else "",
        "modules": modules,
        "notes": show.plain_text(record["notes"]),
        "edit_url": page.deeds.get("edit_url")
        and url_for("forms.edit", kind=place, record_id=record["id"]),
    }


def _modules(section: dict[str, Any]) -> Iterable[timeline.Module]:
    """The modules of a section of the page, as the timeline names them."""
    kind = _kind_of(section)
    for record in section["records"]:
        said = [
            section["names"][field.kind][record[name]]
            for name, field in kind.schema.references()
            if name != kind.parents[0]
            and isinstance(field, Ref)
            and record[name] in section["names"].get(field.kind, {})
        ]
        title = kind.title(record[kind.handle])
        yield timeline.Module(
            id=record["id"],
            kind=kind.name,
            kind_label=kind.label,
            label=f"{title}: {', '.join(said)}" if said else title,
            url=show.url_of(kind, record["id"]),
        )


def _seconds(text: str | None) -> float | None:
    """Seconds of `HH:MM:SS.ffffff` on the wire."""
    if text is None:
        return None
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _clock(onset: datetime | None) -> timeline.Clock | None:
    """The lab's clock, so many seconds after the onset."""
    if onset is None:
        return None

    def clock(seconds: float) -> datetime | None:
        try:
            return times.lab_time(onset + timedelta(seconds=seconds))
        except OverflowError:
            return None

    return clock
