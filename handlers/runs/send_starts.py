"""Sends to Azure what a poll has written, starts and automatic repairs; then writes the answers."""

from collections.abc import Sequence
from functools import partial

from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled
from handlers.cloud.records import Absent, Conflict, StorageDown
from handlers.cloud.side_by_side import side_by_side
from handlers.log import logger
from handlers.repository.runs import StoredRun
from handlers.wire.documents import BadRecord, NewerRecord
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.record.action import SetRepairs, Start, StartOutcome, StartResult
from planner.record.run import Run
from planner.start import repairs
from planner.start.intents import called_off, stands
from planner.start.results import answered
from planner.text.backoff import back_off

log = logger(__name__)

AT_ONCE = 32  # starts sent side by side

TRIES = 5
"""How often answers are written on what others have written in between; after that the next poll sees."""


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
    send = partial(_sent, written=stored, wiring=wiring)
    answers = await side_by_side(send, starts, AT_ONCE)
    for _ in range(TRIES):
        mine = [answer for answer in answers if stands(answer.instance, run, stored.run)]
        if not mine:
            return
        new = answered(stored.run, mine, wiring.now(), wiring.settings.poll_interval)
        written = await _with_answers(stored, new, wiring)
        if written is not stored:
            if new.story.last_notice > stored.run.story.last_notice:
                await wiring.runs.send_notify(new)
            return
        # A person's command, or another poll, came in between: the answers belong on what it has written.
        changed = await wiring.runs.read(stored.path)
        if changed is None:
            return
        stored = changed


async def _with_answers(stored: StoredRun, run: Run, wiring: Wiring) -> StoredRun:
    """The run as written, or as it was before when somebody else wrote in between."""
    try:
        return StoredRun(stored.path, run, await wiring.runs.write(stored.path, run, stored.etag))
    except Conflict:
        log.info("run.answers_left", extra={"path": stored.path})
        return stored


async def _sent(start: Start, written: StoredRun, wiring: Wiring) -> StartResult:
    """One attempt at one instance, in time or not at all, and what became of it."""
    scale_set = written.run.target.scale_set
    withdrawn = partial(StartResult, start.instance, StartOutcome.WITHDRAWN)
    if wiring.now() >= start.before:
        return withdrawn(message=words.POLL_TOO_OLD)
    stopped = wiring.stopped()
    if stopped:
        # Reading Azure may have taken a while: a stop that was set meanwhile counts now.
        return withdrawn(message=stopped)
    try:
        if why := await _called_off(start, written, wiring):
            return StartResult(start.instance, StartOutcome.CALLED_OFF, message=why)
    except (StorageDown, Absent, BadRecord, NewerRecord) as error:
        return withdrawn(message=words.record_unread(error))
    if wiring.now() >= start.before:
        return withdrawn(message=words.POLL_TOO_OLD)
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


async def _called_off(start: Start, written: StoredRun, wiring: Wiring) -> str:
    """Why the run's record forbids the start by now; empty when it does not.

    Fetching a token and suspending repairs take their time, and behind 32 starts the next ones wait.
    """
    changed = await wiring.runs.read_if_changed(written)
    return called_off(start.instance, written.run, changed.run) if changed is not None else ""
