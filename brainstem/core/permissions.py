"""Who may do what (contract §8): one rule, written as SQL; the yes-or-no answer asks the same rule."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache, lru_cache, update_wrapper
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Result,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    false,
    select,
    true,
)

from brainstem.core.resource import Resource, registry
from brainstem.core.sql import THE_ONE, WHICH, is_among, is_of_few, unindexed
from brainstem.core.transactions import execute, recalled
from brainstem.errors import Forbidden, NotFound
from brainstem.extensions import db


class Role(IntEnum):
    """What a user is to a project or a personal attribute; a higher one carries the lower ones."""

    #: Reads it and what is in it.
    MEMBER = 1
    #: Works with what is in a project; uses an attribute (attaches it, names it).
    CONTRIBUTOR = 2
    #: Also says who is a member or a contributor.
    MANAGER = 3
    #: Also changes the record itself, publishes it, and says who is a manager or an owner.
    OWNER = 4


class Right(Enum):
    """What somebody wants to do with a record, and the role it takes on a record that has roles."""

    READ = Role.MEMBER
    #: Name it in another record; change what it holds. Of a record without roles: change it.
    USE = Role.CONTRIBUTOR
    MANAGE = Role.MANAGER
    OWN = Role.OWNER


@dataclass(frozen=True, eq=False)
class Roles:
    """Where it stands who holds which role on the records of a kind.

    `users` and `groups` are tables of (record, holder, role); `memberships` says in the same way who
    belongs to which group.
    """

    users: Table
    groups: Table | None = None
    memberships: Table | None = None

    def of(self, holder: str) -> Table | None:
        """The table for one kind of holder; None for what holds no roles here."""
        return {"user": self.users, "group": self.groups}.get(holder)

    def held(self, user_id: uuid.UUID | None, least: Role) -> Select | CompoundSelect:
        """The records on which a user holds a role or a higher one, directly or through a group."""
        record = next(iter(self.users.c))
        direct = select(record).where(self.users.c.user_id == user_id, self.users.c.role >= least)
        if self.groups is None:
            return direct
        through = (
            select(next(iter(self.groups.c)))
            .join(self.memberships, self.memberships.c.group_id == self.groups.c.group_id)
            .where(self.memberships.c.user_id == user_id, self.groups.c.role >= least)
        )
        return direct.union_all(through)


@dataclass(frozen=True)
class Actor:
    """Who acts, through which portal, and in which way.

    The public portal's actor is nobody; the super portal's is an administrator, who may do everything.
    """

    user_id: uuid.UUID | None
    portal: Literal["private", "public", "super"] = "private"
    way: Literal["api", "page", "command"] = "api"
    #: The name of the API token that was sent.
    by: str = ""
    #: Whether a list is to begin with what she may read: see `few.py`.
    reads_few: bool = False


#: Stands for the actor's user in statements that are made once and asked by everybody.
WHO = bindparam("who", type_=Uuid())


class made_once:
    """A function that makes a statement, called once for all who ask for it; to call this is to ask it.

    To write down who may read what as an expression, and to find out that the database knows it already,
    takes Python a millisecond, ten times as long as the database takes for the answer: of the 80 ms that a
    session's page took for its 59 statements, 3 were SQL. So a statement is kept by what it is about; who
    asks stands in it as `WHO`, the ids that are asked for as `WHICH` (`which=ids`), and so on.
    """

    def __init__(self, make: Callable[..., Select]) -> None:
        self._made = lru_cache(1000)(lambda *about: _asked_for(make(*about)))
        update_wrapper(self, make)

    def statement(self, *about: Any) -> Select:
        """The statement, for whoever executes it: not asked yet, with `WHO` for the user of an actor."""
        return self._found(about)[0]

    def _found(self, about: tuple) -> tuple[Select, bool]:
        return self._made(*(anybody(a) if isinstance(a, Actor) else a for a in about))

    def __call__(self, *about: Any, **values: Any) -> Result:
        """Execute it, for the actor that is named among what it is about."""
        for each in about:
            if isinstance(each, Actor):
                values[WHO.key] = each.user_id
        statement, of_objects = self._found(about)
        return (db.session.execute if of_objects else execute)(statement, values)


def _asked_for(statement: Select) -> tuple[Select, bool]:
    """A statement, and whether it asks for objects and not for columns."""
    return statement, any(isinstance(each["expr"], type) for each in statement.column_descriptions)


def anybody(actor: Actor) -> Actor:
    """Stands for all actors of whom the same statements are true."""
    return _anybody(actor.portal, actor.reads_few)


@cache
def _anybody(portal: str, reads_few: bool) -> Actor:
    return Actor(WHO, portal=portal, reads_few=reads_few)


def right_to_change(resource: Resource) -> Right:
    """What it takes to change a record; one that has roles of its own is its owners'."""
    return Right.USE if resource.roles is None else Right.OWN


PUBLIC = Actor(user_id=None, portal="public")


def allowed(actor: Actor, resource: Resource, right: Right = Right.READ) -> ColumnElement[bool]:
    """The records of a kind on which the actor holds a right, as a condition on its model.

    A record with parents is read with a role on any of them, and changed as a contributor on every
    one of them; all further rights are the right to change.
    """
    if right is not Right.READ and resource.read_only:
        return false()
    if actor.portal == "super":
        return true()
    if actor.portal not in resource.portals:
        return false()
    if resource.roles is not None:
        return _by_role(actor, resource, right)
    reading = right is Right.READ
    conditions = [_by_parents(actor, resource, name, reading) for name in resource.parents]
    for name in resource.seen_with:
        relation = getattr(resource.model, name)
        conditions.append(relation.has(allowed(actor, registry.of(relation.entity.class_))))
    return and_(true(), *conditions)


def _by_role(actor: Actor, resource: Resource, right: Right) -> ColumnElement[bool]:
    if actor.portal == "public":
        return resource.model.is_public if right is Right.READ else false()
    return resource.model.id.in_(resource.roles.held(actor.user_id, right.value))


def allowed_ids(actor: Actor, resource: Resource, right: Right = Right.READ) -> Select:
    """The ids of the records of a kind on which the actor holds a right."""
    if resource.roles is not None and actor.portal == "private":
        return resource.roles.held(actor.user_id, right.value)
    return select(resource.model.id).where(allowed(actor, resource, right))


def _by_parents(actor: Actor, resource: Resource, name: str, reading: bool) -> ColumnElement[bool]:
    relation = getattr(resource.model, name)
    parent = registry.of(relation.entity.class_)
    rule = allowed(actor, parent, Right.READ if reading else Right.USE)
    if not relation.property.uselist:
        if reading and actor.reads_few:
            return is_of_few(getattr(resource.model, f"{name}_id"), allowed_ids(actor, parent))
        return relation.has(rule)
    if reading:
        # As `relation.any(rule)`, but which parents there are is found out once, not for each record.
        link = relation.property.secondary
        owner, target = (column for column in link.columns if column.foreign_keys)
        parents = allowed_ids(actor, parent)
        if actor.reads_few:
            return is_of_few(resource.model.id, select(owner).where(target.in_(parents)))
        its = select(target).where(owner == resource.model.id, unindexed(target).in_(parents))
        return its.correlate(resource.model.__table__).exists()
    return and_(relation.any(), ~relation.any(~rule))


def seen_as(owner: Resource, part: Resource) -> bool:
    """Whether whoever may read a record may read all of its parts: then nobody needs to ask again.

    Its parts are what has it for a parent. One parent is enough to read what has several: so a project's
    sessions are such parts of it.
    """
    parents = [getattr(part.model, name).entity.class_ for name in part.parents]
    alone = part.roles is None and not part.seen_with
    return alone and part.portals >= owner.portals and parents == [owner.model]


def sees_parent(part: Resource, name: str) -> bool:
    """Whether whoever may read a record may read what this relation names: its only parent."""
    return part.roles is None and part.parents == (name,)


def may(actor: Actor, right: Right, resource: Resource, record_id: uuid.UUID) -> bool:
    """Whether the actor holds a right on one record; False where there is no such record."""
    return not unusable(actor, right, resource, [record_id])


def require(actor: Actor, right: Right, resource: Resource, record_id: uuid.UUID) -> None:
    """`NotFound` where there is no such record, `Forbidden` where the actor lacks the right.

    In the public portal what is not public is not found (contract §9).
    """
    if may(actor, right, resource, record_id):
        return
    if actor.portal == "public" or db.session.get(resource.model, record_id) is None:
        raise NotFound(f"There is no such {resource.words}.")
    if right is Right.READ or not may(actor, Right.READ, resource, record_id):
        raise Forbidden(f"You may not see this {resource.words}.")
    raise Forbidden(f"You may see this {resource.words}, but not {_DEEDS[right]}.")


_DEEDS = {
    Right.USE: "change or use it",
    Right.MANAGE: "say who may use it",
    Right.OWN: "change it: only its owners may",
}


def unusable(
    actor: Actor, right: Right, resource: Resource, ids: list[uuid.UUID]
) -> list[uuid.UUID]:
    """Those of the ids on which the actor lacks the right, in their order."""
    if not ids:
        return []

    def find(asked: list[uuid.UUID]) -> dict[uuid.UUID, None]:
        single = len(asked) == 1
        which = {THE_ONE.key: asked[0]} if single else {WHICH.key: asked}
        return dict.fromkeys(_usable(actor, right, resource, single, **which).scalars())

    usable = recalled((actor, right, resource.name), ids, find)
    return [each for each in ids if each not in usable]


@made_once
def _usable(actor: Actor, right: Right, resource: Resource, single: bool) -> Select:
    """Those of the ids on which the actor holds the right."""
    key = resource.model.id
    asked = key == THE_ONE if single else is_among(key, WHICH)
    return select(key).where(asked, allowed(actor, resource, right))
