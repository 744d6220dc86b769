"""A record's parts: the records of a relation that stands on one of its tabs (`Resource.tabs`), and that are
deleted with it. What there are, and what somebody wants of them; `whole.save` does that.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from brainstem.core import finding, history
from brainstem.core.permissions import Actor
from brainstem.core.query import Query
from brainstem.core.reading import Sent
from brainstem.core.resource import Resource
from brainstem.extensions import db


@dataclass(frozen=True)
class Relation:
    """Parts of one kind: the record's relation that names them, and theirs that names the record."""

    name: str
    kind: Resource
    home: str


def parts_of(resource: Resource) -> list[Relation]:
    """The relations whose records are parts, in an order in which they can be made."""
    names = {field.kind: name for name, field in resource.schema.references()}
    shown = {name for _, on_tab in resource.tabs for name in on_tab}
    found = [
        Relation(names[kind.name], kind, home)
        for kind, home in history.taken_along(resource)
        if names.get(kind.name) in shown
    ]
    return sorted(found, key=lambda each: len(named_by(each, found)))


def named_by(relation: Relation, relations: list[Relation]) -> list[str]:
    """The fields of a kind of part that name other parts of the same record."""
    kinds = {each.kind.name for each in relations}
    return [name for name, field in relation.kind.schema.references() if field.kind in kinds]


@dataclass
class Part:
    """What somebody wants of one part.

    `version` is the one that she saw, None for a part that is new. Of one that is stored, `payload` has
    what she changed; without any it is left alone.
    """

    id: uuid.UUID
    payload: dict[str, Any] = field(default_factory=dict)
    version: int | None = None
    removed: bool = False


@dataclass
class Parts:
    """The parts of one relation, in the order in which they shall stand.

    What is not among them stays as it is. `seen` is the order as it was shown; `arranged` says whether
    it was changed, or new ones put between.
    """

    parts: list[Part] = field(default_factory=list)
    seen: list[uuid.UUID] = field(default_factory=list)
    arranged: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything is wanted at all."""
        new = any(part.version is None and not part.removed for part in self.parts)
        return new or self.arranged or any(part.payload or part.removed for part in self.parts)


def stored_parts(
    actor: Actor, resource: Resource, record_id: uuid.UUID, relation: Relation, most: int
) -> tuple[list[Sent], int]:
    """The first `most` parts of a record that the actor may read, in their order, and how many there are."""
    of = (resource, relation.name, record_id)
    page = finding.find(actor, relation.kind, Query(limit=most), of=of)
    return page.sent, page.total


def state_of(resource: Resource, record: Any) -> str:
    """In which state a record is, with all that would be deleted with it: another one where anybody changed,
    added or removed something."""
    found: list[Any] = [record.version]
    for kind, home in history.taken_along(resource):
        model = kind.model
        number = func.count(), func.sum(model.version), func.max(model.updated_date)
        found += db.session.execute(
            select(*number).where(getattr(model, f"{home}_id") == record.id)
        ).one()
    return "/".join(map(str, found))
