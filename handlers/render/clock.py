"""Moments on the clocks of the people concerned, beside UTC: the zone of a scale set's own windows."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from handlers.render.moments import each_moment, named
from planner.policy.weekly import WindowSets
from planner.record.run import Run
from planner.text.phrases import short, to_the_minute

HERE = "UTC"
"""The zone of whoever has not declared another one."""


def zone_of(run: Run) -> str:
    """The IANA zone that the run's first window is written in; UTC without windows."""
    return _zone(run.terms.windows)


def common_zone(runs: Iterable[Run]) -> str:
    """The zone of most of these runs, where their windows name one."""
    zones = Counter(zone for run in runs if (zone := zone_of(run)) != HERE)
    return max(zones, key=lambda zone: (zones[zone], zone), default=HERE)


def _zone(windows: WindowSets) -> str:
    return next((window.zone for each in windows for window in each), HERE)


def local(at: datetime, zone: str) -> str:
    """The moment on the zone's clocks: `Sun 29 Nov 02:00 CET`."""
    there = at.astimezone(ZoneInfo(zone))
    return f"{there:%a} {there.day} {there:%b} {there:%H:%M} {named(there)}"


def said(at: datetime, zone: str, now: datetime | None = None) -> str:
    """Both clocks: `Sun 29 Nov 2026 01:00 UTC, 02:00 CET`; with `now` how far away it is as well."""
    words = f"{to_the_minute(at)}{_there(at, zone)}"
    if now is None:
        return words
    distance = short(abs(at - now))
    return f"{words} ({f'in {distance}' if at >= now else f'{distance} ago'})"


def both(text: str, zone: str) -> str:
    """A stored sentence, each of its moments on both clocks."""
    return each_moment(text, lambda at: said(at, zone))


def in_a_table(at: datetime, zone: str) -> str:
    """Both clocks without the year: `Sun 29 Nov 01:00 UTC, 02:00 CET`."""
    return f"{local(at, HERE)}{_there(at, zone)}"


def _there(at: datetime, zone: str) -> str:
    """What the zone's clocks show, where that is not UTC; with the day where it is another one."""
    there, here = at.astimezone(ZoneInfo(zone)), at.astimezone(UTC)
    if there.utcoffset() == here.utcoffset():
        return ""
    return f", {there:%H:%M} {named(there)}" if there.date() == here.date() else f", {local(at, zone)}"
