"""When the operator lets something start: windows less freezes, worked out once a day and shared.

A wave of a thousand scale sets has a handful of policies, and each of its polls asks when the next batch may
start: the answers come from one list of openings.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from planner.azure.fleet import Interval
from planner.calendar.windows import WindowSets, all_open_until, next_all_open
from planner.policy.model import Freeze

HORIZON = timedelta(days=60)
"""How far ahead anybody plans: a wave's self-service window is about 35 days long."""

_LISTED = HORIZON + timedelta(days=2)
_NEVER = timedelta(0)


@dataclass(frozen=True, slots=True)
class Opening:
    """Time in which a batch may start; no `end` where nothing ends it within what is planned."""

    start: datetime
    end: datetime | None

    def holds(self, at: datetime, lasting: timedelta = _NEVER) -> bool:
        """Whether something that starts at `at` and lasts so long lies inside."""
        return self.start <= at and (self.end is None or (at < self.end and at + lasting <= self.end))


def opening(
    windows: WindowSets, freezes: Sequence[Freeze], at: datetime, lasting: timedelta = _NEVER
) -> Opening | None:
    """The first opening from `at` on that is long enough, as far as it is still to come; None without."""
    if not windows and not freezes:
        return Opening(at, None)
    at = at.astimezone(UTC)
    found = _openings(windows, _spans(freezes), at.replace(hour=0, minute=0, second=0, microsecond=0))
    first = max(0, bisect_right(found, at, key=lambda one: one.start) - 1)
    for one in found[first:]:
        start = max(one.start, at)
        if start - at > HORIZON:
            return None
        if one.holds(start, lasting):
            return Opening(start, one.end)
    return None


def open_at(windows: WindowSets, freezes: Sequence[Freeze], at: datetime) -> Opening | None:
    """The opening that `at` lies in."""
    found = opening(windows, freezes, at)
    return found if found is not None and found.start == at else None


def _spans(freezes: Sequence[Freeze]) -> tuple[Interval, ...]:
    return tuple(Interval(freeze.start, freeze.end) for freeze in freezes)


@lru_cache(maxsize=512)
def _openings(windows: WindowSets, frozen: tuple[Interval, ...], day: datetime) -> tuple[Opening, ...]:
    """Every opening from `day` on, in order, none empty."""
    last = day + _LISTED
    found: list[Opening] = []
    moment = day
    while moment < last:
        freeze = next((one for one in frozen if moment in one), None)
        if freeze is not None:
            moment = freeze.end
            continue
        opens = next_all_open(windows, moment)
        if opens is None:
            break
        if opens > moment:
            moment = opens
            continue
        ends = [one.start for one in frozen if one.start > moment]
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
    freezes: Sequence[Freeze],
    start: datetime,
    end: datetime,
    lasting: timedelta = _NEVER,
) -> timedelta:
    """How much of the time from `start` to `end` something that takes `lasting` could have started in."""
    found, at = timedelta(0), start
    while at < end:
        room = opening(windows, freezes, at, lasting)
        if room is None or room.start >= end:
            break
        last = end if room.end is None else min(end, room.end - lasting)
        found += max(timedelta(0), last - room.start)
        at = end if room.end is None else room.end
    return found
