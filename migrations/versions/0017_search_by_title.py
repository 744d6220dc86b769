"""What is called so, or begins so, is found at once, however many records hold a word.

Revision ID: 0017
Revises: 0016
Create Date: 2026-11-25
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_search_entry_kind_title", "search_entry", ["kind", "title"])


def downgrade():
    op.drop_index("ix_search_entry_kind_title", "search_entry")
