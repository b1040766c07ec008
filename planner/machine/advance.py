"""The state machine: a run, a look and what people said, in; the run as it is now and what to do, out.

Pure: it performs nothing and reads no clock. `handlers.stages.advance` performs its actions by the protocols.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from planner.decision.estimate import learned
from planner.machine import ending
from planner.observe import absence, left_to_azure
from planner.observe.batches import counted, observed, soaked, standing
from planner.people import approval, pausing
from planner.people.commands import heard
from planner.policy.overrides import with_raised
from planner.record.cause import Cause
from planner.record.notice import Urgency
from planner.record.observation import FIT, Action, Event, Look, LookAgain, Replan, Start, Tell
from planner.record.run import Batch, Run
from planner.record.states import (
    ACTIVE,
    ANSWERS,
    ENDED,
    IN_FLIGHT,
    SETTLED,
    BatchState,
    InstanceState,
    RunState,
)
from planner.replan import outdated
from planner.schedule import options, schedule
from planner.schedule.capacity import with_stops
from planner.start import eligible, gate, prepare, repairs
from planner.state.journal import begun_told, moved, noted
from planner.text.backoff import throttled_wait
from planner.text.phrases import say
from planner.waiting import deadline, reminders, stalled

DAILY = timedelta(days=1)

PAUSED_LOOKS = pausing.PAUSED_LOOKS
SOON = timedelta(seconds=5)
LONG_WAIT = 10  # a run that waits for others looks that much less often later


def advance(run: Run, look: Look, events: Iterable[Event], now: datetime) -> tuple[Run, tuple[Action, ...]]:
    """One step of a run. Starts are asked for only if `look` saw the instances.

    The run that comes back holds every intent and notice; the actions say what to send for it, the last
    of them when to look again. An ended run is looked at seldom, and not at all once its waves are over.
    """
    told_before = run.last_notice
    if look.held_up is not None:
        run = replace(run, holds_up=look.held_up if look.held_up.sets else None)
    run = heard(run, events, look, now)
    if look.rules is not None and run.raised:
        look = replace(look, rules=with_raised(look.rules, run.raised))
    actions: tuple[Action, ...] = ()
    if run.state in ANSWERS:
        run, actions = _answered(run, look, now)
    elif run.state in ACTIVE:
        run, actions = _advanced(run, look, now)
        run = reminders.reminded(deadline.warned(run, look, now), look, now)
    elif run.state in ENDED:
        run, actions = ending.looked_at_again(run, look, now)
    tells = tuple(Tell(one) for one in run.notices if one.number > told_before)
    over = run.state in ENDED and run.recheck is None
    again = () if over else (LookAgain(run.due),)
    return run, (*actions, *tells, *again)


def needs_azure(run: Run, look: Look, now: datetime) -> bool:
    """Whether this look has to read Azure; waiting for others or for the stop does not."""
    if run.state not in ACTIVE:
        return left_to_azure.to_follow(run, now)
    if run.state is RunState.PAUSED or gate.open_batch(run) is not None or look.cancelled:
        return True
    if run.repairs is not None or absence.unclear(run):
        return True
    if run.self_service is not None and now >= run.self_service.end:
        return True
    held = gate.held(run, look, now)
    return not (isinstance(held, gate.AskPerson) or (isinstance(held, gate.Wait) and held.until is None))


def may_start(run: Run, look: Look, now: datetime) -> bool:
    """Whether this look may start a batch, so that scale set, policy and tags are to be read afresh."""
    if run.state not in {RunState.SCHEDULED, RunState.RUNNING} or run.holding:
        return False
    batch = gate.next_batch(soaked(run, now), now)
    return batch is not None and gate.held(soaked(run, now), look, now) is None


def repairs_wanted(run: Run, look: Look) -> bool:
    """Whether this look has to know the state of automatic repairs."""
    return run.repairs is not None or (look.scale_set is not None and look.scale_set.automatic_repairs)


def _answered(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    """An answer of the day: planned again when it is time, and followed while Azure is at work."""
    again = left_to_azure.planned_again(run)
    if left_to_azure.to_follow(run, now) and (look.instances is not None or look.deleted):
        run, gone = _accounted(run, look)
        if gone is None:
            return absence.without_scale_set(run, look, now), ()
        run = left_to_azure.followed(run, look, now, gone)
    if now >= again:
        return replace(run, due=now + left_to_azure.ANSWER_AGAIN[0]), (
            Replan(f"{run.state} is looked at again"),
        )
    if left_to_azure.to_follow(run, now):
        soon = left_to_azure.next_look(run, look, now)
        if look.wait is not None:
            soon = max(soon, now + throttled_wait(look.wait, timedelta(0), run.target.id, now))
        return replace(run, due=min(again, soon)), ()
    return replace(run, due=left_to_azure.due(run, now)), ()


def _advanced(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    if look.trouble:
        return pausing.troubled(run, look, now), ()
    run = replace(run, trouble=None, looks=run.looks + 1)
    if look.instances is not None or look.deleted:
        run, gone = _accounted(run, look)
        if gone is None:
            return absence.tracked(absence.without_scale_set(run, look, now), look, now), ()
        run = absence.tracked(observed(run, look, now, gone), look, now)
    run = _with_others(learned(soaked(run, now), look.look_again, look.durations), look)
    run, calls = repairs.kept(run, look, now)
    run, actions = _stepped(run, look, now)
    if run.state in ACTIVE and absence.unclear(run):
        run = replace(run, due=min(run.due, absence.next_look(run, look, now)))
    if run.repairs is not None:
        # Nobody else sees to it that they run again.
        run = replace(run, due=min(run.due, now + look.look_again))
    return run, (*calls, *actions)


def _accounted(run: Run, look: Look) -> tuple[Run, frozenset[str] | None]:
    """The run with what this look left out, and what is certainly gone; None while the set itself may be."""
    if look.deleted and not absence.deleted_for_certain(run, look):
        return run, None
    run = with_stops(run, look)
    if not look.deleted:
        run = replace(run, absent_since=None)
    return absence.noticed(run, look)


def _with_others(run: Run, look: Look) -> Run:
    """The run with when those it waits for are expected to be over."""
    ends = [one.ends for one in look.predecessors if one.ends is not None and one.name not in run.waived]
    if look.limit and look.limit_until is not None:
        ends.append(look.limit_until)
    return replace(run, others_until=max(ends, default=None))


def _stepped(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    if look.deleted:
        # There is nothing to plan any more, whatever a plan was asked for.
        run = replace(run, replan="")
    if run.replan:
        pace = 1 if any(one.state in IN_FLIGHT for one in run.passages) else PAUSED_LOOKS
        run = _unplanned(replace(run, due=now + look.look_again * pace), run.replan, look, now)
        return run, (Replan(run.replan),)
    again = outdated.why(run, look, now)
    if again and now >= outdated.plan_again_at(run, look):
        run = _unplanned(replace(run, due=now + look.look_again * PAUSED_LOOKS), again, look, now)
        return run, (Replan(again),)
    paused_long = run.state is RunState.PAUSED and outdated.in_vain(run)
    if again and not paused_long and not any(one.state in IN_FLIGHT for one in run.passages):
        return _unplanned(outdated.planned_soon(run, again, look), again, look, now), ()
    if all(one.state in SETTLED for one in run.passages):
        return ending.finished(run, look, now), ()
    if run.misfit and run.state is RunState.PAUSED and not run.holding:
        run = pausing.fits_again(run, now)
    failed = [one for one in run.passages if one.state is InstanceState.FAILED]
    if failed and run.state is not RunState.PAUSED:
        ours = any(one.begun for one in failed)
        urgency = Urgency.PAGE if ours else Urgency.ACT
        run = pausing.paused(run, pausing.failure(failed), look, now, urgency=urgency)
    if failed and run.holding:
        run = pausing.apart(run, [pausing.failure([one]) for one in failed], look, now)
    if run.state is RunState.PAUSED:
        due = pausing.due(run, look, now)
        due = min(due, outdated.plan_again_at(run, look)) if again else due
        return _timed(replace(run, due=due), look, now), ()
    return _going_on(run, look, now)


def _unplanned(run: Run, why: str, look: Look, now: datetime) -> Run:
    """A run that could start something and waits for a plan instead: that takes minutes, or is told."""
    if run.state not in {RunState.SCHEDULED, RunState.RUNNING} or run.flying:
        return run
    held = gate.held(run, look, now)
    if not isinstance(held, gate.Wait):
        held = gate.Wait(f"it has to be planned again, since {why}", cause=Cause.PLAN)
    return stalled.waiting(run, held, look, now)


def _going_on(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    under_way = gate.open_batch(run)
    # Instances of a batch under way that were not sent yet (throttled) may still go; nothing else may.
    busy = under_way is not None and gate.next_batch(run, now) is None
    if under_way is not None and (busy or under_way.state is BatchState.SOAKING):
        return _under_way(run, under_way, look, now), ()
    if not any(one.started_at for one in run.batches) and FIT not in run.waived:
        run = schedule.timed(run, now)
        problem = options.misfit(run, now)
        if problem:
            return pausing.misfit(run, problem, look, now), ()
    run = eligible.excused(prepare.with_checks(run, look, now), look, now)
    if all(one.state in SETTLED for one in run.passages):
        return ending.finished(run, look, now), ()
    answer = prepare.prepare(run, look, now)
    if isinstance(answer, gate.PlanAgain) and any(one.state in IN_FLIGHT for one in run.passages):
        # What is in flight is watched to its end first; nothing else starts meanwhile.
        return (_under_way(run, under_way, look, now) if under_way is not None else run), ()
    if isinstance(answer, gate.PlanAgain):
        if now < outdated.plan_again_at(run, look):
            run = outdated.planned_soon(run, answer.reason, look)
            return _unplanned(run, answer.reason, look, now), ()
        run = replace(
            run, reason=f"Planned again: {answer.reason}.", due=now + look.look_again * PAUSED_LOOKS
        )
        return _unplanned(run, answer.reason, look, now), (Replan(answer.reason),)
    if isinstance(answer, prepare.First):
        run = moved(answer.run, run.state, f"Waits: {answer.reason}.", now)
        run = _timed(replace(run, due=now + look.look_again), look, now)
        return stalled.waiting(run, gate.Wait(answer.reason, cause=Cause.REPAIRS), look, now), answer.actions
    if isinstance(answer, gate.AskPerson):
        run = pausing.paused(run, answer.reason, look, now)
        return _timed(replace(run, due=pausing.due(run, look, now)), look, now), ()
    if isinstance(answer, gate.Wait):
        return _waiting(run, answer, look, now), ()
    return _started(run, answer, look, now)


def _under_way(run: Run, batch: Batch, look: Look, now: datetime) -> Run:
    if batch.state is BatchState.SOAKING and batch.verified_at is not None:
        ends = batch.verified_at + run.soak
        half = batch.verified_at + run.soak / 2
        run = moved(run, RunState.RUNNING, f"{batch.domain} is healthy and soaks until {say(ends)}.", now)
        return _timed(replace(run, due=half if now < half else ends), look, now)
    run = moved(run, RunState.RUNNING, f"{batch.domain}: {counted(batch.instances)}.", now)
    run = begun_told(run, now)
    return _timed(replace(run, due=now + look.look_again), look, now)


def _waiting(run: Run, wait: gate.Wait, look: Look, now: datetime) -> Run:
    if any(one.state in IN_FLIGHT for one in run.passages):
        return _timed(replace(run, due=now + look.look_again), look, now)
    begun = any(batch.started_at for batch in run.batches)
    if approval.holds_up(run):
        if run.state is not RunState.AWAITING_APPROVAL:
            run = approval.asked_once(run, now)
        run = moved(run, RunState.AWAITING_APPROVAL, f"Waits for {wait.reason}.", now)
    else:
        run = moved(run, RunState.RUNNING if begun else RunState.SCHEDULED, f"Waits: {wait.reason}.", now)
    run = _timed(run, look, now)
    pace = look.look_again * _jitter(run) * (LONG_WAIT if pausing.long_since(run, look, now) else 1)
    # A moment that has passed says nothing about when to look again.
    until = min(wait.until, now + DAILY) if wait.until is not None and wait.until > now else now + pace
    if run.self_service is not None and now < run.self_service.end:
        until = min(until, run.self_service.end)
    if wait.cause is Cause.LOOK:
        # Only a word came in between: the look that can start follows at once.
        until = min(until, now + SOON)
    return stalled.waiting(replace(run, due=max(until, now)), wait, look, now)


def _started(run: Run, go: prepare.Go, look: Look, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    old = next(one for one in run.batches if one.number == go.batch.number)
    batch = standing(go.batch, now)
    # Two looks may fall on one moment: what an earlier one has started is not started again.
    under_way = {one.id for one in old.instances if one.state is InstanceState.STARTING}
    starts = tuple(
        Start(one.id, go.before)
        for one in batch.instances
        if one.state is InstanceState.STARTING and one.id not in under_way
    )
    run = replace(run, batches=tuple(batch if one is old else one for one in run.batches))
    if starts:
        # It moves: nothing holds it up, and it counts against the limits again.
        run = replace(run, stalled=None, lets_pass=False)
    if not starts:
        if all(one.state in SETTLED for one in run.passages):
            return ending.finished(soaked(run, now), look, now), ()
        return _timed(replace(run, due=now), look, now), ()
    which = ", ".join(one.instance for one in starts)
    run = noted(run, f"batch {batch.number} started", f"{batch.domain}: instances {which}", now)
    run = moved(run, RunState.RUNNING, f"{batch.domain}: {counted(batch.instances)}.", now)
    return _timed(replace(run, due=now + look.look_again), look, now), starts


def _timed(run: Run, look: Look, now: datetime) -> Run:
    if look.rules is not None:
        run = replace(run, windows=look.rules.windows, freezes=look.rules.freezes)
    return schedule.timed(run, now)


def _jitter(run: Run) -> float:
    """Between one and three, different for each run and look, the same for the same input."""
    seed = hashlib.sha256(f"{run.target.id}/{run.generation}/{run.looks}".encode()).digest()[0]
    return 1 + seed / 128
