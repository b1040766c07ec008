"""A run that does not go on by itself: paused for a person, by a plan that does not fit, or by trouble."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run, Trouble, again
from planner.record.states import RunState
from planner.schedule import options, timing
from planner.state.change import in_state
from planner.state.journal import with_entry
from planner.state.notices import with_question
from planner.text.backoff import TOLD_AFTER, after_trouble, throttled_wait
from planner.text.phrases import many, say

PAUSED_POLLS, PAUSED_LONG = 5, 60  # poll intervals between polls at a paused run, at first and later
QUIET = 60  # later is after so many poll intervals without anything happening


def paused(
    run: Run, reason: str, observation: Observation, now: datetime, *, urgency: Urgency = Urgency.ACT
) -> Run:
    """The run paused for a person, who is told why; `page` where what is down is our doing."""
    if run.repairs is not None and not run.repairs.error:
        reason += " Automatic repairs go back on as soon as no reboot is in progress."
    run = in_state(run, RunState.PAUSED, reason, now)
    answers: tuple[CommandKind, ...] = (CommandKind.RESUME, CommandKind.SKIP)
    if urgency is not Urgency.PAGE:
        # Who is woken has few buttons to choose from: it is paused already.
        answers = (*answers, CommandKind.HOLD)
    return with_question(
        run, Kind.PAUSED, reason, now, urgency=urgency, instances=observation.instances, answers=answers
    )


def apart(
    run: Run,
    causes: Sequence[str],
    observation: Observation,
    now: datetime,
    *,
    urgency: Urgency = Urgency.ACT,
) -> Run:
    """Held, and paused for something else as well: told once for each cause, and read under the hold."""
    fresh = [cause for cause in causes if cause not in run.people.held]
    if not fresh:
        return run
    run = replace(run, people=replace(run.people, beneath=" ".join((run.people.beneath, *fresh)).strip()))
    run = with_entry(replace(run, reason=run.people.held), "paused", " ".join(fresh), now)
    return told_again(run, observation, now, urgency=urgency)


def told_again(run: Run, observation: Observation, now: datetime, *, urgency: Urgency = Urgency.ACT) -> Run:
    """The paused run with a notice that says why; what is down is told by the record where no poll saw it."""
    seen, answers = observation.instances, (CommandKind.RESUME, CommandKind.SKIP)
    return with_question(
        run,
        Kind.PAUSED,
        run.reason,
        now,
        urgency=urgency,
        instances=seen,
        on_record=True,
        answers=answers,
    )


def failure(failed: Sequence[InstanceProgress]) -> str:
    """What failed, in a sentence that names it: the first of them, and how many more."""
    more = f" {many(len(failed) - 1, 'more instance')} failed, too." if len(failed) > 1 else ""
    return f"Instance {failed[0].id}: {failed[0].reason}{more}"


def misfit(run: Run, problem: str, observation: Observation, now: datetime) -> Run:
    """Paused before its first start; told once for each deadline, whatever becomes of the forecast."""
    run = replace(run, people=replace(run.people, misfit=problem, choices=options.choices(run, now)))
    about = (run.times.deadline, "" if run.times.deadline is not None else problem)
    # Whoever has resumed it since would not know why it stands again.
    resumed = max((notice.number for notice in run.story.notices if notice.kind is Kind.RESUMED), default=0)
    known = any(
        (notice.deadline, "" if notice.deadline is not None else notice.sentence) == about
        for notice in run.story.notices
        if notice.choices and notice.number > resumed
    )
    run = in_state(run, RunState.PAUSED, problem, now)
    if not known:
        run = asked_to_choose(run, now, observation)
    return replace(run, due=due(run, observation, now))


def asked_to_choose(run: Run, now: datetime, observation: Observation | None = None) -> Run:
    """The run with a notice that its plan does not fit, and what a person can choose."""
    return with_question(
        run,
        Kind.PAUSED,
        run.people.misfit,
        now,
        instances=observation.instances if observation is not None else None,
        answers=(CommandKind.RESUME, CommandKind.SKIP),
        choices=run.people.choices,
        deadline=run.times.deadline,
    )


def fits_again(run: Run, now: datetime) -> Run:
    """A plan that did not fit goes on by itself as soon as it does: fewer instances, other windows."""
    run = timing.timed(run, now)
    if options.misfit(run, now):
        return run
    run = replace(run, people=replace(run.people, misfit="", choices=()))
    return in_state(run, RunState.SCHEDULED, "The plan fits now.", now)


def due(run: Run, observation: Observation, now: datetime) -> datetime:
    slow = PAUSED_LONG if long_since(run, observation, now) else PAUSED_POLLS
    due = now + observation.poll_interval * (1 if run.in_flight else slow)
    if run.times.self_service is not None and now < run.times.self_service.end:
        due = min(due, run.times.self_service.end)
    return due


def long_since(run: Run, observation: Observation, now: datetime) -> bool:
    """Whether nothing has happened for an hour, so that polls may be further apart."""
    return bool(run.story.history) and now - run.story.history[-1].at > observation.poll_interval * QUIET


def troubled(run: Run, observation: Observation, now: datetime) -> Run:
    """Azure cannot be read: wait longer each time, tell once after half an hour, start nothing."""
    trouble = again(run.gaps.trouble, observation.trouble, now)
    run = replace(run, due=now + _patience(run, trouble, observation, now))
    if run.state is not RunState.PAUSED:
        run = replace(run, reason=f"Azure cannot be read since {say(trouble.since)}: {observation.trouble}")
    if trouble.to_tell(now):
        run = with_question(run, Kind.TROUBLE, run.reason, now)
        trouble = replace(trouble, told=True)
    return replace(run, gaps=replace(run.gaps, trouble=trouble))


def _patience(run: Run, trouble: Trouble, observation: Observation, now: datetime) -> timedelta:
    """How long to leave Azure alone; never past the moment when people are to hear of it."""
    if observation.wait is None:
        return after_trouble(trouble.count - 1)
    lasted = now - trouble.since
    wait = throttled_wait(observation.wait, lasted, run.target.id, now)
    return wait if trouble.told or lasted >= TOLD_AFTER else min(wait, TOLD_AFTER - lasted)
