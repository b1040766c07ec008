"""How often a receiver is told what can wait: at once, few messages, hourly, or daily at a time."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from planner.policy.weekly import find_zone

DAY = timedelta(hours=24)

QUICK = 5
"""Messages of any 24 hours that `few` sends as soon as there is something to say."""

SLOW = timedelta(hours=6)
"""How far apart the others are: so nobody gets ten of a day."""

WANTED = "write `at once`, `few`, `hourly`, or `daily 08:00 Europe/Berlin`"

_DAILY = re.compile(r"daily (?:at )?(\d{1,2}):(\d{2})(?: (\S+))?", re.IGNORECASE | re.ASCII)


class Rhythm(StrEnum):
    """The ways to gather what can wait."""

    AT_ONCE = "at once"
    FEW = "few"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Pace:
    """A rhythm; for `daily` at this wall-clock time in this IANA zone."""

    rhythm: Rhythm
    at: time = time()
    zone: str = "UTC"

    def __str__(self) -> str:
        return f"daily {self.at:%H:%M} {self.zone}" if self.rhythm is Rhythm.DAILY else self.rhythm.value

    def earliest(self, oldest: datetime, sent: Sequence[datetime]) -> datetime:
        """When what waits since `oldest` may go; `sent` are the last messages of its kind, oldest first."""
        match self.rhythm:
            case Rhythm.AT_ONCE:
                return oldest
            case Rhythm.HOURLY:
                return max(oldest, sent[-1] + timedelta(hours=1)) if sent else oldest
            case Rhythm.DAILY:
                return self._next(oldest)
            case Rhythm.FEW:
                if len(sent) < QUICK:
                    return oldest
                return max(oldest, min(sent[-1] + SLOW, sent[-QUICK] + DAY))

    def _next(self, after: datetime) -> datetime:
        """The next time the clock on the wall shows it; where clocks skip it, as soon as they have."""
        zone = ZoneInfo(self.zone)
        today = after.astimezone(zone).date()
        days = (today + timedelta(days=number) for number in range(-1, 3))
        moments = (datetime.combine(day, self.at, zone).astimezone(UTC) for day in days)
        return min(moment for moment in moments if moment >= after)


AT_ONCE, FEW = Pace(Rhythm.AT_ONCE), Pace(Rhythm.FEW)


def parse_pace(text: str) -> Pace:
    """The pace as it is written in the policy file; raises ValueError with a sentence."""
    tidy = " ".join(text.replace("-", " ").split()) if "daily" not in text.lower() else " ".join(text.split())
    if tidy.lower() in {Rhythm.AT_ONCE, Rhythm.FEW, Rhythm.HOURLY}:
        return Pace(Rhythm(tidy.lower()))
    found = _DAILY.fullmatch(tidy)
    if found is None:
        raise ValueError(f"`{tidy[:60]}` says no pace: {WANTED}")
    hour, minute, zone = int(found[1]), int(found[2]), found[3]
    if zone is None:
        raise ValueError(f"`{tidy[:60]}` has no time zone: {WANTED}")
    if hour > 23 or minute > 59:
        raise ValueError(f"`{found[1]}:{found[2]}` is not a time of day: use 00:00 to 23:59")
    return Pace(Rhythm.DAILY, time(hour, minute), find_zone(zone))
