"""Sign-ins, so that they can be ended.

Everybody signs in once more after this: the cookies so far name no sign-in.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-25
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import index_reference, record_columns, reference, text_column

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "sign_in",
        *record_columns(),
        reference("user", ondelete="CASCADE"),
        text_column("hash", 64),
        text_column("password", 64),
        sa.Column("kept", sa.Boolean(), nullable=False),
        sa.Column("last_used", sa.DateTime(), nullable=False),
        text_column("browser", 100),
        sa.UniqueConstraint("hash"),
    )
    index_reference("sign_in", "user")


def downgrade():
    op.drop_table("sign_in")
