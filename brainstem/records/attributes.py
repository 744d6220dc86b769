"""Personal attributes: what a user owns, and lets others use. Data storages, for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Flag, People, RecordSchema, Row, RowList, Text, choice
from brainstem.records.base import Record, json, role_table, text

if TYPE_CHECKING:
    from brainstem.records.sessions import Session

datastorage_roles = role_table("datastorage")


class DataStorage(Record):
    """A place where raw data lies: a server, a cloud bucket, a shelf of disks."""

    __tablename__ = "datastorage"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = text(100)
    location: Mapped[str] = text(100)
    description: Mapped[str] = text(500)
    is_public: Mapped[bool]
    data_organization: Mapped[list] = json(list)
    data_protocols: Mapped[list] = json(list)
    sessions: Mapped[list[Session]] = relationship(
        secondary="sessiondatastorage", order_by="Session.name", viewonly=True
    )


class Level(Row):
    """One level of the folders in a data storage, from the top."""

    elements = Text(
        required=True,
        validate=choice("Projects", "Collections", "Cohorts", "Subjects", "Sessions", "Years"),
        metadata={"label": "Level"},
    )


class Protocol(Row):
    """A way to reach a data storage."""

    protocol = Text(required=True)
    path = Text(required=True)
    is_public = Flag(load_default=False, metadata={"label": "Public"})


class Protocols(RowList):
    """Ways to reach a data storage; the public portal shows the public ones (contract §9)."""

    def _serialize(self, value, attr, obj, **kwargs):
        if self.root.portal == "public":
            return [each for each in value if each["is_public"]]
        return value


class DataStorageSchema(RecordSchema):
    """A data storage on the wire (contract §6)."""

    name = Text(
        required=True, most=100, metadata={"help": "Short, and unlike any other storage's."}
    )
    location = Text(
        most=100, metadata={"help": "Where it stands, for example a building and room."}
    )
    description = Text(most=500, exact=True, lines=True)
    is_public = Flag(
        load_default=False,
        metadata={
            "label": "Public",
            "help": "Anyone may then see it on public sessions, without signing in.",
        },
    )
    data_organization = RowList(
        Level,
        metadata={
            "add": "Add level",
            "remove": "Remove level",
            "help": "How its folders are nested, from the top: for example Projects, Subjects, Sessions.",
        },
    )
    data_protocols = Protocols(
        Protocol,
        metadata={
            "add": "Add protocol",
            "remove": "Remove protocol",
            "help": "How to reach it: for example SMB, with the path to its top folder.",
        },
    )
    users = People("user", metadata={"label": "People"})
    groups = People("group")


registry.register(
    Resource(
        app="personal_attributes",
        name="datastorage",
        key="datastorage",
        keys="datastorages",
        model=DataStorage,
        schema=DataStorageSchema,
        label="Data storage",
        labels="Data storages",
        page="/datastorage",
        form=(
            "name",
            "location",
            "description",
            "data_organization",
            "data_protocols",
            "is_public",
            "users",
        ),
        columns=("name", "location", "is_public"),
        roles=datastorage_roles,
        kept_by=("sessions",),
    )
)
