"""The wire format: `RecordSchema` and the field types that every kind shares.

A schema knows neither user nor request. What needs the database (does that project exist? is the name
taken?) is judged by the operation; everything else about a field stands here: its shape, its limits,
its label and help (`metadata`), and how it is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema
from marshmallow.utils import missing

from brainstem.core import times
from brainstem.core.permissions import Right, Role
from brainstem.core.resource import as_id

REQUIRED = "This field is required."
fields.Field.default_error_messages |= {
    "required": REQUIRED,
    "null": "This field may not be null.",
}


class RecordSchema(Schema):
    """A kind of record on the wire, its keys in the order of the fields.

    A field that the schema does not have is an error, so that a typing error loses nothing; one that
    can't be written is taken and ignored, so that what was read can be sent back (contract §4).

    `metadata` of a field: `label`, `help`; `form_only` (written by the web form, not by the API);
    `private` (never shown in the public portal); `right` (what changing it takes, where that differs
    from the rest of the record: a `Right`).
    """

    class Meta:
        unknown = RAISE

    error_messages = {"type": "This is not a JSON object."}

    id = fields.UUID(dump_only=True)

    def __init__(self, *, way: str = "api", portal: str = "private", **options: Any) -> None:
        declared = type(self)._declared_fields.items()
        hidden = {n for n, f in declared if portal == "public" and f.metadata.get("private")}
        fixed = {n for n, f in declared if way == "api" and f.metadata.get("form_only")}
        super().__init__(exclude=hidden, dump_only=fixed, **options)
        self.portal = portal

    @pre_load
    def leave_out_what_is_read_only(self, payload: Any, **_: Any) -> Any:
        if not isinstance(payload, Mapping):
            return payload
        read_only = self.dump_fields.keys() - self.load_fields.keys()
        return {name: value for name, value in payload.items() if name not in read_only}

    def judge(self, payload: Any, *, partial: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is good of a payload, and what is wrong with the rest, by field."""
        unread = {name: each for name, each in payload.items() if isinstance(each, Unreadable)}
        payload = payload | {name: each.rest for name, each in unread.items()}
        payload = {name: each for name, each in payload.items() if each is not missing}
        errors: dict[str, Any] = {}
        try:
            data = self.load(payload, partial=partial)
        except ValidationError as error:
            data, errors = error.valid_data, error.normalized_messages()
        errors = plain(errors) | (unstorable(payload) or {})
        for name, each in unread.items():
            more = errors.get(name, {})
            both = isinstance(each.messages, dict) and isinstance(more, dict)
            errors[name] = each.messages | more if both else each.messages
        return {name: value for name, value in data.items() if name not in errors}, errors

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """References come from what the actor may see (`operations.View.refs`), the rest from the record."""
        return obj.refs[attr] if attr in obj.refs else getattr(obj.record, attr, default)

    @classmethod
    def references(cls) -> Iterator[tuple[str, Ref | RefList]]:
        """The fields that name other records, with their names."""
        for name, field in cls._declared_fields.items():
            if isinstance(field, Ref | RefList):
                yield name, field


@dataclass(frozen=True)
class Unreadable:
    """In a payload from a form: what can't be understood of what was typed, and the rest of the value."""

    messages: Any
    rest: Any = missing


def plain(messages: Any) -> Any:
    """marshmallow's messages, with what it says of a whole row standing at the row itself."""
    if not isinstance(messages, dict):
        return messages
    if messages.keys() == {"_schema"}:
        return messages["_schema"]
    return {name: plain(each) for name, each in messages.items()}


def texts_in(message: Any) -> list[str]:
    """The sentences of a message, however deeply nested."""
    if isinstance(message, dict):
        return [text for each in message.values() for text in texts_in(each)]
    return list(map(str, message))


UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def unstorable(value: Any) -> Any:
    """Errors, by position, for characters that no database can keep: NUL and half surrogates."""
    if isinstance(value, str):
        return ["Contains a character that can't be stored."] if UNSTORABLE.search(value) else None
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        return None
    found = {}
    for key, each in items:
        problem = unstorable(key) or unstorable(each)
        if problem:
            found[UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(key))] = problem
    return found


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
        if self.required and not text:
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
            return timedelta(seconds=float(text)) if text[:1].isdigit() else None
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


class Ref(fields.Field):
    """One record of another kind, by its id. It must exist, and the actor must hold `right` on it.

    On the way out a value may also be the record itself, where a query includes it.
    """

    def __init__(self, kind: str, *, right: Right = Right.USE, **kwargs: Any) -> None:
        self.kind, self.right = kind, right
        if not kwargs.get("required") and not kwargs.get("dump_only"):
            kwargs |= {"allow_none": True, "load_default": None}
        super().__init__(**kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return str(value) if isinstance(value, UUID) else value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> UUID:
        if (found := as_id(value)) is None:
            raise ValidationError("This is not an id.")
        return found


class RefList(fields.Field):
    """Records of another kind, by their ids, in order and without duplicates.

    On the way out a value may also be the records themselves, where a query includes them.
    """

    def __init__(self, kind: str, *, right: Right = Right.USE, **kwargs: Any) -> None:
        self.kind, self.right = kind, right
        if not kwargs.get("required"):
            kwargs.setdefault("load_default", list)
        super().__init__(**kwargs)

    def _serialize(self, value: list | None, attr: str | None, obj: Any, **kwargs: Any) -> list:
        return [str(each) if isinstance(each, UUID) else each for each in value or ()]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[UUID]:
        if not isinstance(value, list):
            raise ValidationError("This is not a list of ids.")
        ids, errors = [], {}
        for position, each in enumerate(value):
            found = as_id(each)
            if found is None:
                errors[position] = ["This is not an id."]
            elif found in ids:
                errors[position] = ["Named twice."]
            ids.append(found)
        if errors:
            raise ValidationError(errors)
        if self.required and not ids:
            raise ValidationError("Name at least one.")
        return ids


class TagList(fields.Field):
    """Tags: texts that all users share; trimmed, repeated ones merged, in the order given."""

    MOST = 200

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default=list, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[str]:
        return list(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValidationError("This is not a list of texts.")
        tags, errors = [], {}
        for position, each in enumerate(value):
            tag = each.strip() if isinstance(each, str) else None
            if tag is None:
                errors[position] = ["This is not a text."]
            elif not tag:
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


class RowList(fields.List):
    """A list of small objects, each judged by a schema of its own."""

    default_error_messages = {"invalid": "This is not a list."}

    def __init__(self, row: type[Schema], **kwargs: Any) -> None:
        super().__init__(fields.Nested(row), load_default=list, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> list[dict]:
        return value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[dict]:
        """The rows as they will be stored: on the wire's own terms, times in UTC.

        Rows are whole also where the record is changed in part.
        """
        rows = super()._deserialize(value, attr, data, **kwargs | {"partial": False})
        return self.inner.schema.dump(rows, many=True)


class Row(Schema):
    """One object of a `RowList`, or the fields of a small form."""

    class Meta:
        unknown = RAISE

    error_messages = {"type": "This is not a JSON object."}

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def can_be_stored(self, data: Any, original: Any, **_: Any) -> None:
        if problems := unstorable(original):
            raise ValidationError(problems)


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


class Links(fields.Field):
    """The relation addresses of a record: suffixes of its own address, one for each relation named."""

    def __init__(self, *relations: str, **kwargs: Any) -> None:
        self.relations = relations
        super().__init__(dump_only=True, **kwargs)

    def serialize(self, attr: str, obj: Any, accessor: Any = None, **kwargs: Any) -> dict[str, str]:
        return {name: f"{name}/" for name in self.relations}


class People(fields.Field):
    """Which users or groups hold which role: `{"<name>": {"can_change", "is_manager", "is_owner"}}`.

    In a change, named entries are added or set, `{"remove": true}` removes one, others stay. Loads to
    `{name: Role | None}`, None to remove. Not taken on creation (contract §6).
    """

    RIGHTS = (
        ("can_change", Role.CONTRIBUTOR),
        ("is_manager", Role.MANAGER),
        ("is_owner", Role.OWNER),
    )

    def __init__(
        self, kind: str, *, rights: tuple[tuple[str, Role], ...] = RIGHTS, **kwargs: Any
    ) -> None:
        self.kind, self.rights = kind, rights
        metadata = {"private": True, "right": Right.MANAGE} | kwargs.pop("metadata", {})
        super().__init__(metadata=metadata, **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> dict:
        return {
            name: {right: role >= least for right, least in self.rights}
            for name, role in value.items()
        }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict:
        if not isinstance(value, dict):
            raise ValidationError("This is not a JSON object.")
        roles, errors = {}, {}
        known = dict(self.rights)
        for name, rights in value.items():
            if not isinstance(rights, dict) or not all(
                isinstance(v, bool) for v in rights.values()
            ):
                errors[name] = ["This is not an object of rights, each true or false."]
            elif unknown := sorted(rights.keys() - known.keys() - {"remove"}):
                errors[name] = {each: ["Unknown field."] for each in unknown}
            elif rights.get("remove"):
                roles[name] = None
            else:
                held = [known[right] for right, on in rights.items() if on and right in known]
                roles[name] = max(held, default=Role.MEMBER)
        if errors:
            raise ValidationError(errors)
        return roles


def label_of(name: str, field: fields.Field) -> str:
    """What people call a field."""
    return field.metadata.get("label") or name.replace("_", " ").capitalize()


def default_of(field: fields.Field) -> Any:
    """What a field is when nothing is said."""
    default = field.load_default
    if default is missing:
        return None
    return default() if callable(default) else default
