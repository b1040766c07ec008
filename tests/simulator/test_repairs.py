"""Automatic repairs: what is replaced, when, and who switches it on and off."""

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from simulator.arm import Faults
from simulator.fleet import Behaviour, ScaleSet, flexible, uniform
from simulator.fleet.ledger import Ended, RepairsAsked, RepairsBecame, Replaced
from simulator.fleet.repair_service import RepairService, duration
from tests.simulator.support import GROUP, HOUR, MINUTE, START, Stage, azure

SLOW = Behaviour(reboot=12 * MINUTE, health_delay=5 * MINUTE)
SECOND = timedelta(seconds=1)


def web(count: int = 4, *, behaviour: Behaviour = SLOW, grace: str = "PT10M", **more) -> ScaleSet:
    return uniform("web", count, behaviour=behaviour, automatic_repairs=True, repair_grace=grace, **more)


def replaced(stage: Stage) -> list[str]:
    return [fact.instance.rsplit("/", 1)[1] for fact in stage.fleet.ledger.of(Replaced)]


def sicken(stage: Stage, *which: int, health: str = "unhealthy") -> None:
    for one in which:
        stage.fleet.people.set_health(stage.fleet.instance("web", one), health)


def test_what_is_unhealthy_for_longer_than_the_grace_period_is_replaced_by_a_new_instance() -> None:
    stage = Stage(web())
    sicken(stage, 1)
    old = stage.fleet.instance("web", 1)
    since = stage.clock.now
    stage.after(10 * MINUTE - SECOND)
    assert replaced(stage) == []
    stage.after(SECOND)
    (fact,) = stage.fleet.ledger.of(Replaced)
    assert (fact.at, fact.sick_since, fact.instance) == (since + 10 * MINUTE, since, old.id)
    assert list(stage.fleet.scale_set("web").instances) == ["0", "2", "3", "4"]
    new = stage.fleet.instance("web", 4)
    assert fact.by == new.id
    assert (new.domain, new.ticket, new.provisioning, new.power) == (old.domain, None, "Creating", "starting")
    stage.after(5 * MINUTE)
    assert (new.provisioning, new.power, new.health) == ("Succeeded", "running", "healthy")


@pytest.mark.parametrize("health", ["unhealthy", "unknown", "missing", "initializing"])
def test_any_health_but_healthy_counts(health) -> None:
    stage = Stage(web())
    sicken(stage, 1, health=health)
    stage.after(HOUR)
    assert replaced(stage) == ["1"]


def test_who_gets_well_in_time_stays_and_the_time_counts_anew() -> None:
    stage = Stage(web())
    for health in ("unhealthy", "healthy", "unhealthy"):
        sicken(stage, 1, health=health)
        stage.after(9 * MINUTE)
    assert replaced(stage) == []
    stage.after(MINUTE)
    assert replaced(stage) == ["1"]


def test_a_reboot_for_maintenance_that_takes_longer_than_the_grace_period_is_cut_short() -> None:
    stage = Stage(web())
    answer = stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    stage.after(HOUR)
    assert replaced(stage) == ["0"]
    assert (answer.operation.status, answer.operation.code) == ("Failed", "OperationPreempted")
    assert [fact.code for fact in stage.fleet.ledger.of(Ended)] == ["OperationPreempted"]


def test_nothing_is_replaced_while_repairs_are_suspended_and_what_is_due_right_after() -> None:
    stage = Stage(web())
    found = stage.fleet.scale_set("web")
    assert stage.fleet.set_repairs(found, "Suspend").status == 202
    assert found.repairs_state == "Running"
    stage.after(5 * SECOND)
    assert found.repairs_state == "Suspended"
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    sicken(stage, 3)
    stage.after(HOUR)
    assert replaced(stage) == []
    assert stage.fleet.instance("web", 0).health == "healthy"
    stage.fleet.set_repairs(found, "Resume")
    stage.after(5 * SECOND)
    assert replaced(stage) == ["3"]


def test_a_change_is_in_the_ledger_when_asked_and_when_it_takes_effect_with_whose_hand_it_was() -> None:
    stage = Stage(web())
    found, people = stage.fleet.scale_set("web"), stage.fleet.people
    stage.fleet.set_repairs(found, "Suspend")
    stage.after(MINUTE)
    stage.fleet.set_repairs(found, "Suspend")
    stage.after(MINUTE)
    people.resume_repairs(found)
    people.suspend_repairs(found)
    assert [(fact.who, fact.action, fact.was, fact.accepted) for fact in stage.fleet.ledger.of(RepairsAsked)] == [
        ("customer", "Suspend", "Running", True),
        ("customer", "Suspend", "Suspended", True),
        ("person", "Resume", "Suspended", True),
        ("person", "Suspend", "Running", True),
    ]  # fmt: skip
    now = stage.clock.now
    assert [(fact.at, fact.who, fact.state) for fact in stage.fleet.ledger.of(RepairsBecame)] == [
        (now - 2 * MINUTE + 5 * SECOND, "customer", "Suspended"),
        (now, "person", "Running"),
        (now, "person", "Suspended"),
    ]


def test_a_second_change_meanwhile_is_a_conflict_and_a_person_overtakes_it() -> None:
    stage = Stage(web())
    found = stage.fleet.scale_set("web")
    first = stage.fleet.set_repairs(found, "Suspend")
    second = stage.fleet.set_repairs(found, "Resume")
    assert (second.status, second.code, second.operation) == (409, "Conflict", None)
    stage.fleet.people.resume_repairs(found)
    stage.after(MINUTE)
    assert (first.operation.status, first.operation.code) == ("Failed", "OperationPreempted")
    assert found.repairs_state == "Running"


def test_a_lost_answer_leaves_the_change_to_be_made_and_a_refusal_does_not() -> None:
    stage = Stage(web(repairs=RepairService(lost_answers=1)))
    found = stage.fleet.scale_set("web")
    assert stage.fleet.set_repairs(found, "Suspend").dropped
    stage.after(MINUTE)
    assert found.repairs_state == "Suspended"
    for status in (403, 409):
        found.repairs.refused = status
        assert stage.fleet.set_repairs(found, "Resume").status == status
        stage.after(MINUTE)
        assert found.repairs_state == "Suspended"
    assert [fact.answered for fact in stage.fleet.ledger.of(RepairsAsked)] == [False, True, True]


def test_a_small_set_is_repaired_one_at_a_time_the_longest_unwell_first() -> None:
    stage = Stage(web())
    sicken(stage, 2)
    stage.after(MINUTE)
    sicken(stage, 1)
    stage.after(10 * MINUTE)
    assert replaced(stage) == ["2"]
    stage.after(2 * MINUTE)
    assert replaced(stage) == ["2", "1"]


def test_a_large_set_is_repaired_five_percent_at_a_time() -> None:
    stage = Stage(web(40))
    sicken(stage, 1, 2, 3)
    stage.after(10 * MINUTE)
    assert len(replaced(stage)) == 2
    stage.after(HOUR)
    assert len(replaced(stage)) == 3


def test_a_replacement_that_somebody_deletes_holds_up_no_other() -> None:
    stage = Stage(web())
    sicken(stage, 1, 2)
    stage.after(10 * MINUTE)
    stage.fleet.people.delete(stage.fleet.instance("web", 4))
    stage.after(SECOND)
    assert replaced(stage) == ["1", "2"]


def test_a_protected_instance_is_left_alone_until_it_is_no_longer() -> None:
    stage = Stage(web())
    stage.fleet.people.protect(stage.fleet.instance("web", 1), from_actions=False, from_scale_in=True)
    sicken(stage, 1)
    stage.after(HOUR)
    assert replaced(stage) == []
    stage.fleet.people.protect(stage.fleet.instance("web", 1), from_actions=False)
    stage.after(SECOND)
    assert replaced(stage) == ["1"]


@pytest.mark.parametrize("off", ["stop", "deallocate"])
def test_what_somebody_switched_off_is_left_alone_and_has_the_grace_period_when_it_starts(off) -> None:
    stage = Stage(web(behaviour=Behaviour(health_finally="unhealthy")))
    instance = stage.fleet.instance("web", 1)
    getattr(stage.fleet.people, off)(instance)
    stage.after(HOUR)
    assert replaced(stage) == []
    stage.fleet.people.start(instance)
    stage.after(9 * MINUTE)
    assert replaced(stage) == []
    stage.after(MINUTE)
    assert replaced(stage) == ["1"]


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (uniform("web", 2), ""),
        (uniform("web", 2, automatic_repairs=True, health="none"), "NotRunning"),
        (uniform("web", 2, automatic_repairs=True), "Running"),
    ],
    ids=["without a policy", "without health", "with both"],
)
def test_repairs_run_only_with_a_policy_and_reported_health(made, state) -> None:
    stage = Stage(made)
    assert made.repairs_state == state
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    sicken(stage, 1)
    stage.after(HOUR)
    assert replaced(stage) == (["1"] if state == "Running" else [])


def test_an_instance_that_joins_unwell_is_repaired_too() -> None:
    made = web()
    made.instances["2"].health = "unhealthy"
    stage = Stage(made)
    stage.after(HOUR)
    assert replaced(stage) == ["2"]


def test_a_flexible_set_is_repaired_although_nobody_can_suspend_it() -> None:
    stage = Stage(flexible("flex", 3, automatic_repairs=True))
    found = stage.fleet.scale_set("flex")
    answer = stage.fleet.set_repairs(found, "Suspend")
    assert (answer.status, answer.code) == (409, "OperationNotAllowed")
    old = stage.fleet.instance("flex", 0)
    stage.fleet.people.set_health(old, "unhealthy")
    stage.after(30 * MINUTE)
    assert replaced(stage) == [old.name]
    assert old.id.lower() not in stage.fleet.world.machines
    assert len(found.instances) == len({one.id for one in stage.fleet.world.machines.values()}) == 3


@pytest.mark.parametrize(
    ("text", "span"), [("PT10M", 10 * MINUTE), ("PT1H30M", 1.5 * HOUR), ("PT90S", 90 * SECOND)]
)
def test_durations_are_read_as_azure_writes_them(text, span) -> None:
    assert duration(text) == span


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="PT30M"):
        duration("30 minutes")


async def test_the_view_of_a_uniform_set_lists_the_service_and_counts_states(monkeypatch) -> None:
    stage = Stage(web(3), uniform("plain", 2, health="none"))
    async with azure(stage.fleet, monkeypatch) as (client, server):
        view = client.virtual_machine_scale_sets.get_instance_view
        stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
        seen = await view(GROUP, "web")
        (service,) = seen.orchestration_services
        assert (service.service_name, service.service_state) == ("AutomaticRepairs", "Running")
        assert {one.code: one.count for one in seen.virtual_machine.statuses_summary} == {
            "ProvisioningState/succeeded": 2,
            "ProvisioningState/updating": 1,
        }
        assert [one.name for one in seen.extensions] == ["HealthExtension"]
        assert seen.statuses[0].display_status == "Provisioning succeeded"
        plain = await view(GROUP, "plain")
        assert (plain.orchestration_services, plain.extensions) == (None, None)
        policy = (await client.virtual_machine_scale_sets.get(GROUP, "web")).automatic_repairs_policy
        assert (policy.enabled, policy.grace_period, policy.repair_action) == (True, "PT10M", "Replace")
        assert server.calls["scale set view"] == 2


async def test_a_change_is_a_202_whose_operation_ends_when_it_took_effect(monkeypatch) -> None:
    stage = Stage(web())
    async with azure(stage.fleet, monkeypatch) as (client, server):
        poller = await client.virtual_machine_scale_sets.begin_set_orchestration_service_state(
            GROUP, "web", {"serviceName": "AutomaticRepairs", "action": "Suspend"}, polling=False
        )
        first = poller.polling_method()._initial_response.http_response
        assert first.status_code == 202
        address = first.headers["Azure-AsyncOperation"]
        assert first.headers["Location"].startswith(address.split("?")[0])
        resumed = stage.fleet.scale_set("web")
        assert resumed.repairs_state == "Running"
        stage.after(5 * SECOND)
        assert resumed.repairs_state == "Suspended"
        assert stage.fleet.ledger.of(RepairsBecame)[0].at == START + timedelta(days=1) + 5 * SECOND
        assert next(iter(stage.fleet.world.operations.values())).status == "Succeeded"
        assert server.calls["set repairs"] == 1


async def test_what_is_asked_of_no_service_or_a_flexible_set_is_an_error(monkeypatch) -> None:
    stage = Stage(web(), flexible("flex", 2, automatic_repairs=True))
    async with azure(stage.fleet, monkeypatch) as (client, _):
        begin = client.virtual_machine_scale_sets.begin_set_orchestration_service_state
        for wrong in (
            {"serviceName": "AutomaticZoneRebalancing", "action": "Suspend"},
            {"serviceName": "AutomaticRepairs", "action": "Suspending"},
        ):
            with pytest.raises(HttpResponseError) as refused:
                await begin(GROUP, "web", wrong)
            assert refused.value.status_code == 400
        with pytest.raises(ResourceExistsError) as refused:
            await begin(GROUP, "flex", {"serviceName": "AutomaticRepairs", "action": "Suspend"})
        assert refused.value.error.message == (
            "Operation 'VirtualMachineScaleSets.setOrchestrationServiceState.POST' is not allowed on Virtual "
            "Machine Scale Set 'flex'."
        )


async def test_changes_are_throttled_failed_and_dropped_by_their_kind(monkeypatch) -> None:
    stage, faults = Stage(web()), Faults()
    async with azure(stage.fleet, monkeypatch, faults=faults) as (client, server):
        faults.throttle(kind="set repairs", retry_after=9)
        faults.fail(kind="set repairs")
        faults.drop(kind="set repairs")
        for _ in range(3):
            with pytest.raises(Exception, match=r"(?i)throttled|unavailable|disconnected"):
                await client.virtual_machine_scale_sets.begin_set_orchestration_service_state(
                    GROUP, "web", {"serviceName": "AutomaticRepairs", "action": "Suspend"}, polling=False
                )
        assert [seen.status for seen in server.seen] == [429, 503, 0]
        assert stage.fleet.ledger.of(RepairsAsked) == []
