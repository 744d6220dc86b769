"""Who may do what (contract §8): every rule a row, every row for every role."""

from __future__ import annotations

import json
import random
import re
from types import SimpleNamespace
from uuid import uuid4

import pytest
from werkzeug.datastructures import MultiDict

from brainstem.core import finding, search
from brainstem.core.few import with_few
from brainstem.core.permissions import Actor, Role, seen_as
from brainstem.core.resource import registry
from brainstem.records.users import add_user
from tests.kinds import one_of_each
from tests.pages import Page
from tests.people import PASSWORD, RIGHTS

ROLES = [None, *Role]

PROJECT = "stem/project"
STORAGE = "personal_attributes/datastorage"
SESSION = "stem/session"
ROW = "stem/sessiondatastorage"

# What Ben's requests are answered with, by his role on the project (or on the data storage). The
# rows of a kind are done in this order, so what deletes comes last.
TABLE = """
kind             what he does                      none member contributor manager owner

project          read                               403    200         200     200   200
project          relation sessions/                 403    200         200     200   200
project          its page                           403    200         200     200   200
project          PATCH description                  403    403         403     403   200
project          PUT                                403    403         403     403   200
project          PATCH is_public                    403    403         403     403   200
project          PATCH users, a member              403    403         403     200   200
project          PATCH users, a manager             403    403         403     403   200
project          page to delete it                  403    403         403     403   200
project          DELETE                             403    403         403     403   204

datastorage      read                               403    200         200     200   200
datastorage      its page                           403    200         200     200   200
datastorage      attach it by a row                 403    403         201     201   201
datastorage      name it in a new session           403    403         201     201   201
datastorage      name it in PATCH of a session      403    403         200     200   200
datastorage      name it in PUT of a session        403    403         200     200   200
datastorage      PATCH description                  403    403         403     403   200
datastorage      PUT                                403    403         403     403   200
datastorage      PATCH is_public                    403    403         403     403   200
datastorage      PATCH users, a member              403    403         403     200   200
datastorage      PATCH users, a manager             403    403         403     403   200
datastorage      page to delete it                  403    403         403     403   200
datastorage      DELETE                             403    403         403     403   204

session          read                               403    200         200     200   200
session          relation projects/                 403    200         200     200   200
session          its page                           403    200         200     200   200
session          create one in the project          403    403         201     201   201
session          put his own into the project       403    403         200     200   200
session          PATCH description                  403    403         200     200   200
session          PUT                                403    403         200     200   200
session          its edit page                      403    403         200     200   200
session          move it to his own project         403    403         200     200   200
session          page to delete it                  403    403         200     200   200
session          DELETE                             403    403         204     204   204

# Also in a project where he is a contributor.
shared session   read                               200    200         200     200   200
shared session   PATCH description                  403    403         200     200   200
shared session   PUT                                403    403         200     200   200
shared session   take it out of the project         403    403         200     200   200
shared session   its edit page                      403    403         200     200   200
shared session   DELETE                             403    403         204     204   204

# Also in a project where he is nobody.
foreign session  read                               403    200         200     200   200
foreign session  PATCH description                  403    403         403     403   403
foreign session  take it out of the other project   403    403         403     403   403
foreign session  its edit page                      403    403         403     403   403
foreign session  DELETE                             403    403         403     403   403

# A data storage of a session in the project; he is a member of that storage.
row              read                               403    200         200     200   200
row              PATCH order                        403    403         200     200   200
row              attach a storage he may use        403    403         201     201   201
row              attach a storage he may only read  403    403         403     403   403
row              attach a storage he may not read   403    403         403     403   403
row              DELETE                             403    403         204     204   204
# He may not read the storage: to him there is no such row.
row              read, the storage unseen           403    403         403     403   403
row              PATCH order, the storage unseen    403    403         403     403   403
row              DELETE, the storage unseen         403    403         403     403   403
"""


def rows_of_the_table() -> dict[str, dict[str, list[int]]]:
    """`{kind: {action: [status for each role]}}`."""
    found: dict[str, dict[str, list[int]]] = {}
    for line in TABLE.strip().splitlines()[1:]:
        if line and not line.startswith("#"):
            kind, action, *statuses = re.split(" {2,}", line)
            found.setdefault(kind, {})[action] = [int(each) for each in statuses]
    return found


EXPECTED = rows_of_the_table()


@pytest.fixture
def world(ada, ben, person):
    """What Ada owns, and what Ben has of his own; nobody shares anything yet."""
    person("cara@lab.org")
    world = SimpleNamespace(ada=ada, ben=ben, pages=ben.browser())
    world.project = ada.project("Ada's")
    world.bens = ben.project("Ben's")
    world.other = ada.project("Another of Ada's")
    world.storage, world.readable, world.usable, world.unseen = (
        ada.storage(name) for name in ("Server", "Readable", "Usable", "Unseen")
    )
    world.closed = ada.storage("Closed")
    ada.share("datastorage", world.readable, ben.email, Role.MEMBER)
    ada.share("datastorage", world.usable, ben.email, Role.CONTRIBUTOR)
    return world


def subject_of(world, kind, role):
    """The record that the rows of a kind are about, with Ben's role given; as (address, record)."""
    ada, ben = world.ada, world.ben
    if kind == "datastorage":
        ada.share("datastorage", world.storage, ben.email, role)
        return STORAGE, world.storage
    projects = [world.project]
    if kind == "shared session":
        ada.share("project", world.other, ben.email, Role.CONTRIBUTOR)
    if kind in ("shared session", "foreign session"):
        projects.append(world.other)
    ada.share("project", world.project, ben.email, role)
    if kind == "project":
        return PROJECT, world.project
    storages = [world.readable["id"], world.unseen["id"]] if kind == "row" else []
    session = ada.session("Monday", *projects, datastorage=storages)
    if kind != "row":
        return SESSION, session
    world.session = session
    row, world.unseen_row = ada.get(ROW)["sessiondatastorages"]
    return ROW, row


def act(world, address, record, action):
    """Do what a row of the table says, as Ben; what he makes of his own is gone afterwards."""
    ben, pages = world.ben, world.pages
    it, bens = f"{address}/{record['id']}", world.bens["id"]
    page = {PROJECT: "/projects", STORAGE: "/datastorage", SESSION: "/sessions"}.get(address)
    if action.endswith(", the storage unseen"):
        it = f"{address}/{world.unseen_row['id']}"
        action = action.removesuffix(", the storage unseen")

    def attach(storage, session):
        payload = {"session": session["id"], "datastorage": storage["id"]}
        answer = ben("POST", ROW, payload)
        if answer.status_code == 201:
            assert ben("DELETE", f"{ROW}/{answer.json['sessiondatastorage']['id']}")
        return answer

    def with_his_session(deed):
        session = ben.session("Ben's own", world.bens)
        answer = deed(session)
        assert ben("DELETE", f"{SESSION}/{session['id']}").status_code == 204
        return answer

    def create(**payload):
        answer = ben("POST", SESSION, {"name": "New", "projects": [bens], **payload})
        if answer.status_code == 201:
            ben("DELETE", f"{SESSION}/{answer.json['session']['id']}")
        return answer

    def on_his_session(method, **payload):
        return with_his_session(
            lambda session: ben(method, f"{SESSION}/{session['id']}", payload),
        )

    cara = "cara@lab.org"
    whole = {"name": "Replaced"} | ({"projects": record["projects"]} if address == SESSION else {})
    deeds = {
        "read": lambda: ben("GET", it),
        "relation sessions/": lambda: ben("GET", f"{it}/sessions/"),
        "relation projects/": lambda: ben("GET", f"{it}/projects/"),
        "its page": lambda: pages.get(f"{page}/{record['id']}"),
        "its edit page": lambda: pages.get(f"{page}/{record['id']}/edit"),
        "page to delete it": lambda: pages.get(f"{page}/{record['id']}/delete"),
        "PATCH description": lambda: ben("PATCH", it, {"description": "New"}),
        "PATCH is_public": lambda: ben("PATCH", it, {"is_public": True}),
        "PATCH users, a member": lambda: ben("PATCH", it, {"users": {cara: {}}}),
        "PATCH users, a manager": lambda: ben("PATCH", it, {"users": {cara: {"is_manager": True}}}),
        "PATCH order": lambda: ben("PATCH", it, {"order": 1}),
        "PUT": lambda: ben("PUT", it, whole),
        "DELETE": lambda: ben("DELETE", it),
        "attach it by a row": lambda: with_his_session(lambda session: attach(record, session)),
        "name it in a new session": lambda: create(datastorage=[record["id"]]),
        "name it in PATCH of a session": lambda: on_his_session(
            "PATCH", datastorage=[record["id"]]
        ),
        "name it in PUT of a session": lambda: on_his_session(
            "PUT", name="Ben's own", projects=[bens], datastorage=[record["id"]]
        ),
        "create one in the project": lambda: create(projects=[world.project["id"]]),
        "put his own into the project": lambda: on_his_session(
            "PATCH", projects=[bens, world.project["id"]]
        ),
        "move it to his own project": lambda: ben("PATCH", it, {"projects": [bens]}),
        "take it out of the project": lambda: ben("PATCH", it, {"projects": [world.other["id"]]}),
        "take it out of the other project": lambda: ben(
            "PATCH", it, {"projects": [world.project["id"]]}
        ),
        "attach a storage he may use": lambda: attach(world.usable, world.session),
        "attach a storage he may only read": lambda: attach(world.storage, world.session),
        "attach a storage he may not read": lambda: attach(world.closed, world.session),
    }
    return deeds[action]()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name.lower() if role else "nobody")
@pytest.mark.parametrize("kind", EXPECTED)
def test_every_role_may_do_what_the_table_says(world, kind, role):
    address, record = subject_of(world, kind, role)
    if kind == "row":
        # The last row of its group is about a storage of which he is a member, but no more.
        world.ada.share("datastorage", world.storage, world.ben.email, Role.MEMBER)
    expected = {each: answers[ROLES.index(role)] for each, answers in EXPECTED[kind].items()}

    listed = {each["id"] for each in records(world.ben, address)}
    assert (record["id"] in listed) == (expected["read"] == 200)

    found = {each: act(world, address, record, each).status_code for each in expected}
    assert found == expected


def records(who, address):
    """The records of a list."""
    answer = who.get(address, query_string={"limit": 100})
    assert answer["count"] == answer["meta"]["total_results"] == len(next(iter(answer.values())))
    return next(iter(answer.values()))


MISSING = [
    ("private/stem/session/{theirs}", 403),
    ("private/stem/session/{theirs}/projects/", 403),
    ("private/stem/session/{nothing}", 404),
    ("private/stem/session/{nothing}/projects/", 404),
    ("private/stem/session/not-an-id", 404),
    ("private/stem/session/{mine}/nothing/", 404),
    ("private/stem/session/{mine}/name/", 404),
    ("private/stem/nothing/{theirs}", 404),
    ("private/nothing/session/{theirs}", 404),
    ("nothing/stem/session/{theirs}", 404),
    ("public/stem/session/{theirs}", 404),
    ("public/stem/session/{mine}", 404),
    ("public/stem/sessiondatastorage/{mine}", 404),
]


def test_forbidden_is_403_and_missing_is_404(subtests, ada, ben):
    ids = {
        "theirs": ada.session("Hers", ada.project("Ada's"))["id"],
        "mine": ben.session("His", ben.project("Ben's"))["id"],
        "nothing": uuid4(),
    }
    for address, status in MISSING:
        with subtests.test(address=address, status=status):
            answer = ben("GET", f"/api/{address.format(**ids)}")
            assert (answer.status_code, list(answer.json)) == (status, ["detail"])


@pytest.mark.parametrize(
    ("field", "named", "status"),
    [
        ("projects", "unusable", 403),
        ("projects", "missing", 400),
        ("datastorage", "unusable", 403),
        ("datastorage", "missing", 400),
    ],
)
def test_naming_what_is_forbidden_is_403_and_what_is_missing_400(ada, ben, field, named, status):
    theirs = {"projects": ada.project("Ada's"), "datastorage": ada.storage("Ada's")}
    mine = ben.project("Ben's")["id"]
    value = theirs[field]["id"] if named == "unusable" else str(uuid4())
    payload = {"name": "New", "projects": [mine]}
    payload[field] = [*payload.get(field, []), value]
    answer = ben("POST", SESSION, payload)
    assert answer.status_code == status
    place = str(len(payload[field]) - 1)
    assert list(answer.json) == (["detail"] if status == 403 else [field])
    assert status == 403 or list(answer.json[field]) == [place]
    assert records(ben, SESSION) == []


def test_nobody_learns_which_storages_an_unseen_session_has(ada, ben):
    storage, other = ada.storage("Attached"), ada.storage("Not attached")
    session = ada.session("Monday", ada.project(), datastorage=[storage["id"]])
    answers = [
        ben("POST", ROW, {"session": session["id"], "datastorage": each["id"]})
        for each in (storage, other)
    ]
    assert [each.status_code for each in answers] == [403, 403]


# -- Storages that are attached already --------------------------------------------------------


@pytest.fixture
def attached(ada, ben):
    """A session in a project where Ben contributes, with a storage unseen, one to read, one to use."""
    project = ada.project()
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    unseen, read, use = (ada.storage(name) for name in ("Unseen", "Readable", "Usable"))
    ada.share("datastorage", read, ben.email, Role.MEMBER)
    ada.share("datastorage", use, ben.email, Role.CONTRIBUTOR)
    ids = [each["id"] for each in (unseen, read, use)]
    session = ada.session("Monday", project, datastorage=ids)
    address = f"{SESSION}/{session['id']}"
    return SimpleNamespace(
        session=session,
        address=address,
        edit=f"/sessions/{session['id']}/edit",
        order=lambda: [
            "URE"[ids.index(each)] for each in ada.get(address)["session"]["datastorage"]
        ],
        ids=dict(zip("URE", ids, strict=True)),
    )


@pytest.mark.parametrize(
    ("button", "order"),
    [
        ("Move Usable up", ["U", "E", "R"]),
        ("Move Readable down", ["U", "E", "R"]),
        ("Remove Readable", ["U", "E"]),
        ("Remove Usable", ["U", "R"]),
        (None, ["U", "R", "E"]),
    ],
)
def test_the_form_reorders_and_detaches_with_rights_on_the_projects_alone(
    ben, attached, button, order
):
    pages = ben.browser()
    form = pages.form(attached.edit, "Save session").set(description="New")
    if button:
        form = form_after(pages, form, button, attached.edit)
    assert pages.press(form, "Save session", attached.edit).status_code == 302
    assert attached.order() == order


def form_after(pages, form, button, address):
    """The form as it comes back when one of its own buttons is pressed."""
    return Page(pages.press(form, button, address)).form("Save session")


def test_the_form_takes_no_storage_that_its_user_may_not_use(ada, ben, attached):
    pages = ben.browser()
    form = pages.form(attached.edit, "Save session")
    form.set(datastorage=[*form.fields.getlist("datastorage"), ada.storage("Another")["id"]])
    assert pages.press(form, "Save session", attached.edit).status_code == 403
    assert attached.order() == ["U", "R", "E"]


@pytest.mark.parametrize(
    ("named", "status", "order"),
    [
        ("E", 200, ["U", "E"]),
        ("", 200, ["U"]),
        ("RE", 403, ["U", "R", "E"]),
        ("UE", 403, ["U", "R", "E"]),
    ],
)
def test_a_payload_names_only_storages_that_its_sender_may_use(ben, attached, named, status, order):
    payload = {"datastorage": [attached.ids[each] for each in named]}
    assert ben("PATCH", attached.address, payload).status_code == status
    assert attached.order() == order


def test_rows_are_moved_and_removed_with_rights_on_the_projects_alone(ben, attached):
    readable, usable = records(ben, ROW)
    assert readable["datastorage"] == attached.ids["R"]
    moved = ben("PATCH", f"{ROW}/{readable['id']}", {"order": 0})
    assert moved.json["sessiondatastorage"]["order"] == 0
    assert attached.order() == ["R", "U", "E"]
    assert ben("DELETE", f"{ROW}/{readable['id']}").status_code == 204
    assert attached.order() == ["U", "E"]
    assert [each["id"] for each in records(ben, ROW)] == [usable["id"]]


# -- Lists show what details allow -------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_lists_show_exactly_what_details_allow(ada, ben, seed):
    """A small world with random roles, seen through both portals by Ben, who owns none of it."""
    chance = random.Random(seed)

    def some(things, least=0):
        return chance.sample(things, chance.randint(least, min(3, len(things))))

    things = {"project": [], "datastorage": []}
    for kind, make in (("project", ada.project), ("datastorage", ada.storage)):
        for number in range(4):
            things[kind].append(make(f"{kind} {number}"))
            ada.share(kind, things[kind][-1], ben.email, chance.choice(ROLES))
            if chance.random() < 0.4:
                address = PROJECT if kind == "project" else STORAGE
                ada("PATCH", f"{address}/{things[kind][-1]['id']}", {"is_public": True})
    for number in range(6):
        storages = [each["id"] for each in some(things["datastorage"])]
        ada.session(f"Session {number}", *some(things["project"], 1), datastorage=storages)

    everything = {each: records(ada, each) for each in (PROJECT, STORAGE, SESSION, ROW)}
    for portal in ("private", "public"):
        visible = set()
        for address, all_records in everything.items():
            base = f"/api/{portal}/{address}"
            if portal == "public" and address == ROW:
                assert ben("GET", base).status_code == 404
                continue
            listed = [each["id"] for each in records(ben, base)]
            single = [
                each["id"]
                for each in all_records
                if ben("GET", f"{base}/{each['id']}").status_code == 200
            ]
            assert sorted(listed) == sorted(single), base
            visible |= set(listed)
        for address in (PROJECT, STORAGE, SESSION):
            for record in records(ben, f"/api/{portal}/{address}"):
                assert ids_in(record) <= visible, record


def ids_in(record):
    """Every id that a record shows."""
    lists = [value for value in record.values() if isinstance(value, list)]
    return {record["id"]} | {each for value in lists for each in value if isinstance(each, str)}


@pytest.fixture
def secrets(ada, ben):
    """A session that Ben may read, in a project and on a storage that he may not."""
    seen, hidden = ada.project("Seen"), ada.project("Secret project")
    storage, closed = ada.storage("Seen too"), ada.storage("Secret storage", location="Vault")
    ada.share("project", seen, ben.email, Role.MEMBER)
    ada.share("datastorage", storage, ben.email, Role.MEMBER)
    both = ada.session("Both", seen, hidden, datastorage=[closed["id"], storage["id"]])
    alone = ada.session("Secret session", hidden, datastorage=[storage["id"]])
    return {
        "project": hidden["id"],
        "storage": closed["id"],
        "session": alone["id"],
        "both": both["id"],
        "seen": seen["id"],
    }


QUERIES = [
    # address, query, how many records Ben gets
    (SESSION, "", 1),
    (SESSION, "filter{{projects}}={project}", 0),
    (SESSION, "filter{{projects.id}}={project}", 0),
    (SESSION, "filter{{projects.in}}={project}", 0),
    (SESSION, "filter{{projects.name.icontains}}=secret", 0),
    (SESSION, "filter{{-projects.name.icontains}}=secret", 1),
    (SESSION, "filter{{projects.sessions.name}}=Secret session", 0),
    (SESSION, "filter{{projects.sessions}}={session}", 0),
    (SESSION, "filter{{datastorage}}={storage}", 0),
    (SESSION, "filter{{-datastorage}}={storage}", 1),
    (SESSION, "filter{{datastorage.name.startswith}}=Secret", 0),
    (SESSION, "filter{{datastorage.location}}=Vault", 0),
    (SESSION, "filter{{datastorage.name.in}}=Secret storage,Nothing", 0),
    (SESSION, "filter{{id}}={session}", 0),
    (SESSION, "include[]=projects&include[]=datastorage", 1),
    (PROJECT, "", 1),
    (PROJECT, "filter{{sessions}}={session}", 0),
    (PROJECT, "filter{{sessions.name.startswith}}=Secret", 0),
    (PROJECT, "filter{{sessions.datastorage.name}}=Secret storage", 0),
    (PROJECT, "include[]=sessions.datastorage", 1),
    (STORAGE, "", 1),
    (ROW, "", 1),
    (ROW, "filter{{session}}={session}", 0),
    (ROW, "filter{{datastorage}}={storage}", 0),
    (ROW, "filter{{datastorage.name}}=Secret storage", 0),
    (ROW, "include[]=session.projects&include[]=datastorage", 1),
    (f"{SESSION}/{{both}}/projects/", "", 1),
    (f"{SESSION}/{{both}}/datastorage/", "", 1),
    (f"{PROJECT}/{{seen}}/sessions/", "", 1),
    (f"{PROJECT}/{{seen}}/sessions/", "include[]=projects", 1),
]


def test_the_unseen_is_never_counted_matched_or_named(subtests, ben, secrets):
    for address, query, count in QUERIES:
        with subtests.test(address=address, query=query):
            answer = ben.get(address.format(**secrets), query_string=query.format(**secrets))
            found = answer.pop(next(iter(answer)))
            assert answer["count"] == len(found) == count
            text = json.dumps(found)
            assert "Secret" not in text
            assert not [name for name in ("project", "storage", "session") if secrets[name] in text]


# -- Who says who may --------------------------------------------------------------------------


STAFF = {
    "ada": Role.OWNER,
    "ben": Role.MANAGER,
    "manager": Role.MANAGER,
    "contributor": Role.CONTRIBUTOR,
    "member": Role.MEMBER,
    "stranger": None,
}


@pytest.fixture
def staffed(app, ada, ben):
    """Makes a project, or a data storage, with somebody in every role; Ada owns it."""
    users = {f"{name}@lab.org": RIGHTS[role] for name, role in STAFF.items()}
    with app.app_context():
        for email in users.keys() - {ada.email, ben.email}:
            add_user({"email": email, "password": PASSWORD})

    def make(kind):
        record = ada.project() if kind == "project" else ada.storage()
        address = f"{PROJECT if kind == 'project' else STORAGE}/{record['id']}"
        assert ada("PATCH", address, {"users": users}).status_code == 200
        return address

    return make


def roles_of(who, address):
    """Who holds which role, in short."""
    (record,) = who.get(address).values()
    letters = {"can_change": "c", "is_manager": "m", "is_owner": "o"}
    return {
        email.removesuffix("@lab.org"): "".join(
            letter for right, letter in letters.items() if rights[right]
        )
        for email, rights in record["users"].items()
    }


BEFORE = {"ada": "cmo", "ben": "cm", "manager": "cm", "contributor": "c", "member": ""}

CHANGES = [
    # who, whom, what, status, what the person is afterwards
    ("ada", "stranger", {}, 200, ""),
    ("ada", "stranger", {"can_change": True}, 200, "c"),
    ("ada", "stranger", {"can_change": False, "is_manager": True}, 200, "cm"),
    ("ada", "stranger", {"is_owner": True}, 200, "cmo"),
    ("ada", "contributor", {"can_change": False}, 200, ""),
    ("ada", "contributor", {}, 200, ""),
    ("ada", "manager", {"remove": True}, 200, None),
    ("ada", "stranger", {"remove": True}, 200, None),
    ("ada", "ADA", {"is_owner": True}, 200, "cmo"),
    ("ada", "ada", {"remove": True}, 400, "cmo"),
    ("ada", "ada", {"is_manager": True}, 400, "cmo"),
    ("ada", "nobody", {}, 400, None),
    ("ada", "member", {"can_fly": True}, 400, ""),
    ("ada", "member", {"can_change": 1}, 400, ""),
    ("ada", "member", {"can_change": None}, 400, ""),
    ("ada", "member", None, 400, ""),
    ("ada", "member", [], 400, ""),
    ("ben", "stranger", {}, 200, ""),
    ("ben", "member", {"can_change": True}, 200, "c"),
    ("ben", "contributor", {"remove": True}, 200, None),
    ("ben", "member", {"is_manager": True}, 403, ""),
    ("ben", "stranger", {"is_owner": True}, 403, None),
    ("ben", "manager", {"remove": True}, 403, "cm"),
    ("ben", "manager", {"can_change": True}, 403, "cm"),
    ("ben", "ada", {"is_manager": True}, 400, "cmo"),
    ("ben", "ben", {"is_owner": True}, 403, "cm"),
]


def test_owners_appoint_everybody_and_managers_members(subtests, ada, ben, staffed):
    address = staffed("project")
    for who, whom, rights, status, after in CHANGES:
        with subtests.test(who=who, whom=whom, rights=rights):
            sender, email = {"ada": ada, "ben": ben}[who], f"{whom}@lab.org"
            answer = sender("PATCH", address, {"users": {email: rights}})
            assert answer.status_code == status, answer.json
            expected = BEFORE | {whom.lower(): after}
            assert roles_of(ada, address) == {
                name: role for name, role in expected.items() if role is not None
            }
        before = {f"{name}@lab.org": RIGHTS[role] for name, role in STAFF.items()}
        assert ada("PATCH", address, {"users": before}).status_code == 200


def test_an_owner_may_leave_when_there_is_another_one(ada, ben, staffed):
    address = staffed("project")
    users = {ben.email: {"is_owner": True}, ada.email: {"remove": True}}
    assert ada("PATCH", address, {"users": users}).status_code == 200
    assert ada("GET", address).status_code == 403
    assert roles_of(ben, address)["ben"] == "cmo"


@pytest.mark.parametrize("kind", ["project", "datastorage"])
def test_one_change_too_many_changes_nothing(ada, ben, staffed, kind):
    address = staffed(kind)
    users = {"stranger@lab.org": {}, "manager@lab.org": {"remove": True}}
    assert ben("PATCH", address, {"users": users}).status_code == 403
    assert roles_of(ada, address) == BEFORE


def test_a_manager_changes_people_and_nothing_else_along_with_them(ada, ben, staffed):
    address = staffed("project")
    payload = {"users": {"stranger@lab.org": {}}, "description": "Mine"}
    assert ben("PATCH", address, payload).status_code == 403
    assert roles_of(ada, address) == BEFORE


@pytest.mark.parametrize("address", [PROJECT, STORAGE])
@pytest.mark.parametrize("field", ["users", "groups"])
@pytest.mark.parametrize("value", [{}, {"ben@lab.org": {"can_change": True}}])
def test_people_are_not_taken_on_creation(ada, ben, address, field, value):
    answer = ada("POST", address, {"name": "New", field: value})
    assert (answer.status_code, list(answer.json)) == (400, [field])
    assert records(ada, address) == []


def test_the_creator_owns_a_record_alone(ada, ben):
    everything = {"can_change": True, "is_manager": True, "is_owner": True}
    for record in (ada.project(), ada.storage()):
        assert record["users"] == {ada.email: everything}
        assert record["groups"] == {}


@pytest.mark.parametrize("role", Role)
def test_a_higher_right_carries_the_lower_ones(ada, ben, role):
    project = ada.project()
    ada.share("project", project, ben.email, role)
    shown = ada.get(f"{PROJECT}/{project['id']}")["project"]["users"][ben.email]
    assert shown == {
        "can_change": role >= Role.CONTRIBUTOR,
        "is_manager": role >= Role.MANAGER,
        "is_owner": role >= Role.OWNER,
    }
    assert all(shown[right] for right in RIGHTS[role])


def test_an_administrator_is_a_user_like_others_in_the_private_portal(ada, person):
    session = ada.session("Monday", ada.project())
    boss = person("boss@lab.org", admin=True)
    assert boss("GET", f"{SESSION}/{session['id']}").status_code == 403
    assert records(boss, SESSION) == records(boss, PROJECT) == []


@pytest.mark.parametrize("text", ["", "one", "b1"])
def test_whoever_reads_few_finds_what_others_find(ada, ben, monkeypatch, text):
    made = one_of_each(ada, " b1 one")
    one_of_each(ben, " b1 one more")
    ada.share("project", made["project"], "ben@lab.org", Role.MEMBER)

    def found(person):
        actor = Actor(person.id)
        if text:
            hunt = search.Hunt.of(text, dict.fromkeys(search.kinds(), actor))
            return {kind.name: set(search.best(hunt, kind, 50).ids) for kind in hunt.kinds}
        return {kind.name: finding.find(actor, kind, MultiDict()).ids for kind in registry}

    monkeypatch.setattr("brainstem.core.few.FEW", 500)
    with ada.app.app_context():
        few = found(ada), found(ben)
        assert with_few(Actor(ben.id), registry.get("epoch")).reads_few
        monkeypatch.setattr("brainstem.core.few.FEW", -1)
        monkeypatch.setattr("brainstem.core.few._known", {})
        assert not with_few(Actor(ben.id), registry.get("epoch")).reads_few
        assert (found(ada), found(ben)) == few
        assert few[0] != few[1] and any(few[0].values())


def test_what_is_seen_with_its_owner_are_its_parts():
    """`seen_as` compares kinds: so a kind names another one, whose parent it is, only as its parts."""
    found = set()
    for owner in registry:
        for name, field in owner.schema.references():
            part = registry.get(field.kind)
            if part is None or not seen_as(owner, part):
                continue
            found.add((owner.name, part.name))
            its = getattr(owner.model, name).property
            parent = getattr(part.model, part.parents[0]).property
            assert its.secondary is parent.secondary, (owner.name, name)
            if its.secondary is None:
                assert its.remote_side == parent.local_columns, (owner.name, name)
    assert {("project", "session"), ("session", "epoch"), ("subject", "procedure")} < found
