"""Tokens are shown once and work until revoked; records are deleted after one more question."""

import re

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.steps import button, field, refuse

pytestmark = pytest.mark.browser


def test_a_token_is_shown_once_works_and_is_revoked(app, sign_in, ada):
    ada.session("Seen by scripts", ada.project())
    page = sign_in(ada)
    page.goto("/")
    page.get_by_role("link", name="Tokens").click()
    field(page, "Name").fill("analysis")
    button(page, "Create token").click()
    secret = page.get_by_label("Your new token").get_by_role("textbox").input_value()
    assert re.fullmatch(r"bst_[\w-]{43,}", secret)

    def ask() -> requests.Response:
        return requests.get(
            f"{app.config['SERVED_AT']}/api/private/stem/session/",
            headers={"Authorization": f"Bearer {secret}"},
            timeout=10,
        )

    assert [each["name"] for each in ask().json()["sessions"]] == ["Seen by scripts"]

    page.goto("/account/tokens/")
    expect(page.get_by_role("cell", name="analysis", exact=True)).to_be_visible()
    assert secret not in page.content()
    field(page, "Name").fill("analysis")
    refuse(page, "Create token")
    expect(field(page, "Name")).to_have_attribute("aria-invalid", "true")
    expect(field(page, "Name")).to_have_value("analysis")

    button(page, "Revoke analysis").click()
    expect(page.get_by_role("status")).to_contain_text("revoked")
    expect(button(page, "Revoke analysis")).to_have_count(0)
    expect(button(page, "Revoke tests")).to_be_visible()
    assert ask().status_code == 401


def delete(page: Page, kind: str, record) -> None:
    """From the record's page to the question."""
    page.goto(f"/{kind}/{record['id']}")
    page.get_by_role("link", name="Delete").click()
    expect(page.get_by_role("heading", name=f"“{record['name']}”")).to_be_visible()


def test_deleted_after_one_more_question(sign_in, ada):
    """What others hang on stays, with the reason, until they are gone."""
    project, storage = ada.project("Cortex maps"), ada.storage("Archive")
    session = ada.session("Brief", project, datastorage=[storage["id"]])
    page = sign_in(ada)
    kinds = (("projects", project, "project"), ("datastorage", storage, "data storage"))
    for kind, record, words in kinds:
        delete(page, kind, record)
        expect(page.get_by_role("main")).to_contain_text("1 session")
        expect(button(page, f"Delete {words}")).to_have_count(0)
        page.get_by_role("link", name="Go back").click()
        expect(page.get_by_role("heading", name=record["name"], level=1)).to_be_visible()

    delete(page, "sessions", session)
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Brief", level=1)).to_be_visible()
    delete(page, "sessions", session)
    button(page, "Delete session").click()
    expect(page.get_by_role("status")).to_contain_text("“Brief” was deleted")
    expect(page.get_by_role("link", name="Brief")).to_have_count(0)
    assert ada.get("stem/session/")["count"] == 0

    for kind, record, words in kinds:
        delete(page, kind, record)
        button(page, f"Delete {words}").click()
        expect(page.get_by_role("status")).to_contain_text("was deleted")
    assert ada.get("stem/project/")["count"] == 0
    assert ada.get("personal_attributes/datastorage/")["count"] == 0
