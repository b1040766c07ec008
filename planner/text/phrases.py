"""How moments, lengths of time and numbers are said to people, the same everywhere."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_SENTENCE = re.compile(r"[.!?](?=\s|$)")
SENTENCE = 160
"""What has to fit into fewer characters is a name or a title, not a sentence."""

COUNTED = len(" (99 more sentences left out here.)")
_NAMES = ("Azure", "Breakwater", "Service Fabric", "Spot", "Flexible")


def say(at: datetime) -> str:
    """A moment for people: `Mon 24 Nov 2026 22:00 UTC`, to the second where seconds matter."""
    return _said(at, "%H:%M:%S" if at.second else "%H:%M")


def to_the_minute(at: datetime) -> str:
    """A moment in a table, in a heading or on a deadline: `Mon 24 Nov 2026 22:00 UTC`."""
    return _said(at, "%H:%M")


def say_how_far(at: datetime, now: datetime) -> str:
    """A moment with its distance beside it: `Mon 24 Nov 2026 22:00 UTC (in 3 d 4 h)`."""
    distance = short(abs(at - now))
    return f"{to_the_minute(at)} ({f'in {distance}' if at >= now else f'{distance} ago'})"


def _said(at: datetime, clock: str) -> str:
    utc = at.astimezone(UTC)
    return f"{utc:%a} {utc.day} {utc:%b %Y} {utc.strftime(clock)} UTC"


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


def short(time: timedelta) -> str:
    """The same for tables and brackets, in its two largest units: `3 d 4 h`, `45 min`, `20 s`."""
    seconds = int(abs(time).total_seconds())
    parts: list[str] = []
    units = 0
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, size)
        if number and units < 2:
            parts.append(f"{number} {unit}")
        units += bool(parts)
    return " ".join(parts) or "0 s"


def many(number: int, what: str, plural: str = "") -> str:
    """`1 stop`, `3 stops`, and with a plural of its own `3 batches`."""
    return f"{number} {what if number == 1 else plural or f'{what}s'}"


def some(names: Iterable[str], separator: str = ", ", *, most: int = 20) -> str:
    """The names, of very many the first and how many more: `0, 1, 2 and 4 more`."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return f"{separator.join(name[:200] for name in every[:most])}{more}"


def lower(sentence: str) -> str:
    """A sentence after a colon; names keep their capitals."""
    named = sentence.startswith(_NAMES) or sentence[1:2].isupper()
    return sentence if named else sentence[:1].lower() + sentence[1:]


def upper(text: str) -> str:
    """A text as the beginning of a sentence; names inside keep their capitals."""
    return text[:1].upper() + text[1:]


def inner(sentence: str) -> str:
    """A sentence as the tail of another sentence."""
    return lower(sentence).rstrip(".")


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of a text, in whole sentences; what is left out is counted.

    Of a sentence that is longer by itself the first words are quoted. A short `limit` is for names, which end
    in an ellipsis.
    """
    if len(text) <= limit:
        return text
    ends = [found.end() for found in _SENTENCE.finditer(text)]
    sentences = len(ends) + (bool(text[ends[-1] :].strip()) if ends else True)
    for kept in range(len(ends), 0, -1):
        more = sentences - kept
        note = f" ({more} more {'sentence' if more == 1 else 'sentences'} left out here.)"
        if ends[kept - 1] + len(note) <= limit:
            return text[: ends[kept - 1]] + note
    return quoted(text, limit) if limit >= SENTENCE else text[: limit - 1].rstrip() + "…"


def first_sentences(text: str, limit: int, most: int) -> str:
    """The sentences that fit into `limit` characters; the first one in any case, up to `most`."""
    found = _SENTENCE.search(text)
    first = (found.end() if found is not None else len(text)) + COUNTED
    return shortened(text, max(limit, min(first, most)))


def quoted(text: str, limit: int) -> str:
    """The first words of a text in quotation marks, and how much there is beside them."""
    longest_note = f'" and {len(text):,} more characters.'
    room = text[: limit - len(longest_note) - 1]
    words = room if text[len(room)].isspace() else room.rpartition(" ")[0] or room
    words = words.rstrip()
    return f'"{words}" and {len(text) - len(words):,} more characters.'
