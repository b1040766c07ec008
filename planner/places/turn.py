"""A run's turn: its place among the others, in a sentence for people."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import takewhile
from typing import Self

from planner.places.line import Line
from planner.places.table import ANSWERED, Place, Seeker
from planner.policy.limits import RaisedLimits
from planner.policy.model import Limits
from planner.record.states import ACTIVE, RunState
from planner.record.waits import Turn
from planner.words import queue as words


@dataclass(frozen=True)
class Laid:
    """The places of a subscription, as they were laid at `at` (aware UTC).

    They hold until `until`, while `lines` and `limits`, which they were made from, stay as they are. `order`
    has those that have not begun in their plain order. `opened` are the regions that have been begun with,
    `raised` is what people have raised of the limits.
    """

    lines: tuple[Line, ...]
    limits: Limits
    places: Mapping[str, Place]
    order: tuple[Seeker, ...]
    at: datetime
    until: datetime
    opened: frozenset[str] = frozenset()
    raised: tuple[RaisedLimits, ...] = ()

    # A thousand runs ask for their turns: what they share is worked out once.

    @cached_property
    def by_key(self) -> Mapping[str, Line]:
        return {line.key: line for line in self.lines}

    @cached_property
    def queue(self) -> tuple[tuple[datetime, ...], tuple[str, ...]]:
        """The starts in their order, and the names of the runs that start then."""
        starts = ((place.start, key) for key, place in self.places.items() if place.start is not None)
        ordered = sorted(starts)
        return tuple(at for at, _ in ordered), tuple(self.by_key[key].name for _, key in ordered)

    def passed_over(self, key: str, now: datetime) -> tuple[str, ...]:
        """Those that come before this one in the plain order, and do not go now."""
        before = takewhile(lambda each: each != key, (seeker.key for seeker in self.order))
        return tuple(each for each in before if not _goes(self.places[each], now))

    def without(self, gone: Mapping[str, Line]) -> Self:
        """The places once those of these keys have gone as they were laid; nobody else's changes."""
        return replace(
            self,
            lines=tuple(gone.get(line.key, line) for line in self.lines),
            places={key: place for key, place in self.places.items() if key not in gone},
            order=tuple(seeker for seeker in self.order if seeker.key not in gone),
        )


def turn(key: str, laid: Laid, now: datetime) -> Turn:
    """The turn of the run `key`; one without a place, because it is in flight, has it now."""
    mine, line = laid.places.get(key), laid.by_key.get(key)
    # Whoever could not start by its line in the listing may by now, and is laid as if that took a moment.
    soon = now if line is None or line.ready else now + ANSWERED
    if mine is None or (mine.start is not None and mine.start <= soon):
        return Turn(now, passes=_passes(key, laid, now))
    if mine.start is None:
        stuck = [line.name for line in laid.lines if line.claims and line.state in _STUCK]
        return Turn(None, words.no_place(stuck))
    starts, names = laid.queue
    return Turn(mine.start, words.its_turn(names[: bisect_left(starts, mine.start)], mine.start))


def _passes(key: str, laid: Laid, now: datetime) -> str:
    """Whom the run goes ahead of that would come before it, and what keeps each of them from going."""
    if key not in laid.places:
        return ""
    passed = [laid.by_key[each] for each in laid.passed_over(key, now)]
    named = passed[: words.NAMED_RUNS]
    why = [(line.name, _kept_back(line, laid.places[line.key], now)) for line in named]
    return words.goes_ahead_of(why, len(passed) - len(named)) if passed else ""


def _goes(place: Place, now: datetime) -> bool:
    return place.start is not None and place.start <= now


def _kept_back(line: Line, place: Place, now: datetime) -> str:
    if line.state is RunState.AWAITING_APPROVAL:
        return words.WAITS_FOR_APPROVAL
    if line.state is RunState.PAUSED:
        return words.IS_PAUSED
    if line.held_back:
        return words.held_up_by(line.waits)
    opens = line.course.opens(max(now, line.earliest))
    if opens is None or opens > now:
        return words.may_start_from(opens) if opens is not None else words.NO_WINDOW_LEFT
    return words.place_free_at(place.start) if place.start is not None else words.NO_PLACE_FOR_IT


_STUCK = ACTIVE - {RunState.RUNNING, RunState.SCHEDULED}
