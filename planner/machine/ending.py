"""The end of a run: every instance is accounted for, or no wave covers its scale set any more."""

from dataclasses import replace
from datetime import datetime

from planner.observe import left_to_azure
from planner.observe.batches import counted, soaked
from planner.record.excuses import excuses
from planner.record.notice import Kind, Urgency
from planner.record.observation import Look, Replan
from planner.record.run import Batch, Run
from planner.record.states import ANSWERS, SETTLED, InstanceState, RunState, transition
from planner.replan.reopening import EVERY
from planner.schedule.capacity import left_behind
from planner.state.journal import moved, noted, told
from planner.text.phrases import say


def finished(run: Run, look: Look, now: datetime) -> Run:
    """Every instance is settled: the run is over, with its sentence and its notice."""
    run = soaked(run, now)
    if run.repairs is not None:
        reason = "Every instance is accounted for; its automatic repairs have to run again before it is over."
        # A new plan may come first, and then a paused run still waits for what it was paused for.
        paused = run.state is RunState.PAUSED
        return replace(run, reason=run.reason if paused else reason, due=now + look.look_again)
    counts = counted(run.passages)
    states = {one.state for one in run.passages}
    run = replace(run, ended_at=now, forecast_end=None, slack=None, missing={}, not_found={}, unread=None)
    run = looked_at_later(run, look, now)
    behind = left_behind(run, look)
    if InstanceState.MISSED in states:
        run = moved(run, RunState.MISSED, f"The self-service window closed on it: {counts}.{behind}", now)
        return told(run, Kind.MISSED, Urgency.ACT, run.reason + _rest(run), now, instances=look.instances)
    if InstanceState.CANCELLED in states:
        run = moved(
            run, RunState.CANCELLED, f"The wave no longer concerns what was left: {counts}.{behind}", now
        )
        kind, sentence = Kind.CANCELLED, run.reason
    else:
        run = moved(run, RunState.COMPLETED, f"Every instance is accounted for: {counts}.{behind}", now)
        kind, sentence = Kind.COMPLETED, f"{run.reason} {excuses(run)}".strip()
    if behind:
        return told(
            run,
            Kind.TROUBLE,
            Urgency.ACT,
            sentence,
            now,
            instances=look.instances,
            otherwise=left_to_azure.UNTOUCHED,
        )
    return told(run, kind, Urgency.KNOW, sentence, now, instances=look.instances)


def looked_at_later(run: Run, look: Look, now: datetime) -> Run:
    """The ended run with when it is looked at next; never again once no wave of its is open."""
    recheck = now + EVERY if look.open else None
    return replace(run, recheck=recheck, due=recheck or now)


def looked_at_again(run: Run, look: Look, now: datetime) -> tuple[Run, tuple[Replan, ...]]:
    """An ended run when its time has come: the plan says whether something of it is due again."""
    if run.recheck is None or now < run.recheck:
        return run, ()
    asked = (Replan("it is over and its wave is open"),) if look.open else ()
    return looked_at_later(run, look, now), asked


def _rest(run: Run) -> str:
    """What becomes of the instances that were missed."""
    missed = [one for one in run.passages if one.state is InstanceState.MISSED]
    down = [one.id for one in missed if one.proof_at is not None]
    words = f" Maintained and not serving since: {', '.join(down)}." if down else ""
    left = len(missed) - len(down)
    if not left:
        return words
    which = ("the other" if left == 1 else "the others") if down else ("it" if left == 1 else "them")
    if run.scheduled is None:
        return f"{words} Azure maintains {which} when it likes."
    return f"{words} Azure maintains {which} between {say(run.scheduled.start)} and {say(run.scheduled.end)}."


def closed(run: Run, now: datetime, *, cancelled: bool = False) -> Run:
    """No open wave covers the set any more: an answer of the day is final, a run is advanced to its end.

    What Azure has taken down is followed until it serves again.
    """
    if run.state not in ANSWERS or (not cancelled and left_to_azure.to_follow(run, now)):
        # Whatever a new plan was asked for, there is none to be made any more.
        return replace(run, replan="", due=now)
    words = "The wave was cancelled." if cancelled else "The wave is over."
    if cancelled and run.batches:
        run = replace(run, batches=tuple(_cancelled(one, words, now) for one in run.batches))
        run = replace(run, reason=left_to_azure.called_off(run))
    return replace(noted(run, "wave over", words, now), ended_at=now)


def _cancelled(batch: Batch, words: str, now: datetime) -> Batch:
    passages = tuple(
        one
        if one.state in SETTLED
        else replace(one, state=transition(one.state, InstanceState.CANCELLED), reason=words, finished_at=now)
        for one in batch.instances
    )
    return replace(batch, instances=passages)
