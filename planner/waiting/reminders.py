"""What stands still is told again: at half of the slack, and 72, 24 and 4 hours before the latest start.

That holds for paused runs, unanswered approvals, runs held up by a cause of `stalled-after`, a stop, and an
Azure that cannot be read. Moments that pass together are told together; those that had passed when it was
told first count as told with that.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from planner.observe.batches import known_windows
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.record.waits import Reminders
from planner.schedule.latest_start import AHEAD, fits, latest
from planner.state.notices import with_notice
from planner.state.unanswered import if_nobody_answers
from planner.text.phrases import inner
from planner.waiting import stalled

MARKS = (4, 24, 72)
"""Hours before the latest start, the smallest first."""

HOUR = timedelta(hours=1)

JUST_AFTER = 2 * AHEAD
"""How long after the latest start a poll finds that the plan does not fit any more."""

MOVED = timedelta(minutes=30)
"""A latest start that is later by more than this is another one."""

AGAIN = HOUR
"""How long a latest start that was worked out serves; a new plan works it out anew."""

BLIP = timedelta(minutes=30)
"""Whoever was held up for less, and by no closed window, is not reminded of it."""


def reminded(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with a reminder where one is due, and looked at again when the next one is."""
    what = _stands_still(run, observation)
    if not what:
        return (
            replace(run, standing=replace(run.standing, reminders=None))
            if run.standing.reminders is not None
            else run
        )
    run, kept = _kept(run, now)
    by = kept.by
    if by is None:
        return replace(run, standing=replace(run.standing, reminders=kept))
    if by <= now:
        # A poll just after it finds that it is too late; whatever is left then is looked at as any other run.
        due = min(run.due, by + JUST_AFTER) if now < by + JUST_AFTER else run.due
        return replace(run, due=due, standing=replace(run.standing, reminders=kept))
    asked = max(
        (notice.number for notice in run.story.notices if notice.urgency is not Urgency.KNOW), default=0
    )
    mark = _mark(by - now)
    if kept.number != asked:
        # Told just now: half of the slack counts from here, and what has passed was told with it.
        half = now + (by - now) / 2 if _asked(run) and by - now > MARKS[0] * HOUR else None
        kept = replace(kept, number=asked, half=half, mark=mark)
    elif _crossed(kept.mark, mark) or (kept.half is not None and kept.half <= now):
        run = _told(run, what, observation, now)
        half = kept.half if kept.half is not None and kept.half > now else None
        kept = replace(kept, number=run.story.last_notice, half=half, mark=mark)
    run = replace(run, standing=replace(run.standing, reminders=kept))
    ahead = _next(kept, now)
    return replace(run, due=min(run.due, ahead)) if ahead is not None else run


def _stands_still(run: Run, observation: Observation) -> str:
    """What to remind people of, a sentence; empty while the run goes on or waits for its time."""
    if run.state not in ACTIVE:
        return ""
    if run.state is RunState.PAUSED:
        return f"Still paused: {run.reason.rstrip('.')}."
    if run.state is RunState.AWAITING_APPROVAL:
        return "The plan still waits for approval."
    if run.gaps.trouble is not None and run.gaps.trouble.told:
        return run.reason
    if observation.stopped and any(instance.state is InstanceState.PENDING for instance in run.instances):
        return f"Still stopped: {inner(observation.stopped)}."
    held = run.waits
    if held is None or not (held.told or held.passed or held.spent >= min(BLIP, run.terms.stalled_after)):
        return ""
    return f"Still h{stalled.sentence(held, windows=bool(run.terms.windows))[1:]}"


def _asked(run: Run) -> bool:
    """Whether somebody was told that it stands still, so that half of the slack from then on counts."""
    return run.needs_person or run.gaps.trouble is not None or (run.waits is not None and run.waits.told)


def _kept(run: Run, now: datetime) -> tuple[Run, Reminders]:
    """What was told so far, with a latest start that is not older than an hour or than the plan."""
    old = run.standing.reminders
    still_ahead = old is not None and (old.by is None or now < old.by)
    if old is not None and still_ahead and old.by_at >= run.planned_at and now < old.by_at + AGAIN:
        return run, old
    by = _by(run, now)
    if old is None:
        return run, Reminders(-1, None, None, by, now)
    kept = replace(old, by=by, by_at=now)
    if by is not None and (old.by is None or by - old.by > MOVED):
        # The latest start has moved away, or there is one again: its hours count anew.
        kept = replace(kept, mark=_mark(by - now))
    return run, kept


def _by(run: Run, now: datetime) -> datetime | None:
    """The latest start; of a run of which only what failed is left, the end of the last window of these."""
    last = latest(run, now).start
    if last is not None or run.waiting:
        return last
    failed = [instance for instance in run.instances if instance.state is InstanceState.FAILED]
    return max((one.end for each in failed for one in known_windows(run, each)), default=None)


def _mark(left: timedelta) -> int | None:
    return next((one for one in MARKS if left <= one * HOUR), None)


def _crossed(before: int | None, mark: int | None) -> bool:
    return mark is not None and (before is None or mark < before)


def _next(kept: Reminders, now: datetime) -> datetime | None:
    """When the next reminder is due; once it is too late, that has to be told as well."""
    if kept.by is None:
        return None
    moments = [kept.by - one * HOUR for one in MARKS if kept.mark is None or one < kept.mark]
    moments += [kept.half] if kept.half is not None else []
    moments.append(kept.by + JUST_AFTER)
    return min((one for one in moments if one > now), default=None)


def _told(run: Run, what: str, observation: Observation, now: datetime) -> Run:
    answers: tuple[str, ...] = ("skip", "hold")
    if run.state is RunState.PAUSED:
        answers = (
            ("resume", "skip") if run.people.misfit or run.people.holding else ("resume", "skip", "hold")
        )
    elif run.state is RunState.AWAITING_APPROVAL:
        answers = ("approve", "skip")
    return with_notice(
        run,
        Kind.REMINDER,
        Urgency.ACT,
        f"{what} {fits(run, now)}".strip(),
        now,
        instances=observation.instances,
        otherwise=if_nobody_answers(run, now),
        answers=answers,
        choices=run.people.choices if run.state is RunState.PAUSED and run.people.misfit else (),
    )
