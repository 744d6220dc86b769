"""The OpenAPI document: valid, complete, and true to the registry."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from brainstem.core import openapi
from brainstem.core.openapi.fields import kind_of
from brainstem.core.resource import registry
from brainstem.core.schemas import RowList


@pytest.fixture(scope="module")
def document():
    return openapi.document()


@pytest.fixture(autouse=True)
def mapped():
    import brainstem.views.api  # noqa: F401 (all kinds are registered)


def test_it_is_valid(document):
    OpenAPIV31SpecValidator(document).validate()


def test_it_is_served_with_the_address_that_the_reader_came_by(app):
    response = app.test_client().get("/api/openapi.json", base_url="http://lab-server:8000/")
    assert response.status_code == 200
    assert response.mimetype == "application/json"
    served = response.get_json()
    assert served["servers"] == [{"url": "http://lab-server:8000"}]
    assert served["openapi"].startswith("3.1")


def test_browsers_get_it_as_it_is(app):
    response = app.test_client().get("/api/openapi.json", headers={"Accept": "text/html"})
    assert response.mimetype == "application/json"


def test_every_route_of_the_api_is_in_it(app, document):
    """All that is not for people to look at."""
    known = set(document["paths"])
    views = {"records": "", "record": "{id}/", "related": None}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/") or rule.endpoint.startswith("reference."):
            continue
        if rule.endpoint.startswith("api."):
            assert rule.endpoint.removeprefix("api.") in views
        else:
            assert f"{rule.rule.rstrip('/')}/" in known  # each stands twice


@pytest.mark.parametrize("portal", openapi.PORTALS)
def test_every_kind_is_in_its_portals(document, portal):
    for kind in registry:
        address = f"/api/{portal}/{kind.app}/{kind.name}/"
        here = portal in kind.portals | {"super"}
        assert (address in document["paths"]) == here
        if here:
            several, single = document["paths"][address], document["paths"][f"{address}{{id}}/"]
            writes = portal != "public" and not kind.read_only
            assert ("post" in several) == writes
            assert {"patch", "put", "delete"} <= single.keys() if writes else True
            for name, field in kind.schema.references():
                shown = portal in registry.get(field.kind).portals | {"super"}
                assert (f"{address}{{id}}/{name}/" in document["paths"]) == shown


def test_every_field_is_described(document):
    """A new field type has to be added to `fields.KINDS`, or this says so."""
    schemas = document["components"]["schemas"]
    for kind in registry:
        name = kind.model.__name__
        assert list(schemas[name]["properties"]) == list(kind.schema._declared_fields)
        assert schemas[name]["required"] == list(kind.schema._declared_fields)
        for field in kind.schema._declared_fields.values():
            assert kind_of(field)
            if isinstance(field, RowList):
                row = type(field.inner.schema)
                assert all(map(kind_of, row._declared_fields.values()))


def test_the_public_portal_says_nothing_of_people(document):
    for name, schema in document["components"]["schemas"].items():
        if name.startswith("Public"):
            assert not {"users", "groups"} & schema["properties"].keys()


def test_what_is_read_may_be_sent_back(document):
    schemas = document["components"]["schemas"]
    for kind in registry:
        if not kind.read_only:
            name = kind.model.__name__
            assert (
                schemas[f"{name}Change"]["properties"].keys() == schemas[name]["properties"].keys()
            )


def test_operations_have_names_of_their_own(document):
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    ]
    assert len(names) == len(set(names))


def test_it_is_not_too_large(document):
    assert len(json.dumps(document)) < 600_000
