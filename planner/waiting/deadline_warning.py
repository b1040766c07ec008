"""Time that runs short: told once per deadline, early enough for a person to do something about it."""

from dataclasses import replace
from datetime import datetime

from planner.record.command import CommandKind
from planner.record.notice import Kind
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.schedule import options
from planner.state.notices import with_question


def warned(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with a notice when its forecast end falls behind its deadline."""
    if run.people.misfit:
        return run
    problem = options.misfit(run, now)
    if not problem:
        return replace(run, people=replace(run.people, choices=()))
    if run.state not in ACTIVE or run.times.deadline is None or run.people.deadline_waived:
        return run
    told = {notice.deadline for notice in run.story.notices if notice.kind is Kind.SLACK}
    if run.times.deadline in told:
        return run
    run = replace(run, people=replace(run.people, choices=options.choices(run, now)))
    return with_question(
        run,
        Kind.SLACK,
        f"Time is short. {problem} {run.reason}",
        now,
        instances=observation.instances,
        answers=(CommandKind.RESUME if run.state is RunState.PAUSED else CommandKind.HOLD, CommandKind.SKIP),
        choices=run.people.choices,
        deadline=run.times.deadline,
    )
