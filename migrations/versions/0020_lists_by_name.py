"""Lists of sessions by their names, and what a person has changed, without reading all of the rows.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-29
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_session_name_id_date_time", "session", ["name", "id", "date_time"])
    op.create_index("ix_change_user_id_at", "change", ["user_id", "at"])
    op.drop_index("ix_change_user_id", "change")


def downgrade():
    op.create_index("ix_change_user_id", "change", ["user_id"])
    op.drop_index("ix_change_user_id_at", "change")
    op.drop_index("ix_session_name_id_date_time", "session")
