"""The best finds of each kind, for the page on which one searches everything.

The work has bounds, however common the words are: half of 100,000 sessions have some word in them, and to
rank all of those took a second. `lookup.LOOKED_AT` entries are looked at that hold all the words, and so many
that hold the rarest of them, if there are no more of those. Where that was not all, it is told
(`Found.more`): the lists of the kinds have all of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import Select, bindparam, select, union

from brainstem.core import references
from brainstem.core.permissions import Actor, allowed, made_once, seen_as
from brainstem.core.resource import Resource
from brainstem.core.search import lookup
from brainstem.core.search.entries import Entry, fold
from brainstem.core.search.lookup import Actors, Entries
from brainstem.core.search.words import Tree, target_of, tree_of, words
from brainstem.core.sql import AT_MOST, WHICH, is_among, position_of

#: How many records are looked at because of one relation: a subject's sessions.
THROUGH = 100

BEGINS, ELSEWHERE = 1, 5


@dataclass
class Hunt:
    """What is searched for, and the entries with which that begins."""

    whole: str
    words: list[str]
    actors: Actors
    #: Those that hold all of the words, or are called so.
    entries: Entries = field(default_factory=dict)
    #: Those that hold the rarest one, of several: the `others` stand elsewhere, or nowhere.
    rare: Entries = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    #: The kinds of which not all entries were looked at.
    cut: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str, actors: Actors) -> Hunt:
        """Look up the words, each kind for its actor; `ValidationError` for what can't be searched for."""
        hunt = cls(fold(" ".join(text.split())), words(text), actors)
        look_up = lookup.Lookup(actors)
        if hunt.words:
            hunt.entries, hunt.cut = look_up.held(hunt.words)
        if hunt.cut:
            for kind, titles in look_up.called(hunt.whole).items():
                hunt.entries.setdefault(kind, {}).update(titles)
        elif len(hunt.words) > 1:
            rarest = lookup.rarest(hunt.words)
            hunt.others = [each for each in hunt.words if each != rarest]
            hunt.rare, hunt.cut = look_up.held([rarest])
            if hunt.cut:
                hunt.rare = {}
        if hunt.cut and len(hunt.words) > 1:
            # Of no kind it was asked what has some of the words in what belongs to it.
            hunt.cut = {kind.name for kind in actors}
        return hunt

    @property
    def kinds(self) -> list[Resource]:
        """The kinds of which something may be found, in the order of their registration."""
        held = self.entries.keys() | self.rare.keys()
        return [kind for kind in self.actors if _reached(kind, tree_of(kind)) & held]


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


def best(hunt: Hunt, resource: Resource, most: int) -> Found:
    """The records that fit best: what is called so, what begins so, what has it in its name, the rest.

    What has all the words in itself stands before what has some of them in what belongs to it.
    """
    actor = hunt.actors[resource]
    own = hunt.entries.get(resource.name, {})
    others, more = _belonging_to(actor, resource, hunt.entries)
    if hunt.rare:
        some, cut = _belonging_to(actor, resource, hunt.rare)
        some |= hunt.rare.get(resource.name, {}).keys()
        others |= _with_all(actor, resource, some - own.keys() - others, hunt.others)
        more |= cut
    others -= own.keys()
    more |= bool(hunt.cut & _reached(resource, tree_of(resource)))
    ranked = _ranked(own.items(), hunt)
    if others and len(ranked) < most:
        ranked += _ranked(_titles(which=others), hunt)
    rank = ranked[0][0] if ranked else 0
    ids = [record_id for *_, record_id in ranked[:most]]
    return Found(resource, len(own) + len(others), ids, rank, more)


def _ranked(
    titles: Iterable[tuple[uuid.UUID, str]], hunt: Hunt
) -> list[tuple[int, str, uuid.UUID]]:
    return sorted((_rank(title, hunt), title, record_id) for record_id, title in titles)


def _rank(title: str, hunt: Hunt) -> int:
    if title == hunt.whole:
        return 0
    if title.startswith(hunt.whole):
        return BEGINS
    inside = [word in title for word in hunt.words]
    if all(inside):
        return 2 if title.startswith(hunt.words[0]) else 3
    return 4 if any(inside) else ELSEWHERE


@made_once
def _titles() -> Select:
    return select(Entry.record_id, Entry.title).where(is_among(Entry.record_id, WHICH))


def _belonging_to(
    actor: Actor, resource: Resource, entries: Entries
) -> tuple[set[uuid.UUID], bool]:
    """The records of a kind to which something belongs that has one of these entries.

    And whether there may be more of them.
    """
    ids, more = set(), False
    for path, target in _paths(resource, tree_of(resource)):
        if held := entries.get(target.name):
            found = _through(actor, resource, *path, which=held, most=THROUGH + 1).scalars().all()
            more |= len(found) > THROUGH
            ids.update(found)
    return ids, more


def _paths(resource: Resource, tree: Tree) -> Iterator[tuple[tuple[str, ...], Resource]]:
    """Each way through the tree, and the kind that it leads to."""
    for name, branch in tree.items():
        target = target_of(resource, name)
        yield (name,), target
        for path, last in _paths(target, branch):
            yield (name, *path), last


@made_once
def _through(actor: Actor, resource: Resource, *path: str) -> Select:
    """The records of which a path leads to one of `which`, as far as one may read all that lies on it.

    Some come twice, and count as two: to tell each but once, PostgreSQL would have to find all of them first.
    """
    rules, owner = [allowed(actor, resource)], resource
    for name in path:
        target = target_of(owner, name)
        if not seen_as(owner, target):
            rules.append(allowed(actor, target))
        owner = target
    through = references.joined(select(resource.model.id), resource, *path)
    rules.append(is_among(owner.model.id, WHICH))
    return through.where(*rules).limit(AT_MOST)


def _with_all(
    actor: Actor, resource: Resource, ids: set[uuid.UUID], others: Iterable[str]
) -> set[uuid.UUID]:
    """Those of the records that hold each of the words, or to which something belongs that does."""
    for word in others:
        ids = set(_holding(actor, resource, which=ids, word=word).scalars()) if ids else ids
    return ids


@made_once
def _holding(actor: Actor, resource: Resource) -> Select:
    """Those of the records that hold a word, or to which something belongs that one may read."""
    held = position_of(Entry.text, bindparam("word")) > 0
    found = [select(Entry.record_id).where(is_among(Entry.record_id, WHICH), held)]
    for pairs in _pairs(actor, resource, tree_of(resource)):
        pairs = pairs.subquery()
        through = select(pairs.c[0]).join(Entry, Entry.record_id == pairs.c[1])
        found.append(through.where(is_among(pairs.c[0], WHICH), held))
    return select(union(*found).subquery())


def _pairs(actor: Actor, resource: Resource, tree: Tree) -> Iterator[Select]:
    """For each relation, selects of the ids of a record and of what belongs to it that one may read."""
    for name, branch in tree.items():
        target = target_of(resource, name)
        rules = [] if seen_as(resource, target) else [allowed(actor, target)]
        pairs = select(resource.model.id, target.model.id.label("part"))
        pairs = references.joined(pairs, resource, name).where(*rules)
        yield pairs
        for deeper in _pairs(actor, target, branch):
            first, then = pairs.subquery(), deeper.subquery()
            yield select(first.c[0], then.c[1]).join(then, then.c[0] == first.c[1])
