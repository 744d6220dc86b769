"""One edit of the lists of many records: tags added, a project removed; planned, shown, then done.

`plan` says for each record what would change, what stays and what is refused, and why; it asks the rules
that `operations.change` asks, for all records at once. `apply` does what was planned, all or nothing.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, history, listing, operations, references
from brainstem.core.judging import right_for
from brainstem.core.permissions import Actor, Right, allowed, unusable
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import RefList, TagList, label_of, texts_in
from brainstem.core.transactions import in_bulk, operation
from brainstem.errors import Changed, Forbidden
from brainstem.extensions import db

#: So many records are edited at once.
MOST = 10_000

#: A tag, or the id of a record.
Value = str | uuid.UUID


@dataclass(frozen=True)
class Edit:
    """What is added to a list of each record, at its end, and what is removed from it."""

    add: tuple[Value, ...] = ()
    remove: tuple[Value, ...] = ()

    def of(self, values: Sequence[Value]) -> list[Value]:
        """The list as it is afterwards.

        >>> Edit(add=("c", "a"), remove=("b",)).of(["a", "b"])
        ['a', 'c']
        """
        kept = [each for each in values if each not in self.remove]
        return kept + [each for each in self.add if each not in kept]


@dataclass
class Row:
    """What happens to one record: its lists before and after, as the actor sees them."""

    id: uuid.UUID
    version: int
    title: str
    before: dict[str, list[Value]]
    after: dict[str, list[Value]]
    #: Why it can't be done.
    problems: list[str] = field(default_factory=list)

    @property
    def payload(self) -> dict[str, list[str]]:
        """The lists that become others."""
        return {
            name: [str(each) for each in after]
            for name, after in self.after.items()
            if after != self.before[name]
        }


@dataclass
class Plan:
    """What an edit does to each of the records, in the order in which they were chosen."""

    resource: Resource
    edits: Mapping[str, Edit]
    rows: list[Row]
    #: How many of the records are gone, or not for this actor to see.
    missing: int
    #: The names of the records that the lists name and the actor may see, by field.
    names: dict[str, dict[uuid.UUID, str]]

    @cached_property
    def changing(self) -> list[Row]:
        """The records that become others."""
        return [row for row in self.rows if row.payload and not row.problems]

    @cached_property
    def refused(self) -> list[Row]:
        """The records that would become others, but may not."""
        return [row for row in self.rows if row.problems]

    @cached_property
    def staying(self) -> list[Row]:
        """The records that are so already."""
        return [row for row in self.rows if not row.payload]

    @cached_property
    def fingerprint(self) -> str:
        """The same for the same plan on the same versions of the records, and for no other."""
        parts = [[str(row.id), row.version, row.payload, row.problems] for row in self.rows]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def words(self) -> str:
        """What is done, with all names."""
        return in_words(self)

    def text(self, name: str, value: Value) -> str:
        """A tag, or the name of a record."""
        return value if isinstance(value, str) else self.names[name].get(value, str(value))


@cache
def editable(resource: Resource) -> dict[str, TagList | RefList]:
    """The lists of a kind that people may edit: its tags first, which are edited most."""
    if resource.read_only:
        return {}
    fields = resource.schema(way="page").load_fields
    lists = [name for name, each in fields.items() if isinstance(each, TagList | RefList)]
    lists.sort(key=lambda name: not isinstance(fields[name], TagList))
    return {name: fields[name] for name in lists}


def matching(actor: Actor, resource: Resource, args: MultiDict[str, str]) -> list[uuid.UUID]:
    """The records that the words of a list's address ask for, in its order; at most one too many."""
    found = listing.matching(actor, resource, args)
    return list(db.session.scalars(found.limit(MOST + 1)))


def held(
    actor: Actor, resource: Resource, ids: Sequence[uuid.UUID], name: str
) -> dict[uuid.UUID, list[Value]]:
    """What a list of each of the records holds, as far as the actor may see record and list, in its order."""
    # The ids came with a request: not all of them need be records that its sender may read.
    unseen = set(unusable(actor, Right.READ, resource, list(ids)))
    seen = [each for each in ids if each not in unseen]
    if isinstance(resource.schema._declared_fields[name], TagList):
        return references.tags_of(resource, name, seen)
    return references.by_owner(references.related(actor, resource, name, seen))


def plan(
    actor: Actor, resource: Resource, ids: Iterable[uuid.UUID], edits: Mapping[str, Edit]
) -> Plan:
    """What the edits, by field, would do to the records; nothing is stored."""
    ids = list(dict.fromkeys(ids))
    _judge(resource, ids, edits)
    model = resource.model
    seen = select(model).where(model.id.in_(ids), allowed(actor, resource))
    # Anew: what an earlier plan in this request has read may be old by now.
    fresh = db.session.scalars(seen.execution_options(populate_existing=True))
    records = {record.id: record for record in fresh}
    before = {name: held(actor, resource, ids, name) for name in edits}
    names = {name: _names(actor, resource, name, edits[name], before[name]) for name in edits}
    rows = []
    for record_id in filter(records.__contains__, ids):
        its = {name: before[name].get(record_id, []) for name in edits}
        after = {name: edit.of(its[name]) for name, edit in edits.items()}
        record = records[record_id]
        title = resource.called(record)
        rows.append(Row(record_id, record.version, title, its, after))
    _find_problems(actor, resource, records, rows, edits)
    return Plan(resource, edits, rows, len(ids) - len(rows), names)


def _judge(resource: Resource, ids: list[uuid.UUID], edits: Mapping[str, Edit]) -> None:
    errors: dict[str, list[str]] = {}
    if len(ids) > MOST:
        errors["_schema"] = [
            f"At most {MOST:,} {resource.labels.lower()} at once; these are {len(ids):,}."
        ]
    for name, edit in edits.items():
        if name not in editable(resource):
            errors[name] = ["This is no list that can be edited."]
        elif set(edit.add) & set(edit.remove):
            errors[name] = ["The same can't be added and removed."]
    if errors:
        raise ValidationError(errors)


def _names(
    actor: Actor, resource: Resource, name: str, edit: Edit, before: dict[uuid.UUID, list[Value]]
) -> dict[uuid.UUID, str]:
    kind = resource.schema._declared_fields[name]
    if isinstance(kind, TagList):
        return {}
    ids = {*edit.add, *edit.remove, *(each for values in before.values() for each in values)}
    return finding.named(actor, registry.get(kind.kind), list(ids))


def _find_problems(
    actor: Actor,
    resource: Resource,
    records: Mapping[uuid.UUID, Any],
    rows: list[Row],
    edits: Mapping[str, Edit],
) -> None:
    """Say at each record that would change why it may not: the rules of `operations.change`."""
    model, changing = resource.model, [row for row in rows if row.payload]
    rule = allowed(actor, resource, right_for(resource, edits))
    these = model.id.in_([row.id for row in changing])
    mine = set(db.session.scalars(select(model.id).where(these, rule)))
    barred = {name: _barred(actor, resource, name, edit) for name, edit in edits.items()}
    schema = resource.schema(way=actor.way)
    for row in changing:
        if row.id not in mine:
            row.problems = [_refusal(resource, right_for(resource, edits))]
            continue
        data, errors, _ = schema.judge(row.payload, partial=True)
        errors |= resource.check(actor, records[row.id], data)
        for name, message in errors.items():
            label = label_of(name, schema.fields[name])
            row.problems += [f"{label}: {text}" for text in texts_in(message)]
        for name in row.payload:
            if barred[name].intersection(row.after[name]) - set(row.before[name]):
                target = registry.get(schema.fields[name].kind)
                row.problems.append(f"There is no such {target.words}, or you may not use it.")


def _barred(actor: Actor, resource: Resource, name: str, edit: Edit) -> set[Value]:
    """What the actor may not add, or what is not there."""
    kind = resource.schema._declared_fields[name]
    if isinstance(kind, TagList):
        return set()
    return set(unusable(actor, kind.right, registry.get(kind.kind), list(edit.add)))


def _refusal(resource: Resource, right: Right) -> str:
    text = f"You may see this {resource.words}, but not change it"
    if right is not Right.USE:
        return f"{text}: only its owners may."
    lists = [name for name in resource.parents if getattr(resource.model, name).property.uselist]
    why = f": that takes a contributor to all of its {' and '.join(lists)}" if lists else ""
    return f"{text}{why}."


@dataclass(frozen=True)
class Done:
    """How many records an edit changed, and which change that is in the history."""

    records: int
    change_id: uuid.UUID | None


@operation
def apply(
    actor: Actor,
    resource: Resource,
    ids: Iterable[uuid.UUID],
    edits: Mapping[str, Edit],
    fingerprint: str,
) -> Done:
    """Do what the plan with this fingerprint says; `Changed` where it says something else by now.

    `ValidationError` has what is wrong by the records' ids; then nothing is stored.
    """
    planned = plan(actor, resource, ids, edits)
    if planned.fingerprint != fingerprint:
        raise Changed("Some of these records changed in the meantime. Nothing was stored.")
    history.describe(f"Edit of several {resource.labels.lower()}: {in_words(planned, public=True)}")
    errors: dict[str, Any] = {}
    with in_bulk():
        # In one order, so that two of these wait for each other and do not lock each other out.
        for row in sorted(planned.changing, key=lambda row: row.id):
            try:
                _alter(actor, resource, row)
            except ValidationError as error:
                texts = " ".join(texts_in(error.normalized_messages()))
                errors[str(row.id)] = [f"“{row.title}”: {texts}"]
            except Forbidden as error:
                errors[str(row.id)] = [f"“{row.title}”: {error}"]
        if errors:
            raise ValidationError(errors)
    return Done(len(planned.changing), history.change_id())


def _alter(actor: Actor, resource: Resource, row: Row) -> None:
    def expected(stored: int) -> bool:
        return stored == row.version

    operations.alter(actor, resource, row.id, row.payload, version=expected, keeping=True)


#: How many names a sentence lists.
NAMED = 3


def in_words(planned: Plan, *, public: bool = False) -> str:
    """`tag “pilot” added, project “Cortex” removed`.

    In words for everybody (`public`) only tags are named, which all users share: who reads the history
    of a session may not read every storage that it names.
    """
    deeds = []
    for name, edit in planned.edits.items():
        kind = planned.resource.schema._declared_fields[name]
        for values, deed in ((edit.add, "added"), (edit.remove, "removed")):
            if not values:
                continue
            if isinstance(kind, TagList):
                what = "tag" if len(values) == 1 else "tags"
            else:
                target = registry.get(kind.kind)
                what = (target.label if len(values) == 1 else target.labels).lower()
            if isinstance(kind, TagList) or not public:
                texts = [f"“{planned.text(name, each)}”" for each in values[:NAMED]]
                more = len(values) - len(texts)
                what += " " + ", ".join(texts) + (f" and {more} more" if more else "")
            deeds.append(f"{what} {deed}")
    return ", ".join(deeds)
