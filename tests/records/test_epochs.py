"""Epochs: stretches of a session, measured from its onset, that name the session's modules."""

from __future__ import annotations

import pytest

EPOCHS = "stem/epoch/"


@pytest.fixture
def lab(ada):
    """A session with two of each module, and another session with one of each."""
    project = ada.project()
    subject = ada.made("stem/subject/", {"name": "Mouse", "projects": [project["id"]]})
    made = {"session": ada.session("Monday", project), "other": ada.session("Tuesday", project)}
    for session, numbers in (("session", "12"), ("other", "3")):
        where = {"session": made[session]["id"]}
        for number in numbers:
            made[f"b{number}"] = ada.made(
                "modules/behavior/", where | {"subjects": [subject["id"]]}
            )
            made[f"d{number}"] = ada.made("modules/dataacquisition/", where | {"type": "Audio"})
            made[f"m{number}"] = ada.made(
                "modules/manipulation/", where | {"type": "TactileStimulation"}
            )
    return {name: record["id"] for name, record in made.items()}


@pytest.fixture
def epoch(ada, lab):
    """Makes an epoch of the session."""

    def make(name="Rest", **fields):
        return ada.made(EPOCHS, {"name": name, "session": lab["session"], **fields})

    return make


def patched(ada, record, **fields):
    return ada("PATCH", f"{EPOCHS}{record['id']}", fields)


GOOD = [
    (0, "00:00:00"),
    (300, "00:05:00"),
    (0.25, "00:00:00.250000"),
    (12.000001, "00:00:12.000001"),
    (90061, "25:01:01"),
    ("300", "00:05:00"),
    ("0.5", "00:00:00.500000"),
    (" 00:05:00 ", "00:05:00"),
    ("00:00:00.5", "00:00:00.500000"),
    ("00:00:00.000001", "00:00:00.000001"),
    ("100:00:00", "100:00:00"),
    ("PT5M", "00:05:00"),
    ("PT1H2M3.5S", "01:02:03.500000"),
    ("P1DT1S", "24:00:01"),
    ("P1W", "168:00:00"),
    ("pt90s", "00:01:30"),
    (3650 * 86400, "87600:00:00"),
    (None, None),
]
BAD = [-1, -0.001, "-1", "-00:00:01", "", "x", "5 minutes", "5:00", "00:60:00", "00:00:60", "P", "PT",
       "P1Y", "PT5", "P1H", "PTM", "1e999", 10**400, 1e300, 3650 * 86400 + 1, True, [], {}]  # fmt: skip


def test_durations_come_in_many_ways_and_go_out_in_one(subtests, ada, epoch):
    rest = epoch()
    for sent, shown in GOOD:
        with subtests.test(sent=sent):
            answer = patched(ada, rest, start=sent)
            assert (answer.status_code, answer.json["epoch"]["start"]) == (200, shown)
            # What went out comes in again.
            assert patched(ada, rest, start=shown).json["epoch"] == answer.json["epoch"]
    for sent in BAD:
        with subtests.test(sent=str(sent)[:20]):
            answer = patched(ada, rest, start=sent)
            assert (answer.status_code, list(answer.json)) == (400, ["start"])
    assert ada.get(EPOCHS)["epochs"] == [rest]


# start and end as stored, what is sent, whether it fits
ORDERS = [
    ((None, None), {"start": 5, "end": 5}, True),
    ((None, None), {"start": 5, "end": 4.999999}, False),
    ((None, None), {"end": 4}, True),
    ((5, 10), {"start": 10}, True),
    ((5, 10), {"start": 10.5}, False),
    ((5, 10), {"end": 5}, True),
    ((5, 10), {"end": 4}, False),
    ((5, 10), {"start": 20, "end": 30}, True),
    ((5, 10), {"start": None, "end": 1}, True),
    ((5, 10), {"end": None, "start": 99}, True),
    ((5, None), {"end": 4}, False),
    ((None, 5), {"start": 6}, False),
]


def test_an_epoch_never_ends_before_it_starts(subtests, ada, epoch):
    rest = epoch()
    for (start, end), sent, fits in ORDERS:
        with subtests.test(start=start, end=end, sent=sent):
            before = patched(ada, rest, start=start, end=end).json
            answer = patched(ada, rest, **sent)
            if fits:
                assert answer.status_code == 200
            else:
                assert (answer.status_code, list(answer.json)) == (400, ["end"])
                assert ada.get(f"{EPOCHS}{rest['id']}") == before
    payload = {"name": "New", "session": rest["session"], "start": 2, "end": 1}
    assert list(ada("POST", EPOCHS, payload).json) == ["end"]


def test_a_session_lists_its_epochs_by_start(ada, epoch, lab):
    starts = {"D": None, "B": 10, "C": 10, "A": 9.5, "E": None, "Z": 0}
    ids = {epoch(name, start=start)["id"]: name for name, start in starts.items()}
    expected = ["Z", "A", "B", "C", "D", "E"]
    session = ada.get(f"stem/session/{lab['session']}")["session"]
    assert [ids[each] for each in session["epochs"]] == expected
    for where in (f"stem/session/{lab['session']}/epochs/", f"{EPOCHS}?sort[]=start&sort[]=name"):
        assert [each["name"] for each in ada.get(where)["epochs"]] == expected
    last_first = ada.get(f"{EPOCHS}?sort[]=-start&sort[]=name")["epochs"]
    assert [each["name"] for each in last_first] == ["B", "C", "A", "Z", "D", "E"]


def test_modules_are_of_the_same_session(subtests, ada, epoch, lab):
    rest = epoch()
    for name, letter in (("behaviors", "b"), ("dataacquisition", "d"), ("manipulations", "m")):
        one, two, foreign = (lab[f"{letter}{number}"] for number in "123")
        with subtests.test(field=name):
            assert patched(ada, rest, **{name: [two, one]}).json["epoch"][name] == [two, one]
            answer = patched(ada, rest, **{name: [one, foreign]})
            assert (answer.status_code, list(answer.json)) == (400, [name])
            assert list(answer.json[name]) == ["1"]
            answer = patched(ada, rest, **{name: [one, one]})
            assert list(answer.json[name]) == ["1"]
            payload = {"name": "New", "session": lab["session"], name: [foreign]}
            assert list(ada("POST", EPOCHS, payload).json) == [name]
            # An epoch that names modules stays with them; empty, it may go.
            answer = patched(ada, rest, session=lab["other"])
            assert (answer.status_code, list(answer.json)) == (400, [name])
            both = {"session": lab["other"], name: [foreign]}
            assert patched(ada, rest, **both).json["epoch"][name] == [foreign]
            assert patched(ada, rest, session=lab["session"], **{name: []}).status_code == 200


def test_a_data_acquisition_is_in_one_epoch_and_others_in_any_number(ada, epoch, lab):
    everything = {
        "behaviors": [lab["b1"], lab["b2"]],
        "dataacquisition": [lab["d1"]],
        "manipulations": [lab["m1"]],
    }
    rest = epoch("Rest", **everything)
    task = epoch("Task", **everything | {"dataacquisition": []})
    answer = patched(ada, task, dataacquisition=[lab["d2"], lab["d1"]])
    assert answer.status_code == 400
    assert list(answer.json["dataacquisition"]) == ["1"]
    assert "Rest" in answer.json["dataacquisition"]["1"][0]
    assert patched(ada, rest, dataacquisition=[lab["d1"], lab["d2"]]).status_code == 200
    assert patched(ada, rest, dataacquisition=[lab["d2"]]).status_code == 200
    assert patched(ada, task, dataacquisition=[lab["d1"]]).status_code == 200


@pytest.mark.parametrize(
    ("field", "module", "address"),
    [
        ("behaviors", "b1", "modules/behavior/"),
        ("dataacquisition", "d1", "modules/dataacquisition/"),
        ("manipulations", "m1", "modules/manipulation/"),
    ],
)
def test_a_module_that_an_epoch_names_stays(ada, epoch, lab, field, module, address):
    rest = epoch("Quiet rest", **{field: [lab[module]]})
    answer = ada("DELETE", f"{address}{lab[module]}")
    assert (answer.status_code, list(answer.json)) == (400, ["detail"])
    assert "“Quiet rest”" in answer.json["detail"]
    answer = ada("PATCH", f"{address}{lab[module]}", {"session": lab["other"]})
    assert (answer.status_code, list(answer.json)) == (400, ["session"])
    assert ada.get(f"{EPOCHS}{rest['id']}")["epoch"][field] == [lab[module]]
    assert patched(ada, rest, **{field: []}).status_code == 200
    assert ada("DELETE", f"{address}{lab[module]}").status_code == 204


def test_deleting_an_epoch_leaves_its_modules(ada, epoch, lab):
    rest = epoch(behaviors=[lab["b1"]], dataacquisition=[lab["d1"]], manipulations=[lab["m1"]])
    assert ada("DELETE", f"{EPOCHS}{rest['id']}").status_code == 204
    session = ada.get(f"stem/session/{lab['session']}")["session"]
    assert session["epochs"] == []
    assert session["behaviors"] == [lab["b1"], lab["b2"]]


def test_deleting_a_session_takes_along_what_belongs_to_it(ada, epoch, lab):
    epoch(behaviors=[lab["b1"]], dataacquisition=[lab["d1"]], manipulations=[lab["m1"]])
    epoch("Task", behaviors=[lab["b1"], lab["b2"]])
    assert ada("DELETE", f"stem/session/{lab['session']}").status_code == 204
    assert ada.get(EPOCHS)["epochs"] == []
    for kind, left in (("behavior", "b3"), ("dataacquisition", "d3"), ("manipulation", "m3")):
        (key, records), *_ = ada.get(f"modules/{kind}/").items()
        assert [each["id"] for each in records] == [lab[left]], key
    assert ada.get("stem/subject/")["count"] == 1


def test_names_are_unique_within_the_session_also_when_moved(ada, epoch, lab):
    epoch("Rest")
    task = epoch("Task")
    elsewhere = ada.made(EPOCHS, {"name": "Rest", "session": lab["other"]})
    assert list(patched(ada, task, name="Rest").json) == ["name"]
    assert list(patched(ada, elsewhere, session=lab["session"]).json) == ["name"]
    assert patched(ada, elsewhere, session=lab["session"], name="Sleep").status_code == 200


def test_durations_can_be_filtered_by(subtests, ada, epoch):
    for name, start in {"A": 0, "B": 300, "C": 300.5, "D": None}.items():
        epoch(name, start=start)
    for query, expected in [
        ("filter{start}=300", "B"),
        ("filter{start}=00:05:00", "B"),
        ("filter{start}=PT5M", "B"),
        ("filter{start.gt}=PT5M", "C"),
        ("filter{start.lte}=300.5", "ABC"),
        ("filter{start.in}=0,PT5M", "AB"),
        ("filter{start.isnull}=true", "D"),
        ("filter{-start}=0", "BCD"),
    ]:
        with subtests.test(query=query):
            found = ada.get(EPOCHS, query_string=query)
            assert "".join(sorted(each["name"] for each in found["epochs"])) == expected
    answer = ada("GET", f"{EPOCHS}?filter{{start}}=soon")
    assert (answer.status_code, list(answer.json)) == (400, ["filter{start}"])


def test_a_stranger_learns_no_names_from_what_is_wrong(ada, ben, epoch, lab):
    """What an epoch of another's session is called, and what it names, is not said in an error."""
    epoch("Secret", dataacquisition=[lab["d1"]])
    own = ben.session("Ben's", ben.project("Ben's"))
    hers = {"session": lab["session"]}
    for payload in (
        hers | {"name": "Secret"},
        hers | {"name": "New", "dataacquisition": [lab["d1"]]},
        {"session": own["id"], "name": "New", "dataacquisition": [lab["d1"]]},
    ):
        answer = ben("POST", EPOCHS, payload)
        assert (answer.status_code, list(answer.json)) == (403, ["detail"])
        assert "Secret" not in answer.text
