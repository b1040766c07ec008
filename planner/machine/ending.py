"""The end of a run: every instance is accounted for, or no wave covers its scale set any more."""

from dataclasses import replace
from datetime import datetime

from planner.observe import left_to_azure
from planner.observe.batches import counted, soaked
from planner.record.action import Replan
from planner.record.batch import Batch
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.skip_reasons import skip_reasons
from planner.record.states import HANDS_OFF, InstanceState, RunState, transition
from planner.replan.reopening import EVERY
from planner.schedule.capacity import left_behind
from planner.state.journal import in_state, with_entry, with_notice
from planner.text.phrases import say


def finished(run: Run, observation: Observation, now: datetime) -> Run:
    """Every instance is settled: the run is over, with its sentence and its notice."""
    run = soaked(run, now)
    if run.repairs is not None:
        reason = "Every instance is accounted for; its automatic repairs have to run again before it is over."
        # A new plan may come first, and then a paused run still waits for what it was paused for.
        paused = run.state is RunState.PAUSED
        return replace(run, reason=run.reason if paused else reason, due=now + observation.poll_interval)
    counts = counted(run.instances)
    states = {instance.state for instance in run.instances}
    run = replace(
        run,
        ended_at=now,
        times=replace(run.times, forecast_end=None, slack=None),
        gaps=replace(run.gaps, missing={}, not_found={}, unread=None),
    )
    run = polled_later(run, observation, now)
    behind = left_behind(run, observation)
    if InstanceState.MISSED in states:
        run = in_state(run, RunState.MISSED, f"The self-service window closed on it: {counts}.{behind}", now)
        return with_notice(
            run, Kind.MISSED, Urgency.ACT, run.reason + _rest(run), now, instances=observation.instances
        )
    if InstanceState.CANCELLED in states:
        run = in_state(
            run, RunState.CANCELLED, f"The wave no longer concerns what was left: {counts}.{behind}", now
        )
        kind, sentence = Kind.CANCELLED, run.reason
    else:
        run = in_state(run, RunState.COMPLETED, f"Every instance is accounted for: {counts}.{behind}", now)
        kind, sentence = Kind.COMPLETED, f"{run.reason} {skip_reasons(run)}".strip()
    if behind:
        return with_notice(
            run,
            Kind.TROUBLE,
            Urgency.ACT,
            sentence,
            now,
            instances=observation.instances,
            otherwise=left_to_azure.UNTOUCHED,
        )
    return with_notice(run, kind, Urgency.KNOW, sentence, now, instances=observation.instances)


def polled_later(run: Run, observation: Observation, now: datetime) -> Run:
    """The ended run with when it is looked at next; never again once no wave of its is open."""
    recheck = now + EVERY if observation.open else None
    return replace(run, recheck=recheck, due=recheck or now)


def polled_again(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[Replan, ...]]:
    """An ended run when its time has come: the plan says whether something of it is due again."""
    if run.recheck is None or now < run.recheck:
        return run, ()
    asked = (Replan("it is over and its wave is open"),) if observation.open else ()
    return polled_later(run, observation, now), asked


def _rest(run: Run) -> str:
    """What becomes of the instances that were missed."""
    missed = [instance for instance in run.instances if instance.state is InstanceState.MISSED]
    down = [instance.id for instance in missed if instance.proof_at is not None]
    words = f" Maintained and not serving since: {', '.join(down)}." if down else ""
    left = len(missed) - len(down)
    if not left:
        return words
    which = ("the other" if left == 1 else "the others") if down else ("it" if left == 1 else "them")
    window = run.times.scheduled
    if window is None:
        return f"{words} Azure maintains {which} when it likes."
    return f"{words} Azure maintains {which} between {say(window.start)} and {say(window.end)}."


def closed(run: Run, now: datetime, *, cancelled: bool = False) -> Run:
    """No open wave covers the set any more: a hands-off run is final, a run is advanced to its end.

    What Azure has taken down is followed until it serves again.
    """
    if run.state not in HANDS_OFF or (not cancelled and left_to_azure.to_follow(run, now)):
        # Whatever a new plan was asked for, there is none to be made any more.
        return replace(run, replan="", due=now)
    words = "The wave was cancelled." if cancelled else "The wave is over."
    if cancelled and run.batches:
        run = replace(run, batches=tuple(_cancelled(batch, words, now) for batch in run.batches))
        run = replace(run, reason=left_to_azure.called_off(run))
    return replace(with_entry(run, "wave over", words, now), ended_at=now)


def _cancelled(batch: Batch, words: str, now: datetime) -> Batch:
    instances = tuple(
        instance
        if instance.settled
        else replace(
            instance, state=transition(instance.state, InstanceState.CANCELLED), reason=words, finished_at=now
        )
        for instance in batch.instances
    )
    return replace(batch, instances=instances)
