"""What holds a start up before Azure is read: approval, the stop, times, who goes first, limits."""

from dataclasses import dataclass, field
from datetime import datetime

from planner.people import approval
from planner.record.batch import Batch
from planner.record.cause import Cause
from planner.record.observation import ASKS, Observation
from planner.record.run import Run
from planner.record.states import BatchState, RunState
from planner.schedule.timing import next_start
from planner.text.backoff import DAILY
from planner.text.phrases import inner
from planner.words import waits as words


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can start now, and why; `until` is when to poll again, None for a poll interval from now.

    `cause` is the kind of reason: a run that may start by its times and does not is told under it.
    """

    reason: str
    until: datetime | None = None
    cause: Cause = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Only a person can go on from here."""

    reason: str


@dataclass(frozen=True, slots=True)
class PlanAgain:
    """What was planned no longer fits what is there."""

    reason: str


def open_batch(run: Run) -> Batch | None:
    """The batch that is under way: something of it was started and it is not done."""
    return next(
        (batch for batch in run.batches if batch.state not in {BatchState.PENDING, BatchState.DONE}),
        None,
    )


def next_batch(run: Run, now: datetime) -> Batch | None:
    """The batch to start from next: the one under way, else the first that may go or is held back least."""
    under_way = open_batch(run)
    if under_way is not None:
        return under_way if under_way.waiting and approval.cleared(run, under_way) else None
    waiting = [
        batch
        for batch in run.batches
        if batch.state is not BatchState.DONE and batch.waiting and approval.cleared(run, batch)
    ]
    ready = [batch for batch in waiting if batch.waits_until is None or batch.waits_until <= now]
    if ready:
        return ready[0]
    return min(waiting, key=lambda batch: (batch.waits_until or now, batch.number), default=None)


def held(run: Run, observation: Observation, now: datetime) -> Wait | AskPerson | None:
    """What forbids a start whatever Azure shows; None when Azure has to be read.

    Called before Azure is read, so that waiting costs no calls.
    """
    batch = next_batch(run, now)
    if batch is None:
        if approval.wanted(run):
            return Wait(words.APPROVAL, now + DAILY, cause=Cause.APPROVAL)
        return Wait(words.NOTHING_LEFT, cause=Cause.STARTED)
    if observation.stopped:
        return Wait(inner(observation.stopped), cause=Cause.STOP)
    waits = batch.waits_until
    earliest = max(
        (moment for moment in (run.times.lead_over, waits, _opens(run)) if moment is not None),
        default=now,
    )
    if now < earliest:
        what = words.LEAD_TIME if earliest == run.times.lead_over else words.SELF_SERVICE_WINDOW
        if earliest == waits and earliest not in {run.times.lead_over, _opens(run)}:
            what = words.NEXT_ATTEMPT if batch.retry else words.ITS_TIME
        return Wait(words.until(what, earliest), earliest, cause=Cause.TIMES)
    windows, freezes = (
        (observation.rules.windows, observation.rules.freezes)
        if observation.rules is not None
        else (run.terms.windows, run.terms.freezes)
    )
    start, why = next_start(windows, freezes, now, run.times.expected)
    if start is None:
        return Wait(why, now + DAILY, cause=Cause.TIMES)
    if start > now:
        return Wait(why, start, cause=Cause.TIMES)
    closing = run.times.self_service.end if run.times.self_service is not None else None
    if closing is not None and now + run.times.expected > closing:
        return Wait(words.self_service_too_short(closing, run.times.expected), closing, cause=Cause.TIMES)
    first = _predecessors(run, observation)
    if first is None and observation.awaits:
        return Wait(observation.awaits, cause=Cause.UNREADABLE)
    if first is None and observation.limit:
        # Whoever frees a place wakes the next.
        return Wait(inner(observation.limit), observation.turn.start or now + DAILY / 2, cause=Cause.LIMIT)
    return first


def _opens(run: Run) -> datetime | None:
    return run.times.self_service.start if run.times.self_service is not None else None


def _predecessors(run: Run, observation: Observation) -> Wait | AskPerson | None:
    if observation.order_problem and not run.people.order_waived:
        return AskPerson(observation.order_problem)
    before = [each for each in observation.predecessors if each.name not in run.people.waived]
    for predecessor in before:
        if predecessor.state in ASKS:
            return AskPerson(words.first_ended_badly(predecessor.name, predecessor.state))
    for predecessor in before:
        if predecessor.state not in {RunState.COMPLETED, RunState.NOT_IMPACTED}:
            return Wait(words.goes_first(predecessor.name, predecessor.state), cause=Cause.PREDECESSOR)
    return None
