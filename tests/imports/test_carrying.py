"""What comes of rows: created, changed, unchanged, refused; together or not at all; and taken back."""

from __future__ import annotations

import pytest

from brainstem.core import history, restoring
from brainstem.core.permissions import Actor, Role
from brainstem.imports import carrying, matching, tables
from brainstem.imports.carrying import Refused
from brainstem.imports.kinds import KINDS
from brainstem.imports.plan import Plan, usable_default


class Imports:
    """Imports tables as a person."""

    def __init__(self, person, kind):
        self.person, self.kind = person, KINDS[kind]
        self.actor = Actor(person.id, way="command")

    def plan(self, text, default=""):
        table = tables.read(text if isinstance(text, bytes) else text.encode())
        default = usable_default(self.actor, self.kind, default) if default else ""
        return Plan(self.actor, self.kind, table, matching.guess(self.kind, table.header), default)

    def tried(self, text, default=""):
        """What a dry run says, in a line each; it stores nothing."""
        with self.person.app.app_context():
            return said(carrying.rehearse(self.plan(text, default)))

    def done(self, text, default="", **options):
        """What the import says, in a line each."""
        with self.person.app.app_context():
            outcomes, self.change_id = carrying.store(
                self.plan(text, default), "Import of table.csv", **options
            )
            return said(outcomes)


def said(outcomes):
    lines = []
    for each in outcomes:
        fields = f" ({', '.join(each.fields)})" if each.fields else ""
        lines += each.lines if each.problems else [f"{each.number} {each.deed}{fields}"]
    return lines


@pytest.fixture
def sessions(ada):
    ada.project("Maps")
    return Imports(ada, "sessions")


def by_name(person, kind="session", keys="sessions"):
    records = person.get(f"stem/{kind}/", query_string={"limit": 100})[keys]
    return {each["name"]: each for each in records}


def test_a_session_with_everything(ada, sessions):
    maps, sleep = by_name(ada, "project", "projects")["Maps"], ada.project("Sleep, awake; or not")
    server, archive = ada.storage("Server"), ada.storage("Archive")
    text = (
        "session__name;project__name;session__date_time;session__tags;session__data_storage;"
        "session__description;session_name_in_data_storage;repository;url;room;depth\n"
        'A; Maps ;22.03.2023 15:30;deep, awake;Archive, Server;"two\nlines";20230322_A;Zenodo;'
        "https://zenodo.org/1;B115;12,5\n"
        f"B;Sleep, awake; or not;2023-03-22;;{server['id']};;;;;007;3\n".replace(
            "Sleep, awake; or not", '"Sleep, awake; or not"'
        )
    )
    assert sessions.tried(text) == ["2 created", "3 created"]
    assert by_name(ada) == {}
    assert sessions.done(text) == ["2 created", "3 created"]
    found = by_name(ada)
    a, b = found["A"], found["B"]
    assert a["projects"] == [maps["id"]]
    assert a["date_time"] == "2023-03-22T15:30:00Z"
    assert (a["tags"], a["description"]) == (["deep", "awake"], "two\nlines")
    assert a["datastorage"] == [archive["id"], server["id"]]
    assert a["name_used_in_storage"] == "20230322_A"
    assert a["download_links"] == [{"repository": "Zenodo", "url": "https://zenodo.org/1"}]
    assert repr(a["extra_fields"]) == "{'room': 'B115', 'depth': 12.5}"
    assert (b["projects"], b["datastorage"]) == ([sleep["id"]], [server["id"]])
    assert repr(b["extra_fields"]) == "{'room': '007', 'depth': 3}"


def test_times_are_the_labs(app, ada, sessions):
    app.config["LAB_TIMEZONE"] = "Europe/Copenhagen"
    sessions.done("name,date\nA,2023-07-01 12:00\nB,2023-07-01T12:00:00Z\nC,2023-07-01\n", "Maps")
    times = [each["date_time"] for each in by_name(ada).values()]
    assert times == ["2023-07-01T10:00:00Z", "2023-07-01T12:00:00Z", "2023-06-30T22:00:00Z"]


def test_what_is_there_changes_only_where_a_cell_says_something(ada, sessions):
    maps, sleep = by_name(ada, "project", "projects")["Maps"], ada.project("Sleep")
    old = ada.session(
        "A", sleep, tags=["x"], description="Old", extra_fields={"room": "B1", "n": 1}
    )
    text = "name,description,tags,room,depth\nA,New,,,5\nB,,,,\n"
    assert sessions.tried(text, "Maps") == ["2 changed (Description, Extra fields)", "3 created"]
    assert by_name(ada) == {"A": old}
    sessions.done(text, "Maps")
    found = by_name(ada)
    extra = {"room": "B1", "n": 1, "depth": 5}
    # Rows that say nothing of a project leave a session where it is.
    assert found["A"] == old | {"description": "New", "extra_fields": extra}
    assert found["B"]["projects"] == [maps["id"]]
    assert sessions.tried(text, "Maps") == ["2 unchanged", "3 unchanged"]
    assert sessions.done(text, "Maps") == ["2 unchanged", "3 unchanged"]
    assert sessions.change_id is None


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ({"name": ""}, ["row 2, column name: This field is required."]),
        ({"name": "x" * 101}, ["row 2, column name: At most 100 characters; these are 101."]),
        (
            {"project": "Nope"},
            ["row 2, column project: There is no project “Nope” that you may use."],
        ),
        ({"project": ""}, ["row 2, column project: This field is required."]),
        (
            {"project": "Maps; Nope"},
            ["row 2, column project: “Maps; Nope”: There is no project “Nope” that you may use."],
        ),
        (
            {"date": "soon", "storage": "Where"},
            [
                "row 2, column date: “soon”: This is not a date and time, such as 2023-03-22T15:30:00Z.",
                "row 2, column storage: There is no data storage “Where” that you may use.",
            ],
        ),
        (
            {"date": "03/04/2023"},
            [
                "row 2, column date: 03/04/2023 can be 3 April or 4 March, and no date of this column "
                "tells which. Write dates as 2023-03-22."
            ],
        ),
        ({"name": "A\0"}, ["row 2, column name: “A�”: Contains a character that can't be stored."]),
        ({"room": "B\0"}, ["row 2, column room: “B�”: Contains a character that can't be stored."]),
        ({"tags": "t" * 201}, ["row 2, column tags: At most 200 characters; these are 201."]),
        (
            {"url": "zenodo.org"},
            [
                "row 2, column repository: This field is required.",
                "row 2, column url: “zenodo.org”: This is not an address that begins with http://, "
                "https:// or ftp:// and has a host.",
            ],
        ),
        (
            {"mirror url": "zenodo.org", "mirror repository": "Zenodo"},
            [
                "row 2, column mirror url: “zenodo.org”: This is not an address that begins with "
                "http://, https:// or ftp:// and has a host."
            ],
        ),
        (
            {"project": "00000000-0000-0000-0000-000000000000"},
            [
                "row 2, column project: “00000000-0000-0000-0000-000000000000”: There is no such project."
            ],
        ),
    ],
)
def test_a_row_that_is_wrong_says_where_and_why(ada, sessions, cells, lines):
    row = {
        "name": "A", "project": "Maps", "date": "", "tags": "", "storage": "", "room": "",
        "repository": "", "url": "", "mirror repository": "", "mirror url": "",
    } | cells  # fmt: skip
    text = "\n".join(",".join(each) for each in (row, row.values())) + "\n"
    assert sorted(sessions.tried(text)) == sorted(lines)
    with pytest.raises(Refused):
        sessions.done(text)
    assert by_name(ada) == {}


MIXED = "name,project,date\nA,Maps,\nB,Nope,\n\nA,Maps,\nC,Maps,2023-01-01,more\nname,project,date\nD,Maps\n"
REFUSALS = [
    "row 3, column project: There is no project “Nope” that you may use.",
    "row 5, column name: This session is in row 2 already.",
    "row 6: This row has 4 cells, the heading has 3. Perhaps a text with commas in it stands "
    "without quotation marks.",
    "row 7: This row repeats the heading.",
]


def test_one_refused_row_refuses_all(ada, sessions):
    assert sessions.tried(MIXED) == ["2 created", *REFUSALS, "8 created"]
    with pytest.raises(Refused) as caught:
        sessions.done(MIXED)
    assert said(caught.value.outcomes) == ["2 created", *REFUSALS, "8 created"]
    assert by_name(ada) == {}


def test_the_others_are_imported_where_that_is_asked_for(ada, sessions):
    assert sessions.done(MIXED, skip=True) == ["2 created", *REFUSALS, "8 created"]
    assert list(by_name(ada)) == ["A", "D"]


def test_nothing_is_stored_when_it_fails_at_the_end(ada, sessions):
    def fail(outcomes, change_id):
        raise RuntimeError("after the last row")

    with pytest.raises(RuntimeError):
        sessions.done("name\nA\nB\n", "Maps", finish=fail)
    assert by_name(ada) == {}


def test_names_are_those_that_the_person_may_use(ada, ben, sessions):
    secret, shown = ben.project("Secret"), ben.project("Shown")
    theirs = ben.session("Theirs", secret)
    ben.session("Seen", shown)
    ben.share("project", shown, ada.email, Role.MEMBER)
    text = "name,project,description\nA,Secret,\nB,Shown,\nSeen,,x\nTheirs,Maps,x\n"
    assert sessions.tried(text) == [
        "row 2, column project: There is no project “Secret” that you may use.",
        "row 3, column project: You may see the project “Shown”, but not use it.",
        "row 4: You may see this session, but not change or use it.",
        "row 5, column name: “Theirs”: Another session has this name.",
    ]
    assert ben.get(f"stem/session/{theirs['id']}/")["session"] == theirs
    ben.share("project", shown, ada.email, Role.CONTRIBUTOR)
    assert sessions.done("name,project,description\nB,Shown,\nSeen,,x\n") == [
        "2 created",
        "3 changed (Description)",
    ]


def test_the_import_is_one_change_that_can_be_taken_back(app, ada, sessions):
    ada.session("A", by_name(ada, "project", "projects")["Maps"], description="Old")
    before = by_name(ada)
    sessions.done("name,description\nA,New\nB,\nC,\n", "Maps")
    with app.app_context():
        (told,) = [
            change
            for change, _ in history.recent(sessions.actor)
            if change.id == sessions.change_id
        ]
        assert told.summary == "Import of table.csv: 3 sessions"
        assert (told.way, told.user_id) == ("command", ada.id)
        restoring.undo(sessions.actor, sessions.change_id)
    assert by_name(ada) == before


def test_subjects(ada):
    ada.project("Maps")
    subjects = Imports(ada, "subjects")
    text = (
        "project__name,subject__name,subject__sex,subject__species,subject__strain,"
        "subject__birth_date,weight\nMaps,rat1,Female,Rat,Long-Evans,14/02/2023,312.5\n"
        "Maps,rat2,m,,,2023-02-14 00:00:00,\nMaps,rat3,,,,02/03/2023,\nMaps,rat4,X,,,,\n"
    )
    assert subjects.tried(text)[3].startswith("row 5, column subject__sex: “X”: Choose one of F, M")
    assert subjects.done(text, skip=True)[:3] == ["2 created", "3 created", "4 created"]
    found = by_name(ada, "subject", "subjects")
    assert [(each["sex"], each["birth_date"]) for each in found.values()] == [
        ("F", "2023-02-14"),
        ("M", "2023-02-14"),
        ("U", "2023-03-02"),
    ]
    assert found["rat1"]["extra_fields"] == {"weight": 312.5}


def test_epochs_are_known_by_their_session_and_name(ada, ben):
    maps = ada.project("Maps")
    for name in ("A", "B"):
        ada.session(name, maps)
    ben.session("Hidden", ben.project("Secret"))
    epochs = Imports(ada, "epochs")
    text = (
        "project__name,session__name,epoch__name,epoch__start,epoch__end\n"
        "Maps,A,Base,0,00:10:00\nMaps,A,Task,PT10M,900.5\nMaps,B,Base,0,10\nMaps,A,Base,1,2\n"
        "Maps,B,Back,10,5\nMaps,Hidden,Base,0,1\nMaps,,Base,0,1\n"
    )
    assert epochs.tried(text) == [
        "2 created",
        "3 created",
        "4 created",
        "row 5, column epoch__name: This epoch is in row 2 already.",
        "row 6, column epoch__end: “5”: It can't end before it starts.",
        "row 7, column session__name: There is no session “Hidden” that you may use.",
        "row 8, column session__name: This field is required.",
    ]
    epochs.done(text, skip=True)
    again = "session;name;start;end\nA;Base;0;12,5\nB;Base;0;10\n"
    assert epochs.done(again) == ["2 changed (End)", "3 unchanged"]
    found = ada.get("stem/epoch/")["epochs"]
    assert sorted((each["name"], each["start"], each["end"]) for each in found) == [
        ("Base", "00:00:00", "00:00:10"),
        ("Base", "00:00:00", "00:00:12.500000"),
        ("Task", "00:10:00", "00:15:00.500000"),
    ]


def test_a_downloaded_list_comes_back_unchanged(ada, sessions):
    maps, sleep = by_name(ada, "project", "projects")["Maps"], ada.project("Sleep, or not")
    storages = [ada.storage("Server"), ada.storage("Archive, old")]
    ada.session(
        "A", sleep, maps,
        description="=1+1", tags=["a, b", "c"], date_time="2023-03-22T15:30:00Z",
        datastorage=[each["id"] for each in storages], extra_fields={"room": "B1"},
    )  # fmt: skip
    columns = ["name", "date_time", "description", "projects", "datastorage", "tags"]
    response = ada.browser().get("/sessions/download.csv", query_string={"columns": columns})
    assert response.status_code == 200
    assert sessions.tried(response.get_data()) == ["2 unchanged"]


def test_the_work_for_a_row_does_not_grow_with_the_table(app, ada, sessions, statements):
    ada.storage("Server")
    rows = "".join(f"s{n},a;b,Server\n" for n in range(60))
    sessions.done(f"name,tags,storage\n{rows[: len(rows) // 3]}", "Maps", skip=True)
    statements.clear()
    sessions.done(f"name,tags,storage\n{rows}", "Maps", skip=True)
    # Rows that are there already are looked up together, and nothing is asked for twice.
    assert len(statements) < 60 * 12
