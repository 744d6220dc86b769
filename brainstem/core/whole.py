"""A record and its parts, saved as one: a session with its epochs and modules (contract §13).

`save` calls the operations for each of the parts (`core/parts.py`), in an order in which they can be done,
in one transaction. Everything that is wrong is told at once; then nothing is stored.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import not_, or_, select

from brainstem.core import history, operations, references
from brainstem.core.history import Revision
from brainstem.core.parts import Parts, Relation, named_by, parts_of
from brainstem.core.permissions import Actor
from brainstem.core.references import View
from brainstem.core.resource import Resource
from brainstem.core.schemas import RefList
from brainstem.core.search.entries import Entry
from brainstem.core.transactions import operation
from brainstem.errors import Changed, NotFound
from brainstem.extensions import db

#: A part that somebody adds, with an id of somebody else's record.
TAKEN = "This can't be stored under its id: remove it, and add it again."


@operation
def save(
    actor: Actor,
    resource: Resource,
    record_id: uuid.UUID | None,
    payload: dict[str, Any],
    parts: dict[str, Parts] | None = None,
    *,
    version: Callable[[int], bool] | None = None,
    keeping: bool = False,
) -> View:
    """Store a record (a new one where `record_id` is None) with its parts, by relation.

    Raises one `ValidationError` with all that is wrong: by field, and for parts by relation, position
    and field. `Changed` where somebody else changed or deleted what this changes too; mistakes are told
    before that.
    """
    errors: dict[str, Any] = {}
    changed, record = False, None
    try:
        if record_id is None:
            record = operations.add(actor, resource, payload)
        else:
            record = operations.alter(
                actor, resource, record_id, payload, version=version, keeping=keeping
            )
    except ValidationError as error:
        errors |= error.normalized_messages()
    except Changed:
        changed = True
    # Parts of a record that can't be made are judged all the same, as those of no record.
    home_id = record_id or (record.id if record else uuid.uuid4())
    orphans = record_id is None and record is None
    saving = _Saving(actor, resource, home_id, parts or {}, orphans=orphans)
    errors |= saving.run()
    if errors:
        raise ValidationError(errors)
    if changed or saving.changed:
        raise Changed("Somebody changed this in the meantime. Nothing was stored.")
    return references.view(actor, resource, [record])[0]


@dataclass
class _Deed:
    """What is to be done with one part: `create`, `change`, `delete`, or `refuse`."""

    verb: str
    relation: Relation
    position: int
    id: uuid.UUID
    payload: dict[str, Any]
    error: ValidationError | None = None


class _Saving:
    """The deeds of one `save`, done in whatever order the rules allow."""

    def __init__(
        self,
        actor: Actor,
        resource: Resource,
        home_id: uuid.UUID,
        parts: dict[str, Parts],
        *,
        orphans: bool,
    ) -> None:
        self.actor, self.home_id, self.orphans = actor, home_id, orphans
        self.relations = [each for each in parts_of(resource) if each.name in parts]
        self.parts = parts
        self.added = {
            str(part.id)
            for each in parts.values()
            for part in each.parts
            if part.version is None and not part.removed
        }
        self.changed = False

    def run(self) -> dict[str, Any]:
        """Do everything; what is wrong, by relation, position and field."""
        removals, writes = [], []
        for relation in self.relations:
            for deed in self._deeds(relation):
                (removals if deed.verb == "delete" else writes).append(deed)
        # What names others goes first, as it keeps them from being deleted; and what others shall be
        # called by or hold is given up before they ask for it.
        left = self._try([*reversed(removals), *writes])
        if self._release(left):
            left = self._try(left)
        return self._errors(left)

    def _deeds(self, relation: Relation) -> list[_Deed]:
        """What there is to do with the parts of one relation."""
        model, wanted = relation.kind.model, self.parts[relation.name]
        ids = {part.id for part in wanted.parts}
        places = getattr(model, relation.kind.placed_by or "version")
        statement = select(model.id, model.version, places, getattr(model, f"{relation.home}_id"))
        known = {row[0]: row for row in db.session.execute(statement.where(model.id.in_(ids)))}
        here = {
            i: (version, place)
            for i, version, place, home in known.values()
            if home == self.home_id
        }
        orders = self._orders(relation, wanted, here)
        new = [part.id for part in wanted.parts if part.version is None and part.id not in here]
        taken = known.keys() | self._taken(relation.kind, new)
        deeds = []
        for position, part in enumerate(wanted.parts):
            payload = part.payload
            if part.version is not None and (payload or part.removed):
                # One that somebody deleted need not be removed.
                gone = part.id not in here
                self.changed |= not part.removed if gone else here[part.id][0] != part.version
                if gone:
                    continue
            if part.id in orders:
                payload = payload | {relation.kind.placed_by: orders[part.id]}
            if part.removed:
                verb = "delete" if part.id in here else ""
            elif part.id in here:
                # Also what was new, in a form that was sent twice.
                verb = "change" if payload else ""
            elif part.version is None:
                verb = "refuse" if part.id in taken else "create"
            else:
                verb = ""
            if verb:
                deeds.append(_Deed(verb, relation, position, part.id, payload))
        return deeds

    def _taken(self, kind: Resource, ids: list[uuid.UUID]) -> set[uuid.UUID]:
        """Those of the ids that a record of another kind has or had, or one that this actor may not see.

        The history and the search know records by their ids alone: whoever sends one must not get into
        what they say of somebody else's record.
        """
        revision = or_(Revision.kind != kind.name, not_(history.visible(self.actor)))
        had = select(Revision.record_id).where(Revision.record_id.in_(ids), revision)
        has = select(Entry.record_id).where(Entry.record_id.in_(ids), Entry.kind != kind.name)
        return set(db.session.scalars(had.union(has))) if ids else set()

    def _orders(
        self, relation: Relation, wanted: Parts, here: dict[uuid.UUID, tuple[int, int]]
    ) -> dict[uuid.UUID, int]:
        """The places to write, so that the parts stand in their new order: no more than it takes."""
        if not (relation.kind.placed_by and wanted.arranged):
            return {}
        now = sorted((i for i in wanted.seen if i in here), key=lambda i: (here[i][1], str(i)))
        self.changed |= now != [i for i in wanted.seen if i in here]
        sequence = [
            p.id for p in wanted.parts if not p.removed and (p.id in here or p.version is None)
        ]
        free = sorted(here[i][1] for i in sequence if i in here)
        places: list[int] = []
        for number in range(len(sequence)):
            least = places[-1] + 1 if places else 0
            places.append(max(least, free[number]) if number < len(free) else least)
        most = relation.kind.schema._declared_fields[relation.kind.placed_by].most
        if places and most is not None and places[-1] > most:
            places = list(range(len(sequence)))
        return {
            i: place
            for i, place in zip(sequence, places, strict=True)
            if i not in here or here[i][1] != place
        }

    def _try(self, deeds: list[_Deed]) -> list[_Deed]:
        """Do what can be done, again as long as that makes more possible; returns what can't."""
        while deeds:
            left = [deed for deed in deeds if not self._do(deed)]
            if len(left) == len(deeds):
                break
            deeds = left
        return deeds

    def _do(self, deed: _Deed) -> bool:
        kind = deed.relation.kind
        try:
            if deed.verb == "refuse":
                raise ValidationError(TAKEN)
            if deed.verb == "delete":
                operations.delete(self.actor, kind, deed.id)
            elif deed.verb == "create":
                whole = deed.payload | {deed.relation.home: str(self.home_id)}
                operations.add(self.actor, kind, whole, record_id=deed.id)
            else:
                operations.alter(self.actor, kind, deed.id, deed.payload, keeping=True)
        except ValidationError as error:
            deed.error = error
            return False
        except NotFound:
            self.changed = True
        return True

    def _release(self, deeds: list[_Deed]) -> bool:
        """Let go of what parts shall no longer name, where two of them exchange it."""
        released = False
        for deed in deeds:
            kind = deed.relation.kind
            if deed.verb != "change":
                continue
            kept = {}
            for name, declared in kind.schema.references():
                if isinstance(declared, RefList) and isinstance(deed.payload.get(name), list):
                    table = references.link_table_of(kind, name)
                    named = [str(each) for each in references.linked_ids(table, deed.id)]
                    less = [each for each in named if each in deed.payload[name]]
                    if len(less) < len(named):
                        kept[name] = less
            try:
                if kept:
                    operations.alter(self.actor, kind, deed.id, kept, keeping=True)
                    released = True
            except ValidationError:
                continue
        return released

    def _errors(self, deeds: list[_Deed]) -> dict[str, Any]:
        """What is wrong with the deeds left; not what only follows from the rest of it."""
        found: dict[str, Any] = {}
        for deed in deeds:
            messages = dict(deed.error.normalized_messages())
            if self.orphans:
                messages.pop(deed.relation.home, None)
            for name in named_by(deed.relation, self.relations):
                if name in messages and isinstance(ids := deed.payload.get(name), list):
                    messages[name] = self._own(messages[name], ids)
            if messages := {name: each for name, each in messages.items() if each}:
                found.setdefault(deed.relation.name, {})[deed.position] = messages
        if deeds and not found and not self.orphans:
            # Nothing that it could follow from: then nothing is left out, or a part would be.
            deed = deeds[0]
            found[deed.relation.name] = {deed.position: deed.error.normalized_messages()}
        return found

    def _own(self, messages: Any, ids: list[Any]) -> Any:
        """Messages at the positions of a list, less those at parts that are not there yet."""
        if not isinstance(messages, dict):
            return messages
        return {
            place: text
            for place, text in messages.items()
            if not (isinstance(place, int) and place < len(ids) and str(ids[place]) in self.added)
        }
