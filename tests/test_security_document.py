"""What `docs/security.md` claims is held by tests that there are."""

from __future__ import annotations

import ast
import re

from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_that_is_named_exists():
    named = set(NAMED.findall(DOCUMENT.read_text()))
    assert len(named) > 80
    missing = []
    for file, name in sorted(named):
        path = ROOT / file
        tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
        there = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
        if name not in there:
            missing.append(f"{file}::{name}")
    assert not missing


def test_every_line_of_the_standard_says_how_it_is_met_and_what_holds_it():
    lines = [line for line in DOCUMENT.read_text().splitlines() if re.match(r"\| (\d|–)", line)]
    assert len(lines) > 100
    for line in lines:
        *_, how, test = [cell.strip() for cell in line.strip("| ").split(" | ")][-2:]
        held = NAMED.search(test) or test.startswith("see ") or test == "by review"
        assert held or (test == "–" and how), line


def test_no_chapter_of_the_standard_is_left_out():
    chapters = re.findall(r"^## V(\d+) ", DOCUMENT.read_text(), re.MULTILINE)
    assert list(map(int, chapters)) == list(range(1, 15))
