"""Users and their tokens.

Revision ID: 0001
Revises:
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import record_columns, text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "user",
        *record_columns(),
        sa.Column("email", text(254), nullable=False),
        sa.Column("first_name", text(100), nullable=False),
        sa.Column("last_name", text(100), nullable=False),
        sa.Column("password_hash", text(200), nullable=False),
        sa.Column("is_admin", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "token",
        *record_columns(),
        sa.Column(
            "user_id", sa.Uuid(), sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("name", text(100), nullable=False),
        sa.Column("hash", text(64), nullable=False),
        sa.Column("last_used", sa.DateTime(), nullable=True),
        sa.UniqueConstraint("hash"),
        sa.UniqueConstraint("user_id", "name"),
    )


def downgrade():
    op.drop_table("token")
    op.drop_table("user")
