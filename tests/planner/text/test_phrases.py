"""How moments, lengths of time and numbers are said."""

from datetime import UTC, datetime, timedelta

import pytest

from planner.text.phrases import many, say, say_how_far, short, to_the_minute

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def test_times_are_utc_with_the_zone_and_relative_only_beside_it():
    assert to_the_minute(NOW) == "Tue 24 Nov 2026 12:00 UTC"
    assert say_how_far(NOW, NOW - timedelta(minutes=90)) == "Tue 24 Nov 2026 12:00 UTC (in 1 h 30 min)"
    assert say_how_far(NOW, NOW + timedelta(days=3)) == "Tue 24 Nov 2026 12:00 UTC (3 d ago)"


def test_seconds_are_said_in_sentences_where_they_matter_and_never_in_tables():
    at = NOW + timedelta(seconds=7)
    assert (say(NOW), say(at)) == ("Tue 24 Nov 2026 12:00 UTC", "Tue 24 Nov 2026 12:00:07 UTC")
    assert to_the_minute(at) == to_the_minute(NOW)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (3600, "1 h"),
        (90061, "1 d 1 h"),
        (86400 + 60, "1 d"),
        (-61, "1 min 1 s"),
    ],
)
def test_short_lengths_are_told_in_their_two_largest_units(seconds, said):
    assert short(timedelta(seconds=seconds)) == said


def test_counts_have_the_right_plural():
    assert [many(number, "batch", "batches") for number in (0, 1, 2)] == [
        "0 batches",
        "1 batch",
        "2 batches",
    ]
