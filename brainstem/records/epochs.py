"""Epochs: stretches of time within a session."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from sqlalchemy import Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core.permissions import Actor, Right
from brainstem.core.references import linked_ids
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Duration, RecordSchema, Ref, RefList, Text
from brainstem.extensions import db
from brainstem.records.base import Record, Span, by_time, link_table, linked, reference, text
from brainstem.records.modules import Behavior, DataAcquisition, Manipulation
from brainstem.records.sessions import Session

# Not holding: a session takes its modules and epochs along, in whatever order the database chooses.
epoch_behavior = link_table("epoch", "behavior", holding=False)
epoch_dataacquisition = link_table("epoch", "dataacquisition", holding=False)
epoch_dataacquisition.append_constraint(UniqueConstraint("dataacquisition_id"))
epoch_manipulation = link_table("epoch", "manipulation", holding=False)

SPAN_HELP = "From the session's onset: seconds, 00:05:00 (hours, minutes, seconds), or PT5M."


class Epoch(Record):
    """A stretch of a session; `start` and `end` count from the session's onset."""

    __tablename__ = "epoch"
    __table_args__ = (
        UniqueConstraint(
            "session_id",
            "name",
            info={"message": "Another epoch of this session has this name."},
        ),
        Index(None, "name", "id"),
        *by_time(),
    )

    name: Mapped[str] = text(100)
    session_id: Mapped[uuid.UUID] = reference("session", ondelete="CASCADE", index=False)
    start: Mapped[timedelta | None] = mapped_column(Span)
    end: Mapped[timedelta | None] = mapped_column(Span)
    notes: Mapped[str] = text(500)
    session: Mapped[Session] = relationship(viewonly=True)
    behaviors: Mapped[list[Behavior]] = linked("Behavior", epoch_behavior)
    dataacquisition: Mapped[list[DataAcquisition]] = linked(
        "DataAcquisition", epoch_dataacquisition
    )
    manipulations: Mapped[list[Manipulation]] = linked("Manipulation", epoch_manipulation)


class EpochSchema(RecordSchema):
    """An epoch on the wire (contract §6)."""

    name = Text(required=True, most=100, metadata={"help": "Unlike the session's other epochs."})
    session = Ref("session", required=True)
    start = Duration(metadata={"help": SPAN_HELP})
    end = Duration(metadata={"help": SPAN_HELP})
    behaviors = RefList("behavior", right=Right.READ)
    dataacquisition = RefList(
        "dataacquisition", right=Right.READ, metadata={"label": "Data acquisitions"}
    )
    manipulations = RefList("manipulation", right=Right.READ)
    notes = Text(most=500, exact=True, lines=True)


class Epochs(Resource):
    """Epochs name modules of their own session, and each data acquisition once."""

    MODULES = ("behaviors", "dataacquisition", "manipulations")

    def check(self, actor: Actor, record: Epoch | None, data: dict[str, Any]) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        session = data.get("session", record and record.session_id)
        for name in self.MODULES:
            if session and (wrong := self._elsewhere(name, session, record, data)):
                errors[name] = wrong
        if "dataacquisition" in data and "dataacquisition" not in errors:
            errors |= self._twice(record, data["dataacquisition"])
        start, end = (data.get(name, record and getattr(record, name)) for name in ("start", "end"))
        if start is not None and end is not None and end < start:
            errors["end"] = ["It can't end before it starts."]
        return errors

    def _elsewhere(
        self, name: str, session: uuid.UUID, record: Epoch | None, data: dict[str, Any]
    ) -> dict[int, list[str]]:
        """Errors for modules of other sessions, at their positions."""
        relation = getattr(Epoch, name)
        stored = linked_ids(relation.property.secondary, record.id) if record else []
        ids, model = data.get(name, stored), relation.entity.class_
        rule = (model.id.in_(ids), model.session_id == session)
        here = set(db.session.scalars(select(model.id).where(*rule))) if ids else set()
        text = ["It belongs to another session."]
        return {place: text for place, each in enumerate(ids) if each not in here}

    def _twice(self, record: Epoch | None, ids: list[uuid.UUID]) -> dict[str, Any]:
        """Errors for data acquisitions that another epoch names."""
        table = epoch_dataacquisition
        statement = select(table.c.dataacquisition_id, Epoch.name).join(
            Epoch, Epoch.id == table.c.epoch_id
        )
        if record is not None:
            statement = statement.where(Epoch.id != record.id)
        taken = dict(db.session.execute(statement.where(table.c.dataacquisition_id.in_(ids))).all())
        wrong = {
            place: [f"Epoch “{taken[each]}” has it already."]
            for place, each in enumerate(ids)
            if each in taken
        }
        return {"dataacquisition": wrong} if wrong else {}


registry.register(
    Epochs(
        app="stem",
        name="epoch",
        key="epoch",
        keys="epochs",
        model=Epoch,
        schema=EpochSchema,
        label="Epoch",
        labels="Epochs",
        page="/epochs",
        parents=("session",),
        locked_by="session",
        columns=("name", "session", "start", "end"),
    )
)
