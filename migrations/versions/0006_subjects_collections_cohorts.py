"""Subjects, and collections and cohorts within projects.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-23
"""

import sqlalchemy as sa
from alembic import op

from migrations.columns import (
    create_links,
    index_reference,
    json_column,
    record_columns,
    reference,
    text_column,
)

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "subject",
        *record_columns(),
        text_column("name", 100),
        text_column("description"),
        text_column("sex", 1),
        text_column("species", 200),
        text_column("strain", 200),
        text_column("genotype", 200),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("death_date", sa.Date(), nullable=True),
        json_column("extra_fields"),
        text_column("name_used_in_storage", 200),
        sa.UniqueConstraint("name"),
    )
    create_links("subject", "project")
    create_links("subject", "tag")
    for table, member in (("collection", "session"), ("cohort", "subject")):
        op.create_table(
            table,
            *record_columns(),
            text_column("name", 100),
            text_column("description"),
            reference("project"),
        )
        index_reference(table, "project")
        create_links(table, member, holding=False)
        create_links(table, "tag")


def downgrade():
    for table, member in (("cohort", "subject"), ("collection", "session")):
        op.drop_table(f"{table}_tag")
        op.drop_table(f"{table}_{member}")
        op.drop_table(table)
    op.drop_table("subject_tag")
    op.drop_table("subject_project")
    op.drop_table("subject")
