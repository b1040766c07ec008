"""Advance: one look at a run, and what comes of it, by the protocols of the design.

The order of a look is what keeps its promises: next message, record, starts, answers. Whoever dies in
between leaves a message that is a look like any other, and intents that are watched before anything is sent
again.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from handlers import claims, neighbours
from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled
from handlers.cloud.names import NOTICES, RUNS, SCALE_SETS, run_path
from handlers.cloud.records import Conflict, Stored
from handlers.wire.documents import decode_run, encode_run, run_metadata, waves_of
from handlers.wire.messages import NoticeMessage, RunMessage, ScaleSetMessage
from handlers.wiring import Wiring
from planner import order, repairs
from planner.advance import advance, may_start, needs_azure, repairs_wanted
from planner.answers import answered
from planner.fleet import Orchestration, ScaleSet
from planner.look import (
    Action,
    Answer,
    Answered,
    Event,
    Look,
    LookAgain,
    OperationSeen,
    Predecessor,
    Replan,
    SetRepairs,
    Start,
    Tell,
    Word,
)
from planner.policy import rules_for
from planner.run import ACTIVE, ENDED, IN_FLIGHT, Run, RunState
from planner.wave import Stage, Wave, informed

log = logging.getLogger(__name__)

AT_ONCE = 32  # operations read and starts sent side by side
EARLY = timedelta(seconds=1)  # storage shows a message up to a second before its time


async def handle(message: RunMessage, wiring: Wiring) -> None:
    """Look at a run and carry on with it.

    Raises StorageDown, LookupError when there is no such run (its plan is being written, or the message is
    none of ours: the host tries again, then it is quarantined) and what nobody expected.
    """
    path = run_path(message.subscription, message.resource_group, message.name)
    # Two messages of one run in one process take turns, so that the second finds its generation gone.
    async with wiring.turn(path):
        await _look(message, path, wiring)


async def _look(message: RunMessage, path: str, wiring: Wiring) -> None:
    stored = await wiring.records.read(path)
    if stored is None:
        raise LookupError(f"There is no run at {path}.")
    run = decode_run(stored.body)
    events = _events(message)
    if run.state not in ACTIVE:
        await claims.release(wiring.records, run)
    if not events:
        if message.generation < run.generation or run.state in ENDED or run.ended_at is not None:
            return
        early = run.due - wiring.now()
        if early > EARLY:
            # Storage hides a message for seven days at most: longer waits are chained.
            await wiring.queues.send(RUNS, message, delay=early)
            return
    try:
        look = await _observed(run, wiring)
    except Throttled as error:
        if not events:
            await wiring.queues.send(RUNS, message, delay=error.retry_after)
            return
        # A person's word counts at once; nothing starts in a look that has not seen Azure.
        look = replace((await _from_storage(run, wiring))[0], trouble=error.sentence)
    except AzureTrouble as error:
        look = replace((await _from_storage(run, wiring))[0], trouble=error.sentence)
    new, actions = advance(run, look, events, wiring.now())
    if any(isinstance(one, Start) for one in actions):
        limit = await claims.acquire(wiring, run)
        if limit:
            look = replace(look, limit=limit)
            new, actions = advance(run, look, events, wiring.now())
    await _perform(wiring, stored, new, actions, look)


def _events(message: RunMessage) -> tuple[Event, ...]:
    said = message.event
    if said is None:
        return ()
    return (
        Event(
            said.id,
            Word(said.kind),
            said.actor,
            said.comment,
            said.at,
            said.checksum,
            said.instances,
            said.domains,
            said.raised,
        ),
    )


def _blank(wiring: Wiring) -> Look:
    """A look that has not read Azure."""
    settings = wiring.settings
    return Look(
        at=wiring.now(),
        stopped=wiring.stopped(),
        look_again=settings.look_again,
        in_doubt=settings.in_doubt,
    )


async def _observed(run: Run, wiring: Wiring) -> Look:
    """What storage and, where needed, Azure show of the run's scale set."""
    look, waves = await _from_storage(run, wiring)
    if not needs_azure(run, look, wiring.now()):
        return look
    return await _from_azure(run, look, waves, wiring)


async def _from_storage(run: Run, wiring: Wiring) -> tuple[Look, Sequence[Wave]]:
    """What the records and the policy say: the stop, the waves, who goes first, the limits."""
    look = _blank(wiring)
    if run.state not in ACTIVE:
        return look, ()
    waves = await _waves(run, wiring)
    look = replace(look, cancelled=_cancelled(waves))
    if run.after:
        look = await _with_predecessors(run, look, waves, wiring)
    if may_start(run, look, wiring.now()):
        around = await neighbours.of(run, wiring)
        look = replace(
            look,
            limit=await claims.forbidden(wiring, run),
            limit_until=around.first_end,
            durations=around.durations,
        )
    return look, waves


async def _from_azure(run: Run, look: Look, waves: Sequence[Wave], wiring: Wiring) -> Look:
    compute = wiring.compute(run.target.subscription)
    look = replace(look, at=wiring.now())
    scale_set = _scale_set(run)
    try:
        if may_start(run, look, wiring.now()):
            scale_set, upgrade = await asyncio.gather(compute.scale_set(scale_set.id), _upgrade(run, wiring))
            scale_set = informed(replace(scale_set, rolling_upgrade=upgrade), waves)
            look = replace(
                look, at=wiring.now(), scale_set=scale_set, rules=rules_for(wiring.policy(), scale_set)
            )
        if repairs_wanted(run, look):
            look = replace(look, repairs=await compute.repairs(scale_set.id))
        instances = await compute.instances(scale_set)
    except NotFound:
        return replace(look, deleted=True, instances=())
    return replace(look, instances=instances, operations=await _operations(run, wiring))


async def _upgrade(run: Run, wiring: Wiring) -> str:
    if run.target.orchestration is Orchestration.FLEXIBLE:
        return ""
    return await wiring.compute(run.target.subscription).rolling_upgrade(run.target.id)


async def _operations(run: Run, wiring: Wiring) -> dict[str, OperationSeen]:
    """The operations in flight, by instance."""
    compute = wiring.compute(run.target.subscription)
    flying = [
        one for one in run.passages if one.state in IN_FLIGHT and one.operation and one.proof_at is None
    ]
    gate = asyncio.Semaphore(AT_ONCE)

    async def read(address: str) -> OperationSeen:
        async with gate:
            seen = await compute.operation(address)
        return OperationSeen(seen.status, seen.code, seen.message)

    seen = await asyncio.gather(*(read(one.operation) for one in flying))
    return {one.id: operation for one, operation in zip(flying, seen, strict=True)}


async def _waves(run: Run, wiring: Wiring) -> list[Wave]:
    found = [await wiring.wave(one, run.target.subscription) for one in run.waves]
    return [one for one in found if one is not None and one.announcements]


def _cancelled(waves: Sequence[Wave]) -> bool:
    """A cancelled wave stops a run only if no other open wave covers the set."""
    return not any(one.open for one in waves) and any(one.stage is Stage.CANCELED for one in waves)


async def _with_predecessors(run: Run, look: Look, waves: Sequence[Wave], wiring: Wiring) -> Look:
    """Where the runs stand that go first, by one small listing each."""
    roster = {one.scale_set.key: one for wave in waves for one in wave.roster}
    first, problem = order.predecessors(tuple(roster.values()), run.target.id, run.after)
    found: list[Predecessor] = []
    for member in first:
        one = member.scale_set
        path = run_path(one.subscription, one.resource_group, one.name)
        listed = [each for each in await wiring.records.list(path) if each.path == path]
        state, ends = None, None
        if listed and set(waves_of(listed[0].metadata)) & set(run.waves):
            state = RunState(listed[0].metadata["state"])
            ends = neighbours.forecast(listed[0])
        found.append(Predecessor(one.name, state, ends))
    return replace(look, predecessors=tuple(found), order_problem=problem)


def _scale_set(run: Run) -> ScaleSet:
    """As much of the scale set as a listing of its instances needs."""
    target = run.target
    return ScaleSet(
        target.id,
        target.subscription,
        target.resource_group,
        target.name,
        target.location,
        target.orchestration,
    )


async def _perform(wiring: Wiring, stored: Stored, run: Run, actions: Sequence[Action], look: Look) -> None:
    """Next message, record, starts, answers; in this order."""
    run = replace(run, generation=run.generation + 1)
    for action in actions:
        match action:
            case LookAgain(at):
                delay = max(at - wiring.now(), timedelta(0))
                await wiring.queues.send(RUNS, _message(run), delay=delay)
            case Replan(reason):
                log.info("run.replan", extra={"scale_set": run.target.id, "why": reason})
                await _ask_for_plan(wiring, run)
            case Start() | SetRepairs() | Tell():
                pass
    try:
        etag = await wiring.records.write(
            stored.path, encode_run(run), etag=stored.etag, metadata=run_metadata(run)
        )
    except Conflict:
        # Somebody else looked or planned in between: what they saw is newer, and their message is sent.
        log.info("run.look_dropped", extra={"path": stored.path})
        return
    for one in actions:
        if isinstance(one, SetRepairs):
            run, etag = await _set_repairs(wiring, stored.path, etag, run, one)
    starts = [one for one in actions if isinstance(one, Start)]
    if starts:
        await _start(wiring, stored.path, etag, run, starts)
    if run.state in ENDED:
        await claims.release(wiring.records, run)
    if any(isinstance(one, Tell) for one in actions):
        await wiring.queues.send(NOTICES, NoticeMessage(tracking_id=run.waves[0], kind="wave"))
    log.info(
        "run.advanced",
        extra={
            "scale_set": run.target.id,
            "state": str(run.state),
            "why": run.reason,
            "seen": look.at.isoformat(),
        },
    )


def _message(run: Run) -> RunMessage:
    return RunMessage(
        subscription=run.target.subscription,
        resource_group=run.target.resource_group,
        name=run.target.name,
        generation=run.generation,
    )


async def _ask_for_plan(wiring: Wiring, run: Run) -> None:
    """Only plan decides: any wave of the run that is still known will do."""
    reason = "look_again" if run.state not in ACTIVE else "replan"
    message = ScaleSetMessage(
        tracking_id=run.waves[-1],
        subscription=run.target.subscription,
        scale_set=run.target.id,
        reason=reason,
    )
    await wiring.queues.send(SCALE_SETS, message)


async def _set_repairs(wiring: Wiring, path: str, etag: str, run: Run, action: SetRepairs) -> tuple[Run, str]:
    """Suspend or resume automatic repairs; what Azure says against it is written, a later look sees more."""
    try:
        await wiring.compute(run.target.subscription).set_repairs(run.target.id, suspend=action.suspend)
    except (Forbidden, Refused) as error:
        run = repairs.answered(run, error.sentence, denied=isinstance(error, Forbidden))
    except AzureTrouble as error:
        log.info("run.repairs_not_set", extra={"path": path, "why": error.sentence})
        return run, etag
    else:
        return run, etag
    try:
        etag = await wiring.records.write(path, encode_run(run), etag=etag, metadata=run_metadata(run))
    except Conflict:
        log.info("run.answers_left", extra={"path": path})
    return run, etag


async def _start(wiring: Wiring, path: str, etag: str, run: Run, starts: Sequence[Start]) -> None:
    """Send what was written, then add the answers; if they cannot be added, the next look sees."""
    gate = asyncio.Semaphore(AT_ONCE)
    scale_set = _scale_set(run)

    async def send(start: Start) -> Answer:
        async with gate:
            return await _sent(wiring, scale_set, start)

    try:
        # Fetching a token may take as long as a window has left: before the time is looked at, not after.
        await wiring.compute(run.target.subscription).ready()
    except AzureTrouble as error:
        log.warning("run.no_token", extra={"path": path, "why": error.sentence})
    answers = await asyncio.gather(*(send(one) for one in starts))
    before, run = run.last_notice, answered(run, answers, wiring.now())
    try:
        await wiring.records.write(path, encode_run(run), etag=etag, metadata=run_metadata(run))
    except Conflict:
        log.info("run.answers_left", extra={"path": path})
        return
    if run.last_notice > before:
        await wiring.queues.send(NOTICES, NoticeMessage(tracking_id=run.waves[0], kind="wave"))


async def _sent(wiring: Wiring, scale_set: ScaleSet, start: Start) -> Answer:
    """One attempt at one instance, in time or not at all; what became of it as a value."""
    instance = start.instance
    now: datetime = wiring.now()
    if now >= start.before:
        return Answer(instance, Answered.WITHDRAWN, message="the look that saw it is no longer fresh")
    try:
        accepted = await wiring.compute(scale_set.subscription).start(scale_set, instance)
    except Throttled as error:
        return Answer(instance, Answered.WITHDRAWN, message=error.sentence, retry_after=error.retry_after)
    except NotFound as error:
        return Answer(instance, Answered.WITHDRAWN, message=error.sentence)
    except NotSent as error:
        return Answer(
            instance, Answered.WITHDRAWN, message=error.sentence, retry_after=wiring.settings.look_again
        )
    except Forbidden as error:
        return Answer(instance, Answered.WITHDRAWN, message=error.sentence, needs_person=True)
    except Refused as error:
        return Answer(instance, Answered.REFUSED, code=error.code, message=error.sentence)
    except AzureTrouble as error:
        return Answer(instance, Answered.LOST, message=error.sentence)
    return Answer(instance, Answered.ACCEPTED, operation=accepted.operation)
