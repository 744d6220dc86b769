"""Nobody reads or writes beyond her rights, whatever address she asks: every one that there is is asked."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.attacks import addresses
from tests.attacks.addresses import requests, send
from tests.attacks.world import Lab, dump, harm

#: What Eve is answered where an address names a secret, but is no record's own.
OTHERS = {
    "account.end": 404,
    "account.revoke": 404,
    "history.change": 404,
    "history.undo": 404,
    "home.load_demo": 403,
    "imports.check": 404,
    "imports.columns": 404,
    "imports.discard": 404,
    "imports.progress": 404,
    "imports.run": 404,
    "imports.store": 404,
    "imports.undo": 404,
    "lists.forget": 404,
    "lists.rename": 404,
    "users.new": 403,
    "users.password": 403,
    "users.standing": 403,
    "users.user": 403,
}

#: Where tags are chosen, which all users share (contract §4).
CHOOSING_TAGS = {
    "forms.new", "forms.edit", "bulk.choose", "bulk.preview", "bulk.apply", "duplicate.ask",
    "choices.find_tags",
}  # fmt: skip

#: What takes the sign-in away that the rest needs, or what counts as guessing a password.
APART = {"account.logout"}


@pytest.fixture
def lab(app, person):
    return Lab(app, person)


def statuses(request) -> set[int]:
    """What Eve may be answered to a request that names what she may not read (contract §8, §10)."""
    if request.endpoint in OTHERS:
        return {OTHERS[request.endpoint]}
    if request.is_api:
        return api_statuses(request)
    if "/public/" in request.address and request.kind and request.endpoint == "public.detail":
        return {404}
    if request.endpoint == "history.restore":
        # There is no such revision of this record; or there is, and it is not hers to see.
        return {403, 404}
    if request.kind and request.endpoint not in WITHOUT_RECORD:
        return {403}
    # Naming what one may not use is 403; of pairs there is no choice.
    return {200, 302, 400, 401, 403} | ({404} if request.endpoint == "choices.find" else set())


#: Addresses of a kind, and of no record of it.
WITHOUT_RECORD = {
    "bulk.apply", "bulk.choose", "bulk.preview", "lists.download", "lists.saved",
    "pages.index", "forms.new", "public.index", "choices.find",
}  # fmt: skip


def api_statuses(request) -> set[int]:
    if not request.portal:
        return {200, 400, 401, 405}
    if request.portal == "super":
        return {403}
    if request.portal == "public":
        if request.method != "GET":
            return {404, 405}
        return {200, 404} if request.endpoint == "api.records" else {404}
    if request.kind == "user":
        return {200} if request.method == "GET" else {405}
    if request.endpoint == "api.records" and request.method == "GET":
        return {200}
    # What holds roles of its own can be made by anyone; here a name is taken already.
    return {403, 201, 400} if request.endpoint == "api.records" else {403}


def test_by_any_address_with_the_ids_of_what_is_secret(app, lab):
    pages = lab.eve.browser()
    token = pages.token("/sessions/new")
    with app.app_context():
        before = dump()
    wrong, seen = [], Counter()
    for request in requests(app, lab, lab.secret):
        if request.endpoint in APART:
            continue
        answer = send(pages.client, request, token)
        seen[request.endpoint] += 1
        if told := lab.told(answer, request.asked, tags=request.endpoint not in CHOOSING_TAGS):
            wrong.append((request.method, request.address, told))
        if answer.status_code not in statuses(request):
            wrong.append((request.method, request.address, answer.status_code, statuses(request)))
        answer.close()
    assert not wrong, "\n".join(map(str, wrong))
    with app.app_context():
        assert not harm(lab, before, dump())
    assert addresses.BODIES.keys() - APART <= seen.keys()


def test_of_what_both_have_a_part_in_eve_sees_hers(app, lab):
    """Her own records and shared ones name secret ones: on no page, and in no answer."""
    pages = lab.eve.browser()
    wrong, found = [], Counter()
    for ids in (lab.mine, lab.mine | lab.shared):
        for request in requests(app, lab, ids):
            about_it = request.kind in lab.shared
            if request.method != "GET" or (ids is not lab.mine and not about_it):
                continue
            answer = send(pages.client, request)
            choosing = request.endpoint in CHOOSING_TAGS
            if told := lab.told(answer, request.asked, tags=not choosing):
                wrong.append((request.address, told))
            found[answer.status_code] += 1
    assert not wrong, "\n".join(map(str, wrong))
    # The test sees something: else nothing could be told.
    assert found[200] > 200


def test_strangers_see_what_is_public_and_change_nothing(app, lab):
    client = app.test_client()
    form = client.get("/login").text
    token = form.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    with app.app_context():
        before = dump()
    wrong, public = [], Counter()
    for ids in (lab.secret, lab.mine, lab.mine | lab.shared):
        for request in requests(app, lab, ids):
            if ids is not lab.secret and not request.address.startswith(("/public", "/api/public")):
                continue
            answer = send(client, request, token)
            if told := lab.told(answer, request.asked):
                wrong.append((request.method, request.address, told))
            if not is_refused(request, answer):
                public[request.endpoint] += 1
                reads = request.method == "GET" or request.endpoint == "device.poll"
                if not reads or request.endpoint not in OPEN:
                    wrong.append((request.method, request.address, answer.status_code))
            answer.close()
    assert not wrong, "\n".join(map(str, wrong))
    assert public["public.detail"] and public["api.record"] and public["api.related"]
    with app.app_context():
        after = dump()
    assert not harm(lab, before, after)
    made = {table for table in before if before[table] != after[table]}
    assert made <= {"failed_tries", "audit_event"}


#: What anyone may look at: the public portal, the reference, and the doors.
OPEN = {
    "account.login", "api.record", "api.records", "api.related", "device.poll", "health.alive",
    "health.ready", "public.detail", "public.home", "public.index", "reference.document",
    "reference.index", "reference.kind", "search.public_results", "sign_in_again.standing",
}  # fmt: skip


def is_refused(request, answer) -> bool:
    """Whether an answer is a refusal, or the way to the sign-in page."""
    return answer.status_code >= 400 or "/login" in answer.headers.get("Location", "")
