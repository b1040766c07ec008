"""The places of a subscription, laid when asked for and kept while what they were made from stays."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from planner.azure.wave import normal_region
from planner.places.layout import places
from planner.places.line import Line, holders, seekers
from planner.places.turn import Laid
from planner.policy.limits import RaisedLimits
from planner.policy.model import Limits
from planner.record.cause import Cause
from planner.record.copying import replace
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState

LASTS = timedelta(seconds=20)
"""How long places hold where nothing is in flight and nothing is to start."""

SOON = timedelta(minutes=2)
"""Runs that are polled by then anyway are not woken."""

CLOSE = timedelta(minutes=5)
"""How far the end of a run in flight may move before the others are laid anew."""


def as_of(line: Line, now: datetime) -> Line:
    """The line at this moment: a time that has passed holds nobody up any more."""
    passed = line.acts_at is not None and line.acts_at <= now
    return replace(line, acts_at=None) if passed else line


def polled(line: Line) -> Line:
    """The line of a run that is being polled: whatever held it back may be over."""
    return replace(line, held_back=False, waits=None, acts_at=None)


def with_polled(lines: Sequence[Line], mine: Line) -> Sequence[Line]:
    """The lines with `mine` where it says more than when that run is polled."""
    listed = [line for line in lines if line.key == mine.key]
    if [replace(line, acts_at=None) for line in listed] == [mine]:
        return lines
    return [*(line for line in lines if line.key != mine.key), mine]


def opened(runs: Iterable[tuple[str, Collection[str], RunState | str, bool]]) -> frozenset[str]:
    """The regions that the waves of the active runs have been begun with, by runs that are over as well.

    `runs` has for each its region, its waves, its state, and whether something of it was ever started.
    """
    known = tuple(runs)
    going = {wave for _, waves, state, _ in known if state in ACTIVE for wave in waves}
    return frozenset(
        normal_region(region) for region, waves, _, begun in known if begun and not going.isdisjoint(waves)
    )


def holds(laid: Laid, lines: Sequence[Line], limits: Limits, opened: frozenset[str], now: datetime) -> bool:
    """Whether nothing has changed that the places were made from; each poll moves a forecast a little.

    `lines` are in the order of their keys.
    """
    if not laid.at <= now < laid.until or (laid.limits, laid.opened) != (limits, opened):
        return False
    return laid.lines is lines or (len(laid.lines) == len(lines) and all(map(stays, laid.lines, lines)))


def stays(before: Line, line: Line) -> bool:
    """Whether a line moves nobody's place."""
    return before is line or before == line or _moved_little(before, line)


def _moved_little(before: Line, line: Line) -> bool:
    if before.forecast is None or line.forecast is None or abs(line.forecast - before.forecast) > CLOSE:
        return False
    return replace(before, forecast=line.forecast) == line


def lay(
    lines: Sequence[Line],
    limits: Limits,
    opened: frozenset[str],
    raised: Sequence[RaisedLimits],
    now: datetime,
) -> Laid:
    """The places of these runs, in the order of their keys; `raised` is in `limits` already."""
    held = tuple(holders(lines, now))
    made = places(seekers(lines), held, limits, now, opened=opened)
    ends = [holder.ends for holder in held if holder.ends is not None]
    starts = [place.start for place in made.values() if place.start is not None and place.start > now]
    until = min([*ends, *starts], default=now + LASTS)
    return Laid(tuple(lines), limits, made, now, until, opened, tuple(raised))


def may_free_a_place(before: Run, after: Run) -> bool:
    """Whether a run that may have stood in the others' way does not any more."""
    return _standing(before) != _standing(after) and not (after.state in ACTIVE and after.claims)


def _standing(run: Run) -> tuple[RunState, bool, Cause | None]:
    return run.state, run.claims, run.waits.cause if run.waits is not None else None


def to_wake(laid: Laid, asleep: Mapping[str, datetime], now: datetime) -> list[str]:
    """The keys of the runs whose turn has come; `asleep` is who sleeps until then, and polled when else."""
    return [
        key
        for key, place in laid.places.items()
        if place.start is not None and place.start <= now and key in asleep and asleep[key] > now + SOON
    ]
