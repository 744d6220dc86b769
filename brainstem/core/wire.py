"""Reading JSON from strangers."""

from __future__ import annotations

import json
import math
import re
from typing import Any

#: No record nests deeper; what does would exhaust the stack further on.
DEEPEST = 50


def parse(text: str | bytes) -> Any:
    """The value that a JSON text spells; `ValueError` says in words why it is none.

    Numbers that JSON does not have (NaN, Infinity), or that double precision has not (1e400, 1e-400), and a
    key given twice are errors: all would lose or change what was sent.
    """
    try:
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_object
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [each for outer in level for each in _inside(outer)]
    if level:
        raise ValueError("it is nested too deeply")
    return value


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    if number == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ValueError(f"{text[:40]} is too small a number")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} is given twice")
            seen.add(key)
    return found
