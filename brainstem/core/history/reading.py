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
    case,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from brainstem.core.history.models import DELETE, Change, Revision, change_root, revision_root
from brainstem.core.permissions import Actor, Role, allowed, made_once
from brainstem.core.resource import Resource, registry
from brainstem.core.sql import AT_MOST, WHICH, constant, is_among
from brainstem.extensions import db


def visible(actor: Actor) -> ColumnElement[bool]:
    """The revisions that an actor may see, as a condition.

    Whoever deleted a record that held its own roles goes on seeing that: nobody else can. What is still there
    must be one's to read now, and what is gone must have been when it went: it may have gone to a project
    of others in between.
    """
    held = _rooted(actor, Revision.id)
    own = and_(_of_root_deleted(), Revision.change.has(Change.user_id == actor.user_id))
    gone = aliased(Revision)
    last = select(func.max(gone.id)).where(
        gone.record_id == Revision.record_id, gone.action == DELETE
    )
    ended = _rooted(actor, last.correlate(Revision).scalar_subquery())
    now = func.coalesce(_readable_now(actor), or_(ended, own))
    return _visible(actor, and_(or_(held, own), now))


def _rooted(actor: Actor, revision_id: Any) -> ColumnElement[bool]:
    root = revision_root.alias().c
    return exists().where(root.revision_id == revision_id, _held(actor, root))


def _readable_now(actor: Actor) -> ColumnElement[bool]:
    """Whether the actor may read the record, asked of one revision after the other; NULL where it is gone."""
    kinds = []
    for kind in registry:
        there = select(literal(1)).where(kind.model.id == Revision.record_id).correlate(Revision)
        read = case((there.exists(), there.where(allowed(actor, kind)).exists()))
        kinds.append((Revision.kind == constant(kind.name), read))
    return case(*kinds)


def _visible_changes(actor: Actor) -> ColumnElement[bool]:
    """The changes of which the actor may see a revision, as a condition."""
    # By another name: a statement around it may speak of the table, too.
    root = change_root.alias().c
    deleted = select(Revision.id).where(Revision.change_id == Change.id, _of_root_deleted())
    held = select(root.change_id).where(root.change_id == Change.id, _held(actor, root))
    own = and_(Change.user_id == actor.user_id, _some(deleted))
    return _visible(actor, or_(_some(held), own))


def _some(rows: Select) -> ColumnElement[bool]:
    """`exists`, change by change: of that itself PostgreSQL first looks for all such changes, 0.1 s."""
    return rows.limit(1).correlate(Change).scalar_subquery().is_not(None)


def _visible(actor: Actor, rule: ColumnElement[bool]) -> ColumnElement[bool]:
    if actor.portal == "super":
        return true()
    if actor.portal == "public" or actor.user_id is None:
        return false()
    return rule


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
    changes = _recent(actor, *about, **asked, most=limit).all()
    seen, which = (actor, bool(root_id), bool(action)), {"root": root_id, "action": action}
    told: dict[uuid.UUID, list[Revision]] = {}
    for each in _first_of(*seen, **which, which={each.id for each, _ in changes}).scalars():
        told.setdefault(each.change_id, []).append(each)
    for each, large in changes:
        # Seldom: the first of many are nearly all about what one may not see.
        if large and len(told.get(each.id, ())) <= TOLD:
            told[each.id] = list(_told(*seen, **which, change=each.id).scalars())
    return [(each, _itself(told[each.id])) for each, _ in changes]


@made_once
def _recent(actor: Actor, root: bool, user: bool, before: bool, action: bool) -> Select:
    """The last changes, each with whether it has more revisions than `_first_of` looks at."""
    beyond = select(Revision.id).where(Revision.change_id == Change.id).offset(NEAR)
    statement = select(Change, _some(beyond)).where(_visible_changes(actor))
    at = Change.at
    if root:
        rooted = and_(change_root.c.change_id == Change.id, change_root.c.root_id == ROOT)
        statement, at = statement.join(change_root, rooted), change_root.c.at
    # All of it may be about what has gone to a project of others since.
    its = select(Revision.id).where(Revision.change_id == Change.id, *_shown(actor, root, action))
    statement = statement.where(_some(its))
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


def _itself(revisions: list[Revision]) -> list[Revision]:
    """What a change did by itself; where one may see but what followed from it, that."""
    return [each for each in revisions if not each.follows] or revisions


@made_once
def _told(actor: Actor, root: bool, action: bool) -> Select:
    """The first revisions of a change."""
    statement = select(Revision).where(
        Revision.change_id == OF_CHANGE, *_shown(actor, root, action)
    )
    return statement.order_by(Revision.follows, Revision.id).limit(TOLD + 1)


@made_once
def _first_of(actor: Actor, root: bool, action: bool) -> Select:
    """The first ones of many changes, of those that stand at the beginning of each: to ask for those of one
    change after the other took most of the time of the page that tells thirty."""
    near = aliased(Revision)
    first = select(near.id).where(near.change_id == Change.id).correlate(Change)
    first = first.order_by(near.follows, near.id).limit(NEAR)
    statement = select(Revision).join(Change, Change.id == Revision.change_id)
    statement = statement.where(is_among(Change.id, WHICH), Revision.id.in_(first))
    return statement.where(*_shown(actor, root, action)).order_by(Revision.follows, Revision.id)


#: So many records of one change are told, and whether there are more; an import has thousands.
TOLD = 5
#: Among so many of its first ones these are looked for.
NEAR = 20


def authors(actor: Actor, user: Any, root_id: uuid.UUID | None = None) -> list[Any]:
    """The users who changed something that the actor may see, by name; `user` is their model."""
    found = _authors(actor, user, bool(root_id), root=root_id).scalars()
    return sorted(found, key=lambda each: each.name)


@made_once
def _authors(actor: Actor, user: Any, root: bool) -> Select:
    seen = select(Revision.id).where(Revision.change_id == Change.id, visible(actor))
    theirs = [Change.user_id == user.id, _visible_changes(actor), _some(seen)]
    if root:
        its = change_root.alias().c
        theirs.append(exists().where(its.change_id == Change.id, its.root_id == ROOT))
    return select(user).where(exists().where(*theirs))


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
