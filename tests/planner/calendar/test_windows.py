import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from planner.calendar.windows import (
    all_open_until,
    is_open,
    next_all_open,
    next_open,
    open_until,
)
from planner.policy.weekly import WeeklyWindow, WindowSets, parse_windows

# Whole-hour, half-hour and day-long jumps, midnight transitions, southern summers, and none at all.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
)
MINUTE = timedelta(minutes=1)
EVERY_DAY = tuple(range(7))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def all_open(sets: WindowSets, at: datetime) -> bool:
    return all(is_open(windows, at) for windows in sets)


def opening(text: str, at: str) -> tuple[datetime | None, datetime | None]:
    """Where the first opening from `at` on begins and ends."""
    windows = parse_windows(text)
    start = next_open(windows, utc(at))
    return start, open_until(windows, start) if start else None


def test_without_windows_it_is_always_open():
    at = utc("2026-11-24T12:00")
    assert is_open((), at)
    assert next_open((), at) == at
    assert open_until((), at) is None
    assert all_open((), at)
    assert next_all_open((), at) == at
    assert all_open_until((), at) is None


def test_a_window_is_open_from_its_start_to_just_before_its_end():
    windows = parse_windows("Tue 02:00-06:00 UTC")
    assert not is_open(windows, utc("2026-11-24T01:59:59"))
    assert is_open(windows, utc("2026-11-24T02:00"))
    assert is_open(windows, utc("2026-11-24T05:59:59.999999"))
    assert not is_open(windows, utc("2026-11-24T06:00"))


def test_an_overnight_window_belongs_to_the_day_it_starts_on():
    windows = parse_windows("Fri 22:00-04:00 UTC")
    assert is_open(windows, utc("2026-11-28T03:59"))
    assert not is_open(windows, utc("2026-11-27T03:59"))
    assert next_open(windows, utc("2026-11-28T04:00")) == utc("2026-12-04T22:00")


def test_wall_clock_time_follows_the_zone_through_the_year():
    assert opening("daily 02:00-06:00 Europe/Berlin", "2026-01-10T00:00")[0] == utc("2026-01-10T01:00")
    assert opening("daily 02:00-06:00 Europe/Berlin", "2026-07-10T00:00:00")[0] == utc("2026-07-10T00:00")


def test_a_start_that_the_clocks_skip_moves_to_the_next_existing_minute():
    # 29 March 2026: 02:00 becomes 03:00 in Berlin, at 01:00 UTC.
    assert opening("Sun 02:30-06:00 Europe/Berlin", "2026-03-28T12:00") == (
        utc("2026-03-29T01:00"),
        utc("2026-03-29T04:00"),
    )


def test_an_end_that_the_clocks_skip_is_where_they_skip():
    assert opening("Sun 01:00-02:30 Europe/Berlin", "2026-03-28T12:00") == (
        utc("2026-03-29T00:00"),
        utc("2026-03-29T01:00"),
    )


def test_a_window_that_the_clocks_skip_as_a_whole_opens_a_week_later():
    assert opening("Sun 02:10-02:50 Europe/Berlin", "2026-03-28T12:00")[0] == utc("2026-04-05T00:10")


def test_an_hour_that_comes_twice_counts_once_as_a_whole():
    # 25 October 2026: 03:00 becomes 02:00 in Berlin, at 01:00 UTC.
    assert opening("Sun 02:00-03:00 Europe/Berlin", "2026-10-24T12:00") == (
        utc("2026-10-25T00:00"),
        utc("2026-10-25T02:00"),
    )
    assert opening("Sun 02:15-02:45 Europe/Berlin", "2026-10-24T12:00") == (
        utc("2026-10-25T00:15"),
        utc("2026-10-25T01:45"),
    )


def test_an_end_at_the_beginning_of_the_hour_that_comes_twice_is_the_first_one():
    assert opening("Sun 01:00-02:00 Europe/Berlin", "2026-10-24T12:00") == (
        utc("2026-10-24T23:00"),
        utc("2026-10-25T00:00"),
    )


def test_adjoining_windows_are_one_opening():
    windows = parse_windows("Sat 20:00-24:00 UTC; Sun 00:00-04:00 UTC; Sun 03:00-05:00 UTC")
    assert open_until(windows, utc("2026-11-28T21:00")) == utc("2026-11-29T05:00")


def test_windows_that_fill_the_week_never_close():
    windows = parse_windows("daily 00:00-24:00 Europe/Berlin")
    at = utc("2026-10-24T12:00")
    assert is_open(windows, at)
    assert open_until(windows, at) is None


def test_a_closed_window_is_open_until_now():
    at = utc("2026-11-24T12:00")
    assert open_until(parse_windows("Sat 02:00-06:00 UTC"), at) == at


def test_a_window_on_no_day_never_opens():
    never = (WeeklyWindow((), 0, 60, "UTC"),)
    assert next_open(never, utc("2026-11-24T12:00")) is None
    assert next_all_open((never,), utc("2026-11-24T12:00")) is None


def test_a_day_that_a_zone_skipped_has_no_window():
    # Samoa went from Thursday 29 to Saturday 31 December 2011.
    windows = parse_windows("Fri 10:00-12:00 Pacific/Apia")
    at = datetime(2011, 12, 29, 12, tzinfo=ZoneInfo("Pacific/Apia"))
    opens = next_open(windows, at)
    assert opens is not None
    assert opens.astimezone(ZoneInfo("Pacific/Apia")).date() == date(2012, 1, 6)


def test_a_time_without_zone_is_refused():
    naive = datetime(2026, 11, 24)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no zone"):
        is_open(parse_windows("daily 02:00-06:00 UTC"), naive)
    with pytest.raises(ValueError, match="no zone"):
        next_all_open((), naive)


def test_several_sets_are_open_where_all_of_them_are():
    sets = (parse_windows("Sat,Sun 02:00-06:00 UTC"), parse_windows("daily 05:00-08:00 Europe/Berlin"))
    at = utc("2026-11-23T00:00")
    opens = next_all_open(sets, at)
    assert opens == utc("2026-11-28T04:00")
    assert all_open(sets, opens)
    assert all_open_until(sets, opens) == utc("2026-11-28T06:00")
    assert not all_open(sets, utc("2026-11-28T02:00"))
    assert all_open_until(sets, utc("2026-11-28T02:00")) == utc("2026-11-28T02:00")


def test_sets_that_never_meet_have_no_opening():
    sets = (parse_windows("Sat 02:00-06:00 UTC"), parse_windows("Sun 02:00-06:00 UTC"))
    assert next_all_open(sets, utc("2026-11-23T00:00")) is None


def test_an_opening_beyond_the_horizon_does_not_count():
    sets = (parse_windows("Sat 02:00-06:00 UTC"),)
    assert next_all_open(sets, utc("2026-11-23T00:00"), horizon=timedelta(days=2)) is None
    assert next_all_open(sets, utc("2026-11-23T00:00"), horizon=timedelta(days=7)) == utc("2026-11-28T02:00")


def test_a_plan_of_hundreds_of_batches_asks_cheaply():
    windows = parse_windows("Sat,Sun 02:00-06:00 Europe/Berlin; Mon-Fri 22:00-04:00 America/New_York")
    at = utc("2026-11-23T00:00")
    next_open(windows, at)
    before = time.process_time()
    for step in range(1000):
        next_open(windows, at + step * timedelta(minutes=17))
    assert time.process_time() - before < 0.5


# --- against a slow but obvious reading of the clocks ---------------------------------------------------


def minutes_open(window: WeeklyWindow, day: date) -> set[datetime]:
    """Every minute from the first to the last one whose wall clock lies in the window of that day."""
    zone = ZoneInfo(window.zone)
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    overnight = window.end_minute <= window.start_minute
    start = midnight + window.start_minute * MINUTE
    end = midnight + (window.end_minute + 1440 * overnight) * MINUTE
    first = midnight.replace(tzinfo=UTC) - timedelta(hours=30)
    inside = [
        moment
        for moment in (first + number * MINUTE for number in range(60 * 24 * 5))
        if start <= moment.astimezone(zone).replace(tzinfo=None) < end
    ]
    if not inside:
        return set()
    return {inside[0] + number * MINUTE for number in range((inside[-1] - inside[0]) // MINUTE + 1)}


windows_of_any_shape = st.builds(
    WeeklyWindow,
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(ZONES),
)


def transition_days() -> list[tuple[str, date]]:
    found = []
    for name in ZONES:
        zone = ZoneInfo(name)
        for start in (datetime(2011, 12, 20, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)):
            for number in range(380):
                day = start + timedelta(days=number)
                if day.astimezone(zone).utcoffset() != (day + timedelta(days=1)).astimezone(zone).utcoffset():
                    found.append((name, day.date()))
    return found


TRANSITIONS = transition_days()


def test_the_zones_under_test_do_change_their_clocks():
    assert {name for name, _ in TRANSITIONS} >= set(ZONES) - {"UTC", "Asia/Kathmandu"}


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(TRANSITIONS), st.integers(-1, 1), st.integers(0, 1439), st.integers(0, 1439))
@example(("Pacific/Apia", date(2011, 12, 30)), 0, 600, 720)
@example(("Australia/Lord_Howe", date(2026, 4, 4)), 0, 90, 105)
def test_near_a_change_of_clocks_every_minute_agrees_with_the_wall_clock(transition, offset, start, end):
    zone, day = transition
    day += timedelta(days=offset)
    window = WeeklyWindow((day.weekday(),), start, end, zone)
    wanted = minutes_open(window, day)
    # Only this day's window: the same one a week before and after is far away.
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=30)
    got = {
        moment
        for moment in (first + number * MINUTE for number in range(60 * 24 * 5))
        if is_open((window,), moment)
    }
    assert got == wanted


@settings(max_examples=200, deadline=None)
@given(
    st.lists(windows_of_any_shape, min_size=1, max_size=3).map(tuple),
    st.datetimes(
        datetime(2025, 12, 1),  # noqa: DTZ001
        datetime(2027, 2, 1),  # noqa: DTZ001
        timezones=st.sampled_from([ZoneInfo(name) for name in ZONES]),
    ),
)
def test_the_three_questions_agree_with_each_other(windows, at):
    moment = at.astimezone(UTC)
    opens = next_open(windows, at)
    ends = open_until(windows, at)
    assert opens is not None
    assert opens.tzinfo is UTC
    assert opens >= moment
    assert is_open(windows, opens)
    assert is_open(windows, at) == (opens == moment)
    if opens > moment:
        assert ends == moment
        assert not is_open(windows, opens - timedelta(microseconds=1))
        middle = moment + (opens - moment) / 2
        assert not is_open(windows, middle)
        assert next_open(windows, middle) == opens
    elif ends is not None:
        assert ends.tzinfo is UTC
        assert ends > moment
        assert not is_open(windows, ends)
        assert is_open(windows, ends - timedelta(microseconds=1))
        middle = moment + (ends - moment) / 2
        assert is_open(windows, middle)
        assert open_until(windows, middle) == ends


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(windows_of_any_shape, max_size=2).map(tuple), max_size=3).map(tuple),
    st.datetimes(datetime(2025, 12, 1), datetime(2027, 2, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_several_sets_agree_with_each_one(sets, at):
    opens = next_all_open(sets, at)
    assume(opens is not None)
    assert all(is_open(windows, opens) for windows in sets)
    assert all_open(sets, opens)
    assert all_open(sets, at) == (opens == at)
    ends = all_open_until(sets, opens)
    assert ends is None or (ends > opens and not all_open(sets, ends))
    if opens > at:
        assert not all_open(sets, opens - timedelta(microseconds=1))
        assert all_open_until(sets, at) == at
