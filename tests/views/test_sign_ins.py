"""How long a sign-in lasts, what ends it, and that nothing of what was before it stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from brainstem.core.permissions import Actor
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records import sign_ins, tokens, users
from brainstem.records.sign_ins import SignIn
from brainstem.views.account import browser
from tests import faults
from tests.conftest import PASSWORD, Pages

NEW = "an even longer password"
SESSION, REMEMBER = "brainstem", "brainstem_remember"


def signed_in(pages: Pages) -> bool:
    response = pages.get("/account/tokens/")
    assert response.status_code in (200, 302)
    return response.status_code == 200


def enter(
    app: Flask, email: str = "ada@lab.org", *, kept: bool = False, password=PASSWORD
) -> Pages:
    pages = Pages(app)
    fields = {"email": email, "password": password} | ({"remember": "1"} if kept else {})
    assert pages.submit("/login", fields).status_code == 302
    return pages


def copied(pages: Pages, name: str) -> Pages:
    """Another browser with one of the cookies, as of somebody who took it along."""
    other = Pages(pages.client.application)
    other.client.set_cookie(name, pages.client.get_cookie(name).value)
    return other


# Whether one chose to stay signed in; hours since the last use, days since the beginning; still in?
TABLE = [
    (False, 0, 0, True),
    (False, 11.9, 1, True),
    (False, 12.1, 1, False),
    (False, 1, 29.9, True),
    (False, 1, 30.1, False),
    (True, 12.1, 1, True),
    (True, 24 * 29, 29.9, True),
    (True, 1, 30.1, False),
]


@pytest.mark.parametrize(("kept", "hours", "days", "still"), TABLE)
def test_how_long_it_lasts(app, ada, kept, hours, days, still):
    pages = enter(app, kept=kept)
    with app.app_context():
        now = utcnow()
        was = {
            "created_date": now - timedelta(days=days),
            "last_used": now - timedelta(hours=hours),
        }
        db.session.execute(update(SignIn).values(was))
        db.session.commit()
    assert signed_in(pages) is still
    if kept:
        assert signed_in(copied(pages, REMEMBER)) is still


def test_the_settings_say_how_long(app, ada):
    pages, kept = enter(app), enter(app, kept=True)
    with app.app_context():
        hour_ago = utcnow() - timedelta(hours=2)
        db.session.execute(update(SignIn).values(last_used=hour_ago))
        db.session.commit()
    app.config["SIGN_IN_HOURS"] = 1
    assert not signed_in(pages)
    assert signed_in(kept)
    app.config["SIGN_IN_HOURS"] = 3
    assert signed_in(pages)


def test_a_use_keeps_it_alive_and_is_not_written_each_time(app, ada, statements):
    pages = enter(app)
    with app.app_context():
        db.session.execute(update(SignIn).values(last_used=utcnow() - timedelta(hours=11)))
        db.session.commit()
    writes = []
    for _ in range(3):
        statements.clear()
        assert signed_in(pages)
        writes.append(sum("UPDATE sign_in" in each for each in statements))
    assert writes == [1, 0, 0]
    with app.app_context():
        assert utcnow() - db.session.scalar(select(SignIn.last_used)) < timedelta(minutes=1)


def test_the_browser_forgets_it_when_it_is_closed_unless_one_stays_signed_in(app, ada):
    pages = enter(app)
    assert pages.client.get_cookie(SESSION).expires is None
    assert pages.client.get_cookie(REMEMBER) is None
    kept = enter(app, kept=True).client.get_cookie(REMEMBER)
    days = (kept.expires - utcnow()) / timedelta(days=1)
    assert 29.9 < days < 30.1


def test_old_ones_are_forgotten(app, ada):
    enter(app)
    with app.app_context():
        db.session.execute(update(SignIn).values(created_date=utcnow() - timedelta(days=31)))
        db.session.commit()
    enter(app)
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SignIn)) == 1


# What ends it --------------------------------------------------------------------------------------


def sign_out(app, pages, ada, admin):
    pages.submit("/logout", {}, page="/account/tokens/")


def own_new_password(app, pages, ada, admin):
    other = enter(app)
    fields = {"current": PASSWORD, "password": NEW}
    assert other.submit("/account/password/", fields).status_code == 302
    assert signed_in(other)


def given_password(app, pages, ada, admin):
    with app.app_context():
        users.set_password(Actor(admin.id), ada.id, {"password": NEW})


def deactivated_for_a_while(app, pages, ada, admin):
    with app.app_context():
        for on in (False, True):
            users.set_standing(Actor(admin.id), ada.id, is_active=on)


def ended_from_elsewhere(app, pages, ada, admin):
    other = enter(app)
    with app.app_context():
        oldest = db.session.scalars(select(SignIn.id).order_by(SignIn.created_date)).first()
    response = other.submit(f"/account/sign-ins/{oldest}/end", {}, page="/account/")
    assert response.status_code == 302
    assert signed_in(other)


def everywhere_else(app, pages, ada, admin):
    other = enter(app)
    response = other.submit("/account/sign-ins/end-others", {}, page="/account/")
    assert response.status_code == 302
    assert signed_in(other)


ENDS = [
    sign_out,
    own_new_password,
    given_password,
    deactivated_for_a_while,
    ended_from_elsewhere,
    everywhere_else,
]


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("ends", ENDS)
def test_what_ends_it_ends_it_for_every_copy_of_its_cookies(app, ada, person, ends, kept):
    admin = person("admin@lab.org", admin=True)
    pages, bens = enter(app, kept=kept), enter(app, person("ben@lab.org").email)
    copies = [copied(pages, SESSION)] + ([copied(pages, REMEMBER)] if kept else [])
    assert signed_in(pages)
    ends(app, pages, ada, admin)
    assert [signed_in(each) for each in (pages, *copies)] == [False] * (1 + len(copies))
    assert signed_in(bens)


def test_signing_out_takes_the_cookie_away_that_keeps_one_signed_in(app, ada):
    pages = enter(app, kept=True)
    pages.submit("/logout", {}, page="/account/tokens/")
    assert pages.client.get_cookie(REMEMBER) is None


def test_whoever_stays_signed_in_does_so_with_a_new_password(app, ada):
    pages = enter(app, kept=True)
    pages.submit("/account/password/", {"current": PASSWORD, "password": NEW})
    assert signed_in(copied(pages, REMEMBER))


def test_tokens_go_on_working_with_a_new_password_but_not_for_who_is_deactivated(app, ada, person):
    admin = person("admin@lab.org", admin=True)
    given_password(app, None, ada, admin)
    assert ada("GET", "stem/project/").status_code == 200
    with app.app_context():
        users.set_standing(Actor(admin.id), ada.id, is_active=False)
    assert ada("GET", "stem/project/").status_code == 401


def test_nobody_ends_somebody_elses(app, ada, ben):
    pages, bens = enter(app), enter(app, "ben@lab.org")
    with app.app_context():
        adas = db.session.scalar(select(SignIn.id).where(SignIn.user_id == ada.id))
    response = bens.submit(f"/account/sign-ins/{adas}/end", {}, page="/account/")
    assert response.status_code == 404
    bens.submit("/account/sign-ins/end-others", {}, page="/account/")
    assert signed_in(pages)


def test_a_cookie_that_was_made_up(app, ada):
    enter(app)
    for secret in ("", "x", f"{ada.id}", "\ud800"):
        with app.app_context():
            assert sign_ins.of(secret) is None


def test_only_hashes_are_stored(app, ada):
    pages = enter(app)
    with pages.client.session_transaction() as cookie:
        secret = cookie["_user_id"]
    assert len(secret) >= 43
    with app.app_context():
        assert secret not in str(db.session.execute(select(SignIn.__table__)).one())


# Nothing of what was before stays ------------------------------------------------------------------


def at_the_page(app, pages):
    pages.submit("/login", {"email": "ada@lab.org", "password": PASSWORD})


def within_a_page(app, pages):
    pages.submit("/sign-in-again", {"email": "ada@lab.org", "password": PASSWORD}, page="/login")


def with_a_form(app, pages):
    fields = {"_sign_in-email": "ada@lab.org", "_sign_in-password": PASSWORD, "name": "Maze"}
    pages.submit("/projects/new", fields, page="/login")


@pytest.mark.parametrize("way", [at_the_page, within_a_page, with_a_form])
def test_a_sign_in_takes_nothing_over(app, ada, way):
    pages = Pages(app)
    planted(pages, "/login")
    way(app, pages)
    assert_nothing_is_left(pages)


def test_neither_does_the_set_up(app):
    with app.app_context():
        code = users.open_setup_code()
    pages = Pages(app)
    planted(pages, "/setup")
    pages.submit("/setup", {"email": "ada@lab.org", "password": PASSWORD, "code": code})
    assert_nothing_is_left(pages)


def planted(pages: Pages, address: str) -> None:
    """What somebody else left in the browser beforehand."""
    pages.token(address)
    with pages.client.session_transaction() as cookie:
        cookie["planted"], pages.before = "by somebody else", dict(cookie)


def assert_nothing_is_left(pages: Pages) -> None:
    assert signed_in(pages)
    with pages.client.session_transaction() as cookie:
        assert "planted" not in cookie
        assert cookie.get("csrf_token") != pages.before["csrf_token"]


# The page ------------------------------------------------------------------------------------------

AGENTS = [
    ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
    (
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36",
        "Chrome on Windows",
    ),
    (
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML) Chrome/142.0 Safari/537.36 Edg/142.0",
        "Edge on Windows",
    ),
    ("Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/18.0 Safari/605", "Safari on a Mac"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604", "Safari on iPhone"),
    ("Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
    ("python-requests/2.34", ""),
    ("", ""),
]


@pytest.mark.parametrize(("user_agent", "name"), AGENTS)
def test_what_browsers_are_called(user_agent, name):
    assert browser(user_agent) == name


def test_the_page_shows_ones_own(app, ada, ben):
    pages = enter(app)
    enter(app, "ben@lab.org")
    alone = pages.open("/account/").text
    assert "Sign out everywhere else" not in alone
    other = Pages(app)
    fields = {"email": "ada@lab.org", "password": PASSWORD, "csrf_token": other.token()}
    other.client.post("/login", data=fields, headers={"User-Agent": AGENTS[0][0]})
    page = pages.open("/account/")
    assert "Firefox on Linux" in page.text
    assert page.text.count("Here") == 1
    assert len([each for each in page.all("tr") if each.find("td") is not None]) == 2


def test_where_nothing_can_be_written_one_can_still_read(app, ada, request):
    pages = enter(app)
    with app.app_context():
        long_ago = utcnow() - timedelta(hours=3)
        for model in (SignIn, tokens.Token):
            db.session.execute(update(model).values(last_used=long_ago))
        db.session.commit()
    with faults.broken("read only", app, request):
        assert signed_in(pages)
        assert ada("GET", "stem/project/").status_code == 200
