"""The places of a subscription's runs, laid from one listing; whose turn has come is polled."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

from handlers.cloud.records import Listed, StorageDown
from handlers.log import logger
from handlers.repository.runs import path_of, place_of
from handlers.wire.documents import ASLEEP, run_metadata, waves_of
from handlers.wire.run_lines import line
from handlers.wiring import Wiring
from planner.places import forecast
from planner.places.laying import as_of, lay, may_free_a_place, opened, polled, still, to_wake, with_polled
from planner.places.line import Line
from planner.places.outlook import Outlook, outlook
from planner.places.turn import Laid, turn
from planner.policy.limits import raised
from planner.record.run import Run
from planner.record.states import ACTIVE
from planner.record.waits import Turn

log = logger(__name__)

AT_ONCE = 100
"""Up to so many runs are laid in milliseconds, more of them beside the loop."""


async def turn_of(run: Run, wiring: Wiring) -> Turn:
    """The run's place among those of its subscription. Raises StorageDown."""
    path, subscription = path_of(run.target.scale_set), run.target.subscription
    mine = polled(line(path, run_metadata(run)))
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
    if not may_free_a_place(before, after):
        return
    try:
        await wake(after.target.subscription, wiring)
    except StorageDown as error:
        # The sweep wakes them, too.
        log.warning("queue.wake_lost", extra={"scale_set": after.target.id, "why": str(error)})


async def wake(subscription: str, wiring: Wiring) -> None:
    """Poll the runs that sleep until their turn and whose turn has come. Raises StorageDown."""
    listed = {each.path: each for each in await wiring.runs.of_subscription(subscription, fresh=True)}
    now = wiring.now()
    laid = await _laid(subscription, listed.values(), wiring)
    asleep = {
        path: datetime.fromisoformat(each.metadata.get("due", now.isoformat()))
        for path, each in listed.items()
        if each.metadata.get("queue") == ASLEEP
    }
    for path in to_wake(laid, asleep, now):
        log.info("queue.turn", extra={"path": path})
        generation = int(listed[path].metadata.get("generation", "0"))
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
            found.append(as_of(read, now))
        except ValueError as error:
            log.warning("queue.unreadable", extra={"path": each.path, "why": str(error)})
    return found


def _opened(listed: Iterable[Listed]) -> frozenset[str]:
    return opened(
        (
            unquote(each.metadata.get("location", "")),
            waves_of(each.metadata),
            each.metadata.get("state", ""),
            "begun" in each.metadata,
        )
        for each in listed
    )


async def _places(subscription: str, wiring: Wiring) -> Laid:
    return await _laid(subscription, await wiring.runs.of_subscription(subscription), wiring)


async def _laid(
    subscription: str, listed: Collection[Listed], wiring: Wiring, mine: Line | None = None
) -> Laid:
    """The places, from the last time where nothing has changed that they were made from.

    `mine` counts in place of the listing's line where it says more than when that run is polled.
    """
    lines: Sequence[Line] = _lines(listed, wiring)
    if mine is not None:
        lines = with_polled(lines, mine)
    key, begun = subscription.lower(), _opened(listed)
    more = await wiring.raised_limits.of(subscription)
    limits = raised(wiring.policy().limits, more)
    ordered = tuple(sorted(lines, key=lambda each: each.key))
    async with wiring.turn(f"places/{key}"):
        now, known = wiring.now(), wiring.laid.get(key)
        laid = still(known, ordered, limits, begun, now) if known is not None else None
        if laid is None and len(ordered) <= AT_ONCE:
            laid = lay(ordered, limits, begun, more, now, known)
        elif laid is None:
            # Where dates are missed, many orders are tried: the worker's loop must go on answering meanwhile.
            laid = await asyncio.to_thread(lay, ordered, limits, begun, more, now, known)
        wiring.laid[key] = laid
        return laid
