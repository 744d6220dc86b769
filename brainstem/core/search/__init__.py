"""Finding records by words: everywhere in what they say, and in what belongs to them.

    statement.where(search.matching(actor, resource, map(Word.of, words("rat12 neuropixels"))))

Every word must be found, in whatever place: in the record's own texts, or in those of a related record
that the actor may read (`Resource.searched`). Letter case does not count, nor do the signs of any query
language: a word stands for itself. "Words in quotes" are found as they stand together.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    literal,
    or_,
    select,
    true,
)

from brainstem.core import references
from brainstem.core.permissions import Actor, allowed, made_once, seen_as
from brainstem.core.resource import Resource
from brainstem.core.search.entries import (
    Entry,
    fold,
    forget,
    kinds,
    passages,
    put,
    put_new,
    rebuild,
    searchable,
    title_of,
    untrue,
    views_of,
)
from brainstem.core.search.hunting import BEGINS, ELSEWHERE, Found, Hunt, best
from brainstem.core.search.words import (
    MOST_WORDS,
    Shape,
    Tree,
    Word,
    holding,
    shape_of,
    spelled,
    target_of,
    tree_of,
    words,
    words_of,
)
from brainstem.core.sql import WHICH, is_among, position_of


def matching(actor: Actor, resource: Resource, sought: Iterable[Word]) -> ColumnElement[bool]:
    """The records of a kind in which all of these words are found, as a condition on its model.

    It does not say which records the actor may read: that is `allowed`, as everywhere, beside it.
    """
    tree, rules = tree_of(resource), []
    for word in sought:
        # The index is asked once for each word, however many kinds it is looked for in.
        held = holding(word, Entry.kind, Entry.record_id).cte()
        rules.append(resource.model.id.in_(_found(actor, resource, held, tree)))
    return and_(true(), *rules)


def _found(
    actor: Actor, resource: Resource, held: CTE, tree: Tree
) -> Select[tuple[uuid.UUID]] | CompoundSelect:
    """The ids of the records that hold a word, or of which something does that belongs to them."""
    found = [select(held.c.record_id).where(held.c.kind == resource.name)]
    for name, branch in tree.items():
        target = target_of(resource, name)
        inside = _found(actor, target, held, branch).subquery()
        through = references.joined(select(resource.model.id), resource, name)
        rules = [target.model.id.in_(select(inside.c[0]))]
        if not seen_as(resource, target):
            rules.append(allowed(actor, target))
        # Of its own: it must not mix with a select of the same records around it.
        found.append(select(through.where(*rules).subquery().c.id))
    return found[0].union(*found[1:]) if len(found) > 1 else found[0]


def holding_all(actor: Actor, resource: Resource, sought: Iterable[Word]) -> ColumnElement[bool]:
    """Just what `matching` finds, asked of one record after the other: where half of all hold the words, few
    need be looked at.
    """
    tree = tree_of(resource)
    return and_(true(), *(_holds(actor, resource, word, tree) for word in sought))


def _holds(actor: Actor, resource: Resource, word: Word, tree: Tree) -> ColumnElement[bool]:
    own = select(literal(1)).where(Entry.record_id == resource.model.id)
    own = own.where(position_of(Entry.text, word.text) > 0)
    rules = [own.correlate(resource.model.__table__).exists()]
    for name, branch in tree.items():
        target, relation = target_of(resource, name), getattr(resource.model, name)
        rule = _holds(actor, target, word, branch)
        if not seen_as(resource, target):
            rule = and_(rule, allowed(actor, target))
        rules.append(relation.any(rule) if relation.property.uselist else relation.has(rule))
    return or_(*rules)


@dataclass
class Passage:
    """Where words were found: in a field of the record, or in one of a related record."""

    field: str
    text: str
    #: The related record's kind and id.
    resource: Resource | None = None
    record_id: uuid.UUID | None = None


def explained(
    actor: Actor, resource: Resource, records: list[Any], text: str
) -> dict[uuid.UUID, list[Passage]]:
    """Why records were found, where their names don't say it: a passage for each word that is left."""
    found: dict[uuid.UUID, list[Passage]] = {each.id: [] for each in records}
    left: dict[str, list[uuid.UUID]] = {}
    asked = words(text)
    unsaid = [each for each in records if not _says_all(resource, each, asked)]
    for view in views_of(resource, unsaid) if unsaid else ():
        missing = asked
        for place, (name, each) in enumerate(passages(resource, view)):
            folded = fold(each)
            held = [word for word in missing if word in folded]
            missing = [word for word in missing if word not in held]
            if held and place:
                found[view.record.id].append(Passage(name, each))
        for word in missing:
            left.setdefault(word, []).append(view.record.id)
    for word, ids in left.items():
        for owner, passage in _elsewhere(actor, resource, word, tree_of(resource), ids).items():
            if passage not in found[owner]:
                found[owner].append(passage)
    return found


def _says_all(resource: Resource, record: Any, asked: list[str]) -> bool:
    """Whether all the words stand in a record's name."""
    name = title_of(resource, record)
    return all(word in name for word in asked)


def _elsewhere(
    actor: Actor, resource: Resource, word: str, tree: Tree, owners: list[uuid.UUID]
) -> dict[uuid.UUID, Passage]:
    """The passage of a related record that has a word, for each of the records that has one."""
    found: dict[uuid.UUID, Passage] = {}
    for name, branch in tree.items():
        target = target_of(resource, name)
        left = [each for each in owners if each not in found]
        pairs = list(references.related(actor, resource, name, left))
        if not pairs:
            continue
        ids = set(_holding(which={each for _, each in pairs}, word=word).scalars())
        records = references.records(target, list(ids))
        views = {each.record.id: each for each in views_of(target, records)}
        rest = []
        for owner, each in pairs:
            if each in ids and owner not in found:
                held_in = (
                    Passage(field, text, target, each)
                    for field, text in passages(target, views[each])
                    if word in fold(text)
                )
                if (passage := next(held_in, None)) is not None:
                    found[owner] = passage
            elif branch:
                rest.append(each)
        if rest:
            deeper = _elsewhere(actor, target, word, branch, rest)
            for owner, each in pairs:
                if each in deeper:
                    found.setdefault(owner, deeper[each])
    return found


@made_once
def _holding() -> Select:
    """Those of the records whose entries hold a word."""
    held = position_of(Entry.text, bindparam("word")) > 0
    return select(Entry.record_id).where(is_among(Entry.record_id, WHICH), held)


def spans(text: str, asked: list[str]) -> list[tuple[int, int]]:
    """Where folded words stand in a text, as (start, end), in order and without overlaps."""
    if text.isascii():
        folded, places = fold(text), range(len(text) + 1)
    else:
        folded, places = "", []
        for place, letter in enumerate(text):
            each = fold(letter)
            folded += each
            places += [place] * len(each)
        places.append(len(text))
    found = []
    for word in asked:
        start = folded.find(word)
        while word and start >= 0:
            end = start + len(word)
            found.append((places[start], places[end - 1] + 1))
            start = folded.find(word, end)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


__all__ = [
    "BEGINS",
    "ELSEWHERE",
    "MOST_WORDS",
    "Found",
    "Hunt",
    "Passage",
    "Shape",
    "Word",
    "best",
    "explained",
    "fold",
    "forget",
    "holding_all",
    "kinds",
    "matching",
    "put",
    "put_new",
    "rebuild",
    "searchable",
    "shape_of",
    "spans",
    "spelled",
    "untrue",
    "words",
    "words_of",
]
