"""How a program gets a token: device login with its approval page, or a password (contract §12)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from marshmallow import EXCLUDE, ValidationError, fields
from werkzeug.exceptions import BadRequest

from brainstem.core.forms import DO, small_form
from brainstem.core.permissions import Actor
from brainstem.core.schemas import Row, Text
from brainstem.core.times import lab_time
from brainstem.errors import SignInRequired, TooManyTries
from brainstem.records import devices, limits, tokens
from brainstem.views.api import json_object
from brainstem.views.methods import at

bp = Blueprint("device", __name__)


class SignIn(Row):
    """What the older client sends; what else it sends is of no interest."""

    class Meta(Row.Meta):
        unknown = EXCLUDE

    username = Text(required=True)
    password = fields.String(required=True)


@at(bp, "/api/auth/device/", "POST")
def start() -> Response:
    """Begin a device login."""
    data = devices.Start().load(json_object())
    login, device_code = devices.start(data["client_name"], request.remote_addr)
    page = url_for("device.authorize", _external=True)
    return jsonify(
        session_id=str(login.id),
        device_code=device_code,
        user_code=login.user_code,
        verification_uri=page,
        verification_uri_complete=f"{page}?user_code={login.user_code}",
        interval=int(devices.INTERVAL.total_seconds()),
        expires_in=int(devices.VALID.total_seconds()),
    )


@at(bp, "/api/auth/device/token/", "POST")
def poll() -> Response:
    """How a device login stands: always 200, since a client gives up on anything else."""
    return jsonify(devices.poll(devices.Poll().load(json_object())["device_code"]))


@at(bp, "/api/token/", "POST")
def by_password() -> Response:
    """A token for a password, for the older client."""
    data = SignIn().load(json_object())
    user = limits.by_password(data["username"], data["password"], request.remote_addr)
    if user is None:
        raise SignInRequired("The email address or the password is wrong.")
    _, secret = tokens.issue(user.id, "Signed in with the password", how="for the password")
    return jsonify(token=secret)


@bp.route("/account/authorize/", methods=["GET", "POST"])
@login_required
def authorize() -> Any:
    """Show which program waits with a code, and take the user's word; then say what was done."""
    typed = request.values.get("user_code", "")
    if not typed:
        return render_template("authorize.html", form=small_form(devices.Code)())
    actor = Actor(current_user.id, way="page")
    try:
        login = devices.asked(actor, typed, request.remote_addr)
    except ValidationError as error:
        return _again(typed, error.normalized_messages(), 400)
    except TooManyTries as error:
        headers = {"Retry-After": str(error.seconds)}
        return _again(typed, {"_schema": [str(error)]}, error.status, headers)
    if request.method != "POST":
        return _page(login)
    if request.form.get(DO) == "look":
        return redirect(url_for("device.authorize", user_code=login.user_code))
    if request.form.get(DO) not in ("approve", "deny"):
        raise BadRequest("Choose whether to approve or to deny.")
    answer = small_form(devices.Answer)(request.form).payload()
    approve = request.form[DO] == "approve"
    devices.answer(actor, login.id, approve=approve, read_only=answer["read_only"])
    return redirect(url_for("device.authorize", user_code=login.user_code))


def _page(login: devices.DeviceLogin) -> str:
    form = small_form(devices.Answer)(data={"user_code": login.user_code})
    form["user_code"].readonly = True
    asked = lab_time(login.created_date)
    return render_template(
        "authorize.html",
        form=form,
        login=login,
        mine=login.user_id == current_user.id,
        asked={"text": f"{asked:%Y-%m-%d %H:%M}", "iso": asked.isoformat(timespec="seconds")},
    )


def _again(
    typed: str, errors: dict[str, Any], status: int, headers: dict[str, str] | None = None
) -> tuple[str, int, dict[str, str]]:
    """The form for a code once more, with what was typed."""
    form = small_form(devices.Code)(data={"user_code": typed})
    form_error = form.place(errors)
    page = render_template("authorize.html", form=form, summary=form.summary, form_error=form_error)
    return page, status, headers or {}
