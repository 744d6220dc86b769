"""Requests that another site makes a browser send (CSRF), and sign-ins that lead elsewhere."""

from __future__ import annotations

import pytest

from tests.attacks.addresses import SAFE, requests, send
from tests.attacks.world import Lab, dump, harm
from tests.pages import Pages
from tests.people import PASSWORD

#: Signed by what is in them, and by no cookie: a code that only the program knows, or a password.
WITHOUT_COOKIE = {"device.by_password", "device.poll", "device.start"}


@pytest.fixture
def lab(app, person):
    return Lab(app, person)


def test_no_address_takes_anything_that_only_a_cookie_signs(app, lab):
    """Ada's browser, and a request without the token of her pages, or with somebody else's."""
    client, others = lab.ada.browser().client, lab.eve.browser().token("/sessions/new")
    with app.app_context():
        before = dump()
    wrong = []
    for token in ("", others):
        for request in requests(app, lab, lab.secret):
            by_cookie = request.endpoint not in WITHOUT_COOKIE and request.portal != "public"
            if request.method in SAFE or not by_cookie:
                continue
            answer = send(client, request, token)
            # Records that are only read say so first; in `super` Ada is nobody.
            early = {"user": 405}.get(request.kind), {"super": 403}.get(request.portal)
            if answer.status_code not in {400, *early}:
                wrong.append((request.method, request.address, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))
    with app.app_context():
        after = dump()
    assert not harm(lab, before, after) and before["revision"] == after["revision"]
    assert client.get("/sessions/").status_code == 200, "she was signed out"


def test_no_safe_method_changes_anything(app, lab):
    """What a link or a picture can make a browser ask for."""
    client = lab.ada.browser().client
    with app.app_context():
        before = dump()
    for request in requests(app, lab, lab.secret):
        if request.method in SAFE:
            send(client, request).close()
    with app.app_context():
        changed = {name for name, rows in dump().items() if rows != before[name]}
    # That something was downloaded is noted.
    assert changed <= {"audit_event"}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_the_api_takes_a_cookie_with_its_token_and_a_bearer_without(lab, method):
    pages = lab.ada.browser()
    address = "/api/private/stem/session" + (
        "" if method == "POST" else f"/{lab.secret['session']}"
    )
    payload = {"name": "New", "projects": [lab.secret["project"]]}
    refused = pages.client.open(address, method=method, json=payload)
    assert (refused.status_code, "X-CSRFToken" in refused.json["detail"]) == (400, True)
    token = {"X-CSRFToken": pages.token("/sessions/new")}
    with_token = pages.client.open(address, method=method, json=payload, headers=token)
    assert with_token.status_code in (200, 201, 204)
    if method != "DELETE":
        payload = payload | {"name": "Newer"}
        assert lab.ada(method, address, payload).status_code in (200, 201)


@pytest.mark.parametrize("address", ["/login", "/sign-in-again"])
def test_nobody_is_signed_in_as_somebody_else_by_another_site(app, ada, address):
    """Who types her records into an attacker's account has lost them."""
    client = app.test_client()
    form = {"email": ada.email, "password": PASSWORD}
    assert client.post(address, data=form).status_code == 400
    assert client.get("/sessions/").status_code == 302


#: What follows the sign-in is a page of ours, whatever the address says (contract §13).
ELSEWHERE = [
    "https://evil.org", "//evil.org", "///evil.org", "////evil.org/", "/\\evil.org", "\\\\evil.org",
    "/\t/evil.org", "/\n/evil.org", "\t//evil.org", " //evil.org", "/ /evil.org", "http:evil.org",
    "https:/evil.org", "http:///evil.org", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "data:text/html,x", "evil.org", ".evil.org", "@evil.org", "//evil.org@localhost", "/\r\nX: y",
    "//[::1]", "//localhost:80@evil.org", "/%09/evil.org\x00", "\x01//evil.org", "\u2028//evil.org",
    "//evil\u3002org", "/\u2044evil.org\\", "\uff0f\uff0fevil.org",
]  # fmt: skip


def test_signing_in_leads_nowhere_else(app, ada, subtests):
    signed_in = ada.browser()
    for following in ELSEWHERE:
        with subtests.test(following):
            query, pages = {"next": following}, Pages(app)
            form = {"email": ada.email, "password": PASSWORD, "csrf_token": pages.token()}
            first = pages.client.post("/login", query_string=query, data=form)
            later = signed_in.client.get("/login", query_string=query)
            for answer in (first, later):
                assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_signing_in_leads_on(ada):
    pages = ada.browser()
    for following in ("/sessions/?q=a%20b&tags=x", "/import/", "/sessions/#top"):
        answer = pages.get("/login", query_string={"next": following})
        assert answer.headers["Location"] == following
