"""A server as a lab runs it, in a process of its own, and two people with their tokens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from brainstem_api_tools import BrainstemClient
from flask_migrate import upgrade

from brainstem.core.permissions import Actor
from brainstem.extensions import db
from brainstem.records.tokens import add_token
from brainstem.records.users import add_user
from tests.conftest import PASSWORD, ROOT, make_app
from tests.kinds import ids_of, one_of_each


@dataclass
class Server:
    """Where it is, and the tokens of its users by address."""

    url: str
    tokens: dict[str, str]

    def client(self, email: str = "ada@lab.org") -> BrainstemClient:
        """The official client, signed in; for a `with` statement, since it keeps connections."""
        return BrainstemClient(token=self.tokens[email], url=self.url)

    def made(self, address: str, payload: dict[str, Any]) -> Any:
        """The record that a POST of Ada's made."""
        return self.send("POST", address, payload)

    def send(self, method: str, address: str, payload: dict[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self.tokens['ada@lab.org']}"}
        where = f"{self.url}api/private/{address}"
        answer = requests.request(method, where, json=payload, headers=headers, timeout=30)
        assert answer.ok, answer.text
        (record,) = answer.json().values()
        return record

    def signed_in(self, email: str) -> requests.Session:
        """A browser in which somebody has signed in; for a `with` statement."""
        browser = requests.Session()
        fields = form_of(browser.get(f"{self.url}login", timeout=30).text)
        fields |= {"email": email, "password": PASSWORD}
        answer = browser.post(f"{self.url}login", data=fields, timeout=30)
        assert answer.ok and not answer.url.endswith("/login"), answer.text
        return browser


def form_of(page: str) -> dict[str, str]:
    """What the fields of a page's form send when nobody touches them."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', tag))
        if "name" in attributes and attributes.get("type") not in ("checkbox", "radio", "submit"):
            found[attributes["name"]] = attributes.get("value", "")
    return found


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    url = f"sqlite:///{tmp_path_factory.mktemp('clients') / 'lab.sqlite3'}"
    app, tokens = make_app(url), {}
    with app.app_context():
        upgrade()
        for email in ("ada@lab.org", "ben@lab.org"):
            user = add_user({"email": email, "password": PASSWORD})
            _, tokens[email] = add_token(Actor(user.id), {"name": "clients"})
        db.session.remove()
        db.engine.dispose()
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    settings = {
        "DATABASE_URL": url,
        "SECRET_KEY": "the key of the tests",
        "PORT": "0",
        "HOST": "127.0.0.1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:brainstem.serve", "app:app"],
        cwd=ROOT,
        env=environment | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    printed = []
    try:
        for line in process.stdout:
            printed.append(line)
            if found := re.match(r"BrainSTEM is at (http://\S+)", line):
                break
        else:
            pytest.fail("The server did not start:\n" + "".join(printed))
        yield Server(f"{found[1]}/", tokens)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.stdout.read()
        process.stdout.close()
        process.wait(30)


@pytest.fixture(scope="session")
def lab(server: Server) -> dict[str, dict[str, Any]]:
    """Ada's record of every kind; a second of each, so that filters have what to leave out; both
    projects are public. Tests read these, and write as Ben."""
    made, other = one_of_each(server, " Alpha"), one_of_each(server, " Beta")
    ids = ids_of(made)
    for address, fields in [
        ("stem/project", {"tags": ["alpha"], "is_public": True}),
        ("stem/subject", {"tags": ["alpha"], "sex": "F", "strain": "C57BL/6J"}),
        ("stem/session", {"tags": ["alpha"]}),
        ("stem/collection", {"tags": ["alpha"], "sessions": [ids["session"]]}),
        ("stem/cohort", {"tags": ["alpha"], "subjects": [ids["subject"]]}),
        ("modules/equipment", {"name": "Camera Alpha"}),
    ]:
        server.send("PATCH", f"{address}/{ids[address.split('/')[1]]}", fields)
    server.send("PATCH", f"stem/project/{other['project']['id']}", {"is_public": True})
    return made
