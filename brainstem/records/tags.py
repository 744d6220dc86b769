"""Tags: words that all users share."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from brainstem.records.base import Record, text


class Tag(Record):
    """A tag; its name is compared exactly."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = text(200)
