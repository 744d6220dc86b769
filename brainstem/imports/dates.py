"""Dates as spreadsheets write them. Which of `03/04/2023` is the day, a whole column decides or nobody."""

from __future__ import annotations

import re
from calendar import month_name
from collections.abc import Iterable
from datetime import date

from brainstem.core import times

CLOCK = (
    r"(?:,?[ T]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<part>[.,]\d+)?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
YEAR, ONE, TWO = r"(?P<year>\d{4})", r"(?P<one>\d{1,2})", r"(?P<two>\d{1,2})"
YEAR_FIRST = re.compile(rf"{YEAR}(?P<mark>[-/.]){ONE}(?P=mark){TWO}{CLOCK}", re.ASCII)
YEAR_LAST = re.compile(rf"{ONE}(?P<mark>[-/.]){TWO}(?P=mark){YEAR}{CLOCK}", re.ASCII)

DAY_FIRST, MONTH_FIRST = "day", "month"

#: For a column in which no date, or dates of both kinds, tell the order.
UNCLEAR = {
    "": "{text} can be {one} or {two}, and no date of this column tells which. "
    "Write dates as 2023-03-22.",
    "both": "In this column some dates begin with the day and some with the month, so {text} can be "
    "{one} or {two}. Write dates as 2023-03-22.",
}


def order_of(texts: Iterable[str]) -> str:
    """What stands first in the dates of a column where the year is last: the day, the month.

    Empty where no date tells, and "both" where they contradict each other. Dots speak for themselves:
    the day stands first.
    """
    found = set()
    for text in texts:
        match = YEAR_LAST.fullmatch(text)
        if match and match["mark"] != ".":
            one, two = int(match["one"]), int(match["two"])
            if one > 12 >= two:
                found.add(DAY_FIRST)
            elif two > 12 >= one:
                found.add(MONTH_FIRST)
    return "both" if len(found) > 1 else next(iter(found), "")


def iso(text: str, order: str) -> str:
    """A date, with a time where it has one, as ISO 8601; what is no date at all stays as it is.

    `ValueError`, with a sentence, for a date that can be read in two ways.
    """
    text = " ".join(text.split())
    if times.ISO.fullmatch(text):
        return text
    if match := YEAR_FIRST.fullmatch(text):
        month, day = match["one"], match["two"]
    elif match := YEAR_LAST.fullmatch(text):
        one, two = match["one"], match["two"]
        clear = match["mark"] == "." or order == DAY_FIRST or int(one) == int(two)
        if not clear and order in UNCLEAR and max(int(one), int(two)) <= 12:
            readings = {"one": _words(one, two), "two": _words(two, one)}
            raise ValueError(UNCLEAR[order].format(text=text.split(" ")[0], **readings))
        month_first = order == MONTH_FIRST or int(two) > 12
        day, month = (two, one) if month_first and not clear else (one, two)
    else:
        return text
    try:
        found = date(int(match["year"]), int(month), int(day)).isoformat()
    except ValueError:
        return text
    if match["hour"] is None:
        return found
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return text
        hour = hour % 12 + (12 if match["half"] in "Pp" else 0)
    second = f":{match['second']}{match['part'] or ''}" if match["second"] else ""
    return f"{found} {hour:02}:{match['minute']}{second}"


def _words(day: str, month: str) -> str:
    return f"{int(day)} {month_name[int(month)]}"


def bare(text: str) -> str:
    """A date without the midnight that a spreadsheet's export has put behind it."""
    return re.sub(r"[ T]00:00(:00(\.0+)?)?$", "", text)
