"""How moments, lengths of time and numbers are said to people, the same everywhere."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_NAMES = ("Azure", "Breakwater", "Service Fabric", "Spot", "Flexible")


def say(at: datetime) -> str:
    """A moment for people: `Mon 24 Nov 2026 22:00 UTC`, to the second where seconds matter."""
    utc = at.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y %H:%M}{f':{utc:%S}' if utc.second else ''} UTC"


def long(time: timedelta) -> str:
    """A length of time for people: `2 days 3 hours`, `45 minutes`, `12 seconds`; two parts at the most."""
    seconds = int(abs(time).total_seconds())
    parts = []
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(many(number, unit))
        if parts and (len(parts) == 2 or unit == "minute"):
            break
    return " ".join(parts) or "no time"


def many(number: int, what: str) -> str:
    """`1 stop`, `3 stops`."""
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def some(names: Iterable[str], separator: str = ", ", *, most: int = 20) -> str:
    """The names, of very many the first and how many more: `0, 1, 2 and 4 more`."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return f"{separator.join(one[:200] for one in every[:most])}{more}"


def lower(sentence: str) -> str:
    """A sentence after a colon; names keep their capitals."""
    named = sentence.startswith(_NAMES) or sentence[1:2].isupper()
    return sentence if named else sentence[:1].lower() + sentence[1:]


def upper(text: str) -> str:
    """A text as the beginning of a sentence; names inside keep their capitals."""
    return text[:1].upper() + text[1:]


def inner(sentence: str) -> str:
    """A sentence as the tail of another one."""
    return lower(sentence).rstrip(".")
