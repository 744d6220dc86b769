"""What answers look like: envelopes, errors, headers (contract §3, §10)."""

from __future__ import annotations

from typing import Any

from brainstem.core.openapi.queries import FILES
from brainstem.core.resource import Resource

ETAG = {
    "description": "The record's version, for `If-Match`.",
    "schema": {"type": "string"},
    "required": True,
}
LOCATION = {
    "description": "The new record's address; of several, that of the list.",
    "schema": {"type": "string", "format": "uri"},
    "required": True,
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "Problem": {
        "type": "object",
        "properties": {"detail": {"type": "string"}},
        "required": ["detail"],
        "additionalProperties": False,
    },
    "Invalid": {
        "description": "What is wrong, by field; what concerns no field is the `detail`. Of several "
        "records sent as a list: by position and field.",
        "type": "object",
        "minProperties": 1,
        "properties": {"detail": {"type": "string"}},
        "additionalProperties": {"$ref": "#/components/schemas/Messages"},
    },
    "Messages": {
        "description": "Sentences; or, of a list or an object, sentences by position or key.",
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/components/schemas/Messages"},
            },
        ],
    },
    "Meta": {
        "description": "What was asked for, and where this page stands in the whole.",
        "type": "object",
        "properties": {
            "total_results": {"type": "integer", "minimum": 0},
            "total_pages": {"type": "integer", "minimum": 0},
            "page": {"type": "integer", "minimum": 1},
            "per_page": {"type": "integer", "minimum": 1},
            "filters": {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [
                        {"type": "string"},
                        {"type": "array", "items": {"type": "string"}},
                    ]
                },
            },
            "sort": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["total_results", "total_pages", "page", "per_page", "filters", "sort"],
        "additionalProperties": False,
    },
}

#: Errors by status: the component's name, what it means, and a header that comes with it.
ERRORS: dict[int, tuple[str, str, str]] = {
    400: ("Invalid", "Something of the request does not fit; nothing was stored.", ""),
    401: ("SignInRequired", "No token, or one that is wrong, revoked or expired.", ""),
    403: ("Forbidden", "The record exists, but you lack the right.", ""),
    404: ("NotFound", "There is no such record.", ""),
    405: ("MethodNotAllowed", "This address does not take this method.", "Allow"),
    412: ("Changed", "Somebody changed the record since; nothing was stored.", ""),
    413: ("TooLarge", "The body is larger than 1 MiB.", ""),
    415: ("NotJson", "The body is not JSON.", ""),
    429: ("TooManyTries", "Too many tries; wait as many seconds as it says.", "Retry-After"),
    503: ("Unavailable", "The database does not answer just now; try again.", "Retry-After"),
}
HEADERS = {401: "WWW-Authenticate"}


def errors() -> dict[str, dict[str, Any]]:
    """The answers that report errors, by the names of their components."""
    found = {}
    for status, (name, text, header) in ERRORS.items():
        shape = "Invalid" if status == 400 else "Problem"
        answer = {"description": text, "content": json_of(ref(shape))}
        if header := header or HEADERS.get(status, ""):
            answer["headers"] = {header: {"schema": {"type": "string"}, "required": True}}
        found[name] = answer
    return found


def ref(name: str) -> dict[str, str]:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def json_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema, as JSON."""
    return {"application/json": {"schema": schema}}


def failing(*statuses: int) -> dict[str, Any]:
    """References to the errors of these statuses."""
    return {str(status): ERRORS[status][0] for status in (*statuses, 503)}


def own(resource: Resource, name: str) -> dict[str, dict[str, Any]]:
    """The answers that hold records of a kind, by the names of their components."""
    listed = _several(resource, name)
    found = {name: _one(resource, name, "The"), f"{name}List": listed}
    texts = {form: {"schema": {"type": "string"}} for form in FILES.values()}
    found[f"{name}ListOrFile"] = listed | {"content": listed["content"] | texts}
    if not resource.read_only:
        found[f"{name}Created"] = _created(resource, name)
    return found


def _created(resource: Resource, name: str) -> dict[str, Any]:
    """One new record; or as many as were sent in a list, which have no version together."""
    one = _one(resource, name, "The new", Location=LOCATION)
    several = _object(
        {
            resource.keys: {"type": "array", "items": ref(name), "minItems": 1},
            "count": {"type": "integer", "minimum": 1},
        }
    )
    (shape,) = one["content"].values()
    one["content"] = json_of({"anyOf": [shape["schema"], several]})
    one["headers"]["ETag"] = ETAG | {"required": False}
    return one


def _one(resource: Resource, name: str, which: str, **headers: Any) -> dict[str, Any]:
    return {
        "description": f"{which} {resource.words}.",
        "headers": {"ETag": ETAG} | headers,
        "content": json_of(_object({resource.key: ref(name)})),
    }


def _several(resource: Resource, name: str) -> dict[str, Any]:
    address = {"type": ["string", "null"], "format": "uri"}
    shape = _object(
        {
            resource.keys: {"type": "array", "items": ref(name)},
            "count": {"type": "integer", "minimum": 0},
            "next": address,
            "previous": address,
            "meta": ref("Meta"),
        }
    )
    return {"description": f"{resource.labels}.", "content": json_of(shape)}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
