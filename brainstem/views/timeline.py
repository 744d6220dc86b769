"""The epochs of a session as a drawing: pure geometry, which `sessions/_timeline.html` writes as SVG.

Across, places are percentages, so that the drawing is as wide as the page lets it, and texts stay as
large as they are; the sizes of texts and the least width are in CSS pixels. Nothing here asks the database.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

#: The least width of the drawing (`.timeline` in session.css): where texts don't collide there, they
#: don't in a wider one.
WIDTH = 680
#: Heights: of the axis and of what the clock adds to it, of a lane with epochs and of the bar in it, of
#: the lane of a module.
AXIS, CLOCK, LANE, BAR, MODULE_LANE, GAP = 28, 28, 32, 26, 30, 12
#: A bar that is narrower has its name beside it; one that is much narrower is drawn as a point.
ROOM, LEAST, POINT = 64, 24, 4
#: So many lanes with names beside bars; so many at all; so many modules.
NAMED_LANES, MOST_LANES, MOST_MODULES = 8, 24, 24
LONGEST = 28
TICKS = 8

#: Steps of the axis, in seconds.
STEPS = (
    *(step * 10.0**power for power in range(-6, 0) for step in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200),
    *(86400 * days for days in (1, 2, 7, 14, 28, 91, 182, 365, 730)),
)

#: The moment so many seconds after the onset, on the lab's clock; None where there is none.
Clock = Callable[[float], datetime | None]


@dataclass(frozen=True)
class Stretch:
    """An epoch: `start` and `end` in seconds from the onset; `modules` are the ids of its modules."""

    name: str
    url: str
    start: float | None
    end: float | None
    modules: Sequence[str] = ()


@dataclass(frozen=True)
class Module:
    """A module; `kind` is its kind's name, and a class of its colour."""

    id: str
    kind: str
    kind_label: str
    label: str
    url: str


@dataclass(frozen=True)
class Tick:
    x: str
    label: str
    clock: str
    date: str
    anchor: str


@dataclass(frozen=True)
class Bar:
    """An epoch's bar. A `point` has no width; one that is open at a side goes on there."""

    x: str
    width: str
    y: int
    url: str
    name: str
    spoken: str
    point: bool
    open: str
    #: Where the name stands: in the bar, after it, before it, or nowhere.
    place: str
    label: str
    label_x: str


@dataclass(frozen=True)
class Row:
    """A module, with the times of its epochs: `marks` are from where to where."""

    y: int
    kind: str
    label: str
    url: str
    spoken: str
    x: str
    anchor: str
    marks: list[tuple[str, str]]


@dataclass
class Drawing:
    height: int = 0
    axis: int = AXIS
    #: Whether the ticks also tell the time on the lab's clock.
    has_clock: bool = False
    ticks: list[Tick] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    #: Epochs without any time, and modules that no drawn epoch names.
    untimed: list[Stretch] = field(default_factory=list)
    #: Of what there was too much to draw.
    more_epochs: int = 0
    more_modules: int = 0


def draw(
    epochs: Sequence[Stretch], modules: Sequence[Module] = (), clock: Clock | None = None
) -> Drawing:
    """The drawing of a session's epochs; one without bars where no epoch has a time."""
    timed = [each for each in epochs if each.start is not None or each.end is not None]
    drawing = Drawing(untimed=[each for each in epochs if each.start is None and each.end is None])
    if not timed:
        return drawing
    scale = Scale.over(timed)
    drawing.ticks = _ticks(scale, clock)
    drawing.has_clock = any(tick.clock for tick in drawing.ticks)
    drawing.axis = AXIS + CLOCK * drawing.has_clock
    names = {module.id: module.label for module in modules}
    lanes = _lanes(timed, scale, named=True)
    with_names = max(lanes) < NAMED_LANES
    if not with_names:
        lanes = _lanes(timed, scale, named=False)
    drawn = []
    for stretch, lane in zip(timed, lanes, strict=True):
        if lane < MOST_LANES:
            drawn.append(stretch)
            drawing.bars.append(_bar(stretch, scale, drawing.axis + lane * LANE, with_names, names))
    drawing.more_epochs = len(timed) - len(drawn)
    y = drawing.axis + min(max(lanes) + 1, MOST_LANES) * LANE + GAP
    held = [module for module in modules if any(module.id in each.modules for each in drawn)]
    drawing.more_modules = len(held[MOST_MODULES:])
    for module in held[:MOST_MODULES]:
        drawing.rows.append(_row(module, drawn, scale, y))
        y += MODULE_LANE
    drawing.height = y
    return drawing


@dataclass(frozen=True)
class Scale:
    """Seconds to percentages; from the onset, or from an epoch before it."""

    first: float
    last: float

    @classmethod
    def over(cls, timed: Sequence[Stretch]) -> Scale:
        """All of the epochs; with some room after the last moment, where an epoch is open after it."""
        times = [t for each in timed for t in (each.start, each.end) if t is not None]
        first, last = min(0.0, *times), max(0.0, *times)
        span = last - first or 60.0
        late = any(
            each.end is None and each.start is not None and each.start > last - span / 10
            for each in timed
        )
        return cls(first, first + span * (1.15 if late else 1.02))

    def at(self, seconds: float) -> float:
        """Where a moment is, from 0 to 1."""
        return min(1.0, max(0.0, (seconds - self.first) / (self.last - self.first)))

    def ends(self, stretch: Stretch) -> tuple[float, float]:
        """Where a bar begins and ends; what is not known goes to the edge, and nothing runs backwards."""
        start = self.at(self.first if stretch.start is None else stretch.start)
        end = self.at(self.last if stretch.end is None else stretch.end)
        return start, max(start, end)


def _percent(share: float) -> str:
    return f"{share * 100:.3f}%"


def _extent(text: str) -> int:
    """About how many pixels a name takes."""
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return 12 + 7 * len(text) + 7 * wide


def shortened(text: str, most: int = LONGEST) -> str:
    """A name that is no longer than there is room for; at first beside a bar."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _lanes(timed: Sequence[Stretch], scale: Scale, *, named: bool) -> list[int]:
    """For each epoch the first lane where it, and its name where it is beside the bar, is free."""
    ends: list[float] = []
    lanes = [0] * len(timed)
    order = sorted(range(len(timed)), key=lambda i: (scale.ends(timed[i]), timed[i].name))
    for place in order:
        begin, end = _footprint(timed[place], scale, named)
        lane = next((n for n, taken in enumerate(ends) if taken <= begin + 0.01), len(ends))
        if lane == len(ends):
            ends.append(end)
        ends[lane] = max(ends[lane], end)
        lanes[place] = lane
    return lanes


def _footprint(stretch: Stretch, scale: Scale, named: bool) -> tuple[float, float]:
    """From where to where an epoch needs its lane for itself, in pixels of the least width."""
    start, end = (share * WIDTH for share in scale.ends(stretch))
    if named and end - start < ROOM:
        label = _extent(shortened(stretch.name))
        return (start - label, end) if _before(start, end, label) else (start, end + label)
    if end - start < LEAST:
        # Wide enough to be met by a finger.
        middle = (start + end) / 2
        return middle - LEAST / 2, middle + LEAST / 2
    return start, end


def _before(start: float, end: float, label: float) -> bool:
    """Whether a name stands before its bar, for want of room after it."""
    return end + label > WIDTH and start - label >= 0


def _bar(stretch: Stretch, scale: Scale, y: int, with_names: bool, modules: dict[str, str]) -> Bar:
    start, end = scale.ends(stretch)
    width = (end - start) * WIDTH
    label, place, label_x = shortened(stretch.name), "", start
    if width >= ROOM:
        place, label = "in", stretch.name
    elif with_names:
        before = _before(start * WIDTH, end * WIDTH, _extent(label))
        place, label_x = ("before", start) if before else ("after", end)
    spoken = f"Epoch {stretch.name}: {when(stretch)}"
    if having := [modules[each] for each in stretch.modules if each in modules]:
        spoken += "; with " + ", ".join(having)
    return Bar(
        x=_percent(start),
        width=_percent(end - start),
        y=y + (LANE - BAR) // 2,
        url=stretch.url,
        name=stretch.name,
        spoken=spoken,
        point=width < POINT,
        open={(True, False): "start", (False, True): "end"}.get(
            (stretch.start is None, stretch.end is None), ""
        ),
        place=place,
        label=label,
        label_x=_percent(label_x),
    )


def _row(module: Module, drawn: Sequence[Stretch], scale: Scale, y: int) -> Row:
    spans = [(each, scale.ends(each)) for each in drawn if module.id in each.modules]
    first = min(start for _, (start, _) in spans)
    late = first > 0.6
    last = max(end for _, (_, end) in spans)
    room = last if late else 1 - first
    among = ", ".join(each.name for each, _ in spans)
    return Row(
        y=y,
        kind=module.kind,
        label=shortened(module.label, int(room * WIDTH / 7)),
        url=module.url,
        spoken=f"{module.kind_label} {module.label}, in {among}",
        x=_percent(last if late else first),
        anchor="end" if late else "start",
        marks=[(_percent(start), _percent(end)) for _, (start, end) in spans],
    )


def _ticks(scale: Scale, clock: Clock | None) -> list[Tick]:
    span = scale.last - scale.first
    step = next((each for each in STEPS if span / each <= TICKS), None)
    if step is None:
        years = 365 * 86400.0
        step = years * max(1, round(span / years / TICKS + 0.5))
    first, count = -int(-scale.first // step), int(span / step) + 1
    ticks, day = [], None
    for number in range(first, first + count):
        seconds = number * step
        share = (seconds - scale.first) / span
        if not -1e-9 <= share <= 1 + 1e-9:
            continue
        moment = clock(seconds) if clock else None
        new_day = moment is not None and moment.date() != day
        day = moment.date() if moment else day
        ticks.append(
            Tick(
                x=_percent(share),
                label=duration(seconds),
                clock=_clock_text(moment, step),
                date=f"{moment:%Y-%m-%d}" if new_day else "",
                anchor="start" if share < 0.02 else "end" if share > 0.96 else "middle",
            )
        )
    return ticks


def _clock_text(moment: datetime | None, step: float) -> str:
    if moment is None or step < 1:
        return ""
    return f"{moment:%H:%M}" if step % 60 == 0 else f"{moment:%H:%M:%S}"


def duration(seconds: float) -> str:
    """A time span in the units that people use: `1 h 30 min`, `12 s`, `0.5 s`."""
    sign, seconds = ("−" if seconds < 0 else ""), abs(round(seconds, 6))
    if seconds == 0:
        return "0"
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            count, seconds = divmod(seconds, size)
            parts.append(f"{count:.0f} {unit}")
    if seconds := round(seconds, 6):
        parts.append(f"{seconds:.6f}".rstrip("0").rstrip(".") + " s")
    return sign + " ".join(parts)


def when(stretch: Stretch) -> str:
    """The times of an epoch in words."""
    if stretch.start is None and stretch.end is None:
        return "without times"
    if stretch.start is None:
        return f"until {duration(stretch.end)}"
    if stretch.end is None:
        return f"from {duration(stretch.start)}, without an end"
    if stretch.start == stretch.end:
        return f"at {duration(stretch.start)}"
    return f"{duration(stretch.start)} to {duration(stretch.end)}"
