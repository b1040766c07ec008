"""The end of a run: every instance is accounted for, or no wave covers its scale set any more."""

from datetime import datetime

from planner.azure.fleet import impacted
from planner.observe import left_to_azure
from planner.observe.batches import soaked
from planner.observe.outstanding import outstanding
from planner.observe.settle import settle
from planner.record.action import Replan
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, counted
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.skip_reasons import skip_reasons
from planner.record.states import ENDED, HANDS_OFF, InstanceState, RunState
from planner.replan.reopening import EVERY
from planner.schedule.capacity import left_behind
from planner.state.change import in_state, with_batches
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.text.phrases import say

ENDS = (
    (InstanceState.MISSED, RunState.MISSED, Kind.MISSED, "The self-service window closed before it was done"),
    (
        InstanceState.CANCELLED,
        RunState.CANCELLED,
        Kind.CANCELLED,
        "Azure cancelled what was left",
    ),
    (None, RunState.COMPLETED, Kind.COMPLETED, "Done"),
)
"""How a run ends, by the first of these in which an instance of it ended."""


def finished(run: Run, observation: Observation, now: datetime) -> Run:
    """Every instance is settled: the run is over, with its sentence and its notice."""
    run = soaked(run, now)
    if run.repairs is not None:
        reason = "All instances are done. Automatic repairs have to be back on before it is over."
        # A new plan may come first, and then a paused run still waits for what it was paused for.
        paused = run.state is RunState.PAUSED
        return replace(run, reason=run.reason if paused else reason, due=now + observation.poll_interval)
    counts, pages = counted(run.instances), _left_down(run)
    run = replace(
        run,
        ended_at=now,
        times=replace(run.times, forecast_end=None, slack=None),
        gaps=replace(run.gaps, missing={}, not_found={}, unread=None),
    )
    run = polled_later(run, observation, now)
    behind, otherwise, urgency = left_behind(run, observation), "", Urgency.KNOW
    states = {instance.state for instance in run.instances}
    state, kind, why = next(end for end in ENDS if end[0] is None or end[0] in states)[1:]
    ended = all_healthy(run) if state is RunState.COMPLETED else ""
    run = in_state(run, state, f"{ended or f'{why}: {counts}.'}{behind}", now)
    sentence = run.reason
    if state is RunState.MISSED:
        sentence, urgency = sentence + _rest(run), Urgency.PAGE if pages else Urgency.ACT
    elif behind:
        kind, urgency, otherwise = Kind.TROUBLE, Urgency.ACT, left_to_azure.UNTOUCHED
    if state is RunState.COMPLETED:
        sentence = f"{sentence} {skip_reasons(run)}".strip()
    return with_notice(
        run, kind, urgency, sentence, now, instances=observation.instances, otherwise=otherwise
    )


def _left_down(run: Run) -> bool:
    """Whether it ends with something down by our doing that nobody has acknowledged."""
    alarm = run.standing.alarm
    taken = alarm is not None and bool(alarm.taken_by)
    missed = InstanceState.MISSED
    return not taken and any(one.state is missed and one.proof_at is not None for one in run.instances)


def all_healthy(run: Run) -> str:
    """`All 3 instances rebooted and healthy.`; empty where something of it ended otherwise."""
    number = len(run.instances)
    if not number or any(each.state is not InstanceState.MAINTAINED for each in run.instances):
        return ""
    every = {1: "The instance", 2: "Both instances"}.get(number, f"All {number} instances")
    return f"{every} rebooted and healthy."


def polled_later(run: Run, observation: Observation, now: datetime) -> Run:
    """The ended run with its next poll; none once no wave of it is open."""
    recheck = now + EVERY if observation.open else None
    return replace(run, recheck=recheck, due=recheck or now)


def to_poll_again(run: Run, now: datetime) -> bool:
    """Whether the time of an ended run has come."""
    return run.state in ENDED and run.recheck is not None and now >= run.recheck


def polled_again(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[Replan, ...]]:
    """An ended run when its time has come: where it shows maintenance, the plan says whether that is due."""
    if not to_poll_again(run, now):
        return run, ()
    asked = (Replan("it is over and its wave is open"),) if _may_be_due(run, observation, now) else ()
    return polled_later(run, observation, now), asked


def _may_be_due(run: Run, observation: Observation, now: datetime) -> bool:
    """Whether a plan could find something due; one that sees no maintenance opens nothing.

    What could not be read is the plan's to put off, and to tell when it lasts.
    """
    if not observation.open:
        return False
    seen = observation.instances
    unread = seen is None or any(instance.unreadable for instance in seen)
    return unread or bool(impacted(outstanding(seen or (), run, now)))


def _rest(run: Run) -> str:
    """What becomes of the instances that were missed."""
    missed = [instance for instance in run.instances if instance.state is InstanceState.MISSED]
    down = [instance.id for instance in missed if instance.proof_at is not None]
    words = f" Rebooted and unhealthy since: {', '.join(down)}." if down else ""
    left = len(missed) - len(down)
    if not left:
        return words
    which = ("the other" if left == 1 else "the others") if down else ("it" if left == 1 else "them")
    window = run.times.scheduled
    if window is None:
        return f"{words} Azure reboots {which} at a time it chooses."
    return f"{words} Azure reboots {which} between {say(window.start)} and {say(window.end)}."


def closed(run: Run, now: datetime, *, cancelled: bool = False) -> Run:
    """No open wave covers the set any more: a hands-off run is final, a run is advanced to its end.

    What Azure has taken down is followed until it serves again.
    """
    if run.state not in HANDS_OFF or (not cancelled and left_to_azure.to_follow(run, now)):
        # Whatever a new plan was asked for, there is none to be made any more.
        return replace(run, replan="", due=now)
    words = "The wave was cancelled." if cancelled else "The wave is over."
    if cancelled and run.batches:

        def called_off(progress: InstanceProgress) -> InstanceProgress:
            if progress.settled:
                return progress
            return settle(progress, InstanceState.CANCELLED, words, now, gone=progress.gone)

        run = with_batches(run, [batch.each(called_off) for batch in run.batches], now)
        run = replace(run, reason=left_to_azure.called_off(run))
    return replace(with_entry(run, "wave over", words, now), ended_at=now)
