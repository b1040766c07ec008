"""When the operator lets something start: windows less freezes, worked out once in weeks and shared.

A wave of a thousand scale sets has a handful of policies, and every poll asks when the next batch may start:
all are answered from one list of openings.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from planner.azure.fleet import Interval
from planner.calendar.windows import all_open_until, next_all_open
from planner.policy.weekly import WindowSets

HORIZON = timedelta(days=60)
"""How far ahead openings are looked for: a wave's self-service window is about 35 days long."""

_BLOCK = timedelta(days=28)
"""From how far back a list begins at most: a queue of a thousand runs asks for every day of five weeks."""

_LISTED = HORIZON + _BLOCK + timedelta(days=2)

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Opening:
    """Time in which a batch may start (UTC); `end` is None where nothing ends it within the horizon."""

    start: datetime
    end: datetime | None

    def holds(self, at: datetime, lasting: timedelta = NOTHING) -> bool:
        """Whether something that starts at `at` and lasts that long lies inside."""
        return self.start <= at and (self.end is None or (at < self.end and at + lasting <= self.end))


def opening(
    windows: WindowSets, freezes: Sequence[Interval], at: datetime, lasting: timedelta = NOTHING
) -> Opening | None:
    """What is left from `at` on of the first opening that is long enough; None if there is none."""
    if not windows and not freezes:
        return Opening(at, None)
    at = at.astimezone(UTC)
    frozen = tuple(Interval(freeze.start, freeze.end) for freeze in freezes)
    found = _openings(windows, frozen, at - (at - _EPOCH) % _BLOCK)
    first = max(0, bisect_right(found, at, key=lambda each: each.start) - 1)
    for candidate in found[first:]:
        start = max(candidate.start, at)
        if start - at > HORIZON:
            return None
        if candidate.holds(start, lasting):
            return Opening(start, candidate.end)
    return None


def upcoming(
    windows: WindowSets, freezes: Sequence[Interval], at: datetime, number: int
) -> tuple[Opening, ...]:
    """The next openings from `at` on, at most so many; the last may have no end within the horizon."""
    found: list[Opening] = []
    while len(found) < number and (following := opening(windows, freezes, at)) is not None:
        found.append(following)
        if following.end is None:
            break
        at = following.end
    return tuple(found)


@lru_cache(maxsize=512)
def _openings(windows: WindowSets, frozen: tuple[Interval, ...], begin: datetime) -> tuple[Opening, ...]:
    """Every opening from `begin` on, in order, none empty."""
    last = begin + _LISTED
    found: list[Opening] = []
    moment = begin
    while moment < last:
        freeze = next((freeze for freeze in frozen if moment in freeze), None)
        opens = freeze.end if freeze is not None else next_all_open(windows, moment)
        if opens is None:
            break
        if opens > moment:
            moment = opens
            continue
        ends = [freeze.start for freeze in frozen if freeze.start > moment]
        until = all_open_until(windows, moment)
        if until is not None:
            ends.append(until)
        end = min(ends, default=None)
        found.append(Opening(moment, end if end is not None and end < last else None))
        if end is None:
            break
        moment = end
    return tuple(found)


def usable(
    windows: WindowSets,
    freezes: Sequence[Interval],
    start: datetime,
    end: datetime,
    lasting: timedelta = NOTHING,
) -> timedelta:
    """For how much of the time from `start` to `end` something that takes `lasting` could have started."""
    found, at = NOTHING, start
    while at < end:
        room = opening(windows, freezes, at, lasting)
        if room is None or room.start >= end:
            break
        last = end if room.end is None else min(end, room.end - lasting)
        found += max(NOTHING, last - room.start)
        at = end if room.end is None else room.end
    return found
