"""A real server, a real browser, and a page that fails its test on any complaint of the browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
    sync_playwright,
)

from brainstem.extensions import db
from tests.browser import axe
from tests.conftest import make_app, missing
from tests.people import Person
from tools.serving import serving

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
#: Forms that come back with messages, and the conflict page: Chromium's console remarks on them.
EXPECTED_STATUSES = (400, 409)
#: Generous for a busy machine; a test that passes never waits for it.
PATIENCE = 30_000

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on a database of its own, served; its address is in `SERVED_AT`."""
    database = tmp_path_factory.mktemp("browser") / "browser.sqlite3"
    app = make_app(f"sqlite:///{database}", TESTING=False)
    with app.app_context():
        upgrade()
    with serving(app) as app.config["SERVED_AT"]:
        yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(served: Flask) -> Iterator[Flask]:
    """The served application without records."""
    with served.app_context(), db.engine.begin() as connection:
        for table in reversed(db.metadata.sorted_tables):
            connection.execute(table.delete())
    settings = dict(served.config)
    yield served
    served.config.clear()
    served.config.update(settings)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser, started once."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        missing("Chromium is not installed.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser complained of; anything in it at the end fails the test."""
    found: list[str] = []
    yield found
    assert not found, "\n".join(found)


@pytest.fixture
def new_page(app: Flask, chromium: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser that knows nothing yet: `new_page(java_script_enabled=False)`."""
    contexts: list[BrowserContext] = []

    def open_page(**options: Any) -> Page:
        options = {"locale": "en-US", "timezone_id": "UTC"} | options
        context = chromium.new_context(base_url=app.config["SERVED_AT"], **options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: _listen(complaints, message))
        page.on("pageerror", lambda error: complaints.append(f"Error in a script: {error}"))
        page.on("response", lambda response: _look_at(complaints, response))
        return page

    yield open_page
    # Closed before the next test wipes the database, so that nothing is still asking it.
    for context in contexts:
        context.close()


def _listen(complaints: list[str], message: ConsoleMessage) -> None:
    """Violations of the Content-Security-Policy are console errors too."""
    if message.type == "error" and not message.text.startswith("Failed to load resource"):
        complaints.append(f"Console: {message.text}")


def _look_at(complaints: list[str], response: Response) -> None:
    if response.status >= 400 and response.status not in EXPECTED_STATUSES:
        complaints.append(f"{response.status} at {response.request.method} {response.url}")


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page in a fresh browser, nobody signed in."""
    return new_page()


@pytest.fixture
def sign_in(app: Flask, new_page: Callable[..., Page]) -> Callable[..., Page]:
    """Opens a page where somebody is signed in: `sign_in(ada)`.

    Test by test through the sign-in page would take half of the time; its own stories are told in
    `test_first_session.py`.
    """
    name = app.config["SESSION_COOKIE_NAME"]

    def as_person(person: Person, **options: Any) -> Page:
        page = new_page(**options)
        cookie = person.browser().client.get_cookie(name)
        address = app.config["SERVED_AT"]
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": address}])
        return page

    return as_person


@pytest.fixture
def judge() -> Iterator[Callable[..., None]]:
    """Has axe-core look at a page as it stands; what it finds fails the test at its end, all at once."""
    found: list[str] = []
    yield lambda page, where="": found.extend(axe.look(page, where))
    assert not found, "\n" + "\n".join(found)
