"""Every kind of record keeps the promises of contract §1, §3, §6 and §10: see `tests/kinds.py`."""

from __future__ import annotations

from uuid import uuid4

import pytest

from brainstem.core.resource import registry
from tests.kinds import KINDS, LEAST, OPTIONAL, filled, ids_of, one_of_each

ENVELOPE = ["count", "next", "previous", "meta"]
META = ["total_results", "total_pages", "page", "per_page", "filters", "sort"]

PRIVATE_ONLY = {"sessiondatastorage", "user", "group"}

#: The longest text that a field takes.
LONGEST = {
    "project": {"name": 200},
    "subject": {"name": 100},
    "session": {"name": 100},
    "collection": {"name": 100},
    "cohort": {"name": 100},
    "epoch": {"name": 100, "notes": 500},
    "behavior": {"notes": 500},
    "dataacquisition": {"notes": 500},
    "manipulation": {"notes": 500},
    "procedure": {"type": 100, "notes": 500},
    "equipment": {"type": 100, "notes": 500},
    "subjectlog": {"type": 100, "description": 500},
    "datastorage": {"name": 100, "location": 100, "description": 500},
    "setup": {"name": 50, "description": 500},
    "behavioralassay": {"name": 50, "description": 500},
}

WORDS = {
    ("subject", "sex"): "F M U",
    ("dataacquisition", "type"): """
        Audio BehavioralTracking ComputedTomography ConfocalMicroscopy Electroencephalography
        Electroneurogram ExtracellularEphys FiberPhotometry FunctionalMagneticResonanceImaging
        FunctionalUltrasoundImaging GeneralTimeSeries IntracellularEphys LightFieldMicroscopy
        MagneticResonanceImaging Magnetoencephalography Miniscope OpticalCoherenceTomography
        PositronEmissionTomography SinglePhotonEmissionComputedTomography SinglePhotonMicroscopy
        ThreePhotonMicroscopy TwoPhotonMicroscopy VideoTracking""",
    ("manipulation", "type"): """
        AuditoryStimulation DeepBrainStimulation ElectricalStimulation
        ElectromagneticFieldStimulation LiquidPerturbation Microperfusion MultisensoryStimulation
        OdorStimulation OptogeneticStimulation PharmacologicalInhalation PharmacologicalInjection
        PharmacologicalSuperfusion TactileStimulation ThermalPerturbation
        TranscranialElectricalStimulation TranscranialMagneticStimulation UltrasoundStimulation
        VisualStimulation""",
}

#: Names that no two records share: kind → what they are unique in (nothing: everywhere).
UNIQUE = {
    "project": None,
    "subject": None,
    "session": None,
    "datastorage": None,
    "group": None,
    "epoch": "session",
}


@pytest.fixture
def lab(ada):
    """Ada's record of every kind."""
    return one_of_each(ada)


def address_of(kind, record=None):
    return f"{KINDS[kind].address}/" + (f"{record['id']}/" if record else "")


def another(kind, lab):
    """The least payload for one more record beside the lab's."""
    payload = filled(LEAST[kind], ids_of(lab))
    return payload | ({"name": "Another"} if "name" in payload else {})


def sample(kind, lab):
    """A payload with every field."""
    more = {name: value for name, (_, value) in OPTIONAL[kind].items()}
    return another(kind, lab) | filled(more, ids_of(lab))


def is_text(value):
    return isinstance(value, str) and not value.startswith("{")


# -- What a record looks like ------------------------------------------------------------------


def test_every_kind_stands_in_the_table():
    """A new kind belongs into `tests/kinds.py`, and is then held to all that is said here."""
    known = {kind.name: (kind.app, kind.key, kind.keys) for kind in registry}
    assert known == {kind.name: (kind.app, kind.key, kind.keys) for kind in KINDS.values()}
    assert KINDS.keys() == LEAST.keys() | {"user"} == OPTIONAL.keys() | {"user"}


def test_keys_stand_in_the_promised_order(subtests, ada, lab):
    lab["user"] = ada.get("users/user/")["users"][0]
    for kind, expected in KINDS.items():
        with subtests.test(kind=kind):
            listed = ada.get(address_of(kind))
            assert list(listed) == [expected.keys, *ENVELOPE]
            assert list(listed["meta"]) == META
            one = ada.get(address_of(kind, lab[kind]))
            assert list(one) == [expected.key]
            assert list(one[expected.key]) == expected.fields
            assert one[expected.key] in listed[expected.keys]


def test_the_public_portal_shows_the_same_less_its_people(subtests, ada, lab):
    for kind in ("project", "datastorage", "setup", "behavioralassay"):
        assert ada("PATCH", address_of(kind, lab[kind]), {"is_public": True}).status_code == 200
    for kind, expected in KINDS.items():
        with subtests.test(kind=kind):
            listed = ada("GET", f"/api/public/{address_of(kind)}")
            if kind in PRIVATE_ONLY:
                assert listed.status_code == 404
                continue
            assert list(listed.json) == [expected.keys, *ENVELOPE]
            (record,) = listed.json[expected.keys]
            assert list(record) == [n for n in expected.fields if n not in ("users", "groups")]
            private = ada.get(address_of(kind, lab[kind]))[expected.key]
            # Users are not shown to the public, so a log has nobody who began it.
            private |= {"user": None} if kind == "subjectlog" else {}
            assert record == {name: private[name] for name in record}
            one = ada("GET", f"/api/public/{address_of(kind, lab[kind])}")
            assert one.json == {expected.key: record}
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                where = address_of(kind, lab[kind] if method != "POST" else None)
                answer = ada(method, f"/api/public/{where}", {})
                assert answer.status_code == 405
                assert {"GET", "HEAD", "OPTIONS"} == set(answer.headers["Allow"].split(", "))


def test_what_nobody_gave_is_empty(subtests, lab):
    for kind, fields in OPTIONAL.items():
        with subtests.test(kind=kind):
            expected = {name: default for name, (default, _) in fields.items()}
            # The session's storages: one was attached by its row, after the session was made.
            assert {name: lab[kind][name] for name in fields} == expected


def test_a_record_comes_back_as_it_was_sent(subtests, ada, lab):
    for kind in OPTIONAL:
        if kind == "sessiondatastorage":
            continue
        with subtests.test(kind=kind):
            payload = sample(kind, lab)
            answer = ada("POST", address_of(kind), payload)
            assert answer.status_code == 201, answer.json
            record = answer.json[KINDS[kind].key]
            assert {name: record[name] for name in payload} == payload
            where = address_of(kind, record)
            assert answer.headers["Location"].endswith(f"/api/private/{where}")
            again = ada("GET", where)
            assert again.json[KINDS[kind].key] == record
            assert again.headers["ETag"] == answer.headers["ETag"]
            # For the next kind, whose sample may name the same (a data acquisition has one epoch).
            assert ada("DELETE", where).status_code == 204


# -- What a payload may be ---------------------------------------------------------------------


def test_what_is_required_is_missed_all_at_once(subtests, ada, lab):
    for kind, least in LEAST.items():
        with subtests.test(kind=kind):
            answer = ada("POST", address_of(kind), {})
            assert (answer.status_code, answer.json.keys()) == (400, least.keys())
            payload = another(kind, lab)
            for name in least:
                rest = {each: payload[each] for each in payload if each != name}
                for body in (
                    rest,
                    rest | {name: None},
                    rest | {name: "" if is_text(payload[name]) else []},
                ):
                    answer = ada("POST", address_of(kind), body)
                    assert (answer.status_code, list(answer.json)) == (400, [name]), body
            assert ada.get(address_of(kind))["count"] == 1


def test_texts_have_their_limits(subtests, ada, lab):
    for kind, fields in LONGEST.items():
        for name, most in fields.items():
            with subtests.test(kind=kind, field=name):
                where = address_of(kind, lab[kind])
                answer = ada("PATCH", where, {name: "É" * (most + 1)})
                assert (answer.status_code, list(answer.json)) == (400, [name])
                answer = ada("PATCH", where, {name: "É" * most})
                assert answer.json[KINDS[kind].key][name] == "É" * most


def test_some_texts_are_one_of_a_few_words(subtests, ada, lab):
    for (kind, name), words in WORDS.items():
        with subtests.test(kind=kind, field=name):
            where = address_of(kind, lab[kind])
            for word in words.split():
                assert ada("PATCH", where, {name: word}).json[KINDS[kind].key][name] == word
            for wrong in (word.lower(), "Other", ""):
                answer = ada("PATCH", where, {name: wrong})
                assert (answer.status_code, list(answer.json)) == (400, [name])
    storage = address_of("datastorage", lab["datastorage"])
    levels = ["Projects", "Collections", "Cohorts", "Subjects", "Sessions", "Years"]
    rows = [{"elements": each} for each in levels]
    answer = ada("PATCH", storage, {"data_organization": rows})
    assert answer.json["datastorage"]["data_organization"] == rows
    answer = ada("PATCH", storage, {"data_organization": [rows[0], {"elements": "Months"}]})
    assert (answer.status_code, list(answer.json["data_organization"])) == (400, ["1"])


def test_null_is_for_what_can_be_empty_of_a_value(subtests, ada, lab):
    for kind, fields in OPTIONAL.items():
        where = address_of(kind, lab[kind])
        for name, (default, value) in fields.items():
            with subtests.test(kind=kind, field=name):
                ada("PATCH", where, {name: filled(value, ids_of(lab))})
                answer = ada("PATCH", where, {name: None})
                if default is None:
                    assert answer.json[KINDS[kind].key][name] is None
                else:
                    assert (answer.status_code, list(answer.json)) == (400, [name])


def test_a_subject_is_born_before_it_dies(ada):
    project = ada.project()
    rat = {"name": "Rat", "projects": [project["id"]], "birth_date": "2020-01-02"}
    wrong = ["It can't die before it is born."]
    answer = ada("POST", "stem/subject", rat | {"death_date": "2020-01-01"})
    assert (answer.status_code, answer.json) == (400, {"death_date": wrong})
    made = ada.made("stem/subject", rat | {"death_date": "2020-01-02"})
    for field, day, status in (
        ("birth_date", "2020-01-03", 400),
        ("death_date", "2019-12-31", 400),
        ("birth_date", None, 200),
        ("death_date", "2019-12-31", 200),
        ("birth_date", "2019-12-30", 200),
    ):
        answer = ada("PATCH", f"stem/subject/{made['id']}", {field: day})
        assert answer.status_code == status
        assert status == 200 or answer.json == {field: wrong}


def test_a_field_that_does_not_exist_is_said_to(subtests, ada, lab):
    for kind in LEAST:
        with subtests.test(kind=kind):
            payload = another(kind, lab) | {"nmae": "x"}
            for method, record in (("POST", None), ("PUT", lab[kind]), ("PATCH", lab[kind])):
                answer = ada(method, address_of(kind, record), payload)
                assert answer.status_code == 400
                assert answer.json["nmae"] == ["Unknown field."]
            assert ada.get(address_of(kind))["count"] == 1


@pytest.mark.parametrize("value", [7.5, 10**30, "\0", {"a": [None]}, [[]]], ids=range(5))
def test_a_value_of_another_kind_is_400_and_never_500(subtests, ada, lab, value):
    """A value that happens to fit is stored, and can be read again."""
    for kind in LEAST:
        where = address_of(kind, lab[kind])
        for name in lab[kind]:
            with subtests.test(kind=kind, field=name):
                answer = ada("PATCH", where, {name: value})
                assert answer.status_code in (200, 400), answer.json
                if answer.status_code == 400:
                    assert list(answer.json) == [name]
        assert ada("GET", where).status_code == 200


def test_details_hold_no_number_that_json_has_not(subtests, ada, lab):
    for kind in ("dataacquisition", "manipulation", "procedure", "equipment"):
        where = address_of(kind, lab[kind])
        for number in ("1e400", "-1e400", "9" * 5000, "NaN", "-Infinity"):
            with subtests.test(kind=kind, number=number[:9]):
                body = f'{{"details": {{"a": {number}}}}}'
                answer = ada("PATCH", where, data=body, content_type="application/json")
                assert answer.status_code == 400, answer.json
        assert ada.get(where)[KINDS[kind].key] == lab[kind]


# -- Changes -----------------------------------------------------------------------------------


def test_patch_changes_what_is_given_and_put_all(subtests, ada, lab):
    for kind, fields in OPTIONAL.items():
        if kind == "sessiondatastorage":
            continue
        with subtests.test(kind=kind):
            where, key = address_of(kind, lab[kind]), KINDS[kind].key
            before = ada.get(where)[key]
            for name, (_, value) in fields.items():
                wanted = filled(value, ids_of(lab))
                before[name] = wanted
                assert ada("PATCH", where, {name: wanted}).json[key] == before
            assert ada.get(where)[key] == before
            least = {name: before[name] for name in LEAST[kind]}
            defaults = {name: default for name, (default, _) in fields.items()}
            assert ada("PUT", where, least).json[key] == before | defaults
            assert ada.get(where)[key] == before | defaults


def test_what_was_read_can_be_sent_back(subtests, ada, lab):
    for kind in LEAST:
        for method in ("PUT", "PATCH"):
            with subtests.test(kind=kind, method=method):
                where = address_of(kind, lab[kind])
                before = ada("GET", where)
                answer = ada(method, where, before.json[KINDS[kind].key])
                assert (answer.status_code, answer.json) == (200, before.json)
                assert answer.headers["ETag"] == before.headers["ETag"]


def test_what_is_read_only_is_taken_and_ignored(subtests, ada, lab):
    for kind in LEAST:
        writable = LEAST[kind].keys() | OPTIONAL[kind].keys() | {"order", "users", "groups"}
        fixed = [name for name in KINDS[kind].fields if name not in writable]
        with subtests.test(kind=kind, fields=fixed):
            before = ada.get(address_of(kind, lab[kind]))
            payload = dict.fromkeys(fixed, "changed")
            answer = ada("PATCH", address_of(kind, lab[kind]), payload)
            assert (answer.status_code, answer.json) == (200, before)


def test_names_that_are_unique(subtests, ada, lab):
    for kind, within in UNIQUE.items():
        with subtests.test(kind=kind):
            payload = filled(LEAST[kind], ids_of(lab))
            answer = ada("POST", address_of(kind), payload)
            assert (answer.status_code, list(answer.json)) == (400, ["name"])
            other = ada.made(address_of(kind), another(kind, lab))
            answer = ada("PATCH", address_of(kind, other), {"name": payload["name"]})
            assert (answer.status_code, list(answer.json)) == (400, ["name"])
            # Compared exactly.
            ada.made(address_of(kind), payload | {"name": payload["name"].upper()})
            if within:
                place = ada.made(address_of(within), another(within, lab) | {"name": "Elsewhere"})
                ada.made(address_of(kind), payload | {within: place["id"]})


def test_names_that_need_not_be_unique(subtests, ada, lab):
    for kind in ("collection", "cohort", "setup", "behavioralassay"):
        with subtests.test(kind=kind):
            ada.made(address_of(kind), filled(LEAST[kind], ids_of(lab)))


# What can't be deleted while something needs it, and who that is.
NEEDED = [
    ("project", ["session", "subject"]),
    ("datastorage", ["session"]),
    ("subject", ["behavior", "procedure"]),
    ("setup", ["equipment"]),
]


def test_what_is_in_use_stays(subtests, ada, lab):
    for kind, users in NEEDED:
        with subtests.test(kind=kind):
            answer = ada("DELETE", address_of(kind, lab[kind]))
            assert answer.status_code == 400
            for each in users:
                assert f"1 {each}" in answer.json["detail"]
            assert ada("GET", address_of(kind, lab[kind])).status_code == 200


def test_every_kind_can_be_deleted(subtests, ada, lab):
    for kind in reversed(LEAST):
        with subtests.test(kind=kind):
            where = address_of(kind, lab[kind])
            answer = ada("DELETE", where)
            assert (answer.status_code, answer.data) == (204, b"")
            for method in ("GET", "DELETE"):
                assert ada(method, where).status_code == 404
            for method in ("PATCH", "PUT"):
                assert ada(method, where, {}).status_code == 404
            assert ada.get(address_of(kind))["count"] == 0


# -- Addresses ---------------------------------------------------------------------------------


def test_every_relation_has_its_address(subtests, ada, lab):
    for kind, entry in KINDS.items():
        if kind == "user":
            continue
        record = ada.get(address_of(kind, lab[kind]))[entry.key]
        links = record.get("links", {})
        assert all(suffix == f"{name}/" for name, suffix in links.items())
        relations = {name: value for name, value in record.items() if is_relation(kind, name)}
        assert links.keys() <= relations.keys()
        for name, value in relations.items():
            with subtests.test(kind=kind, relation=name):
                found = ada.get(f"{address_of(kind, record)}{name}")
                ids = value if isinstance(value, list) else [value] if value else []
                assert list(found)[1:] == ENVELOPE
                assert [each["id"] for each in next(iter(found.values()))] == ids
                assert found["count"] == len(ids)


def is_relation(kind, name):
    return name in dict(registry.get(kind).schema.references())


def test_addresses_answer_with_and_without_the_slash_and_name_their_methods(subtests, ada, lab):
    for kind in LEAST:
        lists, one = address_of(kind), address_of(kind, lab[kind])
        for address, allowed in ((lists, "GET POST"), (one, "GET PATCH PUT DELETE")):
            with subtests.test(kind=kind, address=address):
                expected = {*allowed.split(), "HEAD", "OPTIONS"}
                for where in (address, address.rstrip("/")):
                    assert ada("GET", where).status_code == 200
                    assert (ada("HEAD", where).status_code, ada("HEAD", where).data) == (200, b"")
                    answer = ada("OPTIONS", where)
                    assert answer.status_code in (200, 204)
                    assert set(answer.headers["Allow"].split(", ")) == expected
                    for method in {"POST", "PATCH", "PUT", "DELETE", "TRACE"} - expected:
                        answer = ada(method, where)
                        assert (answer.status_code, list(answer.json)) == (405, ["detail"])
                        assert set(answer.headers["Allow"].split(", ")) == expected


def test_what_is_not_there_is_404(subtests, ada, lab):
    for kind, entry in KINDS.items():
        for where in (f"{entry.address}/{uuid4()}", f"{entry.address}/nothing"):
            with subtests.test(where=where):
                methods = ("GET",) if kind == "user" else ("GET", "PATCH", "PUT", "DELETE")
                for method in methods:
                    answer = ada(method, where, None if method == "GET" else {})
                    assert (answer.status_code, list(answer.json)) == (404, ["detail"])
                assert ada("GET", f"{where}/projects/").status_code == 404


def test_users_are_only_read(ada, ben):
    listed = ada.get("users/user/")
    assert [user["email"] for user in listed["users"]] == ["ada@lab.org", "ben@lab.org"]
    one = f"users/user/{ben.id}/"
    assert ada.get(one) == {"user": listed["users"][1]}
    for method, where in [("POST", "users/user/"), *((m, one) for m in ("PATCH", "PUT", "DELETE"))]:
        answer = ada(method, where, {"first_name": "Eve"})
        assert (answer.status_code, list(answer.json)) == (405, ["detail"])
        assert "GET" in answer.headers["Allow"]
    assert ada.get("users/user/") == listed
    assert "password" not in str(listed)


def test_a_log_says_who_began_it(ada, ben, lab):
    assert lab["subjectlog"]["user"] == str(ada.id)
    where = address_of("subjectlog", lab["subjectlog"])
    assert ada("PATCH", where, {"user": str(ben.id)}).json["subject_log"]["user"] == str(ada.id)


def test_entries_of_a_log_are_judged_one_by_one(subtests, ada, lab):
    where = address_of("subjectlog", lab["subjectlog"])
    good = {"date_time": "2023-03-22T15:30:00Z"}
    for entries, wrong in [
        ([good, {}], {"1": ["date_time"]}),
        ([good | {"date_time": None}], {"0": ["date_time"]}),
        ([good | {"date_time": "noon"}], {"0": ["date_time"]}),
        ([good | {"notes": 7}, good | {"details": []}], {"0": ["notes"], "1": ["details"]}),
        ([good | {"weight": 22}], {"0": ["weight"]}),
    ]:
        with subtests.test(entries=entries):
            answer = ada("PATCH", where, {"entries": entries})
            assert answer.status_code == 400
            found = {place: list(each) for place, each in answer.json["entries"].items()}
            assert found == wrong
    for entries in ({}, "x", ["x"], None):
        assert ada("PATCH", where, {"entries": entries}).status_code == 400
    answer = ada("PATCH", where, {"entries": [{"date_time": "2023-03-22 16:30+01:00"}]})
    assert answer.json["subject_log"]["entries"] == [good | {"notes": "", "details": {}}]


def test_the_procedures_of_a_subject_stand_in_their_order_those_without_a_time_last(ada, lab):
    subject = ada.made("stem/subject/", {"name": "R99", "projects": [lab["project"]["id"]]})
    made = {}
    for name, moment in (("no time", None), ("later", "2026-03-02"), ("first", "2026-03-01")):
        payload = {"type": name, "subject": subject["id"], "date_time": moment}
        made[name] = ada.made("modules/procedure/", payload)["id"]
    shown = ada.get(f"stem/subject/{subject['id']}/")["subject"]["procedures"]
    assert shown == [made["first"], made["later"], made["no time"]]
    listed = ada.get(f"stem/subject/{subject['id']}/procedures/")["procedures"]
    assert [each["id"] for each in listed] == shown
