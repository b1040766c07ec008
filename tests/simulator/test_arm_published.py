"""The simulated ARM says nothing that is not published: names as in the compute client's models, known versions."""

import re
from typing import Any

import aiohttp
import pytest
from azure.mgmt.compute import models

from simulator.arm import Faults, shapes
from simulator.arm.set_view import scale_set_view
from simulator.arm.versions import COMPUTE, OTHERS
from simulator.fleet import ScaleSet, flexible, uniform
from tests.simulator.support import START, Stage, azure

TOLD = {
    "zones": ("1", "2", "3"), "tags": {"a": "b"}, "managed_by": "/the/manager", "service_fabric": True,
    "spot": True, "ephemeral_os_disk": True, "automatic_repairs": True, "terminate_notification": True,
    "os_image_notification": True, "scheduled_events_policy": True,
    "events_published": True, "zone_rebalancing": True, "repair_action": "Restart",
}  # fmt: skip


def strange(model: Any, said: dict[str, Any], path: str) -> list[str]:
    """The names in an answer, nested ones included, that the model of the published API does not have."""
    model({})  # its fields are collected when the first one is made
    annotations: dict[str, Any] = {}
    known: dict[str, str] = {}
    for base in reversed(model.__mro__):
        annotations |= getattr(base, "__annotations__", {})
        known |= {one._rest_name: name for name, one in getattr(base, "_attr_to_rest_field", {}).items()}
    found = [f"{path}.{key}" for key in said if key not in known]
    for key in sorted(said.keys() & known.keys()):
        named = re.search(r"_models\.(\w+)", str(annotations.get(known[key], "")))
        inner = said[key] if isinstance(said[key], list) else [said[key]]
        if named and (deeper := getattr(models, named[1], None)) is not None:
            found += [
                bad for one in inner if isinstance(one, dict) for bad in strange(deeper, one, f"{path}.{key}")
            ]
    return found


def answers(scale_set: ScaleSet) -> list[tuple[Any, dict[str, Any]]]:
    """Everything said of a scale set and of its instances, with the model each answer is read as."""
    said = [(models.VirtualMachineScaleSet, shapes.scale_set(scale_set))]
    if scale_set.mode == "Uniform":
        said.append((models.VirtualMachineScaleSetInstanceView, scale_set_view(scale_set)))
        said.append((models.RollingUpgradeStatusInfo, shapes.rolling_upgrade(scale_set)))
    write, model = (
        (shapes.instance, models.VirtualMachineScaleSetVM)
        if scale_set.mode == "Uniform"
        else (shapes.machine, models.VirtualMachine)
    )
    views = [(model, write(one, START, Faults(), view=True)) for one in scale_set.instances.values()]
    return said + views


def test_a_name_that_is_not_published_is_found_however_deep_it_is() -> None:
    said = {
        "id": "/x",
        "properties": {"instanceView": {"vmHealth": {"state": {}}, "statuses": [{"kode": "x"}]}},
    }
    found = strange(models.VirtualMachineScaleSetVM, said, "vm")
    assert found == ["vm.properties.instanceView.statuses.kode", "vm.properties.instanceView.vmHealth.state"]


@pytest.mark.parametrize("health", ["extension", "probe", "none"])
def test_every_name_in_an_answer_is_one_of_the_published_models(health) -> None:
    sets = uniform("web", 2, health=health, **TOLD), flexible("api", 2, health=health, **TOLD)
    stage = Stage(*sets)
    stage.fleet.people.protect(stage.fleet.instance("web", "0"), from_actions=True)
    stage.fleet.people.start_rolling_upgrade(stage.fleet.scale_set("web"))
    assert all(one.ticket for one in stage.fleet.world.instances())
    for scale_set in sets:
        for model, said in answers(scale_set):
            assert strange(model, said, model.__name__) == []


def test_what_manages_a_scale_set_is_said_of_its_resource_group() -> None:
    stage = Stage(uniform("pool", managed_by="/the/cluster"))
    assert stage.fleet.upkeep.group(stage.fleet.scale_set("pool")).managed_by == "/the/cluster"


async def test_calls_in_older_versions_are_answered_and_in_those_nobody_published_refused(
    monkeypatch,
) -> None:
    stage = Stage()
    root = f"/subscriptions/{stage.fleet.scale_set('web').subscription}"
    calls = {
        stage.fleet.scale_set("web").id: COMPUTE,
        f"{root}/resourcegroups": OTHERS["resource groups"],
        f"{root}/providers/Microsoft.Insights/autoscalesettings": OTHERS["autoscale settings"],
    }
    async with azure(stage.fleet, monkeypatch) as (_, server), aiohttp.ClientSession() as session:
        ours = {"Authorization": f"Bearer {server.token}"}
        for path, version in calls.items():
            for asked, status in (
                (version, 200),
                ("2015-01-01", 200),
                ("2015-13-01", 400),
                ("2099-01-01", 400),
                ("", 400),
            ):
                address = f"{server.url}{path}?api-version={asked}"
                async with session.get(address, headers=ours) as answer:
                    assert answer.status == status, (path, asked)
                    if asked and status == 400:
                        assert (await answer.json())["error"]["code"] == "NoRegisteredProviderFound"
