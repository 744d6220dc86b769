"""What both databases are asked for, so that they answer alike."""

from __future__ import annotations

import pytest
from flask import request_finished
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from brainstem.core.transactions import operation
from brainstem.extensions import db
from brainstem.records.tags import Tag

HOW_MANY = select(func.count()).select_from(Tag)


def made_elsewhere(number: int) -> None:
    """A tag that another process stores, whole and at once."""
    with db.engine.connect() as other, other.begin():
        other.execute(insert(Tag), {"name": f"Tag {number}"})


def test_what_a_request_reads_is_of_one_moment(app):
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 0
        made_elsewhere(1)
        assert db.session.scalar(HOW_MANY) == 0
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 1


def test_an_operation_sees_what_was_stored_before_it_began(app):
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 0
        made_elsewhere(1)
        assert operation(lambda: db.session.scalar(HOW_MANY))() == 1
        made_elsewhere(2)
        assert db.session.scalar(HOW_MANY) == 2


def test_an_answer_that_is_ready_is_given_although_the_connection_breaks(app, ada):
    """The database may be killed after the last statement, before the connection is given back."""

    def cut(*_: object, **__: object) -> None:
        db.session.connection().connection.dbapi_connection.close()

    with request_finished.connected_to(cut, app):
        assert ada("GET", "stem/project/").status_code == 200
    assert ada("GET", "stem/project/").status_code == 200


def test_what_is_asked_again_and_again_is_prepared_once(ada):
    """Also where every request ends with a rollback; and one that takes something back ends no other way."""
    with ada.app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite keeps its statements itself")
        db.engine.dispose()
    project = ada.project()
    prepared = text("SELECT statement FROM pg_prepared_statements")
    for _ in range(8):
        assert ada.get(f"stem/project/{project['id']}/")["project"]["name"] == "Project"
    with ada.app.app_context():
        assert any("token.hash" in each for each in db.session.scalars(prepared))
        db.session.execute(insert(Tag), {"name": "taken back"})
    with ada.app.app_context():
        assert db.session.scalar(HOW_MANY) == 0


def test_a_transaction_that_failed_leaves_a_connection_to_use(app):
    with app.app_context(), pytest.raises(SQLAlchemyError):
        db.session.execute(text("SELECT nobody_knows()"))
    with app.app_context():
        assert db.session.scalar(HOW_MANY) == 0
