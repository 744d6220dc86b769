"""The geometry of the timeline: ticks, lanes, names, and whatever times somebody has typed."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from brainstem.views import timeline
from brainstem.views.timeline import MOST_LANES, MOST_MODULES, Module, Stretch, draw, duration


def epoch(name, start=None, end=None, modules=()):
    return Stretch(name, f"/epochs/{name}", start, end, modules)


def share(text):
    assert text.endswith("%")
    return float(text[:-1]) / 100


def lanes(drawing):
    return [(bar.y - drawing.axis) // timeline.LANE for bar in drawing.bars]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0"),
        (12, "12 s"),
        (0.5, "0.5 s"),
        (0.000001, "0.000001 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (86400, "1 d"),
        (86400 * 3650, "3650 d"),
        (-90, "−1 min 30 s"),
        (59.9999999, "1 min"),
    ],
)
def test_a_duration_in_words(seconds, text):
    assert duration(seconds) == text


SPANS = [0.000003, 0.01, 1, 7, 45, 60, 600, 2700, 4000, 36000, 86400, 1e6, 3650 * 86400, 1e12]


@pytest.mark.parametrize("span", SPANS)
def test_ticks_are_few_and_even_and_begin_at_the_onset(span):
    drawing = draw([epoch("A", 0, span)])
    places = [share(tick.x) for tick in drawing.ticks]
    assert drawing.ticks[0].label == "0" and places[0] == 0
    assert 3 <= len(places) <= timeline.TICKS + 1 and places[-1] <= 1
    steps = [b - a for a, b in itertools.pairwise(places)]
    assert max(steps) - min(steps) < 0.0001
    assert len({tick.label for tick in drawing.ticks}) == len(places)


def clock_from(onset):
    return lambda seconds: (onset + timedelta(seconds=seconds)).astimezone(
        ZoneInfo("Europe/Copenhagen")
    )


def test_ticks_tell_the_labs_clock_and_a_new_day():
    drawing = draw([epoch("A", 0, 3600 * 3)], (), clock_from(datetime(2026, 3, 22, 22, tzinfo=UTC)))
    assert drawing.has_clock
    told = [(tick.label, tick.clock, tick.date) for tick in drawing.ticks]
    assert told[:4] == [
        ("0", "23:00", "2026-03-22"),
        ("30 min", "23:30", ""),
        ("1 h", "00:00", "2026-03-23"),
        ("1 h 30 min", "00:30", ""),
    ]
    # The clock is put forward: the hour from two to three is left out.
    night = draw([epoch("A", 0, 7200)], (), clock_from(datetime(2026, 3, 29, 0, 30, tzinfo=UTC)))
    clocks = [tick.clock for tick in night.ticks]
    assert "01:30" in clocks and "03:00" in clocks and "02:30" not in clocks


def test_no_onset_no_clock():
    drawing = draw([epoch("A", 0, 60)], (), lambda _: None)
    assert not drawing.has_clock and {tick.clock for tick in drawing.ticks} == {""}
    assert not draw([epoch("A", 0, 60)]).has_clock


def test_bars_lie_where_their_times_are():
    drawing = draw([epoch("A", 0, 600), epoch("B", 600, 1200), epoch("C", 300, 900)])
    a, b, c = drawing.bars
    assert lanes(drawing) == [0, 0, 1]
    assert share(a.x) == 0 and share(a.width) == pytest.approx(share(b.width), abs=1e-4)
    assert share(b.x) == pytest.approx(share(a.width), abs=1e-4)
    assert share(c.x) == pytest.approx(share(a.width) / 2, abs=1e-4)
    assert {bar.place for bar in drawing.bars} == {"in"} and not any(
        bar.point for bar in drawing.bars
    )


@pytest.mark.parametrize(
    ("start", "end", "opened", "spoken"),
    [
        (60, None, "end", "Epoch B: from 1 min, without an end"),
        (None, 60, "start", "Epoch B: until 1 min"),
        (60, 120, "", "Epoch B: 1 min to 2 min"),
        (60, 60, "", "Epoch B: at 1 min"),
    ],
)
def test_epochs_without_a_start_or_an_end_are_open(start, end, opened, spoken):
    bar = draw([epoch("A", 0, 600), epoch("B", start, end)]).bars[1]
    assert (bar.open, bar.spoken) == (opened, spoken)
    assert bar.point == (start == end)
    if opened == "start":
        assert share(bar.x) == 0
    if opened == "end":
        assert share(bar.x) + share(bar.width) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("only", [epoch("A", 0, None), epoch("A", 500, None), epoch("A", None, 0)])
def test_a_single_open_epoch_is_drawn(only):
    (bar,) = draw([only]).bars
    assert share(bar.width) > 0.05 or bar.point


def test_epochs_without_times_are_told_apart():
    drawing = draw([epoch("A"), epoch("B", 0, 60)])
    assert [each.name for each in drawing.untimed] == ["A"]
    assert [bar.name for bar in drawing.bars] == ["B"]
    nothing = draw([epoch("A")])
    assert (nothing.bars, nothing.height, len(nothing.untimed)) == ([], 0, 1)
    assert draw([]).bars == []


def test_a_moment_is_seen_and_named():
    drawing = draw([epoch("Long", 0, 3600), epoch("Flash", 1800, 1800)])
    bar = drawing.bars[1]
    assert bar.point and (bar.place, bar.label) == ("after", "Flash")
    # At the end of the axis there is no room after it.
    assert (
        draw([epoch("Long", 0, 3600), epoch("The very end", 3600, 3600)]).bars[1].place == "before"
    )
    assert draw([epoch("Only", 0, 0)]).bars[0].point


def collide(drawing):
    """Whether two bars or names in one lane overlap at the least width."""
    taken = []
    for bar, lane in zip(drawing.bars, lanes(drawing), strict=True):
        start, end = (
            share(bar.x) * timeline.WIDTH,
            (share(bar.x) + share(bar.width)) * timeline.WIDTH,
        )
        if bar.place == "after":
            end += timeline._extent(bar.label)
        if bar.place == "before":
            start -= timeline._extent(bar.label)
        taken.append((lane, start, end))
    return any(
        a[0] == b[0] and a[1] < b[2] - 0.1 and b[1] < a[2] - 0.1
        for place, a in enumerate(taken)
        for b in taken[place + 1 :]
    )


def test_names_do_not_collide():
    epochs = [epoch(f"Stimulus number {n}", n * 30, n * 30 + 10) for n in range(12)]
    assert not collide(draw(epochs))
    assert not collide(draw([epoch("漢字" * 10, n, n + 1) for n in range(5)]))


def test_three_hundred_epochs_stay_in_bounds():
    crowd = [epoch(f"Epoch {n} " + "long name " * 9, n % 7, n % 7 + 100) for n in range(300)]
    drawing = draw(crowd)
    assert len(drawing.bars) == MOST_LANES and drawing.more_epochs == 300 - MOST_LANES
    assert drawing.height < 1200 and not collide(drawing)
    row = [epoch(f"Trial {n}", n, n + 0.5) for n in range(300)]
    drawing = draw(row)
    assert drawing.height < 1200 and not collide(drawing)


HOSTILE = [
    [epoch("A", -500, -100), epoch("B", 0, 60)],
    [epoch("Backwards", 100, 50)],
    [epoch("A", 0, 1e300), epoch("B", 1e-300, 1e-300)],
    [epoch("A", 0, 3650 * 86400), epoch("B", 0.000001, 0.000002)],
    [epoch("A", -1e15, 1e15)],
    [epoch("", 0, 1), epoch("\n\t", 0, 1), epoch("x" * 100_000, 0, 0)],
    [epoch("A", 5, 5)] * 3,
]


@pytest.mark.parametrize("epochs", HOSTILE)
def test_whatever_the_times_are_something_is_drawn(epochs):
    drawing = draw(epochs)
    assert len(drawing.bars) + drawing.more_epochs == len(epochs)
    for bar in drawing.bars:
        assert 0 <= share(bar.x) <= 1 and 0 <= share(bar.width) <= 1
        assert len(bar.label) <= 200 or bar.place == "in"
    assert 1 <= len(drawing.ticks) <= timeline.TICKS + 2


def module(number, kind="behavior", label="Behavior 1: Linear track"):
    return Module(str(number), kind, "Behavior", label, f"/behaviors/{number}")


def test_modules_have_lanes_with_the_times_of_their_epochs():
    epochs = [epoch("Run", 0, 600, ["1", "2"]), epoch("Rest", 600, 1200, ["1"]), epoch("X", 0, 1)]
    drawing = draw(epochs, [module(1), module(2), module(3)])
    first, second = drawing.rows
    assert len(first.marks) == 2 and len(second.marks) == 1
    assert first.marks[0] == second.marks[0]
    assert first.spoken == "Behavior Behavior 1: Linear track, in Run, Rest"
    assert drawing.bars[0].spoken.endswith(
        "; with Behavior 1: Linear track, Behavior 1: Linear track"
    )
    assert drawing.axis < drawing.bars[-1].y < first.y < second.y < drawing.height


def test_a_module_of_a_late_epoch_has_its_name_before_the_end():
    drawing = draw([epoch("A", 0, 900), epoch("B", 900, 1000, ["1"])], [module(1)])
    (row,) = drawing.rows
    assert row.anchor == "end" and share(row.x) == pytest.approx(share(row.marks[0][1]), abs=1e-4)


def test_many_modules_are_cut_short():
    modules = [module(n) for n in range(100)]
    drawing = draw([epoch("A", 0, 60, [each.id for each in modules])], modules)
    assert len(drawing.rows) == MOST_MODULES and drawing.more_modules == 100 - MOST_MODULES
