"""The commands (contract §14)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from brainstem.extensions import db
from brainstem.records.users import User, by_password
from tests.people import PASSWORD


def users(app):
    with app.app_context():
        return list(db.session.scalars(select(User).order_by(User.email)))


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("admin", [False, True])
def test_a_user_is_added_with_the_password_on_standard_input(app, command, admin, end):
    words = ["Ada@Lab.org", "--first-name", "Ada", "--last-name", "Lovelace", "--password-stdin"]
    done = command("user", "add", *words, *(["--admin"] if admin else []), typed=PASSWORD + end)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "ada@lab.org" in done.stdout
    (user,) = users(app)
    assert (user.email, user.name, user.is_admin) == ("ada@lab.org", "Ada Lovelace", admin)
    with app.app_context():
        assert by_password("ada@lab.org", PASSWORD).id == user.id


def test_a_user_is_added_with_the_password_typed_twice(app, command):
    done = command("user", "add", "ada@lab.org", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    assert len(users(app)) == 1


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["ada"], PASSWORD, "email:"),
        ([""], PASSWORD, "email:"),
        (["ada@lab.org"], "short", "password: At least 8 characters."),
        (["ada@lab.org"], "", "password:"),
        (["ada@lab.org"], "x" * 1001, "password:"),
        (["ada@lab.org", "--first-name", "x" * 101], PASSWORD, "first_name:"),
        (["BEN@lab.org"], PASSWORD, "There is a user with this address already."),
        ([], PASSWORD, "Missing argument"),
    ],
)
def test_bad_input_is_said_and_adds_nobody(app, command, ben, words, typed, said):
    done = command("user", "add", *words, "--password-stdin", typed=typed + "\n")
    assert done.exit_code != 0
    assert said in done.stderr
    assert (done.stdout, "Traceback" in done.stderr) == ("", False)
    assert [each.email for each in users(app)] == ["ben@lab.org"]


def test_token_add_prints_the_token_and_nothing_else(app, command, ada):
    done = command("token", "add", "ADA@lab.org", "analysis")
    assert (done.exit_code, done.stderr) == (0, "")
    secret = done.stdout.removesuffix("\n")
    assert secret.startswith("bst_")
    assert len(secret.split()) == 1
    headers = {"Authorization": f"Bearer {secret}"}
    assert app.test_client().get("/api/private/stem/session/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody@lab.org", "analysis"], "There is no user nobody@lab.org."),
        (["ada@lab.org", ""], "name: This field is required."),
        (["ada@lab.org", "tests"], "name: You have a token of this name already."),
        (["ada@lab.org", "x" * 101], "name: At most 100 characters"),
    ],
)
def test_a_token_that_can_not_be_made_is_said_on_standard_error(command, ada, words, said):
    done = command("token", "add", *words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert said in done.stderr
