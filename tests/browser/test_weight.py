"""Pages are light, and no request leaves the server: a lab may have a slow network, or one of its own."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from brainstem import demo
from brainstem.core.permissions import Actor
from tests.browser.addresses import fill, is_page, pages_of

pytestmark = pytest.mark.browser

KB = 1000
FIRST, NEXT = 600 * KB, 60 * KB


class Scales:
    """Counts what a page receives over the network, and remembers whom it asks."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.hosts: set[str] = set()
        self.received = 0
        wire = page.context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.on("Network.loadingFinished", self._count)
        page.on("request", self._look)

    def _count(self, event: dict) -> None:
        self.received += event["encodedDataLength"]

    def _look(self, request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme != "data":
            self.hosts.add(f"{parts.scheme}://{parts.netloc}")

    def weigh(self, address: str, until: str = "load") -> int:
        """The bytes that it takes to open a page; until the network is idle, also those fetched ahead."""
        self.received = 0
        self.page.goto(address, wait_until=until)
        return self.received


@pytest.fixture
def ada(person):
    """An administrator: she sees every page."""
    return person("ada@lab.org", admin=True)


@pytest.fixture
def lab(app, ada):
    """A lab with some 40 sessions, and a record of every kind."""
    with app.app_context():
        demo.load(Actor(ada.id))
    return fill(ada)


def test_the_first_visit_to_any_page(app, sign_in, new_page, ada, lab):
    session = lab["records"]["session"]
    visits = {"/login": new_page()}
    for address in (
        "/",
        "/sessions/",
        f"/sessions/{session}",
        f"/sessions/{session}/edit",
        "/api/",
    ):
        visits[address] = sign_in(ada)
    for address, page in visits.items():
        scales = Scales(page)
        assert 5 * KB < scales.weigh(address, "networkidle") < FIRST, address
        assert scales.hosts == {app.config["SERVED_AT"]}, address


def test_the_second_page_whichever_it_is(app, sign_in, ada, lab):
    session = lab["records"]["session"]
    for address in ("/sessions/", f"/sessions/{session}", f"/sessions/{session}/edit", "/api/"):
        scales = Scales(sign_in(ada))
        scales.weigh("/", "networkidle")
        assert scales.weigh(address, "networkidle") < NEXT, address


def test_every_next_page(app, sign_in, ada, lab):
    """One after the other, as somebody would who has been here before."""
    client = ada.browser().client
    scales = Scales(sign_in(ada))
    scales.weigh("/", "networkidle")
    heavy = {}
    for _, address in pages_of(app, lab):
        if is_page(client, address) and (received := scales.weigh(address)) > NEXT:
            heavy[address] = received
    assert not heavy
    assert scales.hosts == {app.config["SERVED_AT"]}


def test_what_never_changes_is_kept_for_good(app, ada):
    with app.test_request_context():
        kept = [
            app.url_for("static", filename="app.css"),
            app.url_for("bootstrap.static", filename="css/bootstrap.min.css"),
        ]
    client = app.test_client()
    for address in kept:
        with client.get(address) as answer:
            assert "immutable" in answer.headers["Cache-Control"]
    for address in ("/static/app.css", "/favicon.ico"):
        with client.get(address) as answer:
            assert answer.status_code == 200
            assert "immutable" not in answer.headers["Cache-Control"]


def test_answers_are_compressed_but_not_those_of_the_api(app, ada):
    with app.test_request_context():
        style = app.url_for("static", filename="app.css")
    client = ada.browser().client
    for coding in ("gzip", "br"):
        for address in (style, "/sessions/"):
            with client.get(address, headers={"Accept-Encoding": coding}) as answer:
                assert answer.headers["Content-Encoding"] == coding
                assert "Accept-Encoding" in answer.headers["Vary"]
    with client.get(style) as answer:
        assert "Content-Encoding" not in answer.headers
    project = ada.project("Maze")
    one = f"/api/private/stem/project/{project['id']}/"
    answer = client.get(one, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in answer.headers
    changed = ada("PATCH", one, {"name": "Maze 2"}, headers={"If-Match": answer.headers["ETag"]})
    assert changed.status_code == 200
