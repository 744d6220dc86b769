"""The best finds of each kind, for the page on which one searches everything.

The work has bounds, however common the words are: half of 100,000 sessions have some word in them, and to
rank all of those took a second. Of a common word the first entries of each kind that hold it, and that the
actor may read, are looked at, and besides them those whose name begins so. Where that was not all, it is
told (`Found.more`): the lists of the kinds have all of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)

from brainstem.core import references
from brainstem.core.permissions import Actor, allowed, allowed_ids, seen_as
from brainstem.core.resource import Resource, registry
from brainstem.core.search.entries import Entry, fold, searchable
from brainstem.core.search.words import TRIGRAM, Tree, holding, target_of, tree_of, words
from brainstem.core.sql import Ids, is_among, position_of, starts_with, unindexed
from brainstem.extensions import db

#: A word is common that more entries hold; so many of a kind are looked at then.
LOOKED_AT = 500

#: How many records are looked at because of one relation: a subject's sessions.
THROUGH = 1000

#: Behind every text that begins with another one stands that one with this.
LAST = "\U0010ffff"

BEGINS, ELSEWHERE = 1, 5


@dataclass
class Hunt:
    """What is searched for, and the entries that hold the rarest of its words: their records, by kind.

    Of a `common` word there are too many: they are looked up for each kind and actor.
    """

    whole: str
    words: list[str]
    first: str
    common: bool
    entries: dict[str, list[uuid.UUID]]

    @classmethod
    def of(cls, text: str) -> Hunt:
        """Look up the rarest word; `ValidationError` for what can't be searched for."""
        asked, whole = words(text), fold(" ".join(text.split()))
        if not asked:
            return cls(whole, [], "", False, {})
        first = _rarest(asked)
        rows = db.session.execute(holding(first, Entry.kind, Entry.record_id).limit(LOOKED_AT + 1))
        entries: dict[str, list[uuid.UUID]] = {}
        for kind, record_id in rows.all():
            entries.setdefault(kind, []).append(record_id)
        common = sum(map(len, entries.values())) > LOOKED_AT
        return cls(whole, asked, first, common, {} if common else entries)

    @property
    def kinds(self) -> list[Resource]:
        """The kinds of which something may be found at all, in the order of their registration."""
        return [
            kind
            for kind in registry
            if searchable(kind)
            and (self.common or _reached(kind, tree_of(kind)) & self.entries.keys())
        ]


def _rarest(asked: list[str]) -> str:
    """The word that the fewest entries hold."""
    # Short ones have no trigrams, and are looked up only where there is nothing else.
    looked_up = [each for each in asked if len(each) >= TRIGRAM] or [max(asked, key=len)]
    if len(looked_up) == 1:
        return looked_up[0]
    numbers = select(*(_number(holding(each, literal(1))) for each in looked_up))
    held = dict(zip(looked_up, db.session.execute(numbers).one(), strict=True))
    return min(looked_up, key=lambda each: (held[each], -len(each)))


def _number(entries: Select) -> ColumnElement[int]:
    """How many there are, as far as that matters."""
    some = entries.limit(LOOKED_AT + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _reached(resource: Resource, tree: Tree) -> set[str]:
    """The names of the kinds that a search of a kind looks into."""
    return {resource.name}.union(
        *(_reached(target_of(resource, name), branch) for name, branch in tree.items())
    )


@dataclass
class Found:
    """The best finds of a kind, and how many there are in all: so many, or `more`."""

    resource: Resource
    total: int
    ids: list[uuid.UUID]
    #: How well the first of them fits, from 0; from `ELSEWHERE` on its name says nothing of it.
    rank: int = 0
    more: bool = False


def best(actor: Actor, resource: Resource, hunt: Hunt, most: int) -> Found:
    """The records that fit best: what is called so, what begins so, what has it in its name, the rest."""
    model, tree = resource.model, tree_of(resource)
    if not (hunt.words and searchable(resource)):
        return Found(resource, 0, [])
    others = [_holds_in(actor, resource, each, tree) for each in hunt.words if each != hunt.first]
    ids, more = _candidates(actor, resource, hunt, tree, others)
    title, asked = Entry.title, hunt.words
    in_title = [position_of(title, each) > 0 for each in asked]
    rank = case(
        (title == hunt.whole, 0),
        (starts_with(title, literal(hunt.whole)), BEGINS),
        (and_(starts_with(title, literal(asked[0])), *in_title), 2),
        (and_(*in_title), 3),
        (or_(*in_title), 4),
        else_=ELSEWHERE,
    )
    statement = (
        select(model.id, func.count().over(), rank)
        .join(Entry, Entry.record_id == model.id)
        .where(among(resource, ids), allowed(actor, resource), *others)
        .order_by(rank, title, model.id)
        .limit(most)
    )
    rows = db.session.execute(statement).all() if ids else []
    if not rows:
        return Found(resource, 0, [], more=more)
    return Found(resource, rows[0][1], [row[0] for row in rows], rows[0][2], more)


def _candidates(
    actor: Actor,
    resource: Resource,
    hunt: Hunt,
    tree: Tree,
    others: Iterable[ColumnElement[bool]] = (),
) -> tuple[set[uuid.UUID], bool]:
    """The records that hold the first word, or of which something does that belongs to them.

    And whether there may be more of them. Rights and `others` come before any limit: nobody's finds depend
    on how many records there are that she may not see.
    """
    ids, more = _own(actor, resource, hunt)
    for name, branch in tree.items():
        target = target_of(resource, name)
        inside, cut = _candidates(actor, target, hunt, branch)
        more |= cut
        if not inside:
            continue
        through = references.joined(select(resource.model.id), resource, name)
        rules = [among(target, inside), allowed(actor, resource), *others]
        if not seen_as(resource, target):
            rules.append(allowed(actor, target))
        found = set(db.session.scalars(through.where(*rules).distinct().limit(THROUGH + 1)))
        more |= len(found) > THROUGH
        ids |= found
    return ids, more


def _own(actor: Actor, resource: Resource, hunt: Hunt) -> tuple[set[uuid.UUID], bool]:
    """The records of a kind that hold the first word, and whether there may be more."""
    if not hunt.common:
        return set(hunt.entries.get(resource.name, [])), False
    readable = Entry.record_id.in_(allowed_ids(actor, resource))
    held = holding(hunt.first, Entry.record_id).where(unindexed(Entry.kind) == resource.name)
    found = set(db.session.scalars(held.where(readable).limit(LOOKED_AT + 1)))
    if len(found) <= LOOKED_AT:
        return found, False
    called = (
        Entry.kind == resource.name,
        Entry.title >= hunt.whole,
        Entry.title < hunt.whole + LAST,
    )
    named = select(Entry.record_id).where(*called, readable)
    found.update(db.session.scalars(named.order_by(Entry.title, Entry.record_id).limit(LOOKED_AT)))
    return found, True


def among(resource: Resource, ids: Iterable[uuid.UUID]) -> ColumnElement:
    """The records of these ids."""
    return is_among(resource.model.id, bindparam(None, list(ids), type_=Ids()))


def _holds_in(actor: Actor, resource: Resource, word: str, tree: Tree) -> ColumnElement[bool]:
    """Whether a record holds a word, or something does that belongs to it."""
    rule = position_of(Entry.text, word) > 0
    found = [_exists(resource, Entry.record_id == resource.model.id, rule)]
    for name, branch in tree.items():
        target, relation = target_of(resource, name), getattr(resource.model, name).property
        rules = [relation.primaryjoin, _holds_in(actor, target, word, branch)]
        if relation.secondary is not None:
            rules.append(relation.secondaryjoin)
        if not seen_as(resource, target):
            rules.append(allowed(actor, target))
        found.append(_exists(resource, *rules))
    return or_(*found)


def _exists(resource: Resource, *rules: ColumnElement[bool]) -> ColumnElement[bool]:
    # The offset has PostgreSQL ask of each record that is left, instead of reading whole tables first.
    some = select(literal(1)).where(*rules).offset(0)
    return some.correlate(resource.model.__table__).exists()
