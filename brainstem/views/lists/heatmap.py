"""The calendar of a list page: how many records there are of each day of a year, month by month."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any

from brainstem.core import listing
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource
from brainstem.views.lists.addresses import CALENDAR, Address

#: A day is a square, in pixels, with a gap around it: large enough to be hit with a finger.
STEP, SIDE = 24, 22
#: How many shades there are.
SHADES = 4
#: Not the very first and last: in the lab they may begin or end outside of what can be stored.
FIRST_YEAR, LAST_YEAR = 2, 9998


def heatmap(actor: Actor, resource: Resource, address: Address) -> dict[str, Any]:
    """The calendar where it is open, and the way to open it or to close it."""
    if not address.calendar:
        return {"open": False, "url": address.at(**{CALENDAR: "latest"})}
    found = {"open": True, "url": address.at(**{CALENDAR: None})}
    if address.calendar == "latest":
        year = listing.latest_year(actor, resource, address.words)
    else:
        year = int(address.calendar)
    year = min(max(year, FIRST_YEAR), LAST_YEAR)
    counts = listing.per_day(actor, resource, address.words, year)
    most = max(counts.values(), default=0)
    chosen = _chosen(address)
    return found | {
        "year": year,
        "total": sum(counts.values()),
        "before": _year_url(address, year - 1),
        "after": _year_url(address, year + 1),
        "months": [_month(resource, address, year, n, counts, most, chosen) for n in range(1, 13)],
        "legend": _legend(most),
        "shades": range(1, SHADES + 1),
    }


def _year_url(address: Address, year: int) -> dict[str, Any] | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return {"year": year, "url": address.at(**{CALENDAR: f"{year:04}"})}


def _chosen(address: Address) -> tuple[str, str]:
    """The first and the last day that the list is narrowed to, as texts that compare as days do."""
    first, last = address.words.get(listing.FROM, ""), address.words.get(listing.TO, "")
    if word := address.words.get(listing.DATE):
        days = listing.days_of(word)
        first, last = max(first, str(days[0])), min(last or "9", str(days[1]))
    return (first, last or "9") if first or last else ("9", "")


def _month(
    resource: Resource,
    address: Address,
    year: int,
    number: int,
    counts: dict[date, int],
    most: int,
    chosen: tuple[str, str],
) -> dict[str, Any]:
    """One month: the outline of its days, and those of them that there are records of."""
    before, length = calendar.monthrange(year, number)
    days, total = [], 0
    for day in range(1, length + 1):
        when = date(year, number, day)
        if count := counts.get(when, 0):
            total += count
            row, place = divmod(before + day - 1, 7)
            words = resource.words if count == 1 else resource.labels.lower()
            days.append(
                {
                    "x": place * STEP,
                    "y": row * STEP,
                    "shade": shade(count, most),
                    "chosen": chosen[0] <= str(when) <= chosen[1],
                    "label": f"{day} {calendar.month_name[number]} {year}: {count} {words}",
                    "url": _days_url(address, when, when),
                }
            )
    first, last = date(year, number, 1), date(year, number, length)
    return {
        "name": calendar.month_name[number],
        "total": total,
        "url": _days_url(address, first, last),
        "days": days,
        "outline": _outline(before, length),
        "height": ((before + length - 1) // 7 + 1) * STEP,
    }


def _days_url(address: Address, first: date, last: date) -> str:
    days = {listing.DATE: None, listing.FROM: str(first), listing.TO: str(last)}
    return address.with_words(days)


def _outline(before: int, length: int) -> str:
    """The area of a month's days, for a pattern of squares: less to send than each of them."""
    first, last = before * STEP, (before + length - 1) % 7 * STEP + STEP
    bottom, width = ((before + length - 1) // 7 + 1) * STEP, 7 * STEP
    return f"M{first} 0H{width}V{bottom - STEP}H{last}V{bottom}H0V{STEP}H{first}Z"


def shade(count: int, most: int) -> int:
    """Which of the shades a number of records has: the first for one, the last for the most of a day."""
    return 1 + (count - 1) * (SHADES - 1) // max(most - 1, 1)


def _legend(most: int) -> dict[str, int]:
    return {"least": 1 if most else 0, "most": most}
