"""Tags, projects and data storages, and the roles of users on them.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import create_links, create_roles, record_columns, text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "tag",
        *record_columns(),
        sa.Column("name", text(200), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "project",
        *record_columns(),
        sa.Column("name", text(200), nullable=False),
        sa.Column("description", text(), nullable=False),
        sa.Column("extra_fields", sa.JSON(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "datastorage",
        *record_columns(),
        sa.Column("name", text(100), nullable=False),
        sa.Column("location", text(100), nullable=False),
        sa.Column("description", text(500), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("data_organization", sa.JSON(), nullable=False),
        sa.Column("data_protocols", sa.JSON(), nullable=False),
        sa.UniqueConstraint("name"),
    )
    create_links("project", "tag")
    create_roles("project", "user")
    create_roles("datastorage", "user")


def downgrade():
    for table in ("datastorage_user_role", "project_user_role", "project_tag"):
        op.drop_table(table)
    for table in ("datastorage", "project", "tag"):
        op.drop_table(table)
