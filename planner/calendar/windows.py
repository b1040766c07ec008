"""When weekly windows are open, daylight saving included; every answer is in UTC."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from planner.azure.fleet import Interval
from planner.policy.weekly import WeeklyWindow, Windows, WindowSets

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
# A window recurs within a week; one week more for an opening that daylight saving swallowed.
_AHEAD = timedelta(days=15)


def is_open(windows: Windows, at: datetime) -> bool:
    """Whether any window is open; without windows it always is."""
    return not windows or _end_of_opening(windows, _utc(at)) is not None


def open_until(windows: Windows, at: datetime) -> datetime | None:
    """When the opening that `at` lies in ends; adjoining windows count as one.

    `at` itself when closed, None when it never ends (no windows, or they fill the week).
    """
    start = end = _utc(at)
    if not windows:
        return None
    while (later := _end_of_opening(windows, end)) is not None:
        end = later
        if end - start > _AHEAD:
            return None
    return end


def next_open(windows: Windows, at: datetime) -> datetime | None:
    """The first moment from `at` on when a window is open, `at` itself if one is; None if there is none."""
    start = _utc(at)
    if is_open(windows, start):
        return start
    starts = (
        opening.start
        for window in windows
        for opening in _openings(window, start, start + _AHEAD)
        if opening.start > start
    )
    return min(starts, default=None)


def all_open_until(sets: WindowSets, at: datetime) -> datetime | None:
    """When the first of the sets closes; `at` itself when one is closed, None when none ever closes."""
    ends = [end for windows in sets if (end := open_until(windows, at)) is not None]
    return min(ends, default=None)


def next_all_open(sets: WindowSets, at: datetime, horizon: timedelta = timedelta(days=60)) -> datetime | None:
    """The first moment from `at` on, no later than `horizon` after it, when every set is open; else None."""
    moment = start = _utc(at)
    while moment - start <= horizon:
        opens = [next_open(windows, moment) for windows in sets]
        if None in opens:
            return None
        latest = max(filter(None, opens), default=moment)
        if latest == moment:
            return moment
        moment = latest
    return None


def _end_of_opening(windows: Windows, at: datetime) -> datetime | None:
    ends = (opening.end for window in windows for opening in _openings(window, at, at) if at in opening)
    return max(ends, default=None)


def _openings(window: WeeklyWindow, since: datetime, until: datetime) -> Iterator[Interval]:
    """The window's openings that touch since to until, in order, and perhaps a few around them."""
    zone = ZoneInfo(window.zone)
    # One day back for what began yesterday, one more where a zone changed its date.
    day = since.astimezone(zone).date() - 2 * _DAY
    last = until.astimezone(zone).date() + _DAY
    while day <= last:
        if day.weekday() in window.days:
            opening = _opening(window, day)
            if opening is not None:
                yield opening
        day += _DAY


@lru_cache(maxsize=8192)
def _opening(window: WeeklyWindow, day: date) -> Interval | None:
    """The window that starts on `day`: from its first to its last minute on the zone's clocks.

    Where clocks go back, the repeated hour counts once, both passes of it and what lies between; where they
    go forward, skipped minutes don't count, and a window of nothing else is no opening.
    """
    zone = ZoneInfo(window.zone)
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall-clock time, the zone comes below
    overnight = window.end_minute <= window.start_minute
    first = midnight + window.start_minute * _MINUTE
    last = midnight + (window.end_minute + overnight * 1440 - 1) * _MINUTE
    start, end = _moment(first, zone, fold=0), _moment(last, zone, fold=1)
    start = _after_gap(first, zone) if start is None else start
    end = _after_gap(last, zone) if end is None else end + _MINUTE
    return Interval(start, end) if start < end else None


def _moment(local: datetime, zone: ZoneInfo, *, fold: int) -> datetime | None:
    """When the zone's clocks show `local`, for the first or the second time; None in a gap."""
    moment = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
    return moment if _wall_clock(moment, zone) == local else None


def _after_gap(local: datetime, zone: ZoneInfo) -> datetime:
    """The first minute after the gap in the zone's clocks that `local` lies in."""
    low = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    high = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    minutes = range((high - low) // _MINUTE)
    return low + _MINUTE * bisect_left(
        minutes, local, key=lambda minute: _wall_clock(low + minute * _MINUTE, zone)
    )


def _wall_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("the time has no zone, so it cannot be compared with a window: pass an aware time")
    return at.astimezone(UTC)
