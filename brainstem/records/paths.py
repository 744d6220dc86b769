"""Where the data of a session lies: paths built from a storage's base path and its levels of folders.

`data_organization` names the levels from the top, `Projects`, `Subjects`, `Sessions` …; each stands for
one folder, named as the record is in the storage (`name_used_in_storage`), else as the record itself.
What isn't known becomes a placeholder with its reason. Where a level has several names, as for a
session of two projects, there are several candidates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

#: How many candidates are shown for one base path, and how many names of a level are tried.
MOST, MOST_NAMES = 6, 50

#: By level: what stands in the place of an unknown folder, and why it is unknown.
UNKNOWN = {
    "Projects": ("‹project›", "The session has no project that you may see."),
    "Collections": ("‹collection›", "The session is in no collection."),
    "Cohorts": ("‹cohort›", "The session’s subjects are in no cohort."),
    "Subjects": ("‹subject›", "No behavior of the session names a subject."),
    "Sessions": ("‹session›", "The session has no name."),
    "Years": ("‹year›", "The session has no date."),
}

#: Addresses in which a name must be written with percent signs.
ENCODED = ("http", "https", "ftp")


@dataclass(frozen=True)
class Named:
    """A record that a folder may be named after.

    `within` says, by level, which records there it goes with: a collection with its project. Of a
    level that is not in it, it goes with any.
    """

    id: str
    name: str
    within: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DataPath:
    """One place where data may lie; `missing` says why parts of it are placeholders.

    `choice` tells it from the other candidates: the names of what there was a choice of.
    """

    text: str
    missing: tuple[str, ...] = ()
    choice: str = ""

    @property
    def kind(self) -> str:
        """What kind of path it is: see `kind_of`."""
        return kind_of(self.text)


def kind_of(path: str) -> str:
    """`url`, `windows`, `absolute` (a POSIX path on some computer) or `other` (relative, rsync, …)."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", path):
        return "url"
    if re.match(r"[A-Za-z]:([\\/]|$)|\\\\", path):
        return "windows"
    if path.startswith("/") and not path.startswith("//"):
        return "absolute"
    return "other"


def candidates(
    base: str, levels: Sequence[str], known: Mapping[str, Sequence[Named]]
) -> tuple[list[DataPath], bool]:
    """The places under a base path, and whether there are more than these.

    `known` has for each level the records that the session belongs to.
    """
    levels = [level for level in levels if level in UNKNOWN]
    open_levels = list(dict.fromkeys(level for level in levels if known.get(level)))
    choices = list(_choices(open_levels, known, agreeing=True))
    if not choices:
        # A subject of none of the session's projects: then every combination is as good.
        choices = list(_choices(open_levels, known, agreeing=False))
    several = [level for level in open_levels if len({each[level].name for each in choices}) > 1]
    found = [_path(base, levels, choice, several) for choice in choices[:MOST]]
    return list(dict.fromkeys(found)), len(choices) > MOST


def _choices(
    levels: list[str], known: Mapping[str, Sequence[Named]], *, agreeing: bool
) -> Iterator[dict[str, Named]]:
    """One record for each level, in every way in which they go together; one more than is shown."""
    left = MOST + 1

    def choose(place: int, chosen: dict[str, Named]) -> Iterator[dict[str, Named]]:
        nonlocal left
        if place == len(levels):
            left -= 1
            yield dict(chosen)
            return
        for each in known[levels[place]][:MOST_NAMES]:
            if left <= 0:
                return
            level = levels[place]
            if agreeing and not all(_agree(level, each, *other) for other in chosen.items()):
                continue
            yield from choose(place + 1, {**chosen, level: each})

    yield from choose(0, {})


def _agree(level: str, one: Named, other_level: str, other: Named) -> bool:
    """Whether two records, of different levels, go together."""
    return (
        other.id in one.within.get(other_level, {other.id})
        and one.id in other.within.get(level, {one.id})
    )  # fmt: skip


def _path(
    base: str, levels: Sequence[str], choice: Mapping[str, Named], several: Sequence[str]
) -> DataPath:
    """The path for one choice."""
    names, missing = [], []
    for level in levels:
        placeholder, reason = UNKNOWN[level]
        if level in choice and (bad := unfit(choice[level].name)):
            reason = f"{placeholder.strip('‹›').capitalize()}: {bad}"
        elif level in choice:
            names.append((choice[level].name, True))
            continue
        names.append((placeholder, False))
        missing.append(reason)
    if not base.isprintable():
        missing.append("The storage’s own path has an unprintable character in it.")
    return DataPath(
        join(base, names),
        tuple(dict.fromkeys(missing)),
        " · ".join(choice[level].name for level in several),
    )


def unfit(name: str) -> str:
    """Why a name can't be a folder's; empty where it can.

    A name may hold separators: a name used in storage such as `2023/M12` is two folders.
    """
    parts = re.split(r"[\\/]", name)
    if not name.isprintable():
        return "the name has an unprintable character; give the name used in storage."
    if not name.strip(r"\/") or "." in parts or ".." in parts:
        return "the name can’t be a folder’s; give the name used in storage."
    return ""


def join(base: str, names: Sequence[tuple[str, bool]]) -> str:
    """The base path with folders below it; each name with whether it is one, or a placeholder."""
    kind, parts = kind_of(base), [(text.strip("/"), known) for text, known in names]
    if kind == "url":
        return _join_url(base, parts)
    backslashes = kind == "windows" or "\\" in base
    separator = "\\" if backslashes and not ("/" in base and "\\" not in base) else "/"
    if re.fullmatch("[A-Za-z]:", base):
        base += separator
    if not parts:
        return base
    texts = [text for text, _ in parts]
    top = base if set(base) <= set("/\\") else base.rstrip("/\\")
    return top + ("" if top.endswith(("/", "\\")) else separator) + separator.join(texts)


def _join_url(base: str, parts: Sequence[tuple[str, bool]]) -> str:
    """Folders below an address: at its end, or before its query where they can't stand in that.

    `https://app.globus.org/file-manager?origin_path=/data/` has its folders in the query.
    """
    scheme = base.partition(":")[0].lower()
    encoded = scheme in ENCODED
    names = [quote(text) if encoded and known else text for text, known in parts]
    if not names:
        return base
    place, mark, rest = re.fullmatch(r"([^?#]*)([?#]?)(.*)", base, re.DOTALL).groups()
    if mark and base.endswith(("=", "/")):
        return base + "/".join(names)
    if not place.endswith("://"):
        place = place.rstrip("/") + "/"
    return place + "/".join(names) + mark + rest
