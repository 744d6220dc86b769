"""Where Tom Select and SortableJS were not installed, or did not arrive, the forms do their work."""

import pytest

from brainstem.core import choosing
from brainstem.views import pages
from tests.browser.steps import (
    button,
    edit,
    expect_order,
    field,
    rows,
    save,
    stored,
    stored_order,
)

pytestmark = pytest.mark.browser


@pytest.fixture(params=["not installed", "not arrived"])
def page(request, sign_in, ada, monkeypatch):
    page = sign_in(ada)
    if request.param == "not installed":
        monkeypatch.setattr(pages, "vendor", lambda app: set())
    else:
        page.context.route("**/static/*/vendor/*", lambda route: route.abort())
    return page


def test_a_session_is_created_and_edited(page, ada):
    for name in ("Alpha", "Beta", "Gamma"):
        ada.storage(name)
    for name in ("Cortex maps", "Sleep"):
        ada.project(name)
    page.goto("/sessions/new")
    field(page, "Name").fill("Bare")
    field(page, "Projects").select_option(["Sleep"])
    field(page, "Tags").fill("awake, deep")
    for name in ("Gamma", "Alpha"):
        field(page, "Add data storage").select_option(name)
    # By keyboard each arrow key chooses, so the button adds.
    field(page, "Add data storage").focus()
    page.keyboard.press("ArrowDown")
    expect_order(page, "Gamma", "Alpha")
    button(page, "Add").click()
    expect_order(page, "Gamma", "Alpha", "Beta")
    button(page, "Reorder Beta").focus()
    page.keyboard.press("ArrowUp")
    button(page, "Move Gamma down").click()
    expect_order(page, "Beta", "Gamma", "Alpha")
    button(page, "Add field").click()
    field(rows(page, "Extra fields"), "Key").fill("room")
    field(rows(page, "Extra fields"), "Value").fill("B115")
    save(page)

    (session,) = ada.get("stem/session/")["sessions"]
    assert session["tags"] == ["awake", "deep"]
    assert session["extra_fields"] == {"room": "B115"}
    assert stored_order(ada, session) == ["Beta", "Gamma", "Alpha"]

    edit(page, session)
    button(page, "Remove Gamma").click()
    field(page, "Projects").select_option(["Sleep", "Cortex maps"])
    field(page, "Tags").fill("")
    save(page)
    assert stored_order(ada, session) == ["Beta", "Alpha"]
    assert stored(ada, session)["tags"] == []
    assert len(stored(ada, session)["projects"]) == 2


def test_there_is_more_to_choose_from_than_a_page_holds(page, ada, judge, monkeypatch):
    """The first are offered; a button finds the others, and keeps what was typed."""
    monkeypatch.setattr(choosing, "MOST", 2)
    for name in ("Cortex maps", "Maze", "Sleep"):
        ada.project(name)
    page.goto("/sessions/new")
    field(page, "Name").fill("Night")
    judge(page, "A form with more to choose from than it shows")
    others = page.locator("#projects-others")
    others.get_by_role("searchbox").fill("sle")
    others.get_by_role("button").click()
    field(page, "Projects").select_option(["Sleep"])
    save(page)
    (session,) = ada.get("stem/session/?include[]=projects")["sessions"]
    assert (session["name"], session["projects"][0]["name"]) == ("Night", "Sleep")
