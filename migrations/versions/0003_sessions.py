"""Sessions, their links, and their data storages in order.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import create_links, record_columns, text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "session",
        *record_columns(),
        sa.Column("name", text(100), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.Column("date_time", sa.DateTime(), nullable=True),
        sa.Column("extra_fields", sa.JSON(), nullable=False),
        sa.Column("download_links", sa.JSON(), nullable=False),
        sa.Column("name_used_in_storage", text(200), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_session_date_time", "session", ["date_time"])
    create_links("session", "project")
    create_links("session", "tag")
    op.create_table(
        "sessiondatastorage",
        *record_columns(),
        sa.Column(
            "session_id", sa.Uuid(), sa.ForeignKey("session.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column(
            "datastorage_id",
            sa.Uuid(),
            sa.ForeignKey("datastorage.id"),
            nullable=False,
        ),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.UniqueConstraint("session_id", "datastorage_id"),
    )
    op.create_index(
        "ix_sessiondatastorage_session_id_order", "sessiondatastorage", ["session_id", "order"]
    )
    op.create_index(
        "ix_sessiondatastorage_datastorage_id", "sessiondatastorage", ["datastorage_id"]
    )


def downgrade():
    for table in ("sessiondatastorage", "session_tag", "session_project", "session"):
        op.drop_table(table)
