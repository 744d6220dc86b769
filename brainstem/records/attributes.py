"""Personal attributes: what a user owns and lets others use: data storages, setups, assays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Flag, People, RecordSchema, Row, RowList, Text, choice
from brainstem.records.base import Record, json, shared, text

if TYPE_CHECKING:
    from brainstem.records.modules import Behavior
    from brainstem.records.procedures import Equipment
    from brainstem.records.sessions import Session


IS_PUBLIC = {
    "label": "Public",
    "help": "Anyone may then see it, without signing in; public sessions name it.",
}
EQUIPMENT_TOO = "Anyone may then see it and its equipment, without signing in."


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
    is_public = Flag(load_default=False, metadata=IS_PUBLIC)
    data_organization = RowList(
        Level,
        metadata={
            "add": "Add level",
            "remove": "Remove level",
            "help": "How its folders are nested, from the top: for example Projects, Subjects, Sessions.",
            "searched": False,
        },
    )
    data_protocols = Protocols(
        Protocol,
        metadata={
            "add": "Add protocol",
            "remove": "Remove protocol",
            "help": "How to reach it: for example SMB, with the path to its top folder.",
            # The public sees only some of them.
            "searched": False,
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
        nav=6,
        using="attach it to sessions",
        form=(
            "name",
            "location",
            "description",
            "data_organization",
            "data_protocols",
            "is_public",
        ),
        columns=("name", "location", "is_public"),
        roles=shared("datastorage"),
        kept_by=("sessions",),
    )
)


class Setup(Record):
    """A rig or a room with what stands in it."""

    __tablename__ = "setup"
    __table_args__ = (Index(None, "name"),)

    name: Mapped[str] = text(50)
    location: Mapped[str] = text(100)
    description: Mapped[str] = text(500)
    is_public: Mapped[bool]
    equipment: Mapped[list[Equipment]] = relationship(viewonly=True)
    behaviors: Mapped[list[Behavior]] = relationship(viewonly=True)


class BehavioralAssay(Record):
    """A task or a test that animals do."""

    __tablename__ = "behavioralassay"
    __table_args__ = (Index(None, "name"),)

    name: Mapped[str] = text(50)
    description: Mapped[str] = text(500)
    is_public: Mapped[bool]
    behaviors: Mapped[list[Behavior]] = relationship(viewonly=True)


class SetupSchema(RecordSchema):
    """A setup on the wire (contract §6)."""

    name = Text(required=True, most=50)
    location = Text(most=100, metadata={"help": "For example a building and room."})
    description = Text(most=500, exact=True, lines=True)
    is_public = Flag(load_default=False, metadata=IS_PUBLIC | {"help": EQUIPMENT_TOO})
    users = People("user", metadata={"label": "People"})
    groups = People("group")


class BehavioralAssaySchema(RecordSchema):
    """A behavioral assay on the wire (contract §6)."""

    name = Text(required=True, most=50)
    description = Text(most=500, exact=True, lines=True)
    is_public = Flag(load_default=False, metadata=IS_PUBLIC)
    users = People("user", metadata={"label": "People"})
    groups = People("group")


registry.register(
    Resource(
        app="personal_attributes",
        name="setup",
        key="setup",
        keys="setups",
        model=Setup,
        schema=SetupSchema,
        label="Setup",
        labels="Setups",
        page="/setups",
        nav=7,
        menu="Lab",
        reading="see it and its equipment",
        using="name it, and change its equipment",
        columns=("name", "location", "is_public"),
        roles=shared("setup"),
        kept_by=("equipment", "behaviors"),
    )
)
registry.register(
    Resource(
        app="personal_attributes",
        name="behavioralassay",
        key="behavioralassay",
        keys="behavioralassays",
        model=BehavioralAssay,
        schema=BehavioralAssaySchema,
        label="Behavioral assay",
        labels="Behavioral assays",
        page="/behavioralassays",
        nav=8,
        menu="Lab",
        using="name it in behaviors",
        columns=("name", "is_public"),
        roles=shared("behavioralassay"),
        kept_by=("behaviors",),
    )
)
