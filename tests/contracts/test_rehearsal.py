"""A small wave is rehearsed: its looks, calls and forecasts are those that were due, and the targets judge."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchmarks.growth import Size
from benchmarks.rehearsal import __main__ as rehearsal
from benchmarks.rehearsal import costs, looks, targets
from benchmarks.rehearsal.buckets import Buckets
from benchmarks.rehearsal.due import Course, due
from benchmarks.rehearsal.host import SEVERAL
from benchmarks.rehearsal.play import Played, Wanted, play
from benchmarks.rehearsal.scene import CALM, START, Shares
from handlers.wire.ids import SCALE_SETS
from planner.record.states import RunState
from simulator.arm.routes import match

M, DAY = timedelta(minutes=1), timedelta(days=1)
NEVER_LATE = 5
"""Days after which every run of the small wave is over."""


@pytest.fixture(scope="module")
def small() -> Played:
    shares = Shares(approvals=0.2, trouble=0.1)
    return play(Wanted(Size(24, 10), seed=4, days=NEVER_LATE, shares=shares))


def test_a_wave_is_played_to_its_end_with_people_who_approve_and_repair(small: Played) -> None:
    assert {run.state for run in small.runs.values()} == {RunState.COMPLETED}
    said = {kind for _, kind in small.host.people.words}
    assert {"approve", "resume"} <= said
    assert small.host.looks.why[looks.PAUSED] > 0
    assert small.host.looks.why[f"{looks.WAITS} for its turn"] > 0


def test_a_wave_costs_no_more_messages_than_the_looks_that_are_due_and_a_tenth(small: Played) -> None:
    found = costs.costs(small)
    alone = sum(small.host.of[name] for name in small.scene.parts)
    assert found.messages == alone + small.host.of[SEVERAL]
    assert 0 < small.host.of[SEVERAL] < len(small.runs)
    assert 0.8 < found.messages_ratio <= targets.MOST_MESSAGES


def test_a_wave_costs_no_more_arm_calls_than_are_needed_and_a_twentieth(small: Played) -> None:
    found = costs.costs(small)
    assert small.host.azure.turned_away == 0
    assert found.calls > 24 * 10 * 5
    assert 0.8 < found.calls_ratio <= targets.MOST_CALLS


def test_looks_while_instances_reboot_and_soak_are_the_due_ones_to_the_number(small: Played) -> None:
    due_looks, came = small.due.looks, small.host.looks.why
    assert came[looks.SOAKS] == due_looks[looks.SOAKS]
    assert abs(came[looks.REBOOTS] - due_looks[looks.REBOOTS]) <= len(small.host.people.words)
    assert abs(came[looks.ENDS] - due_looks[looks.ENDS]) <= len(small.runs)


def test_a_look_at_a_run_that_is_over_costs_one_message_one_call_and_no_second_claim_to_give_back(
    small: Played,
) -> None:
    over = small.host.looks.why[looks.ENDS]
    assert over > len(small.runs)
    assert small.host.handled[SCALE_SETS] <= small.due.plans
    assert small.host.records.used["delete", "advance"] <= over + 2 * len(small.runs)


def test_with_a_tenth_of_the_buckets_a_wave_costs_a_fifth_more_arm_calls_at_most() -> None:
    limited = play(Wanted(Size(40, 4), days=1.3, left=0.05, pace=timedelta(milliseconds=1)))
    assert limited.host.azure.turned_away > 0
    assert costs.costs(limited).calls_ratio <= targets.MOST_CALLS_THROTTLED


def test_forecasts_of_day_0_hold_where_all_goes_as_planned() -> None:
    calm = play(Wanted(Size(24, 5), days=4, shares=CALM, regions=2))
    assert all(target.kept for target in targets.of_forecasts(calm)), targets.of_forecasts(calm)


def test_superfluous_looks_are_found(small: Played) -> None:
    found = costs.costs(small)
    doubled = replace(found, messages=2 * found.messages, calls=2 * found.calls)
    assert [target.kept for target in targets.of_costs(doubled)] == [False, False]
    assert targets.judged(targets.of_costs(doubled)) == 1
    assert targets.judged(targets.of_costs(found)) == 0


def test_a_cost_that_doubles_with_the_size_misses_and_one_that_stays_does_not(small: Played) -> None:
    found = costs.costs(small)
    twice = replace(found, size=Size(48, 10), messages=4 * found.messages, stored=2 * found.stored)
    judged = {target.what: target.kept for target in targets.of_growth([found, twice])}
    assert not judged["growth a doubling, messages"]
    assert judged["growth a doubling, bytes on record"]


def test_what_was_due_follows_from_what_happened(small: Played) -> None:
    run = next(run for run in small.runs.values() if not small.scene.parts[run.target.name].sick)
    end = run.ended_at
    assert end is not None
    course = Course(run, START, (), [8 * M, 8 * M + timedelta(seconds=1)], 0, 1)
    found = due(course, end + DAY)
    assert found.looks[looks.ENDS] == 4
    assert found.looks[looks.SOAKS] == 2 * (len(run.batches) - 1)
    assert (found.calls["start"], found.calls["operation"]) == (2, 8 + 9)
    assert due(course, end).messages == found.messages - 4


def test_a_bucket_is_empty_after_its_burst_and_fills_again() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    path = (
        "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Compute"
        "/virtualMachineScaleSets/web"
    )
    call = match("GET", path)
    assert call is not None
    buckets = Buckets(lambda: now, lambda _: "westeurope", 1)
    waits = [buckets.wait(call, path) for _ in range(37)]
    assert waits[:36] == [0] * 36
    assert waits[36] == 5
    now += timedelta(seconds=5)
    assert buckets.wait(call, path) == 0


def test_a_part_is_played_alone_and_judged(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--sets", "8", "--instances", "2", "--days", "0.2", "--memory-days", "0.05"]
    assert rehearsal.main([*small, "--parts", "memory"]) == 0
    assert re.search(r"kept    MiB of a worker at most: \d+, at most 512\n$", capsys.readouterr().out)
    assert rehearsal.main([*small, "--parts", "wave"]) == 0
    shown = capsys.readouterr().out
    assert "messages over looks and plans due" in shown
    assert "MiB of a worker" not in shown
