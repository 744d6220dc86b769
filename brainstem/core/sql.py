"""Comparing alike on SQLite and PostgreSQL: texts by code point or without case, and numbers in JSON.

`LIKE` would give `%`, `_` and `\\` a meaning, and on SQLite it ignores the case of ASCII letters.
"""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    Select,
    String,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import NullType, TypeDecorator


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


class json_text(GenericFunction):
    """The text under a key of a JSON document; NULL where there is none, or something else."""

    type = String()
    inherit_cache = True


class json_number(GenericFunction):
    """The number under a key of a JSON document, in double precision; NULL where there is none."""

    type = Float()
    inherit_cache = True


class json_plain(GenericFunction):
    """The number under a key of a JSON document with all its digits, as `plain_number` writes it: 22 for 22.0
    and for 2.2e1; NULL where there is no number."""

    type = String()
    inherit_cache = True


def plain_number(text: str) -> str:
    """A number without an exponent, and without what does not count in it."""
    digits = format(Decimal(text), "f")
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if digits == "-0" else digits


class json_compared(GenericFunction):
    """How the number under a key of a JSON document compares with one that is given as a text: -1, 0 or 1, to
    the last of however many digits; NULL where there is no number."""

    type = Integer()
    inherit_cache = True


@compiles(json_text, "sqlite")
def _(element: json_text, compiler: Any, **options: Any) -> str:
    kind, value = _sqlite_value(element, compiler, options)
    return f"(CASE WHEN {kind} = 'text' THEN {value} END)"


@compiles(json_number, "sqlite")
def _(element: json_number, compiler: Any, **options: Any) -> str:
    kind, value = _sqlite_value(element, compiler, options)
    return f"(CASE WHEN {kind} IN ('integer', 'real') THEN CAST({value} AS REAL) END)"


@compiles(json_text, "postgresql")
def _(element: json_text, compiler: Any, **options: Any) -> str:
    kind, value = _postgresql_value(element, compiler, options)
    return f"((CASE WHEN {kind} = 'string' THEN {value} END) COLLATE \"C\")"


@compiles(json_number, "postgresql")
def _(element: json_number, compiler: Any, **options: Any) -> str:
    kind, value = _postgresql_value(element, compiler, options)
    return f"(CASE WHEN {kind} = 'number' THEN {value}::double precision END)"


@compiles(json_plain, "sqlite")
def _(element: json_plain, compiler: Any, **options: Any) -> str:
    kind, _value = _sqlite_value(element, compiler, options)
    written = _sqlite_written(element, compiler, options)
    return f"(CASE WHEN {kind} IN ('integer', 'real') THEN plain_number({written}) END)"


@compiles(json_plain, "postgresql")
def _(element: json_plain, compiler: Any, **options: Any) -> str:
    kind, value = _postgresql_value(element, compiler, options)
    plain = f"trim_scale({value}::numeric)::text"
    return f"((CASE WHEN {kind} = 'number' THEN {plain} END) COLLATE \"C\")"


@compiles(json_compared, "sqlite")
def _(element: json_compared, compiler: Any, **options: Any) -> str:
    *_, given = _parts(element, compiler, options)
    kind, value = _sqlite_value(element, compiler, options)
    rough, wanted = f"CAST({value} AS REAL)", f"CAST({given} AS REAL)"
    # Asked only of those that are nearly the same: it takes as long as all else.
    exactly = f"compare_numbers({_sqlite_written(element, compiler, options)}, {given})"
    near = f"abs({rough} - {wanted}) <= abs({wanted}) * 1e-12"
    found = f"CASE WHEN {near} THEN {exactly} WHEN {rough} < {wanted} THEN -1 ELSE 1 END"
    return f"(CASE WHEN {kind} IN ('integer', 'real') THEN {found} END)"


@compiles(json_compared, "postgresql")
def _(element: json_compared, compiler: Any, **options: Any) -> str:
    *_, given = _parts(element, compiler, options)
    kind, value = _postgresql_value(element, compiler, options)
    return f"(CASE WHEN {kind} = 'number' THEN sign({value}::numeric - {given}::numeric)::int END)"


def _sqlite_value(element: Any, compiler: Any, options: Any) -> tuple[str, str]:
    """The type and the value under the key."""
    document, key, *_ = _parts(element, compiler, options)
    path = f"'$.\"' || {key} || '\"'"
    return f"json_type({document}, {path})", f"json_extract({document}, {path})"


def _sqlite_written(element: Any, compiler: Any, options: Any) -> str:
    """The value as it is written, twice: of two paths SQLite tells no rounded number, but `[22.0,22.0]`."""
    document, key, *_ = _parts(element, compiler, options)
    path = f"'$.\"' || {key} || '\"'"
    return f"json_extract({document}, {path}, {path})"


def _postgresql_value(element: Any, compiler: Any, options: Any) -> tuple[str, str]:
    """The type and the value under the key."""
    document, key, *_ = _parts(element, compiler, options)
    return f"json_typeof({document} -> {key}::text)", f"({document} ->> {key}::text)"


def _parts(element: Any, compiler: Any, options: Any) -> list[str]:
    return [compiler.process(clause, **options) for clause in element.clauses]


def constant(value: int | str) -> ColumnElement:
    """A number, or the name of a kind, that stands in a statement as it is: to send a parameter takes longer,
    and PostgreSQL's plans know nothing of it."""
    if isinstance(value, int):
        return literal_column(str(int(value)), Integer)
    quoted = value.replace("'", "''")
    return literal_column(f"'{quoted}'", String)


def planned_anew(statement: Select) -> Select:
    """A statement of which PostgreSQL is to make a plan each time, for what is asked for just then: the best
    way to what a filter finds depends on how much that is (`database.prepare_postgresql`)."""
    return statement.execution_options(planned_anew=True)


def in_set(column: Any, found: Any) -> ColumnElement[bool]:
    """Whether a value is among those of a select that is read once, and not for each value."""
    # In this form no database makes a join of it.
    return column.in_(found).is_(true())


class is_of_few(GenericFunction):
    """Whether a column is among what a select finds, which is little: databases are to begin with it."""

    # Not Boolean: see `is_among`.
    type = Integer()
    inherit_cache = True

    def __init__(self, column: Any, found: Any) -> None:
        super().__init__(column, found.scalar_subquery())


@compiles(is_of_few, "sqlite")
def _(element: is_of_few, compiler: Any, **options: Any) -> str:
    return " IN ".join(_parts(element, compiler, options))


@compiles(is_of_few, "postgresql")
def _(element: is_of_few, compiler: Any, **options: Any) -> str:
    column, found = _parts(element, compiler, options)
    return f"{column} = ANY(ARRAY{found})"


class unindexed(GenericFunction):
    """A column that SQLite shall not look up in an index, where it would take the worse of two."""

    inherit_cache = True


@compiles(unindexed, "sqlite")
def _(element: unindexed, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(unindexed, "postgresql")
def _(element: unindexed, compiler: Any, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


class id_text(GenericFunction):
    """An id as it is written, made in the database: cheaper than an object of it in between."""

    type = String()
    inherit_cache = True


@compiles(id_text, "sqlite")
def _(element: id_text, compiler: Any, **options: Any) -> str:
    (column,) = _parts(element, compiler, options)
    parts = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return "(" + " || '-' || ".join(f"substr({column}, {a}, {n})" for a, n in parts) + ")"


@compiles(id_text, "postgresql")
def _(element: id_text, compiler: Any, **options: Any) -> str:
    return f"({_parts(element, compiler, options)[0]}::text)"


class Ids(TypeDecorator):
    """Any number of ids as one parameter, so that the statement is the same for all numbers of them."""

    # Of no type, so that PostgreSQL reads it as what it is cast to, and once.
    impl = NullType
    cache_ok = True

    def process_bind_param(self, value: Iterable[Any], dialect: Any) -> str:
        if dialect.name == "sqlite":
            return json.dumps([str(each).replace("-", "") for each in value])
        return "{" + ",".join(map(str, value)) + "}"


class is_among(GenericFunction):
    """Whether a column is among the ids of a parameter."""

    # Not Boolean: on SQLite that would add "= 1", and no index would serve it.
    type = Integer()
    inherit_cache = True


@compiles(is_among, "sqlite")
def _(element: is_among, compiler: Any, **options: Any) -> str:
    column, ids = _parts(element, compiler, options)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 — parts that are SQL already


@compiles(is_among, "postgresql")
def _(element: is_among, compiler: Any, **options: Any) -> str:
    column, ids = _parts(element, compiler, options)
    return f"{column} = ANY({ids}::uuid[])"


#: The ids that a statement is asked for.
WHICH = bindparam("which", type_=Ids())
#: How many rows it is asked for at most. The number itself is sent: the best plan for 20 rows is not that for
#: 20,000, and of a parameter PostgreSQL knows nothing. The first 20 behaviors took 20 ms instead of 3.
AT_MOST = bindparam("most", type_=Integer(), literal_execute=True)
#: The one id that a statement is asked for: of a list of ids, PostgreSQL plans for ten.
THE_ONE = bindparam("the_one", type_=Uuid())


class json_list(GenericFunction):
    """The texts that a select of a column `each` finds, in its order, as the text of a JSON list."""

    type = String()
    inherit_cache = True

    def __init__(self, found: Select) -> None:
        super().__init__(found.scalar_subquery())


@compiles(json_list, "sqlite")
def _(element: json_list, compiler: Any, **options: Any) -> str:
    (found,) = _parts(element, compiler, options)
    return f"(SELECT json_group_array(each) FROM {found})"  # noqa: S608 — SQL already


@compiles(json_list, "postgresql")
def _(element: json_list, compiler: Any, **options: Any) -> str:
    return f"array_to_json(ARRAY{_parts(element, compiler, options)[0]})::text"
