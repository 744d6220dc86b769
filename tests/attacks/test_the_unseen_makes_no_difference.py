"""What Eve is answered does not depend on what she may not read: not its order, its number, its words.

She asks everything twice. In between, Ada changes all that is secret: renames it, so that it sorts
otherwise, fills fields and empties others, adds records and deletes some. Every answer must be the same.
Of some 3,000 questions 200 are asked, always the same; `ATTACK_CASES=5000` asks all of them, in minutes.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from marshmallow import fields

from brainstem.core import listing
from brainstem.core.conditions import PLAIN
from brainstem.core.permissions import Actor
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import TIMES, ExtraFields, Ref, RefList, TagList
from tests.attacks.addresses import requests
from tests.attacks.world import SECRET, Lab
from tests.kinds import KINDS, LEAST, filled

CASES = int(os.environ.get("ATTACK_CASES", "200"))
#: How far paths of relations are followed; further ones are tried in `tests/core/test_world.py`.
STEPS = 2
#: A value of each type that is compared, in the middle of those that there are.
MIDDLE = {fields.Boolean: "true", fields.Integer: "0"}


@pytest.fixture
def lab(app, person):
    return Lab(app, person)


def queries(resource: Resource, lab: Lab) -> Iterator[str]:
    """Every sort key, every include, and every path of filters with values that tell secrets apart."""
    declared = resource.schema._declared_fields | TIMES
    for name, field in declared.items():
        if isinstance(field, (*PLAIN, Ref)):
            yield f"sort[]={name}"
            yield f"sort[]=-{name}"
        if isinstance(field, Ref | RefList):
            yield f"include[]={name}"
            for further, _ in registry.get(field.kind).schema.references():
                yield f"include[]={name}.{further}"
    for path, field in paths(resource, STEPS):
        for operator, value in values(field, lab):
            yield f"filter{{{path}{operator}}}={quote(value)}"


def paths(resource: Resource, steps: int, start: str = "") -> Iterator[tuple[str, object]]:
    for name, field in (resource.schema._declared_fields | TIMES).items():
        yield start + name, field
        if isinstance(field, Ref | RefList) and steps > 1:
            yield from paths(registry.get(field.kind), steps - 1, f"{start}{name}.")


def values(field: object, lab: Lab) -> Iterator[tuple[str, str]]:
    if isinstance(field, Ref | RefList):
        yield "", lab.secret.get(field.kind, str(lab.ada.id))
        yield ".isnull", "true"
    elif isinstance(field, TagList):
        yield ".istartswith", SECRET
    elif isinstance(field, ExtraFields):
        yield f".{SECRET}key.isnull", "false"
    elif isinstance(field, fields.UUID):
        return
    elif isinstance(field, fields.String):
        yield ".icontains", SECRET
        yield ".gt", SECRET[:1]
    elif isinstance(field, PLAIN):
        kind = next((each for each in MIDDLE if isinstance(field, each)), None)
        yield ".isnull", "false"
        yield (
            ("", MIDDLE[kind]) if kind else (".lt", "2023-06-01" if "date" in str(field) else "60")
        )


def words(lab: Lab, resource: Resource) -> Iterator[str]:
    """The same of the list pages: their filters, orders, panels of choices and columns."""
    actor = Actor(lab.eve.id, way="page")
    for name in listing.possible_columns(actor, resource):
        yield f"columns={name}"
        if listing.sortable(resource, name):
            yield f"sort={name}"
            yield f"sort=-{name}&limit=1"
    for name, field in listing.filterable(resource).items():
        yield f"show={name}&find={SECRET}"
        if isinstance(field, Ref | RefList):
            yield f"{name}={lab.secret.get(field.kind, lab.ada.id)}&show={name}"
        else:
            yield f"{name}={SECRET}&show={name}"
    for name in resource.wanted:
        yield f"missing={name}&calendar=latest"
    yield f"changed_by={lab.ada.id}&show=changed_by"
    yield f"show=more&find={SECRET}"
    yield f"q={SECRET}"
    yield "calendar=2023"


def addresses(lab: Lab) -> Iterator[str]:
    for kind in registry:
        for portal in ("private", "public"):
            if portal in kind.portals:
                for query in queries(kind, lab):
                    yield f"/api/{portal}/{kind.app}/{kind.name}/?{query}"
                for form in ("csv", "jsonl"):
                    yield f"/api/{portal}/{kind.app}/{kind.name}/?format={form}"
        if kind.page:
            for query in words(lab, kind):
                yield f"{kind.page}/?{query}"
    for where in ("/search", "/public/search"):
        yield f"{where}?q={SECRET}"
        yield f"{where}?q={SECRET[:4]}&suggest=1"
    for request in requests(lab.app, lab, lab.mine | lab.shared):
        if request.method == "GET" and not request.endpoint.startswith(("api.", "reference.")):
            yield request.address


def answers(lab: Lab, client: object, asked: list[str]) -> dict[str, tuple[int, str]]:
    found = {}
    for address in asked:
        answer = client.get(address)
        found[address] = answer.status_code, same(answer.get_data(as_text=True))
        answer.close()
    return found


def same(text: str) -> str:
    """An answer without what differs each time: tokens, seals, and its own time."""
    text = re.sub(r'name="(csrf_token|_opened|version)"[^>]*>', "", text)
    text = re.sub(r'"csrf_token":"[^"]+"', "", text)
    text = re.sub(r'(content|data-token)="[\w.-]{40,}"', "", text)
    return re.sub(r"\d\d:\d\d(:\d\d)?", "", text)


def change_all(lab: Lab) -> None:
    """Ada changes every secret record, adds others like it, and deletes what nothing needs."""
    ada, secret = lab.ada, lab.secret
    for kind, least in LEAST.items():
        address, payload = KINDS[kind].address, filled(least, secret)
        if kind == "sessiondatastorage":
            continue
        answer = ada("PATCH", f"{address}/{secret[kind]}", _other(registry.get(kind)))
        assert answer.status_code == 200, answer.json
        for number in range(2):
            more = {"name": f"{SECRET} {number}"} if "name" in payload else {}
            ada.made(address, payload | more)
    for kind in ("collection", "cohort", "subjectlog"):
        assert ada("DELETE", f"{KINDS[kind].address}/{secret[kind]}").status_code == 204


#: What was filled in is empty, and the other way round.
OTHER = {
    "description": "",
    "notes": "",
    "extra_fields": {"other": 1},
    "date_time": None,
    "tags": [],
}


def _other(resource: Resource) -> dict[str, object]:
    declared = resource.schema._declared_fields
    found = {name: value for name, value in OTHER.items() if name in declared}
    for name in ("name", "type"):
        if name in declared and not declared[name].validate:
            found[name] = f"AA {SECRET}"
    return found


def test_every_answer_stays_the_same(app, lab):
    client = lab.eve.browser().client
    asked = list(dict.fromkeys(addresses(lab)))
    asked = random.Random(6).sample(asked, min(CASES, len(asked)))
    before = answers(lab, client, asked)
    good = [each for each, (status, _) in before.items() if status == 200]
    assert len(good) > 0.8 * len(asked), [a for a in asked if before[a][0] != 200][:20]
    change_all(lab)
    after = answers(lab, client, asked)
    differing = [each for each in asked if before[each] != after[each]]
    assert not differing, (differing, before[differing[0]], after[differing[0]])
