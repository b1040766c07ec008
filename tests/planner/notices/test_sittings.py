"""Which sittings a person finds in a calendar, and from when to when."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Interval
from planner.notices.sittings import APART, MINUTE, azures_turns, sittings
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from tests.notices import HOUR, NOW, batch, run

NIGHT = NOW.replace(hour=2) + timedelta(days=1)
DAY = timedelta(days=1)


def planned(number, at, *ids):
    return replace(batch(number, *(ids or (str(number),))), not_before=at)


def done(number, at, minutes=20):
    ended = at + minutes * MINUTE
    return replace(
        batch(number, str(number), state=InstanceState.MAINTAINED),
        state=BatchState.DONE,
        not_before=at - HOUR,
        started_at=at,
        verified_at=ended,
        finished_at=ended + HOUR / 2,
    )


def times(one):
    return [(each.start, each.end) for each in sittings(one)]


def test_batches_of_one_night_are_one_sitting_and_those_of_the_next_night_another():
    first = [planned(number, NIGHT + number * 40 * MINUTE) for number in range(3)]
    second = planned(3, NIGHT + DAY)

    found = sittings(run("web", batches=(*first, second)))

    assert [[each.number for each in sitting.batches] for sitting in found] == [[0, 1, 2], [3]]
    assert [(each.start, each.end) for each in found] == [
        (NIGHT, NIGHT + 90 * MINUTE),
        (NIGHT + DAY, NIGHT + DAY + 10 * MINUTE),
    ]


def test_what_is_done_keeps_the_times_it_really_had_without_its_soak():
    one = run("web", state=RunState.RUNNING, batches=(done(1, NIGHT + 7 * MINUTE), planned(2, NIGHT + DAY)))

    assert times(one)[0] == (NIGHT + 7 * MINUTE, NIGHT + 27 * MINUTE)
    assert [each.over for each in sittings(one)] == [True, False]


def test_what_is_under_way_ends_when_it_should_and_what_failed_when_it_should_have_recovered():
    going = replace(
        batch(1, "1", state=InstanceState.REBOOTING), state=BatchState.REBOOTING, started_at=NIGHT
    )
    failed = replace(batch(1, "1", state=InstanceState.FAILED), state=BatchState.FAILED, started_at=NIGHT)

    for one, lasts in ((going, 10 * MINUTE), (failed, HOUR)):
        (sitting,) = sittings(run("web", state=RunState.RUNNING, batches=(one,)))
        assert (sitting.start, sitting.end) == (NIGHT, NIGHT + lasts)
        assert (sitting.begun, sitting.over) == (True, False)


def test_what_azure_has_put_off_stands_at_its_new_time():
    put_off = replace(planned(1, NIGHT + DAY), started_at=NIGHT, retry=True)

    (sitting,) = sittings(run("web", state=RunState.RUNNING, batches=(put_off,)))

    assert (sitting.start, sitting.begun) == (NIGHT + DAY, False)


def test_a_run_that_is_over_has_no_sitting_for_what_never_started():
    one = run("web", state=RunState.CANCELLED, batches=(done(1, NIGHT), planned(2, NIGHT + DAY)))

    assert times(one) == [(NIGHT, NIGHT + 20 * MINUTE)]


def test_a_batch_without_a_time_and_one_that_was_left_out_have_no_sitting():
    skipped = replace(batch(2, "2", state=InstanceState.SKIPPED), not_before=NIGHT)

    assert sittings(run("web", batches=(planned(1, None), skipped))) == ()


def test_a_forecast_that_moves_by_seconds_moves_no_sitting():
    one, later = (run("web", batches=(planned(1, NIGHT + some * MINUTE / 60),)) for some in (5, 50))

    assert times(one) == times(later)


def azures(name, start=NIGHT, days=9, **more):
    return run(name, state=RunState.LEFT_TO_AZURE, scheduled=Interval(start, start + days * DAY), **more)


def test_scale_sets_that_azure_takes_in_one_window_are_one_turn():
    turns = azures_turns([azures("web"), azures("db"), azures("late", NIGHT + 20 * DAY), run("ours")])

    assert [[one.target.name for one in turn.runs] for turn in turns] == [["db", "web"], ["late"]]
    assert (turns[0].start, turns[0].end, turns[0].over) == (NIGHT, NIGHT + 9 * DAY, False)


def test_once_azure_is_through_with_all_of_them_its_turn_has_the_times_it_really_took():
    over = Batch(
        1,
        "domain 0",
        (InstanceProgress("0", state=InstanceState.BY_AZURE),),
        BatchState.DONE,
        started_at=NIGHT + DAY,
        finished_at=NIGHT + DAY + HOUR,
    )
    (turn,) = azures_turns([azures("web", batches=(over,))])

    assert (turn.start, turn.end, turn.over) == (NIGHT + DAY, NIGHT + DAY + HOUR, True)
    (both,) = azures_turns([azures("web", batches=(over,)), azures("db")])
    assert (both.end, both.over) == (NIGHT + 9 * DAY, False)


def test_what_was_missed_or_skipped_is_azures_turn_unless_its_status_is_gone():
    def ended(state, *, gone=False):
        left = replace(batch(1, "1", state=state), not_before=NIGHT)
        left = replace(left, instances=tuple(replace(each, gone=gone) for each in left.instances))
        return run("web", state=RunState.MISSED, batches=(left,))

    assert azures_turns([ended(InstanceState.MISSED)])[0].over is False
    assert azures_turns([ended(InstanceState.SKIPPED)])
    assert azures_turns([ended(InstanceState.SKIPPED, gone=True)]) == ()
    assert azures_turns([ended(InstanceState.MAINTAINED)]) == ()


def test_what_was_ours_before_the_rest_was_left_to_azure_keeps_its_sitting():
    rest = replace(planned(2, NIGHT + DAY), state=BatchState.PENDING)
    by_azure = replace(rest, number=3, started_at=NIGHT + 2 * DAY)

    assert times(azures("web", batches=(done(1, NIGHT), rest, by_azure))) == [(NIGHT, NIGHT + 20 * MINUTE)]


@st.composite
def runs(draw) -> Run:
    """A run whose batches are planned, under way or done, at any minute of four days."""
    at = st.integers(0, 4 * 24 * 60).map(lambda minutes: NIGHT + minutes * MINUTE)
    makers = st.sampled_from((planned, done))
    count = draw(st.integers(0, 6))
    return run(
        "web",
        state=draw(st.sampled_from((RunState.SCHEDULED, RunState.RUNNING, RunState.PAUSED))),
        batches=tuple(draw(makers)(number, draw(at)) for number in range(count)),
    )


@settings(deadline=None)
@given(runs())
def test_sittings_lie_apart_and_every_batch_is_in_one(one):
    found = sittings(one)

    assert sorted(each.number for sitting in found for each in sitting.batches) == [
        each.number for each in one.batches
    ]
    for before, after in pairwise(found):
        assert after.start - before.end >= APART
    assert all(each.start < each.end for each in found)
