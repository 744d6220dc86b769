"""A script that uses the API over the network, as plain as can be: it never tries again by itself."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, Self


class Gone(Exception):
    """There was no answer, or not all of it: what was asked for may have happened or not."""


@dataclass
class Answer:
    """What came back, and how many seconds it took."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def record(self) -> dict[str, Any]:
        """The record in an answer about one."""
        (record,) = self.json.values()
        return record


class Client:
    """One connection, made anew where it was lost; `patience` is how long an answer may take."""

    def __init__(self, port: int, token: str, *, patience: float = 60) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=patience)
        self.headers = {"Authorization": f"Bearer {token}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    def __call__(
        self, method: str, address: str, payload: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """A request to `/api/private/…`, or to a full address."""
        address = address if address.startswith("/") else f"/api/private/{address}"
        headers = self.headers | (headers or {})
        body = None
        if payload is not None:
            body = json.dumps(payload).encode()
            headers["Content-Type"] = "application/json"
        begin = time.perf_counter()
        try:
            self.connection.request(method, address, body, headers)
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Gone(f"{method} {address}: {error!r}") from error
        return Answer(response.status, response.headers, content, time.perf_counter() - begin)

    def connect(self) -> None:
        """Connect, where there is no connection; `Gone` where nobody listens."""
        if self.connection.sock is None:
            try:
                self.connection.connect()
            except OSError as error:
                raise Gone(f"connecting: {error!r}") from error

    def get(self, address: str) -> Answer:
        return self("GET", address)

    def made(self, address: str, payload: Any) -> dict[str, Any]:
        """The record that a POST made."""
        answer = self("POST", address, payload)
        assert answer.status == 201, answer.body
        return answer.record
