"""Where a session's data is, as its page tells it: each storage, the paths to it, and what is there."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask import url_for
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, times
from brainstem.core.permissions import PUBLIC, Actor
from brainstem.core.query import MOST_PER_PAGE
from brainstem.core.resource import registry
from brainstem.core.sizes import size_text
from brainstem.core.transactions import if_possible
from brainstem.records import paths, storage_checks
from brainstem.records.storage_checks import StorageCheck
from brainstem.views import show

#: What is told of a data storage, or needed for that.
OF_STORAGES = frozenset({"id", "name", "location", "data_organization", "data_protocols"})


def where(actor: Actor, wire: dict[str, Any], *, look: bool = False) -> dict[str, Any]:
    """Each data storage in order, with the paths of its protocols; `look` begins checks that are due.

    The public sees paths alone: what the server finds in its folders is for those who signed in.
    """
    storages = _storages(actor, wire)
    reachable = _reachable(storages) if actor != PUBLIC else []
    if look and (due := storage_checks.due(reachable)):
        # The page is more urgent than the look, which the next one begins.
        with if_possible():
            storage_checks.start(storage_checks.claim(due))
    checks = storage_checks.known(reachable)
    for storage in storages:
        for protocol in storage["protocols"]:
            for place in protocol["paths"]:
                if place["text"] in reachable:
                    place["check"] = _check(checks.get(place["text"]))
    again = url_for("sessions.where", record_id=wire["id"]) if reachable else None
    busy = any(check.busy for check in checks.values())
    return {"storages": storages, "check_url": again, "busy": busy}


def look_again(actor: Actor, wire: dict[str, Any]) -> None:
    """Look anew at all of a session's paths that the server can reach."""
    storage_checks.start(storage_checks.claim(_reachable(_storages(actor, wire))))


def _storages(actor: Actor, wire: dict[str, Any]) -> list[dict[str, Any]]:
    kind, asked = registry.get("datastorage"), MultiDict({"limit": str(MOST_PER_PAGE)})
    of = (registry.get("session"), "datastorage", uuid.UUID(wire["id"]))
    found = finding.find(actor, kind, asked, of=of, only=OF_STORAGES)
    records = [each.wire for each in found.sent]
    levels = {row["elements"] for record in records for row in record["data_organization"]}
    known = _known(actor, wire, levels) if levels else {}
    return [
        {
            "name": record["name"],
            "url": show.url_of(kind, record["id"]),
            "location": record["location"],
            "nested": bool(record["data_organization"]),
            "protocols": [
                _protocol(record, row, known, f"path-{place}-{number}")
                for number, row in enumerate(record["data_protocols"])
            ],
        }
        for place, record in enumerate(records)
    ]


def _protocol(
    storage: dict[str, Any], row: dict[str, Any], known: dict[str, list[paths.Named]], html_id: str
) -> dict[str, Any]:
    levels = [each["elements"] for each in storage["data_organization"]]
    found, more = paths.candidates(row["path"], levels, known)
    return {
        "name": row["protocol"],
        "more": more,
        "paths": [
            {
                "id": f"{html_id}-{number}",
                "text": path.text,
                "missing": path.missing,
                "choice": path.choice,
                "href": path.text if _can_be_followed(path) else "",
                "spoken": ", ".join(
                    each for each in (storage["name"], row["protocol"], path.choice) if each
                ),
            }
            for number, path in enumerate(found)
        ],
    }


def _can_be_followed(path: paths.DataPath) -> bool:
    return not path.missing and path.text.lower().startswith(("http://", "https://", "ftp://"))


def _reachable(storages: list[dict[str, Any]]) -> list[str]:
    found = [
        place["text"]
        for storage in storages
        for protocol in storage["protocols"]
        for place in protocol["paths"]
        if not place["missing"] and storage_checks.reachable(place["text"])
    ]
    return list(dict.fromkeys(found))


def _known(actor: Actor, wire: dict[str, Any], levels: set[str]) -> dict[str, list[paths.Named]]:
    """What folders may be named after, by level; only what some storage asks for is looked up."""
    known = {"Sessions": [paths.Named(wire["id"], wire["name_used_in_storage"] or wire["name"])]}
    if wire["date_time"]:
        year = f"{times.lab_time(times.parse(wire['date_time'])).year:04}"
        known["Years"] = [paths.Named(year, year)]
    if "Projects" in levels:
        ids = [uuid.UUID(each) for each in wire["projects"]]
        names = finding.named(actor, registry.get("project"), ids)
        known["Projects"] = [paths.Named(str(each), names[each]) for each in ids if each in names]
    if "Collections" in levels:
        known["Collections"] = [
            paths.Named(each["id"], each["name"], {"Projects": frozenset([each["project"]])})
            for each in _all(actor, "collection", "sessions", [wire["id"]])
        ]
    if levels & {"Subjects", "Cohorts"}:
        subjects = _subjects(actor, wire)
        known["Subjects"] = [
            paths.Named(
                each["id"],
                each["name_used_in_storage"] or each["name"],
                {"Projects": frozenset(each["projects"])},
            )
            for each in subjects
        ]
    if "Cohorts" in levels and subjects:
        known["Cohorts"] = [
            paths.Named(
                each["id"],
                each["name"],
                {
                    "Projects": frozenset([each["project"]]),
                    "Subjects": frozenset(each["subjects"]),
                },
            )
            for each in _all(actor, "cohort", "subjects", [each["id"] for each in subjects])
        ]
    return known


def _all(actor: Actor, kind: str, field: str, ids: Iterable[str]) -> list[dict[str, Any]]:
    """The records of a kind where a field is one of the ids."""
    asked = MultiDict({"limit": str(MOST_PER_PAGE)})
    asked.setlist(f"filter{{{field}.in}}", list(ids))
    return [each.wire for each in finding.find(actor, registry.get(kind), asked).sent]


def _subjects(actor: Actor, wire: dict[str, Any]) -> list[dict[str, Any]]:
    """The subjects of the session's behaviors; else those of procedures that its other modules name."""
    asked, record_id = MultiDict({"limit": str(MOST_PER_PAGE)}), uuid.UUID(wire["id"])
    named = [("behaviors", "subjects"), ("dataacquisition", "procedures")]
    ids: list[str] = []
    for relation, field in [*named, ("manipulations", "procedures")]:
        if ids or not wire[relation]:
            continue
        _, page = finding.related(actor, registry.get("session"), record_id, relation, asked)
        ids = [each for record in page.sent for each in record.wire[field]]
        if ids and field == "procedures":
            found = _all(actor, "procedure", "id", dict.fromkeys(ids))
            ids = [record["subject"] for record in found if record["subject"]]
    ids = list(dict.fromkeys(ids))[:MOST_PER_PAGE]
    found = _all(actor, "subject", "id", ids) if ids else []
    return sorted(found, key=lambda record: ids.index(record["id"]))


def _check(row: StorageCheck | None) -> dict[str, Any]:
    """A check in words; `tone` is a class of its colour."""
    if row is None:
        return {"tone": "busy", "text": "Not looked at yet.", "when": "", "iso": "", "busy": False}
    shown = {"busy": row.busy, "when": "", "iso": ""}
    if row.checked:
        iso = times.utc_text(row.checked.replace(microsecond=0))
        shown |= {"when": show.moment(iso)[:16], "iso": iso}
    if row.busy:
        return shown | {"tone": "busy", "text": "Looking …"}
    if row.state != storage_checks.DONE:
        return shown | {"tone": "bad", "text": "The last look was not finished.", "when": ""}
    return shown | {"tone": TONES.get(row.outcome, "bad"), "text": _finding(row)}


TONES = {storage_checks.FOUND: "good"}

FINDINGS = {
    storage_checks.MISSING: "Not found.",
    storage_checks.OUTSIDE: "Not looked at: it leads out of the folders that the server may look into.",
    storage_checks.AWAY: "The disk or share is not connected to the server.",
    storage_checks.UNREADABLE: "The server may not read it.",
    storage_checks.FAILED: "It could not be looked at.",
}


def _finding(row: StorageCheck) -> str:
    if row.outcome != storage_checks.FOUND:
        return FINDINGS[row.outcome]
    size = size_text(row.size)
    if not row.folder:
        return f"There: a file of {size}."
    files = f"{row.files:,} {'file' if row.files == 1 else 'files'}"
    if row.partly:
        return f"There: at least {files}, {size}; not everything could be counted."
    return f"There: {files}, {size}." if row.files else "There, but without a file in it."
