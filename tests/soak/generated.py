"""What the OpenAPI document says, held against the program: generated requests on all its addresses.

Good requests and bad ones, on records of every kind, in all portals. No input gives a 5xx, and no answer
is other than the document says: its status, its type, its headers, its body. The application is called
in this process: over the network it would be the same answers, later.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Flag, People, Ref, RefList, default_of
from brainstem.views.examples import value_for
from tests.people import Person
from tests.soak.lab import laid_out

#: Requests of each operation in one round of many.
ROUND = 3
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Deleting comes last, and what reads comes first: so that there is something to find.
METHODS = ("get", "post", "patch", "put", "delete")

Ids = dict[str, list[str]]


@dataclass
class Generated:
    """How many requests were sent, and which answers were not as they must be."""

    requests: int = 0
    problems: list[str] = field(default_factory=list)


def generated(kind: str, requests: int, say: Callable[[str], Any] = print) -> Generated:
    """At least so many requests to an application in this process, on a database of this kind.

    In rounds, each with records of its own: deleting is a part of them.
    """
    total, number = Generated(), 0
    with laid_out(kind) as lab:
        ada = lab.person()
        while total.requests < requests:
            found = one_round(lab.app, ada, f"{kind} {number}", ROUND)
            total.requests += found.requests
            total.problems += found.problems
            number += 1
            say(f"  {total.requests} requests, {len(total.problems) or 'no'} problems")
    return total


def one_round(
    app: Flask, ada: Person, variety: str, cases: int, share: tuple[int, int] = (0, 1)
) -> Generated:
    """So many requests of each operation, by an administrator, who may use every portal.

    `share` narrows what is much alike (relations, other portals) to one part of so many.
    """
    found = Generated()
    ids = of_every_kind(ada, variety)
    schema = schemathesis.openapi.from_dict(fewer_filters(served(app), variety))
    schema.app = app
    headers = {"Authorization": f"Bearer {ada.secret}"}
    for operation in operations(schema, share):
        try:
            found.requests += judge(operation, ids, headers, variety, cases)
        except (Exception, FailureGroup) as error:
            found.problems.append(f"{operation.label}:\n{error}")
    return found


def of_every_kind(ada: Person, variety: str) -> Ids:
    """Records of every kind, public ones too, by kind; all that names others does."""
    made: Ids = {}
    for number in range(2):
        for kind in registry:
            make(ada, kind, made, variety, number)
    for kind in registry:
        if kind.name not in made:  # users are made elsewhere
            answer = ada.get(f"{kind.app}/{kind.name}/?limit=100")
            made[kind.name] = [record["id"] for record in answer[kind.keys]]
        assert made[kind.name], f"no {kind.labels}"
    return made


def make(ada: Any, kind: Resource, made: Ids, variety: str, number: int = 0) -> list[str]:
    """One record of the kind, and of all that it names where there is none."""
    if kind.read_only or len(made.get(kind.name, [])) > number:
        return made.get(kind.name, [])
    payload = {}
    for name, about in kind.schema(way="api").fields.items():
        if about.dump_only or isinstance(about, People):
            continue
        if isinstance(about, Ref | RefList):
            named = make(ada, registry.get(about.kind), made, variety)[:1]
            payload[name] = named if isinstance(about, RefList) else named[0]
        elif isinstance(about, Flag):
            payload[name] = True
        elif about.required:
            value = value_for(name, about)
            payload[name] = (
                f"{value} {variety} {number}" if name == kind.handle == "name" else value
            )
        elif (default := default_of(about)) is not None:
            payload[name] = default
    response = ada("POST", f"{kind.app}/{kind.name}/", payload)
    # The second of what may be there once is 400.
    if response.status_code == 201:
        made.setdefault(kind.name, []).append(response.get_json()[kind.key]["id"])
    return made.get(kind.name, [])


def addressed(path: str) -> Resource | None:
    """The kind that an address of the document is about."""
    parts = path.split("/")
    return registry.at(parts[3], parts[4]) if len(parts) > 5 else None


def naming(resource: Resource | None, ids: Ids, case: Any, draw: Any) -> None:
    """Put ids of real records where a request names some: made-up ones would get no further."""
    if "id" in (case.path_parameters or {}):
        case.path_parameters["id"] = draw(st.sampled_from(ids[resource.name]))
    sent = case.body if isinstance(case.body, list) else [case.body]
    for body in sent if resource is not None else ():
        for name, about in resource.schema.references():
            if isinstance(body, dict) and name in body and draw(st.integers(0, 3)):
                known = st.sampled_from(ids[about.kind])
                many = st.lists(known, min_size=1, max_size=2, unique=True)
                body[name] = draw(many if isinstance(about, RefList) else known)


def served(app: Any) -> dict[str, Any]:
    return app.test_client().get("/api/openapi.json").get_json()


def fewer_filters(document: dict[str, Any], variety: str) -> dict[str, Any]:
    """The document with some of each kind's filters: making up all of them takes the most time."""
    chance = random.Random(variety)
    for name, parameter in document["components"]["parameters"].items():
        if name.endswith("Filter"):
            patterns = parameter["schema"]["patternProperties"]
            some = chance.sample(sorted(patterns), min(4, len(patterns)))
            parameter["schema"]["patternProperties"] = {each: patterns[each] for each in some}
    return document


def operations(schema: Any, share: tuple[int, int]) -> list[Any]:
    """What is asked: everything, but of what is much alike a share; what deletes comes last."""
    found = [result.ok() for result in schema.get_all_operations()]
    alike = sorted(each.label for each in found if _much_alike(each))
    part, parts = share
    left_out = set(alike) - set(alike[part::parts])
    asked = [each for each in found if each.label not in left_out]
    return sorted(asked, key=lambda each: METHODS.index(each.method))


def _much_alike(operation: Any) -> bool:
    relation = "}/" in operation.path.removesuffix("{id}/")
    return relation or operation.path.startswith(("/api/public/", "/api/super/"))


def judge(operation: Any, ids: Ids, headers: dict[str, str], variety: str, cases: int) -> int:
    """Send some requests of one operation: the plainest first, then good and bad ones."""
    sent = 0
    resource = addressed(operation.path)
    good_and_bad = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @seed(zlib.crc32(f"{variety} {operation.label}".encode()))
    @settings(
        max_examples=cases,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        nonlocal sent
        case = data.draw(good_and_bad)
        naming(resource, ids, case, data.draw)
        sent += 1
        case.call_and_validate(headers=headers, checks=CHECKS)

    run()
    return sent
