"""Views of lists that people come back to: the words of a list's address, under a name of their own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Select, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped

from brainstem.core.operations import touch
from brainstem.core.permissions import Actor, made_once
from brainstem.core.resource import Resource
from brainstem.core.schemas import Row, Text, unstorable
from brainstem.core.transactions import operation
from brainstem.errors import NotFound, SignInRequired
from brainstem.extensions import db
from brainstem.records.base import Record, reference, text

MOST_NAME, MOST_QUERY = 100, 4_000
#: How many views somebody can save of one kind's list: they all stand above it.
MOST = 50


class SavedView(Record):
    """A list as somebody wants to see it again; `query` is what stands behind its `?`."""

    __tablename__ = "saved_view"
    __table_args__ = (UniqueConstraint("user_id", "kind", "name"),)

    user_id: Mapped[uuid.UUID] = reference("user", ondelete="CASCADE", index=False)
    kind: Mapped[str] = text(100)
    name: Mapped[str] = text(MOST_NAME)
    query: Mapped[str] = text(MOST_QUERY)


class ViewName(Row):
    """What a view is called."""

    name = Text(
        required=True,
        most=MOST_NAME,
        metadata={"help": "Only you see it. It keeps search, filters, columns and order."},
    )


def views_of(actor: Actor, resource: Resource) -> Sequence[Any]:
    """The views of a kind's list that the actor has saved, by name: `id`, `name`, `query`."""
    return _views(actor, resource).all()


@made_once
def _views(actor: Actor, resource: Resource) -> Select:
    mine = (SavedView.user_id == actor.user_id, SavedView.kind == resource.name)
    # Columns and no objects: nothing is done with them but to show them, and every list does.
    columns = (SavedView.id, SavedView.name, SavedView.query)
    return select(*columns).where(*mine).order_by(func.lower(SavedView.name), SavedView.name)


@operation
def save_view(actor: Actor, resource: Resource, payload: dict[str, Any], query: str) -> SavedView:
    """Keep the words of a list's address under a name."""
    if actor.user_id is None:
        raise SignInRequired("Sign in first.")
    name = _name(actor, resource.name, payload)
    if len(query) > MOST_QUERY or unstorable(query):
        raise ValidationError({"name": ["This view has more filters than can be kept."]})
    if len(views_of(actor, resource)) >= MOST:
        raise ValidationError({"name": [f"At most {MOST} views; delete one first."]})
    view = SavedView(user_id=actor.user_id, kind=resource.name, name=name, query=query)
    db.session.add(view)
    db.session.flush()
    return view


@operation
def rename_view(actor: Actor, view_id: uuid.UUID, payload: dict[str, Any]) -> SavedView:
    """Call one of the actor's views something else."""
    view = _own(actor, view_id)
    view.name = _name(actor, view.kind, payload, view.id)
    touch(view)
    return view


@operation
def delete_view(actor: Actor, view_id: uuid.UUID) -> str:
    """Forget one of the actor's views; what it was called."""
    view = _own(actor, view_id)
    db.session.delete(view)
    return view.name


def _name(actor: Actor, kind: str, payload: dict[str, Any], own: uuid.UUID | None = None) -> str:
    name = ViewName().load(payload)["name"]
    same = (SavedView.user_id == actor.user_id, SavedView.kind == kind, SavedView.name == name)
    found = db.session.scalar(select(SavedView.id).where(*same))
    if found not in (None, own):
        raise ValidationError({"name": ["You have a view of this name already."]})
    return name


def _own(actor: Actor, view_id: uuid.UUID) -> SavedView:
    view = db.session.get(SavedView, view_id)
    if view is None or view.user_id != actor.user_id:
        raise NotFound("There is no such view.")
    return view
