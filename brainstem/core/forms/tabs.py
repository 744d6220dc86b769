"""The form of a record with its parts, on tabs: a session with its epochs and modules (contract §13)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from werkzeug.datastructures import MultiDict

from brainstem.core.forms.parts import PartForm, PartsEntry
from brainstem.core.forms.records import RecordForm
from brainstem.core.parts import Parts, Relation


@dataclass
class Tab:
    """One tab: fields of the record, or its parts of one kind."""

    label: str
    items: list[Any]

    @property
    def id(self) -> str:
        """Its place on the page, and in the address."""
        return re.sub(r"\W+", "-", self.label.lower())

    @property
    def has_parts(self) -> bool:
        """Whether it holds records of their own, and not fields of this one."""
        return any(each.kind == "parts" for each in self.items)

    @property
    def wrong(self) -> int:
        """How many things are wrong on it."""
        return sum(len(each.problems()) for each in self.items)

    @property
    def count(self) -> int | None:
        """How many parts or rows it holds; None where it holds single fields."""
        if len(self.items) != 1:
            return None
        (only,) = self.items
        if only.kind == "parts":
            return len(only.kept)
        return len(only.filled) if only.kind == "rows" else None


class WholeForm(RecordForm):
    """A record with its parts. `opened` has for each relation a list of (id, version, wire)."""

    tabs_declared: tuple[tuple[str, tuple[str, ...]], ...] = ()
    part_forms: list[tuple[Relation, type[PartForm]]] = []

    def __init__(
        self,
        formdata: MultiDict[str, str] | None = None,
        opened: dict[str, Any] | None = None,
        version: int | None = None,
    ) -> None:
        super().__init__(formdata, opened, version)
        shown = self.opened or {}
        self.parts = {
            relation.name: PartsEntry(relation, form, formdata, shown.get(relation.name, []))
            for relation, form in self.part_forms
        }

    @cached_property
    def tabs(self) -> list[Tab]:
        """The tabs, each with what stands on it."""
        return [
            Tab(label, [self.parts[n] if n in self.parts else self[n] for n in names])
            for label, names in self.tabs_declared
        ]

    def wanted(self, names: tuple[str, ...]) -> list[dict[str, Any]]:
        found = {each["name"]: each for each in super().wanted(names)}
        for tab in self.tabs:
            for each in tab.items:
                if each.name in names and each.kind == "parts":
                    about = {"name": each.name, "label": tab.label, "href": f"#{tab.id}"}
                    found[each.name] = about | {"missing": not each.kept}
        return [found[name] for name in names if name in found]

    def wanted_parts(self) -> dict[str, Parts]:
        """What the user wants of the parts, by relation."""
        gone = {row.id for entry in self.parts.values() for row in entry.rows if row.removed}
        return {name: entry.parts(gone) for name, entry in self.parts.items()}

    def named(self, name: str) -> Any:
        if name in self.parts:
            return self.parts[name]
        for entry in self.parts.values():
            for row in entry.rows:
                if name.startswith(f"{row.key}-"):
                    return row.form.named(name.removeprefix(f"{row.key}-"))
        return super().named(name)

    def place(self, messages: dict[str, Any]) -> str:
        own = {name: each for name, each in messages.items() if name not in self.parts}
        homeless = [super().place(own)]
        for name, entry in self.parts.items():
            if name in messages:
                homeless.append(entry.place(messages[name]))
        return " ".join(filter(None, homeless))

    @property
    def summary(self) -> list[dict[str, str]]:
        return [
            {"href": f"#{place}", "text": text}
            for tab in self.tabs
            for each in tab.items
            for place, text in each.problems()
        ]
