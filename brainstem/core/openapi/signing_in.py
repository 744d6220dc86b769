"""How a program gets a token (contract §12), in the document."""

from __future__ import annotations

from typing import Any

from apispec import APISpec

from brainstem.core.openapi import answers

TEXT = {"type": "string"}
STARTED = {
    "session_id": {"type": "string", "format": "uuid"},
    "device_code": TEXT,
    "user_code": TEXT,
    "verification_uri": {"type": "string", "format": "uri"},
    "verification_uri_complete": {"type": "string", "format": "uri"},
    "interval": {"type": "integer", "description": "Seconds between two questions."},
    "expires_in": {"type": "integer", "description": "Seconds until the code is of no use."},
}


def add(spec: APISpec) -> None:
    """The addresses that hand out tokens; they need none."""
    spec.tag({"name": "Signing in", "description": "How a program gets a token."})
    _post(
        spec,
        "/api/auth/device/",
        "start_device_login",
        "Begin a device login: show its user the code, and the address to approve it at",
        {"client_name": {"type": ["string", "null"], "maxLength": 100}},
        [],
        _object(STARTED),
        answers.failing(400, 413, 415, 429),
    )
    _post(
        spec,
        "/api/auth/device/token/",
        "poll_device_login",
        "Ask whether the user has approved: always 200; the token comes once",
        {"device_code": TEXT},
        ["device_code"],
        {
            "anyOf": [
                _object({"status": {"const": "authorization_pending"}}),
                _object({"status": {"const": "success"}, "token": TEXT}),
                _object({"error": {"enum": ["access_denied", "already_used", "expired_token"]}}),
            ]
        },
        answers.failing(400, 413, 415),
    )
    _post(
        spec,
        "/api/token/",
        "token_by_password",
        "A token for an email address and a password, for older programs",
        {"username": TEXT, "password": {"type": "string", "format": "password"}},
        ["username", "password"],
        _object({"token": TEXT}),
        answers.failing(400, 401, 413, 415, 429),
    )


def _post(
    spec: APISpec,
    address: str,
    name: str,
    summary: str,
    fields: dict[str, Any],
    required: list[str],
    answer: dict[str, Any],
    errors: dict[str, Any],
) -> None:
    body = {"type": "object", "properties": fields}
    operation = {
        "tags": ["Signing in"],
        "operationId": name,
        "summary": summary,
        "security": [],
        "requestBody": {
            "required": True,
            "content": answers.json_of(body | ({"required": required} if required else {})),
        },
        "responses": {"200": {"description": "Yes.", "content": answers.json_of(answer)}} | errors,
    }
    spec.path(address, operations={"post": operation})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
