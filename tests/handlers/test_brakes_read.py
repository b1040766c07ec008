"""The brakes as they are read: from Azure's JSON, from the settings, from the policy file."""

from pathlib import Path
from typing import Any

import pytest

from handlers.cloud import shapes
from handlers.wire.settings import Settings
from handlers.wiring import Wiring

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
    [{"managedBy": "/x/y"}, {"group": "MC_team_cluster_westeurope"}, {"tags": {"aks-managed-poolName": "a"}}],
)
def test_who_manages_a_scale_set_is_read_from_its_manager_its_group_and_its_tags(fields: Any) -> None:
    assert read(**fields).managed_by


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
