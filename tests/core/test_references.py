"""What an operation knows of links that it has read."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import delete

from brainstem.core import operations, references
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records.base import Record


@pytest.fixture
def lab(ada):
    """A session, and a collection that names it: their ids."""
    project = ada.project("Study")
    session = ada.session("Day 1", project)["id"]
    payload = {"name": "Best days", "project": project["id"], "sessions": [session]}
    collection = ada.made("stem/collection/", payload)["id"]
    return uuid.UUID(session), uuid.UUID(collection)


@pytest.fixture
def sessions(app, lab):
    """The sessions of the collection, as `references` tells of them."""
    table = references.link_table_of(registry.get("collection"), "sessions")
    with app.app_context():
        yield lambda: references.linked_ids(table, lab[1])


def test_links_are_read_once_in_an_operation(lab, sessions, statements):
    @operation
    def look_twice() -> None:
        assert sessions() == sessions() == [lab[0]]

    look_twice()
    assert len([each for each in statements if "collection_session" in each]) == 1


def test_nothing_is_known_of_them_outside(lab, sessions, statements):
    assert sessions() == sessions() == [lab[0]]
    assert len([each for each in statements if "collection_session" in each]) == 2


def test_what_goes_with_a_deleted_record_is_not_known_any_more(ada, lab, sessions, monkeypatch):
    kind, remove = registry.get("session"), Resource.remove

    def look_and_remove(self: Resource, record: Record) -> None:
        assert sessions() == [lab[0]]
        remove(self, record)

    monkeypatch.setattr(Resource, "remove", look_and_remove)

    @operation
    def take_out() -> None:
        operations.delete(Actor(ada.id), kind, lab[0])
        assert sessions() == []

    take_out()


@pytest.mark.parametrize("change", ("alter", "add"))
def test_what_others_did_before_a_change_is_seen(ada, lab, sessions, change):
    collections, actor = registry.get("collection"), Actor(ada.id)

    @operation
    def wait_and_change() -> None:
        assert sessions() == [lab[0]]
        db.session.execute(delete(references.link_table_of(collections, "sessions")))
        assert sessions() == [lab[0]]
        if change == "alter":
            operations.alter(actor, collections, lab[1], {"description": "The best"})
        else:
            operations.add(actor, registry.get("project"), {"name": "Other"})
        assert sessions() == []

    wait_and_change()
