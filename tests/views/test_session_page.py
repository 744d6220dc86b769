"""A session's page: its epochs as a drawing, its modules, what is missing, and where its data is."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from sqlalchemy.exc import TimeoutError

from brainstem.core.permissions import Role
from brainstem.extensions import db
from brainstem.records import storage_checks
from brainstem.records.epochs import Epoch
from tests.pages import Page, Pages, text_of

LEVELS = ("Projects", "Subjects", "Sessions")


def levels(*names):
    return [{"elements": name} for name in names]


def protocol(path, name="Mounted", **more):
    return {"protocol": name, "path": path, **more}


def opened(reader, session, public=False):
    pages = reader if isinstance(reader, Pages) else reader.browser()
    return pages.open(f"{'/public' if public else ''}/sessions/{session['id']}")


def paths(page):
    """The paths on a page, in their order."""
    return [text_of(each) for each in page.all("code") if each.get("id", "").startswith("path-")]


def links(page, text):
    return [each.get("href") for each in page.all("a") if text_of(each) == text]


def behavior(ada, session, *subjects, **more):
    ids = [subject["id"] for subject in subjects]
    return ada.made("modules/behavior/", {"session": session["id"], "subjects": ids, **more})


def subject(ada, name, *projects, **more):
    ids = [project["id"] for project in projects]
    return ada.made("stem/subject/", {"name": name, "projects": ids, **more})


# -- Where is my data? -------------------------------------------------------------------------


def test_the_paths_of_each_storage_in_its_order(ada):
    project = ada.project("Memory")
    nas = ada.storage(
        "NAS",
        data_organization=levels(*LEVELS),
        data_protocols=[protocol("/mnt/raw/"), protocol("\\\\nas\\raw", "SMB")],
    )
    web = ada.storage(
        "Web", data_organization=levels("Sessions"), data_protocols=[protocol("https://x.org/a")]
    )
    top = ada.storage("Top", data_protocols=[protocol("s3://bucket")])
    none = ada.storage("None")
    session = ada.session(
        "Run 1", project, datastorage=[each["id"] for each in (web, nas, top, none)]
    )
    mouse = subject(ada, "Mouse 1", project)
    behavior(ada, session, mouse)
    page = opened(ada, session)
    assert paths(page) == [
        "https://x.org/a/Run%201",
        "/mnt/raw/Memory/Mouse 1/Run 1",
        "\\\\nas\\raw\\Memory\\Mouse 1\\Run 1",
        "s3://bucket",
    ]
    assert "No path to it is recorded." in page.text
    assert "How its folders are nested is not recorded" in page.text
    assert links(page, "https://x.org/a/Run%201") == ["https://x.org/a/Run%201"]
    # Each has a button that copies it.
    copied = [each.get("data-copy") for each in page.all("button") if each.get("data-copy")]
    assert copied == [each.get("id") for each in page.all("code") if each.get("id")]


def test_the_names_used_in_storage_come_first(ada):
    project = ada.project("Memory")
    nas = ada.storage(
        data_organization=levels("Subjects", "Sessions"), data_protocols=[protocol("/mnt")]
    )
    session = ada.session("Run 1", project, datastorage=[nas["id"]])
    mouse = subject(ada, "Mouse 1", project, name_used_in_storage="m01")
    behavior(ada, session, mouse)
    pages = ada.browser()
    form = pages.form(f"/sessions/{session['id']}/edit", "Save session")
    pages.press(form.set(name_used_in_storage="2024/r1"), "Save session")
    assert paths(opened(pages, session)) == ["/mnt/m01/2024/r1"]


@pytest.mark.parametrize(
    ("zone", "year"), [("UTC", "2023"), ("Europe/Copenhagen", "2024"), ("America/New_York", "2023")]
)
def test_years_are_the_labs(app, ada, zone, year):
    app.config["LAB_TIMEZONE"] = zone
    nas = ada.storage(data_organization=levels("Years"), data_protocols=[protocol("/mnt")])
    session = ada.session(
        "Run 1", ada.project(), date_time="2023-12-31T23:30:00Z", datastorage=[nas["id"]]
    )
    assert paths(opened(ada, session)) == [f"/mnt/{year}"]


def test_collections_and_cohorts(ada):
    project, other = ada.project("A"), ada.project("B")
    nas = ada.storage(
        data_organization=levels("Projects", "Collections", "Cohorts", "Subjects"),
        data_protocols=[protocol("/mnt")],
    )
    session = ada.session("Run 1", project, other, datastorage=[nas["id"]])
    mice = [subject(ada, f"M{n}", project, other) for n in (1, 2)]
    behavior(ada, session, *mice)
    for name, where in (("CA", project), ("CB", other)):
        payload = {"name": name, "project": where["id"], "sessions": [session["id"]]}
        ada.made("stem/collection/", payload)
    cohort = {"name": "Group", "project": project["id"], "subjects": [mice[1]["id"]]}
    ada.made("stem/cohort/", cohort)
    page = opened(ada, session)
    assert paths(page) == ["/mnt/A/CA/Group/M2"]


def test_several_projects_and_subjects_give_several_paths(ada):
    project, other = ada.project("A"), ada.project("B")
    nas = ada.storage(
        data_organization=levels("Projects", "Subjects"), data_protocols=[protocol("/mnt")]
    )
    session = ada.session("Run 1", other, project, datastorage=[nas["id"]])
    mice = [subject(ada, "M1", project), subject(ada, "M2", project, other)]
    behavior(ada, session, mice[1], mice[0])
    page = opened(ada, session)
    assert paths(page) == ["/mnt/B/M2", "/mnt/A/M2", "/mnt/A/M1"]
    assert "B · M2" in page.text


def test_without_a_behavior_the_subjects_are_those_of_procedures(ada):
    project = ada.project()
    nas = ada.storage(data_organization=levels("Subjects"), data_protocols=[protocol("/mnt")])
    session = ada.session("Run 1", project, datastorage=[nas["id"]])
    mouse = subject(ada, "M1", project)
    done = ada.made("modules/procedure/", {"type": "Implant", "subject": mouse["id"]})
    payload = {"session": session["id"], "type": "ExtracellularEphys", "procedures": [done["id"]]}
    ada.made("modules/dataacquisition/", payload)
    assert paths(opened(ada, session)) == ["/mnt/M1"]


def test_what_is_not_known_is_said(ada):
    nas = ada.storage(
        data_organization=levels("Years", "Collections", "Cohorts", "Subjects", "Sessions"),
        data_protocols=[protocol("/mnt")],
    )
    session = ada.session("Run 1", ada.project(), datastorage=[nas["id"]])
    page = opened(ada, session)
    assert paths(page) == ["/mnt/‹year›/‹collection›/‹cohort›/‹subject›/Run 1"]
    for reason in ("no date", "in no collection", "in no cohort", "No behavior"):
        assert reason in page.text


def test_paths_tell_nothing_that_one_may_not_see(ada, ben):
    seen, hidden = ada.project("Seen"), ada.project("Undisclosed")
    ada.share("project", seen, ben.email, Role.MEMBER)
    organization = levels("Projects", "Collections", "Subjects")
    nas = ada.storage("NAS", data_organization=organization, data_protocols=[protocol("/mnt")])
    secret = ada.storage("Undisclosed disk", data_protocols=[protocol("/undisclosed")])
    ada.share("datastorage", nas, ben.email, Role.MEMBER)
    session = ada.session("Run 1", hidden, seen, datastorage=[secret["id"], nas["id"]])
    behavior(ada, session, subject(ada, "Undisclosed mouse", hidden), subject(ada, "M1", seen))
    collection = {"name": "Undisclosed set", "project": hidden["id"], "sessions": [session["id"]]}
    ada.made("stem/collection/", collection)
    page = opened(ben, session)
    assert paths(page) == ["/mnt/Seen/‹collection›/M1"]
    assert "ndisclosed" not in page.html


def test_the_public_sees_public_protocols_alone(app, ada, tmp_path):
    app.config["DATA_ROOTS"] = [str(tmp_path)]
    project = ada.project("Open")
    nas = ada.storage(
        "NAS",
        is_public=True,
        data_organization=levels("Projects", "Sessions"),
        data_protocols=[
            protocol("/secret"),
            protocol("https://x.org", is_public=True),
            protocol(str(tmp_path), is_public=True),
        ],
    )
    hidden = ada.storage("Undisclosed", data_protocols=[protocol("/undisclosed", is_public=True)])
    session = ada.session(
        "Run 1", project, ada.project("Undisclosed"), datastorage=[hidden["id"], nas["id"]]
    )
    ada.made("stem/epoch/", {"name": "Task", "session": session["id"], "start": 0, "end": 60})
    ada("PATCH", f"stem/project/{project['id']}/", {"is_public": True})
    for reader in (Pages(app), ada.browser()):
        page = opened(reader, session, public=True)
        assert paths(page) == ["https://x.org/Open/Run%201", f"{tmp_path}/Open/Run 1"]
        for word in (
            "ecret",
            "ndisclosed",
            "Check again",
            "Not found",
            "History",
            "Next session",
            "Edit",
        ):
            assert word not in page.html, word
        (bar,) = [each for each in page.all("a") if "timeline-epoch" in each.get("class", "")]
        assert bar.get("href").startswith("/public/epochs/")
    with app.app_context():
        assert storage_checks.known([f"{tmp_path}/Open/Run 1"]) == {}


# -- Is it there? ------------------------------------------------------------------------------


@pytest.fixture
def inline(monkeypatch):
    """Checks are made at once, not in the background."""
    monkeypatch.setattr(
        storage_checks, "start", lambda claims: [storage_checks.run(each) for each in claims]
    )


@pytest.fixture
def stored(app, ada, tmp_path):
    """A session whose data lies in a root."""
    root = tmp_path / "raw"
    (root / "Run 1").mkdir(parents=True)
    (root / "Run 1" / "a.dat").write_bytes(b"x" * 1_234_567)
    app.config["DATA_ROOTS"] = [str(root)]
    storage = ada.storage(
        data_organization=levels("Sessions"),
        data_protocols=[protocol(str(root)), protocol("/elsewhere")],
    )
    return ada.session("Run 1", ada.project(), datastorage=[storage["id"]]), root


def test_the_page_says_what_the_server_found(app, ada, inline, stored):
    session, root = stored
    pages = ada.browser()
    page = opened(pages, session)
    assert "There: 1 file, 1.2 MB." in page.text and "checked 20" in page.text
    (root / "Run 1" / "b.dat").write_bytes(b"x")
    assert "1 file, 1.2 MB." in opened(pages, session).text
    again = page.form("Check again")
    answer = pages.press(again, "Check again")
    assert (answer.status_code, answer.location) == (302, f"/sessions/{session['id']}#where")
    assert "There: 2 files, 1.2 MB." in opened(pages, session).text
    # The part that the script asks for says the same.
    part = pages.get(again.action)
    assert "There: 2 files" in part.text and "<html" not in part.text


FINDINGS = [
    (storage_checks.Result("found", True, 0, 0), "There, but without a file in it."),
    (storage_checks.Result("found", True, 12345, 38_240_000_000), "There: 12,345 files, 38.2 GB."),
    (
        storage_checks.Result("found", True, 2, 999, True),
        "There: at least 2 files, 999 B; not every",
    ),
    (storage_checks.Result("found", False, 1, 999_600), "There: a file of 1.0 MB."),
    (storage_checks.Result("found", False, 1, 10**18), "There: a file of 1.0 EB."),
    (storage_checks.Result("missing"), "Not found."),
    (storage_checks.Result("outside"), "leads out of the folders"),
    (storage_checks.Result("away"), "not connected to the server"),
    (storage_checks.Result("unreadable"), "may not read it"),
    (storage_checks.Result("failed"), "could not be looked at"),
]


def test_every_finding_is_told_in_words(ada, monkeypatch, inline, stored, subtests):
    session, _ = stored
    pages = ada.browser()
    for result, words in FINDINGS:
        with subtests.test(words=words):
            monkeypatch.setattr(storage_checks, "look", lambda *_, result=result: result)
            page = opened(pages, session)
            pages.press(page.form("Check again"), "Check again")
            assert words in opened(pages, session).text


def test_a_check_under_way_is_told_and_made_once(ada, monkeypatch, stored):
    session, _ = stored
    begun = []
    monkeypatch.setattr(storage_checks, "start", begun.extend)
    pages = ada.browser()
    page = opened(pages, session)
    assert "Looking …" in page.text and "Reload the page" in page.text and len(begun) == 1
    opened(pages, session)
    pages.press(page.form("Check again"), "Check again")
    assert len(begun) == 1


def test_a_busy_database_keeps_nobody_from_reading(ada, monkeypatch, stored):
    def busy(_):
        raise TimeoutError("The pool has no connection left")

    monkeypatch.setattr(storage_checks, "claim", busy)
    assert "Not looked at yet." in opened(ada, stored[0]).text


def test_who_may_not_read_a_session_starts_no_check(app, ada, ben, monkeypatch, stored):
    session, _ = stored
    begun = []
    monkeypatch.setattr(storage_checks, "start", begun.extend)
    address = f"/sessions/{session['id']}/where"
    stranger = ben.browser()
    assert stranger.get(address).status_code == 403
    assert stranger.submit(address, {}, page="/account/tokens/").status_code == 403
    unknown = "/sessions/00000000-0000-0000-0000-000000000000/where"
    assert stranger.get(unknown).status_code == 404
    assert Pages(app).get(address).status_code == 302
    assert ada.browser().client.post(address).status_code == 400
    assert begun == []


def test_without_roots_nothing_is_looked_at(app, ada, stored, statements):
    session, _ = stored
    app.config["DATA_ROOTS"] = []
    pages = ada.browser()
    page = opened(pages, session)
    assert "Check again" not in page.text and "/elsewhere/Run 1" in page.text
    assert not [each for each in statements if "storage_check" in each]


# -- Epochs and modules ------------------------------------------------------------------------


@pytest.fixture
def recorded(ada):
    """A session with modules and epochs."""
    project = ada.project("Memory")
    session = ada.session("Run 1", project, date_time="2026-03-22T15:30:00Z")
    assay = ada.made("personal_attributes/behavioralassay/", {"name": "Linear track"})
    did = behavior(ada, session, subject(ada, "M1", project), behavioralassay=assay["id"])
    inside = {"session": session["id"]}
    probe = ada.made("modules/dataacquisition/", inside | {"type": "ExtracellularEphys"})
    ada.made("modules/dataacquisition/", inside | {"type": "VideoTracking"})
    for epoch in (
        {"name": "Maze", "start": 600, "end": 2400, "behaviors": [did["id"]]},
        {"name": "Baseline", "start": 0, "end": 600, "dataacquisition": [probe["id"]]},
        {"name": "Rest", "start": 2400},
        {"name": "Calibration"},
    ):
        ada.made("stem/epoch/", inside | epoch)
    return session


def bars(page):
    return [each for each in page.all("a") if "timeline-epoch" in each.get("class", "")]


def test_the_epochs_are_drawn_and_in_a_table(ada, recorded):
    page = opened(ada, recorded)
    assert [each.get("aria-label") for each in bars(page)] == [
        "Epoch Baseline: 0 to 10 min; with Extracellular ephys",
        "Epoch Maze: 10 min to 40 min; with Behavior 1: Linear track",
        "Epoch Rest: from 40 min, without an end",
    ]
    assert all(re.fullmatch("/epochs/[0-9a-f-]{36}", each.get("href")) for each in bars(page))
    (svg,) = [each for each in page.all("svg") if each.get("class") == "timeline"]
    drawn = text_of(svg)
    assert "15:30" in drawn and "2026-03-22" in drawn and "Behavior 1: Linear track" in drawn
    assert "Without times: Calibration" in page.text
    assert "In no epoch: Video tracking" in page.text
    (table,) = [each for each in page.all("table") if "epoch-table" in each.get("class", "")]
    rows = [[text_of(cell) for cell in row.iter("td")] for row in table.iter("tr")][1:]
    assert rows[0] == [
        "Baseline",
        "00:00:00",
        "00:10:00",
        "10 min",
        "Extracellular ephys",
        "Edit Baseline",
    ]
    assert rows[3][:4] == ["Calibration", "", "", ""]
    # Everything is reached by links, and nothing has a style or a script of its own.
    for element in page.root.iter():
        assert "style" not in element.attrib
        assert not [name for name in element.attrib if name.startswith("on")]


def test_types_are_told_in_words(ada, recorded):
    page = opened(ada, recorded)
    assert "Extracellular ephys" in page.text and "ExtracellularEphys" not in page.html
    assert "Video tracking" in ada.browser().get("/dataacquisition/").text


def test_who_may_edit_finds_the_ways_and_readers_do_not(ada, ben, recorded):
    (project,) = recorded["projects"]
    ada.share("project", {"id": project}, ben.email, Role.MEMBER)
    address = f"/sessions/{recorded['id']}"
    page = opened(ada, recorded)
    hrefs = [each.get("href") for each in page.all("a")]
    assert {f"{address}/edit", f"{address}/delete", f"{address}/duplicate"} <= set(hrefs)
    assert len([each for each in hrefs if re.match("/epochs/.*/edit", each)]) == 4
    assert len([each for each in hrefs if re.match("/(behaviors|dataacq.*)/.*/edit", each)]) == 3
    reader = opened(ben, recorded)
    assert len(bars(reader)) == 3
    for word in ("/edit", "/delete", "/duplicate", "/new?", "Still missing"):
        assert word not in reader.html, word
    assert "History" in reader.text


def test_what_is_missing_is_a_quiet_hint(ada):
    project = ada.project()
    session = ada.session("Run 1", project)
    page = opened(ada, session)
    assert "Still missing: date and time data storage epochs" in page.text
    assert links(page, "epochs") == [f"/epochs/new?session={session['id']}"]
    assert links(page, "date and time") == [f"/sessions/{session['id']}/edit#date_time"]
    done = ada.session("Run 2", project, date_time="2026-03-22", datastorage=[ada.storage()["id"]])
    ada.made("stem/epoch/", {"name": "All", "session": done["id"]})
    assert "Still missing" not in opened(ada, done).text


def test_more_epochs_than_a_page_of_the_list_are_all_drawn(app, ada):
    session = ada.session("Run 1", ada.project())
    spans = [timedelta(seconds=number) for number in range(103)]
    with app.app_context():
        home = uuid.UUID(session["id"])
        epochs = [Epoch(name=str(each), session_id=home, start=each, end=each) for each in spans]
        db.session.add_all(epochs)
        db.session.commit()
    page = opened(ada, session)
    assert len(bars(page)) == 103 and "All 103 epochs as a table" in page.text


HOSTILE = """<script>alert(1)</script>"'><svg onload=alert(2)>\u202e"""


def test_hostile_names_and_times_do_no_harm(ada):
    project = ada.project(HOSTILE)
    storage = ada.storage(
        HOSTILE,
        data_organization=levels(*LEVELS, "Years"),
        data_protocols=[protocol(HOSTILE, HOSTILE), protocol("javascript://x.org/%0aalert(1)")],
    )
    session = ada.session(
        HOSTILE, project, datastorage=[storage["id"]], date_time="9999-12-31T23:59:59Z"
    )
    behavior(ada, session, subject(ada, HOSTILE, project), notes=HOSTILE)
    for name, start, end in ((HOSTILE, 0, "P3650D"), ("x" * 100, 0.000001, 0.000002), ("y", 0, 0)):
        payload = {"name": name, "session": session["id"], "start": start, "end": end}
        ada.made("stem/epoch/", payload)
    page = opened(ada, session)
    assert len(bars(page)) == 3 and "\n<script>alert" not in page.html
    assert not [each for each in page.all("script") if "alert" in (each.text or "")]
    assert not [each for each in page.all("a") if "javascript" in each.get("href", "")]
    assert "unprintable" in page.text
    # The last moment of the calendar, and the first.
    ada("PATCH", f"stem/session/{session['id']}/", {"date_time": "0001-01-01T00:00:00Z"})
    assert len(bars(opened(ada, session))) == 3


def test_the_number_of_queries_does_not_grow(ada, recorded, statements):
    pages, address = ada.browser(), f"/sessions/{recorded['id']}"
    storages = [
        ada.storage(
            f"NAS {n}",
            data_organization=levels(*LEVELS, "Cohorts"),
            data_protocols=[protocol("/m")],
        )
        for n in range(4)
    ]
    attach = f"stem/session/{recorded['id']}/"

    def asked():
        pages.get(address)
        statements.clear()
        assert Page(pages.get(address)).status == 200
        return len(statements)

    ada("PATCH", attach, {"datastorage": [storages[0]["id"]]})
    before = asked()
    ada("PATCH", attach, {"datastorage": [each["id"] for each in storages]})
    for number in range(5):
        payload = {"name": f"More {number}", "session": recorded["id"], "start": number}
        ada.made("stem/epoch/", payload)
        payload = {"session": recorded["id"], "type": "OptogeneticStimulation"}
        ada.made("modules/manipulation/", payload)
        mouse = subject(ada, f"More {number}", {"id": recorded["projects"][0]})
        behavior(ada, recorded, mouse)
    assert asked() <= before + 6
