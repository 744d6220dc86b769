"""What every kind of record is made of: columns, link tables, role tables."""

import uuid
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Uuid
from sqlalchemy.orm import Mapped, MappedColumn, Relationship, mapped_column, relationship

from brainstem.core.columns import LIVE, SECRET, Span, UtcDateTime, json, text, text_type
from brainstem.core.permissions import Roles
from brainstem.core.times import utcnow
from brainstem.extensions import db


def reference(
    table: str, *, ondelete: str | None = None, nullable: bool = False, index: bool = True
) -> MappedColumn:
    """A column that names a record of another table."""
    return mapped_column(
        ForeignKey(f"{table}.id", ondelete=ondelete), index=index, nullable=nullable
    )


class Record(db.Model):
    """A record: its key, when it was made and changed, and how often (`version`, contract §11)."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    created_date: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    updated_date: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    version: Mapped[int] = mapped_column(default=1)


def by_time() -> tuple[Index, Index]:
    """For kinds of which there are very many: lists of what was made or changed last, or since then."""
    return Index(None, "created_date"), Index(None, "updated_date")


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


__all__ = [
    "LIVE",
    "SECRET",
    "Record",
    "Span",
    "UtcDateTime",
    "json",
    "link_table",
    "linked",
    "memberships",
    "reference",
    "role_table",
    "shared",
    "text",
    "text_type",
]
