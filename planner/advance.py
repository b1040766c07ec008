"""The state machine: a run, a look and what people said, in; the run as it is now and what to do, out.

Pure: it performs nothing and reads no clock. `handlers.advance` performs its actions by the protocols.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner import evidence, schedule, starting
from planner.fleet import Instance
from planner.look import Action, Event, Look, LookAgain, Replan, Start, Tell
from planner.notice import Kind, Urgency
from planner.people import heard
from planner.run import (
    ACTIVE,
    ANSWERS,
    ENDED,
    IN_FLIGHT,
    SETTLED,
    Batch,
    BatchState,
    InstanceState,
    Passage,
    Run,
    RunState,
    Trouble,
)
from planner.schedule import say
from planner.telling import if_nobody_answers, moved, noted, told

DAILY = timedelta(days=1)
ANSWER_AGAIN = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""When an answer of the day is looked at again: after 15 minutes, an hour, then every six hours."""

TROUBLE_FIRST, TROUBLE_MOST, TROUBLE_TOLD = (
    timedelta(seconds=30),
    timedelta(minutes=10),
    timedelta(minutes=30),
)
PAUSED_LOOKS, PAUSED_LONG = 5, 60  # look-agains between looks at a paused run, at first and later
LONG_WAIT = 10  # a run that waits for others looks that much less often later
QUIET = 60  # later is after so many look-agains without anything happening


def advance(run: Run, look: Look, events: Iterable[Event], now: datetime) -> tuple[Run, tuple[Action, ...]]:
    """One step of a run. Starts are asked for only if `look` saw the instances.

    The run that comes back holds every intent and notice; the actions say what to send for it, the last
    of them when to look again. An ended run asks for nothing.
    """
    told_before = run.last_notice
    run = heard(run, events, look, now)
    actions: tuple[Action, ...] = ()
    if run.state in ANSWERS:
        actions = (Replan(f"{run.state} is looked at again"),)
        run = replace(run, due=now + ANSWER_AGAIN[-1])
    elif run.state in ACTIVE:
        run, actions = _advanced(run, look, now)
    tells = tuple(Tell(one) for one in run.notices if one.number > told_before)
    again = () if run.state in ENDED else (LookAgain(run.due),)
    return run, (*actions, *tells, *again)


def needs_azure(run: Run, look: Look, now: datetime) -> bool:
    """Whether this look has to read Azure; waiting for others or for the stop does not."""
    if run.state not in ACTIVE:
        return False
    if run.state is RunState.PAUSED or starting.open_batch(run) is not None or look.cancelled:
        return True
    if run.self_service is not None and now >= run.self_service.end:
        return True
    held = starting.gate(run, look, now)
    return not (
        isinstance(held, starting.AskPerson) or (isinstance(held, starting.Wait) and held.until is None)
    )


def may_start(run: Run, look: Look, now: datetime) -> bool:
    """Whether this look may start a batch, so that scale set, policy and tags are to be read afresh."""
    if run.state not in {RunState.SCHEDULED, RunState.RUNNING} or run.holding:
        return False
    batch = starting.next_batch(_soaked(run, now), now)
    return batch is not None and starting.gate(_soaked(run, now), look, now) is None


def _advanced(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    if look.trouble:
        return _troubled(run, look, now), ()
    run = replace(run, trouble=None, looks=run.looks + 1)
    if look.instances is not None or look.deleted:
        run = _observed(run, look, now)
    run = _soaked(run, now)
    if look.instances is not None:
        again = _needs_plan(run, look.instances)
        if again:
            return replace(run, due=now + look.look_again * PAUSED_LOOKS), (Replan(again),)
    if all(one.state in SETTLED for one in run.passages):
        return _finished(run, look, now), ()
    failed = [one for one in run.passages if one.state is InstanceState.FAILED]
    if failed and run.state is not RunState.PAUSED:
        run = _paused(run, failed[0].reason, look, now)
    if run.state is RunState.PAUSED:
        return _timed(replace(run, due=_paused_due(run, look, now)), look, now), ()
    return _going_on(run, look, now)


def _observed(run: Run, look: Look, now: datetime) -> Run:
    seen: dict[str, Instance] = {one.id: one for one in look.instances or ()}
    batches: list[Batch] = []
    aside: list[Passage] = []
    for batch in run.batches:
        passages = [evidence.observed(run, one, seen.get(one.id), look, now) for one in batch.instances]
        if batch.state is not BatchState.PENDING and len(passages) > 1:
            # What has to be tried again later holds up nothing else: a batch of its own.
            aside += [one for one in passages if one.state is InstanceState.ASIDE]
            passages = [one for one in passages if one.state is not InstanceState.ASIDE]
        if passages:
            batches.append(_standing(replace(batch, instances=tuple(passages)), now))
    number = max((one.number for one in run.batches), default=0)
    for passage in aside:
        number += 1
        batches.append(
            Batch(
                number,
                f"instance {passage.id}, again",
                (replace(passage, since=None),),
                held_until=passage.since,
            )
        )
    changed = replace(run, batches=tuple(batches))
    for old in run.batches:
        new = next((one for one in batches if one.number == old.number), None)
        if (
            new is not None
            and new.state is not old.state
            and new.state in {BatchState.SOAKING, BatchState.DONE}
        ):
            changed = noted(
                changed, f"batch {new.number} {new.state}", f"{new.domain}: {counted(new.instances)}", now
            )
    return _over_at_window_end(changed, now)


def _standing(batch: Batch, now: datetime) -> Batch:
    """The batch's state from its instances'."""
    states = {one.state for one in batch.instances}
    if batch.state is BatchState.DONE:
        return batch
    if InstanceState.FAILED in states:
        return replace(batch, state=BatchState.FAILED)
    if states & IN_FLIGHT:
        for state, name in (
            (InstanceState.STARTING, BatchState.STARTING),
            (InstanceState.REBOOTING, BatchState.REBOOTING),
        ):
            if state in states:
                return replace(batch, state=name)
        return replace(batch, state=BatchState.VERIFYING)
    if states <= SETTLED:
        if batch.started_at is None or InstanceState.MAINTAINED not in states:
            return replace(batch, state=BatchState.DONE, finished_at=batch.finished_at or now)
        if batch.state is BatchState.SOAKING:
            return batch
        return replace(batch, state=BatchState.SOAKING, verified_at=now)
    if states == {InstanceState.ASIDE}:
        wait = max((one.since for one in batch.instances if one.since is not None), default=None)
        rested = tuple(replace(one, since=None) for one in batch.instances)
        return replace(batch, state=BatchState.PENDING, held_until=wait, instances=rested)
    return batch


def _soaked(run: Run, now: datetime) -> Run:
    """Batches whose soak is over are done; the last one needs no soak."""
    over = all(one.state in SETTLED for one in run.passages)

    def soaked(batch: Batch) -> Batch:
        if batch.state is not BatchState.SOAKING or batch.verified_at is None:
            return batch
        if over or now >= batch.verified_at + run.soak:
            return replace(batch, state=BatchState.DONE, finished_at=now)
        return batch

    return replace(run, batches=tuple(map(soaked, run.batches)))


def _over_at_window_end(run: Run, now: datetime) -> Run:
    """With the window closed nothing can be tried again: a failed instance is what it is."""
    unsettled = [one for one in run.passages if one.state not in SETTLED]
    closed = run.self_service is not None and now >= run.self_service.end
    if not closed or not unsettled or any(one.state is not InstanceState.FAILED for one in unsettled):
        return run

    def settled(passage: Passage) -> Passage:
        if passage.state is not InstanceState.FAILED:
            return passage
        proven = passage.proof_at is not None
        state = InstanceState.MAINTAINED if proven else InstanceState.MISSED
        words = "The self-service window has closed; a person must look at it."
        return replace(passage, state=state, reason=f"{passage.reason} {words}", finished_at=now)

    batches = tuple(
        _standing(replace(one, instances=tuple(map(settled, one.instances))), now) for one in run.batches
    )
    return replace(run, batches=batches)


def _needs_plan(run: Run, instances: Sequence[Instance]) -> str:
    """Why the plan no longer covers what the look saw, empty when it does."""
    passages = {one.id: one for one in run.passages}
    for instance in instances:
        if instance.maintenance is None:
            continue
        passage = passages.get(instance.id)
        if passage is None:
            if instance.maintenance.result == "MaintenanceCompleted":
                continue
            return f"instance {instance.id} shows maintenance and is not in the plan"
        if evidence.returned(passage, instance):
            return f"instance {instance.id} shows maintenance again"
    return ""


def _going_on(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    under_way = starting.open_batch(run)
    # Instances of a batch under way that were not sent yet (throttled) may still go; nothing else may.
    busy = under_way is not None and starting.next_batch(run, now) is None
    if under_way is not None and (busy or under_way.state is BatchState.SOAKING):
        return _under_way(run, under_way, look, now), ()
    answer = starting.prepare(run, look, now)
    if isinstance(answer, starting.PlanAgain):
        run = replace(
            run, reason=f"Planned again: {answer.reason}.", due=now + look.look_again * PAUSED_LOOKS
        )
        return run, (Replan(answer.reason),)
    if isinstance(answer, starting.AskPerson):
        run = _paused(run, answer.reason, look, now)
        return _timed(replace(run, due=_paused_due(run, look, now)), look, now), ()
    if isinstance(answer, starting.Wait):
        return _waiting(run, answer, look, now), ()
    return _started(run, answer, look, now)


def _under_way(run: Run, batch: Batch, look: Look, now: datetime) -> Run:
    if batch.state is BatchState.SOAKING and batch.verified_at is not None:
        ends = batch.verified_at + run.soak
        half = batch.verified_at + run.soak / 2
        run = moved(run, RunState.RUNNING, f"{batch.domain} is healthy and soaks until {say(ends)}.", now)
        return _timed(replace(run, due=half if now < half else ends), look, now)
    run = moved(run, RunState.RUNNING, f"{batch.domain}: {counted(batch.instances)}.", now)
    return _timed(replace(run, due=now + look.look_again), look, now)


def _waiting(run: Run, wait: starting.Wait, look: Look, now: datetime) -> Run:
    if any(one.state in IN_FLIGHT for one in run.passages):
        return _timed(replace(run, due=now + look.look_again), look, now)
    begun = any(batch.started_at for batch in run.batches)
    if run.mode == "approve" and run.approved != run.checksum and not begun:
        run = moved(run, RunState.AWAITING_APPROVAL, f"Waits for {wait.reason}.", now)
    else:
        run = moved(run, RunState.RUNNING if begun else RunState.SCHEDULED, f"Waits: {wait.reason}.", now)
    run = _timed(run, look, now)
    pace = look.look_again * _jitter(run) * (LONG_WAIT if _long_since(run, look, now) else 1)
    until = min(wait.until, now + DAILY) if wait.until is not None else now + pace
    if run.self_service is not None and now < run.self_service.end:
        until = min(until, run.self_service.end)
    return replace(run, due=max(until, now))


def _started(run: Run, go: starting.Go, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    old = next(one for one in run.batches if one.number == go.batch.number)
    batch = _standing(go.batch, now)
    starts = tuple(
        Start(one.id, go.before)
        for one in batch.instances
        if one.state is InstanceState.STARTING and one.intent_at == now
    )
    run = replace(run, batches=tuple(batch if one is old else one for one in run.batches))
    if not starts:
        if all(one.state in SETTLED for one in run.passages):
            return _finished(_soaked(run, now), look, now), ()
        return _timed(replace(run, due=now), look, now), ()
    first = (
        not any(one.started_at for one in run.batches if one.number != batch.number)
        and old.started_at is None
    )
    which = ", ".join(one.instance for one in starts)
    run = noted(run, f"batch {batch.number} started", f"{batch.domain}: instances {which}", now)
    run = moved(run, RunState.RUNNING, f"{batch.domain}: {counted(batch.instances)}.", now)
    if first:
        run = told(run, Kind.STARTED, Urgency.KNOW, f"Maintenance starts with {batch.domain}.", now)
    return _timed(replace(run, due=now + look.look_again), look, now), starts


def _finished(run: Run, look: Look, now: datetime) -> Run:
    """Every instance is settled: the run is over, with its sentence and its notice."""
    run = _soaked(run, now)
    counts = counted(run.passages)
    states = {one.state for one in run.passages}
    run = replace(run, ended_at=now, forecast_end=None, slack=None, due=now)
    if InstanceState.MISSED in states:
        azure = (
            f" Azure maintains them between {say(run.scheduled.start)} and {say(run.scheduled.end)}."
            if run.scheduled
            else " Azure maintains them when it likes."
        )
        run = moved(run, RunState.MISSED, f"The self-service window closed on it: {counts}.", now)
        return told(run, Kind.MISSED, Urgency.ACT, run.reason + azure, now, instances=look.instances)
    if InstanceState.CANCELLED in states:
        run = moved(run, RunState.CANCELLED, f"The wave no longer concerns what was left: {counts}.", now)
        return told(run, Kind.CANCELLED, Urgency.KNOW, run.reason, now, instances=look.instances)
    run = moved(run, RunState.COMPLETED, f"Every instance is accounted for: {counts}.", now)
    return told(run, Kind.COMPLETED, Urgency.KNOW, run.reason, now, instances=look.instances)


def _paused(run: Run, reason: str, look: Look, now: datetime) -> Run:
    run = moved(run, RunState.PAUSED, reason, now)
    return told(
        run,
        Kind.PAUSED,
        Urgency.ACT,
        reason,
        now,
        instances=look.instances,
        otherwise=if_nobody_answers(run),
        answers=("resume", "skip", "hold"),
    )


def _paused_due(run: Run, look: Look, now: datetime) -> datetime:
    in_flight = any(one.state in IN_FLIGHT for one in run.passages)
    slow = PAUSED_LONG if _long_since(run, look, now) else PAUSED_LOOKS
    due = now + look.look_again * (1 if in_flight else slow)
    if run.self_service is not None and now < run.self_service.end:
        due = min(due, run.self_service.end)
    return due


def _troubled(run: Run, look: Look, now: datetime) -> Run:
    """Azure cannot be read: wait longer each time, tell once after half an hour, start nothing."""
    old = run.trouble or Trouble(since=now, count=0, error="")
    trouble = Trouble(old.since, old.count + 1, look.trouble, old.told)
    wait = min(TROUBLE_FIRST * 2 ** min(old.count, 10), TROUBLE_MOST)
    run = replace(run, trouble=trouble, due=now + wait)
    if run.state is not RunState.PAUSED:
        run = replace(run, reason=f"Azure cannot be read since {say(trouble.since)}: {look.trouble}")
    if not trouble.told and now - trouble.since >= TROUBLE_TOLD:
        run = told(run, Kind.TROUBLE, Urgency.ACT, run.reason, now, otherwise=if_nobody_answers(run))
        run = replace(run, trouble=replace(trouble, told=True))
    return run


def _timed(run: Run, look: Look, now: datetime) -> Run:
    return schedule.timed(run, look.rules, now) if look.rules is not None else run


def counted(passages: Sequence[Passage]) -> str:
    """How many instances stand where, in words: `3 maintained, 1 excused`."""
    counts: dict[str, int] = {}
    for one in passages:
        counts[one.state] = counts.get(one.state, 0) + 1
    return ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in counts.items())


def _long_since(run: Run, look: Look, now: datetime) -> bool:
    """Whether nothing has happened for an hour, so that looks may be further apart."""
    return bool(run.history) and now - run.history[-1].at > look.look_again * QUIET


def _jitter(run: Run) -> float:
    """Between one and three, different for each run and look, the same for the same input."""
    seed = hashlib.sha256(f"{run.target.id}/{run.generation}/{run.looks}".encode()).digest()[0]
    return 1 + seed / 128
