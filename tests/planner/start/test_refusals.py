"""What Azure refuses: judged by code, words and the next poll; tried again with back-off; told once per cause."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from planner.azure.fleet import Interval
from planner.azure.refusal import Refusal, classified
from planner.observe.batches import observed
from planner.record.action import StartOutcome, StartResult
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import ENDED, BatchState, InstanceState, RunState
from planner.text.backoff import back_off
from tests.planner import builders
from tests.planner.protocol import DIES, NOW, POLL_INTERVAL, Protocol, policy
from tests.planner.small_azure import SmallAzure

H, M = timedelta(hours=1), timedelta(minutes=1)

RUNNING = ("OperationNotAllowed", "The operation requires the VM to be running (or set to run).")
QUOTA = (
    "OperationNotAllowed",
    (
        "Operation could not be completed as it results in exceeding approved Total Regional Cores quota. "
        "Additional details - Current Limit: 100, Current Usage: {}, Additional Required: 20."
    ),
)
NOT_ELIGIBLE = (
    "OperationNotAllowed",
    (
        "Operation 'performMaintenance' is not allowed on VM 'web_{}' since the Subscription of this VM is not "
        "eligible."
    ),
)
LOCKED = (
    "ScopeLocked",
    (
        "The scope '/subscriptions/1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/web/"
        "virtualMachines/{}' cannot perform write operation because following scope(s) are locked: "
        "'/subscriptions/1/resourceGroups/rg'. Please remove the lock and try again."
    ),
)
BUSY = ("Conflict", "The request failed due to conflict with a concurrent request on VM 'web_{}'.")


def refusing(kind: tuple[str, str]) -> Callable[[str], StartResult]:
    """Azure's answer to every start; what the message names is the instance's."""
    code, message = kind
    return lambda name: StartResult(name, StartOutcome.REFUSED, code=code, message=message.format(name))


def taken(name: str) -> None:
    """Azure takes the start."""
    del name


def world_of(count: int = 1, *, domains: int = 1, hours: float = 480, **values: str) -> Protocol:
    """A planned run of a Uniform set whose window has been open for an hour."""
    azure = SmallAzure(
        flexible=False, zones=0, domains=domains, count=count, window=Interval(NOW - H, NOW + hours * H)
    )
    world = Protocol(azure, policy({"lead": "0m", "max-unavailable": "100%", **values}))
    world.plan()
    return world


def run_of(world: Protocol) -> Run:
    assert world.run is not None
    assert world.findings == []
    return world.run


def looked(world: Protocol, minutes: int, answer: Callable[[str], StartResult | None]) -> Run:
    """A poll at every minute from now on, whether one is due or not."""
    for _ in range(minutes):
        world.poll(answer=answer)
        world.now += M
    return run_of(world)


def started(world: Protocol) -> list[int]:
    """The minutes from the beginning at which a start was sent."""
    return [int((at - NOW) / M) for at, _ in world.starts]


def troubles(run: Run) -> list[str]:
    return [one.sentence for one in run.story.notices if one.kind is Kind.TROUBLE]


def pauses(run: Run) -> list[str]:
    return [one.sentence for one in run.story.notices if one.kind is Kind.PAUSED]


# What a refusal means ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "meaning"),
    [
        (*NOT_ELIGIBLE, Refusal.NOT_ELIGIBLE),
        ("OperationNotAllowed", "The VM isn't eligible for maintenance.", Refusal.NOT_ELIGIBLE),
        (*RUNNING, Refusal.PASSING),
        (*QUOTA, Refusal.PASSING),
        ("QuotaExceeded", "", Refusal.PASSING),
        ("OperationNotAllowed", "Cannot do this when the VM is not running.", Refusal.PASSING),
        (
            "OperationNotAllowed",
            "Another operation is in progress on VM Scale Set 'web'. Please try again later.",
            Refusal.PASSING,
        ),
        (*LOCKED, Refusal.LOCKED),
        ("Conflict", LOCKED[1], Refusal.LOCKED),
        (*BUSY, Refusal.IN_DOUBT),
        ("Conflict", "", Refusal.IN_DOUBT),
        ("AnotherOperationInProgress", "", Refusal.IN_DOUBT),
        ("OperationPreempted", "The operation was preempted by a more recent one.", Refusal.IN_DOUBT),
        (
            "OperationNotAllowed",
            "Another operation is in progress on VM 'web_3' of VM Scale Set 'web'.",
            Refusal.IN_DOUBT,
        ),
        ("OperationNotAllowed", "Something nobody has seen before.", Refusal.OTHER),
        ("InvalidParameter", "", Refusal.OTHER),
    ],
)
def test_a_refusal_is_judged_by_its_words_and_not_by_its_code_alone(
    code: str, message: str, meaning: Refusal
) -> None:
    assert classified(code, message) is meaning


# Back-off ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [QUOTA, RUNNING, NOT_ELIGIBLE, ("InternalError", "Try again.")])
def test_a_refused_start_is_tried_after_5_10_20_intervals_however_often_one_polls(
    kind: tuple[str, str],
) -> None:
    world = world_of()
    run = looked(world, 70, refusing(kind))
    assert started(world) == [0, 5, 15, 35]
    assert len(troubles(run)) == 1
    assert pauses(run) == []
    assert len(run.story.history) < 15
    assert states_of(run) == {"0": InstanceState.ASIDE}


def test_an_operation_that_always_ends_with_retry_later_is_started_with_the_same_back_off() -> None:
    world = world_of()
    for _ in range(70):
        for machine in world.azure.machines.values():
            if machine.operation:
                world.azure.end(machine, "RetryLater")
        looked(world, 1, taken)
    # Each operation's end is seen a minute after its start.
    assert started(world) == [0, 6, 17, 38]
    assert len(run_of(world).story.history) < 15


def states_of(run: Run) -> dict[str, InstanceState]:
    return {one.id: one.state for one in run.instances}


def test_the_back_off_outlives_a_new_plan_a_crash_and_a_resume() -> None:
    world = world_of(2, domains=2)
    looked(world, 1, refusing(QUOTA))
    first = world.starts[0][1]
    again = next(one for one in run_of(world).instances if one.id == first).retry_at
    assert again == NOW + 5 * M
    world.plan()
    world.poll(dies="before the write")
    world.poll([world.event("hold")])
    world.poll([world.event("resume")], answer=refusing(QUOTA))
    world.plan()
    assert next(one for one in run_of(world).instances if one.id == first).retry_at == again
    looked(world, 3, refusing(QUOTA))
    assert [name for _, name in world.starts].count(first) == 1
    looked(world, 4, refusing(QUOTA))
    assert [name for _, name in world.starts].count(first) == 2


def test_what_is_put_off_holds_up_nothing_else_and_what_was_put_off_together_goes_together() -> None:
    world = world_of(4, domains=2)
    run = looked(world, 2, lambda name: refusing(QUOTA)(name) if name in {"0", "2"} else None)
    assert {one.instances[0].id: one.retry for one in run.batches} == {"0": True, "1": False}
    assert sorted(name for _, name in world.starts) == ["0", "1", "2", "3"]
    world.plan()
    (together,) = [one for one in run_of(world).batches if one.retry]
    assert [one.id for one in together.instances] == ["0", "2"]


def test_what_was_put_off_beside_others_under_way_leaves_their_batch_at_the_next_poll() -> None:
    world = world_of(3)
    run = looked(world, 2, lambda name: refusing(QUOTA)(name) if name == "1" else None)
    (alone,) = [one for one in run.batches if one.retry]
    assert [one.id for one in alone.instances] == ["1"]
    assert alone.domain == "instance 1, again"
    assert alone.waits_until == NOW + 5 * M


def test_a_plan_made_right_after_the_refusal_does_not_make_the_others_wait() -> None:
    world = world_of(3)
    unsent = StartOutcome.WITHDRAWN
    looked(world, 1, lambda name: refusing(QUOTA)(name) if name == "1" else StartResult(name, unsent))
    world.plan()
    waits = {one.id: batch.waits_until for batch in run_of(world).batches for one in batch.instances}
    assert waits == {"0": None, "1": NOW + 5 * M, "2": None}


def test_a_throttled_start_waits_at_least_as_long_as_azure_asks() -> None:
    world = world_of()
    asked = StartOutcome.WITHDRAWN
    looked(world, 12, lambda name: StartResult(name, asked, message="Busy.", retry_after=4 * M))
    assert started(world) == [0, 4, 8]


@pytest.mark.parametrize("seed", range(120))
def test_no_instance_is_started_again_before_its_back_off_is_over_whatever_happens_in_between(
    seed: int,
) -> None:
    """Looks at any time, plans, deaths, holds and resumes, refusals of every kind that passes."""
    dice = Random(seed)
    world = world_of(dice.choice((1, 3, 4)), domains=dice.choice((1, 2)))
    free: dict[str, datetime] = {}
    times: dict[str, int] = {}

    def answer(name: str) -> StartResult:
        assert world.now >= free.get(name, NOW), f"{name} was started too early"
        wait = back_off(POLL_INTERVAL, times.get(name, 0))
        times[name] = times.get(name, 0) + 1
        free[name] = world.now + wait
        return refusing(dice.choice((QUOTA, RUNNING, NOT_ELIGIBLE)))(name)

    for _ in range(80):
        run = run_of(world)
        assert run.state not in ENDED
        kind = dice.randrange(8)
        if kind == 0:
            world.plan()
        elif kind == 1:
            world.poll(dies=dice.choice(("before the write",)), answer=answer)
        elif kind == 2:
            world.poll([world.event(dice.choice(("hold", "resume")))], answer=answer)
        else:
            world.poll(answer=answer)
        world.now += dice.choice((0.5, 1, 1, 3, 9, 45)) * M
    assert times


@pytest.mark.parametrize("seed", range(60))
def test_a_death_between_start_and_answer_costs_no_more_than_one_start_beyond_the_back_off(seed: int) -> None:
    """Whose answer is lost is in doubt for half an hour, longer than its first waits."""
    dice = Random(seed)
    world = world_of(2, domains=2)
    sent: dict[str, list[datetime]] = {}

    def answer(name: str) -> StartResult:
        sent.setdefault(name, []).append(world.now)
        return refusing(QUOTA)(name)

    for _ in range(60):
        world.poll(dies=dice.choice((*DIES, "")), answer=answer)
        world.now += dice.choice((1, 1, 5, 20)) * M
    run_of(world)
    for moments in sent.values():
        assert all(later - earlier >= 5 * M for earlier, later in pairwise(moments))


# Not eligible --------------------------------------------------------------------------------------------


def test_a_start_that_is_refused_once_because_the_machine_has_to_run_is_tried_again_and_done() -> None:
    world = world_of()
    looked(world, 1, refusing(RUNNING))
    assert states_of(run_of(world)) == {"0": InstanceState.ASIDE}
    looked(world, 6, taken)
    assert started(world) == [0, 5]
    world.azure.end(world.azure.machines["0"], "cleared")
    run = looked(world, 4, taken)
    assert run.state is RunState.COMPLETED
    assert states_of(run) == {"0": InstanceState.MAINTAINED}


def offer(world: Protocol, *, allowed: bool) -> None:
    machine = world.azure.machines["0"]
    assert machine.seen.maintenance is not None
    machine.become(maintenance=replace(machine.seen.maintenance, allowed=allowed))


def test_not_eligible_is_final_when_the_next_poll_sees_that_azure_does_not_offer_it() -> None:
    world = world_of()
    looked(world, 1, refusing(NOT_ELIGIBLE))
    assert states_of(run_of(world)) == {"0": InstanceState.ASIDE}
    offer(world, allowed=False)
    run = looked(world, 1, refusing(NOT_ELIGIBLE))
    assert states_of(run) == {"0": InstanceState.SKIPPED}
    assert run.instances[0].reason == (
        "Azure refused it (OperationNotAllowed: Operation 'performMaintenance' is not allowed on VM "
        "'web_0' since the Subscription of this VM is not eligible). Azure reboots it in its own window."
    )
    assert run.state is RunState.COMPLETED
    assert started(world) == [0]


def test_not_eligible_while_azure_goes_on_offering_it_is_tried_again_until_it_is_taken() -> None:
    world = world_of()
    looked(world, 5, refusing(NOT_ELIGIBLE))
    looked(world, 2, taken)
    assert started(world) == [0, 5]
    assert states_of(run_of(world)) == {"0": InstanceState.REBOOTING}


def test_a_refusal_that_passes_is_not_final_because_azure_does_not_offer_it_for_a_moment() -> None:
    """Then it is what it always was: what is not offered at its time is skipped, and due when it is again."""
    world = world_of()
    looked(world, 1, refusing(RUNNING))
    offer(world, allowed=False)
    looked(world, 2, taken)
    assert states_of(run_of(world)) == {"0": InstanceState.ASIDE}
    offer(world, allowed=True)
    looked(world, 4, taken)
    assert started(world) == [0, 5]


def test_what_was_skipped_as_not_eligible_and_is_offered_again_keeps_its_back_off() -> None:
    world = world_of(2, domains=2)
    looked(world, 1, refusing(NOT_ELIGIBLE))
    offer(world, allowed=False)
    looked(world, 1, taken)
    assert states_of(run_of(world))["0"] is InstanceState.SKIPPED
    offer(world, allowed=True)
    world.plan()
    again = next(one for one in run_of(world).instances if one.id == "0")
    assert (again.state, again.retries, again.retry_at) == (InstanceState.PENDING, 1, NOW + 5 * M)


# In doubt ------------------------------------------------------------------------------------------------


def test_another_operation_on_the_instance_is_watched_and_then_tried_again_with_back_off() -> None:
    world = world_of()
    run = looked(world, 29, refusing(BUSY))
    assert states_of(run) == {"0": InstanceState.STARTING}
    assert "Azure answered Conflict" in run.instances[0].reason
    assert started(world) == [0]
    run = looked(world, 8, refusing(BUSY))
    assert started(world) == [0, 35]
    assert pauses(run) == []
    assert len(troubles(run)) == 1


# One notice for each cause -------------------------------------------------------------------------------


def test_a_notice_comes_for_each_cause_and_another_when_the_cause_changes() -> None:
    world = world_of()
    looked(world, 20, refusing(QUOTA))
    assert len(troubles(run_of(world))) == 1
    run = looked(world, 40, refusing(RUNNING))
    assert len(troubles(run)) == 2
    assert "quota" in troubles(run)[0]
    assert "to be running" in troubles(run)[1]


def test_numbers_and_names_that_change_make_no_new_cause() -> None:
    world = world_of()
    looked(world, 1, refusing((QUOTA[0], QUOTA[1].replace("{}", "96"))))
    looked(world, 10, refusing((QUOTA[0], QUOTA[1].replace("{}", "100"))))
    assert started(world) == [0, 5]
    assert len(troubles(run_of(world))) == 1


def test_ten_instances_refused_for_the_same_cause_are_one_notice_that_counts_them() -> None:
    world = world_of(10)
    run = looked(world, 10, refusing(NOT_ELIGIBLE))
    (told,) = troubles(run)
    assert told.startswith("Azure refused to start 10 instances (0, 1, 2, 3, 4 and others)")
    assert "otherwise Breakwater tries again at Mon 23 Nov 2026 08:05 UTC" in told


def test_instances_refused_one_after_the_other_for_the_same_cause_are_one_notice() -> None:
    world = world_of(5, domains=5)
    run = looked(world, 30, refusing(QUOTA))
    assert len({name for _, name in world.starts}) == 5
    assert len(troubles(run)) == 1


# Locks ---------------------------------------------------------------------------------------------------


def test_a_lock_pauses_once_names_itself_and_the_remedy_and_stops_the_starts() -> None:
    world = world_of(2)
    run = looked(world, 70, refusing(LOCKED))
    assert started(world) == [0, 0], "each instance of the batch once"
    assert run.state is RunState.PAUSED
    assert troubles(run) == []
    assert pauses(run) == [
        (
            "Remove the lock on resource group rg: it keeps Azure from starting maintenance of web (ScopeLocked). "
            "`az lock list --resource-group rg --subscription 1 --output table` shows its name, "
            "`az lock delete --name LOCK-NAME --resource-group rg --subscription 1` removes it. Then resume."
        )
    ]
    (notice,) = [one for one in run.story.notices if one.kind is Kind.PAUSED]
    assert notice.urgency is Urgency.ACT
    assert notice.answers == ("resume", "skip")
    assert "If nobody answers by" in notice.otherwise
    assert len(run.story.history) < 10
    assert [len(one.instances) for one in run.batches] == [2], "its batch stays as it was planned"


def test_a_resume_tries_again_and_asks_again_while_the_lock_is_there() -> None:
    world = world_of()
    looked(world, 3, refusing(LOCKED))
    world.poll([world.event("resume")], answer=refusing(LOCKED))
    looked(world, 30, refusing(LOCKED))
    assert started(world) == [0, 3]
    assert len(pauses(run_of(world))) == 2
    world.poll([world.event("resume")], answer=taken)
    looked(world, 1, taken)
    assert started(world) == [0, 3, 33]
    run = run_of(world)
    assert run.state is RunState.RUNNING
    assert run.batches[0].state is BatchState.REBOOTING


def test_what_is_put_off_last_leaves_its_batch_although_nothing_else_of_it_changes_any_more() -> None:
    done = InstanceProgress("0", state=InstanceState.MAINTAINED, gone=True)
    put_off = InstanceProgress("1", state=InstanceState.ASIDE, retries=1, retry_at=NOW + 5 * M)
    first = builders.batch(1, done, put_off, state=BatchState.STARTING, started_at=NOW)
    observation = builders.observe(instances=builders.fleet(2, 1), now=NOW)
    own, alone = observed(builders.run_of(first), observation, NOW).batches
    assert (own.state, [one.id for one in own.instances]) == (BatchState.SOAKING, ["0"])
    assert (alone.retry, [one.id for one in alone.instances]) == (True, ["1"])
