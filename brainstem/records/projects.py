"""Projects: what sessions and subjects belong to, and take their rights from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    ExtraFields,
    Flag,
    Links,
    People,
    RecordSchema,
    RefList,
    TagList,
    Text,
)
from brainstem.records.base import Record, json, link_table, linked, shared, text
from brainstem.records.tags import Tag

if TYPE_CHECKING:
    from brainstem.records.collections import Cohort, Collection
    from brainstem.records.sessions import Session
    from brainstem.records.subjects import Subject

project_tag = link_table("project", "tag")


class Project(Record):
    """A project: its creator owns it, and is its only member at first."""

    __tablename__ = "project"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = text(200)
    description: Mapped[str] = text()
    extra_fields: Mapped[dict] = json(dict)
    is_public: Mapped[bool]
    tags: Mapped[list[Tag]] = linked("Tag", project_tag)
    sessions: Mapped[list[Session]] = relationship(
        secondary="session_project", order_by="Session.name", viewonly=True
    )
    subjects: Mapped[list[Subject]] = relationship(
        secondary="subject_project", order_by="Subject.name", viewonly=True
    )
    collections: Mapped[list[Collection]] = relationship(order_by="Collection.name", viewonly=True)
    cohorts: Mapped[list[Cohort]] = relationship(order_by="Cohort.name", viewonly=True)


class ProjectSchema(RecordSchema):
    """A project on the wire (contract §6)."""

    name = Text(
        required=True, most=200, metadata={"help": "Short, and unlike any other project's."}
    )
    description = Text(exact=True, lines=True, metadata={"help": "Markdown or simple HTML."})
    sessions = RefList("session", dump_only=True, metadata={"count": "projects"})
    subjects = RefList("subject", dump_only=True, metadata={"count": "projects"})
    collections = RefList("collection", dump_only=True, metadata={"count": "project"})
    cohorts = RefList("cohort", dump_only=True, metadata={"count": "project"})
    extra_fields = ExtraFields()
    is_public = Flag(
        load_default=False,
        metadata={
            "label": "Public",
            "help": "Anyone may then read the project and its sessions, without signing in.",
        },
    )
    tags = TagList()
    links = Links("sessions", "subjects", "collections", "cohorts")
    users = People("user", metadata={"label": "People"})
    groups = People("group")


registry.register(
    Resource(
        app="stem",
        name="project",
        key="project",
        keys="projects",
        model=Project,
        schema=ProjectSchema,
        label="Project",
        labels="Projects",
        page="/projects",
        nav=2,
        reading="read it and what is in it",
        using="change what is in it",
        # It is published on a page of its own, which first shows what becomes visible.
        form=("name", "description", "tags", "extra_fields"),
        columns=("name", "sessions", "tags", "is_public"),
        roles=shared("project"),
        kept_by=("sessions", "subjects", "collections", "cohorts"),
    )
)
