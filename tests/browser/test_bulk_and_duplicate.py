"""Tags for several sessions at once, by keyboard; and yesterday's session again with today's date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import announced, button, choose, field, refuse, stored

pytestmark = pytest.mark.browser


def select(page: Page, name: str):
    return page.get_by_role("checkbox", name=f"Select {name}", exact=True)


def test_several_sessions_are_tagged_and_it_is_undone(sign_in, ada):
    project, storage = ada.project("Cortex"), ada.storage("Archive")
    ada.project("Hippocampus")
    sessions = [
        ada.session(f"M12 {number}", project, tags=["raw"], datastorage=[storage["id"]])
        for number in range(4)
    ]
    page = sign_in(ada)
    page.goto("/sessions/")
    edit = button(page, "Edit selected…")
    edit.click()
    announced(page, "Select some sessions first")

    select(page, "M12 0").focus()
    page.keyboard.press("Space")
    announced(page, "1 session selected")
    expect(page.get_by_text("1 session selected").first).to_be_visible()
    select(page, "M12 2").click(modifiers=["Shift"])
    announced(page, "3 sessions selected")
    page.get_by_role("checkbox", name="3 sessions selected").check()
    announced(page, "4 sessions selected")
    select(page, "M12 3").uncheck()
    edit.click()

    expect(page.get_by_role("heading", name="Edit 3 sessions")).to_be_visible()
    button(page, "Show what changes").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose what to add or what to remove.")
    page.wait_for_load_state()
    field(page, "Add tags").press_sequentially("pilot,")
    choose(page, "Remove tags", "raw (3)", "raw")
    page.keyboard.press("Escape")
    choose(page, "Add projects", "Hippocampus")
    page.keyboard.press("Escape")
    button(page, "Show what changes").click()

    expect(page.get_by_role("heading", name="Change 3 sessions?")).to_be_visible()
    row = page.get_by_role("row", name=re.compile("M12 1"))
    expect(row.get_by_role("deletion")).to_have_text("removed: raw")
    expect(row.get_by_role("insertion")).to_have_text("added: pilot")
    assert [stored(ada, each)["tags"] for each in sessions] == [["raw"]] * 4
    button(page, "Change 3 sessions").click()

    status = page.get_by_role("status").first
    expect(status).to_contain_text("3 sessions changed: tag “pilot” added, tag “raw” removed")
    assert [stored(ada, each)["tags"] for each in sessions] == [["pilot"]] * 3 + [["raw"]]
    assert len(stored(ada, sessions[0])["projects"]) == 2
    button(page, "Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("Undone.")
    assert [stored(ada, each)["tags"] for each in sessions] == [["raw"]] * 4
    assert len(stored(ada, sessions[0])["projects"]) == 1


def test_the_next_session_like_this(sign_in, ada):
    today = datetime.now(UTC).date()
    yesterday = today - timedelta(days=1)
    subject_of = {"name": "M12", "projects": [(project := ada.project("Cortex"))["id"]]}
    subject = ada.made("stem/subject/", subject_of)
    session = ada.session(
        f"M12 {yesterday}", project, tags=["pilot"], date_time=f"{yesterday}T09:15:00Z"
    )
    behavior = ada.made(
        "modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]}
    )
    ada.made(
        "stem/epoch/",
        {"session": session["id"], "name": "Run", "end": 60, "behaviors": [behavior["id"]]},
    )
    page = sign_in(ada)
    page.goto(f"/sessions/{session['id']}")
    page.get_by_role("link", name="Next session like this").click()
    expect(field(page, "Name")).to_have_value(f"M12 {today}")
    expect(field(page, "Date and time")).to_have_value(re.compile(f"{today}T09:15"))
    field(page, "Name").fill(f"M12 {yesterday}")
    refuse(page, "Create session")
    expect(field(page, "Name")).to_have_attribute("aria-invalid", "true")
    field(page, "Name").fill(f"M12 {today}")
    field(page, "Tags").uncheck()
    button(page, "Create session").click()

    expect(page.get_by_role("heading", name=f"M12 {today}")).to_be_visible()
    new = ada.get(f"stem/session/{page.url.rpartition('/')[2]}/?include[]=epochs")["session"]
    (epoch,) = new["epochs"]
    assert (new["tags"], new["date_time"]) == ([], f"{today}T09:15:00Z")
    assert epoch["behaviors"] == new["behaviors"] != [behavior["id"]]
    button(page, "Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("Undone.")
    assert ada("GET", f"stem/session/{new['id']}/").status_code == 404
