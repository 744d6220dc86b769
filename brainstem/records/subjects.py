"""Subjects: the animals or people that are recorded."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    Day,
    ExtraFields,
    Links,
    RecordSchema,
    RefList,
    TagList,
    Text,
    choice,
)
from brainstem.records.base import Record, json, link_table, linked, text
from brainstem.records.projects import Project
from brainstem.records.tags import Tag

if TYPE_CHECKING:
    from brainstem.records.modules import Behavior
    from brainstem.records.procedures import Procedure, SubjectLog

subject_project = link_table("subject", "project")
subject_tag = link_table("subject", "tag")


class Subject(Record):
    """An animal or a person; it takes its rights from its projects."""

    __tablename__ = "subject"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = text(100)
    description: Mapped[str] = text()
    sex: Mapped[str] = text(1)
    species: Mapped[str] = text(200)
    strain: Mapped[str] = text(200)
    genotype: Mapped[str] = text(200)
    birth_date: Mapped[date | None]
    death_date: Mapped[date | None]
    extra_fields: Mapped[dict] = json(dict)
    name_used_in_storage: Mapped[str] = text(200)
    projects: Mapped[list[Project]] = linked("Project", subject_project)
    tags: Mapped[list[Tag]] = linked("Tag", subject_tag)
    procedures: Mapped[list[Procedure]] = relationship(
        order_by="nulls_last(Procedure.date_time), Procedure.id", viewonly=True
    )
    subjectlogs: Mapped[list[SubjectLog]] = relationship(
        order_by="SubjectLog.created_date", viewonly=True
    )
    behaviors: Mapped[list[Behavior]] = relationship(secondary="behavior_subject", viewonly=True)


class SubjectSchema(RecordSchema):
    """A subject on the wire (contract §6)."""

    name = Text(required=True, most=100, metadata={"help": "Unlike any other subject's."})
    description = Text(exact=True, lines=True, metadata={"help": "Markdown or simple HTML."})
    projects = RefList("project", required=True)
    sex = Text(
        load_default="U",
        validate=choice("F", "M", "U"),
        metadata={"help": "F female, M male, U unknown.", "searched": False},
    )
    species = Text(most=200, metadata={"own_id": True})
    strain = Text(most=200, metadata={"own_id": True})
    genotype = Text(most=200)
    birth_date = Day()
    death_date = Day()
    extra_fields = ExtraFields()
    procedures = RefList("procedure", dump_only=True)
    subjectlogs = RefList("subjectlog", dump_only=True, metadata={"label": "Subject logs"})
    name_used_in_storage = Text(
        most=200,
        metadata={"help": "The folder's name, where it differs from the subject's name."},
    )
    tags = TagList()
    links = Links("projects", "procedures", "subjectlogs")


class Subjects(Resource):
    """Subjects are born before they die."""

    def check(self, actor: Actor, record: Subject | None, data: dict[str, Any]) -> dict[str, Any]:
        names = ("birth_date", "death_date")
        born, died = (data.get(name, record and getattr(record, name)) for name in names)
        if data.keys().isdisjoint(names) or not (born and died) or born <= died:
            return {}
        wrong = "death_date" if "death_date" in data else "birth_date"
        return {wrong: ["It can't die before it is born."]}


registry.register(
    Subjects(
        app="stem",
        name="subject",
        key="subject",
        keys="subjects",
        model=Subject,
        schema=SubjectSchema,
        label="Subject",
        labels="Subjects",
        page="/subjects",
        nav=3,
        parents=("projects",),
        kept_by=("behaviors", "procedures", "subjectlogs"),
        form=(
            "name",
            "projects",
            "sex",
            "species",
            "strain",
            "genotype",
            "birth_date",
            "death_date",
            "description",
            "tags",
            "name_used_in_storage",
            "extra_fields",
        ),
        columns=("name", "sex", "species", "strain", "projects", "tags"),
        searched=("procedures", "subjectlogs"),
    )
)
