"""How what an operation did is put down: a change of its own, and a revision for each record."""

from __future__ import annotations

import uuid
from typing import Any, NamedTuple

from sqlalchemy import Table, bindparam, select, update

from brainstem.core.history.models import CHANGE, Change, Revision, change_root, revision_root
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.core.times import utcnow
from brainstem.core.transactions import at_the_end, execute, insert_into
from brainstem.extensions import db

CHANGES: Table = Change.__table__
REVISIONS: Table = Revision.__table__
LAST_REVISIONS = (
    select(REVISIONS.c.id)
    .where(REVISIONS.c.change_id == bindparam("change"))
    .order_by(REVISIONS.c.id.desc())
)


class Named(NamedTuple):
    """A record as a revision speaks of it."""

    id: uuid.UUID
    title: str
    version: int


def describe(summary: str) -> None:
    """Say in words what the operation that runs does: “Import of rats.csv”."""
    work = db.session.info["operation"]
    work["summary"] = summary[:300]
    if "change" in work:
        this = update(CHANGES).where(CHANGES.c.id == work["change"]["id"])
        db.session.execute(this.values(summary=work["summary"]))


def change_id() -> uuid.UUID | None:
    """The id of what the operation that runs, or else the last one, has changed; None for nothing."""
    work = db.session.info.get("operation", db.session.info.get("last", {}))
    return work["change"]["id"] if "change" in work else None


def noted(record_id: uuid.UUID) -> list[str]:
    """The fields that the operation that runs has changed of a record."""
    return db.session.info["operation"].get("noted", {}).get(record_id, [])


def note(
    actor: Actor,
    resource: Resource,
    named: Named,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    rooted: set[uuid.UUID],
    *,
    follows: bool = False,
) -> None:
    """Put down what was done to a record; `rooted` are those that it takes its rights from."""
    work, change = db.session.info["operation"], _change(actor)
    revision = {
        "change_id": change["id"],
        "kind": resource.name,
        "record_id": named.id,
        "title": named.title[:300],
        "action": action,
        "version": named.version,
        "follows": follows,
        "before": before,
        "after": after,
    }
    at_the_end(Revision, [(revision, rooted)], _add)
    if action == CHANGE:
        work.setdefault("noted", {})[named.id] = list(dict.fromkeys([*noted(named.id), *after]))
    if new := rooted - work.setdefault("roots", set()):
        work["roots"] |= new
        rows = [{"change_id": change["id"], "root_id": each, "at": change["at"]} for each in new]
        at_the_end(change_root, rows, lambda rows: execute(insert_into(change_root), rows))


def _add(revisions: list[tuple[dict[str, Any], set[uuid.UUID]]]) -> None:
    values = [revision for revision, _ in revisions]
    if len(values) == 1:
        ids = execute(insert_into(REVISIONS), values[0]).inserted_primary_key
    else:
        execute(insert_into(REVISIONS), values)
        # They are counted in the order in which a transaction writes them.
        last = LAST_REVISIONS.limit(len(values))
        ids = execute(last, {"change": values[0]["change_id"]}).scalars().all()[::-1]
    rows = [
        {"revision_id": made, "root_id": each}
        for made, (_, rooted) in zip(ids, revisions, strict=True)
        for each in rooted
    ]
    if rows:
        execute(insert_into(revision_root), rows)


def _change(actor: Actor) -> dict[str, Any]:
    """The change that the operation that runs is."""
    work = db.session.info["operation"]
    if "change" not in work:
        work["change"] = {
            "id": uuid.uuid4(),
            "at": utcnow(),
            "user_id": actor.user_id,
            "way": actor.way,
            "by": actor.by[:200],
            "summary": work.get("summary", ""),
        }
        execute(insert_into(CHANGES), work["change"])
    return work["change"]
