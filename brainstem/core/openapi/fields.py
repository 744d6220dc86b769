"""The field types of the schemas as JSON Schema: what may be sent, and what comes back.

The two differ: a time is read in many spellings and written in one, an id may come back as the record
itself where a query includes it. A field type that nothing is said about here is an error, so that
none is left out of the document or described as what it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin, OpenAPIConverter
from marshmallow import Schema, fields

from brainstem.core import times
from brainstem.core.resource import registry
from brainstem.core.schemas import (
    Day,
    Document,
    Duration,
    ExtraFields,
    Flag,
    LabDateTime,
    Links,
    People,
    RecordSchema,
    Ref,
    RefList,
    RowList,
    TagList,
    Text,
    WebAddress,
    Whole,
    label_of,
)

Shape = dict[str, Any]
ID = {"type": "string", "format": "uuid"}
NULL = {"type": "null"}
TO_LOOK_UP = "00000000-0000-0000-0000-000000000000"


class Shown(OpenAPIConverter):
    """What comes back; apispec's converter with the shapes of our field types."""

    sent = False

    def init_attribute_functions(self) -> None:
        """In place of apispec's own guesses about types, which would be wrong for each of ours."""
        super().init_attribute_functions()
        self.attribute_functions = [self.shape, self.field2choices, self.words]

    def shape(self, field: fields.Field, **_: Any) -> Shape:
        """The field's type, and its limits."""
        kind = kind_of(field)
        return (kind.sent if self.sent else kind.shown)(self, field)

    def words(self, field: fields.Field, **_: Any) -> Shape:
        """What people call it, and what they should know."""
        found = {"title": label_of(field.name, field)}
        text = " ".join(filter(None, (field.metadata.get("help"), note_of(field, self.sent))))
        return found | ({"description": text} if text else {})

    def rows(self, schema: Schema) -> Shape:
        """A reference to the description of a small object, made where it is new."""
        name = type(schema).__name__ + ("Input" if self.sent else "")
        if name not in self.spec.components.schemas:
            described = self.schema2jsonschema(schema)
            if not self.sent:
                described["required"] = list(described["properties"])
            self.spec.components.schema(name, described)
        return {"$ref": f"#/components/schemas/{name}"}


class Sent(Shown):
    """What may be sent."""

    sent = True


class Plugin(MarshmallowPlugin):
    """apispec's plugin, with our converter."""

    Converter = Shown


@dataclass(frozen=True)
class Kind:
    """A field type: in a word for people, and as JSON Schema both ways; `example` is one to send."""

    words: str
    sent: Callable[[Shown, Any], Shape]
    shown: Callable[[Shown, Any], Shape]
    example: Any = None
    note: str = ""


def kind_of(field: fields.Field) -> Kind:
    """What is known of a field's type, or of the type that it refines."""
    for each in type(field).__mro__:
        if each in KINDS:
            return KINDS[each]
    raise TypeError(f"{type(field).__name__} is not described in brainstem/core/openapi/fields.py.")


def note_of(field: fields.Field, sent: bool) -> str:
    """What its type says of a field that is sent."""
    return kind_of(field).note if sent else ""


def name_of(kind: str, portal: str) -> str:
    """What the document calls a kind of record, as it is shown in a portal."""
    return ("Public" if portal == "public" else "") + registry.get(kind).model.__name__


def _either(*shapes: Shape) -> Shape:
    return {"anyOf": list(shapes)}


def _or_null(field: fields.Field, shape: Shape) -> Shape:
    return {**shape, "type": [shape["type"], "null"]} if field.allow_none else shape


def _always(shape: Shape) -> Callable[[Shown, Any], Shape]:
    return lambda _, field: _or_null(field, dict(shape))


def _text(_: Shown, field: fields.String) -> Shape:
    most = getattr(field, "most", None)
    shape: Shape = {"type": "string"}
    if field.required and not field.validate:
        # Not `minLength`: blanks alone are nothing.
        shape["pattern"] = r"\S"
    return shape | ({"maxLength": most} if most else {})


def _shown_text(_: Shown, field: fields.String) -> Shape:
    most = getattr(field, "most", None)
    return {"type": "string"} | ({"maxLength": most} if most else {})


def _web_address(_: Shown, field: WebAddress) -> Shape:
    schemes = "([Hh][Tt][Tt][Pp][Ss]?|[Ff][Tt][Pp])"
    return {"type": "string", "pattern": f"^{schemes}://[^/\\s]+"}


def _sent_ref(_: Shown, field: Ref) -> Shape:
    return _either(ID, NULL) if field.allow_none else dict(ID)


def _record_or_id(field: Ref | RefList) -> list[Shape]:
    portal = getattr(field.root, "portal", "private")
    target = registry.get(field.kind)
    if target is None or portal not in target.portals | {"super"}:
        return [ID]
    return [ID, {"$ref": f"#/components/schemas/{name_of(field.kind, portal)}"}]


def _shown_ref(_: Shown, field: Ref) -> Shape:
    # Null also where it names what the reader may not see.
    return _either(*_record_or_id(field), NULL)


def _sent_refs(_: Shown, field: RefList) -> Shape:
    shape = {"type": "array", "items": ID, "uniqueItems": True}
    return shape | ({"minItems": 1} if field.required else {})


def _shown_refs(_: Shown, field: RefList) -> Shape:
    return {"type": "array", "items": _either(*_record_or_id(field))}


def _tags(_: Shown, field: TagList) -> Shape:
    tag = {"type": "string", "minLength": 1, "maxLength": field.MOST}
    return {"type": "array", "items": tag}


def _extra_fields(_: Shown, field: ExtraFields) -> Shape:
    return {
        "type": "object",
        "propertyNames": {"pattern": f"^{field.KEY}$"},
        "additionalProperties": {"type": ["string", "number"]},
    }


def _document(_: Shown, field: Document) -> Shape:
    one = {"type": "object"}
    return _either({"type": "array", "items": one}, one) if field.many else one


def _duration(_: Shown, field: Duration) -> Shape:
    most = field.MOST.total_seconds()
    return _either({"type": "number", "minimum": 0, "maximum": most}, {"type": "string"}, NULL)


def _rows(converter: Shown, field: RowList) -> Shape:
    return {"type": "array", "items": converter.rows(field.inner.schema)}


def _people(rights: Callable[[People], Shape]) -> Callable[[Shown, Any], Shape]:
    def shape(_: Shown, field: People) -> Shape:
        names = {"type": "object", "additionalProperties": False} | rights(field)
        return {"type": "object", "additionalProperties": names}

    return shape


def _rights(field: People) -> dict[str, Shape]:
    return {name: {"type": "boolean"} for name, _ in field.rights}


def _links(_: Shown, field: Links) -> Shape:
    return {
        "type": "object",
        "properties": {name: {"const": f"{name}/"} for name in field.relations},
        "required": list(field.relations),
        "additionalProperties": False,
    }


def _shown_time(_: Shown, field: LabDateTime) -> Shape:
    return _or_null(field, {"type": "string", "format": "date-time"})


KINDS: dict[type, Kind] = {
    Text: Kind("text", _text, _shown_text),
    WebAddress: Kind("web address", _web_address, _web_address, "https://example.org/data"),
    fields.String: Kind("text", _text, _shown_text),
    fields.UUID: Kind("id", _always(ID), _always(ID), TO_LOOK_UP),
    Flag: Kind("true or false", _always({"type": "boolean"}), _always({"type": "boolean"}), False),
    Whole: Kind(
        "whole number",
        _always({"type": "integer", "minimum": 0}),
        _always({"type": "integer", "minimum": 0}),
        0,
    ),
    LabDateTime: Kind(
        "date and time",
        _always({"type": "string", "pattern": f"^\\s*{times.ISO.pattern}\\s*$"}),
        _shown_time,
        "2023-03-22T15:30:00Z",
        "ISO 8601, with an offset; without one it is in the lab's time zone, and a bare date is "
        "midnight there. It comes back in UTC.",
    ),
    Day: Kind(
        "date",
        _always({"type": "string", "format": "date"}),
        _always({"type": "string", "format": "date"}),
        "2023-03-22",
    ),
    Duration: Kind(
        "duration",
        _duration,
        _always({"type": "string", "pattern": r"^\d{2,}:[0-5]\d:[0-5]\d(\.\d{6})?$"}),
        "00:05:00",
        "It comes back as 00:05:00.",
    ),
    Document: Kind("JSON object", _document, _document, {}),
    Ref: Kind("id", _sent_ref, _shown_ref, TO_LOOK_UP),
    RefList: Kind("list of ids", _sent_refs, _shown_refs, [TO_LOOK_UP]),
    TagList: Kind("list of texts", _tags, _tags, ["pilot"], "Repeated ones are merged."),
    ExtraFields: Kind(
        "object of texts and numbers",
        _extra_fields,
        _extra_fields,
        {"room": "B115"},
        "Keys begin with a letter and have only letters (A to Z), digits and underscores.",
    ),
    RowList: Kind("list of objects", _rows, _rows, []),
    People: Kind(
        "object of people's rights",
        _people(lambda f: {"properties": _rights(f) | {"remove": {"type": "boolean"}}}),
        _people(lambda f: {"properties": _rights(f), "required": list(_rights(f))}),
        {},
        'Those named are added or set, {"remove": true} removes one, all others stay.',
    ),
    Links: Kind("object of addresses", _links, _links, {}),
}


def record_shown(converter: Shown, schema: RecordSchema) -> Shape:
    """A record as it comes back: each key is there."""
    shape = converter.schema2jsonschema(schema)
    return shape | {"required": list(shape["properties"])}


def record_sent(
    converter: Sent, schema: RecordSchema, *, partial: bool = False, people: bool = True
) -> Shape:
    """A record as it may be sent: to replace one, to change some fields (`partial`), or as a new one,
    which takes no `people` yet. What is read-only is taken and ignored (contract §4)."""
    properties: dict[str, Shape] = {}
    required: list[str] = []
    for name, field in schema.fields.items():
        if field.dump_only:
            properties[name] = {"readOnly": True, "description": "Taken and ignored."}
        elif people or not isinstance(field, People):
            properties[name] = converter.field2property(field)
            if field.required and not partial:
                required.append(name)
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return shape | ({"required": required} if required else {})
