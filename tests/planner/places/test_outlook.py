"""How the queue comes out: who has a place in time, who has none, and what would make room."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from planner.places.laying import lay
from planner.places.line import Course, Line, latest_start
from planner.places.outlook import Outlook, outlook
from planner.places.turn import Laid, turn
from planner.policy.model import Limits, Match, MatchLimit
from planner.policy.weekly import parse_windows
from planner.record.cause import Cause
from planner.record.states import RunState

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NIGHTS = (parse_windows("daily 20:00-06:00 UTC"),)


def course(batches: int = 4, **more: Any) -> Course:
    return Course(batches, 10 * M, 30 * M, **more)


def line(name: str, state: RunState = RunState.SCHEDULED, **more: Any) -> Line:
    given = {"region": "westeurope", "course": course(), "earliest": NOW, "deadline": NOW + 34 * DAY} | more
    return Line(name, name, given.pop("region"), state, given.pop("course"), given.pop("earliest"), **given)


def laid(lines: list[Line], limits: Limits) -> Laid:
    return lay(lines, limits, frozenset(), (), NOW)


def seen(lines: list[Line], limits: Limits, *keys: str) -> Outlook:
    return outlook("s", laid(lines, limits), keys or [each.key for each in lines])


def test_a_wave_that_fits_says_until_when() -> None:
    found = seen([line(f"set{number}") for number in range(6)], Limits(scale_sets=2))
    assert (found.in_time, found.late) == (6, ())
    assert found.ends == NOW + 3 * 130 * M
    assert found.sentence == (
        "6 scale sets fit before the deadline, the last done by Mon 30 Nov 2026 18:30 UTC."
    )


def test_a_hundred_and_seventy_sets_of_twenty_domains_say_who_has_no_place_and_what_would_do() -> None:
    lines = [line(f"set{number:03}", course=course(20, windows=NIGHTS)) for number in range(170)]
    found = seen(lines, Limits(scale_sets=5))
    assert found.in_time + len(found.late) == 170
    assert 20 < len(found.late) < 60
    [(key, enough)] = found.enough
    assert key == "scale-sets"
    assert 5 < enough < 10
    assert seen(lines, Limits(scale_sets=enough)).late == ()
    assert found.any_time
    assert f"{len(found.late)} scale sets do not fit before the deadline" in found.sentence
    assert "under `limits` (`scale-sets: 5`, `regions: 1`): set" in found.sentence
    assert f"To make room: `scale-sets: {enough}` or wider windows." in found.sentence


def test_where_no_limit_helps_none_is_named() -> None:
    found = seen([line("long", course=course(2000))], Limits())
    assert (found.late, found.enough, found.any_time) == (("long",), (), False)
    assert "To make room" not in found.sentence


def test_each_limit_that_alone_would_make_room_is_named_with_the_number_that_does() -> None:
    lines = [line(f"db{number}", course=course(20), counts_in=("databases",)) for number in range(120)]
    limits = Limits(5, 50, 40, (MatchLimit("databases", Match(), 1),))
    found = seen(lines, limits)
    [(key, enough)] = found.enough
    assert key == "by-match.databases.scale-sets"
    fits = Limits(5, 50, 40, (MatchLimit("databases", Match(), enough),))
    assert seen(lines, fits).late == ()
    assert seen(lines, Limits(5, 50, 40, (MatchLimit("databases", Match(), enough - 1),))).late
    assert (
        "under `limits` (`scale-sets: 50`, `regions: 5`, `per-region: 40`, `by-match.databases.scale-sets: 1`)"
        in found.sentence
    )


def test_only_the_runs_asked_for_count() -> None:
    found = seen([line("mine"), line("other", course=course(2000))], Limits(), "mine")
    assert (found.in_time, found.late) == (1, ())


def test_nothing_that_waits_is_nothing_to_say() -> None:
    flying = line("flying", RunState.RUNNING, claims=True, forecast=NOW + H)
    assert seen([flying], Limits()).sentence == ""


def test_a_turn_says_its_number_and_who_goes_before() -> None:
    lines = [line(name, deadline=NOW + day * DAY) for day, name in enumerate(("db", "api", "web", "job"), 2)]
    queue = laid(lines, Limits(scale_sets=1))
    assert turn("db", queue, NOW).waits == ""
    assert turn("job", queue, NOW).start == NOW + 3 * 130 * M
    assert turn("job", queue, NOW).waits == (
        "Number 4 in the queue after db, api, web: its turn is expected at Mon 30 Nov 2026 18:30 UTC."
    )


def test_behind_a_paused_run_of_another_region_there_is_no_turn_and_the_sentence_names_it() -> None:
    stuck = line("stuck", RunState.PAUSED, region="North Europe", claims=True)
    found = turn("web", laid([stuck, line("web")], Limits(regions=1)), NOW)
    assert (found.start, found.waits) == (
        None,
        "No place in the queue will be free for it while stuck needs action.",
    )


def test_a_run_in_flight_past_its_forecast_is_expected_to_end_soon() -> None:
    flying = line("flying", RunState.RUNNING, claims=True, forecast=NOW - H)
    assert turn("web", laid([flying, line("web")], Limits(scale_sets=1)), NOW).start == NOW + M


def test_whoever_is_held_back_by_something_of_its_own_lets_the_next_go_first() -> None:
    queue = laid([line("a", held_back=True), line("b")], Limits(scale_sets=1))
    assert turn("b", queue, NOW).waits == ""


def test_who_goes_ahead_says_of_whom_and_what_keeps_each_from_going() -> None:
    lines = [
        line("asked", RunState.AWAITING_APPROVAL, deadline=NOW + DAY),
        line("sick", held_back=True, waits=Cause.NEIGHBOUR, deadline=NOW + 2 * DAY),
        line("nightly", course=course(windows=NIGHTS), deadline=NOW + 3 * DAY),
        line("web"),
    ]
    assert turn("web", laid(lines, Limits(scale_sets=1)), NOW).passes == (
        "Ahead of asked (waits for approval), sick (is held up by an unhealthy instance), "
        "nightly (may start from Mon 30 Nov 2026 20:00 UTC)."
    )
    assert turn("web", laid([line("db", deadline=NOW + DAY), line("web")], Limits()), NOW).passes == ""


@pytest.mark.parametrize("windows", [(), NIGHTS])
@pytest.mark.parametrize("batches", [1, 4, 30])
def test_the_latest_start_is_the_last_that_still_ends_in_time(windows: Any, batches: int) -> None:
    given, deadline = course(batches, windows=windows), NOW + 20 * DAY + 7 * M
    last = latest_start(given, deadline)
    assert last is not None
    ends = given.ends(last)
    assert ends is not None
    assert ends <= deadline
    later = given.ends(last + M)
    assert later is None or later > deadline
