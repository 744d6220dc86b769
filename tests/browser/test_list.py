"""A data manager looks through a list: she types, filters, chooses columns, keeps the view, downloads it."""

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import announced, button, field

pytestmark = pytest.mark.browser


def listed(page: Page, *names: str) -> None:
    """The list shows these records, in this order."""
    expect(page.locator("tbody .record-link")).to_have_text(list(names))


@pytest.fixture
def sessions(ada):
    rats, mice = ada.project("Rats"), ada.project("Mice")
    disk = ada.storage("Lab disk")
    for number, project, tags, stored in (
        (1, rats, ["wheel"], True),
        (2, rats, ["wheel", "good"], False),
        (3, mice, ["good"], True),
        (4, mice, [], False),
    ):
        ada.session(
            f"Run {number}",
            project,
            tags=tags,
            datastorage=[disk["id"]] * stored,
            date_time=f"2026-03-{number:02}T10:00:00Z",
            extra_fields={"depth": 100 - number},
        )


def test_a_list_answers_while_one_types_and_ticks(sign_in, ada, sessions, tmp_path):
    page = sign_in(ada)
    page.goto("/sessions/")
    listed(page, "Run 1", "Run 2", "Run 3", "Run 4")

    # Typing: the list follows, the focus stays, the address says it, and a screen reader hears it.
    search = field(page, "Search sessions")
    search.press_sequentially("whe")
    listed(page, "Run 1", "Run 2")
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile(r"/sessions/\?q=whe$"))
    announced(page, "2 sessions")
    search.fill("")
    listed(page, "Run 1", "Run 2", "Run 3", "Run 4")

    # By keyboard: a panel opens at its first choice, a choice applies at once, Escape leads back.
    page.get_by_role("link", name="Projects", exact=True).and_(
        page.locator("#filter-projects")
    ).focus()
    page.keyboard.press("Enter")
    expect(field(page, "Mice")).to_be_focused()
    page.keyboard.press("Space")
    listed(page, "Run 3", "Run 4")
    expect(field(page, "Mice")).to_be_focused()
    expect(page.get_by_role("list", name="Filters")).to_contain_text("Projects Mice")
    page.keyboard.press("Escape")
    expect(page.locator("#filter-projects")).to_be_focused()
    expect(field(page, "Mice")).to_have_count(0)

    # What is set in one panel holds while another one is used, and while one types.
    page.locator("#filter-more").click()
    field(page, "Data storage").check()
    listed(page, "Run 4")
    page.get_by_role("link", name="Remove filter Projects Mice").click()
    listed(page, "Run 2", "Run 4")

    # Columns, an extra field among them, and the order by it.
    page.locator("#tool-columns").click()
    field(page, "depth").check()
    expect(page.get_by_role("columnheader", name="depth")).to_be_visible()
    field(page, "Projects").uncheck()
    expect(page.get_by_role("columnheader", name="Projects")).to_have_count(0)
    page.get_by_role("columnheader", name="depth").get_by_role("link").click()
    listed(page, "Run 4", "Run 2")

    # The view is kept under a name, and found again.
    page.get_by_text("Save view", exact=True).first.click()
    field(page, "Name of the view").fill("Not stored")
    button(page, "Save view").click()
    expect(page.get_by_role("status")).to_contain_text("Not stored")
    page.goto("/sessions/")
    page.get_by_role("navigation", name="Saved views").get_by_role(
        "link", name="Not stored"
    ).click()
    listed(page, "Run 4", "Run 2")

    # After more typing the download is still what is shown.
    field(page, "Search sessions").press_sequentially("run 4")
    listed(page, "Run 4")
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as started:
        page.get_by_role("link", name=re.compile("^CSV")).click()
    target = tmp_path / "list.csv"
    started.value.save_as(target)
    rows = list(csv.DictReader(io.StringIO(Path(target).read_text("utf-8-sig"))))
    assert [(row["name"], row["extra_fields.depth"]) for row in rows] == [("Run 4", "96")]


def test_the_calendar_filters_by_click_and_by_arrow_keys(sign_in, ada, sessions):
    page = sign_in(ada)
    page.goto("/sessions/")
    page.locator("#tool-calendar").click()
    expect(page.get_by_role("heading", name="2026", exact=True)).to_be_visible()
    first = page.get_by_role("link", name="1 March 2026: 1 session")
    first.focus()
    page.keyboard.press("ArrowRight")
    second = page.get_by_role("link", name="2 March 2026: 1 session")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    listed(page, "Run 2")
    page.get_by_role("link", name="3 March 2026: 1 session").click()
    listed(page, "Run 3")
    # It counts what the other filters leave.
    field(page, "Search sessions").press_sequentially("wheel")
    expect(page.get_by_role("link", name="3 March 2026: 1 session")).to_have_count(0)
    expect(first).to_be_visible()
    page.get_by_role("link", name="Clear all").click()
    listed(page, "Run 1", "Run 2", "Run 3", "Run 4")


def test_what_was_ticked_is_edited_after_the_list_has_changed(sign_in, ada, sessions):
    """The rows that came while one typed can be ticked like the first ones."""
    page = sign_in(ada)
    page.goto("/sessions/")
    field(page, "Search sessions").press_sequentially("run 3")
    listed(page, "Run 3")
    field(page, "Select all on this page").check()
    expect(field(page, "Select Run 3")).to_be_checked()
    button(page, "Edit selected…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Edit 1 session")


def test_a_sign_in_that_has_ended_is_asked_for(sign_in, ada, sessions):
    page = sign_in(ada)
    page.goto("/sessions/")
    page.context.clear_cookies()
    field(page, "Search sessions").press_sequentially("run")
    expect(field(page, "Password")).to_be_visible()


def test_names_of_several_records_are_shown_whole(sign_in, ada):
    """One beside others had but one line, in a column as narrow as its longest word."""
    storages = [ada.storage(name) for name in ("Beta NAS", "Gamma tape", "Alpha server")]
    ids = [each["id"] for each in storages]
    long = "Distributed coding of choice, action and engagement across the mouse brain"
    tags = ["Neural coding", "Neuropixels", "mouse", "brain-wide", "vision"]
    ada.session("Cori_2016-12-14", ada.project(long), tags=tags, datastorage=ids[:1])
    project = ada.project("Rats of the hippocampus")
    ada.session("EnterTest2", project, date_time="2026-03-22T15:30:07Z", tags=tags, datastorage=ids)
    page = sign_in(ada, viewport={"width": 1280, "height": 900})
    page.goto("/sessions/")
    for name in ("Beta NAS", "Gamma tape", "Alpha server"):
        link = page.get_by_role("row", name="EnterTest2").get_by_role("link", name=name)
        assert link.evaluate("link => link.scrollHeight <= link.clientHeight"), name
