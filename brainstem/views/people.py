"""People: who holds which role on a record, and the users of this program."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, operations, people, references
from brainstem.core.forms import SchemaForm, small_form
from brainstem.core.people import Standing
from brainstem.core.permissions import Actor, Right, Role, may
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Flag, People, texts_in
from brainstem.core.times import lab_time
from brainstem.errors import Changed, Forbidden
from brainstem.records import groups, limits, users
from brainstem.views import show
from brainstem.views.account import admit
from brainstem.views.lists import pager
from brainstem.views.pages import address_of, kind_at, page_actor, title_of

bp = Blueprint("people", __name__)

#: The kinds on whose records people hold roles.
KIND = address_of([kind for kind in registry if kind.page and kind.roles is not None])


# Who holds which role on a record ------------------------------------------------------------------


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
    parts = []
    for name, each in about.items():
        rows = (
            [_person(resource, standing) for standing in standings]
            if each.kind == "user"
            else [_group(resource, *held) for held in view.refs[name].items()]
        )
        roles = [Role.MEMBER, *(role for _, role in each.rights)]
        offered = [role for role in roles if owns or role < Role.MANAGER]
        for row in rows:
            row["errors"] = asked.at(name, row["name"])
            row["changeable"] = manages and row["role"] in offered
            chosen = asked.role if row["errors"] and asked.role else _word(row["role"])
            row["options"] = _options(offered, chosen)
        held = view.refs[name]
        parts.append(
            {
                "name": name,
                "kind": each.kind,
                "rows": rows,
                "add": {
                    "value": asked.name if asked.at(name, None) else "",
                    "errors": asked.at(name, None),
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
        manages=manages,
        owns=owns,
        version=record.version,
        roles=_explained(resource),
        leave_url=url_for("people.leave", **request.view_args),
    )


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


# The users of this program ------------------------------------------------------------------------


class AddUser(users.NewUser):
    """The form that an administrator fills in for somebody new."""

    is_admin = Flag(
        load_default=False,
        metadata={"label": "Administrator", "help": "Manages users and all groups, too."},
    )

    class Meta(users.NewUser.Meta):
        fields = (*users.NewUser.Meta.fields, "is_admin")


@bp.get("/people/")
@login_required
def index() -> str:
    """Everybody who uses this program."""
    resource = registry.get("user")
    asked = MultiDict([("limit", "100"), ("page", request.args.get("page", "1"))])
    page = finding.find(page_actor(resource), resource, asked)
    in_groups = groups.by_user(page_actor(registry.get("group")))
    rows = [_user_row(view.record, in_groups) for view in page.views]
    return render_template("people/list.html", users=rows, pager=pager(page))


def _user_row(user: users.User, in_groups: dict[uuid.UUID, list[tuple[uuid.UUID, str]]]) -> Any:
    return {
        "name": user.name,
        "email": user.email,
        "groups": [
            {"text": name, "url": show.url_of(registry.get("group"), group)}
            for group, name in in_groups.get(user.id, ())
        ],
        "is_admin": user.is_admin,
        "is_active": user.is_active,
        "last_sign_in": user.last_sign_in and f"{lab_time(user.last_sign_in):%Y-%m-%d %H:%M}",
        "url": url_for("people.user", user_id=user.id) if current_user.is_admin else "",
    }


@bp.route("/people/new", methods=["GET", "POST"])
@login_required
def new() -> Any:
    """A form for a new user."""
    actor = Actor(current_user.id, way="page")
    users.require_administrator(actor)
    form = small_form(AddUser)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return render_template("people/new.html", form=form)
    payload = form.payload()
    try:
        user = users.admit(actor, payload, is_admin=payload.pop("is_admin"))
    except ValidationError as error:
        return _again("people/new.html", form, error)
    flash(f"{user.name} can sign in now. Tell them the password in person.", "success")
    return redirect(url_for("people.index"))


@bp.get("/people/<uuid:user_id>")
@login_required
def user(user_id: uuid.UUID) -> str:
    """One user, for administrators."""
    return _user_page(user_id, small_form(users.NewPassword)())


def _user_page(user_id: uuid.UUID, form: SchemaForm, **more: Any) -> str:
    users.require_administrator(Actor(current_user.id, way="page"))
    resource = registry.get("user")
    view = finding.get(page_actor(resource), resource, user_id)
    in_groups = groups.by_user(page_actor(registry.get("group")))
    return render_template(
        "people/user.html",
        user=_user_row(view.record, in_groups),
        user_id=user_id,
        form=form,
        **more,
    )


@bp.post("/people/<uuid:user_id>/standing")
@login_required
def standing(user_id: uuid.UUID) -> Any:
    """Make somebody an administrator or none, or let her sign in or not."""
    actor = Actor(current_user.id, way="page")
    given = {name: request.form[name] == "true" for name in STANDING if name in request.form}
    try:
        user = users.set_standing(actor, user_id, **given)
    except ValidationError as error:
        form = small_form(users.NewPassword)()
        return _user_page(user_id, form, form_error=" ".join(texts_in(error.messages))), 400
    flash(" ".join(f"{user.name} {STANDING[name][on]}." for name, on in given.items()), "success")
    still = current_user.id != user_id or (user.is_admin and user.is_active)
    return redirect(url_for("people.user", user_id=user_id) if still else url_for("people.index"))


#: What is said when somebody's standing is taken away, and when it is given.
STANDING = {
    "is_admin": ("is no administrator any more", "is an administrator now"),
    "is_active": ("can’t sign in any more", "can sign in again"),
}


@bp.post("/people/<uuid:user_id>/password")
@login_required
def password(user_id: uuid.UUID) -> Any:
    """Give somebody a new password."""
    form = small_form(users.NewPassword)(request.form)
    try:
        user = users.set_password(Actor(current_user.id, way="page"), user_id, form.payload())
    except ValidationError as error:
        form.place(error.normalized_messages())
        return _user_page(user_id, form, summary=form.summary), 400
    flash(f"{user.name} has a new password. Tell them in person.", "success")
    return redirect(url_for("people.user", user_id=user_id))


@bp.route("/account/password/", methods=["GET", "POST"])
@login_required
def own_password() -> Any:
    """Change one's own password; whoever finds a computer signed in can't."""
    form = small_form(users.OwnPassword)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return render_template("people/password.html", form=form)
    actor = Actor(current_user.id, way="page")
    try:
        user = limits.change_password(
            actor, form.payload(), current_user.email, request.remote_addr
        )
    except ValidationError as error:
        return _again("people/password.html", form, error)
    admit(user, kept=current_user.sign_in.kept)
    flash(
        "You have a new password. Wherever else you were signed in, you no longer are.", "success"
    )
    return redirect(url_for("account.own"))


def _again(template: str, form: SchemaForm, error: ValidationError) -> tuple[str, int]:
    """The form once more, with its messages and all that was typed."""
    form_error = form.place(error.normalized_messages())
    return render_template(template, form=form, summary=form.summary, form_error=form_error), 400
