"""What stands still is told again: at half of the slack, and 72, 24 and 4 hours before the latest start.

That holds for paused runs, unanswered approvals, runs held up by a cause of `stalled-after`, a stop, and an
Azure that cannot be read. Moments that pass together are told together; those that had passed when people
were first told count as told with that.
"""

from datetime import datetime, timedelta

from planner.observe.batches import known_windows
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.record.waits import Reminders
from planner.schedule.latest_start import AHEAD, fits, latest
from planner.state.notices import with_question
from planner.text.phrases import inner, lower
from planner.waiting import stalled

MARKS = (4, 24, 72)
"""Hours before the latest start, the smallest first."""

HOUR = timedelta(hours=1)

JUST_AFTER = 2 * AHEAD
"""How long after the latest start a poll finds that the plan no longer fits."""

MOVED = timedelta(minutes=30)
"""A latest start that is later by more than this counts as another one."""

AGAIN = HOUR
"""How long a latest start is used before it is worked out again; a new plan does so at once."""

BLIP = timedelta(minutes=30)
"""A run held up for less, and by no closed window, is not reminded of."""


def reminded(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with a reminder where one is due, and polled again when the next one is."""
    what = _stands_still(run, observation)
    if not what:
        return replace(run, standing=replace(run.standing, reminders=None))
    kept = _kept(run, now)
    run = replace(run, standing=replace(run.standing, reminders=kept))
    by = kept.by
    if by is None:
        return run
    if by <= now:
        # A poll just after it finds that it is too late; from then on the run is polled as any other.
        return replace(run, due=min(run.due, by + JUST_AFTER)) if now < by + JUST_AFTER else run
    asked = max(
        (notice.number for notice in run.story.notices if notice.urgency is not Urgency.KNOW), default=0
    )
    mark = _mark(by - now)
    if kept.number != asked:
        # Told just now: half of the slack counts from here, and what has passed was told with it.
        half = now + (by - now) / 2 if _asked(run) and by - now > MARKS[0] * HOUR else None
        kept = replace(kept, number=asked, half=half, mark=mark)
    else:
        crossed = mark is not None and (kept.mark is None or mark < kept.mark)
        half_gone = kept.half is not None and kept.half <= now
        if crossed or half_gone:
            run = _told(run, what, observation, now)
            half = None if half_gone else kept.half
            kept = replace(kept, number=run.story.last_notice, half=half, mark=mark)
    moments = [by - hours * HOUR for hours in MARKS if kept.mark is None or hours < kept.mark]
    moments += [kept.half] if kept.half is not None else []
    # Once it is too late, that has to be told as well.
    ahead = min(moment for moment in (*moments, by + JUST_AFTER) if moment > now)
    return replace(run, due=min(run.due, ahead), standing=replace(run.standing, reminders=kept))


def _stands_still(run: Run, observation: Observation) -> str:
    """What to remind people of, a sentence; empty while the run goes on or waits for its time."""
    if run.state not in ACTIVE:
        return ""
    if run.state is RunState.PAUSED:
        return f"Still paused: {run.reason.rstrip('.')}."
    if run.state is RunState.AWAITING_APPROVAL:
        return "Still waiting for approval."
    if run.gaps.trouble is not None and run.gaps.trouble.told:
        return run.reason
    if observation.stopped and any(instance.state is InstanceState.PENDING for instance in run.instances):
        return f"Still stopped: {inner(observation.stopped)}."
    held = run.waits
    if held is None or not (held.told or held.passed or held.spent >= min(BLIP, run.terms.stalled_after)):
        return ""
    return f"Still {lower(stalled.sentence(held, windows=bool(run.terms.windows)))}"


def _asked(run: Run) -> bool:
    """Whether somebody was told that it stands still, so that half of the slack from then on counts."""
    return run.needs_person or run.gaps.trouble is not None or (run.waits is not None and run.waits.told)


def _kept(run: Run, now: datetime) -> Reminders:
    """What was told so far, with a latest start that is not older than an hour or than the plan."""
    old = run.standing.reminders
    still_ahead = old is not None and (old.by is None or now < old.by)
    if old is not None and still_ahead and old.by_at >= run.planned_at and now < old.by_at + AGAIN:
        return old
    by = _by(run, now)
    if old is None:
        return Reminders(-1, None, None, by, now)
    if by is not None and (old.by is None or by - old.by > MOVED):
        # The latest start has moved away, or there is one again: its hours count anew.
        return replace(old, by=by, by_at=now, mark=_mark(by - now))
    return replace(old, by=by, by_at=now)


def _by(run: Run, now: datetime) -> datetime | None:
    """The latest start; where only failed instances are left, the end of the last of their windows."""
    last = latest(run, now).start
    if last is not None or run.waiting:
        return last
    failed = (instance for instance in run.instances if instance.state is InstanceState.FAILED)
    return max((window.end for each in failed for window in known_windows(run, each)), default=None)


def _mark(left: timedelta) -> int | None:
    return next((hours for hours in MARKS if left <= hours * HOUR), None)


def _told(run: Run, what: str, observation: Observation, now: datetime) -> Run:
    answers: tuple[CommandKind, ...] = (CommandKind.SKIP, CommandKind.HOLD)
    if run.state is RunState.PAUSED:
        held = run.people.misfit or run.people.holding
        answers = (CommandKind.RESUME, CommandKind.SKIP, *(() if held else (CommandKind.HOLD,)))
    elif run.state is RunState.AWAITING_APPROVAL:
        answers = (CommandKind.APPROVE, CommandKind.SKIP)
    return with_question(
        run,
        Kind.REMINDER,
        f"{what} {fits(run, now)}".strip(),
        now,
        instances=observation.instances,
        answers=answers,
        choices=run.people.choices if run.state is RunState.PAUSED and run.people.misfit else (),
    )
