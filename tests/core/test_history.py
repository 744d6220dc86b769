"""Every change is in the history, and everything in the history can be gone back to."""

from __future__ import annotations

from uuid import UUID

import pytest
from marshmallow import ValidationError

from brainstem.core import history, operations, restoring
from brainstem.core.history import Change, Revision
from brainstem.core.permissions import PUBLIC, Actor, Role
from brainstem.core.resource import registry
from brainstem.core.transactions import operation
from brainstem.errors import Changed, Forbidden, NotFound
from brainstem.extensions import db
from brainstem.records.users import User
from tests.kinds import KINDS, LEAST, OPTIONAL, filled, ids_of, one_of_each

SESSION = registry.get("session")


@pytest.fixture
def context(app):
    """A request after the others: nothing that they had read is remembered."""
    with app.app_context():
        yield


def actor(who, **more):
    return Actor(who.id, **more)


def told(who, kind, record):
    """What the history tells of a record: (action, before, after), the oldest first."""
    with who.app.app_context():
        found = history.of_record(actor(who), registry.get(kind), UUID(record["id"]))
        return [(each.action, each.before, each.after) for each in reversed(found)]


def last_change(who):
    with who.app.app_context():
        ((change, _), *_) = history.recent(actor(who), limit=1)
        return change.id


def undo(who, change_id=None):
    change_id = change_id or last_change(who)
    with who.app.app_context():
        return restoring.undo(actor(who), change_id)


def restore(who, kind, record, place):
    """Go back to the state after a revision, counted from the oldest."""
    with who.app.app_context():
        resource, record_id = registry.get(kind), UUID(record["id"])
        found = history.of_record(actor(who), resource, record_id)
        return restoring.restore(actor(who), resource, record_id, found[::-1][place].id)


class TestWhatIsTold:
    def test_a_new_record_with_all_its_fields(self, ada):
        project = ada.project()
        session = ada.session("Monday", project, extra_fields={"b": 22.0, "a": "x"}, tags=["t"])
        ((action, before, after),) = told(ada, "session", session)
        assert (action, before) == ("create", {})
        assert after["name"] == "Monday"
        assert after["projects"] == [project["id"]]
        assert list(after["extra_fields"].items()) == [("b", 22.0), ("a", "x")]
        assert after["tags"] == ["t"]
        assert "epochs" not in after

    def test_of_a_change_only_what_differs(self, ada):
        session = ada.session("Monday", ada.project(), tags=["t"], extra_fields={"n": 22})
        payload = {"name": "Monday", "tags": ["t", "u"], "extra_fields": {"n": 22.0}}
        ada("PATCH", f"stem/session/{session['id']}", payload)
        _, (action, before, after) = told(ada, "session", session)
        assert (action, before) == ("change", {"tags": ["t"], "extra_fields": {"n": 22}})
        assert str(after) == str({"extra_fields": {"n": 22.0}, "tags": ["t", "u"]})

    def test_nothing_of_a_change_that_changes_nothing(self, ada):
        session = ada.session("Monday", ada.project(), tags=["t"])
        ada("PATCH", f"stem/session/{session['id']}", {"name": "Monday", "tags": ["t"]})
        ada("PUT", f"stem/session/{session['id']}", session)
        assert len(told(ada, "session", session)) == 1

    def test_nothing_of_a_change_that_failed(self, ada, app):
        session = ada.session("Monday", ada.project())
        wrong = ada("PATCH", f"stem/session/{session['id']}", {"tags": ["t"], "projects": []})
        assert wrong.status_code == 400
        assert len(told(ada, "session", session)) == 1

    def test_a_row_of_an_order_as_a_change_of_its_session(self, ada):
        one, two = ada.storage("One"), ada.storage("Two")
        session = ada.session("Monday", ada.project(), datastorage=[one["id"]])
        row = {"session": session["id"], "datastorage": two["id"]}
        row = ada.made("stem/sessiondatastorage/", row)
        ada("PATCH", f"stem/sessiondatastorage/{row['id']}", {"order": 0})
        ada("DELETE", f"stem/sessiondatastorage/{row['id']}")
        orders = [after["datastorage"] for _, _, after in told(ada, "session", session)]
        one, two = one["id"], two["id"]
        assert orders == [[one], [one, two], [two, one], [one]]

    def test_roles_given_taken_and_given_up(self, ada, ben):
        project = ada.project()
        ada.share("project", project, ben.email, Role.MANAGER)
        with ben.app.app_context():
            operations.leave(actor(ben), registry.get("project"), UUID(project["id"]))
        _, given, left = told(ada, "project", project)
        assert given[1]["users"].keys() == {ada.email}
        assert given[2]["users"].keys() == {ada.email, ben.email}
        assert left[2]["users"].keys() == {ada.email}

    def test_a_deleted_session_takes_its_parts_along(self, ada):
        made = one_of_each(ada)
        ada("DELETE", f"stem/session/{made['session']['id']}")
        with ada.app.app_context():
            ((change, shown), *_) = history.recent(actor(ada))
            assert [each.kind for each in shown] == ["session"]
            everything = db.session.query(Revision).filter_by(change_id=change.id)
            assert [each.kind for each in everything.order_by(Revision.id)] == [
                "epoch",
                "manipulation",
                "dataacquisition",
                "behavior",
                "session",
            ]

    def test_a_list_that_loses_a_deleted_record(self, ada):
        made = one_of_each(ada)
        ids = ids_of(made)
        collection = f"stem/collection/{ids['collection']}"
        ada("PATCH", collection, {"sessions": [ids["session"]]})
        etag = ada("GET", collection).headers["ETag"]
        ada("DELETE", f"stem/session/{ids['session']}")
        action, before, after = told(ada, "collection", made["collection"])[-1]
        assert (action, before, after) == (
            "change",
            {"sessions": [ids["session"]]},
            {"sessions": []},
        )
        assert ada("GET", collection).headers["ETag"] != etag


class TestWhoAndHow:
    def test_a_token_by_its_name(self, ada):
        ada.project()
        with ada.app.app_context():
            (change,) = db.session.query(Change)
            assert (change.user_id, change.way, change.by) == (ada.id, "api", "tests")

    def test_a_page(self, ada):
        ada.browser().submit("/projects/new", {"name": "By hand"})
        with ada.app.app_context():
            (change,) = db.session.query(Change)
            assert (change.user_id, change.way, change.by) == (ada.id, "page", "")

    def test_several_operations_in_one_are_one_change_with_a_summary(self, ada, context):
        @operation
        def both():
            history.describe("Two projects")
            assert history.change_id() is None
            for name in ("One", "Two"):
                operations.create(actor(ada), registry.get("project"), {"name": name})
            return history.change_id()

        change_id = both()
        ((change, revisions),) = history.recent(actor(ada))
        assert (change.id, change.summary) == (change_id, "Two projects")
        assert [each.title for each in revisions] == ["One", "Two"]

    def test_records_by_who_changed_them(self, ada, ben, context):
        project = ada.project()
        ada.share("project", project, ben.email, Role.CONTRIBUTOR)
        ada.session("Hers", project)
        ben.session("His", project)
        rule = history.changed_by(actor(ada), SESSION, ben.id)
        assert [each.name for each in db.session.query(SESSION.model).filter(rule)] == ["His"]


class TestWhoMaySeeIt:
    def test_those_who_may_read_what_it_takes_its_rights_from(self, ada, ben, person):
        project = ada.project()
        ada.share("project", project, ben.email, Role.MEMBER)
        session = ada.session("Monday", project)
        stranger = person()
        assert len(told(ben, "session", session)) == 1
        assert told(stranger, "session", session) == []
        with ada.app.app_context():
            assert history.recent(actor(stranger)) == []
            assert history.recent(PUBLIC) == []
            assert len(history.recent(Actor(stranger.id, portal="super"))) == 3
        ada.share("project", project, ben.email, None)
        assert told(ben, "session", session) == []

    def test_after_a_deletion_too(self, ada, ben, person):
        project = ada.project()
        ada.share("project", project, ben.email, Role.MEMBER)
        session = ada.session("Monday", project)
        ada("DELETE", f"stem/session/{session['id']}")
        assert [each[0] for each in told(ben, "session", session)] == ["create", "delete"]
        assert told(person(), "session", session) == []

    def test_nobody_who_may_not_read_any_more_what_is_still_there(self, ada, ben):
        """It went to a project of others since, with all that it said before."""
        ours, theirs = ada.project("Ours"), ada.project("Theirs")
        ada.share("project", ours, ben.email, Role.MEMBER)
        session = ada.session("Monday", ours)
        kept = ada.session("Kept", ours)
        move = {"projects": [theirs["id"]], "description": "moved"}
        assert ada("PATCH", f"stem/session/{session['id']}", move).status_code == 200
        assert told(ben, "session", session) == []
        assert [each[0] for each in told(ada, "session", session)] == ["create", "change"]
        with ada.app.app_context():
            for root in (None, UUID(ours["id"])):
                seen = history.recent(actor(ben), limit=2, root_id=root)
                titles = [[each.title for each in revisions] for _, revisions in seen]
                assert titles == [["Kept"], ["Ours"]]
            changes = db.session.scalars(db.select(Change)).all()
            told_of = [
                each.title
                for change in changes
                for each in history.revisions(change, [history.visible(actor(ben))], 100)
            ]
            assert "Monday" not in told_of and "Kept" in told_of
        for each in (session, kept):
            ada("DELETE", f"stem/session/{each['id']}")
        # Deleted by others, where Ben had no part in it any more; and in the project of both.
        assert told(ben, "session", session) == []
        assert [each[0] for each in told(ben, "session", kept)] == ["create", "delete"]

    def test_nobody_who_could_read_it_when_it_was_deleted_before(self, ada, ben):
        """It came back, went to a project of others, and was deleted there."""
        ours, theirs = ada.project("Ours"), ada.project("Theirs")
        ada.share("project", ours, ben.email, Role.MEMBER)
        session = ada.session("Monday", ours)
        address = f"stem/session/{session['id']}"
        ada("DELETE", address)
        assert [each[0] for each in told(ben, "session", session)] == ["create", "delete"]
        undo(ada)
        move = {"projects": [theirs["id"]], "description": "secret"}
        assert ada("PATCH", address, move).status_code == 200
        ada("DELETE", address)
        assert told(ben, "session", session) == []
        assert len(told(ada, "session", session)) == 5

    def test_of_a_large_change_as_much_as_of_a_small_one(self, ada, ben, context):
        """However few of its first records one may see: whether there is more depends on all of them."""
        ours, theirs = ada.project("Ours"), ada.project("Theirs")
        ada.share("project", ours, ben.email, Role.MEMBER)
        mine = [number in (3, 24, 27) or number > 30 for number in range(36)]
        sessions = [
            {"name": f"Day {number:02}", "projects": [(ours if each else theirs)["id"]]}
            for number, each in enumerate(mine)
        ]
        assert ada("POST", "stem/session/", sessions).status_code == 201
        ((_, seen), *_) = history.recent(actor(ben), limit=1)
        days = [f"Day {number:02}" for number in (3, 24, 27, 31, 32, 33)]
        assert [each.title for each in seen] == days

    def test_not_even_who_deleted_it_once_where_it_is_back_among_others(self, ada, ben):
        project = ada.project("Ours")
        ada.share("project", project, ben.email, Role.OWNER)
        ada("DELETE", f"stem/project/{project['id']}")
        undo(ada)
        ben.share("project", project, ada.email, None)
        assert told(ada, "project", project) == []

    def test_nobody_is_named_who_did_nothing_that_one_sees(self, ada, ben, person, context):
        ours, theirs, cy = ada.project("Ours"), ada.project("Theirs"), person()
        ada.share("project", ours, ben.email, Role.MEMBER)
        for each in (ours, theirs):
            ada.share("project", each, cy.email, Role.CONTRIBUTOR)
        session = cy.session("Monday", ours)
        assert cy.id in [each.id for each in history.authors(actor(ben), User)]
        move = {"projects": [theirs["id"]]}
        assert ada("PATCH", f"stem/session/{session['id']}", move).status_code == 200
        db.session.rollback()
        assert cy.id not in [each.id for each in history.authors(actor(ben), User)]
        assert cy.id in [each.id for each in history.authors(actor(ada), User)]

    def test_of_a_deleted_project_only_who_deleted_it(self, ada, ben):
        project = ada.project()
        ada.share("project", project, ben.email, Role.OWNER)
        ada("DELETE", f"stem/project/{project['id']}")
        assert [each[0] for each in told(ada, "project", project)] == ["delete"]
        assert told(ben, "project", project) == []

    def test_activity_of_one_project(self, ada, context):
        one, two = ada.project("One"), ada.project("Two")
        ada.session("Monday", one)
        ada.session("Tuesday", two)
        ada.session("Both", one, two)
        found = history.recent(actor(ada), root_id=UUID(one["id"]))
        assert [[each.title for each in revisions] for _, revisions in found] == [
            ["Both"],
            ["Monday"],
            ["One"],
        ]
        older = history.recent(actor(ada), root_id=UUID(one["id"]), before=found[0][0].at)
        assert [change.id for change, _ in older] == [change.id for change, _ in found[1:]]


@pytest.mark.parametrize("kind", [kind for kind in LEAST if kind != "sessiondatastorage"])
def test_a_deleted_record_of_every_kind_comes_back_as_it_was(kind, ada):
    made = one_of_each(ada)
    optional = {name: value for name, (_, value) in OPTIONAL[kind].items() if name != "is_public"}
    payload = filled(LEAST[kind] | optional, ids_of(made))
    if "name" in payload:
        payload["name"] += " again"
    record = ada.made(KINDS[kind].address, payload)
    address = f"{KINDS[kind].address}/{record['id']}"
    before = ada("GET", address)
    assert ada("DELETE", address).status_code == 204
    assert ada("GET", address).status_code == 404
    restored = restore(ada, kind, record, -1)
    after = ada("GET", address)
    assert after.text == before.text
    assert after.headers["ETag"] != before.headers["ETag"]
    assert restored.left_out == set()


class TestRestoring:
    def test_an_earlier_state(self, ada):
        one, two = ada.storage("One"), ada.storage("Two")
        project = ada.project()
        first = {
            "description": "A\r\nB ",
            "tags": ["x", "y"],
            "extra_fields": {"n": 22.0, "long": 123456789012345678901234567890},
            "datastorage": [one["id"], two["id"]],
            "date_time": "2026-11-23T10:00:00.5Z",
        }
        session = ada.session("Monday", project, **first)
        address = f"stem/session/{session['id']}"
        before = ada("GET", address).text
        changed = {"name": "Tuesday", "tags": [], "datastorage": [two["id"]], "description": ""}
        ada("PATCH", address, changed)
        ada("PATCH", address, {"extra_fields": {}, "date_time": None, "tags": ["z"]})
        assert ada("GET", address).text != before
        restore(ada, "session", session, 0)
        assert ada("GET", address).text == before
        restore(ada, "session", session, 1)
        assert ada.get(address)["session"]["tags"] == []
        assert ada.get(address)["session"]["name"] == "Tuesday"
        assert ada.get(address)["session"]["extra_fields"] == first["extra_fields"]

    def test_a_session_with_everything_in_it(self, ada):
        made = one_of_each(ada)
        ids = ids_of(made)
        epoch = {"behaviors": [ids["behavior"]], "dataacquisition": [ids["dataacquisition"]]}
        ada("PATCH", f"stem/epoch/{ids['epoch']}", epoch)
        ada("PATCH", f"stem/collection/{ids['collection']}", {"sessions": [ids["session"]]})
        kinds = ("session", "epoch", "behavior", "dataacquisition", "manipulation", "collection")
        addresses = [f"{KINDS[kind].address}/{ids[kind]}" for kind in kinds]
        before = [ada("GET", address).text for address in addresses]
        ada("DELETE", f"stem/session/{ids['session']}")
        undo(ada)
        assert [ada("GET", address).text for address in addresses] == before

    def test_one_of_several_that_were_deleted_together(self, ada, app):
        project = ada.project()
        sessions = [ada.session(name, project) for name in ("One", "Two")]
        epochs = [
            ada.made("stem/epoch/", {"name": "Rest", "session": each["id"]}) for each in sessions
        ]

        @operation
        def both():
            for each in sessions:
                operations.delete(actor(ada), SESSION, UUID(each["id"]))

        with app.app_context():
            both()
        restore(ada, "session", sessions[0], -1)
        assert ada("GET", f"stem/epoch/{epochs[0]['id']}").status_code == 200
        assert ada("GET", f"stem/session/{sessions[1]['id']}").status_code == 404
        assert ada("GET", f"stem/epoch/{epochs[1]['id']}").status_code == 404

    def test_an_earlier_state_of_a_deleted_record(self, ada):
        session = ada.session("Monday", ada.project())
        address = f"stem/session/{session['id']}"
        ada("PATCH", address, {"name": "Tuesday"})
        ada("DELETE", address)
        restore(ada, "session", session, 0)
        assert ada.get(address)["session"]["name"] == "Monday"

    def test_takes_the_right_to_change(self, ada, ben):
        project = ada.project()
        ada.share("project", project, ben.email, Role.MEMBER)
        session = ada.session("Monday", project)
        ada("PATCH", f"stem/session/{session['id']}", {"name": "Tuesday"})
        with pytest.raises(Forbidden):
            restore(ben, "session", session, 0)
        ada("DELETE", f"stem/session/{session['id']}")
        with pytest.raises(ValidationError, match="may not use the project"):
            restore(ben, "session", session, 0)

    def test_a_session_of_two_projects_comes_back_by_who_may_change_both(self, ada, ben):
        one, two = ada.project("One"), ada.project("Two")
        ada.share("project", one, ben.email, Role.CONTRIBUTOR)
        session = ada.session("Monday", one, two)
        address = f"stem/session/{session['id']}"
        before = ada.get(address)
        ada("DELETE", address)
        with pytest.raises(ValidationError, match="more than you may see"):
            restore(ben, "session", session, 0)
        restore(ada, "session", session, 0)
        assert ada.get(address) == before

    def test_a_session_comes_back_without_a_project_that_is_gone(self, ada):
        one, two = ada.project("One"), ada.project("Two")
        session = ada.session("Monday", one, two)
        ada("DELETE", f"stem/session/{session['id']}")
        ada("DELETE", f"stem/project/{two['id']}")
        assert len(restore(ada, "session", session, 0).left_out) == 1
        assert ada.get(f"stem/session/{session['id']}")["session"]["projects"] == [one["id"]]

    def test_a_state_of_another_record_is_none_of_this(self, ada, context):
        one, two = ada.project("One"), ada.project("Two")
        (mine,) = history.of_record(actor(ada), registry.get("project"), UUID(one["id"]))
        with pytest.raises(NotFound):
            restoring.restore(actor(ada), registry.get("project"), UUID(two["id"]), mine.id)

    def test_against_a_newer_version_stores_nothing(self, ada, context):
        project = ada.project("One")
        ada("PATCH", f"stem/project/{project['id']}", {"name": "Two"})
        kind, record_id = registry.get("project"), UUID(project["id"])
        first = history.of_record(actor(ada), kind, record_id)[-1]
        with pytest.raises(Changed):
            restoring.restore(actor(ada), kind, record_id, first.id, version=lambda v: v == 1)

    def test_what_the_user_may_not_see_stays_as_it_is(self, ada, ben):
        project = ada.project()
        ada.share("project", project, ben.email, Role.CONTRIBUTOR)
        hidden, gone = ada.storage("Hidden"), ada.storage("Gone")
        session = ada.session("Monday", project, datastorage=[hidden["id"]])
        address = f"stem/session/{session['id']}"
        ada("PATCH", address, {"name": "Tuesday", "datastorage": [gone["id"], hidden["id"]]})
        ada("PATCH", address, {"datastorage": [hidden["id"]]})
        assert len(restore(ben, "session", session, 1).left_out) == 2
        assert ada.get(address)["session"]["datastorage"] == [hidden["id"]]

    def test_what_is_gone_is_left_out(self, ada):
        storage = ada.storage()
        session = ada.session("Monday", ada.project(), datastorage=[storage["id"]])
        ada("PATCH", f"stem/session/{session['id']}", {"datastorage": []})
        ada("DELETE", f"personal_attributes/datastorage/{storage['id']}")
        assert len(restore(ada, "session", session, 0).left_out) == 1

    def test_roles(self, ada, ben):
        project = ada.project()
        ada.share("project", project, ben.email, Role.MANAGER)
        address = f"stem/project/{project['id']}"
        before = ada.get(address)
        ada("PATCH", address, {"users": {ben.email: {"remove": True}}})
        restore(ada, "project", project, 1)
        assert ada.get(address) == before
        ada("DELETE", address)
        restore(ada, "project", project, -1)
        assert ada.get(address) == before


class TestUndoing:
    def test_a_change(self, ada):
        session = ada.session("Monday", ada.project(), tags=["x"])
        address = f"stem/session/{session['id']}"
        ada("PATCH", address, {"tags": ["x", "y"]})
        undo(ada)
        assert ada.get(address)["session"]["tags"] == ["x"]
        undo(ada)
        assert ada.get(address)["session"]["tags"] == ["x", "y"]

    def test_a_new_record(self, ada):
        session = ada.session("Monday", ada.project())
        undo(ada)
        assert ada("GET", f"stem/session/{session['id']}").status_code == 404

    def test_twice_is_refused(self, ada):
        ada.session("Monday", ada.project())
        change = last_change(ada)
        undo(ada, change)
        with pytest.raises(ValidationError, match="undone already"):
            undo(ada, change)

    def test_leaves_what_others_changed_besides(self, ada):
        session = ada.session("Monday", ada.project())
        address = f"stem/session/{session['id']}"
        ada("PATCH", address, {"name": "Tuesday"})
        change = last_change(ada)
        ada("PATCH", address, {"tags": ["x"]})
        undo(ada, change)
        assert ada.get(address)["session"]["name"] == "Monday"
        assert ada.get(address)["session"]["tags"] == ["x"]

    def test_is_refused_where_the_same_field_was_changed_since(self, ada):
        session = ada.session("Monday", ada.project())
        address = f"stem/session/{session['id']}"
        ada("PATCH", address, {"name": "Tuesday"})
        change = last_change(ada)
        ada("PATCH", address, {"name": "Wednesday"})
        with pytest.raises(ValidationError, match="changed since"):
            undo(ada, change)
        assert ada.get(address)["session"]["name"] == "Wednesday"

    def test_a_new_record_that_was_worked_on_stays(self, ada):
        session = ada.session("Monday", ada.project())
        change = last_change(ada)
        ada.made("stem/epoch/", {"name": "Rest", "session": session["id"]})
        with pytest.raises(ValidationError, match="epochs that were added since"):
            undo(ada, change)

    def test_takes_rights_and_tells_nothing_to_strangers(self, ada, ben, person):
        project = ada.project()
        ada.share("project", project, ben.email, Role.MEMBER)
        session = ada.session("Monday", project)
        change = last_change(ada)
        with pytest.raises(ValidationError, match="not change or use it"):
            undo(ben, change)
        with pytest.raises(NotFound):
            undo(person(), change)
        assert ada("GET", f"stem/session/{session['id']}").status_code == 200

    def test_several_at_once_or_none(self, ada, app):
        project = ada.project()
        sessions = [ada.session(name, project) for name in ("One", "Two")]

        @operation
        def tag():
            for each in sessions:
                operations.change(actor(ada), SESSION, UUID(each["id"]), {"tags": ["new"]})

        with app.app_context():
            tag()
        change = last_change(ada)
        ada("PATCH", f"stem/session/{sessions[1]['id']}", {"tags": ["other"]})
        with pytest.raises(ValidationError, match="“Two”: It was changed since"):
            undo(ada, change)
        assert ada.get(f"stem/session/{sessions[0]['id']}")["session"]["tags"] == ["new"]


def test_what_stands_against_an_undo_names_nothing_unseen(ada, ben):
    both, hers = ada.project("Both"), ada.project("Hers")
    ada.share("project", both, ben.email, Role.CONTRIBUTOR)
    sessions = [ada.session("Open", both), ada.session("Secret", hers)]
    with ada.app.app_context():

        @operation
        def together():
            for each in sessions:
                payload = {"tags": ["x"]}
                operations.change(actor(ada), SESSION, UUID(each["id"]), payload)

        together()
        change_id = history.change_id()
        with pytest.raises(ValidationError) as raised:
            restoring.undo(actor(ben), change_id)
    assert raised.value.messages == ["Something you may not see: You may not see this session."]


def test_a_restored_record_is_not_named_to_who_sees_but_its_collection(ada, ben):
    hers, both = ada.project("Hers"), ada.project("Both")
    ada.share("project", both, ben.email, Role.MEMBER)
    secret = ada.session("Secret", hers)
    named = {"name": "Some", "project": both["id"], "sessions": [secret["id"]]}
    ada.made("stem/collection/", named)
    ada("DELETE", f"stem/session/{secret['id']}")
    restore(ada, "session", secret, -1)
    with ada.app.app_context():
        told = [change.summary for change, _ in history.recent(actor(ben))]
        assert told[0] == "Restored: session"
        assert not any("Secret" in each for each in told)
