"""Where many scale sets say the same, one line says it for all of them: for people, not for machines."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, starmap
from operator import itemgetter

from handlers.render.letter import Event, Letter, Line, Part
from handlers.render.moments import Clock
from handlers.render.why_now import NEWS
from planner.text.phrases import lower, to_the_minute

MANY = 3
"""Up to this many that say the same are told one by one; more of them share a line."""

NAMES = 600
"""Characters of names in one line, before the rest is counted."""

PLACES = 3
"""Resource groups and regions named in one line."""


def folded(letter: Letter) -> Letter:
    """The letter with what many say said once; nothing that asks for something is folded.

    Why it comes now is said once then, too: of the letter where none of its events says it any more.
    """
    once = Counter((event.name, event.where) for event in letter.events)
    by_word: dict[str, list[Event]] = {}
    for event in letter.events:
        if event.brief and once[event.name, event.where] == 1:
            by_word.setdefault(event.word, []).append(event)
    many = {word: events for word, events in by_word.items() if len(events) > MANY}
    gone = list(chain.from_iterable(many.values()))
    left = tuple(event for event in letter.events if event not in gone)
    return replace(
        letter,
        why=letter.why or (NEWS if gone and not left else ""),
        events=left,
        parts=tuple(
            replace(part, lines=_merged(part.lines))
            for part in (*starmap(_listed, many.items()), *letter.parts)
        ),
    )


def _listed(word: str, events: Sequence[Event]) -> Part:
    ordered = sorted(events, key=lambda event: (event.name.lower(), event.where))
    lines = tuple(Line(event.name, event.where, event.brief) for event in ordered)
    return Part(f"{word} ({len(lines)})", lines)


def _merged(lines: Sequence[Line]) -> tuple[Line, ...]:
    """Lines that differ in name and place only, as one."""
    alike: dict[tuple[str, str, tuple[str, ...]], list[Line]] = {}
    for line in lines:
        alike.setdefault((line.text, line.checked, line.checks), []).append(line)
    found: list[Line] = []
    for same in alike.values():
        found += [_shared(same)] if len(same) > MANY else same
    return tuple(sorted(found, key=lambda line: line.name.lower()))


def _shared(lines: Sequence[Line]) -> Line:
    places = tuple(dict.fromkeys(line.where for line in lines))
    where = "; ".join(places[:PLACES]) + ("; …" if len(places) > PLACES else "")
    text = f"In each: {lower(lines[0].text)}"
    return replace(lines[0], name=_named(lines), where=where, text=text, times=_times(lines))


def _times(lines: Sequence[Line]) -> str:
    """From the first start to the last end; what each has of its own is on its page."""
    if len({line.times for line in lines}) == 1:
        return lines[0].times
    begins = min(
        ((line.begins, line.clock) for line in lines if line.begins), key=itemgetter(0), default=None
    )
    ends = max(((line.ends, line.clock) for line in lines if line.ends), key=itemgetter(0), default=None)
    said = [f"the first starts {_at(*begins)} at the earliest"] if begins is not None else []
    said += [f"the last should be done by {_at(*ends)}"] if ends is not None else []
    return f"One after another: {', '.join(said)}." if said else ""


def _at(moment: datetime, clock: Clock | None) -> str:
    return clock.at(moment) if clock is not None else to_the_minute(moment)


def _named(lines: Sequence[Line]) -> str:
    length, named = 0, list[str]()
    for line in lines:
        length += len(line.name) + 2
        if named and length > NAMES:
            break
        named.append(line.name)
    left = len(lines) - len(named)
    return ", ".join(named) + (f" and {left} more" if left else "")
