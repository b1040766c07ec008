"""Polls that change nothing are not played, as long as nothing happens around them.

Which those are is not reckoned here: the poll furthest ahead is tried, and where it would change something
nearer ones are, until the last one that changes nothing is found. A run that is woken by others, or that has
to know about them, is polled each time.
"""

from bisect import bisect_left
from datetime import datetime, timedelta

from planner.record.action import PollAgain, Start
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.run import Run
from planner.record.states import ACTIVE, ENDED, HANDS_OFF, BatchState, RunState
from planner.rehearsal import in_flight, polling
from planner.rehearsal.part import Part
from planner.rehearsal.world import World
from planner.waiting.reminders import AGAIN


def skipped(before: Run, part: Part, world: World, now: datetime, until: datetime) -> int:
    """How many polls change nothing from here on; the record is as the last of them leaves it.

    `before` is the run before the poll of now, `until` when something happens around it at the earliest.
    """
    run = part.record
    batch = in_flight.under_way(run)
    if batch is not None:
        return _followed(run, batch, part, world, now, until)
    ahead = part.machines.changes(now)
    end = until if ahead is None else min(until, ahead)
    step = run.due - now
    steady = part.polled_at is not None and now - part.polled_at == step
    if not steady or not _alone(run) or now + 2 * step >= end or not _same(before, run):
        return 0
    # The last poll before `end`, and never that at `end`, which sees what happens then.
    most = -((now - end) // step) - 1
    found: dict[int, Run] = {}

    def changes(number: int) -> bool:
        at = now + number * step
        new = _after(run, part, world, at)
        quiet = new is not None and new.due - at == step and _same(run, new)
        quiet = quiet and new is not None and _as_often(run, new, step) and not _shows(run, new, part, world)
        if quiet and new is not None:
            found[number] = new
        return not quiet

    if run.in_flight and changes(1):
        return 0
    number = most
    if changes(most):
        number = 0 if changes(1) else bisect_left(range(most), True, lo=2, key=changes) - 1
    if not number:
        return 0
    polls = run.polls + (number if found[number].polls > run.polls else 0)
    last = replace(found[number], polls=polls, generation=run.generation + number)
    polling.write(part, last, world)
    return number


def _followed(run: Run, batch: Batch, part: Part, world: World, now: datetime, until: datetime) -> int:
    """As `skipped`, for a run that waits for a batch under way."""
    step = run.due - now
    steps = in_flight.followed(run, batch, part, world, now, step, until)
    number = len(steps)
    if number < 2:
        return 0
    at = now + number * step
    before = replace(
        _with(run, steps[-2]), polls=run.polls + number - 1, generation=run.generation + number - 1
    )
    last, actions = polling.polled(before, part, world, at)
    asks = any(not isinstance(action, PollAgain) for action in actions)
    if (
        asks
        or last.due - at != step
        or not _same(_with(run, steps[-1]), last)
        or _shows(run, last, part, world)
    ):
        return 0
    polling.write(part, last, world)
    return number


def _with(run: Run, batch: Batch) -> Run:
    return replace(run, batches=tuple(batch if each.number == batch.number else each for each in run.batches))


def _alone(run: Run) -> bool:
    """Whether its polls do not depend on the other runs; after a soak the next batch starts."""
    if run.state in ENDED or run.state in HANDS_OFF:
        return True
    return run.claims and not any(batch.state is BatchState.SOAKING for batch in run.batches)


def _after(run: Run, part: Part, world: World, at: datetime) -> Run | None:
    """The run after a poll at that time, and the plan that it asks for; None where it starts something."""
    new, actions = polling.polled(run, part, world, at)
    if any(isinstance(action, Start) for action in actions):
        return None
    if polling.wants_plan(actions):
        recheck = run.state not in ACTIVE
        return polling.planned_in(new.waves[-1], new, part, world, at, recheck=recheck) or new
    return new


def _same(old: Run, new: Run) -> bool:
    """Whether nothing has happened between two records but that time has passed."""
    return (
        old.story == new.story
        and old.state is new.state
        and old.people == new.people
        and [(batch.state, batch.instances) for batch in old.batches]
        == [(batch.state, batch.instances) for batch in new.batches]
        and (old.repairs, old.gaps, old.replan, old.fruitless_plans) == _rest(new)
        and (old.standing.alarm, old.standing.stalled) == (new.standing.alarm, new.standing.stalled)
        and (old.terms, old.verdict, old.ended_at) == (new.terms, new.verdict, new.ended_at)
        and _reminded(old) == _reminded(new)
    )


def _shows(old: Run, new: Run, part: Part, world: World) -> bool:
    """Whether others would see that its end has moved: those that wait for its place, or go after it."""
    if new.state not in ACTIVE or (new.state is RunState.PAUSED and not world.followed(part)):
        return False
    return old.times.forecast_end != new.times.forecast_end


def _as_often(old: Run, new: Run, step: timedelta) -> bool:
    """Whether the latest start is worked out again at each of these polls, or at none of them."""
    before, after = old.standing.reminders, new.standing.reminders
    return before is None or after is None or before.by_at == after.by_at or step >= AGAIN


def _rest(run: Run) -> tuple[object, ...]:
    return run.repairs, run.gaps, run.replan, run.fruitless_plans


def _reminded(run: Run) -> tuple[object, ...] | None:
    kept = run.standing.reminders
    return (kept.number, kept.half, kept.mark, kept.by) if kept is not None else None
