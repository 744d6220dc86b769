"""A whole session in one form: its tabs, and its modules and epochs added, arranged and removed in place."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import (
    announced,
    button,
    choose,
    described,
    edit,
    field,
    refuse,
    save,
    show,
)

pytestmark = pytest.mark.browser

TABS = (
    "General",
    "Online repositories",
    "Epochs",
    "Behaviors",
    "Data acquisition",
    "Manipulations",
)


def tab(page: Page, name: str):
    return page.get_by_role("tab", name=name)


def panel(page: Page):
    """The one that is shown."""
    return page.get_by_role("tabpanel")


def card(page: Page, title: str):
    """The fields of a part."""
    return page.get_by_role("group", name=title, exact=True)


def unfold(page: Page, title: str) -> None:
    panel(page).locator("summary", has_text=title).click()


def missing(page: Page):
    """What is said to be missing."""
    return page.locator("[data-missing] a:visible")


@pytest.fixture
def lab(ada):
    project = ada.project("Cortex maps")
    for name in ("Rat 1", "Rat 2"):
        ada.made("stem/subject/", {"name": name, "projects": [project["id"]]})
    ada.made("personal_attributes/setup/", {"name": "Rig 1"})
    ada.storage("Archive")
    return project


def test_a_whole_session_is_recorded_at_once_and_edited(sign_in, ada, lab):
    page = sign_in(ada)
    page.goto("/sessions/new")
    expect(missing(page)).to_have_text(["Date and time", "Data storage", "Epochs"])
    field(page, "Name").fill("2026-11-24 rats")
    choose(page, "Projects", "Cortex maps")
    field(page, "Date and time").fill("2026-11-24T10:00")
    expect(missing(page)).to_have_text(["Data storage", "Epochs"])

    # Modules first, then the epochs that name them.
    tab(page, "Behaviors").click()
    button(page, "Add behavior").click()
    choose(page, "Subjects", "Rat 1")
    choose(page, "Subjects", "Rat 2")
    field(page, "Setup").select_option("Rig 1")
    tab(page, "Data acquisition").click()
    button(page, "Add data acquisition").click()
    field(card(page, "Data acquisition 1"), "Type").select_option("ExtracellularEphys")
    ephys = card(page, "ExtracellularEphys")
    field(ephys, "Details").fill('{"channels": 64}')
    page.get_by_role("link", name="Epochs").click()
    expect(tab(page, "Epochs")).to_have_attribute("aria-selected", "true")
    for name, start, end in (("baseline", "0", "300"), ("task", "300", "PT1H"), ("sleep", "", "")):
        button(page, "Add epoch").click()
        new = panel(page).get_by_role("group").locator(":scope[data-fields]").last
        field(new, "Name of the epoch").fill(name)
        field(card(page, name), "Start").fill(start)
        field(card(page, name), "End").fill(end)
    expect(missing(page)).to_have_text(["Data storage"])
    expect(tab(page, "Epochs")).to_have_accessible_name("Epochs 3")
    field(card(page, "baseline"), "Behavior 1 · Rat 1, Rat 2").check()
    field(card(page, "task"), "Behavior 1 · Rat 1, Rat 2").check()
    field(card(page, "task"), "1 · ExtracellularEphys").check()
    save(page)

    (session,) = ada.get("stem/session/?include[]=epochs.*")["sessions"]
    (behavior,) = ada.get("modules/behavior/")["behaviors"]
    (ephys,) = ada.get("modules/dataacquisition/")["data_acquisitions"]
    assert len(behavior["subjects"]) == 2
    assert ephys["details"] == {"channels": 64}
    baseline, task, sleep = session["epochs"]
    assert (baseline["name"], baseline["end"], baseline["behaviors"]) == (
        "baseline",
        "00:05:00",
        [behavior["id"]],
    )
    assert (task["end"], task["dataacquisition"]) == ("01:00:00", [ephys["id"]])
    assert (sleep["start"], sleep["behaviors"]) == (None, [])

    # The next day: one module more, before the other; one epoch less, and one kept after all.
    edit(page, session)
    tab(page, "Data acquisition").click()
    button(page, "Add data acquisition").click()
    field(card(page, "Data acquisition 2"), "Type").select_option("VideoTracking")
    handle = button(page, "Reorder VideoTracking")
    handle.press("ArrowUp")
    announced(page, "VideoTracking moved to position 1 of 2")
    expect(handle).to_be_focused()
    tab(page, "Epochs").click()
    expect(panel(page).locator("summary")).to_have_text(
        ["baseline 00:00:00 – 00:05:00", "task 00:05:00 – 01:00:00", "sleep"]
    )
    button(page, "Remove baseline").click()
    announced(page, "baseline will be removed when you save")
    button(page, "Keep it").click()
    button(page, "Remove sleep").click()
    unfold(page, "baseline")
    field(card(page, "baseline"), "1 · VideoTracking").check()
    save(page)
    # The page is seen from its top, where it says what was done.
    assert "#" not in page.url
    modules = ada.get("modules/dataacquisition/?sort[]=order")["data_acquisitions"]
    assert [(each["type"], each["order"]) for each in modules] == [
        ("VideoTracking", 0),
        ("ExtracellularEphys", 1),
    ]
    epochs = ada.get("stem/epoch/")["epochs"]
    assert [each["name"] for each in epochs] == ["baseline", "task"]
    assert epochs[0]["dataacquisition"] == [modules[0]["id"]]


def test_tabs_by_keyboard_and_in_the_address(sign_in, ada, lab):
    session = ada.session("Monday", lab)
    page = sign_in(ada)
    edit(page, session)
    expect(page.get_by_role("tab")).to_have_count(len(TABS))
    tab(page, "General").focus()
    for key, name in (
        ("ArrowRight", "Online repositories"),
        ("ArrowRight", "Epochs"),
        ("End", "Manipulations"),
        ("ArrowRight", "General"),
        ("ArrowLeft", "Manipulations"),
        ("Home", "General"),
    ):
        page.keyboard.press(key)
        expect(tab(page, name)).to_be_focused()
        expect(panel(page)).to_have_accessible_name(name)
    tab(page, "Behaviors").click()
    page.reload()
    expect(panel(page)).to_have_accessible_name("Behaviors")
    page.goto("about:blank")
    page.goto(f"/sessions/{session['id']}/edit#data-acquisition")
    expect(panel(page)).to_have_accessible_name("Data acquisition")


def test_the_first_tab_has_all_fields_of_the_session_itself(sign_in, ada, lab):
    """Links can be added at once, and on their own tab; what is wrong is in sight of the rest."""
    page = sign_in(ada)
    page.goto("/sessions/new")
    links = page.get_by_role("group", name="Download links", exact=True)
    button(links, "Add link").click()
    field(links, "URL").fill("https://example.org/data")
    expect(panel(page)).to_have_accessible_name("General")
    tab(page, "Online repositories").click()
    expect(field(page, "Name")).to_be_hidden()
    expect(field(links, "URL")).to_have_value("https://example.org/data")
    tab(page, "Epochs").click()
    expect(links).to_be_hidden()
    tab(page, "General").click()
    field(page, "Name").fill("Linked")
    choose(page, "Projects", "Cortex maps")
    refuse(page).get_by_role("link", name="Repository").click()
    expect(field(links, "Repository")).to_be_focused()
    expect(field(page, "Name")).to_be_visible()
    field(links, "Repository").select_option("Other")
    save(page)
    (session,) = ada.get("stem/session/")["sessions"]
    assert session["download_links"] == [{"repository": "Other", "url": "https://example.org/data"}]


def test_an_error_out_of_sight_is_shown(sign_in, ada, lab):
    session = ada.session("Monday", lab)
    epoch = {"name": "baseline", "session": session["id"], "start": "0", "end": "60"}
    ada.made("stem/epoch/", epoch)
    page = sign_in(ada)
    edit(page, session)
    tab(page, "Epochs").click()
    unfold(page, "baseline")
    field(page, "Start").fill("90")
    tab(page, "Manipulations").click()
    button(page, "Add manipulation").click()
    field(page, "Notes").last.fill("typed")
    tab(page, "General").click()
    summary = refuse(page)
    expect(panel(page)).to_have_accessible_name("Epochs")
    expect(tab(page, "Epochs")).to_have_accessible_name("Epochs 1 1 to correct")
    expect(tab(page, "Manipulations")).to_have_accessible_name("Manipulations 1 1 to correct")
    described(field(page, "End"), "It can't end before it starts.")
    summary.get_by_role("link", name="Manipulation 1, Type").click()
    expect(panel(page)).to_have_accessible_name("Manipulations")
    expect(field(panel(page), "Type")).to_be_focused()
    expect(field(panel(page), "Notes")).to_have_value("typed")
    field(panel(page), "Type").select_option("VisualStimulation")
    summary.get_by_role("link", name="Epoch “baseline”, End").click()
    expect(field(page, "End")).to_be_focused()
    field(page, "End").fill("120")
    save(page)
    assert ada.get("stem/epoch/")["epochs"][0]["end"] == "00:02:00"
    assert ada.get("modules/manipulation/")["manipulations"][0]["notes"] == "typed"


@pytest.mark.parametrize("width", [1280, 800])
def test_all_tabs_are_seen_with_a_message_in_each(sign_in, ada, width):
    """A row that is moved sideways would cut off the first of them."""
    ada.project()
    page = sign_in(ada, viewport={"width": width, "height": 800})
    page.goto("/sessions/new")
    for name, thing, label in (
        ("Online repositories", "Add link", "URL"),
        ("Epochs", "Add epoch", "Notes"),
        ("Data acquisition", "Add data acquisition", "Notes"),
        ("Manipulations", "Add manipulation", "Notes"),
        ("Behaviors", "Add behavior", "Notes"),
    ):
        show(page, name)
        button(page, thing).click()
        field(panel(page), label).fill("x" * 501)
    refuse(page)
    expect(page.get_by_text("to correct")).to_have_count(6)
    main = page.get_by_role("main").bounding_box()
    for number in range(6):
        page.get_by_role("tab").nth(number).click()
        for each in page.get_by_role("tab").all():
            box = each.bounding_box()
            assert main["x"] <= box["x"] and box["x"] + box["width"] <= main["x"] + main["width"]


def test_without_script_everything_is_on_one_page(sign_in, ada, lab):
    page = sign_in(ada, java_script_enabled=False)
    page.goto("/sessions/new")
    for name in TABS:
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    field(page, "Name").fill("Plain")
    field(page, "Projects").select_option("Cortex maps")
    button(page, "Add behavior").click()
    expect(page).to_have_url(page.url.split("#")[0] + "#behaviors-0")
    field(page, "Subjects").select_option(["Rat 1", "Rat 2"])
    button(page, "Add epoch").click()
    field(page, "Name of the epoch").fill("baseline")
    page.locator("#epochs-0").get_by_label("Behavior 1").check()
    button(page, "Add epoch").click()
    field(page, "Name of the epoch").last.fill("gone")
    button(page, "Remove Epoch 2").click()
    expect(page.get_by_text("gone will be removed when you save.")).to_be_visible()
    expect(field(page, "Name")).to_have_value("Plain")
    save(page)
    (epoch,) = ada.get("stem/epoch/")["epochs"]
    (behavior,) = ada.get("modules/behavior/")["behaviors"]
    assert (epoch["name"], epoch["behaviors"]) == ("baseline", [behavior["id"]])
    assert len(behavior["subjects"]) == 2
