"""Finds scale sets of open waves that nobody has planned: their messages were lost or given up."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from handlers.cloud.names import ARCHIVE_PREFIX, RUNS_PREFIX, SCALE_SETS, WAVES_PREFIX, run_path
from handlers.cloud.records import Listed
from handlers.sweep_state import State
from handlers.wire.documents import BadRecord, NewerRecord, waves_of
from handlers.wire.messages import ScaleSetMessage
from handlers.wiring import Wiring
from planner.wave import Wave

log = logging.getLogger(__name__)


async def handle(
    runs: Iterable[Listed], state: State, now: datetime, patience: timedelta, wiring: Wiring
) -> None:
    """Ask for the plans that are missing, at growing distances. Raises StorageDown.

    A wave is left alone for `patience` (of three look-agains) after its record was written.
    """
    planned = {one.path: waves_of(one.metadata) for one in runs}
    for line in await wiring.records.list(WAVES_PREFIX):
        if line.metadata.get("open") == "false" or line.modified + patience > now:
            continue
        tracking_id, _, subscription = line.path.removeprefix(WAVES_PREFIX).partition("/")
        try:
            wave = await wiring.wave(tracking_id, subscription.removesuffix(".json"))
        except (BadRecord, NewerRecord, ValueError) as error:
            log.warning("sweep.wave", extra={"path": line.path, "reason": str(error)})
            continue
        if wave is not None and wave.announcements and wave.open and wave.discovered:
            await _ask(wave, planned, state, now, patience, wiring)


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
