"""Lists in their usual order, or of what was changed last, and what a person has changed, from indexes alone.

Revision ID: 0020
Revises: 0019
Create Date: 2026-11-29
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MODULES = ("behavior", "dataacquisition", "manipulation")


def upgrade():
    op.create_index("ix_session_name_id_date_time", "session", ["name", "id", "date_time"])
    op.create_index("ix_epoch_name_id", "epoch", ["name", "id"])
    for table in MODULES:
        columns = ["session_id", "order", "id"]
        op.create_index(f"ix_{table}_session_id_order_id", table, columns)
        op.drop_index(f"ix_{table}_session_id", table)
    for table in (*MODULES, "epoch", "sessiondatastorage"):
        op.create_index(f"ix_{table}_created_date", table, ["created_date"])
        op.create_index(f"ix_{table}_updated_date", table, ["updated_date"])
    op.create_index("ix_change_user_id_at", "change", ["user_id", "at"])
    op.drop_index("ix_change_user_id", "change")


def downgrade():
    op.create_index("ix_change_user_id", "change", ["user_id"])
    op.drop_index("ix_change_user_id_at", "change")
    for table in (*MODULES, "epoch", "sessiondatastorage"):
        op.drop_index(f"ix_{table}_updated_date", table)
        op.drop_index(f"ix_{table}_created_date", table)
    for table in MODULES:
        op.create_index(f"ix_{table}_session_id", table, ["session_id"])
        op.drop_index(f"ix_{table}_session_id_order_id", table)
    op.drop_index("ix_epoch_name_id", "epoch")
    op.drop_index("ix_session_name_id_date_time", "session")
