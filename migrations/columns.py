"""What several migrations build. Old revisions call these: never change what one of them does."""

import sqlalchemy as sa
from alembic import op


def text(length=None):
    """Text that compares by code point on PostgreSQL too."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def text_column(name, length=None):
    return sa.Column(name, text(length), nullable=False)


def json_column(name):
    return sa.Column(name, sa.JSON(), nullable=False)


def record_columns():
    """What every record has."""
    return (
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_date", sa.DateTime(), nullable=False),
        sa.Column("updated_date", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def reference(target, ondelete=None, nullable=False):
    """A column that names a record of another table; see `index_reference`."""
    key = sa.ForeignKey(f"{target}.id", ondelete=ondelete)
    return sa.Column(f"{target}_id", sa.Uuid(), key, nullable=nullable)


def index_reference(table, target):
    op.create_index(f"ix_{table}_{target}_id", table, [f"{target}_id"])


def create_links(owner, target, *constraints, holding=True):
    """An ordered link table; a link goes with its owner and, where it is `holding`, keeps its target."""
    target_key = sa.ForeignKey(f"{target}.id", ondelete=None if holding else "CASCADE")
    op.create_table(
        f"{owner}_{target}",
        sa.Column(
            f"{owner}_id",
            sa.Uuid(),
            sa.ForeignKey(f"{owner}.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column(f"{target}_id", sa.Uuid(), target_key, primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        *constraints,
    )
    op.create_index(
        f"ix_{owner}_{target}_{target}_id_{owner}_id",
        f"{owner}_{target}",
        [f"{target}_id", f"{owner}_id"],
    )


def create_roles(kind, holder):
    """Which user or group holds which role on a record of this kind."""
    op.create_table(
        f"{kind}_{holder}_role",
        *(
            sa.Column(
                f"{name}_id",
                sa.Uuid(),
                sa.ForeignKey(f"{name}.id", ondelete="CASCADE"),
                primary_key=True,
            )
            for name in (kind, holder)
        ),
        sa.Column("role", sa.Integer(), nullable=False),
    )
    op.create_index(
        f"ix_{kind}_{holder}_role_{holder}_id_{kind}_id",
        f"{kind}_{holder}_role",
        [f"{holder}_id", f"{kind}_id"],
    )
