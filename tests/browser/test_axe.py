"""axe-core finds nothing on any page, with records or without."""

from __future__ import annotations

import pytest

from brainstem.core.permissions import Role
from tests.browser.addresses import DOORS, fill, is_page, pages_of
from tests.browser.steps import field, refuse

pytestmark = pytest.mark.browser


@pytest.fixture
def ada(person):
    """An administrator: she sees every page."""
    return person("ada@lab.org", admin=True)


#: The parts of the program, so that several workers can share them.
PARTS = {
    "records": lambda part, at: part == "pages",
    "forms": lambda part, at: part == "forms",
    "public": lambda part, at: part == "public",
    "reference": lambda part, at: part in ("reference", "api"),
    "history": lambda part, at: part == "history",
}
PARTS["others"] = lambda part, at: not any(PARTS[n](part, at) for n in list(PARTS) if n != "others")


@pytest.mark.parametrize("part", PARTS)
def test_every_page(app, sign_in, ada, judge, part):
    world = fill(ada)
    client = ada.browser().client
    page = sign_in(ada)
    addresses = [at for name, at in pages_of(app, world) if PARTS[part](name, at)]
    assert addresses
    for address in filter(lambda at: is_page(client, at), addresses):
        page.goto(address)
        judge(page)


def test_every_page_without_records(app, sign_in, ada, judge):
    client = ada.browser().client
    page = sign_in(ada)
    seen = [at for name, at in pages_of(app, None) if name not in ("reference", "api")]
    for address in filter(lambda at: is_page(client, at), seen):
        page.goto(address)
        judge(page)


def test_for_whoever_has_not_signed_in(app, page, ada, judge):
    fill(ada)
    for address in DOORS:
        page.goto(address)
        judge(page)
    page.goto("/login")
    field(page, "Email").fill("ada@lab.org")
    refuse(page, "Sign in")
    judge(page, "Signing in, refused")


def test_set_up(page, judge):
    page.goto("/setup")
    judge(page)
    refuse(page, "Create administrator")
    judge(page, "Setting up, refused")


def test_pages_that_say_what_went_wrong(sign_in, ada, judge, complaints):
    page = sign_in(ada)
    page.goto("/nothing")
    judge(page)
    page.goto("/sessions/?sort=nothing")
    judge(page)
    complaints[:] = [each for each in complaints if not each.startswith("404")]


def test_somebody_who_may_only_read(app, sign_in, ada, person, judge):
    world = fill(ada)
    ben = person("ben@lab.org")
    ada.share("project", {"id": world["records"]["project"]}, ben.email, Role.MEMBER)
    page = sign_in(ben)
    for address in ("/", "/sessions/", f"/sessions/{world['records']['session']}", "/people/"):
        page.goto(address)
        judge(page)
