"""Tags are typed one after another; their list of choices never lies in the way of the next step."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import button, edit, field, save, stored

pytestmark = pytest.mark.browser

#: More than a page has room for, so that the others are searched on the server.
MANY = [f"tag {number:02}" for number in range(60)]


def choices(page: Page):
    return page.get_by_role("listbox", name="Choices").locator("visible=true")


@pytest.mark.parametrize("scripts", [True, False])
def test_how_tags_are_ended_is_said_as_it_is(sign_in, ada, scripts):
    """Without scripts, Enter would save the form."""
    project = ada.project()
    session = ada.session("Tagged", project)
    page = sign_in(ada, java_script_enabled=scripts)
    says = "Enter or a comma ends a tag." if scripts else "Commas stand between tags."
    for address in (f"/sessions/{session['id']}/edit", f"/projects/{project['id']}/edit"):
        page.goto(address)
        expect(field(page, "Tags")).to_have_accessible_description(says)
    page.goto("/sessions/")
    page.get_by_role("checkbox", name="Tagged").check()
    button(page, "Edit selected…").click()
    expect(field(page, "Add tags")).to_have_accessible_description(says)


@pytest.mark.parametrize("end", [",", "Enter"])
def test_an_ended_tag_closes_the_list(sign_in, ada, end):
    """It would lie over the button that saves."""
    session = ada.session("Tagged", ada.project(), tags=["first", "second"])
    page = sign_in(ada)
    edit(page, session)
    tags = field(page, "Tags")
    tags.press_sequentially("third")
    expect(choices(page)).to_have_count(1)
    tags.press(end)
    expect(choices(page)).to_have_count(0)
    expect(tags).to_have_attribute("aria-expanded", "false")
    expect(tags).to_have_value("")
    tags.press_sequentially("third")  # once more: it is there already
    tags.press(end)
    expect(choices(page)).to_have_count(0)
    expect(tags).to_have_value("")
    tags.press_sequentially("fo")
    expect(choices(page)).to_have_count(1)
    tags.press_sequentially(f"urth{end}" if end == "," else "urth")
    tags.press("Enter")
    save(page)
    assert stored(ada, session)["tags"] == ["first", "second", "third", "fourth"]


@pytest.mark.parametrize("end", [",", "Enter", "Escape"])
def test_what_is_found_late_opens_no_list(sign_in, ada, end):
    """The answer to the letters from before would offer all tags, over the button that saves."""
    ada.project("Tagged", tags=MANY)
    project = ada.project()
    page = sign_in(ada)
    page.goto(f"/projects/{project['id']}/edit")
    waiting, late = [], []
    page.route("**/choices/**", lambda route: route.continue_() if late else waiting.append(route))
    tags = field(page, "Tags")
    with page.expect_request("**/choices/**"):
        tags.press_sequentially("new")
        expect(choices(page)).to_have_count(1)
    tags.press(end)
    expect(choices(page)).to_have_count(0)
    with page.expect_response("**/choices/**"):
        late.append(True)
        for route in waiting:
            route.continue_()
    expect(page.locator(".ts-wrapper.loading")).to_have_count(0)
    expect(choices(page)).to_have_count(0)
    tags.press("ArrowDown")  # whoever asks for it gets it
    expect(choices(page)).to_have_count(1)
    tags.press("Escape")
    button(page, "Save project").click()
    expect(page.get_by_role("heading", name="Project", exact=True)).to_be_visible()
    tags = ada.get(f"stem/project/{project['id']}/")["project"]["tags"]
    assert tags == ([] if end == "Escape" else ["new"])
