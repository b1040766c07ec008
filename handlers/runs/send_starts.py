"""Sends to Azure what a poll has written, starts and automatic repairs; then writes the answers."""

from collections.abc import Sequence
from functools import partial

from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled
from handlers.cloud.records import Conflict
from handlers.cloud.side_by_side import side_by_side
from handlers.log import logger
from handlers.repository.runs import StoredRun
from handlers.wiring import Wiring
from handlers.words.trouble import POLL_TOO_OLD
from planner.azure.fleet import ScaleSet
from planner.record.action import SetRepairs, Start, StartOutcome, StartResult
from planner.record.run import Run
from planner.start import repairs
from planner.start.results import answered
from planner.text.backoff import back_off

log = logger(__name__)

AT_ONCE = 32  # starts sent side by side


async def set_repairs(stored: StoredRun, action: SetRepairs, wiring: Wiring) -> StoredRun:
    """Suspend or resume automatic repairs; a refusal is written on the run, a later poll sees the rest."""
    run = stored.run
    try:
        await wiring.compute(run.target.subscription).set_repairs(run.target.id, suspend=action.suspend)
    except Forbidden as error:
        run = repairs.answered(run, error.sentence, denied=True)
    except Refused as error:
        run = repairs.refused_by_azure(run, error.code, error.sentence, suspend=action.suspend)
    except AzureTrouble as error:
        log.info("run.repairs_not_set", extra={"path": stored.path, "why": error.sentence})
    return await _with_answers(stored, run, wiring) if run is not stored.run else stored


async def start(stored: StoredRun, starts: Sequence[Start], wiring: Wiring) -> None:
    """Send what was written, then add the answers; if they cannot be added, the next poll sees."""
    run = stored.run
    try:
        # Fetching a token can take as long as a window has left: done before the time is checked, not after.
        await wiring.compute(run.target.subscription).ready()
    except AzureTrouble as error:
        log.warning("run.no_token", extra={"path": stored.path, "why": error.sentence})
    send = partial(_sent, scale_set=run.target.scale_set, wiring=wiring)
    answers = await side_by_side(send, starts, AT_ONCE)
    new = answered(run, answers, wiring.now(), wiring.settings.poll_interval)
    written = await _with_answers(stored, new, wiring)
    if written.run.story.last_notice > run.story.last_notice:
        await wiring.runs.send_notify(new)


async def _with_answers(stored: StoredRun, run: Run, wiring: Wiring) -> StoredRun:
    """The run as written, or as it was before when somebody else wrote in between."""
    try:
        return StoredRun(stored.path, run, await wiring.runs.write(stored.path, run, stored.etag))
    except Conflict:
        log.info("run.answers_left", extra={"path": stored.path})
        return stored


async def _sent(start: Start, scale_set: ScaleSet, wiring: Wiring) -> StartResult:
    """One attempt at one instance, in time or not at all, and what became of it."""
    withdrawn = partial(StartResult, start.instance, StartOutcome.WITHDRAWN)
    if wiring.now() >= start.before:
        return withdrawn(message=POLL_TOO_OLD)
    stopped = wiring.stopped()
    if stopped:
        # Reading Azure may have taken a while: a stop that was set meanwhile counts now.
        return withdrawn(message=stopped)
    try:
        accepted = await wiring.compute(scale_set.subscription).start(scale_set, start.instance)
    except Throttled as error:
        return withdrawn(message=error.sentence, retry_after=error.retry_after)
    except NotFound as error:
        # Azure can answer this for what is there, while it replicates; a later poll sees whether it is gone.
        return withdrawn(message=error.sentence, retry_after=back_off(wiring.settings.poll_interval, 0))
    except NotSent as error:
        return withdrawn(message=error.sentence, retry_after=wiring.settings.poll_interval)
    except Forbidden as error:
        return withdrawn(message=error.sentence, needs_person=True)
    except Refused as error:
        return StartResult(start.instance, StartOutcome.REFUSED, code=error.code, message=error.sentence)
    except AzureTrouble as error:
        return StartResult(start.instance, StartOutcome.LOST, message=error.sentence)
    return StartResult(start.instance, StartOutcome.ACCEPTED, operation=accepted.operation)
