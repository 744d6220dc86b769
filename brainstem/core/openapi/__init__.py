"""The API as an OpenAPI 3.1 document, made from the registry and the schemas; it names no kind.

`document()` is the whole of it. `fields` says what each field type looks like on the wire, `queries`
which parameters a kind takes, `answers` what comes back.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from apispec import APISpec

from brainstem.core.openapi import answers, queries, signing_in
from brainstem.core.openapi.fields import Plugin, Sent, name_of, record_sent, record_shown
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People
from brainstem.core.several import MOST_AT_ONCE

VERSION = "3.1.0"
PORTALS = ("private", "public", "super")

DESCRIPTION = """\
Sessions of experiments and all that belongs to them: one address for each kind of record and each portal.

* `private` is for those who sign in, `public` for anyone and read-only, `super` for administrators.
* Every address answers with and without the closing slash, and takes `HEAD` and `OPTIONS` where it
  takes `GET`. Any other method is 405, with an `Allow` header.
* A record is sent as an object and shown under its key; read-only fields may be sent back, and are ignored.
* Several new records can be sent as a list, in one `POST`: all of them are stored, or none.
* All that is wrong with a request is said at once, by field, and nothing is stored.
"""


@cache
def document() -> dict[str, Any]:
    """The document, but for the address of the server. Made once: kinds don't change while it runs."""
    plugin = Plugin()
    spec = new_spec(plugin)
    _components(spec, plugin)
    signing_in.add(spec)
    for resource in registry:
        spec.tag({"name": resource.labels, "description": about(resource)})
        for portal in PORTALS:
            if portal in resource.portals | {"super"}:
                _addresses(spec, resource, portal)
    return spec.to_dict()


def about(resource: Resource) -> str:
    """What a kind is, in a sentence: its model's docstring, but for what concerns the code."""
    return (resource.model.__doc__ or resource.label).split(";")[0].rstrip(".") + "."


def new_spec(plugin: Plugin) -> APISpec:
    """A document without anything in it."""
    return APISpec(
        title="BrainSTEM for the lab",
        version="1",
        openapi_version=VERSION,
        plugins=[plugin],
        info={"description": DESCRIPTION},
    )


def _components(spec: APISpec, plugin: Plugin) -> None:
    """What the addresses refer to: schemas, parameters, errors."""
    shown = plugin.converter
    sent = Sent(VERSION, plugin.schema_name_resolver, spec)
    for name, schema in answers.SCHEMAS.items():
        spec.components.schema(name, schema)
    for name, answer in answers.errors().items():
        spec.components.response(name, answer)
    parameters = queries.shared()
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for resource in registry:
        parameters |= queries.own(resource)
        for portal in resource.portals:
            name, schema = name_of(resource.name, portal), resource.schema(portal=portal)
            spec.components.schema(name, record_shown(shown, schema))
            for kind_of_answer, answer in answers.own(resource, name).items():
                spec.components.response(kind_of_answer, answer)
        for name, options in _written(resource):
            spec.components.schema(name, record_sent(sent, resource.schema(), **options))
    for name, parameter in parameters.items():
        spec.components.parameter(name, parameter["in"], parameter)


def _written(resource: Resource) -> Iterator[tuple[str, dict[str, bool]]]:
    """The schemas for what is sent: of a new record, to replace one, to change one."""
    if resource.read_only:
        return
    name = resource.model.__name__
    yield f"{name}Create", {"people": False}
    if _has_people(resource):
        yield f"{name}Replace", {}
    yield f"{name}Change", {"partial": True}


def _has_people(resource: Resource) -> bool:
    return any(isinstance(field, People) for field in resource.schema._declared_fields.values())


def _addresses(spec: APISpec, resource: Resource, portal: str) -> None:
    """A kind's list, its records, and their relations, in one portal."""
    address = f"/api/{portal}/{resource.app}/{resource.name}/"
    words = _Words(resource, portal)
    writing = portal != "public" and not resource.read_only
    several = {"get": words.list(resource)}
    single = {"get": words.get()}
    if writing:
        several["post"] = words.create()
        single |= {
            "patch": words.change("change", f"{resource.model.__name__}Change"),
            "put": words.change("replace", _replacement(resource)),
            "delete": words.delete(),
        }
    spec.path(address, operations=several)
    spec.path(f"{address}{{id}}/", operations=single, parameters=["Id"])
    for name, field in resource.schema.references():
        target = registry.get(field.kind)
        if target is not None and portal in target.portals | {"super"}:
            listing = {"get": words.list(target, relation=name)}
            spec.path(f"{address}{{id}}/{name}/", operations=listing, parameters=["Id"])


def _replacement(resource: Resource) -> str:
    return f"{resource.model.__name__}{'Replace' if _has_people(resource) else 'Create'}"


class _Words:
    """The operations on one kind in one portal."""

    def __init__(self, resource: Resource, portal: str) -> None:
        self.resource, self.portal = resource, portal
        self.shown = name_of(resource.name, portal)
        self.public = portal == "public"
        #: 403 is for those who are somebody; in the public portal what may not be seen is not found.
        self.unread = (404,) if self.public else (401, 403, 404)

    def _operation(self, deed: str, summary: str, **parts: Any) -> dict[str, Any]:
        return {
            "tags": [self.resource.labels],
            "operationId": f"{self.portal}_{self.resource.name}_{deed}",
            "summary": summary,
            "security": [] if self.public else [{"token": []}],
            **parts,
        }

    def list(self, target: Resource, relation: str = "") -> dict[str, Any]:
        """A list of the kind, or of what a relation of one record names."""
        summary = f"{self.resource.label}: its {relation}" if relation else "List all"
        refused = self.unread if relation else () if self.public else (401, *self._super())
        answer = "List" if relation else "ListOrFile"
        return self._operation(
            f"list_{relation}" if relation else "list",
            summary,
            parameters=queries.of_list(target, whole=not relation),
            responses={"200": f"{name_of(target.name, self.portal)}{answer}"}
            | answers.failing(400, *refused),
        )

    def _super(self) -> tuple[int, ...]:
        """A list is never forbidden, but in the portal that is for administrators."""
        return (403,) if self.portal == "super" else ()

    def get(self) -> dict[str, Any]:
        """One record."""
        return self._operation(
            "get",
            "Read one",
            parameters=queries.of_one(self.resource),
            responses={"200": self.shown} | answers.failing(400, *self.unread),
        )

    def create(self) -> dict[str, Any]:
        """A new record, or several: all or none."""
        one = answers.ref(f"{self.resource.model.__name__}Create")
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_AT_ONCE}
        return self._operation(
            "create",
            "Create one, or several at once: all of them or none",
            requestBody=self._body({"anyOf": [one, many]}),
            responses={"201": f"{self.shown}Created"} | answers.failing(400, 401, 403, 413, 415),
        )

    def change(self, deed: str, schema: str) -> dict[str, Any]:
        """A record changed, or replaced."""
        return self._operation(
            deed,
            f"{deed.capitalize()} one",
            parameters=["IfMatch"],
            requestBody=self._body(answers.ref(schema)),
            responses={"200": self.shown} | answers.failing(400, 401, 403, 404, 412, 413, 415),
        )

    def delete(self) -> dict[str, Any]:
        """A record deleted."""
        return self._operation(
            "delete",
            "Delete one",
            parameters=["IfMatch"],
            responses={"204": {"description": self.resource.deletion}}
            | answers.failing(400, 401, 403, 404, 412),
        )

    def _body(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {"required": True, "content": answers.json_of(schema)}
