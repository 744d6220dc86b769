"""The JSON API: `/api/{portal}/{app}/{model}/…` for every registered kind (contract §1 to §3)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, request
from flask_login import current_user
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import MethodNotAllowed, UnsupportedMediaType

from brainstem import logs
from brainstem.core import finding, operations, query, reading, several, wire
from brainstem.core.listing import possible_columns
from brainstem.core.openapi.queries import FILES
from brainstem.core.permissions import PUBLIC, Actor
from brainstem.core.resource import Resource, as_id, registry
from brainstem.errors import Forbidden, NotFound, SignInRequired
from brainstem.extensions import csrf
from brainstem.records import tokens, users
from brainstem.views.lists import downloads
from brainstem.views.methods import READING, View, register, told

bp = Blueprint("api", __name__, url_prefix="/api")

#: What says which page of a list is meant.
OF_A_PAGE = ("limit", "per_page", "offset", "page")


def _at(address: str, *writing: str) -> Callable[[View], View]:
    """A view of one kind's records, for whoever asks: they are read, and written by these methods."""

    def registered(view: View) -> View:
        @wraps(view)
        def answer(portal: str, app: str, model: str, **rest: str) -> Response:
            resource = _kind(portal, app, model)
            only_read = portal == "public" or (resource and resource.read_only)
            methods = READING if only_read else (*READING, *writing)
            if request.method not in (*READING, *writing):
                raise MethodNotAllowed(methods)
            actor = None if request.method == "OPTIONS" else _actor(portal)
            if resource is None:
                raise NotFound("There is no such kind of record here.")
            if request.method not in methods:
                raise MethodNotAllowed(methods, "These records are only read here.")
            return view(actor, resource, **rest) if actor else told(methods)

        register(bp, address, answer)
        return answer

    return registered


@_at("/<portal>/<app>/<model>/", "POST")
def records(actor: Actor, resource: Resource) -> Response:
    """A list, or a new record; or several new ones, sent as a list."""
    if request.method == "POST":
        payload = sent_json()
        if isinstance(payload, list):
            return _several(resource, several.create(actor, resource, payload))
        made = operations.create(actor, resource, an_object(payload))
        response = _one(resource, made)
        response.status_code = 201
        response.headers["Location"] = f"{request.base_url.rstrip('/')}/{made.id}/"
        return response
    if (form := request.args.get("format")) in FILES:
        return _file(actor, resource, form)
    page = finding.find(actor, resource, request.args)
    return _list(resource.keys, page)


@_at("/<portal>/<app>/<model>/<record_id>/", "PATCH", "PUT", "DELETE")
def record(actor: Actor, resource: Resource, record_id: str) -> Response:
    """One record: read, changed, replaced or deleted."""
    found = _id(resource, record_id)
    if request.method in ("GET", "HEAD"):
        return _one(resource, finding.sent(actor, resource, found, request.args))
    if request.method == "DELETE":
        operations.delete(actor, resource, found, version=_expected_version())
        return Response(status=204)
    replace = request.method == "PUT"
    changed = operations.change(
        actor, resource, found, json_object(), replace=replace, version=_expected_version()
    )
    return _one(resource, changed)


@_at("/<portal>/<app>/<model>/<record_id>/<relation>/")
def related(actor: Actor, resource: Resource, record_id: str, relation: str) -> Response:
    """The records that a relation names."""
    found = _id(resource, record_id)
    target, page = finding.related(actor, resource, found, relation, request.args)
    return _list(target.keys if target else relation, page)


def _kind(portal: str, app: str, model: str) -> Resource | None:
    """The kind of record at an address, if there is one."""
    resource = registry.at(app, model)
    return resource if resource and portal in resource.portals | {"super"} else None


def _actor(portal: str) -> Actor:
    """Who asks."""
    if portal == "public":
        return PUBLIC
    if portal == "private":
        return _private_actor()
    if portal == "super":
        return users.as_administrator(_private_actor())
    raise NotFound("There is no such portal.")


def _private_actor() -> Actor:
    header = request.headers.get("Authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        token = tokens.valid(secret.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise SignInRequired("This token is not valid: it is wrong, revoked or expired.")
        logs.note_user(token.user_id)
        if token.read_only and request.method not in READING:
            raise Forbidden("This token is read-only: it can't change anything.")
        return Actor(token.user_id, by=token.name)
    if not current_user.is_authenticated:
        raise SignInRequired("Sign in, or send a token: Authorization: Bearer <token>.")
    if request.method not in READING:
        csrf.protect()
    return Actor(current_user.id)


def _id(resource: Resource, text: str) -> uuid.UUID:
    found = as_id(text)
    if found is None:
        raise NotFound(f"There is no such {resource.words}.")
    return found


def json_object() -> dict[str, Any]:
    """The request's JSON object."""
    return an_object(sent_json())


def an_object(payload: Any) -> dict[str, Any]:
    """What was sent, where it is an object."""
    if not isinstance(payload, dict):
        raise ValidationError("Send a JSON object.")
    return payload


def sent_json() -> Any:
    """What the request's JSON spells."""
    if not request.is_json:
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    try:
        return wire.parse(request.get_data(cache=False))
    except ValueError as error:
        raise ValidationError(f"This is not JSON: {error}.") from None


def _expected_version() -> Any:
    """What `If-Match` says of the stored version (contract §11)."""
    if not request.headers.get("If-Match"):
        return None
    return lambda version: request.if_match.contains(str(version))


def _one(resource: Resource, found: reading.Sent) -> Response:
    response = _json(f'{{"{resource.key}":{found.json}}}')
    response.set_etag(str(found.version))
    return response


def _json(text: str, status: int = 200) -> Response:
    return Response(reading.ascii_json(text), status, content_type="application/json")


def _array(records: list[reading.Sent]) -> str:
    return f"[{','.join(each.json for each in records)}]"


def _several(resource: Resource, made: list[reading.Sent]) -> Response:
    """201: the new records, in the order in which they were sent."""
    response = _json(f'{{"{resource.keys}":{_array(made)},"count":{len(made)}}}', 201)
    response.headers["Location"] = f"{request.base_url.rstrip('/')}/"
    return response


def _list(key: str, page: finding.Page) -> Response:
    asked = page.query
    behind = asked.offset + asked.limit
    last = max(page.total - 1, 0) // asked.limit * asked.limit
    before = min(max(asked.offset - asked.limit, 0), last)
    rest = {
        "count": page.total,
        "next": _address(behind) if behind < page.total else None,
        "previous": _address(before) if asked.offset > 0 else None,
        "meta": {
            "total_results": page.total,
            "total_pages": page.pages,
            "page": page.number,
            "per_page": asked.limit,
            "filters": asked.filters,
            "sort": asked.sort,
        },
    }
    return _json(f'{{"{key}":{_array(page.sent)},{json.dumps(rest)[1:]}')


def _file(actor: Actor, resource: Resource, form: str) -> Response:
    """All that a query finds: a record a line, or a table of all fields."""
    args = MultiDict([each for each in request.args.items(multi=True) if each[0] != "format"])
    wrong = {name: [f"A {form} file has all pages."] for name in OF_A_PAGE if name in args}
    if form == "csv" and "include[]" in args:
        wrong["include[]"] = [
            "A table has names in place of ids; jsonl files have included records."
        ]
    if len(request.args.getlist("format")) > 1:
        wrong["format"] = ["Give one."]
    if wrong:
        raise ValidationError(wrong)
    asked = query.parse(actor, resource, args)
    return downloads.sent(actor, resource, form, [*possible_columns(actor, resource)], asked)


def _address(offset: int) -> str:
    """This list's address with another offset: clients follow it to the letter."""
    limit = request.args.get("limit", request.args.get("per_page"))
    kept = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in ("limit", "per_page", "offset", "page")
    ]
    part = [("limit", limit)] if limit else []
    # What may stand as it is does: an address with hundreds of ids must not grow beyond what servers take.
    asked = urlencode([*kept, *part, ("offset", offset)], safe=",:", quote_via=quote)
    return f"{request.base_url}?{asked}"
