"""What a batch takes away of what serves, and how long one is expected to take."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from planner.azure.fleet import Health, Instance
from planner.azure.usage import Habits
from planner.decision.estimate import learned, longest, took
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState
from planner.schedule.capacity import share, with_capacity
from tests.planner.builders import (
    HOUR,
    MINUTE,
    NOW,
    always,
    batch,
    changed,
    fleet,
    planned,
    rules,
    run_of,
    scale_set,
    step,
)
from tests.planner.builders import observe as look_at

SECOND = timedelta(seconds=1)


def capacity(instances: tuple[Instance, ...], **said: str) -> str:
    return planned(instances=instances, a_policy=always(**said)).fleet.capacity


# Capacity ------------------------------------------------------------------------------------------------


def test_the_plan_says_what_its_largest_batch_takes_away_and_what_makes_up_for_it():
    assert capacity(fleet()) == (
        "At most 2 of 10 healthy instances are down at a time (20 %); 2 more instances would make up for it."
    )
    assert planned().fleet.serving == 10


def test_one_instance_is_one_instance():
    assert "At most 1 of 4 healthy instances is down at a time (25 %); 1 more instance would" in capacity(
        fleet(4)
    )


def test_what_does_not_serve_does_not_count_as_serving():
    instances = changed(changed(fleet(), "3", health=Health.UNHEALTHY), "4", power="stopped")
    run = planned(instances=instances)
    assert run.fleet.serving == 8
    assert "At most 1 of 8 healthy instances is down at a time (12 %)" in run.fleet.capacity


def test_a_batch_takes_away_no_more_than_what_of_it_serves():
    """Three of a domain of five are switched off: what is left of it to take away is two, not five of four."""
    off = tuple(
        replace(instance, power="deallocated") if instance.id in {"0", "2", "4"} else instance
        for instance in fleet(7, 2)
    )
    run = planned(instances=off, a_policy=always(max_unavailable="100%"))
    assert run.fleet.serving == 4
    assert (
        "At most 3 of 4 healthy instances are down at a time (75 %); 3 more instances" in run.fleet.capacity
    )
    dark = tuple(
        replace(instance, power="deallocated") if instance.id in {"0", "2", "4", "6"} else instance
        for instance in fleet(7, 2)
    )
    assert "At most 3 of 3" in planned(instances=dark, a_policy=always(max_unavailable="100%")).fleet.capacity


def test_nothing_that_serves_has_nothing_taken_away():
    ill = fleet(health=Health.UNHEALTHY)
    run = planned(instances=ill)
    assert (run.fleet.serving, run.fleet.capacity) == (0, "")


def test_autoscale_that_would_scale_in_meanwhile_is_named_with_what_to_do():
    a_set = scale_set(habits=Habits(autoscale="by-cpu", scales_in=True))
    words = planned(a_set).fleet.capacity
    assert "The autoscale setting by-cpu may remove instances meanwhile: raise its minimum" in words
    calm = scale_set(habits=Habits(autoscale="by-cpu", scales_in=False))
    assert "by-cpu" not in planned(calm).fleet.capacity


def test_what_is_done_takes_nothing_away_any_more():
    done = batch(1, InstanceProgress("0", state=InstanceState.MAINTAINED), state=BatchState.DONE)
    run = with_capacity(run_of(done), scale_set(), fleet(), rules())
    assert (run.fleet.serving, run.fleet.capacity) == (10, "")
    half = batch(1, InstanceProgress("0", state=InstanceState.SKIPPED), "1", "2")
    assert "At most 2 of 10" in with_capacity(run_of(half), scale_set(), fleet(), rules()).fleet.capacity


def test_a_share_of_nothing_is_no_number():
    assert share(batch(1, "0"), 0) is None
    assert share(batch(1, "0", "1"), 8) == 25


@given(
    st.lists(
        st.sampled_from(["running", "running", "stopped", "deallocated", "starting"]), min_size=1, max_size=20
    ),
    st.integers(1, 5),
    st.sampled_from(["default", "1", "3", "50%", "100%"]),
)
def test_no_plan_takes_away_more_than_serves(powers: list[str], domains: int, most: str):
    instances = tuple(
        replace(instance, power=power)
        for instance, power in zip(fleet(len(powers), domains), powers, strict=True)
    )
    run = planned(instances=instances, a_policy=always(max_unavailable=most))
    if not run.fleet.capacity:
        return
    words = run.fleet.capacity.split("At most ")[1].split(" healthy")[0]
    taken, up = (int(number) for number in words.split(" of "))
    assert up == sum(power == "running" for power in powers) == run.fleet.serving
    assert 1 <= taken <= up


# Learning ------------------------------------------------------------------------------------------------


def finished(number: int, minutes: float, state: InstanceState = InstanceState.MAINTAINED) -> Batch:
    return batch(
        number,
        InstanceProgress(str(number), state=state),
        state=BatchState.DONE,
        started_at=NOW,
        verified_at=NOW + minutes * MINUTE,
        finished_at=NOW + 9 * HOUR,
    )


def expected(run: Run, *others: float, poll_interval: timedelta = MINUTE) -> timedelta:
    return learned(run, poll_interval, [minutes * MINUTE for minutes in others]).times.expected


def test_before_any_batch_is_finished_it_is_what_the_guidance_says_counted_in_polls():
    assert expected(run_of(batch(1, "0"))) == 10 * MINUTE
    assert expected(run_of(batch(1, "0")), poll_interval=SECOND) == 10 * SECOND


def test_its_own_finished_batches_count_most_and_of_them_the_longest_without_their_soak():
    run = run_of(finished(1, 7), finished(2, 23), finished(3, 4), batch(4, "9"))
    assert longest(run) == 23 * MINUTE
    assert expected(run, 1, 50) == 23 * MINUTE


def test_the_waves_other_runs_count_by_their_median_so_that_one_that_got_stuck_says_nothing():
    assert expected(run_of(batch(1, "0")), 6, 7, 55) == 7 * MINUTE
    assert expected(run_of(batch(1, "0")), 55) == 55 * MINUTE


def test_nothing_is_expected_to_take_longer_than_a_person_is_asked_after():
    short = run_of(finished(1, 300), batch(2, "9"), recover_within=20 * MINUTE)
    assert expected(short) == 20 * MINUTE
    assert expected(run_of(batch(1, "0"), recover_within=20 * MINUTE), 300) == 20 * MINUTE
    assert expected(run_of(batch(1, "0"), recover_within=5 * MINUTE)) == 5 * MINUTE


def test_a_batch_that_is_not_verified_or_not_ours_teaches_nothing():
    assert took(batch(1, "0")) is None
    assert took(batch(1, InstanceProgress("0", state=InstanceState.REBOOTING), started_at=NOW)) is None
    for state in (
        InstanceState.SKIPPED,
        InstanceState.BY_AZURE,
        InstanceState.CANCELLED,
        InstanceState.MISSED,
    ):
        assert took(finished(1, 50, state)) is None
        assert expected(run_of(finished(1, 50, state), batch(2, "9"))) == 10 * MINUTE


def test_what_a_batch_taught_moves_the_times_of_the_others():
    run = replace(
        planned(),
        batches=(
            replace(
                planned().batches[0],
                state=BatchState.SOAKING,
                started_at=NOW,
                verified_at=NOW + 40 * MINUTE,
                instances=tuple(
                    replace(instance, state=InstanceState.MAINTAINED)
                    for instance in planned().batches[0].instances
                ),
            ),
            *planned().batches[1:],
        ),
    )
    now = NOW + 41 * MINUTE
    done = tuple(
        replace(instance, maintenance=None) if instance.id in {"0", "5"} else instance for instance in fleet()
    )
    run, _ = step(run, look_at(instances=done, now=now))
    assert run.times.expected == 40 * MINUTE
    assert [batch.not_before for batch in run.batches[1:]] == [
        NOW + 70 * MINUTE + at * 70 * MINUTE for at in range(4)
    ]
    assert run.times.forecast_end == NOW + 70 * MINUTE + 3 * 70 * MINUTE + 40 * MINUTE
