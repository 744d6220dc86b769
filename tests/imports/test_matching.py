"""Which column is which field: the names that BrainSTEM and people use."""

from __future__ import annotations

import csv
import io

import pytest

from brainstem.demo import TABLE
from brainstem.imports import matching, tables
from brainstem.imports.kinds import KINDS

SESSIONS, SUBJECTS, EPOCHS = (KINDS[each] for each in ("sessions", "subjects", "epochs"))


@pytest.mark.parametrize(
    ("kind", "names", "target"),
    [
        (SESSIONS, "session__name name Name session_name SESSION 'session id'", "name"),
        (SESSIONS, "project__name project Projects 'Project name' project_name", "projects"),
        (SESSIONS, "session__date_time date_time 'Date and time' Date 'start time'", "date_time"),
        (SESSIONS, "session__tags tags Tag keywords", "tags"),
        (SESSIONS, "session__data_storage datastorage 'Data storage' data_storages", "datastorage"),
        (SESSIONS, "session__description description Notes", "description"),
        (
            SESSIONS,
            "session_name_in_data_storage name_used_in_storage session__name_used_in_storage",
            "name_used_in_storage",
        ),
        (SESSIONS, "repository", "download_links.repository"),
        (SESSIONS, "URL 'mirror url'", "download_links.url"),
        (SESSIONS, "id epochs links download_links extra_fields created_date", ""),
        (SESSIONS, "depth_um extra_fields.depth_um session__depth_um", "extra_fields:depth_um"),
        (SESSIONS, "'Depth (µm)' 'Depth µm'", "extra_fields:Depth_m"),
        (SESSIONS, "2p_power", "extra_fields:field_2p_power"),
        (SESSIONS, "subject__sex", "extra_fields:subject_sex"),
        (SESSIONS, "深さ", ""),
        (SUBJECTS, "subject__name subject Mouse 'animal ID'", "name"),
        (SUBJECTS, "subject__sex sex Gender", "sex"),
        (SUBJECTS, "subject__species Species", "species"),
        (SUBJECTS, "subject__strain strain", "strain"),
        (SUBJECTS, "subject__genetic_line genotype", "genotype"),
        (SUBJECTS, "subject__birth_date 'Date of birth' DOB", "birth_date"),
        (SUBJECTS, "subject__death_date", "death_date"),
        (SUBJECTS, "subject__name_used_in_storage", "name_used_in_storage"),
        (SUBJECTS, "subject__supplier", "extra_fields:supplier"),
        (EPOCHS, "session__name session 'Session name'", "session"),
        (EPOCHS, "epoch__name name epoch", "name"),
        (EPOCHS, "epoch__start start Onset", "start"),
        (EPOCHS, "epoch__end end stop", "end"),
        (EPOCHS, "epoch__behavior behaviors", "behaviors"),
        (EPOCHS, "epoch__dataacquisition", "dataacquisition"),
        (EPOCHS, "epoch__manipulation", "manipulations"),
        (EPOCHS, "epoch__notes description", "notes"),
        (EPOCHS, "project__name anything", ""),
    ],
)
def test_names_of_columns(kind, names, target):
    for name in next(csv.reader([names], delimiter=" ", quotechar="'")):
        assert matching.guess(kind, [name]) == [target], name


def template_of(kind) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([list(kind.template), list(kind.template.values())])
    return text.getvalue().encode()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_column_of_a_template_is_known(kind):
    table = tables.read(template_of(kind))
    assert len(table.rows) == 1
    matched = matching.guess(kind, table.header)
    assert all(matched)
    assert [each for each in matched if matching.is_extra(each)] in (
        ["extra_fields:room"], ["extra_fields:weight_g"], [],
    )  # fmt: skip
    assert matching.problems(kind, table.header, matched) == {"columns": {}, "missing": []}


def test_a_real_table_is_understood_without_help():
    header = tables.read(TABLE.read_bytes()).header
    matched = dict(zip(header, matching.guess(SESSIONS, header), strict=True))
    extra = {name for name, target in matched.items() if target == f"extra_fields:{name}"}
    assert {name: target for name, target in matched.items() if name not in extra} == {
        "session_name": "name",
        "date_time": "date_time",
        "project": "projects",
        "description": "description",
        "tags": "tags",
        "repository": "download_links.repository",
        "url": "download_links.url",
        "mirror_repository": "download_links.repository",
        "mirror_url": "download_links.url",
    }
    assert "n_trials" in extra


@pytest.mark.parametrize(
    ("header", "matched"),
    [
        (["name", "session"], ["name", "extra_fields:session"]),
        (["name", "Name"], ["name", ""]),
        (["session__id", "session__name"], ["", "name"]),
        (["depth", "depth", "DEPTH"], ["extra_fields:depth", "", ""]),
        (["a b", "a_b"], ["extra_fields:a_b", ""]),
        (["", "name"], ["", "name"]),
    ],
)
def test_columns_that_mean_the_same(header, matched):
    assert matching.guess(SESSIONS, header) == matched


@pytest.mark.parametrize(
    ("matched", "columns", "missing"),
    [
        (["name", ""], {}, []),
        (["", ""], {}, ["Name"]),
        (["name", "name"], {1: "Column “a” is matched to this field already."}, []),
        (["name", "download_links.url"], {}, []),
        (["name", "nonsense"], {1: "Choose a field."}, []),
        (["name", "epochs"], {1: "Choose a field."}, []),
        (["name", "extra_fields:1st"], {1: "Choose a field."}, []),
        (["name", "other:key"], {1: "Choose a field."}, []),
        (["extra_fields:a", "extra_fields:a"], {1: "Column “a” is matched to this field already."},
         ["Name"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_matching(matched, columns, missing):
    found = matching.problems(SESSIONS, ["a", "b"], matched)
    assert found == {"columns": columns, "missing": missing}


def test_epochs_have_no_extra_fields():
    found = matching.problems(EPOCHS, ["a", "b", "c"], ["name", "session", "extra_fields:a"])
    assert found["columns"] == {2: "Choose a field."}
    assert matching.problems(EPOCHS, ["a"], ["name"])["missing"] == ["Session"]
