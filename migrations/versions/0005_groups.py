"""Groups, and the roles that people hold through them.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import create_roles, record_columns, text_column

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "group", *record_columns(), text_column("name", 100), sa.UniqueConstraint("name")
    )
    create_roles("group", "user")
    create_roles("project", "group")
    create_roles("datastorage", "group")


def downgrade():
    op.drop_table("datastorage_group_role")
    op.drop_table("project_group_role")
    op.drop_table("group_user_role")
    op.drop_table("group")
