"""Device logins, failed tries, and tokens that only read.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import json_column, record_columns, reference, text, text_column

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "device_login",
        *record_columns(),
        text_column("device_hash", 64),
        text_column("user_code", 9),
        text_column("client_name", 100),
        text_column("address", 100),
        text_column("status", 10),
        sa.Column("read_only", sa.Boolean(), nullable=False),
        reference("user", "CASCADE", nullable=True),
        sa.UniqueConstraint("device_hash"),
        sa.UniqueConstraint("user_code"),
    )
    op.create_table(
        "failed_tries",
        sa.Column("key", text(64), primary_key=True),
        json_column("times"),
        sa.Column("last", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_failed_tries_last", "failed_tries", ["last"])
    # The tokens there are may write, as they could before.
    op.add_column(
        "token", sa.Column("read_only", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade():
    op.drop_column("token", "read_only")
    op.drop_table("failed_tries")
    op.drop_table("device_login")
