"""The best finds of each kind, for the page on which one searches everything.

The work has bounds, however common the words are: half of 100,000 sessions have some word in them, and to
rank all of those took a second. Of a common word the first entries that hold it are looked at, and besides
them what is called so or begins so, and all entries of the kinds that have few. So nothing is missed by its
name, and what else there is may be more than is told (`Found.more`): the lists of the kinds have all of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union,
)

from brainstem.core import references
from brainstem.core.permissions import Actor, allowed, seen_as
from brainstem.core.resource import Resource, registry
from brainstem.core.search.entries import Entry, fold, searchable
from brainstem.core.search.words import TRIGRAM, Tree, holding, target_of, tree_of, words
from brainstem.core.sql import Ids, is_among, position_of, starts_with
from brainstem.extensions import db

#: A word is common that more entries hold, and a kind has few entries where it has no more.
LOOKED_AT = 500

#: How many records are looked at because of one relation: a subject's sessions.
THROUGH = 1000

#: Behind every text that begins with another one stands that one with this.
LAST = "\U0010ffff"

BEGINS, ELSEWHERE = 1, 5


@dataclass
class Hunt:
    """What is searched for, and the entries that hold the rarest of its words: their records, by kind."""

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
        entries: dict[str, list[uuid.UUID]] = {}
        common = False
        held = holding(first, Entry.kind, Entry.record_id).limit(LOOKED_AT + 1)
        rows = db.session.execute(held).all()
        if len(rows) > LOOKED_AT:
            common, rows = True, [*rows, *db.session.execute(_besides(whole, first))]
        for kind, record_id in dict.fromkeys(tuple(row) for row in rows):
            entries.setdefault(kind, []).append(record_id)
        return cls(whole, asked, first, common, entries)

    @property
    def kinds(self) -> list[Resource]:
        """The kinds of which something may be found at all, in the order of their registration."""
        return [
            kind
            for kind in registry
            if searchable(kind) and _reached(kind, tree_of(kind)) & self.entries.keys()
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


def _besides(whole: str, first: str) -> CompoundSelect:
    """The entries that are looked at where a word is common, too: kind and record."""
    columns = select(Entry.kind, Entry.record_id)
    kinds = [kind.name for kind in registry if searchable(kind)]
    numbers = select(*(_number(select(literal(1)).where(Entry.kind == kind)) for kind in kinds))
    counted = zip(kinds, db.session.execute(numbers).one(), strict=True)
    few = [kind for kind, number in counted if number <= LOOKED_AT]
    called = (Entry.kind.in_(kinds), Entry.title >= whole, Entry.title < whole + LAST)
    return union(
        select(columns.where(*called).limit(LOOKED_AT).subquery()),
        columns.where(Entry.kind.in_(few), position_of(Entry.text, first) > 0),
    )


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
    candidates = _candidates(actor, resource, hunt, tree) if searchable(resource) else []
    if not candidates:
        return Found(resource, 0, [])
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
    found = candidates[0].union(*candidates[1:]).subquery()
    others = (_holds_in(actor, resource, each, tree) for each in asked if each != hunt.first)
    statement = (
        select(model.id, func.count().over(), rank)
        .join(Entry, Entry.record_id == model.id)
        .where(model.id.in_(select(found.c[0])), allowed(actor, resource), *others)
        .order_by(rank, title, model.id)
        .limit(most)
    )
    rows = db.session.execute(statement).all()
    if not rows:
        return Found(resource, 0, [])
    more = hunt.common and rows[0][1] > most
    return Found(resource, rows[0][1], [row[0] for row in rows], rows[0][2], more)


def _candidates(actor: Actor, resource: Resource, hunt: Hunt, tree: Tree) -> list[Select]:
    """The ids of the records that hold the first word, or of which something does that belongs to them."""
    found = []
    if own := hunt.entries.get(resource.name):
        found.append(select(resource.model.id).where(among(resource, own)))
    for name, branch in tree.items():
        target = target_of(resource, name)
        if inside := _candidates(actor, target, hunt, branch):
            through = references.joined(select(resource.model.id), resource, name)
            ids = inside[0].union(*inside[1:]).subquery()
            rules = [target.model.id.in_(select(ids.c[0]))]
            if not seen_as(resource, target):
                rules.append(allowed(actor, target))
            # Of its own: it must not mix with a select of the same records around it.
            found.append(select(through.where(*rules).limit(THROUGH).subquery().c.id))
    return found


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
