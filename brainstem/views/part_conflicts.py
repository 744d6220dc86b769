"""Two people edited the parts of one record: what the conflict page asks about them (contract §11).

What a user wants of the parts of one relation travels as `{"rows": [[id, deed, values] …], "order": ids}`;
a deed is `add`, `change` or `remove`.
"""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from brainstem.core.forms.parts import PartRow, PartsEntry
from brainstem.core.parts import Parts

REMOVED = "Removed"


class Comparison:
    """The parts of one relation in the form, as they are stored now, and as the form was opened."""

    def __init__(self, entry: PartsEntry, current: PartsEntry, wanted: Parts) -> None:
        self.entry, self.current = entry, current
        self.taken_over: list[dict[str, str]] = []
        self.conflicts: list[dict[str, str]] = []
        self.rows: list[tuple[str, str, dict[str, Any]]] = []
        self.order: list[str] | None = None
        stored = {row.id: row for row in current.rows}
        payloads = {str(part.id): part.payload for part in wanted.parts}
        for row in entry.counted:
            self._compare(row, stored.get(row.id), payloads[row.id])
        mine = {row.id for row in entry.rows}
        for row in current.rows:
            if row.id not in entry.opened and row.id not in mine:
                self._take(row, "", "Added")
        self._compare_order(wanted)

    @property
    def wanted(self) -> dict[str, Any]:
        """What is left of what the user wants."""
        return {"rows": self.rows, "order": self.order}

    def _compare(self, row: PartRow, stored: PartRow | None, payload: dict[str, Any]) -> None:
        if row.new and stored is None:
            self.rows.append((row.id, "add", payload))
        elif stored is None:
            if row.removed:
                return
            if not payload:
                self._take(row, "", REMOVED)
                return
            self._ask(row, "", row.as_text(), REMOVED)
            _, opened = self.entry.opened[row.id]
            whole = {name: opened[name] for name in row.form.names}
            self.rows.append((row.id, "add", whole | payload))
        elif row.removed:
            if any(self._differs(row, stored, name) for name in row.form.names):
                self._ask(row, "", REMOVED, stored.as_text())
            self.rows.append((row.id, "remove", {}))
        else:
            self._compare_fields(row, stored, payload)

    def _compare_fields(self, row: PartRow, stored: PartRow, payload: dict[str, Any]) -> None:
        left = dict(payload)
        for name in row.form.names:
            mine, theirs = row.form[name], stored.form[name]
            if not self._differs(row, stored, name):
                continue
            if name not in left:
                self._take(row, f" · {mine.label}", theirs.as_text())
            elif theirs.state == mine.state:
                del left[name]
            elif not row.new:
                self._ask(row, f" · {mine.label}", mine.as_text(), theirs.as_text(), f".{name}")
        if left:
            self.rows.append((row.id, "change", left))

    def _compare_order(self, wanted: Parts) -> None:
        stored = [row.id for row in self.current.rows]
        opened = [each for each in self.entry.opened if each in stored]
        theirs = [each for each in stored if each in self.entry.opened]
        label = f"Order of {self.entry.resource.labels.lower()}"
        moved = self.current.placed and theirs != opened
        if wanted.arranged:
            kept = [row for row in self.entry.counted if not row.removed]
            self.order = [row.id for row in kept]
            if moved:
                texts = self._lines(kept), self._lines(self.current.rows)
                self._put(self.entry.name, label, *texts)
        elif moved:
            self.taken_over.append({"label": label, "text": self._lines(self.current.rows)})

    def _lines(self, rows: list[PartRow]) -> str:
        return "\n".join(f"{number}. {row.title}" for number, row in enumerate(rows, 1))

    def _differs(self, row: PartRow, stored: PartRow, name: str) -> bool:
        before = row.form.before
        return before is None or stored.form[name].state != before[name].state

    def _take(self, row: PartRow, more: str, text: str) -> None:
        self.taken_over.append({"label": f"{row.called}{more}", "text": text})

    def _ask(self, row: PartRow, more: str, yours: str, theirs: str, name: str = "") -> None:
        self._put(f"{self.entry.name}.{row.id}{name}", f"{row.called}{more}", yours, theirs)

    def _put(self, name: str, label: str, yours: str, theirs: str) -> None:
        self.conflicts.append({"name": name, "label": label, "yours": yours, "theirs": theirs})


def restore(entry: PartsEntry, wanted: dict[str, Any], formdata: MultiDict[str, str]) -> None:
    """Put into the parts, as they are stored, what the user wanted of them and has not given up."""
    rows = {row.id: row for row in entry.rows}
    for part_id, deed, values in wanted["rows"]:
        choice = f"choice-{entry.name}.{part_id}"
        if formdata.get(choice) == "theirs":
            continue
        row = rows.get(part_id)
        if row is None:
            entry.add(part_id, values)
            continue
        row.removed = deed == "remove"
        row.open = not row.removed
        for name, value in values.items():
            if formdata.get(f"{choice}.{name}") != "theirs":
                row.form[name].restore(value, row.form.before and row.form.before[name])
    if wanted["order"] is not None and formdata.get(f"choice-{entry.name}") != "theirs":
        entry.arrange(wanted["order"])
