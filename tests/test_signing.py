"""Machines on one PostgreSQL database share the key: cookies, limits, device logins, the set-up code."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from brainstem import config, signing
from brainstem.extensions import db
from brainstem.records.users import add_user, open_setup_code
from tests.conftest import ROOT, make_app
from tests.pages import Page, Pages
from tests.people import PASSWORD

pytestmark = pytest.mark.postgresql


@pytest.fixture
def machine(cluster, tmp_path, monkeypatch):
    """Starts the program on a machine, with a folder of its own, on one database; no key is set."""
    url = cluster.create_database("shared")
    started: list[Flask] = []

    def start(name: str, **settings) -> Flask:
        monkeypatch.setattr(config, "INSTANCE", tmp_path / name)
        app = make_app(url, SECRET_KEY=None, **settings)
        if not started:
            with app.app_context():
                upgrade()
        started.append(app)
        return app

    yield start
    for app in started:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def keys(*apps: Flask) -> list[str]:
    for app in apps:
        with app.app_context():
            signing.load(app)
    return [app.config["SECRET_KEY"] for app in apps]


def test_all_machines_sign_with_one_key(machine):
    one, other = keys(machine("one"), machine("other"))
    assert one == other
    assert len(one) >= 40


def test_what_one_machine_begins_another_one_goes_on_with(machine):
    one, other = machine("one"), machine("other")
    with one.app_context():
        code = open_setup_code()
    with other.app_context():
        assert open_setup_code() == code
        add_user({"email": "ada@lab.org", "password": PASSWORD})
    # The cookie, and with it the form's token.
    pages = Pages(one)
    pages.submit("/login", {"email": "ada@lab.org", "password": PASSWORD})
    pages.client.application = other
    form = pages.form("/projects/new", "Save project").set(name="Maze")
    pages.client.application = one
    assert pages.press(form, "Save project").status_code == 302
    # A device login.
    begun = one.test_client().post("/api/auth/device/", json={"client_name": "rig"}).get_json()
    pages.client.application = other
    asked = Page(pages.get(f"/account/authorize/?user_code={begun['user_code']}"))
    assert asked.status == 200
    poll = other.test_client().post(
        "/api/auth/device/token/", json={"device_code": begun["device_code"]}
    )
    assert poll.get_json() == {"status": "authorization_pending"}
    # Limits: failed tries at both count together.
    for turn in range(10):
        stranger = Pages((one, other)[turn % 2])
        answer = stranger.submit("/login", {"email": "ada@lab.org", "password": "wrong"})
    assert answer.status_code == 400
    for app in (one, other):
        answer = Pages(app).submit("/login", {"email": "ada@lab.org", "password": PASSWORD})
        assert answer.status_code == 429


def test_the_first_one_wins(machine):
    apps = [machine(str(number)) for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda app: keys(app)[0], apps))
    assert len(set(found)) == 1
    with apps[0].app_context():
        assert db.session.scalar(select(func.count()).select_from(signing.Secret)) == 1


def test_the_key_that_a_machine_has_kept_so_far_is_taken_over(machine, tmp_path):
    """Nobody is signed out by the upgrade."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "secret_key").write_text("kept in a file so far\n")
    assert keys(machine("old")) == ["kept in a file so far"]
    assert keys(machine("new")) == ["kept in a file so far"]


def test_the_environment_wins(machine, monkeypatch):
    keys(machine("one"))
    monkeypatch.setenv("SECRET_KEY", "a key of the environment")
    settings = config.read({"SECRET_KEY": "a key of the environment"})
    app = machine("other")
    app.config["SECRET_KEY"] = settings["SECRET_KEY"]
    assert keys(app) == ["a key of the environment"]


def test_on_postgresql_no_file_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "INSTANCE", tmp_path)
    assert config.read({"DATABASE_URL": "postgresql://lab@host/lab"})["SECRET_KEY"] is None
    assert not (tmp_path / "secret_key").exists()


def test_a_database_that_does_not_answer_is_said_in_one_line():
    done = subprocess.run(
        [".venv/bin/flask", "db", "upgrade"],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgresql://ada:hunter2@127.0.0.1:9/lab"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("The database can’t be reached: ")
    assert "DATABASE_URL" in line
    assert "hunter2" not in line
