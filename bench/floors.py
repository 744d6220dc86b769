"""What the program is measured against, served as the program is.

`/hand/…` is a bare view for one purpose: the token's look-up, rights and count, one hand-written SQL
statement with all ids aggregated, `json.dumps`. It returns the records that the program returns, judges
no query, and shows no mistake. What writes is in `bench.writes`. `/memory/<name>` sends the bytes of a file
that it has read before.

`BENCH_DATABASE` names the database, `BENCH_MEMORY` the folder of the files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import threading
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from flask import Flask, Response, request
from sqlalchemy.engine import make_url

app = Flask(__name__)
DATABASE = make_url(os.environ["BENCH_DATABASE"])
MEMORY = Path(os.environ["BENCH_MEMORY"])
SQLITE = DATABASE.get_backend_name() == "sqlite"
kept = threading.local()

#: The projects, or data storages, that a user may read.
READABLE = """SELECT {kind}_id FROM {kind}_user_role WHERE user_id = :me
              UNION SELECT r.{kind}_id FROM {kind}_group_role r
              JOIN group_user_role m ON m.group_id = r.group_id WHERE m.user_id = :me"""
PROJECTS, STORAGES, SETUPS, ASSAYS = (
    READABLE.format(kind=kind) for kind in ("project", "datastorage", "setup", "behavioralassay")
)
SUBJECTS = f"SELECT subject_id FROM subject_project WHERE project_id IN ({PROJECTS})"

LISTS = {
    "epochs": "SELECT id AS x FROM epoch WHERE session_id = s.id ORDER BY start, name",
    "projects": f"""SELECT project_id AS x FROM session_project
                    WHERE session_id = s.id AND project_id IN ({PROJECTS}) ORDER BY position""",
    "datastorage": f"""SELECT datastorage_id AS x FROM sessiondatastorage
                       WHERE session_id = s.id AND datastorage_id IN ({STORAGES}) ORDER BY "order" """,
    "dataacquisition": """SELECT id AS x FROM dataacquisition
                          WHERE session_id = s.id ORDER BY "order", id""",
    "behaviors": 'SELECT id AS x FROM behavior WHERE session_id = s.id ORDER BY "order", id',
    "manipulations": 'SELECT id AS x FROM manipulation WHERE session_id = s.id ORDER BY "order", id',
    "tags": """SELECT t.name AS x FROM session_tag l JOIN tag t ON t.id = l.tag_id
               WHERE l.session_id = s.id ORDER BY l.position""",
}
JOINED = "group_concat(x, '|')" if SQLITE else "string_agg(CAST(x AS text), '|')"
OWN = "id name description date_time extra_fields download_links name_used_in_storage".split()
COLUMNS = ", ".join(
    [f"s.{name}" for name in OWN]
    + [f"(SELECT {JOINED} FROM ({select}) i) AS {name}" for name, select in LISTS.items()]
)
MINE = f"EXISTS (SELECT 1 FROM session_project p WHERE p.session_id = s.id AND p.project_id IN ({PROJECTS}))"
COUNT_ALL = (
    f"SELECT count(DISTINCT session_id) FROM session_project WHERE project_id IN ({PROJECTS})"
)
LINKS = {name: f"{name}/" for name in
         ("projects", "epochs", "datastorage", "dataacquisition", "behaviors", "manipulations")}  # fmt: skip

#: What each filter of the program's is by hand.
FILTERS = {
    "filter{name.icontains}": "instr(lower(s.name), :value) > 0"
    if SQLITE
    else "s.name ILIKE :like",
    "filter{tags}": """s.id IN (SELECT l.session_id FROM session_tag l JOIN tag t ON t.id = l.tag_id
                       WHERE t.name = :value)""",
    "filter{projects}": "s.id IN (SELECT session_id FROM session_project WHERE project_id = :key)",
    "filter{date_time.gte}": "s.date_time >= :moment",
    "filter{date_time.lt}": "s.date_time < :moment",
}
SORTS = {"": "s.name", "-date_time": "s.date_time IS NULL, s.date_time DESC, s.id"}


def connection() -> Any:
    """This thread's connection: kept, as the program keeps its own."""
    found = getattr(kept, "connection", None)
    if found is None and SQLITE:
        found = sqlite3.connect(DATABASE.database, isolation_level=None)
        for pragma in ("foreign_keys=ON", "synchronous=FULL", "busy_timeout=15000"):
            found.execute(f"PRAGMA {pragma}")
    elif found is None:
        plain = DATABASE.set(drivername="postgresql").render_as_string(hide_password=False)
        found = psycopg.connect(plain, autocommit=True)
    kept.connection = found
    return found


@cache
def spelled(statement: str) -> str:
    return statement if SQLITE else re.sub(r"(?<!:):(\w+)", r"%(\1)s", statement)


def sql(statement: str, **values: Any) -> Any:
    return connection().execute(spelled(statement), values)


def key(text: str) -> str:
    """An id as the database spells it."""
    return text.replace("-", "") if SQLITE else text


def dashed(text: Any) -> str:
    text = str(text)
    if not SQLITE:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def document(value: Any) -> Any:
    return json.loads(value) if SQLITE else value


def moment(value: Any) -> str | None:
    """`2023-03-22T15:30:00Z`."""
    if value is not None and SQLITE:
        value = datetime.fromisoformat(value)
    return value and value.isoformat() + "Z"


def me() -> str:
    """Whose token was sent."""
    secret = request.headers["Authorization"].removeprefix("Bearer ")
    (found,) = sql(
        """SELECT t.user_id FROM token t JOIN "user" u ON u.id = t.user_id
           WHERE t.hash = :hash AND u.is_active""",
        hash=hashlib.sha256(secret.encode()).hexdigest(),
    ).fetchone()
    return found


def ids(text: str | None) -> list[str]:
    return [dashed(each) for each in text.split("|")] if text else []


def session(row: Any) -> dict[str, Any]:
    """A session on the wire."""
    (id_, name, description, when, extra, links, used,
     epochs, projects, storages, acquired, behaviors, manipulated, tags) = row  # fmt: skip
    return {
        "id": dashed(id_),
        "name": name,
        "description": description,
        "epochs": ids(epochs),
        "projects": ids(projects),
        "date_time": moment(when),
        "datastorage": ids(storages),
        "extra_fields": document(extra),
        "download_links": document(links),
        "dataacquisition": ids(acquired),
        "behaviors": ids(behaviors),
        "manipulations": ids(manipulated),
        "name_used_in_storage": used,
        "tags": tags.split("|") if tags else [],
        "links": LINKS,
    }


def sent(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json")


@app.get("/hand/sessions")
def sessions() -> Response:
    """A list; its arguments are the program's."""
    values: dict[str, Any] = {"me": me()}
    rules = []
    for place, (name, text) in enumerate(request.args.items()):
        if name in FILTERS:
            rules.append(re.sub(":(value|like|key|moment)", rf":\g<1>{place}", FILTERS[name]))
            values |= {f"value{place}": text, f"like{place}": f"%{text}%", f"key{place}": key(text)}
            values[f"moment{place}"] = text.replace("T", " ").removesuffix("Z") + ".000000"
    where = " AND ".join([MINE, *rules])
    count = f"SELECT count(*) FROM session s WHERE {where}" if rules else COUNT_ALL
    (total,) = sql(count, **values).fetchone()
    order = SORTS[request.args.get("sort[]", "")]
    values |= {
        "limit": int(request.args.get("limit", 20)),
        "offset": int(request.args.get("offset", 0)),
    }
    # The ids first: what stands in a row is not made for rows that are skipped, or only sorted.
    page = f"""WITH page AS (SELECT s.id FROM session s WHERE {where} ORDER BY {order}
               LIMIT :limit OFFSET :offset)
               SELECT {COLUMNS} FROM page JOIN session s ON s.id = page.id ORDER BY {order}"""
    found = [session(row) for row in sql(page, **values)]
    if "include[]" in request.args:
        include(found, values["me"])
    return sent({"sessions": found, "count": total})


def include(found: list[dict[str, Any]], user: str) -> None:
    """Put the records of four relations in the place of their ids, with one statement for each."""
    for name, (select, make) in INCLUDED.items():
        wanted = {"me": user}
        wanted |= {f"i{n}": key(each) for n, each in enumerate(x for s in found for x in s[name])}
        listed = ", ".join(f":{each}" for each in wanted if each != "me")
        by_id = {(one := make(row))["id"]: one for row in sql(f"{select} ({listed})", **wanted)}
        for each in found:
            each[name] = [by_id[one] for one in each[name]]


def nested(kind: str, relation: str, readable: str = "") -> str:
    """The ids of a relation of `r`."""
    table, column = f"{kind}_{relation}", f"{relation}_id"
    rule = f"AND {column} IN ({readable})" if readable else ""
    inner = f"SELECT {column} AS x FROM {table} WHERE {kind}_id = r.id {rule} ORDER BY position"
    return f"(SELECT {JOINED} FROM ({inner}) i)"


def clock(value: int | None) -> str | None:
    """A span in microseconds as `00:05:00`."""
    seconds = None if value is None else value // 1_000_000
    return (
        seconds
        if seconds is None
        else f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    )


def acquired(row: Any) -> dict[str, Any]:
    return {"id": dashed(row[0]), "type": row[1], "session": dashed(row[2]), "procedures": ids(row[7]),
            "equipment": ids(row[8]), "notes": row[3], "details": document(row[4]),
            "type_schema_version": row[5], "order": row[6]}  # fmt: skip


def behaved(row: Any) -> dict[str, Any]:
    return {"id": dashed(row[0]), "session": dashed(row[1]), "subjects": ids(row[6]), "setup": dashed(row[2]),
            "behavioralassay": dashed(row[3]), "notes": row[4], "order": row[5]}  # fmt: skip


def epoch(row: Any) -> dict[str, Any]:
    return {"id": dashed(row[0]), "name": row[1], "session": dashed(row[2]), "start": clock(row[3]),
            "end": clock(row[4]), "behaviors": ids(row[6]), "dataacquisition": ids(row[7]),
            "manipulations": ids(row[8]), "notes": row[5]}  # fmt: skip


def module(kind: str) -> str:
    return f"""SELECT r.id, r.type, r.session_id, r.notes, r.details, r.type_schema_version, r."order",
               {nested(kind, "procedure")}, {nested(kind, "equipment")} FROM {kind} r WHERE r.id IN"""


INCLUDED: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "dataacquisition": (module("dataacquisition"), acquired),
    "behaviors": (
        f"""SELECT r.id, r.session_id, CASE WHEN r.setup_id IN ({SETUPS}) THEN r.setup_id END,
            CASE WHEN r.behavioralassay_id IN ({ASSAYS}) THEN r.behavioralassay_id END, r.notes, r."order",
            {nested("behavior", "subject", SUBJECTS)} FROM behavior r WHERE r.id IN""",
        behaved,
    ),
    "manipulations": (module("manipulation"), acquired),
    "epochs": (
        f"""SELECT r.id, r.name, r.session_id, r.start, r."end", r.notes, {nested("epoch", "behavior")},
            {nested("epoch", "dataacquisition")}, {nested("epoch", "manipulation")}
            FROM epoch r WHERE r.id IN""",
        epoch,
    ),
}


def one(id_: str, user: str) -> dict[str, Any]:
    row = sql(
        f"SELECT {COLUMNS} FROM session s WHERE s.id = :id AND {MINE}", id=id_, me=user
    ).fetchone()
    return session(row)


@app.get("/hand/sessions/<id_>")
def detail(id_: str) -> Response:
    """One session."""
    return sent({"session": one(key(id_), me())})


@cache
def read(name: str) -> bytes:
    return (MEMORY / name).read_bytes()


@app.get("/memory/<name>")
def memory(name: str) -> Response:
    """Bytes from memory."""
    return Response(read(name), content_type="application/json")
