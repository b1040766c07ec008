"""Finds what is left to do for open waves because a message was lost or given up, or time has passed.

Scale sets without a plan, look-ups that were not made, listings that are due again.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from handlers.cloud.records import Listed
from handlers.log import logger
from handlers.repository.runs import path_of
from handlers.waves import extra_lookups, relisting, roster
from handlers.waves.sweep_state import Sweep
from handlers.wire.documents import BadRecord, NewerRecord, waves_of
from handlers.wire.ids import ALERTS, SCALE_SETS
from handlers.wire.messages import EVERY, AlertMessage
from planner.azure.wave import Wave

log = logger(__name__)

AGAIN = timedelta(minutes=15)
"""How long a wave's record must have stood before its look-ups count as lost, or it is listed again."""


async def handle(runs: Iterable[Listed], sweep: Sweep) -> None:
    """Ask for what is missing, at growing intervals. Raises StorageDown.

    A wave is left alone for the sweep's grace after its record was written.
    """
    planned = {run.path: waves_of(run.metadata) for run in runs}
    for tracking_id, subscription, line in await sweep.wiring.waves.listed():
        if line.metadata.get("open") == "false" or line.modified + sweep.grace > sweep.now:
            continue
        try:
            wave = await sweep.wiring.waves.get(tracking_id, subscription)
        except (BadRecord, NewerRecord, ValueError) as error:
            log.warning("sweep.wave", extra={"path": line.path, "why": str(error)})
            continue
        if wave is None or not wave.announcements or not wave.open or not wave.discovered:
            continue
        if await sweep.waits_for_azure(wave.subscription):
            continue
        await _ask_for_plans(wave, planned, sweep)
        if line.modified + AGAIN <= sweep.now:
            await _ask_for_look_ups_and_listing(wave, sweep)


async def _ask_for_look_ups_and_listing(wave: Wave, sweep: Sweep) -> None:
    asked: tuple[tuple[str, bool, dict[str, Any]], ...] = (
        # The first message has used up its tries or was lost: this one goes on without what is unread.
        ("look-ups", wave.wants_look_ups, {"renew": EVERY, "look_ups": extra_lookups.TRIES}),
        ("listing", relisting.wanted(wave, sweep.now), {"relist": True}),
    )
    for what, wanted, fields in asked:
        key = f"{ALERTS}/{what}/{wave.tracking_id}/{wave.subscription}"
        if wanted and sweep.may_send(key, AGAIN, growing=True):
            log.warning("sweep.again", extra={"wave": wave.tracking_id, "what": what})
            message = AlertMessage(alert=wave.current.alert, swept=True, **fields)
            await sweep.wiring.queues.send(ALERTS, message)
            sweep.note_sent(key)


async def _ask_for_plans(wave: Wave, planned: Mapping[str, tuple[str, ...]], sweep: Sweep) -> None:
    for member in wave.roster:
        path = path_of(member.scale_set)
        key = f"{SCALE_SETS}/{wave.tracking_id}/{path}"
        if wave.tracking_id in planned.get(path, ()) or not sweep.may_send(key, growing=True):
            continue
        sweep.note_sent(key)
        if path in planned and any(
            wave.tracking_id in waves_of(line.metadata) for line in await sweep.wiring.runs.archived(path)
        ):
            continue  # an earlier run than the one on record went through this wave
        about = {"wave": wave.tracking_id, "scale_set": member.scale_set.id}
        log.warning("sweep.unplanned", extra=about)
        await roster.ask_for_plans(wave, [member], "swept", "", sweep.wiring)
