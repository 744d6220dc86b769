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
def lab(database: str, n: int) -> Iterator[tuple[str, str]]:
    """The address of a database with `n` sessions, and the token of its user."""
    kept = KEPT / f"{database}-{n}-{state()}"
    if not (kept / "token").exists():
        print(f"Filling a lab with {n:,} sessions on {database} …", flush=True)
        for old in [*KEPT.glob(f"{database}-{n}-*")]:
            shutil.rmtree(old)
        kept.mkdir(parents=True)
        (make_sqlite if database == "sqlite" else make_postgresql)(kept, n)
    token = (kept / "token").read_text()
    if database == "sqlite":
        work = KEPT / f"work-{uuid.uuid4().hex}"
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


def state() -> str:
    """Another one as soon as the tables, or what is filled into them, are others."""
    seen = hashlib.sha256(Path(__file__).with_name("fill.py").read_bytes())
    for file in sorted((config.ROOT / "migrations" / "versions").glob("*.py")):
        seen.update(file.read_bytes())
    return seen.hexdigest()[:10]


def app_on(url: str) -> Flask:
    """The program, in this process."""
    return create_app({"SQLALCHEMY_DATABASE_URI": url, "SECRET_KEY": SECRET_KEY})


def make_sqlite(kept: Path, n: int) -> None:
    token = make(f"sqlite:///{kept / 'lab.sqlite3'}", n)
    (kept / "token").write_text(token)


def make_postgresql(kept: Path, n: int) -> None:
    cluster = PostgresCluster.start()
    try:
        token = make(cluster.create_database("bench"), n)
        cluster.keep(kept / "data")
    finally:
        cluster.stop()
    (kept / "token").write_text(token)


def make(url: str, n: int) -> str:
    """Fill an empty database; the token of its user."""
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
