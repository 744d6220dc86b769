"""A form that is sent after its sign-in has ended is not lost.

Without scripts, the page that asks to sign in carries along everything that was sent, as hidden fields,
and posts it with the email address and the password to the form's own address. There the form is drawn
again with all of it, and nothing is stored until it is saved again. No address is taken from what was
sent, so there is nowhere else to be led to. With scripts, `static/sign_in_again.js` asks here before
it sends a form, and signs in without leaving the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user
from flask_wtf.csrf import CSRFError, generate_csrf
from marshmallow import ValidationError

from brainstem.core.forms import DO, SchemaForm, small_form
from brainstem.errors import TooManyTries, answer, wants_json
from brainstem.extensions import login_manager
from brainstem.records import users
from brainstem.views.account import SignIn, enter

bp = Blueprint("sign_in_again", __name__)

#: What the names of the sign-in's own fields start with, beside those of the form that is carried along.
PREFIX = "_sign_in-"
#: The hidden field of a form with the id of the user who opened it.
BY = "_by"
#: The button inside a form that only draws it again.
AGAIN = "again"
#: The hidden field that names the browser's own copy of unsaved work, and its time (static/drafts.js).
DRAFT = "_draft"
#: Where the sign-in's cookie keeps which of them was saved last, for the next pages to say.
SAVED = "saved_draft"
#: What signing in adds to a form that is carried along, at most. In bytes.
ROOM = 8 * 1024


def drawn_again(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose POST with a `_do` draws the form again with all that was sent, and stores nothing."""
    view.drawn_again = True
    return view


def init_app(app: Flask) -> None:
    """Take care of every form that comes without a valid sign-in."""
    app.register_error_handler(CSRFError, token_refused)
    app.before_request(sign_in_with_form)
    app.after_request(note_what_was_saved)
    app.add_template_global(saved_draft)
    login_manager.unauthorized_handler(sign_in_first)


def sign_in_first() -> Any:
    """To the sign-in page and back; to the set-up page while there is nobody to sign in."""
    if users.open_setup_code():
        return redirect(url_for("account.setup"))
    if can_carry():
        return ask()
    target = request.full_path.rstrip("?") if request.method != "POST" else None
    return redirect(url_for("account.login", next=target if target != "/" else None))


def token_refused(error: CSRFError) -> Any:
    """400: a form, or a request that a cookie signs, without the token of this sign-in."""
    if wants_json():
        return answer(400, f"{error.description} Send it as X-CSRFToken, or use an access token.")
    if can_carry():
        return ask()
    return answer(
        400,
        "Nothing was stored: your sign-in has ended or changed since this page was opened. "
        "Go back: what you typed is still there to copy. Then sign in and open the page anew.",
    )


def can_carry() -> bool:
    """Whether this request is a form of ours that can be drawn again."""
    view = current_app.view_functions.get(request.endpoint or "")
    return (
        request.method == "POST"
        and getattr(view, "drawn_again", False)
        and (request.content_length or 0) + ROOM <= current_app.config["MAX_CONTENT_LENGTH"]
        and not from_elsewhere()
        and not request.files
    )


def from_elsewhere() -> bool:
    """Whether a page of another site sent this request, as far as the browser says."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site != "same-origin"
    origin = request.headers.get("Origin")
    return origin is not None and urlsplit(origin).netloc != request.host


def ask(form: SchemaForm | None = None, form_error: str = "", status: int = 400) -> Any:
    """The page that carries the form along; whoever is signed in by now need not sign in once more."""
    if form is None and not current_user.is_authenticated:
        form = small_form(SignIn)(prefix=PREFIX)
    page = render_template(
        "sign_in_again.html",
        kept=kept(),
        form=form,
        summary=form.summary if form else [],
        form_error=form_error,
    )
    return page, status


def kept() -> list[tuple[str, str]]:
    """What was sent, less what belongs to the sign-in; it only draws the form again."""
    sent = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and not name.startswith(PREFIX)
    ]
    return sent if DO in request.form else [*sent, (DO, AGAIN)]


def sign_in_with_form() -> Any:
    """Sign in with the fields that `ask` added to a form; then the form is drawn again as ever."""
    if not can_carry() or f"{PREFIX}email" not in request.form or current_user.is_authenticated:
        return None
    form = small_form(SignIn)(request.form, prefix=PREFIX)
    try:
        user = enter(form)
    except TooManyTries as error:
        page, _ = ask(form, str(error))
        return page, error.status, {"Retry-After": str(error.seconds)}
    except ValidationError as error:
        form_error = form.place(error.normalized_messages())
        return ask(form, form_error)
    if request.form.get(BY, str(user.id)) == str(user.id):
        flash("You are signed in again. Nothing is saved yet: look it over, then save.", "success")
    else:
        flash(
            f"You are signed in as {user.name}, and this form was filled in by somebody else. "
            "Nothing is saved yet.",
            "warning",
        )
    return None


def note_what_was_saved(response: Response) -> Response:
    """A form that leads on to another page was saved: the browser need not keep a copy of it."""
    if request.method == "POST" and response.status_code in (302, 303):
        draft = request.form.get(DRAFT, "")
        if re.fullmatch(r"[\w-]{1,64}", draft, re.ASCII):
            session[SAVED] = draft
    return response


def saved_draft() -> str:
    """Which draft the browser need not keep any more."""
    return session.get(SAVED, "")


@bp.get("/sign-in-again")
def standing() -> Response:
    """Who is signed in, and the token that a form of hers needs."""
    return told()


@bp.post("/sign-in-again")
def sign_in() -> Any:
    """Sign in from within a page; the page stays as it is."""
    form = small_form(SignIn)(request.form)
    try:
        enter(form)
    except TooManyTries as error:
        return {"detail": str(error)}, error.status, {"Retry-After": str(error.seconds)}
    except ValidationError as error:
        return error.normalized_messages(), 400
    return told()


def told() -> Response:
    user = None
    if current_user.is_authenticated:
        user = {"id": str(current_user.id), "name": current_user.name}
    return jsonify(user=user, csrf_token=generate_csrf())
