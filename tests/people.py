"""People who use the program: by JSON with a token, and by pages with a password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from brainstem.core import operations
from brainstem.core.permissions import Actor, Role
from brainstem.core.resource import registry
from tests.pages import Pages

PASSWORD = "a long enough password"

RIGHTS = {
    Role.MEMBER: {},
    Role.CONTRIBUTOR: {"can_change": True},
    Role.MANAGER: {"is_manager": True},
    Role.OWNER: {"is_owner": True},
    None: {"remove": True},
}


@dataclass
class Person:
    """A user who sends JSON with a token, and signs in to pages with a password."""

    app: Flask
    email: str
    id: UUID
    secret: str

    def __call__(
        self, method: str, address: str, payload: Any = None, **kwargs: Any
    ) -> TestResponse:
        """A request to `/api/private/…`, or to a full address."""
        if not address.startswith("/"):
            address = f"/api/private/{address}"
        headers = {"Authorization": f"Bearer {self.secret}"} | kwargs.pop("headers", {})
        if payload is not None:
            kwargs["json"] = payload
        return self.app.test_client().open(address, method=method, headers=headers, **kwargs)

    def get(self, address: str, **kwargs: Any) -> Any:
        """The JSON at an address."""
        return self("GET", address, **kwargs).get_json()

    def made(self, address: str, payload: dict[str, Any]) -> Any:
        """The record that a POST made."""
        response = self("POST", address, payload)
        assert response.status_code == 201, response.get_json()
        (record,) = response.get_json().values()
        return record

    def project(self, name: str = "Project", **more: Any) -> Any:
        return self.made("stem/project/", {"name": name, **more})

    def storage(self, name: str = "Storage", **more: Any) -> Any:
        return self.made("personal_attributes/datastorage/", {"name": name, **more})

    def session(self, name: str, *projects: Any, **more: Any) -> Any:
        ids = [project["id"] for project in projects]
        return self.made("stem/session/", {"name": name, "projects": ids, **more})

    def share(self, kind: str, record: Any, email: str, role: Role | None) -> None:
        """Give somebody a role on a record that this person owns; None takes it away."""
        with self.app.app_context():
            payload = {"users": {email: RIGHTS[role]}}
            operations.change(Actor(self.id), registry.get(kind), UUID(record["id"]), payload)

    def browser(self) -> Pages:
        """This person, signed in to the pages."""
        pages = Pages(self.app)
        response = pages.submit("/login", {"email": self.email, "password": PASSWORD})
        assert response.status_code == 302, response.text
        return pages
