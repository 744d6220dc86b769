"""The modules of a session: behaviors, data acquisitions and manipulations, each in an order."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, func, select
from sqlalchemy.orm import Mapped, declared_attr, relationship

from brainstem.core.permissions import Actor, Right
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    Document,
    RecordSchema,
    Ref,
    RefList,
    Text,
    Whole,
    choice,
)
from brainstem.extensions import db
from brainstem.records.attributes import BehavioralAssay, Setup
from brainstem.records.base import (
    Record,
    by_time,
    json,
    link_table,
    linked,
    reference,
    text,
)
from brainstem.records.procedures import NOTES, Equipment, Procedure
from brainstem.records.sessions import Session
from brainstem.records.subjects import Subject

if TYPE_CHECKING:
    from brainstem.records.epochs import Epoch

behavior_subject = link_table("behavior", "subject")
dataacquisition_procedure = link_table("dataacquisition", "procedure")
dataacquisition_equipment = link_table("dataacquisition", "equipment")
manipulation_procedure = link_table("manipulation", "procedure")
manipulation_equipment = link_table("manipulation", "equipment")

#: The highest order that somebody may give; those counted on from it still fit into the database.
LAST = 1_000_000_000


class Module:
    """What belongs to a session and stands there in an order."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index(None, "session_id", "order", "id"), *by_time())

    notes: Mapped[str] = text(500)
    order: Mapped[int]

    @declared_attr
    def session_id(cls) -> Mapped[uuid.UUID]:
        return reference("session", ondelete="CASCADE", index=False)

    @declared_attr
    def session(cls) -> Mapped[Session]:
        return relationship(viewonly=True)

    @declared_attr
    def epochs(cls) -> Mapped[list[Epoch]]:
        return relationship(secondary=f"epoch_{cls.__tablename__}", viewonly=True)


class Behavior(Module, Record):
    """What subjects did in a session, and where."""

    __tablename__ = "behavior"

    setup_id: Mapped[uuid.UUID | None] = reference("setup", nullable=True)
    behavioralassay_id: Mapped[uuid.UUID | None] = reference("behavioralassay", nullable=True)
    setup: Mapped[Setup | None] = relationship(viewonly=True)
    behavioralassay: Mapped[BehavioralAssay | None] = relationship(viewonly=True)
    subjects: Mapped[list[Subject]] = linked("Subject", behavior_subject)


class BehaviorSchema(RecordSchema):
    """A behavior on the wire (contract §6)."""

    session = Ref("session", required=True)
    subjects = RefList("subject", required=True, right=Right.READ)
    setup = Ref("setup")
    behavioralassay = Ref("behavioralassay", metadata={"label": "Behavioral assay"})
    notes = Text(most=500, exact=True, lines=True, metadata=NOTES)
    order = Whole(most=LAST, metadata={"help": "Left out, it comes last."})


class DataAcquisition(Module, Record):
    """A recording that was made in a session."""

    __tablename__ = "dataacquisition"

    type: Mapped[str] = text(100)
    details: Mapped[dict] = json(dict)
    type_schema_version: Mapped[str] = text(50)
    procedures: Mapped[list[Procedure]] = linked("Procedure", dataacquisition_procedure)
    equipment: Mapped[list[Equipment]] = linked("Equipment", dataacquisition_equipment)


class DataAcquisitionSchema(RecordSchema):
    """A data acquisition on the wire (contract §6)."""

    type = Text(
        required=True,
        validate=choice(
            "Audio",
            "BehavioralTracking",
            "ComputedTomography",
            "ConfocalMicroscopy",
            "Electroencephalography",
            "Electroneurogram",
            "ExtracellularEphys",
            "FiberPhotometry",
            "FunctionalMagneticResonanceImaging",
            "FunctionalUltrasoundImaging",
            "GeneralTimeSeries",
            "IntracellularEphys",
            "LightFieldMicroscopy",
            "MagneticResonanceImaging",
            "Magnetoencephalography",
            "Miniscope",
            "OpticalCoherenceTomography",
            "PositronEmissionTomography",
            "SinglePhotonEmissionComputedTomography",
            "SinglePhotonMicroscopy",
            "ThreePhotonMicroscopy",
            "TwoPhotonMicroscopy",
            "VideoTracking",
        ),
    )
    session = Ref("session", required=True)
    procedures = RefList("procedure", right=Right.READ)
    equipment = RefList("equipment")
    notes = Text(most=500, exact=True, lines=True, metadata=NOTES)
    details = Document()
    type_schema_version = Text(most=50, metadata={"searched": False})
    order = Whole(most=LAST, metadata={"help": "Left out, it comes last."})


class Manipulation(Module, Record):
    """Something that was done to subjects during a session."""

    __tablename__ = "manipulation"

    type: Mapped[str] = text(100)
    details: Mapped[list] = json(list)
    type_schema_version: Mapped[str] = text(50)
    procedures: Mapped[list[Procedure]] = linked("Procedure", manipulation_procedure)
    equipment: Mapped[list[Equipment]] = linked("Equipment", manipulation_equipment)


class ManipulationSchema(RecordSchema):
    """A manipulation on the wire (contract §6)."""

    type = Text(
        required=True,
        validate=choice(
            "AuditoryStimulation",
            "DeepBrainStimulation",
            "ElectricalStimulation",
            "ElectromagneticFieldStimulation",
            "LiquidPerturbation",
            "Microperfusion",
            "MultisensoryStimulation",
            "OdorStimulation",
            "OptogeneticStimulation",
            "PharmacologicalInhalation",
            "PharmacologicalInjection",
            "PharmacologicalSuperfusion",
            "TactileStimulation",
            "ThermalPerturbation",
            "TranscranialElectricalStimulation",
            "TranscranialMagneticStimulation",
            "UltrasoundStimulation",
            "VisualStimulation",
        ),
    )
    session = Ref("session", required=True)
    procedures = RefList("procedure", right=Right.READ)
    equipment = RefList("equipment")
    notes = Text(most=500, exact=True, lines=True, metadata=NOTES)
    details = Document(many=True)
    type_schema_version = Text(most=50, metadata={"searched": False})
    order = Whole(most=LAST, metadata={"help": "Left out, it comes last."})


class Modules(Resource):
    """Modules of sessions: the next order where none is given; the session's epochs hold them."""

    def check(self, actor: Actor, record: Any, data: dict[str, Any]) -> dict[str, Any]:
        moves = record is not None and data.get("session", record.session_id) != record.session_id
        if not moves or not record.epochs:
            return {}
        names = ", ".join(f"“{epoch.name}”" for epoch in record.epochs)
        return {"session": [f"It can't go to another session: epoch {names} names it."]}

    def title(self, handle: Any) -> str:
        """The type in words: `Extracellular ephys`."""
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(handle))
        return words[:1] + words[1:].lower()

    def complete(self, actor: Actor, data: dict[str, Any]) -> None:
        if "order" not in data:
            last = select(func.max(self.model.order)).where(
                self.model.session_id == data["session_id"]
            )
            found = db.session.scalar(last)
            data["order"] = 0 if found is None else found + 1


class Behaviors(Modules):
    """A behavior has no name and no type; people know it by its place in the session."""

    def title(self, handle: Any) -> str:
        return f"Behavior {handle + 1}"


SESSION_MODULE = {
    "app": "modules",
    "parents": ("session",),
    "locked_by": "session",
    "kept_by": ("epochs",),
    "placed_by": "order",
    "sort": ("session", "order"),
}

registry.register(
    Behaviors(
        **SESSION_MODULE,
        name="behavior",
        key="behavior",
        keys="behaviors",
        model=Behavior,
        schema=BehaviorSchema,
        label="Behavior",
        labels="Behaviors",
        page="/behaviors",
        handle="order",
        columns=("order", "session", "subjects", "setup", "behavioralassay"),
    )
)
registry.register(
    Modules(
        **SESSION_MODULE,
        name="dataacquisition",
        key="data_acquisition",
        keys="data_acquisitions",
        model=DataAcquisition,
        schema=DataAcquisitionSchema,
        label="Data acquisition",
        labels="Data acquisitions",
        page="/dataacquisition",
        handle="type",
        columns=("type", "session", "notes"),
    )
)
registry.register(
    Modules(
        **SESSION_MODULE,
        name="manipulation",
        key="manipulation",
        keys="manipulations",
        model=Manipulation,
        schema=ManipulationSchema,
        label="Manipulation",
        labels="Manipulations",
        page="/manipulations",
        handle="type",
        columns=("type", "session", "notes"),
    )
)
