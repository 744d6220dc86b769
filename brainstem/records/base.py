"""What every kind of record is made of: columns, link tables, role tables."""

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Uuid,
)
from sqlalchemy.orm import Mapped, MappedColumn, Relationship, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from brainstem.core.permissions import Roles
from brainstem.core.times import utcnow
from brainstem.extensions import db


class UtcDateTime(TypeDecorator):
    """A moment: aware in Python, UTC without an offset in the database, alike on every database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect) -> datetime | None:
        return value and value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect) -> datetime | None:
        return value and value.replace(tzinfo=UTC)


def text_type(length: int | None = None) -> String:
    """Text that compares by code point on PostgreSQL too, whatever the database's own collation."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def text(length: int | None = None) -> MappedColumn[str]:
    """A column of text; `""` where nothing is known."""
    return mapped_column(text_type(length), nullable=False, default="")


def json(default: type) -> MappedColumn:
    """A JSON document, stored as text: the order of keys, `22.0` and long integers stay as sent."""
    return mapped_column(JSON, nullable=False, default=default)


def reference(
    table: str, *, ondelete: str | None = None, nullable: bool = False, index: bool = True
) -> MappedColumn:
    """A column that names a record of another table."""
    return mapped_column(
        ForeignKey(f"{table}.id", ondelete=ondelete), index=index, nullable=nullable
    )


class Span(TypeDecorator):
    """A time span, in whole microseconds on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect) -> int | None:
        return None if value is None else value // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect) -> timedelta | None:
        return None if value is None else timedelta(microseconds=value)


class Record(db.Model):
    """A record: its key, when it was made and changed, and how often (`version`, contract §11)."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    created_date: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    updated_date: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    version: Mapped[int] = mapped_column(default=1)


def link_table(owner: str, target: str, *, holding: bool = True) -> Table:
    """Links from `owner` records to `target` records, in the order given.

    A link goes with its owner. Where it is `holding`, its target can't be deleted while it is there;
    else it goes with its target, too, and only the operation asks whether anything uses that.
    """
    target_key = ForeignKey(f"{target}.id", ondelete=None if holding else "CASCADE")
    return Table(
        f"{owner}_{target}",
        db.metadata,
        Column(f"{owner}_id", ForeignKey(f"{owner}.id", ondelete="CASCADE"), primary_key=True),
        Column(f"{target}_id", target_key, primary_key=True),
        Column("position", Integer, nullable=False),
        Index(None, f"{target}_id", f"{owner}_id"),
    )


def linked(target: str, table: Table) -> Relationship:
    """The records that a link table names, in its order. Operations write the table itself."""
    position = table.c.order if "order" in table.c else table.c.position
    return relationship(target, secondary=table, order_by=position, viewonly=True)


def role_table(kind: str, holder: str) -> Table:
    """Which user or group holds which role (`core.permissions.Role`) on a record of this kind."""
    return Table(
        f"{kind}_{holder}_role",
        db.metadata,
        Column(f"{kind}_id", ForeignKey(f"{kind}.id", ondelete="CASCADE"), primary_key=True),
        Column(f"{holder}_id", ForeignKey(f"{holder}.id", ondelete="CASCADE"), primary_key=True),
        Column("role", Integer, nullable=False),
        Index(None, f"{holder}_id", f"{kind}_id"),
    )


#: Which user is what to which group.
memberships = role_table("group", "user")


def shared(kind: str) -> Roles:
    """The roles on records that people share: of users, directly and through groups."""
    return Roles(role_table(kind, "user"), role_table(kind, "group"), memberships)
