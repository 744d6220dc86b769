"""What is wrong with a payload, in words; what no database can keep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields
from marshmallow.utils import missing

REQUIRED = "This field is required."
fields.Field.default_error_messages |= {
    "required": REQUIRED,
    "null": "This field may not be null.",
}

UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Unreadable:
    """In a payload from a form: what can't be understood of what was typed, and the rest of the value."""

    messages: Any
    rest: Any = missing


def plain(messages: Any) -> Any:
    """marshmallow's messages, with what it says of a whole row standing at the row itself."""
    if not isinstance(messages, dict):
        return messages
    if messages.keys() == {"_schema"}:
        return messages["_schema"]
    return {name: plain(each) for name, each in messages.items()}


def merged(first: Any, second: Any) -> Any:
    """What is wrong with one value, said by two: sentences together, positions each for itself."""
    if isinstance(first, dict) and isinstance(second, dict):
        both = first.keys() & second.keys()
        found = first | second | {each: merged(first[each], second[each]) for each in both}
        return (
            dict(sorted(found.items())) if all(isinstance(each, int) for each in found) else found
        )
    if isinstance(first, list) and isinstance(second, list):
        return list(dict.fromkeys([*first, *second]))
    return first or second


def texts_in(message: Any) -> list[str]:
    """The sentences of a message, however deeply nested."""
    if isinstance(message, dict):
        return [text for each in message.values() for text in texts_in(each)]
    return list(map(str, message))


def unstorable(value: Any) -> Any:
    """Errors, by position, for characters that no database can keep: NUL and half surrogates."""
    if isinstance(value, str):
        return ["Contains a character that can't be stored."] if UNSTORABLE.search(value) else None
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return None
    found = {}
    for key, each in items:
        problem = unstorable(key) or unstorable(each)
        if problem:
            shown = (
                UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", key) if isinstance(key, str) else key
            )
            found[shown] = problem
    return found


def label_of(name: str, field: fields.Field) -> str:
    """What people call a field."""
    return field.metadata.get("label") or name.replace("_", " ").capitalize()


def default_of(field: fields.Field) -> Any:
    """What a field is when nothing is said."""
    default = field.load_default
    if default is missing:
        return None
    return default() if callable(default) else default
