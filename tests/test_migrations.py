"""The migrations: up, down, up again; and what they make is what the models say."""

from __future__ import annotations

from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import insert, inspect, update

from brainstem.core.search.entries import BEHIND_THE_MODELS
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records.attributes import Setup
from tests.conftest import ROOT, make_app
from tests.filled import contents, running


@pytest.fixture
def fresh(request, database, tmp_path):
    """An application on a database of its own, with nothing in it."""
    if database.startswith("sqlite"):
        app = make_app(f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
    else:
        app = make_app(request.getfixturevalue("cluster").create_database("fresh"))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def modelled(name, *_):
    """Not the alembic's own table, nor what the search index keeps behind the models."""
    return name != "alembic_version" and not (name or "").startswith(BEHIND_THE_MODELS)


def tables():
    return set(filter(modelled, inspect(db.engine).get_table_names()))


def differences():
    """What the models say and the database does not have, or the other way round."""
    options = {"compare_type": True, "include_name": modelled}
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, db.metadata)


def test_migrations_lead_up_to_the_models_and_down_to_nothing(fresh):
    upgrade()
    assert differences() == []
    assert tables() == set(db.metadata.tables)
    downgrade(revision="base")
    assert tables() == set()
    upgrade()
    assert differences() == []


def test_every_migration_can_be_taken_back_by_itself(fresh):
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    assert len(scripts.get_heads()) == 1
    seen = []
    for script in reversed(list(scripts.walk_revisions())):
        before = tables()
        upgrade(revision=script.revision)
        after = tables()
        downgrade(revision=script.down_revision or "base")
        assert tables() == before
        upgrade(revision=script.revision)
        assert tables() == after
        seen.append(script.revision)
    assert differences() == []


def test_every_constraint_has_a_name(fresh):
    upgrade()
    inspector = inspect(db.engine)
    for table in tables():
        found = [*inspector.get_unique_constraints(table), *inspector.get_foreign_keys(table)]
        assert all(each["name"] for each in found), table
        assert inspector.get_pk_constraint(table)["name"], table


#: What goes down, and up again, without its rows: they can be made anew, or are of the revision itself.
ANEW = {"alembic_version", "search_entry"}


def narrowed(found, before):
    """Of what a database holds, the tables and columns that there were before."""
    return {
        name: {column: found[name][column] for column in columns if column in found[name]}
        for name, columns in before.items()
        if name in found and name not in ANEW
    }


def test_no_revision_loses_anything_on_its_way_up(filled):
    """Real records at every revision: one step up keeps each table, column and row; so does the way back."""
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    url = filled.copy()
    with running(url):
        newer = contents(url)
        for script in scripts.walk_revisions():
            if script.down_revision is None:
                break
            # Down: only the tables and columns that the revision made are gone.
            downgrade(revision=script.down_revision)
            older = contents(url)
            assert narrowed(older, newer) == narrowed(newer, older), f"down from {script.revision}"
            # Up: all that was there before is there, to the letter.
            upgrade(revision=script.revision)
            again = contents(url)
            assert set(again) == set(newer)
            assert narrowed(again, older) == narrowed(older, older), f"up to {script.revision}"
            downgrade(revision=script.down_revision)
            newer = older
        # From the first revision to the last, in one go.
        upgrade()
        assert narrowed(contents(url), newer) == narrowed(newer, newer)
        assert differences() == []


def test_names_that_stand_twice_are_not_lost_on_the_way_down(fresh):
    upgrade()
    row = {"created_date": utcnow(), "updated_date": utcnow(), "version": 1, "is_public": False}
    row |= {"name": "Rig 1", "location": "", "description": ""}
    with db.engine.begin() as connection:
        rigs = [row | {"id": uuid4()} for _ in range(2)]
        connection.execute(insert(Setup.__table__), rigs)
    with pytest.raises(SystemExit, match="setup “Rig 1”"):
        downgrade(revision="0020")
    assert differences() == []
    with db.engine.begin() as connection:
        connection.execute(
            update(Setup.__table__).where(Setup.id == rigs[0]["id"]), {"name": "Rig 2"}
        )
    downgrade(revision="0020")
