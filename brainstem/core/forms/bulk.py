"""The form that says what is added to the lists of many records, and what is removed from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from marshmallow import ValidationError

from brainstem.core import bulk, finding
from brainstem.core.forms import SchemaForm
from brainstem.core.forms.entries import Entry
from brainstem.core.forms.lists import RefsEntry, TagsEntry
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, as_id, registry
from brainstem.core.schemas import RefList, TagList, label_of, unstorable


class BulkForm(SchemaForm):
    """For each list of a kind, what is added (`add_tags`) and what is removed (`remove_tags`)."""

    #: The lists, and what people call them.
    lists: dict[str, str] = {}

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The fields, a group for each list; where there is nothing to remove, without that one."""
        return [
            {"label": label, "add": self[f"add_{name}"], "remove": self._remove(name)}
            for name, label in self.lists.items()
        ]

    def _remove(self, name: str) -> Entry | None:
        field = self[f"remove_{name}"]
        return field if field.choices else None

    def offer_held(
        self, actor: Actor, name: str, field: TagList | RefList, held: Iterable[bulk.Value]
    ) -> None:
        """Name what the chosen records hold in a list, which can be removed."""
        counts = Counter(held)
        if isinstance(field, TagList):
            names = {tag: tag for tag in sorted(counts)}
        else:
            names = finding.named(actor, registry.get(field.kind), list(counts))
        shown = {str(each): f"{text} ({counts[each]})" for each, text in names.items()}
        self[f"remove_{name}"].names = shown

    def edits(self) -> dict[str, bulk.Edit]:
        """What the form asks for, by list; `ValidationError` with what is wrong by its fields."""
        edits, errors = {}, {}
        for name in self.lists:
            add, remove = self[f"add_{name}"], self[f"remove_{name}"]
            try:
                added = _added(add)
            except ValidationError as error:
                errors[add.short_name] = error.messages
                continue
            tags = isinstance(add, TagsEntry)
            removed = remove.ids if tags else list(filter(None, map(as_id, remove.ids)))
            if both := set(added) & set(removed):
                names = [each if tags else add.names[str(each)] for each in both]
                errors[add.short_name] = [f"Both added and removed: {', '.join(sorted(names))}."]
            elif added or removed:
                edits[name] = bulk.Edit(tuple(added), tuple(removed))
        if not edits and not errors:
            errors["_schema"] = ["Choose what to add or what to remove."]
        if errors:
            raise ValidationError(errors)
        return edits

    def sent(self) -> list[tuple[str, str]]:
        """What the form was sent with, to be sent again."""
        pairs = []
        for field in self.fields:
            values = [field.text] if isinstance(field, TagsEntry) else field.ids
            pairs += [(field.name, value) for value in values if value]
        return pairs


def _added(field: Entry) -> list[bulk.Value]:
    if isinstance(field, TagsEntry):
        tags = field.value(None)
        if problem := unstorable(tags):
            raise ValidationError(problem)
        return field.about.deserialize(tags)
    if not set(field.ids) <= field.names.keys():
        target = registry.get(field.about.kind)
        raise ValidationError(f"There is no such {target.words}, or you may not use it.")
    return [as_id(each) for each in field.ids]


@cache
def bulk_form(resource: Resource) -> type[BulkForm]:
    """The form of a kind."""
    entries: dict[str, Any] = {}
    lists = bulk.editable(resource)
    labels = {name: label_of(name, field) for name, field in lists.items()}
    for name, field in lists.items():
        words = labels[name].lower()
        if isinstance(field, TagList):
            about = TagList()
            entries[f"add_{name}"] = TagsEntry(label=f"Add {words}", field=about)
        else:
            about = RefList(field.kind, right=field.right)
            entries[f"add_{name}"] = RefsEntry(label=f"Add {words}", field=about)
        # What can be removed is chosen from what there is, tags too.
        entries[f"remove_{name}"] = RefsEntry(label=f"Remove {words}", field=RefList(name))
    return type(f"{resource.name.capitalize()}BulkForm", (BulkForm,), {"lists": labels, **entries})
