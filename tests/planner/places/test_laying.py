"""Places are kept while what they were made from stays: they are those that a new layout would give."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from planner.places.laying import lay, stays, still
from planner.places.line import Course, Line
from planner.places.turn import Laid
from planner.policy.model import Limits
from planner.record.states import RunState

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LIMITS = Limits(scale_sets=2, regions=1)
OPENED = frozenset({"westeurope", "eastus"})

RUNNING = {"state": RunState.RUNNING, "claims": True}


def line(name: str, batches: int = 4, **more: Any) -> Line:
    given = {"region": "westeurope", "state": RunState.SCHEDULED, "earliest": NOW} | more
    course = Course(batches, 10 * M, 30 * M)
    return Line(
        name,
        name,
        given.pop("region"),
        given.pop("state"),
        course,
        given.pop("earliest"),
        NOW + 34 * DAY,
        **given,
    )


def laid(lines: Sequence[Line]) -> Laid:
    return lay(lines, LIMITS, OPENED, (), NOW)


def kept(places: Laid, lines: Sequence[Line], now: datetime) -> Laid | None:
    return still(places, lines, LIMITS, OPENED, now)


def started(places: Laid, each: Line, **more: Any) -> Line:
    """The line of a run that has started as it was laid."""
    given = {"forecast": places.places[each.key].end, "acts_at": NOW + M} | RUNNING | more
    return replace(each, course=replace(each.course, batches=each.course.batches - 1), **given)


WEB, API, SHOP = line("web"), line("api"), line("shop")
BOTH_GO = laid([API, SHOP, WEB])


def test_who_starts_as_it_was_laid_changes_nobody_elses_place() -> None:
    now = NOW + 30 * M
    went = kept(BOTH_GO, [started(BOTH_GO, API), started(BOTH_GO, SHOP), WEB], now)
    assert went is not None
    assert went.places == {"web": BOTH_GO.places["web"]}
    assert [each.key for each in went.order] == ["web"]


def test_a_forecast_is_measured_against_what_the_others_were_laid_by() -> None:
    end = BOTH_GO.places["api"].end
    assert end is not None
    lines = [started(BOTH_GO, API, forecast=end + 4 * M), started(BOTH_GO, SHOP), WEB]
    went = kept(BOTH_GO, lines, NOW)
    assert went is not None
    later = [started(BOTH_GO, API, forecast=end + 8 * M), *lines[1:]]
    assert kept(went, later, NOW + M) is None
    assert kept(BOTH_GO, later, NOW) is None


def test_who_starts_before_its_turn_has_everybody_laid_anew() -> None:
    assert kept(BOTH_GO, [API, SHOP, replace(WEB, forecast=NOW + H, **RUNNING)], NOW) is None


def test_who_has_started_and_is_paused_has_everybody_laid_anew() -> None:
    paused = started(BOTH_GO, API, state=RunState.PAUSED)
    assert kept(BOTH_GO, [paused, SHOP, WEB], NOW) is None


def test_who_comes_or_goes_has_everybody_laid_anew() -> None:
    assert kept(BOTH_GO, [API, WEB], NOW) is None
    assert kept(BOTH_GO, [API, line("new"), WEB], NOW) is None


def test_a_poll_that_was_due_meanwhile_moves_nobody() -> None:
    due = replace(WEB, acts_at=NOW + H)
    assert stays(due, WEB, NOW + H)
    assert not stays(due, WEB, NOW + H - M)


def test_a_run_in_flight_may_learn_and_be_polled_as_long_as_its_end_stays() -> None:
    before = replace(WEB, forecast=NOW + H, acts_at=NOW, **RUNNING)
    assert stays(before, replace(before, course=Course(1, 11 * M, 30 * M), acts_at=NOW + M), NOW)
    assert not stays(before, replace(before, counts_in=("web",)), NOW)
    assert not stays(before, replace(before, forecast=None), NOW)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 5),
            st.sampled_from(["westeurope", "eastus"]),
            st.sampled_from([0, 0, 0, 1, 5, 30]),
            st.booleans(),
        ),
        min_size=1,
        max_size=8,
    ),
    st.floats(0, 1, exclude_max=True),
)
def test_places_that_are_kept_are_those_that_a_new_layout_gives(drawn: Any, share: float) -> None:
    lines = [
        line(f"run{number}", batches, region=region, earliest=NOW + hours * H, held_back=held_back)
        for number, (batches, region, hours, held_back) in enumerate(drawn)
    ]
    places = laid(lines)
    now = NOW + share * (places.until - NOW)
    starts = {key: place.start for key, place in places.places.items()}
    goes = {key for key, start in starts.items() if start is not None and start <= now}
    after = [started(places, each, held_back=False) if each.key in goes else each for each in lines]
    found = kept(places, after, now)
    assert found is not None
    # A person's answer is expected within a minute of whenever one looks.
    if not any(each.held_back for each in after):
        assert found.places == lay(after, LIMITS, OPENED, (), now).places


def test_what_was_made_for_the_last_layout_gives_the_same_places() -> None:
    again = [API, line("late", 9), replace(SHOP, earliest=NOW + H), WEB]
    ordered = sorted(again, key=lambda each: each.key)
    new = lay(ordered, LIMITS, OPENED, (), NOW + M, BOTH_GO)
    afresh = lay(ordered, LIMITS, OPENED, (), NOW + M)
    assert (new.places, new.until) == (afresh.places, afresh.until)
    assert [each.key for each in new.order] == [each.key for each in afresh.order]
