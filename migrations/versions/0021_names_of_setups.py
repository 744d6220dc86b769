"""Setups and behavioral assays may have names that others of them have: each lab group has its “Rig 1”.

Revision ID: 0021
Revises: 0020
Create Date: 2026-11-30
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("setup", "behavioralassay")


def upgrade():
    for table in TABLES:
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f"uq_{table}_name"), type_="unique")
        op.create_index(f"ix_{table}_name", table, ["name"])


def downgrade():
    # Which of them shall have another name is nothing that a migration knows.
    if twice := [each for table in TABLES for each in _twice(table)]:
        raise SystemExit(f"Give these other names first, that stand twice: {', '.join(twice)}.")
    for table in TABLES:
        op.drop_index(f"ix_{table}_name", table)
        with op.batch_alter_table(table) as batch:
            batch.create_unique_constraint(op.f(f"uq_{table}_name"), ["name"])


def _twice(table):
    names = sa.table(table, sa.column("name")).c.name
    statement = sa.select(names).group_by(names).having(sa.func.count() > 1).order_by(names)
    return [f"{table} “{name}”" for name in op.get_bind().scalars(statement)]
