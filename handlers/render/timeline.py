"""A plan as a drawing to scale: a row for each domain or scale set, windows and freezes behind, marks above.

Pure geometry: what stands where in a view box. `plan_drawing` says what is drawn, the template draws it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.render.axis import Axis, Label, cut, in_lanes, ticks
from planner.azure.fleet import Interval

LINE = 16.0
"""The height of a line of text, and of a row."""

THINNEST = 3.0
"""The least width of a bar: ten minutes in five weeks would not be seen."""

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Format:
    """How wide a drawing is, and how much of it is for the rows' names; with none they stand above."""

    width: float
    names: float


WIDE, NARROW = Format(960.0, 190.0), Format(320.0, 0.0)
"""For a desk and for a phone."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A time that is drawn (aware UTC), its kind, and what it is in words; empty where many become one."""

    when: Interval
    kind: str
    title: str = ""


type Named = tuple[str, Sequence[Shape]]
"""A row's name and what is drawn in it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A shape in the view box."""

    x: float
    width: float
    kind: str
    title: str = ""

    @property
    def end(self) -> float:
        return self.x + self.width


@dataclass(frozen=True, slots=True)
class Row:
    """A row's name with the line it is written on, and its bars with their upper edge."""

    name: str
    text_y: float
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What stands where. Bands and marks reach through the rows, from `top` to `bottom`."""

    width: float
    height: float
    axis: Axis
    top: float
    bottom: float
    rows: tuple[Row, ...]
    bands: tuple[Bar, ...]
    marks: tuple[Label, ...]
    ticks: tuple[Label, ...]


def drawn(
    rows: Iterable[Named],
    between: Interval,
    zone: str,
    size: Format,
    *,
    bands: Iterable[Shape] = (),
    marks: Iterable[tuple[datetime, str]] = (),
) -> Drawing:
    """The drawing of what lies between two moments, with round times of the zone below it.

    `marks` are moments with their words. Bars of a row that would touch, are alike and have no title of their
    own are one.
    """
    axis = Axis(between.start, between.end, size.names, size.width)
    named = in_lanes(((axis.x(at), text) for at, text in marks if axis.holds(at)), 0.0, size.width)
    top = LINE * (1 + max((mark.lane for mark in named), default=-1)) + 4.0
    above = 0.0 if size.names else LINE
    room = (size.names or size.width) - 8.0
    placed, y = [], top
    for name, shapes in rows:
        bars = _joined(_bars(shapes, axis, THINNEST))
        placed.append(Row(cut(name, room), y + LINE - 4.0, y + above + 2.0, bars))
        y += above + LINE
    return Drawing(
        width=size.width,
        height=y + LINE + 8.0,
        axis=axis,
        top=top,
        bottom=y,
        rows=tuple(placed),
        bands=_bars(bands, axis, least=1.0),
        marks=named,
        ticks=ticks(axis, zone),
    )


def around(times: Iterable[Interval], marks: Iterable[datetime] = ()) -> Interval | None:
    """From the first to the last of these times with room at both ends; None without any time.

    A mark is within where that makes it no more than twice as long at either end.
    """
    every = tuple(times)
    if not every:
        return None
    start, end = min(time.start for time in every), max(time.end for time in every)
    room = max(end - start, 30 * MINUTE)
    near = [mark for mark in marks if start - room <= mark <= end + room]
    start, end = min(start, *near, start), max(end, *near, end)
    edge = max((end - start) / 25, MINUTE)
    return Interval(start - edge, end + edge)


def _bars(shapes: Iterable[Shape], axis: Axis, least: float) -> tuple[Bar, ...]:
    """What of the shapes is shown, each as long as it lasts, in order, and never outside."""
    found = []
    for shape in sorted(shapes, key=lambda shape: (shape.when.start, shape.when.end)):
        if shape.when.end < axis.start or shape.when.start > axis.end:
            continue
        begin, end = axis.x(shape.when.start), axis.x(shape.when.end)
        width = max(least, end - begin)
        found.append(Bar(min(begin, axis.right - width), width, shape.kind, shape.title))
    return tuple(found)


def _joined(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    found: list[Bar] = []
    for bar in bars:
        last = found[-1] if found else None
        if (
            last is not None
            and (last.kind, last.title, bar.title) == (bar.kind, "", "")
            and bar.x <= last.end + 1
        ):
            found[-1] = Bar(last.x, max(last.end, bar.end) - last.x, last.kind)
        else:
            found.append(bar)
    return tuple(found)
