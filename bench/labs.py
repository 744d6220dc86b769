"""Filled databases, kept from one run to the next, and a fresh copy of one to measure with."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from flask_migrate import upgrade

from bench.fill import fill
from brainstem import config, create_app
from brainstem.extensions import db
from brainstem.records.users import User
from tests.databases import DURABLE, PostgresCluster

KEPT = config.ROOT / "instance" / "bench"
EMAIL, PASSWORD, SECRET_KEY = (
    "bench@example.org",
    "a password for the benchmarks",
    "for the benchmarks",
)

#: Not those of the tests: what is written is on the disk before it is answered, as in a lab.
LIKE_A_LAB = {
    **DURABLE,
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
}


@contextmanager
def lab(database: str, n: int, labs: Path = KEPT) -> Iterator[tuple[str, str]]:
    """The address of a database with `n` sessions, and the token of its user.

    It is a copy of one that is kept in `labs`, and gone afterwards.
    """
    kept = found_or_made(database, n, labs)
    token = (kept / "token").read_text()
    if database == "sqlite":
        work = labs / f"work-{uuid.uuid4().hex}"
        work.mkdir()
        try:
            shutil.copyfile(kept / "lab.sqlite3", work / "lab.sqlite3")
            yield f"sqlite:///{work / 'lab.sqlite3'}", token
        finally:
            shutil.rmtree(work)
    else:
        cluster = PostgresCluster.start(LIKE_A_LAB, kept / "data")
        try:
            yield cluster.url("bench"), token
        finally:
            cluster.stop()


def found_or_made(database: str, n: int, labs: Path) -> Path:
    """The folder of a kept lab: filled, or brought up to date, where it is not there yet."""
    filled = digest([Path(__file__).with_name("fill.py")])
    revisions = sorted((config.ROOT / "migrations" / "versions").glob("*.py"))
    kept = labs / f"{database}-{n}-{filled}-{digest(revisions)}"
    if (kept / "token").exists():
        return kept
    known = {file.stem.split("_")[0] for file in revisions}
    older = [
        each
        for each in sorted(labs.glob(f"{database}-{n}-{filled}-*"), reverse=True)
        if (each / "token").exists() and (each / "revision").read_text() in known
    ]
    deed = "Bringing up to date" if older else "Filling"
    print(f"{deed} a lab with {n:,} sessions on {database} …", flush=True)
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    make = make_sqlite if database == "sqlite" else make_postgresql
    token = make(kept, n, older[0] if older else None)
    (kept / "revision").write_text(max(known))
    (kept / "token").write_text(token)
    if labs == KEPT:
        for each in labs.glob(f"{database}-{n}-*"):
            if each != kept:
                shutil.rmtree(each)
    return kept


def digest(files: list[Path]) -> str:
    """Another one as soon as one of the files is another."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


def app_on(url: str) -> Flask:
    """The program, in this process."""
    return create_app({"SQLALCHEMY_DATABASE_URI": url, "SECRET_KEY": SECRET_KEY})


def make_sqlite(kept: Path, n: int, older: Path | None) -> str:
    """A lab in a file; its user's token."""
    if older:
        shutil.copyfile(older / "lab.sqlite3", kept / "lab.sqlite3")
    url = f"sqlite:///{kept / 'lab.sqlite3'}"
    return up_to_date(url, older) if older else make(url, n)


def make_postgresql(kept: Path, n: int, older: Path | None) -> str:
    """A lab in the data of a cluster; its user's token."""
    cluster = PostgresCluster.start(data=older and older / "data")
    try:
        url = cluster.url("bench") if older else cluster.create_database("bench")
        token = up_to_date(url, older) if older else make(url, n)
        cluster.keep(kept / "data")
    finally:
        cluster.stop()
    return token


def up_to_date(url: str, older: Path) -> str:
    """Bring an older lab up to date; its user's token."""
    with app_on(url).app_context():
        upgrade()
        db.engine.dispose()
    return (older / "token").read_text()


def make(url: str, n: int) -> str:
    """Fill an empty database; its user's token."""
    app = app_on(url)
    with app.app_context():
        upgrade()
        runner = app.test_cli_runner()
        names = ["--first-name", "Ben", "--last-name", "Ch", "--password-stdin"]
        made = runner.invoke(args=["user", "add", EMAIL, *names], input=PASSWORD)
        token = runner.invoke(args=["token", "add", EMAIL, "bench"])
        assert not made.exit_code and not token.exit_code, made.output + token.output
        user_id = db.session.scalar(db.select(User.id))
        db.session.remove()
        fill(db.engine, n, user_id)
    return token.output.strip()
