"""Sessions, their links, and their data storages in order.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def text(length=None):
    """Text that compares by code point on PostgreSQL too."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def record_columns():
    """What every record has."""
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_date", sa.DateTime(), nullable=False),
        sa.Column("updated_date", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def create_links(owner, target):
    """An ordered link table; a link goes with its owner and holds its target."""
    op.create_table(
        f"{owner}_{target}",
        sa.Column(
            f"{owner}_id",
            sa.Uuid(),
            sa.ForeignKey(f"{owner}.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            f"{target}_id",
            sa.Uuid(),
            sa.ForeignKey(f"{target}.id"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_index(
        f"ix_{owner}_{target}_{target}_id_{owner}_id",
        f"{owner}_{target}",
        [f"{target}_id", f"{owner}_id"],
    )


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
