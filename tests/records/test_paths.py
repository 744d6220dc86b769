"""Where a session's data is: what each storage's base path and levels of folders come to."""

from __future__ import annotations

import pytest

from brainstem.records.paths import MOST, UNKNOWN, DataPath, Named, candidates, kind_of

MOUSE = Named("m", "Mouse_001", {"Projects": frozenset("ab")})
KNOWN = {
    "Projects": [Named("a", "Memory_Study_2024")],
    "Subjects": [MOUSE],
    "Sessions": [Named("s", "ses01_baseline")],
    "Years": [Named("2023", "2023")],
}
ALL = ["Projects", "Subjects", "Sessions"]

JOINED = [
    # BrainSTEM's own example.
    ("/mnt/labserver/data/", ALL, "/mnt/labserver/data/Memory_Study_2024/Mouse_001/ses01_baseline"),
    ("/mnt/labserver/data", ["Sessions"], "/mnt/labserver/data/ses01_baseline"),
    ("/mnt/data//", ["Years", "Sessions"], "/mnt/data/2023/ses01_baseline"),
    ("/", ["Sessions"], "/ses01_baseline"),
    ("/mnt/data/", [], "/mnt/data/"),
    ("/mnt/data", ["Sessions", "Subjects"], "/mnt/data/ses01_baseline/Mouse_001"),
    ("/mnt/data", ["Subjects", "Sessions", "Subjects"], "/mnt/data/Mouse_001/ses01_baseline/Mouse_001"),
    ("/mnt/data", ["Sessions", "Shelves"], "/mnt/data/ses01_baseline"),
    ("data/myproject", ["Subjects"], "data/myproject/Mouse_001"),
    ("ada@server.lab:/data", ["Subjects"], "ada@server.lab:/data/Mouse_001"),
    ("~/data", ["Subjects"], "~/data/Mouse_001"),
    # Windows: a drive, a share, and those who write slashes there.
    ("D:\\Lab_Data\\", ALL, "D:\\Lab_Data\\Memory_Study_2024\\Mouse_001\\ses01_baseline"),
    ("D:", ["Sessions"], "D:\\ses01_baseline"),
    ("D:\\", ["Sessions"], "D:\\ses01_baseline"),
    ("D:/Lab_Data", ["Subjects", "Sessions"], "D:/Lab_Data/Mouse_001/ses01_baseline"),
    ("\\\\nas\\share", ["Subjects", "Sessions"], "\\\\nas\\share\\Mouse_001\\ses01_baseline"),
    ("//nas/share/", ["Subjects", "Sessions"], "//nas/share/Mouse_001/ses01_baseline"),
    ("raw\\data", ["Sessions"], "raw\\data\\ses01_baseline"),
    # Addresses.
    ("https://dandiarchive.org/dandiset/1/", ["Subjects"], "https://dandiarchive.org/dandiset/1/Mouse_001"),
    ("https://x.org", ["Subjects"], "https://x.org/Mouse_001"),
    ("https://x.org/a?token=1", ["Subjects"], "https://x.org/a/Mouse_001?token=1"),
    ("https://x.org/f?path=/data/", ["Subjects"], "https://x.org/f?path=/data/Mouse_001"),
    ("https://x.org/f?path=", ["Subjects"], "https://x.org/f?path=Mouse_001"),
    ("https://x.org/a#top", ["Subjects"], "https://x.org/a/Mouse_001#top"),
    ("s3://bucket", ["Subjects"], "s3://bucket/Mouse_001"),
    ("s3://", ["Subjects"], "s3://Mouse_001"),
    ("smb://nas/share", ["Subjects"], "smb://nas/share/Mouse_001"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "levels", "path"), JOINED)
def test_a_path_is_the_base_with_a_folder_for_each_level(base, levels, path):
    assert candidates(base, levels, KNOWN) == ([DataPath(path)], False)


@pytest.mark.parametrize(
    ("base", "name", "path"),
    [
        ("https://x.org/a", "Mouse 1 é?", "https://x.org/a/Mouse%201%20%C3%A9%3F"),
        ("ftp://x.org/a", "a/b c", "ftp://x.org/a/a/b%20c"),
        ("s3://bucket", "Mouse 1", "s3://bucket/Mouse 1"),
        ("/mnt", "Mouse 1 é?", "/mnt/Mouse 1 é?"),
        ("/mnt", "2023/M12", "/mnt/2023/M12"),
        ("/mnt", "/2023/M12/", "/mnt/2023/M12"),
        ("D:\\", "100%", "D:\\100%"),
    ],
)
def test_names_are_written_as_the_kind_of_path_asks(base, name, path):
    known = {"Sessions": [Named("s", name)]}
    assert candidates(base, ["Sessions"], known) == ([DataPath(path)], False)


@pytest.mark.parametrize("level", UNKNOWN)
def test_what_is_not_known_is_a_placeholder_with_its_reason(level):
    placeholder, reason = UNKNOWN[level]
    for base, path in (
        ("/mnt", f"/mnt/{placeholder}/x"),
        ("https://x.org", f"https://x.org/{placeholder}/x"),
    ):
        other = "Years" if level == "Sessions" else "Sessions"
        known = {other: [Named("x", "x")]}
        assert candidates(base, [level, other], known) == ([DataPath(path, (reason,))], False)


@pytest.mark.parametrize("name", ["..", ".", "../etc", "a/../b", "a\nb", "a\u202eb", "/", "a\x7f"])
def test_names_that_are_no_folders_are_placeholders(name):
    ((found,), more) = candidates("/mnt", ["Sessions"], {"Sessions": [Named("s", name)]})
    assert (found.text, more) == ("/mnt/‹session›", False)
    assert "name used in storage" in found.missing[0]


def test_a_base_path_with_unprintable_characters_is_told():
    ((found,), _) = candidates("/mnt\n/x", [], {})
    assert "unprintable" in found.missing[0]


A, B = Named("a", "A"), Named("b", "B")


def texts(levels, known):
    found, more = candidates("", levels, known)
    assert not more
    return {path.text: path.choice for path in found}


def test_several_records_give_several_candidates():
    known = {"Projects": [A, B], "Sessions": [Named("s", "S")]}
    assert texts(["Projects", "Sessions"], known) == {"/A/S": "A", "/B/S": "B"}
    # Where nothing has to be chosen, there is one.
    assert texts(["Sessions"], known) == {"/S": ""}


BELONGING = [
    (
        {"Projects": [A, B], "Collections": [Named("c", "C", {"Projects": frozenset("b")})]},
        {"/B/C": ""},
    ),
    (
        {
            "Projects": [A, B],
            "Subjects": [
                Named("m", "M", {"Projects": frozenset("a")}),
                Named("n", "N", {"Projects": frozenset("ab")}),
            ],
        },
        {"/A/M": "A · M", "/A/N": "A · N", "/B/N": "B · N"},
    ),
    (
        {
            "Cohorts": [Named("c", "C", {"Subjects": frozenset("m")})],
            "Subjects": [Named("m", "M"), Named("n", "N")],
        },
        {"/C/M": ""},
    ),
    # A subject of none of the session's projects: better every combination than none.
    (
        {"Projects": [A, B], "Subjects": [Named("m", "M", {"Projects": frozenset("x")})]},
        {"/A/M": "A", "/B/M": "B"},
    ),
]


@pytest.mark.parametrize(("known", "found"), BELONGING)
def test_what_does_not_belong_together_is_left_out(known, found):
    assert texts(list(known), known) == found


def test_many_candidates_are_cut_short():
    many = [Named(str(n), f"N{n:03}") for n in range(300)]
    levels = ["Projects", "Subjects", "Cohorts", "Collections"]
    found, more = candidates("/mnt", levels, dict.fromkeys(levels, many))
    assert len(found) == MOST and more
    strangers = [Named(n.id, n.name, {"Projects": frozenset("z")}) for n in many]
    known = {"Projects": many, "Subjects": strangers, "Cohorts": many, "Collections": strangers}
    found, more = candidates("/mnt", levels, known)
    assert len(found) == MOST and more


def test_records_of_one_name_are_one_candidate():
    twins = [Named("1", "Mouse"), Named("2", "Mouse")]
    assert texts(["Subjects"], {"Subjects": twins}) == {"/Mouse": ""}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/mnt/a", "absolute"),
        ("//nas/a", "other"),
        ("a/b", "other"),
        ("~/a", "other"),
        ("", "other"),
        ("C:\\a", "windows"),
        ("c:", "windows"),
        ("C:a", "other"),
        ("\\\\nas\\a", "windows"),
        ("file:///mnt", "url"),
        ("s3://x", "url"),
        ("host:/a", "other"),
    ],
)
def test_the_kind_of_a_path(path, kind):
    assert kind_of(path) == kind
