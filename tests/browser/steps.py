"""What the stories have in common: finding fields by their accessible names, reading what is stored."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.people import Person

SAVE = "Save session"


def field(page: Page | Locator, label: str) -> Locator:
    """A field by its whole label."""
    return page.get_by_label(label, exact=True)


def button(page: Page | Locator, name: str) -> Locator:
    """A button by its whole name."""
    return page.get_by_role("button", name=name, exact=True)


def group(page: Page, name: str) -> Locator:
    """A group of fields."""
    return page.get_by_role("group", name=name, exact=True)


def rows(page: Page, name: str) -> Locator:
    """The rows of a group, such as `Extra fields`."""
    return group(page, name).get_by_role("listitem")


def save(page: Page, name: str = SAVE) -> None:
    """Save the form; the page of the record follows."""
    button(page, name).click()
    expect(button(page, name)).to_have_count(0)
    expect(page.get_by_role("status").first).to_be_visible()


def refuse(page: Page, name: str = SAVE) -> Locator:
    """Save the form, which comes back with a summary of what is wrong."""
    button(page, name).click()
    summary = page.get_by_role("alert")
    expect(summary).to_be_visible()
    return summary


def choose(page: Page, label: str, name: str, typed: str | None = None) -> None:
    """Choose in a searchable list, by typing a part of the name."""
    page.wait_for_load_state()  # or what is typed may come before the list can be searched
    field(page, label).press_sequentially(typed or name[:5])
    page.get_by_role("option", name=name, exact=True).click()


def storage_order(page: Page) -> Locator:
    """The items of the list of data storages."""
    return page.get_by_role("list", name="Data storage order").get_by_role("listitem")


def expect_order(page: Page, *names: str) -> None:
    """The data storages stand in this order."""
    items = storage_order(page)
    expect(items).to_have_count(len(names))
    for item, name in zip(items.all(), names, strict=True):
        expect(item).to_contain_text(name)


def stored(person: Person, record: Any) -> Any:
    """A session as the API tells it."""
    return person.get(f"stem/session/{record['id']}/")["session"]


def stored_order(person: Person, record: Any) -> list[str]:
    """The names of a session's data storages, in the stored order; it counts 0, 1, 2 …"""
    through = person.get(f"stem/sessiondatastorage/?filter{{session}}={record['id']}")
    through = through["sessiondatastorages"]
    assert [row["order"] for row in through] == list(range(len(through)))
    known = person.get("personal_attributes/datastorage/?limit=100")["datastorages"]
    names = {storage["id"]: storage["name"] for storage in known}
    assert [row["datastorage"] for row in through] == stored(person, record)["datastorage"]
    return [names[row["datastorage"]] for row in through]


def version(person: Person, record: Any) -> str:
    """Changes with every change of the session."""
    return person("GET", f"stem/session/{record['id']}/").headers["ETag"]


def show(page: Page, tab: str) -> None:
    """Choose a tab of the form."""
    page.get_by_role("tab", name=tab).click()


def edit(page: Page, record: Any) -> None:
    """Open a session's form."""
    page.goto(f"/sessions/{record['id']}/edit")


def described(locator: Locator, text: str) -> None:
    """The field is marked as being in error, and described by this text among others."""
    expect(locator).to_have_attribute("aria-invalid", "true")
    expect(locator).to_have_accessible_description(re.compile(re.escape(text)))


def announced(page: Page, text: str) -> None:
    """Screen readers were told."""
    expect(page.locator("[aria-live]")).to_have_text(text)


def kept(page: Page) -> None:
    """The browser has kept what was typed."""
    expect(page.get_by_text(re.compile(r"^Kept in this browser, \d\d:\d\d$"))).to_be_visible()


def crash(page: Page) -> Page:
    """The tab is gone, without a word; a new one in the same browser."""
    context = page.context
    page.close(run_before_unload=False)
    return context.new_page()


def end_sign_in(page: Page) -> None:
    page.context.clear_cookies(name="brainstem")
