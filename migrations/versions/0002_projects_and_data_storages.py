"""Tags, projects and data storages, and the roles of users on them.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def text(length=None):
    """Text that compares by code point on PostgreSQL too."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def record_columns():
    """What every record has."""
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_date", sa.DateTime(), nullable=False),
        sa.Column("updated_date", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def create_links(owner, target):
    """An ordered link table; a link goes with its owner and holds its target."""
    op.create_table(
        f"{owner}_{target}",
        sa.Column(
            f"{owner}_id",
            sa.Uuid(),
            sa.ForeignKey(f"{owner}.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            f"{target}_id",
            sa.Uuid(),
            sa.ForeignKey(f"{target}.id"),
            primary_key=True,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
    )
    op.create_index(
        f"ix_{owner}_{target}_{target}_id_{owner}_id",
        f"{owner}_{target}",
        [f"{target}_id", f"{owner}_id"],
    )


def create_roles(kind):
    """Which user holds which role on a record of this kind."""
    op.create_table(
        f"{kind}_user_role",
        sa.Column(
            f"{kind}_id",
            sa.Uuid(),
            sa.ForeignKey(f"{kind}.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(
            "user_id", sa.Uuid(), sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("role", sa.Integer(), nullable=False),
    )
    op.create_index(
        f"ix_{kind}_user_role_user_id_{kind}_id", f"{kind}_user_role", ["user_id", f"{kind}_id"]
    )


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
    create_roles("project")
    create_roles("datastorage")


def downgrade():
    for table in ("datastorage_user_role", "project_user_role", "project_tag"):
        op.drop_table(table)
    for table in ("datastorage", "project", "tag"):
        op.drop_table(table)
