"""The benchmarks' own lab and floors: both must be true, or what they measure is nothing."""

from __future__ import annotations

import importlib
import json
import sys
from itertools import islice

import pytest

from bench.fill import fill
from bench.operations import OPERATIONS, TO_DELETE, World
from brainstem.core import search
from brainstem.extensions import db

N = 3 * TO_DELETE * 4


@pytest.fixture
def world(app, ada) -> World:
    with app.app_context():
        fill(db.engine, N, ada.id)
        with db.engine.connect() as connection:
            yield World.of(connection)


@pytest.fixture
def floor(app, tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_DATABASE", app.config["SQLALCHEMY_DATABASE_URI"])
    monkeypatch.setenv("BENCH_MEMORY", str(tmp_path))
    for name in ("bench.floors", "bench.writes"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    floors = importlib.import_module("bench.writes")
    yield floors.app.test_client()
    sys.modules["bench.floors"].connection().close()


def test_the_search_index_of_a_filled_lab_is_true(world):
    assert list(search.untrue()) == []


def test_every_floor_returns_what_the_program_returns(world, floor, ada):
    headers = {"Authorization": f"Bearer {ada.secret}"}
    for operation in OPERATIONS:
        if operation.page or operation.writes:
            continue
        ours, hand = next(operation.ours(world)), next(operation.hand(world))
        mine = ada.get(ours.path)
        other = floor.get(hand.path, headers=headers).get_json()
        assert {name: mine[name] for name in other} == other, operation.name
        assert json.dumps(mine) != "{}"


def test_every_change_of_the_floors_is_one_that_the_program_can_do_too(world, floor, ada):
    headers = {"Authorization": f"Bearer {ada.secret}"}
    for operation in OPERATIONS:
        if not operation.writes:
            continue
        floors = (islice(each(world), 2) for each in (operation.hand, operation.bare))
        for ours, *others in zip(islice(operation.ours(world), 2), *floors, strict=True):
            mine = ada(ours.method, ours.path, json.loads(ours.body or "null"))
            for each in others:
                body = json.loads(each.body or "null")
                other = floor.open(each.path, method=each.method, json=body, headers=headers)
                assert (mine.status_code, other.status_code) == (ours.status, each.status)
                if mine.data:
                    (one,), (two,) = mine.get_json().values(), other.get_json().values()
                    assert one.keys() == two.keys()
