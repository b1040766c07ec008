"""Weekly windows as people write them: `Sat,Sun 02:00-06:00 Europe/Berlin; Mon-Fri 22:00-04:00 UTC`."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EXAMPLE = "Sat,Sun 02:00-06:00 Europe/Berlin; Mon-Fri 22:00-04:00 UTC"
ANY_TIME = frozenset({"any time", "any"})

_LONG_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAY_NUMBERS = {name: number for number, day in enumerate(_LONG_DAYS) for name in (day, day[:3])}
_PART = re.compile(r"(\S+) (\S+)-(\S+?)(?: (\S+))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
# These follow the machine's zone or count leap seconds: the same policy would mean different things.
_NOT_OURS = re.compile(r"(?:localtime|posixrules|factory|posix/.*|right/.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Wall-clock time that recurs every week in one time zone.

    `days` are the days it starts on, Monday is 0; minutes count from local midnight, the end is excluded,
    and an end at or before the start lies on the next day. `zone` is an IANA name.
    """

    days: tuple[int, ...]
    start_minute: int
    end_minute: int
    zone: str

    def __str__(self) -> str:
        days = "daily" if len(self.days) == 7 else ",".join(DAYS[day] for day in self.days)
        return f"{days} {_clock(self.start_minute)}-{_clock(self.end_minute)} {self.zone}"


type Windows = tuple[WeeklyWindow, ...]
"""Open when any of them is; always open when there are none."""

type WindowSets = tuple[Windows, ...]
"""Windows from several places: open when every set is."""


def parse_windows(text: str) -> Windows:
    """The windows in `text`, separated by `;`; `any time` gives none.

    Raises ValueError with a sentence that says what is wrong and what a right one looks like.
    """
    if " ".join(text.lower().split()) in ANY_TIME:
        return ()
    parts = [part for part in text.split(";") if part.strip()]
    if not parts:
        raise ValueError(f"no window is given: write `any time`, or windows such as `{EXAMPLE}`")
    return tuple(_window(part) for part in parts)


def _window(text: str) -> WeeklyWindow:
    tidy = re.sub(r"\s*([,-])\s*", r"\1", " ".join(text.replace("\N{EN DASH}", "-").split()))
    found = _PART.fullmatch(tidy)
    if found is None:
        raise _wrong(tidy, "it needs days, a time from-to and a time zone")
    days, start, end, zone = found.groups()
    if zone is None:
        raise _wrong(tidy, "it has no time zone")
    try:
        return WeeklyWindow(_days(days), _minute(start), _minute(end, end=True), find_zone(zone))
    except ValueError as error:
        raise _wrong(tidy, str(error)) from None


def _wrong(window: str, why: str) -> ValueError:
    return ValueError(f"`{window[:80]}` is not a window: {why}; a right one looks like `{EXAMPLE}`")


def _days(text: str) -> tuple[int, ...]:
    if text.lower() == "daily":
        return tuple(range(7))
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = _day(first)
        length = (_day(last) - start) % 7 if dash else 0
        days.update((start + step) % 7 for step in range(length + 1))
    return tuple(sorted(days))


def _day(text: str) -> int:
    if text.lower() in _DAY_NUMBERS:
        return _DAY_NUMBERS[text.lower()]
    raise ValueError(f"`{text}` is not a day (use {', '.join(DAYS)}, a range such as Mon-Fri, or daily)")


def _minute(text: str, *, end: bool = False) -> int:
    found = _CLOCK.fullmatch(text)
    if found is not None:
        minute = int(found[1]) * 60 + int(found[2])
        if int(found[2]) < 60 and (minute < 1440 or (end and minute == 1440)):
            return minute % 1440
    raise ValueError(f"`{text}` is not a time of day (use 00:00 to 23:59{', or 24:00' if end else ''})")


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def find_zone(name: str) -> str:
    """The IANA spelling of a time zone written in any case; raises ValueError, with the nearest names."""
    if not _NOT_OURS.fullmatch(name):
        try:
            return ZoneInfo(name).key
        except (KeyError, ValueError, OSError):
            pass
        if name.lower() in _zones():
            return _zones()[name.lower()]
    near = [_zones()[near] for near in get_close_matches(name.lower(), _zones(), n=2, cutoff=0.6)]
    hint = f"did you mean {' or '.join(near)}?" if near else "use an IANA name such as UTC or Europe/Berlin"
    raise ValueError(f"`{name[:60]}` is not a time zone; {hint}")


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in sorted(available_timezones()) if not _NOT_OURS.fullmatch(name)}
