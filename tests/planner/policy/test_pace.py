"""How often a receiver is told what can wait."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.policy.pace import AT_ONCE, FEW, Pace, Rhythm, parse_pace

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEN = 10
"""Messages a day that nobody wants more of."""

HOURLY = Pace(Rhythm.HOURLY)
MORNING = Pace(Rhythm.DAILY, time(8), "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("at once", AT_ONCE),
        ("At-Once", AT_ONCE),
        ("few", FEW),
        (" hourly ", HOURLY),
        ("daily 08:00 Europe/Berlin", MORNING),
        ("daily at 8:00 europe/berlin", MORNING),
    ],
)
def test_a_pace_is_read_as_people_write_it(text: str, pace: Pace):
    assert parse_pace(text) == pace
    assert parse_pace(str(pace)) == pace


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("weekly", "`weekly` says no pace: write `at once`, `few`, `hourly`"),
        ("daily", "says no pace"),
        ("daily 08:00", "has no time zone"),
        ("daily 24:00 UTC", "not a time of day"),
        ("daily 08:61 UTC", "not a time of day"),
        ("daily 08:00 Europe/Berln", "did you mean Europe/Berlin"),
    ],
)
def test_what_is_no_pace_is_refused_with_the_sentence_why(text: str, why: str):
    with pytest.raises(ValueError, match=why):
        parse_pace(text)


def test_at_once_waits_for_nothing_and_hourly_for_an_hour_after_the_last_one():
    assert AT_ONCE.earliest(NOW, (NOW,)) == NOW
    assert HOURLY.earliest(NOW, ()) == NOW
    assert HOURLY.earliest(NOW, (NOW - 20 * MINUTE,)) == NOW + 40 * MINUTE
    assert HOURLY.earliest(NOW, (NOW - 2 * HOUR,)) == NOW


def test_few_sends_five_as_they_come_and_then_one_every_six_hours():
    five = tuple(NOW - number * MINUTE for number in range(5, 0, -1))
    assert FEW.earliest(NOW, five[1:]) == NOW
    assert FEW.earliest(NOW, five) == NOW - MINUTE + 6 * HOUR
    assert FEW.earliest(NOW, (NOW - 23 * HOUR, *five[1:])) == NOW + HOUR


@pytest.mark.parametrize(
    ("since", "goes"),
    [
        ("2026-11-24T06:59:00+00:00", "2026-11-24T07:00:00+00:00"),
        ("2026-11-24T07:00:00+00:00", "2026-11-24T07:00:00+00:00"),
        ("2026-11-24T07:00:01+00:00", "2026-11-25T07:00:00+00:00"),
        ("2026-07-01T05:00:00+00:00", "2026-07-01T06:00:00+00:00"),  # an hour earlier in summer
        ("2026-03-28T08:00:00+00:00", "2026-03-29T06:00:00+00:00"),  # that night clocks go forward
    ],
)
def test_daily_goes_at_the_time_on_the_wall(since: str, goes: str):
    assert MORNING.earliest(datetime.fromisoformat(since), ()) == datetime.fromisoformat(goes)


def test_a_time_that_clocks_skip_or_repeat_comes_once_that_day():
    skipped = Pace(Rhythm.DAILY, time(2, 30), "Europe/Berlin")
    since = datetime(2026, 3, 29, 0, 0, tzinfo=UTC)
    first = skipped.earliest(since, ())
    assert first == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert skipped.earliest(first + MINUTE, ()) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    autumn = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    first = skipped.earliest(autumn, ())
    assert skipped.earliest(first + MINUTE, ()) >= first + 23 * HOUR


@given(st.lists(st.integers(0, 240), min_size=1, max_size=300))
def test_few_never_sends_ten_in_any_24_hours_and_keeps_nothing_for_longer_than_a_quarter_of_a_day(
    gaps: list[int],
):
    """Whatever comes up whenever: gaps in minutes between one thing to say and the next."""
    at, sent, waiting = NOW, [], None
    for gap in gaps:
        at += gap * MINUTE
        while waiting is not None and (goes := max(waiting, FEW.earliest(waiting, sent[-5:]))) <= at:
            assert goes - waiting <= 6 * HOUR
            sent.append(goes)
            waiting = None
        waiting = waiting or at
    for first in sent:
        assert sum(first <= later < first + DAY for later in sent) < TEN


@given(
    st.sampled_from([AT_ONCE, FEW, HOURLY, MORNING]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.lists(st.integers(0, 3000), max_size=5),
)
def test_nothing_goes_before_it_has_come_up_or_waits_for_more_than_25_hours(
    pace: Pace, since: datetime, minutes: list[int]
):
    sent = tuple(sorted(since - number * MINUTE for number in minutes))
    assert since <= pace.earliest(since, sent) <= since + 25 * HOUR
