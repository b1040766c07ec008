"""Failed provisioning stays for weeks on machines that do their work: who serves says so, who does not is named."""

from typing import Any

import pytest

from planner.azure.fleet import Health
from planner.decision.checks import conditions
from planner.people.commands import refusal
from planner.policy.overrides import accepted_instances, checked_raise, with_raised
from planner.record.action import Start
from planner.record.check import Outcome
from planner.record.command import CommandKind
from planner.record.observation import Observation
from planner.record.states import RunState
from tests.planner.builders import (
    MINUTE,
    NOW,
    always,
    changed,
    command,
    fleet,
    observe,
    planned,
    planned_again,
    rules,
    scale_set,
    step,
)

FAILED = scale_set(provisioning="failed")
UNSURE = {"provisioning": "failed", "health": Health.NOT_REPORTED}


def starts(actions: tuple[object, ...]) -> list[str]:
    return [one.instance for one in actions if isinstance(one, Start)]


def raised(observation: Observation, text: str) -> Any:
    run, _ = step(
        planned(FAILED if observation.scale_set == FAILED else None, instances=observation.instances), observation,
        command(CommandKind.RAISE, raised={"accept": text}),
    )  # fmt: skip
    return planned_again(run, observation.scale_set, observation.instances, now=NOW + MINUTE)


def test_a_set_whose_provisioning_is_failed_waits_under_that_cause_with_the_way_on():
    run, actions = step(planned(FAILED), observe(FAILED))
    assert starts(actions) == []
    assert run.state is RunState.SCHEDULED
    assert "provisioning has failed" in run.reason
    assert "raise `accept: provisioning-failed`" in run.reason


def test_a_failed_set_is_accepted_for_one_run_by_the_name_of_the_check():
    run = raised(observe(FAILED), "provisioning-failed")
    _, actions = step(run, observe(FAILED, now=NOW + 2 * MINUTE))
    assert starts(actions) == ["0", "5"]


def test_accepting_an_operation_in_flight_does_not_accept_failed_provisioning():
    found = {
        one.name: one.outcome for one in conditions(FAILED, fleet(), rules(accept="operation-in-flight"))
    }
    assert found["operation-in-flight"] is Outcome.PASS
    assert found["provisioning-failed"] is Outcome.BLOCK


def test_an_instance_with_failed_provisioning_whose_application_is_healthy_serves_and_is_named():
    instances = changed(fleet(), "9", provisioning="failed")
    _, actions = step(planned(instances=instances), observe(None, instances))
    assert starts(actions) == ["0", "5"]
    (found,) = [one for one in conditions(scale_set(), instances, rules()) if one.name == "others-healthy"]
    assert found.outcome is Outcome.PASS
    assert "Provisioning has failed on 9" in found.reason


def test_an_instance_with_failed_provisioning_that_reports_no_health_holds_up_and_says_how_to_accept_it():
    instances = changed(fleet(health=Health.NOT_REPORTED), "9", **UNSURE)
    run, actions = step(planned(instances=instances), observe(None, instances))
    assert starts(actions) == []
    assert "instance 9" in run.reason
    assert "raise `accept: instance/9`" in run.reason


def test_an_instance_accepted_by_name_holds_nothing_up_any_more_and_no_other_one_is_accepted_with_it():
    instances = changed(fleet(health=Health.NOT_REPORTED), "9", **UNSURE)
    run = raised(observe(None, instances), "instance/9")
    _, actions = step(run, observe(None, instances, now=NOW + 2 * MINUTE))
    assert starts(actions) == ["0", "5"]
    other = raised(observe(None, instances), "instance/8")
    assert starts(step(other, observe(None, instances, now=NOW + 2 * MINUTE))[1]) == []


def test_an_instance_is_accepted_by_name_while_it_runs_and_no_longer():
    accepted = with_raised(rules(), {"accept": "instance/9"})
    for fields, outcome in ((UNSURE, Outcome.PASS), (UNSURE | {"power": "starting"}, Outcome.BLOCK)):
        instances = changed(fleet(), "9", **fields)
        found = {one.name: one.outcome for one in conditions(scale_set(), instances, accepted)}
        assert found["others-healthy"] is outcome


def test_required_health_that_a_machine_does_not_report_waits_under_that_cause():
    policy = always(health="required")
    instances = fleet(health=Health.NOT_REPORTED)
    run, actions = step(planned(instances=instances, a_policy=policy), observe(None, instances, policy))
    assert starts(actions) == []
    assert "reports no health" in run.reason


def test_what_is_accepted_for_a_run_is_taken_beside_what_the_policy_accepts():
    found = with_raised(rules(accept="managed"), {"accept": "provisioning-failed, Instance/web_3"})
    assert found.accept == ("managed", "provisioning-failed", "instance/web_3")
    assert accepted_instances(found.accept) == {"web_3"}


@pytest.mark.parametrize("text", ["", "instance/", "others-healthy", "instance/3, nonsense"])
def test_what_cannot_be_accepted_is_refused_with_a_sentence(text: str):
    with pytest.raises(ValueError, match="write"):
        checked_raise("accept", text)


def test_what_was_accepted_stays_accepted_when_something_else_is_accepted_later():
    run, _ = step(planned(), observe(), command(CommandKind.RAISE, "a", raised={"accept": "instance/3"}))
    run, _ = step(
        run,
        observe(now=NOW + MINUTE),
        command(CommandKind.RAISE, "b", raised={"accept": "provisioning-failed"}),
    )
    assert run.terms.raised["accept"] == "instance/3, provisioning-failed"


def test_accepting_the_same_once_more_is_refused_with_a_sentence():
    run, _ = step(planned(), observe(), command(CommandKind.RAISE, "a", raised={"accept": "instance/3"}))
    again = command(CommandKind.RAISE, "b", raised={"accept": "instance/3"})
    assert refusal(run, again) == "This run has that already: accept instance/3."
    assert refusal(run, command(CommandKind.RAISE, "c", raised={"accept": "instance/4"})) == ""
