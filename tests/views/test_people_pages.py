"""Who may do what, and the pages to say so: people of records, groups, users; parts of records."""

from __future__ import annotations

import html
import re

import pytest

from brainstem.core.permissions import Role
from tests.conftest import PASSWORD, Pages
from tests.pages import Page

KINDS = [
    ("project", "stem/project/", "projects"),
    ("datastorage", "personal_attributes/datastorage/", "datastorage"),
    ("setup", "personal_attributes/setup/", "setups"),
    ("behavioralassay", "personal_attributes/behavioralassay/", "behavioralassays"),
    ("group", "users/group/", "groups"),
]


def words(page: str) -> str:
    """A page's text, as it reads."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def version(browser: Pages, address: str) -> str:
    return re.search(r'name="version" value="(\d+)"', browser.get(address).text)[1]


def row_of(page: str, name: str) -> str:
    """The row of somebody on a people page."""
    rows = page.split('<li class="standing">')[1:]
    return next(each for each in rows if name in each)


def ask(browser: Pages, address: str, do: str, name: str, role: str = "", field: str = "users"):
    """Send one of the forms of a people page."""
    sent = {"field": field, "name": name, "do": do, "version": version(browser, address)}
    return browser.submit(address, sent | ({"role": role} if role else {}))


# People of a record --------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "api", "page"), KINDS)
def test_roles_are_given_changed_and_taken(ada, ben, kind, api, page):
    record = ada.made(api, {"name": "Ours"})
    address, browser = f"/{page}/{record['id']}/people", ada.browser()
    assert address in browser.get(f"/{page}/{record['id']}").text

    def rights() -> dict:
        (stored,) = ada.get(f"{api}{record['id']}/").values()
        return stored["users"]

    assert ask(browser, address, "add", "BEN@lab.org ", "manager").status_code == 302
    assert rights()["ben@lab.org"]["is_manager"]
    assert ben.browser().get(f"/{page}/{record['id']}").status_code == 200
    assert ask(browser, address, "set", "ben@lab.org", "member").status_code == 302
    assert not any(rights()["ben@lab.org"].values())
    assert ask(browser, address, "remove", "ben@lab.org").status_code == 302
    assert list(rights()) == ["ada@lab.org"]
    assert ben.browser().get(address).status_code == 403


def test_the_page_says_who_may_do_what_and_why(ada, ben, person):
    cora = person("cora@lab.org")
    project, group = ada.project("Ours"), ada.made("users/group/", {"name": "Neuro"})
    ada("PATCH", f"users/group/{group['id']}/", {"users": {ben.email: {}, cora.email: {}}})
    payload = {"users": {ben.email: {"can_change": True}}, "groups": {"Neuro": {}}}
    assert ada("PATCH", f"stem/project/{project['id']}/", payload).status_code == 200
    text = words(cora.browser().get(f"/projects/{project['id']}/people").text)
    assert (
        "ben@lab.org may change what is in it: contributor, directly; "
        "member through the group Neuro" in text
    )
    assert "cora@lab.org may read it and what is in it: member through the group Neuro" in text
    assert "ada@lab.org may do everything with it: owner, directly" in text
    assert "everybody in it may read it and what is in it: member" in text
    assert "Add person" not in text


def test_who_is_in_a_group_shows_only_to_its_members(ada, ben, person):
    cora = person("cora@lab.org")
    project, group = ada.project("Ours"), ben.made("users/group/", {"name": "Hidden group"})
    ben("PATCH", f"users/group/{group['id']}/", {"users": {cora.email: {}}})
    ada("PATCH", f"stem/project/{project['id']}/", {"groups": {"Hidden group": {}}})
    address = f"/projects/{project['id']}/people"
    standings = ada.browser().get(address).text.split("<datalist")[0]
    assert "cora@lab.org" not in standings
    assert "Hidden group" in ada.browser().get(address).text
    assert "member through the group Hidden group" in words(ben.browser().get(address).text)


def test_the_last_owner_stays(ada, ben):
    project = ada.project("Ours")
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    address, browser = f"/projects/{project['id']}/people", ada.browser()
    for answer in (
        ask(browser, address, "set", "ada@lab.org", "member"),
        browser.submit(f"/projects/{project['id']}/leave", {}, page=address),
    ):
        assert answer.status_code == 400
        row = row_of(answer.text, "ada@lab.org")
        assert "The last owner can neither be removed nor step down." in row
        assert answer.text.count("last owner") == 2, "at the top, and there"
    assert ask(browser, address, "set", "ben@lab.org", "owner").status_code == 302
    left = browser.submit(f"/projects/{project['id']}/leave", {}, page=address)
    assert left.status_code == 302
    assert browser.get(f"/projects/{project['id']}").status_code == 403


def test_managers_manage_members_and_contributors(ada, ben, person):
    cora, dee = person("cora@lab.org"), person("dee@lab.org")
    project = ada.project("Ours")
    for who, role in ((ben, Role.MANAGER), (dee, Role.MANAGER), (cora, Role.MEMBER)):
        ada.share("project", project, who.email, role)
    address, browser = f"/projects/{project['id']}/people", ben.browser()
    page = browser.get(address).text
    assert 'aria-label="Remove cora@lab.org"' in page
    for untouchable in ("ada@lab.org", "dee@lab.org"):
        assert f"Remove {untouchable}" not in page
    assert 'value="manager"' not in page and 'value="owner"' not in page
    assert browser.get(f"/projects/{project['id']}/edit").status_code == 403
    assert ask(browser, address, "set", "cora@lab.org", "contributor").status_code == 302
    for do, name, role in (
        ("set", "cora@lab.org", "manager"),
        ("remove", "dee@lab.org", ""),
    ):
        answer = ask(browser, address, do, name, role)
        assert answer.status_code == 403
        assert "Only owners may say who is a manager or an owner" in answer.text
    reader = cora.browser()
    sent = {"field": "users", "name": "cora@lab.org", "role": "owner", "do": "set", "version": "1"}
    assert reader.submit(address, sent, page="/account/tokens/").status_code == 403


@pytest.mark.parametrize(
    ("field", "name", "message"),
    [
        ("users", "nobody@lab.org", "There is no user with this email."),
        ("users", "", "Say who."),
        ("users", "ada@lab.org", "Has a role already"),
        ("groups", "No such group", "There is no group with this name."),
        ("name", "x", "Say who."),
    ],
)
def test_what_is_wrong_stands_where_it_was_typed(ada, field, name, message):
    project = ada.project("Ours")
    answer = ask(ada.browser(), f"/projects/{project['id']}/people", "add", name, "member", field)
    assert answer.status_code == 400
    if field != "name":
        page = Page(answer)
        assert page.marks.keys() == {f"{field}-new"} and message in page.marks[f"{field}-new"]
        assert page.summary == [f"{field}-new"] and f'value="{name}"' in answer.text
    assert 'role="alert"' in answer.text and "<title>Error: " in answer.text


def test_what_is_wrong_with_a_row_stands_at_the_top_too(ada):
    """Also where it can't be changed here, and where it is gone."""
    project = ada.project("Ours")
    address, browser = f"/projects/{project['id']}/people", ada.browser()
    for answer in (
        ask(browser, address, "set", ada.email, "member"),
        browser.submit(f"/projects/{project['id']}/leave", {}, page=address),
    ):
        page = Page(answer)
        assert answer.status_code == 400 and page.summary == ["users-1"]
        assert page.marks.keys() == {"users-1"}
    answer = ask(browser, address, "set", "gone@lab.org", "member")
    assert answer.status_code == 400 and 'role="alert"' in answer.text
    assert "There is no user with this email." in words(answer.text)


def test_two_managers_at_once(ada, ben):
    project = ada.project("Ours")
    ada.share("project", project, ben.email, Role.MEMBER)
    address, browser = f"/projects/{project['id']}/people", ada.browser()
    old = version(browser, address)
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    sent = {"field": "users", "name": ben.email, "role": "manager", "do": "set", "version": old}
    answer = browser.submit(address, sent)
    assert answer.status_code == 409 and "in the meantime" in answer.text
    # What was chosen stands there still; it takes another press.
    row = row_of(answer.text, "ben@lab.org")
    assert '<option value="manager" selected>' in row and "may change what is in it" in row


def test_people_are_not_in_the_ordinary_form(ada):
    for _, api, page in KINDS:
        record = ada.made(api, {"name": "Ours"})
        form = ada.browser().get(f"/{page}/{record['id']}/edit").text
        assert "users-" not in form and "groups-" not in form


def test_known_people_and_groups_are_suggested(ada, ben):
    ada.made("users/group/", {"name": "Neuro"})
    ben.made("users/group/", {"name": "Hidden group"})
    project = ada.project("Ours")
    page = ada.browser().get(f"/projects/{project['id']}/people").text
    lists = "".join(re.findall(r"<datalist.*?</datalist>", page, re.S))
    assert "ben@lab.org" in lists and "Neuro" in lists
    assert "ada@lab.org" not in lists and "Hidden group" not in lists


# Groups --------------------------------------------------------------------------------------------


def test_a_group_shows_what_it_gives_access_to(ada, ben):
    group = ada.made("users/group/", {"name": "Neuro"})
    ada("PATCH", f"users/group/{group['id']}/", {"users": {ben.email: {}}})
    for name, rights in (("Shared", {"can_change": True}), ("Unshared", None)):
        project = ada.project(name)
        if rights:
            ada("PATCH", f"stem/project/{project['id']}/", {"groups": {"Neuro": rights}})
    text = words(ben.browser().get(f"/groups/{group['id']}").text)
    assert "Shared contributor" in text and "Unshared" not in text
    assert "ada@lab.org owner" in text


def test_a_member_leaves_a_group(ada, ben):
    group = ada.made("users/group/", {"name": "Neuro"})
    ada.share("group", group, ben.email, Role.MEMBER)
    address, browser = f"/groups/{group['id']}", ben.browser()
    assert ">Leave<" in browser.get(f"{address}/people").text
    assert browser.submit(f"{address}/leave", {}, page=f"{address}/people").status_code == 302
    assert browser.get(address).status_code == 403
    again = browser.submit(f"{address}/leave", {}, page="/account/tokens/")
    assert again.status_code == 403


def test_administrators_manage_all_groups_on_the_pages(ada, ben, person):
    admin = person("admin@lab.org", admin=True)
    group = ada.made("users/group/", {"name": "Neuro"})
    address, browser = f"/groups/{group['id']}", admin.browser()
    assert "Neuro" in browser.get("/groups/").text
    assert ask(browser, f"{address}/people", "add", ben.email, "owner").status_code == 302
    assert ask(browser, f"{address}/people", "remove", "ada@lab.org").status_code == 302
    assert browser.submit(f"{address}/delete", {}).status_code == 302
    # Everywhere else an administrator is a user like others.
    project = ada.project("Ours")
    assert browser.get(f"/projects/{project['id']}").status_code == 403
    assert browser.get(f"/projects/{project['id']}/people").status_code == 403


# Users ---------------------------------------------------------------------------------------------


def test_everybody_sees_the_users(ada, ben):
    group = ada.made("users/group/", {"name": "Neuro"})
    page = words(ada.browser().get("/people/").text)
    assert "ada@lab.org" in page and "ben@lab.org" in page and "Neuro" in page
    other = ben.browser()
    text = other.get("/people/").text
    assert "Neuro" not in text and "Add user" not in text
    assert group["name"] == "Neuro"
    assert other.get("/people/new").status_code == 403
    assert other.get(f"/people/{ada.id}").status_code == 403


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/people/new", {"email": "eve@lab.org", "password": PASSWORD, "is_admin": "1"}),
        ("/people/{id}/standing", {"is_admin": "true"}),
        ("/people/{id}/standing", {"is_active": "false"}),
        ("/people/{id}/password", {"password": PASSWORD}),
    ],
)
def test_only_administrators_change_users(ada, ben, address, fields):
    address = address.format(id=ben.id)
    answer = ben.browser().submit(address, fields, page="/account/tokens/")
    assert answer.status_code == 403
    assert len(ada.get("users/user/")["users"]) == 2
    assert ada.browser().get("/people/").text.count("Administrator") == 0


def test_an_administrator_adds_a_user(app, person):
    browser = person("admin@lab.org", admin=True).browser()
    wrong = browser.submit("/people/new", {"email": "eve", "password": "short"})
    assert wrong.status_code == 400 and wrong.text.count("aria-invalid") == 2
    nobody = browser.submit("/people/new", {"email": " ", "password": PASSWORD})
    assert nobody.status_code == 400 and "This field is required." in nobody.text
    sent = {"email": "Eve@lab.org", "first_name": "Eve", "password": PASSWORD}
    assert browser.submit("/people/new", sent).status_code == 302
    twice = browser.submit("/people/new", sent)
    assert "There is a user with this address already." in twice.text
    signed_in = Pages(app).submit("/login", {"email": "eve@lab.org", "password": PASSWORD})
    assert signed_in.status_code == 302
    assert re.search(r"Last sign-in\D+\d{4}-\d\d-\d\d", words(browser.get("/people/").text))


def test_the_last_administrator_stays(ada, person):
    admin = person("admin@lab.org", admin=True)
    browser = admin.browser()
    page = f"/people/{admin.id}"
    for fields in ({"is_admin": "false"}, {"is_active": "false"}):
        answer = browser.submit(f"{page}/standing", fields, page=page)
        assert answer.status_code == 400 and "There must be an administrator" in answer.text
    made = browser.submit(f"/people/{ada.id}/standing", {"is_admin": "true"}, page=page)
    assert made.status_code == 302
    down = browser.submit(f"{page}/standing", {"is_admin": "false"}, page=page)
    assert down.status_code == 302 and down.location == "/people/"
    assert browser.get("/people/new").status_code == 403
    assert ada.browser().get("/people/new").status_code == 200


def test_who_has_left_cannot_sign_in_but_her_records_stay(app, ada, ben, person):
    admin = person("admin@lab.org", admin=True)
    project = ada.project("Ours")
    ada.share("project", project, ben.email, Role.MEMBER)
    signed_in, browser = ada.browser(), admin.browser()
    page = f"/people/{ada.id}"
    assert browser.submit(f"{page}/standing", {"is_active": "false"}, page=page).status_code == 302
    assert signed_in.get("/projects/").status_code == 302
    assert ada("GET", "stem/project/").status_code == 401
    refused = Pages(app).submit("/login", {"email": ada.email, "password": PASSWORD})
    assert refused.status_code == 400
    assert ben.browser().get(f"/projects/{project['id']}").status_code == 200
    assert browser.submit(f"{page}/standing", {"is_active": "true"}, page=page).status_code == 302
    assert ada("GET", "stem/project/").status_code == 200


def test_a_new_password_ends_every_sign_in(app, ada, person):
    browser, signed_in = person("admin@lab.org", admin=True).browser(), ada.browser()
    page, new = f"/people/{ada.id}", "quite another sentence"
    assert browser.submit(f"{page}/password", {"password": "short"}, page=page).status_code == 400
    assert browser.submit(f"{page}/password", {"password": new}, page=page).status_code == 302
    assert signed_in.get("/projects/").status_code == 302
    assert Pages(app).submit("/login", {"email": ada.email, "password": new}).status_code == 302


def test_everybody_changes_her_own_password(app, ada):
    browser, elsewhere = ada.browser(), ada.browser()
    address, new = "/account/password/", "quite another sentence"
    for current, password, messages in (
        (PASSWORD, "short", {"password": "At least 8"}),
        ("wrong", new, {"current": "not your password"}),
        ("", "", {"current": "required", "password": "At least 8"}),
        ("", new, {"current": "required"}),
        ("wrong", "short", {"current": "not your password", "password": "At least 8"}),
    ):
        answer = browser.submit(address, {"current": current, "password": password})
        page = Page(answer)
        assert answer.status_code == 400 and page.summary == list(messages)
        assert page.marks.keys() == messages.keys()
        assert all(message in page.marks[place] for place, message in messages.items())
    done = browser.submit(address, {"current": PASSWORD, "password": new})
    assert done.status_code == 302
    assert browser.get("/projects/").status_code == 200
    assert elsewhere.get("/projects/").status_code == 302
    assert ada("GET", "stem/project/").status_code == 200
    assert Pages(app).submit("/login", {"email": ada.email, "password": new}).status_code == 302


# Parts of records ----------------------------------------------------------------------------------


def test_what_belongs_to_a_record_is_added_on_its_page(ada, ben):
    project = ada.project("Ours")
    session = ada.session("Run 1", project)
    ada.share("project", project, ben.email, Role.MEMBER)
    home, browser = f"/sessions/{session['id']}", ada.browser()
    page = browser.get(home).text
    add = f"/epochs/new?session={session['id']}"
    for kind in ("epochs", "behaviors", "dataacquisition", "manipulations"):
        assert f"/{kind}/new?session={session['id']}" in page
    assert f'<option value="{session["id"]}" selected>' in browser.get(add).text
    sent = {"name": "Task", "session": session["id"], "start": "0", "end": "00:45:00"}
    saved = browser.submit(add, sent)
    assert saved.location == f"{home}#epochs"
    page = browser.get(home).text
    assert "Task" in page and "00:45:00" in page
    epoch = re.search(r'href="(/epochs/[0-9a-f-]{36})"', page)[1]
    assert f'href="{home}#epochs"' in browser.get(epoch).text
    assert browser.submit(f"{epoch}/delete", {}).location == f"{home}#epochs"
    reader = ben.browser().get(home).text
    assert "Run 1" in reader and "/new?" not in reader


def test_the_address_chooses_only_what_one_may_use(ada, ben):
    mine, theirs = ada.project("Ours"), ben.project("Theirs")
    read = ben.project("Read only")
    ben.share("project", read, ada.email, Role.MEMBER)
    query = "&".join(f"projects={each}" for each in (mine["id"], theirs["id"], read["id"], "x"))
    page = ada.browser().get(f"/sessions/new?{query}&datastorage=&name=ignored").text
    assert re.findall(r'<option value="([^"]{36})" selected>', page) == [mine["id"]]
    assert theirs["id"] not in page


def test_an_epoch_is_offered_the_modules_of_its_session(ada):
    project = ada.project("Ours")
    subject = ada.made("stem/subject/", {"name": "Mouse 1", "projects": [project["id"]]})
    sessions = [ada.session(name, project) for name in ("Run 1", "Run 2")]
    ids = [
        ada.made("modules/behavior/", {"session": each["id"], "subjects": [subject["id"]]})["id"]
        for each in sessions
    ]
    browser = ada.browser()
    page = browser.get(f"/epochs/new?session={sessions[0]['id']}").text
    assert ids[0] in page and ids[1] not in page
    page = browser.get("/epochs/new").text
    assert "Behavior 1 · Run 1" in page and "Behavior 1 · Run 2" in page


def test_the_navigation_leads_to_what_is_in_use_each_day(ada):
    browser = ada.browser()
    page = browser.get("/").text
    nav = page[page.index('aria-label="Main"') : page.index("</nav>")]
    for address in ("/sessions/", "/setups/", "/groups/", "/people/", "/public/", "/api/"):
        assert f'href="{address}"' in nav
    for address in ("/epochs/", "/procedures/", "/equipment/"):
        assert f'href="{address}"' not in nav
    # A kind without a place of its own is found under its parent's.
    epochs = browser.get("/epochs/").text
    assert re.search(r'href="/sessions/" aria-current="page"', epochs)


@pytest.mark.parametrize("kind", ["behaviors", "procedures", "epochs", "collections", "groups"])
def test_every_list_can_be_searched(ada, kind):
    assert ada.browser().get(f"/{kind}/?q=nothing").status_code == 200


def test_a_new_form_shows_the_defaults(ada):
    page = ada.browser().get("/subjects/new").text
    assert '<option value="U" selected>' in page
