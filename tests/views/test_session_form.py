"""The form of a session with its epochs and modules (contract §11, §13), sent without script."""

from __future__ import annotations

import json
from types import SimpleNamespace
from uuid import uuid4

import pytest

from brainstem.core import choosing
from brainstem.core.permissions import Role
from tests.pages import Page, text_of

SAVE = "Save session"
NEW = "/sessions/new"


@pytest.fixture
def lab(ada, ben):
    """Ada's and Ben's project, with two subjects and a session that has modules and epochs."""
    project = ada.project("Cortex maps")
    ada.share("project", project, ben.email, Role.CONTRIBUTOR)
    subjects = [
        ada.made("stem/subject/", {"name": name, "projects": [project["id"]]})["id"]
        for name in ("Rat 1", "Rat 2")
    ]
    setup = ada.made("personal_attributes/setup/", {"name": "Rig 1"})["id"]
    session = ada.session("Monday", project)
    home = {"session": session["id"]}
    behavior = ada.made("modules/behavior/", home | {"subjects": subjects, "setup": setup})
    modules = [
        ada.made("modules/dataacquisition/", home | {"type": kind})
        for kind in ("Audio", "Miniscope", "VideoTracking")
    ]
    epochs = [
        ada.made("stem/epoch/", home | fields)
        for fields in (
            {
                "name": "baseline",
                "start": "0",
                "end": "60.5",
                "notes": "a\r\nb\n",
                "behaviors": [behavior["id"]],
                "dataacquisition": [modules[0]["id"]],
            },
            {"name": "task", "start": "PT1M"},
        )
    ]
    return SimpleNamespace(
        project=project,
        subjects=subjects,
        setup=setup,
        session=session,
        behavior=behavior,
        modules=modules,
        epochs=epochs,
        address=f"/sessions/{session['id']}/edit",
        pages=ada.browser(),
    )


def everything(who):
    """Sessions and their parts, with versions."""
    kinds = (
        "stem/session",
        "stem/epoch",
        "modules/behavior",
        "modules/dataacquisition",
        "modules/manipulation",
    )
    return [
        (
            who("GET", f"{kind}/{each['id']}/").json,
            who("GET", f"{kind}/{each['id']}/").headers["ETag"],
        )
        for kind in kinds
        for each in next(v for v in who.get(f"{kind}/").values() if isinstance(v, list))
    ]


def save(lab, form, pages=None):
    return (pages or lab.pages).press(form, SAVE, lab.address)


def cards(page, name):
    """The parts of a kind on the page: what their lines say."""
    items = [each for each in page.all("li") if (each.get("id") or "").startswith(f"{name}-")]
    return [text_of(next(each.iter("summary"))) for each in items]


def row_of(form, name, record):
    """The beginning of the names of a part's fields."""
    index = next(
        key.split("-")[1]
        for key, value in form.fields.items()
        if key.startswith(f"{name}-") and key.endswith("-id") and value == record["id"]
    )
    return f"{name}-{index}"


def test_the_tabs_hold_what_belongs_to_them(lab):
    page = lab.pages.open(lab.address)
    panels = {
        each.get("id"): each for each in page.all("section") if "tab-panel" in each.get("class", "")
    }
    assert list(panels) == [
        "general",
        "online-repositories",
        "epochs",
        "behaviors",
        "data-acquisition",
        "manipulations",
    ]
    links = [each.get("href") for each in page.all("a") if each.get("class", "").startswith("tab")]
    assert links == [f"#{each}" for each in panels]
    names = {c.get("name") for each in ("input", "select") for c in panels["general"].iter(each)}
    assert {"name", "projects", "date_time", "tags", "datastorage__add"} <= names
    assert cards(page, "epochs") == ["baseline 00:00:00 – 00:01:00.500000", "task 00:01:00"]
    assert cards(page, "behaviors") == ["Behavior 1 Rat 1, Rat 2 · Rig 1"]
    assert cards(page, "dataacquisition") == ["Audio", "Miniscope", "VideoTracking"]


def test_a_form_saved_unchanged_changes_nothing(ada, ben, lab):
    """Also of what its user can't see: a procedure's subject and equipment in projects of others."""
    hidden = ada.project("Hidden")
    rat = ada.made("stem/subject/", {"name": "Rat 3", "projects": [hidden["id"]]})
    surgery = ada.made("modules/procedure/", {"type": "Surgery", "subject": rat["id"]})
    details = {"rate": 30000.0, "long": 10**29, "text": "a\r\nb", "none": None}
    for address, fields in (
        (f"modules/dataacquisition/{lab.modules[0]['id']}/", {"procedures": [surgery["id"]]}),
        (f"modules/dataacquisition/{lab.modules[1]['id']}/", {"details": details, "order": 7}),
        (f"modules/behavior/{lab.behavior['id']}/", {"subjects": [rat["id"], *lab.subjects]}),
    ):
        assert ada("PATCH", address, fields).status_code == 200
    steps = {
        "type": "VisualStimulation",
        "details": [{"a": 1}, {"a": 1.0}],
        "session": lab.session["id"],
    }
    ada.made("modules/manipulation/", steps)
    before = everything(ada)
    pages = ben.browser()
    assert save(lab, pages.form(lab.address, SAVE), pages).status_code == 302
    assert everything(ada) == before
    assert "Nothing was changed." in pages.get(f"/sessions/{lab.session['id']}").text


def test_parts_are_added_edited_arranged_and_removed_at_once(ada, lab):
    """Each button gives the form back, with nothing stored."""
    before = everything(ada)

    def press(form, button):
        answer = lab.pages.press(form, button, lab.address)
        assert answer.status_code == 200
        assert everything(ada) == before
        return Page(answer).form(SAVE)

    form = lab.pages.form(lab.address, SAVE)
    form = press(form, "Move VideoTracking up")
    form = press(form, "Move VideoTracking up")
    form = press(form, "Add manipulation")
    form.set(**{"manipulations-0-type": "VisualStimulation"})
    form = press(form, "Add epoch")
    new = form.fields["manipulations-0-id"]
    form.set(**{"epochs-2-name": "late", "epochs-2-manipulations": [new]})
    form = press(form, "Remove Audio")
    form = press(form, "Remove task")
    form = press(form, "Remove baseline")
    form.buttons["Keep it"] = ("_do", "epochs:keep:0")
    form = press(form, "Keep it")
    form.set(**{"epochs-0-end": "90"})
    assert save(lab, form).status_code == 302

    epochs = ada.get("stem/epoch/")["epochs"]
    assert [(each["name"], each["end"]) for each in epochs] == [
        ("baseline", "00:01:30"),
        ("late", None),
    ]
    assert epochs[0]["dataacquisition"] == []
    assert epochs[1]["manipulations"] == [new]
    assert epochs[0]["notes"] == "a\r\nb\n"
    modules = ada.get("modules/dataacquisition/?sort[]=order")["data_acquisitions"]
    assert [each["type"] for each in modules] == ["VideoTracking", "Miniscope"]


def test_a_whole_session_is_made_at_once(ada, lab):
    form = lab.pages.form(f"{NEW}?projects={lab.project['id']}", SAVE)
    form.set(name="Tuesday")
    for index, (button, fields) in enumerate(
        (
            ("Add behavior", {"behaviors-0-subjects": lab.subjects}),
            ("Add epoch", {"epochs-0-name": "one"}),
            # One that nobody filled in does not count.
            ("Add epoch", {}),
        )
    ):
        answer = lab.pages.press(form, button, NEW)
        form = Page(answer).form(SAVE).set(**fields)
        assert answer.status_code == 200, index
    form.set(**{"epochs-0-behaviors": [form.fields["behaviors-0-id"]]})
    answer = lab.pages.press(form, SAVE, NEW)
    assert answer.status_code == 302
    stored = ada.get(f"stem/session/{answer.location.rsplit('/', 1)[1]}/?include[]=epochs.*")
    (epoch,) = stored["session"]["epochs"]
    assert epoch["behaviors"] == stored["session"]["behaviors"]


def test_every_mistake_stands_at_its_field(ada, lab):
    before = everything(ada)
    form = lab.pages.form(lab.address, SAVE)
    for button in ("Add manipulation", "Add epoch"):
        form = Page(lab.pages.press(form, button, lab.address)).form(SAVE)
    form.set(
        name="",
        **{
            "epochs-0-end": "yesterday",
            "epochs-1-start": "120",
            "epochs-1-end": "60",
            "epochs-2-name": "task",
            "epochs-2-behaviors": [form.fields["behaviors-0-id"]],
            "behaviors-0-subjects": [],
            "dataacquisition-1-details": "{",
            "manipulations-0-notes": "typed",
        },
    )
    answer = save(lab, form)
    assert answer.status_code == 400
    page = Page(answer)
    marks = page.marks
    assert set(marks) == {
        "name",
        "epochs-0-end",
        "epochs-1-end",
        "epochs-2-name",
        "behaviors-0-subjects",
        "dataacquisition-1-details",
        "manipulations-0-type",
    }
    assert page.summary == list(marks)
    assert marks["epochs-2-name"] == "Another epoch of this session has this name."
    wrong = {text_of(each) for each in page.all("a") if "to correct" in text_of(each)}
    assert wrong == {
        "General 1 to correct",
        "Epochs 3 3 to correct",
        "Behaviors 1 1 to correct",
        "Data acquisition 3 1 to correct",
        "Manipulations 1 1 to correct",
    }
    opened = {
        each.get("id")
        for each in page.all("li")
        if any("open" in d.attrib for d in each.iter("details"))
    }
    assert opened == {
        "epochs-0",
        "epochs-1",
        "epochs-2",
        "behaviors-0",
        "dataacquisition-1",
        "manipulations-0",
    }
    again = page.form(SAVE).fields
    assert again["manipulations-0-notes"] == "typed"
    assert again["dataacquisition-1-details"] == "{"
    assert everything(ada) == before


def test_what_is_missing_is_listed(ada, lab):
    def missing(answer):
        links = [each for each in Page(answer).all("a") if each.get("data-wanted")]
        return [(text_of(each), each.get("href")) for each in links if "hidden" not in each.attrib]

    date, storage, epochs = (
        ("Date and time", "#date_time"),
        ("Data storage", "#datastorage"),
        ("Epochs", "#epochs"),
    )
    assert missing(lab.pages.get(NEW)) == [date, storage, epochs]
    assert missing(lab.pages.get(lab.address)) == [date, storage]
    form = lab.pages.form(lab.address, SAVE).set(date_time="2024-01-01T10:00")
    for name in ("task", "baseline"):
        answer = lab.pages.press(form, f"Remove {name}", lab.address)
        form = Page(answer).form(SAVE)
    assert missing(answer) == [storage, epochs]


def test_buttons_come_back_to_their_place(lab):
    page = lab.pages.open(lab.address)
    places = {
        each.get("aria-label") or text_of(each): each.get("formaction")
        for each in page.all("button")
        if each.get("name") == "_do"
    }
    assert places["Add epoch"] == "#epochs-2"
    assert places["Move Audio down"] == places["Remove Audio"] == "#dataacquisition-0"
    assert places["Add field"] == "#extra_fields"


def test_a_draft_that_is_taken_up_again_comes_back_whole(ada, lab):
    form = lab.pages.form(lab.address, SAVE)
    form = Page(lab.pages.press(form, "Add epoch", lab.address)).form(SAVE)
    removed = {"epochs-0-removed": "1", "dataacquisition-0-removed": "1"}
    form.set(**{"epochs-2-name": "new", "epochs-1-notes": "typed"} | removed)
    form.buttons["Again"] = ("_do", "again")
    page = Page(lab.pages.press(form, "Again", lab.address))
    fields = page.form(SAVE).fields
    assert {name: fields[name] for name in form.fields if name.startswith("epochs")} == {
        name: form.fields[name] for name in form.fields if name.startswith("epochs")
    }
    assert "baseline will be removed when you save." in page.text
    assert "Audio will be removed when you save, also from the epochs that name it." in page.text


# -- Two people at once ------------------------------------------------------------------------


def groups(page):
    """The fields to choose in, with the text of each version."""
    return {
        next(each.iter("legend")).text: [pre.text.strip("\n") for pre in each.iter("pre")]
        for each in page.all("fieldset")
    }


def choose(page, label, whose):
    """The conflict page's form, with a choice."""
    form = page.form(SAVE)
    for each in page.all("fieldset"):
        if next(each.iter("legend")).text == label:
            form.fields[next(each.iter("input")).get("name")] = whose
    return form


@pytest.mark.parametrize(("whose", "kept"), [("yours", "00:03:00"), ("theirs", "00:02:00")])
def test_two_versions_of_a_field_of_a_part(ada, ben, lab, whose, kept):
    form = lab.pages.form(lab.address, SAVE)
    form.set(**{"epochs-0-end": "180", "epochs-0-name": "mine", "epochs-1-end": "300"})
    changes = {"end": "120", "notes": "theirs"}
    assert ben("PATCH", f"stem/epoch/{lab.epochs[0]['id']}/", changes).status_code == 200
    answer = save(lab, form)
    assert answer.status_code == 409
    page = Page(answer)
    assert groups(page) == {"Epoch “mine” · End": ["180", "00:02:00"]}
    assert "Epoch “mine” · Notes" in page.text
    assert save(lab, choose(page, "Epoch “mine” · End", whose)).status_code == 302
    first, second = ada.get("stem/epoch/")["epochs"]
    assert (first["name"], first["end"], first["notes"]) == ("mine", kept, "theirs")
    assert second["end"] == "00:05:00"


def test_what_others_did_to_parts_that_i_left_alone_stays(ada, ben, lab):
    form = lab.pages.form(lab.address, SAVE).set(description="mine")
    ben("PATCH", f"stem/epoch/{lab.epochs[0]['id']}/", {"end": "120"})
    ben("DELETE", f"stem/epoch/{lab.epochs[1]['id']}/")
    ben.made("stem/epoch/", {"name": "theirs", "session": lab.session["id"]})
    assert save(lab, form).status_code == 302
    found = {each["name"]: each["end"] for each in ada.get("stem/epoch/")["epochs"]}
    assert found == {"baseline": "00:02:00", "theirs": None}


@pytest.mark.parametrize(("whose", "kept"), [("yours", ["task"]), ("theirs", ["baseline", "task"])])
def test_a_part_that_i_remove_and_somebody_changes(ada, ben, lab, whose, kept):
    form = lab.pages.form(lab.address, SAVE).set(**{"epochs-0-removed": "1"})
    ben("PATCH", f"stem/epoch/{lab.epochs[0]['id']}/", {"notes": "theirs"})
    page = Page(save(lab, form))
    ((label, (yours, theirs)),) = groups(page).items()
    assert (label, yours) == ("Epoch “baseline”", "Removed")
    assert "Notes: theirs" in theirs
    assert save(lab, choose(page, label, whose)).status_code == 302
    assert [each["name"] for each in ada.get("stem/epoch/")["epochs"]] == kept


@pytest.mark.parametrize("whose", ["yours", "theirs"])
def test_a_part_that_i_change_and_somebody_deletes(ada, ben, lab, whose):
    form = lab.pages.form(lab.address, SAVE).set(**{"epochs-0-end": "180"})
    ben("DELETE", f"stem/epoch/{lab.epochs[0]['id']}/")
    page = Page(save(lab, form))
    ((label, (yours, theirs)),) = groups(page).items()
    assert (label, theirs) == ("Epoch “baseline”", "Removed")
    assert "End: 180" in yours
    assert save(lab, choose(page, label, whose)).status_code == 302
    found = {each["name"]: each for each in ada.get("stem/epoch/")["epochs"]}
    assert ("baseline" in found) == (whose == "yours")
    if whose == "yours":
        expected = lab.epochs[0] | {"end": "00:03:00"}
        assert found["baseline"] == expected


@pytest.mark.parametrize("whose", ["yours", "theirs"])
def test_two_orders(ada, ben, lab, whose):
    form = lab.pages.form(lab.address, SAVE)
    form = Page(lab.pages.press(form, "Move Miniscope up", lab.address)).form(SAVE)
    ben("PATCH", f"modules/dataacquisition/{lab.modules[0]['id']}/", {"order": 9})
    page = Page(save(lab, form))
    label = "Order of data acquisitions"
    assert groups(page) == {
        label: [
            "1. Miniscope\n2. Audio\n3. VideoTracking",
            "1. Miniscope\n2. VideoTracking\n3. Audio",
        ]
    }
    assert save(lab, choose(page, label, whose)).status_code == 302
    modules = ada.get("modules/dataacquisition/?sort[]=order")["data_acquisitions"]
    last = {"yours": "VideoTracking", "theirs": "Audio"}[whose]
    assert [each["type"] for each in modules][-1] == last


def test_new_parts_come_through_a_conflict_and_a_mistake_after_it(ada, ben, lab):
    form = lab.pages.form(lab.address, SAVE)
    form = Page(lab.pages.press(form, "Add epoch", lab.address)).form(SAVE)
    form.set(**{"epochs-2-name": "new", "epochs-2-notes": "typed", "description": "mine"})
    ben("PATCH", f"stem/session/{lab.session['id']}/", {"description": "theirs"})
    ben.made("stem/epoch/", {"name": "new", "session": lab.session["id"]})
    # Before the conflict the mistake: a name that is taken by now.
    page = Page(save(lab, form))
    assert list(page.marks) == ["epochs-2-name"]
    page = Page(save(lab, page.form(SAVE).set(**{"epochs-2-name": "newer"})))
    assert groups(page) == {"Description": ["mine", "theirs"]}
    assert "Epoch “new”" in page.text
    ben.made("stem/epoch/", {"name": "newer", "session": lab.session["id"]})
    page = Page(save(lab, page.form(SAVE)))
    assert page.status == 400
    (mark,) = page.marks
    assert save(lab, page.form(SAVE).set(**{mark: "newest"})).status_code == 302
    found = {each["name"]: each["notes"] for each in ada.get("stem/epoch/")["epochs"]}
    assert found == {"baseline": "a\r\nb\n", "task": "", "new": "", "newer": "", "newest": "typed"}


# -- What should not happen --------------------------------------------------------------------

HOSTILE = [
    {"epochs-99999-id": "x", "epochs-99999-name": "kept"},
    {"epochs-7-id": "", "epochs-7-name": "kept"},
    {"epochs-7-id": "x\0", "epochs-7-name": "kept"},
    {"epochs-7-name": "without an id"},
    {"epochs-7-id": "{first}", "epochs-7-name": "kept", "epochs-7-end": "1"},
    {"behaviors-0-subjects": ["x", "\0", "{first}"]},
    {"epochs-0-behaviors": ["{first}", "x"]},
    {"dataacquisition-0-type": "Nothing"},
    {"dataacquisition-0-details": "[" * 500},
    {"epochs-0-start": "9" * 400},
    {"manipulations-٣-id": "x"},
    {f"epochs-{number}-id": "x" for number in range(1_100)},
]


@pytest.mark.parametrize("button", [SAVE, "Add epoch"])
def test_no_input_fails_the_program(subtests, lab, button):
    for fields in HOSTILE:
        with subtests.test(fields=ascii(fields)[:60]):
            form = lab.pages.form(lab.address, SAVE)
            form.set(**{n: _filled(v, lab) for n, v in fields.items()})
            assert lab.pages.press(form, button, lab.address).status_code in (200, 302, 400)


def _filled(value, lab):
    if isinstance(value, list):
        return [_filled(each, lab) for each in value]
    return value.replace("{first}", lab.epochs[0]["id"])


@pytest.mark.parametrize(
    "do",
    [
        "epochs:up:0",
        "epochs:remove:99",
        "epochs:remove:",
        "epochs:x:0",
        "epochs:open:0",
        "behaviors-0-subjects:look",
        "behaviors-0-notes:add:1",
        "behaviors-9-notes:add:1",
        "dataacquisition:up:0",
        "dataacquisition:down:2",
    ],
)
def test_a_button_that_does_nothing_gives_the_form_back(ada, lab, do):
    form = lab.pages.form(lab.address, SAVE)
    form.buttons["Button"] = ("_do", do)
    answer = lab.pages.press(form, "Button", lab.address)
    assert answer.status_code == 200
    before = everything(ada)
    assert save(lab, Page(answer).form(SAVE)).status_code == 302
    assert everything(ada) == before


# -- Large labs, large sessions ----------------------------------------------------------------


def test_choices_are_bounded_and_the_others_can_be_searched_for(ada, ben, lab, monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 3)
    home = {"projects": [lab.project["id"]]}
    for name in ("Mouse É1", "Mouse 2", "Zebra"):
        ada.made("stem/subject/", {"name": name, **home})
    other = ada.made("stem/subject/", {"name": "Zebra 2", "projects": [ada.project("Mine")["id"]]})
    surgery = ada.made("modules/procedure/", {"type": "Surgery", "subject": other["id"]})
    page = lab.pages.open("/behaviors/new")
    select = page.by_id["subjects"]
    assert [text_of(each) for each in select.iter("option")] == ["Mouse 2", "Mouse É1", "Rat 1"]

    first = select.get("data-search-at")

    def found(words, address="", pages=lab.pages):
        answer = pages.get(f"{address or first}&q={words}")
        return [each["text"] for each in answer.get_json()["choices"]]

    assert found("ZEBRA") == ["Zebra", "Zebra 2"]
    assert found("é1 mouse") == ["Mouse É1"]
    assert found("%") == found("nothing") == found("a\0b") == []
    # By the subject that it was done on; for those who may see it.
    procedures = "/choices/procedure?right=READ"
    assert found("zebra", procedures) == ["Surgery · Zebra 2"]
    assert found("surg 2", procedures) == ["Surgery · Zebra 2"]
    bens = ben.browser()
    assert found("zebra", pages=bens) == ["Zebra"]
    assert found("surgery", procedures, bens) == []
    # What is chosen has its name, though it is not among the first ones.
    ada("PATCH", f"modules/behavior/{lab.behavior['id']}/", {"subjects": [other["id"]]})
    ada(
        "PATCH", f"modules/dataacquisition/{lab.modules[0]['id']}/", {"procedures": [surgery["id"]]}
    )
    page = lab.pages.open(lab.address)
    assert cards(page, "behaviors") == ["Behavior 1 Zebra 2 · Rig 1"]
    chosen = page.by_id["dataacquisition-0-procedures"].iter("option")
    assert [text_of(each) for each in chosen] == ["Surgery · Zebra 2"]


def test_a_form_sends_some_tags_and_a_search_finds_the_others(ada, lab, monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 3)
    tags = [f"tag {n}" for n in range(6)]
    ada("PATCH", f"stem/session/{lab.session['id']}/", {"tags": tags})
    field = lab.pages.open("/sessions/new").by_id["tags"]
    assert len(json.loads(field.get("data-tags"))) == 3
    address = field.get("data-search-at")
    assert lab.pages.get(f"{address}?q=TAG 5").get_json() == {
        "choices": [{"value": "tag 5", "text": "tag 5"}],
        "more": False,
    }
    assert lab.pages.get(f"{address}?q=tag").get_json()["more"]
    assert lab.pages.get("/choices/epoch/tags?q=tag").status_code == 404


def test_without_a_script_others_are_found_by_a_button(ada, lab, monkeypatch):
    monkeypatch.setattr(choosing, "MOST", 2)
    for name in ("Mouse 1", "Mouse 2", "Zebra"):
        ada.made("stem/subject/", {"name": name, "projects": [lab.project["id"]]})
    form = lab.pages.open("/behaviors/new").form("Save behavior")
    form.set(subjects__find="zeb", notes="kept")
    found = Page(lab.pages.press(form, "Find in subjects", address="/behaviors/new"))
    assert [text_of(each) for each in found.by_id["subjects"].iter("option")] == ["Zebra"]
    assert text_of(found.by_id["notes"]).strip() == "kept"


@pytest.mark.parametrize(
    "address",
    [
        "nothing?right=READ",
        "subject?right=NOTHING",
        "subject?right=READ&of=x",
        "sessiondatastorage?right=READ",
    ],
)
def test_a_search_for_nothing_known_is_not_found(lab, address):
    assert lab.pages.get(f"/choices/{address}").status_code == 404


def test_a_search_takes_a_sign_in(app, lab):
    assert app.test_client().get("/choices/subject?right=READ&q=rat").status_code == 302


def test_the_work_does_not_grow_with_each_part(app, ada, lab, statements):
    def counted():
        statements.clear()
        page = lab.pages.get(lab.address).text
        return len(statements), len(page)

    few, small = counted()
    home = {"session": lab.session["id"]}
    for number in range(30):
        module = ada.made("modules/behavior/", home | {"subjects": lab.subjects})
        ada.made("stem/epoch/", home | {"name": f"trial {number}", "behaviors": [module["id"]]})
    many, large = counted()
    assert many <= few + 2
    assert large - small < 60 * 6_000
    form = lab.pages.form(lab.address, SAVE)
    row = row_of(form, "epochs", lab.epochs[0])
    statements.clear()
    assert save(lab, form.set(**{f"{row}-notes": "new"})).status_code == 302
    assert sum("UPDATE epoch" in each for each in statements) <= 2


def test_more_parts_than_a_form_holds_stay_as_they_are(ada, lab, monkeypatch):
    monkeypatch.setattr("brainstem.views.forms.MOST_PARTS", 2)
    page = lab.pages.open(lab.address)
    assert cards(page, "dataacquisition") == ["Audio", "Miniscope"]
    assert "1 more" in page.text
    form = Page(lab.pages.press(page.form(SAVE), "Move Miniscope up", lab.address)).form(SAVE)
    assert save(lab, form).status_code == 302
    modules = ada.get("modules/dataacquisition/?sort[]=order")["data_acquisitions"]
    assert [each["type"] for each in modules] == ["Miniscope", "Audio", "VideoTracking"]
    assert ada.get(f"stem/epoch/{uuid4()}/").get("detail")


def test_what_is_not_there_yet_is_made_in_another_tab(ada):
    """Nothing that was typed is lost, and what the address had chosen goes along."""
    session = ada.session("Monday", ada.project())
    pages = ada.browser()
    address = f"/sessions/{session['id']}/edit"
    form = pages.form(address, SAVE).set(description="typed")
    page = Page(pages.press(form, "Add behavior", address))
    links = [each for each in page.all("a") if text_of(each).startswith("Create one first")]
    assert [(each.get("href"), each.get("target")) for each in links] == [
        ("/subjects/new", "_blank")
    ]
    ada.made("stem/subject/", {"name": "Rat 1", "projects": session["projects"]})
    page = Page(pages.press(page.form(SAVE), "look again", address))
    subjects = page.by_id["behaviors-0-subjects"]
    assert [text_of(each) for each in subjects.iter("option")] == ["Rat 1"]
    assert page.form(SAVE).fields["description"] == "typed"
    # On the page of an epoch alone, its modules are those of its session.
    page = pages.open(f"/epochs/new?session={session['id']}")
    links = [each for each in page.all("a") if text_of(each).startswith("Create one first")]
    assert links[0].get("href") == f"/behaviors/new?session={session['id']}"
