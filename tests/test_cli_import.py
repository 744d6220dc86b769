"""`flask import` (contract §14)."""

from __future__ import annotations

import pytest

from brainstem.demo import TABLE

SESSIONS = "stem/session"


@pytest.fixture
def run(command, tmp_path, ada):
    """Runs the command on a table: `run("name\\nA\\n", "--project", "Maps")`."""
    ada.project("Maps")

    def run(text, *words, kind="sessions", user="ADA@lab.org"):
        file = tmp_path / "table.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return command("import", kind, str(file), "--user", user, *words)

    return run


def test_a_real_table_is_imported(ada, run):
    """It names its authors' project, which is none of this lab's: that stays a text."""
    project = ada.project("Distributed coding")["id"]
    text = TABLE.read_text()
    done = run(text, "--project", "Distributed coding")
    assert done.exit_code == 0
    assert done.stderr == "Column project names no projects of yours: kept as a text.\n"
    assert done.stdout == "39 created, 0 changed, 0 unchanged, 0 refused.\n"
    page = ada.get(SESSIONS, query_string={"limit": 100})
    assert page["count"] == 39
    session = page["sessions"][0]
    assert (session["name"], session["projects"]) == ("Cori_2016-12-14", [project])
    assert session["tags"][:2] == ["Neural coding", "Neuropixels"]
    assert [link["repository"] for link in session["download_links"]] == ["Figshare", "DANDI"]
    assert session["extra_fields"]["n_trials"] == 214
    assert session["extra_fields"]["project"].startswith("Distributed coding of choice")
    again = run(text, "--project", "Distributed coding")
    assert again.stdout == "0 created, 0 changed, 39 unchanged, 0 refused.\n"


@pytest.mark.parametrize(
    ("header", "cells", "refused"),
    [
        ("project", ("Maps", "Mapz"), True),  # one is known: the other is a mistake
        ("project__name", ("Mapz", "Mapz"), True),  # our own name for it
        ("project", ("Mapz", "Mapz"), False),
        ("Project", ("", ""), False),
    ],
)
def test_whose_projects_a_column_names(ada, run, header, cells, refused):
    rows = "".join(f"S{place},{cell}\n" for place, cell in enumerate(cells))
    done = run(f"name,{header}\n{rows}", "--project", "Maps")
    assert done.exit_code == int(refused)
    assert ada.get(SESSIONS)["count"] == (0 if refused else 2)


def test_a_dry_run_stores_nothing(ada, run):
    done = run("name\nA\nB\n", "--project", "Maps", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "2 created, 0 changed, 0 unchanged, 0 refused.\nNothing was stored: this was a dry run.\n"
    )
    assert ada.get(SESSIONS)["count"] == 0


WRONG = "session__name,session__date_time\nA,soon\nB,2023-01-01\nA,\nC\n"
LINES = (
    "row 2, column session__date_time: “soon”: This is not a date and time, such as "
    "2023-03-22T15:30:00Z.\n"
    "row 4, column session__name: This session is in row 2 already.\n"
    "row 5: This row has 1 of 2 cells; the missing ones count as empty.\n"
    "2 created, 0 changed, 0 unchanged, 2 refused.\n"
)


@pytest.mark.parametrize(
    ("words", "ending", "code", "stored"),
    [
        (["--dry-run"], "Nothing was stored: this was a dry run.\n", 1, []),
        ([], "Nothing was imported.\n", 1, []),
        (["--skip-refused"], "", 0, ["B", "C"]),
        (["--skip-refused", "--dry-run"], "Nothing was stored: this was a dry run.\n", 0, []),
    ],
)
def test_every_wrong_row_is_said(ada, run, words, ending, code, stored):
    done = run(WRONG, "--project", "Maps", *words)
    assert (done.exit_code, done.stderr, done.stdout) == (code, "", LINES + ending)
    assert [each["name"] for each in ada.get(SESSIONS)["sessions"]] == stored


def test_epochs_and_left_out_columns(ada, run):
    run("name\nA\n", "--project", "Maps")
    done = run("session,epoch,mood\nA,Base,good\n", kind="epochs")
    assert (done.exit_code, done.stderr) == (0, "Left out: column mood.\n")
    assert ada.get("stem/epoch")["count"] == 1


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("name\nA\n", {"user": "nobody@lab.org"}, "There is no user nobody@lab.org."),
        (
            "name\nA\n",
            {"words": ["--project", "Nope"]},
            "There is no project “Nope” that you may use.",
        ),
        (b"PK\x03\x04", {}, "This is an Excel or OpenDocument workbook"),
        ("", {}, "This file is empty."),
        ("1,2\n3,4\n", {}, "No column of the first row (1, 2) is known as: Name."),
        ("name,session\nA,B\n", {"kind": "mice"}, "Invalid value for"),
        (
            "name,session\nA,B\n",
            {"kind": "epochs", "words": ["--project", "Maps"]},
            "--project does not go with epochs",
        ),
    ],
)
def test_what_can_not_be_imported_is_said(ada, run, text, options, said):
    words = options.get("words", [])
    done = run(text, *words, **{name: options[name] for name in options.keys() - {"words"}})
    assert done.exit_code != 0
    assert said in done.stderr
    assert (done.stdout, "Traceback" in done.stderr) == ("", False)
    assert ada.get(SESSIONS)["count"] == 0


def test_a_file_that_is_not_there(command, ada):
    done = command("import", "sessions", "/nowhere.csv", "--user", ada.email)
    assert done.exit_code != 0
    assert "does not exist" in done.stderr
