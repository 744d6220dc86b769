"""Sessions in the order in which they were made, and the latest first, come from an index.

Revision ID: 0019
Revises: 0018
Create Date: 2026-11-25
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_session_created_date", "session", ["created_date"])
    if op.get_bind().dialect.name == "postgresql":
        # Those without a date come last, both ways: SQLite reads one index both ways for that.
        op.execute("CREATE INDEX sorted_index_session ON session (date_time DESC NULLS LAST, id)")


def downgrade():
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("sorted_index_session", "session")
    op.drop_index("ix_session_created_date", "session")
