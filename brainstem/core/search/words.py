"""The words of a search, what holds one, and where a search of a kind looks."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Select, column, select, table

from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import unstorable
from brainstem.core.search.entries import Entry, fold
from brainstem.core.sql import position_of
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
        return statement.where(Entry.text.contains(word, autoescape=True))
    phrase = '"' + word.replace('"', '""') + '"'
    matched = INDEX.c.search_index.op("MATCH", is_comparison=True)(phrase)
    return statement.join(INDEX, INDEX.c.rowid == Entry.id).where(matched)
