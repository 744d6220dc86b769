"""The records that a form's fields offer: as many as a page can hold, and a search for the others."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request, url_for
from flask_login import current_user, login_required

from brainstem.core import choosing
from brainstem.core.forms import SchemaForm
from brainstem.core.forms.bulk import BulkForm
from brainstem.core.forms.entries import ChoiceEntry, Entry
from brainstem.core.forms.lists import RefsEntry, TagsEntry
from brainstem.core.forms.parts import PartsEntry
from brainstem.core.permissions import Actor, Right
from brainstem.core.resource import Resource, as_id, registry

bp = Blueprint("choices", __name__)


class Offers:
    """What one form offers; looked up once, however many fields offer the same."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.known: dict[Any, choosing.Choices] = {}

    def of(
        self, target: Resource, right: Right, parent: uuid.UUID | None = None, words: str = ""
    ) -> choosing.Choices:
        """The first choices of a kind that contain some words, or those of one parent."""
        key = (target.name, right, parent, words)
        if key not in self.known:
            found = choosing.choices(self.actor, target, right, of=parent, containing=words)
            self.known[key] = found
        return self.known[key]


def offer(actor: Actor, resource: Resource, form: SchemaForm) -> None:
    """Give the form's fields what the user may choose, or has chosen, by name."""
    offers = Offers(actor)
    refs = [field for field in form.fields if isinstance(field, RefsEntry)]
    chosen = {each.short_name: each.ids[0] for each in refs if len(each.ids) == 1}
    for field in form.fields:
        if isinstance(field, RefsEntry):
            _offer_records(offers, field, chosen)
        elif isinstance(field, TagsEntry):
            offer_tags(resource, field)
    _name_chosen(actor, refs)
    for entry in form.parts.values():
        _offer_to_parts(offers, entry, {each.resource.name for each in form.parts.values()})
    _name_chosen(actor, [each for each in _part_fields(form) if isinstance(each, RefsEntry)])
    # The parts' own names come last: they tell of what was chosen in them.
    choices = {name: entry.choices() for name, entry in form.parts.items()}
    for entry in form.parts.values():
        _offer_parts(form, entry, choices)


def _part_fields(form: SchemaForm) -> list[Entry]:
    entries = form.parts.values()
    return [each for entry in entries for row in [*entry.rows, entry.blank] for each in row.fields]


def _offer_records(offers: Offers, field: RefsEntry, chosen: dict[str, str]) -> None:
    target, right = registry.get(field.about.kind), field.about.right
    home = choosing.home_of(target)
    parent = as_id(chosen.get(home[0])) if home else None
    # The button beside a field finds the others where no script does.
    field.looked_for = _words(request.form.get(f"{field.name}__find"))
    offered = offers.of(target, right, parent, field.looked_for)
    field.names = {str(each): text for each, text in offered.names.items()}
    field.more = offered.more
    given = {home[0]: str(parent)} if parent else {}
    if target.page:
        field.new_url = url_for("forms.new", kind=target.page.strip("/"), **given)
    given = {"of": str(parent)} if parent else {}
    field.search_url = url_for("choices.find", kind=target.name, right=right.name, **given)
    field.source = f"{target.name}-{right.name.lower()}" + (f"-{parent}" if parent else "")


def offer_tags(resource: Resource, field: TagsEntry) -> None:
    """Give a field of tags the first of them, and the search for the others."""
    field.suggestions, field.more = choosing.tags(resource)
    field.search_url = url_for("choices.find_tags", kind=resource.name)


def offer_lists(actor: Actor, resource: Resource, form: BulkForm) -> None:
    """Give the form of a bulk edit what can be added to the lists of a kind."""
    offers, refs = Offers(actor), []
    for name in form.lists:
        field = form[f"add_{name}"]
        if isinstance(field, TagsEntry):
            offer_tags(resource, field)
        else:
            _offer_records(offers, field, {})
            refs.append(field)
    _name_chosen(actor, refs, by_right=True)


def _name_chosen(actor: Actor, fields: list[RefsEntry], *, by_right: bool = False) -> None:
    """Names for what is chosen and not among what is offered, of what the actor may read, or else has
    the field's right on; one select a kind."""
    wanted: dict[tuple[str, Right], set[uuid.UUID]] = {}
    for field in fields:
        more = {found for each in field.ids if each not in field.names and (found := as_id(each))}
        about = (field.about.kind, field.about.right if by_right else Right.READ)
        wanted.setdefault(about, set()).update(more)
    for (kind, right), ids in wanted.items():
        if not ids:
            continue
        names = choosing.choices(actor, registry.get(kind), right, ids=ids).names
        known = {str(each): text for each, text in names.items()}
        for field in fields:
            if field.about.kind == kind and (not by_right or field.about.right is right):
                mine = {each: known[each] for each in field.ids if each in known}
                field.names = (
                    field.names | mine if mine.keys() - field.names.keys() else field.names
                )


def _offer_to_parts(offers: Offers, entry: PartsEntry, here: set[str]) -> None:
    """As `offer`, for what parts name; the other parts of the form (`here`) are for `_offer_parts`."""
    for row in [*entry.rows, entry.blank]:
        for field in row.fields:
            if isinstance(field, RefsEntry):
                if field.about.kind not in here:
                    _offer_records(offers, field, {})
            elif isinstance(field, ChoiceEntry):
                field.source = f"{entry.name}-{field.short_name}"


def _offer_parts(form: SchemaForm, entry: PartsEntry, choices: dict[str, dict[str, str]]) -> None:
    """Let parts name other parts of the same form: those that stand in it now, new ones too."""
    kinds = {each.resource.name: each.name for each in form.parts.values()}
    for row in [*entry.rows, entry.blank]:
        for field in row.fields:
            if isinstance(field, RefsEntry) and field.about.kind in kinds:
                name = kinds[field.about.kind]
                field.kind, field.source, field.new_url = "checks", name, ""
                here = dict(choices[name])
                for part in form.parts[name].rows:
                    if part.removed and part.id not in field.ids:
                        here.pop(part.id)
                # What this form does not show stays chosen.
                away = {i: field.names[i] for i in field.ids if i not in here and i in field.names}
                field.names, field.more = here | away, False


@bp.get("/choices/<kind>")
@login_required
def find(kind: str) -> Response:
    """The records of a kind that contain the words of `q`, for a field in which somebody types."""
    target = registry.get(kind)
    right = Right.__members__.get(request.args.get("right", "READ"))
    given = request.args.get("of")
    parent = as_id(given)
    known = target is not None and hasattr(target.model, target.handle)
    if not known or right is None or (given and parent is None):
        abort(404)
    actor, words = Actor(current_user.id, way="page"), _words(request.args.get("q"))
    found = choosing.choices(actor, target, right, of=parent, containing=words)
    names = [{"value": str(each), "text": text} for each, text in found.names.items()]
    return jsonify(choices=names, more=found.more)


@bp.get("/choices/<kind>/tags")
@login_required
def find_tags(kind: str) -> Response:
    """The tags that contain `q`, for a field of a kind's form in which somebody types."""
    resource = registry.get(kind)
    if resource is None or not choosing.has_tags(resource):
        abort(404)
    found, more = choosing.tags(resource, _words(request.args.get("q")))
    return jsonify(choices=[{"value": each, "text": each} for each in found], more=more)


def _words(given: str | None) -> str:
    """What somebody looks for."""
    return (given or "").replace("\0", "")[:200]
