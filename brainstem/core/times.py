"""Times: stored and sent in UTC, typed and shown in the lab's time zone."""

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import current_app

ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}"
    r"([Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?)?",
    re.ASCII,
)


def utcnow() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def lab_zone() -> ZoneInfo:
    """The lab's time zone (`LAB_TIMEZONE`)."""
    return ZoneInfo(current_app.config["LAB_TIMEZONE"])


def parse(text: str) -> datetime:
    """The moment that an ISO 8601 text names, in UTC (contract §4, `date_time`).

    Without an offset it is a time in the lab's zone; a bare date is midnight there. Fractions are
    kept to microseconds. `ValueError` for anything else, or a moment outside the years 1 to 9999.
    """
    text = text.strip()
    if not ISO.fullmatch(text):
        raise ValueError("not ISO 8601")
    text = text.upper().replace(",", ".")
    if len(text) == len("2023-03-22"):
        moment = datetime.combine(date.fromisoformat(text), time())
    else:
        moment = datetime.fromisoformat(text[:10] + "T" + text[11:].replace(" ", ""))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=lab_zone())
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None


def utc_text(moment: datetime) -> str:
    """`2023-03-22T15:30:00Z`, with a fraction only where there is one."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def lab_time(moment: datetime) -> datetime:
    """The moment on the lab's clock; UTC where the lab's clock would leave the years 1 to 9999."""
    try:
        return moment.astimezone(lab_zone())
    except OverflowError:
        return moment


def lab_text(moment: datetime) -> str:
    """The moment as the lab's clock shows it, for a field that one can edit."""
    return lab_time(moment).replace(tzinfo=None).isoformat()
