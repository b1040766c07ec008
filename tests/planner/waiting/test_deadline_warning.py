"""Time that runs short while a run is under way: told, asked about, paged, each once for each deadline."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from planner.azure.fleet import Instance, Interval
from planner.people.commands import with_commands
from planner.policy.weekly import parse_windows
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from planner.record.waits import Alarm
from planner.schedule import timing
from planner.schedule.latest_start import latest
from planner.text.phrases import say
from planner.waiting.deadline_warning import LAST_MOMENT, warned
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    batch,
    command,
    fleet,
    observe,
    run_of,
    scale_set,
    step,
)


def under_way(**more: Any) -> Run:
    started = batch(
        1,
        InstanceProgress(
            "0", state=InstanceState.REBOOTING, intent_at=NOW, since=NOW, answered=True, attempts=1
        ),
        state=BatchState.REBOOTING,
        started_at=NOW,
    )
    fields = {"state": RunState.RUNNING, "recover_within": 3 * HOUR, "deadline": NOW + HOUR, **more}
    return run_of(started, batch(2, "1"), batch(3, "2"), **fields)


def told_slack(run: Run, minutes: Sequence[int]) -> list[str]:
    instances = changed_first(fleet(3, 3))
    for minute in minutes:
        run, _ = step(run, observe(scale_set(), instances, always(), NOW + minute * MINUTE))
    return [notice.sentence for notice in run.story.notices if notice.kind is Kind.SLACK]


def changed_first(instances: Sequence[Instance]) -> tuple[Instance, ...]:
    return (replace(instances[0], power="starting"), *instances[1:])


def test_time_that_runs_short_under_way_is_told_once_with_choices():
    found = told_slack(under_way(), range(1, 40))
    assert len(found) == 1
    assert "Time is short" in found[0]
    assert "must be done by Sun 22 Nov 2026 13:00 UTC" in found[0]


def test_another_deadline_is_told_although_the_sentence_before_named_its_time():
    """What was told is known by the deadline itself; a sentence may name any time for any reason."""
    instances = changed_first(fleet(3, 3))
    told = NOW + MINUTE
    run, _ = step(under_way(), observe(scale_set(), instances, always(), told))
    (first,) = [notice for notice in run.story.notices if notice.kind is Kind.SLACK]
    assert first.deadline == NOW + HOUR
    later = NOW + 65 * MINUTE
    named = replace(first, sentence=f"{first.sentence} Something else is due {say(later)}.")
    run = replace(run, times=replace(run.times, deadline=later), story=replace(run.story, notices=(named,)))
    run, _ = step(run, observe(scale_set(), instances, always(), told + MINUTE))
    assert [notice.deadline for notice in run.story.notices if notice.kind is Kind.SLACK] == [
        NOW + HOUR,
        later,
    ]


def test_windows_that_became_too_short_under_way_are_told_once_and_not_at_every_poll():
    run = under_way(windows=(parse_windows("daily 11:00-12:08 UTC"),), deadline=NOW + 9 * DAY)
    instances = changed_first(fleet(3, 3))
    short = always(windows="daily 11:00-12:08 UTC")
    for minute in range(1, 30):
        run, _ = step(run, observe(scale_set(), instances, short, NOW + minute * MINUTE))
        run = replace(run, times=replace(run.times, expected=90 * MINUTE))
    long_ago = replace(
        run,
        batches=(
            batch(
                1,
                InstanceProgress("0", state=InstanceState.MAINTAINED),
                state=BatchState.SOAKING,
                started_at=NOW - 2 * HOUR,
                verified_at=NOW + MINUTE,
            ),
            *run.batches[1:],
        ),
        story=replace(run.story, notices=()),
    )
    for minute in range(2, 30):
        long_ago, _ = step(long_ago, observe(scale_set(), fleet(3, 3), short, NOW + minute * MINUTE))
    assert long_ago.times.forecast_end is None
    assert len([notice for notice in long_ago.story.notices if notice.kind is Kind.SLACK]) == 1


def urgencies(run: Run) -> list[Urgency]:
    return [notice.urgency for notice in run.story.notices if notice.kind is Kind.SLACK]


def late_by(deadline: timedelta, **more: Any) -> Run:
    """Under way, its domains due at night, and the last of them behind a deadline some days away."""
    return under_way(deadline=NOW + deadline, self_service=Interval(NOW - HOUR, NOW + 6 * DAY), **more)


def test_a_deadline_at_risk_asks_first_and_pages_at_the_last_moment():
    """Windows leave the second domain no night before the deadline."""
    nights = always(windows="Sun 11:00-12:30 UTC; Fri 20:00-20:30 UTC")
    run = late_by(4 * DAY, windows=(parse_windows("Sun 11:00-12:30 UTC; Fri 20:00-20:30 UTC"),))
    instances = changed_first(fleet(3, 3))
    last = next(
        at
        for at in (NOW + minutes * MINUTE for minutes in range(0, 9 * 24 * 60, 10))
        if latest(altered(run, state=RunState.RUNNING), at).anything is None
    )
    for hours in range(140):
        now = NOW + hours * HOUR
        if now >= last:
            break
        timed = replace(timing.timed(run, now), due=last)
        run = warned(timed, observe(scale_set(), instances, nights, now), now)
        if now < last - 5 * HOUR:
            assert urgencies(run) == [Urgency.ACT], hours
            assert run.due <= last - LAST_MOMENT, "it has to be polled then"
    assert urgencies(run) == [Urgency.ACT, Urgency.PAGE]
    assert run.due <= last


def test_whoever_has_let_it_go_on_is_not_paged():
    run = late_by(HOUR, deadline_waived=True)
    assert urgencies(warned(timing.timed(run, NOW), observe(now=NOW), NOW)) == []


def test_little_time_to_spare_is_told_while_it_still_fits_once_and_asks_for_nothing():
    run = under_way(deadline=NOW + 2 * HOUR)
    run = timing.timed(run, NOW)
    assert run.times.forecast_end is not None
    spare = 20 * MINUTE
    run = altered(run, deadline=run.times.forecast_end + spare)
    for minute in range(3):
        run = warned(timing.timed(run, NOW), observe(now=NOW), NOW + minute * MINUTE)
    (notice,) = [one for one in run.story.notices if one.kind is Kind.SLACK]
    assert (notice.urgency, notice.answers, notice.choices) == (Urgency.KNOW, (), ())
    assert notice.sentence.startswith("Little time is left: 20 minutes to spare until ")
    run = altered(run, deadline=run.times.deadline)
    late = altered(run, slack=-HOUR, forecast_end=NOW + 9 * DAY)
    assert urgencies(warned(late, observe(now=NOW), NOW))[-1] is not Urgency.KNOW


def test_a_plan_with_time_to_spare_or_with_nothing_left_to_start_says_nothing():
    roomy = timing.timed(under_way(deadline=NOW + 5 * DAY), NOW)
    assert urgencies(warned(roomy, observe(now=NOW), NOW)) == []
    last = replace(roomy, batches=roomy.batches[:1])
    last = altered(last, deadline=NOW + HOUR, slack=MINUTE)
    assert urgencies(warned(last, observe(now=NOW), NOW)) == []


NIGHTS = "Sun 11:00-12:30 UTC; Fri 20:00-20:30 UTC"


def paged() -> tuple[Run, datetime]:
    """A run that has paged that it will not be done in time, two hours before nothing can be started any more."""
    run = late_by(4 * DAY, windows=(parse_windows(NIGHTS),))
    moments = (NOW + minutes * MINUTE for minutes in range(0, 9 * 24 * 60, 10))
    now = next(at for at in moments if latest(run, at).anything is None) - 2 * HOUR
    return polled(run, now), now


def polled(run: Run, now: datetime) -> Run:
    return warned(timing.timed(run, now), observe(scale_set(), fleet(3, 3), always(), now), now)


def test_the_page_about_a_deadline_goes_on_until_somebody_acknowledges_it():
    run, now = paged()
    page = run.story.notices[-1]
    assert (page.urgency, page.answers[-1]) == (Urgency.PAGE, CommandKind.ACKNOWLEDGE)
    for minute in range(1, 20):
        run = polled(run, now + minute * MINUTE)
        assert run.ringing is not None
        assert (run.ringing.number, run.ringing.since) == (page.number, now)
    word = command(CommandKind.ACKNOWLEDGE, notice=page.number, at=now + 20 * MINUTE)
    taken = with_commands(run, [word], observe(now=now), now + 20 * MINUTE)
    assert taken.story.notices[-1].sentence.startswith("ada has acknowledged it")
    assert "still does not fit before" in taken.story.notices[-1].sentence
    assert polled(taken, now + 21 * MINUTE).ringing is None
    assert urgencies(polled(taken, now + 21 * MINUTE)).count(Urgency.PAGE) == 1


def test_a_poll_that_finds_nothing_down_leaves_the_page_about_a_deadline_alone():
    run, now = paged()
    run, _ = step(run, observe(scale_set(), fleet(3, 3), always(windows=NIGHTS), now + MINUTE))
    assert run.ringing is not None


def test_the_page_about_a_deadline_ends_once_the_plan_fits_again():
    run, now = paged()
    roomy = replace(
        run, times=replace(run.times, deadline=NOW + 30 * DAY), terms=replace(run.terms, windows=())
    )
    assert polled(roomy, now + MINUTE).standing.alarm is None


def test_the_page_about_a_deadline_ends_when_somebody_lets_it_go_on_or_nothing_can_be_started_any_more():
    run, now = paged()
    waived = replace(run, people=replace(run.people, deadline_waived=True))
    assert polled(waived, now + MINUTE).standing.alarm is None
    assert polled(run, now + 3 * HOUR).standing.alarm is None


def test_what_is_down_pages_before_a_deadline_does_and_the_deadline_again_afterwards():
    run, now = paged()
    down = Alarm(run.story.last_notice + 1, ("0",), now)
    both = replace(run, standing=replace(run.standing, alarm=down))
    assert polled(both, now + MINUTE).standing.alarm == down
    back = replace(run, standing=replace(run.standing, alarm=None))
    again = polled(back, now + 2 * MINUTE).ringing
    assert again is not None
    assert again.deadline == run.times.deadline
