import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.policy.weekly import WeeklyWindow, parse_windows


def test_days_time_and_zone_several_by_semicolon():
    assert parse_windows("Sat,Sun 02:00-06:00 Europe/Berlin; Mon-Fri 22:00-04:00 UTC") == (
        WeeklyWindow((5, 6), 120, 360, "Europe/Berlin"),
        WeeklyWindow((0, 1, 2, 3, 4), 1320, 240, "UTC"),
    )


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("daily 1:00-2:00 UTC", (0, 1, 2, 3, 4, 5, 6)),
        ("DAILY 01:00-02:00 utc", (0, 1, 2, 3, 4, 5, 6)),
        ("fri-mon 01:00-02:00 UTC", (0, 4, 5, 6)),
        ("Saturday , sun 01:00 - 02:00 UTC", (5, 6)),
        ("Mon,Mon-Tue,Tue 01:00\N{EN DASH}02:00 UTC;", (0, 1)),
        ("Wed-Wed 01:00-02:00 UTC", (2,)),
    ],
)
def test_days_are_read_in_any_case_and_as_ranges(text, days):
    assert parse_windows(text) == (WeeklyWindow(days, 60, 120, "UTC"),)


def test_a_zone_is_found_in_any_case_even_with_hyphens():
    (window,) = parse_windows("daily 01:00-02:00 america/port-au-prince")
    assert window.zone == "America/Port-au-Prince"


def test_midnight_as_an_end_is_written_either_way():
    assert parse_windows("Sat 20:00-24:00 UTC") == parse_windows("Sat 20:00-00:00 UTC")
    assert parse_windows("Sat 00:00-24:00 UTC")[0].end_minute == 0


@pytest.mark.parametrize("text", ["any time", "Any  Time", "any"])
def test_any_time_is_no_window_at_all(text):
    assert parse_windows(text) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no window is given"),
        (" ; ", "no window is given"),
        ("Sat,Sun 02:00-06:00", "it has no time zone"),
        ("02:00-06:00 UTC", "it needs days"),
        ("Sat 02:00 UTC", "it needs days, a time from-to and a time zone"),
        ("Sta 02:00-06:00 UTC", "`Sta` is not a day"),
        ("Sat, 02:00-06:00 UTC", "it needs days"),
        ("Sat,,Sun 02:00-06:00 UTC", "`` is not a day"),
        ("-Sun 02:00-06:00 UTC", "`` is not a day"),
        ("Sat 24:00-06:00 UTC", "`24:00` is not a time of day"),
        ("Sat 02:00-24:30 UTC", "`24:30` is not a time of day"),
        ("Sat 2-6 UTC", "`2` is not a time of day"),
        ("Sat 02:60-06:00 UTC", "`02:60` is not a time of day"),
        ("Sat 02:00-06:00 Europe/Berln", "did you mean Europe/Berlin"),
        ("Sat 02:00-06:00 Nowhere/Qqqqq", "use an IANA name"),
        ("Sat 02:00-06:00 ../../etc/passwd", "is not a time zone"),
        ("Sat 02:00-06:00 localtime", "is not a time zone"),
        ("Sat 02:00-06:00 right/UTC", "is not a time zone"),
        ("Sat 02:00-06:00 UTC daily", "it needs days"),
        ("1320", "it needs days"),
    ],
)
def test_what_is_wrong_is_said_with_an_example_of_a_right_one(text, why):
    with pytest.raises(ValueError, match="Sat,Sun 02:00-06:00 Europe/Berlin") as caught:
        parse_windows(text)
    assert why in str(caught.value)


@given(
    st.sets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 1439),
    st.integers(0, 1439),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Port-au-Prince", "Etc/GMT-3"]),
)
def test_a_window_reads_back_what_it_says(days, start, end, zone):
    window = WeeklyWindow(days, start, end, zone)
    assert parse_windows(str(window)) == (window,)


PIECES = [
    "Sat",
    "Sun",
    "daily",
    ",",
    "-",
    ";",
    " ",
    "02:00",
    "6:0",
    "24:00",
    "UTC",
    "Europe/Berlin",
    "/",
    "\0",
    "ä",
    "\N{ARABIC-INDIC DIGIT TWO}",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_text_gives_anything_but_windows_or_a_value_error(text):
    try:
        windows = parse_windows(text)
    except ValueError:
        return
    assert all(isinstance(window, WeeklyWindow) for window in windows)
