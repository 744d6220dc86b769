"""The table that a run of the soak ends with, and its place in `docs/reliability.md`."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path

from tests.databases import Unavailable, find_programs

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reliability.md"
BEGIN, END = "<!-- made by make soak: begin -->\n", "<!-- made by make soak: end -->\n"
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass
class Row:
    """What one part of the soak came to on one database."""

    part: str
    database: str
    done: str
    errors: int
    lost: int
    further: str
    took: str
    machine: str


HEAD = (
    "what",
    "database",
    "how much",
    "errors",
    "lost or torn",
    "further",
    "took",
    "when and where",
)


def row(
    part: str, kind: str, done: str, errors: int, lost: int, further: str, seconds: float
) -> Row:
    took = f"{seconds / 60:.1f} min"
    return Row(part, NAMES[kind], done, errors, lost, further, took, machine(kind))


def machine(kind: str) -> str:
    """Where the figures were measured, and how busy it was with other things."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    versions = f"Python {platform.python_version()}, {version(kind)}"
    return (
        f"{date.today()}: {os.cpu_count()} cores, {memory:.0f} GB, {versions}, "
        f"load before {LOAD_BEFORE:.1f}"
    )


#: The machine's load average when the soak began: where it is above 0, others worked there, too.
LOAD_BEFORE = os.getloadavg()[0]


def version(kind: str) -> str:
    if kind == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    try:
        words = [find_programs() / "postgres", "--version"]
    except Unavailable as error:
        return str(error)
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return f"PostgreSQL {told.split()[2]}"


def table(rows: Iterable[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = [HEAD, ["---"] * len(HEAD), *(map(str, astuple(each)) for each in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def written(page: str, rows: Iterable[Row]) -> str:
    """The page with these rows in the place of those about the same; the others stay."""
    before, _, rest = page.partition(BEGIN)
    old, _, after = rest.partition(END)
    lines = [*old.splitlines()[2:], *table(rows).splitlines()[2:]]
    kept = {tuple(line.split(" | ")[:2]): line for line in lines}
    made = "\n".join([*table([]).splitlines(), *kept.values()])
    return f"{before}{BEGIN}{made}\n{END}{after}"
