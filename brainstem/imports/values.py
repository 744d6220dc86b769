"""Cells into what a script would send: texts, dates, tags, numbers, ids of the records that are named."""

from __future__ import annotations

import csv
import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from brainstem.core import finding
from brainstem.core.permissions import Actor, Right
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import LabDateTime, Ref, RefList, TagList, Unreadable
from brainstem.core.schemas.messages import UNSTORABLE
from brainstem.core.schemas.values import Day, Duration
from brainstem.imports import dates

#: Digits with a zero before them are a code, not a number; so is what a computer could not keep.
NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,300})(\.\d{1,300}([eE][+-]?\d{1,2})?)?", re.ASCII)
COMMA_NUMBER = re.compile(r"[+-]?(0|[1-9]\d{0,300})(,\d{1,300})?", re.ASCII)

#: So much of a cell is repeated in a message.
MOST_QUOTED = 80
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

Reader = Callable[[str], Any]


class Names:
    """The records that an actor may name, by name: asked for once a kind."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self._known: dict[tuple[str, Right], dict[str, list[uuid.UUID]]] = {}

    def of(self, target: Resource, right: Right) -> dict[str, list[uuid.UUID]]:
        """The ids by name, in the letter case of the name."""
        key = (target.name, right)
        if key not in self._known:
            found: dict[str, list[uuid.UUID]] = {}
            for each, name in finding.named(self.actor, target, right=right).items():
                found.setdefault(name, []).append(each)
            self._known[key] = found
        return self._known[key]

    def find(self, target: Resource, right: Right, text: str) -> str:
        """The id of the record that a text names; `ValueError` with a sentence where it names none."""
        if as_id(text) is not None:
            return text
        found = self.of(target, right).get(text, [])
        if len(found) == 1:
            return str(found[0])
        if found:
            raise ValueError(
                f"{len(found)} {target.labels.lower()} are called {quoted(text)}: give the id of one."
            )
        if text in self.of(target, Right.READ):
            raise ValueError(f"You may see the {target.words} {quoted(text)}, but not use it.")
        raise ValueError(f"There is no {target.words} {quoted(text)} that you may use.")


def quoted(text: str) -> str:
    """A text as a message names it."""
    short = text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]} …"
    return f"“{UNSTORABLE.sub(REPLACEMENT, short)}”"


def parts(text: str) -> list[str]:
    """What a cell lists, with semicolons or else commas between; quotes hold a comma in."""
    delimiter = ";" if ";" in text else ","
    try:
        rows = csv.reader([" ".join(text.splitlines())], delimiter=delimiter, skipinitialspace=True)
        return [part for row in rows for part in map(str.strip, row) if part]
    except csv.Error:
        return [text]


def number(text: str, *, comma: bool = False) -> str | int | float:
    """A number where the text is one, else the text to the letter; `comma` stands for the point."""
    plain = text.strip()
    if comma and COMMA_NUMBER.fullmatch(plain):
        plain = plain.replace(",", ".")
    if not NUMBER.fullmatch(plain):
        return text
    return int(plain) if plain.lstrip("+-").isdigit() else float(plain)


def decimal_comma(texts: Iterable[str]) -> bool:
    """Whether the numbers of a column have a comma for the point: all are numbers so, and one is plain.

    `1,000` can be a thousand; `1,5` can't.
    """
    found = False
    for text in texts:
        if not COMMA_NUMBER.fullmatch(text):
            return False
        _, _, decimals = text.partition(",")
        found |= bool(decimals) and len(decimals) != 3
    return found


def reader_of(
    field: Any, names: Names, texts: list[str], *, semicolons: bool, words: dict[str, str]
) -> Reader:
    """What reads the cells of a column for a field, knowing all its `texts`.

    `semicolons`: the table's cells are divided by them, as where a comma stands in numbers. The reader
    gives an `Unreadable` for what it can't understand; everything else is for the schema to judge.
    """
    if isinstance(field, LabDateTime | Day):
        order = dates.order_of(texts)
        finish = dates.bare if isinstance(field, Day) else str
        return _telling(lambda text: finish(dates.iso(text, order)))
    if isinstance(field, Duration):
        comma = semicolons
        return lambda text: re.sub(r"^(\d+),(\d+)$", r"\1.\2", text) if comma else text
    if isinstance(field, TagList):
        return parts
    if isinstance(field, Ref):
        target = registry.get(field.kind)
        return _telling(lambda text: names.find(target, field.right, text))
    if isinstance(field, RefList):
        return lambda text: _ids(field, names, text)
    return lambda text: words.get(text.casefold(), text)


def _telling(read: Reader) -> Reader:
    def tell(text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            return Unreadable([str(error)])

    return tell


def _ids(field: RefList, names: Names, text: str) -> Any:
    """The ids of the records that a cell names. One name may have a comma in it: the whole is tried first."""
    target = registry.get(field.kind)
    listed = [text] if text in names.of(target, field.right) else parts(text)
    found, wrong = [], []
    for each in dict.fromkeys(listed):
        try:
            found.append(names.find(target, field.right, each))
        except ValueError as error:
            wrong.append(str(error))
    if wrong and len(listed) > 1 and len(wrong) == len(listed):
        # Nothing of it is known: then it was perhaps one name.
        wrong = [f"There is no {target.words} {quoted(text)} that you may use."]
    return Unreadable(wrong) if wrong else found
