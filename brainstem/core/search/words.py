"""The words of a search, what holds one, and where a search of a kind looks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from marshmallow import ValidationError
from sqlalchemy import ColumnElement, Select, String, and_, bindparam, column, select, table

from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import unstorable
from brainstem.core.search.entries import Entry, fold, searchable, searched_fields
from brainstem.core.sql import position_of, unindexed
from brainstem.extensions import db

#: More words than this are no search.
MOST_WORDS = 20

#: Shorter words have no trigrams: they are looked for in every entry of their kind.
TRIGRAM = 3

#: So many letters of a word are looked up in SQLite's index, which takes as long as there are trigrams.
LOOKED_UP = 64

#: What stands before a sign that `LIKE` would take for more than itself.
ESCAPE = "/"

INDEX = table("search_index", column("rowid"), column("search_index"))

#: Relations to look into, each with those of what it names.
Tree = dict[str, "Tree"]


def words(text: str) -> list[str]:
    """The words of a search, folded, each once; `ValidationError` for what can't be searched for."""
    if unstorable(text):
        raise ValidationError("Contains a character that can't be stored.")
    # Each letter is looked at but a few times, also where a quotation mark is never closed.
    parts = (quoted or plain for quoted, plain in re.findall(r'"(\s*[^"\s][^"]*)"|(\S+)', text))
    # Over a line break, texts of different fields would stand together.
    return _no_more(" ".join(fold(each).split()) for each in parts)


def _no_more(words: Iterable[str]) -> list[str]:
    """Each of the words once; `ValidationError` where they are too many."""
    found = list(dict.fromkeys(words))
    if len(found) > MOST_WORDS:
        raise ValidationError(f"At most {MOST_WORDS} words; these are {len(found)}.")
    return found


def words_of(texts: Iterable[str]) -> list[str]:
    """The words of several texts, those of a shape together; all of them are no more than those of one.

    So there are few statements for so many words: which one comes first says nothing.
    """
    return sorted(_no_more(word for text in texts for word in words(text)), key=shape_of)


def tree_of(resource: Resource) -> Tree:
    tree: Tree = {}
    for path in resource.searched:
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def target_of(resource: Resource, name: str) -> Resource:
    return registry.get(resource.schema._declared_fields[name].kind)


#: Whether a word has trigrams, and whether SQLite's index knows all of it.
Shape = tuple[bool, bool]


class Word(NamedTuple):
    """A word in a statement: as it is, and as the index is asked for it."""

    text: Any
    phrase: Any
    shape: Shape

    @classmethod
    def of(cls, word: str) -> Word:
        """This word."""
        return cls(word, phrase(word), shape_of(word))

    @classmethod
    def any(cls, place: int, shape: Shape = (True, True)) -> Word:
        """Whichever word of this shape the statement is asked for: see `spelled`."""
        text, its_phrase = (
            bindparam(f"{name}{place}", type_=String()) for name in ("word", "phrase")
        )
        return cls(text, its_phrase, shape)


def shape_of(word: str) -> Shape:
    return len(word) >= TRIGRAM, len(word) <= LOOKED_UP


def spelled(words: Sequence[str]) -> dict[str, str]:
    """What a statement is asked for that was made for any words."""
    values = {f"word{place}": each for place, each in enumerate(words)}
    return values | {f"phrase{place}": phrase(each) for place, each in enumerate(words)}


def holding(word: Word, *columns: Any) -> Select:
    """Columns of the entries in which a word is found, as they come: one can stop after some."""
    statement = select(*columns).select_from(Entry)
    indexed, whole = word.shape
    if not indexed:
        return statement.where(position_of(Entry.text, word.text) > 0)
    if db.engine.dialect.name != "sqlite":
        return statement.where(Entry.text.like(word.phrase, escape=ESCAPE))
    matched = matches(word.phrase)
    if not whole:
        matched = and_(matched, position_of(Entry.text, word.text) > 0)
    return statement.join(INDEX, INDEX.c.rowid == Entry.id).where(matched)


def matches(phrases: Any) -> ColumnElement[bool]:
    """Whether SQLite's index finds these phrases in an entry."""
    return INDEX.c.search_index.op("MATCH", is_comparison=True)(phrases)


def phrase(word: str) -> str:
    """A word, or the beginning of a long one, as the index of this database is asked for it."""
    if db.engine.dialect.name == "sqlite":
        return '"' + word[:LOOKED_UP].replace('"', '""') + '"'
    return "%" + re.sub(f"[%_{ESCAPE}]", rf"{ESCAPE}\g<0>", word) + "%"


def may_hold(resource: Resource, field: str, text: str) -> Select | None:
    """The ids of the records of a kind in whose field a text may stand: some too many, none too few.

    None where the index can't say. It does not know all fields; and it knows folded texts, in which an
    accent may have become one with the letter before it: so the text must be of ASCII, and its last
    letter is left out.
    """
    word = text.lower()
    if word[-1:].isalpha() or word[-1:] in ("<", "=", ">"):
        word = word[:-1]
    known = searchable(resource) and field in searched_fields(resource)
    if not known or not text.isascii() or len(word) < TRIGRAM:
        return None
    # Not by the index of kinds first: SQLite would ask that of words for each entry of the kind.
    return holding(Word.of(word), Entry.record_id).where(unindexed(Entry.kind) == resource.name)
