"""Setups with their equipment, behavioral assays, procedures, logs of subjects.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import (
    create_links,
    create_roles,
    index_reference,
    json_column,
    record_columns,
    reference,
    text_column,
)

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "setup",
        *record_columns(),
        text_column("name", 50),
        text_column("location", 100),
        text_column("description", 500),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "behavioralassay",
        *record_columns(),
        text_column("name", 50),
        text_column("description", 500),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("name"),
    )
    for kind in ("setup", "behavioralassay"):
        create_roles(kind, "user")
        create_roles(kind, "group")
    op.create_table(
        "equipment",
        *record_columns(),
        text_column("name", 100),
        text_column("type", 100),
        reference("setup"),
        sa.Column("date_time", sa.DateTime(), nullable=True),
        text_column("notes", 500),
        json_column("details"),
    )
    index_reference("equipment", "setup")
    op.create_table(
        "procedure",
        *record_columns(),
        text_column("type", 100),
        reference("subject"),
        sa.Column("date_time", sa.DateTime(), nullable=True),
        text_column("notes", 500),
        json_column("details"),
    )
    index_reference("procedure", "subject")
    create_links("procedure", "equipment")
    op.create_table(
        "subjectlog",
        *record_columns(),
        text_column("type", 100),
        reference("subject"),
        text_column("description", 500),
        reference("user", ondelete="SET NULL", nullable=True),
        json_column("entries"),
    )
    index_reference("subjectlog", "subject")
    index_reference("subjectlog", "user")


def downgrade():
    for table in ("subjectlog", "procedure_equipment", "procedure", "equipment"):
        op.drop_table(table)
    for kind in ("behavioralassay", "setup"):
        op.drop_table(f"{kind}_group_role")
        op.drop_table(f"{kind}_user_role")
        op.drop_table(kind)
