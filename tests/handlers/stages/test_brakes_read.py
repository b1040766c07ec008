"""The brakes as they are read: from Azure's JSON, from the settings, from the policy file."""

from pathlib import Path
from typing import Any

import pytest

from handlers.cloud import shapes
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.decision.decide import decide
from planner.decision.managed import owner
from planner.policy.model import Policy
from planner.record.check import Outcome
from planner.words.counter_indications import SCHEDULED_EVENTS_PARTS
from simulator.arm.shapes import scale_set as simulated
from simulator.fleet import uniform
from tests.planner.builders import NOW

GROUP = "/subscriptions/aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e/resourceGroups/{}/providers/Microsoft.Compute"


def read(group: str = "rg", profile: Any = None, properties: Any = None, **more: Any) -> Any:
    arm_id = f"{GROUP.format(group)}/virtualMachineScaleSets/web"
    inside = {"provisioningState": "Succeeded", "virtualMachineProfile": profile or {}, **(properties or {})}
    return shapes.scale_set({"id": arm_id, "location": "westeurope", "properties": inside, **more})


def test_a_scale_set_that_says_nothing_of_a_brake_has_none() -> None:
    plain = read()
    assert not (plain.spot or plain.ephemeral_os_disk or plain.service_fabric or plain.managed_by)


def test_spot_is_read_from_the_priority_and_from_a_mix_of_priorities() -> None:
    assert read(profile={"priority": "Spot"}).spot
    assert read(properties={"priorityMixPolicy": {"baseRegularPriorityCount": 1}}).spot
    assert not read(profile={"priority": "Regular"}).spot


def test_an_ephemeral_os_disk_is_read_from_the_model() -> None:
    assert read(
        profile={"storageProfile": {"osDisk": {"diffDiskSettings": {"option": "Local"}}}}
    ).ephemeral_os_disk


def test_service_fabric_is_read_from_its_extension() -> None:
    extension = {"properties": {"publisher": "Microsoft.Azure.ServiceFabric"}}
    assert read(profile={"extensionProfile": {"extensions": [extension]}}).service_fabric


@pytest.mark.parametrize(
    "fields",
    [
        {"managedBy": "/x/y"},
        {"group": "MC_team_cluster_westeurope"},
        {"tags": {"aks-managed-poolName": "a"}},
        {"tags": {"__AzureDevOpsElasticPool": "agents"}},
    ],
)
def test_who_runs_a_scale_set_is_read_from_its_manager_its_group_and_its_tags(fields: Any) -> None:
    assert owner(read(**fields))


ON, OFF = {"enable": True}, {"enable": False}
TARGETS = "scheduledEventsAdditionalPublishingTargets"


@pytest.mark.parametrize(
    ("policy", "profile", "parts"),
    [
        (None, {}, ()),
        ({}, {"scheduledEventsProfile": {"terminateNotificationProfile": OFF}}, ()),
        ({TARGETS: {"eventGridAndResourceGraph": OFF}}, {}, ()),
        ({"eventGridAndResourceGraph": OFF}, {}, ()),
        ({TARGETS: None, "userInitiatedRedeploy": None}, {}, ()),
        ({"userInitiatedRedeploy": {"automaticallyApprove": True}}, {}, ()),
        ({"userInitiatedReboot": {"automaticallyApprove": False}}, {}, ()),
        ({"allInstancesDown": {"automaticallyApprove": True}}, {}, ()),
        ({TARGETS: {"eventGridAndResourceGraph": ON}}, {}, ("eventGridAndResourceGraph",)),
        ({"eventGridAndResourceGraph": ON}, {}, ("eventGridAndResourceGraph",)),
        (
            None,
            {
                "scheduledEventsProfile": {
                    "terminateNotificationProfile": ON,
                    "osImageNotificationProfile": ON,
                }
            },
            ("terminateNotificationProfile", "osImageNotificationProfile"),
        ),
    ],
)
def test_of_scheduled_events_only_the_parts_that_are_switched_on_are_read(
    policy: Any, profile: Any, parts: tuple[str, ...]
) -> None:
    found = read(profile=profile, properties={"scheduledEventsPolicy": policy})
    assert (found.scheduled_events, found.scheduled_events_parts) == (bool(parts), parts)
    outcome = decide(found, (), [], Policy(defaults={"self-service": "always"}), NOW).checks
    (check,) = [check for check in outcome if check.name == "scheduled-events"]
    assert check.outcome is (Outcome.BLOCK if parts else Outcome.NOT_DECLARED)
    assert set(parts) <= SCHEDULED_EVENTS_PARTS.keys()


@pytest.mark.parametrize("policy", [None, {}, {"automaticZoneRebalancingPolicy": {"enabled": False}}])
def test_zone_rebalancing_is_on_only_where_the_resiliency_policy_says_so(policy: Any) -> None:
    assert not read(properties={"resiliencyPolicy": policy}).zone_rebalancing
    switched_on = {"automaticZoneRebalancingPolicy": {"enabled": True}}
    assert read(properties={"resiliencyPolicy": switched_on}).zone_rebalancing
    as_on_the_page = {"AutomaticZoneRebalancingPolicy": {"Enabled": True}}
    assert read(properties={"resiliencyPolicy": as_on_the_page}).zone_rebalancing


def test_the_repair_action_is_read_beside_the_repairs() -> None:
    found = read(properties={"automaticRepairsPolicy": {"enabled": True, "repairAction": "Restart"}})
    assert (found.automatic_repairs, found.repair_action) == (True, "Restart")


def test_the_simulated_azure_shows_these_settings_as_they_are_read() -> None:
    plain = uniform("plain", 1, scheduled_events_policy=True, events_published=False)
    told = uniform("told", 1, events_published=True, zone_rebalancing=True, automatic_repairs=True)
    told.repair_action = "Reimage"
    seen = [shapes.scale_set(simulated(one)) for one in (plain, told)]
    assert [one.scheduled_events_parts for one in seen] == [(), ("eventGridAndResourceGraph",)]
    assert [one.zone_rebalancing for one in seen] == [False, True]
    assert seen[1].repair_action == "Reimage"


def test_protection_from_scale_set_actions_is_read_of_each_instance() -> None:
    policy = {"protectFromScaleSetActions": True}
    assert shapes.uniform_instance({"instanceId": "0", "properties": {"protectionPolicy": policy}}).protected
    assert not shapes.uniform_instance({"instanceId": "0", "properties": {}}).protected


@pytest.mark.parametrize("written", ["stop: true", "stop: [", "stop: banana", None])
def test_a_policy_file_that_says_stop_or_cannot_be_read_stops_everything(
    written: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("stop: false", encoding="utf-8")
    wiring = Wiring(Settings(BREAKWATER_POLICY=str(path)))
    assert wiring.stopped() == ""
    path.unlink()
    if written is not None:
        path.write_text(written, encoding="utf-8")
    assert wiring.stopped()


def test_the_setting_stops_everything() -> None:
    assert Wiring(Settings(BREAKWATER_STOP="1")).stopped()
    assert Wiring(Settings()).stopped() == ""
