"""Finding records by words, and an index that always says what the records say."""

from __future__ import annotations

from uuid import UUID

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from marshmallow import ValidationError
from sqlalchemy import event, inspect, select

from brainstem.core import few, history, operations, restoring, search
from brainstem.core.permissions import PUBLIC, Actor, Role, allowed
from brainstem.core.resource import registry
from brainstem.core.search import lookup
from brainstem.core.search.entries import Entry
from brainstem.core.transactions import operation
from brainstem.extensions import db
from tests.conftest import ROOT

SESSIONS = "stem/session/"


def found(person, text, kind="session"):
    """The names of what somebody finds."""
    return found_by(person.app, Actor(person.id), text, kind)


def found_by(app, actor, text, kind="session"):
    with app.app_context():
        resource = registry.get(kind)
        rules = [
            allowed(actor, resource),
            search.matching(actor, resource, map(search.Word.of, search.words(text))),
        ]
        statement = select(getattr(resource.model, resource.handle)).where(*rules)
        return sorted(map(str, db.session.scalars(statement)))


def untrue(app):
    with app.app_context():
        return list(search.untrue())


@pytest.fixture
def true_index(app):
    """After the test the index says of every record what the record says."""
    yield
    assert untrue(app) == []


pytestmark = pytest.mark.usefixtures("true_index")


# -- Words -------------------------------------------------------------------------------------

TEXT = "Zürich ÉTÉ “quoted” 50%_off a\\b c*d O'Neil x\"y (NEAR) rat-12 小鼠实验 Ω 🐁🐀🐁 naïve end"

#: What is typed → whether the session with this text is found.
RULES = [
    ("", True),
    ("   ", True),
    # Parts of words, in any letter case, everywhere.
    ("zürich", True),
    ("ZÜR", True),
    ("üric", True),
    ("été", True),
    ("ÉTé", True),
    ("ete", False),
    ("naïve", True),
    ("nai\u0308ve", True),
    ("monday", True),
    ("ONDA", True),
    ("mondays", False),
    # Every word must be found, wherever and in whatever order.
    ("end monday zürich", True),
    ("end tuesday", False),
    ("end end end", True),
    # Short words.
    ("e", True),
    ("ÉT", True),
    ("12", True),
    ("zq", False),
    ("q monday", True),
    ("z7 monday", False),
    # In quotes, words stand together.
    ('"zürich été"', True),
    ('"été zürich"', False),
    ('"zürich été" monday', True),
    ('""', False),
    ('"', True),
    ('x"y', True),
    ('"zürich', False),
    # Signs stand for themselves.
    ("%", True),
    ("50%_off", True),
    ("50%off", False),
    ("5_%", False),
    ("___", False),
    ("%%%", False),
    ("a\\b", True),
    ("\\", True),
    ("\\\\\\", False),
    ("c*d", True),
    ("mon*", False),
    ("*", True),
    ("O'Neil", True),
    ("'", True),
    ("mon OR tuesday", False),
    ("zürich AND été", False),
    ("zürich NOT été", False),
    ("(near)", True),
    ("NEAR(zürich été)", False),
    ("NEAR", True),
    ("text:monday", False),
    ("-monday", False),
    ("rat-12", True),
    ("^monday", False),
    ("{monday}", False),
    ("monday+", False),
    ("(((", False),
    ("“quoted”", True),
    # Other scripts.
    ("小鼠", True),
    ("小鼠实验", True),
    ("鼠实验", True),
    ("实验小", False),
    ("ω", True),
    ("🐁", True),
    ("🐁🐀🐁", True),
    ("🐀🐁🐀", False),
    # Long ones.
    ("m" * 20_000, False),
]


def test_words(subtests, ada):
    ada.session("Monday", ada.project(), description=TEXT)
    for typed, expected in RULES:
        with subtests.test(typed=typed[:30]):
            assert found(ada, typed) == (["Monday"] if expected else [])


def test_long_texts_are_found_as_a_whole(ada):
    text = "".join(f"{number:05}" for number in range(10_000))
    ada.session("Monday", ada.project(), description=f"before {text} after")
    assert found(ada, text) == ["Monday"]
    assert found(ada, f"{text[:-1]}x") == []
    assert found(ada, "after 0123401235 before") == ["Monday"]


REFUSED = ["\0", "mon\0day", "\ud800", " ".join(f"w{n}" for n in range(search.MOST_WORDS + 1))]


def test_what_can_not_be_searched_for_is_said(subtests, ada):
    for typed in REFUSED:
        with subtests.test(typed=ascii(typed[:20])), pytest.raises(ValidationError):
            found(ada, typed)


# -- Places ------------------------------------------------------------------------------------


@pytest.fixture
def lab(ada):
    """A session with everything that belongs to it."""
    project = ada.project("Vision")
    storage = ada.storage("Tape", data_protocols=[{"protocol": "SMB", "path": "//hidden/path"}])
    subject = ada.made(
        "stem/subject/",
        {"name": "Rat 7", "projects": [project["id"]], "genotype": "PV-Cre", "sex": "M"},
    )
    ada.made(
        "modules/procedure/",
        {"type": "Implantation", "subject": subject["id"], "details": {"where": ["V1", {"n": 31}]}},
    )
    session = ada.session(
        "Monday",
        project,
        description="Grating stimuli",
        tags=["pilot study", "chronic"],
        datastorage=[storage["id"]],
        extra_fields={"room": "B115", "depth": 1234.5, "channels": 384},
        download_links=[{"repository": "Figshare", "url": "https://example.org/abc"}],
    )
    owner = {"session": session["id"]}
    ada.made("modules/behavior/", owner | {"subjects": [subject["id"]], "notes": "ran a lot"})
    ada.made(
        "modules/dataacquisition/",
        owner | {"type": "ExtracellularEphys", "details": {"probe": "Neuropixels 2.0"}},
    )
    ada.made(
        "modules/manipulation/",
        owner | {"type": "OptogeneticStimulation", "details": [{"colour": "blue", "mW": 5}]},
    )
    ada.made("stem/epoch/", owner | {"name": "Baseline", "notes": "quiet"})
    ada.session("Tuesday", project)
    return ada


PLACES = [
    "monday",
    "grating",
    "pilot study",
    "chronic",
    "room",
    "b115",
    "1234.5",
    "384",
    "figshare",
    "example.org/abc",
    "rat 7",
    "pv-cre",
    "ran lot",
    "extracellularephys",
    "neuropixels",
    "optogenetic",
    "blue",
    "baseline",
    "quiet",
    "rat quiet grating b115 chronic",
]


def test_a_session_is_found_by_what_it_says_and_what_belongs_to_it(subtests, lab):
    for typed in PLACES:
        with subtests.test(typed=typed):
            assert found(lab, typed) == ["Monday"]


ELSEWHERE = [
    ("subject", "implantation v1", ["Rat 7"]),
    ("subject", "31 pv-cre", ["Rat 7"]),
    ("subject", "grating", []),
    ("procedure", "v1", ["Implantation"]),
    ("datastorage", "tape", ["Tape"]),
    # Not everybody sees all the ways to a storage.
    ("datastorage", "hidden", []),
    ("dataacquisition", "2.0", ["ExtracellularEphys"]),
    ("behavior", "ran", ["0"]),
    ("behavior", "behavior", []),
    ("project", "vision", ["Vision"]),
    # Neither its projects nor its storages: a list has filters for these.
    ("session", "vision", []),
    ("session", "tape", []),
]


def test_other_kinds(subtests, lab):
    for kind, typed, names in ELSEWHERE:
        with subtests.test(kind=kind, typed=typed):
            assert found(lab, typed, kind) == names


# -- Kept true ---------------------------------------------------------------------------------


def test_entries_follow_every_change(ada):
    project = ada.project()
    session = ada.session("Monday", project, description="first", tags=["old"])
    ada("PATCH", f"{SESSIONS}{session['id']}/", {"name": "Renamed"})
    assert found(ada, "monday") == []
    assert found(ada, "renamed first old") == ["Renamed"]
    ada("PATCH", f"{SESSIONS}{session['id']}/", {"tags": ["new"]})
    assert found(ada, "old") == []
    assert found(ada, "renamed first new") == ["Renamed"]
    ada("PUT", f"{SESSIONS}{session['id']}/", {"name": "Put", "projects": [project["id"]]})
    assert found(ada, "first") == found(ada, "new") == []
    assert found(ada, "put") == ["Put"]
    ada("DELETE", f"{SESSIONS}{session['id']}/")
    assert found(ada, "put") == []


def test_a_renamed_subject_is_found_by_its_new_name_alone(lab):
    (subject,) = lab.get("stem/subject/")["subjects"]
    lab("PATCH", f"stem/subject/{subject['id']}/", {"name": "Mouse 8"})
    assert found(lab, "mouse 8") == ["Monday"]
    assert found(lab, "rat 7") == []


def test_what_goes_with_a_record_leaves_the_index(lab):
    session = lab.get(f"{SESSIONS}?filter{{name}}=Monday")["sessions"][0]
    assert lab("DELETE", f"{SESSIONS}{session['id']}/").status_code == 204
    with lab.app.app_context():
        kinds = set(db.session.scalars(select(Entry.kind)))
    assert not kinds & {"epoch", "behavior", "dataacquisition", "manipulation"}


def test_what_comes_back_is_found_again(lab):
    """A deleted session with all that went with it, by undoing the deletion."""
    session = lab.get(f"{SESSIONS}?filter{{name}}=Monday")["sessions"][0]
    lab("DELETE", f"{SESSIONS}{session['id']}/")
    assert found(lab, "neuropixels") == []
    with lab.app.app_context():
        actor = Actor(lab.id)
        restoring.undo(actor, history.recent(actor, limit=1)[0][0].id)
    assert found(lab, "neuropixels quiet rat 7 chronic") == ["Monday"]


def test_what_is_refused_leaves_no_entry(ada):
    project = ada.project()
    ada.session("Monday", project)

    @operation
    def half_done(actor):
        payload = {"name": "Half done", "projects": [project["id"]]}
        operations.create(actor, registry.get("session"), payload)
        raise ValidationError("no")

    with ada.app.app_context(), pytest.raises(ValidationError):
        half_done(Actor(ada.id))
    assert found(ada, "half") == []


def test_many_changes_in_one_operation(ada):
    project = ada.project()
    sessions = [ada.session(f"Session {number}", project) for number in range(5)]

    @operation
    def tag(actor):
        for each in sessions:
            operations.change(
                actor, registry.get("session"), UUID(each["id"]), {"tags": ["together"]}
            )

    with ada.app.app_context():
        tag(Actor(ada.id))
    assert len(found(ada, "together")) == 5


def test_an_index_that_went_wrong_is_noticed_and_written_anew(lab, command):
    assert command("reindex", "--check").exit_code == 0
    with lab.app.app_context():
        monday = db.session.scalar(select(Entry).where(Entry.title == "monday"))
        tuesday = db.session.scalar(select(Entry).where(Entry.title == "tuesday"))
        record_id = monday.record_id
        monday.text = "something else"
        tuesday.record_id = UUID(int=1)
        db.session.add(Entry(kind="gone", record_id=UUID(int=2), title="", text=""))
        db.session.commit()
    assert {("session", record_id), ("session", UUID(int=1)), ("gone", UUID(int=2))} < set(
        untrue(lab.app)
    )
    answer = command("reindex", "--check")
    assert answer.exit_code == 1
    assert "4" in answer.output
    assert found(lab, "grating") == []
    assert command("reindex").exit_code == 0
    assert found(lab, "grating") == ["Monday"]
    assert command("reindex", "--check").exit_code == 0


# -- Rights ------------------------------------------------------------------------------------


def test_nobody_finds_what_she_may_not_read(ada, ben):
    seen, hidden = ada.project("Seen"), ada.project("Hidden")
    ada.share("project", seen, ben.email, Role.MEMBER)
    ada.session("Monday", seen, description="secret")
    ada.session("Tuesday", hidden, description="secret")
    assert found(ada, "secret") == ["Monday", "Tuesday"]
    assert found(ben, "secret") == ["Monday"]
    assert found(ben, "hidden", "project") == []


def test_nothing_is_found_through_what_is_unseen(ada, ben):
    """A session that ben reads, with a subject in a project that he does not."""
    seen, hidden = ada.project("Seen"), ada.project("Hidden")
    ada.share("project", seen, ben.email, Role.MEMBER)
    rat, mouse = (
        ada.made("stem/subject/", {"name": name, "projects": [project["id"]]})
        for name, project in (("Secret rat", hidden), ("Open mouse", seen))
    )
    session = ada.session("Monday", seen)
    both = {"session": session["id"], "subjects": [rat["id"], mouse["id"]]}
    ada.made("modules/behavior/", both)
    assert found(ada, "secret") == found(ada, "mouse") == ["Monday"]
    assert found(ben, "mouse") == ["Monday"]
    assert found(ben, "secret") == found(ben, "secret monday") == found(ben, "ra") == []


def test_the_public_finds_what_is_public(ada):
    public, private = ada.project("Open"), ada.project("Closed")
    ada("PATCH", f"stem/project/{public['id']}/", {"is_public": True})
    subject = ada.made("stem/subject/", {"name": "Secret rat", "projects": [private["id"]]})
    session = ada.session("Monday", public, private, description="grating")
    ada.session("Tuesday", private, description="grating")
    ada.made("modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]})
    assert found_by(ada.app, PUBLIC, "grating") == ["Monday"]
    assert found_by(ada.app, PUBLIC, "secret") == []
    assert found_by(ada.app, PUBLIC, "o", "project") == ["Open"]


# -- The best first ----------------------------------------------------------------------------


def test_the_best_come_first(ada):
    project = ada.project()
    names = ["x rat 1", "Rat 12", "rat 1", "Rat", "cage", "rat-1 b"]
    for name in names:
        ada.session(name, project, description="a rat, 1 of many" if name == "cage" else "")
    with ada.app.app_context():
        actor, sessions = Actor(ada.id), registry.get("session")
        actors = dict.fromkeys(search.kinds(), actor)
        best = search.best(search.Hunt.of("Rat  1", actors), sessions, 10)
        order = [db.session.get(sessions.model, each).name for each in best.ids]
        first = search.best(search.Hunt.of("Rat  1", actors), sessions, 2)
        nothing = search.best(search.Hunt.of("  ", actors), sessions, 5)
    assert order == ["rat 1", "Rat 12", "rat-1 b", "x rat 1", "cage"]
    assert (best.total, first.total, first.ids) == (5, 5, best.ids[:2])
    assert (nothing.total, nothing.ids) == (0, [])


@pytest.fixture
def common(ada, monkeypatch):
    """Sessions of which more hold “rat” than are looked at; one of them is called so, and a project."""
    monkeypatch.setattr("brainstem.core.search.lookup.LOOKED_AT", 3)
    monkeypatch.setattr("brainstem.core.few.FEW", -1)
    project = ada.project()
    for n in range(8):
        ada.session(f"Session {n}", project, description="a rat")
    ada.session("Last", project, description="a rat with a cap")
    ada.session("Rat", project)
    ada.session("Rat 2", project)
    ada.project("The rat project")
    return ada


def best_of(person, text, kind="session", most=10):
    with person.app.app_context():
        resource = registry.get(kind)
        hunt = search.Hunt.of(text, dict.fromkeys(search.kinds(), Actor(person.id)))
        best = search.best(hunt, resource, most)
        return [db.session.get(resource.model, each).name for each in best.ids], best.more


def test_of_common_words_nothing_is_missed_by_its_name(common):
    names, more = best_of(common, "rat")
    assert names[:2] == ["Rat", "Rat 2"]
    assert 2 < len(names) < 11
    assert more, "not all that hold it were looked at"
    assert best_of(common, "rat", most=2) == (["Rat", "Rat 2"], True)
    assert best_of(common, "rat", "project") == (["The rat project"], False)


@pytest.mark.parametrize(
    ("first", "likely"), [((1, 2), 1), ((2, 4), 3), ((4, 99), 1), ((99, 99), 1)]
)
def test_nothing_is_missed_however_many_of_the_newest_are_looked_at_first(
    ada, monkeypatch, first, likely
):
    """Only PostgreSQL looks there, before it asks its index; all of it is to be found by both."""
    for name, value in {"FIRST": first, "LIKELY": likely, "LARGE": -1}.items():
        monkeypatch.setattr(lookup, name, value)
    monkeypatch.setattr(few, "FEW", -1)
    project = ada.project()
    for n in range(6):
        ada.session(f"Day {n}", project, description="theta" if n in (0, 3, 5) else "")
    assert best_of(ada, "theta") == (["Day 0", "Day 3", "Day 5"], False)
    monkeypatch.setattr(lookup, "LOOKED_AT", 2)
    names, more = best_of(ada, "theta")
    assert len(names) == 3 and more


def test_what_is_called_so_is_found_of_every_kind(common, monkeypatch):
    """However many of another kind are called so: they are told of each by itself, the first ones."""
    monkeypatch.setattr("brainstem.core.search.lookup.CALLED", 1)
    subject = common.made(
        "stem/subject/", {"name": "Rat 9", "projects": [common.project("P")["id"]]}
    )
    assert best_of(common, "rat", most=2)[0][0] == "Rat"
    assert best_of(common, "rat", "subject")[0] == [subject["name"]]


def test_its_own_words_count_for_more_than_those_of_what_belongs_to_it(ada):
    project = ada.project()
    named = ada.session("Theta", project)
    ada.session("Other", project, description="theta and grating")
    subject = ada.made("stem/subject/", {"name": "Rat", "projects": [project["id"]]})
    behavior = {"session": named["id"], "subjects": [subject["id"]], "notes": "grating"}
    ada.made("modules/behavior/", behavior)
    assert best_of(ada, "theta grating") == (["Other", "Theta"], False)


def test_a_rarer_word_finds_what_a_common_one_would_not(common):
    assert best_of(common, "rat cap") == (["Last"], False)
    assert best_of(common, "a rat with a cap") == (["Last"], False)


def test_common_words_find_what_holds_all_of_them_at_once(common):
    project = common.project("Caps")
    for n in range(5):
        common.session(f"Cap {n}", project, description="a cap")
    names, more = best_of(common, "rat cap")
    assert names == ["Last"]
    assert more, "a cap may belong to what has a rat elsewhere"


def test_short_words_are_looked_for_in_the_newest_and_in_names(ada, ben, monkeypatch):
    project = ada.project()
    ada.session("B1 and more", project)
    for n, room in enumerate(("b1", "b1", "c2")):
        ada.session(f"Day {n}", project, description=f"in {room}")
    assert len(best_of(ada, "b1")[0]) == 3 and not best_of(ada, "b1")[1]
    monkeypatch.setattr("brainstem.core.few.FEW", -1)
    monkeypatch.setattr("brainstem.core.few._known", {})
    monkeypatch.setattr("brainstem.core.search.lookup.NEWEST", 1)
    names, more = best_of(ada, "b1")
    assert names[0] == "B1 and more" and len(names) == 2 and more
    # What others have does not push out what she has herself.
    mine = ben.session("Mine", ben.project("Ben's"), description="b1")
    ada.session("Newer", project)
    ada.session("Newest", project)
    assert best_of(ben, "b1") == ([mine["name"]], False)


def test_common_words_find_nothing_that_one_may_not_read(common, ben):
    for kind in ("session", "project"):
        assert best_of(ben, "rat", kind) == ([], False)
    # Nor does it depend on how many of those there are what she finds of her own.
    ben.session("Brown rat 7", ben.project("Mine"))
    assert best_of(ben, "rat") == (["Brown rat 7"], False)


def test_of_what_many_belong_to_all_or_more_is_told(ada, ben, monkeypatch):
    monkeypatch.setattr("brainstem.core.search.hunting.THROUGH", 3)
    project = ada.project()
    ada.share("project", project, "ben@lab.org", Role.MEMBER)
    subject = ada.made("stem/subject/", {"name": "zebrafish", "projects": [project["id"]]})
    for n in range(3):
        session = ada.session(f"Monday {n}", project)
        ada.made("modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]})
    assert best_of(ben, "zebrafish") == (["Monday 0", "Monday 1", "Monday 2"], False)
    session = ada.session("Tuesday", project)
    ada.made("modules/behavior/", {"session": session["id"], "subjects": [subject["id"]]})
    names, more = best_of(ben, "zebrafish")
    assert names[:3] == ["Monday 0", "Monday 1", "Monday 2"] and more


def test_a_long_word_is_found_and_its_beginning_is_not_enough(ada):
    ada.session("long", ada.project(), description="0" * 200 + "1")
    assert found(ada, "0" * 200 + "1") == ["long"]
    assert found(ada, "0" * 150 + "2") == []
    assert best_of(ada, "0" * 150 + "2") == ([], False)


def test_words_of_two_texts_are_no_words_that_stand_together(ada):
    session = ada.session("s", ada.project())
    ada.made("stem/epoch/", {"session": session["id"], "name": "Alpha", "notes": "beta"})
    pages = ada.browser()
    for query in ("%22Alpha%0Abeta%22", "%22Alpha+beta%22"):
        assert pages.get(f"/search?q={query}").status_code == 200


MARKED = [
    ("Monday", ["mon"], "[Mon]day"),
    ("Monday", ["mon", "nda"], "[Monda]y"),
    ("aXaxa", ["a"], "[a]X[a]x[a]"),
    ("Été in İstanbul, a", ["été", "a"], "[Été] in İst[a]nbul, [a]"),
    ("nothing", ["else"], "nothing"),
    ("", ["x"], ""),
]


@pytest.mark.parametrize("text, words, expected", MARKED)
def test_spans(text, words, expected):
    for start, end in reversed(search.spans(text, words)):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    assert text == expected


def test_why_a_record_was_found(lab):
    with lab.app.app_context():
        actor, sessions = Actor(lab.id), registry.get("session")
        actors = dict.fromkeys(search.kinds(), actor)
        hunt = search.Hunt.of("monday chronic pv-cre neuropixels", actors)
        best = search.best(hunt, sessions, 5)
        record = db.session.get(sessions.model, best.ids[0])
        (why,) = search.explained(
            actor, sessions, [record], "monday chronic pv-cre neuropixels"
        ).values()
        told = [(each.field, each.text, each.resource and each.resource.name) for each in why]
    assert told == [
        ("tags", "chronic", None),
        ("genotype", "PV-Cre", "subject"),
        ("details", "probe Neuropixels 2.0", "dataacquisition"),
    ]


# -- The migration -----------------------------------------------------------------------------


def test_the_migration_makes_entries_for_the_records_that_are_there(lab):
    """What `true_index` asserts in the end, of an index that the migration has filled."""
    lab.made("users/group/", {"name": "Crew"})
    with lab.app.app_context():
        db.session.remove()
        before = ScriptDirectory(str(ROOT / "migrations")).get_revision("0014").down_revision
        downgrade(revision=before)
        upgrade()
        assert list(search.untrue()) == []
    assert found(lab, "neuropixels") == ["Monday"]


def test_a_quotation_mark_that_is_never_closed():
    """Looked at letter by letter, not each letter against all behind it: that would take hours."""
    assert search.words('"' + "a" * 500_000) == ['"' + "a" * 500_000]
    assert search.words('"' + " a" * 250_000) == ['"', "a"]
    assert search.words('"a b" "  " "c') == ["a b", '"', '"c']


def test_reindex_makes_the_index_that_the_database_could_not_have_before(app, command):
    with app.app_context(), db.engine.begin() as connection:
        on_postgresql = connection.dialect.name == "postgresql"
        if on_postgresql:
            connection.exec_driver_sql("DROP EXTENSION pg_trgm CASCADE")
    assert command("reindex").exit_code == 0
    with app.app_context():
        indexes = {each["name"] for each in inspect(db.engine).get_indexes("search_entry")}
    assert ("search_index_text" in indexes) == on_postgresql


# -- Long searches -----------------------------------------------------------------------------


def test_several_texts_have_no_more_words_than_one(ada):
    pages = ada.browser()
    for address in ("/sessions/", "/public/sessions/"):
        several = "&".join(f"q=word{n}+more{n}" for n in range(50))
        for extra in ("", "&calendar=latest"):
            answer = pages.get(f"{address}?{several}{extra}")
            assert answer.status_code == 400 and "At most 20 words" in answer.text
        assert pages.get(f"{address}?q=a+bb+ccc&q=ccc+d").status_code == 200


def test_words_of_a_shape_stand_together():
    """So that there are few statements, whatever people type."""
    assert search.words_of(["theta b1", "a theta gamma"]) == ["b1", "a", "theta", "gamma"]


def test_statements_of_long_searches_are_not_kept(ada):
    ada.session("Monday", ada.project())
    kept = []

    def note(connection, cursor, statement, values, context, many):
        if "FROM search_entry" in statement:
            kept.append(context.compiled.cache_key is not None)

    with ada.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        pages = ada.browser()
        for words, expected in (("mon day", True), ("a b c d e f", False)):
            kept.clear()
            assert pages.get("/sessions/", query_string={"q": words}).status_code == 200
            assert kept and set(kept) == {expected}, words
    finally:
        event.remove(engine, "before_cursor_execute", note)
