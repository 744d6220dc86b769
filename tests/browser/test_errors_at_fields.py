"""What is wrong stands at the field where it is wrong, and nothing that was typed is lost."""

import re

import pytest
from playwright.sync_api import Page, expect

from brainstem.core.schemas import ExtraFields
from tests.browser.steps import (
    announced,
    button,
    choose,
    crash,
    described,
    edit,
    expect_order,
    field,
    kept,
    refuse,
    rows,
    save,
    show,
    stored,
    stored_order,
)

pytestmark = pytest.mark.browser


def add_field(page: Page, key: str, kind: str, value: str):
    button(page, "Add field").click()
    row = rows(page, "Extra fields").last
    field(row, "Key").fill(key)
    field(row, "Type").select_option(kind)
    field(row, "Value").fill(value)
    return row


def add_link(page: Page, repository: str, url: str):
    show(page, "Online repositories")
    button(page, "Add link").click()
    row = rows(page, "Download links").last
    if repository:
        field(row, "Repository").select_option(repository)
    field(row, "URL").fill(url)
    return row


def test_a_bad_key_is_said_while_it_is_typed(sign_in, ada):
    """In the server's own words, before anything is sent."""
    session = ada.session("Typing", ada.project(), extra_fields={"room": "B115"})
    page = sign_in(ada)
    edit(page, session)
    posts = []
    page.on("request", lambda request: request.method == "POST" and posts.append(request))
    button(page, "Add field").click()
    key = field(rows(page, "Extra fields").last, "Key")
    for typed in ("2", "a b", "ä", "a-b", "_a", "a.b", "ключ"):
        key.fill("")
        key.press_sequentially(typed)
        described(key, ExtraFields.BAD_KEY)
        announced(page, ExtraFields.BAD_KEY)
    for typed in ("a", "A_2", "aB9_", "constructor", ""):
        key.fill(typed)
        expect(key).not_to_have_attribute("aria-invalid", "true")
        expect(key).not_to_have_accessible_description(ExtraFields.BAD_KEY)
    key.fill("room")
    described(key, "This key is given twice.")
    first = rows(page, "Extra fields").first
    expect(field(first, "Key")).not_to_have_attribute("aria-invalid", "true")
    button(first, "Remove field").click()
    expect(key).not_to_have_attribute("aria-invalid", "true")
    assert not posts


def test_every_field_in_error_and_nothing_lost(sign_in, ada):
    """Everything that can be wrong at once; then it is put right and saved."""
    ada.session("Taken", ada.project("Cortex maps"))
    for name in ("Alpha", "Beta"):
        ada.storage(name)
    page = sign_in(ada)
    page.goto("/sessions/new")
    field(page, "Name").fill("Taken")
    field(page, "Date and time").fill("2024-05-06T14:30:15")
    field(page, "Description").fill("\nkept <i>as it is</i>\n")
    field(page, "Tags").press_sequentially("awake,head-fixed,left over")
    choose(page, "Add data storage", "Beta")
    choose(page, "Add data storage", "Alpha")
    field(page, "Name used in storage").fill("x" * 201)
    add_field(page, "good", "Text", "22")
    add_field(page, "2bad", "Text", "a value")
    add_field(page, "depth", "Number", "deep")
    add_field(page, "good", "Number", "1")
    add_link(page, "Zenodo", "https://zenodo.org/records/1")
    add_link(page, "", "gopher://old.example")
    summary = refuse(page)

    expect(summary).to_be_focused()
    expect(page).to_have_title(re.compile("^Error: "))
    extra, links = rows(page, "Extra fields"), rows(page, "Download links")
    wrong = {
        "Name": (field(page, "Name"), "taken|another|already|unique|name"),
        "Projects": (field(page, "Projects"), "at least one|required"),
        "Name used in storage": (field(page, "Name used in storage"), "At most 200"),
        "Extra fields, row 2, Key": (field(extra.nth(1), "Key"), "A key starts with a letter"),
        "Extra fields, row 3, Value": (field(extra.nth(2), "Value"), "not a number"),
        "Extra fields, row 4, Key": (field(extra.nth(3), "Key"), "given twice"),
        "Download links, row 2, Repository": (field(links.nth(1), "Repository"), "."),
        "Download links, row 2, URL": (field(links.nth(1), "URL"), "http://"),
    }
    expect(summary.get_by_role("link")).to_have_count(len(wrong))
    for name, (control, message) in wrong.items():
        summary.get_by_role("link", name=f"{name}:").click()
        expect(control).to_be_focused()
        expect(control).to_have_attribute("aria-invalid", "true")
        expect(control).to_have_accessible_description(re.compile(message))
    expect(page.locator("[aria-invalid=true]:visible")).to_have_count(len(wrong))

    expect(field(page, "Name")).to_have_value("Taken")
    expect(field(page, "Date and time")).to_have_value("2024-05-06T14:30:15")
    expect(field(page, "Description")).to_have_value("\nkept <i>as it is</i>\n")
    for tag in ("awake", "head-fixed", "left over"):
        expect(button(page, f"Remove {tag}")).to_be_visible()
    expect_order(page, "Beta", "Alpha")
    expect(field(page, "Name used in storage")).to_have_value("x" * 201)
    typed = [
        [field(row, "Key").input_value(), field(row, "Value").input_value()] for row in extra.all()
    ]
    assert typed == [["good", "22"], ["2bad", "a value"], ["depth", "deep"], ["good", "1"]]
    expect(field(extra.nth(2), "Type")).to_have_value("number")
    show(page, "Online repositories")
    expect(field(links.first, "Repository")).to_have_value("Zenodo")
    expect(field(links.first, "URL")).to_have_value("https://zenodo.org/records/1")
    expect(field(links.nth(1), "URL")).to_have_value("gopher://old.example")

    show(page, "General")
    field(page, "Name").fill("Free")
    choose(page, "Projects", "Cortex maps")
    field(page, "Name used in storage").fill("short")
    field(extra.nth(1), "Key").fill("bad2")
    field(extra.nth(2), "Value").fill("-3.50")
    button(extra.nth(3), "Remove field").click()
    show(page, "Online repositories")
    field(links.nth(1), "Repository").select_option("Other")
    field(links.nth(1), "URL").fill("ftp://old.example/data")
    save(page)
    (session,) = ada.get("stem/session/?filter{name}=Free")["sessions"]
    assert session["tags"] == ["awake", "head-fixed", "left over"]
    assert session["extra_fields"] == {"good": "22", "bad2": "a value", "depth": -3.5}
    assert [link["repository"] for link in session["download_links"]] == ["Zenodo", "Other"]
    assert stored_order(ada, session) == ["Beta", "Alpha"]


def test_a_changed_form_in_error_changes_nothing_stored(sign_in, ada):
    session = ada.session("Stored", ada.project(), tags=["first"])
    before = stored(ada, session)
    page = sign_in(ada)
    edit(page, session)
    field(page, "Tags").press_sequentially("second,")
    button(page, "Remove Project").click()
    refuse(page)
    expect(button(page, "Remove second")).to_be_visible()
    expect(page.get_by_role("button", name="Remove Project")).to_have_count(0)
    assert stored(ada, session) == before
    choose(page, "Projects", "Project")
    save(page)
    assert stored(ada, session) == before | {"tags": ["first", "second"]}


def test_no_bubbles_of_the_browser(sign_in, ada):
    """An empty form is sent, and the server says what is required; the summary leads there."""
    page = sign_in(ada)
    page.goto("/sessions/new")
    summary = refuse(page)
    described(field(page, "Name"), "This field is required.")
    described(field(page, "Projects"), "Name at least one.")
    summary.get_by_role("link").first.click()
    expect(field(page, "Name")).to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_of_the_summary_leads_to_the_field_and_its_message(sign_in, ada, width):
    """Neither is cut off at the window's edge, nor covered by the list of choices."""
    ada.project()
    page = sign_in(ada, viewport={"width": width, "height": 500})
    page.goto("/sessions/new")
    summary = refuse(page)
    summary.get_by_role("link", name="Projects:").press("Enter")
    projects = field(page, "Projects")
    expect(projects).to_be_focused()
    for seen in (
        page.get_by_text("Projects", exact=True).last,
        page.get_by_text("Name at least one.", exact=True),
    ):
        box = seen.bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 500 - 88, "above the row of buttons"
    expect(page.get_by_role("option")).to_have_count(0)
    projects.press("ArrowDown")
    expect(page.get_by_role("option", name="Project")).to_be_visible()
    projects.press("Escape")
    field(page, "Name").focus()
    projects.focus()  # and on its own it opens as ever
    expect(page.get_by_role("option", name="Project")).to_be_visible()


def half_a_date(page: Page) -> None:
    """Take the month away; the rest stands there."""
    field(page, "Date and time").focus()
    page.keyboard.press("Backspace")


def test_half_a_date_is_not_lost_in_silence(sign_in, ada):
    """A browser sends nothing for a date that is not complete: the stored one must not vanish."""
    date = "2024-05-06T14:30:00Z"
    session = ada.session("Dated", ada.project(), date_time=date)
    page = sign_in(ada)
    edit(page, session)
    half_a_date(page)
    field(page, "Name").fill("")
    field(page, "Name used in storage").fill("x" * 201)
    summary = refuse(page)
    expect(summary).to_be_focused()
    expect(summary.get_by_role("link")).to_have_count(3)
    described(field(page, "Name"), "required")
    described(field(page, "Name used in storage"), "At most 200")
    described(field(page, "Date and time"), "not complete")
    summary.get_by_role("link", name="Date and time:").click()
    expect(field(page, "Date and time")).to_be_focused()
    assert stored(ada, session)["date_time"] == date

    expect(field(page, "Date and time")).to_have_value("2024-05-06T14:30")
    expect(field(page, "Date and time")).to_have_attribute("type", "datetime-local")
    field(page, "Name").fill("Still dated")
    field(page, "Name used in storage").fill("")
    save(page)
    assert stored(ada, session)["date_time"] == date


def test_half_a_date_of_something_new(sign_in, ada):
    """There is none from before: the field is empty, and says why nothing was saved."""
    session = ada.session("Model", ada.project())
    page = sign_in(ada)
    for address in ("/sessions/new", f"/sessions/{session['id']}/duplicate"):
        page.goto(address)
        field(page, "Date and time").fill("")
        field(page, "Date and time").focus()
        page.keyboard.type("05")
        field(page, "Name").fill("")
        refuse(page, page.locator(".form-actions button").inner_text())
        described(field(page, "Name"), "required")
        described(field(page, "Date and time"), "not complete")
        expect(field(page, "Date and time")).to_have_value("")
    assert len(ada.get("stem/session/")["sessions"]) == 1


def test_half_a_date_that_was_kept_is_not_taken_up_in_silence(sign_in, ada):
    session = ada.session("Dated", ada.project(), date_time="2024-05-06T14:30:00Z")
    page = sign_in(ada)
    edit(page, session)
    half_a_date(page)
    field(page, "Description").fill("typed before the crash")
    kept(page)
    page = crash(page)
    edit(page, session)
    button(page, "Take it up again").click()
    expect(field(page, "Description")).to_have_value("typed before the crash")
    described(field(page, "Date and time"), "not complete")
    expect(field(page, "Date and time")).to_have_value("2024-05-06T14:30")
