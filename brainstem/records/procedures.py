"""What is done to subjects and noted about them, and the equipment that stands in setups."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    Document,
    LabDateTime,
    RecordSchema,
    Ref,
    RefList,
    Row,
    RowList,
    Text,
)
from brainstem.records.attributes import Setup
from brainstem.records.base import (
    Record,
    UtcDateTime,
    json,
    link_table,
    linked,
    reference,
    text,
)
from brainstem.records.subjects import Subject
from brainstem.records.users import User

if TYPE_CHECKING:
    from brainstem.records.modules import DataAcquisition, Manipulation

procedure_equipment = link_table("procedure", "equipment")

NOTES = {"help": "At most 500 characters."}


class Equipment(Record):
    """A device that stands in a setup."""

    __tablename__ = "equipment"

    name: Mapped[str] = text(100)
    type: Mapped[str] = text(100)
    setup_id: Mapped[uuid.UUID] = reference("setup")
    date_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notes: Mapped[str] = text(500)
    details: Mapped[dict] = json(dict)
    setup: Mapped[Setup] = relationship(viewonly=True)
    procedures: Mapped[list[Procedure]] = relationship(secondary=procedure_equipment, viewonly=True)
    dataacquisition: Mapped[list[DataAcquisition]] = relationship(
        secondary="dataacquisition_equipment", viewonly=True
    )
    manipulations: Mapped[list[Manipulation]] = relationship(
        secondary="manipulation_equipment", viewonly=True
    )


class EquipmentSchema(RecordSchema):
    """Equipment on the wire (contract §6)."""

    name = Text(most=100)
    type = Text(required=True, most=100, metadata={"help": "For example Amplifier or Camera."})
    setup = Ref("setup", required=True)
    date_time = LabDateTime(metadata={"label": "Date and time"})
    notes = Text(most=500, exact=True, lines=True, metadata=NOTES)
    details = Document()


class Procedure(Record):
    """Something done to a subject, such as an implantation."""

    __tablename__ = "procedure"

    type: Mapped[str] = text(100)
    subject_id: Mapped[uuid.UUID] = reference("subject")
    date_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    notes: Mapped[str] = text(500)
    details: Mapped[dict] = json(dict)
    subject: Mapped[Subject] = relationship(viewonly=True)
    equipment: Mapped[list[Equipment]] = linked("Equipment", procedure_equipment)
    dataacquisition: Mapped[list[DataAcquisition]] = relationship(
        secondary="dataacquisition_procedure", viewonly=True
    )
    manipulations: Mapped[list[Manipulation]] = relationship(
        secondary="manipulation_procedure", viewonly=True
    )


class ProcedureSchema(RecordSchema):
    """A procedure on the wire (contract §6)."""

    type = Text(required=True, most=100)
    subject = Ref("subject", required=True)
    date_time = LabDateTime(metadata={"label": "Date and time"})
    equipment = RefList("equipment")
    notes = Text(most=500, exact=True, lines=True, metadata=NOTES)
    details = Document()


class SubjectLog(Record):
    """What was noted about a subject over time; `user` is who began it."""

    __tablename__ = "subjectlog"

    type: Mapped[str] = text(100)
    subject_id: Mapped[uuid.UUID] = reference("subject")
    description: Mapped[str] = text(500)
    user_id: Mapped[uuid.UUID | None] = reference("user", ondelete="SET NULL", nullable=True)
    entries: Mapped[list] = json(list)
    subject: Mapped[Subject] = relationship(viewonly=True)
    user: Mapped[User | None] = relationship(viewonly=True)


class LogEntry(Row):
    """One entry of a log."""

    date_time = LabDateTime(required=True, metadata={"label": "Date and time"})
    notes = Text(exact=True)
    details = Document()


class SubjectLogSchema(RecordSchema):
    """A subject's log on the wire (contract §6)."""

    type = Text(required=True, most=100, metadata={"help": "For example Weight or Health."})
    subject = Ref("subject", required=True)
    description = Text(most=500, exact=True, lines=True)
    user = Ref("user", dump_only=True)
    entries = RowList(LogEntry, metadata={"add": "Add entry", "remove": "Remove entry"})


class SubjectLogs(Resource):
    """Logs know who began them."""

    def complete(self, actor: Actor, data: dict[str, Any]) -> None:
        data["user_id"] = actor.user_id


registry.register(
    Resource(
        app="modules",
        name="procedure",
        key="procedure",
        keys="procedures",
        model=Procedure,
        schema=ProcedureSchema,
        label="Procedure",
        labels="Procedures",
        page="/procedures",
        parents=("subject",),
        kept_by=("dataacquisition", "manipulations"),
        handle="type",
        sort=("subject", "date_time"),
        columns=("type", "subject", "date_time"),
        when="date_time",
    )
)
registry.register(
    Resource(
        app="modules",
        name="equipment",
        key="equipment",
        keys="equipment",
        model=Equipment,
        schema=EquipmentSchema,
        label="Equipment",
        labels="Equipment",
        page="/equipment",
        parents=("setup",),
        kept_by=("procedures", "dataacquisition", "manipulations"),
        handle="type",
        columns=("type", "name", "setup"),
    )
)
registry.register(
    SubjectLogs(
        app="modules",
        name="subjectlog",
        key="subject_log",
        keys="subject_logs",
        model=SubjectLog,
        schema=SubjectLogSchema,
        label="Subject log",
        labels="Subject logs",
        page="/subjectlogs",
        parents=("subject",),
        handle="type",
        sort=("subject", "type"),
        columns=("type", "subject", "user"),
    )
)
