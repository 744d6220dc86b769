"""What somebody can choose from where a field names other records: never more of it than a page can hold."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    false,
    null,
    or_,
    select,
)

from brainstem.core.permissions import Actor, Right, allowed, made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, TagList
from brainstem.core.sql import AT_MOST, WHICH, fold, is_among, position_of

#: So many choices a field has in the page itself, and so many a search finds.
MOST = 50


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
    ids: Iterable[uuid.UUID] | None = None,
    of: uuid.UUID | None = None,
    containing: str = "",
    most: int | None = None,
) -> Choices:
    """Records on which the actor holds a right: those of one parent (`of`), or those whose name, or
    whose parent's name, contains each of some words; or, however many, those of some `ids`.

    Where names repeat from one parent to the next, each one's parent is told, unless `of` says it.
    """
    home, most = home_of(resource), most or MOST
    if ids is not None:
        shown, more = _of_ids(actor, resource, right, which=ids).all(), False
    else:
        words = containing.split()
        values = {f"word_{place}": word for place, word in enumerate(words)}
        about = (actor, resource, right, home is not None and of is not None, len(words))
        rows = _found(*about, of=of, most=most + 1, **values).all()
        shown, more = rows[:most], len(rows) > most
    parents = {}
    if home and of is None and shown:
        parents = choices(actor, home[1], ids={row[2] for row in shown}).names
    names = {}
    for row in shown:
        title, parent = resource.title(row[1]), home and parents.get(row[2])
        names[row[0]] = f"{title} · {parent}" if parent else title
    return Choices(names, more)


def _columns(actor: Actor, resource: Resource, right: Right) -> Select:
    """The id, the name and the parent of what the actor holds a right on, in the order of the names."""
    model, home = resource.model, home_of(resource)
    handle = getattr(model, resource.handle)
    columns = [model.id, handle, getattr(model, f"{home[0]}_id") if home else null()]
    found = select(*columns).where(allowed(actor, resource, right))
    return found.order_by(handle, model.id)


@made_once
def _of_ids(actor: Actor, resource: Resource, right: Right) -> Select:
    return _columns(actor, resource, right).where(is_among(resource.model.id, WHICH))


@made_once
def _found(actor: Actor, resource: Resource, right: Right, of: bool, words: int) -> Select:
    """The first `most` that belong to `of`, and have each of so many words, `word_0`, `word_1`, …"""
    home, statement = home_of(resource), _columns(actor, resource, right)
    if of:
        parent = getattr(resource.model, f"{home[0]}_id")
        statement = statement.where(parent == bindparam("of", type_=Uuid()))
    for place in range(words):
        word = bindparam(f"word_{place}", type_=String())
        statement = statement.where(_contains(actor, resource, home, word))
    return statement.limit(AT_MOST)


def _contains(
    actor: Actor, resource: Resource, home: tuple[str, Resource] | None, word: Any
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


def has_tags(resource: Resource) -> bool:
    """Whether records of a kind have tags."""
    return any(isinstance(each, TagList) for each in resource.schema._declared_fields.values())


def tags(resource: Resource, containing: str = "") -> tuple[list[str], bool]:
    """The first tags with a text in them, and whether there are more: all users share them."""
    rows = _tags(resource, text=containing.strip(), most=MOST + 1).scalars().all()
    return list(rows[:MOST]), len(rows) > MOST


@made_once
def _tags(resource: Resource) -> Select:
    declared = resource.schema._declared_fields
    name = next(each for each, field in declared.items() if isinstance(field, TagList))
    tag = getattr(resource.model, name).entity.class_.name
    text = bindparam("text", type_=String())
    holding = or_(text == "", position_of(fold(tag), fold(text)) > 0)
    return select(tag).where(holding).order_by(tag).limit(AT_MOST)
