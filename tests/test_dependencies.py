"""What is installed is what is pinned, and nothing else; and nothing of it was withdrawn by its makers.

What this can't see: whether a pinned version has a known hole. `docs/security.md` says what to do about it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

FILES = ("requirements.txt", "requirements-dev.txt")
#: What a virtual environment has of its own.
OWN = {"pip", "setuptools", "wheel"}


def pinned(*files: str) -> dict[str, Requirement]:
    found = {}
    for file in files:
        for line in (ROOT / file).read_text().splitlines():
            text = line.partition("#")[0].strip()
            if text and not text.startswith("-r "):
                requirement = Requirement(text)
                name = canonicalize_name(requirement.name)
                assert name not in found, f"{name} stands twice"
                found[name] = requirement
    return found


def installed() -> dict[str, str]:
    found = {canonicalize_name(each.metadata["Name"]): each.version for each in distributions()}
    return {name: version for name, version in found.items() if name not in OWN}


def test_every_requirement_is_pinned_to_one_version():
    for name, requirement in pinned(*FILES).items():
        (each,) = requirement.specifier
        assert each.operator == "==" and "*" not in each.version and not requirement.url, name


def test_what_is_installed_is_what_is_pinned():
    wanted = {
        name: next(iter(each.specifier)).version
        for name, each in pinned(*FILES).items()
        if each.marker is None or each.marker.evaluate()
    }
    assert installed() == wanted


def test_what_is_installed_fits_together():
    command = [sys.executable, "-m", "pip", "check", "--disable-pip-version-check"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_browser_libraries_are_pinned_with_checksums():
    wanted = json.loads((ROOT / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    libraries = {
        name.removeprefix("node_modules/"): each for name, each in packages.items() if name
    }
    assert wanted.keys() <= libraries.keys()
    assert all(each["integrity"].startswith("sha512-") for each in libraries.values())


#: Rules of Ruff's Bandit set (S) that are left aside somewhere, with the reason.
REASONS = re.compile(r"# noqa: (S\d+)(.*)")


def test_no_security_rule_is_left_aside_without_a_reason():
    for folder in ("brainstem", "bench", "migrations", "tools"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text()
            assert "ruff: noqa" not in text, file
            for rule, reason in REASONS.findall(text):
                assert len(reason.strip(" ()—-:")) > 8, f"{file}: why not {rule}?"
            assert not re.search(r"# noqa(?!:)", text), f"{file}: a noqa of everything"


def test_ruff_looks_for_security_with_all_of_its_rules():
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in lint["select"]
    assert not [rule for rule in lint["ignore"] if rule.startswith("S")]
    aside = {
        path for path, rules in lint["per-file-ignores"].items() if any("S" in r for r in rules)
    }
    assert not [path for path in aside if path.startswith("brainstem")]


@pytest.mark.parametrize("name", ["flask", "werkzeug", "jinja2", "nh3", "sqlalchemy"])
def test_what_stands_at_the_door_is_pinned(name):
    assert name in pinned("requirements.txt")
