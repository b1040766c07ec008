"""How many instances serve over time, as steps drawn to scale below the plan's own axis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from handlers.render.axis import Axis, Label, cut, width_of
from handlers.render.spans import Span

LINE = 16.0
HEIGHT = 64.0
"""From no instance to all of them."""


@dataclass(frozen=True, slots=True)
class Level:
    """So many serve from `start` (aware UTC) on, until the next level."""

    start: datetime
    serving: int


@dataclass(frozen=True, slots=True)
class Plot:
    """The steps as the points of a line, `ground` is where none serves; `lowest` is written at its level."""

    width: float
    height: float
    axis: Axis
    ground: float
    points: tuple[tuple[float, float], ...]
    lowest: Label
    lowest_y: float


def levels(spans: Iterable[Span], serving: int, since: datetime) -> tuple[Level, ...]:
    """What is left of `serving` while spans take theirs away: one level for each change, none below zero."""
    every = tuple(spans)
    changes = sorted({since, *(at for span in every for at in (span.start, span.end) if at > since)})
    found: list[Level] = []
    for at in changes:
        down = sum(len(span.instances) for span in every if span.start <= at < span.end)
        left = max(0, serving - down)
        if not found or found[-1].serving != left:
            found.append(Level(at, left))
    return tuple(found)


def lowest(steps: Sequence[Level]) -> Level:
    """The first moment at which the fewest serve."""
    return min(steps, key=lambda level: (level.serving, level.start))


def plotted(spans: Iterable[Span], serving: int, axis: Axis, width: float) -> Plot:
    """The steps over the axis of a drawing that is `width` wide."""
    steps = levels(spans, serving, axis.start)
    top = LINE
    ground = top + HEIGHT

    def y(level: Level) -> float:
        return ground - HEIGHT * (level.serving / serving if serving else 0.0)

    points: list[tuple[float, float]] = []
    for step in steps:
        if points:
            points.append((axis.x(step.start), points[-1][1]))
        points.append((axis.x(step.start), y(step)))
    points.append((axis.right, points[-1][1]))
    low = lowest(steps)
    text = cut(f"{low.serving} of {serving}", width, strong=True)
    room = width_of(text, strong=True)
    left = min(max(axis.x(low.start) - room / 2, 0.0), width - room)
    label = Label(axis.x(low.start), left, room, text)
    below = y(low) + LINE - 2.0
    lowest_y = below if below < ground - 2.0 else ground - 4.0
    return Plot(width, ground + LINE + 4.0, axis, ground, tuple(points), label, lowest_y)
