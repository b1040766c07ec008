"""Done needs proof: what a look takes for the maintenance itself, and what it does not."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from planner.answers import answered
from planner.fleet import Health, Instance
from planner.look import Answer, Answered, OperationSeen
from planner.run import InstanceState, Run
from tests.planner.builders import MINUTE, NOW, always, instance, looked, one_of, planned, step

ONE = (instance("0"),)
UNDER_WAY = OperationSeen("InProgress")


def rebooting() -> Run:
    """A run whose only instance was started at noon and whose start Azure has taken."""
    run, _ = step(planned(instances=ONE), looked(instances=ONE))
    return answered(run, [Answer("0", Answered.ACCEPTED, operation="/operations/0")], NOW)


def seen(run: Run, now: datetime, *, operation: OperationSeen = UNDER_WAY, **fields: Any) -> Run:
    one: Instance = replace(ONE[0], **fields)
    look = looked(instances=(one,), a_policy=always(), now=now, operations={"0": operation})
    return step(run, look)[0]


def test_a_guest_that_holds_its_reboot_back_is_still_rebooting_however_healthy_it_looks():
    """Scheduled events let a guest wait for up to 15 minutes; meanwhile it runs and reports healthy."""
    run = rebooting()
    for minute in range(1, 15):
        run = seen(run, NOW + minute * MINUTE)
        assert one_of(run, "0").state is InstanceState.REBOOTING
        assert one_of(run, "0").reason == "Started; waiting for proof of the maintenance."


def test_with_proof_an_instance_is_maintained_once_two_looks_saw_it_healthy():
    done = {"maintenance": None, "operation": OperationSeen("Succeeded")}
    run = seen(rebooting(), NOW + MINUTE, power="starting", provisioning="updating", health=Health.UNKNOWN)
    run = seen(run, NOW + 2 * MINUTE, **done)
    assert one_of(run, "0").state is InstanceState.VERIFYING
    run = seen(run, NOW + 3 * MINUTE, **done)
    assert one_of(run, "0").state is InstanceState.MAINTAINED
    assert "healthy on two looks" in one_of(run, "0").reason


def test_proof_alone_is_not_enough_while_it_does_not_serve():
    run = rebooting()
    for minute in range(1, 30):
        run = seen(
            run, NOW + minute * MINUTE, maintenance=None, operation=OperationSeen("Succeeded"),
            health=Health.INITIALIZING,
        )  # fmt: skip
        assert one_of(run, "0").state is InstanceState.VERIFYING
