"""What was changed, by whom and when.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-24
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import json_column, text_column

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "change",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("user.id"), nullable=True),
        text_column("way", 20),
        text_column("by", 200),
        text_column("summary", 300),
        sa.Column("undone_by_id", sa.Uuid(), sa.ForeignKey("change.id"), nullable=True),
    )
    op.create_index("ix_change_at", "change", ["at"])
    op.create_index("ix_change_user_id", "change", ["user_id"])
    op.create_table(
        "revision",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("change_id", sa.Uuid(), sa.ForeignKey("change.id"), nullable=False),
        text_column("kind", 100),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        text_column("title", 300),
        text_column("action", 10),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("follows", sa.Boolean(), nullable=False),
        json_column("before"),
        json_column("after"),
    )
    op.create_index("ix_revision_change_id", "revision", ["change_id"])
    op.create_index("ix_revision_record_id_id", "revision", ["record_id", "id"])
    op.create_table(
        "revision_root",
        sa.Column(
            "revision_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.ForeignKey("revision.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("root_id", sa.Uuid(), primary_key=True),
    )
    op.create_index(
        "ix_revision_root_root_id_revision_id", "revision_root", ["root_id", "revision_id"]
    )
    op.create_table(
        "change_root",
        sa.Column(
            "change_id", sa.Uuid(), sa.ForeignKey("change.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("root_id", sa.Uuid(), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_change_root_root_id_at", "change_root", ["root_id", "at"])


def downgrade():
    op.drop_table("change_root")
    op.drop_table("revision_root")
    op.drop_table("revision")
    op.drop_table("change")
