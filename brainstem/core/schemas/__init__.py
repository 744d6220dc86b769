"""The wire format: `RecordSchema` and the field types that every kind shares.

A schema knows neither user nor request. What needs the database (does that project exist? is the name
taken?) is judged by the operation; everything else about a field stands here: its shape, its limits,
its label and help (`metadata`), and how it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load
from marshmallow.utils import missing

from brainstem.core.schemas.messages import (
    REQUIRED,
    Unreadable,
    default_of,
    label_of,
    merged,
    plain,
    texts_in,
    unstorable,
)
from brainstem.core.schemas.references import Links, People, Ref, RefList
from brainstem.core.schemas.rows import Row, RowList
from brainstem.core.schemas.values import (
    Day,
    Document,
    Duration,
    ExtraFields,
    Flag,
    LabDateTime,
    TagList,
    Text,
    WebAddress,
    Whole,
    choice,
)

#: What every record has and a query may name, though it is not shown.
TIMES: dict[str, fields.Field] = {"created_date": LabDateTime(), "updated_date": LabDateTime()}


class RecordSchema(Schema):
    """A kind of record on the wire, its keys in the order of the fields.

    A field that the schema does not have is an error, so that a typing error loses nothing; one that
    can't be written is taken and ignored, so that what was read can be sent back (contract §4).

    `metadata` of a field: `label`, `help`; `form_only` (written by the web form, not by the API);
    `private` (never shown in the public portal); `right` (what changing it takes, where that differs
    from the rest of the record: a `Right`); `counted` (it counts up in the next record like this one);
    `copied` (False: it stays behind there, unless somebody wants it).
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

    def judge(
        self, payload: Any, *, partial: bool
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """What is good of a payload; what is wrong with the rest, by field; and what is good of that: lists
        with None at the places of what is wrong, names with what is said of them. A database can be asked
        for all of it."""
        unread = {name: each for name, each in payload.items() if isinstance(each, Unreadable)}
        payload = payload | {name: each.rest for name, each in unread.items()}
        payload = {name: each for name, each in payload.items() if each is not missing}
        errors: dict[str, Any] = {}
        try:
            data = self.load(payload, partial=partial)
        except ValidationError as error:
            data, errors = error.valid_data, error.normalized_messages()
        nowhere = unstorable(payload) or {}
        errors = merged({name: plain(each) for name, each in errors.items()}, nowhere)
        for name, each in unread.items():
            # What stands in the place of what was typed is judged at its other positions alone.
            both = isinstance(each.messages, dict) and isinstance(errors.get(name), dict)
            errors[name] = merged(errors[name], each.messages) if both else each.messages
        good = {name: value for name, value in data.items() if name not in errors}
        partly = {n: value for n, value in data.items() if n in errors and n not in nowhere}
        return good, errors, partly

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """References come from what the actor may see (`operations.View.refs`), the rest from the record."""
        return obj.refs[attr] if attr in obj.refs else getattr(obj.record, attr, default)

    @classmethod
    def references(cls) -> Iterator[tuple[str, Ref | RefList]]:
        """The fields that name other records, with their names."""
        for name, field in cls._declared_fields.items():
            if isinstance(field, Ref | RefList):
                yield name, field


__all__ = [
    "REQUIRED",
    "TIMES",
    "Day",
    "Document",
    "Duration",
    "ExtraFields",
    "Flag",
    "LabDateTime",
    "Links",
    "People",
    "RecordSchema",
    "Ref",
    "RefList",
    "Row",
    "RowList",
    "TagList",
    "Text",
    "Unreadable",
    "WebAddress",
    "Whole",
    "choice",
    "default_of",
    "label_of",
    "merged",
    "plain",
    "texts_in",
    "unstorable",
]
