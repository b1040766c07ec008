"""The places of a subscription's runs, laid from one listing; whose turn has come is polled."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import unquote

from handlers.cloud.records import Listed, StorageDown
from handlers.log import logger
from handlers.repository.runs import FRESH, path_of, place_of
from handlers.wire.documents import ASLEEP, run_metadata, waves_of
from handlers.wire.run_lines import line
from handlers.wiring import Wiring
from planner.azure.wave import normal_region
from planner.places import forecast
from planner.places.layout import places
from planner.places.line import Line, holders, seekers
from planner.places.outlook import Outlook, outlook
from planner.places.turn import Laid, turn
from planner.policy.limits import raised
from planner.policy.model import Limits
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.record.waits import Turn

log = logger(__name__)

SOON = timedelta(minutes=2)
"""Runs that are polled by then anyway are not woken."""

CLOSE = timedelta(minutes=5)
"""How far the end of a run in flight may move before the others are laid anew."""

AT_ONCE = 100
"""Up to so many runs are laid in milliseconds, more of them beside the loop."""


async def turn_of(run: Run, wiring: Wiring) -> Turn:
    """The run's place among those of its subscription. Raises StorageDown."""
    path, subscription = path_of(run.target.scale_set), run.target.subscription
    # It is being polled: whatever held it back may be over.
    mine = replace(line(path, run_metadata(run)), held_back=False, acts_at=None)
    listed = await wiring.runs.of_subscription(subscription)
    return turn(path, await _laid(subscription, listed, wiring, mine), wiring.now())


async def outlooks(lines: Sequence[Listed], wiring: Wiring) -> tuple[Outlook, ...]:
    """How the queue comes out for these runs, one outlook for each of their subscriptions."""
    keys = frozenset(each.path for each in lines)
    found = []
    for subscription in sorted({place_of(each)[0] for each in lines}):
        laid = await _places(subscription, wiring)
        kept = wiring.outlooks.get(subscription)
        if kept is None or kept[0] is not laid:
            kept = wiring.outlooks[subscription] = laid, {}
        if keys not in kept[1]:
            # Off the loop: what would make room takes several layouts.
            kept[1][keys] = await asyncio.to_thread(outlook, subscription, laid, keys)
        found.append(kept[1][keys])
    return tuple(each for each in found if each.sentence)


async def late(lines: Sequence[Listed], wiring: Wiring) -> set[str]:
    """The paths of those of these runs that have not begun and have no place before their latest start."""
    paths, found = {each.path for each in lines}, set[str]()
    for subscription in sorted({place_of(each)[0] for each in lines}):
        laid = await _places(subscription, wiring)
        found |= {path for path, place in laid.places.items() if place.late and path in paths}
    return found


async def in_place(runs: Mapping[str, Run], wiring: Wiring) -> dict[str, Run]:
    """The runs by path; one that was not polled yet with the times of its place."""
    found = dict(runs)
    # What has begun or ended needs no listing.
    for subscription in sorted(
        {run.target.subscription for run in runs.values() if forecast.lacks_place(run)}
    ):
        laid = await _places(subscription, wiring)
        for path in laid.places.keys() & runs.keys():
            found[path] = forecast.in_place(runs[path], laid.places[path], wiring.now())
    return found


async def pass_on(before: Run, after: Run, wiring: Wiring) -> None:
    """Wake those whose turn has come when a run that may have stood in their way does not any more."""
    if _standing(before) == _standing(after) or (after.state in ACTIVE and after.claims):
        return
    try:
        await wake(after.target.subscription, wiring)
    except StorageDown as error:
        # The sweep wakes them, too.
        log.warning("queue.wake_lost", extra={"scale_set": after.target.id, "why": str(error)})


def _standing(run: Run) -> tuple[RunState, bool, Cause | None]:
    return run.state, run.claims, run.waits.cause if run.waits is not None else None


async def wake(subscription: str, wiring: Wiring) -> None:
    """Poll the runs that sleep until their turn and whose turn has come. Raises StorageDown."""
    listed = {each.path: each for each in await wiring.runs.of_subscription(subscription, fresh=True)}
    now = wiring.now()
    laid = await _laid(subscription, listed.values(), wiring)
    for path, place in laid.places.items():
        metadata = listed[path].metadata
        due = datetime.fromisoformat(metadata.get("due", now.isoformat()))
        sleeps = metadata.get("queue") == ASLEEP and due > now + SOON
        if sleeps and place.start is not None and place.start <= now:
            log.info("queue.turn", extra={"path": path})
            generation = int(metadata.get("generation", "0"))
            await wiring.runs.send_poll_of(place_of(listed[path]), generation, wake=True)


def _lines(listed: Iterable[Listed], wiring: Wiring) -> list[Line]:
    """The active runs of a listing; one that this version cannot read has no place, and is logged."""
    found: list[Line] = []
    now, known = wiring.now(), wiring.lines
    for each in listed:
        if each.metadata.get("state") not in ACTIVE:
            continue
        try:
            etag, read = known.get(each.path, ("", None))
            if read is None or etag != each.etag:
                # Of a thousand lines a listing brings a few that have changed since the last one.
                read = line(each.path, each.metadata)
                known[each.path] = each.etag, read
            # A time that has passed holds nobody up any more; without it, each poll would lay all anew.
            passed = read.acts_at is not None and read.acts_at <= now
            found.append(replace(read, acts_at=None) if passed else read)
        except ValueError as error:
            log.warning("queue.unreadable", extra={"path": each.path, "why": str(error)})
    return found


def _opened(listed: Iterable[Listed]) -> frozenset[str]:
    """The regions that the waves of the active runs have been begun with, by runs that are over as well."""
    going = {
        wave for each in listed if each.metadata.get("state") in ACTIVE for wave in waves_of(each.metadata)
    }
    return frozenset(
        normal_region(unquote(each.metadata.get("location", "")))
        for each in listed
        if "begun" in each.metadata and not going.isdisjoint(waves_of(each.metadata))
    )


def _holds(laid: Laid, lines: Sequence[Line], limits: Limits, opened: frozenset[str]) -> bool:
    """Whether nothing has changed that the places were made from; each poll moves a forecast a little."""
    if (laid.limits, laid.opened) != (limits, opened) or len(laid.lines) != len(lines):
        return False
    return all(
        before == line or _moved_little(before, line) for before, line in zip(laid.lines, lines, strict=True)
    )


def _moved_little(before: Line, line: Line) -> bool:
    if before.forecast is None or line.forecast is None or abs(line.forecast - before.forecast) > CLOSE:
        return False
    return replace(before, forecast=line.forecast) == line


async def _places(subscription: str, wiring: Wiring) -> Laid:
    return await _laid(subscription, await wiring.runs.of_subscription(subscription), wiring)


async def _laid(
    subscription: str, listed: Collection[Listed], wiring: Wiring, mine: Line | None = None
) -> Laid:
    """The places, from the last time where nothing has changed that they were made from.

    `mine` counts in place of the listing's line where it says more than when that run is polled.
    """
    lines, opened = _lines(listed, wiring), _opened(listed)
    if mine is not None and [replace(each, acts_at=None) for each in lines if each.key == mine.key] != [mine]:
        lines = [*(each for each in lines if each.key != mine.key), mine]
    key, more = subscription.lower(), await wiring.raised_limits.of(subscription)
    limits = raised(wiring.policy().limits, more)
    ordered = tuple(sorted(lines, key=lambda each: each.key))
    async with wiring.turn(f"places/{key}"):
        now, known = wiring.now(), wiring.laid.get(key)
        if known is not None and known.at <= now < known.until and _holds(known, ordered, limits, opened):
            return known
        held = tuple(holders(ordered, now))
        if len(ordered) <= AT_ONCE:
            made = places(seekers(ordered), held, limits, now, opened=opened)
        else:
            # Where dates are missed, many orders are tried: the worker's loop must go on answering meanwhile.
            seeking = list(seekers(ordered))
            made = await asyncio.to_thread(places, seeking, held, limits, now, opened=opened)
        ends = [holder.ends for holder in held if holder.ends is not None]
        starts = [place.start for place in made.values() if place.start is not None and place.start > now]
        laid = Laid(ordered, limits, made, now, min([*ends, *starts], default=now + FRESH), opened, more)
        wiring.laid[key] = laid
        return laid
