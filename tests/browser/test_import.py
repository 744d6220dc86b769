"""A table is dropped on the import page, looked at, imported, and taken back."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.steps import announced, button, field

TABLE = (
    "session__name;session__date_time;who;depth\n"
    "rat5_1;22.03.2023 15:30;Ada;12,5\nrat5_2;soon;Ada;\nrat5_3;;Ben;7\n"
)

#: A file that is dragged from outside, as far as a page can tell.
DROP = """(zone, text) => {
  const data = new DataTransfer();
  data.items.add(new File([text], 'rats.csv', { type: 'text/csv' }));
  for (const type of ['dragenter', 'dragover', 'drop']) {
    zone.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }
}"""


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def test_from_dropping_the_file_to_undo(sign_in, ada):
    ada.project("Maps")
    page = sign_in(ada)
    page.goto("/import/?kind=sessions")
    expect(page.get_by_role("radio", name="Sessions")).to_be_checked()
    expect(page.get_by_role("link", name="Template for sessions")).to_be_visible()
    page.locator("[data-drop]").evaluate(DROP, TABLE)
    announced(page, "rats.csv is chosen")
    button(page, "Continue").click()

    heading(page, "Which column is what?")
    expect(field(page, "session__name")).to_have_value("name")
    expect(field(page, "Project for rows that name none")).to_contain_text("Maps")
    field(page, "who").select_option("description")
    button(page, "Check the rows").click()

    heading(page, "What the import would do")
    expect(page.get_by_role("region", name="Summary")).to_contain_text("1 refused")
    expect(page.get_by_role("row", name="3 rat5_2")).to_contain_text(
        "session__date_time: “soon”: This is not a date and time"
    )
    page.get_by_role("link", name=re.compile("^All rows")).click()
    expect(page.get_by_role("row")).to_have_count(4)
    assert ada.get("stem/session/")["count"] == 0
    button(page, "Import the other 2 rows").click()

    heading(page, "Imported")
    page.get_by_role("link", name=re.compile("^Created")).click()
    page.get_by_role("link", name="rat5_1").click()
    heading(page, "rat5_1")
    expect(page.get_by_role("main")).to_contain_text("2023-03-22 15:30")
    expect(page.get_by_role("main")).to_contain_text("12.5")
    page.goto("/import/")
    page.get_by_role("link", name="rats.csv").click()
    button(page, "Undo the whole import").click()
    expect(page.get_by_role("region", name="Summary")).to_contain_text("This import was undone.")
    assert ada.get("stem/session/")["count"] == 0


def test_a_long_import_shows_how_far_it_is(sign_in, ada):
    """Told by the answers of the server, so that nothing has to be slow."""
    ada.project("Maps")
    page = sign_in(ada)
    page.goto("/import/")
    content = b"name\na\n"
    table = {"name": "rats.csv", "mimeType": "text/csv", "buffer": content}
    page.set_input_files("#file", table)
    button(page, "Continue").click()
    button(page, "Check the rows").click()
    heading(page, "What the import would do")
    address = page.url

    answers = [(True, 500), (True, 700), (False, 1000)]

    def progress(route):
        running, done = answers.pop(0) if len(answers) > 1 else answers[0]
        route.fulfill(json={"running": running, "done": done, "total": 1000})

    page.route("**/progress", progress)
    page.route(address, show_a_running_import, times=1)
    page.goto(address)
    bar = page.get_by_role("progressbar", name="Rows imported")
    expect(bar).to_be_visible()
    announced(page, "50 percent")
    expect(bar).to_have_js_property("value", 700)
    heading(page, "What the import would do")


def show_a_running_import(route):
    """The page with the bar in place of what the import would do."""
    page = route.fetch()
    script = '<script type="module" src="/static/import_progress.js"></script>'
    bar = (
        '<h1>Importing</h1><section data-progress="/import/x/progress"><p id="progress-label">'
        'Rows imported</p><progress aria-labelledby="progress-label" max="1000" value="0"></progress>'
        "<p><span data-done>0</span></p></section>"
    )
    body = re.sub(r"(<main[^>]*>).*</main>", rf"\1{bar}</main>", page.text(), flags=re.DOTALL)
    route.fulfill(response=page, body=body.replace("</body>", f"{script}</body>"))
