"""The places of a subscription, laid when asked for and kept while what they were made from stays."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

from planner.azure.wave import normal_region
from planner.places.layout import in_order, places
from planner.places.line import Line, holders, seekers
from planner.places.table import Seeker
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


def still(
    laid: Laid, lines: Sequence[Line], limits: Limits, opened: frozenset[str], now: datetime
) -> Laid | None:
    """The places as they still hold; None where something has changed that they were made from.

    `lines` are in the order of their keys.
    """
    if not current(laid, limits, opened, now) or len(laid.lines) != len(lines):
        return None
    pairs = zip(laid.lines, lines, strict=True)
    return gone_as_laid(laid, [line for before, line in pairs if not stays(before, line, now)], now)


def current(laid: Laid, limits: Limits, opened: frozenset[str], now: datetime) -> bool:
    """Whether the places hold as far as the lines do not matter."""
    return laid.at <= now < laid.until and (laid.limits, laid.opened) == (limits, opened)


def stays(before: Line, line: Line, now: datetime) -> bool:
    """Whether a line moves nobody's place: each poll moves a forecast a little, and times pass."""
    if before is line or before == line:
        return True
    if not (before.claims and line.claims):
        return as_of(before, now) == line
    return _held(before) == _held(line) and _close(before.forecast, line.forecast)


def _held(line: Line) -> tuple[object, ...]:
    """What matters of a run in flight, but for its forecast."""
    return line.key, line.name, line.region, line.state, line.counts_in, line.tier, line.after


def _close(before: datetime | None, after: datetime | None) -> bool:
    if before is None or after is None:
        return before is after
    return abs(after - before) <= CLOSE


def gone_as_laid(laid: Laid, moved: Iterable[Line], now: datetime) -> Laid | None:
    """The places where all that moved are runs that have started as they were laid; else None."""
    gone: dict[str, Line] = {}
    for line in moved:
        place, before = laid.places.get(line.key), laid.by_key.get(line.key)
        started = place is not None and place.start is not None and place.start <= now and line.claims
        if not started or place is None or before is None or not _close(place.end, line.forecast):
            return None
        if (before.region, before.counts_in, line.state) != (line.region, line.counts_in, RunState.RUNNING):
            return None
        # Whoever waits for its place was laid by that end.
        gone[line.key] = replace(line, forecast=place.end)
    return laid.without(gone) if gone else laid


def lay(
    lines: Sequence[Line],
    limits: Limits,
    opened: frozenset[str],
    raised: Sequence[RaisedLimits],
    now: datetime,
    before: Laid | None = None,
) -> Laid:
    """The places of these runs, in the order of their keys; `raised` is in `limits` already.

    `before` are those of the last time: what they were made from is not worked out again.
    """
    held = tuple(holders(lines, now))
    order = tuple(in_order(_seekers(lines, before)))
    made = places(order, held, limits, now, opened=opened)
    ends = [holder.ends for holder in held if holder.ends is not None]
    starts = [place.start for place in made.values() if place.start is not None and place.start > now]
    until = min([*ends, *starts], default=now + LASTS)
    return Laid(tuple(lines), limits, made, order, now, until, opened, tuple(raised))


def _seekers(lines: Sequence[Line], before: Laid | None) -> Iterable[Seeker]:
    if before is None or any(line.after for line in lines):
        return seekers(lines)
    known = before.by_key
    same = {line.key for line in lines if known.get(line.key) is line}
    changed = (line for line in lines if line.key not in same)
    return chain((seeker for seeker in before.order if seeker.key in same), seekers(changed))


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
