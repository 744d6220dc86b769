"""The audit log: sign-ins, tokens, rights, exports.

Revision ID: 0015
Revises: 0014
Create Date: 2026-11-25
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import json_column, text_column

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "audit_event",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("at", sa.DateTime(), nullable=False),
        text_column("event", 40),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        text_column("way", 20),
        text_column("by", 200),
        text_column("address", 100),
        text_column("request_id", 128),
        text_column("target_kind", 100),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        json_column("details"),
    )
    op.create_index("ix_audit_event_at", "audit_event", ["at"])
    for column in ("event", "user_id", "target_id"):
        op.create_index(f"ix_audit_event_{column}_id", "audit_event", [column, "id"])


def downgrade():
    op.drop_table("audit_event")
