"""Scale sets by the dozen, their instances spread over zones, placement groups and domains as Azure does."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack
from uuid import NAMESPACE_URL, uuid5

from simulator.fleet.behaviour import Behaviour
from simulator.fleet.model import Instance, RepairAction, ScaleSet
from simulator.fleet.repair_service import RepairService

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


class Traits(TypedDict, total=False):
    """What a scale set may be given besides its size; see `ScaleSet`."""

    subscription: str
    resource_group: str
    location: str
    zones: tuple[str, ...]
    sku: str
    tags: dict[str, str]
    health: Literal["extension", "probe", "none"]
    fault_domains: int
    managed_by: str | None
    service_fabric: bool
    spot: bool
    eviction_policy: Literal["Deallocate", "Delete"]
    ephemeral_os_disk: bool
    automatic_repairs: bool
    repair_grace: str
    repair_action: RepairAction
    zone_rebalancing: bool
    repairs: RepairService
    terminate_notification: bool
    os_image_notification: bool
    scheduled_events_policy: bool
    events_published: bool
    provisioning: str


def _set(name: str, mode: Literal["Uniform", "Flexible"], traits: Traits, *, single: bool) -> ScaleSet:
    values: dict[str, Any] = {
        "subscription": SUBSCRIPTION,
        "resource_group": "rg-breakwater",
        "location": "westeurope",
        **traits,
    }
    return ScaleSet(name=name, mode=mode, single_placement_group=single, **values)


def uniform(
    name: str,
    count: int = 10,
    *,
    update_domains: int = 5,
    placement_groups: int = 1,
    behaviour: Behaviour | None = None,
    **traits: Unpack[Traits],
) -> ScaleSet:
    """A Uniform scale set of `count` instances, numbered from 0.

    Domains are per zone and placement group: two groups of five update domains are ten domains.
    """
    made = _set(name, "Uniform", traits, single=placement_groups == 1)
    made.created = datetime.fromisoformat("2026-01-12T08:00:00+00:00")
    for number in range(count):
        grow(made, str(number), update_domains, placement_groups, behaviour or Behaviour())
    return made


def flexible(
    name: str, count: int = 6, *, behaviour: Behaviour | None = None, **traits: Unpack[Traits]
) -> ScaleSet:
    """A Flexible scale set: its instances are virtual machines called `<name>_<8 hex digits>`."""
    made = _set(name, "Flexible", traits, single=False)
    made.created = datetime.fromisoformat("2026-01-12T08:00:00+00:00")
    for number in range(count):
        suffix = str(uuid5(NAMESPACE_URL, f"{made.id}/{number}"))[:8]
        grow(made, f"{name}_{suffix}", 0, 1, behaviour or Behaviour())
    return made


def grow(
    scale_set: ScaleSet, instance_id: str, update_domains: int, placement_groups: int, behaviour: Behaviour
) -> Instance:
    """Add the next instance where Azure would put it."""
    place = len(scale_set.instances)
    zones = scale_set.zones or ("",)
    zone, within = zones[place % len(zones)], place // len(zones)
    uniform_ = scale_set.mode == "Uniform"
    group = (
        str(uuid5(NAMESPACE_URL, f"{scale_set.id}/{zone}/{within % placement_groups}")) if uniform_ else ""
    )
    rank = within // placement_groups
    instance = Instance(
        owner=scale_set,
        instance_id=instance_id,
        name=f"{scale_set.name}_{instance_id}" if uniform_ else instance_id,
        vm_id=str(uuid5(NAMESPACE_URL, f"{scale_set.id}/vm/{instance_id}")),
        zone=zone,
        placement_group=group,
        update_domain=rank % update_domains if uniform_ else None,
        fault_domain=rank % scale_set.fault_domains,
        behaviour=replace(behaviour),
        created=scale_set.created,
    )
    scale_set.instances[instance_id] = instance
    if instance_id.isdigit():
        scale_set.last_number = max(scale_set.last_number, int(instance_id))
    scale_set.version += 1
    return instance
