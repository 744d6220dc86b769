"""Runs the migrations in the database that the application is set to use."""

from alembic import context
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from brainstem import commands, outages
from brainstem.backups import revisions
from brainstem.core.search.entries import BEHIND_THE_MODELS
from brainstem.extensions import db
from brainstem.records.base import UtcDateTime

config = context.config


def render_item(kind, item, _autogen_context):
    """Write our column types as the plain ones they store: a migration must not need our code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime()"
    return False


def include_name(name, _kind, _parents):
    """Leave alone what the search index keeps behind the models."""
    return not (name or "").startswith(BEHIND_THE_MODELS)


def run(connection) -> None:
    """All of them in the one transaction that the connection is in."""
    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        render_item=render_item,
        include_name=include_name,
        **current_app.extensions["migrate"].configure_args,
    )
    context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("Migrations run in a database, not as a script.")
if "connection" in config.attributes:
    run(config.attributes["connection"])
else:
    try:
        with revisions.changing() as alone:
            run(alone)
    except SQLAlchemyError as error:
        if outages.of(error):
            raise SystemExit(commands.refusal(error)) from None
        raise
