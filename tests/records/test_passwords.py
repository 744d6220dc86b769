"""Which new passwords are refused, everywhere one is chosen; and that older ones go on working."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from brainstem.core.permissions import Actor
from brainstem.extensions import db
from brainstem.records import passwords, users
from brainstem.records.users import User
from tests.conftest import PASSWORD, Pages

SHORT, LONG = "At least 8 characters.", "At most 1000 characters."

# For Ada Lovelace, ada@lab.org, in the "Petersen Lab".
TABLE = [
    ("", SHORT),
    ("q7!Kx2z", SHORT),
    ("q7!Kx2zW", None),
    ("a long enough password", None),
    ("correct horse battery staple", None),
    ("in der Küche steht ein Ölfaß", None),
    ("кошка спит на окне", None),
    ("窓際で猫が眠っている", None),
    ("q7!Kx2zW" * 125, None),
    ("q7!Kx2zW" * 125 + "x", LONG),
    # Common ones, also in disguise.
    ("password", passwords.EASY),
    ("PASSWORD", passwords.EASY),
    ("Password1!", passwords.EASY),
    ("p4ssw0rd", passwords.EASY),
    ("12345678", passwords.EASY),
    ("iloveyou", passwords.EASY),
    ("trustno1", passwords.EASY),
    ("letmein1", passwords.EASY),
    ("administrator", passwords.EASY),
    # Simple patterns.
    ("aaaaaaaa", passwords.EASY),
    ("abcdefgh", passwords.EASY),
    ("qwertyuiop", passwords.EASY),
    ("1qaz2wsx", passwords.EASY),
    ("abcabcabcabc", passwords.EASY),
    ("passwordpassword", passwords.EASY),
    ("x" * 1000, passwords.EASY),
    ("24.12.1999", passwords.EASY),
    # What others know.
    ("ada@lab.org", passwords.OWN),
    ("Lovelace1815", passwords.OWN),
    ("AdaLovelace!", passwords.OWN),
    ("lovelace!!!!!!!!", passwords.OWN),
    ("BrainSTEM2026", passwords.OWN),
    ("brainstem for the lab", passwords.OWN),
    ("PetersenLab#1", passwords.OWN),
    ("Ada walks her dog at six", None),
    ("canadian rocks are cold", None),
]


@pytest.fixture
def lab(app):
    app.config["LAB_NAME"] = "Petersen Lab"
    with app.app_context():
        yield app


@pytest.mark.parametrize(("password", "message"), TABLE)
def test_a_new_password(lab, password, message):
    try:
        passwords.check(password, "ada@lab.org", "Ada", "Lovelace")
        said = None
    except ValidationError as error:
        said = error.normalized_messages()
    assert said == (message and {"password": [message]})


def test_what_is_slow_to_judge_is_not_judged_to_its_end(lab, monkeypatch):
    judged = []
    monkeypatch.setattr("zxcvbn.zxcvbn", lambda text: judged.append(text) or {"guesses": 10**9})
    passwords.check("4@8({[<369|!1705$+7%2" * 40)
    assert [len(each) for each in judged] == [passwords.JUDGED]


@pytest.mark.parametrize("password", ["password1", "ada@lab.org", "Lovelace1815", "short"])
def test_everywhere_a_password_is_chosen(app, person, command, password):
    """Set-up, a user that an administrator adds, a password that she gives, one's own, the command."""
    names = {"email": "ada@lab.org", "first_name": "Ada", "last_name": "Lovelace"}
    words = ("--first-name", "Ada", "--last-name", "Lovelace", "--password-stdin")
    result = command("user", "add", "ada@lab.org", *words, typed=f"{password}\n")
    assert result.exit_code == 1
    assert result.output.startswith("Error: password: ")

    with app.app_context():
        code = users.open_setup_code()
    visitor = Pages(app)
    answers = [visitor.submit("/setup", {**names, "password": password, "code": code})]

    admin = person("admin@lab.org", admin=True)
    answers.append(admin.browser().submit("/people/new", {**names, "password": password}))
    with app.app_context():
        ada = users.admit(Actor(admin.id), {**names, "password": PASSWORD})
    answers.append(
        admin.browser().submit(
            f"/people/{ada.id}/password", {"password": password}, page=f"/people/{ada.id}"
        )
    )
    pages = Pages(app)
    pages.submit("/login", {"email": "ada@lab.org", "password": PASSWORD})
    fields = {"current": PASSWORD, "password": password}
    answers.append(pages.submit("/account/password/", fields))
    for response in answers:
        assert response.status_code == 400
        assert 'id="password-error"' in response.text
        # The page does not give it back.
        assert f'value="{password}"' not in response.text.replace('value="ada@lab.org"', "")


def test_an_older_password_goes_on_working(app, ada):
    with app.app_context():
        db.session.get(User, ada.id).password_hash = users._hasher().hash("password1")
        db.session.commit()
    response = Pages(app).submit("/login", {"email": "ada@lab.org", "password": "password1"})
    assert response.status_code == 302
