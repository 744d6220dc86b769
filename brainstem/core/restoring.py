"""Going back: to an earlier state of a record, to a deleted one, or to before a whole change.

Nothing is taken out of the history: going back is a change like any other, by the same operations and
with the same rights. What has been changed again since is never overwritten without a word.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select

from brainstem.core import history, operations
from brainstem.core.history import CHANGE, CREATE, DELETE, Change, Revision
from brainstem.core.permissions import Actor, Right, require, unusable
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import People, Ref, RefList, texts_in
from brainstem.core.times import parse
from brainstem.core.transactions import operation, write_out
from brainstem.errors import Changed, Forbidden, NotFound, ProgramError
from brainstem.extensions import db

#: How many reasons against going back are told, and how many records are asked for at once.
TOLD, AT_ONCE = 5, 500


@dataclass
class Restored:
    """What was restored, and the ids and names in it that could not be named again."""

    change_id: uuid.UUID | None
    left_out: set[str]


@dataclass
class _Work:
    """One way back: what can't be named any more, and what stands against it.

    `since` has what happened to the records after the revisions that are taken back, by record.
    """

    actor: Actor
    since: dict[uuid.UUID, list[Revision]] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    problems: list[tuple[Revision, str]] = field(default_factory=list)


def found(actor: Actor, change_id: uuid.UUID) -> Change:
    """A change of which the actor may see something."""
    change = db.session.get(Change, change_id)
    seen = select(Revision.id).where(Revision.change_id == change_id, history.visible(actor))
    if change is None or db.session.scalar(seen.limit(1)) is None:
        raise NotFound("There is no such change.")
    return change


@operation
def undo(actor: Actor, change_id: uuid.UUID) -> Restored:
    """Take a whole change back; `ValidationError` says why where that can't be, and nothing is done."""
    change = found(actor, change_id)
    db.session.refresh(change, with_for_update=True)
    if change.undone_by_id is not None:
        raise ValidationError("This was undone already.")
    every = select(Revision).where(Revision.change_id == change_id).order_by(Revision.id.desc())
    history.describe(f"Undone: {change.summary}" if change.summary else "")
    restored = _take_back(actor, list(db.session.scalars(every)))
    change.undone_by_id = restored.change_id
    return restored


@operation
def restore(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID,
    revision_id: int,
    *,
    version: Callable[[int], bool] | None = None,
) -> Restored:
    """Give a record the state that it had after one of its revisions, or before it was deleted."""
    since = [each for each in _revisions_of(resource, record_id) if each.id >= revision_id]
    if not since or since[-1].id != revision_id:
        raise NotFound(f"There is no such state of this {resource.words}.")
    shown = select(Revision.id).where(Revision.id == revision_id, history.visible(actor))
    if db.session.scalar(shown) is None:
        raise NotFound(f"There is no such state of this {resource.words}.")
    if since[0].action == DELETE:
        return _bring_back(actor, resource, since)
    require(actor, Right.READ, resource, record_id)
    state = _state_after(since)
    work = _Work(actor)
    record = db.session.get(resource.model, record_id)
    payload = _payload(work, resource, state, record)
    operations.alter(actor, resource, record_id, payload, version=version, keeping=True)
    return Restored(history.change_id(), work.left_out)


def _bring_back(actor: Actor, resource: Resource, since: list[Revision]) -> Restored:
    """A deleted record, with what went with it; then its state after the oldest of the revisions."""
    deleted = since[0]
    everything = db.session.scalars(
        select(Revision)
        .where(Revision.change_id == deleted.change_id, Revision.id <= deleted.id)
        .order_by(Revision.id.desc())
    )
    # Without its name: a collection comes along that others read, who may not read this.
    history.describe(f"Restored: {resource.words}")
    restored = _take_back(actor, _with_its_own(deleted, everything))
    if len(since) > 1:
        write_out()  # what was just noted is asked for
        again = restore(actor, resource, deleted.record_id, since[-1].id)
        restored.left_out |= again.left_out
    return restored


def _with_its_own(deleted: Revision, everything: Iterable[Revision]) -> list[Revision]:
    """Of what one change did, the deletion of a record and what followed from it; the record first."""
    mine, chosen = {str(deleted.record_id)}, []
    for each in everything:
        kind = registry.get(each.kind)
        if each is not deleted and not (each.follows and _named(kind, each.before) & mine):
            continue
        chosen.append(each)
        if each.action == DELETE:
            mine.add(str(each.record_id))
    return chosen


def _named(kind: Resource, state: dict[str, Any]) -> set[str]:
    """The ids that a state names."""
    ids: set[str] = set()
    for name, _ in kind.schema.references():
        value = state.get(name) or []
        ids.update([value] if isinstance(value, str) else value)
    return ids


def _revisions_of(resource: Resource, record_id: uuid.UUID) -> list[Revision]:
    statement = select(Revision).where(
        Revision.kind == resource.name, Revision.record_id == record_id
    )
    return list(db.session.scalars(statement.order_by(Revision.id.desc())))


def _state_after(since: list[Revision]) -> dict[str, Any]:
    """What the fields were right after the last of these revisions, which stand the newest first.

    After a deletion there is no state: then it is the one before.
    """
    *later, oldest = since
    if oldest.action == DELETE:
        return oldest.before
    state: dict[str, Any] = {}
    for each in later:
        # A deletion tells every field.
        state = dict(each.before) if each.action == DELETE else state | each.before
    # What it set itself was so, even where nothing later changed it.
    return {**oldest.after, **state}


def _take_back(actor: Actor, revisions: list[Revision]) -> Restored:
    """Undo revisions, the newest first; every reason against it at once."""
    held = _hold(revisions)
    work = _Work(actor, _since(revisions))
    for each in revisions:
        kind = registry.get(each.kind)
        try:
            if kind is None:
                raise NotFound("Nothing is known of this kind of record any more.")
            _BACK[each.action](work, kind, each)
        except Forbidden as error:
            # Whoever may not change a collection can still bring back a session that was in it.
            if not (each.follows and each.action == CHANGE):
                work.problems.append((each, str(error)))
        except ValidationError as error:
            work.problems.append((each, " ".join(texts_in(error.messages))))
        except ProgramError as error:
            work.problems.append((each, str(error)))
    if work.problems:
        raise ValidationError(_told(work))
    del held
    return Restored(history.change_id(), work.left_out)


def _told(work: _Work) -> list[str]:
    """What stands against going back, by the records' names; without those that the actor may not see."""
    told, more = work.problems[:TOLD], len(work.problems) - TOLD
    these = Revision.id.in_([each.id for each, _ in told])
    seen = set(db.session.scalars(select(Revision.id).where(these, history.visible(work.actor))))
    texts = [
        f"“{each.title}”: {text}" if each.id in seen else f"Something you may not see: {text}"
        for each, text in told
    ]
    return texts + ([f"And {more} more."] if more > 0 else [])


def _remove_created(work: _Work, kind: Resource, revision: Revision) -> None:
    if (record := db.session.get(kind.model, revision.record_id)) is None:
        return
    if _later(work, revision):
        raise Changed("It was changed since.")
    for part, relation in history.taken_along(kind):
        column = getattr(part.model, f"{relation}_id")
        if db.session.scalar(select(part.model.id).where(column == record.id).limit(1)):
            raise Changed(f"It holds {part.labels.lower()} that were added since.")
    operations.delete(work.actor, kind, revision.record_id)


def _change_back(work: _Work, kind: Resource, revision: Revision) -> None:
    record = db.session.get(kind.model, revision.record_id)
    if record is None:
        raise NotFound("It was deleted since.")
    if any(each.before.keys() & revision.before.keys() for each in _later(work, revision)):
        raise Changed("It was changed since.")
    payload = _payload(work, kind, revision.before, record)
    operations.alter(work.actor, kind, revision.record_id, payload, keeping=True)


def _create_again(work: _Work, kind: Resource, revision: Revision) -> None:
    if db.session.get(kind.model, revision.record_id) is not None:
        raise Changed("It was restored already.")
    state = dict(revision.before)
    created = state.pop("created_date", None)
    held = {n: state.pop(n) for n, f in _fields(kind) if isinstance(f, People) and n in state}
    authors = {
        name: as_id(state.pop(name))
        for name, each in _fields(kind)
        if isinstance(each, Ref) and each.dump_only and name in state
    }
    payload = _payload(work, kind, state, None)
    _require_parents(work, kind, state)
    record = operations.add(work.actor, kind, payload, record_id=revision.record_id)
    # Whoever holds an old ETag holds an old version, also after the record was away.
    record.version = revision.version + 1
    if created:
        record.created_date = parse(created)
    for name, author in authors.items():
        setattr(record, f"{name}_id", author)
    db.session.flush()
    if roles := _known_holders(work, kind, held):
        operations.alter(work.actor, kind, record.id, roles)


def _require_parents(work: _Work, kind: Resource, state: dict[str, Any]) -> None:
    """`Forbidden` where the record belonged to what is still there and the actor may not see.

    It would come back without that, and out of reach of those who had it there.
    """
    for name in kind.parents:
        target = registry.get(kind.schema._declared_fields[name].kind)
        ids = _ids([state[name]] if isinstance(state[name], str) else state[name])
        unseen = unusable(work.actor, Right.READ, target, ids)
        if db.session.scalar(select(target.model.id).where(target.model.id.in_(unseen)).limit(1)):
            raise Forbidden("It belonged to more than you may see.")


_BACK = {CREATE: _remove_created, CHANGE: _change_back, DELETE: _create_again}


def _later(work: _Work, revision: Revision) -> list[Revision]:
    """What happened to the record after a revision, but for what is taken back with it."""
    return [each for each in work.since.get(revision.record_id, []) if each.id > revision.id]


def _since(revisions: list[Revision]) -> dict[uuid.UUID, list[Revision]]:
    mine, found = {each.id for each in revisions}, {}
    ids = {each.record_id for each in revisions}
    for part in _parts(list(ids)):
        statement = select(Revision).where(Revision.record_id.in_(part), Revision.id > min(mine))
        for each in db.session.scalars(statement):
            if each.id not in mine:
                found.setdefault(each.record_id, []).append(each)
    return found


def _parts(ids: list[uuid.UUID]) -> list[list[uuid.UUID]]:
    return [ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE)]


def _hold(revisions: list[Revision]) -> list[Any]:
    """The records that are still there; nobody else changes them until this transaction ends."""
    held, ids = [], {}
    for each in revisions:
        ids.setdefault(each.kind, set()).add(each.record_id)
    for name, wanted in ids.items():
        if (kind := registry.get(name)) is not None:
            for part in _parts(sorted(wanted)):
                here = select(kind.model).where(kind.model.id.in_(part)).order_by(kind.model.id)
                held += db.session.scalars(here.with_for_update())
    return held


def _fields(kind: Resource) -> Iterable[tuple[str, Any]]:
    return kind.schema._declared_fields.items()


def _payload(work: _Work, kind: Resource, state: dict[str, Any], record: Any) -> dict[str, Any]:
    """A state as somebody would send it, less what is gone or what the actor may not see.

    What she may not see stays as it is, as with any form that she saves.
    """
    payload = {}
    for name, value in state.items():
        about = kind.schema._declared_fields.get(name)
        if about is None or about.dump_only:
            continue
        if isinstance(about, RefList):
            value = _nameable(work, about, value)
        elif isinstance(about, Ref) and value is not None:
            value = next(iter(_nameable(work, about, [value])), None)
            if value is None and about.required:
                value = state[name]
        elif isinstance(about, People):
            now = history.state(kind, record, [name])[name]
            value = value | {holder: {"remove": True} for holder in now if holder not in value}
        payload[name] = value
    return payload


def _nameable(work: _Work, about: Ref | RefList, ids: list[str]) -> list[str]:
    target = registry.get(about.kind)
    gone = {str(each) for each in unusable(work.actor, Right.READ, target, _ids(ids))}
    work.left_out |= gone
    return [each for each in ids if each not in gone]


def _ids(texts: list[str]) -> list[uuid.UUID]:
    return [uuid.UUID(each) for each in texts]


def _known_holders(work: _Work, kind: Resource, held: dict[str, dict]) -> dict[str, dict]:
    """The roles of those who are still there."""
    roles = {}
    for name, value in held.items():
        holder = registry.get(kind.schema._declared_fields[name].kind)
        handle = getattr(holder.model, holder.handle)
        known = set(db.session.scalars(select(handle).where(handle.in_(list(value)))))
        work.left_out |= value.keys() - known
        if kept := {who: rights for who, rights in value.items() if who in known}:
            roles[name] = kept
    return roles
