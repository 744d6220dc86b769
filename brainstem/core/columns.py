"""Column types that store alike on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, String
from sqlalchemy.orm import MappedColumn, mapped_column
from sqlalchemy.types import TypeDecorator

#: Said of a column or a table (`info`): an export goes without it unless it is told otherwise, for others
#: could use what is in it. And of a table: it can be made anew from what is in the others.
SECRET, DERIVED = {"secret": True}, {"derived": True}

#: Said of a table: who is let in at the moment, and by which key, which is of the running database alone. No
#: backup and no export takes its rows along, and a restore leaves none: nobody is let in by an old copy.
LIVE = SECRET | {"live": True}


class UtcDateTime(TypeDecorator):
    """A moment: aware in Python, UTC without an offset in the database, alike on every database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


class Span(TypeDecorator):
    """A time span, in whole microseconds on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect) -> int | None:
        return None if value is None else value // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect) -> timedelta | None:
        return None if value is None else timedelta(microseconds=value)


def text_type(length: int | None = None) -> String:
    """Text that compares by code point on PostgreSQL too, whatever the database's own collation."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def text(length: int | None = None, **more: Any) -> MappedColumn[str]:
    """A column of text; `""` where nothing is known."""
    return mapped_column(text_type(length), nullable=False, default="", **more)


def json(default: type) -> MappedColumn:
    """A JSON document, stored as text: the order of keys, `22.0` and long integers stay as sent."""
    return mapped_column(JSON, nullable=False, default=default)
