"""People: who holds which role on a record."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from marshmallow import ValidationError

from brainstem.core import finding, operations, people, references
from brainstem.core.people import Standing
from brainstem.core.permissions import Actor, Right, Role, may
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, texts_in
from brainstem.errors import Changed, Forbidden
from brainstem.records import users
from brainstem.views import show
from brainstem.views.pages import address_of, kind_at, page_actor, title_of

bp = Blueprint("people", __name__)

#: The kinds on whose records people hold roles.
KIND = address_of([kind for kind in registry if kind.page and kind.roles is not None])


@dataclass
class Asked:
    """What a form on the page of a record's people asked for, and what is wrong with it."""

    field: str = ""
    name: str = ""
    role: str = ""
    adding: bool = False
    errors: Sequence[str] = ()

    def at(self, field: str, name: str | None) -> Sequence[str]:
        """What is wrong at a row; at the line to add one, where the name is None."""
        here = field == self.field and (self.adding if name is None else name == self.name)
        return self.errors if here and self.adding == (name is None) else ()


@bp.route(f"/{KIND}/<uuid:record_id>/people", methods=["GET", "POST"])
@login_required
def of_record(kind: str, record_id: uuid.UUID) -> Any:
    """Who may do what with a record and why; for who may say so, the way to change it."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    view = finding.get(actor, resource, record_id)
    if request.method != "POST":
        return _page(actor, resource, view, Asked())
    asked = _asked(view)
    try:
        payload = _payload(resource, asked, view)
        version = request.form.get("version")
        operations.alter(
            actor, resource, record_id, payload, version=lambda stored: str(stored) == version
        )
    except ValidationError as error:
        asked.errors, status = texts_in(error.normalized_messages()), 400
    except Changed:
        text = "Somebody else changed this in the meantime. Please look at it, and choose again."
        asked.errors, status = [text], 409
    except Forbidden as error:
        if not may(actor, Right.MANAGE, resource, record_id):
            raise
        asked.errors, status = [str(error)], 403
    else:
        flash(_done(asked), "success")
        if may(actor, Right.READ, resource, record_id):
            return redirect(url_for("people.of_record", kind=kind, record_id=record_id))
        return redirect(show.list_url(resource))
    # What was loaded may be older than what is stored now.
    view = finding.get(actor, resource, record_id)
    return _page(actor, resource, view, asked), status


@bp.post(f"/{KIND}/<uuid:record_id>/leave")
@login_required
def leave(kind: str, record_id: uuid.UUID) -> Any:
    """Give up one's own role."""
    resource = kind_at(kind)
    actor = page_actor(resource)
    view = finding.get(actor, resource, record_id)
    try:
        operations.leave(actor, resource, record_id)
    except ValidationError as error:
        asked = Asked("users", current_user.email, errors=texts_in(error.normalized_messages()))
        return _page(actor, resource, view, asked), 400
    flash(f"You have left “{title_of(resource, view)}”.", "success")
    if may(actor, Right.READ, resource, record_id):
        return redirect(show.url_of(resource, record_id))
    return redirect(show.list_url(resource))


def _asked(view: references.View) -> Asked:
    form = request.form
    name = form.get("name", "").strip()
    return Asked(
        form.get("field", ""),
        name.lower() if form.get("field") == "users" else name,
        "" if form.get("do") == "remove" else form.get("role", ""),
        adding=form.get("do") == "add",
    )


def _payload(resource: Resource, asked: Asked, view: references.View) -> dict[str, Any]:
    """The change that a script would send."""
    about = _fields(resource).get(asked.field)
    if about is None or not asked.name:
        raise ValidationError("Say who.")
    if asked.adding and asked.name in view.refs[asked.field]:
        raise ValidationError("Has a role already: change it in the list.")
    if not asked.role:
        return {asked.field: {asked.name: {"remove": True}}}
    rights = {role.name.lower(): right for right, role in about.rights}
    given = {rights[asked.role]: True} if asked.role in rights else {}
    return {asked.field: {asked.name: given}}


def _done(asked: Asked) -> str:
    return f"{asked.name} is now {asked.role}." if asked.role else f"{asked.name} is removed."


def _fields(resource: Resource) -> dict[str, People]:
    declared = resource.schema._declared_fields.items()
    return {name: each for name, each in declared if isinstance(each, People)}


def _page(actor: Actor, resource: Resource, view: references.View, asked: Asked) -> str:
    record = view.record
    manages = may(actor, Right.MANAGE, resource, record.id)
    owns = may(actor, Right.OWN, resource, record.id)
    standings = people.standings(actor, resource, record.id)
    about = _fields(resource)
    parts, summary = [], []
    for name, each in about.items():
        rows = (
            [_person(resource, standing) for standing in standings]
            if each.kind == "user"
            else [_group(resource, *held) for held in view.refs[name].items()]
        )
        roles = [Role.MEMBER, *(role for _, role in each.rights)]
        offered = [role for role in roles if owns or role < Role.MANAGER]
        for number, row in enumerate(rows, 1):
            row["id"] = f"{name}-{number}"
            row["errors"] = asked.at(name, row["name"])
            row["changeable"] = manages and row["role"] in offered
            chosen = asked.role if row["errors"] and asked.role else _word(row["role"])
            row["options"] = _options(offered, chosen)
            place = row["id"] if row["changeable"] else f"{row['id']}-error"
            summary += _summed_up(place, f"Role of {row['title']}", row["errors"])
        adding, label = asked.at(name, None), ADDED[each.kind]
        summary += _summed_up(f"{name}-new", label, adding)
        held = view.refs[name]
        parts.append(
            {
                "name": name,
                "kind": each.kind,
                "rows": rows,
                "add": {
                    "label": label,
                    "value": asked.name if adding else "",
                    "errors": adding,
                    "options": _options(offered, asked.role),
                    "suggestions": [
                        each for each in _known(actor, each.kind) if each[0] not in held
                    ],
                },
            }
        )
    return render_template(
        "people/of_record.html",
        resource=resource,
        title=title_of(resource, view),
        back={"text": title_of(resource, view), "url": show.url_of(resource, record.id)},
        parts=parts,
        summary=summary,
        # What is wrong at a row that is no longer there, say.
        form_error="" if summary else " ".join(asked.errors),
        manages=manages,
        owns=owns,
        version=record.version,
        roles=_explained(resource),
        leave_url=url_for("people.leave", **request.view_args),
    )


#: What the field is called in which somebody types whom to add.
ADDED = {"user": "Email of a person to add", "group": "Name of a group to add"}


def _summed_up(place: str, label: str, errors: Sequence[str]) -> list[dict[str, str]]:
    """The line of the summary at the top, where something is wrong."""
    return [{"href": f"#{place}", "text": f"{label}: {' '.join(errors)}"}] if errors else []


def _word(role: Role | None) -> str:
    return role.name.lower() if role else ""


def _options(roles: list[Role], chosen: str) -> list[tuple[str, str, bool]]:
    return [(_word(role), _word(role).capitalize(), _word(role) == chosen) for role in roles]


def _known(actor: Actor, kind: str) -> list[tuple[str, str]]:
    """Who may be meant: what to type, and a name to know somebody by."""
    resource = registry.get(kind)
    if resource.model is users.User:
        return [(user.email, user.name) for user in users.everybody()]
    return [(name, "") for name in finding.named(actor, resource).values()]


def _may(resource: Resource, role: Role) -> str:
    """What a role lets somebody do, at the most."""
    lesser = "members and contributors" if "groups" in _fields(resource) else "members"
    return {
        Role.MEMBER: resource.reading,
        Role.CONTRIBUTOR: resource.using,
        Role.MANAGER: f"also add and remove {lesser}",
        Role.OWNER: "do everything with it",
    }[role]


def _explained(resource: Resource) -> list[dict[str, str]]:
    """The roles that there are, and what each adds to the one before."""
    rights = next(iter(_fields(resource).values())).rights
    roles = [Role.MEMBER, *(role for _, role in rights)]
    return [{"name": _word(each).capitalize(), "text": _may(resource, each)} for each in roles]


def _person(resource: Resource, standing: Standing) -> dict[str, Any]:
    """A row of the page: "may change what is in it: contributor, directly; member through Neuro"."""
    why = [f"{_word(standing.direct)}, directly"] if standing.direct else []
    why += [f"{_word(role)} through the group {group}" for group, role in standing.through]
    user = standing.user
    return {
        "name": user.email,
        "title": user.name,
        "more": user.email if user.name != user.email else "",
        "why": f"may {_may(resource, standing.role)}: {'; '.join(why)}",
        "role": standing.direct,
        "is_me": user.id == current_user.id and standing.direct is not None,
        "note": "" if user.is_active else "Can’t sign in any more.",
    }


def _group(resource: Resource, name: str, role: Role) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "more": "",
        "why": f"everybody in it may {_may(resource, role)}: {_word(role)}",
        "role": role,
        "is_me": False,
        "note": "",
    }
