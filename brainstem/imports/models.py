"""What is kept of an import through the pages: the run, and what came of each of its rows."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.imports import progress
from brainstem.imports.kinds import KINDS, ImportKind
from brainstem.records.base import Record, UtcDateTime, json, reference, text

NEW, JUDGING, JUDGED, IMPORTING, DONE, UNDOING, FAILED = (
    "new",
    "judging",
    "judged",
    "importing",
    "done",
    "undoing",
    "failed",
)
RUNNING = (JUDGING, IMPORTING, UNDOING)

STOPPED = "The server stopped meanwhile, and nothing was stored. Start again."


class ImportRun(Record):
    """One file on its way to records. `version` counts the starts: only the last one may end it."""

    __tablename__ = "import_run"

    user_id: Mapped[uuid.UUID] = reference("user", ondelete="CASCADE")
    kind: Mapped[str] = text(100)
    filename: Mapped[str] = text(300)
    # Read where it is needed: a page that polls does not load the file.
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    matched: Mapped[list] = json(list)
    #: What rows belong to that say nothing of it.
    default: Mapped[str] = text(100)
    status: Mapped[str] = text(10)
    #: Rows in all, rows done, and when that was last said.
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    beat: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    counts: Mapped[dict] = json(dict)
    #: What went wrong with the whole, in words.
    problem: Mapped[str] = text(1000)
    change_id: Mapped[uuid.UUID | None] = reference("change", nullable=True)

    @property
    def import_kind(self) -> ImportKind:
        """What is imported."""
        return KINDS[self.kind]

    @property
    def state(self) -> str:
        """The status; of a run that has not been heard of for too long, that it failed.

        What was to be undone is imported still, until that is done: then it is as it was before.
        """
        if self.status in RUNNING:
            _, beat = progress.latest(self.id, self.done, self.beat)
            if utcnow() - beat > progress.SILENCE:
                return DONE if self.status == UNDOING else FAILED
        return self.status

    @property
    def rows_done(self) -> int:
        """How many rows are done by now."""
        return progress.latest(self.id, self.done, self.beat)[0]

    @property
    def trouble(self) -> str:
        """Why it failed."""
        return self.problem if self.status not in RUNNING else STOPPED


class ImportRow(db.Model):
    """What came, or would come, of one row."""

    __tablename__ = "import_row"

    run_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    deed: Mapped[str] = text(10)
    title: Mapped[str] = text(300)
    record_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    #: Messages by column, the fields that change, and what else is to know.
    told: Mapped[dict] = json(dict)
