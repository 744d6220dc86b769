"""The floors that write, served with those that read: `bench.writes:app`.

They write by hand what the program stores (`/hand/…`), or the records alone (`/bare/…`): one transaction,
on the disk before they answer, that judges nothing but the rights. By hand there are besides the records
what the program keeps of a change: its history, of a deletion with all that goes with the record, and the
entry of the search index.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from bench.floors import INCLUDED, SQLITE, app, dashed, key, me, one, sent, sql

Ids = list[str]


def now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def begin() -> None:
    sql("BEGIN IMMEDIATE" if SQLITE else "BEGIN")


def may_write(user: str, kind: str, wanted: Ids) -> None:
    names = {f"w{n}": each for n, each in enumerate(wanted)}
    listed = ", ".join(f":{each}" for each in names)
    (held,) = sql(
        f"""SELECT count(*) FROM {kind}_user_role
            WHERE user_id = :me AND role >= 2 AND {kind}_id IN ({listed})""",
        me=user,
        **names,
    ).fetchone()
    assert held == len(wanted)


def projects_to_change(user: str, id_: str) -> Ids:
    """A session's projects, in all of which the user may change it."""
    found = sql("SELECT project_id FROM session_project WHERE session_id = :id", id=id_)
    projects = [row[0] for row in found.fetchall()]
    may_write(user, "project", projects)
    return projects


def note(user: str, at: str, roots: Ids, revisions: list[dict[str, Any]]) -> None:
    """The history of one change."""
    change = key(str(uuid.uuid4()))
    sql(
        """INSERT INTO change (id, at, user_id, way, "by", summary)
           VALUES (:id, :at, :me, 'api', 'bench', '')""",
        id=change,
        at=at,
        me=user,
    )
    for each in revisions:
        (revision,) = sql(
            """INSERT INTO revision (change_id, kind, record_id, title, action, version, follows, before,
               after) VALUES (:change, :kind, :id, :title, :action, :version, :follows, :before, :after)
               RETURNING id""",
            change=change,
            **each,
        ).fetchone()
        for root in roots:
            sql("INSERT INTO revision_root VALUES (:id, :root)", id=revision, root=root)
    for root in roots:
        sql("INSERT INTO change_root VALUES (:id, :root, :at)", id=change, root=root, at=at)


def revision(
    kind: str, id_: str, title: str, action: str, before: Any, after: Any, version: int = 1
) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": id_,
        "title": title,
        "action": action,
        "version": version,
        "follows": kind != "session",
        "before": json.dumps(before),
        "after": json.dumps(after),
    }


def index(id_: str, record: dict[str, Any]) -> None:
    """The session's entry in the search index."""
    extra = (f"{name} {value}" for name, value in record["extra_fields"].items())
    links = (each["url"] for each in record["download_links"])
    texts = [record["name"], record["description"], *extra, *links, *record["tags"]]
    sql(
        """INSERT INTO search_entry (kind, record_id, title, text) VALUES ('session', :id, :title, :text)
           ON CONFLICT (record_id) DO UPDATE SET title = excluded.title, text = excluded.text""",
        id=id_,
        title=record["name"].lower(),
        text="\n".join(texts).lower(),
    )


@app.post("/<any(hand, bare):floor>/sessions")
def create(floor: str) -> Response:
    """A new session."""
    data, user, id_, at = request.get_json(), me(), key(str(uuid.uuid4())), now()
    begin()
    may_write(user, "project", [key(each) for each in data["projects"]])
    may_write(user, "datastorage", [key(each) for each in data["datastorage"]])
    sql(
        """INSERT INTO session (id, created_date, updated_date, version, name, description, date_time,
           extra_fields, download_links, name_used_in_storage)
           VALUES (:id, :at, :at, 1, :name, :description, :when, :extra, :links, '')""",
        id=id_,
        at=at,
        name=data["name"],
        description=data["description"],
        when=data["date_time"].replace("T", " ").removesuffix("Z") + ".000000",
        extra=json.dumps(data["extra_fields"]),
        links=json.dumps(data["download_links"]),
    )
    for place, each in enumerate(data["projects"]):
        sql(
            "INSERT INTO session_project VALUES (:id, :each, :place)",
            id=id_,
            each=key(each),
            place=place,
        )
    for place, each in enumerate(data["datastorage"]):
        sql(
            """INSERT INTO sessiondatastorage (id, created_date, updated_date, version, session_id,
               datastorage_id, "order") VALUES (:row, :at, :at, 1, :id, :each, :place)""",
            row=key(str(uuid.uuid4())), at=at, id=id_, each=key(each), place=place,
        )  # fmt: skip
    for place, each in enumerate(data["tags"]):
        sql(
            "INSERT INTO session_tag SELECT :id, id, :place FROM tag WHERE name = :name",
            id=id_,
            name=each,
            place=place,
        )
    if floor == "hand":
        roots = [key(each) for each in data["projects"]]
        note(user, at, roots, [revision("session", id_, data["name"], "create", {}, data)])
        index(id_, data)
    sql("COMMIT")
    return sent({"session": one(id_, user)}, 201)


@app.patch("/<any(hand, bare):floor>/sessions/<id_>")
def change(floor: str, id_: str) -> Response:
    """Another description."""
    id_, user, at = key(id_), me(), now()
    begin()
    roots = projects_to_change(user, id_)
    (name, before, version) = sql(
        "SELECT name, description, version FROM session WHERE id = :id", id=id_
    ).fetchone()
    text = request.get_json()["description"]
    sql(
        "UPDATE session SET description = :text, version = version + 1, updated_date = :at WHERE id = :id",
        text=text,
        at=at,
        id=id_,
    )
    found = one(id_, user)
    if floor == "hand":
        was, now_ = {"description": before}, {"description": text}
        note(user, at, roots, [revision("session", id_, name, "change", was, now_, version + 1)])
        index(id_, found)
    sql("COMMIT")
    return sent({"session": found})


@app.patch("/<any(hand, bare):floor>/storages/<id_>")
def reorder(floor: str, id_: str) -> Response:
    """Another place of a session's data storage: the one that stood there changes places with it."""
    id_, user, place, at = key(id_), me(), request.get_json()["order"], now()
    begin()
    (its, storage, before, name, version) = sql(
        """SELECT r.session_id, r.datastorage_id, r."order", s.name, s.version FROM sessiondatastorage r
           JOIN session s ON s.id = r.session_id WHERE r.id = :id""",
        id=id_,
    ).fetchone()
    roots = projects_to_change(user, its)
    values = {"its": its, "at": at, "place": place, "before": before}
    was = order_of(its) if floor == "hand" else []
    sql(
        """UPDATE sessiondatastorage SET version = version + 1, updated_date = :at,
           "order" = CASE WHEN "order" = :before THEN CAST(:place AS integer) ELSE :before END
           WHERE session_id = :its AND "order" IN (:before, :place)""",
        **values,
    )
    sql("UPDATE session SET version = version + 1, updated_date = :at WHERE id = :its", **values)
    if floor == "hand":
        states = ({"datastorage": each} for each in (was, order_of(its)))
        note(user, at, roots, [revision("session", its, name, "change", *states, version + 1)])
    sql("COMMIT")
    row = {
        "id": dashed(id_),
        "session": dashed(its),
        "datastorage": dashed(storage),
        "order": place,
    }
    return sent({"sessiondatastorage": row})


def order_of(session_id: str) -> Ids:
    """The data storages of a session, in their order."""
    found = sql(
        """SELECT datastorage_id FROM sessiondatastorage WHERE session_id = :its ORDER BY "order" """,
        its=session_id,
    )
    return [dashed(row[0]) for row in found.fetchall()]


@app.delete("/<any(hand, bare):floor>/sessions/<id_>")
def delete(floor: str, id_: str) -> Response:
    """A session gone, with its parts."""
    id_, user = key(id_), me()
    begin()
    roots = projects_to_change(user, id_)
    if floor == "hand":
        record = one(id_, user)
        gone = [*parts_of(record, user), ("session", record)]
        revisions = [
            revision(kind, key(each["id"]), each.get("name", ""), "delete", each, {})
            for kind, each in gone
        ]
        note(user, now(), roots, revisions)
        for _, each in gone:
            sql("DELETE FROM search_entry WHERE record_id = :id", id=key(each["id"]))
    sql("DELETE FROM session WHERE id = :id", id=id_)
    sql("COMMIT")
    return Response(status=204)


def parts_of(record: dict[str, Any], user: str) -> list[tuple[str, dict[str, Any]]]:
    """All that goes with a session, whole."""
    found = []
    for name, (select, make) in INCLUDED.items():
        wanted = {f"i{n}": key(each) for n, each in enumerate(record[name])}
        if wanted:
            listed = ", ".join(f":{each}" for each in wanted)
            rows = sql(f"{select} ({listed})", me=user, **wanted).fetchall()
            found += [(name.removesuffix("s"), make(row)) for row in rows]
    return found
