"""Changes as sentences: who did what to which records, when and in which way."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask import url_for
from sqlalchemy import Select, select

from brainstem.core import history
from brainstem.core.history import CHANGE, Change, Revision
from brainstem.core.permissions import made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import label_of
from brainstem.core.sql import WHICH, is_among
from brainstem.core.times import utc_text
from brainstem.records.users import User
from brainstem.views import show

DEEDS = {"create": "created", "change": "changed", "delete": "deleted"}
WAYS = {"page": "in the browser", "api": "through the API", "command": "by a command"}

Entry = dict[str, Any]


def entries(found: Iterable[tuple[Change, list[Revision]]]) -> list[Entry]:
    """The changes as `history.recent` gives them, ready to be drawn."""
    found = list(found)
    who = people(change.user_id for change, _ in found)
    there = _existing(revision for _, revisions in found for revision in revisions)
    return [_entry(change, revisions, who, there) for change, revisions in found]


def head(change: Change, who: dict[uuid.UUID, str]) -> Entry:
    """Who made a change, when and how."""
    way = f"with the token “{change.by}”" if change.by else WAYS.get(change.way, "")
    return {
        "id": change.id,
        "who": who.get(change.user_id, "Somebody"),
        "when": show.moment(utc_text(change.at)),
        "iso": utc_text(change.at),
        "way": way,
        "summary": change.summary,
        "url": url_for("history.change", change_id=change.id),
    }


def people(ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID, str]:
    """The names of users."""
    wanted = {each for each in ids if each}
    return {user.id: user.name for user in _users(which=wanted).scalars()} if wanted else {}


@made_once
def _users() -> Select:
    return select(User).where(is_among(User.id, WHICH))


def _entry(
    change: Change,
    revisions: list[Revision],
    who: dict[uuid.UUID, str],
    there: set[uuid.UUID],
) -> Entry:
    told = revisions[: history.TOLD]
    actions = {each.action for each in revisions}
    one = DEEDS[next(iter(actions))] if len(actions) == 1 else ""
    fields = _fields(told[0]) if len(revisions) == 1 and told[0].action == CHANGE else []
    return head(change, who) | {
        "deed": one or "changed",
        "fields": fields,
        "items": [_item(each, there, apart=not one) for each in told],
        "more": len(revisions) > len(told),
        "undone": change.undone_by_id is not None,
    }


def _fields(revision: Revision) -> list[str]:
    declared = registry.get(revision.kind).schema._declared_fields
    return [label_of(name, declared[name]) for name in revision.before if name in declared]


def _item(revision: Revision, there: set[uuid.UUID], *, apart: bool) -> Entry:
    """A record; where the deeds of a change differ, with what was done to it `apart` from being changed."""
    kind = registry.get(revision.kind)
    return {
        "kind": kind.words,
        "text": revision.title,
        "url": url_of(kind, revision.record_id, revision.record_id in there),
        "deed": DEEDS[revision.action] if apart and revision.action != CHANGE else "",
    }


def url_of(kind: Resource, record_id: uuid.UUID, there: bool) -> str:
    """The page of a record, or of its history where the record is gone."""
    if not kind.page:
        return ""
    if there:
        return show.url_of(kind, record_id)
    return url_for("history.record", kind=kind.page.strip("/"), record_id=record_id)


def _existing(revisions: Iterable[Revision]) -> set[uuid.UUID]:
    ids: dict[str, set[uuid.UUID]] = {}
    for each in revisions:
        ids.setdefault(each.kind, set()).add(each.record_id)
    found: set[uuid.UUID] = set()
    for kind, wanted in ids.items():
        found.update(_there(registry.get(kind), which=wanted).scalars())
    return found


@made_once
def _there(resource: Resource) -> Select:
    return select(resource.model.id).where(is_among(resource.model.id, WHICH))
