from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.policy.durations import Share, parse_duration, parse_share, parse_when


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45m", timedelta(minutes=45)),
        ("2h", timedelta(hours=2)),
        ("10s", timedelta(seconds=10)),
        ("1d", timedelta(days=1)),
        ("1h30m", timedelta(minutes=90)),
        (" 1D 2H 3M 4S ", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("0s", timedelta()),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_a_duration_is_whole_numbers_with_units(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "45", "m", "1.5h", "-5m", "30m1h", "1h1h", "5 minutes", "\N{ARABIC-INDIC DIGIT FIVE}m", "1w"]
)
def test_anything_else_is_not_a_duration_and_says_how_one_polls(text):
    with pytest.raises(ValueError, match="such as 45m, 2h, 10s, 1d or 1h30m"):
        parse_duration(text)


def test_a_duration_of_more_than_a_year_is_a_slip():
    with pytest.raises(ValueError, match="longer than a year"):
        parse_duration("99999d")


def test_a_long_wrong_value_is_shown_short():
    with pytest.raises(ValueError, match=r"^`x{57}\.\.\.`"):
        parse_duration("x" * 5000)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01", datetime(2026, 12, 2, tzinfo=UTC)),
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-12-01T06:00Z", datetime(2026, 12, 1, 6, tzinfo=UTC)),
        ("2026-12-01 06:00:30z", datetime(2026, 12, 1, 6, 0, 30, tzinfo=UTC)),
        ("2026-12-01T06:00:00.123+01:00", datetime(2026, 12, 1, 5, tzinfo=UTC)),
        ("2026-12-01T06:00-0530", datetime(2026, 12, 1, 11, 30, tzinfo=UTC)),
        ("2026-12-01 06:00 UTC", datetime(2026, 12, 1, 6, tzinfo=UTC)),
        ("2026-07-01 06:00 europe/berlin", datetime(2026, 7, 1, 4, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_date_or_a_time_with_its_zone(text, moment):
    parsed = parse_when(text)
    assert parsed == moment
    assert parsed.tzinfo is UTC


def test_a_bare_date_is_its_beginning_where_one_asks_for_it():
    assert parse_when("2026-12-01", end_of_day=False) == datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tomorrow", "is not a date or a time"),
        ("01.12.2026", "is not a date or a time"),
        ("", "is not a date or a time"),
        ("2026-12-01T06:00", "has no time zone"),
        ("2026-02-30", "names no moment"),
        ("2026-12-01T25:00Z", "names no moment"),
        ("2026-12-01T06:00+99:00", "names no moment"),
        ("2026-12-01T06:00 Europe/Berln", "did you mean Europe/Berlin"),
        ("9999-12-31", "names no moment"),
        ("0001-01-01T00:00+10:00", "names no moment"),
    ],
)
def test_a_time_that_names_no_moment_says_how_one_polls(text, why):
    with pytest.raises(ValueError, match="such as 2026-12-01T06:00Z") as caught:
        parse_when(text)
    assert why in str(caught.value)


def test_a_share_is_a_count_or_a_percentage():
    assert parse_share("2") == Share(count=2)
    assert parse_share(" 20 % ") == Share(percent=20.0)
    assert parse_share("12.5%") == Share(percent=12.5)
    assert [str(parse_share(text)) for text in ("2", "20%", "12.5%")] == ["2", "20%", "12.5%"]


@pytest.mark.parametrize("text", ["", "-1", "1.5", "20 percent", "%", "two", "1e3"])
def test_anything_else_is_not_a_share_and_says_how_one_polls(text):
    with pytest.raises(ValueError, match="a count such as 2 or a percentage such as 20%"):
        parse_share(text)


@pytest.mark.parametrize("text", ["0", "0%", "0.0%"])
def test_a_share_of_nothing_points_to_never(text):
    with pytest.raises(ValueError, match="self-service: never"):
        parse_share(text)


def test_a_share_of_more_than_all_is_refused():
    with pytest.raises(ValueError, match="100% or less"):
        parse_share("101%")


def test_a_percentage_is_rounded_down_but_never_below_one():
    assert [Share(percent=20).of(running) for running in (0, 1, 4, 5, 9, 10, 1000)] == [1, 1, 1, 1, 1, 2, 200]
    assert Share(count=3).of(10) == 3


@given(st.integers(1, 100), st.integers(1, 5000))
def test_a_percentage_is_exact_where_floating_point_is_not(percent, running):
    assert Share(percent=float(percent)).of(running) == max(1, percent * running // 100)
