"""When batches start: placed against a reference that tries every step of the clock, and dates by hand."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Interval
from planner.calendar.windows import is_open
from planner.policy.model import Freeze, Rules
from planner.policy.weekly import WindowSets, parse_windows
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState
from planner.schedule import checksum
from planner.schedule.deadline import deadline, margin
from planner.schedule.timing import earliest, next_start, placed, start_by, timed
from tests.planner.builders import DAY, HOUR, MINUTE, NOW, batch, run_of, utc

RULES = Rules()
STEP = 5 * MINUTE
SOAK, REBOOT = timedelta(minutes=30), timedelta(minutes=10)


def windows(*texts: str) -> WindowSets:
    return tuple(parse_windows(text) for text in texts)


def open_run(*batches: Batch, **more: object) -> Run:
    """A run without lead time whose self-service window is wide open."""
    fields = {"self_service": Interval(NOW - DAY, NOW + 400 * DAY), "deadline": NOW + 399 * DAY, **more}
    return run_of(*batches, **fields)


def times(run: Run, now: datetime) -> list[datetime | None]:
    return [each.not_before for each in timed(run, now).batches]


# By hand -------------------------------------------------------------------------------------------------


def test_batches_follow_each_other_with_a_reboot_and_a_soak_in_between():
    run = timed(open_run(batch(1, "0"), batch(2, "1"), batch(3, "2")), NOW)
    assert [batch.not_before for batch in run.batches] == [NOW, NOW + 40 * MINUTE, NOW + 80 * MINUTE]
    assert run.times.forecast_end == NOW + 90 * MINUTE
    assert run.times.deadline is not None
    assert run.times.slack == run.times.deadline - run.times.forecast_end


def test_the_last_batch_needs_no_soak_to_meet_the_deadline():
    run = open_run(batch(1, "0"), soak=9 * HOUR, deadline=NOW + REBOOT)
    assert timed(run, NOW).times.slack == timedelta(0)


def test_a_batch_that_would_not_end_inside_the_window_waits_for_the_next_one():
    run = open_run(batch(1, "0"), batch(2, "1"), batch(3, "2"), windows=windows("daily 13:00-14:00 UTC"))
    assert times(run, NOW) == [utc("2026-11-22T13:00"), utc("2026-11-22T13:40"), utc("2026-11-23T13:00")]


def test_a_batch_that_ends_with_the_window_to_the_minute_still_goes_and_a_minute_longer_does_not():
    short = open_run(batch(1, "0"), windows=windows("Sun 11:00-12:10 UTC"))
    assert times(short, NOW) == [NOW]
    longer = replace(short, times=replace(short.times, expected=REBOOT + MINUTE))
    assert times(longer, NOW) == [utc("2026-11-29T11:00")]
    assert times(short, NOW + timedelta(seconds=1)) == [utc("2026-11-29T11:00")]


def test_a_batch_lasts_over_midnight_in_an_overnight_window_and_over_two_that_adjoin():
    night = open_run(batch(1, "0"), windows=windows("Sun 23:00-01:00 UTC"), expected=90 * MINUTE)
    assert times(night, NOW) == [utc("2026-11-22T23:00")]
    adjoin = open_run(
        batch(1, "0"), windows=windows("Sun 23:00-24:00 UTC; Mon 00:00-00:30 UTC"), expected=90 * MINUTE
    )
    assert times(adjoin, NOW) == [utc("2026-11-22T23:00")]


def test_a_freeze_that_begins_while_a_batch_would_run_keeps_it_back():
    freeze = Freeze(NOW + 5 * MINUTE, NOW + DAY, "launch")
    assert times(open_run(batch(1, "0"), freezes=(freeze,)), NOW) == [NOW + DAY]
    touching = Freeze(NOW + REBOOT, NOW + DAY, "launch")
    assert times(open_run(batch(1, "0"), batch(2, "1"), freezes=(touching,)), NOW) == [NOW, NOW + DAY]


def test_two_window_sets_must_both_be_open_for_as_long_as_a_batch_takes():
    both = windows("daily 02:00-06:00 Europe/Berlin", "daily 02:00-03:00 UTC")
    assert times(open_run(batch(1, "0"), windows=both), NOW) == [utc("2026-11-23T02:00")]
    apart = windows("Mon 02:00-03:00 UTC", "Tue 02:00-03:00 UTC")
    run = timed(open_run(batch(1, "0"), windows=apart), NOW)
    assert (run.times.forecast_end, run.times.slack, run.batches[0].not_before) == (None, None, None)


@pytest.mark.parametrize(
    ("zone", "now", "first", "second"),
    [
        # Clocks go forward at 01:00 UTC on 2026-03-29: 02:30 does not exist, the window opens at 03:00 local.
        ("daily 02:30-04:00 Europe/Berlin", "2026-03-28T12:00", "2026-03-29T01:00", "2026-03-30T00:30"),
        # Clocks go back at 01:00 UTC on 2026-10-25: 02:30 is twice, the window opens at the first one.
        ("daily 02:30-04:00 Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("daily 01:30-03:00 America/New_York", "2026-10-31T12:00", "2026-11-01T05:30", "2026-11-02T06:30"),
        # Midnight itself did not exist in Sao Paulo on 2018-11-04: the day began at 01:00, 03:00 UTC.
        ("daily 00:00-02:00 America/Sao_Paulo", "2018-11-03T12:00", "2018-11-04T03:00", "2018-11-05T02:00"),
        # And came twice at its end: 23:30 of 2018-02-17 is first at 01:30 UTC.
        ("daily 23:30-01:00 America/Sao_Paulo", "2018-02-17T12:00", "2018-02-18T01:30", "2018-02-19T02:30"),
    ],
)
def test_windows_follow_their_own_clocks_over_a_change_of_time(zone: str, now: str, first: str, second: str):
    at = utc(now)
    run = open_run(
        batch(1, "0"),
        batch(2, "1"),
        windows=windows(zone),
        soak=3 * HOUR,
        self_service=Interval(at - DAY, at + 30 * DAY),
        deadline=at + 29 * DAY,
    )
    assert times(run, at) == [utc(first), utc(second)]


def test_an_hour_the_clocks_skip_is_missing_from_what_fits_and_a_repeated_one_makes_room():
    """02:00 to 04:00 in Berlin is one hour long in March and three in October."""
    run = open_run(batch(1, "0"), windows=windows("Sun 02:00-04:00 Europe/Berlin"), expected=90 * MINUTE)
    march, october = utc("2026-03-28T12:00"), utc("2026-10-24T12:00")
    for at, wanted in ((march, "2026-04-05T00:00"), (october, "2026-10-25T00:00")):
        window = Interval(at - DAY, at + 30 * DAY)
        assert times(replace(run, times=replace(run.times, self_service=window)), at) == [utc(wanted)]
    longest = replace(
        run,
        times=replace(run.times, self_service=Interval(october - DAY, october + 30 * DAY), expected=3 * HOUR),
    )
    assert times(longest, october) == [utc("2026-10-25T00:00")]


def test_why_nothing_starts_names_what_stands_in_the_way():
    freeze = Freeze(NOW - HOUR, NOW + DAY, "launch")
    assert next_start((), (freeze,), NOW) == (NOW + DAY, "a freeze until Mon 23 Nov 2026 12:00 UTC (launch)")
    at, why = next_start(windows("Mon 02:00-04:00 UTC"), (), NOW)
    assert (at, why) == (utc("2026-11-23T02:00"), "the next window opens Mon 23 Nov 2026 02:00 UTC")
    at, why = next_start(windows("Mon 02:00-03:00 UTC"), (), NOW, 2 * HOUR)
    assert at is None
    assert why == "no window in the next 60 days is as long as the 2 hours a batch is expected to take"
    assert next_start((), (), NOW) == (NOW, "")


def test_a_freeze_longer_than_anybody_polls_ahead_is_named_and_not_a_window_nobody_declared():
    at, why = next_start((), (Freeze(NOW, NOW + 90 * DAY, "year end"),), NOW)
    assert at is None
    assert "year end" in why
    assert "window opens" not in why


def test_a_freeze_that_leaves_too_little_time_between_two_others_is_passed_over():
    freezes = tuple(Freeze(NOW + at * HOUR, NOW + at * HOUR + 55 * MINUTE, f"talk {at}") for at in range(5))
    at, _ = next_start((), freezes, NOW, REBOOT)
    assert at == NOW + 4 * HOUR + 55 * MINUTE


def test_lead_time_other_scale_sets_and_azures_window_each_hold_back_the_first_start():
    run = open_run(batch(1, "0"))
    assert earliest(run, NOW) == NOW
    assert earliest(replace(run, times=replace(run.times, lead_over=NOW + HOUR)), NOW) == NOW + HOUR
    assert (
        earliest(replace(run, times=replace(run.times, others_until=NOW + 2 * HOUR)), NOW) == NOW + 2 * HOUR
    )
    later = Interval(NOW + 3 * HOUR, NOW + 30 * DAY)
    assert (
        earliest(replace(run, times=replace(run.times, self_service=later, lead_over=NOW + HOUR)), NOW)
        == NOW + 3 * HOUR
    )
    assert times(replace(run, times=replace(run.times, self_service=later)), NOW) == [NOW + 3 * HOUR]


def test_a_batch_held_back_is_placed_after_that_and_those_behind_it_after_it():
    run = open_run(batch(1, "0", held_until=NOW + 2 * HOUR), batch(2, "1"))
    assert times(run, NOW) == [NOW + 2 * HOUR, NOW + 2 * HOUR + REBOOT + SOAK]


def test_what_is_rebooting_ends_when_expected_and_the_next_batch_soaks_from_there():
    under_way = batch(
        1, InstanceProgress("0", state=InstanceState.REBOOTING), state=BatchState.REBOOTING, started_at=NOW
    )
    run = open_run(under_way, batch(2, "1"))
    assert times(run, NOW + 4 * MINUTE)[1] == NOW + REBOOT + SOAK
    assert times(run, NOW + HOUR)[1] == NOW + HOUR + SOAK


def test_a_soak_that_has_begun_ends_when_it_ends_and_does_not_begin_anew_at_every_poll():
    soaking = batch(
        1,
        InstanceProgress("0", state=InstanceState.REBOOTING),
        InstanceProgress("1", state=InstanceState.MAINTAINED),
        state=BatchState.VERIFYING,
        started_at=NOW - HOUR,
    )
    over = replace(
        soaking,
        instances=tuple(replace(instance, state=InstanceState.MAINTAINED) for instance in soaking.instances),
        state=BatchState.SOAKING,
        verified_at=NOW - 20 * MINUTE,
    )
    run = open_run(over, batch(2, "2"))
    for minutes in (0, 5, 9, 10):
        assert times(run, NOW + minutes * MINUTE)[1] == NOW + 10 * MINUTE
    assert times(run, NOW + 12 * MINUTE)[1] == NOW + 12 * MINUTE


def test_when_a_batch_finds_no_time_nothing_behind_it_keeps_a_time_of_an_earlier_plan():
    stale = NOW - DAY
    run = open_run(
        batch(1, "0", not_before=stale),
        batch(2, "1", not_before=stale),
        windows=windows("Mon 02:00-02:05 UTC"),
    )
    run = timed(run, NOW)
    assert run.times.forecast_end is None
    assert [batch.not_before for batch in run.batches] == [None, None]


def test_the_deadline_is_the_earlier_of_the_date_and_azures_window_less_a_margin():
    window = Interval(NOW, NOW + 10 * DAY)
    assert deadline(window, None, None) == NOW + 10 * DAY - HOUR
    assert deadline(window, None, NOW + DAY) == NOW + DAY
    assert deadline(window, None, NOW + 11 * DAY) == NOW + 10 * DAY - HOUR
    assert deadline(None, None, NOW + DAY) == NOW + DAY
    assert deadline(None, None, None) is None


def test_where_azures_own_turn_begins_before_the_self_service_window_is_over_that_is_the_deadline():
    window = Interval(NOW, NOW + 10 * DAY)
    assert deadline(window, Interval(NOW + 3 * DAY, NOW + 20 * DAY), None) == NOW + 3 * DAY
    assert deadline(window, Interval(NOW + 11 * DAY, NOW + 20 * DAY), None) == NOW + 10 * DAY - HOUR
    assert margin(Interval(NOW, NOW + 50 * HOUR)) == HOUR
    assert margin(Interval(NOW, NOW + 25 * HOUR)) == 30 * MINUTE
    assert margin(Interval(NOW, NOW)) == timedelta(0)


# Against a reference -------------------------------------------------------------------------------------


class Reference:
    """Tries every step of the clock: slow, and nothing in it to get wrong."""

    def __init__(self, run: Run, base: datetime, days: int, step: timedelta) -> None:
        self.run, self.base, self.step = run, base, step
        count = int(days * DAY / step)
        self.open = [self._may(base + at * step) for at in range(count)]

    def _may(self, at: datetime) -> bool:
        return all(is_open(windows, at) for windows in self.run.terms.windows) and not any(
            at in freeze for freeze in self.run.terms.freezes
        )

    def placed(self, start: datetime) -> tuple[list[datetime | None], datetime | None]:
        free, end, found = start, None, []
        needed = int(self.run.times.expected / self.step)
        for each in self.run.batches:
            at = max(free, each.held_until or free)
            index = -((self.base - at) // self.step)
            while index + needed <= len(self.open) and not all(self.open[index : index + needed]):
                index += 1
            if index + needed > len(self.open):
                return found, None
            at = self.base + index * self.step
            found.append(at)
            end = at + self.run.times.expected
            free = end + self.run.terms.soak
        return found, end


ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
]
STARTS = ["2026-03-27T12:00", "2026-10-23T12:00", "2018-11-02T12:00", "2018-02-15T12:00", "2026-10-02T12:00"]


@st.composite
def plans(draw: st.DrawFn, step: timedelta = STEP, span: int = 6) -> tuple[Run, datetime]:
    """A run with a few batches, and a clock that stands shortly before clocks change somewhere."""
    now = utc(draw(st.sampled_from(STARTS)))
    unit = int(step / MINUTE)
    sets = []
    for _ in range(draw(st.integers(0, 2))):
        zone = draw(st.sampled_from(ZONES))
        texts = []
        for _ in range(draw(st.integers(1, 2))):
            first, last = (draw(st.integers(0, 1440 // unit - 1)) * unit for _ in range(2))
            days = draw(st.sampled_from(["daily", "daily", "Sat,Sun", "Mon-Fri"]))
            texts.append(f"{days} {first // 60:02}:{first % 60:02}-{last // 60:02}:{last % 60:02} {zone}")
        sets.append("; ".join(texts))
    freezes = []
    for _ in range(draw(st.integers(0, 2))):
        begins = now + draw(st.integers(-10, int(span * DAY / step))) * step
        freezes.append(Freeze(begins, begins + draw(st.integers(1, int(DAY / step))) * step, "freeze"))
    batches = [
        batch(
            number,
            str(number),
            held_until=now + draw(st.integers(0, int(DAY / step))) * step if draw(st.booleans()) else None,
        )
        for number in range(1, draw(st.integers(1, 4)) + 1)
    ]
    run = open_run(
        *batches,
        windows=windows(*sets),
        freezes=tuple(freezes),
        soak=draw(st.integers(0, int(4 * HOUR / step))) * step,
        expected=draw(st.integers(1, int(2 * HOUR / step))) * step,
        self_service=Interval(now - DAY, now + 40 * DAY),
        deadline=now + draw(st.integers(1, int(span * DAY / step))) * step,
    )
    return run, now


def agree(run: Run, now: datetime, days: int, step: timedelta) -> None:
    wanted, end = Reference(run, now, days, step).placed(now)
    batches, found = placed(run, now, now)
    if end is None:
        assert found is None or found > now + (days - 1) * DAY
        return
    assert [batch.not_before for batch in batches] == wanted
    assert found == end


@settings(max_examples=60, deadline=None)
@given(plans())
def test_every_batch_is_placed_where_trying_every_five_minutes_places_it(drawn: tuple[Run, datetime]):
    agree(*drawn, days=12, step=STEP)


@settings(max_examples=30, deadline=None)
@given(plans(step=MINUTE, span=2))
def test_every_batch_is_placed_where_trying_every_minute_places_it(drawn: tuple[Run, datetime]):
    agree(*drawn, days=4, step=MINUTE)


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(0, 3 * 24 * 60 * 60))
def test_a_batch_starts_and_ends_inside_what_the_operator_allows_wherever_the_clock_stands(
    drawn: tuple[Run, datetime], seconds: int
):
    run, base = drawn
    now = base + timedelta(seconds=seconds)
    run = timed(run, now)
    free = now
    for each in run.batches:
        at = each.not_before
        if at is None:
            assert run.times.forecast_end is None
            break
        assert at >= free
        assert each.held_until is None or at >= each.held_until
        for second in range(0, int(run.times.expected / timedelta(seconds=1)), 60):
            moment = at + timedelta(seconds=second)
            assert all(is_open(windows, moment) for windows in run.terms.windows)
            assert not any(moment in freeze for freeze in run.terms.freezes)
        last = at + run.times.expected - timedelta(seconds=1)
        assert all(is_open(windows, last) for windows in run.terms.windows)
        assert not any(last in freeze for freeze in run.terms.freezes)
        free = at + run.times.expected + run.terms.soak


@settings(max_examples=60, deadline=None)
@given(plans(), st.integers(0, 600), st.integers(0, 600))
def test_a_later_start_or_a_longer_soak_never_ends_earlier(
    drawn: tuple[Run, datetime], later: int, longer: int
):
    run, now = drawn
    end = placed(run, now, now)[1]
    after = placed(run, now + later * MINUTE, now)[1]
    slower = placed(replace(run, terms=replace(run.terms, soak=run.terms.soak + longer * MINUTE)), now, now)[
        1
    ]
    if end is not None:
        assert after is None or after >= end
        assert slower is None or slower >= end


@settings(max_examples=100, deadline=None)
@given(plans(step=MINUTE, span=12), st.integers(0, 3599))
def test_start_by_is_the_latest_minute_that_still_meets_the_deadline(
    drawn: tuple[Run, datetime], seconds: int
):
    run, base = drawn
    now = base + timedelta(seconds=seconds)
    run = timed(run, now)
    by = start_by(run, now)
    if run.times.slack is None or run.times.slack < timedelta(0):
        assert by is None
        return
    assert by is not None
    assert run.times.deadline is not None
    assert by >= earliest(run, now)
    end = placed(run, by, now)[1]
    assert end is not None
    assert end <= run.times.deadline
    later = placed(run, by + MINUTE, now)[1]
    assert later is None or later > run.times.deadline


def test_start_by_of_a_held_batch_is_not_the_earliest_time_plus_the_slack():
    run = timed(open_run(batch(1, "0", held_until=NOW + 5 * HOUR), deadline=NOW + 6 * HOUR), NOW)
    assert run.times.slack == 50 * MINUTE
    assert start_by(run, NOW) == NOW + 6 * HOUR - REBOOT


def test_start_by_without_a_deadline_is_never():
    assert start_by(timed(open_run(batch(1, "0"), deadline=None), NOW), NOW) is None


def test_times_do_not_change_what_an_approval_belongs_to():
    run = open_run(batch(1, "0"), batch(2, "1"))
    assert checksum.plan_checksum("self_service", RULES, run.batches) == checksum.plan_checksum(
        "self_service", RULES, timed(run, NOW + DAY).batches
    )
