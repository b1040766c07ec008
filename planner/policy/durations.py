"""Durations, dates and shares as people write them, in the policy file and in tags alike."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from planner.policy.weekly import find_zone

LONGEST = timedelta(days=366)

_DURATION = re.compile(
    r"(?:(\d{1,5})d)?\s*(?:(\d{1,6})h)?\s*(?:(\d{1,7})m)?\s*(?:(\d{1,9})s)?", re.IGNORECASE | re.ASCII
)
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2}|[A-Z][\w+/-]*)?)?",
    re.IGNORECASE | re.ASCII,
)
_WANTED = "write a date such as 2026-12-01 (UTC) or a time with its zone such as 2026-12-01T06:00Z"
_SHARE = re.compile(r"(\d{1,6})|(\d{1,3}(?:\.\d{1,3})?)\s*%", re.ASCII)


@dataclass(frozen=True, slots=True)
class Share:
    """A number of instances or a percentage of them; exactly one of the two is set."""

    count: int | None = None
    percent: float | None = None

    def of(self, running: int) -> int:
        """How many of `running` instances that is: a percentage is rounded down, never below one."""
        if self.count is not None:
            return max(1, self.count)
        return max(1, int(running * Fraction(str(self.percent or 0)) / 100))

    def __str__(self) -> str:
        return str(self.count) if self.count is not None else f"{self.percent:g}%"


def parse_duration(text: str) -> timedelta:
    """The duration that `45m`, `2h`, `10s`, `1d` or `1h30m` stands for; raises ValueError with a sentence."""
    found = _DURATION.fullmatch(text.strip())
    numbers = found.groups() if found else (None,) * 4
    if all(number is None for number in numbers):
        raise ValueError(
            f"`{shown(text)}` is not a duration: write whole numbers with d, h, m or s, largest first, "
            "such as 45m, 2h, 10s, 1d or 1h30m"
        )
    days, hours, minutes, seconds = (int(number or 0) for number in numbers)
    duration = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if duration > LONGEST:
        raise ValueError(f"`{shown(text)}` is longer than a year: write {LONGEST.days}d or less")
    return duration


def parse_when(text: str, *, end_of_day: bool = True) -> datetime:
    """The moment, in UTC, of a date or of a time with its zone; raises ValueError with a sentence.

    A bare date is the end of that day in UTC (the next midnight) or, without `end_of_day`, its start. A time
    needs `Z`, an offset or the name of a zone: the zone of the machine is never assumed.
    """
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"`{shown(text)}` is not a date or a time: {_WANTED}")
    date, clock, zone = found.groups()
    if clock and not zone:
        raise ValueError(f"`{shown(text)}` has no time zone, so it names no moment: {_WANTED}")
    try:
        if clock is None:
            return datetime.fromisoformat(f"{date}T00:00+00:00") + timedelta(days=end_of_day)
        if zone[0] in "+-":
            return datetime.fromisoformat(f"{date}T{clock}{zone}").astimezone(UTC)
        name = "UTC" if zone.upper() == "Z" else find_zone(zone)
        return datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=ZoneInfo(name)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"`{shown(text)}` names no moment ({error}): {_WANTED}") from None


def parse_share(text: str) -> Share:
    """The share that `2` or `20%` stands for; raises ValueError with a sentence."""
    found = _SHARE.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            f"`{shown(text)}` is not a share: write a count such as 2 or a percentage such as 20%"
        )
    share = Share(count=int(found[1])) if found[1] else Share(percent=float(found[2]))
    if not (share.count or share.percent):
        raise ValueError(
            f"`{shown(text)}` would let nothing start: write 1 or more, or `self-service: never`"
        )
    if (share.percent or 0) > 100:
        raise ValueError(f"`{shown(text)}` is more than there is: write 100% or less")
    return share


def shown(text: str) -> str:
    """A value as an error message may show it: short, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:57]}..."
