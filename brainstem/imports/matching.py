"""Which column of a table is which field.

A target says where the cells of a column go: the name of a field (`date_time`), a part of a field of rows
(`download_links.url`), an extra field (`extra_fields:depth_um`), or nowhere (an empty text).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import fields

from brainstem.core.schemas import (
    ExtraFields,
    LabDateTime,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
    label_of,
)
from brainstem.core.schemas.values import Day, Duration
from brainstem.imports.kinds import ImportKind

NOWHERE = ""

#: What a cell can be read for.
READABLE = (Text, LabDateTime, Day, Duration, TagList, Ref, RefList)


@dataclass(frozen=True)
class Target:
    """A place that a column can be matched to. `several`: more than one column may be."""

    key: str
    label: str
    field: fields.Field
    required: bool = False
    several: bool = False


@cache
def targets(kind: ImportKind) -> dict[str, Target]:
    """The places that columns of this kind's tables can be matched to, but for extra fields."""
    schema = kind.resource.schema(way="page")
    found: dict[str, Target] = {}
    names = kind.resource.form or schema.load_fields
    for name in dict.fromkeys([*names, *schema.load_fields]):
        about = schema.load_fields.get(name)
        label = about and label_of(name, about)
        if isinstance(about, RowList):
            for part, each in about.inner.schema.fields.items():
                key = f"{name}.{part}"
                found[key] = Target(key, f"{label}: {label_of(part, each)}", each, several=True)
        elif isinstance(about, READABLE):
            found[name] = Target(name, label, about, required=about.required)
    return found


def home_field(kind: ImportKind) -> Ref | RefList:
    """What says which record a row belongs to (`ImportKind.default`)."""
    return targets(kind)[kind.default].field


def extra_fields_of(kind: ImportKind) -> str:
    """The name of the kind's field for extra fields; empty where it has none."""
    schema = kind.resource.schema(way="page")
    return next((n for n, f in schema.load_fields.items() if isinstance(f, ExtraFields)), "")


def plain(name: str) -> str:
    """A column's name without its case, blanks, underscores and other marks."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in text if character.isalnum())


@cache
def known_names(kind: ImportKind) -> dict[str, str]:
    """The targets by the plain names of columns."""
    found: dict[str, str] = {}
    # What a record has and no cell can give is known, and goes nowhere.
    schema, known = kind.resource.schema(way="page"), targets(kind)
    unread = [*schema.fields.keys() - known.keys(), "created_date", "updated_date"]
    for name in [*unread, *kind.needless]:
        found[plain(name)] = NOWHERE
        found[plain(f"{kind.name} {name}")] = NOWHERE
    for own in (False, True):
        for key, target in known.items():
            names = kind.names.get(key, ()) if not own else (key, target.label)
            for name in names:
                for text in (name, f"{kind.name} {name}"):
                    if own or plain(text) not in found:
                        found[plain(text)] = key
    return found


def guess(kind: ImportKind, header: list[str]) -> list[str]:
    """The target of each column, by its name; the first of two that mean the same counts.

    What has another name becomes an extra field, where the kind has such.
    """
    known, free = known_names(kind), extra_fields_of(kind)
    taken: Counter[str] = Counter()
    headers: set[str] = set()
    found = []
    for name in header:
        target = known.get(plain(name))
        if target is None or (taken[target] and not targets(kind)[target].several):
            key = extra_key(kind, name)
            unused = key and not taken[key] and plain(name) not in headers
            target = key if free and unused else NOWHERE
        headers.add(plain(name))
        if target:
            taken[target] += 1
        found.append(target)
    # “Subject ID” is what many call the name; but not beside a column of names.
    handle, ids = kind.resource.handle, plain(f"{kind.name} id")
    if handle not in found and ids in headers:
        found[[plain(name) for name in header].index(ids)] = handle
    return found


def extra_key(kind: ImportKind, name: str) -> str:
    """The target of an extra field with a key as like to the column's name as can be; empty for none."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    # As BrainSTEM's templates, and the lists' own downloads, write it.
    text = re.sub(rf"^({kind.name}__|extra_fields[._])", "", text.strip(), flags=re.IGNORECASE)
    text = re.sub("[^A-Za-z0-9]+", "_", text).strip("_")
    if text and not text[0].isalpha():
        text = f"field_{text}"
    return f"{extra_fields_of(kind)}:{text[:100]}" if text else ""


def is_extra(target: str) -> bool:
    """Whether a column becomes an extra field."""
    return ":" in target


def problems(kind: ImportKind, header: list[str], matched: list[str]) -> dict[str, list[Any]]:
    """What is wrong with a matching: `columns` by index, and what is missing in `missing`."""
    known, free = targets(kind), extra_fields_of(kind)
    wrong: dict[int, str] = {}
    seen: dict[str, int] = {}
    for index, target in enumerate(matched):
        valid = target == NOWHERE or target in known
        if is_extra(target):
            name, _, key = target.partition(":")
            valid = bool(free) and name == free and bool(re.fullmatch(ExtraFields.KEY, key))
        if not valid:
            wrong[index] = "Choose a field."
        elif target and target in seen and not (target in known and known[target].several):
            wrong[index] = f"Column “{header[seen[target]]}” is matched to this field already."
        seen.setdefault(target, index)
    missing = [
        each.label
        for key, each in known.items()
        if each.required and key not in matched and key != kind.default
    ]
    return {"columns": wrong, "missing": missing}
