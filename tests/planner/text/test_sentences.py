"""What people read at night: who is meant, one or several, what happens next, nothing said that is not so."""

from dataclasses import replace

import pytest

from planner.azure.fleet import Health
from planner.decision.decide import decide
from planner.people import paused_run
from planner.policy.health import describe
from planner.record.action import StartOutcome, StartResult
from planner.record.notice import Kind
from planner.record.skip_reasons import skip_reasons
from planner.record.states import InstanceState, RunState
from planner.start.results import answered
from planner.state.unanswered import if_nobody_answers
from planner.text.phrases import inner
from planner.waiting import deadline_warning
from tests.planner.builders import (
    HOUR,
    MINUTE,
    NOW,
    SELF_SERVICE,
    STATUS,
    always,
    announcement,
    decided,
    fleet,
    instance,
    observe,
    planned,
    scale_set,
    step,
)


def test_one_instance_is_it_and_several_are_them():
    one = if_nobody_answers(planned(instances=fleet(1, 1)), NOW)
    assert "Azure reboots it at a time it chooses between" in one
    assert "Azure reboots both at a time it chooses between" in if_nobody_answers(
        planned(instances=fleet(2, 2)), NOW
    )


def test_of_one_missed_instance_azure_maintains_it():
    status = replace(instance().maintenance, allowed=False)
    closed = observe(instances=fleet(1, 1, maintenance=status), now=SELF_SERVICE.end)
    run, _ = step(planned(instances=fleet(1, 1)), closed)
    assert "1 missed. Azure reboots it between" in run.story.notices[-1].sentence


def test_a_plan_that_is_only_observed_is_one_sentence():
    reason = decided(a_policy=always(mode="observe")).reason
    assert reason == "Would be rebooted by us (self-service is `always`), but its mode is `observe`."
    assert decide(scale_set(), fleet(), (announcement(),), always(mode="observe"), NOW).reason == reason


def test_a_plan_that_waits_does_not_say_that_anything_was_started():
    run = planned(a_policy=always(mode="approve"))
    assert [one.sentence for one in run.story.notices] == [
        "We reboot it, since self-service is `always`.",
        "Approve rebooting 10 instances of web. We reboot it, since self-service is `always`.",
    ]


def test_what_azure_refuses_names_the_instance_and_says_what_becomes_of_it():
    run, _ = step(planned(instances=fleet(2, 2)), observe(instances=fleet(2, 2)))
    (first,) = [one.id for one in run.instances if one.state is InstanceState.STARTING]
    no = StartResult(
        first, StartOutcome.REFUSED, code="OperationNotAllowed", message="The VM is not eligible."
    )
    run = answered(run, (no,), NOW)
    assert run.story.notices[-1].sentence == (
        f"Azure refused to start instance {first} (OperationNotAllowed): The VM is not eligible. "
        "Azure reboots it in its own window if the next poll shows the same; otherwise Breakwater tries "
        "again at Sun 22 Nov 2026 12:05 UTC."
    )
    no_longer = [
        replace(one, maintenance=replace(STATUS, allowed=False)) if one.id == first else one
        for one in fleet(2, 2)
    ]
    run, _ = step(run, observe(instances=no_longer, now=NOW + MINUTE))
    assert skip_reasons(run) == (
        f"Instance {first}: Azure refused it (OperationNotAllowed: The VM is not eligible). "
        "Azure reboots it in its own window."
    )
    busy = StartResult(first, StartOutcome.REFUSED, code="QuotaExceeded")
    later, _ = step(planned(instances=fleet(2, 2)), observe(instances=fleet(2, 2)))
    assert answered(later, (busy,), NOW).story.notices[-1].sentence == (
        f"Azure refused to start instance {first} (QuotaExceeded). Breakwater tries again at Sun 22 Nov 2026 12:05 UTC, "
        "then less and less often."
    )


def test_an_instance_whose_health_nobody_knows_is_not_unknown_itself():
    assert describe(instance(health=Health.UNKNOWN)) == "running, health unknown"
    assert describe(instance(health=Health.UNHEALTHY)) == "running, unhealthy"


def test_a_pause_names_the_instance_that_failed_and_counts_the_others():
    run = planned(instances=fleet(3, 3))
    failed = [replace(one, state=InstanceState.FAILED, reason="It is down.") for one in run.instances]
    assert paused_run.failure(failed[:1]) == "Instance 0: It is down."
    assert paused_run.failure(failed) == "Instance 0: It is down. 2 more instances failed, too."


def test_a_paused_run_whose_time_runs_short_is_offered_to_go_on():
    run = replace(planned(), state=RunState.PAUSED, reason="Instance 0: It is down.")
    run = replace(
        run, times=replace(run.times, deadline=NOW + MINUTE, forecast_end=NOW + HOUR, slack=MINUTE - HOUR)
    )
    run = deadline_warning.warned(run, observe(instances=fleet()), NOW)
    assert run.story.notices[-1].kind is Kind.SLACK
    assert run.story.notices[-1].answers == ("resume", "skip")


@pytest.mark.parametrize(
    ("sentence", "inside"),
    [
        ("Nobody declared a need.", "nobody declared a need"),
        ("Azure does not offer it.", "Azure does not offer it"),
        ("Azure's domains are unknown.", "Azure's domains are unknown"),
        ("AKS manages it.", "AKS manages it"),
    ],
)
def test_a_sentence_inside_another_keeps_the_capitals_of_names(sentence: str, inside: str) -> None:
    assert inner(sentence) == inside
