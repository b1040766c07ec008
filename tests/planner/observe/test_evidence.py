"""Done needs proof: what a poll takes for the maintenance itself, and what it does not."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from planner.azure.fleet import Health, Instance
from planner.observe.outstanding import due_again
from planner.record.action import StartOutcome, StartResult
from planner.record.notice import Urgency
from planner.record.observation import OperationSeen
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.start.results import answered
from tests.planner.builders import MINUTE, NOW, always, instance, observe, one_of, planned, step

ONE = (instance("0"),)
UNDER_WAY = OperationSeen("InProgress")


def rebooting() -> Run:
    """A run whose only instance was started at noon and whose start Azure has taken."""
    run, _ = step(planned(instances=ONE), observe(instances=ONE))
    return answered(run, [StartResult("0", StartOutcome.ACCEPTED, operation="/operations/0")], NOW)


def seen(run: Run, now: datetime, *, operation: OperationSeen = UNDER_WAY, **fields: Any) -> Run:
    one: Instance = replace(ONE[0], **fields)
    observation = observe(instances=(one,), a_policy=always(), now=now, operations={"0": operation})
    return step(run, observation)[0]


def test_a_guest_that_holds_its_reboot_back_is_still_rebooting_however_healthy_it_polls():
    """Scheduled events let a guest wait for up to 15 minutes; meanwhile it runs and reports healthy."""
    run = rebooting()
    for minute in range(1, 15):
        run = seen(run, NOW + minute * MINUTE)
        assert one_of(run, "0").state is InstanceState.REBOOTING
        assert one_of(run, "0").reason == "Started; waiting for proof of its reboot."


def test_with_proof_an_instance_is_maintained_once_two_polls_saw_it_healthy():
    done = {"maintenance": None, "operation": OperationSeen("Succeeded")}
    run = seen(rebooting(), NOW + MINUTE, power="starting", provisioning="updating", health=Health.UNKNOWN)
    run = seen(run, NOW + 2 * MINUTE, **done)
    assert one_of(run, "0").state is InstanceState.VERIFYING
    run = seen(run, NOW + 3 * MINUTE, **done)
    assert one_of(run, "0").state is InstanceState.MAINTAINED
    assert "healthy on two polls" in one_of(run, "0").reason


def test_proof_alone_is_not_enough_while_it_does_not_serve():
    run = rebooting()
    for minute in range(1, 30):
        run = seen(
            run, NOW + minute * MINUTE, maintenance=None, operation=OperationSeen("Succeeded"),
            health=Health.INITIALIZING,
        )  # fmt: skip
        assert one_of(run, "0").state is InstanceState.VERIFYING


def test_what_azure_offers_exactly_as_before_its_start_is_due_again_and_not_in_the_poll_that_ends_it():
    """A stop and start right after the maintenance: no poll saw either, and Azure shows what it showed."""
    done = {"operation": OperationSeen("Succeeded")}
    run = seen(rebooting(), NOW + MINUTE, power="starting", provisioning="updating", health=Health.UNKNOWN)
    for minute in range(2, 12):
        run = seen(run, NOW + minute * MINUTE, **done)
        assert one_of(run, "0").state is InstanceState.VERIFYING, "a view may be minutes behind"
    assert "still offers its maintenance" in one_of(run, "0").reason
    run = seen(run, NOW + 12 * MINUTE, **done)
    assert one_of(run, "0").state is InstanceState.MAINTAINED
    assert run.state is RunState.RUNNING
    assert due_again(one_of(run, "0"), ONE[0])


def test_what_azure_put_off_and_does_not_come_back_has_failed_after_recover_within():
    """It was refused, went down, and is in nobody's hands: waiting for it to run would last for ever."""
    put_off = {
        "operation": OperationSeen("Failed", "RetryLater"),
        "power": "deallocated",
        "maintenance": None,
        "health": Health.UNKNOWN,
    }
    run = seen(rebooting(), NOW + MINUTE, **put_off)
    assert one_of(run, "0").reason == "Azure answered RetryLater; waiting for it to be running."
    run = seen(run, NOW + 61 * MINUTE, **put_off)
    assert one_of(run, "0").state is InstanceState.FAILED
    assert "not back after 60 minutes (deallocated" in one_of(run, "0").reason
    assert run.state is RunState.PAUSED
    assert run.story.notices[-1].urgency is Urgency.PAGE
    run = seen(run, NOW + 62 * MINUTE, operation=OperationSeen("Failed", "RetryLater"))
    assert one_of(run, "0").state is InstanceState.ASIDE, "back again: started once more later"


def test_an_operation_that_succeeded_in_putting_it_off_is_no_proof_once_the_view_follows():
    """Azure ends it as Succeeded and says RetryLater in the status; the first view is of a minute before."""
    run = seen(rebooting(), NOW + MINUTE, operation=OperationSeen("Succeeded"))
    assert one_of(run, "0").state is InstanceState.VERIFYING
    put_off = replace(ONE[0].status, result="RetryLater")
    run = seen(run, NOW + 2 * MINUTE, operation=OperationSeen("Succeeded"), maintenance=put_off)
    assert one_of(run, "0").state is InstanceState.ASIDE
    assert one_of(run, "0").proof == ""
    assert "Azure answered RetryLater; to be started again after" in one_of(run, "0").reason
