"""Which passwords are good enough: NIST SP 800-63B's rules, which OWASP's ASVS 2.1 repeats.

Eight characters at least and long ones welcome, whatever characters they are; nothing that guessers try
first, and nothing made of what is known of the person or the place. Whoever has an older one that
would be refused now can go on signing in with it.
"""

from __future__ import annotations

import re
from typing import Any

from flask import current_app
from marshmallow import ValidationError, fields, validates_schema

from brainstem.core.schemas import Row

LEAST, MOST = 8, 1000
#: A guesser who gets ten tries in a quarter of an hour (records/limits.py) needs three years for these.
LEAST_GUESSES = 10**6
#: So many characters are judged: with letters in disguise (p4$$) the time that takes doubles with each
#: one, to a second at twenty. What takes a million guesses so far is good, whatever follows.
JUDGED = 16
#: So many letters and digits make a password of one's own out of a name.
LEAST_OF_ONES_OWN = 5
#: Shorter names are found in all kinds of words.
LEAST_NAME = 3

EASY = (
    "This is easy to guess: guessers begin with common words and names, dates, repetitions and rows of keys. "
    "A short sentence of your own is safe, and easy to type."
)
OWN = (
    "This is hardly more than a name, an email address, or what this place is called, which others know too. "
    "A short sentence of your own is safe, and easy to type."
)


class NewPassword(Row):
    """A password to be."""

    password = fields.String(
        required=True,
        metadata={
            "password": True,
            "autocomplete": "new-password",
            "help": f"At least {LEAST} characters that nobody guesses; a short sentence is easy to type.",
        },
    )

    @validates_schema(skip_on_field_errors=False)
    def password_is_good(self, data: dict[str, Any], **_: Any) -> None:
        known = [data.get(name) or "" for name in ("email", "first_name", "last_name")]
        check(data.get("password", ""), *known)


def check(password: str, *known: str) -> None:
    """`ValidationError` for a password that is too short, too long or easy to guess.

    `known` is what others know of its owner: address, names.
    """
    if len(password) < LEAST:
        wrong = f"At least {LEAST} characters."
    elif len(password) > MOST:
        wrong = f"At most {MOST} characters."
    elif _made_of(password, [*known, current_app.config["LAB_NAME"], "BrainSTEM for the lab"]):
        wrong = OWN
    elif _guesses(password) < LEAST_GUESSES:
        wrong = EASY
    else:
        return
    raise ValidationError(wrong, "password")


def _made_of(password: str, known: list[str]) -> bool:
    """Whether nothing much is left of a password without what is known."""
    rest = password.casefold()
    # An address as a whole, what stands before its @, and each name; the longest first.
    names = {each.casefold() for text in known for each in (text, *re.split(r"[\W_]+", text))}
    for name in sorted(names, key=len, reverse=True):
        if len(name) >= LEAST_NAME:
            rest = rest.replace(name, " ")
    return rest != password.casefold() and sum(map(str.isalnum, rest)) < LEAST_OF_ONES_OWN


def _guesses(password: str) -> int:
    """How many guesses it takes: by the list of common passwords, words, names, and simple patterns."""
    # Its lists take 15 MB: not before somebody chooses a password.
    from zxcvbn import zxcvbn

    return zxcvbn(password[:JUDGED])["guesses"]
