"""Finding records by words: everywhere in what they say, and in what belongs to them.

    statement.where(search.matching(actor, resource, "rat12 neuropixels"))

Every word must be found, in whatever place: in the record's own texts, or in those of a related record
that the actor may read (`Resource.searched`). Letter case does not count, nor do the signs of any query
language: a word stands for itself. "Words in quotes" are found as they stand together.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from marshmallow import ValidationError
from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    case,
    column,
    func,
    literal,
    or_,
    select,
    table,
    true,
)

from brainstem.core import references
from brainstem.core.permissions import Actor, allowed, seen_as
from brainstem.core.references import View
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import unstorable
from brainstem.core.search.entries import (
    Entry,
    fold,
    forget,
    passages,
    put,
    put_new,
    rebuild,
    searchable,
    untrue,
    views_of,
)
from brainstem.core.sql import position_of, starts_with
from brainstem.extensions import db

#: More words than this are no search.
MOST_WORDS = 20

#: Shorter words have no trigrams: they are looked for in every entry of their kind.
TRIGRAM = 3

INDEX = table("search_index", column("rowid"), column("search_index"))

#: Relations to look into, each with those of what it names.
Tree = dict[str, "Tree"]


def words(text: str) -> list[str]:
    """The words of a search, folded, each once; `ValidationError` for what can't be searched for."""
    if unstorable(text):
        raise ValidationError("Contains a character that can't be stored.")
    # Each letter is looked at but a few times, also where a quotation mark is never closed.
    parts = (quoted or plain for quoted, plain in re.findall(r'"(\s*[^"\s][^"]*)"|(\S+)', text))
    found = list(dict.fromkeys(fold(each).strip() for each in parts))
    if len(found) > MOST_WORDS:
        raise ValidationError(f"At most {MOST_WORDS} words; these are {len(found)}.")
    return found


def matching(actor: Actor, resource: Resource, text: str) -> ColumnElement[bool]:
    """The records of a kind in which every word of the text is found, as a condition on its model.

    It does not say which records the actor may read: that is `allowed`, as everywhere, beside it.
    """
    tree, rules = _tree(resource), []
    for word in words(text):
        # The index is asked once for each word, however many kinds it is looked for in.
        holding = select(Entry.kind, Entry.record_id).where(_holds(word)).cte()
        rules.append(resource.model.id.in_(_found(actor, resource, holding, tree)))
    return and_(true(), *rules)


def _tree(resource: Resource) -> Tree:
    tree: Tree = {}
    for path in resource.searched:
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def _found(
    actor: Actor, resource: Resource, holding: CTE, tree: Tree
) -> Select[tuple[uuid.UUID]] | CompoundSelect:
    """The ids of the records that hold a word, or of which something does that belongs to them."""
    found = [select(holding.c.record_id).where(holding.c.kind == resource.name)]
    for name, branch in tree.items():
        target = _target(resource, name)
        inside = _found(actor, target, holding, branch).subquery()
        through = references.joined(select(resource.model.id), resource, name)
        rules = [target.model.id.in_(select(inside.c[0]))]
        if not seen_as(resource, target):
            rules.append(allowed(actor, target))
        # Of its own: it must not mix with a select of the same records around it.
        found.append(select(through.where(*rules).subquery().c.id))
    return found[0].union(*found[1:]) if len(found) > 1 else found[0]


def _target(resource: Resource, name: str) -> Resource:
    return registry.get(resource.schema._declared_fields[name].kind)


def _holds(word: str) -> ColumnElement[bool]:
    """The entries in which a word is found."""
    if len(word) < TRIGRAM:
        return position_of(Entry.text, word) > 0
    if db.engine.dialect.name == "sqlite":
        phrase = '"' + word.replace('"', '""') + '"'
        matched = INDEX.c.search_index.op("MATCH", is_comparison=True)(phrase)
        return Entry.id.in_(select(INDEX.c.rowid).where(matched))
    return Entry.text.contains(word, autoescape=True)


def kinds(text: str) -> list[Resource]:
    """The kinds of which something may be found at all, in the order of their registration."""
    holding = [
        set(db.session.scalars(select(Entry.kind).where(_holds(word)).distinct()))
        for word in words(text)
    ]
    return [
        kind
        for kind in registry
        if holding
        and searchable(kind)
        and all(_reached(kind, _tree(kind)) & each for each in holding)
    ]


def _reached(resource: Resource, tree: Tree) -> set[str]:
    """The names of the kinds that a search of a kind looks into."""
    return {resource.name}.union(
        *(_reached(_target(resource, name), branch) for name, branch in tree.items())
    )


@dataclass
class Found:
    """The best finds of a kind, and how many there are in all."""

    resource: Resource
    total: int
    ids: list[uuid.UUID]
    #: How well the first of them fits, from 0; from `ELSEWHERE` on its name says nothing of it.
    rank: int = 0


BEGINS, ELSEWHERE = 1, 5


def best(actor: Actor, resource: Resource, text: str, most: int) -> Found:
    """The records that fit best: what is called so, what begins so, what has it in its name, the rest."""
    model, asked = resource.model, words(text)
    if not asked or not searchable(resource):
        return Found(resource, 0, [])
    title, whole = Entry.title, fold(" ".join(text.split()))
    in_title = [position_of(title, each) > 0 for each in asked]
    rank = case(
        (title == whole, 0),
        (starts_with(title, literal(whole)), BEGINS),
        (and_(starts_with(title, literal(asked[0])), *in_title), 2),
        (and_(*in_title), 3),
        (or_(*in_title), 4),
        else_=ELSEWHERE,
    )
    statement = (
        select(model.id, func.count().over(), rank)
        .join(Entry, Entry.record_id == model.id)
        .where(allowed(actor, resource), matching(actor, resource, text))
        .order_by(rank, title, model.id)
        .limit(most)
    )
    rows = db.session.execute(statement).all()
    if not rows:
        return Found(resource, 0, [])
    return Found(resource, rows[0][1], [row[0] for row in rows], rows[0][2])


@dataclass
class Passage:
    """Where words were found: in a field of the record, or in one of a related record."""

    field: str
    text: str
    #: The related record's kind and id.
    resource: Resource | None = None
    record_id: uuid.UUID | None = None


def explained(
    actor: Actor, resource: Resource, views: Iterable[View], text: str
) -> dict[uuid.UUID, list[Passage]]:
    """Why records were found, where their names don't say it: a passage for each word that is left."""
    found: dict[uuid.UUID, list[Passage]] = {}
    left: dict[str, list[uuid.UUID]] = {}
    for view in views:
        missing = words(text)
        found[view.record.id] = []
        for place, (name, each) in enumerate(passages(resource, view)):
            folded = fold(each)
            held = [word for word in missing if word in folded]
            missing = [word for word in missing if word not in held]
            if held and place:
                found[view.record.id].append(Passage(name, each))
        for word in missing:
            left.setdefault(word, []).append(view.record.id)
    for word, ids in left.items():
        for owner, passage in _elsewhere(actor, resource, word, _tree(resource), ids).items():
            if passage not in found[owner]:
                found[owner].append(passage)
    return found


def _elsewhere(
    actor: Actor, resource: Resource, word: str, tree: Tree, owners: list[uuid.UUID]
) -> dict[uuid.UUID, Passage]:
    """The passage of a related record that has a word, for each of the records that has one."""
    found: dict[uuid.UUID, Passage] = {}
    for name, branch in tree.items():
        target = _target(resource, name)
        left = [each for each in owners if each not in found]
        pairs = db.session.execute(references.related(actor, resource, name, target, left)).all()
        holding = select(Entry.record_id).where(
            Entry.kind == target.name, _holds(word), Entry.record_id.in_({b for _, b in pairs})
        )
        ids = set(db.session.scalars(holding))
        views = {each.record.id: each for each in views_of(target, ids)}
        rest = []
        for owner, each in pairs:
            if each in ids and owner not in found:
                field, text = next(
                    (field, text)
                    for field, text in passages(target, views[each])
                    if word in fold(text)
                )
                found[owner] = Passage(field, text, target, each)
            elif branch:
                rest.append(each)
        if rest:
            deeper = _elsewhere(actor, target, word, branch, rest)
            for owner, each in pairs:
                if each in deeper:
                    found.setdefault(owner, deeper[each])
    return found


def spans(text: str, asked: list[str]) -> list[tuple[int, int]]:
    """Where folded words stand in a text, as (start, end), in order and without overlaps."""
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
    "Passage",
    "best",
    "explained",
    "fold",
    "forget",
    "kinds",
    "matching",
    "put",
    "put_new",
    "rebuild",
    "searchable",
    "spans",
    "untrue",
    "views_of",
    "words",
]
