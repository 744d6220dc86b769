"""Imports through the pages: the file on its way, and what came of its rows.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-24
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import (
    index_reference,
    json_column,
    record_columns,
    reference,
    text_column,
)

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "import_run",
        *record_columns(),
        reference("user", "CASCADE"),
        text_column("kind", 100),
        text_column("filename", 300),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        json_column("matched"),
        text_column("default", 100),
        text_column("status", 10),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("beat", sa.DateTime(), nullable=False),
        json_column("counts"),
        text_column("problem", 1000),
        reference("change", nullable=True),
    )
    index_reference("import_run", "user")
    index_reference("import_run", "change")
    op.create_table(
        "import_row",
        sa.Column(
            "run_id",
            sa.Uuid(),
            sa.ForeignKey("import_run.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        text_column("deed", 10),
        text_column("title", 300),
        sa.Column("record_id", sa.Uuid(), nullable=True),
        json_column("told"),
    )


def downgrade():
    op.drop_table("import_row")
    op.drop_table("import_run")
