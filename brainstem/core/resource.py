"""A kind of record, as the machinery knows it, and the registry of all kinds."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brainstem.extensions import db

if TYPE_CHECKING:
    from brainstem.core.permissions import Actor, Roles
    from brainstem.core.schemas import RecordSchema
    from brainstem.records.base import Record


@dataclass(frozen=True, eq=False)
class Resource:
    """One kind of record: where it answers, how it is stored and judged, whose rights it takes.

    Registering one gives it the JSON API, queries, permissions and pages. Where a kind writes in
    its own way, it subclasses this and overrides `check`, `complete`, `insert`, `update` or `remove`; they
    run inside the operation's transaction, after the rights have been required.
    """

    #: `/api/{portal}/{app}/{name}/`, and the keys of one record and of a list (contract §6).
    app: str
    name: str
    key: str
    keys: str
    model: type[Record]
    schema: type[RecordSchema]
    #: What people call one and several of them.
    label: str
    labels: str
    #: The relationships that a record takes its rights from; a kind without any holds its own roles.
    parents: tuple[str, ...] = ()
    #: Relationships whose record one must be able to read as well.
    seen_with: tuple[str, ...] = ()
    #: Where users and groups hold roles on a record of this kind itself.
    roles: Roles | None = None
    #: Whether its records are made and changed elsewhere than through the API and its pages.
    read_only: bool = False
    #: Relationships that keep a record from being deleted while they hold anything.
    kept_by: tuple[str, ...] = ()
    #: The relationship whose record is locked while one of these changes (else the record itself).
    locked_by: str = ""
    #: The relationship whose record this is a part of: what happens to one happens to that record. Such
    #: a kind counts the versions of its records itself.
    part_of: str = ""
    portals: frozenset[str] = frozenset({"private", "public"})
    #: Where its pages are; empty where it has none of its own.
    page: str = ""
    #: Its place in the navigation, from 1. A kind without one is found on the page of its parent.
    nav: int = 0
    #: The heading that its link stands under in the navigation's menu; a link of its own without one.
    menu: str = ""
    #: What the lesser roles on a record let somebody do, in words: "may …".
    reading: str = "see it"
    using: str = "use it"
    #: Whether administrators look after all of its records on the pages, whoever made them.
    administered: bool = False
    #: The field that people know a record by.
    handle: str = "name"
    #: The usual order of its lists.
    sort: tuple[str, ...] = ("name",)
    #: The fields of its form, in the order people fill them in; all of the schema's where empty.
    form: tuple[str, ...] = ()
    #: The tabs of its form, each with what stands on it: fields, and relations whose records are parts
    #: of this one, made, changed and removed with it (`whole.save`).
    tabs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: The field with a record's place among the parts of the same record, where people arrange them.
    placed_by: str = ""
    #: What else is gone when a record is deleted, in a sentence.
    deletion: str = "The record is removed for everybody."
    #: The fields shown as columns of its list page.
    columns: tuple[str, ...] = ("name",)
    #: What its lists are filtered by, the usual first: relations and tags, also through other records
    #: (`behaviors.subjects`); those among its columns where empty.
    filters: tuple[str, ...] = ()
    #: The field that says when: lists are filtered by it, and counted in a calendar.
    when: str = ""
    #: The fields that a record is not complete without, though it can be stored: forms and lists say
    #: which of them are still missing.
    wanted: tuple[str, ...] = ()
    #: Relations whose records a search of this kind looks into, too: `behaviors`, `behaviors.subjects`.
    searched: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The label inside a sentence."""
        return self.label.lower()

    def title(self, handle: Any) -> str:
        """What a record is called whose `handle` field has this value."""
        return str(handle)

    def called(self, record: Record) -> str:
        """What a record is called."""
        return self.title(getattr(record, self.handle))

    def check(self, actor: Actor, record: Record | None, data: dict[str, Any]) -> dict[str, Any]:
        """Errors by field that need the database and are this kind's own; `record` is None for a new one."""
        return {}

    def complete(self, actor: Actor, data: dict[str, Any]) -> None:
        """Put into a new record's data what nobody had to give: who made it, the next number."""

    def insert(self, record: Record, data: dict[str, Any]) -> None:
        """Store a new record."""
        db.session.add(record)
        db.session.flush()

    def update(self, record: Record, data: dict[str, Any]) -> None:
        """Store what changed: at the latest with the record's new version, in one statement."""
        for name, value in data.items():
            setattr(record, name, value)

    def remove(self, record: Record) -> None:
        """Delete a record; the database takes along what belongs to it."""
        db.session.delete(record)
        db.session.flush()


class Registry:
    """Every kind of record by name, in the order of registration."""

    def __init__(self) -> None:
        self._kinds: dict[str, Resource] = {}

    def register(self, resource: Resource) -> Resource:
        """Make a kind known; registering a name again replaces it (an app made twice, as in tests)."""
        self._kinds[resource.name] = resource
        return resource

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._kinds.values())

    def get(self, name: str) -> Resource | None:
        """The kind of that name, or None while nobody registered it."""
        return self._kinds.get(name)

    def at(self, app: str, name: str) -> Resource | None:
        """The kind at an API address."""
        resource = self.get(name)
        return resource if resource is not None and resource.app == app else None

    def of(self, model: type) -> Resource:
        """The kind that a model stores."""
        return next(kind for kind in self if kind.model is model)


registry = Registry()


def as_id(text: object) -> uuid.UUID | None:
    """The id that a text spells, or None."""
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
