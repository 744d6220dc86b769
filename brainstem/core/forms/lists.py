"""Form fields of lists: of records, in an order or in none, and of tags.

A field of one record is a list of one at the most.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from werkzeug.datastructures import MultiDict

from brainstem.core.forms.entries import Entry, as_browser


class RefsEntry(Entry):
    """Several records; the options are set by whoever knows what the user may use."""

    kind = "refs"
    #: Names by id, of what may be chosen and of what is chosen already.
    names: dict[str, str] = {}
    #: Where to make one, for whoever has none to choose from.
    new_url: str = ""
    #: Whether there are others, and where a script finds them; without one, what was looked for.
    more: bool = False
    search_url: str = ""
    looked_for: str = ""
    #: What fields that offer the same have in common.
    source: str = ""

    @property
    def chosen(self) -> list[tuple[str, str, bool]]:
        """The choices that are made."""
        return [choice for choice in self.choices if choice[2] or not choice[0]]

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        chosen = [(each, self.names.get(each, each), True) for each in self.ids]
        return chosen + [(i, name, False) for i, name in self.names.items() if i not in self.ids]

    def show(self, value: Any) -> None:
        self._take([str(each) for each in value or ()])

    def read(self, formdata: MultiDict[str, str]) -> None:
        self._take(formdata.getlist(self.name))

    def _take(self, ids: list[str]) -> None:
        self.ids = list(dict.fromkeys(ids))
        self.state = sorted(self.ids)

    def value(self, before: Any) -> Any:
        return self.ids

    def as_text(self) -> str:
        return "\n".join(self.names.get(each, each) for each in self.ids)


class RefEntry(RefsEntry):
    """One record."""

    kind = "select"

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        none = self.about.metadata.get("none", "Choose…")
        return [("", none, not self.ids), *super().choices]

    def show(self, value: Any) -> None:
        self._take([str(value)] if value else [])

    def read(self, formdata: MultiDict[str, str]) -> None:
        self._take([formdata[self.name]] if formdata.get(self.name) else [])

    def value(self, before: Any) -> Any:
        return self.ids[0] if self.ids else None


class OrderedEntry(RefsEntry):
    """Several records in an order. What stands in its `Add` field counts as added."""

    kind = "ordered"

    @property
    def items(self) -> list[tuple[str, str, int]]:
        return [(each, self.names.get(each, each), i) for i, each in enumerate(self.ids)]

    @property
    def choices(self) -> list[tuple[str, str]]:
        return [(i, name) for i, name in self.names.items() if i not in self.ids]

    def read(self, formdata: MultiDict[str, str]) -> None:
        super().read(formdata)
        if added := formdata.get(f"{self.name}__add"):
            self._take([*self.ids, added])

    def _take(self, ids: list[str]) -> None:
        self.ids = self.state = list(dict.fromkeys(ids))

    def act(self, verb: str, index: int | None) -> None:
        if index is None or index >= len(self.ids):
            return
        moved = self.ids.pop(index)
        if verb in ("up", "down"):
            self.ids.insert(max(index + (1 if verb == "down" else -1), 0), moved)


class TagsEntry(Entry):
    """Tags in one line, with commas between them; one that has a comma itself stands in quotes."""

    kind = "tags"
    suggestions: list[str] = []
    #: Whether there are others, and where a script finds them.
    more: bool = False
    search_url: str = ""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Without scripts, Enter saves the form; tags.js says what it does where it is there.
        self.help = self.help or "Commas stand between tags."

    @property
    def text(self) -> str:
        return self.raw

    def show(self, value: Any) -> None:
        self._take(", ".join(map(_quoted, value or ())))

    def read(self, formdata: MultiDict[str, str]) -> None:
        self._take(formdata.get(self.name, "").replace("\r\n", "\n"))

    def _take(self, text: str) -> None:
        self.raw = as_browser(text)
        try:
            rows = csv.reader(io.StringIO(self.raw, newline=""), skipinitialspace=True)
            self.state = [tag for row in rows for tag in map(str.strip, row) if tag]
        except csv.Error:
            self.state = [self.raw]

    def as_text(self) -> str:
        return self.raw


def _quoted(tag: str) -> str:
    plain = not any(character in tag for character in ',"\n\r')
    return tag if plain else '"' + tag.replace('"', '""') + '"'
