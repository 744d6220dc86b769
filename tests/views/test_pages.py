"""The pages of records: lists, details, deleting; nothing that users write is run as script."""

from __future__ import annotations

import re

import pytest

from brainstem.core.permissions import Role
from tests.pages import Page, Pages, text_of

SESSIONS = "stem/session"

HOSTILE = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>"""
MARKDOWN = """
# A heading

<script>alert(1)</script><svg onload="alert(2)"></svg><iframe src="https://evil.org"></iframe>
<b onclick="alert(3)">bold</b> <style>body{display:none}</style> <form action="/logout"></form>
<a href="javascript:alert(4)">a</a> <a href="https://ok.org" target="_top">b</a>
[c](javascript:alert(5)) [d](JaVaScRiPt:alert(6)) [e](data:text/html,x) ![f](https://evil.org/f.png)
<img src="x" onerror="alert(7)"> <math><mi//xlink:href="data:x,<script>alert(8)</script>">

| a | b |
|---|---|
| 1 | 2 |
"""


def harmless(page):
    """Nothing on the page runs, and nothing comes from elsewhere, but the program's own files."""
    for element in page.root.iter():
        tag, attributes = element.tag.lower(), element.attrib
        assert tag not in ("iframe", "object", "embed", "base", "style"), tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        if tag == "script":
            assert attributes["src"].startswith("/"), attributes
            assert not (element.text or "").strip()
        for name in {"src", "href", "action", "formaction"} & attributes.keys():
            address = attributes[name].strip().lower()
            assert not address.startswith(("javascript:", "data:", "vbscript:")), address
            assert name != "src" or re.match("/[^/]", address), address


@pytest.fixture
def hostile(ada):
    """Records with nothing but hostile texts; the pages that show them."""
    project = ada.project(HOSTILE, description=MARKDOWN, tags=[HOSTILE])
    storage = ada.storage(
        HOSTILE,
        location=HOSTILE,
        description=HOSTILE,
        data_protocols=[{"protocol": HOSTILE, "path": HOSTILE}],
    )
    session = ada.session(
        HOSTILE,
        project,
        description=MARKDOWN,
        tags=[HOSTILE],
        datastorage=[storage["id"]],
        extra_fields={"x": HOSTILE},
        download_links=[{"repository": "Other", "url": "https://a.org/?<script>\"'"}],
    )
    kinds = (("sessions", session), ("projects", project), ("datastorage", storage))
    pages = ["/", "/sessions/?q=<script>", "/sessions/?tags=<script>&sort=name", "/sessions/new"]
    for path, record in kinds:
        detail = f"/{path}/{record['id']}"
        pages += [f"/{path}/", detail, f"{detail}/edit", f"{detail}/delete"]
    return pages


def test_what_users_write_is_never_run(subtests, ada, hostile):
    pages = ada.browser()
    for address in hostile:
        with subtests.test(address=address):
            page = pages.open(address)
            harmless(page)
            assert "alert(1)" not in "".join(each.text or "" for each in page.all("script"))
    new = pages.form("/sessions/new", "Save session").set(name=HOSTILE, description=MARKDOWN)
    refused = Page(pages.press(new, "Save session"))
    harmless(refused)
    assert refused.form("Save session").fields["name"] == HOSTILE


def test_descriptions_show_markdown_and_simple_html(ada):
    session = ada.session("Monday", ada.project(), description=MARKDOWN)
    page = ada.browser().open(f"/sessions/{session['id']}")
    (prose,) = [each for each in page.all("div") if each.get("class") == "prose"]
    tags = [each.tag for each in prose.iter()]
    assert {"h1", "b", "table", "td", "a"} <= set(tags)
    assert not {"script", "svg", "iframe", "style", "form", "img", "math"} & set(tags)
    links = [each.get("href") for each in prose.iter("a")]
    assert [each for each in links if each] == ["https://ok.org"]


# -- Headers -----------------------------------------------------------------------------------


ANSWERS = [
    "/",
    "/sessions/",
    "/sessions/nothing",
    "/nothing",
    "/static/app.css",
    "/login",
    f"/api/private/{SESSIONS}/",
    "/api/nothing",
]


def test_every_answer_says_what_a_browser_may_do_with_it(subtests, ada):
    pages = ada.browser()
    for address in ANSWERS:
        with subtests.test(address=address):
            with pages.get(address) as answer:
                headers = answer.headers
            policy = dict(
                each.strip().partition(" ")[::2]
                for each in headers["Content-Security-Policy"].split(";")
            )
            assert policy["default-src"] in ("'none'", "'self'")
            assert policy["script-src"] == policy["style-src"] == "'self'"
            assert policy["frame-ancestors"] == "'none'"
            assert "unsafe" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] in ("same-origin", "no-referrer")


# -- Addresses ---------------------------------------------------------------------------------


ADDRESSES = [
    ("/sessions/", 200),
    ("/sessions", 200),
    ("/sessions/new", 200),
    ("/sessions/{id}", 200),
    ("/sessions/{id}/", 200),
    ("/sessions/{id}/edit", 200),
    ("/sessions/{id}/delete", 200),
    ("/projects/{id}", 404),
    ("/sessions/00000000-0000-0000-0000-000000000000", 404),
    ("/sessions/00000000-0000-0000-0000-000000000000/edit", 404),
    ("/sessions/nothing", 404),
    ("/nothing/", 404),
    ("/sessions/?sort=-date_time", 200),
    ("/sessions/?page=99", 200),
    ("/sessions/?q=%25_\\", 200),
    ("/sessions/?page=0", 400),
    ("/sessions/?page=x", 400),
    ("/sessions/?sort=nothing", 400),
    ("/sessions/?sort=tags", 200),
    ("/sessions/?sort=download_links", 400),
    ("/sessions/?projects=x", 400),
    ("/sessions/?q=%00", 400),
    ("/sessions/?tags=%00", 400),
]


def test_every_address_answers(subtests, ada):
    session, pages = ada.session("Monday", ada.project()), ada.browser()
    for address, status in ADDRESSES:
        with subtests.test(address=address, status=status):
            answer = pages.get(address.format(id=session["id"]))
            assert answer.status_code == status
            assert answer.mimetype == "text/html"
            harmless(Page(answer))


@pytest.mark.parametrize("path", ["/", "/sessions/", "/sessions/new", "/account/tokens/"])
def test_pages_are_for_those_who_signed_in(app, ada, path):
    assert Pages(app).get(path).status_code == 302
    # A token is for the API alone.
    assert ada("GET", path).status_code == 302


def rows(page):
    """The names in a list, with their addresses."""
    return [
        "".join(link.itertext()).strip()
        for table in page.all("table")
        for body in table.iter("tbody")
        for row in body.iter("tr")
        for link in list(row.iter("a"))[:1]
    ]


def test_a_list_is_searched_filtered_sorted_and_paged(ada):
    project, other = ada.project(), ada.project("Other")
    for number in range(23):
        tags = ["odd"] if number % 2 else []
        ada.session(f"Session {number:02}", project, tags=tags, date_time=f"20{number:02}-01-01")
    ada.session("Élan", other)
    pages = ada.browser()
    page = pages.open("/sessions/")
    assert rows(page) == [f"Session {number:02}" for number in range(20)]
    (following,) = [each.get("href") for each in page.all("a") if each.get("rel") == "next"]
    assert rows(pages.open(following)) == ["Session 20", "Session 21", "Session 22", "Élan"]
    assert rows(pages.open("/sessions/?q=élAN")) == ["Élan"]
    assert rows(pages.open("/sessions/?tags=odd&sort=-name"))[:2] == ["Session 21", "Session 19"]
    assert rows(pages.open(f"/sessions/?projects={other['id']}")) == ["Élan"]
    assert rows(pages.open("/sessions/?q=nothing")) == []
    assert rows(pages.open("/sessions/?sort=-date_time&page=2"))[-1] == "Élan"


def test_pages_show_only_what_their_user_may_see(ada, ben):
    seen, hidden = ada.project("Seen"), ada.project("Hidden project")
    storage = ada.storage("Hidden storage")
    ada.share("project", seen, ben.email, Role.MEMBER)
    session = ada.session("Monday", seen, hidden, datastorage=[storage["id"]])
    ada.session("Hidden session", hidden)
    pages = ben.browser()
    detail = f"/sessions/{session['id']}"
    for address in ("/", "/sessions/", "/projects/", "/datastorage/", "/sessions/new", detail):
        page = pages.open(address)
        assert "Hidden" not in page.html
        assert storage["id"] not in page.html
    assert pages.get(f"{detail}/edit").status_code == 403
    assert pages.get(f"{detail}/delete").status_code == 403
    assert f"{detail}/edit" not in pages.open(detail).html


def test_a_project_s_page_leads_to_new_records_in_it(ada, ben):
    project = ada.project("Maze")
    page = ada.browser().open(f"/projects/{project['id']}")
    links = {text_of(each): each.get("href") for each in page.all("a")}
    for words in ("session", "subject", "collection", "cohort"):
        form = ada.browser().form(links[f"New {words}"], f"Save {words}")
        assert project["id"] in form.fields.getlist("projects") + form.fields.getlist("project")
    ada.share("project", project, ben.email, Role.MEMBER)
    assert "New session" not in ben.browser().open(f"/projects/{project['id']}").text


# -- Deleting ----------------------------------------------------------------------------------


def test_deleting_asks_once_more(ada):
    session = ada.session("Monday", ada.project())
    pages, address = ada.browser(), f"/sessions/{session['id']}/delete"
    page = pages.open(address)
    assert "Monday" in page.text
    assert ada.get(SESSIONS)["count"] == 1
    answer = pages.press(page.form("Delete session"), "Delete session", address)
    assert (answer.status_code, answer.location) == (302, "/sessions/")
    assert ada.get(SESSIONS)["count"] == 0
    assert "Monday" in pages.open("/sessions/").text
    assert pages.get(address).status_code == 404


@pytest.mark.parametrize("what", ["itself", "an epoch", "a new module", "an epoch is gone"])
def test_what_was_changed_since_is_not_deleted_unseen(ada, what):
    session = ada.session("Monday", ada.project())
    home = {"session": session["id"]}
    epoch = f"stem/epoch/{ada.made('stem/epoch/', home | {'name': 'Maze'})['id']}"
    pages, address = ada.browser(), f"/sessions/{session['id']}/delete"
    form = pages.form(address, "Delete session")
    if what == "itself":
        ada("PATCH", f"stem/session/{session['id']}", {"description": "needed after all"})
    elif what == "an epoch":
        ada("PATCH", epoch, {"notes": "needed after all"})
    elif what == "an epoch is gone":
        ada("DELETE", epoch)
    else:
        ada.made("modules/dataacquisition/", home | {"type": "Audio"})
    answer = pages.press(form, "Delete session", address)
    assert (answer.status_code, "was changed since" in answer.text) == (409, True)
    assert ada.get("stem/session/")["count"] == 1
    answer = pages.press(Page(answer).form("Delete session"), "Delete session", address)
    assert answer.status_code == 302
    assert ada.get("stem/session/")["count"] == 0


@pytest.mark.parametrize("path", ["projects", "datastorage"])
def test_what_sessions_use_is_not_deleted_and_the_page_says_so(ada, path):
    project, storage = ada.project(), ada.storage()
    for name in ("Monday", "Tuesday"):
        ada.session(name, project, datastorage=[storage["id"]])
    record = project if path == "projects" else storage
    pages, address = ada.browser(), f"/{path}/{record['id']}/delete"
    page = pages.open(address)
    assert "in use by 2 sessions" in page.text
    assert not [each for each in page.all("button") if "Delete" in "".join(each.itertext())]
    answer = pages.submit(address, {})
    assert "in use by 2 sessions" in answer.text
    assert pages.open(f"/{path}/{record['id']}")


def test_looking_at_a_form_from_afar_stores_nothing(ada):
    """HEAD is a GET without a body: link checkers and monitors send it."""
    project = ada.project()
    session = ada.session("Monday", project)
    client = ada.browser().client
    for address in ("/sessions/new", f"/sessions/{session['id']}/edit", "/account/tokens/"):
        assert client.head(address).status_code == 200
    assert ada.get("stem/session/")["count"] == 1
