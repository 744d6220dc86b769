"""Names that are no names: of files on the server, of uploads, of the server itself."""

from __future__ import annotations

from io import BytesIO

import pytest
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from brainstem import assets
from brainstem.extensions import db
from brainstem.imports.runs import ImportRun
from tests.attacks.world import dump
from tests.conftest import ROOT

OUTSIDE = [
    "../app.py",
    "../../etc/passwd",
    "..%2fapp.py",
    "%2e%2e/app.py",
    "..%252fapp.py",
    "..\\app.py",
    "..%5capp.py",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "./../app.py",
    "vendor/../../app.py",
    "app.css/../../app.py",
    "....//app.py",
    "..;/app.py",
    "%00",
    "app.css%00.html",
    ".",
    "..",
    "",
    "vendor/",
    "vendor",
    "~root/.profile",
    "%c0%ae%c0%ae/app.py",
    "C:%5cboot.ini",
    "file:///etc/passwd",
]


def test_no_file_but_the_static_ones_is_served(app, subtests):
    client = app.test_client()
    with client.get("/static/app.css") as answer:
        assert answer.status_code == 200
    for name in OUTSIDE:
        for start in (
            "/static/",
            f"{assets.address()}/",
            "/",
            "/bootstrap/static/",
            "/import/template/",
        ):
            with subtests.test(f"{start} {name}"), client.get(start + name) as answer:
                content = answer.get_data()
                assert answer.status_code in (302, 308, 400, 404) or name in ("", ".", "..")
                assert b"create_app" not in content and b"root:" not in content
    for name in (
        "instance/secret_key",
        "instance/brainstem.sqlite3",
        ".git/config",
        "requirements.txt",
    ):
        assert client.get(f"/{name}").status_code == 404


UPLOADS = [
    "../../evil.csv",
    "/etc/cron.d/x",
    "..\\x.csv",
    "a" * 5000,
    "x.csv\r\nX: y",
    "",
    "con",
    "\u202evsc.x",
]


@pytest.mark.parametrize("name", UPLOADS)
def test_the_name_of_an_upload_is_a_text(app, ada, name):
    ada.project("One")
    pages = ada.browser()
    before = {path for path in ROOT.rglob("*.csv") if ".venv" not in path.parts}
    table = FileStorage(BytesIO(b"name,room\nA,B\n"), name or " ")
    form = {"csrf_token": pages.token("/import/"), "kind": "sessions", "file": table}
    answer = pages.client.post("/import/", data=form)
    assert answer.status_code in (302, 400)
    if answer.status_code == 302:
        assert pages.get(answer.location).status_code == 200
        with app.app_context():
            stored = db.session.scalar(select(ImportRun.filename))
        assert len(stored) <= 300 and "\r" not in stored and "\n" not in stored
    assert {path for path in ROOT.rglob("*.csv") if ".venv" not in path.parts} == before


MADE_UP = {"Host": "evil.org", "X-Forwarded-Host": "evil.org", "X-Original-Host": "evil.org"}
FORWARDED = {
    "X-Forwarded-Host": "evil.org",
    "Forwarded": "host=evil.org",
    "X-Forwarded-Server": "evil.org",
}


def test_a_made_up_host_is_kept_nowhere(app, ada):
    session = ada.session("Monday", ada.project())
    address = "/api/private/stem/session/"
    for number in range(2):
        ada.session(f"More {number}", {"id": session["projects"][0]})
    listed = ada("GET", f"{address}?limit=1", headers=FORWARDED)
    assert "evil.org" not in listed.text
    assert listed.json["next"].startswith("http://localhost/")
    payload = {"name": "Made", "projects": session["projects"]}
    made = ada("POST", address, payload, headers=MADE_UP)
    assert made.status_code == 201
    start = {"client_name": "x"}
    assert (
        app.test_client().post("/api/auth/device/", json=start, headers=MADE_UP).status_code == 200
    )
    with app.app_context():
        assert "evil.org" not in repr(dump())
    # And the next one who asks is told nothing of it.
    assert "evil.org" not in ada("GET", f"{address}?limit=1").text


def test_trusted_hosts_keep_made_up_ones_out(app, ada):
    app.config["HOST_NAMES"] = ["lab.example.org"]
    for name, status in (
        ("lab.example.org", 200),
        ("evil.org", 400),
        ("lab.example.org.evil.org", 400),
    ):
        assert ada("GET", "stem/session/", headers={"Host": name}).status_code == status
