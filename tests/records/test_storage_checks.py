"""Looking at whether data is there: only inside the roots, once at a time, whatever the disk does."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from brainstem import config
from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records import storage_checks
from brainstem.records.storage_checks import (
    AWAY,
    DONE,
    FAILED,
    FOUND,
    FRESH,
    KEPT,
    MISSING,
    OUTSIDE,
    STALE,
    UNREADABLE,
    Result,
    StorageCheck,
    claim,
    due,
    known,
    look,
    reachable,
    run,
    start,
)


@pytest.fixture
def root(tmp_path):
    """A root with a session's folder, next to what is none of the server's business."""
    root, secret = tmp_path / "root", tmp_path / "secret"
    (root / "M12" / "raw").mkdir(parents=True)
    (root / "M12" / "notes.txt").write_bytes(b"x" * 10)
    (root / "M12" / "raw" / "a.dat").write_bytes(b"x" * 1000)
    (root / "empty").mkdir()
    secret.mkdir()
    (secret / "keys").write_bytes(b"x" * 5)
    return root


# -- What is at a path -------------------------------------------------------------------------

M12 = Result(FOUND, folder=True, files=2, size=1010)

PLACES = [
    ("M12", M12),
    ("M12/", M12),
    ("M12/../M12//raw/..", M12),
    ("M12/raw/a.dat", Result(FOUND, files=1, size=1000)),
    ("empty", Result(FOUND, folder=True)),
    ("nothing", Result(MISSING)),
    ("M12/notes.txt/below", Result(MISSING)),
    ("x" * 300, Result(MISSING)),
    ("../secret", Result(OUTSIDE)),
    ("../secret/keys", Result(OUTSIDE)),
    ("..", Result(OUTSIDE)),
    ("../root2", Result(OUTSIDE)),
    ("a\0b", Result(FAILED)),
    ("\ud800", Result(FAILED)),
]


@pytest.mark.parametrize(("below", "result"), PLACES)
def test_what_is_at_a_path(root, below, result):
    assert look(f"{root}/{below}", [str(root)]) == result


def test_the_root_itself_and_several_roots(root, tmp_path):
    assert look(str(root), [str(root)]).files == 2
    assert look(str(root / "M12"), ["/nowhere", f"{root}/"]) == M12
    assert look(str(root / "M12"), []) == Result(OUTSIDE)
    assert look(str(tmp_path / "gone" / "M12"), [str(tmp_path / "gone")]) == Result(AWAY)


def test_links_are_followed_only_as_far_as_they_stay_inside(root, tmp_path):
    (root / "out").symlink_to(tmp_path / "secret")
    (root / "out_file").symlink_to(tmp_path / "secret" / "keys")
    (root / "in").symlink_to(root / "M12")
    (root / "loop").symlink_to(root / "loop")
    (root / "dangling").symlink_to(root / "nothing")
    roots = [str(root)]
    assert look(f"{root}/out", roots) == Result(OUTSIDE)
    assert look(f"{root}/out/keys", roots) == Result(OUTSIDE)
    assert look(f"{root}/out_file", roots) == Result(OUTSIDE)
    assert look(f"{root}/in", roots) == M12
    assert look(f"{root}/in/raw/a.dat", roots).size == 1000
    assert look(f"{root}/dangling", roots) == Result(MISSING)
    assert look(f"{root}/loop", roots).outcome in (MISSING, FAILED)
    # Links in a folder that is counted are neither followed nor counted.
    (root / "M12" / "out").symlink_to(tmp_path / "secret")
    (root / "M12" / "keys").symlink_to(tmp_path / "secret" / "keys")
    (root / "M12" / "up").symlink_to(root)
    assert look(f"{root}/M12", roots) == M12
    # A root that is a link itself is where it leads to.
    link = tmp_path / "mounted"
    link.symlink_to(root)
    assert look(f"{link}/M12", [str(link)]) == M12
    assert look(f"{link}/../secret", [str(link)]) == Result(OUTSIDE)


def test_a_folder_that_becomes_a_link_is_not_followed(root, tmp_path, monkeypatch):
    """Between the question where a path leads and the look at it."""
    real = os.path.realpath

    def swapped(path, *args):
        found = real(path, *args)
        if found.endswith("raw"):
            (root / "M12" / "raw" / "a.dat").unlink(missing_ok=True)
            (root / "M12" / "raw").rmdir()
            (root / "M12" / "raw").symlink_to(tmp_path / "secret")
        return found

    monkeypatch.setattr(os.path, "realpath", swapped)
    found = look(f"{root}/M12/raw", [str(root)])
    assert (found.outcome in (MISSING, FAILED), found.files) == (True, 0)


def test_what_is_no_file_is_not_opened(root):
    os.mkfifo(root / "M12" / "pipe")
    assert look(f"{root}/M12", [str(root)]) == M12
    assert look(f"{root}/M12/pipe", [str(root)]) == Result(MISSING)


def test_what_may_not_be_read_or_vanishes_is_no_error(root, monkeypatch):
    opened, scandir = storage_checks._open_folder, os.scandir
    gone = root / "M12" / "gone"

    def refuse(name, parent):
        if name == "raw":
            raise PermissionError(13, "Permission denied")
        if name == "gone":
            raise FileNotFoundError(2, "No such file")
        return opened(name, parent)

    gone.mkdir()
    monkeypatch.setattr(storage_checks, "_open_folder", refuse)
    assert look(f"{root}/M12", [str(root)]) == Result(FOUND, True, 1, 10, partly=True)
    assert look(f"{root}/M12/raw", [str(root)]) == Result(UNREADABLE)
    monkeypatch.setattr(storage_checks, "_open_folder", opened)

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "scandir", fail)
    assert look(f"{root}/M12", [str(root)]) == Result(FAILED)
    monkeypatch.setattr(os, "scandir", scandir)


@pytest.mark.parametrize(("limit", "value"), [("MOST_ENTRIES", 1), ("MOST_SECONDS", -1.0)])
def test_counting_ends_at_the_limits(root, monkeypatch, limit, value):
    monkeypatch.setattr(storage_checks, limit, value)
    found = look(f"{root}/M12", [str(root)])
    assert found.partly and found.files < 2


def test_counting_ends_in_the_depth(root, monkeypatch):
    monkeypatch.setattr(storage_checks, "DEEPEST", 0)
    assert look(f"{root}/M12", [str(root)]) == Result(FOUND, True, 1, 10, partly=True)


# -- Which paths are looked at -----------------------------------------------------------------


REACHABLE = [
    ("/data/M12", True),
    ("/data", True),
    ("/data/", True),
    ("/data/x/../M12", True),
    ("/data/../etc/passwd", False),
    ("/database", False),
    ("/etc", False),
    ("/", False),
    ("//data/M12", False),
    ("data/M12", False),
    ("D:\\data", False),
    ("https://x.org/data", False),
    ("file:///data/M12", False),
    ("/data/a\nb", False),
    ("/data/\0", False),
    ("/other/a/b", True),
]


@pytest.mark.parametrize(("path", "answer"), REACHABLE)
def test_only_paths_in_a_root_are_looked_at(app, path, answer):
    app.config["DATA_ROOTS"] = ["/data/", "/other/a"]
    with app.app_context():
        assert reachable(path) is answer
        app.config["DATA_ROOTS"] = []
        assert reachable(path) is False


@pytest.mark.parametrize("root", ["data", "./data", "/", "//", "/data/.."])
def test_roots_are_whole_paths_and_not_the_whole_computer(root):
    with pytest.raises(config.SettingsError, match="DATA_ROOTS"):
        config.read({"DATA_ROOTS": f"/mnt:{root}"})


@pytest.mark.parametrize(
    ("text", "roots"),
    [("", []), ("/mnt/data", ["/mnt/data"]), ("/mnt/data:/mnt/a b:", ["/mnt/data", "/mnt/a b"])],
)
def test_roots_are_a_list_with_colons(text, roots):
    assert config.read({"DATA_ROOTS": text})["DATA_ROOTS"] == roots


# -- One check at a time, seen by all ----------------------------------------------------------


@pytest.fixture
def checking(app, root):
    app.config["DATA_ROOTS"] = [str(root)]
    with app.app_context():
        yield str(root / "M12")
        db.session.remove()


def test_a_check_is_claimed_made_and_told(checking):
    assert due([checking]) == [checking] and known([checking]) == {}
    (taken,) = claim([checking, checking])
    assert known([checking])[checking].busy
    # Nobody else does it meanwhile, and nobody has to.
    assert claim([checking]) == [] and due([checking]) == []
    run(taken)
    row = known([checking])[checking]
    assert (row.state, row.outcome, row.files, row.size) == (DONE, FOUND, 2, 1010)
    assert row.folder and not row.partly and not row.busy and due([checking]) == []
    # Asking again is possible at once, and keeps the last result until there is a new one.
    (taken,) = claim([checking])
    assert known([checking])[checking].files == 2
    Path(checking, "notes.txt").unlink()
    run(taken)
    assert known([checking])[checking].files == 1


def test_an_old_result_is_looked_up_anew(checking):
    run(*claim([checking]))
    known([checking])[checking].checked = utcnow() - FRESH - timedelta(seconds=1)
    db.session.commit()
    assert due([checking]) == [checking]


@pytest.mark.parametrize("began", [False, True])
def test_what_nobody_finished_is_taken_over(checking, began):
    (lost,) = claim([checking])
    if began:
        assert storage_checks._begin(lost)
    known([checking])[checking].since = utcnow() - STALE - timedelta(seconds=1)
    db.session.commit()
    assert not known([checking])[checking].busy and due([checking]) == [checking]
    (taken,) = claim([checking])
    assert taken.claim != lost.claim
    # The first one comes to life again: its result no longer counts, and it doesn't begin.
    storage_checks._finish(lost, Result(MISSING))
    run(lost)
    assert known([checking])[checking].busy
    run(taken)
    assert known([checking])[checking].outcome == FOUND


def test_results_that_nobody_asks_for_are_thrown_away(checking, root):
    run(*claim([checking]))
    known([checking])[checking].asked = utcnow() - KEPT - timedelta(seconds=1)
    db.session.commit()
    claim([str(root / "empty")])
    assert db.session.scalar(select(func.count()).select_from(StorageCheck)) == 1


def test_two_at_once_claim_a_check_once(app, checking, root):
    """As two worker processes that draw the same page."""
    wanted = [checking, str(root / "empty"), str(root)]
    barrier, claims = threading.Barrier(4), []

    def ask(order):
        with app.app_context():
            barrier.wait()
            claims.extend(claim(order))

    threads = [
        threading.Thread(target=ask, args=(wanted[:: (-1) ** n],)) for n in range(barrier.parties)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.path for each in claims) == sorted(wanted)


def test_the_work_is_done_in_the_background(app, checking, monkeypatch):
    """By a thread that outlives no process; what goes wrong there is logged, and goes stale."""
    threads = []

    class Kept(threading.Thread):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            threads.append(self)

    monkeypatch.setattr(storage_checks.threading, "Thread", Kept)
    start([])
    assert threads == []
    start(claim([checking]))
    (thread,) = threads
    thread.join()
    assert thread.daemon and known([checking])[checking].outcome == FOUND

    def fail(*_):
        raise RuntimeError("a defect")

    monkeypatch.setattr(storage_checks, "look", fail)
    start(claim([checking]))
    threads[-1].join()
    assert known([checking])[checking].busy


# -- Several machines ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("same", "hours", "before", "now", "told"),
    [
        (False, 2, FOUND, AWAY, FOUND),
        (False, 2, MISSING, AWAY, MISSING),
        (False, 25, FOUND, AWAY, AWAY),
        (False, 2, FOUND, MISSING, MISSING),
        (False, 2, AWAY, FOUND, FOUND),
        (False, 2, AWAY, AWAY, AWAY),
        (True, 2, FOUND, AWAY, AWAY),
    ],
)
def test_what_another_machine_found_stands_while_a_disk_is_away(
    checking, monkeypatch, same, hours, before, now, told
):
    def look_from(machine, outcome):
        monkeypatch.setattr(storage_checks, "MACHINE", machine)
        monkeypatch.setattr(storage_checks, "look", lambda *_: Result(outcome))
        (taken,) = claim([checking])
        run(taken)
        return known([checking])[checking]

    row = look_from("machine1", before)
    first = row.checked = utcnow() - timedelta(hours=hours)
    db.session.commit()
    # However often it is asked.
    for _ in range(2):
        row = look_from("machine1" if same else "machine2", now)
    assert (row.outcome, row.state) == (told, DONE)
    assert (row.checked == first) == (told == before != now)


def test_an_empty_root_is_a_share_that_is_not_mounted(tmp_path):
    assert look(str(tmp_path / "M12"), [str(tmp_path)]) == Result(AWAY)
