"""The public portal's pages, and the page that shows beforehand what it will show (contract §9)."""

from __future__ import annotations

import re

import pytest

from brainstem.core.permissions import Role
from tests.conftest import Pages


@pytest.fixture
def published(ada):
    """A public project with a session, beside a private one; what they name is partly private."""
    public, private = ada.project("Open", description="**Mice** <b>run</b>"), ada.project("Secret")
    nas, archive = (
        ada.storage("Lab NAS"),
        ada.storage(
            "Archive",
            is_public=True,
            data_protocols=[
                {"protocol": "HTTPS", "path": "https://archive.example", "is_public": True},
                {"protocol": "SMB", "path": "smb://nas.inside", "is_public": False},
            ],
        ),
    )
    session = ada.session(
        "Run 1", public, private, datastorage=[nas["id"], archive["id"]], tags=["wheel"]
    )
    hidden = ada.session("Run 2", private)
    subject = ada.made("stem/subject/", {"name": "Mouse 1", "projects": [public["id"]]})
    rig = ada.made("personal_attributes/setup/", {"name": "Rig B115"})
    assay = ada.made("personal_attributes/behavioralassay/", {"name": "Wheel task"})
    behavior = ada.made(
        "modules/behavior/",
        {
            "session": session["id"],
            "subjects": [subject["id"]],
            "setup": rig["id"],
            "behavioralassay": assay["id"],
        },
    )
    epoch = ada.made("stem/epoch/", {"name": "Task", "session": session["id"], "start": 0})
    log = ada.made("modules/subjectlog/", {"type": "Weight", "subject": subject["id"]})
    address = f"/projects/{public['id']}/publish"
    assert ada.browser().submit(address, {"is_public": "true"}).status_code == 302
    return {
        "projects": public,
        "private": private,
        "sessions": session,
        "hidden": hidden,
        "subjects": subject,
        "setups": rig,
        "behavioralassays": assay,
        "behaviors": behavior,
        "epochs": epoch,
        "subjectlogs": log,
        "datastorage": archive,
        "nas": nas,
    }


def test_everybody_reads_what_is_public(app, published):
    visitor = Pages(app)
    for kind in ("projects", "sessions", "subjects", "behaviors", "epochs", "subjectlogs"):
        page = visitor.get(f"/public/{kind}/{published[kind]['id']}")
        assert page.status_code == 200, (kind, page.text)
        assert visitor.get(f"/public/{kind}/").status_code == 200
    start = visitor.get("/public/").text
    assert "Open" in start and "Mice run" in start and "1 session" in start
    assert "Secret" not in start


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        ("projects", "private"),
        ("sessions", "hidden"),
        ("datastorage", "nas"),
        ("setups", "setups"),
        ("behavioralassays", "behavioralassays"),
    ],
)
def test_what_is_not_public_is_not_found(app, ada, published, kind, record):
    for reader in (Pages(app), ada.browser()):
        assert reader.get(f"/public/{kind}/{published[record]['id']}").status_code == 404


def test_nobody_and_nothing_private_is_shown(app, published):
    visitor = Pages(app)
    texts = [visitor.get(f"/public/{kind}/").text for kind in ("projects", "sessions", "behaviors")]
    texts += [
        visitor.get(f"/public/{kind}/{published[kind]['id']}").text
        for kind in ("projects", "sessions", "subjects", "behaviors", "datastorage", "subjectlogs")
    ]
    for text in texts:
        for secret in ("ada@lab.org", "Secret", "Run 2", "Lab NAS", "smb://", "Rig B115"):
            assert secret not in text
        assert "Wheel task" not in text
    assert "https://archive.example" in texts[-2]


def test_links_stay_in_the_public_view(app, ada, published):
    for reader in (Pages(app), ada.browser()):
        for kind in ("projects", "sessions", "subjects", "epochs"):
            page = reader.get(f"/public/{kind}/{published[kind]['id']}").text
            content = page[page.index("<main") : page.index("</main>")]
            links = re.findall(r'<a [^>]*href="(/[^"]*)"', content)
            assert links and all(link.startswith("/public/") for link in links), links
            for word in (">Edit<", ">Delete<", ">People<", "Add epoch", "Publish"):
                assert word not in content


def test_the_header_says_where_one_is(app, ada, published):
    visitor, reader = Pages(app), ada.browser()
    assert "Public view" in visitor.get("/public/sessions/").text
    assert 'href="/login"' in visitor.get("/public/").text
    assert "Back to my records" in reader.get("/public/").text
    assert "Groups" not in visitor.get("/public/").text
    assert visitor.get("/groups/").status_code == 302
    assert visitor.get("/public/groups/").status_code == 404
    missing = visitor.get("/public/sessions/00000000-0000-0000-0000-000000000000")
    assert missing.status_code == 404 and 'href="/public/"' in missing.text


def test_sessions_are_searched_and_paged(app, ada):
    project = ada.project("Open", is_public=True)
    for number in range(25):
        ada.session(f"Run {number:02}", project)
    visitor = Pages(app)
    first = visitor.get("/public/sessions/").text
    assert "Run 00" in first and "Run 20" not in first and "1–20 of 25" in first
    following = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert following.startswith("/public/sessions/?") and "Run 24" in visitor.get(following).text
    found = visitor.get("/public/sessions/?q=run+07").text
    assert "Run 07" in found and "Run 08" not in found
    assert "Nothing found" in visitor.get("/public/sessions/?q=nothing").text
    assert "Run 00" in visitor.get(f"/public/sessions/?projects={project['id']}").text
    # What a visitor puts into the address is never taken for an option of ours.
    assert visitor.get("/public/sessions/?_scheme=x&_external=1&sort=name").status_code in (
        200,
        400,
    )


def test_public_pages_are_only_read(app, published):
    visitor = Pages(app)
    token = visitor.token("/login")
    for address in ("/public/sessions/", f"/public/sessions/{published['sessions']['id']}"):
        answer = visitor.client.post(address, data={"csrf_token": token})
        assert answer.status_code == 405


def test_an_empty_portal_says_so(app):
    visitor = Pages(app)
    assert "Nothing is published yet" in visitor.get("/public/").text
    assert "No sessions yet" in visitor.get("/public/sessions/").text


def test_the_owner_sees_what_becomes_visible(ada, published):
    page = ada.browser().get(f"/projects/{published['projects']['id']}/publish").text
    visible, private = page.split("Stays private, and is left out")
    for words in ("<b>1</b> session", "Run 1", "<b>1</b> subject", "Mouse 1", "<b>1</b> epoch"):
        assert words in visible, words
    for name in ("Lab NAS", "Rig B115", "Wheel task", "Secret"):
        assert name in private and name not in visible, name
    assert "Archive" not in page and "Run 2" not in page
    assert "Make private again" in page


def test_publishing_and_taking_back(app, ada):
    project = ada.project("Open")
    session = ada.session("Run 1", project)
    browser, visitor = ada.browser(), Pages(app)
    address, public = f"/projects/{project['id']}/publish", f"/public/sessions/{session['id']}"
    page = browser.get(address).text
    assert "Becomes visible" in page and ">Publish<" in page
    assert visitor.get(public).status_code == 404
    assert browser.submit(address, {"is_public": "true"}).status_code == 302
    assert visitor.get(public).status_code == 200
    assert browser.submit(address, {"is_public": "false"}).status_code == 302
    assert visitor.get(public).status_code == 404


def test_only_owners_publish_and_the_form_does_not(ada, ben):
    project = ada.project("Open")
    ada.share("project", project, ben.email, Role.MANAGER)
    address = f"/projects/{project['id']}"
    browser = ben.browser()
    assert browser.get(f"{address}/publish").status_code == 403
    sent = browser.submit(f"{address}/publish", {"is_public": "true"}, page="/account/tokens/")
    assert sent.status_code == 403
    assert "Publish…" not in browser.get(address).text
    assert "Publish…" in ada.browser().get(address).text
    assert 'name="is_public"' not in ada.browser().get(f"{address}/edit").text
    assert ada.get(f"stem/project/{project['id']}")["project"]["is_public"] is False


def test_the_preview_names_only_what_its_reader_may_see(ada, ben):
    """A storage that only a colleague may see is not told of."""
    project, nas = ada.project("Open"), ben.storage("Ben's disk")
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    ben.session("Run 1", project, datastorage=[nas["id"]])
    page = ada.browser().get(f"/projects/{project['id']}/publish").text
    assert "Run 1" in page and "disk" not in page and "storage</h3>" not in page


def test_the_number_of_queries_does_not_grow(ada, app, published, statements):
    """Neither a session's page nor the preview asks once for each record."""
    session, project = published["sessions"], published["projects"]
    visitor, owner = Pages(app), ada.browser()

    def asked() -> tuple[int, int]:
        counts = []
        for reader, address in (
            (visitor, f"/public/sessions/{session['id']}"),
            (owner, f"/projects/{project['id']}/publish"),
        ):
            reader.get(address)
            statements.clear()
            assert reader.get(address).status_code == 200
            counts.append(len(statements))
        return tuple(counts)

    before = asked()
    for number in range(5):
        ada.made("stem/epoch/", {"name": f"More {number}", "session": session["id"]})
        subjects = [published["subjects"]["id"]]
        ada.made("modules/behavior/", {"session": session["id"], "subjects": subjects})
        ada.session(f"More {number}", project)
    assert asked() == before
