"""The settings: what each may be, what is said where one is wrong, and that README.md knows them all."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from brainstem import config, logs
from tests.conftest import ROOT

SECRET = "the key of the tests"


def read(**environ: str) -> dict:
    return config.read({"SECRET_KEY": SECRET, **environ})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("DATABASE_URL", "", f"sqlite:///{ROOT}/instance/brainstem.sqlite3"),
        ("DATABASE_URL", "sqlite:////tmp/lab.db", "sqlite:////tmp/lab.db"),
        ("DATABASE_URL", "sqlite:///lab.db", "sqlite:///lab.db"),
        ("DATABASE_URL", "postgresql+psycopg://a:b@c/d", "postgresql+psycopg://a:b@c/d"),
        ("DATABASE_URL", "postgresql://a:b@c/d", "postgresql+psycopg://a:b@c/d"),
        ("DATABASE_URL", "postgres://a:b@c/d?sslmode=require", "postgresql+psycopg://a:b@c/d?sslmode=require"),
        ("SECRET_KEY", "x" * 16, "x" * 16),
        ("HOST", "", "127.0.0.1"),
        ("HOST", "0.0.0.0", "0.0.0.0"),
        ("HOST", "::1", "::1"),
        ("HOST", "lab-7.example.org", "lab-7.example.org"),
        ("PORT", "", 8000),
        ("PORT", "0", 0),
        ("PORT", "65535", 65535),
        ("WEB_CONCURRENCY", "", 2),
        ("WEB_CONCURRENCY", "64", 64),
        ("LAB_TIMEZONE", "", "UTC"),
        ("LAB_TIMEZONE", "Europe/Copenhagen", "Europe/Copenhagen"),
        ("LAB_NAME", "", "BrainSTEM"),
        ("LAB_NAME", " Käselabor ", "Käselabor"),
        ("LAB_NAME", "x" * 60, "x" * 60),
        ("TRUSTED_PROXIES", "", 0),
        ("TRUSTED_PROXIES", "2", 2),
        ("TRUSTED_HOSTS", "", None),
        ("TRUSTED_HOSTS", "lab.org, .a.com,127.0.0.1", ["lab.org", ".a.com", "127.0.0.1"]),
        ("AUDIT_DAYS", "", 730),
        ("AUDIT_DAYS", "30", 30),
        ("SIGN_IN_HOURS", "", 12),
        ("SIGN_IN_DAYS", "7", 7),
        ("LOG_LEVEL", "", "warning"),
        ("LOG_LEVEL", "INFO", "info"),
        ("LOG_FORMAT", "", "text"),
        ("LOG_FORMAT", "json", "json"),
    ],
)  # fmt: skip
def test_what_may_be(name, text, value):
    (key,) = (each.key or name for each in config.SETTINGS if each.name == name)
    assert read(**{name: text})[key] == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("DATABASE_URL", "lab.db", "is not a database address; for example postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql://a:b@c:port/d", "is not a database address"),
        ("DATABASE_URL", "mysql://a:b@c/d", "names mysql; use sqlite:// or postgresql+psycopg://"),
        ("DATABASE_URL", "postgresql+psycopg2://a:b@c/d", "names postgresql+psycopg2; use"),
        ("DATABASE_URL", "sqlite://", "names no file, so nothing would be kept"),
        ("DATABASE_URL", "sqlite:///:memory:", "names no file, so nothing would be kept"),
        ("DATABASE_URL", "sqlite:////tmp", "names /tmp, which is a folder; name a file in it"),
        ("DATABASE_URL", "sqlite:////tmp/none/lab.db", "names a file in /tmp/none, which is no folder; make"),
        ("SECRET_KEY", "short", "is too short, so it could be guessed; at least 16 characters"),
        ("HOST", "http://lab", "is 'http://lab'; it must be an address of this computer"),
        ("HOST", "1.2.3.4:80", "is '1.2.3.4:80'; it must be an address of this computer"),
        ("PORT", "eighty", "is 'eighty'; it must be a whole number from 0 to 65535"),
        ("PORT", "65536", "is '65536'; it must be a whole number from 0 to 65535"),
        ("PORT", "²", "is '²'; it must be a whole number"),
        ("PORT", "9" * 5000, "it must be a whole number from 0 to 65535"),
        ("WEB_CONCURRENCY", "0", "is '0'; it must be a whole number from 1 to 64"),
        ("WEB_CONCURRENCY", "-1", "is '-1'; it must be a whole number from 1 to 64"),
        ("LAB_TIMEZONE", "Mars", "is 'Mars', which is no time zone; for example Europe/Copenhagen"),
        ("LAB_TIMEZONE", "../etc/passwd", "which is no time zone"),
        ("LAB_NAME", "x" * 61, "must be one line of at most 60 characters"),
        ("LAB_NAME", "two\nlines", "must be one line of at most 60 characters"),
        ("LAB_NAME", "  ", "must be one line of at most 60 characters"),
        ("DATA_ROOTS", "data", "names 'data'; give folders by their whole paths"),
        ("TRUSTED_PROXIES", "yes", "is 'yes'; it must be a whole number from 0 to 10"),
        ("TRUSTED_HOSTS", "https://lab.org", "names 'https://lab.org'; give host names without http://"),
        ("TRUSTED_HOSTS", "lab.org:443", "names 'lab.org:443'; give host names without http:// and port"),
        ("AUDIT_DAYS", "0", "is '0'; it must be a whole number from 1 to 36500"),
        ("LOG_LEVEL", "loud", "is 'loud'; it must be one of debug, info, warning, error"),
        ("LOG_FORMAT", "xml", "is 'xml'; it must be one of text, json"),
    ],
)  # fmt: skip
def test_what_may_not_be(name, text, said):
    """In one line, which names the setting."""
    with pytest.raises(config.SettingsError) as raised:
        read(**{name: text})
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{name} ")
    assert said in line


def test_a_password_in_a_wrong_address_is_not_told():
    with pytest.raises(config.SettingsError) as raised:
        read(DATABASE_URL="mysql://ada:hunter2@host/db", SECRET_KEY="hunter3")
    assert "hunter" not in str(raised.value)


def test_a_key_that_can_not_be_kept_is_said(tmp_path):
    place = tmp_path / "file"
    place.write_text("")
    with pytest.raises(ValueError, match=r"is not set, and can't be kept in .*; let this user"):
        config.kept_secret(place / "secret_key")


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    place = tmp_path / "new" / "secret_key"
    made = config.kept_secret(place)
    assert len(made) >= 64
    assert config.kept_secret(place) == made
    assert place.stat().st_mode & 0o777 == 0o600


WRONG = {
    "PORT": "eighty",
    "LAB_TIMEZONE": "Mars",
    "LOG_LEVEL": "loud",
    "TRUSTED_PROXIES": "-1",
    "WEB_CONCURRENCY": "many",
}


@pytest.mark.parametrize(
    "command",
    [
        [".venv/bin/flask", "db", "upgrade"],
        [".venv/bin/flask", "user", "add", "ada@lab.org", "--password-stdin"],
        [".venv/bin/python", "-m", "brainstem.serve"],
        ["make", "run"],
    ],
    ids=" ".join,
)
def test_nothing_starts_with_wrong_settings_and_all_are_said_at_once(tmp_path, command):
    environ = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environ |= {"DATABASE_URL": f"sqlite:///{tmp_path / 'lab.db'}", "SECRET_KEY": SECRET, **WRONG}
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert sorted(line.split()[0] for line in said) == sorted(WRONG)
    assert "BrainSTEM is at" not in done.stdout
    assert not (tmp_path / "lab.db").exists()


# What is written about them ---------------------------------------------------------------------------

DOCUMENTED = dict(
    re.findall(r"^\| `([A-Z_]+)` \| .* \| ([^|]*) \|$", (ROOT / "README.md").read_text(), re.M)
)


def test_every_setting_is_in_the_readme_and_every_one_there_is_a_setting():
    assert sorted(DOCUMENTED) == sorted(each.name for each in config.SETTINGS)


def test_the_defaults_in_the_readme_are_the_defaults():
    for setting in config.SETTINGS:
        said = re.match(r"`([^`]*)`", DOCUMENTED[setting.name])
        assert (said[1] if said else "") == setting.default, setting.name


def test_the_readme_names_every_choice():
    text = (ROOT / "README.md").read_text()
    for word in (*logs.LEVELS, *logs.FORMATS):
        assert f"`{word}`" in text


def test_the_settings_of_a_server_do_not_reach_the_tests():
    makefile = (ROOT / "Makefile").read_text()
    assert not [each.name for each in config.SETTINGS if f"-u {each.name}" not in makefile]
