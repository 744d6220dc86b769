"""What every answer tells a browser, so that it does nothing that was not meant."""

from __future__ import annotations

import pytest

from tests.attacks.addresses import requests, send
from tests.attacks.world import Lab


@pytest.fixture
def lab(app, person):
    return Lab(app, person)


#: What stands on all answers; see `brainstem/views/security.py` for what it is good for.
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
FORBIDDEN_IN_POLICY = ("unsafe-inline", "unsafe-eval", "http:", "https:", "*", "blob:")


def problems(request, answer):
    headers = answer.headers
    policy = dict(
        part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";")
    )
    for name, value in EVERYWHERE.items():
        if headers.getlist(name) != [value]:
            yield f"{name}: {headers.getlist(name)}"
    for name in ("default-src", "base-uri", "frame-ancestors"):
        if policy.get(name) != "'none'":
            yield f"{name} {policy.get(name)}"
    if policy.get("form-action") != "'self'":
        yield "form-action"
    if any(word in headers["Content-Security-Policy"] for word in FORBIDDEN_IN_POLICY):
        yield headers["Content-Security-Policy"]
    if answer.mimetype.startswith("text/") and "charset" not in headers["Content-Type"]:
        yield f"Content-Type: {headers['Content-Type']}"
    kept = headers.get("Cache-Control", "")
    if "public" in kept or not ("private" in kept or "no-store" in kept):
        yield f"Cache-Control: {kept}"
    if answer.mimetype not in ("text/html", "application/json", "text/csv", ""):
        yield answer.mimetype
    for cookie in headers.getlist("Set-Cookie"):
        if "HttpOnly" not in cookie or "SameSite=Lax" not in cookie:
            yield cookie
    for name in ("Server", "X-Powered-By", "Access-Control-Allow-Origin"):
        if name in headers:
            yield f"{name}: {headers[name]}"
    for name in ("Permissions-Policy", "Content-Security-Policy"):
        if len(headers.getlist(name)) != 1:
            yield f"{name}: {headers.getlist(name)}"


def test_every_answer_says_what_a_browser_may_do_with_it(app, lab):
    wrong = {}
    for client in (lab.ada.browser().client, app.test_client()):
        for request in requests(app, lab, lab.secret):
            if request.portal == "super":
                continue
            answer = send(client, request)
            for problem in problems(request, answer):
                wrong.setdefault(problem, f"{request.method} {request.address}")
            answer.close()
    assert not wrong, "\n".join(map(str, wrong.items()))


@pytest.mark.parametrize("address", ["/nothing", "/api/nothing", "/static/app.css", "/favicon.ico"])
def test_files_and_errors_too(app, address):
    with app.test_client().get(address) as answer:
        for name, value in EVERYWHERE.items():
            assert answer.headers.getlist(name) == [value]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("origin", ["https://evil.org", "null"])
def test_no_other_site_reads_an_answer(ada, origin):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    for method in ("GET", "OPTIONS"):
        answer = ada(method, "stem/session/", headers=headers)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
