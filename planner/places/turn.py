"""A run's turn: its place among the others, in a sentence for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from planner.places.layout import in_order
from planner.places.line import Line, seekers
from planner.places.table import ANSWERED, Place
from planner.policy.limits import RaisedLimits
from planner.policy.model import Limits
from planner.record.states import ACTIVE, RunState
from planner.record.waits import Turn
from planner.words import queue as words


@dataclass(frozen=True, slots=True)
class Laid:
    """The places of a subscription, as they were laid at `at` (aware UTC).

    They hold until `until`, while `lines` and `limits`, which they were made from, stay as they are. `opened`
    are the regions that have been begun with, `raised` is what people have raised of the limits.
    """

    lines: tuple[Line, ...]
    limits: Limits
    places: Mapping[str, Place]
    at: datetime
    until: datetime
    opened: frozenset[str] = frozenset()
    raised: tuple[RaisedLimits, ...] = ()


def turn(key: str, laid: Laid, now: datetime) -> Turn:
    """The turn of the run `key`; one without a place, because it is in flight, has it now."""
    mine = laid.places.get(key)
    # Whoever could not start by its line in the listing may by now, and is laid as if that took a moment.
    ready = all(line.ready for line in laid.lines if line.key == key)
    soon = now if ready else now + ANSWERED
    if mine is None or (mine.start is not None and mine.start <= soon):
        return Turn(now, passes=_passes(key, laid, now))
    names = {line.key: line.name for line in laid.lines}
    if mine.start is None:
        stuck = [line.name for line in laid.lines if line.claims and line.state in _STUCK]
        return Turn(None, words.no_place(stuck))
    before = sorted((place.start, each) for each, place in laid.places.items() if place.start is not None)
    ahead = [names[each] for start, each in before if start < mine.start]
    return Turn(mine.start, words.its_turn(ahead, mine.start))


def _passes(key: str, laid: Laid, now: datetime) -> str:
    """Whom the run goes ahead of that would come before it, and what keeps each of them from going."""
    order = [seeker.key for seeker in in_order(seekers(laid.lines))]
    before = order[: order.index(key)] if key in order else []
    lines = {line.key: line for line in laid.lines}
    passed = [lines[each] for each in before if not _goes(laid.places[each], now)]
    why = [(line.name, _kept_back(line, laid.places[line.key], now)) for line in passed]
    return words.goes_ahead_of(why) if why else ""


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
