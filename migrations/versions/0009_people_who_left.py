"""Users who can't sign in any more, and when somebody last did.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade():
    # Whoever is a user already may sign in, as before.
    op.add_column(
        "user", sa.Column("is_active", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.add_column("user", sa.Column("last_sign_in", sa.DateTime(), nullable=True))


def downgrade():
    op.drop_column("user", "last_sign_in")
    op.drop_column("user", "is_active")
