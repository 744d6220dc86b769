"""Who may do what (contract §8, §9): role × way × action × kind × portal, against the rule in words.

The kinds come from the registry: a new one without a place in `SOURCE` fails.
"""

from __future__ import annotations

import pytest

from brainstem.core.resource import registry
from tests.kinds import KINDS, LEAST, filled, ids_of, one_of_each

#: Where a record takes its rights from: the roles on it itself, on a record of another kind, or none.
SOURCE = {
    "project": "project",
    "subject": "project",
    "session": "project",
    "collection": "project",
    "cohort": "project",
    "epoch": "project",
    "behavior": "project",
    "dataacquisition": "project",
    "manipulation": "project",
    "procedure": "project",
    "subjectlog": "project",
    "sessiondatastorage": "project",
    "datastorage": "datastorage",
    "setup": "setup",
    "equipment": "setup",
    "behavioralassay": "behavioralassay",
    "group": "group",
    "user": None,
}
HOLDERS = [kind for kind, source in SOURCE.items() if kind == source]
NOT_PUBLIC = {"sessiondatastorage", "group", "user"}

NOBODY, MEMBER, CONTRIBUTOR, MANAGER, OWNER = range(5)
RIGHTS = {
    NOBODY: None,
    MEMBER: {},
    CONTRIBUTOR: {"can_change": True},
    MANAGER: {"is_manager": True},
    OWNER: {"is_owner": True},
}
NAMES = ["nobody", "member", "contributor", "manager", "owner"]


def rule(kind, action, role):
    """What the private portal answers; `role` is on the record that the rights come from.

    Read as a member. Create in, change and delete as a contributor; what holds roles itself is
    created by anybody, and changed and deleted by its owners. Users are read by all, and only read.
    """
    if kind == "user":
        return 200 if action in ("list", "detail") else 405
    if action in ("list", "detail", "relation"):
        return 200 if role >= MEMBER else 403
    holds = SOURCE[kind] == kind
    done = {"create": 201, "change": 200, "replace": 200, "delete": 204}[action]
    if holds and action == "create":
        return done
    return done if role >= (OWNER if holds else CONTRIBUTOR) else 403


def act(who, kind, action, record, ids, portal="private"):
    """Do it, and say with which status it was answered; a list without the record counts as 403."""
    entry = KINDS[kind]
    base = f"/api/{portal}/{entry.address}/"
    where = f"{base}{record['id']}/"
    if action == "list":
        answer = who("GET", base)
        if answer.status_code != 200:
            return answer.status_code
        found = [each["id"] for each in answer.json[entry.keys]]
        assert answer.json["count"] == len(found)
        return 200 if record["id"] in found else 403
    if action == "detail":
        return who("GET", where).status_code
    if action == "relation":
        statuses = {who("GET", f"{where}{name}/").status_code for name in relations(kind)}
        assert len(statuses) == 1
        return statuses.pop()
    if action == "create":
        payload = filled(LEAST.get(kind, {}), ids)
        if "name" in payload:
            payload["name"] += " of Ben's"
        if kind == "sessiondatastorage":
            # A pair is made once: attach another storage, which everybody may use.
            payload["datastorage"] = ids["open storage"]
        answer = who("POST", base, payload)
        if answer.status_code == 201:
            (made,) = answer.json.values()
            assert who("DELETE", f"{base}{made['id']}/").status_code == 204
        return answer.status_code
    if action == "delete":
        return who("DELETE", where).status_code
    method = "PATCH" if action == "change" else "PUT"
    payload = {} if kind in ("user", "sessiondatastorage") else filled(LEAST[kind], ids)
    if kind == "sessiondatastorage":
        method, payload = "PATCH", {"order": 0}
    if kind == "session" and method == "PUT":
        payload["datastorage"] = [ids["datastorage"]]
    return who(method, where, payload).status_code


def relations(kind):
    return [name for name, _ in registry.get(kind).schema.references()]


ACTIONS = ["list", "detail", "relation", "create", "change", "replace"]


def actions_of(kind):
    return [each for each in ACTIONS if each != "relation" or relations(kind)]


@pytest.fixture
def world(ada, ben):
    """Ada's record of every kind, and what Ben needs of his own to try things with."""
    made = one_of_each(ada)
    made["user"] = {"id": str(ada.id)}
    made["crew"] = ada.made("users/group/", {"name": "Crew"})
    ada("PATCH", f"users/group/{made['crew']['id']}", {"users": {ben.email: {}}})
    made["open storage"] = ada.storage("Open to all")
    share(ada, ben, made["open storage"], "datastorage", CONTRIBUTOR, "direct")
    return made


def share(ada, ben, record, kind, role, way):
    rights = RIGHTS[role]
    if rights is None:
        return
    if kind == "group":
        # A group has no groups, and no contributors: whoever is in it is a member.
        way, rights = "direct", rights if role > CONTRIBUTOR else {}
    holder = {"groups": {"Crew": rights}} if way == "group" else {"users": {ben.email: rights}}
    answer = ada("PATCH", f"{KINDS[kind].address}/{record['id']}", holder)
    assert answer.status_code == 200, answer.json


def test_every_kind_has_a_place_in_the_table():
    assert SOURCE.keys() == KINDS.keys() == {kind.name for kind in registry}


@pytest.mark.parametrize("way", ["direct", "group"])
@pytest.mark.parametrize("role", RIGHTS, ids=NAMES)
def test_in_the_private_portal(ada, ben, world, role, way):
    for kind in HOLDERS:
        share(ada, ben, world[kind], kind, role, way)
    ids = ids_of(world)
    found, expected = {}, {}
    for kind in SOURCE:
        for action in actions_of(kind):
            found[kind, action] = act(ben, kind, action, world[kind], ids)
            expected[kind, action] = rule(kind, action, role)
    # In an order in which nothing is in use any more.
    for kind in reversed(LEAST):
        found[kind, "delete"] = act(ben, kind, "delete", world[kind], ids)
        expected[kind, "delete"] = rule(kind, "delete", role)
    assert differences(found, expected) == {}


def differences(found, expected):
    return {
        what: (found[what], "instead of", expected[what])
        for what in expected
        if found[what] != expected[what]
    }


@pytest.mark.parametrize("role", [CONTRIBUTOR, OWNER], ids=["contributor", "owner"])
def test_in_two_projects_the_lower_role_decides_about_changes(ada, ben, world, role):
    """Read with a role on any of the projects; change and delete as a contributor on every one."""
    other = ada.project("Other")
    for kind in ("session", "subject"):
        where = f"{KINDS[kind].address}/{world[kind]['id']}"
        both = {"projects": [world["project"]["id"], other["id"]]}
        assert ada("PATCH", where, both).status_code == 200
    share(ada, ben, world["project"], "project", role, "direct")
    share(ada, ben, world["datastorage"], "datastorage", MEMBER, "direct")
    ids = ids_of(world)
    kinds = ["session", "subject", "epoch", "behavior", "dataacquisition", "manipulation"]
    kinds += ["procedure", "subjectlog", "sessiondatastorage"]
    for second in (NOBODY, MEMBER, CONTRIBUTOR):
        share(ada, ben, other, "project", second, "direct")
        found, expected = {}, {}
        for kind in kinds:
            for action in ("list", "detail", "relation"):
                found[kind, action] = act(ben, kind, action, world[kind], ids)
                expected[kind, action] = 200
            # To create a session in one project, the others do not matter; to replace one in all
            # of its projects, they do.
            found[kind, "change"] = act(ben, kind, "change", world[kind], ids)
            expected[kind, "change"] = rule(kind, "change", min(role, second))
            if kind not in ("session", "subject"):
                found[kind, "create"] = act(ben, kind, "create", world[kind], ids)
                expected[kind, "create"] = rule(kind, "create", min(role, second))
            if second < CONTRIBUTOR:
                found[kind, "delete"] = act(ben, kind, "delete", world[kind], ids)
                expected[kind, "delete"] = 403
        assert differences(found, expected) == {}
        # `act` replaced the projects of what it could change: put them back.
        for kind in ("session", "subject"):
            where = f"{KINDS[kind].address}/{world[kind]['id']}"
            assert ada("PATCH", where, both).status_code == 200


@pytest.mark.parametrize("published", [False, True], ids=["private", "published"])
@pytest.mark.parametrize("role", [NOBODY, OWNER], ids=["nobody", "owner"])
def test_in_the_public_portal_roles_do_not_count(ada, ben, world, role, published):
    for kind in HOLDERS:
        share(ada, ben, world[kind], kind, role, "direct")
        if published and kind != "group":
            where = f"{KINDS[kind].address}/{world[kind]['id']}"
            assert ada("PATCH", where, {"is_public": True}).status_code == 200
    ids, found, expected = ids_of(world), {}, {}
    for kind in SOURCE:
        for action in [*actions_of(kind), "delete"]:
            found[kind, action] = act(ben, kind, action, world[kind], ids, "public")
            expected[kind, action] = public_rule(kind, action, published)
    assert differences(found, expected) == {}
    if role == NOBODY:
        client = ben.app.test_client()
        for kind in SOURCE.keys() - NOT_PUBLIC:
            answer = client.get(f"/api/public/{KINDS[kind].address}/{world[kind]['id']}/")
            assert answer.status_code == (200 if published else 404)


def public_rule(kind, action, published):
    """Read-only; what is not public is not there."""
    if kind in NOT_PUBLIC:
        return 404
    if action in ("list", "detail", "relation"):
        return 200 if published else 403 if action == "list" else 404
    return 405


def test_in_the_super_portal_administrators_do_everything_and_others_nothing(
    ada, ben, person, world
):
    boss = person("boss@lab.org", admin=True)
    ids, found, expected = ids_of(world), {}, {}
    for kind in SOURCE:
        for action in actions_of(kind):
            for who, name in ((ada, "her own"), (ben, "nobody's"), (boss, "boss")):
                found[kind, action, name] = act(who, kind, action, world[kind], ids, "super")
                allowed = rule(kind, action, OWNER)
                expected[kind, action, name] = allowed if who is boss else 403
            # In the private portal an administrator is a user like others.
            if action != "create":
                found[kind, action, "private"] = act(boss, kind, action, world[kind], ids)
                expected[kind, action, "private"] = rule(kind, action, NOBODY)
    for kind in reversed(LEAST):
        found[kind, "delete"] = act(boss, kind, "delete", world[kind], ids, "super")
        expected[kind, "delete"] = 204
    assert differences(found, expected) == {}


@pytest.mark.parametrize("portal", ["private", "super"])
@pytest.mark.parametrize("header", [None, "Bearer", "Bearer nobody's", "Basic YTpi", "Token x"])
def test_without_signing_in_nobody_does_anything(app, ada, portal, header):
    headers = {"Authorization": header} if header else {}
    client = app.test_client()
    for entry in KINDS.values():
        where = f"/api/{portal}/{entry.address}/"
        for method, address in (("GET", where), ("POST", where), ("DELETE", f"{where}{ada.id}/")):
            answer = client.open(address, method=method, headers=headers, json={})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert list(answer.json) == ["detail"]
