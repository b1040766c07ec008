"""What stands still is told again before its latest start: at half of the slack, and 72, 24 and 4 hours before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from planner.azure.fleet import Interval
from planner.people.no_effect import let_pass
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from planner.record.waits import HeldUp, Reminders
from planner.schedule.latest_start import latest
from planner.waiting.reminders import reminded
from tests.planner.builders import NOW as SUNDAY
from tests.planner.builders import batch, command, observe, planned, run_of, step
from tests.planner.living import DAY, H, M, failed_set, living, run_of_world, sick, told, until
from tests.planner.protocol import NOW, Protocol

PACE = timedelta(minutes=2)


def reminders(run: Run) -> list[float]:
    """The hours that were left at each reminder, to a tenth."""
    last = latest(run, NOW).start
    assert last is not None
    return [round((last - notice.at) / H, 1) for notice in told(run, Kind.REMINDER)]


def held_run() -> Run:
    run, _ = step(
        run_of(batch(1, "0")), observe(), command(CommandKind.HOLD, actor="ana", comment="as agreed")
    )
    assert run.state is RunState.PAUSED
    return replace(run, standing=replace(run.standing, reminders=None))


def held(world: Protocol) -> None:
    world.poll([world.event("hold")])


@pytest.mark.parametrize("word", ["hold", "approve"])
def test_a_pause_and_an_unanswered_approval_are_told_again_at_half_and_at_72_24_and_4_hours(
    word: str,
) -> None:
    world = living(hours=480, mode="approve" if word == "approve" else "auto")
    if word == "hold":
        held(world)
    last = latest(run_of_world(world), NOW).start
    assert last is not None
    run = until(world, 479 * H)
    whole = (last - NOW) / H
    assert reminders(run) == [round(whole / 2, 1), 72.0, 24.0, 4.0]
    first = told(run, Kind.REMINDER)[0]
    assert first.urgency is Urgency.ACT
    assert first.otherwise.startswith("If nobody answers by")
    assert first.answers[0] == ("approve" if word == "approve" else "resume")
    expected = "Still waiting for approval." if word == "approve" else "Still paused: Held by ana"
    assert first.sentence.startswith(expected)


def test_what_is_held_up_is_told_again_though_it_was_told_long_ago() -> None:
    world = living(hours=200)
    sick(world)
    run = until(world, 199 * H)
    assert len(told(run)) == 1
    assert reminders(run)[-3:] == [72.0, 24.0, 4.0]
    assert len(reminders(run)) == 4
    assert told(run, Kind.REMINDER)[-1].sentence.startswith("Still held up since Mon 23 Nov 2026 08:00 UTC")


def test_moments_that_passed_before_it_was_told_first_count_as_told_with_that() -> None:
    world = living(hours=20)
    held(world)
    last = latest(run_of_world(world), NOW).start
    assert last is not None
    run = until(world, 19 * H)
    assert reminders(run) == [round((last - NOW) / H / 2, 1), 4.0]


def test_moments_that_pass_between_two_polls_are_told_together() -> None:
    world = living(hours=480)
    held(world)
    world.now = NOW + 450 * H
    world.poll()
    assert len(told(run_of_world(world), Kind.REMINDER)) == 1


def test_a_window_that_is_lost_to_a_cause_is_reminded_of_though_it_never_lasted_four_hours() -> None:
    world = living(hours=480, windows="Sun 02:00-03:00 UTC", max_unavailable="50%", soak="0m")
    failed_set(world)
    run = until(world, 479 * H)
    assert told(run) == []
    assert reminders(run)[:1] == [72.0]


def test_a_stop_and_an_azure_that_cannot_be_read_are_reminded_of() -> None:
    stopped, blind = living(hours=200), living(hours=200)
    stopped.stopped = "Everything is stopped by BREAKWATER_STOP; nothing new starts."
    blind.trouble = "Azure did not answer."
    assert reminders(until(stopped, 199 * H)) == [72.0, 24.0, 4.0]
    run = until(blind, 199 * H)
    assert len(told(run, Kind.TROUBLE)) == 1
    assert reminders(run)[-3:] == [72.0, 24.0, 4.0]


def test_whoever_goes_on_is_not_reminded() -> None:
    world = living(hours=480, lead="15d")
    assert told(until(world, 14 * DAY), Kind.REMINDER) == []


def test_a_pause_says_whom_it_holds_up_and_offers_to_let_them_pass() -> None:
    others = HeldUp(3, ("northeurope",), SUNDAY + 2 * DAY)
    run, _ = step(planned(), observe())
    run, _ = step(run, observe(now=SUNDAY + M, held_up=others), command(CommandKind.HOLD))
    (notice,) = told(run, Kind.PAUSED)
    assert "Holds up 3 other scale sets in northeurope; they still fit until" in notice.otherwise
    assert "they still fit until Tue 24 Nov 2026 12:00 UTC" in notice.otherwise
    assert notice.answers[-1] == "let-pass"
    alone, _ = step(planned(), observe())
    alone, _ = step(alone, observe(now=SUNDAY + M, held_up=HeldUp()), command(CommandKind.HOLD))
    assert "let-pass" not in told(alone, Kind.PAUSED)[0].answers


def test_let_pass_gives_the_place_away_until_the_run_starts_something_again() -> None:
    run = run_of(
        batch(1, "0", state=BatchState.DONE, started_at=SUNDAY),
        batch(2, "1"),
        state=RunState.PAUSED,
        holding="Held.",
    )
    assert run.claims
    run, _ = step(run, observe(), command(CommandKind.LET_PASS))
    assert run.people.lets_pass
    assert not run.claims
    assert "let-pass" in [entry.event for entry in run.story.history]
    again, _ = step(run, observe(), command(CommandKind.LET_PASS, "twice"))
    assert "lets the others pass already" in again.story.history[-1].reason


@pytest.mark.parametrize(
    ("state", "begun", "why"),
    [
        (RunState.RUNNING, True, "not paused"),
        (RunState.PAUSED, False, "Nothing of it was started"),
    ],
)
def test_let_pass_is_refused_with_the_reason_where_it_would_change_nothing(state, begun, why) -> None:
    first = batch(1, "0", state=BatchState.DONE, started_at=SUNDAY if begun else None)
    assert why in let_pass(run_of(first, batch(2, "1"), state=state), command(CommandKind.LET_PASS))


def test_nobody_passes_while_something_is_still_rebooting() -> None:
    flying = InstanceProgress("0", state=InstanceState.REBOOTING, reason="It reboots.")
    run = run_of(batch(1, flying, state=BatchState.REBOOTING, started_at=SUNDAY), state=RunState.PAUSED)
    assert "Instance 0 is still being watched" in let_pass(run, command(CommandKind.LET_PASS))


@pytest.mark.parametrize("before", [None, SUNDAY + 2 * H])
def test_the_hours_of_a_latest_start_that_moved_away_or_is_there_again_count_anew(before: Any) -> None:
    run = held_run()
    run = replace(
        run,
        standing=replace(
            run.standing, reminders=Reminders(run.story.last_notice, None, 4, before, SUNDAY - 2 * H)
        ),
    )
    kept = reminded(run, observe(), SUNDAY).standing.reminders
    assert kept is not None and kept.by is not None
    assert kept.mark is None, "its latest start is weeks ahead, and 72 hours before it are still to come"


def test_a_run_of_which_only_what_failed_is_left_is_polled_seldom_while_its_own_window_is_open() -> None:
    own = Interval(SUNDAY, SUNDAY + 9 * DAY)
    failed = InstanceProgress(
        "0", state=InstanceState.FAILED, reason="It did not come back.", begun=True, window=own
    )
    run = run_of(batch(1, failed, started_at=SUNDAY), state=RunState.PAUSED, due=SUNDAY + 4 * DAY)
    run = replace(run, times=replace(run.times, self_service=Interval(SUNDAY - DAY, SUNDAY + DAY)))
    later = reminded(run, observe(), SUNDAY + 2 * DAY)
    assert later.standing.reminders is not None and later.standing.reminders.by == own.end
    over = reminded(replace(run, due=SUNDAY + 20 * DAY), observe(), own.end + 5 * M)
    assert over.due == SUNDAY + 20 * DAY, "too late is found once, not every two minutes for ever"


def test_a_reason_in_a_persons_own_words_ends_before_the_next_sentence_begins() -> None:
    run = held_run()
    last = latest(run, SUNDAY).start
    assert last is not None
    run = reminded(reminded(run, observe(), SUNDAY), observe(), last - 23 * H)
    assert run.story.notices[-1].sentence.startswith("Still paused: Held by ana: as agreed. It still fits")


def test_that_it_is_too_late_is_told_when_it_is_and_not_at_the_next_daily_poll() -> None:
    world = living(hours=480, mode="approve")
    last = latest(run_of_world(world), NOW).start
    assert last is not None
    run = until(world, 479 * H)
    paused = next(entry for entry in run.story.history if entry.event == "awaiting_approval -> paused")
    assert timedelta(0) <= paused.at - last <= 5 * M
