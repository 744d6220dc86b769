"""The kinds that can be imported, and by which names people call their columns.

Every field of a kind's schema that can be written is known by its own name, its label, and BrainSTEM's
`session__name`; what stands here is what else it is called, and what a template shows as an example.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from brainstem.core.resource import Resource, registry


@dataclass(frozen=True, eq=False)
class ImportKind:
    """How tables of one kind of record look. `names` and `examples` are by target: see `matching`."""

    #: The kind's name in the registry, and the plural that addresses and commands use.
    name: str
    plural: str
    #: Other names of columns.
    names: dict[str, tuple[str, ...]]
    #: The columns of the template, by the names that BrainSTEM uses, each with an example.
    template: dict[str, str]
    #: The field that one record can be chosen for, for rows that say nothing of it.
    default: str = ""
    #: Other words for the values of a field.
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Columns that BrainSTEM's templates have, and that say nothing new here.
    needless: tuple[str, ...] = ()

    @property
    def resource(self) -> Resource:
        """The kind of record."""
        return registry.get(self.name)


PROJECT_NAMES = ("project", "project__name", "project name")
STORED_AS = ("name in storage", "name in data storage", "folder", "folder name", "directory")

KINDS = {
    kind.plural: kind
    for kind in (
        ImportKind(
            name="session",
            plural="sessions",
            default="projects",
            names={
                "name": ("session", "session title", "recording", "recording name"),
                "projects": PROJECT_NAMES,
                "date_time": (
                    "date",
                    "date time",
                    "session date",
                    "start time",
                    "session start time",
                    "session start",
                    "recording date",
                    "recording time",
                    "timestamp",
                ),
                "description": ("notes", "comment", "comments", "session notes", "remarks"),
                "tags": ("tag", "keywords"),
                "datastorage": ("data storages", "storage", "storages", "storage name"),
                "name_used_in_storage": (
                    "session_name_in_data_storage",
                    "session name in storage",
                    *STORED_AS,
                ),
                "download_links.repository": ("repository", "mirror repository", "archive"),
                "download_links.url": (
                    "url",
                    "link",
                    "mirror url",
                    "download url",
                    "download link",
                ),
            },
            template={
                "project__name": "Cortex maps",
                "session__name": "rat5_2024-05-06",
                "session__date_time": "2024-05-06 14:30",
                "session__description": "First day in the new arena.",
                "session__tags": "awake, Neuropixels",
                "session__data_storage": "Lab server",
                "session_name_in_data_storage": "20240506_rat5",
                "room": "B115",
            },
        ),
        ImportKind(
            name="subject",
            plural="subjects",
            default="projects",
            names={
                "name": (
                    "subject",
                    "animal",
                    "animal name",
                    "animal id",
                    "mouse",
                    "rat",
                ),
                "projects": PROJECT_NAMES,
                "sex": ("gender",),
                "genotype": ("genetic line",),
                "birth_date": ("birthdate", "birthday", "date of birth", "dob"),
                "death_date": ("deathdate", "date of death", "dod"),
                "description": ("notes", "comment", "comments", "remarks"),
                "tags": ("tag", "keywords"),
                "name_used_in_storage": ("subject name in storage", *STORED_AS),
            },
            words={
                "sex": {
                    "female": "F",
                    "male": "M",
                    "unknown": "U",
                    "f": "F",
                    "m": "M",
                    "u": "U",
                    "♀": "F",
                    "♂": "M",
                }
            },
            template={
                "project__name": "Cortex maps",
                "subject__name": "rat5",
                "subject__sex": "F",
                "subject__species": "Rattus norvegicus",
                "subject__strain": "Long-Evans",
                "subject__genotype": "wild type",
                "subject__birth_date": "2024-01-15",
                "subject__description": "",
                "subject__tags": "cohort A",
                "weight_g": "312.5",
            },
        ),
        ImportKind(
            name="epoch",
            plural="epochs",
            names={
                "name": ("epoch", "epoch title"),
                "session": ("session__name", "session name", "recording"),
                "start": ("start time", "onset", "begin", "from", "start s", "start seconds"),
                "end": ("end time", "stop", "stop time", "to", "end s", "end seconds", "offset"),
                "behaviors": ("behavior",),
                "dataacquisition": ("data acquisition",),
                "manipulations": ("manipulation",),
                "notes": ("description", "comment", "comments", "remarks"),
            },
            needless=PROJECT_NAMES,
            template={
                "session__name": "rat5_2024-05-06",
                "epoch__name": "Baseline",
                "epoch__start": "00:00:00",
                "epoch__end": "00:10:00",
                "epoch__notes": "Before the first trial.",
            },
        ),
    )
}
