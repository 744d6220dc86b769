"""List and detail pages, for every kind of record that has pages."""

from __future__ import annotations

import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, render_template, url_for
from flask_login import current_user, login_required

from brainstem.core import finding, people, references
from brainstem.core.permissions import PUBLIC, Actor, Right, may, right_to_change
from brainstem.core.resource import Resource, registry
from brainstem.core.times import utc_text
from brainstem.records.users import as_administrator
from brainstem.views import additions, navigation, parts, show
from brainstem.views.lists import list_page

bp = Blueprint("pages", __name__)


def address_of(kinds: list[Resource]) -> str:
    """The part of an address that is one of the kinds' own."""
    return f"<any({', '.join(kind.page.strip('/') for kind in kinds)}):kind>"


#: The first part of an address: one of the kinds that have pages.
KIND = address_of([kind for kind in registry if kind.page])


@bp.record_once
def add_to_templates(state: Any) -> None:
    """What every page shows: the navigation, and which browser libraries are installed."""
    app: Flask = state.app
    app.context_processor(lambda: {"nav": navigation.shown(), "vendor": vendor(app)})


def vendor(app: Flask) -> frozenset[str]:
    """The browser libraries that the install step has fetched: none where Node is missing."""
    folder = app.static_folder and (Path(app.static_folder) / "vendor")
    return _files(folder, folder.stat().st_mtime_ns) if folder and folder.is_dir() else frozenset()


@lru_cache(1)
def _files(folder: Path, changed: int) -> frozenset[str]:
    return frozenset(file.name for file in folder.iterdir())


def title_of(resource: Resource, view: finding.Seen | references.View) -> str:
    """What a record is called on its pages."""
    return resource.called(view.record)


def page_actor(resource: Resource | None = None) -> Actor:
    """The user who signed in; as an administrator, over the kinds that administrators look after."""
    actor = Actor(current_user.id, way="page")
    if resource is not None and resource.administered and current_user.is_admin:
        return as_administrator(actor)
    return actor


def kind_at(kind: str) -> Resource:
    """The kind whose pages are at this part of an address."""
    return next(resource for resource in registry if resource.page == f"/{kind}")


@bp.get(f"/{KIND}/")
@login_required
def index(kind: str) -> str:
    """The records of a kind that the user may read."""
    resource = kind_at(kind)
    return list_page(page_actor(resource), resource, new_url=show.at("forms.new", kind=kind))


@bp.get(f"/{KIND}/<uuid:record_id>")
@login_required
def detail(kind: str, record_id: uuid.UUID) -> str:
    """One record."""
    resource = kind_at(kind)
    return detail_page(page_actor(resource), resource, record_id)


def detail_page(actor: Actor, resource: Resource, record_id: uuid.UUID) -> str:
    """A record as the actor sees it, with what she may do about it."""
    view = finding.get(actor, resource, record_id)
    wire = view.wire
    apart = [kind.name for _, kind in parts.parts_of(resource)]
    opened = additions.Opened(
        actor,
        resource,
        view.record,
        wire,
        fields=show.facts(actor, resource, wire, apart),
        sections=parts.sections(actor, resource, record_id),
        deeds=_deeds(actor, resource, record_id),
    )
    page = {
        "resource": resource,
        "title": title_of(resource, view),
        "back": parts.home_of_record(actor, resource, wire)
        or {"text": resource.labels, "url": show.list_url(resource)},
        "fields": opened.fields,
        "sections": opened.sections,
        "new_ones": {} if actor == PUBLIC else parts.new_ones(actor, resource, record_id),
        "granted": [] if actor == PUBLIC else _granted(actor, resource, record_id),
        "created": show.moment(utc_text(view.record.created_date)),
        "updated": show.moment(utc_text(view.record.updated_date)),
    }
    return render_template(
        [f"{resource.page.strip('/')}/detail.html", "detail.html"],
        **page | opened.deeds | additions.of_page(opened),
    )


def _deeds(actor: Actor, resource: Resource, record_id: uuid.UUID) -> dict[str, str | None]:
    """The addresses of what the actor may do with a record."""
    if actor == PUBLIC:
        return {}
    address = {"kind": resource.page.strip("/"), "record_id": record_id}
    deeds: dict[str, str | None] = {}
    if may(actor, right_to_change(resource), resource, record_id):
        deeds["edit_url"] = url_for("forms.edit", **address)
        deeds["delete_url"] = url_for("forms.delete", **address)
    deeds["history_url"] = url_for("history.record", **address)
    if resource.roles is not None:
        deeds["people_url"] = url_for("people.of_record", **address)
        deeds["activity_url"] = url_for("history.of_root", **address)
    if published_apart(resource) and may(actor, Right.OWN, resource, record_id):
        deeds["publish_url"] = url_for("publish.ask", **address)
    return deeds


def published_apart(resource: Resource) -> bool:
    """Whether a kind is made public on a page of its own, and not by its form."""
    return "is_public" in resource.schema._declared_fields and "is_public" not in (
        resource.form or ("is_public",)
    )


def _granted(actor: Actor, resource: Resource, record_id: uuid.UUID) -> list[dict[str, Any]]:
    """What a record, such as a group, holds roles on."""
    return [
        {
            "label": kind.labels,
            "items": [
                {"text": name, "url": show.url_of(kind, found), "role": role.name.lower()}
                for found, name, role in held
            ],
        }
        for kind, held in people.granted(actor, resource, record_id)
    ]
