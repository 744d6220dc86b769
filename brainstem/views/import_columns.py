"""The columns of an import, as its page shows them: what they hold, and where they can go."""

from __future__ import annotations

from functools import cache
from typing import Any

from marshmallow import Schema
from werkzeug.datastructures import MultiDict

from brainstem.core import choosing
from brainstem.core.forms import SchemaForm, small_form
from brainstem.core.permissions import Actor, may
from brainstem.core.resource import as_id, registry
from brainstem.core.schemas import Ref
from brainstem.imports import matching, tables
from brainstem.imports.kinds import ImportKind
from brainstem.views.choices import offer

#: The choice of a column that becomes an extra field; which key, its name says.
EXTRA = "+"


def home_form(
    actor: Actor, kind: ImportKind, default: str, sent: MultiDict[str, str] | None = None
) -> SchemaForm | None:
    """The choice of the record that rows belong to which name none; None where a kind's rows need none."""
    if not kind.default:
        return None
    form = small_form(_home_schema(kind))(sent, data={"default": default or None})
    offer(actor, kind.resource, form)
    return form


@cache
def _home_schema(kind: ImportKind) -> type[Schema]:
    about = matching.home_field(kind)
    words = {
        "label": f"{registry.get(about.kind).label} for rows that name none",
        "help": f"{kind.resource.labels} that are there already stay where they are.",
        "none": "None: such rows are refused",
    }
    return Schema.from_dict({"default": Ref(about.kind, right=about.right, metadata=words)})


def chosen_home(actor: Actor, kind: ImportKind, default: str) -> str | None:
    """That choice, as it is stored; None where it can't be made."""
    if not default:
        return ""
    chosen, about = as_id(default), kind.default and matching.home_field(kind)
    good = about and chosen and may(actor, about.right, registry.get(about.kind), chosen)
    return str(chosen) if good else None


def only_home(actor: Actor, kind: ImportKind) -> str:
    """What rows belong to that say nothing, where there is nothing to choose from."""
    if not kind.default:
        return ""
    about = matching.home_field(kind)
    found = choosing.choices(actor, registry.get(about.kind), about.right, most=1)
    return "" if found.more else "".join(map(str, found.names))


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
