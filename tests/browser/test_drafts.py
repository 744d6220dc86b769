"""Unsaved work survives a crash or a closed tab: the browser keeps it, and offers it again."""

import re

import pytest
from playwright.sync_api import Page, expect

from brainstem.core.permissions import Role
from tests.browser.steps import (
    announced,
    button,
    choose,
    crash,
    edit,
    field,
    kept,
    rows,
    save,
    stored,
)

pytestmark = pytest.mark.browser

SAVE = "Save session"
TAKE_UP = "Take it up again"


@pytest.fixture
def session(ada):
    return ada.session("Night", ada.project("Sleep"), description="As it was")


def offer(page: Page):
    return page.get_by_role("region", name="Unsaved work")


def test_after_a_crash_everything_is_offered_again(sign_in, ada, session):
    ada.storage("Archive")
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Two lines,\n\n and <b>more</b>")
    field(page, "Tags").press_sequentially("awake,")
    choose(page, "Add data storage", "Archive")
    button(page, "Add field").click()
    field(rows(page, "Extra fields").last, "Key").fill("room")
    field(rows(page, "Extra fields").last, "Value").fill("B115")
    kept(page)

    page = crash(page)
    edit(page, session)
    expect(offer(page)).to_contain_text(
        re.compile(r"You have unsaved work from \d\d:\d\d on this session\.")
    )
    announced(page, offer(page).get_by_role("paragraph").inner_text())
    expect(field(page, "Description")).to_have_value("As it was")
    button(page, TAKE_UP).click()
    expect(field(page, "Description")).to_have_value("Two lines,\n\n and <b>more</b>")
    expect(offer(page)).to_have_count(0)
    assert stored(ada, session)["description"] == "As it was"
    save(page)
    now = stored(ada, session)
    assert now["description"].splitlines() == ["Two lines,", "", " and <b>more</b>"]
    assert (now["tags"], now["extra_fields"]) == (["awake"], {"room": "B115"})
    assert len(now["datastorage"]) == 1
    edit(page, session)
    expect(field(page, "Name")).to_have_value("Night")
    expect(offer(page)).to_have_count(0)


def test_also_of_a_new_record_and_only_there(sign_in, ada, ben):
    page = sign_in(ada)
    page.goto("/projects/new")
    field(page, "Name").fill("Half a thou")
    kept(page)
    page = crash(page)
    page.goto("/subjects/new")
    expect(field(page, "Name")).to_be_visible()
    expect(offer(page)).to_have_count(0)
    page.goto("/projects/new")
    expect(offer(page)).to_be_visible()
    button(page, TAKE_UP).click()
    field(page, "Name").press("End")
    field(page, "Name").press_sequentially("ght")
    save(page, "Save project")
    assert [each["name"] for each in ada.get("stem/project/")["projects"]] == ["Half a thought"]
    page.goto("/projects/new")
    expect(field(page, "Name")).to_have_value("")
    expect(offer(page)).to_have_count(0)


def test_it_can_be_discarded_and_that_undone(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Not this")
    kept(page)
    page = crash(page)
    edit(page, session)
    button(page, "Discard").click()
    announced(page, "The unsaved work is discarded.")
    expect(button(page, "Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(button(page, TAKE_UP)).to_be_focused()
    button(page, "Discard").click()
    page.reload()
    expect(field(page, "Description")).to_have_value("As it was")
    expect(offer(page)).to_have_count(0)


def test_what_somebody_saved_meanwhile_is_not_overwritten(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Mine")
    kept(page)
    page = crash(page)
    ada("PATCH", f"stem/session/{session['id']}/", {"description": "Theirs", "tags": ["new"]})
    edit(page, session)
    expect(offer(page)).to_contain_text("It was saved by somebody since then")
    button(page, TAKE_UP).click()
    expect(field(page, "Description")).to_have_value("Mine")
    button(page, SAVE).click()
    both = page.get_by_role("group", name="Description")
    expect(both).to_contain_text("Theirs")
    both.get_by_label("Yours", exact=True).check()
    save(page)
    now = stored(ada, session)
    assert (now["description"], now["tags"]) == ("Mine", ["new"])
    edit(page, session)
    expect(field(page, "Description")).to_have_value("Mine")
    expect(offer(page)).to_have_count(0)


def test_what_is_typed_and_taken_back_is_no_work(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Something")
    kept(page)
    field(page, "Description").fill("As it was")
    expect(page.get_by_text("Kept in this browser")).to_have_count(0)
    page.get_by_role("link", name="Cancel").click()  # no question on the way
    expect(button(page, SAVE)).to_have_count(0)


def test_a_refused_form_goes_on_being_kept(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Name").fill("")
    field(page, "Description").fill("Long work")
    button(page, SAVE).click()
    expect(page.get_by_role("alert")).to_be_visible()
    kept(page)
    page = crash(page)
    edit(page, session)
    button(page, TAKE_UP).click()
    expect(field(page, "Description")).to_have_value("Long work")
    field(page, "Name").fill("Night two")
    save(page)
    edit(page, session)
    expect(field(page, "Name")).to_have_value("Night two")
    expect(offer(page)).to_have_count(0)


def test_what_is_typed_after_going_back_is_new_work(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Saved")
    save(page)
    page.go_back()
    field(page, "Description").fill("And more")
    kept(page)
    page = crash(page)
    page.goto("/")
    edit(page, session)
    button(page, TAKE_UP).click()
    expect(field(page, "Description")).to_have_value("And more")


def test_signing_out_asks_and_forgets(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Secret")
    kept(page)
    page = crash(page)
    page.goto("/")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    button(page, "Sign out").click()
    assert "Signing out discards it" in asked[0]
    expect(button(page, "Sign out")).to_be_visible()
    page.once("dialog", lambda dialog: dialog.accept())
    button(page, "Sign out").click()
    expect(page.get_by_role("status")).to_contain_text("You are signed out.")
    assert page.evaluate("Object.values(localStorage).join().includes('Secret')") is False


def test_somebody_else_in_the_same_browser_is_not_offered_it(sign_in, ada, ben, session):
    ada.share("project", {"id": session["projects"][0]}, ben.email, Role.CONTRIBUTOR)
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Ada's")
    kept(page)
    page = crash(page)
    cookie = ben.browser().client.get_cookie("brainstem").value
    address = ada.app.config["SERVED_AT"]
    page.context.add_cookies([{"name": "brainstem", "value": cookie, "url": address}])
    edit(page, session)
    expect(field(page, "Description")).to_have_value("As it was")
    expect(offer(page)).to_have_count(0)


def test_what_is_kept_is_bounded(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    page.evaluate(
        """user => { for (let n = 0; n < 50; n += 1) localStorage.setItem(`brainstem:draft:${n}`,
           JSON.stringify({ id: String(n), user, address: '/x', at: Date.now() - n, fields: [] })) }""",
        str(ada.id),
    )
    field(page, "Description").fill("x" * 600_000)
    expect(page.get_by_text("Too large to be kept in this browser")).to_be_visible()
    field(page, "Description").fill("small")
    kept(page)
    assert page.evaluate("Object.keys(localStorage).length") <= 30


def test_leaving_warns(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").press_sequentially("x")
    page.once("dialog", lambda asked: asked.dismiss())
    with page.expect_event("dialog") as asked:
        page.get_by_role("link", name="Dashboard").click(no_wait_after=True)
    assert asked.value.type == "beforeunload"
    expect(button(page, SAVE)).to_be_visible()
    save(page)  # and saving does not
