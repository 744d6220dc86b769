"""How the history is stored."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core.columns import UtcDateTime, json, text
from brainstem.core.times import utcnow
from brainstem.extensions import db

CREATE, CHANGE, DELETE = "create", "change", "delete"


class Change(db.Model):
    """What one operation did, and who did it in which way (`by`: the API token's name)."""

    __tablename__ = "change"
    __table_args__ = (Index(None, "user_id", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True, default=uuid.uuid4)
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, index=True)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("user.id"))
    way: Mapped[str] = text(20)
    by: Mapped[str] = text(200)
    #: What was done, in words; empty where the revisions say it best.
    summary: Mapped[str] = text(300)
    #: The change that took this one back.
    undone_by_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("change.id"))
    revisions: Mapped[list[Revision]] = relationship(order_by="Revision.id", viewonly=True)


class Revision(db.Model):
    """What a change did to one record. `title` is what the record was called then."""

    __tablename__ = "revision"
    __table_args__ = (Index(None, "record_id", "id"),)

    # Counted, not random: the order in which a record's revisions were made.
    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    change_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("change.id"), index=True)
    kind: Mapped[str] = text(100)
    record_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    title: Mapped[str] = text(300)
    action: Mapped[str] = text(10)
    #: The record's version afterwards; of a deleted one the last that it had.
    version: Mapped[int]
    #: Whether it happened because of what happened to another record: a session took its epochs along.
    follows: Mapped[bool] = mapped_column(default=False)
    before: Mapped[dict] = json(dict)
    after: Mapped[dict] = json(dict)
    change: Mapped[Change] = relationship(viewonly=True)


#: The records that a revision took its rights from.
revision_root = Table(
    "revision_root",
    db.metadata,
    Column("revision_id", ForeignKey("revision.id", ondelete="CASCADE"), primary_key=True),
    Column("root_id", Uuid, primary_key=True),
    Index(None, "root_id", "revision_id"),
)

#: The same for all of a change, with its time: what happened to a project lately, found by one index.
change_root = Table(
    "change_root",
    db.metadata,
    Column("change_id", ForeignKey("change.id", ondelete="CASCADE"), primary_key=True),
    Column("root_id", Uuid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "root_id", "at"),
)
