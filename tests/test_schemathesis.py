"""What the OpenAPI document says, held against the program: generated requests on all its addresses.

Good requests and bad ones, on records of every kind. No input gives a 5xx, and no answer is other than
the document says: its status, its type, its headers, its body. `API_CASES=50` looks longer.
"""

from __future__ import annotations

import os
import random
import zlib
from typing import Any

import pytest
import schemathesis
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

USUAL = 2
CASES = int(os.environ.get("API_CASES", USUAL))
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


@pytest.fixture
def ada(person):
    """An administrator, who may use every portal."""
    return person("ada@lab.org", admin=True)


@pytest.fixture
def ids(ada) -> Ids:
    """Records of every kind, public ones too, by kind; all that names others does."""
    made: Ids = {}
    for number in range(2):
        for kind in registry:
            make(ada, kind, made, number)
    found = {}
    for kind in registry:
        answer = ada.get(f"{kind.app}/{kind.name}/?limit=100")
        found[kind.name] = [record["id"] for record in answer[kind.keys]]
        assert found[kind.name], f"no {kind.labels}"
    return found


def make(ada: Any, kind: Resource, made: Ids, number: int = 0) -> list[str]:
    """One record of the kind, and of all that it names where there is none."""
    if kind.read_only or len(made.get(kind.name, [])) > number:
        return made.get(kind.name, [])
    payload = {}
    for name, field in kind.schema(way="api").fields.items():
        if field.dump_only or isinstance(field, People):
            continue
        if isinstance(field, Ref | RefList):
            named = make(ada, registry.get(field.kind), made)[:1]
            payload[name] = named if isinstance(field, RefList) else named[0]
        elif isinstance(field, Flag):
            payload[name] = True
        elif field.required:
            value = value_for(name, field)
            payload[name] = f"{value} {number}" if name == kind.handle == "name" else value
        elif (default := default_of(field)) is not None:
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
        for name, field in resource.schema.references():
            if isinstance(body, dict) and name in body and draw(st.integers(0, 3)):
                known = st.sampled_from(ids[field.kind])
                many = st.lists(known, min_size=1, max_size=2, unique=True)
                body[name] = draw(many if isinstance(field, RefList) else known)


def served(app: Any) -> dict[str, Any]:
    return app.test_client().get("/api/openapi.json").get_json()


def fewer_filters(document: dict[str, Any], variety: str) -> dict[str, Any]:
    """The document with some of each kind's filters: making up all of them takes the most time."""
    chance = random.Random(variety)
    for name, parameter in document["components"]["parameters"].items():
        if name.endswith("Filter") and CASES <= USUAL:
            patterns = parameter["schema"]["patternProperties"]
            some = chance.sample(sorted(patterns), min(4, len(patterns)))
            parameter["schema"]["patternProperties"] = {each: patterns[each] for each in some}
    return document


def operations(schema: Any, variety: str) -> list[Any]:
    """What every database is asked, and its share of what is much alike: relations, other portals."""
    found = [result.ok() for result in schema.get_all_operations()]
    shares = sorted(each.label for each in found if _much_alike(each))
    share = set(shares[::2] if variety == "sqlite" else shares[1::2])
    asked = [
        each for each in found if not _much_alike(each) or each.label in share or CASES > USUAL
    ]
    return sorted(asked, key=lambda each: METHODS.index(each.method))


def _much_alike(operation: Any) -> bool:
    relation = "}/" in operation.path.removesuffix("{id}/")
    return relation or operation.path.startswith(("/api/public/", "/api/super/"))


def judge(operation: Any, ids: Ids, headers: dict[str, str], variety: str) -> None:
    """Send some requests of one operation: the plainest first, then good and bad ones."""
    resource = addressed(operation.path)
    cases = st.one_of(
        operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        operation.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @seed(zlib.crc32(f"{variety} {operation.label}".encode()))
    @settings(
        max_examples=CASES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def run(data: st.DataObject) -> None:
        case = data.draw(cases)
        naming(resource, ids, case, data.draw)
        case.call_and_validate(headers=headers, checks=CHECKS)

    run()


def test_every_answer_is_as_the_document_says(app, ada, ids):
    # Each database gets requests of its own.
    variety = app.config["SQLALCHEMY_DATABASE_URI"].split(":")[0]
    schema = schemathesis.openapi.from_dict(fewer_filters(served(app), variety))
    schema.app = app
    headers = {"Authorization": f"Bearer {ada.secret}"}
    problems = []
    for operation in operations(schema, variety):
        try:
            judge(operation, ids, headers, variety)
        except (Exception, FailureGroup) as error:
            problems.append(f"{operation.label}:\n{error}")
    assert not problems, "\n\n".join(problems)
