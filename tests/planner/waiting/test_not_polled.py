"""A poll that comes much too late says since when there was none, once, and pauses nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from planner.record.notice import Kind, Urgency
from planner.record.states import ACTIVE, RunState
from planner.text.backoff import TOLD_AFTER
from planner.waiting.not_polled import taken_up
from planner.words.standing_still import TAKEN_UP_AGAIN
from tests.handlers.parts import NOW, run

M = timedelta(minutes=1)


def test_it_is_in_the_history_with_both_times_and_told_without_asking_for_anything() -> None:
    before = run(due=NOW - 45 * M)
    after = taken_up(before, replace(before, due=NOW + M), NOW)
    (line,) = [entry for entry in after.story.history if entry.event == "taken_up"]
    assert line.reason.startswith(
        "No poll of it ran from Sun 22 Nov 2026 11:15 UTC to Sun 22 Nov 2026 12:00 UTC (45 minutes)"
    )
    notice = after.story.notices[-1]
    assert (notice.kind, notice.urgency, notice.sentence) == (Kind.LATE, Urgency.KNOW, TAKEN_UP_AGAIN)
    assert (after.state, notice.answers) == (before.state, ())


@pytest.mark.parametrize("late", [timedelta(0), -M, TOLD_AFTER - M])
def test_what_is_a_little_late_is_not_told(late: timedelta) -> None:
    before = run(due=NOW - late)
    assert taken_up(before, before, NOW) is before


def test_a_poll_that_takes_minutes_to_read_is_given_them() -> None:
    before = run(due=NOW - TOLD_AFTER, reading=6 * M)
    assert taken_up(before, before, NOW) is before


@pytest.mark.parametrize("state", sorted(set(RunState) - ACTIVE))
def test_of_a_run_for_which_nothing_starts_nobody_hears(state: RunState) -> None:
    before = run(due=NOW - timedelta(days=1), state=state)
    assert taken_up(before, before, NOW) is before
