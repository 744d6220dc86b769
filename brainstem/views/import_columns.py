"""The columns of an import, as its page shows them: what they hold, and where they can go."""

from __future__ import annotations

from typing import Any

from brainstem.core import finding
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from brainstem.imports import matching, tables
from brainstem.imports.kinds import ImportKind

#: The choice of a column that becomes an extra field; which key, its name says.
EXTRA = "+"


def choices(actor: Actor, kind: ImportKind) -> dict[str, str]:
    """The records that rows can belong to, by id."""
    about = matching.targets(kind)[kind.default].field
    target = registry.get(about.kind)
    return {str(i): name for i, name in finding.named(actor, target, right=about.right).items()}


def summary(table: tables.Table, wrong: dict[str, Any]) -> list[dict[str, str]]:
    """What is wrong with the columns, with the place of each."""
    found = [
        {"href": "#column-0", "text": f"{label}: say which column has it."}
        for label in wrong["missing"]
    ]
    found += [
        {"href": f"#column-{index}", "text": f"{table.header[index]}: {text}"}
        for index, text in wrong["columns"].items()
    ]
    if text := wrong.get("default"):
        found.append({"href": "#default", "text": text})
    return found


def choice_label(kind: ImportKind) -> str:
    """What people call one of those records."""
    return registry.get(matching.targets(kind)[kind.default].field.kind).label


def columns(
    kind: ImportKind, table: tables.Table, matched: list[str], wrong: dict[int, str]
) -> list[dict[str, Any]]:
    """The columns as the template draws them."""
    known = matching.targets(kind)
    fields = [
        (key, target.label + (" (required)" if target.required else ""))
        for key, target in known.items()
    ]
    shown = []
    for index, (name, target) in enumerate(zip(table.header, matched, strict=True)):
        key = matching.extra_key(kind, name) if matching.extra_fields_of(kind) else ""
        shown.append(
            {
                "index": index,
                "name": name or f"Column {index + 1}",
                "samples": _samples(table, index),
                "target": EXTRA if matching.is_extra(target) else target,
                "extra": key.partition(":")[2],
                "fields": fields,
                "error": wrong.get(index, ""),
            }
        )
    return shown


def _samples(table: tables.Table, index: int, most: int = 3) -> list[str]:
    found: list[str] = []
    for text in table.column(index):
        short = " ".join(text[:60].split()) + (" …" if len(text) > 60 else "")
        if short not in found:
            found.append(short.replace("\0", "\N{REPLACEMENT CHARACTER}"))
        if len(found) == most:
            break
    return found
