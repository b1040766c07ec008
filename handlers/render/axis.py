"""A time axis drawn to scale: where a moment stands, and which moments are written below it.

Units are those of the drawing's view box; a label takes as much room as its widest letters might.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

LETTER, WIDE_LETTER = 8.4, 13.0
"""The width of a letter of 12 units, and of one that takes two places, in the widest of our fonts."""

STRONG = 1.2
"""How much wider bold letters are."""

GAP = 8.0
"""Between two labels."""

NEXT_TO_NOTHING = 1e-6

FIVE = timedelta(minutes=5)
"""Every zone of today is off by whole quarters of an hour: a round time there is one of these in UTC."""

MINUTES = (5, 15, 30)

HOURS = (1, 2, 3, 6, 12)
DAYS = (1, 2, 7, 14, 28)


@dataclass(frozen=True, slots=True)
class Axis:
    """From `start` to `end` (aware, one before the other) between `left` and `right`, all in proportion."""

    start: datetime
    end: datetime
    left: float
    right: float

    def x(self, at: datetime) -> float:
        """Where the moment stands; at the nearer end for one outside."""
        share = (at - self.start) / (self.end - self.start)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, share))

    def holds(self, at: datetime) -> bool:
        return self.start <= at <= self.end


@dataclass(frozen=True, slots=True)
class Label:
    """A text that begins at `left`, about the moment at `x`, in the `lane`-th line of its kind."""

    x: float
    left: float
    width: float
    text: str
    lane: int = 0


def width_of(text: str, *, strong: bool = False) -> float:
    """How much room a text takes at the most, in bold if it is `strong`."""
    plain = sum(WIDE_LETTER if east_asian_width(letter) in "WF" else LETTER for letter in text)
    return plain * STRONG if strong else plain


def cut(text: str, room: float, *, strong: bool = False) -> str:
    """As much of a text as fits, with an ellipsis for the rest."""
    if width_of(text, strong=strong) <= room:
        return text
    kept = ""
    for letter in text:
        if width_of(f"{kept}{letter}…", strong=strong) > room:
            break
        kept += letter
    return f"{kept}…"


def in_lanes(marked: Iterable[tuple[float, str]], left: float, right: float) -> tuple[Label, ...]:
    """Labels in bold, centred over their marks as far as the drawing reaches, those that meet in lanes."""
    ends: list[float] = []
    found = []
    for x, text in sorted(marked):
        short = cut(text, right - left, strong=True)
        width = width_of(short, strong=True)
        begin = min(max(x - width / 2, left), right - width)
        lane = next((lane for lane, end in enumerate(ends) if end + GAP <= begin), len(ends))
        ends[lane : lane + 1] = [begin + width]
        found.append(Label(x, begin, width, short, lane))
    return tuple(found)


def ticks(axis: Axis, zone: str) -> tuple[Label, ...]:
    """Round times of the zone with their labels, in the finest step whose labels have room.

    Where clocks go back, the hour that comes twice is written twice, with the zone's two names.
    """
    most = max(1, int((axis.right - axis.left) // (width_of("Sun 02:00") + GAP)))
    step = next((step for step in _steps() if (axis.end - axis.start) / step <= most), timedelta(days=28))
    there = ZoneInfo(zone)
    marked = [(axis.x(at), _text(at, there, step)) for at in _round_times(axis, there, step)]
    # Below its own moment, or, where none has room there, as near as the drawing lets it.
    return _labels(marked, axis, 0.0) or _labels(marked, axis, axis.right - axis.left)


def _labels(marked: Iterable[tuple[float, str]], axis: Axis, aside: float) -> tuple[Label, ...]:
    """Labels that stand no further than `aside` from their marks, as many as do not meet."""
    found: list[Label] = []
    for x, text in marked:
        width = width_of(text)
        begin = min(max(x - width / 2, axis.left), axis.right - width)
        fits = begin >= axis.left and abs(begin + width / 2 - x) <= aside + NEXT_TO_NOTHING
        if fits and (not found or found[-1].left + found[-1].width + GAP <= begin):
            found.append(Label(x, begin, width, text))
    return tuple(found)


def _steps() -> Iterator[timedelta]:
    yield from (timedelta(minutes=minutes) for minutes in MINUTES)
    yield from (timedelta(hours=hours) for hours in HOURS)
    yield from (timedelta(days=days) for days in DAYS)


def _round_times(axis: Axis, there: ZoneInfo, step: timedelta) -> Iterator[datetime]:
    if step >= timedelta(days=1):
        yield from _midnights(axis, there, step.days)
        return
    minutes = int(step.total_seconds()) // 60
    first = axis.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    at = first + FIVE * bisect_left(range(13), axis.start, key=lambda number: first + FIVE * number)
    while at <= axis.end:
        clock = at.astimezone(there)
        if (clock.hour * 60 + clock.minute) % minutes == 0:
            yield at
        at += FIVE


def _midnights(axis: Axis, there: ZoneInfo, days: int) -> Iterator[datetime]:
    day = axis.start.astimezone(there).date()
    while True:
        midnight = datetime(day.year, day.month, day.day, tzinfo=there).astimezone(UTC)
        if midnight > axis.end:
            return
        if midnight >= axis.start and day.toordinal() % days == 0:
            yield midnight
        day += timedelta(days=1)


def _text(at: datetime, there: ZoneInfo, step: timedelta) -> str:
    clock = at.astimezone(there)
    if step >= timedelta(days=1):
        return f"{clock:%a} {clock.day} {clock:%b}"
    twice = clock.replace(fold=1 - clock.fold).utcoffset() != clock.utcoffset()
    return f"{clock:%a %H:%M}{f' {clock:%Z}' if twice else ''}"
