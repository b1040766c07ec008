"""A deadline at risk: told while it still fits, asked about once it does not, paged at the last moment.

Each of these once for each deadline, never a quieter one after a louder one.
"""

from datetime import datetime, timedelta

from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import LOUD_FIRST, Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.schedule import options
from planner.schedule.latest_start import latest
from planner.state.notices import with_notice, with_question
from planner.text.phrases import long, say

LAST_MOMENT = timedelta(hours=4)
"""So long before nothing can be started any more a plan that does not fit pages."""


def warned(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with a notice when its forecast end falls behind its deadline, or is about to."""
    if run.people.misfit:
        return run
    problem = options.misfit(run, now)
    if not problem:
        run = replace(run, people=replace(run.people, choices=()))
    if run.state not in ACTIVE or run.times.deadline is None or run.people.deadline_waived:
        return run
    told = [
        notice.urgency
        for notice in run.story.notices
        if notice.kind is Kind.SLACK and notice.deadline == run.times.deadline
    ]
    loudest = min(map(LOUD_FIRST.index, told), default=len(LOUD_FIRST))
    if not problem:
        return _little_left(run, now) if _tight(run) and loudest == len(LOUD_FIRST) else run
    if loudest == LOUD_FIRST.index(Urgency.PAGE):
        return run
    urgency = Urgency.ACT
    last = latest(run, now).anything
    if last is not None and last - now <= LAST_MOMENT:
        urgency = Urgency.PAGE
    elif last is not None:
        run = replace(run, due=min(run.due, last - LAST_MOMENT))
    if LOUD_FIRST.index(urgency) >= loudest:
        return run
    run = replace(run, people=replace(run.people, choices=options.choices(run, now)))
    return with_question(
        run,
        Kind.SLACK,
        f"Time is short. {problem} {run.reason}",
        now,
        urgency=urgency,
        instances=observation.instances,
        answers=(CommandKind.RESUME if run.state is RunState.PAUSED else CommandKind.HOLD, CommandKind.SKIP),
        choices=run.people.choices,
        deadline=run.times.deadline,
    )


def _tight(run: Run) -> bool:
    """Whether one more batch that takes as long as the others would be too much for the time to spare."""
    slack = run.times.slack
    return run.begun and run.waiting and slack is not None and slack < run.times.expected + run.terms.soak


def _little_left(run: Run, now: datetime) -> Run:
    """It fits, so nobody has to do anything; whoever knows of it now is not surprised later."""
    assert run.times.deadline is not None
    assert run.times.slack is not None
    sentence = (
        f"Little time is left: {long(run.times.slack)} to spare until {say(run.times.deadline)}. If one "
        "domain takes longer than the others did, not all of it fits."
    )
    return with_notice(run, Kind.SLACK, Urgency.KNOW, sentence, now, deadline=run.times.deadline)
