"""Form fields of one value each.

Every entry knows three forms of a value: what the wire says, what a browser shows and sends back
(`state`), and how the two meet. A browser turns line ends into CRLF, drops line breaks from a one-line
input, and shortens `15:30:00` to `15:30`; two states are equal where only that differs.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

import marshmallow
from marshmallow import ValidationError
from werkzeug.datastructures import MultiDict
from wtforms import Field
from wtforms.utils import unset_value

from brainstem.core import times, wire
from brainstem.core.schemas import default_of, texts_in


class Entry(Field):
    """A form field that speaks the wire format."""

    kind = "text"
    readonly = False

    def __init__(self, *, label: str, field: marshmallow.fields.Field, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.label = label
        self.about = field
        self.help = field.metadata.get("help", "")
        self.type = field.metadata.get("type")
        self.autocomplete = field.metadata.get("autocomplete")
        self.required = field.required
        self.errors: list[str] = []

    def process(self, formdata: Any, data: Any = unset_value, extra_filters: Any = None) -> None:
        if formdata is not None:
            self.read(formdata)
        else:
            self.show(default_of(self.about) if data is unset_value else data)

    def show(self, value: Any) -> None:
        """Take a wire value, or None for an empty form."""
        raise NotImplementedError

    def read(self, formdata: MultiDict[str, str]) -> None:
        """Take what a browser sent."""
        raise NotImplementedError

    def value(self, before: Any) -> Any:
        """The wire value, or `Unreadable`; `before` is the entry as the form was opened, or None."""
        return self.state

    def restore(self, value: Any, before: Any) -> None:
        """Show a wire value that came from `value()` earlier."""
        self.show(value)

    def act(self, verb: str, index: int | None) -> None:
        """Do what a button of the field asks for."""

    def place(self, message: Any) -> None:
        """Show what is wrong."""
        self.errors = texts_in(message)

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the id of the control, and a sentence for the summary."""
        return [(self.id, f"{self.label}: {' '.join(self.errors)}")] if self.errors else []

    def as_text(self) -> str:
        """The value for people to read and compare."""
        return str(self.state)


def as_browser(text: str) -> str:
    """The text as a browser sends it back, with line ends as we keep them."""
    if "\n" in text:
        return text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\r", "")


class TextEntry(Entry):
    """One line, or several; with the line ends that the record had."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = "textarea" if getattr(self.about, "lines", False) else "text"
        self.original = ""

    @property
    def text(self) -> str:
        return self.state

    def show(self, value: Any) -> None:
        self.original = value or ""
        lines = self.original.replace("\r\n", "\n").replace("\r", "\n")
        self.state = lines if self.kind == "textarea" else as_browser(self.original)

    def read(self, formdata: MultiDict[str, str]) -> None:
        self.state = formdata.get(self.name, "").replace("\r\n", "\n")

    def value(self, before: Any) -> Any:
        windows = before is not None and "\r\n" in before.original
        return self.state.replace("\n", "\r\n") if windows else self.state


class PasswordEntry(TextEntry):
    """A password; it is never sent back to the browser."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = "password"


class CheckEntry(Entry):
    """Yes or no."""

    kind = "checkbox"

    @property
    def checked(self) -> bool:
        return self.state

    def show(self, value: Any) -> None:
        self.state = bool(value)

    def read(self, formdata: MultiDict[str, str]) -> None:
        self.state = bool(formdata.get(self.name))

    def as_text(self) -> str:
        return "Yes" if self.state else "No"


class ChoiceEntry(TextEntry):
    """One of a few words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = "select"
        self.source = ""

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        return choices_of(self.about, self.state)

    @property
    def chosen(self) -> list[tuple[str, str, bool]]:
        """The choice that is made, and the one to make none."""
        return [choice for choice in self.choices if choice[2] or not choice[0]]


def choices_of(field: marshmallow.fields.Field, chosen: str) -> list[tuple[str, str, bool]]:
    """The words of a field as options; one that is not among them is shown all the same."""
    words = [word for validator in field.validators for word in validator.choices]
    if chosen and chosen not in words:
        words.append(chosen)
    options = [("", "Choose…", not chosen)]
    return options + [(word, word, word == chosen) for word in words]


class DateTimeEntry(Entry):
    """A date and time on the lab's clock."""

    kind = "datetime"
    #: Before the date that the field showed, where somebody has typed another one by half (`dates.js`).
    HALF = "half "
    half = False

    @property
    def text(self) -> str:
        return self.raw

    @property
    def native(self) -> bool:
        """Whether a browser's own control can hold it: that knows milliseconds at most."""
        moment = _moment(self.raw)
        return not self.raw or (isinstance(moment, datetime) and moment.microsecond % 1000 == 0)

    @property
    def zone(self) -> str:
        return str(times.lab_zone())

    def show(self, value: Any) -> None:
        text = ""
        if value:
            moment = times.lab_time(times.parse(value)).replace(tzinfo=None)
            exact = "milliseconds" if moment.microsecond else "seconds"
            text = moment.isoformat(timespec="auto" if moment.microsecond % 1000 else exact)
        self._take(text)

    def read(self, formdata: MultiDict[str, str]) -> None:
        text = formdata.get(self.name, "")
        self.half = text.startswith(self.HALF)
        self._take(text.removeprefix(self.HALF).strip())
        if self.half:
            self.state = text  # never what was shown, however little of it has been typed over
            self.errors = [self.incomplete]

    def _take(self, text: str) -> None:
        self.raw = text
        self.state = _moment(text)

    @property
    def incomplete(self) -> str:
        """What is said of a date that was typed by half."""
        shown = " The one from before stands here again." if self.raw else ""
        return f"This date and time is not complete.{shown}"

    def value(self, before: Any) -> Any:
        if self.half:
            raise ValidationError(self.incomplete)
        return self.raw or None

    def as_text(self) -> str:
        return self.raw.replace("T", " ")


def _moment(text: str) -> datetime | str:
    """The moment that a text says; the text itself where it says none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


class NumberEntry(TextEntry):
    """A whole number; left blank, it is left out."""

    def show(self, value: Any) -> None:
        self.original = self.state = "" if value is None else str(value)

    def value(self, before: Any) -> Any:
        text = self.state.strip()
        if not text:
            return marshmallow.missing
        if not re.fullmatch("[0-9]{1,9}", text):
            raise ValidationError("This is not a whole number.")
        return int(text)


class PlainEntry(TextEntry):
    """A date or a duration, as the wire writes it; blank for none."""

    def value(self, before: Any) -> Any:
        return self.state.strip() or None


class DocumentEntry(TextEntry):
    """A JSON document, to be edited as text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.kind = "textarea"
        self.help = self.help or 'JSON: for example {"sampling_rate": 30000}.'

    def show(self, value: Any) -> None:
        self.original = self.state = document_text(value)

    def value(self, before: Any) -> Any:
        return read_document(self.state)


def document_text(value: Any) -> str:
    """A JSON document as people edit it; nothing where there is nothing in it."""
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def read_document(text: str) -> Any:
    """The document that somebody typed; `ValidationError` says where it is no JSON."""
    try:
        return wire.parse(text) if text.strip() else {}
    except ValueError as error:
        raise ValidationError(f"This is not JSON: {error}.") from None
