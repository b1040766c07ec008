"""After our start whatever does not serve again is failed, and what stops serving later is told at once."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.fleet import Health, Instance
from planner.policy.model import Policy
from planner.record.action import Start, StartOutcome, StartResult
from planner.record.command import Command, CommandKind
from planner.record.notice import Kind, Urgency
from planner.record.observation import OperationSeen
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from planner.start.results import answered
from tests.planner.builders import (
    MINUTE,
    NOW,
    STATUS,
    always,
    changed,
    command,
    fleet,
    listed,
    observe,
    one_of,
    planned,
    states,
    step,
)

SOAKS = always(soak="30m")
DONE = OperationSeen("Succeeded")
ADA = {"0": "ada at Sun 22 Nov 2026 12:01 UTC"}


class Started:
    """A run whose first instance was started at noon; `observation` shows instance 0 with other fields."""

    def __init__(self, size: int = 4, policy: Policy = SOAKS) -> None:
        self.policy = policy
        self.instances: tuple[Instance, ...] = fleet(size, size)
        self.run: Run = planned(instances=self.instances, a_policy=policy)
        self.started: list[str] = []
        self.minute = 0
        self.operation = DONE
        self.poll()
        assert self.started == ["0"]

    def poll(self, *words: Command, direct: bool = True, **fields: Any) -> Run:
        more = {key: fields.pop(key) for key in ("stops",) if key in fields}
        self.instances = changed(self.instances, "0", **fields)
        now = NOW + self.minute * MINUTE
        self.minute += 1
        flying = {one.id: self.operation for one in self.run.instances if one.operation}
        reads = observe if direct else listed
        self.run, actions = step(
            self.run, reads(None, self.instances, self.policy, now, operations=flying, **more), *words
        )
        begun = [one.instance for one in actions if isinstance(one, Start)]
        self.started += begun
        self.run = answered(
            self.run, [StartResult(one, StartOutcome.ACCEPTED, operation="/o") for one in begun], now
        )
        return self.run

    def maintained(self) -> Run:
        self.poll(maintenance=None)
        run = self.poll()
        assert states(run)["0"] is InstanceState.MAINTAINED
        return run


@pytest.mark.parametrize("power", ["stopped", "deallocated"])
@pytest.mark.parametrize("provisioning", ["succeeded", "failed"])
def test_what_does_not_come_back_after_our_start_is_failed_and_pages_whatever_its_power_state(
    power: str, provisioning: str
):
    story = Started()
    run = story.poll(maintenance=None, power=power, provisioning=provisioning, health=Health.UNKNOWN)
    assert states(run)["0"] is InstanceState.VERIFYING, "one poll may show a reboot half-way"
    run = story.poll()
    assert states(run)["0"] is InstanceState.FAILED
    assert "did not come back" in one_of(run, "0").reason
    assert run.state is RunState.PAUSED
    assert (run.story.notices[-1].kind, run.story.notices[-1].urgency) == (Kind.PAUSED, Urgency.PAGE)
    for _ in range(200):
        story.poll()
    assert story.started == ["0"]


def test_what_stays_off_in_the_middle_of_an_update_is_failed_after_the_time_to_recover():
    story = Started()
    for _ in range(70):
        story.poll(maintenance=None, power="stopped", provisioning="updating", health=Health.UNKNOWN)
    assert states(story.run)["0"] is InstanceState.FAILED
    assert story.run.state is RunState.PAUSED
    assert story.started == ["0"]


def test_of_twenty_that_do_not_come_back_the_first_stops_the_run():
    story = Started(20, always(soak="0m"))
    for _ in range(300):
        down = {one: {"power": "stopped", "maintenance": None} for one in story.started}
        for key, fields in down.items():
            story.instances = changed(story.instances, key, **fields)
        story.poll()
    assert len(story.started) == 1


def test_what_the_activity_log_says_somebody_stopped_is_skipped_by_name_and_its_batch_soaks():
    story = Started()
    run = story.poll(maintenance=None, power="stopped", stops=ADA)
    assert states(run)["0"] is InstanceState.SKIPPED
    assert "stopped by ada" in one_of(run, "0").reason
    assert run.batches[0].state is BatchState.SOAKING
    for _ in range(29):
        story.poll()
    assert story.started == ["0"]
    story.poll()
    story.poll()
    assert story.started == ["0", "1"]


def test_what_had_served_since_and_is_off_then_was_stopped_by_somebody():
    story = Started()
    story.poll(maintenance=None)
    assert one_of(story.run, "0").up_at is not None
    run = story.poll(power="deallocated")
    assert states(run)["0"] is InstanceState.SKIPPED
    assert "then deallocated by somebody" in one_of(run, "0").reason
    assert run.batches[0].state is BatchState.SOAKING
    story.poll()
    assert story.started == ["0"]


@pytest.mark.parametrize(
    "fields",
    [{"health": Health.UNHEALTHY}, {"power": "stopped"}, {"provisioning": "failed", "power": "starting"}],
)
def test_what_we_maintained_and_is_ill_in_its_soak_pauses_the_run_and_pages_at_once(fields: dict[str, Any]):
    story = Started()
    story.maintained()
    run = story.poll(**fields)
    assert states(run)["0"] is InstanceState.FAILED
    assert "unhealthy since" in one_of(run, "0").reason
    assert run.state is RunState.PAUSED
    assert (run.story.notices[-1].kind, run.story.notices[-1].urgency) == (Kind.PAUSED, Urgency.PAGE)
    assert story.started == ["0"]


def test_what_we_maintained_and_is_ill_later_in_the_run_pauses_it_too():
    story = Started()
    story.maintained()
    while len(story.started) < 2:
        story.poll()
    run = story.poll(health=Health.UNHEALTHY)
    assert run.state is RunState.PAUSED
    assert states(run)["0"] is InstanceState.FAILED
    assert story.started == ["0", "1"]


def test_a_listing_that_shows_it_ill_needs_a_second_one():
    story = Started()
    story.maintained()
    run = story.poll(direct=False, health=Health.UNHEALTHY)
    assert run.state is RunState.RUNNING
    run = story.poll(direct=False)
    assert run.state is RunState.PAUSED
    well = Started()
    well.maintained()
    well.poll(direct=False, health=Health.UNHEALTHY)
    well.poll(direct=False, health=Health.HEALTHY)
    assert well.poll(direct=False, health=Health.UNHEALTHY).state is RunState.RUNNING


@pytest.mark.parametrize(
    "fields", [{"health": Health.UNKNOWN}, {"power": "unknown"}, {"provisioning": "updating"}]
)
def test_what_azure_does_not_say_of_an_instance_we_maintained_accuses_nobody(fields: dict[str, Any]):
    story = Started()
    story.maintained()
    for _ in range(5):
        assert states(story.poll(**fields))["0"] is InstanceState.MAINTAINED


def test_what_we_maintained_and_somebody_is_known_to_have_stopped_stays_maintained():
    story = Started()
    story.maintained()
    run = story.poll(power="deallocated", stops=ADA)
    assert states(run)["0"] is InstanceState.MAINTAINED
    assert "stopped since by ada" in one_of(run, "0").reason
    assert run.state is RunState.RUNNING


def test_what_failed_and_serves_again_is_no_reason_to_start_the_next_before_a_person_says_so():
    story = Started()
    story.maintained()
    story.poll(health=Health.UNHEALTHY)
    for _ in range(100):
        story.poll(health=Health.HEALTHY)
    assert story.run.state is RunState.PAUSED
    assert story.started == ["0"]


@pytest.mark.parametrize("shown", [None, replace(STATUS, allowed=False)])
def test_after_a_failed_operation_nothing_that_azure_takes_away_proves_the_maintenance(shown: Any):
    story = Started()
    story.operation = OperationSeen("Failed", "OSProvisioningTimedOut", "It did not report that it started.")
    story.poll(power="starting", provisioning="updating")
    run = story.poll(maintenance=shown)
    for _ in range(3):
        run = story.poll()
        assert states(run)["0"] is InstanceState.FAILED, "it does not serve"
    for _ in range(3):
        run = story.poll(power="running", provisioning="succeeded")
    over = InstanceState.CANCELLED if shown is None else InstanceState.FAILED
    assert states(run)["0"] is over
    assert one_of(run, "0").proof_at is None


def test_after_a_failed_start_and_a_resume_an_earlier_waves_code_is_no_word_of_anybodys_maintenance():
    story = Started()
    story.operation = OperationSeen("Failed", "OperationPreempted", "Preempted by a more recent operation.")
    story.poll(power="starting", provisioning="updating")
    story.poll(power="running", provisioning="succeeded")
    assert states(story.run)["0"] is InstanceState.FAILED
    resume = command(CommandKind.RESUME, at=NOW + story.minute * MINUTE)
    earlier = replace(STATUS, result="MaintenanceCompleted")
    run = story.poll(resume, maintenance=earlier)
    for _ in range(3):
        run = story.poll()
    assert states(run)["0"] is not InstanceState.BY_AZURE
    assert story.started == ["0", "0"]


def test_a_failure_that_nobody_of_us_began_asks_and_does_not_page():
    story = Started()
    one = replace(
        story.run.batches[1].instances[0], state=InstanceState.FAILED, reason="Refused.", begun=False
    )
    batch = replace(story.run.batches[1], instances=(one,), state=BatchState.FAILED)
    story.run = replace(story.run, batches=(story.run.batches[0], batch, *story.run.batches[2:]))
    assert story.poll().story.notices[-1].urgency is Urgency.ACT
