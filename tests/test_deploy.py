"""The example files in deploy/, and what docs/deployment.md says of them: they name what there is."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import subprocess

import pytest

from brainstem import config
from brainstem.imports import tables
from tests.conftest import ROOT, make_app

DEPLOY = ROOT / "deploy"
GUIDE = (ROOT / "docs/deployment.md").read_text()
UNITS = sorted(path.name for path in DEPLOY.glob("brainstem*.service"))

#: Where the guide has the program installed.
THERE = "/opt/brainstem"

SERVES = ".venv/bin/python -m brainstem.serve"


def lines_of(unit: str, *names: str) -> list[str]:
    """The values of a unit's settings."""
    lines = (DEPLOY / unit).read_text().splitlines()
    return [value for name, _, value in (line.partition("=") for line in lines) if name in names]


def commands(text: str) -> list[list[str]]:
    """The `flask` commands in a text, in words."""
    return [shlex.split(found) for found in re.findall(r"\.venv/bin/flask ([^\n&|;#`\"]+)", text)]


@pytest.fixture(scope="module")
def cli(tmp_path_factory):
    """The `flask` commands."""
    return make_app(f"sqlite:///{tmp_path_factory.mktemp('deploy') / 'db.sqlite3'}").cli


def assert_command(cli, words: list[str]) -> None:
    """There is such a command, with such options."""
    command = cli
    names = iter(words)
    while hasattr(command, "commands"):
        name = next(names)
        assert name in command.commands, f"flask {' '.join(words)}"
        command = command.commands[name]
    known = {option for each in command.params for option in each.opts}
    assert {word for word in names if word.startswith("--")} <= known, f"flask {' '.join(words)}"


@pytest.mark.parametrize("unit", UNITS)
def test_what_a_unit_starts_is_there(cli, unit):
    started = lines_of(unit, "ExecStart", "ExecStartPre")
    assert started
    for line in started:
        program, *_ = shlex.split(line)
        assert program.startswith(f"{THERE}/.venv/bin/")
        assert (ROOT / program.removeprefix(f"{THERE}/")).exists()
    for words in commands("\n".join(started)):
        assert_command(cli, words)
    assert lines_of(unit, "WorkingDirectory") == [THERE]
    assert lines_of(unit, "User") == ["brainstem"]


def test_the_service_does_what_make_run_does(cli):
    makefile = (ROOT / "Makefile").read_text()
    run = re.search(r"^run:.*\n((?:\t.*\n)+)", makefile, re.M)[1]
    wanted = [line.strip().removeprefix("@").removeprefix("exec ") for line in run.splitlines()]
    units = lines_of("brainstem.service", "ExecStart")
    assert [line.removeprefix(f"{THERE}/") for line in units] == wanted
    assert wanted == [SERVES]
    (words,) = re.findall(r"^CMD (.*)$", CONTAINERFILE, re.M)
    assert json.loads(words) == shlex.split(SERVES)


@pytest.mark.parametrize("unit", [*UNITS, "brainstem-backup.timer"])
def test_systemd_takes_the_units(tmp_path, unit):
    """With the program where it is here: systemd looks whether the files are there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    for path in DEPLOY.glob("brainstem*.*"):
        (tmp_path / path.name).write_text(path.read_text().replace(THERE, str(ROOT)))
    words = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "brainstem" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_settings_in_the_example_are_settings():
    text = (DEPLOY / "brainstem.env").read_text()
    given = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", text, re.M))
    assert given.keys() <= {each.name for each in config.SETTINGS}
    assert {"TRUSTED_PROXIES", "TRUSTED_HOSTS", "DATABASE_URL"} <= given.keys()
    values = {name: "".join(shlex.split(value)) for name, value in given.items()}
    config.read({"SECRET_KEY": "the key of the tests", **values})


def test_the_settings_in_the_guide_are_settings():
    others = {"SELECT", "GRANT"}
    named = set(re.findall(r"\b([A-Z]+_[A-Z_]+)=?\b", GUIDE)) - others
    assert named <= {each.name for each in config.SETTINGS}


def test_nginx_lets_an_import_pass():
    (most,) = re.findall(r"client_max_body_size (\d+)m;", (DEPLOY / "nginx.conf").read_text())
    assert int(most) * 1024**2 > tables.MOST_BYTES


def test_nginx_takes_its_file(tmp_path):
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    openssl = shutil.which("openssl")
    if nginx is None or openssl is None:
        pytest.skip("nginx or openssl is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    site = (DEPLOY / "nginx.conf").read_text()
    for theirs, ours in (
        ("/etc/ssl/certs/brainstem.pem", certificate),
        ("/etc/ssl/private/brainstem.key", key),
        ("/var/log/nginx", tmp_path),
    ):
        assert theirs in site
        site = site.replace(theirs, str(ours))
    # It is tried whether it can listen there: at sockets that anybody may make.
    sockets = itertools.count()
    site = re.sub(r"listen [^ ;]+", lambda _: f"listen unix:{tmp_path}/{next(sockets)}", site)
    whole = tmp_path / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {tmp_path}; "
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ {paths}\n{site}\n}}\n")
    words = [nginx, "-t", "-e", tmp_path / "error.log", "-c", whole]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


CONTAINERFILE = (DEPLOY / "Containerfile").read_text()


def test_what_the_container_copies_is_there():
    for words in re.findall(r"^COPY (?!--from)(.+)$", CONTAINERFILE, re.M):
        *sources, _ = words.split()
        assert not [each for each in sources if not (ROOT / each).exists()], words
    used = {"app.py", "brainstem", "migrations", "static", "templates", "requirements.txt"}
    assert used <= set(re.findall(r"[\w./]+", CONTAINERFILE))


def test_the_container_has_no_rights_and_no_secrets():
    *_, user = re.findall(r"^USER (\w+)$", CONTAINERFILE, re.M)
    assert user == "brainstem"
    named = set(
        re.findall(r"\b([A-Z_]{4,})=", " ".join(re.findall("^ENV .*$", CONTAINERFILE, re.M)))
    )
    assert named == {"HOST", "PORT", "PYTHONDONTWRITEBYTECODE"}
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"instance", ".git", ".venv"} <= set(left_out)
    assert f"VOLUME {THERE}/instance" in CONTAINERFILE


def test_the_guide_names_every_file_and_only_those(cli):
    named = set(re.findall(r"\bdeploy/([\w.-]+)", GUIDE))
    assert named == {path.name for path in DEPLOY.iterdir()}
    for words in commands(GUIDE):
        assert_command(cli, words)


def test_links_in_the_guide_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", GUIDE):
        assert not target or (ROOT / "docs" / target).resolve().exists(), target
    headings = {
        re.sub(r"[^\w -]", "", each.lower()).strip().replace(" ", "-")
        for each in re.findall(r"^#+ (.*)$", GUIDE, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]*)\)", GUIDE)) <= headings
