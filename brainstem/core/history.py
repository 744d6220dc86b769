"""What was changed, by whom and when: written in the transaction of the change itself.

A `Change` is all that one operation did, an import of a thousand rows as much as a corrected typing error.
It has a `Revision` for each record: the fields that differ, before and after, on the wire; of a new
record all of them after, of a deleted one all of them before. So the present state and the revisions
since give every earlier state, and `core/restoring.py` can go back to it.

Who may see a revision: who may read one of the records that it took its rights from (a session's
projects, say), kept as its roots, for the record itself may be gone.
"""

from __future__ import annotations

import json as json_text
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Table,
    Uuid,
    and_,
    exists,
    false,
    insert,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core import people, references
from brainstem.core.columns import UtcDateTime, json, text
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, Ref, RefList, TagList
from brainstem.core.times import utc_text, utcnow
from brainstem.extensions import db

CREATE, CHANGE, DELETE = "create", "change", "delete"


class Change(db.Model):
    """What one operation did, and who did it in which way (`by`: the API token's name)."""

    __tablename__ = "change"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"), index=True)
    way: Mapped[str] = text(20)
    by: Mapped[str] = text(200)
    #: What was done, in words; empty where the revisions say it best.
    summary: Mapped[str] = text(300)
    #: The change that took this one back.
    undone_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("change.id"))
    revisions: Mapped[list[Revision]] = relationship(order_by="Revision.id", viewonly=True)


class Revision(db.Model):
    """What a change did to one record. `title` is what the record was called then."""

    __tablename__ = "revision"
    __table_args__ = (Index(None, "record_id", "id"),)

    # Counted, not random: the order in which a record's revisions were made.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    change_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("change.id"), index=True)
    kind: Mapped[str] = text(100)
    record_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    title: Mapped[str] = text(300)
    action: Mapped[str] = text(10)
    #: The record's version afterwards; of a deleted one the last that it had.
    version: Mapped[int]
    #: Whether it happened because of what happened to another record: a session took its epochs along.
    follows: Mapped[bool] = mapped_column(default=False)
    before: Mapped[dict] = json(dict)
    after: Mapped[dict] = json(dict)
    change: Mapped[Change] = relationship(viewonly=True)


#: The records that a revision took its rights from.
revision_root = Table(
    "revision_root",
    db.metadata,
    Column("revision_id", ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True),
    Column("root_id", Uuid, primary_key=True),
    Index(None, "root_id", "revision_id"),
)


# Writing ------------------------------------------------------------------------------------------


def describe(summary: str) -> None:
    """Say in words what the operation that runs does: “Import of rats.csv”."""
    work = db.session.info["operation"]
    work["summary"] = summary[:300]
    if "change" in work:
        work["change"].summary = work["summary"]


def change_id() -> uuid.UUID | None:
    """The id of what the operation that runs has changed; None where that is nothing yet."""
    change = db.session.info["operation"].get("change")
    return change and change.id


def created(actor: Actor, resource: Resource, record: Any) -> None:
    """Note a new record."""
    if not resource.part_of:
        after = state(resource, record, recorded(resource))
        _note(actor, resource, record, CREATE, {}, after, roots(resource, record))


@contextmanager
def changing(
    actor: Actor,
    resource: Resource,
    record: Any,
    names: Iterable[str],
    *,
    follows: bool = False,
) -> Iterator[None]:
    """Note what the block does to these fields of a record."""
    if resource.part_of:
        yield
        return
    names = [name for name in recorded(resource) if name in names]
    rooted = roots(resource, record)
    before = state(resource, record, names)
    yield
    after = state(resource, record, names)
    differ = [name for name in names if _text(before[name]) != _text(after[name])]
    if differ:
        rooted |= roots(resource, record) if set(names) & set(resource.parents) else set()
        was, now = ({name: each[name] for name in differ} for each in (before, after))
        _note(actor, resource, record, CHANGE, was, now, rooted, follows=follows)


@contextmanager
def changing_owner(actor: Actor, resource: Resource, owner_id: uuid.UUID | None) -> Iterator[None]:
    """Note what the block does to the record that these are a part of (`Resource.part_of`)."""
    if not resource.part_of or owner_id is None:
        yield
        return
    owner = registry.of(getattr(resource.model, resource.part_of).entity.class_)
    names = [
        name
        for name, _ in owner.schema.references()
        if references.link_table_of(owner, name) is resource.model.__table__
    ]
    with changing(actor, owner, db.session.get(owner.model, owner_id), names):
        yield


def deleting(
    actor: Actor, resource: Resource, record: Any, gone: frozenset[uuid.UUID] = frozenset()
) -> None:
    """Note a record that is about to be deleted, with all that goes with it or loses its name.

    What names it comes first and the record last: to take it all back, one goes the other way.
    `gone` is what was noted before, where this one only follows.
    """
    if resource.part_of:
        return
    rooted, follows = roots(resource, record), bool(gone)
    gone = gone | {record.id}
    for kind, name, owner in _naming(resource, record, gone):
        before = state(kind, owner, [name])
        after = {name: [each for each in before[name] if each != str(record.id)]}
        owner.version, owner.updated_date = owner.version + 1, utcnow()
        _note(actor, kind, owner, CHANGE, before, after, roots(kind, owner), follows=True)
    for kind, relation in reversed(taken_along(resource)):
        column = getattr(kind.model, f"{relation}_id")
        for part in db.session.scalars(select(kind.model).where(column == record.id)).all():
            deleting(actor, kind, part, gone)
            gone = gone | {part.id}
    before = state(resource, record, recorded(resource))
    before["created_date"] = utc_text(record.created_date)
    _note(actor, resource, record, DELETE, before, {}, rooted, follows=follows)
    if follows:
        # The database deletes it: nobody is to find it here afterwards.
        db.session.expunge(record)


def taken_along(resource: Resource) -> list[tuple[Resource, str]]:
    """The kinds whose records are deleted with one of this kind, with their relation to it.

    In the order in which they can be made: epochs name modules, so they come after them.
    """
    return [
        (kind, name)
        for kind in registry
        if not kind.part_of
        for name in kind.parents
        if getattr(kind.model, name).entity.class_ is resource.model
        and not getattr(kind.model, name).property.uselist
        and _cascades(kind.model.__table__.c[f"{name}_id"])
    ]


def _naming(
    resource: Resource, record: Any, gone: frozenset[uuid.UUID]
) -> Iterator[tuple[Resource, str, Any]]:
    """The records whose lists name this one and go on without it."""
    for kind in registry:
        for name, field in kind.schema.references():
            if not isinstance(field, RefList) or field.kind != resource.name or field.dump_only:
                continue
            owner, target, _ = references.columns_of(references.link_table_of(kind, name))
            if not _cascades(target):
                continue
            named = select(owner).where(target == record.id, owner.not_in(gone))
            for each in db.session.scalars(select(kind.model).where(kind.model.id.in_(named))):
                yield kind, name, each


def _cascades(column: Column) -> bool:
    return any(key.ondelete == "CASCADE" for key in column.foreign_keys)


@cache
def recorded(resource: Resource) -> list[str]:
    """The fields that the history of a kind tells: what one can write, and who was noted as its author."""
    return [
        name
        for name, field in _schema(resource).fields.items()
        if name in _schema(resource).load_fields or isinstance(field, Ref)
    ]


@cache
def _schema(resource: Resource) -> Any:
    return resource.schema(way="page")


def state(resource: Resource, record: Any, names: Iterable[str]) -> dict[str, Any]:
    """Fields of a record on the wire, with everything that it names, whoever may see that."""
    schema, refs = _schema(resource), {}
    for name in names:
        field = schema.fields[name]
        if isinstance(field, Ref):
            refs[name] = getattr(record, f"{name}_id")
        elif isinstance(field, RefList):
            table = references.link_table_of(resource, name)
            refs[name] = references.linked_ids(table, record.id)
        elif isinstance(field, TagList):
            refs[name] = references.tag_names(resource, name, record.id)
        elif isinstance(field, People):
            refs[name] = people.held(resource, field.kind, [record.id]).get(record.id, {})
    view = references.View(record, refs)
    return {
        name: schema.fields[name].serialize(name, view, accessor=schema.get_attribute)
        for name in names
    }


def roots(resource: Resource, record: Any) -> set[uuid.UUID]:
    """The records with roles of their own that a record takes its rights from."""
    if resource.roles is not None:
        return {record.id}
    found: set[uuid.UUID] = set()
    for name in resource.parents:
        relation = getattr(resource.model, name)
        parent = registry.of(relation.entity.class_)
        if relation.property.uselist:
            ids = references.linked_ids(references.link_table_of(resource, name), record.id)
        else:
            ids = [getattr(record, f"{name}_id")]
        if parent.roles is not None:
            found.update(ids)
        else:
            for each in ids:
                found |= roots(parent, db.session.get(parent.model, each))
    return found


def _note(
    actor: Actor,
    resource: Resource,
    record: Any,
    action: str,
    before: dict[str, Any],
    after: dict[str, Any],
    rooted: set[uuid.UUID],
    *,
    follows: bool = False,
) -> None:
    revision = Revision(
        change_id=_change(actor).id,
        kind=resource.name,
        record_id=record.id,
        title=resource.title(getattr(record, resource.handle))[:300],
        action=action,
        version=record.version,
        follows=follows,
        before=before,
        after=after,
    )
    db.session.add(revision)
    db.session.flush()
    if rooted:
        rows = [{"revision_id": revision.id, "root_id": each} for each in rooted]
        db.session.execute(insert(revision_root), rows)


def _change(actor: Actor) -> Change:
    """The change that the operation that runs is."""
    work = db.session.info["operation"]
    if "change" not in work:
        change = Change(
            user_id=actor.user_id,
            way=actor.way,
            by=actor.by[:200],
            summary=work.get("summary", ""),
        )
        db.session.add(change)
        db.session.flush()
        work["change"] = change
    return work["change"]


def _text(value: Any) -> str:
    # As text: 22 and 22.0 are two things here, and so are two orders of keys.
    return json_text.dumps(value)


# Reading ------------------------------------------------------------------------------------------


def visible(actor: Actor) -> ColumnElement[bool]:
    """The revisions that an actor may see, as a condition.

    Whoever deleted a record that held its own roles goes on seeing that: nobody else can.
    """
    if actor.portal == "super":
        return true()
    if actor.portal == "public" or actor.user_id is None:
        return false()
    rooted = [kind for kind in registry if kind.roles is not None]
    root = revision_root.c
    held = [root.root_id.in_(kind.roles.held(actor.user_id, Role.MEMBER)) for kind in rooted]
    through = exists().where(root.revision_id == Revision.id, or_(*held))
    own = and_(
        Revision.action == DELETE,
        Revision.kind.in_([kind.name for kind in rooted]),
        Revision.change.has(Change.user_id == actor.user_id),
    )
    return or_(through, own)


def of_record(actor: Actor, resource: Resource, record_id: uuid.UUID) -> list[Revision]:
    """The revisions of one record that the actor may see, the last first."""
    statement = select(Revision).where(
        Revision.kind == resource.name, Revision.record_id == record_id, visible(actor)
    )
    return list(db.session.scalars(statement.order_by(Revision.id.desc())))


def recent(
    actor: Actor,
    *,
    limit: int = 20,
    before: datetime | None = None,
    root_id: uuid.UUID | None = None,
    user_id: uuid.UUID | None = None,
    action: str = "",
) -> list[tuple[Change, list[Revision]]]:
    """The last changes with those of their revisions that the actor may see, less what only followed.

    `before` goes on where a list ended; `root_id` keeps to what takes its rights from one record.
    """
    wanted = [visible(actor), ~Revision.follows]
    if root_id is not None:
        root = revision_root.c
        wanted.append(exists().where(root.revision_id == Revision.id, root.root_id == root_id))
    if action:
        wanted.append(Revision.action == action)
    statement = select(Change).where(exists().where(Revision.change_id == Change.id, *wanted))
    if before is not None:
        statement = statement.where(Change.at < before)
    if user_id is not None:
        statement = statement.where(Change.user_id == user_id)
    changes = db.session.scalars(statement.order_by(Change.at.desc(), Change.id).limit(limit)).all()
    return [(change, revisions(change, wanted)) for change in changes]


#: So many records of one change are told; a long import has thousands.
TOLD = 5


def revisions(
    change: Change, wanted: Sequence[ColumnElement[bool]], most: int = TOLD
) -> list[Revision]:
    """The first revisions of a change that fit."""
    statement = select(Revision).where(Revision.change_id == change.id, *wanted)
    return list(db.session.scalars(statement.order_by(Revision.id).limit(most)))


def changed_by(resource: Resource, user_id: uuid.UUID) -> ColumnElement[bool]:
    """The records of a kind that somebody has changed, as a condition on its model."""
    statement = (
        select(Revision.record_id)
        .join(Change, Change.id == Revision.change_id)
        .where(Change.user_id == user_id, Revision.kind == resource.name)
    )
    return resource.model.id.in_(statement)
