"""Moments as a team says them: in its own time zone, which each of them names."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from planner.policy.weekly import Windows
from planner.record.run import Run

PLAIN = timedelta(days=180)
"""Within so much of now a day needs no year."""

_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SAID = re.compile(
    rf"\b(?:{_DAYS}) (\d{{1,2}}) ({'|'.join(_MONTHS)}) (\d{{4}}) (\d{{2}}):(\d{{2}})(?::(\d{{2}}))? UTC\b"
)


def zone_of(runs: Iterable[Run], otherwise: tzinfo = UTC) -> tzinfo:
    """The zone in which all of the runs have their windows; `otherwise` where they have none, or several."""
    return zone_of_windows((windows for run in runs for windows in run.terms.windows), otherwise)


def zone_of_windows(sets: Iterable[Windows], otherwise: tzinfo = UTC) -> tzinfo:
    """The same for windows."""
    zones = {window.zone for windows in sets for window in windows}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else otherwise


def each_moment(text: str, say: Callable[[datetime], str]) -> str:
    """A stored sentence with each of its moments said in another way."""

    def said(found: re.Match[str]) -> str:
        day, month, year, hour, minute, second = found.groups(default="0")
        try:
            moment = datetime(
                int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
        except ValueError:
            return found[0]  # somebody else's words that look like ours
        return say(moment)

    return _SAID.sub(said, text)


@dataclass(frozen=True, slots=True)
class Clock:
    """How moments are said in `zone`, read at `now` (aware UTC)."""

    zone: tzinfo
    now: datetime

    def at(self, moment: datetime) -> str:
        """`Sat 5 Dec 18:00 CET`; the year only where it could be taken for another one."""
        local = moment.astimezone(self.zone)
        return f"{self._day(local)} {local:%H:%M} {named(local)}"

    def day(self, moment: datetime) -> str:
        """`Sat 5 Dec`."""
        return self._day(moment.astimezone(self.zone))

    def span(self, start: datetime, end: datetime) -> str:
        """`Sun 6 Dec 02:00-05:00 CET`, or both days where it ends on another one."""
        first, last = start.astimezone(self.zone), end.astimezone(self.zone)
        if first.date() == last.date() and named(first) == named(last):
            return f"{self._day(first)} {first:%H:%M}-{last:%H:%M} {named(last)}"
        begin = self.at(start) if named(first) != named(last) else f"{self._day(first)} {first:%H:%M}"
        return f"{begin} to {self.at(end)}"

    def said(self, text: str) -> str:
        """A stored sentence, its moments in UTC said in this zone."""
        return each_moment(text, self.at)

    def _day(self, local: datetime) -> str:
        year = "" if abs(local - self.now) < PLAIN else f" {local:%Y}"
        return f"{local:%a} {local.day} {local:%b}{year}"


def named(local: datetime) -> str:
    """The zone's letters; where it has none, its distance from UTC."""
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name.startswith(("+", "-")) else name
