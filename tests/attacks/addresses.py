"""Every address of the program by every method, from its own table: how each is filled in is said here.

An address that nobody has said how to fill fails the tests, so that a new page is attacked, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from itertools import product
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.datastructures import MultiDict
from werkzeug.routing import Rule

from brainstem.core.resource import registry
from brainstem.core.schemas import RefList
from tests.attacks.world import Lab
from tests.kinds import KINDS, LEAST, OPTIONAL, filled

SAFE = {"GET", "HEAD", "OPTIONS"}
PORTALS = ("private", "public", "super")

#: Files, not records.
FILES = {"static", "plain_static", "bootstrap.static", "favicon"}


@dataclass
class Request:
    """One request to come; `kind` is what record it is about, if any."""

    method: str
    endpoint: str
    address: str
    kind: str = ""
    portal: str = ""
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> str:
        """All that the one who asks says herself, and may so be told."""
        return f"{self.address} {self.body}"

    @property
    def is_api(self) -> bool:
        return self.address.startswith("/api/")


def requests(app: Flask, lab: Lab, ids: dict[str, str]) -> Iterator[Request]:
    """A request for each address and method; where they name records, these."""
    for rule in app.url_map.iter_rules():
        # The API's addresses stand twice, with and without the closing slash, and are asked once.
        twice = f"{rule.rule}/" if rule.is_leaf else ""
        if rule.endpoint in FILES or twice in {each.rule for each in app.url_map.iter_rules()}:
            continue
        for values in _values(rule, lab, ids):
            _, address = rule.build({name: values[name] for name in rule.arguments})
            kind = values.get("model") or _kind_of(values.get("kind", ""))
            if "record_id" in rule.arguments and not kind:
                kind = "session"
            for method in sorted(_methods(app, rule, address) - {"HEAD", "OPTIONS"}):
                found = Request(method, rule.endpoint, address, kind, values.get("portal", ""))
                if method not in SAFE:
                    found.body = _body(found, lab, ids)
                yield found


def _methods(app: Flask, rule: Rule, address: str) -> set[str]:
    """The methods of an address; of the public portal, which only reads, those of the private one."""
    if not address.startswith("/api/"):
        return rule.methods
    asked = re.sub(r"^/api/(public|super)/", "/api/private/", address)
    return set(app.test_client().options(asked).headers["Allow"].split(", "))


def _kind_of(page: str) -> str:
    return next((kind.name for kind in registry if page and kind.page == f"/{page}"), "")


def _values(rule: Rule, lab: Lab, ids: dict[str, str]) -> Iterator[dict[str, Any]]:
    """What can stand in an address for its parts."""
    if rule.endpoint in ("api.records", "api.record", "api.related"):
        for portal, kind in product(PORTALS, KINDS.values()):
            found = {"portal": portal, "app": kind.app, "model": kind.name}
            found["record_id"] = ids.get(kind.name) or str(lab.ada.id)
            if rule.endpoint == "api.related":
                for name, _ in registry.get(kind.name).schema.references():
                    yield found | {"relation": name}
            elif kind.name in ids or kind.name == "user" or rule.endpoint == "api.records":
                yield found
        return
    if rule.endpoint == "reference.kind":
        yield from ({"app": kind.app, "name": kind.name} for kind in KINDS.values())
        return
    if rule.endpoint == "choices.find":
        yield from ({"kind": kind} for kind in KINDS)
        return
    if rule.endpoint == "choices.find_tags":
        yield from ({"kind": kind} for kind, each in KINDS.items() if "tags" in each.fields)
        return
    choices = {name: sorted(each.items) for name, each in _choices(rule).items()}
    for chosen in product(*choices.values()):
        found = dict(zip(choices, chosen, strict=True)) | lab.other | {"plural": "sessions"}
        kind = _kind_of(found.get("kind", ""))
        if "record_id" in rule.arguments:
            record_id = ids.get(kind or "session")
            if record_id is None:
                continue
            found["record_id"] = record_id
        missing = rule.arguments - found.keys()
        assert not missing, f"{rule.rule}: say how to fill {missing} (see `_values`)"
        yield found


def _choices(rule: Rule) -> dict[str, Any]:
    return {name: each for name, each in rule._converters.items() if hasattr(each, "items")}


def payload(kind: str, ids: dict[str, str]) -> dict[str, Any]:
    """A payload that names these records wherever it can."""
    found = dict(LEAST.get(kind, {}))
    for name, (_, value) in OPTIONAL.get(kind, {}).items():
        if "{" in str(value):
            found[name] = value
    return filled(found, ids)


def _form(request: Request, ids: dict[str, str]) -> dict[str, Any]:
    """The same as a form sends it."""
    found: dict[str, Any] = {"name": "Eve's idea"}
    for name, about in registry.get(request.kind).schema.references():
        if about.kind in ids and not about.dump_only:
            found[name] = [ids[about.kind]] if isinstance(about, RefList) else ids[about.kind]
    return found


def _ticked(request: Request, lab: Lab, ids: dict[str, str]) -> dict[str, Any]:
    return {"ids": [ids.get(request.kind, "")], "tags-add": "eve", "query": ""}


def _nothing(request: Request, lab: Lab, ids: dict[str, str]) -> dict[str, Any]:
    return {}


def _table(request: Request, lab: Lab, ids: dict[str, str]) -> dict[str, Any]:
    rows = f"name,project__name\nEve's,{ids['project']}\n"
    return {"kind": "sessions", "file": (BytesIO(rows.encode()), "eve.csv")}


Body = Callable[[Request, Lab, dict[str, str]], dict[str, Any]]

#: What is sent to each address that takes something; an API's is a payload.
BODIES: dict[str, Body] = {
    "account.end": _nothing,
    "account.end_others": _nothing,
    "account.login": lambda r, lab, ids: {"email": lab.ada.email, "password": "wrong"},
    "account.logout": _nothing,
    "account.revoke": _nothing,
    "account.setup": lambda r, lab, ids: {"code": "1", "email": "x@lab.org", "password": "no easy guess"},
    "account.token_list": lambda r, lab, ids: {"name": "", "user_id": lab.ada.id},
    "bulk.apply": _ticked,
    "bulk.choose": _ticked,
    "bulk.preview": _ticked,
    "device.authorize": lambda r, lab, ids: {"user_code": "CDFG-2345", "_do": "approve"},
    "duplicate.ask": lambda r, lab, ids: _form(r, ids),
    "history.restore": lambda r, lab, ids: {"version": "1"},
    "history.undo": _nothing,
    "home.load_demo": _nothing,
    "imports.check": _nothing,
    "imports.columns": lambda r, lab, ids: {"column-0": "name", "default": ids["project"]},
    "imports.discard": _nothing,
    "imports.start": _table,
    "imports.store": _nothing,
    "imports.undo": _nothing,
    "lists.forget": _nothing,
    "lists.rename": lambda r, lab, ids: {"name": "Eve's now"},
    "lists.saved": lambda r, lab, ids: {"name": "", "query": f"projects={ids['project']}"},
    "forms.delete": _nothing,
    "forms.edit": lambda r, lab, ids: _form(r, ids),
    "forms.new": lambda r, lab, ids: _form(r, ids),
    "people.leave": _nothing,
    "people.of_record": lambda r, lab, ids: {
        "field": "users", "name": lab.eve.email, "do": "add", "role": "owner"
    },
    "publish.publish": lambda r, lab, ids: {"is_public": "true"},
    "sessions.look_again": _nothing,
    "sign_in_again.sign_in": lambda r, lab, ids: {"email": lab.ada.email, "password": "wrong"},
    "users.new": lambda r, lab, ids: {"email": "x@lab.org", "password": "no easy guess", "is_admin": "y"},
    "users.own_password": lambda r, lab, ids: {"current": "wrong", "password": "no easy guess"},
    "users.password": lambda r, lab, ids: {"password": "no easy guess"},
    "users.standing": lambda r, lab, ids: {"is_admin": "true"},
    "api.record": lambda r, lab, ids: payload(r.kind, ids),
    "api.records": lambda r, lab, ids: payload(r.kind, ids),
    "device.by_password": lambda r, lab, ids: {"username": lab.ada.email, "password": "wrong"},
    "device.poll": lambda r, lab, ids: {"device_code": "eve's guess"},
    "device.start": lambda r, lab, ids: {"client_name": 1},
}  # fmt: skip


def _body(request: Request, lab: Lab, ids: dict[str, str]) -> dict[str, Any]:
    body = BODIES.get(request.endpoint)
    assert body, f"{request.endpoint} takes something: say what to send it (see `BODIES`)"
    return body(request, lab, ids)


def send(who: Any, request: Request, token: str = "") -> Any:
    """Send it: JSON to the API, and a form with its CSRF token to a page."""
    if request.method in SAFE:
        return who.open(request.address, method=request.method)
    if request.is_api:
        headers = {"X-CSRFToken": token} if token else {}
        return who.open(request.address, method=request.method, json=request.body, headers=headers)
    data = MultiDict(request.body)
    if token:
        data["csrf_token"] = token
    return who.open(request.address, method=request.method, data=data)


def spelled(words: dict[str, Any]) -> str:
    """The words of an address, encoded."""
    return "&".join(f"{quote(name)}={quote(str(value))}" for name, value in words.items())
