"""Lists of small objects, each judged by a schema of its own."""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validates_schema

from brainstem.core.schemas.messages import unstorable


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
