"""A kind in words, for the reference: its addresses, fields, rules, and what its lists can be asked.

All of it is read off the registry, the schema and the model.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import UniqueConstraint

from brainstem.core import openapi
from brainstem.core.openapi import queries
from brainstem.core.openapi.fields import Plugin, Sent, kind_of, note_of
from brainstem.core.permissions import Right
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import People, Ref, RefList, RowList, default_of, label_of


def described(resource: Resource) -> dict[str, Any]:
    """A kind in words: its addresses, fields, rules, and what its lists can be asked."""
    declared = resource.schema._declared_fields
    return {
        "app": resource.app,
        "name": resource.name,
        "label": resource.label,
        "labels": resource.labels,
        "about": openapi.about(resource),
        "keys": [resource.key, resource.keys],
        "addresses": _methods(resource),
        "fields": _fields(resource),
        "rules": _rules(resource),
        "sort": queries.sort_keys(resource),
        "filters": [
            {"field": name, "operators": operators}
            for name, field in declared.items()
            if (operators := queries.operators_of(field))
        ],
        "include": [name for name, _ in resource.schema.references()],
        "usual_order": list(resource.sort),
    }


def _methods(resource: Resource) -> list[dict[str, Any]]:
    """The addresses of a kind in the private portal, with what each takes."""
    address = f"/api/private/{resource.app}/{resource.name}/"
    methods = {address: ["GET"], f"{address}{{id}}/": ["GET"]}
    if not resource.read_only:
        methods[address].append("POST")
        methods[f"{address}{{id}}/"] += ["PATCH", "PUT", "DELETE"]
    for name, _ in resource.schema.references():
        methods[f"{address}{{id}}/{name}/"] = ["GET"]
    return [{"address": each, "methods": found} for each, found in methods.items()]


def _fields(resource: Resource) -> list[dict[str, Any]]:
    alone, _ = _unique(resource)
    schema = resource.schema(way="api")
    found = _described_fields(schema.fields)
    for each in found:
        if each["name"] in alone:
            each["limits"].append("unique")
    return found


def _described_fields(fields: dict[str, Any]) -> list[dict[str, Any]]:
    plugin = Plugin()
    spec = openapi.new_spec(plugin)
    converter = Sent(openapi.VERSION, plugin.schema_name_resolver, spec)
    return [_field(converter, name, field) for name, field in fields.items()]


def _field(converter: Sent, name: str, field: Any) -> dict[str, Any]:
    """A field in words; the limits are read off the JSON Schema of what may be sent."""
    shape = converter.field2property(field)
    default = default_of(field)
    target = registry.get(field.kind) if isinstance(field, Ref | RefList | People) else None
    limits = []
    if most := shape.get("maxLength"):
        limits.append(f"at most {most} characters")
    if shape.get("minItems"):
        limits.append("at least one")
    if shape.get("uniqueItems"):
        limits.append("none twice")
    if "minimum" in shape:
        limits.append(f"from {shape['minimum']}")
    if field.metadata.get("right") is Right.MANAGE:
        limits.append("managers may change it; not on creation")
    if field.metadata.get("private"):
        limits.append("not in the public portal")
    return {
        "name": name,
        "label": label_of(name, field),
        "type": kind_of(field).words,
        "of": target and [target.app, target.name, target.labels],
        "required": field.required,
        "read_only": field.dump_only,
        "null": field.allow_none,
        "default": None if field.dump_only or field.required else default,
        "limits": [] if field.dump_only else limits,
        "choices": shape.get("enum", []),
        "help": field.metadata.get("help", ""),
        "note": note_of(field, not field.dump_only),
        "rows": _described_fields(field.inner.schema.fields) if isinstance(field, RowList) else [],
    }


def _unique(resource: Resource) -> tuple[list[str], list[list[str]]]:
    """The fields whose values are unique alone, and those that are so together."""
    rules = [
        [column.name.removesuffix("_id") for column in rule.columns]
        for rule in resource.model.__table__.constraints
        if isinstance(rule, UniqueConstraint)
    ]
    return [names[0] for names in rules if len(names) == 1], [n for n in rules if len(n) > 1]


def _rules(resource: Resource) -> list[str]:
    """Who may do what, and what holds for several fields, in sentences (contract §8)."""
    labels = resource.labels
    rules = [*_rights(resource)]
    for names in _unique(resource)[1]:
        rules.append(f"No two {labels.lower()} have the same {' and '.join(names)}.")
    users = [_of_relation(resource, name).labels.lower() for name in resource.kept_by]
    if users:
        rules.append(f"Can't be deleted while there are {' or '.join(users)} that use it.")
    if not resource.read_only:
        rules.append(f"When one is deleted: {resource.deletion[0].lower()}{resource.deletion[1:]}")
    if "public" in resource.portals:
        rules.append("In the public portal, too: read-only, and only what is public.")
    else:
        rules.append("Not in the public portal.")
    return rules


def _rights(resource: Resource) -> list[str]:
    if resource.read_only:
        return ["Everyone who signs in may read them; the API doesn't change them."]
    if resource.roles is not None:
        return [
            "Whoever creates one owns it. Members read it, contributors use it and what is in it, "
            "managers also say who is a member or a contributor, owners also change it."
        ]
    parents = [_of_relation(resource, name) for name in resource.parents]
    several = any(getattr(resource.model, n).property.uselist for n in resource.parents)
    names = " and ".join((each.labels if several else each.label).lower() for each in parents)
    which = ("any of its", "every one of its") if several else ("its", "its")
    rules = [
        f"To read one takes the right to read {which[0]} {names}; to create, change or delete one, "
        f"a contributor's right to {which[1]} {names}."
    ]
    for name in resource.seen_with:
        rules.append(f"And one must be able to read its {_of_relation(resource, name).words}.")
    return rules


def _of_relation(resource: Resource, name: str) -> Resource:
    return registry.of(getattr(resource.model, name).entity.class_)
