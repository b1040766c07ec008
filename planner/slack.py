"""Time that runs short: told once per deadline, early enough for a person to do something about it."""

from dataclasses import replace
from datetime import datetime, timedelta

from planner.look import Look
from planner.notice import Kind, Urgency
from planner.run import ACTIVE, BatchState, Run
from planner.schedule import say
from planner.telling import if_nobody_answers, told

NONE_LEFT = timedelta(0)


def delayed(run: Run, now: datetime) -> Run:
    """The run's forecast while it waits for others, whose end nobody knows: it moves along with the clock."""
    waiting = [one for one in run.batches if one.state is BatchState.PENDING and one.not_before is not None]
    late = max((now - one.not_before for one in waiting[:1] if one.not_before is not None), default=NONE_LEFT)
    if late <= NONE_LEFT:
        return run
    batches = tuple(
        replace(one, not_before=one.not_before + late)
        if one.state is BatchState.PENDING and one.not_before is not None
        else one
        for one in run.batches
    )
    return replace(
        run,
        batches=batches,
        forecast_end=run.forecast_end + late if run.forecast_end is not None else None,
        slack=run.slack - late if run.slack is not None else None,
    )


def warned(run: Run, look: Look, now: datetime) -> Run:
    """The run with a notice when its forecast end falls behind its deadline."""
    if run.state not in ACTIVE or run.slack is None or run.slack >= NONE_LEFT or run.deadline is None:
        return run
    by = say(run.deadline)
    if any(one.kind is Kind.SLACK and by in one.sentence for one in run.notices):
        return run
    ends = f"not before {say(run.forecast_end)}" if run.forecast_end is not None else "too late"
    sentence = f"Time is short: it must be done by {by} and is expected to end {ends}. {run.reason}"
    return told(
        run,
        Kind.SLACK,
        Urgency.ACT,
        sentence,
        now,
        instances=look.instances,
        otherwise=if_nobody_answers(run),
        answers=("hold", "skip"),
    )
