"""Signing in and out, the first start, and personal tokens."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user, login_required, login_user, logout_user
from marshmallow import ValidationError

from brainstem.core.forms import SchemaForm, small_form
from brainstem.core.permissions import Actor
from brainstem.core.schemas import Flag, Row, Text
from brainstem.core.times import lab_time
from brainstem.errors import TooManyTries
from brainstem.records import limits, sign_ins, tokens, users

bp = Blueprint("account", __name__)


class SignIn(Row):
    """The sign-in form; what is in it is judged as one."""

    email = Text(required=True, metadata={"type": "email", "autocomplete": "username"})
    password = Text(
        required=True, exact=True, metadata={"password": True, "autocomplete": "current-password"}
    )
    remember = Flag(load_default=False, metadata={"label": "Stay signed in on this computer"})


class FirstUser(users.NewUser):
    """The set-up form."""

    code = Text(
        required=True,
        metadata={
            "label": "Set-up code",
            "help": "The server printed it when it started.",
            "autocomplete": "one-time-code",
        },
    )

    class Meta(Row.Meta):
        fields = ("code", "email", "first_name", "last_name", "password")


@bp.route("/login", methods=["GET", "POST"])
def login() -> Any:
    """Sign in."""
    if current_user.is_authenticated:
        return redirect(_back())
    if users.open_setup_code():
        return redirect(url_for("account.setup"))
    form = small_form(SignIn)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return render_template("login.html", form=form)
    try:
        enter(form)
    except TooManyTries as error:
        return _wait("login.html", form, error)
    except ValidationError as error:
        return _again("login.html", form, error.normalized_messages())
    return redirect(_back())


def enter(form: SchemaForm) -> users.User:
    """Sign in with what was typed; `ValidationError` or `TooManyTries` where that fails."""
    payload = form.payload()
    if errors := SignIn().validate(payload):
        raise ValidationError(errors)
    user = limits.by_password(payload["email"], payload["password"], request.remote_addr)
    if user is None:
        raise ValidationError({"password": ["The email address or the password is wrong."]})
    admit(user, kept=payload["remember"])
    return user


def admit(user: users.User, *, kept: bool = False) -> None:
    """Sign in somebody who has proved who she is."""
    # Nothing of an earlier sign-in stays, nor a token that was made for this answer already.
    session.clear()
    g.pop("csrf_token", None)
    signed_in = sign_ins.begin(user, kept=kept, browser=browser(request.user_agent.string))
    lasting = timedelta(days=current_app.config["SIGN_IN_DAYS"])
    login_user(signed_in, remember=kept, duration=lasting)


def _back() -> str:
    """Where the user wanted to go; never to another site."""
    target = request.args.get("next", "")
    if re.search(r"[\x00-\x20\\]", target):
        return url_for("home.dashboard")
    try:
        parts = urlsplit(target)
    except ValueError:
        return url_for("home.dashboard")
    inside = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if inside and not (parts.scheme or parts.netloc) else url_for("home.dashboard")


@bp.post("/logout")
def logout() -> Response:
    """Sign out."""
    if current_user.is_authenticated:
        sign_ins.end(Actor(current_user.id, way="page"), current_user.sign_in_id)
    session.clear()
    # After that: it leaves word in there that the cookie which keeps one signed in shall go.
    logout_user()
    flash("You are signed out.", "success")
    return redirect(url_for("account.login"))


@bp.route("/setup", methods=["GET", "POST"])
def setup() -> Any:
    """Make the first user, who shows the one-time code that the server printed."""
    if users.open_setup_code() is None:
        return redirect(url_for("account.login"))
    form = small_form(FirstUser)(request.form if request.method == "POST" else None)
    if request.method != "POST":
        return render_template("setup.html", form=form)
    payload = form.payload()
    try:
        user = limits.first_user(payload, payload.pop("code"), request.remote_addr)
    except TooManyTries as error:
        return _wait("setup.html", form, error)
    except ValidationError as error:
        return _again("setup.html", form, error.normalized_messages())
    admit(user)
    flash(f"Welcome, {user.name}. You are the administrator.", "success")
    return redirect(url_for("home.dashboard"))


@bp.get("/account/")
@login_required
def own() -> str:
    """Where the user is signed in, and the ways to what else concerns her alone."""
    here = current_user.sign_in_id
    rows = [
        {
            "here": each.sign_in_id == here,
            "browser": each.browser or "A browser",
            "since": f"{lab_time(each.created_date):%Y-%m-%d %H:%M}",
            "last_used": f"{lab_time(each.last_used):%Y-%m-%d %H:%M}",
            "until": f"{lab_time(each.expires):%Y-%m-%d %H:%M}",
            "end_url": url_for("account.end", sign_in_id=each.sign_in_id),
        }
        for each in sign_ins.of_user(current_user.id)
    ]
    return render_template("account.html", sign_ins=rows)


@bp.post("/account/sign-ins/<uuid:sign_in_id>/end")
@login_required
def end(sign_in_id: uuid.UUID) -> Response:
    """Sign out in another browser."""
    sign_ins.end(Actor(current_user.id, way="page"), sign_in_id)
    flash("You are signed out there.", "success")
    return redirect(url_for("account.own"))


@bp.post("/account/sign-ins/end-others")
@login_required
def end_others() -> Response:
    """Sign out everywhere else."""
    sign_ins.end_others(Actor(current_user.id, way="page"), current_user.sign_in_id)
    flash("You are signed out everywhere but here.", "success")
    return redirect(url_for("account.own"))


#: What browsers call themselves, and systems; most name others beside, which come later here.
BROWSERS = ("Edg", "OPR", "Firefox", "Chrome", "Safari")
SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "CrOS", "Linux")
NAMES = {"Edg": "Edge", "OPR": "Opera", "Macintosh": "a Mac", "CrOS": "ChromeOS"}


def browser(user_agent: str) -> str:
    """A browser's name as people know it: “Firefox on Linux”; `""` for something else."""
    which, where = (
        next((NAMES.get(each, each) for each in known if each in user_agent), "")
        for known in (BROWSERS, SYSTEMS)
    )
    return f"{which} on {where}" if which and where else which


@bp.route("/account/tokens/", methods=["GET", "POST"])
@login_required
def token_list() -> Any:
    """The user's tokens; a new one is shown on the page that follows, once."""
    form = small_form(tokens.NewToken)(request.form if request.method == "POST" else None)
    actor = Actor(current_user.id, way="page")
    new_token, status = None, 200
    if request.method == "POST":
        try:
            _, new_token = tokens.add_token(actor, form.payload())
            form = small_form(tokens.NewToken)()
        except ValidationError as error:
            form.place(error.normalized_messages())
            status = 400
    rows = [
        {
            "name": token.name,
            "access": "Read only" if token.read_only else "Read and write",
            "created": f"{lab_time(token.created_date):%Y-%m-%d}",
            "last_used": token.last_used and f"{lab_time(token.last_used):%Y-%m-%d %H:%M}",
            "expires": f"{lab_time(token.expires):%Y-%m-%d}",
            "expired": token.expired,
            "revoke_url": url_for("account.revoke", token_id=token.id),
        }
        for token in tokens.tokens_of(actor)
    ]
    page = render_template(
        "tokens.html", form=form, tokens=rows, new_token=new_token, summary=form.summary
    )
    return page, status


@bp.post("/account/tokens/<uuid:token_id>/revoke")
@login_required
def revoke(token_id: uuid.UUID) -> Response:
    """Revoke a token."""
    tokens.revoke(Actor(current_user.id, way="page"), token_id)
    flash("The token is revoked.", "success")
    return redirect(url_for("account.token_list"))


def _again(template: str, form: SchemaForm, errors: dict[str, Any]) -> tuple[str, int]:
    """The form once more, with its messages and all that was typed."""
    form_error = form.place(errors)
    return render_template(template, form=form, summary=form.summary, form_error=form_error), 400


def _wait(template: str, form: SchemaForm, error: TooManyTries) -> tuple[str, int, dict[str, str]]:
    """The form once more: nothing of it was looked at."""
    page, _ = _again(template, form, {"_schema": [str(error)]})
    return page, error.status, {"Retry-After": str(error.seconds)}
