"""The search index: what can be found of each record; and the sessions changed last, without reading all.

Revision ID: 0014
Revises: 0013
Create Date: 2026-11-24
"""

import json
import unicodedata

import sqlalchemy as sa
from alembic import op

from migrations.columns import text_column

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

#: What stands in each kind's entries, as of this revision: what the record is called, then its texts.
#: A column of JSON says how it is read.
PAIRS, LEAVES, LINKS, LOG = "pairs", "leaves", "links", "log"
DETAILS = (("notes", None), ("details", LEAVES))
TEXTS = {
    "project": (("name", None), ("description", None), ("extra_fields", PAIRS)),
    "subject": (
        ("name", None),
        ("description", None),
        ("species", None),
        ("strain", None),
        ("genotype", None),
        ("extra_fields", PAIRS),
        ("name_used_in_storage", None),
    ),
    "session": (
        ("name", None),
        ("description", None),
        ("extra_fields", PAIRS),
        ("download_links", LINKS),
        ("name_used_in_storage", None),
    ),
    "collection": (("name", None), ("description", None)),
    "cohort": (("name", None), ("description", None)),
    "epoch": (("name", None), ("notes", None)),
    "behavior": (("notes", None),),
    "dataacquisition": (("type", None), *DETAILS),
    "manipulation": (("type", None), *DETAILS),
    "procedure": (("type", None), *DETAILS),
    "equipment": (("type", None), ("name", None), *DETAILS),
    "subjectlog": (("type", None), ("description", None), ("entries", LOG)),
    "datastorage": (("name", None), ("location", None), ("description", None)),
    "setup": (("name", None), ("location", None), ("description", None)),
    "behavioralassay": (("name", None), ("description", None)),
    "group": (("name", None),),
}
TAGGED = ("project", "subject", "session", "collection", "cohort")
UNNAMED = ("behavior",)
BATCH = 500


def upgrade():
    op.create_table(
        "search_entry",
        sa.Column("id", sa.Integer(), primary_key=True),
        text_column("kind", 100),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        text_column("title"),
        text_column("text"),
        sa.UniqueConstraint("record_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        index_by_fts5()
    else:
        index_by_pg_trgm()
    for kind in TEXTS:
        fill(kind)
    op.create_index("ix_session_updated_date", "session", ["updated_date"])


def downgrade():
    op.drop_index("ix_session_updated_date", "session")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    op.drop_table("search_entry")


def index_by_fts5():
    """Trigrams of the entries, which triggers keep true, so that nothing can be written past them."""
    op.execute(
        "CREATE VIRTUAL TABLE search_index USING fts5("
        "text, content='search_entry', content_rowid='id', tokenize='trigram case_sensitive 1')"
    )
    add = "INSERT INTO search_index(rowid, text) VALUES (new.id, new.text);"
    remove = (
        "INSERT INTO search_index(search_index, rowid, text) VALUES ('delete', old.id, old.text);"
    )
    for event, deeds in (
        ("INSERT", add),
        ("DELETE", remove),
        ("UPDATE", f"{remove} {add}"),
    ):
        op.execute(
            f"CREATE TRIGGER search_entry_{event.lower()} AFTER {event} ON search_entry "
            f"BEGIN {deeds} END"
        )


def index_by_pg_trgm():
    """Without the extension (a database where nobody may create it) every entry is read: slower, no less."""
    connection = op.get_bind()
    try:
        with connection.begin_nested():
            connection.execute(sa.text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    except sa.exc.DBAPIError as error:
        print(f"Search goes without an index: pg_trgm can't be created ({error.orig}).".strip())
        return
    op.execute("CREATE INDEX search_index_text ON search_entry USING gin (text gin_trgm_ops)")


def fill(kind):
    """Entries for the records that are there already."""
    connection, columns = op.get_bind(), TEXTS[kind]
    types = [sa.column(name, sa.JSON() if how else sa.String()) for name, how in columns]
    record = sa.table(kind, sa.column("id", sa.Uuid()), *types)
    entry = sa.table(
        "search_entry", *(sa.column(each) for each in ("kind", "title", "text")),
        sa.column("record_id", sa.Uuid()),
    )  # fmt: skip
    last = None
    while True:
        statement = sa.select(record).order_by(record.c.id).limit(BATCH)
        if last is not None:
            statement = statement.where(record.c.id > last)
        rows = connection.execute(statement).all()
        if not rows:
            return
        last = rows[-1].id
        tags = tags_of(kind, [row.id for row in rows]) if kind in TAGGED else {}
        connection.execute(
            sa.insert(entry),
            [
                {
                    "kind": kind,
                    "record_id": row.id,
                    "title": "" if kind in UNNAMED else fold(row[1]),
                    "text": fold(
                        "\n".join(filter(None, [*texts(row, columns), *tags.get(row.id, ())]))
                    ),
                }
                for row in rows
            ],
        )


def tags_of(kind, ids):
    tag = sa.table("tag", sa.column("id", sa.Uuid()), sa.column("name"))
    link = sa.table(
        f"{kind}_tag",
        sa.column(f"{kind}_id", sa.Uuid()),
        sa.column("tag_id", sa.Uuid()),
        sa.column("position"),
    )
    owner = link.c[f"{kind}_id"]
    statement = sa.select(owner, tag.c.name).join(tag, tag.c.id == link.c.tag_id)
    found = {}
    for each, name in op.get_bind().execute(
        statement.where(owner.in_(ids)).order_by(link.c.position)
    ):
        found.setdefault(each, []).append(name)
    return found


def texts(row, columns):
    for (_, how), value in zip(columns, row[1:], strict=True):
        if how is None:
            yield value
        elif how == PAIRS:
            yield from (f"{key} {plain(each)}" for key, each in value.items())
        elif how == LEAVES:
            yield from leaves(value)
        elif how == LINKS:
            yield from (each[name] for each in value for name in ("repository", "url"))
        else:
            for each in value:
                yield each.get("notes", "")
                yield from leaves(each.get("details", {}))


def leaves(document, key=""):
    if isinstance(document, dict):
        for name, each in document.items():
            yield from leaves(each, name)
    elif isinstance(document, list):
        for each in document:
            yield from leaves(each, key)
    else:
        yield f"{key} {plain(document)}".strip()


def plain(value):
    return value if isinstance(value, str) else json.dumps(value)


def fold(words):
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", words).lower())
