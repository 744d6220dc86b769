"""Views of lists that people come back to.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-24
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import record_columns, text_column

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "saved_view",
        *record_columns(),
        sa.Column(
            "user_id", sa.Uuid(), sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False
        ),
        text_column("kind", 100),
        text_column("name", 100),
        text_column("query", 4000),
        sa.UniqueConstraint("user_id", "kind", "name"),
    )


def downgrade():
    op.drop_table("saved_view")
