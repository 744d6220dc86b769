"""Sessions, and the data storages of a session in their order (contract §4, §5)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from brainstem.core.operations import touch
from brainstem.core.permissions import Actor
from brainstem.core.references import arrange, links
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import (
    ExtraFields,
    LabDateTime,
    Links,
    RecordSchema,
    Ref,
    RefList,
    Row,
    RowList,
    TagList,
    Text,
    WebAddress,
    Whole,
    choice,
)
from brainstem.extensions import db
from brainstem.records.attributes import DataStorage
from brainstem.records.base import (
    Record,
    UtcDateTime,
    by_time,
    json,
    link_table,
    linked,
    reference,
    text,
)
from brainstem.records.projects import Project
from brainstem.records.tags import Tag

if TYPE_CHECKING:
    from brainstem.records.epochs import Epoch
    from brainstem.records.modules import Behavior, DataAcquisition, Manipulation

session_project = link_table("session", "project")
session_tag = link_table("session", "tag")


class SessionDataStorage(Record):
    """One data storage of a session; `order` counts 0, 1, 2 … without gaps within the session."""

    __tablename__ = "sessiondatastorage"
    __table_args__ = (
        UniqueConstraint(
            "session_id",
            "datastorage_id",
            info={"message": "This data storage is attached to the session already."},
        ),
        Index(None, "session_id", "order"),
        *by_time(),
    )

    # The session's column stands first: see `references.arrange`.
    session_id: Mapped[uuid.UUID] = reference("session", ondelete="CASCADE", index=False)
    datastorage_id: Mapped[uuid.UUID] = reference("datastorage")
    order: Mapped[int]
    session: Mapped[Session] = relationship(viewonly=True)
    datastorage: Mapped[DataStorage] = relationship(viewonly=True)


class Session(Record):
    """One recording occasion; `date_time` is its onset, in UTC."""

    __tablename__ = "session"
    __table_args__ = (
        UniqueConstraint("name"),
        # The order of lists: no row need be read to find what they show, also of some days.
        Index(None, "name", "id", "date_time"),
        Index(None, "date_time"),
        *by_time(),
    )

    name: Mapped[str] = text(100)
    description: Mapped[str] = text()
    date_time: Mapped[datetime | None] = mapped_column(UtcDateTime)
    extra_fields: Mapped[dict] = json(dict)
    download_links: Mapped[list] = json(list)
    name_used_in_storage: Mapped[str] = text(200)
    projects: Mapped[list[Project]] = linked("Project", session_project)
    datastorage: Mapped[list[DataStorage]] = linked("DataStorage", SessionDataStorage.__table__)
    tags: Mapped[list[Tag]] = linked("Tag", session_tag)
    epochs: Mapped[list[Epoch]] = relationship(
        order_by="nulls_last(Epoch.start), Epoch.name", viewonly=True
    )
    behaviors: Mapped[list[Behavior]] = relationship(
        order_by="Behavior.order, Behavior.id", viewonly=True
    )
    dataacquisition: Mapped[list[DataAcquisition]] = relationship(
        order_by="DataAcquisition.order, DataAcquisition.id", viewonly=True
    )
    manipulations: Mapped[list[Manipulation]] = relationship(
        order_by="Manipulation.order, Manipulation.id", viewonly=True
    )


class DownloadLink(Row):
    """Where a session's data was published."""

    repository = Text(
        required=True,
        validate=choice(
            "CRCNS",
            "DANDI",
            "Figshare",
            "GitHub",
            "Globus",
            "Mendeley",
            "Zenodo",
            "Webshare",
            "Other",
        ),
    )
    url = WebAddress(required=True, metadata={"label": "URL"})


class SessionSchema(RecordSchema):
    """A session on the wire (contract §4)."""

    name = Text(required=True, most=100, metadata={"help": "Unlike any other session's."})
    description = Text(exact=True, lines=True, metadata={"help": "Markdown or simple HTML."})
    epochs = RefList("epoch", dump_only=True)
    projects = RefList(
        "project",
        required=True,
        metadata={"help": "Who may read and change the session follows from its projects."},
    )
    date_time = LabDateTime(
        metadata={"label": "Date and time", "help": "When the recording began."}
    )
    datastorage = RefList(
        "datastorage",
        metadata={
            "label": "Data storage",
            "ordered": True,
            "help": "Where the raw data lies; the preferred place first.",
        },
    )
    extra_fields = ExtraFields(
        metadata={"help": "Whatever else you want to note: a room, a depth, a rig."}
    )
    download_links = RowList(
        DownloadLink,
        metadata={
            "add": "Add link",
            "remove": "Remove link",
            "copied": False,
            "help": "Public repositories where the data can be downloaded.",
        },
    )
    dataacquisition = RefList(
        "dataacquisition", dump_only=True, metadata={"label": "Data acquisition"}
    )
    behaviors = RefList("behavior", dump_only=True)
    manipulations = RefList("manipulation", dump_only=True)
    name_used_in_storage = Text(
        most=200,
        metadata={
            "form_only": True,
            "counted": True,
            "help": "The folder's or file's name, where it differs from the session's name.",
        },
    )
    tags = TagList()
    links = Links(
        "projects", "epochs", "datastorage", "dataacquisition", "behaviors", "manipulations"
    )


registry.register(
    Resource(
        app="stem",
        name="session",
        key="session",
        keys="sessions",
        model=Session,
        schema=SessionSchema,
        label="Session",
        labels="Sessions",
        page="/sessions",
        nav=1,
        parents=("projects",),
        form=(
            "name",
            "projects",
            "date_time",
            "description",
            "tags",
            "datastorage",
            "name_used_in_storage",
            "extra_fields",
            "download_links",
        ),
        tabs=(
            (
                "General",
                (
                    "name",
                    "projects",
                    "date_time",
                    "description",
                    "tags",
                    "datastorage",
                    "name_used_in_storage",
                    "extra_fields",
                ),
            ),
            ("Online repositories", ("download_links",)),
            ("Epochs", ("epochs",)),
            ("Behaviors", ("behaviors",)),
            ("Data acquisition", ("dataacquisition",)),
            ("Manipulations", ("manipulations",)),
        ),
        columns=("name", "date_time", "projects", "datastorage", "tags"),
        filters=("projects", "tags", "datastorage", "behaviors.subjects"),
        when="date_time",
        wanted=("date_time", "datastorage", "epochs"),
        searched=("epochs", "behaviors.subjects", "dataacquisition", "manipulations"),
        deletion="Its epochs, behaviors, data acquisitions and manipulations go with it.",
    )
)


class SessionDataStorageSchema(RecordSchema):
    """A row of the through table (contract §5)."""

    session = Ref("session", required=True)
    datastorage = Ref("datastorage", required=True)
    order = Whole()


#: A place behind all others.
FAR = 1_000_000


class OrderedStorages(Resource):
    """Rows that keep the order of their session gapless; an order past the end means the end.

    The session's row is locked meanwhile, so that two at once leave one of the two orders.
    """

    def check(
        self, actor: Actor, record: SessionDataStorage | None, data: dict[str, Any]
    ) -> dict[str, Any]:
        if record is None:
            return {}
        stored = {"session": record.session_id, "datastorage": record.datastorage_id}
        return {
            name: ["This can't be changed; remove the row and add another."]
            for name, value in stored.items()
            if data.get(name, value) != value
        }

    def insert(self, record: SessionDataStorage, data: dict[str, Any]) -> None:
        stored = links(self.model.__table__, record.session_id)
        storages = [*stored]
        storages.insert(min(data.get("order", FAR), FAR), record.datastorage_id)
        record.order = storages.index(record.datastorage_id)
        super().insert(record, data)
        self._arrange(record, storages, stored | {record.datastorage_id: record.order})

    def update(self, record: SessionDataStorage, data: dict[str, Any]) -> None:
        stored = links(self.model.__table__, record.session_id)
        storages = [each for each in stored if each != record.datastorage_id]
        storages.insert(min(data["order"], FAR), record.datastorage_id)
        self._arrange(record, storages, stored)
        # Its id stands: to read it all again takes longer than to move it.
        db.session.expire(record, ["order", "version", "updated_date"])

    def remove(self, record: SessionDataStorage) -> None:
        stored = links(self.model.__table__, record.session_id)
        storages = [each for each in stored if each != record.datastorage_id]
        self._arrange(record, storages, stored)

    def _arrange(
        self,
        record: SessionDataStorage,
        storages: list[uuid.UUID],
        stored: dict[uuid.UUID, int],
    ) -> None:
        """Give the rows another order: those that move are new versions, and so is their session."""
        arrange(self.model.__table__, record.session_id, storages, stored)
        touch(db.session.get(Session, record.session_id))


registry.register(
    OrderedStorages(
        app="stem",
        name="sessiondatastorage",
        key="sessiondatastorage",
        keys="sessiondatastorages",
        model=SessionDataStorage,
        schema=SessionDataStorageSchema,
        label="Data storage of a session",
        labels="Data storages of sessions",
        parents=("session",),
        seen_with=("datastorage",),
        locked_by="session",
        part_of="session",
        portals=frozenset({"private"}),
        sort=("session", "order"),
    )
)
