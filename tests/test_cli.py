"""The commands (contract §14)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from brainstem.extensions import db
from brainstem.records.users import User, by_password
from tests.pages import Pages
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


def test_a_new_password_ends_sign_ins_and_the_block(app, ada, command):
    signed_in = ada.browser()
    fields = {"email": "ada@lab.org", "password": "wrong"}
    for number in range(10):
        environ = {"REMOTE_ADDR": f"192.0.2.{number}"}
        visitor = Pages(app)
        data = {"csrf_token": visitor.token(), **fields}
        visitor.client.post("/login", data=data, environ_overrides=environ)
    assert Pages(app).submit("/login", fields | {"password": PASSWORD}).status_code == 429
    # Blocked is the signing in: who is signed in stays so.
    assert signed_in.get("/sessions/").status_code == 200
    new = "an even longer password"
    result = command("user", "password", "ADA@lab.org", "--password-stdin", typed=f"{new}\n")
    assert result.exit_code == 0, result.output
    assert result.output == "ada@lab.org has a new password.\n"
    assert signed_in.get("/sessions/").status_code == 302
    assert Pages(app).submit("/login", fields | {"password": new}).status_code == 302


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("nobody@lab.org", "an even longer password", "There is no user nobody@lab.org."),
        ("ada@lab.org", "short", "password: At least 8 characters."),
        ("ada@lab.org", "password1", "password: This is easy to guess"),
        ("ada@lab.org", "ada@lab.org", "password: This is hardly more than a name"),
    ],
)
def test_no_new_password_otherwise(app, ada, command, email, password, said):
    result = command("user", "password", email, "--password-stdin", typed=f"{password}\n")
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output
    ada.browser()


def test_the_audit_log_in_lines(app, ada, command):
    ada.browser()
    lines = [json.loads(line) for line in command("audit").output.splitlines()]
    assert [each["event"] for each in lines] == ["user_added", "token_made", "sign_in"]
    assert lines[-1]["user_id"] == str(ada.id)
    assert lines[0]["details"] == {"name": "ada@lab.org", "is_admin": False}
    assert [json.loads(command("audit", "--last", "1").output)] == lines[-1:]
    assert command("audit", "--last", "0").exit_code == 2
