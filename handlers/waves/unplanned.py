"""Finds what is left to do for open waves: their messages were lost or given up, or one answer was no proof.

Scale sets that nobody has planned, look-ups that nobody has made, listings that want a second one.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from handlers.cloud.names import ARCHIVE_PREFIX, RUNS_PREFIX, WAVES_PREFIX, run_path
from handlers.cloud.records import Listed
from handlers.waves import extra_lookups, relisting
from handlers.waves.sweep_state import State
from handlers.wire.documents import BadRecord, NewerRecord, waves_of
from handlers.wire.ids import ALERTS, SCALE_SETS
from handlers.wire.messages import EVERY, AlertMessage, ScaleSetMessage
from handlers.wiring import Wiring
from planner.azure.wave import Wave

log = logging.getLogger(__name__)

AGAIN = timedelta(minutes=15)
"""How long a wave's record must have stood before its look-ups count as lost, or it is listed again."""


async def handle(
    runs: Iterable[Listed], state: State, now: datetime, patience: timedelta, wiring: Wiring
) -> None:
    """Ask for the plans that are missing, at growing distances. Raises StorageDown.

    A wave is left alone for `patience` (of three poll intervals) after its record was written.
    """
    planned = {run.path: waves_of(run.metadata) for run in runs}
    for line in await wiring.records.list(WAVES_PREFIX):
        if line.metadata.get("open") == "false" or line.modified + patience > now:
            continue
        tracking_id, _, subscription = line.path.removeprefix(WAVES_PREFIX).partition("/")
        try:
            wave = await wiring.waves.get(tracking_id, subscription.removesuffix(".json"))
        except (BadRecord, NewerRecord, ValueError) as error:
            log.warning("sweep.wave", extra={"path": line.path, "reason": str(error)})
            continue
        if wave is None or not wave.announcements or not wave.open or not wave.discovered:
            continue
        if await waits_for_azure(wave.subscription, now, patience, wiring):
            continue
        await _ask(wave, planned, state, now, patience, wiring)
        if line.modified + AGAIN <= now:
            await _poll_interval(wave, state, now, wiring)


async def waits_for_azure(subscription: str, now: datetime, patience: timedelta, wiring: Wiring) -> bool:
    """Whether Azure has put the subscription off, a moment ago or for longer: messages wait, none is lost."""
    quiet = await wiring.quiet(subscription).last()
    return quiet is not None and now < quiet + patience


async def _poll_interval(wave: Wave, state: State, now: datetime, wiring: Wiring) -> None:
    """Look-ups nobody made, and listings whose time has come; at growing distances, from AGAIN to SELDOM."""
    alert = wave.current.alert
    asked: tuple[tuple[str, bool, dict[str, Any]], ...] = (
        # The first message has had its tries, or has lost them: this one goes on without what is unread.
        ("look-ups", wave.wants_look_ups, {"renew": EVERY, "look_ups": extra_lookups.TRIES}),
        ("listing", relisting.wanted(wave, now), {"relist": True}),
    )
    for what, wanted, fields in asked:
        key = f"{ALERTS}/{what}/{wave.tracking_id}/{wave.subscription}"
        if wanted and state.may_send(key, now, AGAIN, growing=True):
            log.warning("sweep.again", extra={"tracking_id": wave.tracking_id, "what": what})
            await wiring.queues.send(ALERTS, AlertMessage(alert=alert, swept=True, **fields))
            state.note_sent(key, now)


async def _ask(
    wave: Wave,
    planned: dict[str, tuple[str, ...]],
    state: State,
    now: datetime,
    patience: timedelta,
    wiring: Wiring,
) -> None:
    for member in wave.roster:
        one = member.scale_set
        path = run_path(one.subscription, one.resource_group, one.name)
        key = f"{SCALE_SETS}/{wave.tracking_id}/{path}"
        if wave.tracking_id in planned.get(path, ()) or not state.may_send(key, now, patience, growing=True):
            continue
        state.note_sent(key, now)
        if path in planned and await _over(wave, path, wiring):
            continue
        log.warning("sweep.unplanned", extra={"tracking_id": wave.tracking_id, "scale_set": one.id})
        message = ScaleSetMessage(
            tracking_id=wave.tracking_id,
            subscription=wave.subscription,
            scale_set=one.id,
            reason="swept",
            wave_generation=wave.generation,
        )
        await wiring.queues.send(SCALE_SETS, message)


async def _over(wave: Wave, path: str, wiring: Wiring) -> bool:
    """Whether the scale set went through this wave in an earlier run than the one on record."""
    earlier = f"{ARCHIVE_PREFIX}{path.removeprefix(RUNS_PREFIX).removesuffix('.json')}/"
    return any(wave.tracking_id in waves_of(one.metadata) for one in await wiring.records.list(earlier))
