"""Groups: people who hold roles together."""

from __future__ import annotations

import uuid

from sqlalchemy import UniqueConstraint, select
from sqlalchemy.orm import Mapped

from brainstem.core.permissions import Actor, Role, Roles, allowed
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, RecordSchema, Text
from brainstem.extensions import db
from brainstem.records.base import Record, memberships, text


class Group(Record):
    """A group: its creator owns it. Its members hold the roles that the group is given."""

    __tablename__ = "group"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = text(100)


class GroupSchema(RecordSchema):
    """A group on the wire (contract §6)."""

    name = Text(required=True, most=100, metadata={"help": "Unlike any other group's."})
    users = People(
        "user",
        rights=(("is_manager", Role.MANAGER), ("is_owner", Role.OWNER)),
        metadata={"label": "People"},
    )


GROUPS = registry.register(
    Resource(
        app="users",
        name="group",
        key="group",
        keys="groups",
        model=Group,
        schema=GroupSchema,
        label="Group",
        labels="Groups",
        page="/groups",
        nav=9,
        menu="People",
        reading="see who is in it, and have what it gives access to",
        administered=True,
        roles=Roles(memberships),
        columns=("name", "users"),
        portals=frozenset({"private"}),
        deletion="Its members lose the roles that they hold through it.",
    )
)


def by_user(actor: Actor) -> dict[uuid.UUID, list[tuple[uuid.UUID, str]]]:
    """The groups that the actor may read (id and name), by who is in them."""
    found: dict[uuid.UUID, list[tuple[uuid.UUID, str]]] = {}
    statement = (
        select(memberships.c.user_id, Group.id, Group.name)
        .join(Group, Group.id == memberships.c.group_id)
        .where(allowed(actor, GROUPS))
        .order_by(Group.name)
    )
    for user, group, name in db.session.execute(statement):
        found.setdefault(user, []).append((group, name))
    return found
