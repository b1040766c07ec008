"""The queue sees a run by its line in the listing: what it reckons from that is what the record says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.wire.documents import ASLEEP, HELD_BACK, LONGEST, run_metadata
from handlers.wire.run_lines import line
from planner.azure.fleet import Interval
from planner.places.line import of_run
from planner.policy.model import Freeze
from planner.policy.weekly import parse_windows
from planner.record.cause import Cause
from planner.record.run import Run, Trouble
from planner.record.states import BatchState, RunState
from planner.record.waits import Stalled, Waited
from planner.schedule.timing import placed
from tests.planner.builders import DAY, HOUR, MINUTE, NOW, batch, run_of

WINDOWS = ("", "daily 20:00-06:00 UTC", "Sat,Sun 02:00-05:00 Europe/Berlin; Mon 10:00-24:00 UTC")


def of(run: Run) -> Any:
    return line("runs/s/g/n.json", run_metadata(run))


@settings(deadline=None)
@given(
    st.integers(1, 6),
    st.integers(1, 90),
    st.integers(0, 120),
    st.lists(st.sampled_from(WINDOWS), max_size=2),
    st.booleans(),
    st.integers(0, 60 * 48),
)
def test_a_start_ends_in_the_queue_when_it_ends_in_the_plan(
    batches: int, expected: int, soak: int, windows: list[str], frozen: bool, later: int
) -> None:
    freezes = (Freeze(NOW + 5 * HOUR, NOW + 30 * HOUR, "release"),) if frozen else ()
    run = run_of(
        *(batch(number, str(number)) for number in range(batches)),
        expected=expected * MINUTE,
        soak=soak * MINUTE,
        windows=tuple(parse_windows(text) for text in windows if text),
        freezes=freezes,
    )
    start = of(run).course.opens(NOW + later * MINUTE)
    end = placed(run, NOW + later * MINUTE, NOW)[1]
    assert (of(run).course.ends(start) if start is not None else None) == end


def test_a_line_has_what_the_record_says() -> None:
    run = run_of(
        batch(1, "0"),
        batch(2, "1"),
        tier="Front end",
        after=("db", "tier, with comma"),
        counts_in=("a", "b.c"),
    )
    opens = Interval(NOW + HOUR, NOW + 9 * DAY)
    run = replace(run, times=replace(run.times, self_service=opens, lead_over=NOW, deadline=NOW + 8 * DAY))
    found = of(run)
    assert (found.name, found.region, found.state) == (run.target.name, run.target.location, run.state)
    assert (found.tier, found.after) == ("Front end", ("db", "tier, with comma"))
    assert found.counts_in == ("a", "b.c")
    assert (found.earliest, found.deadline) == (NOW + HOUR, NOW + 8 * DAY)
    assert (found.claims, found.forecast, found.held_back) == (False, None, False)


def test_a_run_that_has_begun_holds_its_place_until_its_forecast_and_only_what_is_left_counts() -> None:
    begun = batch(1, "0", state=BatchState.REBOOTING, started_at=NOW)
    run = run_of(begun, batch(2, "1"), state=RunState.RUNNING, forecast_end=NOW + HOUR)
    found = of(run)
    assert (found.claims, found.forecast, found.course.batches) == (True, NOW + HOUR, 1)
    passed = replace(run, people=replace(run.people, lets_pass=True))
    assert not of(passed).claims


@pytest.mark.parametrize(("cause", "held_back"), [(Cause.LIMIT, False), (Cause.NEIGHBOUR, True)])
def test_a_run_that_something_of_its_own_keeps_back_is_seen_as_held_back(
    cause: Cause, held_back: bool
) -> None:
    held = Stalled(cause, "it waits", NOW, waited=(Waited(cause, NOW),))
    run = run_of(batch(1, "0"), state=RunState.SCHEDULED)
    assert of(replace(run, standing=replace(run.standing, stalled=held))).held_back is held_back


def test_a_run_of_which_azure_shows_nothing_is_passed_and_not_woken() -> None:
    held = Stalled(Cause.LIMIT, "it waits", NOW, waited=(Waited(Cause.LIMIT, NOW),))
    run = run_of(batch(1, "0"), state=RunState.SCHEDULED)
    run = replace(run, standing=replace(run.standing, stalled=held))
    assert run_metadata(run)["queue"] == ASLEEP
    down = replace(run, gaps=replace(run.gaps, trouble=Trouble(NOW, 1, "Azure answered 503.")))
    assert run_metadata(down)["queue"] == HELD_BACK
    assert of(down).held_back


def test_windows_too_long_for_a_listing_are_left_out_and_the_rest_is_there() -> None:
    hours = [f"Mon {hour:02}:00-{hour:02}:30 Europe/Berlin" for hour in range(24)]
    many = parse_windows(";".join(hours * 3))
    run = run_of(batch(1, "0"), windows=(many,))
    assert len(";".join(map(str, many))) > LONGEST
    assert "windows" not in run_metadata(run)
    assert of(run).course.batches == 1


def test_a_line_of_an_earlier_version_is_a_run_without_batches_to_come() -> None:
    found = line("runs/s/g/n.json", {"state": "scheduled", "name": "web"})
    assert (found.course.batches, found.course.windows) == (0, ())
    assert found.earliest < NOW - timedelta(days=9999)


@pytest.mark.parametrize("cause", [None, Cause.LIMIT, Cause.NEIGHBOUR])
@pytest.mark.parametrize("state", [RunState.SCHEDULED, RunState.RUNNING, RunState.PAUSED])
def test_the_listing_gives_the_queue_the_very_line_of_the_record(
    state: RunState, cause: Cause | None
) -> None:
    begun = batch(1, "0", state=BatchState.REBOOTING, started_at=NOW)
    run = run_of(
        begun if state is not RunState.SCHEDULED else batch(1, "0"),
        batch(2, "1"),
        state=state,
        tier="Front end",
        after=("db",),
        counts_in=("a",),
        windows=(parse_windows(WINDOWS[2]),),
        freezes=(Freeze(NOW + 5 * HOUR, NOW + 30 * HOUR, "release"),),
        forecast_end=NOW + 9 * HOUR,
        lead_over=NOW + HOUR,
    )
    if cause is not None:
        held = Stalled(cause, "it waits", NOW, waited=(Waited(cause, NOW),))
        run = replace(run, standing=replace(run.standing, stalled=held))
    assert of(run) == of_run("runs/s/g/n.json", run)
