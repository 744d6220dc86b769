"""The parts of a record in its form: the epochs and modules of a session (contract §13).

Each part is a small form of its own, with names such as `epochs-0-start`. A part that is not sent back
stays as it is; one that shall go says so (`epochs-0-removed`), and until it is saved, it can come back.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core.forms.entries import Entry
from brainstem.core.forms.lists import RefsEntry
from brainstem.core.forms.records import RecordForm, SchemaForm
from brainstem.core.parts import Part, Parts, Relation
from brainstem.core.resource import as_id, registry
from brainstem.core.schemas import Duration, texts_in

#: So many parts of a kind are shown in a form; further ones have their own pages.
MOST = 200
#: So many it takes back, with those that were added.
MOST_SENT = 1_000

#: What stands for the number of a part that a script adds.
ANY = "__index__"


class PartForm(RecordForm):
    """The fields of one part; what it belongs to, and its place there, it does not choose itself."""

    def __init__(
        self,
        formdata: MultiDict[str, str] | None = None,
        opened: dict[str, Any] | None = None,
        version: int | None = None,
        prefix: str = "",
    ) -> None:
        self.opened, self.version = opened, version
        SchemaForm.__init__(self, formdata=formdata, data=opened or {}, prefix=prefix)


@dataclass(eq=False)
class PartRow:
    """A part in the form, as a template draws it."""

    entry: PartsEntry
    index: int | str
    id: str
    form: PartForm
    removed: bool = False
    #: Whether it is drawn open, with all that can be chosen.
    open: bool = False
    errors: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The id of its place on the page, and the beginning of its fields' names."""
        return f"{self.entry.name}-{self.index}"

    @property
    def new(self) -> bool:
        return self.form.version is None

    @cached_property
    def blank(self) -> bool:
        """Whether it is new and nobody has put anything in."""
        empty = self.entry.form()
        return self.new and all(each.state == empty[each.short_name].state for each in self.fields)

    @property
    def fields(self) -> list[Entry]:
        return self.form.fields

    @property
    def changed(self) -> bool:
        return not self.new and any(map(self.form.changed, self.form.names))

    @property
    def number(self) -> int | str:
        """Its place among those that stay, from 1."""
        kept = [row for row in self.entry.rows if not row.removed or row is self]
        return kept.index(self) + 1 if self in kept else ""

    @property
    def title(self) -> str:
        """What it is called in the form: by the field that people know it by, or by its number."""
        known_by = self.form.named(self.entry.resource.handle)
        text = " ".join(known_by.as_text().split()) if known_by is not None else ""
        return text or f"{self.entry.resource.label} {self.number}"

    @property
    def whole(self) -> bool:
        """Whether it is drawn with all that can be chosen; a script puts that into the others."""
        return self.open and self.index != ANY

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What its line says beside the title: texts, each with what stands before it."""
        found: list[tuple[str, str]] = []
        spans = False
        for each in self.entry.summed_up(self.form):
            text = ", ".join(each.as_text().split("\n"))[:80]
            if text:
                follows, spans = spans, isinstance(each.about, Duration)
                found.append(("–" if follows and spans else "·", text))
        return found

    @property
    def choice(self) -> str:
        """What it is called where another part names it."""
        title, number = self.title, self.number
        if title != f"{self.entry.resource.label} {number}":
            return f"{number} · {title}"
        return " · ".join([title, *(text for _, text in self.facts[:1])])

    def as_text(self) -> str:
        """All that it says, for people to read and compare."""
        return "\n".join(
            f"{each.label}: {text}" for each in self.fields if (text := each.as_text())
        )

    def part(self, gone: set[str]) -> Part:
        """What the user wants of it; it goes on without the other parts that shall be gone."""
        payload = {} if self.removed else self.form.payload()
        if self.new:
            payload = (self.form.opened or {}) | payload
        for each in self.fields if gone and not self.removed else ():
            if isinstance(each, RefsEntry) and gone & set(each.ids):
                payload[each.short_name] = [i for i in each.ids if i not in gone]
        return Part(uuid.UUID(self.id), payload, self.form.version, self.removed)

    def place(self, messages: dict[str, Any]) -> None:
        """Show what is wrong."""
        self.open = True
        if homeless := self.form.place(messages):
            self.errors = [homeless]

    @property
    def called(self) -> str:
        """What it is called where other kinds of parts are spoken of, too."""
        label, title = self.entry.resource.label, self.title
        return title if title == f"{label} {self.number}" else f"{label} “{title}”"

    def problems(self) -> list[tuple[str, str]]:
        place = self.called
        found = [(self.key, f"{place}: {' '.join(self.errors)}")] if self.errors else []
        for each in self.fields:
            found += [(at, f"{place}, {text}") for at, text in each.problems()]
        return found


class PartsEntry:
    """The parts of one relation in a form. `opened` is what the form showed first: (id, version, wire)."""

    kind = "parts"

    def __init__(
        self,
        relation: Relation,
        form: type[PartForm],
        formdata: MultiDict[str, str] | None,
        opened: list[tuple[str, int, dict[str, Any]]],
    ) -> None:
        self.relation, self.resource, self.name = relation, relation.kind, relation.name
        self.form = form
        self.opened = {part_id: (version, wire) for part_id, version, wire in opened}
        self.formdata = formdata
        #: How many parts there are beyond those that are shown.
        self.more = 0

    @property
    def held_by(self) -> str:
        """What may name them, in words: alone, such a part could not be deleted."""
        relations = (getattr(self.resource.model, name) for name in self.resource.kept_by)
        return " and ".join(registry.of(each.entity.class_).labels.lower() for each in relations)

    @property
    def placed(self) -> bool:
        """Whether people arrange them."""
        return bool(self.resource.placed_by)

    @cached_property
    def rows(self) -> list[PartRow]:
        if self.formdata is None:
            return [self._row(number, part_id, None) for number, part_id in enumerate(self.opened)]
        pattern = re.compile(re.escape(self.name) + r"-(\d{1,5})-id", re.ASCII)
        found = [match[1] for match in map(pattern.fullmatch, self.formdata) if match]
        rows: dict[str, PartRow] = {}
        if len(found) > MOST_SENT:
            # None of them is left out silently.
            raise ValidationError(f"At most {MOST_SENT} {self.resource.labels} at once.")
        for index in dict.fromkeys(found):
            given = as_id(self.formdata[f"{self.name}-{index}-id"])
            part_id = str(given or uuid.uuid4())
            if part_id in rows:
                part_id = str(uuid.uuid4())
            rows[part_id] = self._row(int(index), part_id, self.formdata)
        return list(rows.values())

    def _row(self, index: int | str, part_id: str, formdata: MultiDict[str, str] | None) -> PartRow:
        version, wire = self.opened.get(part_id, (None, None))
        prefix = f"{self.name}-{index}-"
        form = self.form(formdata, wire, version, prefix)
        removed = formdata is not None and bool(formdata.get(f"{prefix}removed"))
        row = PartRow(self, index, part_id, form, removed)
        row.open = formdata is not None and (row.new or row.changed)
        return row

    def summed_up(self, form: PartForm) -> list[Entry]:
        """The fields that a part's line tells: those that are columns where the parts are listed."""
        return [
            form[n] for n in self.resource.columns if n in form.names and n != self.resource.handle
        ]

    def add(self, part_id: str = "", values: dict[str, Any] | None = None) -> PartRow:
        """One more, at the end; with values of the wire that somebody gave it before."""
        index = max((int(row.index) for row in self.rows), default=-1) + 1
        row = self._row(index, part_id or str(uuid.uuid4()), None)
        if values is not None:
            row.form = self.form(None, values, None, f"{row.key}-")
        row.open = True
        self.rows.append(row)
        return row

    @property
    def next_key(self) -> str:
        """Where one will be that is added."""
        return f"{self.name}-{max((int(row.index) for row in self.rows), default=-1) + 1}"

    @cached_property
    def blank(self) -> PartRow:
        """The part that a script copies."""
        row = self._row(ANY, "", None)
        row.open = True
        return row

    @property
    def kept(self) -> list[PartRow]:
        """Those that stay."""
        return [row for row in self.rows if not row.removed]

    def act(self, verb: str, index: int | None) -> None:
        """Do what a button asks for; `index` is the one in the part's names."""
        if verb == "add":
            self.add()
            return
        row = next((row for row in self.rows if row.index == index), None)
        if row is None:
            return
        if verb in ("remove", "keep"):
            row.removed = verb == "remove"
        elif verb == "open":
            row.open = True
        elif verb in ("up", "down"):
            kept = self.kept
            if row in kept:
                place = kept.index(row) + (1 if verb == "down" else -1)
                if 0 <= place < len(kept):
                    other = self.rows.index(kept[place])
                    self.rows.remove(row)
                    self.rows.insert(other, row)

    def arrange(self, ids: list[str]) -> None:
        """Put the parts into an order; those that it does not name come last."""
        places = {each: place for place, each in enumerate(ids)}
        self.rows.sort(key=lambda row: places.get(row.id, len(places)))

    @property
    def counted(self) -> list[PartRow]:
        """Those that say something: not the new ones that are blank, or gone again."""
        return [row for row in self.rows if not (row.new and (row.removed or row.blank))]

    @property
    def arranged(self) -> bool:
        """Whether they stand in another order than they did, or a new one stands between them."""
        if not self.placed:
            return False
        now = [row.id for row in self.counted if not row.removed]
        stay = [part_id for part_id in self.opened if part_id in set(now)]
        return now[: len(stay)] != stay

    def parts(self, gone: set[str]) -> Parts:
        """What the user wants of them; `gone` are the parts that shall be removed."""
        seen = [uuid.UUID(each) for each in self.opened]
        return Parts([row.part(gone) for row in self.counted], seen, self.arranged)

    def place(self, messages: dict[Any, Any]) -> str:
        """Put messages at their parts; returns those that belong to none."""
        counted, homeless = self.counted, []
        for position, each in messages.items():
            if isinstance(position, int) and position < len(counted) and isinstance(each, dict):
                counted[position].place(each)
            else:
                homeless += texts_in(each)
        return " ".join(homeless)

    def problems(self) -> list[tuple[str, str]]:
        return [problem for row in self.rows for problem in row.problems()]

    def titles(self) -> dict[str, str]:
        """What the parts are called on their buttons: where two have one title, with their numbers."""
        found = {row.id: row.title for row in self.rows}
        times = Counter(found.values())
        return {
            row.id: title if times[title] == 1 else f"{title} ({row.number})"
            for row, title in zip(self.rows, found.values(), strict=True)
        }

    def choices(self) -> dict[str, str]:
        """These parts as something that another part of the form may name."""
        found = {row.id: row.choice for row in self.kept}
        gone = {row.id: f"{row.title} (will be removed)" for row in self.rows if row.removed}
        return found | gone
