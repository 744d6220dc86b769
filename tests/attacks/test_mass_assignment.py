"""Fields that are not the sender's to set: in a payload, and as hidden inputs added to a form.

What may be set stands in the schemas; here every kind gets all that anybody might try.
"""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import select

from brainstem.core.resource import registry
from brainstem.extensions import db
from brainstem.records.tokens import Token
from brainstem.records.users import User
from tests.kinds import KINDS, LEAST, OPTIONAL, filled, ids_of, one_of_each
from tests.people import PASSWORD

OTHER_ID = str(uuid.UUID(int=7))
LONG_AGO = "2001-01-01T00:00:00Z"

#: What models have, or what their makers might have forgotten to leave out.
TRIED = {
    "id": OTHER_ID,
    "version": 99,
    "created_date": LONG_AGO,
    "updated_date": LONG_AGO,
    "is_admin": True,
    "is_active": False,
    "is_superuser": True,
    "owner": OTHER_ID,
    "owner_id": OTHER_ID,
    "user_id": OTHER_ID,
    "created_by": OTHER_ID,
    "project_id": OTHER_ID,
    "session_id": OTHER_ID,
    "password": "hunter2hunter2",
    "password_hash": "x",
    "hash": "x",
    "role": 4,
    "roles": {"x": 4},
    "metadata": {},
    "query": "x",
    "__class__": "x",
    "__init__": {"x": 1},
    "_sa_instance_state": 1,
    "registry": 1,
}


@pytest.fixture
def world(ada, ben):
    return one_of_each(ada)


def read_only(kind):
    return [n for n, f in registry.get(kind).schema(way="api").fields.items() if f.dump_only]


def test_unknown_fields_are_refused_and_read_only_ones_ignored_everywhere(ada, world, subtests):
    ids = ids_of(world)
    for kind, least in LEAST.items():
        address = f"{KINDS[kind].address}/{ids[kind]}"
        payload = filled(least, ids)
        if kind == "session":
            # Left out of a replacement, it would be emptied.
            payload["datastorage"] = [ids["datastorage"]]
        fixed = set(read_only(kind))
        with subtests.test(kind):
            before = ada.get(address)
            assert "id" in fixed
            for name, value in TRIED.items():
                if name in KINDS[kind].fields and name not in fixed:
                    continue
                for method in ("PATCH", "PUT"):
                    sent = {name: value} if method == "PATCH" else payload | {name: value}
                    answer = ada(method, address, sent)
                    if name in fixed:
                        assert answer.status_code == 200, (method, name, answer.json)
                    else:
                        assert answer.json == {name: ["Unknown field."]}, (method, name)
            assert ada.get(address) == before
            ignored = ada("PATCH", address, dict.fromkeys(fixed, "x"))
            assert (ignored.status_code, ada.get(address)) == (200, before)


def test_nobody_chooses_the_id_or_the_owner_of_what_she_makes(ada, ben, subtests):
    made = {}
    for kind, least in LEAST.items():
        with subtests.test(kind):
            payload = filled(least, ids_of(made))
            fixed = dict.fromkeys(read_only(kind), str(ben.id)) | {"id": OTHER_ID}
            made[kind] = ada.made(KINDS[kind].address, payload | fixed)
            assert made[kind]["id"] != OTHER_ID
            roles = registry.get(kind).schema._declared_fields.get("users")
            if roles:
                more = payload | {"name": "Second", "users": {ben.email: {"is_owner": True}}}
                answer = ada("POST", f"{KINDS[kind].address}/", more)
                assert (answer.status_code, list(answer.json)) == (400, ["users"])
    assert made["subjectlog"]["user"] == str(ada.id)


#: Fields of a record that are none of a payload's on other ways: kind, payload, what stays.
PARENTS = [
    ("epoch", "session"), ("behavior", "session"), ("procedure", "subject"), ("cohort", "project"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parent"), PARENTS)
def test_nothing_is_moved_out_of_or_into_what_is_somebody_else_s(ada, ben, world, kind, parent):
    theirs = one_of_each(ben, " of Ben's")
    address = KINDS[kind].address
    into = ada("PATCH", f"{address}/{world[kind]['id']}", {parent: theirs[parent]["id"]})
    away = ada("PATCH", f"{address}/{theirs[kind]['id']}", {parent: world[parent]["id"]})
    # Of some the parent never changes: that is said of one's own before anything else.
    assert into.status_code in (400, 403) and away.status_code == 403


def test_hidden_inputs_added_to_forms_change_nothing(ada, world, subtests):
    pages = ada.browser()
    for kind in registry:
        if not kind.page or kind.name not in world:
            continue
        with subtests.test(kind.name):
            address = f"{kind.page}/{world[kind.name]['id']}/edit"
            answer = ada.get(f"{kind.app}/{kind.name}/{world[kind.name]['id']}")
            form = pages.form(address, f"Save {kind.words}")
            form.set(
                **{name: str(value) for name, value in TRIED.items() if name not in form.fields}
            )
            form.set(**{name: "x" for name in read_only(kind.name) if name not in form.fields})
            sent = pages.press(form, f"Save {kind.words}")
            assert sent.status_code in (302, 400)
            assert ada.get(f"{kind.app}/{kind.name}/{world[kind.name]['id']}") == answer


def test_nobody_makes_herself_an_administrator(app, ada, ben):
    pages = ada.browser()
    tried = {"is_admin": "true", "admin": "y", "user_id": ben.id, "id": ben.id}
    pages.submit("/account/tokens/", {"name": "Mine", "hash": "x", **tried})
    new = {"current": PASSWORD, "password": "quite another sentence", **tried}
    pages.submit("/account/password/", new)
    for address in (f"/people/{ada.id}/standing", "/people/new"):
        form = {"email": "new@lab.org", "password": "quite another sentence", **tried}
        assert pages.submit(address, form, page="/account/tokens/").status_code == 403
    for address in (f"users/user/{ada.id}", "users/user/"):
        for method in ("POST", "PATCH", "PUT", "DELETE"):
            assert ada(method, address, {"is_admin": True}).status_code == 405
    with app.app_context():
        assert not db.session.scalars(select(User.is_admin).where(User.is_admin)).all()
        token = db.session.scalar(select(Token).where(Token.name == "Mine"))
        assert (token.user_id, token.hash == "x") == (ada.id, False)


def test_every_field_that_can_be_written_is_in_the_contract():
    """A field that somebody adds is open to whoever may change the record: that is decided first."""
    for kind, entry in KINDS.items():
        schema = registry.get(kind).schema(way="api")
        written = {name for name, field in schema.fields.items() if not field.dump_only}
        roles = {"users", "groups"} & set(entry.fields)
        fixed = {"id", "order", "entries"}
        assert written - {*LEAST.get(kind, {}), *OPTIONAL.get(kind, {})} - roles - fixed == set(), (
            kind
        )
