"""The order of a session's data storages: by mouse, by touch, with arrow keys, with the buttons."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import (
    announced,
    button,
    choose,
    edit,
    expect_order,
    field,
    group,
    save,
    show,
    storage_order,
    stored_order,
)

pytestmark = pytest.mark.browser

NAMES = ("Alpha", "Beta", "Gamma", "Delta")


@pytest.fixture
def session(ada):
    """A session with four data storages; there is a fifth one."""
    storages = [ada.storage(name) for name in NAMES]
    ada.storage("Epsilon")
    ids = [each["id"] for each in storages]
    return ada.session("Ordered", ada.project(), datastorage=ids)


def handle(page: Page, name: str) -> Locator:
    return button(page, f"Reorder {name}")


def places(page: Page, source: str, target: str) -> list[tuple[float, float]]:
    """The way from one handle to the next one's, in small steps as a hand makes them."""
    field(page, "Add data storage").scroll_into_view_if_needed()
    # What was dropped before may still glide to its place.
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")
    first, last = handle(page, source).bounding_box(), handle(page, target).bounding_box()
    x, start = first["x"] + first["width"] / 2, first["y"] + first["height"] / 2
    # A little past the middle of the target, whichever side one comes from.
    end = last["y"] + last["height"] / 2 + (6 if last["y"] > first["y"] else -6)
    return [(x, start + (end - start) * step / 12) for step in range(13)]


def saved_as(page: Page, ada, session, *names: str) -> None:
    expect_order(page, *names)
    save(page)
    where = page.get_by_role("region", name="Where is my data?")
    shown = where.get_by_role("heading", level=3).get_by_role("link")
    expect(shown).to_have_text(list(names))
    assert stored_order(ada, session) == list(names)


def test_dragged_with_the_mouse(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    for source, target in (("Alpha", "Gamma"), ("Delta", "Beta")):
        way = places(page, source, target)
        page.mouse.move(*way[0])
        page.mouse.down()
        for place in way:
            page.mouse.move(*place)
        page.mouse.up()
    announced(page, "Delta moved to position 1 of 4")
    saved_as(page, ada, session, "Delta", "Beta", "Gamma", "Alpha")


def test_dragged_with_a_finger(sign_in, ada, session):
    page = sign_in(ada, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    edit(page, session)
    way = places(page, "Alpha", "Gamma")
    scrolled = page.evaluate("scrollY")
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", way[0])
    for place in way:
        touch("touchMove", place)
    touch("touchEnd")
    announced(page, "Alpha moved to position 3 of 4")
    assert page.evaluate("scrollY") == scrolled
    saved_as(page, ada, session, "Beta", "Gamma", "Alpha", "Delta")


def test_moved_with_the_arrow_keys(sign_in, ada, session):
    """No other key first, and the focus stays on the handle."""
    page = sign_in(ada)
    edit(page, session)
    alpha, delta = handle(page, "Alpha"), handle(page, "Delta")
    alpha.focus()
    page.keyboard.press("ArrowDown")
    expect(alpha).to_be_focused()
    announced(page, "Alpha moved to position 2 of 4")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")  # it is the last one already
    expect_order(page, "Beta", "Gamma", "Delta", "Alpha")
    expect(alpha).to_be_focused()
    announced(page, "Alpha moved to position 4 of 4")
    delta.focus()
    page.keyboard.press("ArrowUp")
    expect(delta).to_be_focused()
    announced(page, "Delta moved to position 2 of 4")
    saved_as(page, ada, session, "Beta", "Delta", "Gamma", "Alpha")


def test_moved_with_the_buttons(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    down = button(page, "Move Alpha down")
    down.click()
    expect(down).to_be_focused()
    down.click()
    announced(page, "Alpha moved to position 3 of 4")
    button(page, "Move Gamma up").click()
    button(page, "Move Gamma up").click(force=True)  # it is the first one already
    button(page, "Move Delta down").click(force=True)  # and this one the last
    saved_as(page, ada, session, "Gamma", "Beta", "Alpha", "Delta")


def test_removed_and_added_again(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    button(page, "Remove Beta").click()
    announced(page, "Beta removed")
    expect_order(page, "Alpha", "Gamma", "Delta")
    button(page, "Remove Alpha").click()
    choose(page, "Add data storage", "Epsilon")
    announced(page, "Epsilon added at position 3")
    choose(page, "Add data storage", "Beta")
    expect_order(page, "Gamma", "Delta", "Epsilon", "Beta")
    field(page, "Add data storage").press_sequentially("a")
    offered = page.get_by_role("option").filter(visible=True)
    expect(offered).to_have_text(["Alpha"])
    field(page, "Add data storage").press("Escape")
    field(page, "Add data storage").fill("")
    handle(page, "Beta").focus()
    page.keyboard.press("ArrowUp")
    saved_as(page, ada, session, "Gamma", "Delta", "Beta", "Epsilon")


def test_all_removed(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    for name in NAMES:
        button(page, f"Remove {name}").click()
    expect(storage_order(page)).to_have_count(0)
    save(page)
    assert stored_order(ada, session) == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_the_accessible_names(sign_in, ada, session, script):
    """Each name of the session's form is there exactly once."""
    page = sign_in(ada, java_script_enabled=script)
    edit(page, session)
    for label in ("Name", "Description", "Date and time", "Tags", "Name used in storage"):
        expect(field(page, label)).to_have_count(1)
    several = "combobox" if script else "listbox"
    expect(page.get_by_label("Projects")).to_have_count(1)
    expect(page.get_by_role(several, name="Projects", exact=True)).to_have_count(1)
    expect(page.get_by_role("combobox", name="Add data storage", exact=True)).to_have_count(1)
    expect(page.get_by_label("Add data storage")).to_have_count(1)
    for name in ("Data storage", "Extra fields"):
        expect(group(page, name)).to_have_count(1)
    expect(page.get_by_role("list", name="Data storage order")).to_have_count(1)
    expect(storage_order(page)).to_have_text([re.compile(name) for name in NAMES])
    for name in NAMES:
        expect(handle(page, name)).to_have_count(1 if script else 0)
        for each in (f"Move {name} up", f"Move {name} down", f"Remove {name}"):
            expect(button(page, each)).to_have_count(1)
    for name in ("Add field", "Save session"):
        expect(page.get_by_role("button", name=name)).to_have_count(1)
    for name, cells in (("field", ("Key", "Type", "Value")), ("link", ("Repository", "URL"))):
        if name == "link":
            if script:
                show(page, "Online repositories")
            expect(group(page, "Download links")).to_have_count(1)
        button(page, f"Add {name}").click()
        expect(button(page, f"Remove {name}")).to_have_count(1)
        for cell in cells:
            expect(field(page, cell)).to_have_count(1)
