"""The words of a search, what holds one, and where a search of a kind looks."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Select, and_, column, select, table

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
    found = list(dict.fromkeys(" ".join(fold(each).split()) for each in parts))
    if len(found) > MOST_WORDS:
        raise ValidationError(f"At most {MOST_WORDS} words; these are {len(found)}.")
    return found


def tree_of(resource: Resource) -> Tree:
    tree: Tree = {}
    for path in resource.searched:
        branch = tree
        for name in path.split("."):
            branch = branch.setdefault(name, {})
    return tree


def target_of(resource: Resource, name: str) -> Resource:
    return registry.get(resource.schema._declared_fields[name].kind)


def holding(word: str, *columns: Any) -> Select:
    """Columns of the entries in which a word is found, as they come: one can stop after some."""
    statement = select(*columns).select_from(Entry)
    if len(word) < TRIGRAM:
        return statement.where(position_of(Entry.text, word) > 0)
    if db.engine.dialect.name != "sqlite":
        return statement.where(Entry.text.like(phrase(word), escape=ESCAPE))
    matched = INDEX.c.search_index.op("MATCH", is_comparison=True)(phrase(word))
    if len(word) > LOOKED_UP:
        matched = and_(matched, position_of(Entry.text, word) > 0)
    return statement.join(INDEX, INDEX.c.rowid == Entry.id).where(matched)


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
    return holding(word, Entry.record_id).where(unindexed(Entry.kind) == resource.name)
