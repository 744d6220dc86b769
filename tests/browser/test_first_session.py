"""From the first start to the first session, with a mouse and with the keyboard alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from brainstem.records.users import open_setup_code
from tests.browser.steps import (
    SAVE,
    button,
    choose,
    described,
    edit,
    expect_order,
    field,
    refuse,
    rows,
    save,
    show,
    stored,
)
from tests.people import PASSWORD

pytestmark = pytest.mark.browser


def test_from_the_first_start_to_the_first_session(app, page):
    set_up(app, page)
    make(page, "/projects/", "New project", "Cortex maps", "Save project")
    make(page, "/projects/", "New project", "Sleep", "Save project")
    make(page, "/datastorage/", "New data storage", "Lab server", "Save data storage")
    make(page, "/datastorage/", "New data storage", "Archive", "Save data storage")
    fill_in_a_session(page)
    save(page)
    expect(page.get_by_role("status")).to_have_text(re.compile("“rec 2024-05-06” was created"))
    expect_the_session(page)

    button(page, "Sign out").click()
    expect(page).to_have_url(re.compile("/login$"))
    page.goto("/sessions/")
    sign_in_here(page)
    expect(page).to_have_url(re.compile("/sessions/$"))
    page.get_by_role("link", name="rec 2024-05-06").click()
    expect_the_session(page)


def set_up(app, page: Page) -> None:
    for address in ("/", "/login", "/sessions/new", "/account/tokens/"):
        page.goto(address)
        expect(page).to_have_url(re.compile("/setup$"))
    field(page, "Set-up code").fill("AAAA-BBBB-CCCC")
    field(page, "Email").fill("ada@lab.org")
    field(page, "First name").fill("Ada")
    field(page, "Last name").fill("Lovelace")
    field(page, "Password").fill(PASSWORD)
    refuse(page, "Create administrator")
    described(field(page, "Set-up code"), "This is not the code that the server printed.")
    expect(field(page, "Email")).to_have_value("ada@lab.org")
    expect(field(page, "First name")).to_have_value("Ada")
    with app.app_context():
        field(page, "Set-up code").fill(open_setup_code())
    field(page, "Password").fill(PASSWORD)
    button(page, "Create administrator").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text(re.compile("Welcome, Ada Lovelace"))


def make(page: Page, address: str, link: str, name: str, submit: str) -> None:
    """Create a record that needs a name only."""
    page.goto(address)
    page.get_by_role("link", name=link).click()
    field(page, "Name").fill(name)
    save(page, submit)
    expect(page.get_by_role("heading", name=name)).to_be_visible()


def fill_in_a_session(page: Page) -> None:
    page.goto("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Sessions").click()
    page.get_by_role("link", name="New session").click()
    field(page, "Name").fill("rec 2024-05-06")
    choose(page, "Projects", "Cortex maps", typed="cort")
    choose(page, "Projects", "Sleep", typed="slee")
    field(page, "Date and time").fill("2024-05-06T14:30:15")
    field(page, "Description").fill("# Layers\n\nA **deep** one, at 22 µm.")
    field(page, "Tags").press_sequentially("Neuropixels")
    field(page, "Tags").press("Enter")
    field(page, "Tags").press_sequentially("awake,head-fixed,")
    choose(page, "Add data storage", "Archive", typed="arch")
    choose(page, "Add data storage", "Lab server", typed="lab")
    expect_order(page, "Archive", "Lab server")
    field(page, "Name used in storage").fill("20240506_rec")
    for key, kind, value in (("room", "Text", "B115"), ("depth", "Number", "22.0")):
        button(page, "Add field").click()
        row = rows(page, "Extra fields").last
        expect(field(row, "Key")).to_be_focused()
        field(row, "Key").fill(key)
        field(row, "Type").select_option(kind)
        field(row, "Value").fill(value)
    show(page, "Online repositories")
    links = (("Zenodo", "https://zenodo.org/records/1"), ("DANDI", "https://dandiarchive.org/1"))
    for repository, url in links:
        button(page, "Add link").click()
        row = rows(page, "Download links").last
        field(row, "Repository").select_option(repository)
        field(row, "URL").fill(url)


def expect_the_session(page: Page) -> None:
    main = page.get_by_role("main")
    expect(page.get_by_role("heading", name="rec 2024-05-06", level=1)).to_be_visible()
    expect(main.get_by_role("link", name="Cortex maps")).to_be_visible()
    expect(main.get_by_role("link", name="Sleep")).to_be_visible()
    expect(main.get_by_text("2024-05-06 14:30:15")).to_be_visible()
    expect(main.get_by_role("heading", name="Layers")).to_be_visible()
    expect(main.locator("strong")).to_have_text("deep")
    tags = [tag.inner_text() for tag in main.get_by_role("list").filter(has_text="awake").all()]
    assert tags[0].split("\n") == ["Neuropixels", "awake", "head-fixed"]
    where = page.get_by_role("region", name="Where is my data?")
    storages = where.get_by_role("heading", level=3).get_by_role("link")
    expect(storages).to_have_text(["Archive", "Lab server"])
    extra = page.get_by_role("region", name="Extra fields").get_by_role("row")
    expect(extra).to_have_text([re.compile("room.*B115"), re.compile(r"depth.*22\.0")])
    links = page.get_by_role("region", name="Download links").get_by_role("link")
    expect(links).to_have_text(["https://zenodo.org/records/1", "https://dandiarchive.org/1"])
    expect(main.get_by_text("20240506_rec")).to_be_visible()


def sign_in_here(page: Page, password: str = PASSWORD) -> None:
    field(page, "Email").fill("ada@lab.org")
    field(page, "Password").fill(password)
    button(page, "Sign in").click()


def test_a_wrong_password_is_said_and_what_was_typed_stays(page, ada):
    page.goto("/login")
    sign_in_here(page, "another password")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    expect(field(page, "Email")).to_have_value("ada@lab.org")
    expect(field(page, "Password")).to_have_value("")
    sign_in_here(page)
    expect(page).to_have_url(re.compile("/$"))


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the target has the focus, which must be plain to see."""
    expect(target).to_have_count(1)
    for _ in range(60):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            break
    expect(target).to_be_focused()
    assert page.evaluate(FOCUS_IS_VISIBLE), f"Nothing shows that {target} has the focus."


#: An outline or a shadow at the focused element, or at the box that it is drawn in.
FOCUS_IS_VISIBLE = """() => {
  let element = document.activeElement;
  for (let step = 0; step < 4 && element; step += 1, element = element.parentElement) {
    const style = getComputedStyle(element);
    if (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) return true;
    if (style.boxShadow !== 'none' && step === 0) return true;
  }
  return false;
}"""


def test_keyboard_alone(page, ada):
    """From signing in to a saved session: Tab, Enter, Space, arrows and letters."""
    ada.project("Cortex maps"), ada.project("Sleep")
    ada.storage("Lab server"), ada.storage("Archive")
    keys = page.keyboard
    page.goto("/login")
    tab_to(page, field(page, "Email"))
    keys.type("ada@lab.org")
    tab_to(page, field(page, "Password"))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    tab_to(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="Sessions"))
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/sessions/$"))
    tab_to(page, page.get_by_role("link", name="New session"))
    keys.press("Enter")
    expect(page.get_by_role("heading", name="New session")).to_be_visible()

    tab_to(page, field(page, "Name"))
    keys.type("By hand")
    tab_to(page, field(page, "Projects"))
    keys.type("sle")
    keys.press("Enter")
    keys.press("ArrowDown")
    expect(page.get_by_role("option", name="Cortex maps", selected=True)).to_be_visible()
    keys.press("Enter")
    expect(button(page, "Remove Sleep")).to_be_visible()
    expect(button(page, "Remove Cortex maps")).to_be_visible()
    tab_to(page, field(page, "Date and time"))
    keys.type("05062024")
    keys.press("ArrowRight")  # a year may have more digits
    keys.type("023000PM")
    tab_to(page, field(page, "Description"))
    keys.type("Two\nlines")
    tab_to(page, field(page, "Tags"))
    keys.type("awake,")
    keys.type("deep")
    keys.press("Enter")
    tab_to(page, field(page, "Add data storage"))
    keys.type("arch")
    keys.press("Enter")
    keys.type("lab")
    keys.press("Enter")
    expect_order(page, "Archive", "Lab server")
    button(page, "Reorder Archive").wait_for()
    keys.press("Shift+Tab")
    while not button(page, "Reorder Archive").evaluate("e => e === document.activeElement"):
        keys.press("Shift+Tab")
    keys.press("ArrowDown")
    expect_order(page, "Lab server", "Archive")
    tab_to(page, button(page, "Add field"))
    keys.press("Space")
    keys.type("depth")
    keys.press("Tab")
    keys.press("n")  # of the choices Text and Number
    keys.press("Tab")
    keys.type("22.0")
    while not page.get_by_role("tab", name="General").evaluate("e => e === document.activeElement"):
        keys.press("Shift+Tab")
    keys.press("ArrowRight")
    tab_to(page, button(page, "Add link"))
    keys.press("Enter")
    keys.type("Zen")
    keys.press("Tab")
    keys.type("https://zenodo.org/records/1")
    tab_to(page, button(page, SAVE))
    keys.press("Enter")

    expect(page.get_by_role("heading", name="By hand")).to_be_visible()
    (session,) = ada.get("stem/session/")["sessions"]
    names = {p["id"]: p["name"] for p in ada.get("stem/project/")["projects"]}
    assert {names[each] for each in session["projects"]} == {"Sleep", "Cortex maps"}
    assert session["date_time"] == "2024-05-06T14:30:00Z"
    assert session["description"] == "Two\r\nlines" or session["description"] == "Two\nlines"
    assert session["tags"] == ["awake", "deep"]
    assert repr(session["extra_fields"]) == "{'depth': 22.0}"
    assert session["download_links"] == [
        {"repository": "Zenodo", "url": "https://zenodo.org/records/1"}
    ]
    where = page.get_by_role("region", name="Where is my data?")
    storages = where.get_by_role("heading", level=3).get_by_role("link")
    expect(storages).to_have_text(["Lab server", "Archive"])


def test_leaving_with_unsaved_work_asks_first(sign_in, ada):
    session = ada.session("Unsaved", ada.project())
    page = sign_in(ada)
    changes = (
        lambda: field(page, "Description").press_sequentially("x"),
        lambda: field(page, "Tags").press_sequentially("x,"),
        lambda: button(page, "Remove Project").click(),
        lambda: button(page, "Add field").click(),
    )
    for change in changes:
        edit(page, session)
        change()
        page.once("dialog", lambda dialog: dialog.dismiss())
        with page.expect_event("dialog") as asked:
            page.get_by_role("link", name="Cancel").click(no_wait_after=True)
        assert asked.value.type == "beforeunload"
        expect(button(page, SAVE)).to_be_visible()
        page.once("dialog", lambda dialog: dialog.accept())
        page.goto("/")
    assert stored(ada, session)["description"] == ""


def test_leaving_without_changes_does_not_ask(sign_in, ada):
    session = ada.session("Seen", ada.project(), tags=["a", "b"])
    page = sign_in(ada)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    edit(page, session)
    field(page, "Projects").focus()
    field(page, "Tags").focus()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Seen")).to_be_visible()
    assert not asked
