"""Forms drawn from a kind's schema: they show its fields, and its messages beside them.

A form judges nothing itself. It turns what a browser sends into the payload that a script would send,
and the operation's messages back into marks at the fields. It works without JavaScript: its row buttons
post it, and it comes back changed, with nothing stored.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from marshmallow import Schema, ValidationError, fields, missing
from werkzeug.datastructures import MultiDict
from wtforms import Form

from brainstem.core.forms.entries import (
    CheckEntry,
    ChoiceEntry,
    DateTimeEntry,
    DocumentEntry,
    Entry,
    NumberEntry,
    OrderedEntry,
    PasswordEntry,
    PlainEntry,
    RefEntry,
    RefsEntry,
    TagsEntry,
    TextEntry,
)
from brainstem.core.forms.rows import ExtraFieldsEntry, RowsEntry
from brainstem.core.resource import Resource
from brainstem.core.schemas import (
    Day,
    Document,
    Duration,
    ExtraFields,
    Flag,
    LabDateTime,
    People,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
    Unreadable,
    Whole,
    label_of,
    texts_in,
)

#: The hidden field with the record as the form was opened, and the name of the buttons inside a form.
OPENED, DO = "_opened", "_do"


class SchemaForm(Form):
    """A form whose fields, labels, helps and messages are a schema's."""

    @property
    def fields(self) -> list[Entry]:
        """The fields to draw."""
        return list(self)

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """What the form carries along unseen."""
        return []

    def payload(self) -> dict[str, Any]:
        """What the user wants to store, as a script would send it."""
        return self._payload(self.fields)

    def _payload(self, fields: list[Entry], before: SchemaForm | None = None) -> dict[str, Any]:
        values = {f.short_name: self.read(f, before and before[f.short_name]) for f in fields}
        return {name: value for name, value in values.items() if value is not missing}

    def read(self, field: Entry, before: Entry | None = None) -> Any:
        """A field's value; `Unreadable` where what was typed is none."""
        try:
            return field.value(before)
        except ValidationError as error:
            return Unreadable(error.messages)

    def act(self, action: str) -> None:
        """Do what a button of a field asks, such as `datastorage:up:2`."""
        name, verb, index = [*action.split(":"), "", ""][:3]
        if name in self:
            known = index.isdecimal() and index.isascii() and len(index) < 6
            self[name].act(verb, int(index) if known else None)

    def place(self, messages: dict[str, Any]) -> str:
        """Put messages at their fields; returns those that belong to no field of the form."""
        homeless = []
        for name, message in messages.items():
            if name in self:
                self[name].place(message)
            else:
                text = " ".join(texts_in(message))
                homeless.append(text if name == "_schema" else f"{name}: {text}")
        return " ".join(homeless)

    @property
    def summary(self) -> list[dict[str, str]]:
        """Every message, with a link to where it belongs."""
        return [
            {"href": f"#{place}", "text": text}
            for field in self.fields
            for place, text in field.problems()
        ]


class RecordForm(SchemaForm):
    """A record in a browser. `opened` is the record as the form showed it at first, on the wire.

    A field that comes back as it was shown is left out of the payload: so a form that is saved
    unchanged changes nothing, whatever a browser does to line ends, seconds or the order of a list.
    """

    #: The kind of record, and the fields of the form in its order.
    kind = ""
    names: tuple[str, ...] = ()

    def __init__(
        self,
        formdata: MultiDict[str, str] | None = None,
        opened: dict[str, Any] | None = None,
        version: int | None = None,
    ) -> None:
        if formdata is not None and OPENED in formdata:
            version, opened = unseal(f"{self.kind} as opened", formdata[OPENED])
        self.opened, self.version = opened, version
        super().__init__(formdata=formdata, data=opened or {})

    @property
    def hidden(self) -> list[tuple[str, str]]:
        if self.opened is None:
            return []
        return [(OPENED, seal(f"{self.kind} as opened", [self.version, self.opened]))]

    @cached_property
    def before(self) -> RecordForm | None:
        """The form as it was opened."""
        return None if self.opened is None else type(self)(opened=self.opened)

    def changed(self, name: str) -> bool:
        """Whether a field differs from what was opened."""
        return self.before is None or self[name].state != self.before[name].state

    def payload(self) -> dict[str, Any]:
        if self.before is None:
            return super().payload()
        changed = [field for field in self.fields if self.changed(field.short_name)]
        return self._payload(changed, self.before)


def seal(what: str, value: Any) -> str:
    """A value for a hidden field, signed: what comes back as this is what was sent as this."""
    return _sealer(what).dumps(value)


def unseal(what: str, text: str) -> Any:
    """The value of a hidden field; `ValidationError` where somebody has changed it."""
    try:
        return _sealer(what).loads(text)
    except BadData:
        raise ValidationError("This form is too old, or was changed on its way.") from None


def _sealer(what: str) -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"form: {what}")


@cache
def small_form(schema: type[Schema]) -> type[SchemaForm]:
    """The form of a schema that is no kind of record: sign-in, a new token."""
    entries = {name: entry_for(name, field) for name, field in schema().load_fields.items()}
    return type(f"{schema.__name__}Form", (SchemaForm,), entries)


@cache
def form_for(resource: Resource) -> type[RecordForm]:
    """The form of a kind: an entry for each field that the web may write.

    Who holds which role on a record is no part of it: that has a page of its own.
    """
    schema = resource.schema(way="page")
    written = (n for n, field in schema.load_fields.items() if not isinstance(field, People))
    names = resource.form or tuple(written)
    entries = {name: entry_for(name, schema.load_fields[name]) for name in names}
    return type(
        f"{resource.name.capitalize()}Form",
        (RecordForm,),
        {"kind": resource.name, "names": names, **entries},
    )


def entry_for(name: str, field: fields.Field) -> Any:
    """The form field that shows a schema's field."""
    about = {"label": label_of(name, field), "field": field}
    match field:
        case LabDateTime():
            return DateTimeEntry(**about)
        case ExtraFields():
            return ExtraFieldsEntry(**about)
        case RowList():
            return RowsEntry(**about)
        case Ref():
            return RefEntry(**about)
        case Whole():
            return NumberEntry(**about)
        case Day() | Duration():
            return PlainEntry(**about)
        case Document():
            return DocumentEntry(**about)
        case RefList():
            ordered = field.metadata.get("ordered")
            return OrderedEntry(**about) if ordered else RefsEntry(**about)
        case TagList():
            return TagsEntry(**about)
        case Flag():
            return CheckEntry(**about)
        case Text() if field.validators:
            return ChoiceEntry(**about)
        case fields.Field() if field.metadata.get("password"):
            return PasswordEntry(**about)
        case _:
            return TextEntry(**about)


__all__ = [
    "DO",
    "Entry",
    "RecordForm",
    "SchemaForm",
    "form_for",
    "seal",
    "small_form",
    "unseal",
]
