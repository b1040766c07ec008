"""What was announced long ago is told once more, an hour before its first start."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from planner.record.action import PollAgain
from planner.record.cause import Cause
from planner.record.command import CommandKind
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import RunState
from planner.record.waits import Stalled, Waited
from planner.waiting.starting_soon import AHEAD, told
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    batch,
    command,
    fleet,
    observe,
    planned,
    run_of,
    step,
)

SATURDAY = "Sat 02:00-06:00 UTC"
OPENS = datetime.fromisoformat("2026-11-28T02:00:00+00:00")


def starting(run: Run) -> list[Notice]:
    return [notice for notice in run.story.notices if notice.kind is Kind.STARTING]


def weekend(**more: str) -> Run:
    """Planned on a Sunday, to begin on the Saturday after it."""
    return planned(instances=fleet(4, 2), a_policy=always(windows=SATURDAY, **more))


def at(run: Run, now: datetime, **more: object) -> Run:
    return step(run, observe(None, fleet(4, 2), always(windows=SATURDAY), now, **more))[0]


def test_it_is_told_once_an_hour_before_and_polled_for_it():
    run = at(weekend(), OPENS - 3 * HOUR)
    assert starting(run) == []
    assert run.due == OPENS - AHEAD
    run = at(run, run.due)
    (notice,) = starting(run)
    assert (notice.urgency, notice.answers) == (Urgency.KNOW, (CommandKind.HOLD, CommandKind.SKIP))
    assert notice.sentence == (
        "Starts Sat 28 Nov 2026 02:00 UTC with domain 0 (1 instance). All of it should be over by Sat 28 Nov 2026 "
        "04:10 UTC."
    )
    for minute in range(1, 60, 7):
        run = at(run, OPENS - AHEAD + minute * MINUTE)
    assert len(starting(run)) == 1


def test_a_poll_that_comes_late_still_tells_it_and_one_after_the_start_does_not():
    assert len(starting(at(weekend(), OPENS - 5 * MINUTE))) == 1
    assert starting(at(weekend(), OPENS + MINUTE)) == []


def test_what_was_announced_yesterday_is_not_told_again():
    late = planned(instances=fleet(4, 2), a_policy=always(windows=SATURDAY), now=OPENS - 30 * HOUR)
    assert starting(at(late, OPENS - 30 * MINUTE)) == []


def test_a_new_plan_is_an_announcement_of_its_own():
    run = at(weekend(), OPENS - 30 * MINUTE)
    moved = Notice(9, OPENS, Kind.REPLANNED, Urgency.KNOW, "Moved.")
    later = OPENS + 7 * DAY
    run = replace(run, story=replace(run.story, notices=(*run.story.notices, moved)))
    assert len(starting(at(run, later - 30 * MINUTE))) == 2


def test_nothing_is_announced_while_everything_is_stopped():
    assert starting(at(weekend(), OPENS - 30 * MINUTE, stopped="Everything is stopped.")) == []


@pytest.mark.parametrize("state", [RunState.PAUSED, RunState.AWAITING_APPROVAL, RunState.RUNNING])
def test_only_a_run_that_is_scheduled_starts_soon(state: RunState):
    run = altered(soon(), state=state)
    assert told(run, observe(now=NOW), NOW) == run


def soon(**more: object) -> Run:
    """Planned three days ago, to begin in half an hour."""
    first = batch(1, "0", not_before=NOW + 30 * MINUTE)
    return run_of(first, batch(2, "1"), planned_at=NOW - 3 * DAY, **more)


def test_whoever_waits_for_a_limit_is_told_when_a_poll_falls_into_that_hour_and_not_polled_for_it():
    waits = Stalled(Cause.LIMIT, "5 of 5 in flight", NOW, waited=(Waited(Cause.LIMIT, NOW),))
    assert len(starting(told(soon(stalled=waits), observe(now=NOW), NOW))) == 1
    early = soon(stalled=waits, due=NOW + 12 * HOUR)
    early = replace(early, batches=(replace(early.batches[0], not_before=NOW + 5 * HOUR), early.batches[1]))
    assert told(early, observe(now=NOW), NOW).due == NOW + 12 * HOUR
    neighbour = replace(waits, cause=Cause.NEIGHBOUR)
    assert starting(told(soon(stalled=neighbour), observe(now=NOW), NOW)) == []


def test_a_run_that_somebody_holds_is_not_said_to_start():
    run, actions = step(
        weekend(),
        observe(None, fleet(4, 2), always(windows=SATURDAY), OPENS - 30 * MINUTE),
        command(CommandKind.HOLD),
    )
    assert starting(run) == []
    assert isinstance(actions[-1], PollAgain)
    assert timedelta(0) < AHEAD
