"""When something is down, as it is drawn and as it is said; how many serve meanwhile; whose clock tells it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.render import clock, plan_drawing
from handlers.render.axis import Axis
from handlers.render.capacity_plot import HEIGHT, levels, lowest, plotted
from handlers.render.spans import Span, Stand, spans
from planner.azure.fleet import Interval
from planner.policy.model import Freeze
from planner.policy.weekly import parse_windows
from planner.record.instance import InstanceProgress
from planner.record.states import BatchState, InstanceState, RunState
from tests.notices import HOUR, NOW, batch, followed, run

MINUTE = timedelta(minutes=1)
BERLIN = (parse_windows("Sun 02:00-05:00 Europe/Berlin"),)
SPANS = st.lists(
    st.builds(
        lambda start, length, ids: Span(
            "domain 0", 1, NOW + start * MINUTE, NOW + (start + length) * MINUTE, Stand.PLANNED, ids
        ),
        st.integers(1, 600),
        st.integers(1, 120),
        st.lists(st.text("0123456789", min_size=1), min_size=1, max_size=5).map(tuple),
    ),
    max_size=8,
)


@given(SPANS, st.integers(1, 50), st.integers(-60, 900))
def test_at_any_moment_as_many_serve_as_nothing_takes_away(found, serving, minute):
    steps = levels(found, serving, NOW)
    at = NOW + minute * MINUTE
    shown = [step.serving for step in steps if step.start <= at]
    down = sum(len(span.instances) for span in found if span.start <= at < span.end)

    if minute >= 0:
        assert shown[-1] == max(0, serving - down)
    assert lowest(steps).serving == min(step.serving for step in steps)
    assert all(one.serving != other.serving for one, other in pairwise(steps))


@given(SPANS, st.integers(1, 50), st.sampled_from((320.0, 960.0)))
def test_the_steps_are_drawn_inside_to_scale_and_in_order(found, serving, width):
    axis = Axis(NOW, NOW + timedelta(hours=12), 0.0, width)
    plot = plotted(found, serving, axis, width)

    assert all(0 <= x <= width and plot.ground - HEIGHT - 1e-6 <= y <= plot.ground for x, y in plot.points)
    assert [x for x, _ in plot.points] == sorted(x for x, _ in plot.points)
    for step in levels(found, serving, NOW):
        if axis.holds(step.start):
            height = pytest.approx(plot.ground - HEIGHT * step.serving / serving)
            assert (pytest.approx(axis.x(step.start)), height) in plot.points
    assert 0 <= plot.lowest.left <= plot.lowest.left + plot.lowest.width <= width
    assert 0 < plot.lowest_y < plot.ground


def test_a_planned_batch_lasts_as_long_as_one_is_expected_to():
    (first, second) = spans(run("web"), NOW)

    assert (first.start, first.end - first.start) == (NOW + 25 * HOUR, timedelta(minutes=10))
    assert (first.stand, first.instances, second.instances) == (Stand.PLANNED, ("1", "2"), ("3",))


@pytest.mark.parametrize(
    ("state", "of", "verified", "end", "stand"),
    [
        (BatchState.REBOOTING, InstanceState.REBOOTING, None, NOW, Stand.LIVE),
        (BatchState.SOAKING, InstanceState.MAINTAINED, NOW - HOUR, NOW - HOUR, Stand.DONE),
        (BatchState.DONE, InstanceState.MAINTAINED, NOW - HOUR, NOW - HOUR, Stand.DONE),
        (BatchState.FAILED, InstanceState.FAILED, None, NOW, Stand.FAILED),
    ],
)
def test_a_batch_that_was_started_is_drawn_as_it_was(state, of, verified, end, stand):
    begun = replace(
        batch(1, "1", state=of), state=state, started_at=NOW - 2 * HOUR, verified_at=verified, finished_at=NOW
    )
    (span,) = spans(run("web", batches=(begun,)), NOW)

    assert (span.start, span.end, span.stand, span.instances) == (NOW - 2 * HOUR, end, stand, ("1",))


def test_what_is_not_to_be_started_any_more_has_no_time():
    over = batch(1, "1", state=InstanceState.SKIPPED)
    without = replace(batch(2, "2"), not_before=None)
    assert spans(run("web", batches=(over, without)), NOW) == ()


def test_what_azure_does_is_drawn_as_it_was_seen():
    found = spans(followed("web", over=False), NOW)

    assert [(span.start, span.end, span.stand) for span in found] == [
        (NOW - 2 * HOUR, NOW - HOUR, Stand.DONE),
        (NOW - 4 * HOUR, NOW, Stand.DONE),
    ]


def test_the_plan_has_a_row_for_each_domain_and_the_same_in_words():
    one = run("web", windows=BERLIN, serving=3, freezes=(Freeze(NOW, NOW + HOUR, "No."),))
    plan, whole = plan_drawing.of_run(one, NOW)

    assert [row.name for row in plan.wide.rows] == ["zone 1, domain 0", "zone 1, domain 1"]
    assert [row.name for row in whole.wide.rows] == ["Batches", "Self-service window", "Azure's own window"]
    assert plan.heading == "The plan, to scale (Europe/Berlin)"
    assert "from Wed 25 Nov 14:00 CET to Wed 25 Nov 14:10 CET" in plan.words
    assert "Must be done by Sat 28 Nov 13:00 CET" in plan.words
    assert "deadline" in [mark.text for mark in whole.wide.marks]
    assert "freeze" in whole.kinds
    assert plan.serving.startswith("3 serve; 0 at the lowest")
    assert plan.capacity is not None


def test_open_windows_less_freezes_stand_behind_the_rows():
    sunday = datetime(2026, 11, 29, tzinfo=UTC)
    planned = replace(batch(1, "1"), not_before=sunday + 2 * HOUR)
    frozen = Freeze(sunday + 3 * HOUR, sunday + 5 * HOUR, "Release.")
    one = run(
        "web",
        windows=BERLIN,
        freezes=(frozen,),
        batches=(planned, replace(planned, number=2, not_before=sunday + HOUR)),
    )
    plan = plan_drawing.of_run(one, sunday)[0]

    opened = [band for band in plan.wide.bands if band.kind == "window"]
    assert len(opened) == 1
    assert opened[0].end == pytest.approx(plan.wide.axis.x(sunday + 3 * HOUR)), (
        "it ends where the freeze begins"
    )


def test_a_plan_of_very_many_domains_has_the_last_of_them_in_one_row():
    batches = tuple(batch(number, str(number), domain=f"domain {number}") for number in range(1, 100))
    plan = plan_drawing.of_run(run("web", batches=batches), NOW)[0]

    assert len(plan.wide.rows) == plan_drawing.DOMAINS
    assert plan.wide.rows[-1].name == "76 more domains"


def test_the_waves_drawing_has_a_row_for_each_scale_set_that_has_a_time():
    left = run("mail", state=RunState.LEFT_TO_AZURE)
    none = run("idle", state=RunState.NOT_IMPACTED)
    made = plan_drawing.of_wave((run("web"), left, none), NOW)

    assert made is not None
    assert [row.name for row in made.wide.rows] == ["web"], "Azure's window is far beyond what is ours"
    alone = plan_drawing.of_wave((left, none), NOW)
    assert alone is not None
    assert ([row.name for row in alone.wide.rows], alone.kinds) == (["mail"], {"azure"})
    assert plan_drawing.of_wave((none,), NOW) is None


def test_times_are_said_in_utc_and_on_the_clocks_of_the_runs_windows():
    one = run("web", windows=BERLIN)

    assert clock.zone_of(one) == "Europe/Berlin"
    assert clock.zone_of(run("web")) == "UTC"
    assert clock.said(NOW, "Europe/Berlin") == "Tue 24 Nov 2026 12:00 UTC, 13:00 CET"
    assert clock.said(NOW, "UTC", NOW - HOUR) == "Tue 24 Nov 2026 12:00 UTC (in 1 h)"
    assert clock.said(NOW, "Asia/Tokyo") == "Tue 24 Nov 2026 12:00 UTC, 21:00 JST"
    assert clock.said(NOW, "Pacific/Auckland") == "Tue 24 Nov 2026 12:00 UTC, Wed 25 Nov 01:00 NZDT"
    assert clock.said(NOW, "America/Sao_Paulo") == "Tue 24 Nov 2026 12:00 UTC, 09:00 UTC-03"


def test_the_hour_that_comes_twice_has_two_names():
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [clock.local(at, "Europe/Berlin") for at in twice] == [
        "Sun 25 Oct 02:30 CEST",
        "Sun 25 Oct 02:30 CET",
    ]


def test_a_waves_clock_is_that_of_most_of_its_scale_sets():
    berlin, tokyo = (
        run("a", windows=BERLIN),
        run("b", windows=(parse_windows("daily 01:00-03:00 Asia/Tokyo"),)),
    )

    assert clock.common_zone((berlin, tokyo, tokyo, run("c"), run("d"), run("e"))) == "Asia/Tokyo"
    assert clock.common_zone((run("c"),)) == "UTC"


def test_nothing_is_drawn_of_what_has_no_time():
    bare = run("web", batches=(), self_service=None, scheduled=None)
    assert plan_drawing.of_run(bare, NOW) == ()


def test_an_instance_azure_holds_down_still_is_drawn_until_now():
    down = replace(batch(1, "1"), instances=(InstanceProgress("1", down_at=NOW - HOUR),))
    one = run("web", state=RunState.LEFT_TO_AZURE, batches=(down,))
    (span,) = spans(one, NOW)

    assert (span.start, span.end, span.stand) == (NOW - HOUR, NOW, Stand.LIVE)
    assert Interval(span.start, span.end).end == NOW
