"""What contract §4 to §6 say of every kind, by hand: it shares nothing with the schemas it judges.

`{project}` and its like in a payload stand for the id of a record made before: see `one_of_each`.
"""

from __future__ import annotations

from typing import Any

# kind: address, key of one, key of several, keys in their order
TABLE = """
project             stem  project  projects
    id name description sessions subjects collections cohorts extra_fields is_public tags links users groups
subject             stem  subject  subjects
    id name description projects sex species strain genotype birth_date death_date extra_fields
    procedures subjectlogs name_used_in_storage tags links
session             stem  session  sessions
    id name description epochs projects date_time datastorage extra_fields download_links
    dataacquisition behaviors manipulations name_used_in_storage tags links
sessiondatastorage  stem  sessiondatastorage  sessiondatastorages
    id session datastorage order
collection          stem  collection  collections
    id name description project sessions tags
cohort              stem  cohort  cohorts
    id name description project subjects tags
epoch               stem  epoch  epochs
    id name session start end behaviors dataacquisition manipulations notes
behavior            modules  behavior  behaviors
    id session subjects setup behavioralassay notes order
dataacquisition     modules  data_acquisition  data_acquisitions
    id type session procedures equipment notes details type_schema_version order
manipulation        modules  manipulation  manipulations
    id type session procedures equipment notes details type_schema_version order
procedure           modules  procedure  procedures
    id type subject date_time equipment notes details
equipment           modules  equipment  equipment
    id name type setup date_time notes details
subjectlog          modules  subject_log  subject_logs
    id type subject description user entries
datastorage         personal_attributes  datastorage  datastorages
    id name location description is_public data_organization data_protocols users groups
setup               personal_attributes  setup  setups
    id name location description is_public users groups
behavioralassay     personal_attributes  behavioralassay  behavioralassays
    id name description is_public users groups
user                users  user  users
    id email first_name last_name
group               users  group  groups
    id name users
"""


class Kind:
    """One entry of the table."""

    def __init__(self, line: str) -> None:
        self.name, self.app, self.key, self.keys = line.split()
        self.address = f"{self.app}/{self.name}"
        self.fields: list[str] = []


def _read(table: str) -> dict[str, Kind]:
    kinds: list[Kind] = []
    for line in table.strip().splitlines():
        if line.startswith(" "):
            kinds[-1].fields += line.split()
        else:
            kinds.append(Kind(line))
    return {kind.name: kind for kind in kinds}


KINDS = _read(TABLE)

#: The least that makes a record; each of these fields is required. In an order to make them in.
LEAST: dict[str, dict[str, Any]] = {
    "project": {"name": "Project"},
    "group": {"name": "Group"},
    "datastorage": {"name": "Storage"},
    "setup": {"name": "Setup"},
    "behavioralassay": {"name": "Assay"},
    "subject": {"name": "Subject", "projects": ["{project}"]},
    "session": {"name": "Session", "projects": ["{project}"]},
    "sessiondatastorage": {"session": "{session}", "datastorage": "{datastorage}"},
    "collection": {"name": "Collection", "project": "{project}"},
    "cohort": {"name": "Cohort", "project": "{project}"},
    "equipment": {"type": "Camera", "setup": "{setup}"},
    "procedure": {"type": "Implantation", "subject": "{subject}"},
    "subjectlog": {"type": "Weight", "subject": "{subject}"},
    "behavior": {"session": "{session}", "subjects": ["{subject}"]},
    "dataacquisition": {"type": "ExtracellularEphys", "session": "{session}"},
    "manipulation": {"type": "OptogeneticStimulation", "session": "{session}"},
    "epoch": {"name": "Epoch", "session": "{session}"},
}

_IMPLANT = {"depth": 3, "sites": [1, 2.0], "by": {"name": None}}
_MOMENT = "2023-03-22T15:30:00Z"

#: Every other field that can be written: what it is when nothing is said, and what it may be.
OPTIONAL: dict[str, dict[str, tuple[Any, Any]]] = {
    "project": {
        "description": ("", "All of *it*\n"),
        "extra_fields": ({}, {"b": 22, "a": "x"}),
        "is_public": (False, True),
        "tags": ([], ["new", "old"]),
    },
    "group": {},
    "datastorage": {
        "location": ("", "Room 12"),
        "description": ("", "Fast"),
        "is_public": (False, True),
        "data_organization": ([], [{"elements": "Projects"}, {"elements": "Years"}]),
        "data_protocols": ([], [{"protocol": "SMB", "path": "/data", "is_public": True}]),
    },
    "setup": {
        "location": ("", "Room 12"),
        "description": ("", "Dark"),
        "is_public": (False, True),
    },
    "behavioralassay": {"description": ("", "Left or right"), "is_public": (False, True)},
    "subject": {
        "description": ("", "Shy"),
        "sex": ("U", "F"),
        "species": ("", "Mus musculus"),
        "strain": ("", "C57BL/6J"),
        "genotype": ("", "WT"),
        "birth_date": (None, "2022-12-31"),
        "death_date": (None, "2023-12-31"),
        "extra_fields": ({}, {"weight": 22.0}),
        "name_used_in_storage": ("", "s_01"),
        "tags": ([], ["mouse"]),
    },
    "session": {
        "description": ("", "First"),
        "date_time": (None, _MOMENT),
        "datastorage": ([], ["{datastorage}"]),
        "extra_fields": ({}, {"room": "B115"}),
        "download_links": ([], [{"repository": "DANDI", "url": "https://dandiarchive.org/1"}]),
        "tags": ([], ["mouse"]),
    },
    "sessiondatastorage": {},
    "collection": {
        "description": ("", "For the paper"),
        "sessions": ([], ["{session}"]),
        "tags": ([], ["paper"]),
    },
    "cohort": {
        "description": ("", "Litter"),
        "subjects": ([], ["{subject}"]),
        "tags": ([], ["paper"]),
    },
    "equipment": {
        "name": ("", "Left camera"),
        "date_time": (None, _MOMENT),
        "notes": ("", "Dusty"),
        "details": ({}, _IMPLANT),
    },
    "procedure": {
        "date_time": (None, _MOMENT),
        "equipment": ([], ["{equipment}"]),
        "notes": ("", "Went well"),
        "details": ({}, _IMPLANT),
    },
    "subjectlog": {
        "description": ("", "Every day"),
        "entries": ([], [{"date_time": _MOMENT, "notes": "22 g", "details": {"weight": 22.0}}]),
    },
    "behavior": {
        "setup": (None, "{setup}"),
        "behavioralassay": (None, "{behavioralassay}"),
        "notes": ("", "Lively"),
    },
    "dataacquisition": {
        "procedures": ([], ["{procedure}"]),
        "equipment": ([], ["{equipment}"]),
        "notes": ("", "Noisy"),
        "details": ({}, _IMPLANT),
        "type_schema_version": ("", "1.2"),
    },
    "manipulation": {
        "procedures": ([], ["{procedure}"]),
        "equipment": ([], ["{equipment}"]),
        "notes": ("", "Blue"),
        "details": ([], [_IMPLANT, {}]),
        "type_schema_version": ("", "1.2"),
    },
    "epoch": {
        "start": (None, "00:05:00"),
        "end": (None, "01:00:00.500000"),
        "behaviors": ([], ["{behavior}"]),
        "dataacquisition": ([], ["{dataacquisition}"]),
        "manipulations": ([], ["{manipulation}"]),
        "notes": ("", "Rest"),
    },
}


def filled(value: Any, ids: dict[str, str]) -> Any:
    """A payload with the ids that it asks for."""
    if isinstance(value, dict):
        return {name: filled(each, ids) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, ids) for each in value]
    known = isinstance(value, str) and value[:1] == "{" and value[1:-1] in ids
    return ids[value[1:-1]] if known else value


def one_of_each(who: Any, ending: str = "") -> dict[str, dict[str, Any]]:
    """A record of every kind by kind, made of the least, and theirs to whom `who` is; no user."""
    made: dict[str, dict[str, Any]] = {}
    for kind, least in LEAST.items():
        payload = filled(least, ids_of(made))
        if "name" in payload:
            payload["name"] += ending
        made[kind] = who.made(KINDS[kind].address, payload)
    return made


def ids_of(made: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The ids of `one_of_each`, by kind."""
    return {kind: record["id"] for kind, record in made.items()}
