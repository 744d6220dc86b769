"""Input that is too large, too deep, too many or no proper text: a clear answer, soon, and never a 500.

How long something takes is bounded generously, once for all: what is quadratic takes minutes.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import time
from urllib.parse import quote

import pytest
from werkzeug.datastructures import FileStorage, MultiDict

from brainstem.core import spreadsheets
from brainstem.core.query import FILTER
from brainstem.core.schemas import ExtraFields
from brainstem.core.schemas.values import Duration
from brainstem.imports import tables, values
from brainstem.views import show

SESSIONS = "/api/private/stem/session/"
MEBIBYTE = 1024 * 1024
#: Far more than any of it takes on a slow machine, far less than what is quadratic or worse. In seconds.
PATIENCE = 20


@pytest.fixture
def in_time():
    start = time.process_time()
    yield
    assert time.process_time() - start < PATIENCE


@pytest.fixture
def session(ada):
    return ada.session("Monday", ada.project())


def sent(ada, content, address=SESSIONS, method="POST", **headers):
    headers = {"Content-Type": "application/json"} | headers
    headers["Authorization"] = f"Bearer {ada.secret}"
    return ada.app.test_client().open(address, method=method, data=content, headers=headers)


DEEP = 100_000
#: name: what is sent, and the status.
BODIES = {
    "deep lists": (b'{"extra_fields": ' + b"[" * DEEP + b"]" * DEEP + b"}", 400),
    "deep objects": (b'{"a":' * DEEP + b"1" + b"}" * DEEP, 400),
    "never closed": (b"[" * DEEP, 400),
    "a little too deep": (json.dumps({"extra_fields": json.loads("[" * 60 + "]" * 60)}).encode(), 400),
    "many keys": (json.dumps({f"k{n}": 1 for n in range(60_000)}).encode(), 400),
    "many extra fields": (
        json.dumps({"extra_fields": {f"k{n} ": 1 for n in range(50_000)}}).encode(), 400
    ),
    "one key twice": (b'{"name": "a", "name": "b"}', 400),
    "a huge integer": (b'{"extra_fields": {"a": ' + b"9" * 100_000 + b"}}", 400),
    "a huge float": (b'{"extra_fields": {"a": 1e400}}', 400),
    "a huge exponent": (b'{"extra_fields": {"a": 1E-999999999999}}', 400),
    "NaN": (b'{"extra_fields": {"a": NaN}}', 400),
    "-Infinity": (b'{"extra_fields": {"a": -Infinity}}', 400),
    "NUL": (b'{"name": "a\\u0000b"}', 400),
    "a raw NUL": (b'{"name": "a\x00b"}', 400),
    "half a surrogate": (b'{"name": "\\ud800"}', 400),
    "half a surrogate in a key": (b'{"\\udfff": 1}', 400),
    "no UTF-8": (b'{"name": "\xff\xfe"}', 400),
    "overlong UTF-8": (b'{"name": "\xc0\xaf"}', 400),
    "a mark before it": (b'\xef\xbb\xbf{"name": ""}', 400),
    "UTF-16": ('{"name": ""}'.encode("utf-16"), 400),
    "nothing": (b"", 400),
    "a list": (b"[]", 400),
    "a text": (b'"x"', 400),
    "too large": (b'{"description": "' + b"x" * MEBIBYTE + b'"}', 413),
    "gzip": (gzip.compress(b'{"name": "x"}'), 400),
}  # fmt: skip


def test_bodies_of_every_kind(ada, session, in_time, subtests):
    for name, (content, status) in BODIES.items():
        for method, address in (("POST", SESSIONS), ("PATCH", f"{SESSIONS}{session['id']}/")):
            with subtests.test(f"{name} {method}"):
                answer = sent(ada, content, address, method)
                assert answer.status_code == status
                assert answer.json.keys()
    assert ada.get("stem/session/")["count"] == 1


def test_what_is_packed_is_not_unpacked(ada, session):
    """A few bytes that become gigabytes: they are looked at as they came."""
    bomb = gzip.compress(b" " * (64 * MEBIBYTE))
    answer = sent(ada, bomb, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 400


NUMBERS = ["-0", "-0.0", "1e308", "5e-324", "123456789012345678901234567890", "0.1"]


@pytest.mark.parametrize("number", NUMBERS)
def test_odd_numbers_come_back_as_they_are(ada, session, number):
    content = f'{{"extra_fields": {{"a": {number}}}}}'.encode()
    answer = sent(ada, content, f"{SESSIONS}{session['id']}/", "PATCH")
    assert answer.status_code == 200
    stored = ada("GET", f"stem/session/{session['id']}").text
    (back,) = re.findall(r'"a":\s*([^}\s]+)', stored)
    assert float(back) == float(number)


#: The words of addresses: name, how often, and the statuses that are good.
WORDS = {
    "limit": (["9" * 1000, "1e9", "-1", "٣", "1_0", "+1", "0x10", " 5"], {400}),
    "offset": (["9" * 30, "9" * 31, "-1", "1.5", "NaN"], {200, 400}),
    "page": (["9" * 30, "9" * 31, "0"], {200, 400}),
    "filter{" + "projects." * 500 + "name}": (["x"], {400}),
    "filter{" + "a" * 10_000 + "}": (["x"], {400}),
    "filter{name." + "." * 100 + "}": (["x"], {400}),
    "filter{extra_fields." + "k" * 5000 + "}": (["x"], {200, 400}),
    "filter{name.icontains}": (["%" * 5000, "\\" * 5000, "_" * 5000, "É" * 5000, "\ufdfa" * 500], {200}),
    "filter{name}": (["\0", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")], {200, 400}),
    "filter{name.in}": ([",".join(map(str, range(5000))), "," * 5000], {200}),
    "filter{date_time.gt}": (["9" * 5000, "2023-01-01T" + "0" * 5000, "+" * 99, "10000-01-01"], {400}),
    "filter{extra_fields.a.gt}": (["1" * 5000, "1e99999", "." * 5000, "1" * 400 + "e"], {200}),
    "sort[]": (["-" * 5000, "name" * 1000, "--name", "projects.name"], {400}),
    "include[]": (["behaviors." * 1000, "." * 1000, "*", "behaviors.*.*"], {400}),
    "x" * 10_000: (["y"], {400}),
}  # fmt: skip


def test_words_of_every_kind(ada, session, in_time, subtests):
    for name, (tried, statuses) in WORDS.items():
        for value in tried:
            with subtests.test(f"{name[:30]} {value[:20]!r}"):
                answer = ada("GET", f"{SESSIONS}?{quote(name)}={quote(value)}")
                assert answer.status_code in statuses, answer.json


#: More than a line of an address holds (gunicorn: 4,094 bytes), but forms and tests can send it.
MANY = {
    "filters": [("filter{name}", "Monday")] * 400,
    "further filters": [("filter{behaviors.subjects.projects.name}", "x")] * 90,
    "excluded": [("filter{-behaviors.subjects.projects.sessions.name}", "x")] * 70,
    "sort keys": [("sort[]", name) for name in ("name", "-name", "date_time", "id") * 60],
    "includes": [("include[]", "behaviors.subjects")] * 200,
}


def test_many_words_at_once(ada, session, in_time, subtests):
    for name, pairs in MANY.items():
        with subtests.test(name):
            query = "&".join(f"{quote(key)}={quote(value)}" for key, value in pairs)
            answer = ada("GET", f"{SESSIONS}?{query}")
            assert answer.status_code in (200, 400), answer.text[:300]


LISTS = [
    "q=" + "a " * 3000, "q=" + "a" * 20_000, "q=" + quote("é\u0301" * 3000), 'q="' + '"' * 5000,
    "q=" + "%00", "q=%ff%fe", "q=" + "*" * 2000, "q=" + quote("(" * 5000), "q=" + "OR " * 2000,
    "tags=x&" * 300, "sort=name&" * 300, "columns=name&" * 300, "sort=extra_fields." + "a" * 5000,
    "date=" + "9" * 5000, "from=" + "9" * 5000, "calendar=9999", "calendar=0000", "calendar=0001",
    "from=9999-12-31&to=0001-01-01", "projects=" + "x" * 5000, "page=" + "9" * 500,
    "show=" + "x" * 5000, "find=" + "%" * 3000 + "&show=tags", "changed_by=x", "missing=" + "x" * 5000,
]  # fmt: skip


def test_list_pages_and_searches(ada, session, in_time, subtests):
    pages = ada.browser()
    for query in LISTS:
        for address in ("/sessions/", "/search", "/public/search", "/sessions/download.csv"):
            with (
                subtests.test(f"{address} {query[:30]}"),
                pages.get(f"{address}?{query}") as answer,
            ):
                assert answer.status_code in (200, 400), answer.status_code
                assert answer.get_data() is not None


def test_forms_with_too_many_or_too_large_fields(ada, session, in_time):
    pages = ada.browser()
    address = f"/sessions/{session['id']}/edit"
    token = pages.token(address)
    many = MultiDict([("csrf_token", token)] + [(f"f{n}", "x") for n in range(20_000)])
    large = {"csrf_token": token, "description": "x" * (MEBIBYTE + 1)}
    rows = {"csrf_token": token, **{f"extra_fields-{n}-key": "a" for n in range(900)}}
    far = {"csrf_token": token, "extra_fields-999999999999-key": "a", "epochs-99999999-name": "x"}
    for form, statuses in (
        (many, {400, 413}),
        (large, {413}),
        (rows, {302, 400}),
        (far, {302, 400, 409}),
    ):
        answer = pages.client.post(address, data=form)
        assert answer.status_code in statuses
        assert answer.status_code != 413 or "what you typed is still there" in answer.text


# Werkzeug lets the garbage collection close the parts of a form that it refuses.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_multipart_bombs(ada, in_time):
    pages = ada.browser()
    token = pages.token("/import/")
    parts = MultiDict([("csrf_token", token), ("kind", "sessions")])
    for number in range(2000):
        parts.add("file", FileStorage(io.BytesIO(b"x"), f"{number}.csv"))
    assert pages.client.post("/import/", data=parts).status_code == 413
    for content_type in ("multipart/form-data", "multipart/form-data; boundary=" + "x" * 5000):
        answer = pages.client.post("/import/", data=b"--x\r\n" * 1000, content_type=content_type)
        assert answer.status_code in (400, 413)


NEVER_CLOSED = b'name,room\n"' + b"a,b\n" * 100_000
TABLES = {
    "wide": b"a," * 200_000 + b"\n" + b"1," * 200_000,
    "wide rows": b"name\n" + b"," * 3_000_000,
    "never closed": NEVER_CLOSED,
    "quotes only": b'"' * 2_000_001,
    "many rows": b"name\n" + b"x\n" * 100_001,
    "empty rows": b"name\n" + b"\n" * 3_000_000 + b"x\n",
    "one line": b"x" * 3_000_000,
    "nul": b"name\n" + b"\0" * 100_000,
    "deep quotes": b'name\n"' + b'""' * 1_000_000 + b'"\n',
    "utf-16": "name\nx\n".encode("utf-16") + b"\xd8\x00" * 10_000,
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_that_would_fill_the_memory_or_never_end(name, in_time):
    try:
        table = tables.read(TABLES[name])
    except tables.UnreadableTable as error:
        assert str(error)
    else:
        assert len(table.rows) * len(table.header) <= tables.MOST_CELLS


#: Everything that is matched against what strangers send; see `test_every_regular_expression_is_known`.
A_LOT = 50_000
PATHOLOGICAL = [
    "a" * A_LOT + "!", "1" * A_LOT + "x", "0:" * A_LOT, "-" * A_LOT + "=", " " * A_LOT + "x", "'" * A_LOT,
    "\t" * A_LOT, ".1" * A_LOT, "1e" * A_LOT, "P" + "1D" * A_LOT, "PT" + "1" * A_LOT, "{" * A_LOT,
    "filter{-" + "a." * A_LOT, "/" * A_LOT, "../" * A_LOT, "http://" + "a" * A_LOT + " ", "é" * A_LOT,
    "2023-01-01T" * A_LOT, "[[" * A_LOT, "<" * A_LOT,
]  # fmt: skip


@pytest.mark.parametrize(
    "match",
    [
        FILTER.fullmatch,
        Duration.CLOCK.fullmatch,
        Duration.ISO.fullmatch,
        re.compile(ExtraFields.KEY).fullmatch,
        values.NUMBER.fullmatch,
        values.COMMA_NUMBER.fullmatch,
        spreadsheets.guarded,
        spreadsheets.unguarded,
        values.parts,
        lambda text: show._pair("key", text),
    ],
)
def test_no_expression_goes_back_over_what_it_read(match, in_time):
    for text in PATHOLOGICAL:
        match(text)


MARKDOWN = [
    "[" * 5000, "![" * 5000, "*a_" * 5000, "`" * 20_000, "> " * 5000, "- " * 5000,
    "|a" * 3000 + "\n|-" * 3000,
    "[a](" * 4000, "<a " * 1900, "<!--" * 1900, "&" * 30_000, "\\" * 30_000, "[a]: x\n" * 5000, "~~" * 10_000,
    "![a](x)" * 3000, "<div>" * 1900, "<svg>" * 1900, "<table>" * 1900, "<![CDATA[" * 1900, "a\n=" * 5000,
    "http://" * 9000, "_" * 50_000, "**" * 30_000, "[x][y" * 5000, "<b>" * 1000 + "</b>" * 900,
]  # fmt: skip


def test_descriptions_that_would_take_long_to_draw(in_time):
    for text in MARKDOWN:
        show.markdown(text)
        show.plain_text(text)


def test_a_description_is_drawn_or_shown_as_it_is(ada, session, in_time):
    for text in MARKDOWN[::6]:
        assert (
            ada("PATCH", f"stem/session/{session['id']}", {"description": text}).status_code == 200
        )
        assert ada.browser().get(f"/sessions/{session['id']}").status_code == 200
