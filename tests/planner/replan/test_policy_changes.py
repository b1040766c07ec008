"""A policy file that changes while a run waits by it: planned anew, once, and the lead time is what it says."""

from datetime import timedelta

import pytest

from planner.policy.fingerprint import digest
from planner.policy.model import Limits, Match, Policy, Receiver, Rule
from planner.record.action import Replan
from planner.record.command import CommandKind
from planner.record.run import Run
from planner.record.states import RunState
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    command,
    observe,
    planned,
    planned_again,
    policy,
    step,
)

NEVER = always(windows="Tue 03:00-03:05 UTC")  # shorter than any batch


def look_at(run: Run, file: Policy, now: timedelta) -> tuple[Run, list[str]]:
    run, actions = step(run, observe(a_policy=file, policy=digest(file), now=NOW + now))
    return run, [one.reason for one in actions if isinstance(one, Replan)]


@pytest.mark.parametrize(
    ("before", "after", "waits", "then"),
    [
        (NEVER, always(), RunState.PAUSED, RunState.SCHEDULED),
        (always(mode="approve"), always(), RunState.AWAITING_APPROVAL, RunState.SCHEDULED),
        (always(windows="Sat 02:00-08:00 UTC"), always(), RunState.SCHEDULED, RunState.SCHEDULED),
        (always(lead="24h"), always(lead="1h"), RunState.SCHEDULED, RunState.SCHEDULED),
        (always(lead="24h"), policy(self_service="never"), RunState.SCHEDULED, RunState.LEFT_TO_AZURE),
    ],
)
def test_a_run_that_waits_by_a_policy_that_has_changed_is_planned_anew_once(
    before: Policy, after: Policy, waits: RunState, then: RunState
) -> None:
    run = planned(a_policy=before)
    assert run.state is waits
    _, asked = look_at(run, before, HOUR)
    assert asked == []
    run, asked = look_at(run, after, HOUR)
    assert asked == ["the policy file has changed since the plan was made"]
    run = planned_again(run, a_policy=after, now=NOW + HOUR)
    assert run.state is then
    _, asked = look_at(run, after, 2 * HOUR)
    assert "the policy file has changed since the plan was made" not in asked


def test_a_lead_time_made_longer_before_the_first_start_counts_from_when_the_plan_was_told() -> None:
    run = planned(a_policy=always(lead="3h"))
    assert run.times.lead_over == NOW + 3 * HOUR
    for hour, lead, over in ((1, "48h", 2 * DAY), (2, "6h", 6 * HOUR), (3, "6h", 6 * HOUR)):
        run = planned_again(run, a_policy=always(lead=lead), now=NOW + hour * HOUR)
        assert run.times.lead_over == NOW + over


def test_a_lead_time_a_person_has_raised_counts_from_their_command_through_every_plan() -> None:
    run = planned(a_policy=always(lead="24h"))
    at = NOW + HOUR
    run, _ = step(
        run,
        observe(a_policy=always(lead="24h"), now=at),
        command(CommandKind.RAISE, at=at, raised={"lead": "2h"}),
    )
    for minutes in (5, 50):
        run = planned_again(run, a_policy=always(lead="24h"), now=at + minutes * MINUTE)
        assert run.times.lead_over == at + 2 * HOUR


def test_a_digest_is_about_what_a_plan_goes_by_and_nothing_else() -> None:
    plain = always(soak="5m")
    rule = Rule("all", Match(name=("web",)), {"soak": "5m"}, frozenset({"soak", "mode", "windows"}))
    again = Rule("all", Match(name=("web",)), {"soak": "5m"}, frozenset({"windows", "mode", "soak"}))
    assert digest(Policy(rules=(rule,))) == digest(Policy(rules=(again,)))
    assert digest(plain) != digest(always(soak="6m"))
    assert digest(Policy(rules=(rule,))) != digest(Policy(rules=(rule,), defaults={"lead": "1h"}))
    same = Policy(rules=plain.rules, stop=True, limits=Limits(9, 9), receivers=(Receiver("ops"),))
    assert digest(same) == digest(plain)
    assert digest(Policy(problem="It cannot be read.")) == ""


def test_a_policy_that_cannot_be_read_just_now_is_no_reason_for_a_new_plan() -> None:
    _, asked = look_at(planned(a_policy=always(lead="24h")), Policy(problem="It cannot be read."), HOUR)
    assert asked == []
