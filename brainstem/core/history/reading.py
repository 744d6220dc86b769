"""What the history tells, and to whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    exists,
    false,
    or_,
    select,
    true,
)

from brainstem.core.history.models import DELETE, Change, Revision, change_root, revision_root
from brainstem.core.permissions import Actor, Role, made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.sql import AT_MOST
from brainstem.extensions import db


def visible(actor: Actor) -> ColumnElement[bool]:
    """The revisions that an actor may see, as a condition.

    Whoever deleted a record that held its own roles goes on seeing that: nobody else can.
    """
    root = revision_root.c
    own = and_(_of_root_deleted(), Revision.change.has(Change.user_id == actor.user_id))
    return _visible(actor, exists().where(root.revision_id == Revision.id, _held(actor, root)), own)


def _visible_changes(actor: Actor) -> ColumnElement[bool]:
    """The changes of which the actor may see a revision, as a condition."""
    # By another name: a statement around it may speak of the table, too.
    root = change_root.alias().c
    deleted = select(Revision.id).where(Revision.change_id == Change.id, _of_root_deleted())
    held = select(root.change_id).where(root.change_id == Change.id, _held(actor, root))
    own = and_(Change.user_id == actor.user_id, _some(deleted))
    return _visible(actor, _some(held), own)


def _some(rows: Select) -> ColumnElement[bool]:
    """`exists`, change by change: of that itself PostgreSQL first looks for all such changes, 0.1 s."""
    return rows.limit(1).correlate(Change).scalar_subquery().is_not(None)


def _visible(
    actor: Actor, through: ColumnElement[bool], own: ColumnElement[bool]
) -> ColumnElement[bool]:
    if actor.portal == "super":
        return true()
    if actor.portal == "public" or actor.user_id is None:
        return false()
    return or_(through, own)


def _held(actor: Actor, root: Any) -> ColumnElement[bool]:
    kinds = [kind for kind in registry if kind.roles is not None]
    return or_(*(root.root_id.in_(kind.roles.held(actor.user_id, Role.MEMBER)) for kind in kinds))


def _of_root_deleted() -> ColumnElement[bool]:
    kinds = [kind.name for kind in registry if kind.roles is not None]
    return and_(Revision.action == DELETE, Revision.kind.in_(kinds))


def of_record(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    *,
    before: int | None = None,
    limit: int | None = None,
) -> list[Revision]:
    """The revisions of one record that the actor may see, the last first; those `before` one of them."""
    statement = select(Revision).where(
        Revision.kind == resource.name, Revision.record_id == record_id, visible(actor)
    )
    if before is not None:
        statement = statement.where(Revision.id < before)
    return list(db.session.scalars(statement.order_by(Revision.id.desc()).limit(limit)))


def gone(actor: Actor, resource: Resource, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """What deleted records were called that the actor might read, by id."""
    there = exists().where(resource.model.id == Revision.record_id)
    statement = select(Revision.record_id, Revision.title).where(
        Revision.kind == resource.name,
        Revision.record_id.in_(list(ids)),
        Revision.action == DELETE,
        ~there,
        visible(actor),
    )
    return dict(db.session.execute(statement.order_by(Revision.id)).all())


def recent(
    actor: Actor,
    *,
    limit: int = 20,
    before: datetime | None = None,
    root_id: uuid.UUID | None = None,
    user_id: uuid.UUID | None = None,
    action: str = "",
) -> list[tuple[Change, list[Revision]]]:
    """The last changes with the first of their revisions that the actor may see.

    `before` goes on where a list ended; `root_id` keeps to what takes its rights from one record.
    """
    asked = {"root": root_id, "user": user_id, "before": before, "action": action}
    about = [bool(each) for each in asked.values()]
    changes = _recent(actor, *about, **asked, most=limit).scalars().all()
    seen = (actor, bool(root_id), bool(action))
    return [(each, _told(*seen, root=root_id, action=action, change=each.id)) for each in changes]


@made_once
def _recent(actor: Actor, root: bool, user: bool, before: bool, action: bool) -> Select:
    statement = select(Change).where(_visible_changes(actor))
    at = Change.at
    if root:
        rooted = and_(change_root.c.change_id == Change.id, change_root.c.root_id == ROOT)
        statement, at = statement.join(change_root, rooted), change_root.c.at
    if action:
        shown = _shown(actor, root, action)
        statement = statement.where(exists().where(Revision.change_id == Change.id, *shown))
    if before:
        statement = statement.where(at < bindparam("before", type_=Change.at.type))
    if user:
        statement = statement.where(Change.user_id == bindparam("user", type_=Uuid()))
    return statement.order_by(at.desc(), Change.id).limit(AT_MOST)


#: What a statement asks for: a record that others take their rights from, and a change.
ROOT, OF_CHANGE = bindparam("root", type_=Uuid()), bindparam("change", type_=Uuid())


def _shown(actor: Actor, root: bool, action: bool) -> list[ColumnElement[bool]]:
    """The revisions that the actor may see, of one root, of one action, as conditions."""
    shown = [visible(actor)]
    if root:
        its = revision_root.c
        shown.append(exists().where(its.revision_id == Revision.id, its.root_id == ROOT))
    if action:
        shown.append(Revision.action == bindparam("action", type_=String()))
    return shown


def _told(*about: Any, **values: Any) -> list[Revision]:
    """What a change did by itself; where one may see but what followed from it, that."""
    values["most"] = TOLD + 1
    found = _revisions(*about, True, **values).scalars().all()
    return list(found or _revisions(*about, False, **values).scalars())


@made_once
def _revisions(actor: Actor, root: bool, action: bool, itself: bool) -> Select:
    shown = [*_shown(actor, root, action), *([~Revision.follows] if itself else [])]
    statement = select(Revision).where(Revision.change_id == OF_CHANGE, *shown)
    return statement.order_by(Revision.id).limit(AT_MOST)


#: So many records of one change are told, and whether there are more; an import has thousands.
TOLD = 5


def authors(actor: Actor, user: Any, root_id: uuid.UUID | None = None) -> list[Any]:
    """The users who changed something that the actor may see, by name; `user` is their model."""
    theirs = [Change.user_id == user.id, _visible_changes(actor)]
    if root_id is not None:
        root = change_root.alias().c
        theirs.append(exists().where(root.change_id == Change.id, root.root_id == root_id))
    changed = exists().where(*theirs)
    found = db.session.scalars(select(user).where(changed))
    return sorted(found, key=lambda each: each.name)


def revisions(change: Change, wanted: Sequence[ColumnElement[bool]], most: int) -> list[Revision]:
    """The first revisions of a change that fit."""
    statement = select(Revision).where(Revision.change_id == change.id, *wanted)
    return list(db.session.scalars(statement.order_by(Revision.id).limit(most)))


def changed_by(actor: Actor, resource: Resource, user_id: uuid.UUID) -> ColumnElement[bool]:
    """The records of a kind that somebody has changed as far as the actor sees, as a condition."""
    statement = (
        select(Revision.record_id)
        .join(Change, Change.id == Revision.change_id)
        .where(Change.user_id == user_id, Revision.kind == resource.name, visible(actor))
    )
    return resource.model.id.in_(statement)
