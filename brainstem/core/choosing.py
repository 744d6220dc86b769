"""What somebody can choose from where a field names other records: never more of it than a page can hold."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, and_, false, or_, select

from brainstem.core.permissions import Actor, Right, allowed
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref
from brainstem.core.sql import fold, position_of
from brainstem.extensions import db


@dataclass
class Choices:
    """Names by id, in their order; `more` says that there are others."""

    names: dict[uuid.UUID, str]
    more: bool = False


def home_of(resource: Resource) -> tuple[str, Resource] | None:
    """The relation and the kind on whose pages this kind is found; None for one in the navigation."""
    if resource.nav or len(resource.parents) != 1:
        return None
    (name,) = resource.parents
    field = resource.schema._declared_fields[name]
    return (name, registry.get(field.kind)) if isinstance(field, Ref) else None


def choices(
    actor: Actor,
    resource: Resource,
    right: Right = Right.READ,
    *,
    ids: list[uuid.UUID] | None = None,
    of: uuid.UUID | None = None,
    containing: str = "",
    most: int | None = None,
) -> Choices:
    """Records on which the actor holds a right: those of one parent (`of`), or those whose name, or
    whose parent's name, contains each of some words.

    Where names repeat from one parent to the next, each one's parent is told, unless `of` says it.
    """
    model, home = resource.model, home_of(resource)
    handle = getattr(model, resource.handle)
    columns: list[Any] = [model.id, handle]
    rules = [allowed(actor, resource, right)]
    if home:
        columns.append(getattr(model, f"{home[0]}_id"))
        if of is not None:
            rules.append(columns[-1] == of)
    if ids is not None:
        rules.append(model.id.in_(ids))
    rules += [_contains(actor, resource, home, word) for word in containing.split()]
    statement = select(*columns).where(*rules).order_by(handle, model.id)
    rows = db.session.execute(statement.limit(most and most + 1)).all()
    shown = rows[:most]
    parents = {}
    if home and of is None and shown:
        parents = choices(actor, home[1], ids=list({row[2] for row in shown})).names
    names = {}
    for row in shown:
        title, parent = resource.title(row[1]), home and parents.get(row[2])
        names[row[0]] = f"{title} · {parent}" if parent else title
    return Choices(names, len(rows) > len(shown))


def _contains(
    actor: Actor, resource: Resource, home: tuple[str, Resource] | None, word: str
) -> ColumnElement[bool]:
    """Whether the name of a record, or of its parent as far as the actor may read it, has a word in it."""
    handle = getattr(resource.model, resource.handle)
    found = [false()]
    if isinstance(handle.type, String):
        found.append(position_of(fold(handle), fold(word)) > 0)
    if home:
        name, parent = home
        relation = getattr(resource.model, name)
        found.append(
            relation.has(
                and_(allowed(actor, parent), _contains(actor, parent, home_of(parent), word))
            )
        )
    return or_(*found)
