"""A run's turn: its place among the others, in a sentence for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from planner.places.layout import ANSWERED, Place
from planner.places.line import Line
from planner.policy.model import Limits
from planner.record.states import ACTIVE, RunState
from planner.text.phrases import say, some

NAMED = 3
"""Runs that a sentence names."""


@dataclass(frozen=True, slots=True)
class Laid:
    """The places of a subscription, as they were laid at `at` (aware UTC).

    They hold until `until`, while `lines` and `limits`, which they were made from, stay as they are.
    """

    lines: tuple[Line, ...]
    limits: Limits
    places: Mapping[str, Place]
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Turn:
    """When a run's turn comes (aware UTC, None: no place gets free for it), and why not now.

    `waits` is empty when the turn has come.
    """

    start: datetime | None = None
    waits: str = ""


def turn(key: str, laid: Laid, now: datetime) -> Turn:
    """The turn of the run `key`; one without a place, because it is in flight, has it now."""
    mine = laid.places.get(key)
    # Whoever could not start by its line in the listing may by now, and is laid as if that took a moment.
    ready = all(line.ready for line in laid.lines if line.key == key)
    soon = now if ready else now + ANSWERED
    if mine is None or (mine.start is not None and mine.start <= soon):
        return Turn(now)
    names = {line.key: line.name for line in laid.lines}
    if mine.start is None:
        stuck = [line.name for line in laid.lines if line.claims and line.state in _STUCK]
        why = f" while {some(sorted(stuck), most=NAMED)} waits for a person" if stuck else ""
        return Turn(None, f"No place in the queue gets free for it{why}.")
    before = sorted((place.start, each) for each, place in laid.places.items() if place.start is not None)
    ahead = [names[each] for start, each in before if start < mine.start]
    who = f" after {some(ahead, most=NAMED)}" if ahead else ""
    return Turn(
        mine.start, f"Number {len(ahead) + 1} in the queue{who}: its turn is expected at {say(mine.start)}."
    )


_STUCK = ACTIVE - {RunState.RUNNING, RunState.SCHEDULED}
