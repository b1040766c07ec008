"""Advance: one poll of a run, and what comes of it, in the order of docs/architecture.md.

The order of a poll is what keeps its promises: next message, record, starts, answers. A crash in between
leaves a message that is a poll like any other, and intents that are watched before anything is sent again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cloud.errors import AzureTrouble, Throttled
from handlers.cloud.names import run_path
from handlers.cloud.records import Conflict
from handlers.failures import bundles
from handlers.log import also, logger
from handlers.repository.runs import StoredRun
from handlers.runs import claims, commands, observe_azure, observe_storage, queue, send_starts
from handlers.wire.bundles import Bundle
from handlers.wire.ids import RUNS, SCALE_SETS
from handlers.wire.messages import RunMessage, ScaleSetMessage
from handlers.wiring import Wiring
from planner.machine.advance import advance
from planner.record.action import Action, Notify, PollAgain, Replan, SetRepairs, Start
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, ENDED, RunState
from planner.waiting import not_polled

log = logger(__name__)

EARLY = timedelta(seconds=1)  # storage shows a message up to a second before its time
POLLS = 3  # for one message, when others write the record without carrying on with the run


async def handle(message: RunMessage | Bundle[RunMessage], wiring: Wiring) -> None:
    """Poll a run, or several side by side, and carry on with them.

    Raises StorageDown, Conflict when its command cannot be written, and LookupError when there is no such run
    (its plan is being written, or the message is not ours): the host tries again, then it is quarantined. For
    a bundle only StorageDown.
    """
    if isinstance(message, Bundle):
        await bundles.each(RUNS, message, lambda one: _carry_on(one, wiring), wiring)
    else:
        await _carry_on(message, wiring)


async def _carry_on(message: RunMessage, wiring: Wiring) -> None:
    path = run_path(message.subscription, message.resource_group, message.name)
    # Two messages of one run in one process take turns, so that the second finds its generation outdated.
    async with wiring.turn(path):
        message = await _with_command_applied(message, path, wiring)
        for _ in range(POLLS):
            if await _poll(message, path, wiring):
                return


async def _with_command_applied(message: RunMessage, path: str, wiring: Wiring) -> RunMessage:
    """Write the command that a message carries on the run's record; the rest of the message wakes the run.

    Bury's pauses come this way, and people's commands from hosts of an earlier version. Raises Conflict when
    others write again and again: the message, and with it the command, is redelivered.
    """
    if message.event is None:
        return message
    before, run = await commands.applied(message.event.event(), path, wiring)
    await commands.tell(before, run, wiring)
    return message.model_copy(update={"event": None, "generation": run.generation})


async def _poll(message: RunMessage, path: str, wiring: Wiring) -> bool:
    """Whether the run goes on from here; not when somebody wrote its record first.

    Whoever polled, planned or applied a command by then has sent a message; the next poll finds this one's
    generation outdated. A write that was ours all along, or a repeated one, has sent none.
    """
    stored = await wiring.runs.read(path)
    if stored is None:
        raise LookupError(f"There is no run at {path}.")
    run = stored.run
    also(wave=",".join(run.waves))
    if run.state not in ACTIVE:
        await claims.release(run, wiring)
    over = run.ended_at is not None and run.recheck is None
    if message.generation < run.generation or over:
        return True
    early = run.due - wiring.now()
    if early > EARLY and not message.wake:
        # Storage hides a message for seven days at most: longer waits are chained.
        await wiring.queues.send(RUNS, message, delay=early)
        return True
    if message.wake:
        # Another host has seen a place get free; a listing kept here may be of before.
        await wiring.runs.of_subscription(run.target.subscription, fresh=True)
    observation, waves = await observe_storage.from_storage(run, wiring)
    began = wiring.now()
    try:
        observation = await observe_azure.with_azure(run, observation, waves, wiring)
    except Throttled as error:
        # On record like any other trouble: messages of earlier polls are outdated by it, and one stays.
        observation = replace(observation, trouble=error.sentence, wait=error.retry_after)
    except AzureTrouble as error:
        observation = replace(observation, trouble=error.sentence)
    reading = observe_azure.slowness(began, wiring)
    if reading and await _outrun(run, path, wiring):
        log.info("run.poll_outrun", extra={"path": path, "seconds": reading.total_seconds()})
        return True
    new, actions = advance(run, observation, (), wiring.now())
    if any(isinstance(action, Start) for action in actions):
        limit = await claims.acquire(run, wiring)
        if limit:
            observation = replace(observation, limit=limit)
            new, actions = advance(run, observation, (), wiring.now())
    if new.state is RunState.PAUSED and new.claims and observation.held_up is None:
        observation = await observe_storage.with_held_up(run, observation, wiring)
        new, actions = advance(run, observation, (), wiring.now())
    if observation.instances is not None or observation.trouble:
        new = replace(new, reading=reading)
    new, actions = _taken_up(run, new, actions, began)
    return await _perform(stored, new, actions, observation, wiring)


def _taken_up(
    before: Run, run: Run, actions: tuple[Action, ...], began: datetime
) -> tuple[Run, tuple[Action, ...]]:
    """With what people are told where the platform has not run this poll for long."""
    told = not_polled.taken_up(before, run, began)
    if told is run:
        return run, actions
    log.warning("run.taken_up", extra={"due": before.due.isoformat(timespec="seconds")})
    return told, (*actions, Notify(told.story.notices[-1]))


async def _outrun(run: Run, path: str, wiring: Wiring) -> bool:
    """Whether somebody polled, planned or sent a command while Azure was read for minutes.

    They have sent a message. One of ours would have their generation, and two chains of polls would go on.
    """
    stored = await wiring.runs.read(path)
    return stored is not None and stored.run.generation > run.generation


async def _perform(
    stored: StoredRun, run: Run, actions: Sequence[Action], observation: Observation, wiring: Wiring
) -> bool:
    """Next message, record, starts, answers; in this order. False when somebody wrote the record first."""
    before, run = stored.run, replace(run, generation=run.generation + 1)
    for action in actions:
        if isinstance(action, PollAgain):
            await wiring.runs.send_poll(run, at=action.at)
        elif isinstance(action, Replan):
            log.info("run.replan", extra={"why": action.reason})
            await _ask_for_plan(run, wiring)
    try:
        stored = StoredRun(stored.path, run, await wiring.runs.write(stored.path, run, stored.etag))
    except Conflict:
        log.info("run.poll_dropped", extra={"path": stored.path})
        return False
    for action in actions:
        if isinstance(action, SetRepairs):
            stored = await send_starts.set_repairs(stored, action, wiring)
    starts = [action for action in actions if isinstance(action, Start)]
    if starts:
        await send_starts.start(stored, starts, wiring)
    run = stored.run
    if run.state in ENDED and before.state not in ENDED:
        await claims.release(run, wiring)
    if any(isinstance(action, Notify) for action in actions):
        await wiring.runs.send_notify(run)
    await queue.pass_on(before, run, wiring)
    seen = observation.at.isoformat(timespec="seconds")
    log.info("run.advanced", extra={"state": str(run.state), "why": run.reason, "seen": seen})
    return True


async def _ask_for_plan(run: Run, wiring: Wiring) -> None:
    """Only plan decides: any wave of the run that is still known will do."""
    message = ScaleSetMessage(
        tracking_id=run.waves[-1],
        subscription=run.target.subscription,
        scale_set=run.target.id,
        reason="replan" if run.state in ACTIVE else "recheck",
    )
    await wiring.queues.send(SCALE_SETS, message)
