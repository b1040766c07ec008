"""NCRONTAB, the timer trigger's schedule: {second} {minute} {hour} {day} {month} {day of week}, in UTC.

Each field takes `*`, numbers, `a-b`, `*/n`, `a/n`, `a-b/n` and lists of these; months and days of the week
also by their first three letters, Sunday is 0. Unlike in cron, a day must match both day fields.
Five fields mean second 0.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Self

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    lowest: int
    highest: int
    words: tuple[str, ...] = ()

    def number(self, text: str) -> int:
        return self.words.index(text[:3].lower()) + self.lowest if text.isalpha() else int(text)


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)
_FARTHEST = 366 * 8  # days; the 29th of February comes at least once in eight years


class ScheduleError(ValueError):
    """Not a schedule; the message says which field and why."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a schedule.

        Raises:
            ScheduleError: wrong number of fields, or a field out of its range.
        """
        fields = text.split()
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6:
            raise ScheduleError(f"{text!r} has {len(fields)} fields; write six, as in '0 */5 * * * *'.")
        second, minute, hour, day, month, weekday = (
            _values(text, field, about) for field, about in zip(fields, _FIELDS, strict=True)
        )
        return cls(
            seconds=tuple(sorted(second)),
            minutes=tuple(sorted(minute)),
            hours=tuple(sorted(hour)),
            days=frozenset(day),
            months=frozenset(month),
            weekdays=frozenset(weekday),
        )

    def after(self, now: datetime) -> datetime:
        """The first occurrence later than `now` (aware), in UTC, whole seconds.

        Raises:
            ScheduleError: it never occurs, as the 31st of February.
        """
        start = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        midnight = start.replace(hour=0, minute=0, second=0)
        for days in range(_FARTHEST):
            day = midnight + timedelta(days=days)
            if day.day in self.days and day.month in self.months and day.isoweekday() % 7 in self.weekdays:
                found = self._within(day, start if days == 0 else day)
                if found:
                    return found
        raise ScheduleError("This schedule never occurs: no month it names has the day it names.")

    def shortest_pause(self) -> timedelta:
        """A minute, unless it can fire more than once in one."""
        seconds = self.seconds
        within = min((later - sooner for sooner, later in pairwise(seconds)), default=60)
        return timedelta(seconds=min(within, 60))

    def _within(self, day: datetime, start: datetime) -> datetime | None:
        for hour in self.hours[bisect_left(self.hours, start.hour) :]:
            minute_from = start.minute if hour == start.hour else 0
            for minute in self.minutes[bisect_left(self.minutes, minute_from) :]:
                same_minute = hour == start.hour and minute == start.minute
                for second in self.seconds[bisect_left(self.seconds, start.second if same_minute else 0) :]:
                    return day.replace(hour=hour, minute=minute, second=second)
        return None


def _values(schedule: str, text: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        low, dash, high = span.partition("-")
        try:
            if span == "*":
                first, last = field.lowest, field.highest
            else:
                first = field.number(low)
                last = field.number(high) if dash else field.highest if slash else first
            every = int(step) if slash else 1
        except ValueError:
            raise ScheduleError(f"{part!r} is no {field.name} in the schedule {schedule!r}.") from None
        if not field.lowest <= first <= last <= field.highest or every < 1:
            raise ScheduleError(
                f"{part!r} is no {field.name} in the schedule {schedule!r} ({field.lowest}-{field.highest})."
            )
        found.update(range(first, last + 1, every))
    return found
