"""axe-core finds nothing either while pages are worked with: panels, messages, dialogs, steps."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from brainstem import demo
from brainstem.core.permissions import Actor
from tests.browser.addresses import fill
from tests.browser.steps import button, edit, field, group, refuse, save

pytestmark = pytest.mark.browser

TABLE = "session__name,session__date_time,who\nrat5_1,2023-03-22 15:30,Ada\nrat5_2,soon,Ada\n"


@pytest.fixture
def ada(person):
    """An administrator: she sees every page."""
    return person("ada@lab.org", admin=True)


def test_forms_at_work(app, sign_in, ada, judge):
    """What scripts add and the server answers: rows, messages, drafts, the dialog, two versions."""
    ada.storage("Archive")
    ada.project("Another")
    storages = [ada.storage(name)["id"] for name in ("Beta", "Gamma")]
    session = ada.session("Night", ada.project(), datastorage=storages, tags=["a"])
    page = sign_in(ada)
    edit(page, session)
    for tab in page.get_by_role("tab").all()[::-1]:
        tab.click()
        for add in page.get_by_role("button", name=re.compile("^Add .+")).all():
            add.click()
        judge(page, f"A form in use, {tab.inner_text()}")
    field(page, "Key").last.fill("2bad")
    field(page, "Name").fill("")
    expect(page.get_by_text("Kept in this browser")).to_be_visible()
    judge(page, "A form in use")
    field(page, "Projects").press("ArrowDown")
    expect(page.get_by_role("listbox").first).to_be_visible()
    judge(page, "A list to choose from")
    page.keyboard.press("Escape")
    refuse(page)
    judge(page, "A form in error")
    kept = page.context.new_page()
    page.close(run_before_unload=False)
    page = kept
    edit(page, session)
    expect(button(page, "Discard")).to_be_visible()
    judge(page, "Unsaved work, offered")
    button(page, "Discard").click()
    judge(page, "Unsaved work, discarded")
    field(page, "Description").fill("Mine")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    button(page, "Save session").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    judge(page, "Sign in again")
    button(page.get_by_role("dialog"), "Sign in and save").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()
    judge(page, "Sign in again, refused")
    page.keyboard.press("Escape")
    page.context.clear_cookies()
    page.context.add_cookies(cookies)
    ada("PATCH", f"stem/session/{session['id']}/", {"description": "Theirs", "tags": ["b"]})
    button(page, "Save session").click()
    expect(group(page, "Description").get_by_label("Theirs", exact=True)).to_be_visible()
    judge(page, "Two versions")
    page.context.set_offline(True)
    button(page, "Save session").click()
    expect(page.get_by_role("alert")).to_be_visible()
    judge(page, "A lost network")
    page.context.set_offline(False)
    save(page)
    judge(page, "Saved")


def test_without_scripts_signing_in_again(sign_in, ada, judge):
    """The page itself; axe needs scripts, so the form is sent by hand."""
    page = sign_in(ada)
    page.goto("/projects/new")
    page.context.clear_cookies(name="brainstem")
    page.evaluate("document.querySelector('form[data-record-form]').submit()")
    expect(page.get_by_role("heading", name="Sign in again")).to_be_visible()
    judge(page, "Sign in again, a page")


def test_tokens_and_devices(app, sign_in, ada, judge):
    page = sign_in(ada)
    page.goto("/account/tokens/")
    field(page, "Name").fill("script")
    button(page, "Create token").click()
    expect(page.get_by_role("region", name="Your new token")).to_be_visible()
    judge(page, "A new token")
    asked = app.test_client().post("/api/auth/device/", json={"client_name": "MATLAB"}).json
    page.goto(f"/account/authorize/?user_code={asked['user_code']}")
    judge(page, "A device")


def test_a_list_at_work(app, sign_in, ada, judge):
    with app.app_context():
        demo.load(Actor(ada.id))
    fill(ada)
    page = sign_in(ada)
    page.goto("/sessions/")
    panels = page.locator("[data-panel]")
    expect(panels.first).to_be_visible()
    for name in [each.get_attribute("data-panel") for each in panels.all()]:
        page.goto("/sessions/")
        page.locator(f'[data-panel="{name}"]').click()
        expect(page.locator(f'[data-open-panel="{name}"]')).to_be_visible()
        judge(page, f"The list, {name}")
    page.goto("/sessions/?calendar=latest")
    judge(page)
    field(page, "Search sessions").fill("nothing like this")
    expect(page.get_by_role("main").get_by_role("link", name="Cori_2016-12-14")).to_have_count(0)
    judge(page, "The list, nothing found")


def test_searching(sign_in, ada, judge):
    fill(ada)
    page = sign_in(ada)
    page.goto("/projects/")
    page.keyboard.press("/")
    page.keyboard.type("sess")
    expect(page.get_by_role("option").first).to_be_visible()
    judge(page, "Search, suggestions")
    page.get_by_role("combobox", name="Search everything").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    judge(page, "Search, results")


def test_several_at_once(sign_in, ada, judge):
    project = ada.project("Cortex")
    for number in range(3):
        ada.session(f"M12 {number}", project, tags=["raw"])
    page = sign_in(ada)
    page.goto("/sessions/")
    page.get_by_role("checkbox", name="Select M12 0", exact=True).check()
    judge(page, "Some selected")
    button(page, "Edit selected…").click()
    refuse(page, "Show what changes")
    judge(page, "Bulk edit, refused")
    page.wait_for_load_state()
    field(page, "Add tags").press_sequentially("pilot,")
    button(page, "Show what changes").click()
    expect(page.get_by_role("heading", name="Change 1 session?")).to_be_visible()
    judge(page, "Bulk edit, shown")
    button(page, "Change 1 session").click()
    expect(button(page, "Undo")).to_be_visible()
    judge(page, "Bulk edit, done")


def test_importing(sign_in, ada, judge):
    ada.project("Maps")
    page = sign_in(ada)
    page.goto("/import/?kind=sessions")
    refuse(page, "Continue")
    judge(page, "Import, no file")
    table = {"name": "rats.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    page.get_by_label("CSV file").set_input_files(table)
    button(page, "Continue").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Which column is what?")
    judge(page, "Import, columns")
    button(page, "Check the rows").click()
    expect(heading).to_have_text("What the import would do")
    judge(page, "Import, checked")
    page.get_by_role("button", name=re.compile("^Import the other")).click()
    expect(heading).to_have_text("Imported")
    judge(page, "Import, done")
