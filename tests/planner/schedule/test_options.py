"""A plan that does not fit, and every way to make it: each one is chosen, and the plan must then hold its word."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Instance, Interval, MaintenanceStatus, ScaleSet
from planner.policy.model import Freeze, Policy
from planner.policy.overrides import checked_raise
from planner.policy.weekly import WeeklyWindow
from planner.record.action import Notify, PollAgain, Replan, Start
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Choice, Kind, Urgency
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from planner.schedule import options
from planner.text.phrases import long, say
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SCHEDULED,
    always,
    batch,
    command,
    confirmed,
    fleet,
    flexible,
    instance,
    observe,
    planned,
    planned_again,
    policy,
    run_of,
    scale_set,
    states,
    step,
)


class Case:
    """A scale set under a policy whose plan may not fit, and what comes of a choice about it."""

    def __init__(
        self,
        a_policy: Policy,
        instances: Sequence[Instance],
        a_set: ScaleSet | None = None,
        now: datetime = NOW,
    ) -> None:
        self.policy, self.instances, self.set, self.now = (
            a_policy,
            tuple(instances),
            a_set or scale_set(),
            now,
        )
        self.run = planned(self.set, self.instances, a_policy, now)

    def choice(self, name: str) -> Choice:
        (choice,) = [choice for choice in self.run.people.choices if choice.name == name]
        return choice

    @property
    def names(self) -> list[str]:
        return [choice.name for choice in self.run.people.choices]

    def choose(self, choice: Choice, **to: str) -> Run:
        """The run after a person has chosen, by the word and the fields of the choice, as they are sent."""
        fields = {**choice.to, **to}
        if choice.word == "raise":
            return self.raised(**fields)
        lists: dict[str, Any] = {}
        if "instances" in fields:
            lists["instances"] = tuple(fields["instances"].split(","))
        if "domains" in fields:
            lists["domains"] = tuple(fields["domains"].split(";"))
        run, _ = step(
            self.run,
            observe(self.set, self.instances, self.policy, self.now),
            command(CommandKind(choice.word), **lists),
        )
        return run

    def raised(self, **to: str) -> Run:
        to = {key.replace("_", "-"): text for key, text in to.items()}
        for key, text in to.items():
            checked_raise(key, text)
        observation = observe(self.set, self.instances, self.policy, self.now)
        run, actions = step(self.run, observation, command(CommandKind.RAISE, raised=to, at=self.now))
        assert any(isinstance(action, Replan) for action in actions)
        return planned_again(run, self.set, self.instances, self.policy, self.now)

    def fits(self, run: Run) -> bool:
        return options.misfit(run, self.now) == ""


def with_window(
    instances: Sequence[Instance], lasting: timedelta, opens: datetime = NOW - HOUR
) -> tuple[Instance, ...]:
    status = MaintenanceStatus(allowed=True, self_service=Interval(opens, NOW + lasting), scheduled=SCHEDULED)
    return tuple(replace(instance, maintenance=status) for instance in instances)


def soaks(soak: str = "2h", hours: float = 6, **said_: Any) -> Case:
    """Five domains, two hours of soak each, ten minutes of reboot: 8 h 50 min."""
    return Case(always(soak=soak, **said_), with_window(fleet(5, 5), hours * HOUR))


# Whether it fits -----------------------------------------------------------------------------------------


def test_a_plan_that_fits_has_nothing_to_choose():
    case = soaks(hours=24)
    assert (case.run.state, case.run.people.misfit, case.run.people.choices) == (RunState.SCHEDULED, "", ())
    assert options.choices(case.run, NOW) == ()


def test_a_plan_that_does_not_fit_pauses_before_its_first_start_and_says_by_how_much():
    case = soaks()
    assert case.run.state is RunState.PAUSED
    assert case.run.times.deadline == NOW + 6 * HOUR - 7 * HOUR / 50
    assert case.run.times.forecast_end == NOW + 8 * HOUR + 50 * MINUTE
    assert case.run.times.slack is not None
    assert case.run.people.misfit == (
        "The plan does not fit: it needs until Sun 22 Nov 2026 20:50 UTC and must be done by "
        f"Sun 22 Nov 2026 17:51:36 UTC, {long(case.run.times.slack)} earlier."
    )
    assert case.run.reason == case.run.people.misfit
    (notice,) = [told for told in case.run.story.notices if told.kind is Kind.PAUSED]
    assert (notice.urgency, notice.choices, notice.answers) == (
        Urgency.ACT,
        case.run.people.choices,
        ("resume", "skip"),
    )
    assert "If nobody answers by Sun 22 Nov 2026 17:49 UTC, Azure reboots all 5" in notice.otherwise


def test_a_plan_that_ends_with_the_deadline_to_the_second_fits_and_a_second_more_does_not():
    run = run_of(batch(1, "0"), deadline=NOW + 10 * MINUTE)
    assert options.misfit(options.timed(run, NOW), NOW) == ""
    late = options.timed(run, NOW + timedelta(seconds=1))
    assert "1 second earlier" in options.misfit(late, NOW + timedelta(seconds=1))


def test_nothing_left_to_start_cannot_be_late():
    done = batch(1, InstanceProgress("0", state=InstanceState.MAINTAINED), state=BatchState.DONE)
    under_way = batch(
        2, InstanceProgress("1", state=InstanceState.REBOOTING), state=BatchState.REBOOTING, started_at=NOW
    )
    run = options.timed(run_of(done, under_way, deadline=NOW - DAY), NOW)
    assert options.misfit(run, NOW) == ""
    assert options.choices(run, NOW) == ()


def test_no_window_long_enough_is_said_and_the_deadline_with_it():
    case = Case(always(windows="daily 02:00-02:05 UTC"), fleet(5, 5))
    assert case.run.state is RunState.PAUSED
    assert case.run.times.forecast_end is None
    assert "no window in the next 60 days is as long as the 10 minutes" in case.run.people.misfit
    assert case.run.times.deadline is not None
    assert say(case.run.times.deadline) in case.run.people.misfit


def test_a_later_batch_that_finds_no_time_is_what_the_sentence_is_about():
    freeze = Freeze(NOW + 20 * MINUTE, NOW + 90 * DAY, "year end")
    case = Case(always(freezes=(freeze,)), fleet(5, 5))
    assert case.run.batches[0].not_before == NOW
    assert case.run.times.forecast_end is None
    assert "a freeze until Sat 20 Feb 2027 12:00 UTC (year end)" in case.run.people.misfit
    run = case.choose(case.choice("leave"))
    assert case.fits(run)
    assert states(run)["0"] is InstanceState.STARTING


# Each choice by hand -------------------------------------------------------------------------------------


def test_the_longest_soak_that_fits_is_offered_and_a_minute_more_would_not_fit():
    case = soaks()
    # 5 reboots of 10 minutes and 4 soaks before 17:51:36: 4 soaks of 75 minutes leave a minute and a half.
    choice = case.choice("soak")
    assert choice.to == {"soak": "75m"}
    assert "a soak of 1 hour 15 minutes instead of 2 hours" in choice.sentence
    run = case.choose(choice)
    assert (run.state, run.people.misfit, run.terms.soak) == (RunState.SCHEDULED, "", 75 * MINUTE)
    assert f"ends {say(NOW + 350 * MINUTE)}, 1 minute before" in choice.sentence
    assert not case.fits(case.raised(soak="76m"))


def test_a_soak_that_is_no_shorter_than_a_minute_is_counted_in_seconds():
    case = Case(always(soak="90s"), with_window(fleet(5, 5), 55 * MINUTE, NOW))
    assert case.run.state is RunState.PAUSED
    choice = case.choice("soak")
    assert choice.to["soak"].endswith("s")
    assert case.fits(case.choose(choice))
    longer = int(choice.to["soak"][:-1]) + 1
    assert not case.fits(case.raised(soak=f"{longer}s"))


def test_no_soak_is_offered_where_even_none_would_not_fit():
    case = soaks(hours=0.5)
    assert "soak" not in case.names


def test_a_shorter_soak_is_a_plan_also_where_the_soak_was_the_need():
    case = Case(policy(soak="2h"), with_window(fleet(5, 5), 6 * HOUR))
    run = case.choose(case.choice("soak"))
    assert run.state is RunState.SCHEDULED
    assert case.fits(run)


def test_the_smallest_larger_batch_that_fits_is_offered_up_to_the_domain():
    case = Case(always(soak="50m"), with_window(fleet(20, 2), 8 * HOUR))
    # Two domains of ten, four at a time: 3 batches each, 6 reboots and 5 soaks are 5 h 10 min: fits.
    assert case.run.state is RunState.SCHEDULED
    case = Case(always(soak="50m"), with_window(fleet(20, 2), 5 * HOUR))
    choice = case.choice("max-unavailable")
    assert choice.to == {"max-unavailable": "5"}
    assert "5 instances down at once instead of 4" in choice.sentence
    run = case.choose(choice)
    assert case.fits(run)
    assert [len(batch.instances) for batch in run.batches] == [5, 5, 5, 5]


def test_no_batch_is_offered_that_is_larger_than_a_domain():
    case = Case(always(soak="50m"), with_window(fleet(20, 2), 90 * MINUTE))
    choice = case.choice("max-unavailable")
    assert choice.to == {"max-unavailable": "10"}
    assert case.fits(case.choose(choice))
    short = Case(always(soak="50m"), with_window(fleet(20, 2), 60 * MINUTE))
    assert "max-unavailable" not in short.names


def test_domains_are_never_joined_to_make_a_plan_fit():
    assert "max-unavailable" not in soaks().names


def test_a_flexible_sets_batches_are_widened_within_a_zone():
    instances = tuple(instance(f"vm_{at}", None, zone=str(at % 2 + 1)) for at in range(8))
    case = Case(always(soak="50m"), with_window(instances, 4 * HOUR), flexible())
    choice = case.choice("max-unavailable")
    assert choice.to == {"max-unavailable": "2"}
    run = case.choose(choice)
    assert case.fits(run)
    assert all(len({each.zone for each in batch.instances}) == 1 for batch in run.batches)


def test_machines_whose_names_end_like_a_batch_that_is_tried_again_are_widened_like_any_others():
    instances = tuple(instance(f"web-{at}-again", None) for at in range(8))
    case = Case(always(soak="50m"), with_window(instances, 4 * HOUR), flexible())
    assert case.choice("max-unavailable").to == {"max-unavailable": "2"}


def test_what_azure_has_put_off_is_never_joined_with_others_to_make_a_plan_fit():
    case = Case(always(soak="50m"), with_window(fleet(8, 1), 4 * HOUR))
    first, *others = case.run.batches
    assert others
    alone = replace(first, retry=True)
    wider = options.choices(replace(case.run, batches=(alone, *others)), NOW)
    sizes = {choice.name: choice.to for choice in wider}
    joined = options.choices(case.run, NOW)
    assert "max-unavailable" in {choice.name for choice in joined}
    assert sizes.get("max-unavailable") != {choice.name: choice.to for choice in joined}["max-unavailable"]


def test_the_smallest_widening_in_whole_hours_is_offered():
    # Five domains in nights of an hour: two batches a night (0:40 between starts), three nights.
    window = with_window(fleet(5, 5), 30 * HOUR)
    case = Case(always(windows="daily 01:00-02:00 UTC"), window)
    choice = case.choice("windows")
    assert choice.to == {"windows": "daily 01:00-03:00 UTC"} or choice.to == {
        "windows": "daily 01:00-04:00 UTC"
    }
    assert case.fits(case.choose(choice))
    hours = int(choice.to["windows"][12:14]) - 2
    if hours > 1:
        assert not case.fits(case.raised(windows=f"daily 01:00-{2 + hours - 1:02}:00 UTC"))


@pytest.mark.parametrize("hours", range(1, 22))
def test_a_widening_of_any_number_of_hours_is_offered_and_not_only_round_ones(hours: int):
    """Two domains: the second one starts so many hours and a half after the first, in the same window."""
    soak = hours * 60 + 30
    case = Case(always(windows="Mon 01:00-02:00 UTC", soak=f"{soak}m"), with_window(fleet(2, 2), 3 * DAY))
    assert case.run.state is RunState.PAUSED
    choice = case.choice("windows")
    assert choice.to == {"windows": f"Mon 01:00-{2 + hours:02}:00 UTC".replace("24:00", "00:00")}
    assert f"with {hours} hour{'s' if hours > 1 else ''} more each" in choice.sentence
    assert case.fits(case.choose(choice))


def test_windows_from_two_places_are_not_widened_in_one_sentence():
    a_set = scale_set(tags={"breakwater-windows": "daily 01:00-03:00 UTC"})
    case = Case(always(windows="daily 01:00-02:00 UTC", soak="3h"), with_window(fleet(5, 5), 2 * DAY), a_set)
    assert case.run.state is RunState.PAUSED
    assert "windows" not in case.names


def test_a_later_date_is_offered_where_azures_window_leaves_room():
    case = Case(always(complete_by="2026-11-22T14:00Z", soak="50m"), fleet(5, 5))
    choice = case.choice("complete-by")
    # Five reboots and four soaks end at 16:10; the next full hour is what people remember.
    assert choice.to == {"complete-by": "2026-11-22T17:00:00Z"}
    assert "done by Sun 22 Nov 2026 17:00 UTC" in choice.sentence
    assert case.fits(case.choose(choice))


def test_a_later_date_is_never_later_than_azures_window_less_the_margin():
    # The window is 5 hours, the margin 6 minutes.
    case = Case(
        always(complete_by="2026-11-22T14:00Z", soak="50m"), with_window(fleet(5, 5), 4.3 * HOUR, NOW)
    )
    choice = case.choice("complete-by")
    assert case.run.times.self_service is not None
    last = case.run.times.self_service.end - (case.run.times.self_service.end - NOW) / 50
    assert choice.to["complete-by"] <= last.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert case.fits(case.choose(choice))


def test_no_later_date_is_offered_where_it_is_azures_window_that_ends():
    assert "complete-by" not in soaks().names
    assert "complete-by" not in soaks(complete_by="2026-11-22T14:00Z").names


def test_no_lead_time_is_offered_where_that_is_what_takes_too_long():
    case = Case(always(lead="24h"), with_window(fleet(5, 5), 25 * HOUR))
    choice = case.choice("lead")
    assert choice.to == {"lead": "0m"}
    assert "without waiting until Mon 23 Nov 2026 12:00 UTC" in choice.sentence
    run = case.choose(choice)
    assert case.fits(run)
    assert run.times.lead_over == NOW
    assert run.times.forecast_end == NOW + 170 * MINUTE


def test_leaving_the_last_domains_to_azure_makes_the_rest_fit():
    case = soaks()
    choice = case.choice("leave")
    # 12:00, 14:10 and 16:20 fit before 17:51:36, the other two don't.
    assert choice.to == {"domains": "domain 3;domain 4"}
    assert "leave domain 3; domain 4 (2 instances) to Azure" in choice.sentence
    assert "between Sun 13 Dec 2026 12:00 UTC and Sun 20 Dec 2026 12:00 UTC; the rest fits" in choice.sentence
    run = case.choose(choice)
    assert states(run)["3"] is states(run)["4"] is InstanceState.SKIPPED
    assert states(run)["0"] is InstanceState.STARTING
    assert states(run)["1"] is states(run)["2"] is InstanceState.PENDING
    assert case.fits(run)
    assert run.state is RunState.RUNNING


def test_part_of_a_domain_is_left_by_instances_so_that_the_other_part_still_goes():
    case = Case(always(soak="50m", max_unavailable="1"), with_window(fleet(4, 1), 2.5 * HOUR))
    choice = case.choice("leave")
    assert set(choice.to) == {"instances"}
    run = case.choose(choice)
    assert case.fits(run)
    assert 0 < sum(state is InstanceState.SKIPPED for state in states(run).values()) < 4


def test_leaving_everything_says_so_and_ends_the_run():
    case = Case(always(windows="daily 02:00-02:05 UTC"), fleet(2, 2))
    choice = case.choice("leave")
    assert choice.sentence.startswith("Nothing by us: leave domain 0; domain 1 (2 instances) to Azure")
    assert "the rest fits" not in choice.sentence
    run = case.choose(choice)
    assert set(states(run).values()) == {InstanceState.SKIPPED}
    assert run.state is RunState.COMPLETED


def test_going_ahead_all_the_same_is_always_the_last_choice_and_starts_the_first_batch():
    case = soaks()
    assert case.names[-1] == "resume"
    observation = observe(case.set, case.instances, case.policy, NOW)
    run, actions = step(case.run, observation, command(CommandKind.RESUME))
    assert run.people.deadline_waived
    assert [action.instance for action in actions if isinstance(action, Start)] == ["0"]
    assert run.state is RunState.RUNNING


def test_a_resume_waives_the_deadline_for_good_and_through_a_new_plan():
    case = soaks()
    run, _ = step(case.run, observe(case.set, case.instances, case.policy, NOW), command(CommandKind.RESUME))
    again = planned_again(run, case.set, case.instances, case.policy, NOW + MINUTE)
    assert again.state is not RunState.PAUSED
    assert again.people.misfit == ""


def test_a_plan_that_fits_after_all_goes_on_by_itself():
    case = soaks()
    fewer = tuple(
        replace(instance, maintenance=None) if instance.id in "34" else instance
        for instance in case.instances
    )
    run, actions = confirmed(case.run, fewer, case.policy, NOW + MINUTE, a_set=case.set)
    assert run.state is RunState.RUNNING
    assert any(isinstance(action, Start) for action in actions)
    assert (run.people.misfit, run.people.choices) == ("", ())


def test_a_plan_that_does_not_fit_is_told_once_however_often_it_is_polled():
    case = soaks()
    run = case.run
    for minute in range(1, 120, 7):
        now = NOW + minute * MINUTE
        run, actions = step(run, observe(case.set, case.instances, case.policy, now))
        assert run.state is RunState.PAUSED
        assert not any(isinstance(action, Start) for action in actions)
        assert all(action.notice.kind is Kind.REMINDER for action in actions if isinstance(action, Notify))
        assert any(isinstance(action, PollAgain) and action.at > now for action in actions)
        run = planned_again(run, case.set, case.instances, case.policy, now)
    assert sum(notice.kind is Kind.PAUSED for notice in run.story.notices) == 1
    # Four hours before the last moment at which anything could start.
    assert [notice.at for notice in run.story.notices if notice.kind is Kind.REMINDER] == [NOW + 113 * MINUTE]


# Everything at random ------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size, domains = draw(st.integers(1, 16)), draw(st.integers(1, 5))
    flex = draw(st.booleans())
    instances = [
        instance(
            str(at), None if flex else at % domains, zone=draw(st.sampled_from(["1", "2"])) if flex else ""
        )
        for at in range(size)
    ]
    lasting = draw(st.integers(30, 60 * 72)) * MINUTE
    said_: dict[str, Any] = {
        "soak": draw(st.sampled_from(["0m", "45s", "90s", "10m", "30m", "1h", "3h", "7h13m"])),
        "lead": draw(st.sampled_from(["0m", "0m", "5h", "24h"])),
    }
    if draw(st.booleans()):
        said_["max_unavailable"] = draw(st.sampled_from(["1", "2", "10%", "50%", "100%"]))
    if draw(st.booleans()):
        said_["windows"] = draw(
            st.sampled_from(
                [
                    "daily 02:00-03:00 UTC",
                    "daily 22:00-02:30 Europe/Berlin",
                    "Mon,Tue 03:00-03:25 America/New_York",
                    "daily 12:00-12:30 UTC; daily 18:00-21:00 UTC",
                ]
            )
        )
    if draw(st.booleans()):
        said_["complete_by"] = (NOW + draw(st.integers(10, 60 * 48)) * MINUTE).strftime("%Y-%m-%dT%H:%MZ")
    if draw(st.booleans()):
        begins = NOW + draw(st.integers(-60, 60 * 24)) * MINUTE
        said_["freezes"] = (Freeze(begins, begins + draw(st.integers(1, 60 * 12)) * MINUTE, "launch"),)
    now = NOW + timedelta(seconds=draw(st.integers(0, 59)), microseconds=draw(st.integers(0, 999_999)))
    return Case(always(**said_), with_window(instances, lasting), flexible() if flex else scale_set(), now)


def promised(choice: Choice, run: Run) -> None:
    """The numbers of a choice's sentence are those of the plan that comes of it."""
    assert run.times.forecast_end is not None
    assert run.times.slack is not None
    assert run.times.deadline is not None
    words = f"it then ends {say(run.times.forecast_end)}, {long(run.times.slack)} before {say(run.times.deadline)}"
    assert words in choice.sentence


def widened(window: WeeklyWindow, hours: int) -> WeeklyWindow:
    return replace(window, end_minute=(window.end_minute + hours * 60) % 1440)


@settings(max_examples=250, deadline=None)
@given(cases())
def test_whatever_is_chosen_the_plan_then_keeps_its_word_and_nothing_smaller_would_have_done(case: Case):
    assume(case.run.people.misfit)
    for choice in case.run.people.choices:
        event(choice.name)
        run = case.choose(choice)
        if choice.word == "raise":
            assert case.fits(run), choice
            assert run.state is RunState.SCHEDULED
        if choice.name in {"soak", "max-unavailable", "windows", "lead"}:
            promised(choice, run)
        if choice.name == "soak":
            text = choice.to["soak"]
            more = f"{int(text[:-1]) + 1}{text[-1]}"
            assert run.terms.soak < case.run.terms.soak
            assert run.terms.soak + timedelta(
                **{"minutes" if text[-1] == "m" else "seconds": 1}
            ) >= case.run.terms.soak or (not case.fits(case.raised(soak=more)))
        if choice.name == "max-unavailable":
            size = int(choice.to["max-unavailable"])
            widest = max(len(batch.instances) for batch in case.run.batches)
            assert size > widest
            assert max(len(batch.instances) for batch in run.batches) <= size
            assert size - 1 == widest or not case.fits(case.raised(max_unavailable=str(size - 1)))
        if choice.name == "windows":
            assert case.run.terms.windows
            (now_open,) = case.run.terms.windows
            hours = int(choice.sentence.split("with ")[1].split(" hour")[0])
            less = "; ".join(str(widened(window, hours - 1)) for window in now_open)
            assert choice.to["windows"] == "; ".join(str(widened(window, hours)) for window in now_open)
            assert hours == 1 or not case.fits(case.raised(windows=less))
        if choice.name == "leave":
            assert case.fits(run)
            left = {key for key, state in states(run).items() if state is InstanceState.SKIPPED}
            assert left
            assert f"({len(left)} instance{'s' if len(left) > 1 else ''}) to Azure" in choice.sentence
        if choice.name == "resume":
            assert run.people.deadline_waived
            assert run.state is not RunState.PAUSED
    assert case.names[-1] == "resume"
    assert len(set(case.names)) == len(case.names)


@st.composite
def joined_cases(draw: st.DrawFn) -> Case:
    """Cases in which more instances joined the plan later, each with a lead time of its own."""
    case = draw(cases())
    more = tuple(
        replace(
            case.instances[0],
            id=str(100 + at),
            update_domain=None if case.set.flexible else draw(st.integers(0, 4)),
        )
        for at in range(draw(st.integers(1, 6)))
    )
    case.instances = (*case.instances, *more)
    case.now += draw(st.integers(0, 600)) * MINUTE
    case.run = planned_again(case.run, case.set, case.instances, case.policy, case.now)
    return case


@settings(max_examples=100, deadline=None)
@given(joined_cases())
def test_a_choice_also_fits_a_plan_that_others_joined_with_a_lead_time_of_their_own(case: Case):
    assume(case.run.people.misfit)
    for choice in case.run.people.choices:
        run = case.choose(choice)
        if choice.word == "raise":
            assert case.fits(run), (choice, case.run.times.forecast_end, run.people.misfit)
            assert run.state is RunState.SCHEDULED
        if choice.name == "leave":
            assert case.fits(run)
