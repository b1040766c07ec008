"""A person's command on the run's own record: written there before it is acknowledged.

Starts are written with If-Match on the same record, so a hold precedes every start that is written later, on
whatever host. The message that follows only wakes the run: if it is lost, the command is not.
"""

from collections.abc import Callable
from dataclasses import replace

from handlers.cloud.records import Conflict, StorageDown
from handlers.log import logger
from handlers.runs import claims, observe_storage, queue
from handlers.wire.command_request import Refused
from handlers.wiring import Wiring
from handlers.words import answers as words
from handlers.words.trouble import gave_up
from planner.people import skipping
from planner.people.commands import HANDLED, refusal, with_commands
from planner.record.command import Command, CommandKind
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE

log = logger(__name__)

TRIES = 5
"""Writers of one run are few: plan, advance, a second host, another person."""


async def applied(
    command: Command,
    path: str,
    wiring: Wiring,
    judge: Callable[[Run], None] = lambda _: None,
    *,
    pass_on: bool = True,
) -> tuple[Run, Run]:
    """The run before the command and after it, as it stands on record; once by the command's id.

    `judge` sees the run first and may raise. Without `pass_on` the caller wakes those whose turn has come:
    once for many runs. Raises LookupError where there is no run, Conflict when others write in between again
    and again, StorageDown, BadRecord and NewerRecord.
    """
    before: Run | None = None
    lost: StorageDown | None = None
    for _ in range(TRIES):
        stored = await wiring.runs.read(path)
        if stored is None:
            raise LookupError(f"There is no run at {path}.")
        run = stored.run
        if command.id in run.people.events:
            # The answer to our write was lost, or its message came twice.
            return before or run, run
        if lost is not None:
            raise lost
        judge(run)
        before, new = run, await _with_command(run, command, wiring)
        # Read before the write that gives it away: a claim made anew after that must stay.
        lets_pass = new.people.lets_pass and not run.people.lets_pass
        claim = await claims.etag_of(run, wiring) if lets_pass else None
        try:
            await wiring.runs.write(path, new, stored.etag)
        except Conflict:
            continue
        except StorageDown as error:
            # It may have been written all the same: nobody should have to give the command twice.
            lost = error
            continue
        if claim is not None:
            await claims.give_back(new, claim, wiring)
        if pass_on:
            await queue.pass_on(run, new, wiring)
        log.info("run.word", extra={"path": path, "action": str(command.kind), "event": command.id})
        return run, new
    raise Conflict(gave_up(path, TRIES))


async def _with_command(run: Run, command: Command, wiring: Wiring) -> Run:
    observation = Observation(wiring.now())
    if HANDLED[command.kind].others:
        observation, _ = await observe_storage.from_storage(run, wiring)
    now = wiring.now()
    new = with_commands(run, (command,), observation, now)
    # Due now, on record and in its listing: should the wake be lost, the sweep finds it.
    return replace(new, generation=run.generation + 1, due=now if new.state in ACTIVE else run.due)


async def taken(
    command: Command,
    path: str,
    tracking_id: str,
    wiring: Wiring,
    traceparent: str = "",
    *,
    pass_on: bool = True,
) -> tuple[Run, Run]:
    """The run of this wave before the command and after it, on record, woken and told.

    Raises Refused where the command is not for this run, and what `applied` raises.
    """

    def judge(run: Run) -> None:
        if refused := why_not(command, run, tracking_id):
            raise refused

    before, after = await applied(command, path, wiring, judge, pass_on=pass_on)
    await wake(after, wiring, traceparent)
    await tell(before, after, wiring)
    return before, after


def why_not(command: Command, run: Run, tracking_id: str) -> Refused | None:
    """Why the command is refused: not for this run, not for its plan, or it would change nothing."""
    if tracking_id not in run.waves:
        return Refused(404, words.no_run_in_wave(tracking_id))
    sentence = refusal(run, command)
    if (
        run.state in ACTIVE
        and command.kind not in {CommandKind.APPROVE, CommandKind.ACKNOWLEDGE}
        and command.checksum not in {"", run.people.checksum}
    ):
        sentence = words.plan_changed(run.people.checksum)
    if run.state in ACTIVE and command.kind is CommandKind.SKIP:
        # A misspelt name among right ones must not pass unseen.
        sentence = sentence or skipping.unknown(run, command)
    return Refused(409, sentence) if sentence else None


async def wake(run: Run, wiring: Wiring, traceparent: str = "") -> None:
    """Have a run polled that has a new command on record; should the message be lost, the sweep wakes it."""
    try:
        await wiring.runs.send_poll(run, at=run.due, traceparent=traceparent)
    except StorageDown as error:
        log.warning("run.wake_lost", extra={"scale_set": run.target.id, "why": str(error)})


async def tell(before: Run, after: Run, wiring: Wiring) -> None:
    """What the command has people told; should the message be lost, the sweep finds it untold."""
    if after.story.last_notice <= before.story.last_notice:
        return
    try:
        await wiring.runs.send_notify(after)
    except StorageDown as error:
        log.warning("run.tell_lost", extra={"scale_set": after.target.id, "why": str(error)})
