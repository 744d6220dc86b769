"""A researcher looks for the data of a session, and reads what happened when."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.steps import announced, button

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def session(app, ada, tmp_path):
    """A session with epochs, whose data lies where the server can see it."""
    (tmp_path / "Run 1").mkdir()
    (tmp_path / "Run 1" / "a.dat").write_bytes(b"x" * 2000)
    app.config["DATA_ROOTS"] = [str(tmp_path)]
    protocols = [
        {"protocol": "Mounted", "path": str(tmp_path)},
        {"protocol": "SMB", "path": "\\\\nas\\raw"},
    ]
    storage = ada.storage(
        "NAS", data_organization=[{"elements": "Sessions"}], data_protocols=protocols
    )
    session = ada.session(
        "Run 1", ada.project(), date_time="2026-03-22T15:30:00Z", datastorage=[storage["id"]]
    )
    inside = {"session": session["id"]}
    probe = ada.made("modules/dataacquisition/", inside | {"type": "ExtracellularEphys"})
    for name, start, end in (("Baseline", 0, 600), ("Maze", 600, 2400), ("Flash", 900, 900)):
        modules = {"dataacquisition": [probe["id"]]} if name == "Maze" else {}
        ada.made("stem/epoch/", inside | {"name": name, "start": start, "end": end} | modules)
    return session


def test_finding_and_checking_the_data(sign_in, ada, session, tmp_path):
    page = sign_in(ada)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/sessions/{session['id']}")
    where = page.get_by_role("region", name="Where is my data?")
    # What the server finds comes by itself.
    expect(where).to_contain_text("There: 1 file, 2.0 kB.")
    announced(page, "Checked. There: 1 file, 2.0 kB.")
    button(page, "Copy the path: NAS, SMB").click()
    announced(page, "Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "\\\\nas\\raw\\Run 1"
    expect(where.get_by_text("Copied", exact=True)).to_have_count(1)
    button(page, "Copy the path: NAS, Mounted").press("Enter")
    expect(where.get_by_text("Copied", exact=True)).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == f"{tmp_path}/Run 1"
    # Looking again keeps one's place on the page.
    (tmp_path / "Run 1" / "b.dat").write_bytes(b"x" * 500)
    button(where, "Check again").press("Enter")
    expect(where).to_contain_text("There: 2 files, 2.5 kB.")
    expect(button(where, "Check again")).to_be_focused()
    announced(page, "Checked. There: 2 files, 2.5 kB.")


def test_checking_without_script(sign_in, ada, session, tmp_path):
    page = sign_in(ada, java_script_enabled=False)
    address = f"/sessions/{session['id']}"
    page.goto(address)
    where = page.get_by_role("region", name="Where is my data?")
    expect(where.get_by_role("button", name="Copy")).to_have_count(0)
    # Reloaded until the result is there.
    found = where.get_by_text("There: 1 file")
    for _ in range(100):
        if found.count():
            break
        expect(where).to_contain_text("Reload the page")
        page.reload()
    expect(found).to_be_visible()
    (tmp_path / "Run 1" / "a.dat").unlink()
    button(where, "Check again").click()
    expect(page).to_have_url(f"{page.url.split('/sessions')[0]}{address}#where")
    found = where.get_by_text("without a file in it")
    for _ in range(100):
        if found.count():
            break
        page.reload()
    expect(found).to_be_visible()


def test_reading_the_timeline_by_keyboard(sign_in, ada, session):
    page = sign_in(ada)
    page.goto(f"/sessions/{session['id']}")
    timeline = page.get_by_role("group", name="Epoch timeline")
    timeline.focus()
    for name in (
        "Epoch Baseline: 0 to 10 min",
        "Epoch Maze: 10 min to 40 min; with Extracellular ephys",
        "Epoch Flash: at 15 min",
        "Data acquisition Extracellular ephys, in Maze",
    ):
        page.keyboard.press("Tab")
        expect(timeline.get_by_role("link", name=name, exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Flash")).to_be_visible()


def test_the_timeline_on_a_telephone(sign_in, ada, session):
    page = sign_in(ada, viewport=PHONE)
    page.goto(f"/sessions/{session['id']}")
    assert page.evaluate("document.scrollingElement.scrollWidth") <= PHONE["width"]
    timeline = page.get_by_role("group", name="Epoch timeline")
    assert timeline.evaluate("box => box.scrollWidth > box.clientWidth")
    # The moment is narrow, but a finger meets it.
    flash = timeline.get_by_role("link", name="Epoch Flash: at 15 min").locator(".timeline-hit")
    assert flash.bounding_box()["width"] >= 24
    flash.click()
    expect(page.get_by_role("heading", level=1, name="Flash")).to_be_visible()
