"""The reference for people, and answers of the API as pages."""

import html
import json
import re

import pytest

from brainstem.core.conditions import OPERATORS, SPECIAL
from brainstem.core.resource import registry
from brainstem.views import readable, reference

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
HOSTILE = "</pre></script><script>alert(1)</script><a href='javascript:alert(1)'>\u202e"


def text_of(page: str) -> str:
    """The JSON that stands on a page."""
    inner = re.search(r'<pre class="json"[^>]*><code>(.*)</code></pre>', page, re.DOTALL)[1]
    return html.unescape(re.sub("<[^>]*>", "", inner))


def links_of(page: str) -> list[str]:
    inner = re.search(r'<pre class="json"[^>]*>(.*)</pre>', page, re.DOTALL)[1]
    return [html.unescape(each) for each in re.findall(r'href="([^"]*)"', inner)]


def test_the_reference_is_open_to_anyone(app):
    page = app.test_client().get("/api/", headers=BROWSER)
    assert page.status_code == 200
    for kind in registry:
        assert f'href="/api/reference/{kind.app}/{kind.name}/"' in page.text


@pytest.mark.parametrize("kind", list(registry), ids=lambda kind: kind.name)
def test_every_kind_has_its_page(app, kind):
    address = f"/api/reference/{kind.app}/{kind.name}/"
    page = app.test_client().get(address, headers=BROWSER, base_url="http://lab-server:8000/")
    assert page.status_code == 200
    for name in kind.schema._declared_fields:
        assert f"<code>{name}</code>" in page.text
    assert "http://lab-server:8000/api/private/" in page.text
    wire = app.test_client().get(address).get_json()
    assert [each["name"] for each in wire["fields"]] == list(kind.schema._declared_fields)


def test_a_kind_that_there_is_not(app):
    assert app.test_client().get("/api/reference/stem/ghost/").status_code == 404
    assert app.test_client().get("/api/reference/modules/session/").status_code == 404


def test_scripts_get_addresses(app):
    answer = app.test_client().get("/api/").get_json()
    assert answer["private"]["session"] == "http://localhost/api/private/stem/session/"
    assert "group" not in answer["public"]


def test_the_example_of_a_new_record_is_one(app, ada):
    """What stands there as required is all that is required, and ids are all there is to fill in."""
    from brainstem.views.examples import sample

    made = {}
    for kind in ("project", "session", "subject", "datastorage", "setup", "behavior", "epoch"):
        resource = registry.get(kind)
        payload = json.loads(
            re.sub(r"<(\w+) id>", lambda m: made[m[1]]["id"], json.dumps(sample(resource)))
        )
        made[kind] = ada.made(f"{resource.app}/{kind}/", payload)


def test_all_operators_are_explained():
    assert list(reference.ASKS) == [*OPERATORS, *SPECIAL]


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        ("text/html", True),
        (BROWSER["Accept"], True),
        ("*/*", False),
        ("", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html, application/json", False),
        ("text/*", True),
    ],
)
def test_who_gets_a_page(app, accept, page):
    response = app.test_client().get("/api/public/stem/session/", headers={"Accept": accept})
    assert response.mimetype == ("text/html" if page else "application/json")
    assert "Accept" in response.headers["Vary"]


def test_format_json_is_json_in_a_browser(app):
    client = app.test_client()
    for address in ("/api/public/stem/session/", "/api/", "/api/public/stem/nothing/"):
        assert client.get(f"{address}?format=json", headers=BROWSER).mimetype == "application/json"


def test_the_page_shows_the_same_json(ada):
    project = ada.project("Déjà vu", description=HOSTILE, extra_fields={"a": 22.0, "b": 10**30})
    address = f"stem/project/{project['id']}/"
    page = ada("GET", address, headers=BROWSER)
    assert page.status_code == 200
    plain = ada("GET", address)
    assert json.loads(text_of(page.text)) == plain.get_json()
    assert "22.0" in text_of(page.text)
    assert str(10**30) in text_of(page.text)
    assert "Déjà" in text_of(page.text)
    assert "ETag" in plain.headers
    assert "ETag" not in page.headers


def test_what_records_hold_is_text(ada):
    project = ada.project("P")
    ada.session(
        "S",
        project,
        description=HOSTILE,
        tags=["javascript:alert(1)", project["id"]],
        extra_fields={"id": project["id"], "next": "http://evil.example/", "x": HOSTILE},
        download_links=[{"repository": "Other", "url": "http://x.example/?a=<b>&c"}],
    )
    page = ada("GET", "stem/session/", headers=BROWSER).text
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert all(each.startswith("/api/private/stem/") for each in links_of(page))
    assert links_of(page).count(f"/api/private/stem/project/{project['id']}/") == 1


def test_links_lead_on(ada):
    project = ada.project("P")
    sessions = [ada.session(f"S{number}", project) for number in range(3)]
    page = ada("GET", "stem/session/?limit=1&offset=1", headers=BROWSER).text
    links = links_of(page)
    one = f"/api/private/stem/session/{sessions[1]['id']}/"
    assert one in links
    assert f"{one}projects/" in links
    assert f"/api/private/stem/project/{project['id']}/" in links
    (following,) = [each for each in links if "offset=2" in each]
    for link in links:
        assert ada("GET", link.removeprefix("http://localhost")).status_code == 200
    assert following.startswith("http://localhost/api/private/stem/session/?")


def test_links_within_what_is_included(ada):
    project = ada.project("P")
    ada.session("S", project)
    page = ada("GET", "stem/project/?include[]=sessions.*", headers=BROWSER).text
    assert f"/api/private/stem/project/{project['id']}/" in links_of(page)
    assert any(each.endswith("/manipulations/") for each in links_of(page))


def test_a_relation_links_to_the_records_it_lists(ada):
    project = ada.project("P")
    session = ada.session("S", project)
    page = ada("GET", f"stem/session/{session['id']}/projects/", headers=BROWSER).text
    assert f"/api/private/stem/project/{project['id']}/" in links_of(page)


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/private/stem/session/", 401),
        ("/api/public/stem/session/?filter{nothing}=1", 400),
        ("/api/public/stem/nothing/", 404),
        ("/api/nothing", 404),
        ("/api/public/stem/session/?filter{x}=" + HOSTILE, 400),
    ],
)
def test_errors_are_pages_too(app, person, address, status):
    person()
    page = app.test_client().get(address, headers=BROWSER)
    assert page.status_code == status
    assert page.mimetype == "text/html"
    assert json.loads(text_of(page.text))
    assert "<script>alert" not in page.text
    if status == 401:
        assert "WWW-Authenticate" in page.headers
        assert "/login?next=" in page.text


def test_what_is_sent_is_answered_in_json(ada):
    response = ada("POST", "stem/project/", {"name": "P"}, headers=BROWSER)
    assert response.mimetype == "application/json"


def test_pages_run_no_scripts_of_others(app):
    page = app.test_client().get("/api/", headers=BROWSER)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*src=)|style=|onclick=", page.text)


def test_letters_stay_letters_and_what_is_unseen_is_spelled_out():
    assert readable.quoted("é\u202e\n") == '"é\\u202e\\n"'
    assert json.loads(readable.quoted("😀\U000e0001")) == "😀\U000e0001"
