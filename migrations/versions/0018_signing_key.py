"""The signing key of servers that share a database.

Revision ID: 0018
Revises: 0017
Create Date: 2026-11-25
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import text, text_column

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "secret", sa.Column("name", text(50), primary_key=True), text_column("value", 200)
    )


def downgrade():
    op.drop_table("secret")
