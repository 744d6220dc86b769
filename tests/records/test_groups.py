"""Groups: people who hold roles together (contract §6, §8)."""

from __future__ import annotations

import pytest

GROUPS = "users/group/"
NONE = {"is_manager": False, "is_owner": False}
MANAGER = {"is_manager": True, "is_owner": False}
OWNER = {"is_manager": True, "is_owner": True}

#: Whatever a group can hold a role on.
SHARED = [
    "stem/project/",
    "personal_attributes/datastorage/",
    "personal_attributes/setup/",
    "personal_attributes/behavioralassay/",
]


@pytest.fixture
def crew(ada):
    """A group of Ada's."""
    return ada.made(GROUPS, {"name": "Crew"})


def set_people(who, record, address=GROUPS, **fields):
    return who("PATCH", f"{address}{record['id']}", fields)


def reads(who, address, record):
    """Whether somebody may read a record; the list agrees."""
    status = who("GET", f"{address}{record['id']}").status_code
    listed = next(iter(who.get(address).values()))
    assert (status == 200) == (record["id"] in [each["id"] for each in listed])
    assert status in (200, 403)
    return status == 200


def test_the_creator_owns_it_alone(ada, ben, crew):
    assert crew == {"id": crew["id"], "name": "Crew", "users": {ada.email: OWNER}}
    assert not reads(ben, GROUPS, crew)
    for payload in ({"name": "New", "users": {ben.email: {}}}, {"name": "New", "users": {}}):
        answer = ada("POST", GROUPS, payload)
        assert (answer.status_code, list(answer.json)) == (400, ["users"])


# who, whom, what, status, what the person is in the group afterwards
CHANGES = [
    ("owner", "stranger", {}, 200, NONE),
    ("owner", "stranger", {"is_manager": True}, 200, MANAGER),
    ("owner", "stranger", {"is_owner": True}, 200, OWNER),
    ("owner", "STRANGER", {}, 200, NONE),
    ("owner", "manager", {}, 200, NONE),
    ("owner", "manager", {"remove": True}, 200, None),
    ("owner", "stranger", {"remove": True}, 200, None),
    ("owner", "owner", {"remove": True}, 400, OWNER),
    ("owner", "owner", {"is_manager": True}, 400, OWNER),
    ("owner", "nobody", {}, 400, None),
    ("owner", "member", {"can_change": True}, 400, NONE),
    ("owner", "member", {"is_manager": 1}, 400, NONE),
    ("owner", "member", [], 400, NONE),
    ("owner", "member", None, 400, NONE),
    ("manager", "stranger", {}, 200, NONE),
    ("manager", "member", {"remove": True}, 200, None),
    ("manager", "member", {"is_manager": True}, 403, NONE),
    ("manager", "stranger", {"is_owner": True}, 403, None),
    ("manager", "manager", {"is_owner": True}, 403, MANAGER),
    ("manager", "owner", {"remove": True}, 400, OWNER),
    ("member", "stranger", {}, 403, None),
    ("member", "member", {"is_manager": True}, 403, NONE),
    ("stranger", "stranger", {}, 403, None),
    ("stranger", "stranger", {"is_owner": True}, 403, None),
]


def test_owners_appoint_everybody_and_managers_members(subtests, person, ada):
    people = {
        name: person(f"{name}@lab.org") for name in ("owner", "manager", "member", "stranger")
    }
    crew = people["owner"].made(GROUPS, {"name": "Crew"})
    before = {"owner": OWNER, "manager": MANAGER, "member": NONE, "stranger": None}
    reset = {f"{name}@lab.org": role or {"remove": True} for name, role in before.items()}
    for who, whom, rights, status, after in CHANGES:
        assert set_people(people["owner"], crew, users=reset).status_code == 200
        with subtests.test(who=who, whom=whom, rights=rights):
            answer = set_people(people[who], crew, users={f"{whom}@lab.org": rights})
            assert answer.status_code == status, answer.json
            expected = before | {whom.lower(): after}
            users = people["owner"].get(f"{GROUPS}{crew['id']}")["group"]["users"]
            assert users == {f"{n}@lab.org": role for n, role in expected.items() if role}


def test_only_owners_rename_and_delete_a_group(ada, ben, crew):
    where = f"{GROUPS}{crew['id']}"
    for rights in ({}, {"is_manager": True}):
        set_people(ada, crew, users={ben.email: rights})
        assert reads(ben, GROUPS, crew)
        assert ben("PATCH", where, {"name": "Mine"}).status_code == 403
        assert ben("DELETE", where).status_code == 403
    set_people(ada, crew, users={ben.email: {"is_owner": True}})
    assert ben("PATCH", where, {"name": "Ours"}).status_code == 200
    # With a second owner, the first may leave.
    assert set_people(ada, crew, users={ada.email: {"remove": True}}).status_code == 200
    assert not reads(ada, GROUPS, crew)
    assert ben("DELETE", where).status_code == 204


@pytest.mark.parametrize("address", SHARED)
def test_a_role_through_a_group_is_a_role(ada, ben, crew, address):
    record = ada.made(address, {"name": "Shared"})
    where = f"{address}{record['id']}"
    assert not reads(ben, address, record)
    set_people(ada, crew, users={ben.email: {}})
    assert not reads(ben, address, record)
    for rights, changes in (({}, 403), ({"can_change": True}, 403), ({"is_owner": True}, 200)):
        answer = set_people(ada, record, address, groups={"Crew": rights})
        (found,) = answer.json.values()
        highest = rights.get("is_owner", False)
        expected = {"can_change": bool(rights), "is_manager": highest, "is_owner": highest}
        assert found["groups"] == {"Crew": expected}
        assert reads(ben, address, record)
        assert ben("PATCH", where, {"description": "Ben's"}).status_code == changes
    # Leaving the group ends it at once; so does taking the group's role away, or the group itself.
    set_people(ada, crew, users={ben.email: {"remove": True}})
    assert not reads(ben, address, record)
    set_people(ada, crew, users={ben.email: {}})
    assert reads(ben, address, record)
    assert set_people(ada, record, address, groups={"Crew": {"remove": True}}).status_code == 200
    assert not reads(ben, address, record)
    set_people(ada, record, address, groups={"Crew": {}})
    assert reads(ben, address, record)
    assert ada("DELETE", f"{GROUPS}{crew['id']}").status_code == 204
    assert not reads(ben, address, record)
    assert next(iter(ada.get(where).values()))["groups"] == {}


def test_what_is_in_the_project_follows(ada, ben, crew):
    project = ada.project()
    session = ada.session("Monday", project)
    set_people(ada, crew, users={ben.email: {}})
    set_people(ada, project, "stem/project/", groups={"Crew": {}})
    assert reads(ben, "stem/session/", session)
    new = {"name": "New", "projects": [project["id"]]}
    assert ben("POST", "stem/session/", new).status_code == 403
    set_people(ada, project, "stem/project/", groups={"Crew": {"can_change": True}})
    assert ben("POST", "stem/session/", new).status_code == 201
    set_people(ada, crew, users={ben.email: {"remove": True}})
    assert not reads(ben, "stem/session/", session)


@pytest.mark.parametrize("direct", [None, {}, {"can_change": True}], ids=str)
@pytest.mark.parametrize("through", [None, {}, {"can_change": True}], ids=str)
@pytest.mark.parametrize("other", [None, {"can_change": True}], ids=str)
def test_the_highest_role_counts(ada, ben, crew, direct, through, other):
    """Ben's own role, that of a group of his, and that of another group of his."""
    project = ada.project()
    session = ada.session("Monday", project)
    second = ada.made(GROUPS, {"name": "Second"})
    for group in (crew, second):
        set_people(ada, group, users={ben.email: {}})
    groups = {"Crew": through, "Second": other}
    held = {name: rights for name, rights in groups.items() if rights is not None}
    users = {ben.email: direct} if direct is not None else {}
    set_people(ada, project, "stem/project/", users=users, groups=held)
    roles = [each for each in (direct, through, other) if each is not None]
    assert reads(ben, "stem/session/", session) == bool(roles)
    changed = ben("PATCH", f"stem/session/{session['id']}", {"description": "x"})
    assert changed.status_code == (200 if {"can_change": True} in roles else 403)


def test_a_project_may_be_managed_by_a_group_but_is_owned_by_somebody(ada, ben, crew):
    project = ada.project()
    set_people(ada, crew, users={ben.email: {}})
    set_people(ada, project, "stem/project/", groups={"Crew": {"is_manager": True}})
    where = f"stem/project/{project['id']}"

    def ben_sends(**fields):
        return ben("PATCH", where, fields).status_code

    # A manager through a group is one like others.
    assert ben_sends(users={ben.email: {"can_change": True}}) == 200
    assert ben_sends(users={ben.email: {"is_manager": True}}) == 403
    assert ben_sends(groups={"Crew": {"is_owner": True}}) == 403
    assert ben_sends(groups={"Crew": {}}) == 403
    assert ben_sends(description="x") == 403
    # A group that owns it is no reason for the last owner to leave.
    set_people(ada, project, "stem/project/", groups={"Crew": {"is_owner": True}})
    answer = ada("PATCH", where, {"users": {ada.email: {"remove": True}}})
    assert (answer.status_code, list(answer.json)) == (400, ["users"])
    assert ben_sends(groups={"Crew": {"remove": True}}) == 200
    assert ben_sends(users={ben.email: {"remove": True}}) == 403


@pytest.mark.parametrize(
    ("groups", "wrong"),
    [
        ({"Nobody's": {}}, ["Nobody's"]),
        ({"crew": {}}, ["crew"]),
        ({"Crew": {"can_fly": True}}, ["Crew"]),
        ({"Crew": {"can_change": "yes"}}, ["Crew"]),
        ({"Crew": None}, ["Crew"]),
        ({"Crew": {}, "Other": {}}, ["Other"]),
    ],
    ids=str,
)
def test_a_group_that_does_not_fit_is_named(ada, crew, groups, wrong):
    project = ada.project()
    answer = set_people(ada, project, "stem/project/", groups=groups)
    assert (answer.status_code, list(answer.json)) == (400, ["groups"])
    assert list(answer.json["groups"]) == wrong
    assert ada.get("stem/project/")["projects"][0]["groups"] == {}


def test_administrators_manage_all_groups_in_their_portal(ada, person, crew):
    boss = person("boss@lab.org", admin=True)
    where = f"/api/super/{GROUPS}{crew['id']}"
    assert not reads(boss, GROUPS, crew)
    assert boss.get(where)["group"] == crew
    users = {boss.email: {"is_owner": True}, ada.email: {"remove": True}}
    assert boss("PATCH", where, {"users": users}).status_code == 200
    assert reads(boss, GROUPS, crew)
    assert not reads(ada, GROUPS, crew)
    assert ada("GET", where).status_code == 403


def test_all_that_is_wrong_with_people_is_said_at_once(ada):
    project = ada.project()
    for field in ("users", "groups"):
        people = {"nobody@lab.org": {}, "odd": 5, "other": {"is_king": True}}
        answer = set_people(ada, project, "stem/project/", **{field: people})
        assert (answer.status_code, list(answer.json)) == (400, [field])
        assert answer.json[field].keys() == people.keys()


def test_who_may_not_say_who_is_a_member_is_not_told_who_there_is(ada, ben):
    project = ada.project()
    set_people(ada, project, "stem/project/", users={ben.email: {"can_change": True}})
    told = [
        set_people(ben, project, "stem/project/", users={each: {}, "odd": 5}).json
        for each in ("nobody@lab.org", ada.email)
    ]
    assert told[0] == told[1] and list(told[0]["users"]) == ["odd"]


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_names_that_no_database_keeps_are_refused(ada, character):
    project = ada.project()
    for field in ("users", "groups"):
        people = {f"n{character}@lab.org": {}}
        answer = set_people(ada, project, "stem/project/", **{field: people})
        assert (answer.status_code, list(answer.json)) == (400, [field])
