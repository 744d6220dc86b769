"""What users write is never run, wherever it is shown.

Nothing needs to be looked for: markup that came alive would ask for a picture that is not there, or
break the Content-Security-Policy, and either is a complaint that fails the test.
"""

import pytest
from playwright.sync_api import Page, expect

from tests.attacks.addresses import requests
from tests.attacks.world import Lab
from tests.browser.steps import button, edit, field, save, storage_order, stored

pytestmark = pytest.mark.browser

EVIL = (
    """'"></title></textarea></option></select></template><img src=x onerror=alert(1)>{}"""
    """<script>alert(1)</script>"""
)
MORE = "<!--</script><svg onload=alert(1)>${alert(1)}{{7*7}}&lt;b&gt;"
#: In a description, markup is allowed: but nothing of this.
MARKUP = """
<img src=x onerror=alert(1)> <script>alert(1)</script> <iframe src="/y"></iframe>
<a href="javascript:alert(1)">click</a> [click too](javascript:alert(1)) <style>*{display:none}</style>
<b onclick=alert(1)>bold</b> <form action="/logout" method=post><button>x</button></form>
![a picture](/z.png)
"""


@pytest.fixture
def session(ada):
    projects = [ada.project(EVIL.format("P"), tags=[MORE]), ada.project("Other" + MORE)]
    names = (EVIL.format("S"), "Second" + EVIL.format(""))
    storages = [ada.storage(name[:100], location=MORE, description=MORE) for name in names]
    ada.session("Another", projects[1], tags=["Also" + MORE])
    return ada.session(
        EVIL.format("N")[-100:],
        projects[0],
        description=MARKUP,
        tags=[EVIL.format("T"), MORE],
        datastorage=[storages[0]["id"]],
        extra_fields={"evil": EVIL.format("X"), "more": MORE},
        download_links=[{"repository": "Other", "url": 'https://x.org/"><img/src=x/onerror=1>'}],
    )


def everything_reads(page: Page, *texts: str) -> None:
    """The texts stand there as they were written."""
    for text in texts:
        expect(page.get_by_text(text, exact=True).first).to_be_attached()
    expect(page.locator("main img, main iframe, main svg[onload]")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_on_every_page(sign_in, ada, session, script):
    page = sign_in(ada, java_script_enabled=script)
    everywhere = [f"/sessions/{session['id']}", f"/sessions/{session['id']}/delete"]
    for kind, pages in (
        ("stem/project", "/projects"),
        ("personal_attributes/datastorage", "/datastorage"),
    ):
        for record in next(iter(ada.get(f"{kind}/").values())):
            at = f"{pages}/{record['id']}"
            everywhere += [at, f"{at}/edit", f"{at}/delete"]
    for address in (*everywhere, "/", "/projects/", "/datastorage/", "/sessions/?q=%3Cscript%3E"):
        page.goto(address)
        everything_reads(page)
    page.goto("/sessions/")
    everything_reads(page, session["name"], EVIL.format("P"), EVIL.format("T"))
    page.goto(f"/sessions/{session['id']}")
    everything_reads(page, session["name"], EVIL.format("X"), MORE)
    for link in page.get_by_text("click").all():
        assert "javascript" not in (link.get_attribute("href") or "")
    expect(page.get_by_role("main").get_by_role("button")).to_have_count(0)


def test_in_the_widgets_of_the_form(sign_in, ada, session):
    """In the lists that open, in what was chosen, in the announcements."""
    page = sign_in(ada)
    edit(page, session)
    first, second = EVIL.format("S")[:100], ("Second" + EVIL.format(""))[:100]
    expect(storage_order(page)).to_contain_text(first)
    field(page, "Projects").press_sequentially("Oth")
    page.get_by_role("option", name="Other" + MORE, exact=True).click()
    field(page, "Tags").press_sequentially("<img src=x onerror=alert(1)>,")
    field(page, "Tags").press_sequentially("Also")
    page.get_by_role("option", name="Also" + MORE, exact=True).click()
    field(page, "Add data storage").press_sequentially("Sec")
    page.get_by_role("option", name=second, exact=True).click()
    button(page, f"Move {second} up").click()
    expect(storage_order(page).first).to_contain_text(second)
    expect(page.locator("[aria-live]")).to_contain_text(second)
    everything_reads(page)
    save(page)
    now = stored(ada, session)
    assert now["tags"] == [*session["tags"], "<img src=x onerror=alert(1)>", "Also" + MORE]
    assert now["extra_fields"] == session["extra_fields"]
    assert len(now["datastorage"]) == 2


def test_in_errors_and_conflicts(sign_in, ada, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Mine" + MORE)
    field(page, "Name used in storage").fill(EVIL.format("") * 3)
    button(page, "Add field").click()
    field(page, "Key").last.fill(MORE)
    button(page, "Save session").click()
    expect(page.get_by_role("alert")).to_be_visible()
    everything_reads(page)
    expect(field(page, "Key").last).to_have_value(MORE)
    button(page, "Remove field").last.click()
    field(page, "Name used in storage").fill(MORE)
    change = {"description": "Theirs" + EVIL.format(""), "name_used_in_storage": "x"}
    ada("PATCH", f"stem/session/{session['id']}/", change)
    button(page, "Save session").click()
    everything_reads(page, "Mine" + MORE, "Theirs" + EVIL.format(""))


def test_on_the_pages_of_every_kind(app, person, sign_in):
    """Every text field of every kind, as the schemas have them; every page that there is (GET)."""
    lab = Lab(app, person, EVERYWHERE)
    page, seen = sign_in(lab.ada), set()
    for request in requests(app, lab, lab.secret):
        # One of each sort of page, and each kind's own: what differs elsewhere are the fields alone.
        sort = (request.endpoint, request.kind if request.endpoint in OF_FIELDS else "")
        if request.method != "GET" or request.is_api or sort in seen or not in_a_browser(request):
            continue
        seen.add(sort)
        page.goto(request.address, wait_until="domcontentloaded")
        assert page.locator("xss, [onx], main img, iframe").count() == 0, request.address
    assert len(seen) > 40


#: Ends whatever it stands in; comes alive as an element, and as a picture that is not there.
EVERYWHERE = "'\"></textarea></template><xss onx=1><img src=/x>"
OF_FIELDS = {"pages.detail"}


def in_a_browser(request) -> bool:
    """Whether a page is shown, and no file, fragment or refusal."""
    files = ("lists.download", "imports.template", "audit.download", "imports.progress")
    apart = ("users.user", "users.new", "status.index", "audit.index", "sign_in_again.standing")
    return request.endpoint not in (
        *files,
        *apart,
        "health.alive",
        "health.ready",
        "choices.find",
    ) and (not request.address.startswith("/public/") or not request.kind)
