"""The name of the next record like one: its date becomes today's, or its number counts up.

A guess that its user sees before anything is stored. So it changes what is surely a date or a counter,
and leaves alone what may be anything else: the 12 of the mouse in `M12 baseline` is not counted.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

MOST = 100

#: What stands at the end of a name and counts, with brackets that may close behind it.
COUNTER = re.compile(r"([0-9]+)([)\]]*)$")

#: How dates are written, the surest way first; none of them has a digit before or behind it.
FORMATS = (
    "%Y-%m-%d",
    "%Y_%m_%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%d_%m_%Y",
    "%m-%d-%Y",
    "%m_%d_%Y",
    "%y%m%d",
    "%d%m%y",
    "%y-%m-%d",
    "%y_%m_%d",
    "%d.%m.%y",
)
#: Six digits can be anything: they are a date where it is one of these last years.
YEARS = 15

#: How many names are looked up at once.
BATCH = 50


def counted_up(
    name: str,
    today: date,
    *,
    own: date | None = None,
    taken: Callable[[list[str]], Iterable[str]] = lambda names: (),
    most: int = MOST,
) -> str:
    """The first name of the count that is free; `own` is the record's own date.

    `taken` says which of several names are in use. `most` is the length that a name may have.
    """
    names = candidates(name, today, own=own, most=most)
    while True:
        some = list(itertools.islice(names, BATCH))
        used = {name, *taken(some)}
        for each in some:
            if each not in used:
                return each


def candidates(name: str, today: date, *, own: date | None = None, most: int) -> Iterator[str]:
    """Names to try, one after the other; there are always more.

    >>> some = candidates("rat3_2026-11-23", date(2026, 11, 24), most=100)
    >>> next(some), next(some)
    ('rat3_2026-11-24', 'rat3_2026-11-24_2')
    """
    start = name[:most]
    if dated := with_date(name, today, own):
        start, end = dated
        yield start[:most]
        if end == len(start):
            # The digits at the end are the date: a number goes behind it.
            yield from _numbered(start, _gap(start), "", itertools.count(2), 1, most)
            return
    if match := COUNTER.search(start):
        digits, behind = match.groups()
        counting = itertools.count(int(digits) + 1)
        yield from _numbered(start[: match.start()], "", behind, counting, len(digits), most)
    else:
        yield from _numbered(start, _gap(start), "", itertools.count(2), 1, most)


def with_date(name: str, today: date, own: date | None = None) -> tuple[str, int] | None:
    """The name with today's date in place of its own, written alike, and where that ends.

    Of several dates, or ways to read one, the record's own date counts; else the last with a whole year,
    since `14-05-05` may be a time of day. None for a name without a date.
    """
    found = list(_dates(name, today, own))
    if not found:
        return None
    start, end, written, _ = max(found, key=lambda one: (one[3] == own, "%Y" in one[2], one[0]))
    text = today.strftime(written)
    return name[:start] + text + name[end:], start + len(text)


def _dates(name: str, today: date, own: date | None) -> Iterator[tuple[int, int, str, date]]:
    """Where dates stand in a name, how they are written, and what they say."""
    for written in FORMATS:
        shape = re.sub("%Y", "[0-9]{4}", re.sub("%[mdy]", "[0-9]{2}", re.escape(written)))
        pattern = rf"(?<![0-9])({shape})(?![0-9])"
        for match in re.finditer(pattern, name):
            try:
                day = datetime.strptime(match[1], written).date()
            except ValueError:
                continue
            short = "%y" in written
            if day == own or not short or _recent(day, today):
                yield *match.span(1), written, day


def _recent(day: date, today: date) -> bool:
    return timedelta(days=-366 * YEARS) < day - today < timedelta(days=366)


def _gap(name: str) -> str:
    """What stands between a name and the number put behind it."""
    return "_" if "_" in name and " " not in name else " "


def _numbered(
    stem: str, gap: str, behind: str, counting: Iterator[int], digits: int, most: int
) -> Iterator[str]:
    """The stem with numbers, as wide as they were; cut at its end where it would grow too long."""
    for number in counting:
        end = f"{gap}{number:0{digits}}{behind}"
        yield stem[: max(most - len(end), 0)] + end
