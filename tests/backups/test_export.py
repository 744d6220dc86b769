"""Exports: everything, for other tools to read, and read back to the letter on either database."""

from __future__ import annotations

import csv
import json
import re
import shutil

import pytest

from brainstem.backups import plain
from brainstem.core.resource import registry
from brainstem.core.schemas import unstorable
from brainstem.extensions import db
from tests.conftest import filled_of
from tests.filled import AWKWARD, contents, same

#: What the commands themselves write, and what is made anew and numbers itself.
OWN = {"audit_event", "search_entry"}

#: What is of a running database alone.
LIVE = {"sign_in", "device_login", "secret"}


@pytest.fixture(scope="module")
def exported(filled, flask, tmp_path_factory):
    """A filled database, and everything of it in a folder."""
    url, folder = filled.copy(), tmp_path_factory.mktemp("exported") / "all"
    before = contents(url)
    done = flask(url, "export", folder, "--with-secrets")
    assert (done.exit_code, done.stderr) == (0, "")
    return before, folder


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], scope="module"
)
def target(request, tmp_path_factory):
    """Databases to read into, of each kind."""
    return filled_of(request.param, request, tmp_path_factory)


def entries(contents):
    """What the search index says, whatever its numbers are."""
    table = contents["search_entry"]
    names = [name for name in table if name != "id"]
    return sorted(zip(*(table[name] for name in names), strict=True))


def test_an_export_is_read_back_to_the_letter(exported, target, flask):
    before, folder = exported
    url = target.empty()
    done = flask(url, "restore", folder)
    assert (done.exit_code, done.stderr) == (0, "")
    found = contents(url)
    same(found, before, leave=(OWN | LIVE).__contains__)
    assert not any(found[name][column] for name in LIVE for column in found[name])
    assert entries(found) == entries(before)
    assert found["audit_event"]["event"][: len(before["audit_event"]["event"])]
    assert flask(url, "reindex", "--check").exit_code == 0
    # And what comes next gets the next number.
    last = max(found["revision"]["id"])
    done = flask(url, "demo", "--user", "boss@lab.org")
    assert done.exit_code == 0
    flask(url, "user", "add", "eve@lab.org", "--password-stdin")
    assert max(contents(url)["revision"]["id"]) >= last


def test_other_tools_can_read_it(exported):
    before, folder = exported
    for path in folder.glob("*/*.jsonl"):
        lines = path.read_text(encoding="utf-8").split("\n")
        rows = [json.loads(line) for line in lines[:-1]]
        with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        assert len(table) == len(rows)
        for row, cells in zip(rows, table, strict=True):
            assert list(cells) == list(row)
    lines = (folder / "records/sessions.jsonl").read_text(encoding="utf-8").split("\n")
    sessions = {each["name"]: each for each in map(json.loads, filter(None, lines))}
    assert len(sessions) == len(before["session"]["id"])
    session = sessions["Second"]
    assert session["description"] == AWKWARD
    assert list(session["extra_fields"]) == ["room", "z", "a", "b", "text"]
    assert json.dumps(session["extra_fields"]["a"]) == "22.0"
    assert session["tags"] == ["mouse"]
    assert len(session["datastorage"]) == 1
    assert session["date_time"] == "2023-03-22T15:30:00Z"


def test_every_kind_and_table_is_there_and_explained(exported):
    _, folder = exported
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    manifest = plain.read_manifest(folder)
    derived = {table.name for table in db.metadata.tables.values() if table.info.get("derived")}
    assert set(manifest.tables) == set(db.metadata.tables) - derived - LIVE
    for resource in registry:
        assert (folder / "records" / f"{resource.keys}.jsonl").stat().st_size
        assert re.search(rf"^  {resource.keys} +{resource.labels}$", readme, re.M)
    for name, file in manifest.tables.items():
        assert file.rows
        assert f"  {name} " in readme


def test_no_cell_is_a_formula(exported):
    _, folder = exported
    for path in folder.glob("*/*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                for cell in row:
                    number = re.fullmatch(r"-?\d+(\.\d+)?", cell)
                    assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r")), path
    assert plain._cell("=1+1") == "'=1+1"
    assert not unstorable(AWKWARD)


def test_secrets_stay_unless_asked_for(filled, flask, tmp_path):
    url, folder, target = filled.copy(), tmp_path / "all", filled.empty()
    before = contents(url)
    assert flask(url, "export", folder).exit_code == 0
    text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.*"))
    for table, column in (
        ("user", "password_hash"),
        ("token", "hash"),
        ("device_login", "user_code"),
    ):
        assert all(json.dumps(each)[1:-1] not in text for each in before[table][column])
    assert "Left out, because" in text
    done = flask(target, "restore", folder)
    assert (done.exit_code, "no passwords and no tokens" in done.stdout) == (0, True)
    found = contents(target)
    assert set(found["user"].pop("password_hash")) == {""}
    before["user"].pop("password_hash")
    for name in found.keys() - OWN:
        if name in db.metadata.tables and db.metadata.tables[name].info.get("secret"):
            assert not any(found[name].values()), name
        else:
            assert found[name] == before[name], name


def test_what_looks_secret_is_marked_so():
    """A new column of this sort must be left out of exports, or be named here with the reason."""
    harmless = {
        "storage_check.key": "which path was looked for; the path stands beside it",
        "storage_check.claim": "which process looks",
    }
    for table in db.metadata.tables.values():
        for column in table.columns:
            name = f"{table.name}.{column.name}"
            if re.search("hash|secret|password|key|code|token|claim", column.name):
                marked = table.info.get("secret") or column.info.get("secret")
                assert marked or name in harmless, name


def test_a_damaged_export_is_seen_before_anything_is_touched(exported, filled, flask, tmp_path):
    _, folder = exported
    url = filled.copy()
    before = contents(url)
    damaged = tmp_path / "damaged"
    for path, old, new, said in (
        ("tables/session.jsonl", "mouse", "house", None),
        ("tables/session.jsonl", "Second", "Fourth", "its checksum is wrong"),
        ("manifest.json", "brainstem-export-1", "brainstem-export-9", "does not know"),
        ("manifest.json", '"revision": "', '"revision": "9', "made by a newer version"),
        ("manifest.json", '"tables"', '"tabels"', "is no export"),
    ):
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(folder, damaged)
        text = (damaged / path).read_text(encoding="utf-8")
        if said is None:
            (damaged / path).unlink()
            said = "No such file"
        else:
            assert old in text
            (damaged / path).write_text(text.replace(old, new, 1), encoding="utf-8")
        done = flask(url, "restore", damaged, "--overwrite")
        assert (done.exit_code, done.stdout) == (1, "")
        assert said in done.stderr
    same(contents(url), before)


def test_it_replaces_records_only_when_told(exported, filled, flask, tmp_path):
    before, folder = exported
    url = filled.copy()
    done = flask(url, "restore", folder)
    assert (done.exit_code, "has records" in done.stderr) == (1, True)
    assert flask(url, "restore", folder, "--overwrite").exit_code == 0
    same(contents(url), before, leave=(OWN | LIVE).__contains__)


def test_a_folder_that_is_there_stays(exported, filled, flask):
    _, folder = exported
    done = flask(filled.copy(), "export", folder)
    assert (done.exit_code, "exists already" in done.stderr) == (1, True)
