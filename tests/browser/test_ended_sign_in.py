"""A form that is sent after the sign-in has ended, or the network, stays as it is and goes on."""

import re

import pytest
from playwright.sync_api import Page, expect

from brainstem.core.permissions import Role
from brainstem.extensions import db
from brainstem.records.users import User
from tests.browser.steps import (
    announced,
    button,
    crash,
    edit,
    end_sign_in,
    field,
    kept,
    save,
    stored,
)
from tests.people import PASSWORD

pytestmark = pytest.mark.browser

SAVE = "Save session"


@pytest.fixture
def session(ada):
    return ada.session("Night", ada.project("Sleep"), description="As it was")


def dialog(page: Page, name: str = "Sign in again"):
    return page.get_by_role("dialog", name=name)


def signs_in_again(page: Page, email: str | None = None, password: str = PASSWORD) -> None:
    shown = dialog(page)
    expect(field(shown, "Password")).to_be_focused()
    if email:
        field(shown, "Email").fill(email)
    field(shown, "Password").fill(password)
    field(shown, "Password").press("Enter")


def test_one_signs_in_again_on_top_of_the_page(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Typed for an hour")
    end_sign_in(page)
    button(page, SAVE).click()
    expect(dialog(page)).to_have_accessible_description(re.compile("Nothing is lost"))
    expect(field(dialog(page), "Email")).to_have_value("ada@lab.org")
    signs_in_again(page, password="wrong")
    expect(dialog(page).get_by_role("alert")).to_have_text(
        "The email address or the password is wrong."
    )
    expect(field(dialog(page), "Password")).to_be_focused()
    signs_in_again(page)
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert stored(ada, session)["description"] == "Typed for an hour"


def test_or_not_now_and_the_focus_is_where_it_was(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Name").fill("Night three")
    end_sign_in(page)
    field(page, "Name").press("Enter")
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_have_count(0)
    expect(field(page, "Name")).to_be_focused()
    expect(field(page, "Name")).to_have_value("Night three")
    announced(page, "Not saved.")
    field(page, "Name").press("Enter")
    button(dialog(page), "Not now").click()
    expect(dialog(page)).to_have_count(0)
    page.once("dialog", lambda asked: asked.dismiss())
    with page.expect_event("dialog") as asked:
        page.get_by_role("link", name="Cancel").click(no_wait_after=True)
    assert asked.value.type == "beforeunload"
    assert stored(ada, session)["name"] == "Night"


def test_somebody_else_who_signs_in_is_asked(sign_in, ada, ben, session):
    ada.share("project", {"id": session["projects"][0]}, ben.email, Role.CONTRIBUTOR)
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Whose?")
    end_sign_in(page)
    button(page, SAVE).click()
    signs_in_again(page, ben.email)
    other = dialog(page, "Signed in as ben@lab.org")
    expect(other).to_have_accessible_description(
        re.compile("You filled in this form as ada@lab.org")
    )
    expect(button(other, "Save as ben@lab.org")).to_be_focused()
    button(other, "Not now").click()
    assert stored(ada, session)["description"] == "As it was"
    button(page, SAVE).click()  # Ben is signed in by now
    button(dialog(page, "Signed in as ben@lab.org"), "Save as ben@lab.org").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert stored(ada, session)["description"] == "Whose?"


def test_a_sign_in_in_another_tab_is_enough(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("From the first tab")
    end_sign_in(page)
    other = page.context.new_page()
    other.goto("/login")
    field(other, "Email").fill(ada.email)
    field(other, "Password").fill(PASSWORD)
    button(other, "Sign in").click()
    expect(button(other, "Sign out")).to_be_visible()
    save(page)
    assert stored(ada, session)["description"] == "From the first tab"


def test_without_scripts_the_form_comes_back_after_signing_in(sign_in, ada, session):
    page = sign_in(ada, java_script_enabled=False)
    edit(page, session)
    field(page, "Description").fill("Typed\nfor an hour")
    end_sign_in(page)
    button(page, SAVE).click()
    expect(page.get_by_role("heading", name="Sign in again")).to_be_visible()
    field(page, "Email").fill(ada.email)
    field(page, "Password").fill(PASSWORD)
    button(page, "Sign in").click()
    expect(field(page, "Description")).to_have_value("Typed\nfor an hour")
    assert stored(ada, session)["description"] == "As it was"
    save(page)
    assert stored(ada, session)["description"].splitlines() == ["Typed", "for an hour"]


def test_somebody_who_has_left_stays_outside(app, sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Too late")
    with app.app_context():
        db.session.get(User, ada.id).is_active = False
        db.session.commit()
    button(page, SAVE).click()
    signs_in_again(page)
    expect(dialog(page).get_by_role("alert")).to_contain_text("is wrong")


def test_passwords_and_tokens_are_never_kept(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    token = page.locator("form[data-record-form] [name=csrf_token]").input_value()
    end_sign_in(page)
    button(page, SAVE).click()
    field(dialog(page), "Password").fill(PASSWORD)
    page.keyboard.press("Escape")
    field(page, "Description").fill("Work")
    kept(page)
    everything = page.evaluate("JSON.stringify(localStorage)")
    assert "Work" in everything
    assert PASSWORD not in everything
    assert token not in everything


# -- A lost network ----------------------------------------------------------------------------


def test_a_save_that_reaches_nobody_says_so_and_can_be_tried_again(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Written on the train")
    page.context.set_offline(True)
    button(page, SAVE).click()
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("The server can’t be reached. Nothing was saved")
    expect(field(page, "Description")).to_have_value("Written on the train")
    kept(page)
    page.context.set_offline(False)
    button(trouble, "Try again").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert stored(ada, session)["description"] == "Written on the train"


def test_and_what_was_typed_is_there_the_next_day(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    page.context.set_offline(True)
    field(page, "Description").fill("Written on the train")
    button(page, SAVE).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.context.set_offline(False)
    page = crash(page)
    edit(page, session)
    button(page, "Take it up again").click()
    expect(field(page, "Description")).to_have_value("Written on the train")
    save(page)
