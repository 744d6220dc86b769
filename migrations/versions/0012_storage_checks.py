"""Looks at whether the data of sessions is where it should be.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-24
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import text, text_column

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "storage_check",
        sa.Column("key", text(64), primary_key=True),
        text_column("path"),
        text_column("state", 10),
        sa.Column("since", sa.DateTime(), nullable=False),
        text_column("claim", 32),
        sa.Column("asked", sa.DateTime(), nullable=False),
        sa.Column("checked", sa.DateTime(), nullable=True),
        text_column("outcome", 10),
        sa.Column("folder", sa.Boolean(), nullable=False),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("partly", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_storage_check_asked", "storage_check", ["asked"])


def downgrade():
    op.drop_table("storage_check")
