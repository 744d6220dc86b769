"""The API for those who come to look: its reference, its OpenAPI document, and readable answers.

The reference is made from the registry and holds no data, so it is open to anyone. Scripts that ask
for its pages get what stands on them as JSON.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from werkzeug.http import HTTP_STATUS_CODES

from brainstem.core import openapi
from brainstem.core.conditions import OPERATORS, SPECIAL
from brainstem.core.openapi.answers import ERRORS
from brainstem.core.query import MOST_PER_PAGE, PER_PAGE
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Ref, RefList
from brainstem.errors import NotFound, wants_json
from brainstem.views import examples, readable
from brainstem.views.described import described
from brainstem.views.methods import at

bp = Blueprint("reference", __name__)

#: What the operators of a filter ask, in words.
ASKS = {
    "": "is this",
    "gt": "is greater, or later",
    "gte": "is greater or the same",
    "lt": "is less, or earlier",
    "lte": "is less or the same",
    "iexact": "is this, in whatever case",
    "contains": "contains this",
    "icontains": "contains this, in whatever case",
    "startswith": "starts with this",
    "istartswith": "starts with this, in whatever case",
    "endswith": "ends with this",
    "iendswith": "ends with this, in whatever case",
    "in": "is one of these, with commas between them",
    "isnull": "is empty (true), or is not (false)",
}


def prefers_html() -> bool:
    """Whether a person asks, in a browser: one that takes anything gets JSON (contract §10)."""
    if "text/" not in request.headers.get("Accept", "").lower():
        return False  # a script's, understood in a tenth of the time
    accepted = request.accept_mimetypes
    return accepted.quality("text/html") > accepted.quality("application/json")


@at(bp, "/api/openapi.json", "GET", "HEAD")
def document() -> Response:
    """The OpenAPI document, with the address that the reader came by."""
    whole = openapi.document()
    return jsonify(
        {
            "openapi": whole["openapi"],
            "info": whole["info"],
            "servers": [{"url": request.url_root.rstrip("/")}],
            **whole,
        }
    )


@at(bp, "/api/", "GET", "HEAD")
def index() -> Any:
    """The reference's first page."""
    if not prefers_html() or request.args.get("format") == "json":
        return jsonify(openapi=url_for("reference.document", _external=True), **_addresses())
    apps: dict[str, list[Resource]] = {}
    for kind in registry:
        apps.setdefault(kind.app, []).append(kind)
    return render_template(
        "reference/index.html",
        apps=dict(sorted(apps.items(), key=lambda each: -len(each[1]))),
        about=openapi.about,
        languages=examples.LANGUAGES,
        connect=examples.connecting(request.url_root),
        operators=_operators(),
        errors=[
            {"status": status, "name": HTTP_STATUS_CODES[status], "text": text}
            for status, (_, text, _) in ERRORS.items()
        ],
        per_page=PER_PAGE,
        most_per_page=MOST_PER_PAGE,
    )


@at(bp, "/api/reference/<app>/<name>/", "GET", "HEAD")
def kind(app: str, name: str) -> Any:
    """What there is to know of one kind."""
    resource = registry.at(app, name)
    if resource is None:
        raise NotFound("There is no such kind of record.")
    found = described(resource)
    if not prefers_html() or request.args.get("format") == "json":
        return jsonify(found)
    return render_template(
        "reference/kind.html",
        kind=found,
        languages=examples.LANGUAGES,
        examples=examples.of(resource, request.url_root),
    )


def _addresses() -> dict[str, dict[str, str]]:
    """The lists, by portal and kind."""
    return {
        portal: {
            each.name: f"{request.url_root}api/{portal}/{each.app}/{each.name}/"
            for each in registry
            if portal in each.portals
        }
        for portal in ("private", "public")
    }


def _operators() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "asks": ASKS[name],
            "for_text": name in OPERATORS and OPERATORS[name].for_text,
        }
        for name in (*OPERATORS, *SPECIAL)
    ]


@bp.after_app_request
def make_readable(response: Response) -> Response:
    """An answer of the API as a page, where a browser shows it to a person; scripts get JSON.

    A failure of the program stays plain: the page asks the database who is signed in.
    """
    if not wants_json():
        return response
    if "Vary" in response.headers:
        response.vary.add("Accept")
    else:
        response.headers["Vary"] = "Accept"  # as above, in a tenth of the time
    if (
        response.mimetype != "application/json"
        or request.method not in ("GET", "HEAD")
        or request.endpoint == "reference.document"
        or "json" in request.args.getlist("format")
        or response.status_code >= 500
        or not prefers_html()
    ):
        return response
    # The version is that of the JSON: a page is another text.
    version = response.headers.pop("ETag", None)
    page = render_template("api_answer.html", **_answer(response, version))
    response.set_data(page)
    response.content_type = "text/html; charset=utf-8"
    return response


def _answer(response: Response, version: str | None) -> dict[str, Any]:
    """What the page of an answer shows."""
    value = response.get_json()
    resource, listed = _resource_here()
    good = response.status_code == 200
    spot = readable.NOWHERE
    if good and resource is not None:
        portal = (request.view_args or {})["portal"]
        spot = readable.Envelope(readable.Record(listed or resource, portal))
    args = [*request.args.items(multi=True), ("format", "json")]
    return {
        "text": readable.markup(value, spot),
        "kind": resource,
        "status": response.status_code,
        "status_name": HTTP_STATUS_CODES.get(response.status_code, ""),
        "title": _title(resource, response.status_code),
        "version": version,
        "plain_url": f"?{urlencode(args)}",
        "sign_in_url": url_for("account.login", next=request.full_path.rstrip("?"))
        if response.status_code == 401
        else "",
        "previous_url": good and value.get("previous"),
        "next_url": good and value.get("next"),
    }


def _resource_here() -> tuple[Resource | None, Resource | None]:
    """The kind that the address names, and the one that its relation lists."""
    names = request.view_args or {}
    resource = registry.at(names.get("app", ""), names.get("model", ""))
    field = resource and resource.schema._declared_fields.get(names.get("relation", ""))
    target = registry.get(field.kind) if isinstance(field, Ref | RefList) else None
    return resource, target


def _title(resource: Resource | None, status: int) -> str:
    names = request.view_args or {}
    if status != 200 or resource is None:
        return HTTP_STATUS_CODES.get(status, "Answer")
    if relation := names.get("relation"):
        return f"{resource.label}: {relation}"
    return resource.label if "record_id" in names else resource.labels
