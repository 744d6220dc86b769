"""The users of this program: everybody, one of them, and one's own password."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict

from brainstem.core import finding
from brainstem.core.forms import SchemaForm, small_form
from brainstem.core.resource import registry
from brainstem.core.schemas import Flag, texts_in
from brainstem.core.times import lab_time
from brainstem.records import groups, limits, users
from brainstem.views import show
from brainstem.views.account import admit
from brainstem.views.lists import pager
from brainstem.views.pages import page_actor

bp = Blueprint("users", __name__)


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
    return render_template("users/list.html", users=rows, pager=pager(page))


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
        "url": url_for("users.user", user_id=user.id) if current_user.is_admin else "",
    }


@bp.route("/people/new", methods=["GET", "POST"])
@login_required
def new() -> Any:
    """A form for a new user."""
    actor = page_actor()
    users.require_administrator(actor)
    form = small_form(AddUser)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return render_template("users/new.html", form=form)
    payload = form.payload()
    try:
        user = users.admit(actor, payload, is_admin=payload.pop("is_admin"))
    except ValidationError as error:
        return _again("users/new.html", form, error)
    flash(f"{user.name} can sign in now. Tell them the password in person.", "success")
    return redirect(url_for("users.index"))


@bp.get("/people/<uuid:user_id>")
@login_required
def user(user_id: uuid.UUID) -> str:
    """One user, for administrators."""
    return _user_page(user_id, small_form(users.NewPassword)())


def _user_page(user_id: uuid.UUID, form: SchemaForm, **more: Any) -> str:
    users.require_administrator(page_actor())
    resource = registry.get("user")
    view = finding.get(page_actor(resource), resource, user_id)
    in_groups = groups.by_user(page_actor(registry.get("group")))
    return render_template(
        "users/user.html",
        user=_user_row(view.record, in_groups),
        user_id=user_id,
        form=form,
        **more,
    )


@bp.post("/people/<uuid:user_id>/standing")
@login_required
def standing(user_id: uuid.UUID) -> Any:
    """Make somebody an administrator or none, or let her sign in or not."""
    actor = page_actor()
    given = {name: request.form[name] == "true" for name in STANDING if name in request.form}
    try:
        user = users.set_standing(actor, user_id, **given)
    except ValidationError as error:
        form = small_form(users.NewPassword)()
        return _user_page(user_id, form, form_error=" ".join(texts_in(error.messages))), 400
    flash(" ".join(f"{user.name} {STANDING[name][on]}." for name, on in given.items()), "success")
    still = current_user.id != user_id or (user.is_admin and user.is_active)
    return redirect(url_for("users.user", user_id=user_id) if still else url_for("users.index"))


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
        user = users.set_password(page_actor(), user_id, form.payload())
    except ValidationError as error:
        form.place(error.normalized_messages())
        return _user_page(user_id, form, summary=form.summary), 400
    flash(f"{user.name} has a new password. Tell them in person.", "success")
    return redirect(url_for("users.user", user_id=user_id))


@bp.route("/account/password/", methods=["GET", "POST"])
@login_required
def own_password() -> Any:
    """Change one's own password; whoever finds a computer signed in can't."""
    form = small_form(users.OwnPassword)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return render_template("users/password.html", form=form)
    actor = page_actor()
    try:
        user = limits.change_password(
            actor, form.payload(), current_user.email, request.remote_addr
        )
    except ValidationError as error:
        return _again("users/password.html", form, error)
    admit(user, kept=current_user.kept)
    flash(
        "You have a new password. Wherever else you were signed in, you no longer are.", "success"
    )
    return redirect(url_for("account.own"))


def _again(template: str, form: SchemaForm, error: ValidationError) -> tuple[str, int]:
    """The form once more, with its messages and all that was typed."""
    form_error = form.place(error.normalized_messages())
    return render_template(template, form=form, summary=form.summary, form_error=form_error), 400
