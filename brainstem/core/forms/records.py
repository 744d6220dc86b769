"""Forms drawn from a schema, and those of records: what they show, and the payload that they make of it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from itsdangerous import BadData, URLSafeSerializer
from marshmallow import ValidationError, missing
from werkzeug.datastructures import MultiDict
from wtforms import Form

from brainstem import signing
from brainstem.core.forms.entries import Entry
from brainstem.core.parts import Parts
from brainstem.core.schemas import REQUIRED, Unreadable, texts_in

#: The hidden field with the record as the form was opened, and the name of the buttons inside a form.
OPENED, DO = "_opened", "_do"


class SchemaForm(Form):
    """A form whose fields, labels, helps and messages are a schema's."""

    #: The forms of a record's parts, by relation (see `forms/parts.py`).
    parts: dict[str, Any] = {}

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
        """A field's value; `Unreadable` where what was typed is none, or nothing where something must be."""
        try:
            value = field.value(before)
        except ValidationError as error:
            return Unreadable(error.messages)
        # A script is told that it may not send null; whoever fills in a form knows of no null.
        return Unreadable([REQUIRED]) if value is None and not field.about.allow_none else value

    def act(self, action: str) -> None:
        """Do what a button of a field asks, such as `datastorage:up:2`."""
        name, verb, index = [*action.split(":"), "", ""][:3]
        known = index.isdecimal() and index.isascii() and len(index) < 6
        if (found := self.named(name)) is not None:
            found.act(verb, int(index) if known else None)

    def named(self, name: str) -> Any:
        """What a button's name speaks of; None for nothing of this form."""
        return self._fields.get(name)

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

    def wanted(self, names: tuple[str, ...]) -> list[dict[str, Any]]:
        """The fields that the record is not complete without, and which of them are still missing."""
        return [
            {
                "name": name,
                "label": self[name].label,
                "href": f"#{self[name].id}",
                "missing": not self[name].state,
            }
            for name in names
            if name in self
        ]

    def wanted_parts(self) -> dict[str, Parts]:
        """What the user wants of the record's parts, by relation."""
        return {}

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
    return URLSafeSerializer(signing.key(), salt=f"form: {what}")
