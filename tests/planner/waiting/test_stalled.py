"""What may start by its times and does not is told under its cause, in time, and not at every poll."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health
from planner.calendar.openings import usable
from planner.policy.weekly import parse_windows
from planner.record.cause import QUIET, Cause
from planner.record.notice import Urgency
from planner.record.observation import Observation, Predecessor
from planner.record.states import RunState
from planner.record.waits import Turn
from planner.schedule import timing
from planner.start.gate import Wait
from planner.waiting import stalled
from planner.words.standing_still import WAY_ON
from tests.planner.builders import NOW as SUNDAY
from tests.planner.builders import SELF_SERVICE, batch, run_of
from tests.planner.living import DAY, H, M, failed_set, living, run_of_world, sick, told, until
from tests.planner.protocol import NOW, Protocol, policy


def upgraded(world: Protocol) -> None:
    object.__setattr__(world.azure.scale_set, "rolling_upgrade", "RollingForward")


def limited(world: Protocol) -> None:
    world.limit = "5 scale sets of this subscription are in flight."


def behind(world: Protocol) -> None:
    world.predecessors = (Predecessor("api", RunState.PAUSED),)


def off_limits(world: Protocol) -> None:
    for machine in world.azure.machines.values():
        machine.become(provisioning="updating")


def never_planned(world: Protocol) -> None:
    world.policy = policy({"lead": "0m", "soak": "1h"})
    world.plan = lambda *_, **__: None  # type: ignore[method-assign]


def joined_and_never_planned(world: Protocol) -> None:
    world.azure.grow(in_wave=True)
    world.plan = lambda *_, **__: None  # type: ignore[method-assign]


HELD_UP = [
    (sick, Cause.NEIGHBOUR, "instance 3: running, unhealthy"),
    (failed_set, Cause.SCALE_SET, "provisioning has failed"),
    (upgraded, Cause.SCALE_SET, "rolling upgrade is under way"),
    (limited, Cause.LIMIT, "5 scale sets of this subscription are in flight"),
    (behind, Cause.PREDECESSOR, "api goes first and is paused"),
    (off_limits, Cause.NEIGHBOUR, "updating"),
    (never_planned, Cause.PLAN, "the policy or the tags have changed"),
    (joined_and_never_planned, Cause.PLAN, "instance 4 shows maintenance and is not in the plan"),
]


@pytest.mark.parametrize(("happens", "cause", "words"), HELD_UP)
def test_what_may_start_and_does_not_is_told_after_four_hours_under_its_cause(happens, cause, words) -> None:
    world = living()
    happens(world)
    assert told(until(world, 4 * H - M)) == []
    run = until(world, 4 * H + 2 * M)
    (notice,) = told(run)
    assert notice.at <= NOW + 4 * H + 2 * M
    assert notice.urgency is Urgency.ACT
    assert words in notice.sentence
    assert WAY_ON[cause] in notice.sentence
    assert "Held up since Mon 23 Nov 2026 08:00 UTC" in notice.sentence
    assert "It still fits if that is settled by" in notice.sentence
    assert notice.otherwise.startswith("If nobody answers by")
    assert notice.answers == ("skip", "hold")
    assert run.waits is not None
    assert run.waits.cause is cause
    assert world.starts == []


def test_its_own_sentence_says_since_when_it_is_held_up() -> None:
    world = living()
    sick(world)
    run = until(world, 5 * H)
    assert run.reason.startswith("Waiting: 1 other instance is not running and healthy")
    assert run.reason.endswith("Held up since Mon 23 Nov 2026 08:00 UTC.")


def test_a_cause_is_told_once_however_often_it_is_met() -> None:
    world = living()
    sick(world)
    assert len(told(until(world, 5 * DAY))) == 1


def test_another_cause_is_told_once_it_has_lasted_as_long_by_itself() -> None:
    world = living()
    sick(world)
    until(world, 6 * H)
    world.azure.machines["3"].become(health=Health.HEALTHY)
    failed_set(world)
    assert len(told(until(world, 9 * H))) == 1
    first, second = told(until(world, 11 * H))
    assert "unhealthy" in first.sentence
    assert "provisioning has failed" in second.sentence


def test_causes_that_take_turns_keep_nobody_in_the_dark_and_do_not_spam() -> None:
    world = living()
    for half_hour in range(4 * 24 * 2):
        world.limit = "5 scale sets are in flight." if half_hour % 2 else ""
        world.azure.machines["3"].become(health=Health.HEALTHY if half_hour % 2 else Health.UNHEALTHY)
        until(world, half_hour * H / 2)
        assert bool(told(run_of_world(world))) or half_hour <= 10
    assert len(told(run_of_world(world))) == 2


def test_a_start_begins_anew() -> None:
    world = living()
    sick(world)
    until(world, 3 * H)
    assert run_of_world(world).waits is not None
    world.azure.machines["3"].become(health=Health.HEALTHY)
    run = until(world, 4 * H)
    assert world.starts
    assert run.waits is None
    assert run.standing.stalled is None
    assert told(run) == []


def test_a_new_plan_does_not_begin_anew() -> None:
    world = living()
    sick(world)
    for quarter in range(1, 17):
        until(world, quarter * 15 * M)
        world.plan()
    assert len(told(until(world, 4 * H + 2 * M))) == 1


def test_time_outside_the_windows_neither_counts_nor_begins_anew() -> None:
    world = living(windows="daily 10:00-12:00 UTC")
    failed_set(world)
    assert told(until(world, 2 * DAY)) == []
    (notice,) = told(until(world, 3 * DAY))
    # An hour and fifty minutes a day, since a batch takes ten.
    assert notice.at == NOW + 2 * DAY + 2 * H + 20 * M
    assert "Held up since Mon 23 Nov 2026 10:00 UTC (4 hours inside its windows): " in notice.sentence


def test_a_tag_may_have_people_told_sooner_and_not_later() -> None:
    world = living(stalled_after="2h")
    object.__setattr__(world.azure.scale_set, "tags", {"breakwater-stalled-after": "30m"})
    world.plan()
    sick(world)
    assert len(told(until(world, 32 * M))) == 1
    lax = living(stalled_after="2h")
    object.__setattr__(lax.azure.scale_set, "tags", {"breakwater-stalled-after": "9h"})
    lax.plan()
    sick(lax)
    assert len(told(until(lax, 2 * H + 2 * M))) == 1


@pytest.mark.parametrize("flexible", [False, True])
def test_required_health_that_nothing_reports_is_told_at_once(flexible: bool) -> None:
    world = living(health="required", flexible=flexible)
    for machine in world.azure.machines.values():
        machine.become(health=Health.NOT_REPORTED)
    world.plan()
    (notice,) = told(until(world, 2 * M))
    assert "reports no health" in notice.sentence
    assert WAY_ON[Cause.HEALTH] in notice.sentence
    assert len(told(until(world, DAY))) == 1


def test_health_that_was_reported_and_is_missing_in_a_poll_is_not_told_at_once() -> None:
    world = living(health="required")
    for machine in world.azure.machines.values():
        machine.become(health=Health.NOT_REPORTED)
    assert told(until(world, 2 * M)) == []


def test_whoever_waits_for_its_time_is_not_told() -> None:
    world = living(lead="3d")
    run = until(world, 3 * DAY - M)
    assert told(run) == []
    assert run.waits is None


def test_every_cause_that_is_told_says_what_to_do() -> None:
    assert WAY_ON.keys() == set(Cause) - QUIET


WINDOWS = (parse_windows("daily 02:00-05:00 UTC"), parse_windows("Mon-Fri 22:00-04:00 UTC"), ())
CAUSES = sorted(set(Cause) - QUIET - {Cause.HEALTH})
STEPS = st.lists(
    st.tuples(st.integers(1, 180), st.sampled_from(CAUSES)),
    min_size=1,
    max_size=120,
)


@settings(max_examples=120, deadline=None)
@given(steps=STEPS, windows=st.sampled_from(WINDOWS), after=st.sampled_from([H, 4 * H, 9 * H]))
def test_whoever_could_start_for_that_long_is_told_and_no_cause_twice(steps, windows, after) -> None:
    """Looks minutes apart that meet one cause or another while the windows are open, and times while not."""
    openings = (windows,) if windows else ()
    run = run_of(batch(1, "0"), windows=openings, stalled_after=after, self_service=SELF_SERVICE)
    now, lost, since = SUNDAY, timedelta(0), None
    for minutes, cause in steps:
        before, now = now, now + minutes * M
        opened = not openings or usable(openings, (), now, now + M) > timedelta(0)
        if since is not None:
            lost += usable(openings, (), before, now, run.times.expected)
        wait = Wait(f"because of {cause}", cause=cause if opened else Cause.TIMES)
        run = stalled.waiting(replace(run, due=now + DAY), wait, Observation(now), now)
        since = now if opened else None
        notices = told(run)
        assert len(notices) == len(
            {notice.sentence.partition("because of ")[2].split(".")[0] for notice in notices}
        )
        if opened and lost >= after:
            assert notices
        if lost < after:
            assert not notices


@pytest.mark.parametrize(
    ("turn", "deadline", "urgency"),
    [
        (Turn(SUNDAY + DAY), SELF_SERVICE.end - H, Urgency.KNOW),
        (Turn(None), SELF_SERVICE.end - H, Urgency.ACT),
        (Turn(SUNDAY + DAY), SUNDAY + 5 * M, Urgency.ACT),
    ],
)
def test_queueing_with_a_place_in_time_asks_nobody_for_anything(turn, deadline, urgency) -> None:
    run = timing.timed(run_of(batch(1, "0"), deadline=deadline, stalled_after=timedelta(0)), SUNDAY)
    seen = Observation(SUNDAY, turn=turn)
    run = stalled.waiting(run, Wait("5 of 5 in flight", cause=Cause.LIMIT), seen, SUNDAY)
    (notice,) = told(run)
    assert notice.urgency is urgency
