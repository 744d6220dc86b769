"""Ten failed tries in 15 minutes, and no more (contract §12)."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from brainstem.errors import TooManyTries
from brainstem.extensions import db
from brainstem.records import limits
from brainstem.records.limits import FailedTries

WINDOW = limits.WINDOW.total_seconds()


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets seconds pass."""
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def forward(seconds: float) -> None:
        nonlocal now
        now += timedelta(seconds=seconds)

    monkeypatch.setattr(limits, "utcnow", lambda: now)
    return forward


# After tries at these seconds, asked at this second: how long it is still blocked.
TABLE = [
    ([], 0, 0),
    ([0] * 9, 0, 0),
    ([0] * 10, 0, WINDOW),
    ([0] * 10, WINDOW - 1, 1),
    ([0] * 10, WINDOW, 0),
    ([0, *[600] * 8], 600, 0),
    ([0, *[600] * 9], 600, WINDOW - 600),
    # It slides: the oldest falls out, and one more is looked at before the next block.
    ([0, *[600] * 9, WINDOW], WINDOW, 600),
    ([float(n) for n in range(10)], 9.5, WINDOW - 9),
]


@pytest.mark.parametrize(("tries", "asked", "blocked"), TABLE)
def test_ten_tries_within_the_window(later, tries, asked, blocked):
    passed = 0.0
    for at in tries:
        later(at - passed)
        passed = at
        limits.count("password of ada")
    later(asked - passed)
    assert limits.blocked_for("password of ada") == blocked
    assert limits.blocked_for("password of ben") == 0
    assert limits.blocked_for("password of ben", "password of ada") == blocked


def test_a_refused_try_is_counted_nowhere(later):
    for _ in range(limits.MOST):
        limits.count("account", "place")
    later(60)
    with pytest.raises(TooManyTries) as caught:
        limits.count("account", "elsewhere")
    assert caught.value.seconds == WINDOW - 60
    later(WINDOW - 60)
    assert limits.blocked_for("account", "place", "elsewhere") == 0
    assert db.session.scalar(select(func.count()).select_from(FailedTries)) == 2


def test_old_tries_are_cleaned_up(later):
    for number in range(20):
        limits.count(f"account {number}")
    later(WINDOW)
    limits.count("another")
    assert db.session.scalar(select(func.count()).select_from(FailedTries)) == 1


def test_what_was_typed_is_not_stored():
    limits.count("password of my secret typed into the wrong field \0 \ud800")
    stored = db.session.execute(select(FailedTries.key, FailedTries.times)).one()
    assert "secret" not in repr(stored)


def test_many_at_once_learn_no_more_than_ten_times_that_they_were_wrong(app):
    outcomes, ready = [], threading.Barrier(20)

    def guess(number: int) -> None:
        with app.app_context():
            ready.wait()
            try:
                # From many addresses, in both orders: they wait for each other.
                sources = ["account", f"place {number % 3}"]
                limits.count(*sources[:: 1 if number % 2 else -1])
                outcomes.append("wrong")
            except TooManyTries:
                outcomes.append("refused")

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 10 + ["wrong"] * 10


def test_a_right_password_that_comes_in_while_the_tries_are_used_up_is_refused(person, monkeypatch):
    """It was sent together with the wrong ones, before any of them was counted."""
    ada = person("ada@lab.org")
    verify = limits.users.by_password

    def slowly(email: str, password: str):
        for _ in range(limits.MOST):
            limits.count("password from elsewhere", "password of ada@lab.org")
        return verify(email, password)

    monkeypatch.setattr(limits.users, "by_password", slowly)
    with pytest.raises(TooManyTries):
        limits.by_password(ada.email, "a long enough password", "192.0.2.1")


@pytest.mark.parametrize("email", ["ada@lab.org", "left@lab.org", "nobody@lab.org"])
def test_who_there_is_can_not_be_told_by_the_time_it_takes(app, person, monkeypatch, email):
    """A wrong password costs one slow hash and the same statements, whoever it is for."""
    person("ada@lab.org")
    left = person("left@lab.org")
    with app.app_context():
        db.session.get(limits.users.User, left.id).is_active = False
        db.session.commit()
    verified, real = [], limits.users._hasher()

    class Counting:
        def hash(self, password: str) -> str:
            return real.hash(password)

        def verify(self, stored: str, password: str) -> bool:
            verified.append(stored)
            return real.verify(stored, password)

    monkeypatch.setattr(limits.users, "_hasher", Counting)
    assert limits.by_password(email, "not the password", "192.0.2.1") is None
    assert len(verified) == 1
    costs = {re.match(r"\$argon2id\$v=\d+\$[^$]+", each)[0] for each in verified}
    assert costs == {re.match(r"\$argon2id\$v=\d+\$[^$]+", real.hash("x"))[0]}
