"""Real sessions to try the program with: Steinmetz et al. 2019, 39 Neuropixels recordings.

N. A. Steinmetz, P. Zatka-Haas, M. Carandini, K. D. Harris: Distributed coding of choice, action and
engagement across the mouse brain. Nature 576, 266-273 (2019), doi:10.1038/s41586-019-1787-x.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from sqlalchemy import select

from brainstem.core import operations
from brainstem.core.permissions import Actor, Right, require
from brainstem.core.resource import registry
from brainstem.core.transactions import operation
from brainstem.errors import Forbidden
from brainstem.extensions import db
from brainstem.records.users import User

TABLE = Path(__file__).parent / "data" / "steinmetz2019_sessions.csv"

#: The columns that are fields of a session; all others become extra fields.
FIELDS = (
    "session_name",
    "date_time",
    "project",
    "description",
    "tags",
    "repository",
    "url",
    "mirror_repository",
    "mirror_url",
)

#: Their levels of folders are left open: what these addresses have below them can't be named by a rule.
STORAGES = (
    {
        "name": "Figshare: Steinmetz et al. 2019",
        "location": "figshare.com",
        "description": "Spike-sorted data and behavior, as published with the paper.",
        "data_protocols": [
            {
                "protocol": "HTTPS",
                "path": "https://doi.org/10.6084/m9.figshare.9598406",
                "is_public": True,
            }
        ],
        "is_public": True,
    },
    {
        "name": "DANDI archive: dandiset 000017",
        "location": "dandiarchive.org",
        "description": "The same sessions as NWB files, a folder for each subject.",
        "data_protocols": [
            {
                "protocol": "HTTPS",
                "path": "https://dandiarchive.org/dandiset/000017",
                "is_public": True,
            }
        ],
        "is_public": True,
    },
)


@operation
def load(actor: Actor) -> int:
    """Add what is missing of the demonstration data; returns how many sessions were new.

    For administrators. What is there already stays as it is, so a second time changes nothing.
    """
    user = db.session.get(User, actor.user_id)
    if user is None or not user.is_admin:
        raise Forbidden("Only administrators load the demonstration data.")
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    storages = [_found_or_made(actor, "datastorage", payload)[0] for payload in STORAGES]
    made = 0
    for row in rows:
        project, _ = _found_or_made(actor, "project", _project(row))
        payload = _session(row) | {"projects": [project], "datastorage": storages}
        made += _found_or_made(actor, "session", payload)[1]
    return made


def _found_or_made(actor: Actor, kind: str, payload: dict[str, Any]) -> tuple[str, bool]:
    """The id of the record of that name, and whether it is new."""
    resource = registry.get(kind)
    model = resource.model
    found = db.session.scalar(select(model.id).where(model.name == payload["name"]))
    if found is None:
        return str(operations.add(actor, resource, payload).id), True
    require(actor, Right.USE, resource, found)
    return str(found), False


def _project(row: dict[str, str]) -> dict[str, Any]:
    return {
        "name": row["project"],
        "description": "Neuropixels recordings in mice doing a two-alternative visual "
        "discrimination task. [Paper](https://doi.org/10.1038/s41586-019-1787-x).",
        "tags": row["tags"].split(";"),
    }


def _session(row: dict[str, str]) -> dict[str, Any]:
    links = [("repository", "url"), ("mirror_repository", "mirror_url")]
    return {
        "name": row["session_name"],
        "date_time": row["date_time"],
        "description": row["description"],
        "tags": row["tags"].split(";"),
        "download_links": [{"repository": row[name], "url": row[url]} for name, url in links],
        "extra_fields": {
            key: number(text) for key, text in row.items() if key not in FIELDS and text
        },
    }


def number(text: str) -> str | int | float:
    """A number where the text is one, else the text."""
    if re.fullmatch(r"-?(0|[1-9]\d*)", text, re.ASCII):
        return int(text)
    if re.fullmatch(r"-?\d+\.\d+", text, re.ASCII):
        return float(text)
    return text
