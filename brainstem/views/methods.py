"""Addresses of the API: each with and without the closing slash, and what can be done at it (contract §1).

An address takes every method, and refuses by itself what is not done there. Left to the router, OPTIONS and
the `Allow` of a 405 would tell of the route, and not of the record; and a method that one spelling of an
address lacks would be looked for at a page or a portal whose address has room for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import MethodNotAllowed

from brainstem.extensions import csrf

READING = ("GET", "HEAD", "OPTIONS")

View = Callable[..., Any]


def register(bp: Blueprint, address: str, view: View) -> None:
    """Let a view answer at an address, whatever the method. What signs it in, if anything, is its affair."""
    csrf.exempt(view)
    other = address.rstrip("/") if address.endswith("/") else f"{address}/"
    for each in (address, other):
        bp.add_url_rule(each, view.__name__, view, provide_automatic_options=False)

    @bp.record
    def take_every_method(state: BlueprintSetupState) -> None:
        for rule in state.app.url_map.iter_rules(f"{bp.name}.{view.__name__}"):
            rule.methods = None  # for the router: any; Flask can't be told so


def told(methods: Iterable[str]) -> Response:
    """The answer to OPTIONS."""
    response = jsonify(methods=[*methods])
    response.allow.update(methods)
    return response


def at(bp: Blueprint, address: str, *methods: str) -> Callable[[View], View]:
    """A view of the API at an address at which these methods are there, and OPTIONS."""
    known = tuple(dict.fromkeys([*methods, "OPTIONS"]))

    def registered(view: View) -> View:
        @wraps(view)
        def answer(**parts: Any) -> Any:
            if request.method not in known:
                raise MethodNotAllowed(known)
            return told(known) if request.method == "OPTIONS" else view(**parts)

        register(bp, address, answer)
        return answer

    return registered
