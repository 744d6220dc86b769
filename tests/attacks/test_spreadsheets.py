"""Tables that people open in a spreadsheet: nothing in them is calculated, and what we wrote we can read."""

from __future__ import annotations

import csv
import io

import pytest
from werkzeug.datastructures import FileStorage

from brainstem.core import listing, spreadsheets
from brainstem.core.permissions import Actor
from brainstem.core.resource import registry
from tests.attacks.world import texts_of
from tests.conftest import ROOT
from tests.kinds import KINDS, LEAST, OPTIONAL, filled

#: What Excel, LibreOffice and Google's sheets take for a formula, or for the end of a cell before one.
EVIL = [
    "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(\"http://x.org\")",
    "=cmd|' /C calc'!A0", "＝1", "＋1", "－1", "＠x", " =1", "\u00a0=1", "\u200b=1", "\ufeff=1",
    "'=1", "''=1", "'",
    "''", "'quoted'", "-3.5", "--", "+49 30 1",
    "%0A=1", ";=1", ",=1", '"=1', "|=1", "a;=1", "a\t=1",
]  # fmt: skip
STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_begins_like_no_formula_and_reads_as_it_was(text):
    written = spreadsheets.guarded(text)
    # What a spreadsheet drops, or takes for blank, at the beginning of a cell.
    assert not written.strip("\t\r\n \u00a0\u200b\ufeff").startswith(STARTS)
    assert spreadsheets.unguarded(written) == text


@pytest.mark.parametrize("text", ["", "plain", "a=b", "2023-01-01", "'plain'", "’=1"])
def test_other_cells_stay_as_they_are(text):
    assert spreadsheets.guarded(text) == spreadsheets.unguarded(text) == text


NAMES = [each.strip() for each in EVIL if each.strip() and "\0" not in each]


@pytest.fixture
def sessions(ada):
    project = ada.project("=project", tags=["=tag"])
    storage = ada.storage("@storage")
    made = []
    for number, text in enumerate(dict.fromkeys(NAMES)):
        fields = {"text": text, "number": -3.5, "whole": -12, "plain": "x"}
        made.append(
            ada.session(
                text,
                project,
                tags=[text, "=second"],
                description=text,
                extra_fields=fields,
                datastorage=[storage["id"]],
                date_time=f"2023-03-{number % 28 + 1:02}T10:00:00Z",
            )
        )
    return made


def rows_of(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


NUMBERS = ["extra_fields.number", "extra_fields.whole"]
COLUMNS = ["description", "tags", "projects", "extra_fields.text", *NUMBERS]


def test_a_download_has_no_formula_and_is_imported_to_the_letter(ada, sessions):
    pages = ada.browser()
    address = "/sessions/download.csv?" + "&".join(f"columns={name}" for name in COLUMNS)
    content = pages.get(address).data
    header, *rows = rows_of(content.decode())
    assert len(rows) == len(sessions)
    for row in rows:
        for name, cell in zip(header, row, strict=True):
            is_number = name in NUMBERS and float(cell) < 0
            assert is_number or not cell.strip().startswith(STARTS), (name, cell)
    for session in sessions:
        assert ada("DELETE", f"stem/session/{session['id']}").status_code == 204
    table = FileStorage(io.BytesIO(content), "sessions.csv")
    form = {"csrf_token": pages.token("/import/"), "kind": "sessions", "file": table}
    run = pages.client.post("/import/", data=form).location
    form = pages.open(run).form("Check the rows")
    page = pages.client.post(run, data=form.sent("Check the rows"))
    assert page.status_code == 302
    pages.submit(f"{run.removesuffix('/columns')}/store", {}, page="/import/")
    kept = ("name", "description", "tags", "projects")
    found = {each["name"]: each for each in ada.get("stem/session/?limit=100")["sessions"]}
    for session in sessions:
        again = found[session["name"]]
        assert [again[name] for name in kept] == [session[name] for name in kept]
        assert again["extra_fields"] == {
            n: v for n, v in session["extra_fields"].items() if n != "plain"
        }


def test_every_column_of_every_kind_is_guarded(ada, subtests):
    """A field type that somebody adds is guarded, too."""
    made = {}
    for kind, least in LEAST.items():
        payload = filled(least | {n: v for n, (_, v) in OPTIONAL[kind].items()}, made)
        if kind == "session":
            payload.pop("datastorage")
        payload = texts_of(registry.get(kind), lambda name, k=kind: f"={k}{name}", payload)
        made[kind] = ada.made(KINDS[kind].address, payload)["id"]
    pages = ada.browser()
    for kind in registry:
        if not kind.page:
            continue
        with subtests.test(kind.name), ada.app.app_context():
            columns = [*listing.possible_columns(Actor(ada.id, way="page"), kind)]
            query = "&".join(f"columns={name}" for name in columns)
            for row in rows_of(pages.get(f"{kind.page}/download.csv?{query}").data.decode()):
                assert not [cell for cell in row if cell.strip().startswith(STARTS)]


def test_whoever_writes_tables_guards_their_cells():
    """A new download does, too; what is written there of the program's own is no user's text."""
    own = {"brainstem/views/imports.py"}
    writing = {
        file.relative_to(ROOT).as_posix(): file.read_text()
        for file in (ROOT / "brainstem").rglob("*.py")
        if "csv.writer" in file.read_text() or "csv.DictWriter" in file.read_text()
    }
    assert "brainstem/views/lists/downloads.py" in writing
    assert {name for name, text in writing.items() if "guarded" not in text} <= own
