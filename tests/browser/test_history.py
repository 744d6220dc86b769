"""What was changed is seen in the history, and taken back from there and from the message after it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.steps import button, edit, field, save, stored

pytestmark = pytest.mark.browser


def test_an_edit_is_taken_back_and_a_deleted_session_comes_back(sign_in, ada):
    session = ada.session("Monday", ada.project("Sleep"), tags=["first"])
    page = sign_in(ada)
    edit(page, session)
    field(page, "Name").fill("Tuesday")
    save(page)
    assert stored(ada, session)["name"] == "Tuesday"

    button(page, "Undo").click()
    expect(page.get_by_role("heading", name="Monday", level=1)).to_be_visible()
    assert stored(ada, session)["name"] == "Monday"

    edit(page, session)
    field(page, "Name").fill("Wednesday")
    save(page)
    ada("PATCH", f"stem/session/{session['id']}", {"tags": []})
    page.goto(f"/sessions/{session['id']}")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("main").get_by_role("listitem").first).to_contain_text(
        "with the token “tests”"
    )
    page.get_by_role("button", name=re.compile("Restore this state of")).last.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("The earlier state was restored.")
    assert (stored(ada, session)["name"], stored(ada, session)["tags"]) == ("Monday", ["first"])

    before = stored(ada, session)
    page.get_by_role("link", name="Delete").click()
    button(page, "Delete session").click()
    expect(page.get_by_role("status").first).to_contain_text("was deleted")
    page.goto("/activity/")
    page.get_by_role("link", name="Monday").first.click()
    expect(page.get_by_role("main")).to_contain_text("This session was deleted by")
    button(page, "Restore session").click()
    expect(page.get_by_role("heading", name="Monday", level=1)).to_be_visible()
    assert stored(ada, session) == before
