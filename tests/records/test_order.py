"""The order of a session's data storages (contract §5): always 0, 1, 2 … without a gap."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from brainstem.core.permissions import Role
from brainstem.extensions import db
from brainstem.records.sessions import SessionDataStorage
from tests.pages import Page

ROWS, SESSIONS = "stem/sessiondatastorage", "stem/session"
LETTERS = "ABCDE"


@pytest.fixture
def lab(app, ada):
    """A session with the storages A, B and C; D and E exist as well."""
    project = ada.project()
    ids = {letter: ada.storage(letter)["id"] for letter in LETTERS}
    session = ada.session("Monday", project, datastorage=[ids[each] for each in "ABC"])
    letters = {each: letter for letter, each in ids.items()}

    def order():
        """The order as it stands in the table; every place must be taken once."""
        columns = SessionDataStorage.datastorage_id, SessionDataStorage.order
        statement = (
            select(*columns)
            .where(SessionDataStorage.session_id == UUID(session["id"]))
            .order_by(SessionDataStorage.order)
        )
        with app.app_context():
            found = db.session.execute(statement).all()
        assert [place for _, place in found] == list(range(len(found)))
        return "".join(letters[str(each)] for each, _ in found)

    def row(letter):
        """The address of a storage's row."""
        query = {"filter{session}": session["id"], "filter{datastorage}": ids[letter]}
        (found,) = ada.get(ROWS, query_string=query)["sessiondatastorages"]
        return f"{ROWS}/{found['id']}"

    return SimpleNamespace(
        project=project, session=session, ids=ids, order=order, row=row, letters=letters
    )


def test_rows_are_listed_by_session_and_order(ada, lab):
    other = ada.session("Tuesday", lab.project, datastorage=[lab.ids["C"], lab.ids["A"]])
    rows = ada.get(ROWS)["sessiondatastorages"]
    assert [list(each) for each in rows] == [["id", "session", "datastorage", "order"]] * 5
    by_session = sorted([lab.session, other], key=lambda session: session["id"])
    assert [(each["session"], each["datastorage"], each["order"]) for each in rows] == [
        (session["id"], storage, place)
        for session in by_session
        for place, storage in enumerate(session["datastorage"])
    ]
    mine = ada.get(ROWS, query_string={"filter{session}": other["id"]})
    assert [each["session"] for each in mine["sessiondatastorages"]] == [other["id"]] * 2


@pytest.mark.parametrize(
    ("order", "after", "place"),
    [
        (None, "ABCD", 3),
        (0, "DABC", 0),
        (1, "ADBC", 1),
        (3, "ABCD", 3),
        (4, "ABCD", 3),
        (10**30, "ABCD", 3),
    ],
)
def test_a_new_row_goes_to_the_end_or_where_it_is_put(ada, lab, order, after, place):
    payload = {"session": lab.session["id"], "datastorage": lab.ids["D"]}
    row = ada.made(ROWS, payload | ({"order": order} if order is not None else {}))
    assert row == {"id": row["id"], **payload, "order": place}
    assert lab.order() == after


@pytest.mark.parametrize(
    ("letter", "order", "after"),
    [
        ("A", 0, "ABC"),
        ("A", 1, "BAC"),
        ("A", 2, "BCA"),
        ("A", 3, "BCA"),
        ("A", 10**30, "BCA"),
        ("B", 0, "BAC"),
        ("C", 0, "CAB"),
        ("C", 1, "ACB"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_a_row_moves_and_the_rest_close_up(ada, lab, method, letter, order, after):
    address = lab.row(letter)
    row = ada.get(address)["sessiondatastorage"]
    payload = {"order": order} if method == "PATCH" else row | {"order": order}
    answer = ada(method, address, payload)
    assert answer.json["sessiondatastorage"] == row | {"order": after.index(letter)}
    assert lab.order() == after
    listed = ada.get(f"{SESSIONS}/{lab.session['id']}")["session"]["datastorage"]
    assert "".join(lab.letters[each] for each in listed) == after


@pytest.mark.parametrize(("letter", "after"), [("A", "BC"), ("B", "AC"), ("C", "AB")])
def test_a_row_goes_and_the_rest_close_up(ada, lab, letter, after):
    address = lab.row(letter)
    assert ada("DELETE", address).status_code == 204
    assert lab.order() == after
    assert ada("GET", address).status_code == 404
    assert ada("GET", f"personal_attributes/datastorage/{lab.ids[letter]}").status_code == 200


INTEGER, NEGATIVE = "This is not a whole number.", "This can't be less than 0."
FIXED = "This can't be changed; remove the row and add another."


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("order", -1, NEGATIVE),
        ("order", -(10**30), NEGATIVE),
        ("order", "1", INTEGER),
        ("order", 1.0, INTEGER),
        ("order", True, INTEGER),
        ("order", None, "This field may not be null."),
        ("position", 1, "Unknown field."),
    ],
)
def test_a_place_that_is_none_is_refused(ada, lab, field, value, said):
    payload = {"session": lab.session["id"], "datastorage": lab.ids["D"], field: value}
    for answer in (ada("POST", ROWS, payload), ada("PATCH", lab.row("A"), {field: value})):
        assert (answer.status_code, answer.json) == (400, {field: [said]})
    assert lab.order() == "ABC"


def test_a_pair_is_attached_once(ada, lab):
    answer = ada("POST", ROWS, {"session": lab.session["id"], "datastorage": lab.ids["B"]})
    said = {"datastorage": ["This data storage is attached to the session already."]}
    assert (answer.status_code, answer.json) == (400, said)
    assert lab.order() == "ABC"


@pytest.mark.parametrize("field", ["session", "datastorage"])
@pytest.mark.parametrize("value", [None, "", "x", 7, "missing"])
def test_a_row_names_a_session_and_a_storage_that_there_are(ada, lab, field, value):
    payload = {"session": lab.session["id"], "datastorage": lab.ids["D"]}
    payload[field] = str(uuid4()) if value == "missing" else value
    answer = ada("POST", ROWS, payload)
    assert (answer.status_code, list(answer.json)) == (400, [field])
    del payload[field]
    answer = ada("POST", ROWS, payload)
    assert (answer.status_code, answer.json) == (400, {field: ["This field is required."]})
    assert lab.order() == "ABC"


@pytest.mark.parametrize("field", ["session", "datastorage"])
def test_a_row_stays_with_its_session_and_storage(ada, lab, field):
    other = ada.session("Tuesday", lab.project)["id"] if field == "session" else lab.ids["D"]
    address = lab.row("A")
    answer = ada("PATCH", address, {field: other, "order": 2})
    assert (answer.status_code, answer.json) == (400, {field: [FIXED]})
    assert lab.order() == "ABC"
    same = ada.get(address)["sessiondatastorage"]
    assert ada("PATCH", address, same).json["sessiondatastorage"] == same


def test_a_session_that_goes_takes_its_rows_along(ada, lab):
    assert ada("DELETE", f"{SESSIONS}/{lab.session['id']}").status_code == 204
    assert ada.get(ROWS)["count"] == 0
    assert ada.get("personal_attributes/datastorage")["count"] == len(LETTERS)


def test_a_move_counts_as_a_change_of_the_session(ada, lab):
    address = f"{SESSIONS}/{lab.session['id']}"
    tags = [ada("GET", address).headers["ETag"]]
    row = lab.row("A")
    payload = {"session": lab.session["id"], "datastorage": lab.ids["D"]}
    for method, where, body in (
        ("PATCH", row, {"order": 1}),
        ("POST", ROWS, payload),
        ("DELETE", row, None),
    ):
        assert ada(method, where, body).status_code < 300
        tags.append(ada("GET", address).headers["ETag"])
    assert len(set(tags)) == 4
    # To where it is already: nothing changed.
    assert ada("PATCH", lab.row("B"), {"order": 0}).status_code == 200
    assert ada("GET", address).headers["ETag"] == tags[-1]


def test_a_row_that_closes_up_is_a_new_version_of_it(ada, lab):
    """What was read of it, its order, is true no longer."""
    before = ada("GET", lab.row("B")).headers["ETag"]
    ada("PATCH", lab.row("A"), {"order": 2})
    headers = {"If-Match": before}
    assert ada("PATCH", lab.row("B"), {"order": 2}, headers=headers).status_code == 412
    assert lab.order() == "BCA"


# -- Storages that somebody does not see -------------------------------------------------------


@pytest.fixture
def unseen(ben, ada, lab):
    """Ben contributes to the project and may use every storage but B, which he can't read."""
    ada.share("project", lab.project, ben.email, Role.CONTRIBUTOR)
    for letter in "ACDE":
        ada.share("datastorage", {"id": lab.ids[letter]}, ben.email, Role.CONTRIBUTOR)
    return lab


@pytest.mark.parametrize(
    ("wanted", "after"),
    [
        ("AC", "ABC"),
        ("CA", "CBA"),
        ("A", "AB"),
        ("C", "CB"),
        ("", "B"),
        ("D", "DB"),
        ("ADC", "ABDC"),
        ("DEAC", "DBEAC"),
    ],
)
def test_an_unseen_storage_keeps_its_place_when_a_list_is_sent(ada, ben, unseen, wanted, after):
    address = f"{SESSIONS}/{unseen.session['id']}"
    sent = [unseen.ids[each] for each in wanted]
    assert ben("PATCH", address, {"datastorage": sent}).json["session"]["datastorage"] == sent
    assert unseen.order() == after


def test_an_unseen_storage_keeps_its_place_in_a_put_without_a_list(ada, ben, unseen):
    payload = {"name": "Monday", "projects": [unseen.project["id"]]}
    assert ben("PUT", f"{SESSIONS}/{unseen.session['id']}", payload).status_code == 200
    assert unseen.order() == "B"


# -- Several at once ---------------------------------------------------------------------------


def test_a_move_asks_for_the_order_once(ada, lab, statements):
    assert ada("PATCH", lab.row("C"), {"order": 0}).status_code == 200
    order = "SELECT sessiondatastorage.datastorage_id"
    assert len([each for each in statements if each.startswith(order)]) == 1


def at_once(*deeds):
    """Do them in threads that begin together; their answers."""
    barrier = Barrier(len(deeds))

    def run(deed):
        barrier.wait()
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def statuses(answers):
    return [each.status_code for each in answers]


def test_two_moves_at_once_leave_one_of_the_two_orders(ada, lab):
    a, c = lab.row("A"), lab.row("C")
    for _ in range(4):
        ada("PATCH", f"{SESSIONS}/{lab.session['id']}", {"datastorage": lab.session["datastorage"]})
        answers = at_once(
            lambda: ada("PATCH", a, {"order": 2}),
            lambda: ada("PATCH", c, {"order": 0}),
        )
        assert statuses(answers) == [200, 200]
        # A, then C: BCA, CBA. C, then A: CAB, CBA.
        assert lab.order() == "CBA"


def test_a_list_and_a_move_at_once_leave_one_after_the_other(ada, lab):
    address, row = f"{SESSIONS}/{lab.session['id']}", lab.row("C")
    for _ in range(4):
        ada("PATCH", address, {"datastorage": lab.session["datastorage"]})
        answers = at_once(
            lambda: ada("PATCH", address, {"datastorage": [lab.ids[each] for each in "DACB"]}),
            lambda: ada("PATCH", row, {"order": 0}),
        )
        assert statuses(answers) == [200, 200]
        assert lab.order() in ("DACB", "CDAB")


def test_the_same_storage_attached_twice_at_once_is_attached_once(ada, lab):
    payload = {"session": lab.session["id"], "datastorage": lab.ids["D"]}
    answers = at_once(*[lambda: ada("POST", ROWS, payload)] * 4)
    assert sorted(statuses(answers)) == [201, 400, 400, 400]
    assert lab.order() == "ABCD"


def test_a_row_removed_twice_at_once_is_gone_once(ada, lab):
    row = lab.row("B")
    answers = at_once(*[lambda: ada("DELETE", row)] * 3)
    assert sorted(statuses(answers)) == [204, 404, 404]
    assert lab.order() == "AC"


def test_moves_inserts_removals_and_saves_at_once_leave_an_order_without_gaps(ada, ben, unseen):
    """By rows, by lists, and by the form of two people, one of whom sees a part of the storages."""
    session = unseen.session["id"]
    a, c = unseen.row("A"), unseen.row("C")

    def insert(letter, order):
        payload = {"session": session, "datastorage": unseen.ids[letter], "order": order}
        return lambda: ada("POST", ROWS, payload)

    def save(who, button):
        pages, address = who.browser(), f"/sessions/{session}/edit"
        form = pages.form(address, "Save session")
        form = Page(pages.press(form, button, address)).form("Save session")
        return lambda: pages.press(form, "Save session", address)

    answers = at_once(
        lambda: ada("PATCH", a, {"order": 2}),
        lambda: ben("PATCH", c, {"order": 0}),
        insert("D", 0),
        insert("E", 1),
        lambda: ada("DELETE", c),
        save(ada, "Move C up"),
        save(ben, "Remove A"),
    )
    removed_by_form = answers[-1].status_code == 302
    # C is removed by its row, and A by Ben's form, if it is saved: before they are moved, or after.
    moved_a = {200, 404} if removed_by_form else {200}
    expected = [moved_a, {200, 404}, {201}, {201}, {204}, {302, 409}, {302, 409}]
    assert all(
        status in allowed for status, allowed in zip(statuses(answers), expected, strict=True)
    ), statuses(answers)
    left = unseen.order()
    # What a saved form says of A or C is the last word only when it came last.
    assert {"B", "D", "E"} <= set(left) or removed_by_form
    assert len(left) == len(set(left))
