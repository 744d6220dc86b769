"""The kinds of record: one file a family, each with its models, schemas and registrations."""

from flask import Flask

from brainstem.records import (
    attributes,
    audit,
    audit_reading,
    collections,
    devices,
    epochs,
    groups,
    limits,
    modules,
    procedures,
    projects,
    saved_views,
    sessions,
    sign_ins,
    storage_checks,
    subjects,
    tags,
    tokens,
    users,
)

__all__ = [
    "attributes",
    "audit",
    "audit_reading",
    "collections",
    "devices",
    "epochs",
    "groups",
    "limits",
    "modules",
    "procedures",
    "projects",
    "saved_views",
    "sessions",
    "sign_ins",
    "storage_checks",
    "subjects",
    "tags",
    "tokens",
    "users",
]


def init_app(app: Flask) -> None:
    """The kinds register themselves when they are imported; all that is left is to map them."""
    from sqlalchemy.orm import configure_mappers

    configure_mappers()
