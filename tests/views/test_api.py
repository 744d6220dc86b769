"""The JSON API as HTTP (contract §1 to §3, §9 to §11): addresses, status codes, headers, envelopes."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import update

from brainstem.core.times import utcnow
from brainstem.extensions import db
from brainstem.records.tokens import Token

PROJECTS, STORAGES = "stem/project", "personal_attributes/datastorage"
SESSIONS, ROWS = "stem/session", "stem/sessiondatastorage"


@pytest.fixture
def lab(ada):
    """A session with everything, its project and its data storage."""
    project = ada.project(description="x", tags=["t"])
    storage = ada.storage(data_protocols=[{"protocol": "SMB", "path": "/"}])
    session = ada.session("Monday", project, datastorage=[storage["id"]], tags=["a"])
    (row,) = ada.get(ROWS)["sessiondatastorages"]
    return {PROJECTS: project, STORAGES: storage, SESSIONS: session, ROWS: row}


# -- Addresses and methods ---------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["", "/"])
def test_every_address_answers_with_and_without_the_closing_slash(ada, lab, slash):
    made = ada("POST", f"{SESSIONS}{slash}", {"name": "New", "projects": [lab[PROJECTS]["id"]]})
    assert made.status_code == 201
    address = f"{SESSIONS}/{made.json['session']['id']}"
    expected = {
        ("GET", SESSIONS): 200,
        ("HEAD", SESSIONS): 200,
        ("OPTIONS", SESSIONS): 200,
        ("GET", address): 200,
        ("HEAD", address): 200,
        ("OPTIONS", address): 200,
        ("PATCH", address): 200,
        ("PUT", address): 200,
        ("GET", f"{address}/projects"): 200,
        ("HEAD", f"{address}/projects"): 200,
        ("OPTIONS", f"{address}/projects"): 200,
        ("DELETE", address): 204,
    }
    body = made.json["session"]
    found = {
        (method, where): ada(
            method, f"{where}{slash}", body if method in ("PATCH", "PUT") else None
        ).status_code
        for method, where in expected
    }
    assert found == expected


READ = {"GET", "HEAD", "OPTIONS"}

OTHER_METHODS = [
    ("private", "", "PUT", READ | {"POST"}),
    ("private", "", "PATCH", READ | {"POST"}),
    ("private", "", "DELETE", READ | {"POST"}),
    ("private", "/{id}", "POST", READ | {"PATCH", "PUT", "DELETE"}),
    ("private", "/{id}/projects", "POST", READ),
    ("private", "/{id}/projects", "DELETE", READ),
    ("public", "", "POST", READ),
    ("public", "/{id}", "PATCH", READ),
    ("public", "/{id}", "PUT", READ),
    ("public", "/{id}", "DELETE", READ),
    ("public", "/{id}/projects", "PATCH", READ),
    ("public", "", "PUT", READ),
    ("public", "/{id}", "POST", READ),
    ("public", "/{id}/projects", "POST", READ),
    ("private", "", "TRACE", READ | {"POST"}),
    ("public", "/{id}", "TRACE", READ),
]


@pytest.mark.parametrize("slash", ["", "/"])
def test_other_methods_are_405_and_say_which_there_are(ada, lab, slash):
    found = []
    for portal, part, method, _ in OTHER_METHODS:
        address = f"/api/{portal}/{SESSIONS}{part.format(id=lab[SESSIONS]['id'])}{slash}"
        answer = ada(method, address, {})
        assert list(answer.json) == ["detail"]
        allowed = set(answer.headers.get("Allow", "").split(", "))
        found.append((portal, part, method, allowed if answer.status_code == 405 else None))
    assert found == OTHER_METHODS
    assert ada.get(SESSIONS)["sessions"] == [lab[SESSIONS]]


METHODS = {
    "/api": READ,
    "/api/openapi.json": READ,
    "/api/reference/stem/session": READ,
    "/api/token": {"OPTIONS", "POST"},
    "/api/auth/device": {"OPTIONS", "POST"},
    "/api/auth/device/token": {"OPTIONS", "POST"},
    f"/api/private/{SESSIONS}": READ | {"POST"},
    f"/api/private/{SESSIONS}/{{id}}": READ | {"PATCH", "PUT", "DELETE"},
    f"/api/private/{SESSIONS}/{{id}}/projects": READ,
    f"/api/public/{SESSIONS}": READ,
    f"/api/public/{SESSIONS}/{{id}}": READ,
    "/api/private/users/user": READ,
    "/api/private/users/user/{id}": READ,
}


@pytest.mark.parametrize("slash", ["", "/"])
def test_options_say_what_can_be_done_at_an_address(subtests, ada, lab, slash):
    for path, methods in METHODS.items():
        address = path.format(id=lab[SESSIONS]["id"]) + slash
        with subtests.test(address=address):
            answer = ada("OPTIONS", address)
            assert (answer.status_code, answer.mimetype) == (200, "application/json")
            assert set(answer.headers["Allow"].split(", ")) == methods
            for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "FOO"} - methods:
                refused = ada(method, address, {})
                assert (refused.status_code, list(refused.json)) == (405, ["detail"])
                assert set(refused.headers["Allow"].split(", ")) == methods


@pytest.mark.parametrize("path", ["private/stem/nothing", "public/users/user", "nope/stem/session"])
def test_what_is_not_there_has_no_options(ada, path):
    assert ada("OPTIONS", f"/api/{path}/").status_code == 404


def test_head_is_a_get_without_a_body(ada, lab):
    for address in (SESSIONS, f"{SESSIONS}/{lab[SESSIONS]['id']}"):
        get, head = ada("GET", address), ada("HEAD", address)
        assert head.data == b""
        assert head.headers["Content-Length"] == str(len(get.data))
        assert head.headers.get("ETag") == get.headers.get("ETag")


@pytest.mark.parametrize(
    "address",
    [
        "/api/private",
        "/api/private/stem",
        "/api/private/stem/nothing/",
        "/api/private/stem/session/nothing/",
        "/api/private/stem//session/",
        "/api/private/stem/session/%00/",
        "/api/private/stem/session/../session/x/y/z",
        "/api/nothing/stem/session/",
        "/api/public/stem/sessiondatastorage/",
        "/api/private/stem/datastorage/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_under_api_even_404_is_json(ada, address, method):
    answer = ada(method, address, {} if method == "POST" else None)
    assert answer.status_code in ((404,) if method == "GET" else (404, 405))
    assert (answer.mimetype, list(answer.json)) == ("application/json", ["detail"])


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "image/png"])
def test_whatever_is_accepted_the_answer_is_json(ada, lab, accept):
    headers = {"Accept": accept} if accept else {}
    for address in (SESSIONS, "stem/nothing", f"{SESSIONS}?limit=0"):
        assert ada("GET", address, headers=headers).mimetype == "application/json"


# -- Who asks ----------------------------------------------------------------------------------


def aged(app, **times):
    """Make every token older."""
    with app.app_context():
        db.session.execute(update(Token).values(**times))
        db.session.commit()


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer bst_wrong",
        "Bearer bst_\xe9",
        "Token {secret}",
        "{secret}",
        "Bearer {secret}x",
        "Bearer {upper}",
        "Basic YWRhQGxhYi5vcmc6eA==",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_a_good_token_it_is_401_and_no_redirect(app, ada, header, method):
    headers = {}
    if header is not None:
        value = header.format(secret=ada.secret, upper=ada.secret.upper())
        headers = {"Authorization": value}
    answer = app.test_client().open(f"/api/private/{SESSIONS}/", method=method, headers=headers)
    assert (answer.status_code, list(answer.json)) == (401, ["detail"])
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_s_case_does_not_count(app, ada, scheme):
    headers = {"Authorization": f"{scheme} {ada.secret}"}
    answer = app.test_client().get(f"/api/private/{SESSIONS}/", headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("made", "used", "status"),
    [(364, None, 200), (366, None, 401), (900, 364, 200), (900, 366, 401)],
)
def test_a_token_is_valid_for_a_year_from_its_last_use(app, ada, made, used, status):
    now = utcnow()
    last_used = used and now - timedelta(days=used)
    aged(app, created_date=now - timedelta(days=made), last_used=last_used)
    answers = [ada("GET", SESSIONS).status_code for _ in range(2)]
    assert answers == [status, status]
    with app.app_context():
        noted = db.session.scalar(db.select(Token.last_used))
    assert (noted is not None and now - noted < timedelta(minutes=1)) == (status == 200)


def test_only_the_hash_of_a_token_is_stored(app, ada):
    with app.app_context():
        row = db.session.execute(db.select(Token.__table__)).one()
    assert ada.secret not in str(row)
    assert ada.secret.removeprefix("bst_") not in str(row)


@pytest.mark.parametrize(
    ("method", "token", "status"),
    [
        ("GET", None, 200),
        ("HEAD", None, 200),
        ("OPTIONS", None, 200),
        ("PATCH", None, 400),
        ("PATCH", "wrong", 400),
        ("PATCH", "right", 200),
        ("PUT", None, 400),
        ("PUT", "right", 200),
        ("DELETE", None, 400),
        ("DELETE", "right", 204),
    ],
)
def test_a_cookie_signs_unsafe_requests_only_with_the_csrf_token(ada, lab, method, token, status):
    pages = ada.browser()
    headers = {}
    if token:
        right = pages.token("/sessions/new")
        headers = {"X-CSRFToken": right if token == "right" else token}
    address = f"/api/private/{SESSIONS}/{lab[SESSIONS]['id']}/"
    payload = {"name": "New", "projects": lab[SESSIONS]["projects"]}
    answer = pages.client.open(address, method=method, headers=headers, json=payload)
    assert answer.status_code == status
    if status == 400:
        assert list(answer.json) == ["detail"]
        assert ada.get(SESSIONS)["sessions"] == [lab[SESSIONS]]


def test_a_wrong_token_is_not_made_good_by_a_cookie(ada):
    headers = {"Authorization": "Bearer wrong"}
    answer = ada.browser().client.get(f"/api/private/{SESSIONS}/", headers=headers)
    assert answer.status_code == 401


# -- Bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=utf-8", 201),
        ("Application/JSON", 201),
        ("text/plain", 415),
        ("text/html", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ],
)
def test_only_json_is_taken(ada, lab, kind, status):
    body = json.dumps({"name": "New", "projects": [lab[PROJECTS]["id"]]})
    answer = ada("POST", SESSIONS, data=body, content_type=kind)
    assert answer.status_code == status
    assert status == 201 or list(answer.json) == ["detail"]


@pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413), (1024 * 1024, 413)])
def test_a_body_has_one_mebibyte_at_most(ada, lab, more, status):
    payload = {"name": "New", "projects": [lab[PROJECTS]["id"]], "description": ""}
    payload["description"] = "x" * (1024 * 1024 - len(json.dumps(payload)) + more)
    body = json.dumps(payload)
    assert len(body) == 1024 * 1024 + more
    answer = ada("POST", SESSIONS, data=body, content_type="application/json")
    assert answer.status_code == status
    assert status == 201 or list(answer.json) == ["detail"]


def test_made_is_201_with_its_address_and_deleted_is_204_without_a_body(app, ada, lab):
    payload = {"name": "New", "projects": [lab[PROJECTS]["id"]]}
    answer = ada("POST", SESSIONS, payload)
    record = answer.json["session"]
    assert answer.headers["Location"].endswith(f"/api/private/{SESSIONS}/{record['id']}/")
    assert ada.get(answer.headers["Location"].removeprefix("http://localhost")) == answer.json
    gone = ada("DELETE", f"{SESSIONS}/{record['id']}")
    assert (gone.status_code, gone.data) == (204, b"")
    assert ada("DELETE", f"{SESSIONS}/{record['id']}").status_code == 404


# -- Envelopes and records ---------------------------------------------------------------------

KEYS = {
    SESSIONS: (
        "session",
        "sessions",
        "id name description epochs projects date_time datastorage extra_fields download_links "
        "dataacquisition behaviors manipulations name_used_in_storage tags links",
    ),
    ROWS: ("sessiondatastorage", "sessiondatastorages", "id session datastorage order"),
    PROJECTS: (
        "project",
        "projects",
        "id name description sessions subjects collections cohorts extra_fields is_public tags "
        "links users groups",
    ),
    STORAGES: (
        "datastorage",
        "datastorages",
        "id name location description is_public data_organization data_protocols users groups",
    ),
}


@pytest.mark.parametrize("address", KEYS)
def test_keys_stand_in_the_order_of_the_contract(ada, lab, address):
    key, keys, fields = KEYS[address]
    single = ada.get(f"{address}/{lab[address]['id']}")
    assert list(single) == [key]
    assert list(single[key]) == fields.split()
    listed = ada.get(address)
    assert list(listed) == [keys, "count", "next", "previous", "meta"]
    assert list(listed["meta"]) == [
        *("total_results", "total_pages", "page", "per_page", "filters", "sort")
    ]
    assert listed[keys] == [single[key]]


@pytest.mark.parametrize("address", [SESSIONS, PROJECTS, STORAGES])
def test_a_public_list_has_the_same_envelope(ada, lab, address):
    _, keys, _ = KEYS[address]
    listed = ada.get(f"/api/public/{address}/")
    assert list(listed) == [keys, "count", "next", "previous", "meta"]
    assert (listed[keys], listed["count"], listed["meta"]["total_results"]) == ([], 0, 0)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("address", [SESSIONS, PROJECTS])
def test_the_links_of_a_record_lead_to_its_related_records(ada, lab, address, slash):
    (record,) = ada.get(f"{address}/{lab[address]['id']}").values()
    assert list(record["links"]) == (
        ["projects", "epochs", "datastorage", "dataacquisition", "behaviors", "manipulations"]
        if address == SESSIONS
        else ["sessions", "subjects", "collections", "cohorts"]
    )
    for name, suffix in record["links"].items():
        assert suffix == f"{name}/"
        related = ada.get(f"{address}/{record['id']}/{suffix.rstrip('/')}{slash}")
        assert list(related)[1:] == ["count", "next", "previous", "meta"]
        assert [each["id"] for each in next(iter(related.values()))] == record[name]
        assert related["count"] == len(record[name])


def test_related_records_stand_in_the_relation_s_order_and_can_be_queried(ada):
    project = ada.project()
    ids = [ada.storage(name)["id"] for name in "CAB"]
    session = ada.session("Monday", project, datastorage=ids)
    address = f"{SESSIONS}/{session['id']}/datastorage"

    def found(query=""):
        answer = ada.get(f"{address}?{query}")
        return "".join(each["name"] for each in answer["datastorages"]), answer["count"]

    assert found() == ("CAB", 3)
    assert found("sort[]=name") == ("ABC", 3)
    assert found("limit=2") == ("CA", 3)
    assert found("limit=2&offset=2") == ("B", 3)
    assert found("filter{name.in}=A,C") == ("CA", 2)
    assert ada("GET", f"{address}?filter{{nothing}}=x").status_code == 400


# -- Concurrent changes ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("{now}", True),
        ("*", True),
        ('"0", {now}', True),
        ("{before}", False),
        ('"0"', False),
        ("nonsense", False),
        ("W/{now}", False),
    ],
)
def test_if_match_lets_only_the_version_pass_that_one_knows(ada, lab, method, header, fits):
    address = f"{SESSIONS}/{lab[SESSIONS]['id']}"
    before = ada("GET", address).headers["ETag"]
    now = ada("PATCH", address, {"description": "second"}).headers["ETag"]
    assert now != before
    assert ada("GET", address).headers["ETag"] == now
    payload = {"name": "New", "projects": lab[SESSIONS]["projects"]}
    headers = {"If-Match": header.format(now=now, before=before)}
    answer = ada(method, address, payload, headers=headers)
    if fits:
        assert answer.status_code == (204 if method == "DELETE" else 200)
    else:
        assert (answer.status_code, list(answer.json)) == (412, ["detail"])
        stored = ada("GET", address)
        assert stored.json["session"]["description"] == "second"
        assert stored.headers["ETag"] == now


def test_without_if_match_the_last_change_wins_field_by_field(ada, lab):
    address = f"{SESSIONS}/{lab[SESSIONS]['id']}"
    ada("PATCH", address, {"description": "mine", "tags": ["mine"]})
    answer = ada("PATCH", address, {"description": "yours"})
    assert answer.json["session"]["description"] == "yours"
    assert answer.json["session"]["tags"] == ["mine"]


def test_what_changes_nothing_is_no_new_version(ada, lab):
    for address, record in lab.items():
        where = f"{address}/{record['id']}"
        before = ada("GET", where).headers["ETag"]
        assert ada("PATCH", where, {}).headers["ETag"] == before
        assert ada("PATCH", where, record).headers["ETag"] == before
        assert ada("PUT", where, record).headers["ETag"] == before


def test_people_and_links_count_as_changes(ada, ben, lab):
    address = f"{PROJECTS}/{lab[PROJECTS]['id']}"
    tags = [ada("GET", address).headers["ETag"]]
    for payload in ({"users": {ben.email: {}}}, {"tags": ["u"]}, {"tags": ["v", "u"]}):
        tags.append(ada("PATCH", address, payload).headers["ETag"])
    assert len(set(tags)) == 4


# -- The public portal -------------------------------------------------------------------------


@pytest.fixture
def published(ada):
    """A public and a private project, a session in both, one in each; a public and a private storage."""
    public, private = ada.project("Public", is_public=True), ada.project("Private")
    protocols = [
        {"protocol": "HTTPS", "path": "open", "is_public": True},
        {"protocol": "SMB", "path": "closed", "is_public": False},
    ]
    seen = ada.storage("Public", is_public=True, data_protocols=protocols)
    unseen = ada.storage("Private", data_protocols=protocols)
    storages = [unseen["id"], seen["id"]]
    return {
        "public": public,
        "private": private,
        "seen": seen,
        "unseen": unseen,
        "both": ada.session("Both", private, public, datastorage=storages),
        "open": ada.session("Open", public),
        "closed": ada.session("Closed", private),
    }


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer {secret}"])
def test_the_public_portal_shows_what_is_public_to_anyone(app, ada, published, header):
    headers = {"Authorization": header.format(secret=ada.secret)} if header else {}
    client = app.test_client()

    def get(address):
        return client.get(f"/api/public/{address}", headers=headers)

    both = get(f"{SESSIONS}/{published['both']['id']}").json["session"]
    assert both["projects"] == [published["public"]["id"]]
    assert both["datastorage"] == [published["seen"]["id"]]
    names = [each["name"] for each in get(SESSIONS).json["sessions"]]
    assert names == ["Both", "Open"]
    assert get(SESSIONS).json["count"] == 2
    (project,) = get(PROJECTS).json["projects"]
    assert project["sessions"] == [published["both"]["id"], published["open"]["id"]]
    (storage,) = get(STORAGES).json["datastorages"]
    assert [each["path"] for each in storage["data_protocols"]] == ["open"]
    for record in (project, storage):
        assert not {"users", "groups"} & record.keys()
    for address, name in ((SESSIONS, "closed"), (PROJECTS, "private"), (STORAGES, "unseen")):
        answer = get(f"{address}/{published[name]['id']}")
        assert (answer.status_code, list(answer.json)) == (404, ["detail"])
        assert get(f"{address}/{published[name]['id']}/projects/").status_code == 404


PUBLIC_QUERIES = [
    ("filter{{projects}}={private}", []),
    ("filter{{projects.name}}=Private", []),
    ("filter{{-projects.name}}=Private", ["Both", "Open"]),
    ("filter{{datastorage}}={unseen}", []),
    ("filter{{datastorage.name}}=Private", []),
    ("filter{{datastorage}}={seen}", ["Both"]),
    ("filter{{projects.sessions.name}}=Closed", []),
    ("filter{{name}}=Closed", []),
    ("filter{{projects}}={public}", ["Both", "Open"]),
]


def test_public_queries_see_only_what_is_public(subtests, app, published):
    for query, names in PUBLIC_QUERIES:
        with subtests.test(query=query, names=names):
            ids = {name: record["id"] for name, record in published.items()}
            answer = app.test_client().get(f"/api/public/{SESSIONS}?{query.format(**ids)}")
            assert [each["name"] for each in answer.json["sessions"]] == names
            assert answer.json["count"] == len(names)


def test_public_includes_show_only_what_is_public(app, published):
    client = app.test_client()
    text = "".join(
        client.get(f"/api/public/{address}?{query}").text
        for address, query in (
            (SESSIONS, "include[]=projects&include[]=datastorage"),
            (PROJECTS, "include[]=sessions.datastorage"),
        )
    )
    for hidden in ("private", "unseen", "closed"):
        assert published[hidden]["id"] not in text
    for hidden in ("users", "groups", '"closed"', "ada@lab.org", "Closed"):
        assert hidden not in text


@pytest.mark.parametrize("query", ["filter{users}=x", "filter{groups}=x", "sort[]=users"])
def test_people_can_not_be_asked_for_in_public(app, published, query):
    assert app.test_client().get(f"/api/public/{PROJECTS}?{query}").status_code == 400


# -- Speed -------------------------------------------------------------------------------------


def test_a_list_takes_the_same_number_of_statements_whatever_its_length(app, ada, statements):
    project, other = ada.project(), ada.project("Other")
    storages = [ada.storage(name)["id"] for name in "AB"]
    for number in range(100):
        ada.session(
            f"Session {number:03}",
            *[project, other][number % 2 :],
            datastorage=storages[: number % 3],
            tags=["a", f"t{number % 5}"],
        )
    for query in ("", "&include[]=projects&include[]=datastorage"):
        counts = []
        for limit in (5, 100):
            statements.clear()
            assert len(ada.get(f"{SESSIONS}?limit={limit}{query}")["sessions"]) == limit
            counts.append(len(statements))
        # The first one may count the records; the second one need not.
        assert counts[1] <= counts[0] <= 14
