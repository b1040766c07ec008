"""What a poll has written is sent to Azure: starts and automatic repairs; then the answers are written."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled
from handlers.cloud.records import Conflict
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.record.action import SetRepairs, Start, StartOutcome, StartResult
from planner.record.run import Run
from planner.start import repairs
from planner.start.results import answered
from planner.text.backoff import back_off

log = logging.getLogger(__name__)

AT_ONCE = 32  # starts sent side by side


async def set_repairs(path: str, etag: str, run: Run, action: SetRepairs, wiring: Wiring) -> tuple[Run, str]:
    """Suspend or resume automatic repairs; what Azure says against it is written, a later poll sees more."""
    try:
        await wiring.compute(run.target.subscription).set_repairs(run.target.id, suspend=action.suspend)
    except Forbidden as error:
        run = repairs.answered(run, error.sentence, denied=True)
    except Refused as error:
        run = repairs.refused_by_azure(run, error.code, error.sentence, suspend=action.suspend)
    except AzureTrouble as error:
        log.info("run.repairs_not_set", extra={"path": path, "why": error.sentence})
        return run, etag
    else:
        return run, etag
    try:
        etag = await wiring.runs.write(path, run, etag)
    except Conflict:
        log.info("run.answers_left", extra={"path": path})
    return run, etag


async def start(path: str, etag: str, run: Run, starts: Sequence[Start], wiring: Wiring) -> None:
    """Send what was written, then add the answers; if they cannot be added, the next poll sees."""
    gate = asyncio.Semaphore(AT_ONCE)
    scale_set = run.target.scale_set

    async def send(start: Start) -> StartResult:
        async with gate:
            return await _sent(scale_set, start, wiring)

    try:
        # Fetching a token may take as long as a window has left: before the time is looked at, not after.
        await wiring.compute(run.target.subscription).ready()
    except AzureTrouble as error:
        log.warning("run.no_token", extra={"path": path, "why": error.sentence})
    answers = await asyncio.gather(*(send(one) for one in starts))
    before = run.story.last_notice
    run = answered(run, answers, wiring.now(), wiring.settings.poll_interval)
    try:
        await wiring.runs.write(path, run, etag)
    except Conflict:
        log.info("run.answers_left", extra={"path": path})
        return
    if run.story.last_notice > before:
        await wiring.runs.send_notify(run)


async def _sent(scale_set: ScaleSet, start: Start, wiring: Wiring) -> StartResult:
    """One attempt at one instance, in time or not at all; what became of it as a value."""
    instance = start.instance
    now: datetime = wiring.now()
    if now >= start.before:
        return StartResult(
            instance, StartOutcome.WITHDRAWN, message="the poll that saw it is no longer fresh"
        )
    stopped = wiring.stopped()
    if stopped:
        # Azure may have taken its time to be read: whoever has stopped everything meanwhile means now.
        return StartResult(instance, StartOutcome.WITHDRAWN, message=stopped)
    try:
        accepted = await wiring.compute(scale_set.subscription).start(scale_set, instance)
    except Throttled as error:
        return StartResult(
            instance, StartOutcome.WITHDRAWN, message=error.sentence, retry_after=error.retry_after
        )
    except NotFound as error:
        # Azure may answer so for what is there, while it replicates; a later poll sees whether it is gone.
        wait = back_off(wiring.settings.poll_interval, 0)
        return StartResult(instance, StartOutcome.WITHDRAWN, message=error.sentence, retry_after=wait)
    except NotSent as error:
        return StartResult(
            instance,
            StartOutcome.WITHDRAWN,
            message=error.sentence,
            retry_after=wiring.settings.poll_interval,
        )
    except Forbidden as error:
        return StartResult(instance, StartOutcome.WITHDRAWN, message=error.sentence, needs_person=True)
    except Refused as error:
        return StartResult(instance, StartOutcome.REFUSED, code=error.code, message=error.sentence)
    except AzureTrouble as error:
        return StartResult(instance, StartOutcome.LOST, message=error.sentence)
    return StartResult(instance, StartOutcome.ACCEPTED, operation=accepted.operation)
