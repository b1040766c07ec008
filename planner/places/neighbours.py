"""What a run learns from its neighbours: how long batches take, who waits for a limit, who is paused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from planner.decision.estimate import longest
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import RunState
from planner.record.waits import HeldUp, Turn
from planner.text.phrases import shortened

MOST_NAMED, LONGEST_REASON = 3, 200
"""Paused runs that a sentence names, and how much of the reason of each."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another run of the subscription, as a listing shows it; times are aware UTC.

    `took` is the longest of its finished batches, `waits` what keeps it back, `start_by` its latest start.
    `claims`: it counts against the limits.
    """

    key: str
    name: str
    region: str
    state: RunState | str
    waves: tuple[str, ...] = ()
    took: timedelta | None = None
    waits: Cause | str | None = None
    start_by: datetime | None = None
    claims: bool = False


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the other runs of a subscription show.

    `durations` are those of batches in the same waves, `held_up` are the runs that wait for a limit, `paused`
    the keys of those that are paused and count against the limits.
    """

    durations: tuple[timedelta, ...] = ()
    held_up: HeldUp = field(default_factory=HeldUp)
    paused: tuple[str, ...] = ()


def neighbour(key: str, run: Run) -> Neighbour:
    """The run as its neighbours see it."""
    return Neighbour(
        key,
        run.target.name,
        run.target.location,
        run.state,
        run.waves,
        longest(run),
        run.waits.cause if run.waits is not None else None,
        run.times.start_by,
        run.claims,
    )


def beside(run: Run, listed: Iterable[Neighbour]) -> Neighbours:
    """What the others among `listed` show `run`."""
    waves, name = set(run.waves), run.target.name.lower()
    others = [each for each in listed if each.name.lower() != name]
    return Neighbours(
        tuple(each.took for each in others if each.took is not None and not waves.isdisjoint(each.waves)),
        _held_up([each for each in others if each.waits == Cause.LIMIT]),
        tuple(each.key for each in others if each.state == RunState.PAUSED and each.claims),
    )


def _held_up(waiting: Sequence[Neighbour]) -> HeldUp:
    by = [each.start_by for each in waiting if each.start_by is not None]
    regions = {each.region for each in waiting if each.region}
    return HeldUp(len(waiting), tuple(sorted(regions)), min(by, default=None))


def in_the_way(limit: str, paused: Sequence[Run], more: int, turn: Turn) -> str:
    """Why the limits forbid a start, who is paused of those that take them up, and when its turn comes.

    `paused` are the first of them, `more` how many others there are.
    """
    return " ".join(filter(None, (limit, _blockers(paused, more) if limit else "", turn.waits)))


def _blockers(paused: Sequence[Run], more: int) -> str:
    """Which paused runs take up the limits and why, in a sentence; empty without any."""
    named = [
        f"{run.target.name} ({run.target.location}) is paused: {_shortened(run.reason)}" for run in paused
    ]
    if not named:
        return ""
    rest = f" And {more} more {'is' if more == 1 else 'are'} paused." if more > 0 else ""
    return f"{' '.join(named)}{rest} Say `let-pass` to it, and the others go first."


def _shortened(reason: str) -> str:
    """As much of a reason as fits, with a full stop: it can name a hundred instances."""
    text = shortened(reason, LONGEST_REASON)
    return text if text.endswith((".", "…", ")")) else f"{text}."
