"""Comparing texts alike on SQLite and PostgreSQL: by code point, or without case in every alphabet.

`LIKE` would give `%`, `_` and `\\` a meaning, and on SQLite it ignores the case of ASCII letters.
"""

from typing import Any

from sqlalchemy import ColumnElement, Integer, String, cast, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction


class fold(GenericFunction):
    """A text without its case, for É and é as for E and e."""

    type = String()
    inherit_cache = True


@compiles(fold, "sqlite")
def _(element: fold, compiler: Any, **options: Any) -> str:
    return f"unicode_lower({compiler.process(element.clauses, **options)})"


@compiles(fold, "postgresql")
def _(element: fold, compiler: Any, **options: Any) -> str:
    # COLLATE "C" again, so that what follows compares by code point.
    inner = compiler.process(element.clauses, **options)
    return f'(lower(({inner})::text COLLATE "und-x-icu") COLLATE "C")'


class position_of(GenericFunction):
    """Where a text first stands in another one, from 1; 0 where it does not."""

    type = Integer()
    inherit_cache = True


@compiles(position_of, "sqlite")
def _(element: position_of, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(position_of, "postgresql")
def _(element: position_of, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


def starts_with(column: Any, value: Any) -> ColumnElement[bool]:
    """Whether the text begins with the value."""
    return func.substr(column, 1, func.length(value)) == value


def ends_with(column: Any, value: Any) -> ColumnElement[bool]:
    """Whether the text ends with the value; a value longer than the text never fits."""
    start = cast(func.length(column), Integer) - func.length(value) + 1
    return (start > 0) & (func.substr(column, start) == value)
