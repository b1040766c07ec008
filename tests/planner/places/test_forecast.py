"""A run's forecast is that of its place."""

from dataclasses import replace

from planner.places.forecast import in_place
from planner.places.table import Place
from planner.record.run import Run
from planner.record.states import BatchState
from planner.schedule.timing import timed
from tests.planner.builders import DAY, HOUR, MINUTE, NOW, batch, run_of


def planned() -> Run:
    return timed(run_of(batch(1, "0"), batch(2, "1"), deadline=NOW + 3 * DAY), NOW)


def test_a_run_whose_turn_comes_later_ends_later() -> None:
    moved = in_place(planned(), Place(NOW + DAY, NOW + DAY + 50 * MINUTE), NOW)
    assert [each.not_before for each in moved.batches] == [NOW + DAY, NOW + DAY + 40 * MINUTE]
    assert moved.times.forecast_end == NOW + DAY + 50 * MINUTE
    assert moved.times.slack == 2 * DAY - 50 * MINUTE


def test_a_run_that_nobody_goes_before_keeps_its_times() -> None:
    assert in_place(planned(), Place(NOW, NOW + HOUR), NOW) == planned()


def test_a_run_that_was_polled_keeps_the_times_that_its_reason_says() -> None:
    waits = timed(replace(planned(), times=replace(planned().times, others_until=NOW + 2 * DAY)), NOW)
    assert in_place(waits, Place(NOW + HOUR, NOW + 2 * HOUR), NOW) is waits


def test_where_no_place_gets_free_nobody_knows_when_it_ends() -> None:
    lost = in_place(planned(), Place(late=True), NOW)
    assert (lost.times.forecast_end, lost.times.slack) == (None, None)


def test_what_has_begun_goes_by_its_own_times() -> None:
    begun = run_of(batch(1, "0", state=BatchState.REBOOTING, started_at=NOW), batch(2, "1"))
    assert in_place(begun, Place(NOW + DAY, NOW + 2 * DAY), NOW) is begun
