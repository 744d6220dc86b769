"""The figures as tables: for a terminal, and for `docs/performance.md`."""

from __future__ import annotations

import os
import platform
import re
from datetime import date
from pathlib import Path
from typing import Any

from bench.operations import OPERATIONS
from brainstem import config

#: A worker's memory after the run, in mebibytes, at most.
MEMORY = 150
#: How much of it may be new since everything was asked once: less is what Python keeps for itself.
GROWTH = 10

Results = list[dict[str, Any]]


def line(found: dict[str, Any]) -> str:
    """One operation's figures while they are measured."""
    parts = [f"{found['database']:10} {found['n']:>9,} {found['operation']:16}"]
    for name in ("ours", "hand", "bare", "memory"):
        if name in found:
            rate = found[name]["rate"]
            shown = f" {rate:6.0f}/s" if rate else ""
            parts.append(f"{name} {found[name]['median']:7.2f} ms{shown}")
    if "hand" in found:
        parts.append(f"×{found['ours']['median'] / found['hand']['median']:.2f}")
    parts.append(f"{found['statements']} SQL, {found['memory_now']:.0f} MB")
    return "  ".join(parts)


def written(results: Results) -> str:
    """All tables, in Markdown."""
    parts = [f"Measured on {machine()}, {date.today():%Y-%m-%d}."]
    for database in dict.fromkeys(each["database"] for each in results):
        these = [each for each in results if each["database"] == database]
        sizes = sorted({each["n"] for each in these})
        parts += [f"### {database}", ratios(these, sizes), memory(these, sizes)]
        parts += [times(these, n) for n in sizes]
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """What the program ran on."""
    cpu = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = found[1] if (found := re.search(r"model name\s*: (.*)", cpu)) else platform.processor()
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({name}), {size:.0f} GB, Python {platform.python_version()}"


def rows(head: list[str], lines: list[list[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(each) + " |" for each in [head, rule, *lines])


def at(results: Results, operation: str, n: int) -> dict[str, Any] | None:
    return next((r for r in results if r["operation"] == operation and r["n"] == n), None)


def judged(value: float | None, limit: float) -> str:
    """A ratio, and whether it is within its limit."""
    if value is None:
        return ""
    mark = "" if not limit else " ✓" if value <= limit else " ✗"
    return f"{value:.2f}{mark}"


def ratios(results: Results, sizes: list[int]) -> str:
    """How many times as long as the floors, and how that grows."""
    head = ["operation", "to", *(f"{n:,}" for n in sizes), "at most", "× memory, or bare"]
    head += [f"{sizes[-1]:,} : {sizes[0]:,}", "by hand", "at most"] if len(sizes) > 1 else []
    lines = []
    for operation in OPERATIONS:
        found = [at(results, operation.name, n) for n in sizes]
        if None in found:
            continue
        by_hand = operation.to == "hand"
        to = ("by hand" if "hand" in found[0] else "") if by_hand else operation.to
        against = [each.get("hand" if by_hand else "reference") for each in found]
        times = [
            each["ours"]["median"] / other["median"] if other else None
            for each, other in zip(found, against, strict=True)
        ]
        last = found[-1]
        line = [operation.name, to, *(judged(each, operation.limit) for each in times)]
        line.append(f"{operation.limit}" if operation.limit else "")
        lowest = last.get("memory") or last.get("bare")
        line.append(f"{last['ours']['median'] / lowest['median']:.1f}" if lowest else "")
        if len(sizes) > 1:
            ours, hand = (
                last[name]["median"] / found[0][name]["median"] if name in last else None
                for name in ("ours", "hand")
            )
            limit = operation.growth
            if operation.name == "list-offset" and hand:
                limit = round(1.2 * hand, 2)  # as the floor's own
            line += [judged(ours, limit), judged(hand, 0), f"{limit}" if limit else ""]
        lines.append(line)
    return rows(head, lines)


def times(results: Results, n: int) -> str:
    """Milliseconds and requests a second."""
    head = [f"{n:,} sessions", "median ms", "p95", "requests/s", "SQL"]
    head += ["by hand ms", "p95", "requests/s", "memory ms", "requests/s"]
    lines = []
    for each in results:
        if each["n"] != n:
            continue
        line = [each["operation"]]
        for name in ("ours", "hand", "memory"):
            one = each.get(name)
            rate = f"{one['rate']:,.0f}" if one and one["rate"] else ""
            line.append(f"{one['median']:.1f}" if one else "")
            if name != "memory":
                line.append(f"{one['p95']:.1f}" if one else "")
            line.append(rate)
            if name == "ours":
                line.append(str(each["statements"]))
        lines.append(line)
    return rows(head, lines)


def memory(results: Results, sizes: list[int]) -> str:
    """What a worker took, over the run."""
    head = ["sessions", "a worker's memory, MB: once everything was asked", "at the end", "grown"]
    lines = []
    for n in sizes:
        last = [each for each in results if each["n"] == n][-1]
        warm, end = last["memory_warm"], last["memory_now"]
        lines.append([f"{n:,}", f"{warm:.0f}", judged(end, MEMORY), judged(end - warm, GROWTH)])
    return rows(head, lines)


def record(written: str) -> None:
    """Put the tables into the page about performance, in the place of the last ones."""
    page = config.ROOT / "docs" / "performance.md"
    text = page.read_text()
    begin, end = "<!-- tables -->\n", "<!-- end of tables -->"
    before, rest = text.split(begin)
    page.write_text(f"{before}{begin}\n{written}\n{end}{rest.split(end)[1]}")
