"""A form that is sent while the database can't store it: nothing is lost, and it is sent again."""

import pytest
from playwright.sync_api import expect
from sqlalchemy.exc import TimeoutError

from brainstem.extensions import db
from brainstem.outages import BUSY
from tests import faults
from tests.browser.steps import SAVE, button, crash, edit, field, kept, stored

pytestmark = pytest.mark.browser

TYPED = "Typed for an hour,\n\n with “quotes” & <b>more</b>"


@pytest.fixture
def session(ada):
    return ada.session("Night", ada.project("Sleep"), description="As it was")


@pytest.fixture
def impatient(app, monkeypatch):
    """The server waits for nobody long."""
    monkeypatch.setattr("brainstem.database.PATIENCE", 0.2)
    with app.app_context():
        engine = db.engine
    engine.dispose()
    yield
    engine.dispose()


@pytest.fixture
def expected(complaints):
    """The browser remarks on the outage: that, and nothing else, is as it should be."""
    yield
    found = [each for each in complaints if each.startswith("503 at ")]
    assert found
    complaints[:] = [each for each in complaints if each not in found]


@pytest.mark.usefixtures("impatient", "expected")
@pytest.mark.parametrize("scripts", [True, False])
def test_it_is_sent_again_from_the_page_that_says_so(app, sign_in, ada, session, judge, scripts):
    page = sign_in(ada, java_script_enabled=scripts)
    edit(page, session)
    field(page, "Description").fill(TYPED)
    if scripts:
        kept(page)
    with faults.locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        button(page, SAVE).click()
        expect(page.get_by_role("heading", name=BUSY.title)).to_be_visible()
        expect(page.get_by_text("Nothing was stored; try again in a moment.")).to_be_visible()
        if scripts:
            judge(page, "The database is busy")
    assert stored(ada, session)["description"] == "As it was"
    # By keyboard: it is the first thing to do in the page.
    page.get_by_role("main").focus()
    page.keyboard.press("Tab")
    expect(button(page, "Send again")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert stored(ada, session)["description"].splitlines() == TYPED.splitlines()
    if scripts:
        edit(page, session)
        expect(page.get_by_role("region", name="Unsaved work")).to_have_count(0)


@pytest.mark.usefixtures("impatient", "expected")
def test_and_where_that_page_is_lost_it_is_in_the_browser(app, sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill(TYPED)
    kept(page)
    with faults.locked(app.config["SQLALCHEMY_DATABASE_URI"]):
        button(page, SAVE).click()
        expect(page.get_by_role("heading", name=BUSY.title)).to_be_visible()
    page = crash(page)
    edit(page, session)
    button(page, "Take it up again").click()
    expect(field(page, "Description")).to_have_value(TYPED)


@pytest.mark.usefixtures("expected")
def test_where_the_server_says_so_beforehand_the_form_stays(sign_in, ada, session, monkeypatch):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill(TYPED)

    def busy(_):
        raise TimeoutError

    with monkeypatch.context() as patched:
        patched.setattr("brainstem.records.sign_ins.of", busy)
        button(page, SAVE).click()
        trouble = page.get_by_role("alert")
        expect(trouble).to_contain_text(f"{BUSY.text} Nothing was saved; all that you typed is")
    button(trouble, "Try again").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved.")
    assert stored(ada, session)["description"].splitlines() == TYPED.splitlines()
