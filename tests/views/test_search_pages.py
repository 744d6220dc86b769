"""Searching everything: the page of results, and the suggestions below the field."""

from __future__ import annotations

from html import unescape
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from brainstem.core import search
from brainstem.core.resource import registry
from brainstem.core.schemas import Text
from tests.conftest import Pages
from tests.kinds import one_of_each
from tests.pages import Page, text_of
from tests.people import Role


def groups(page):
    """The names of what was found, by kind, in the page's order."""
    found = {}
    for section in page.all("section"):
        if heading := page.by_id.get(section.get("aria-labelledby", "")):
            links = [each for each in section.iter("a") if "hit" in each.get("class", "").split()]
            found[text_of(heading)] = [text_of(next(link.iter("span"))) for link in links]
    return found


def suggestions(page):
    return [text_of(each) for each in page.root.iter() if each.get("role") == "option"]


def piece(answer):
    """A piece of a page, to be read like one."""
    text = f"<html><body>{answer.text}</body></html>"
    return Page(SimpleNamespace(text=text, status_code=answer.status_code))


@pytest.fixture
def lab(ada):
    project = ada.project("Vision", description="Gratings <b>and</b> bars")
    subject = ada.made("stem/subject/", {"name": "Cori", "projects": [project["id"]]})
    session = ada.session(
        "Monday", project, description="The *grating* was shown & hidden.", date_time="2026-03-01"
    )
    ada.made("modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]})
    ada.made("stem/epoch/", {"session": session["id"], "name": "Baseline grating"})
    ada.session("Cori at noon", project)
    return ada


def test_results_stand_under_their_kinds_and_lead_to_their_pages(lab):
    pages = lab.browser()
    page = pages.open("/search?q=cori")
    assert groups(page) == {"Sessions 2": ["Cori at noon", "Monday"], "Subjects 1": ["Cori"]}
    assert "Subject: Cori" in page.text
    for link in page.all("a"):
        if "hit" in link.get("class", "").split():
            assert pages.open(link.get("href"))


def test_words_are_marked_where_they_were_found(lab):
    page = lab.browser().open("/search?q=GRATING")
    assert "The *<mark>grating</mark>* was shown &amp; hidden." in page.html
    assert "Baseline <mark>grating</mark>" in page.html
    assert "<mark>Grating</mark>s and bars" in page.html
    # What belongs to a session says to which one.
    assert "Baseline grating Monday" in page.text


def test_text_that_looks_like_html_stays_text(ada):
    ada.session("<script>x</script>", ada.project(), tags=["<i>tag</i>"])
    page = ada.browser().open("/search?q=script+tag")
    assert list(groups(page).values()) == [["<script>x</script>"]]
    assert "<script>x" not in page.html
    assert "&lt;i&gt;<mark>tag</mark>" in page.html


def test_of_many_the_first_are_shown_with_the_way_to_all(ada):
    project = ada.project()
    for number in range(8):
        ada.session(f"Rat {number}", project, description="rat" * 3)
    pages = ada.browser()
    page = pages.open("/search?q=rat")
    assert groups(page) == {"Sessions 8": [f"Rat {number}" for number in range(6)]}
    (all_of_them,) = [
        each.get("href") for each in page.all("a") if text_of(each) == "All 8 in Sessions"
    ]
    assert "Rat 7" in pages.open(all_of_them).text


EMPTY = [
    ("", "Find anything"),
    ("?q=", "Find anything"),
    ("?q=+%09", "Find anything"),
    ("?q=nothing+such", "Nothing found for “nothing such”"),
    ("?q=%3Cb%3E", "Nothing found for “<b>”"),
]


def test_when_there_is_nothing_the_page_says_what_to_do(subtests, ada):
    pages = ada.browser()
    for query, said in EMPTY:
        with subtests.test(query=query):
            page = pages.open(f"/search{query}")
            assert said in page.text
            assert groups(page) == {}


def test_what_can_not_be_searched_for_is_said(subtests, ada):
    pages = ada.browser()
    many = "+".join(f"w{number}" for number in range(search.MOST_WORDS + 1))
    for query, said in (
        ("%00", "can't be stored"),
        ("a%00b", "can't be stored"),
        (many, "At most"),
    ):
        for more in ("", "&suggest=1"):
            with subtests.test(query=query[:10], more=more):
                answer = pages.get(f"/search?q={query}{more}")
                assert answer.status_code == 400
                assert said in unescape(answer.text)


def test_suggestions_are_a_few_of_the_results_as_a_piece_of_a_page(lab):
    pages = lab.browser()
    answer = pages.get("/search?q=cori&suggest=1")
    assert "<html" not in answer.text
    page = piece(answer)
    assert suggestions(page) == [
        "Cori at noon",
        "Monday 2026-03-01 00:00 Subject: Cori",
        "Cori",
        "All 3 results",
    ]
    assert "Nothing found" in pages.get("/search?q=nowhere&suggest=1").text


def test_suggestions_stay_few(ada):
    project = ada.project("rat")
    for number in range(9):
        ada.session(f"Rat {number}", project)
        ada.made("stem/subject/", {"name": f"Rat {number}", "projects": [project["id"]]})
        payload = {"name": f"Rat {number}", "project": project["id"]}
        ada.made("stem/collection/", payload)
    page = piece(ada.browser().get("/search?q=rat&suggest=1"))
    assert len(suggestions(page)) == 10
    assert suggestions(page)[-1] == "All 28 results"


def test_every_page_has_the_field(subtests, ada):
    ada.project()
    pages = ada.browser()
    for address in ("/", "/sessions/", "/sessions/new", "/account/tokens/", "/people/", "/search"):
        with subtests.test(address=address):
            form = pages.open(address).form("Show results")
            assert (form.action, list(form.fields)) == ("/search", ["q"])


def test_nobody_finds_what_she_may_not_read(ada, ben):
    seen, hidden = ada.project("Seen"), ada.project("Hidden")
    ada.share("project", seen, ben.email, Role.MEMBER)
    rat = ada.made("stem/subject/", {"name": "Secret rat", "projects": [hidden["id"]]})
    session = ada.session("Monday", seen)
    ada.made("modules/behavior/", {"session": session["id"], "subjects": [rat["id"]]})
    ada.session("Secret session", hidden)
    ada.storage("Secret storage")
    for more in ("", "&suggest=1"):
        page = ben.browser().get(f"/search?q=secret{more}").text
        assert "rat" not in page
        assert "Monday" not in page
        assert "Nothing found" in page
    assert len(groups(ada.browser().open("/search?q=secret"))) == 3


def test_the_public_view_finds_what_is_public(app, ada):
    public = ada.project("Open")
    ada.session("Open session", public)
    ada.session("Closed session", ada.project("Closed"))
    ada("PATCH", f"stem/project/{public['id']}/", {"is_public": True})
    pages = Pages(app)
    page = pages.open("/public/search?q=session")
    assert groups(page) == {"Sessions 1": ["Open session"]}
    assert "Closed" not in page.html
    for link in page.all("a"):
        if "hit" in link.get("class", "").split():
            assert link.get("href").startswith("/public/")
            assert pages.open(link.get("href"))
    assert pages.open("/public/").form("Show results").action == "/public/search"
    answer = pages.get("/search?q=session")
    assert (answer.status_code, answer.location[:6]) == (302, "/login")


def test_a_search_takes_few_statements(ada, statements):
    """However many records are found."""
    project = ada.project()
    pages = ada.browser()

    def asked():
        statements.clear()
        pages.open("/search?q=rat")
        return len(statements)

    ada.session("Rat 1", project, description="rat")
    asked()  # what is remembered for a while is asked for
    few = asked()
    for number in range(2, 6):
        ada.session(f"Rat {number}", project, description="rat")
    assert asked() == few < 25


def test_every_kind_that_has_pages_is_found(subtests, ada):
    made = one_of_each(ada)
    pages = ada.browser()
    for kind in registry:
        if kind.page and isinstance(kind.schema._declared_fields[kind.handle], Text):
            with subtests.test(kind=kind.name):
                page = pages.open(f"/search?q={quote(made[kind.name][kind.handle])}")
                assert f"{kind.labels} 1" in groups(page)
