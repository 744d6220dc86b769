"""Behaviors, data acquisitions, manipulations and epochs of sessions.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import (
    create_links,
    index_reference,
    json_column,
    record_columns,
    reference,
    text_column,
)

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def create_module(table, *columns):
    """What belongs to a session and stands there in an order."""
    op.create_table(
        table,
        *record_columns(),
        reference("session", ondelete="CASCADE"),
        text_column("notes", 500),
        sa.Column("order", sa.Integer(), nullable=False),
        *columns,
    )
    index_reference(table, "session")


def upgrade():
    create_module(
        "behavior",
        reference("setup", nullable=True),
        reference("behavioralassay", nullable=True),
    )
    index_reference("behavior", "setup")
    index_reference("behavior", "behavioralassay")
    create_links("behavior", "subject")
    for table in ("dataacquisition", "manipulation"):
        create_module(
            table,
            text_column("type", 100),
            json_column("details"),
            text_column("type_schema_version", 50),
        )
        create_links(table, "procedure")
        create_links(table, "equipment")
    op.create_table(
        "epoch",
        *record_columns(),
        text_column("name", 100),
        reference("session", ondelete="CASCADE"),
        sa.Column("start", sa.BigInteger(), nullable=True),
        sa.Column("end", sa.BigInteger(), nullable=True),
        text_column("notes", 500),
        sa.UniqueConstraint("session_id", "name"),
    )
    create_links("epoch", "behavior", holding=False)
    create_links(
        "epoch", "dataacquisition", sa.UniqueConstraint("dataacquisition_id"), holding=False
    )
    create_links("epoch", "manipulation", holding=False)


def downgrade():
    for module in ("manipulation", "dataacquisition", "behavior"):
        op.drop_table(f"epoch_{module}")
    op.drop_table("epoch")
    for table in ("manipulation", "dataacquisition"):
        op.drop_table(f"{table}_equipment")
        op.drop_table(f"{table}_procedure")
        op.drop_table(table)
    op.drop_table("behavior_subject")
    op.drop_table("behavior")
