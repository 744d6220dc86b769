"""On a telephone no page has to be moved sideways, light or dark, whatever stands on it."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import button, edit, field, show

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}
LONG = "a_very_long_name_without_any_blank_" * 3


@pytest.fixture
def session(ada):
    storages = [ada.storage(LONG[:99] + str(n), location=LONG[:100]) for n in range(2)]
    for storage in storages:
        protocol = {"protocol": "SMB", "path": f"//server/{LONG}/{LONG}", "is_public": True}
        levels = [{"elements": "Projects"}, {"elements": "Sessions"}]
        change = {"data_protocols": [protocol], "data_organization": levels}
        ada("PATCH", f"personal_attributes/datastorage/{storage['id']}/", change)
    return ada.session(
        LONG[:100],
        ada.project(LONG, tags=[LONG]),
        description=f"{LONG}\n\n```\n{LONG * 3}\n```\n\n|a|b|\n|-|-|\n|{LONG}|{LONG}|\n",
        date_time="2024-05-06T14:30:15Z",
        datastorage=[each["id"] for each in storages],
        tags=[LONG, "awake"],
        extra_fields={LONG: LONG * 2, "depth": 10**60},
        download_links=[{"repository": "Other", "url": f"https://x.org/{LONG * 3}"}],
    )


def fits(page: Page, where: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", scheme)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        assert width <= PHONE["width"], f"{where} is {width} pixels wide ({scheme})"


def test_no_page_scrolls_sideways(sign_in, new_page, ada, session):
    stranger = new_page(viewport=PHONE)
    stranger.goto("/login")
    fits(stranger, "/login")
    page = sign_in(ada, viewport=PHONE)
    records = {
        "sessions": session["id"],
        "projects": session["projects"][0],
        "datastorage": session["datastorage"][0],
    }
    addresses = ["/", "/account/tokens/", "/sessions/?q=nothing", "/activity/"]
    for kind, record in records.items():
        one = f"/{kind}/{record}"
        addresses += [f"/{kind}/", f"/{kind}/new", one, f"{one}/edit", f"{one}/delete"]
    for address in addresses:
        page.goto(address)
        fits(page, address)


def test_nor_do_their_messages(sign_in, ada, session):
    page = sign_in(ada, viewport=PHONE)
    edit(page, session)
    button(page, "Add field").click()
    field(page, "Key").last.fill("2bad")
    show(page, "Online repositories")
    button(page, "Add link").click()
    field(page, "URL").last.fill(LONG)
    show(page, "General")
    field(page, "Name").fill("")
    field(page, "Description").fill(LONG * 2)
    button(page, "Save session").click()
    expect(page.get_by_role("alert")).to_be_visible()
    fits(page, "A form in error")
    button(page, "Remove field").last.click()
    show(page, "Online repositories")
    button(page, "Remove link").last.click()
    show(page, "General")
    field(page, "Name").fill("Short")
    ada("PATCH", f"stem/session/{session['id']}/", {"description": LONG * 3})
    button(page, "Save session").click()
    expect(page.get_by_role("radio", name="Yours")).to_be_visible()
    fits(page, "The conflict page")
    page.goto("/account/tokens/")
    field(page, "Name").fill(LONG[:100])
    button(page, "Create token").click()
    expect(page.get_by_label("Your new token").get_by_role("textbox")).to_be_visible()
    fits(page, "A new token")


def test_set_up(page):
    page.set_viewport_size(PHONE)
    page.goto("/setup")
    fits(page, "/setup")
