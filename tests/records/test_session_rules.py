"""Every rule of a session's fields (contract §4): what is stored, or what is said to be wrong."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from brainstem.core.schemas import REQUIRED, ExtraFields

SESSIONS = "stem/session"
NULL = "This field may not be null."
UNKNOWN = "Unknown field."
UNSTORABLE = "Contains a character that can't be stored."
NO_TEXT, NO_ID, NO_DATE = "This is not a text.", "This is not an id.", "This is not a date and time"
NO_OBJECT, NO_VALUE = "This is not a JSON object.", "A value is a text or a number."
NO_ADDRESS = "This is not an address that begins with"
LONG = "At most 100 characters; these are 101."


def link(url="https://dandiarchive.org/x", repository="DANDI", **more):
    return {"repository": repository, "url": url, **more}


# field, what is sent, what is stored
GOOD = [
    ("name", "Cori_2016-12-14", "Cori_2016-12-14"),
    ("name", "  trimmed \n", "trimmed"),
    ("name", "x" * 100, "x" * 100),
    ("name", "\U0001f9e0" * 100, "\U0001f9e0" * 100),
    ("name", "two\nlines", "two\nlines"),
    ("description", "", ""),
    ("description", " kept\r\nto *the* <b>letter</b>\n\n", " kept\r\nto *the* <b>letter</b>\n\n"),
    ("description", "x" * 100_000, "x" * 100_000),
    ("date_time", None, None),
    ("datastorage", [], []),
    ("extra_fields", {}, {}),
    ("extra_fields", {"b": 1, "a": 2, "C": 3, "_x".strip("_"): 4}, None),
    ("extra_fields", {"a_1": "B115"}, None),
    ("extra_fields", {"empty": "", "blank": "  ", "lines": "a\r\nb"}, None),
    ("extra_fields", {"whole": 22, "part": 22.0, "small": 1e-300, "minus": -0.5}, None),
    ("extra_fields", {"thirty": 123456789012345678901234567890}, None),
    ("extra_fields", {"long": 10**308, "minus": -(10**308)}, None),
    ("extra_fields", {"precise": 0.1234567890123456}, None),
    ("download_links", [], []),
    ("download_links", [link("https://a.org/1"), link("http://b.org:8080/?q#f", "Other")], None),
    ("download_links", [link("ftp://user@c.org/x"), link("ftp://user@c.org/x")], None),
    ("download_links", [link("HTTPS://EXAMPLE.ORG/É")], None),
    *(
        ("download_links", [link(repository=repository)], None)
        for repository in (
            [
                "CRCNS",
                "DANDI",
                "Figshare",
                "GitHub",
                "Globus",
                "Mendeley",
                "Zenodo",
                "Webshare",
                "Other",
            ]
        )
    ),
    ("tags", [], []),
    ("tags", ["mouse", " mouse ", "brain", "mouse"], ["mouse", "brain"]),
    ("tags", ["b", "a", "B"], ["b", "a", "B"]),
    ("tags", ["a, b", 'say "x"', "é"], None),
    ("tags", ["x" * 200], None),
]

# field, what is sent, the message at the field or at its positions (its beginning)
BAD = [
    ("name", None, NULL),
    ("name", "", REQUIRED),
    ("name", " \n", REQUIRED),
    ("name", "\u200b \u2060\ufeff", REQUIRED),
    ("name", "\x01\x7f", REQUIRED),
    ("name", "\u3164\u2800\ufe0f\u034f", REQUIRED),
    ("name", "x" * 101, LONG),
    ("name", 7, NO_TEXT),
    ("name", ["x"], NO_TEXT),
    ("name", True, NO_TEXT),
    ("description", None, NULL),
    ("description", 7, NO_TEXT),
    ("projects", None, NULL),
    ("projects", [], "Name at least one."),
    ("projects", "x", "This is not a list of ids."),
    ("projects", {}, "This is not a list of ids."),
    ("projects", ["x"], {"0": NO_ID}),
    ("projects", [7, None, []], {"0": NO_ID, "1": NO_ID, "2": NO_ID}),
    ("projects", ["{project}", "{project}"], {"1": "Named twice."}),
    ("projects", ["{project}", "{nothing}"], {"1": "There is no such project."}),
    ("datastorage", None, NULL),
    ("datastorage", "x", "This is not a list of ids."),
    ("datastorage", ["x"], {"0": NO_ID}),
    ("datastorage", ["{storage}", "{storage}"], {"1": "Named twice."}),
    ("datastorage", ["{nothing}", "{storage}"], {"0": "There is no such data storage."}),
    *(
        ("date_time", value, NO_DATE)
        for value in (
            "",
            "today",
            "2023",
            "2023-03",
            "20230322",
            "2023-3-22",
            "22.03.2023",
            "2023-02-29",
            "2023-03-22T",
            "2023-03-22T15",
            "2023-03-22T15:60",
            "2023-03-22T25:00",
            "2023-03-22T15:30:60",
            "2023-03-22T15:30:00.",
            "2023-03-22T15:30+24:00",
            "2023-03-22T15:30Zulu",
            "2023-W12-3",
            "٢٠٢٣-03-22",
            "0000-01-01",
            "10000-01-01",
            "0001-01-01T00:00+01:00",
            "9999-12-31T23:59:59-01:00",
            1679499000,
            True,
            [],
        )
    ),
    ("extra_fields", None, NULL),
    ("extra_fields", [], NO_OBJECT),
    ("extra_fields", "x", NO_OBJECT),
    *(
        ("extra_fields", {key: "x"}, {key: ExtraFields.BAD_KEY})
        for key in ("", " ", "1a", "_a", "a-b", "a b", "a\n", "é", "aé", "a.b")
    ),
    *(
        ("extra_fields", {"ok": 1, "bad": value}, {"bad": NO_VALUE})
        for value in (None, True, False, [], ["x"], {}, {"x": 1})
    ),
    ("extra_fields", {"ok": 1, "long": 10**309}, {"long": "A number must be finite"}),
    ("download_links", None, NULL),
    ("download_links", {}, "This is not a list."),
    ("download_links", "x", "This is not a list."),
    ("download_links", ["x", link()], {"0": NO_OBJECT}),
    ("download_links", [link(), link(None)], {"1": {"url": NULL}}),
    ("download_links", [link(""), link(7)], {"0": {"url": REQUIRED}, "1": {"url": NO_TEXT}}),
    ("download_links", [link(repository="dandi")], {"0": {"repository": "Choose one of CRCNS"}}),
    ("download_links", [link(repository=None)], {"0": {"repository": NULL}}),
    ("download_links", [link(name="x")], {"0": {"name": UNKNOWN}}),
    *(
        ("download_links", [link(url)], {"0": {"url": NO_ADDRESS}})
        for url in (
            "dandiarchive.org/x",
            "//dandiarchive.org/x",
            "https://",
            "https:///x",
            "https:dandiarchive.org",
            "http://:80/",
            "http://[::1/",
            "http://a.org:port/",
            "http://a b.org/",
            "https://a.org/\tx",
            "javascript:alert(1)",
            "javascript://a.org/%0Aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "sftp://a.org/x",
        )
    ),
    ("tags", None, NULL),
    ("tags", "mouse", "This is not a list of texts."),
    ("tags", {"mouse": 1}, "This is not a list of texts."),
    ("tags", ["mouse", ""], {"1": "A tag can't be empty."}),
    ("tags", ["mouse", "  "], {"1": "A tag can't be empty."}),
    ("tags", ["mouse", "\u200b"], {"1": "A tag can't be empty."}),
    ("tags", ["mouse", 7, None], {"1": NO_TEXT, "2": NO_TEXT}),
    ("tags", ["x" * 201], {"0": "At most 200 characters; these are 201."}),
    ("extra_feilds", {}, UNKNOWN),
    ("Name", "x", UNKNOWN),
    ("created_date", "2023-03-22", UNKNOWN),
    ("", "x", UNKNOWN),
]


@pytest.fixture
def lab(ada):
    """A project, a data storage, and their ids."""
    return {
        "project": ada.project()["id"],
        "storage": ada.storage()["id"],
        "nothing": str(uuid4()),
    }


def valid(lab, **fields):
    return {"name": "Monday", "projects": [lab["project"]], **fields}


def filled(value, lab):
    """A value with the ids that it asks for, such as `{project}`."""
    if isinstance(value, list):
        return [filled(each, lab) for each in value]
    known = isinstance(value, str) and value[1:-1] in lab
    return lab[value[1:-1]] if known else value


def fits(found, expected):
    """Whether error messages begin as expected, at the same positions."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            fits(found[key], expected[key]) for key in expected
        )
    return isinstance(found, list) and len(found) == 1 and found[0].startswith(expected)


def exactly(value):
    """A value as JSON, which tells 22 from 22.0 and one order of keys from another."""
    return json.dumps(value)


def test_good_values_are_stored_by_every_method(subtests, ada, lab):
    session = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab))['id']}"
    for field, sent, stored in GOOD:
        stored = sent if stored is None and sent is not None else stored
        payload = valid(lab) | {field: sent}
        for method, address in (("POST", SESSIONS), ("PATCH", session), ("PUT", session)):
            with subtests.test(method=method, field=field, sent=str(sent)[:40]):
                body = {field: sent} if method == "PATCH" else payload
                if method == "POST":
                    body = body if field == "name" else body | {"name": "New"}
                answer = ada(method, address, body)
                assert answer.status_code == (201 if method == "POST" else 200), answer.json
                record = answer.json["session"]
                assert exactly(record[field]) == exactly(stored)
                again = ada.get(f"{SESSIONS}/{record['id']}")["session"]
                assert exactly(again) == exactly(record)
                if method == "POST":
                    ada("DELETE", f"{SESSIONS}/{record['id']}")


def test_bad_values_are_refused_at_their_field_by_every_method(subtests, ada, lab):
    session = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab, name='Stored'))['id']}"
    before = ada.get(session)
    for field, sent, expected in BAD:
        for method, address in (("POST", SESSIONS), ("PATCH", session), ("PUT", session)):
            with subtests.test(method=method, field=field, sent=str(sent)[:40]):
                value = filled(sent, lab)
                body = {field: value} if method == "PATCH" else valid(lab) | {field: value}
                answer = ada(method, address, body)
                assert answer.status_code == 400, answer.json
                assert list(answer.json) == [field]
                assert fits(answer.json[field], expected), answer.json
    assert ada.get(SESSIONS)["sessions"] == [before["session"]]
    assert ada.get(session) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_every_row_of_a_list_is_judged_whole(ada, lab, method):
    stored = ada.made(SESSIONS, valid(lab))
    address = SESSIONS if method == "POST" else f"{SESSIONS}/{stored['id']}"
    payload = {} if method == "PATCH" else valid(lab)
    payload["download_links"] = [link(), {}, {"repository": "DANDI"}]
    answer = ada(method, address, payload)
    expected = {"1": {"repository": [REQUIRED], "url": [REQUIRED]}, "2": {"url": [REQUIRED]}}
    assert (answer.status_code, answer.json.get("download_links")) == (400, expected)


READ_ONLY = {
    "id": str(uuid4()),
    "epochs": "anything",
    "dataacquisition": [7],
    "behaviors": None,
    "manipulations": {},
    "links": [],
    "name_used_in_storage": "folder",
}


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_read_only_fields_are_taken_and_ignored(ada, lab, method):
    stored = ada.made(SESSIONS, valid(lab))
    address = SESSIONS if method == "POST" else f"{SESSIONS}/{stored['id']}"
    name = "New" if method == "POST" else "Monday"
    record = ada(method, address, valid(lab, name=name) | READ_ONLY).json["session"]
    assert record == stored | {"name": name, "id": record["id"]}
    assert record["id"] != READ_ONLY["id"]


def test_what_was_read_can_be_sent_back(ada, lab):
    stored = ada.made(
        SESSIONS,
        valid(
            lab,
            description="a\r\nb",
            date_time="2023-03-22T15:30:00.5+02:00",
            datastorage=[lab["storage"]],
            extra_fields={"b": 1.0, "a": "x"},
            download_links=[link()],
            tags=["b", "a"],
        ),
    )
    address = f"{SESSIONS}/{stored['id']}"
    for method in ("PUT", "PATCH"):
        answer = ada(method, address, stored)
        assert (answer.status_code, exactly(answer.json["session"])) == (200, exactly(stored))
        assert answer.headers["ETag"] == '"1"'


def test_all_that_is_wrong_is_said_at_once(ada, lab):
    answer = ada(
        "POST",
        SESSIONS,
        {
            "name": "",
            "projects": [lab["nothing"]],
            "date_time": "x",
            "extra_fields": {"1": 1, "ok": 1, "bad": None},
            "download_links": [link(), link("x", repository="x")],
            "tags": [""],
            "typo": 1,
        },
    )
    assert answer.status_code == 400
    assert answer.json.keys() == {
        *("name", "projects", "date_time", "extra_fields", "download_links", "tags", "typo")
    }
    assert {name: sorted(each) for name, each in answer.json.items() if isinstance(each, dict)} == {
        "projects": ["0"],
        "extra_fields": ["1", "bad"],
        "download_links": ["1"],
        "tags": ["0"],
    }
    assert answer.json["download_links"]["1"].keys() == {"repository", "url"}


def test_a_name_that_is_taken_is_said_along_with_the_rest(ada, lab):
    ada.made(SESSIONS, valid(lab))
    answer = ada("POST", SESSIONS, valid(lab, tags=[""]))
    assert answer.json == {
        "tags": {"0": ["A tag can't be empty."]},
        "name": ["Another session has this name."],
    }


#: Two things that are wrong with one field, and where each is said.
TWICE_WRONG = [
    ("projects", ["{nothing}", "x"], {"0": "There is no such project.", "1": NO_ID}),
    ("projects", ["{project}", "{project}", "{nothing}"], {"1": "Named", "2": "There is no"}),
    ("datastorage", ["x", "{storage}", "{nothing}"], {"0": NO_ID, "2": "There is no"}),
    ("extra_fields", {"1": 1, "b": "\0"}, {"1": "", "b": UNSTORABLE}),
    ("tags", ["", "a\0"], {"0": "A tag can't be empty.", "1": UNSTORABLE}),
    ("tags", ["", "a", 7, "b\0"], {"0": "A tag", "2": "", "3": UNSTORABLE}),
]


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_all_that_is_wrong_with_one_field_is_said_at_once(subtests, ada, lab, method):
    stored = ada.made(SESSIONS, valid(lab, name="Stored"))
    address = SESSIONS if method == "POST" else f"{SESSIONS}/{stored['id']}"
    for field, sent, expected in TWICE_WRONG:
        with subtests.test(field=field, sent=str(sent)):
            body = ({} if method == "PATCH" else valid(lab)) | {field: filled(sent, lab)}
            answer = ada(method, address, body)
            assert (answer.status_code, list(answer.json)) == (400, [field])
            assert answer.json[field].keys() == expected.keys()
            for place, words in expected.items():
                assert answer.json[field][place][0].startswith(words)
    links = [link("x\0", repository="bad"), {}, link()]
    body = ({} if method == "PATCH" else valid(lab)) | {"download_links": links}
    wrong = ada(method, address, body).json["download_links"]
    assert {place: sorted(each) for place, each in wrong.items()} == {
        "0": ["repository", "url"],
        "1": ["repository", "url"],
    }


@pytest.mark.parametrize("missing", ["name", "projects"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_what_is_required_must_be_there(ada, lab, method, missing):
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab))['id']}"
    payload = valid(lab, name="New")
    del payload[missing]
    answer = ada(method, SESSIONS if method == "POST" else address, payload)
    assert (answer.status_code, answer.json) == (400, {missing: [REQUIRED]})


def test_patch_changes_the_fields_given_and_put_replaces_the_record(ada, lab):
    optional = {
        "description": "x",
        "date_time": "2023-03-22T15:30:00Z",
        "datastorage": [lab["storage"]],
        "extra_fields": {"a": 1},
        "download_links": [link()],
        "tags": ["a"],
    }
    empty = {name: None if name == "date_time" else type(optional[name])() for name in optional}
    stored = ada.made(SESSIONS, valid(lab, **optional))
    address = f"{SESSIONS}/{stored['id']}"
    for field, value in optional.items():
        changed = stored | {field: empty[field]}
        assert ada("PATCH", address, {field: empty[field]}).json["session"] == changed
        assert ada("PATCH", address, {field: value}).json["session"] == stored
    assert ada("PATCH", address, {}).json["session"] == stored
    assert ada("PUT", address, valid(lab)).json["session"] == stored | empty


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"n": 22.0}, {"n": 22}),
        ({"n": 22}, {"n": 22.0}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"n": 22}, {"n": "22"}),
        ({"n": 10**30}, {"n": 10**30 + 1}),
        ({"n": 1}, {"N": 1}),
    ],
)
def test_extra_fields_change_where_only_kind_or_order_differ(ada, lab, before, after):
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab, extra_fields=before))['id']}"
    for _ in range(2):
        answer = ada("PATCH", address, {"extra_fields": after})
        assert exactly(answer.json["session"]["extra_fields"]) == exactly(after)
        assert answer.headers["ETag"] == '"2"'
    assert exactly(ada.get(address)["session"]["extra_fields"]) == exactly(after)


# -- Names, tags and storages ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Monday", " Monday ", "monday", "Mónday", "Monday2"])
def test_names_are_unique_and_compared_exactly(ada, ben, lab, name):
    ada.made(SESSIONS, valid(lab))
    other = ada.made(SESSIONS, valid(lab, name="Tuesday"))
    project = ben.project("Ben's")["id"]
    answers = [
        ada("PATCH", f"{SESSIONS}/{other['id']}", {"name": name}),
        ben("POST", SESSIONS, {"name": name, "projects": [project]}),
    ]
    if name.strip() == "Monday":
        said = {"name": ["Another session has this name."]}
        assert [(each.status_code, each.json) for each in answers] == [(400, said)] * 2
    else:
        assert [each.status_code for each in answers] == [200, 400]


def test_a_record_keeps_its_own_name(ada, lab):
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab))['id']}"
    assert ada("PATCH", address, {"name": "Monday"}).status_code == 200


def test_tags_are_shared_and_keep_each_record_s_order(ada, ben, lab):
    ada.made(SESSIONS, valid(lab, tags=["a", "b"]))
    theirs = ben.session("Ben's", ben.project("Ben's"), tags=["b", "c", "a"])
    assert theirs["tags"] == ["b", "c", "a"]
    address = f"{SESSIONS}/{theirs['id']}"
    for tags in (["a", "b", "c"], ["c"], [], ["x", "a"]):
        assert ben("PATCH", address, {"tags": tags}).json["session"]["tags"] == tags
    assert ada.get(SESSIONS)["sessions"][0]["tags"] == ["a", "b"]


def test_storages_stand_in_the_order_of_the_list(ada, lab):
    ids = [lab["storage"], ada.storage("B")["id"], ada.storage("C")["id"]]
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab, datastorage=ids))['id']}"
    for order in ([2, 0, 1], [1, 2], [0, 1, 2], []):
        wanted = [ids[each] for each in order]
        answer = ada("PATCH", address, {"datastorage": wanted})
        assert answer.json["session"]["datastorage"] == wanted


# -- Dates and times ---------------------------------------------------------------------------

NEW_YORK, DELHI, COPENHAGEN = "America/New_York", "Asia/Kolkata", "Europe/Copenhagen"

# the lab's time zone, what is sent, what is stored
TIMES = [
    ("UTC", "2023-03-22T15:30:00Z", "2023-03-22T15:30:00Z"),
    (DELHI, "2023-03-22T15:30:00Z", "2023-03-22T15:30:00Z"),
    (DELHI, "2023-03-22T15:30:00+00:00", "2023-03-22T15:30:00Z"),
    ("UTC", "2023-03-22T15:30:00+02:00", "2023-03-22T13:30:00Z"),
    ("UTC", "2023-03-22T15:30:00-0330", "2023-03-22T19:00:00Z"),
    ("UTC", "2023-03-22T15:30:00+02", "2023-03-22T13:30:00Z"),
    ("UTC", "2023-03-22t15:30:00z", "2023-03-22T15:30:00Z"),
    ("UTC", " 2023-03-22 15:30 +02:00 ", "2023-03-22T13:30:00Z"),
    ("UTC", "2023-03-22 15:30", "2023-03-22T15:30:00Z"),
    (DELHI, "2023-03-22 15:30", "2023-03-22T10:00:00Z"),
    (DELHI, "2023-03-22", "2023-03-21T18:30:00Z"),
    (NEW_YORK, "2023-03-22", "2023-03-22T04:00:00Z"),
    (NEW_YORK, "2023-01-22T12:00:00", "2023-01-22T17:00:00Z"),
    (COPENHAGEN, "2023-07-01T12:00:00", "2023-07-01T10:00:00Z"),
    (COPENHAGEN, "2023-10-29T02:30:00", "2023-10-29T00:30:00Z"),
    ("UTC", "2023-03-22T15:30:00.5Z", "2023-03-22T15:30:00.500000Z"),
    ("UTC", "2023-03-22T15:30:00,25Z", "2023-03-22T15:30:00.250000Z"),
    ("UTC", "2023-03-22T15:30:00.123456Z", "2023-03-22T15:30:00.123456Z"),
    ("UTC", "2023-03-22T15:30:00.123456789Z", "2023-03-22T15:30:00.123456Z"),
    ("UTC", "2023-03-22T15:30:00.000Z", "2023-03-22T15:30:00Z"),
    ("UTC", "1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.900000Z"),
    ("UTC", "2024-02-29", "2024-02-29T00:00:00Z"),
    ("UTC", "0001-01-01", "0001-01-01T00:00:00Z"),
    ("UTC", "9999-12-31T23:59:59.999999", "9999-12-31T23:59:59.999999Z"),
    (NEW_YORK, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    (DELHI, "9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    # In UTC these would not be in the years 1 to 9999.
    (DELHI, "0001-01-01", None),
    (NEW_YORK, "9999-12-31T23:00:00", None),
]


def test_times_are_read_in_the_lab_s_zone_and_written_in_utc(subtests, app, ada, lab):
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab))['id']}"
    for zone, sent, stored in TIMES:
        with subtests.test(zone=zone, sent=sent):
            app.config["LAB_TIMEZONE"] = zone
            answer = ada("PATCH", address, {"date_time": sent})
            if stored is None:
                assert (answer.status_code, list(answer.json)) == (400, ["date_time"])
                continue
            assert answer.json["session"]["date_time"] == stored
            assert ada.get(address) == answer.json
            again = ada("PATCH", address, answer.json["session"])
            assert again.headers["ETag"] == answer.headers["ETag"]


# -- Input that nobody means -------------------------------------------------------------------


def position(path, leaf):
    """`leaf` at a path of keys: `("a", 0)` → `{"a": [leaf]}`."""
    for key in reversed(path):
        leaf = [leaf] if isinstance(key, int) else {key: leaf}
    return leaf


@pytest.mark.parametrize("character", ["\0", "\ud800", "\udfff"], ids=["NUL", "high", "low"])
def test_characters_that_no_database_keeps_are_refused_everywhere(subtests, ada, lab, character):
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab))['id']}"
    text = f"a{character}b"
    for path, leaf in [
        (("name",), text),
        (("description",), text),
        (("date_time",), text),
        (("tags", 0), text),
        (("projects", 0), text),
        (("datastorage", 0), text),
        (("extra_fields", "key"), text),
        (("extra_fields", text), "value"),
        (("download_links", 0, "url"), f"https://a.org/{text}"),
        (("download_links", 0, "repository"), text),
        (("download_links", 0, text), "x"),
        ((text,), "x"),
    ]:
        with subtests.test(path=ascii(path)):
            body = json.dumps(valid(lab, name="New") | position(path, leaf))
            for method, where in (("POST", SESSIONS), ("PUT", address)):
                answer = ada(method, where, data=body, content_type="application/json")
                assert answer.status_code == 400
                assert answer.json.keys() <= {path[0], "a\N{REPLACEMENT CHARACTER}b"}
    assert ada.get(SESSIONS)["count"] == 1


def test_no_query_takes_a_nul(subtests, ada):
    for query in [
        "filter{name}=%00",
        "filter{name.icontains}=a%00b",
        "filter{tags}=%00",
        "filter{na%00me}=x",
        "filter{projects.name}=%00",
        "sort[]=%00",
        "include[]=%00",
        "%00=x",
        "limit=%00",
    ]:
        with subtests.test(query=query):
            assert ada("GET", f"{SESSIONS}/?{query}").status_code == 400


HUGE = "9" * 5000

BODIES = [
    "",
    " ",
    "null",
    "true",
    "7",
    '"text"',
    "[]",
    '[{"name": "New"}]',
    "{",
    "{'name': 'New'}",
    '{"name": "New",}',
    '{"name": "New"} {}',
    '{"name": "One", "name": "Two"}',
    '{"extra_fields": {"a": 1, "a": 2}}',
    '{"extra_fields": {"a": NaN}}',
    '{"extra_fields": {"a": Infinity}}',
    '{"extra_fields": {"a": -Infinity}}',
    '{"extra_fields": {"a": 1e400}}',
    '{"extra_fields": {"a": -1e400}}',
    f'{{"extra_fields": {{"a": {HUGE}}}}}',
    f'{{"name": {HUGE}}}',
    '{"extra_fields": {"a": 01}}',
    '{"name": "\\ud800"}',
    b'{"name": "\xff"}',
    b"\xff\xfe\x00",
    *(
        f'{{"{field}": {"[" * depth}{"]" * depth}}}'
        for depth in (50, 200, 400, 900, 10_000, 200_000)
        for field in ("name", "extra_fields", "epochs", "typo")
        if not (field == "epochs" and depth < 1000)
    ),
    '{"extra_fields": ' + '{"a":' * 900 + "1" + "}" * 900 + "}",
    '{"extra_fields": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}",
]


def test_a_body_that_is_no_record_is_400_and_never_500(subtests, ada, lab):
    address = f"{SESSIONS}/{ada.made(SESSIONS, valid(lab))['id']}"
    for body in BODIES:
        with subtests.test(body=ascii(body)[:40], length=len(body)):
            for method, where in (("POST", SESSIONS), ("PATCH", address), ("PUT", address)):
                answer = ada(method, where, data=body, content_type="application/json")
                assert answer.status_code == 400, answer.json
                assert answer.json
    assert ada.get(address)["session"]["name"] == "Monday"


def test_json_may_come_with_a_byte_order_mark_or_as_utf_16(ada, lab):
    payload = json.dumps(valid(lab, name="Élan"), ensure_ascii=False)
    for encoding in ("utf-8-sig", "utf-16"):
        body = payload.encode(encoding)
        answer = ada("POST", SESSIONS, data=body, content_type="application/json")
        assert answer.json["session"]["name"] == "Élan"
        ada("DELETE", f"{SESSIONS}/{answer.json['session']['id']}")
