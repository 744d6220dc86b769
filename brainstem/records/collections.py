"""Collections of sessions and cohorts of subjects, each within a project."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Mapped, relationship

from brainstem.core.permissions import Right
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import RecordSchema, Ref, RefList, TagList, Text
from brainstem.records.base import Record, link_table, linked, reference, text
from brainstem.records.projects import Project
from brainstem.records.sessions import Session
from brainstem.records.subjects import Subject
from brainstem.records.tags import Tag

# A session or a subject may be deleted while a collection or a cohort names it.
collection_session = link_table("collection", "session", holding=False)
collection_tag = link_table("collection", "tag")
cohort_subject = link_table("cohort", "subject", holding=False)
cohort_tag = link_table("cohort", "tag")


class Collection(Record):
    """Sessions of a project that belong together."""

    __tablename__ = "collection"

    name: Mapped[str] = text(100)
    description: Mapped[str] = text()
    project_id: Mapped[uuid.UUID] = reference("project")
    project: Mapped[Project] = relationship(viewonly=True)
    sessions: Mapped[list[Session]] = linked("Session", collection_session)
    tags: Mapped[list[Tag]] = linked("Tag", collection_tag)


class CollectionSchema(RecordSchema):
    """A collection on the wire (contract §6)."""

    name = Text(required=True, most=100)
    description = Text(exact=True, lines=True)
    project = Ref("project", required=True)
    sessions = RefList("session", right=Right.READ)
    tags = TagList()


class Cohort(Record):
    """Subjects of a project that belong together."""

    __tablename__ = "cohort"

    name: Mapped[str] = text(100)
    description: Mapped[str] = text()
    project_id: Mapped[uuid.UUID] = reference("project")
    project: Mapped[Project] = relationship(viewonly=True)
    subjects: Mapped[list[Subject]] = linked("Subject", cohort_subject)
    tags: Mapped[list[Tag]] = linked("Tag", cohort_tag)


class CohortSchema(RecordSchema):
    """A cohort on the wire (contract §6)."""

    name = Text(required=True, most=100)
    description = Text(exact=True, lines=True)
    project = Ref("project", required=True)
    subjects = RefList("subject", right=Right.READ)
    tags = TagList()


registry.register(
    Resource(
        app="stem",
        name="collection",
        key="collection",
        keys="collections",
        model=Collection,
        schema=CollectionSchema,
        label="Collection",
        labels="Collections",
        page="/collections",
        nav=4,
        parents=("project",),
        columns=("name", "project", "sessions", "tags"),
        deletion="The sessions in it stay.",
    )
)
registry.register(
    Resource(
        app="stem",
        name="cohort",
        key="cohort",
        keys="cohorts",
        model=Cohort,
        schema=CohortSchema,
        label="Cohort",
        labels="Cohorts",
        page="/cohorts",
        nav=5,
        parents=("project",),
        columns=("name", "project", "subjects", "tags"),
        deletion="The subjects in it stay.",
    )
)
