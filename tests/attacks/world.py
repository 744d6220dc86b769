"""A lab in which Ada has secrets: texts of hers that Eve may not read stand in every field of every kind.

Eve has records of her own, and some that both have a part in: a session in Eve's project and in a secret
one, a collection of hers that names a secret session. A text is secret where it begins with `SECRET`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from io import BytesIO
from typing import Any

from flask import Flask
from marshmallow import fields
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from brainstem.core.history import Change, Revision
from brainstem.core.permissions import Role
from brainstem.core.resource import Resource, registry
from brainstem.core.schemas import Document, ExtraFields, RowList, TagList, Text, WebAddress
from brainstem.extensions import db
from brainstem.imports.runs import ImportRun
from brainstem.records.saved_views import SavedView
from brainstem.records.sign_ins import SignIn
from brainstem.records.tokens import Token
from tests.kinds import KINDS, LEAST, OPTIONAL, filled
from tests.people import Person

#: No word has it, so wherever it turns up it was told.
SECRET = "zqsecret7"

#: What is written in one form only.
CHOICES = ("type", "sex", "repository", "elements")

Make = Callable[[str], str]


def texts_of(resource: Resource, make: Make, payload: dict[str, Any]) -> dict[str, Any]:
    """A payload with a text made for every text field of the kind, those inside of other fields too."""
    for name, field in resource.schema._declared_fields.items():
        if not field.dump_only and not field.metadata.get("form_only"):
            payload |= _value(name, field, make, payload)
    return payload


def _value(name: str, field: fields.Field, make: Make, payload: dict[str, Any]) -> dict[str, Any]:
    match field:
        case WebAddress():
            return {name: "https://lab.org/?" + re.sub(r"\s+", "-", make(name))}
        case Text() if not field.validate:
            return {name: make(name)[: field.most]}
        case TagList():
            return {name: [make(name)]}
        case ExtraFields():
            key = re.sub("[^A-Za-z0-9]", "", make(f"{name}key"))
            return {name: {key or "key": make(name)}}
        case Document() if field.many:
            return {name: [{make(f"{name}key"): [make(name)]}]}
        case Document():
            return {name: {make(f"{name}key"): [make(name)]}}
        case RowList():
            rows = payload.get(name) or [{}]
            inner = field.inner.schema.fields
            made = [
                {k: v for k, f in inner.items() for k, v in _value(k, f, make, dict(row)).items()}
                for row in rows
            ]
            return {name: [row | more for row, more in zip(rows, made, strict=True)]}
    return {}


class Lab:
    """The people, and the ids of their records by kind: Eve's, the secret ones, and the shared ones.

    All that Ada writes begins with `text`.
    """

    def __init__(self, app: Flask, person: Callable[..., Person], text: str = SECRET) -> None:
        self.app, self.text = app, text
        self.ada, self.eve = person("ada@lab.org"), person("eve@lab.org")
        self.mine = self._one_of_each(self.eve, "Eve's {}")
        self.secret = self._one_of_each(self.ada, text + " {}")
        self.shared = self._shared()
        self._go_on()
        self.other = self._of_ada()

    def _one_of_each(self, who: Person, named: str) -> dict[str, str]:
        made: dict[str, str] = {}
        for kind, least in LEAST.items():
            payload = dict(least)
            for name, (_, value) in OPTIONAL[kind].items():
                # Pairs of a session and a storage are made on their own; nothing is public yet.
                if name != "is_public" and (kind, name) != ("session", "datastorage"):
                    payload[name] = value
            payload = filled(payload, made)
            payload = texts_of(
                registry.get(kind), lambda name, k=kind: named.format(k + name), payload
            )
            made[kind] = who.made(KINDS[kind].address, payload)["id"]
        return made

    def _shared(self) -> dict[str, str]:
        """Records of Eve's project that name secret ones, which only Ada could bring there."""
        ada, eve, mine, secret = self.ada, self.eve, self.mine, self.secret
        for kind in ("project", "datastorage", "setup", "behavioralassay"):
            eve.share(kind, {"id": mine[kind]}, ada.email, Role.CONTRIBUTOR)
        payloads = {
            "subject": {"projects": [mine["project"], secret["project"]]},
            "session": {
                "projects": [secret["project"], mine["project"]],
                "datastorage": [secret["datastorage"], mine["datastorage"]],
            },
            "behavior": {
                "session": "{session}",
                "subjects": [secret["subject"], mine["subject"]],
                "setup": secret["setup"],
                "behavioralassay": secret["behavioralassay"],
            },
            "dataacquisition": {
                "session": "{session}",
                "procedures": [secret["procedure"]],
                "equipment": [secret["equipment"]],
            },
            "manipulation": {
                "session": "{session}",
                "procedures": [secret["procedure"]],
                "equipment": [secret["equipment"]],
            },
            "epoch": {"session": "{session}", "behaviors": ["{behavior}"]},
            "procedure": {"subject": "{subject}", "equipment": [secret["equipment"]]},
            "collection": {"project": mine["project"], "sessions": [secret["session"]]},
            "cohort": {"project": mine["project"], "subjects": [secret["subject"]]},
        }
        made: dict[str, str] = {}
        for kind, payload in payloads.items():
            least = {name: "Shared" for name in LEAST[kind] if name in ("name", "type")}
            least |= {name: LEAST[kind][name] for name in least if name == "type"}
            made[kind] = ada.made(KINDS[kind].address, filled(least | payload, made))["id"]
        pairs = ada.get(f"stem/sessiondatastorage/?filter{{session}}={made['session']}")
        self.pair = next(
            each["id"]
            for each in pairs["sessiondatastorages"]
            if each["datastorage"] == secret["datastorage"]
        )
        return made

    def _go_on(self) -> None:
        """A history: what was secret is deleted, and what was shared is taken away, and secret since."""
        ada = self.ada
        gone = ada.session(f"{self.text} gone", {"id": self.secret["project"]})
        assert ada("DELETE", f"stem/session/{gone['id']}").status_code == 204
        left = ada.session("Was shared", {"id": self.mine["project"]})
        for change in (
            {"projects": [self.secret["project"]]},
            {"name": f"{self.text} taken away", "tags": [f"{self.text}taken"]},
        ):
            assert ada("PATCH", f"stem/session/{left['id']}", change).status_code == 200
        self.taken = left["id"]
        # In public, only the part that is public is seen of what stands in several places.
        public = {"is_public": True}
        assert self.eve("PATCH", f"stem/project/{self.mine['project']}", public).status_code == 200

    def _of_ada(self) -> dict[str, Any]:
        """What else addresses name: all Ada's own, and no record."""
        pages = self.ada.browser()
        form = {"name": f"{self.text} view", "query": f"q={self.text}"}
        assert pages.submit("/sessions/views", form, page="/sessions/").status_code == 302
        table = FileStorage(
            BytesIO(f"name,room\n{self.text},{self.text}\n".encode()), f"{self.text}.csv"
        )
        form = {"csrf_token": pages.token("/import/"), "kind": "sessions", "file": table}
        assert pages.client.post("/import/", data=form).status_code == 302
        form = {"name": f"{self.text} token"}
        assert pages.submit("/account/tokens/", form).status_code == 200
        with self.app.app_context():
            first = {
                name: db.session.scalar(select(model.id).where(model.user_id == self.ada.id))
                for name, model in (
                    ("view_id", SavedView),
                    ("run_id", ImportRun),
                    ("token_id", Token),
                    ("sign_in_id", SignIn),
                )
            }
            of_secret = select(Revision).where(
                Revision.record_id == uuid.UUID(self.secret["session"])
            )
            revision = db.session.scalar(of_secret.order_by(Revision.id))
            change = db.session.get(Change, revision.change_id)
            return first | {
                "revision_id": revision.id,
                "change_id": change.id,
                "user_id": self.ada.id,
            }

    @property
    def hidden_ids(self) -> set[str]:
        """The ids that Eve has not been told; of what was taken away she knows that it was there."""
        return {*self.secret.values(), self.pair}

    def told(self, answer: Any, asked: str = "", *, tags: bool = True) -> list[str]:
        """The secrets that an answer tells, but for those that were `asked` with.

        The words of tags are shared by all (contract §4): where tags are chosen (not `tags`) they are told.
        """
        text = f"{answer.get_data(as_text=True)} {answer.headers}".lower()
        asked = asked.lower()
        words = set(re.findall(rf"{SECRET}[ %\w-]*\w", text))
        if not tags:
            words = {
                each for each in words if not re.fullmatch(rf"{SECRET} \w+tags|{SECRET}taken", each)
            }
        ids = {each for each in self.hidden_ids if each in text or each.replace("-", "") in text}
        return sorted(each for each in words | ids if each not in asked)


def dump() -> dict[str, list[tuple]]:
    """Every row of every table."""
    with db.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in db.metadata.sorted_tables
        }


def harm(lab: Lab, before: dict[str, list[tuple]], after: dict[str, list[tuple]]) -> list[str]:
    """What was lost or changed between two dumps, and what is new and speaks of what is secret.

    What Eve makes of her own harms nobody; guessing passwords leaves its marks.
    """
    found = []
    for table, rows in before.items():
        kept, had = set(map(repr, after[table])), set(map(repr, rows))
        if table != "failed_tries":
            found += [f"{table} lost {row}" for row in had - kept]
        found += [
            f"{table} has {row}"
            for row in kept - had
            if any(each in row for each in {*lab.hidden_ids, SECRET})
        ]
    return found
