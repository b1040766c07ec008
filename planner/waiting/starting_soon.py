"""What starts soon and was announced long ago is told once more, an hour before its first start."""

from datetime import datetime, timedelta

from planner.record.cause import Cause
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import RunState
from planner.schedule.timing import to_place
from planner.state.notices import with_notice
from planner.text.phrases import many, say

AHEAD = timedelta(hours=1)

LONG_AGO = timedelta(hours=36)
"""Whoever was told of a plan later than that before its start still knows of it."""


def told(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with that notice where it is time, and else polled when it will be."""
    start = _first_start(run)
    if (
        start is None
        or start <= now
        or observation.stopped
        or _told(run)
        or start - _announced(run) < LONG_AGO
    ):
        return run
    if now < start - AHEAD:
        # Whoever waits for a limit is not polled for this: when its turn comes is an estimate.
        waits = run.waits is not None
        return run if waits else replace(run, due=min(run.due, start - AHEAD))
    batch = next(filter(to_place, run.batches))
    ends = f" All of it should be over by {say(run.times.forecast_end)}." if run.times.forecast_end else ""
    sentence = f"Starts {say(start)} with {batch.domain} ({many(len(batch.instances), 'instance')}).{ends}"
    answers = (CommandKind.HOLD, CommandKind.SKIP)
    return with_notice(run, Kind.STARTING, Urgency.KNOW, sentence, now, answers=answers)


def _first_start(run: Run) -> datetime | None:
    """When it should begin; None where something else than its time or its turn stands before that."""
    if run.state is not RunState.SCHEDULED or run.begun or run.replan:
        return None
    if run.waits is not None and run.waits.cause is not Cause.LIMIT:
        return None
    return next((batch.not_before for batch in filter(to_place, run.batches)), None)


def _plans(run: Run) -> list[tuple[int, datetime]]:
    """The notices that told of a plan, by number and time."""
    kinds = {Kind.PLANNED, Kind.REPLANNED}
    return [(notice.number, notice.at) for notice in run.story.notices if notice.kind in kinds]


def _announced(run: Run) -> datetime:
    return max((at for _, at in _plans(run)), default=run.planned_at)


def _told(run: Run) -> bool:
    """Whether it has been told for the plan that there is."""
    last = max((number for number, _ in _plans(run)), default=0)
    return any(notice.kind is Kind.STARTING and notice.number > last for notice in run.story.notices)
