"""The state machine: a run, a poll and people's commands in; the run as it is now and what to do out.

Pure: it performs nothing and reads no clock. `handlers.stages.advance` performs its actions by the protocols.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from planner.decision.estimate import learned
from planner.machine import ending
from planner.observe import absence, left_to_azure
from planner.observe.batches import observed, soaked, standing
from planner.people import approval, paused_run
from planner.people.commands import with_commands
from planner.policy.overrides import with_raised
from planner.record.action import Action, Notify, PollAgain, Replan, Start
from planner.record.batch import Batch
from planner.record.cause import Cause
from planner.record.command import Command
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, counted
from planner.record.notice import Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import (
    ACTIVE,
    ENDED,
    HANDS_OFF,
    BatchState,
    InstanceState,
    RunState,
)
from planner.replan import outdated
from planner.schedule import options, timing
from planner.schedule.capacity import with_stops
from planner.start import eligible, gate, prepare, repairs
from planner.state.change import in_state, with_batches
from planner.state.journal import with_entry
from planner.state.notices import with_started_notice
from planner.text.backoff import DAILY, throttled_wait
from planner.text.phrases import say
from planner.waiting import alarm, deadline_warning, reminders, stalled, starting_soon

SOON = timedelta(seconds=5)
LONG_WAIT = 10  # a run that has waited long for others polls that much less often


def advance(
    run: Run, observation: Observation, commands: Iterable[Command], now: datetime
) -> tuple[Run, tuple[Action, ...]]:
    """One step of a run. Starts are asked for only if `observation` saw the instances.

    The run that comes back holds every intent and notice; the actions say what to send for it, the last of
    them when to poll again. An ended run is polled seldom, and not at all once its waves are over.
    """
    told_before = run.story.last_notice
    if observation.held_up is not None:
        run = replace(
            run,
            standing=replace(
                run.standing, holds_up=observation.held_up if observation.held_up.sets else None
            ),
        )
    run = with_commands(run, commands, observation, now)
    if observation.rules is not None and run.terms.raised:
        observation = replace(observation, rules=with_raised(observation.rules, run.terms.raised))
    actions: tuple[Action, ...] = ()
    if run.state in HANDS_OFF:
        run, actions = _hands_off(run, observation, now)
    elif run.state in ACTIVE:
        run, actions = _advanced(run, observation, now)
        run = starting_soon.told(alarm.kept(run, observation, told_before, now), observation, now)
        run = reminders.reminded(deadline_warning.warned(run, observation, now), observation, now)
    elif run.state in ENDED:
        run, actions = ending.polled_again(run, observation, now)
    tells = tuple(Notify(notice) for notice in run.story.notices if notice.number > told_before)
    over = run.state in ENDED and run.recheck is None
    again = () if over else (PollAgain(run.due),)
    return run, (*actions, *tells, *again)


def needs_azure(run: Run, observation: Observation, now: datetime) -> bool:
    """Whether this poll has to read Azure; waiting for others or for the stop does not."""
    if run.state not in ACTIVE:
        rechecked = observation.open and ending.to_poll_again(run, now)
        return rechecked or left_to_azure.to_follow(run, now)
    if run.state is RunState.PAUSED or gate.open_batch(run) is not None or observation.cancelled:
        return True
    if run.repairs is not None or absence.unclear(run):
        return True
    if run.times.self_service is not None and now >= run.times.self_service.end:
        return True
    held = gate.held(run, observation, now)
    return not (
        isinstance(held, gate.AskPerson) or (isinstance(held, gate.Wait) and held.cause in _WITHOUT_AZURE)
    )


_WITHOUT_AZURE = frozenset({Cause.STOP, Cause.UNREADABLE, Cause.LIMIT, Cause.PREDECESSOR})
"""What a run waits for that no poll of its own scale set shows."""


def may_start(run: Run, observation: Observation, now: datetime) -> bool:
    """Whether this poll may start a batch, so that scale set, policy and tags are to be read afresh."""
    if run.state not in {RunState.SCHEDULED, RunState.RUNNING} or run.people.holding:
        return False
    batch = gate.next_batch(soaked(run, now), now)
    return batch is not None and gate.held(soaked(run, now), observation, now) is None


def asks_for_a_place(run: Run, observation: Observation, now: datetime) -> bool:
    """Whether this poll has to know the limits: it may start something, or its plan does not fit.

    Whether that one fits again depends on who is in flight, too.
    """
    return may_start(run, observation, now) or (bool(run.people.misfit) and not run.claims)


def operations_wanted(run: Run) -> list[InstanceProgress]:
    """The instances whose operations this poll has to read."""
    return [each for each in run.instances if each.in_flight and each.operation and each.proof_at is None]


def repairs_wanted(run: Run, observation: Observation) -> bool:
    """Whether this poll has to know the state of automatic repairs."""
    return run.repairs is not None or (
        observation.scale_set is not None and observation.scale_set.automatic_repairs
    )


def _hands_off(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    """A hands-off run: planned again when it is time, and followed while Azure is at work."""
    again = left_to_azure.planned_again(run)
    if left_to_azure.to_follow(run, now) and (observation.instances is not None or observation.deleted):
        run, gone = _accounted(run, observation)
        if gone is None:
            return absence.without_scale_set(run, observation, now), ()
        run = left_to_azure.followed(run, observation, now, gone)
    if now >= again:
        return replace(run, due=now + left_to_azure.HANDS_OFF_AGAIN[0]), (
            Replan(f"{run.state} is looked at again"),
        )
    if left_to_azure.to_follow(run, now):
        soon = left_to_azure.next_poll(run, observation, now)
        if observation.wait is not None:
            soon = max(soon, now + throttled_wait(observation.wait, timedelta(0), run.target.id, now))
        return replace(run, due=min(again, soon)), ()
    return replace(run, due=left_to_azure.due(run, now)), ()


def _advanced(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    if observation.trouble:
        return paused_run.troubled(run, observation, now), ()
    run = replace(run, polls=run.polls + 1, gaps=replace(run.gaps, trouble=None))
    if observation.instances is not None or observation.deleted:
        run, gone = _accounted(run, observation)
        if gone is None:
            return absence.tracked(absence.without_scale_set(run, observation, now), observation, now), ()
        run = absence.tracked(observed(run, observation, now, gone), observation, now)
    run = _with_others(
        learned(soaked(run, now), observation.poll_interval, observation.durations), observation
    )
    run, calls = repairs.kept(run, observation, now)
    run, actions = _stepped(run, observation, now)
    if run.state in ACTIVE and absence.unclear(run):
        run = replace(run, due=min(run.due, absence.next_poll(run, observation, now)))
    if run.repairs is not None:
        # Nobody else sees to it that they run again.
        run = replace(run, due=min(run.due, now + observation.poll_interval))
    return run, (*calls, *actions)


def _accounted(run: Run, observation: Observation) -> tuple[Run, frozenset[str] | None]:
    """The run with what this poll left out, and what is certainly gone; None while the set itself may be."""
    if observation.deleted and not absence.deleted_for_certain(run, observation):
        return run, None
    run = with_stops(run, observation)
    if not observation.deleted:
        run = replace(run, gaps=replace(run.gaps, absent_since=None))
    return absence.noticed(run, observation)


def _with_others(run: Run, observation: Observation) -> Run:
    """The run with when those it waits for are expected to be over."""
    ends = [
        predecessor.ends
        for predecessor in observation.predecessors
        if predecessor.ends is not None and predecessor.name not in run.people.waived
    ]
    if observation.turn.start is not None:
        ends.append(observation.turn.start)
    return replace(run, times=replace(run.times, others_until=max(ends, default=None)))


def _stepped(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    if observation.deleted:
        # There is nothing to plan any more, whatever a plan was asked for.
        run = replace(run, replan="")
    if run.replan:
        pace = 1 if run.in_flight else paused_run.PAUSED_POLLS
        run = _unplanned(
            replace(run, due=now + observation.poll_interval * pace), run.replan, observation, now
        )
        return run, (Replan(run.replan),)
    again = outdated.why(run, observation, now)
    if again and now >= outdated.plan_again_at(run, observation):
        run = _unplanned(
            replace(run, due=now + observation.poll_interval * paused_run.PAUSED_POLLS),
            again,
            observation,
            now,
        )
        return run, (Replan(again),)
    paused_long = run.state is RunState.PAUSED and outdated.fruitless(run)
    if again and not paused_long and not run.in_flight:
        return _unplanned(outdated.planned_soon(run, again, observation), again, observation, now), ()
    if run.settled:
        return ending.finished(run, observation, now), ()
    if run.people.misfit and run.state is RunState.PAUSED and not run.people.holding:
        run = paused_run.fits_again(run, now)
    failed = [instance for instance in run.instances if instance.state is InstanceState.FAILED]
    urgency = Urgency.PAGE if any(instance.begun for instance in failed) else Urgency.ACT
    if failed and run.state is not RunState.PAUSED:
        run = paused_run.paused(run, paused_run.failure(failed), observation, now, urgency=urgency)
    if failed and run.people.holding:
        causes = [paused_run.failure([instance]) for instance in failed]
        run = paused_run.apart(run, causes, observation, now, urgency=urgency)
    if run.state is RunState.PAUSED:
        due = paused_run.due(run, observation, now)
        due = min(due, outdated.plan_again_at(run, observation)) if again else due
        return _timed(replace(run, due=due), observation, now), ()
    return _going_on(run, observation, now)


def _unplanned(run: Run, why: str, observation: Observation, now: datetime) -> Run:
    """A run that could start something and waits for a plan instead: that takes minutes, or is told."""
    if run.state not in {RunState.SCHEDULED, RunState.RUNNING} or run.in_flight:
        return run
    held = gate.held(run, observation, now)
    if not isinstance(held, gate.Wait):
        held = gate.Wait(f"it has to be planned again: {why}", cause=Cause.PLAN)
    return stalled.waiting(run, held, observation, now)


def _going_on(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    under_way = gate.open_batch(run)
    # Instances of a batch under way that were not sent yet (throttled) may still go; nothing else may.
    busy = under_way is not None and gate.next_batch(run, now) is None
    if under_way is not None and (busy or under_way.state is BatchState.SOAKING):
        return _under_way(run, under_way, observation, now), ()
    if not run.begun and not run.people.deadline_waived:
        run = timing.timed(run, now)
        problem = options.misfit(run, now)
        if problem:
            return paused_run.misfit(run, problem, observation, now), ()
    run = eligible.skipped(prepare.with_checks(run, observation, now), observation, now)
    if run.settled:
        return ending.finished(run, observation, now), ()
    answer = prepare.prepare(run, observation, now)
    if isinstance(answer, gate.PlanAgain) and run.in_flight:
        # What is in flight is watched to its end first; nothing else starts meanwhile.
        return (_under_way(run, under_way, observation, now) if under_way is not None else run), ()
    if isinstance(answer, gate.PlanAgain):
        if now < outdated.plan_again_at(run, observation):
            run = outdated.planned_soon(run, answer.reason, observation)
            return _unplanned(run, answer.reason, observation, now), ()
        run = replace(
            run,
            reason=f"Planned again: {answer.reason}.",
            due=now + observation.poll_interval * paused_run.PAUSED_POLLS,
        )
        return _unplanned(run, answer.reason, observation, now), (Replan(answer.reason),)
    if isinstance(answer, prepare.First):
        run = in_state(answer.run, run.state, f"Waiting: {answer.reason}.", now)
        run = _timed(replace(run, due=now + observation.poll_interval), observation, now)
        return stalled.waiting(
            run, gate.Wait(answer.reason, cause=Cause.REPAIRS), observation, now
        ), answer.actions
    if isinstance(answer, gate.AskPerson):
        run = paused_run.paused(run, answer.reason, observation, now)
        return _timed(replace(run, due=paused_run.due(run, observation, now)), observation, now), ()
    if isinstance(answer, gate.Wait):
        return _waiting(run, answer, observation, now), ()
    return _started(run, answer, observation, now)


def _under_way(run: Run, batch: Batch, observation: Observation, now: datetime) -> Run:
    if batch.state is BatchState.SOAKING and batch.verified_at is not None:
        ends = batch.verified_at + run.terms.soak
        half = batch.verified_at + run.terms.soak / 2
        run = in_state(
            run, RunState.RUNNING, f"{batch.domain} is healthy and watched until {say(ends)}.", now
        )
        return _timed(replace(run, due=half if now < half else ends), observation, now)
    run = in_state(run, RunState.RUNNING, f"{batch.domain}: {counted(batch.instances)}.", now)
    run = with_started_notice(run, now)
    return _timed(replace(run, due=now + observation.poll_interval), observation, now)


def _waiting(run: Run, wait: gate.Wait, observation: Observation, now: datetime) -> Run:
    if run.in_flight:
        return _timed(replace(run, due=now + observation.poll_interval), observation, now)
    begun = run.begun
    if approval.holds_up(run):
        if run.state is not RunState.AWAITING_APPROVAL:
            run = approval.asked_once(run, now)
        run = in_state(run, RunState.AWAITING_APPROVAL, f"Waiting for {wait.reason}.", now)
    else:
        run = in_state(
            run, RunState.RUNNING if begun else RunState.SCHEDULED, f"Waiting: {wait.reason}.", now
        )
    run = _timed(run, observation, now)
    pace = (
        observation.poll_interval
        * _jitter(run)
        * (LONG_WAIT if paused_run.long_since(run, observation, now) else 1)
    )
    # A time that has passed is no time for the next poll.
    until = min(wait.until, now + DAILY) if wait.until is not None and wait.until > now else now + pace
    if run.times.self_service is not None and now < run.times.self_service.end:
        until = min(until, run.times.self_service.end)
    if wait.cause is Cause.POLL:
        # Only a command came in between: the poll that can start follows at once.
        until = min(until, now + SOON)
    return stalled.waiting(replace(run, due=max(until, now)), wait, observation, now)


def _started(
    run: Run, go: prepare.Go, observation: Observation, now: datetime
) -> tuple[Run, tuple[Action, ...]]:
    old = next(batch for batch in run.batches if batch.number == go.batch.number)
    batch = standing(go.batch, now)
    # Two polls may fall on one moment: what an earlier one has started is not started again.
    under_way = {instance.id for instance in old.instances if instance.state is InstanceState.STARTING}
    starts = tuple(
        Start(instance.id, go.before)
        for instance in batch.instances
        if instance.state is InstanceState.STARTING and instance.id not in under_way
    )
    run = with_batches(run, [batch if each is old else each for each in run.batches], now)
    if starts and observation.turn.passes:
        run = with_entry(run, "went ahead", observation.turn.passes, now)
    if starts:
        # It moves: nothing holds it up, and it counts against the limits again.
        run = replace(
            run, standing=replace(run.standing, stalled=None), people=replace(run.people, lets_pass=False)
        )
    if not starts:
        if run.settled:
            return ending.finished(soaked(run, now), observation, now), ()
        return _timed(replace(run, due=now), observation, now), ()
    run = in_state(run, RunState.RUNNING, f"{batch.domain}: {counted(batch.instances)}.", now)
    return _timed(replace(run, due=now + observation.poll_interval), observation, now), starts


def _timed(run: Run, observation: Observation, now: datetime) -> Run:
    if observation.rules is not None:
        run = replace(
            run,
            terms=replace(run.terms, windows=observation.rules.windows, freezes=observation.rules.freezes),
        )
    return timing.timed(run, now)


def _jitter(run: Run) -> float:
    """Between one and three, different for each run and poll, the same for the same input."""
    seed = hashlib.sha256(f"{run.target.id}/{run.generation}/{run.polls}".encode()).digest()[0]
    return 1 + seed / 128
