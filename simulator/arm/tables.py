"""Tables of Resource Graph over a fleet's records: what changed in the last 14 days, and machines."""

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from simulator.arm.kql import Row
from simulator.fleet.records import Annotation, Change
from simulator.fleet.world import World

KEPT = timedelta(days=14)


def resource_changes(world: World, subscriptions: Collection[str]) -> list[Row]:
    return [
        _row(
            one.resource,
            "microsoft.compute/virtualmachinescalesets",
            one,
            {one.path: (one.before, one.after)},
        )
        for one in world.records.changes
        if one.at > world.now - KEPT and _subscription(one.resource) in subscriptions
    ]


def health_changes(world: World, subscriptions: Collection[str]) -> list[Row]:
    """Changes of what Resource Health says of machines: its annotations, one at a time."""
    last: dict[str, str] = {}
    rows: list[Row] = []
    for one in world.records.annotations:
        changes = {
            "properties.annotationName": (last.get(one.resource, ""), one.name),
            "properties.category": ("", "Planned" if one.planned else "Unplanned"),
            "properties.context": ("", "Platform Initiated"),
        }
        last[one.resource] = one.name
        if one.at > world.now - KEPT and _subscription(one.resource) in subscriptions:
            target = f"{one.resource}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"
            rows.append(_row(target, "microsoft.resourcehealth/resourceannotations", one, changes))
    return rows


def resources(world: World, subscriptions: Collection[str]) -> list[Row]:
    """The machines of Flexible scale sets, as much of them as is asked about."""
    return [
        {
            "id": one.id,
            "name": one.name,
            "type": "microsoft.compute/virtualmachines",
            "subscriptionId": one.owner.subscription,
            "location": one.owner.location,
            "properties": {
                "virtualMachineScaleSet": {"id": one.owner.id},
                "hardwareProfile": {"vmSize": one.owner.sku},
            },
        }
        for one in world.machines.values()
        if one.owner.subscription.lower() in subscriptions
    ]


TABLES: dict[str, Callable[[World, Collection[str]], list[Row]]] = {
    "resourcechanges": resource_changes,
    "healthresourcechanges": health_changes,
    "resources": resources,
}


def _subscription(arm_id: str) -> str:
    return arm_id.split("/")[2].lower()


def _row(target: str, kind: str, one: Change | Annotation, changes: dict[str, tuple[str, str]]) -> Row:
    name = str(uuid5(NAMESPACE_URL, f"{target}/{one.at}/{sorted(changes)}"))
    person = one.by if isinstance(one, Change) else "System"
    return {
        "id": f"{target}/providers/Microsoft.Resources/changes/{name}",
        "name": name,
        "type": "microsoft.resources/changes",
        "subscriptionId": target.split("/")[2],
        "resourceGroup": target.split("/")[4].lower(),
        "location": "",
        "properties": {
            "targetResourceId": target,
            "targetResourceType": kind,
            "changeType": "Update",
            "changeAttributes": {
                "timestamp": one.at.isoformat(timespec="milliseconds"),
                "changedBy": person,
                "changedByType": "User" if "@" in person else "System",
                "changesCount": len(changes),
                "correlationId": name,
            },
            "changes": {
                path: {
                    "newValue": after,
                    "previousValue": before,
                    "changeCategory": "User",
                    "propertyChangeType": "Update",
                }
                for path, (before, after) in changes.items()
            },
        },
    }
