"""The drawing of a plan: everything inside, to scale, in order, its labels apart, its times those of the zone."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.render.axis import GAP, Axis, cut, in_lanes, ticks, width_of
from handlers.render.timeline import NARROW, THINNEST, WIDE, Shape, around, drawn
from planner.azure.fleet import Interval

START = datetime(2026, 10, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ZONES = st.sampled_from(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"))
MOMENTS = st.integers(0, 60 * 24 * 60).map(lambda minutes: START + minutes * MINUTE)
LENGTHS = st.integers(1, 14 * 24 * 60).map(lambda minutes: minutes * MINUTE)
TIMES = st.builds(lambda start, length: Interval(start, start + length), MOMENTS, LENGTHS)
SHAPES = st.builds(
    Shape, when=TIMES, kind=st.sampled_from(("planned", "done")), title=st.sampled_from(("", "x"))
)
NAMES = st.text(max_size=60)
ROWS = st.lists(st.tuples(NAMES, st.lists(SHAPES, max_size=8)), max_size=8)
MARKS = st.lists(st.tuples(MOMENTS, st.sampled_from(("now", "deadline", "next deadline"))), max_size=4)
SIZES = st.sampled_from((WIDE, NARROW))


@given(ROWS, TIMES, ZONES, SIZES, st.lists(SHAPES, max_size=5), MARKS)
def test_everything_lies_inside_of_the_view_box(rows, between, zone, size, bands, marks):
    made = drawn(rows, between, zone, size, bands=bands, marks=marks)

    for bar in (*made.bands, *(bar for row in made.rows for bar in row.bars)):
        assert made.axis.left - 1e-6 <= bar.x
        assert bar.end <= made.width + 1e-6
    for label in (*made.marks, *made.ticks):
        assert label.left >= -1e-6
        assert label.left + label.width <= made.width + 1e-6
    for row in made.rows:
        assert made.top <= row.text_y <= made.bottom
        assert made.top <= row.y <= made.bottom - 12
        assert width_of(row.name) <= (size.names or size.width)
    assert made.top >= 16 * (1 + max((mark.lane for mark in made.marks), default=-1))
    assert made.bottom < made.height


@given(TIMES, TIMES, SIZES)
def test_a_bar_begins_and_lasts_to_scale(shape, between, size):
    made = drawn([("row", [Shape(shape, "planned")])], between, "UTC", size)
    unit = (size.width - size.names) / ((between.end - between.start) / MINUTE)
    begin, end = max(shape.start, between.start), min(shape.end, between.end)
    bars = made.rows[0].bars
    if shape.end < between.start or shape.start > between.end:
        assert not bars
        return
    (bar,) = bars
    exact = unit * ((end - begin) / MINUTE)
    assert bar.width == pytest.approx(max(THINNEST, exact), abs=1e-6)
    if exact >= THINNEST:
        assert bar.x == pytest.approx(size.names + unit * ((begin - between.start) / MINUTE), abs=1e-6)


@given(st.lists(SHAPES, max_size=12), TIMES, SIZES)
def test_what_begins_earlier_stands_further_left(shapes, between, size):
    (row,) = drawn([("row", shapes)], between, "UTC", size).rows

    assert [bar.x for bar in row.bars] == sorted(bar.x for bar in row.bars)


@given(st.lists(NAMES, max_size=12))
def test_rows_stand_in_the_order_in_which_they_are_given_and_apart(names):
    for size in (WIDE, NARROW):
        rows = drawn([(name, ()) for name in names], Interval(START, START + MINUTE), "UTC", size).rows
        assert [row.name for row in rows] == [cut(name, (size.names or size.width) - 8) for name in names]
        assert all(after.text_y - before.text_y >= 16 for before, after in pairwise(rows))


@given(TIMES, ZONES, SIZES, MARKS)
def test_no_two_labels_meet(between, zone, size, marks):
    made = drawn([], between, zone, size, marks=marks)

    for one, other in pairwise(made.ticks):
        assert one.left + one.width + GAP <= other.left
    lanes: dict[int, list] = {}
    for mark in made.marks:
        lanes.setdefault(mark.lane, []).append(mark)
    for labels in lanes.values():
        for one, other in pairwise(sorted(labels, key=lambda label: label.left)):
            assert one.left + one.width + GAP <= other.left


@given(TIMES, ZONES, SIZES)
def test_times_below_the_axis_are_round_on_the_zones_clocks(between, zone, size):
    axis = Axis(between.start, between.end, size.names, size.width)
    span = (between.end - between.start) / MINUTE

    for tick in ticks(axis, zone):
        share = (tick.x - axis.left) / (axis.right - axis.left)
        at = between.start + timedelta(minutes=round(share * span, 3))
        clock = (at + timedelta(seconds=1)).astimezone(ZoneInfo(zone))
        assert clock.minute % 5 == 0
        assert tick.text.startswith(f"{clock:%a}")
        assert f"{clock:%H:%M}" in tick.text or (clock.hour, f"{clock.day} {clock:%b}" in tick.text) == (
            0,
            True,
        )


def test_the_night_in_which_clocks_go_back_has_its_hour_twice_and_says_which():
    night = Interval(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC))
    texts = [tick.text for tick in ticks(Axis(night.start, night.end, 0, 760), "Europe/Berlin")]

    assert texts == ["Sun 01:00", "Sun 02:00 CEST", "Sun 02:00 CET", "Sun 03:00", "Sun 04:00"]


def test_a_label_that_has_no_room_beside_another_one_is_left_out():
    night = Interval(datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC))
    found = ticks(Axis(night.start, night.end, 0, 700), "Europe/Berlin")

    assert [tick.text for tick in found] == ["Sun 01:00", "Sun 02:00 CEST", "Sun 03:00", "Sun 04:00"]
    assert all(one.left + one.width + GAP <= other.left for one, other in pairwise(found))


def test_the_night_in_which_clocks_go_forward_lacks_an_hour():
    night = Interval(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC))
    found = ticks(Axis(night.start, night.end, 0, 760), "Europe/Berlin")

    assert [tick.text for tick in found] == ["Sun 01:00", "Sun 03:00", "Sun 04:00", "Sun 05:00"]
    steps = [after.x - before.x for before, after in pairwise(found)]
    assert steps == pytest.approx([steps[0]] * len(steps)), "an hour is as long as any other"


def test_days_begin_at_the_zones_midnight_also_when_clocks_change():
    month = Interval(datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC))
    axis = Axis(month.start, month.end, 0, 960)
    day = axis.x(month.start + timedelta(days=1)) - axis.x(month.start)
    found = {tick.text: tick.x for tick in ticks(axis, "Europe/Berlin")}

    assert found["Sun 25 Oct"] == pytest.approx(day * (4 + 22 / 24))
    assert found["Mon 26 Oct"] == pytest.approx(day * (5 + 23 / 24))


def test_marks_at_the_same_moment_stand_in_lanes_of_their_own():
    first, second = in_lanes([(100.0, "now"), (100.0, "deadline")], 0, 320)

    assert {first.lane, second.lane} == {0, 1}


def test_bars_that_touch_and_are_alike_are_one_and_others_are_not():
    def shape(minute: int, kind: str = "planned", title: str = "") -> Shape:
        return Shape(Interval(START + minute * MINUTE, START + (minute + 10) * MINUTE), kind, title)

    between = Interval(START, START + timedelta(days=30))
    joined = drawn([("row", [shape(0), shape(20), shape(40), shape(60, "done")])], between, "UTC", WIDE)
    apart = drawn([("row", [shape(0, title="a"), shape(20, title="b")])], between, "UTC", WIDE)

    assert [bar.kind for bar in joined.rows[0].bars] == ["planned", "done"]
    assert len(apart.rows[0].bars) == 2


@given(st.lists(TIMES, min_size=1, max_size=5), st.lists(MOMENTS, max_size=3))
def test_what_is_shown_holds_every_time_and_no_mark_that_would_make_it_tiny(times, marks):
    shown = around(times, marks)
    start, end = min(time.start for time in times), max(time.end for time in times)

    assert shown is not None
    assert shown.start < start
    assert end < shown.end
    assert shown.end - shown.start <= 3.3 * max(end - start, 30 * MINUTE) + 2 * MINUTE
    assert around([], marks) is None
