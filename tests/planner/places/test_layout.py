"""The places of a subscription's runs: limits hold, dates hold where any order keeps them, nothing is random."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.places.layout import places
from planner.places.line import Course, Line, seekers
from planner.places.table import Holder, Place, Seeker
from planner.policy.model import Limits, Match, MatchLimit
from planner.policy.weekly import parse_windows
from planner.record.states import RunState

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
M, H = timedelta(minutes=1), timedelta(hours=1)


def seeker(
    key: str, hours: int = 4, *, by: int = 1000, region: str = "a", opens: int = 0, **more: Any
) -> Seeker:
    """A run that takes `hours` and has to be done `by` hours from now."""
    return Seeker(
        key,
        key,
        region,
        NOW + opens * H,
        NOW + (by - hours) * H,
        lambda at: at,
        lambda at: at + hours * H,
        **more,
    )


def starts(laid: Mapping[str, Place]) -> dict[str, float]:
    """Hours from now, in the order of the queue."""
    return {key: (place.start - NOW) / H for key, place in laid.items() if place.start is not None}


@st.composite
def queues(draw: st.DrawFn, most: int = 5) -> tuple[list[Seeker], list[Holder], Limits]:
    hours = st.integers(1, 6)
    seekers = [
        seeker(
            f"s{number}",
            draw(hours),
            by=draw(st.integers(2, 16)),
            region=draw(st.sampled_from("ab")),
            opens=draw(st.sampled_from((0, 0, 0, 1, 5))),
            ready=draw(st.sampled_from((True, True, True, False))),
            counts_in=draw(COUNTS_IN),
        )
        for number in range(draw(st.integers(1, most)))
    ]
    held = [
        Holder(
            f"h{number}",
            draw(st.sampled_from("ab")),
            draw(st.sampled_from((NOW + H, NOW + 3 * H, None))),
            draw(COUNTS_IN),
        )
        for number in range(draw(st.integers(0, 2)))
    ]
    limits = Limits(
        draw(st.integers(1, 2)),
        draw(st.integers(1, 3)),
        draw(st.sampled_from((None, None, 1, 2))),
        draw(st.sampled_from(((), (MatchLimit("db", Match(), 1),)))),
    )
    return seekers, held, limits


COUNTS_IN = st.sampled_from(((), (), ("db",), ("gone",)))
"""Limits by match; `gone` is none of the policy any more."""


def in_flight(
    at: datetime, queue: Sequence[Seeker], held: Sequence[Holder], laid: Mapping[str, Place]
) -> list[Seeker | Holder]:
    """What is in flight at a moment."""
    flying: list[Seeker | Holder] = [one for one in held if one.ends is None or at < one.ends]
    for each in queue:
        place = laid[each.key]
        if place.start is not None and place.end is not None and place.start <= at < place.end:
            flying.append(each)
    return flying


def over(flying: Sequence[Seeker | Holder], held: Sequence[Holder], limits: Limits) -> list[str]:
    """The limits that are broken; what was in flight before may be more than they allow: they are lowered."""
    broken = []
    if len(flying) > max(limits.scale_sets, len(held)):
        broken.append("scale-sets")
    if len({one.region for one in flying}) > max(limits.regions, len({one.region for one in held})):
        broken.append("regions")
    for region in "ab" if limits.per_region is not None else "":
        before = sum(one.region == region for one in held)
        if sum(one.region == region for one in flying) > max(limits.per_region or 0, before):
            broken.append(region)
    for name, most in limits.named.items():
        before = sum(name in one.counts_in for one in held)
        if sum(name in one.counts_in for one in flying) > max(most, before):
            broken.append(name)
    return broken


@settings(deadline=None)
@given(queues(8))
def test_no_place_breaks_a_limit_or_comes_before_its_time(drawn: Any):
    queue, held, limits = drawn
    laid = places(queue, held, limits, NOW)
    assert laid.keys() == {each.key for each in queue}
    for each in queue:
        place = laid[each.key]
        if place.start is None:
            assert place.late
            continue
        assert place.start >= max(NOW, each.earliest)
        assert over(in_flight(place.start, queue, held, laid), held, limits) == []


@settings(deadline=None)
@given(queues(8))
def test_whoever_is_given_no_place_has_nothing_before_it_that_ends(drawn: Any):
    queue, held, limits = drawn
    laid = places(queue, held, limits, NOW)
    stuck = any(one.ends is None for one in held)
    assert stuck or all(place.start is not None for place in laid.values())


def naive(order: Sequence[Seeker], held: Sequence[Holder], limits: Limits, first: Sequence[str]) -> int:
    """How many are late when, hour by hour, the first of this order that fits starts.

    What ends in the same hour leaves one after another, and whoever fits by then goes at once.
    """
    flying: list[tuple[Seeker | Holder, datetime | None]] = [(one, one.ends) for one in held]
    left, late = list(order), 0

    def fill(at: datetime) -> None:
        nonlocal late
        while (each := _fits(left, [one for one, _ in flying], limits, first, at)) is not None:
            flying.append((each, each.ends(at)))
            late += each.latest is None or at > each.latest
            left.remove(each)

    for hour in range(200):
        at = NOW + hour * H
        fill(at)
        for one, ends in sorted(flying, key=lambda each: each[0].key):
            if ends is not None and ends <= at:
                flying.remove((one, ends))
                fill(at)
    return late + len(left)


def _fits(
    left: Sequence[Seeker],
    flying: Sequence[Seeker | Holder],
    limits: Limits,
    first: Sequence[str],
    at: datetime,
) -> Seeker | None:
    """The first of `left` that may start at this moment beside what is in flight."""
    regions = {one.region for one in flying}
    ready = [
        each
        for each in left
        if each.earliest <= at
        and not (limits.per_region and sum(o.region == each.region for o in flying) >= limits.per_region)
        and not any(
            name in each.counts_in and sum(name in o.counts_in for o in flying) >= most
            for name, most in limits.named.items()
        )
    ]
    new = sorted({each.region for each in ready} - regions, key=list(first).index)
    usable = regions.union(new[: max(0, limits.regions - len(regions))])
    if len(flying) >= limits.scale_sets:
        return None
    return next((each for each in ready if each.region in usable), None)


@settings(deadline=None)
@given(queues(5))
def test_no_date_is_missed_that_another_order_would_have_kept(drawn: Any):
    queue, held, limits = drawn
    # By the hour, as the naive schedule counts: whoever needs action is there an hour later.
    laid = places([each for each in queue if each.ready], held, limits, NOW)
    ready = [each for each in queue if each.ready]
    best = (
        min(
            naive(order, held, limits, first)
            for order in permutations(ready)
            for first in (("a", "b"), ("b", "a"))
        )
        if ready
        else 0
    )
    assert sum(place.late for place in laid.values()) <= best


@settings(deadline=None)
@given(queues(8))
def test_other_names_in_the_same_order_change_no_place(drawn: Any):
    queue, held, limits = drawn
    renamed = [
        replace(each, key=f"x/{each.key}", name=f"prod-{each.name.upper()}", region=f"{each.region} 2")
        for each in queue
    ]
    others = [replace(one, key=f"x/{one.key}", region=f"{one.region} 2") for one in held]
    laid = places(renamed, others, limits, NOW)
    assert {key.removeprefix("x/"): place for key, place in laid.items()} == places(queue, held, limits, NOW)


@settings(deadline=None)
@given(queues(5), st.randoms(use_true_random=False))
def test_as_many_dates_hold_whatever_the_scale_sets_are_called(drawn: Any, dice: Any):
    queue, held, limits = drawn
    names = dice.sample(range(len(queue)), len(queue))
    renamed = [replace(each, key=str(name), name=str(name)) for each, name in zip(queue, names, strict=True)]
    late = [
        sum(place.late for place in places(each, held, limits, NOW).values()) for each in (queue, renamed)
    ]
    assert late[0] == late[1]


@settings(deadline=None)
@given(queues(8), st.randoms(use_true_random=False))
def test_the_order_in_which_runs_are_listed_changes_no_place(drawn: Any, dice: Any):
    queue, held, limits = drawn
    shuffled = dice.sample(queue, len(queue))
    assert places(queue, held, limits, NOW) == places(shuffled, held[::-1], limits, NOW)


def test_who_has_to_start_first_goes_first_then_by_tier_and_name():
    queue = [
        seeker("web", by=50),
        seeker("db", by=20),
        seeker("api", by=50, tier="1"),
        seeker("cache", by=50, tier="0"),
    ]
    assert starts(places(queue, (), Limits(scale_sets=1), NOW)) == {"db": 0, "web": 4, "cache": 8, "api": 12}


def test_regions_go_one_after_another_and_the_one_with_the_nearest_date_first():
    queue = [
        seeker("a1", by=90),
        seeker("b1", by=30, region="b"),
        seeker("a2", by=40),
        seeker("b2", by=90, region="b"),
    ]
    laid = starts(places(queue, (), Limits(regions=1, scale_sets=5), NOW))
    assert laid == {"b1": 0, "b2": 0, "a2": 4, "a1": 4}


def test_a_region_that_was_begun_with_goes_on_until_it_is_done():
    queue = [seeker("a2", by=90), seeker("b1", by=60, region="b"), seeker("b2", by=70, region="b")]
    limits = Limits(regions=1, scale_sets=1)
    assert starts(places(queue, (), limits, NOW)) == {"b1": 0, "b2": 4, "a2": 8}
    assert starts(places(queue, (), limits, NOW, opened={"a"})) == {"b1": 4, "b2": 8, "a2": 0}
    # Unless dates would be missed.
    urgent = [seeker("a2", by=90), seeker("b1", by=5, region="b")]
    assert starts(places(urgent, (), limits, NOW, opened={"a"})) == {"b1": 0, "a2": 4}


def by_night(key: str, *, days: int = 1, **more: Any) -> Seeker:
    """A run of four hours that may start from eight to nine in the evening, every day or every so many."""

    def opens(at: datetime) -> datetime:
        first = NOW + 8 * H
        while first + H <= at:
            first += days * 24 * H
        return max(first, at)

    return replace(seeker(key, **more), opens=opens)


REGIONS_LEFT = [by_night("a1"), by_night("a2"), by_night("a3"), seeker("b1", by=1001, region="b")]
"""Of a region that was begun with only runs are left that wait for the evening."""


def test_by_day_a_region_keeps_its_place_for_the_runs_that_wait_for_the_evening():
    limits = Limits(regions=1, scale_sets=2)
    laid = starts(places(REGIONS_LEFT, (), limits, NOW, opened={"a"}))
    assert laid == {"a1": 8, "a2": 8, "a3": 32, "b1": 36}
    # Nobody begins with a region to wait in it.
    assert starts(places(REGIONS_LEFT, (), limits, NOW))["b1"] == 0


def test_a_region_does_not_keep_its_place_where_that_costs_a_date():
    urgent = [*REGIONS_LEFT[:3], seeker("b1", by=30, region="b")]
    assert starts(places(urgent, (), Limits(regions=1, scale_sets=2), NOW, opened={"a"}))["b1"] < 13


def test_a_region_does_not_keep_its_place_for_days_or_for_who_waits_for_a_person():
    limits, b1 = Limits(regions=1, scale_sets=1), REGIONS_LEFT[3]
    weekly = [by_night("a1", days=7), by_night("a2", days=7), b1]
    assert starts(places(weekly, (), limits, NOW, opened={"a"})) == {"a1": 8, "a2": 176, "b1": 12}
    asked = [by_night("a1", ready=False), b1]
    assert starts(places(asked, (), limits, NOW, opened={"a"})) == {"a1": 8, "b1": 0}


def test_a_region_that_was_begun_with_goes_before_one_that_could_begin_earlier():
    queue = [seeker("d", by=40, opens=1, region="d"), seeker("a1", by=90), seeker("a2", by=91, opens=4)]
    laid = starts(places(queue, (), Limits(regions=1, scale_sets=1), NOW))
    assert laid == {"d": 8, "a1": 0, "a2": 4}


@pytest.mark.parametrize("apart", [(0, 0, 0), (0, 20, 40), (40, 20, 0), (20, 40, 0)])
def test_a_few_seconds_between_two_ends_do_not_decide_which_region_goes_on(apart: tuple[int, ...]):
    queue = [
        *(seeker(f"d{number}", by=20, region="d") for number in range(3)),
        seeker("b", by=90, region="b"),
    ]
    ends = [NOW + H + timedelta(seconds=seconds) for seconds in apart]
    held = [Holder(f"h{number}", where, ends[number]) for number, where in enumerate("aab")]
    laid = starts(places(queue, held, Limits(regions=2, scale_sets=3), NOW))
    assert {key: int(hours) for key, hours in laid.items()} == {"d0": 1, "d1": 1, "d2": 5, "b": 1}


def test_of_too_many_the_longest_gives_way_to_more_short_ones():
    queue = [seeker("long", 10, by=12), *(seeker(f"s{number}", 3, by=13) for number in range(4))]
    laid = places(queue, (), Limits(scale_sets=1), NOW)
    assert [key for key, place in laid.items() if place.late] == ["long"]


def test_of_a_region_no_more_go_at_once_than_it_takes_and_the_other_goes_beside_it():
    queue = [seeker(f"a{number}", by=100 + number) for number in range(3)]
    queue += [seeker("b1", by=200, region="b")]
    laid = starts(places(queue, (), Limits(regions=2, scale_sets=9, per_region=1), NOW))
    assert laid == {"a0": 0, "a1": 4, "a2": 8, "b1": 0}


def test_who_matches_a_limit_waits_for_it_and_the_others_go_before():
    queue = [seeker(f"db{number}", by=20 + number, counts_in=("db",)) for number in range(2)]
    queue += [seeker("web", by=90)]
    limits = Limits(scale_sets=2, by_match=(MatchLimit("db", Match(name=("db*",)), 1),))
    assert starts(places(queue, (), limits, NOW)) == {"db0": 0, "db1": 4, "web": 0}


def test_ten_with_a_date_in_two_days_go_before_a_hundred_without_haste():
    queue = [seeker(f"calm{number:03}", 10, by=800) for number in range(100)]
    queue += [seeker(f"haste{number}", 10, by=48) for number in range(10)]
    laid = places(queue, (), Limits(scale_sets=5), NOW)
    assert not any(place.late for place in laid.values())
    assert max(starts(laid)[f"haste{number}"] for number in range(10)) == 10


def test_a_paused_run_keeps_its_place_and_the_other_region_has_none():
    held = [Holder("stuck", "a", None)]
    laid = places([seeker("here"), seeker("there", region="b")], held, Limits(regions=1), NOW)
    assert starts(laid) == {"here": 0}
    assert laid["there"] == Place(late=True)


def test_others_go_before_who_waits_for_a_person_only_as_long_as_it_does():
    waits = seeker("waits", by=10, ready=False)
    laid = starts(places([waits, seeker("next", by=40)], (), Limits(scale_sets=1), NOW))
    assert laid == {"waits": 4, "next": 0}
    assert (
        starts(places([waits, seeker("later", by=40, opens=1)], (), Limits(scale_sets=1), NOW))["waits"] < 1
    )


def test_who_goes_after_another_starts_when_that_one_ends_and_a_circle_has_no_place():
    queue = [seeker("web", by=20, after=("db",)), seeker("db", by=90)]
    assert starts(places(queue, (), Limits(), NOW)) == {"web": 4, "db": 0}
    circle = [seeker("web", after=("db",)), seeker("db", after=("web",))]
    assert starts(places(circle, (), Limits(), NOW)) == {}


@pytest.mark.parametrize("scale_sets", [5, 40])
def test_four_times_as_many_runs_with_windows_take_about_four_times_as_long(scale_sets: int):
    nights = (parse_windows("daily 22:00-04:00 UTC"),)
    weekends = (parse_windows("Sat,Sun 02:00-06:00 Europe/Berlin"),)

    def seconds(runs: int) -> float:
        lines = [
            Line(
                f"s{number:04}",
                f"s{number:04}",
                ("westeurope", "northeurope")[number % 2],
                RunState.SCHEDULED,
                Course(4 + number % 9, 10 * M, 30 * M, ((), nights, weekends)[number % 3]),
                NOW,
                NOW + (5 + number % 29) * 24 * H,
            )
            for number in range(runs)
        ]
        began = process_time()
        laid = places(seekers(lines), (), Limits(1, scale_sets), NOW)
        assert sum(place.late for place in laid.values()) > runs / 20, "so that many orders are tried"
        return process_time() - began

    few, many = min(seconds(400) for _ in range(3)), min(seconds(1600) for _ in range(2))
    assert many < 10 * few + 0.2, (few, many)
    assert many < 5


def test_regions_are_opened_in_the_order_in_which_most_dates_hold():
    queue = [
        seeker("a1", 8, by=10),
        seeker("b1", 2, by=12, region="b"),
        *(seeker(f"a{number}", 20, by=500) for number in range(2, 7)),
    ]
    laid = places(queue, (), Limits(regions=1, scale_sets=1), NOW)
    assert not any(place.late for place in laid.values())
    assert starts(laid)["b1"] == 0


def test_whose_window_has_closed_while_it_waited_starts_when_it_opens_again():
    def opens(at: datetime) -> datetime:
        """Open in the first hour of each day from now on."""
        into = (at - NOW) % (24 * H)
        return at if into < H else at - into + 24 * H

    window = replace(seeker("window", 1, by=400), opens=opens)
    queue = [seeker("first", 4, by=10), window, seeker("next", 2, by=600)]
    assert starts(places(queue, (), Limits(scale_sets=1), NOW)) == {"first": 0, "window": 24, "next": 4}
