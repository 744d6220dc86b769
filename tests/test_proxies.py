"""Behind a proxy: who asks, by which scheme and name; what an answer leads to, and its cookies."""

from __future__ import annotations

import itertools
import re

import pytest
from flask import request

from brainstem.extensions import db
from brainstem.records.limits import MOST
from tests.conftest import make_app
from tests.people import PASSWORD, Person

FORWARDED = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.fixture
def behind(app, database):
    """The application as it is behind so many proxies."""
    made = []

    def make(number: int, **settings):
        made.append(make_app(database, TRUSTED_PROXIES=number, **settings))
        return made[-1]

    yield make
    for each in made:
        with each.app_context():
            db.engine.dispose()


@pytest.mark.parametrize(
    ("proxies", "headers", "expected"),
    [
        (0, {}, ("127.0.0.1", "http")),
        (0, FORWARDED, ("127.0.0.1", "http")),
        (1, {}, ("127.0.0.1", "http")),
        (1, FORWARDED, ("198.51.100.7", "https")),
        # What the client itself said comes first: it does not count.
        (1, {"X-Forwarded-For": "1.1.1.1, 198.51.100.7"}, ("198.51.100.7", "http")),
        (2, {"X-Forwarded-For": "1.1.1.1, 198.51.100.7, 10.0.0.2"}, ("198.51.100.7", "http")),
        (2, {"X-Forwarded-For": "198.51.100.7"}, ("127.0.0.1", "http")),
        # Each adds to the addresses; the scheme is said once.
        (2, {"X-Forwarded-For": "198.51.100.7, 10.0.0.2", "X-Forwarded-Proto": "https"},
         ("198.51.100.7", "https")),
        (1, {"X-Forwarded-Proto": "http, https"}, ("127.0.0.1", "https")),
        (1, {"X-Forwarded-Host": "evil.example", "X-Forwarded-Port": "1", "X-Forwarded-Prefix": "/x"},
         ("127.0.0.1", "http")),
        (1, {"Forwarded": "for=1.1.1.1;proto=https;host=evil.example"}, ("127.0.0.1", "http")),
    ],
)  # fmt: skip
def test_who_asks(behind, proxies, headers, expected):
    app = behind(proxies)
    app.add_url_rule("/who", view_func=lambda: [request.remote_addr, request.scheme, request.url])
    address, scheme, url = app.test_client().get("/who", headers=headers).json
    assert (address, scheme) == expected
    assert url == f"{scheme}://localhost/who"


def test_what_answers_lead_to_is_the_public_address(behind, ada):
    app = behind(1)
    there = Person(app, ada.email, ada.id, ada.secret)
    headers = {"Host": "brainstem.lab.example", **FORWARDED}
    for name in ("P1", "P2"):
        made = there("POST", "stem/project/", {"name": name}, headers=headers)
        assert made.location.startswith("https://brainstem.lab.example/api/private/stem/project/")
    page = there("GET", "stem/project/?limit=1", headers=headers).json
    assert page["next"].startswith("https://brainstem.lab.example/api/private/stem/project/?")
    client = app.test_client()
    login = client.post("/api/auth/device/", json={"client_name": "c"}, headers=headers).json
    assert login["verification_uri"] == "https://brainstem.lab.example/account/authorize/"
    document = client.get("/api/openapi.json", headers=headers).json
    assert document["servers"][0]["url"].startswith("https://brainstem.lab.example")
    assert client.get("/", headers=headers).location.startswith(("/", "https://brainstem.lab.ex"))


def test_failed_passwords_are_counted_by_the_address_behind_the_proxy(behind, ada):
    client = behind(1).test_client()
    wrong = {"username": "nobody@lab.org", "password": "wrong"}

    def tried(address: str, payload: dict) -> int:
        headers = {"X-Forwarded-For": address}
        return client.post("/api/token/", json=payload, headers=headers).status_code

    names = (f"nobody{number}@lab.org" for number in itertools.count())
    for name in itertools.islice(names, MOST):
        assert tried("198.51.100.7", {**wrong, "username": name}) == 401
    right = {"username": ada.email, "password": PASSWORD}
    # Lying about where one comes from does not help: the proxy adds the truth behind it.
    assert tried("198.51.100.7", right) == 429
    assert tried("1.1.1.1, 198.51.100.7", right) == 429
    assert tried("198.51.100.8", right) == 200


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("http", False)])
def test_cookies_stay_on_https_where_it_is_https(behind, ada, proto, secure):
    client = behind(1).test_client()
    client.environ_base["HTTP_X_FORWARDED_PROTO"] = proto
    page = client.get("/login").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
    fields = {"email": ada.email, "password": PASSWORD, "remember": "true", "csrf_token": token}
    headers = {"Referer": f"{proto}://localhost/login"}
    answer = client.post("/login", data=fields, headers=headers)
    assert answer.status_code == 302, answer.text
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    assert {"; Secure" in each for each in cookies} == {secure}
    assert {"; HttpOnly" in each and "; SameSite=Lax" in each for each in cookies} == {True}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("brainstem.lab.example", 302),
        ("brainstem.lab.example:8443", 302),
        ("evil.example", 400),
        ("brainstem.lab.example.evil.example", 400),
        ("x.lab.example", 400),
        ("", 400),
    ],
)
@pytest.mark.parametrize("address", ["/", "/api/"])
def test_only_the_hosts_that_are_trusted(behind, host, status, address):
    """Any other name is refused, by a page or by JSON, so that nothing leads there."""
    app = behind(0, HOST_NAMES=["brainstem.lab.example"])
    answer = app.test_client().get(address, headers={"Host": host})
    assert answer.status_code == (200 if (status, address) == (302, "/api/") else status)
    assert "evil.example" not in answer.text
    if address == "/api/" and status == 400:
        assert answer.json["detail"]
