"""Two people edited one record: nothing typed is lost, and the second one chooses (contract §11)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core.forms import OPENED, RecordForm, form_for, seal, unseal
from brainstem.core.resource import Resource
from brainstem.views import part_conflicts

#: The hidden field of the conflict page with what the second person had changed.
MINE = "_mine"


def posted(resource: Resource, formdata: MultiDict[str, str]) -> tuple[RecordForm, dict[str, Any]]:
    """A form as it came back, and its payload; from the conflict page, less what was given up."""
    if OPENED not in formdata:
        raise ValidationError("This form does not say which version it was opened with.")
    if MINE not in formdata:
        form = form_for(resource)(formdata)
        return form, form.payload()
    version, opened = unseal(f"{resource.name} as opened", formdata[OPENED])
    form = form_for(resource)(opened=opened, version=version)
    mine = unseal(f"{resource.name} as changed", formdata[MINE])
    payload = {
        name: value
        for name, value in mine.items()
        if name not in form.parts and formdata.get(f"choice-{name}") != "theirs"
    }
    for name, value in payload.items():
        form[name].restore(value, form.before[name])
    for name, entry in form.parts.items():
        part_conflicts.restore(entry, mine[name], formdata)
    return form, payload


def compare(form: RecordForm, current: RecordForm, payload: dict[str, Any]) -> dict[str, Any]:
    """What the conflict page shows: what only the others changed, and what both did.

    The page carries the stored version and what is left of the payload: its answer is a change
    against that version.
    """
    taken_over, conflicts, mine = [], [], dict(payload)
    for field in form.fields:
        name = field.short_name
        theirs = current[name]
        if theirs.state == form.before[name].state:
            continue
        if name not in mine:
            taken_over.append({"label": field.label, "text": theirs.as_text()})
        elif theirs.state == field.state:
            del mine[name]
        else:
            versions = {"yours": field.as_text(), "theirs": theirs.as_text()}
            conflicts.append({"name": name, "label": field.label} | versions)
    wanted = form.wanted_parts()
    for name, entry in form.parts.items():
        compared = part_conflicts.Comparison(entry, current.parts[name], wanted[name])
        taken_over += compared.taken_over
        conflicts += compared.conflicts
        mine[name] = compared.wanted
    hidden = [*current.hidden, (MINE, seal(f"{form.kind} as changed", mine))]
    return {
        "taken_over": taken_over,
        "conflicts": conflicts,
        "form": SimpleNamespace(hidden=hidden),
    }
