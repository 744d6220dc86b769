"""Every page that there is, from the program's own table of addresses: a new one is among them by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from brainstem.core.history import Change
from brainstem.core.resource import registry
from brainstem.extensions import db
from tests.kinds import KINDS, OPTIONAL, filled, ids_of, one_of_each
from tests.people import Person

#: Answers that are no pages.
NO_PAGES = {"static", "bootstrap.static", "plain_static", "favicon", "sign_in_again.standing"}
NO_PAGES |= {"health.alive", "health.ready"}

#: Kinds whose pages differ; of the others it is enough to see what their fields draw.
SHAPES = {"sessions", "projects", "subjects", "datastorage", "groups"}
OF_FIELDS = {"pages.detail", "forms.edit"}

#: Pages for whoever has not signed in.
DOORS = ("/login", "/login?next=/sessions/", "/public/")


def fill(ada: Person) -> dict[str, Any]:
    """A record of every kind with every field filled in, and what the addresses name besides."""
    made = one_of_each(ada)
    for kind, record in made.items():
        more = {name: value for name, (_, value) in OPTIONAL[kind].items()}
        if more:
            address = f"{KINDS[kind].address}/{record['id']}/"
            answer = ada("PATCH", address, filled(more, ids_of(made)))
            assert answer.status_code == 200, answer.json
    with ada.app.app_context():
        change_id = db.session.scalar(select(Change.id).order_by(Change.at.desc()).limit(1))
    table = FileStorage(BytesIO(b"session__name,room\nNight,B115\n,B116\n"), "sessions.csv")
    pages = ada.browser()
    form = {"csrf_token": pages.token("/import/"), "kind": "sessions", "file": table}
    run = pages.client.post("/import/", data=form)
    return {
        "records": ids_of(made),
        "user_id": ada.id,
        "change_id": change_id,
        "run_id": re.search(r"[0-9a-f-]{36}", run.location)[0],
    }


def pages_of(app: Flask, world: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    """Part of the program and address of each page; `None` stands for a database without records."""
    records = (world or {}).get("records", {})
    by_page = {kind.page.strip("/"): records.get(kind.name) for kind in registry if kind.page}
    for rule in app.url_map.iter_rules():
        # Those of the API take every method, and say so by None.
        asked = rule.methods is None or "GET" in rule.methods
        if not asked or rule.endpoint in NO_PAGES or is_file(rule.rule):
            continue
        kinds = list(getattr(rule._converters.get("kind"), "items", [None]))
        choices = {
            name: sorted(converter.items)
            for name, converter in rule._converters.items()
            if name != "kind" and hasattr(converter, "items")
        }
        if kinds != [None] and rule.endpoint not in OF_FIELDS:
            kinds = [kind for kind in kinds if kind in SHAPES]
        for kind, *chosen in product(kinds, *choices.values()):
            values = {"kind": kind, "record_id": by_page.get(kind)} | (world or {})
            values |= dict(zip(choices, chosen, strict=True))
            missing = rule.arguments - values.keys()
            if world is None and (missing or rule.endpoint == "forms.new"):
                continue
            assert not missing, f"{rule.rule} needs an example of {missing}: see `fill`"
            if all(values[name] for name in rule.arguments):
                address = rule.build({name: values[name] for name in rule.arguments})
                yield rule.endpoint.split(".")[0], address[1]
    yield "reference", "/api/"
    for kind in ("session", "user"):
        yield "reference", f"/api/reference/{KINDS[kind].address}/"
    if world:
        session = records["session"]
        yield "api", "/api/private/stem/session/"
        yield "api", f"/api/private/stem/session/{session}/"


def is_file(rule: str) -> bool:
    """An address for programs, or of a file to download."""
    return rule.startswith("/api") or "." in rule


def is_page(client: FlaskClient, address: str) -> bool:
    """Whether there is a page at an address, and no file to download or way to somewhere else."""
    with client.get(address, headers={"Accept": "text/html"}) as answer:
        assert answer.status_code < 500, address
        return answer.status_code in (200, 400) and answer.mimetype == "text/html"
