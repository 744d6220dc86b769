"""Field types for values: texts, numbers, times, free fields."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields, validate

from brainstem.core import times
from brainstem.core.schemas.messages import REQUIRED

#: Letters, marks and signs that no page shows (most of Unicode's `Default_Ignorable_Code_Point`, and the
#: braille pattern without a dot). Control and format characters, and blanks, have categories of their own.
UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def visible(text: str) -> bool:
    """Whether there is more in a text than blanks and what no page shows, such as joiners."""
    return any(
        not each.isspace() and unicodedata.category(each) not in ("Cc", "Cf")
        for each in UNSEEN.sub("", text)
    )


class Text(fields.String):
    """Text of at most `most` characters; trimmed unless it is kept to the letter."""

    default_error_messages = {"invalid": "This is not a text."}

    def __init__(
        self, *, most: int | None = None, exact: bool = False, lines: bool = False, **kw: Any
    ):
        self.most, self.exact, self.lines = most, exact, lines
        if not kw.get("required"):
            kw.setdefault("load_default", "")
        super().__init__(**kw)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not self.exact:
            text = text.strip()
        if self.required and not (text if self.exact else visible(text)):
            raise ValidationError(REQUIRED)
        if self.most is not None and len(text) > self.most:
            raise ValidationError(f"At most {self.most} characters; these are {len(text)}.")
        return text


class Flag(fields.Boolean):
    """A JSON boolean, and nothing that merely looks like one."""

    default_error_messages = {"invalid": "This is neither true nor false."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Whole(fields.Integer):
    """A whole number from 0; written as a JSON number, not as a text or a boolean."""

    def __init__(self, *, most: int | None = None, **kwargs: Any) -> None:
        self.most = most
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("This is not a whole number.")
        if value < 0:
            raise ValidationError("This can't be less than 0.")
        if self.most is not None and value > self.most:
            raise ValidationError(f"This can't be more than {self.most}.")
        return value


class LabDateTime(fields.Field):
    """A moment: read as ISO 8601 (see `times.parse`), written in UTC; null clears it."""

    def __init__(self, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs |= {"allow_none": True, "load_default": None}
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value and times.utc_text(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            return times.parse(value)
        except (ValueError, AttributeError, TypeError):
            raise ValidationError(
                "This is not a date and time, such as 2023-03-22T15:30:00Z."
            ) from None


class Day(fields.Field):
    """A date without a time, such as a birthday; null clears it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, load_default=None, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value and value.isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip(), re.ASCII):
                return date.fromisoformat(value.strip())
        except (ValueError, AttributeError):
            pass
        raise ValidationError("This is not a date, such as 2023-03-22.")


class Duration(fields.Field):
    """A time span: seconds as a number, `HH:MM:SS[.ffffff]`, or ISO 8601 (`PT5M`); null clears it."""

    MOST = timedelta(days=3650)
    CLOCK = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d(?:\.\d+)?)", re.ASCII)
    ISO = re.compile(
        r"P(?=.)(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
        r"(?:T(?=.)(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?",
        re.ASCII,
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, load_default=None, **kwargs)

    def _serialize(
        self, value: timedelta | None, attr: str | None, obj: Any, **kwargs: Any
    ) -> str | None:
        if value is None:
            return None
        seconds, fraction = divmod(value, timedelta(seconds=1))
        text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        return text + (f".{fraction.microseconds:06}" if fraction else "")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> timedelta:
        try:
            found = self._read(value)
        except (ValueError, OverflowError):
            found = None
        if found is None:
            raise ValidationError(
                "This is not a duration: seconds, 00:05:00 (hours, minutes, seconds), or PT5M."
            )
        if not timedelta() <= found <= self.MOST:
            raise ValidationError("This is not between 0 and ten years.")
        return found

    def _read(self, value: Any) -> timedelta | None:
        if isinstance(value, str):
            text = value.strip()
            if match := self.CLOCK.fullmatch(text):
                hours, minutes, seconds = match.groups()
                return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
            if match := self.ISO.fullmatch(text.upper()):
                names = ("weeks", "days", "hours", "minutes", "seconds")
                parts = zip(names, match.groups(default="0"), strict=True)
                return timedelta(**{name: float(number) for name, number in parts})
            plain = re.fullmatch(r"\d{1,12}(\.\d+)?", text, re.ASCII)
            return timedelta(seconds=float(text)) if plain else None
        known = isinstance(value, int | float) and not isinstance(value, bool)
        return timedelta(seconds=value) if known else None


class Document(fields.Field):
    """A JSON object (or, where `many` allows it, a list of objects), kept as sent."""

    def __init__(self, *, many: bool = False, **kwargs: Any) -> None:
        self.many = many
        super().__init__(load_default=list if many else dict, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        objects = value if self.many and isinstance(value, list) else [value]
        if wrong := [place for place, each in enumerate(objects) if not isinstance(each, dict)]:
            text = ["This is not a JSON object."]
            raise ValidationError(dict.fromkeys(wrong, text) if objects is value else text)
        return value


class TagList(fields.Field):
    """Tags: texts that all users share; trimmed, repeated ones merged, in the order given."""

    MOST, MOST_TAGS = 200, 1_000

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default=list, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return list(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValidationError("This is not a list of texts.")
        if len(value) > self.MOST_TAGS:
            raise ValidationError(f"At most {self.MOST_TAGS} tags; these are {len(value)}.")
        tags, errors = [], {}
        for position, each in enumerate(value):
            tag = each.strip() if isinstance(each, str) else None
            if tag is None:
                errors[position] = ["This is not a text."]
            elif not visible(tag):
                errors[position] = ["A tag can't be empty."]
            elif len(tag) > self.MOST:
                errors[position] = [f"At most {self.MOST} characters; these are {len(tag)}."]
            elif tag not in tags:
                tags.append(tag)
        if errors:
            raise ValidationError(errors)
        return tags


class ExtraFields(fields.Field):
    """Free fields: an object of texts and finite numbers, kept as sent, in the order sent."""

    #: Also what the form's script checks while somebody types.
    KEY = "[A-Za-z][A-Za-z0-9_]*"
    BAD_KEY = "A key starts with a letter and has only letters (A to Z), digits and underscores."

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default=dict, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict:
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict:
        if not isinstance(value, dict):
            raise ValidationError("This is not a JSON object.")
        errors = {}
        for key, each in value.items():
            if not re.fullmatch(self.KEY, key):
                errors[key] = [self.BAD_KEY]
            elif isinstance(each, bool) or not isinstance(each, str | int | float):
                errors[key] = ["A value is a text or a number."]
            elif not isinstance(each, str) and not finite(each):
                errors[key] = ["A number must be finite: at most about 1.8e308."]
        if errors:
            raise ValidationError(errors)
        return value


def finite(number: int | float) -> bool:
    """Whether a number is one in double precision, too: that is how programs compare it."""
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def choice(*values: str) -> validate.OneOf:
    """One of a few words."""
    return validate.OneOf(values, error="Choose one of {choices}.")


class WebAddress(Text):
    """An address that a browser or a download tool can open: http, https or ftp, with a host."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parts = urlsplit(text)
            scheme, host = parts.scheme, parts.hostname
            _ = parts.port
        except ValueError:
            scheme = host = None
        known = text.lower().startswith(("http://", "https://", "ftp://"))
        if not (known and scheme and host) or re.search(r"[\s\x00-\x1f\x7f]", text):
            raise ValidationError(
                "This is not an address that begins with http://, https:// or ftp:// and has a host."
            )
        return text
