"""Two people edit one session: the second one sees both versions, and nothing is lost."""

import pytest
from playwright.sync_api import Page, expect

from brainstem.core.permissions import Role
from tests.browser.steps import (
    button,
    edit,
    expect_order,
    field,
    group,
    save,
    stored,
    stored_order,
)

pytestmark = pytest.mark.browser

both = pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])


@pytest.fixture
def session(ada, ben):
    project = ada.project("Cortex maps")
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    storages = [ada.storage(name) for name in ("Alpha", "Beta")]
    for storage in storages:
        ada.share("datastorage", storage, ben.email, Role.CONTRIBUTOR)
    return ada.session(
        "Shared",
        project,
        description="First",
        tags=["old"],
        datastorage=[each["id"] for each in storages],
        extra_fields={"room": "B115"},
    )


def changed(person, session, **fields) -> None:
    answer = person("PATCH", f"stem/session/{session['id']}/", fields)
    assert answer.status_code == 200, answer.get_json()


def conflict(page: Page) -> None:
    """Save, and come to the page with both versions."""
    button(page, "Save session").click()
    expect(page.get_by_role("heading", name="Shared")).to_be_visible()
    expect(page.get_by_text("Somebody else saved this session")).to_be_visible()


def option(page: Page, label: str, whose: str):
    return field(group(page, label), whose)


@both
def test_each_chooses_for_what_both_changed(sign_in, ada, ben, session, script):
    page = sign_in(ada, java_script_enabled=script)
    edit(page, session)
    field(page, "Description").fill("Ada's\nlines")
    field(page, "Name used in storage").fill("ada_1")
    button(page, "Move Beta up").click()
    if script:
        field(page, "Tags").press_sequentially("ada,")
    else:
        field(page, "Tags").fill("old, ada")
    theirs = {"description": "Ben's", "tags": ["old", "ben"], "extra_fields": {"room": "B116"}}
    changed(ben, session, **theirs)
    conflict(page)

    taken = page.get_by_role("region", name="Taken over")
    expect(taken).to_contain_text("Extra fields")
    expect(taken).to_contain_text("B116")
    expect(page.get_by_role("main").get_by_role("group")).to_have_count(2)
    yours, others = option(page, "Description", "Yours"), option(page, "Description", "Theirs")
    expect(yours).to_have_accessible_description("Ada's lines")
    expect(others).to_have_accessible_description("Ben's")
    yours.check()
    expect(option(page, "Tags", "Yours")).to_have_accessible_description("old, ada")
    option(page, "Tags", "Theirs").check()
    save(page)

    now = stored(ada, session)
    assert now["description"].split() == ["Ada's", "lines"]
    assert now["tags"] == ["old", "ben"]
    assert now["extra_fields"] == {"room": "B116"}
    assert now["name_used_in_storage"] == "ada_1"
    assert stored_order(ada, session) == ["Beta", "Alpha"]


def test_in_two_browsers(sign_in, ada, ben, session):
    """Both in the browser, and a third change while the second person chooses."""
    first, second = sign_in(ada), sign_in(ben)
    for page in (first, second):
        edit(page, session)
    field(first, "Description").fill("Ada's")
    save(first)
    field(second, "Description").fill("Ben's")
    button(second, "Remove Beta").click()
    conflict(second)
    changed(ada, session, description="Ada's second", tags=["new"])
    button(second, "Save session").click()
    expect(option(second, "Description", "Theirs")).to_have_accessible_description("Ada's second")
    expect(option(second, "Description", "Yours")).to_have_accessible_description("Ben's")
    save(second)
    now = stored(ada, session)
    assert (now["description"], now["tags"]) == ("Ben's", ["new"])
    assert stored_order(ada, session) == ["Alpha"]


@both
def test_a_choice_in_error_comes_back_as_the_form(sign_in, ada, ben, session, script):
    """Everything is still in the form when what was chosen can't be stored."""
    page = sign_in(ada, java_script_enabled=script)
    edit(page, session)
    field(page, "Name").fill("Taken")
    field(page, "Description").fill("Ada's")
    button(page, "Move Beta up").click()
    changed(ben, session, description="Ben's", tags=["ben"])
    conflict(page)
    option(page, "Description", "Yours").check()
    ada.session("Taken", *[{"id": each} for each in session["projects"]])
    button(page, "Save session").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(field(page, "Name")).to_have_value("Taken")
    expect(field(page, "Description")).to_have_value("Ada's")
    expect_order(page, "Beta", "Alpha")
    field(page, "Name").fill("Free")
    save(page)
    now = stored(ada, session)
    assert (now["name"], now["description"], now["tags"]) == ("Free", "Ada's", ["ben"])
    assert stored_order(ada, session) == ["Beta", "Alpha"]


def test_other_fields_only_need_no_choice(sign_in, ada, ben, session):
    page = sign_in(ada)
    edit(page, session)
    field(page, "Description").fill("Ada's")
    changed(ben, session, tags=["ben"])
    conflict(page)
    expect(page.get_by_role("radio")).to_have_count(0)
    save(page)
    now = stored(ada, session)
    assert (now["description"], now["tags"]) == ("Ada's", ["ben"])
