"""Searching everything from the header: by keyboard alone, by mouse, without scripts, on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.steps import announced

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def lab(ada):
    project = ada.project("Vision")
    subject = ada.made("stem/subject/", {"name": "Cori", "projects": [project["id"]]})
    session = ada.session("Monday", project, description="Gratings")
    ada.made("modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]})
    ada.session("Cori at noon", project)
    return ada


def field(page):
    return page.get_by_role("combobox", name="Search everything")


def options(page):
    return page.get_by_role("listbox", name="Suggestions").get_by_role("option")


def test_by_keyboard_alone(lab, sign_in):
    page = sign_in(lab)
    page.goto("/projects/")
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()
    expect(field(page)).to_have_value("")
    page.keyboard.type("cori")
    expect(options(page)).to_have_count(4)
    expect(field(page)).to_have_attribute("aria-expanded", "true")
    announced(page, "3 found; the arrow keys choose")

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options(page).nth(1)).to_have_attribute("aria-selected", "true")
    chosen = options(page).nth(1).get_attribute("id")
    expect(field(page)).to_have_attribute("aria-activedescendant", chosen)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field(page)).not_to_have_attribute("aria-activedescendant", chosen)

    # Escape closes; the arrow keys open again.
    page.keyboard.press("Escape")
    expect(options(page)).to_have_count(0)
    expect(field(page)).to_have_attribute("aria-expanded", "false")
    expect(field(page)).to_have_value("cori")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_title("Cori at noon · BrainSTEM")


def test_enter_leads_to_all_results(lab, sign_in):
    page = sign_in(lab)
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("cori")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sessions 2")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Search everything")).to_have_value("cori")
    page.get_by_role("link", name="Monday").click()
    expect(page).to_have_title("Monday · BrainSTEM")


def test_suggestions_follow_what_is_typed(lab, sign_in):
    """Also where the server takes longer over the first letters than over the last."""
    page = sign_in(lab)
    page.goto("/")
    held = []

    def hold_the_first(route):
        if route.request.url.endswith("q=cori&suggest=1"):
            held.append(route)
        else:
            route.continue_()

    page.route("**/search?*", hold_the_first)
    with page.expect_request("**/search?q=cori&suggest=1"):
        field(page).fill("cori")
    field(page).fill("grat")
    expect(options(page).first).to_contain_text("Monday")
    for route in held:
        route.abort()
    expect(options(page).first).to_contain_text("Monday")
    field(page).fill("nowhere")
    expect(page.get_by_text("Nothing found", exact=True).first).to_be_visible()
    announced(page, "Nothing found")
    field(page).fill("n")
    expect(page.get_by_text("Nothing found", exact=True).first).not_to_be_visible()


def test_by_mouse(lab, sign_in):
    page = sign_in(lab)
    page.goto("/")
    field(page).click()
    field(page).fill("cori")
    options(page).filter(has_text="Subject: Cori").click()
    expect(page).to_have_title("Monday · BrainSTEM")
    field(page).fill("cori")
    expect(options(page).first).to_be_visible()
    page.get_by_role("heading", level=1).click()
    expect(options(page)).to_have_count(0)


def test_the_key_can_be_typed_into_fields_and_turned_off(lab, sign_in):
    page = sign_in(lab)
    page.goto("/sessions/")
    page.get_by_label("Search sessions").fill("a")
    page.keyboard.press("/")
    expect(page.get_by_label("Search sessions")).to_have_value("a/")
    page.goto("/search")
    page.get_by_role("checkbox", name="The key / leads to the search field").uncheck()
    page.goto("/")
    page.keyboard.press("/")
    expect(field(page)).not_to_be_focused()
    page.goto("/search")
    expect(page.get_by_role("checkbox", name="The key /")).not_to_be_checked()
    page.get_by_role("checkbox", name="The key /").check()
    page.goto("/")
    page.keyboard.press("/")
    expect(field(page)).to_be_focused()


def test_without_scripts(lab, sign_in):
    page = sign_in(lab, java_script_enabled=False)
    page.goto("/")
    everything = page.get_by_role("searchbox", name="Search everything")
    everything.fill("gratings")
    everything.press("Enter")
    expect(page.get_by_role("heading", name="Sessions 1")).to_be_visible()
    expect(page.locator("mark")).to_have_text(["Gratings"])


def test_on_a_phone(lab, sign_in):
    page = sign_in(lab, **PHONE)
    page.goto("/")
    page.get_by_role("link", name="Search", exact=True).click()
    everything = page.get_by_role("searchbox", name="Search everything")
    expect(everything).to_be_focused()
    everything.fill("cori")
    everything.press("Enter")
    expect(page.get_by_role("heading", name="Subjects 1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
