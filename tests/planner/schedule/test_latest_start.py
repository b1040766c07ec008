"""By when an answer still helps: just before it the start goes in, after it nothing does."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health, Interval
from planner.record.notice import Kind
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.schedule.latest_start import latest
from planner.state.unanswered import if_nobody_answers
from planner.text.phrases import say
from tests.planner.living import DAY, H, M, living, run_of_world
from tests.planner.protocol import NOW, Protocol, policy
from tests.planner.small_azure import SmallAzure

SECONDS = timedelta(seconds=1)


def served(world: Protocol) -> None:
    """What was started is maintained and healthy, as Azure would have it a few minutes later."""
    for machine in world.azure.machines.values():
        if machine.operation:
            world.azure.end(machine, "cleared")
            world.azure.up(machine)


def on(world: Protocol, moment: datetime) -> None:
    """Every poll that is due until then; what was started comes back between polls."""
    while run_of_world(world).state in ACTIVE and run_of_world(world).due <= moment:
        world.now = max(world.now, run_of_world(world).due)
        served(world)
        world.poll()
    world.now = max(world.now, moment)


def says(world: Protocol, word: str) -> None:
    world.poll([world.event(word)])


def case_27() -> Protocol:
    """Windows on Sundays, two batches, self-service until Saturday week at noon."""
    end = datetime(2026, 12, 12, 12, 0, tzinfo=UTC)
    azure = SmallAzure(flexible=False, zones=0, domains=2, count=4, window=Interval(NOW - H, end))
    world = Protocol(
        azure,
        policy(
            {
                "lead": "0m",
                "mode": "approve",
                "windows": "Sun 02:00-04:00 UTC",
                "soak": "30m",
                "max-unavailable": "50%",
            }
        ),
    )
    world.plan()
    return world


def test_answer_by_is_the_last_start_inside_the_windows_and_not_the_end_of_azures_window() -> None:
    world = case_27()
    (notice,) = [told for told in run_of_world(world).story.notices if told.kind is Kind.APPROVAL]
    # Two batches of ten minutes and a soak of thirty end at 04:00; an answer comes a poll earlier.
    assert notice.otherwise.startswith("If nobody answers by Sun 6 Dec 2026 03:09 UTC, Azure reboots all 4")
    assert "12 Dec 2026 12:00" not in notice.otherwise


def test_an_approval_just_in_time_starts_on_the_last_sunday_and_one_after_it_does_not() -> None:
    in_time, late = case_27(), case_27()
    by = latest(run_of_world(in_time), NOW).everything
    assert by is not None
    on(in_time, by)
    says(in_time, "approve")
    on(in_time, by + 50 * M)
    assert len(in_time.starts) == 4
    on(late, by + 2 * M)
    says(late, "approve")
    on(late, by + 7 * DAY)
    assert late.starts == []


def test_where_no_answer_helps_any_more_that_is_said_instead_of_a_date_that_is_past() -> None:
    world = case_27()
    on(world, datetime(2026, 12, 6, 3, 55, tzinfo=UTC))
    said = if_nobody_answers(run_of_world(world), world.now)
    assert said.startswith("It is too late to answer: nothing more can start before the self-service window")
    assert "Azure reboots all 4" in said


def failed_midway(*, hours: float = 480, **values: str) -> Protocol:
    """Of two batches the first has failed, and its run is paused with the second still to start."""
    world = living(4, hours=hours, **values)
    world.poll()
    sick = next(machine for machine in world.azure.machines.values() if machine.operation)
    for _ in range(200):
        if run_of_world(world).state is RunState.PAUSED:
            break
        world.now = max(world.now, run_of_world(world).due)
        served(world)
        sick.become(health=Health.UNHEALTHY)
        world.poll()
    return world


def test_a_paused_run_with_batches_left_says_until_when_all_of_it_fits_and_until_when_anything_does() -> None:
    world = failed_midway(soak="2h", max_unavailable="1", hours=30)
    run = run_of_world(world)
    found = latest(run, world.now)
    assert found.everything is not None
    assert found.anything is not None
    assert found.everything < found.anything
    (notice,) = [told for told in run.story.notices if told.kind is Kind.PAUSED]
    assert f"If nobody answers by {say(found.everything)}, not all of it fits" in notice.otherwise
    assert f"by {say(found.anything)} nothing does" in notice.otherwise


def resumed(world: Protocol, at: datetime) -> int:
    """How many more are started when somebody mends what failed and resumes at `at`."""
    on_while_paused(world, at)
    for machine in world.azure.machines.values():
        world.azure.up(machine)
    began = len(world.starts)
    says(world, "resume")
    on(world, run_of_world(world).times.self_service.end + DAY)  # type: ignore[union-attr]
    return len(world.starts) - began


def on_while_paused(world: Protocol, moment: datetime) -> None:
    while run_of_world(world).state in ACTIVE and run_of_world(world).due <= moment:
        world.now = max(world.now, run_of_world(world).due)
        world.poll()
    world.now = max(world.now, moment)


def test_a_resume_just_in_time_starts_one_more_and_one_after_it_nothing() -> None:
    made = [failed_midway(soak="2h", hours=30) for _ in range(2)]
    by = latest(run_of_world(made[0]), made[0].now).anything
    assert by is not None
    assert resumed(made[0], by) > 0
    assert resumed(made[1], by + 10 * M) == 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    opens=st.integers(0, 23),
    hours=st.integers(1, 5),
    days=st.sampled_from(["daily", "Sun", "Mon-Fri", "Tue,Sat"]),
    soak=st.integers(0, 90),
    count=st.integers(1, 6),
    window=st.integers(20, 400),
)
def test_an_answer_by_the_promised_time_starts_all_of_it_and_a_later_one_nothing(
    opens, hours, days, soak, count, window
) -> None:
    given_words = {
        "mode": "approve",
        "windows": f"{days} {opens:02}:00-{(opens + hours) % 24:02}:00 UTC",
        "soak": f"{soak}m",
    }
    in_time, late = (living(count, hours=window, **given_words) for _ in range(2))
    by = latest(run_of_world(in_time), NOW)
    if run_of_world(in_time).people.misfit:
        assert by.everything is None
        return
    assert by.everything is not None
    on(in_time, by.everything)
    says(in_time, "approve")
    on(in_time, NOW + window * H)
    assert len({name for _, name in in_time.starts}) == count
    assert {instance.state for instance in run_of_world(in_time).instances} == {InstanceState.MAINTAINED}
    on(late, by.everything + 3 * M)
    says(late, "approve")
    on(late, NOW + window * H)
    assert late.starts == []


@pytest.mark.parametrize("word", ["resume", "approve"])
def test_the_poll_after_a_command_that_can_start_follows_within_seconds(word: str) -> None:
    world = living(mode="approve" if word == "approve" else "auto", lead="1h")
    if word == "resume":
        says(world, "hold")
    on_while_paused(world, NOW + 2 * H)
    says(world, word)
    assert run_of_world(world).due <= world.now + 5 * SECONDS
    on(world, world.now + 5 * SECONDS)
    assert world.starts
