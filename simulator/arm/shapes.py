"""The fleet in Azure's JSON: names and nesting as published for Microsoft.Compute (api 2026-04-01)."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from simulator.arm.faults import Faults
from simulator.fleet.model import Instance, Operation, ScaleSet

Json = dict[str, Any]

POWER_WORDS = {
    "running": "VM running",
    "starting": "VM starting",
    "stopping": "VM stopping",
    "stopped": "VM stopped",
    "deallocating": "VM deallocating",
    "deallocated": "VM deallocated",
}


@lru_cache(maxsize=4096)
def stamp(moment: datetime) -> str:
    """RFC 3339 with an offset, as compute writes times."""
    return moment.isoformat()


def scale_set(found: ScaleSet) -> Json:
    uniform = found.mode == "Uniform"
    properties: Json = {
        "orchestrationMode": found.mode,
        "provisioningState": found.provisioning,
        "singlePlacementGroup": found.single_placement_group,
        "platformFaultDomainCount": found.fault_domains,
        "overprovision": False,
        "virtualMachineProfile": _profile(found),
    }
    if uniform:
        properties["upgradePolicy"] = {"mode": "Rolling" if found.upgrade else "Manual"}
    if found.created is not None:
        properties["timeCreated"] = stamp(found.created)
    if found.automatic_repairs:
        properties["automaticRepairsPolicy"] = {
            "enabled": True,
            "gracePeriod": found.repair_grace,
            "repairAction": found.repair_action,
        }
    if found.zone_rebalancing:
        rebalancing = {
            "enabled": True,
            "rebalanceStrategy": "Recreate",
            "rebalanceBehavior": "CreateBeforeDelete",
        }
        properties["resiliencyPolicy"] = {"automaticZoneRebalancingPolicy": rebalancing}
    policy = _scheduled_events_policy(found)
    if policy:
        properties["scheduledEventsPolicy"] = policy
    made: Json = {
        "name": found.name,
        "id": found.id,
        "type": "Microsoft.Compute/virtualMachineScaleSets",
        "location": found.location,
        "tags": found.tags,
        "sku": {"name": found.sku, "tier": "Standard", "capacity": len(found.instances)},
        "properties": properties,
    }
    if found.zones:
        made["zones"] = list(found.zones)
    return made


def _scheduled_events_policy(found: ScaleSet) -> Json:
    policy: Json = {}
    if found.scheduled_events_policy:
        policy["userInitiatedRedeploy"] = {"automaticallyApprove": True}
        policy["userInitiatedReboot"] = {"automaticallyApprove": True}
    if found.events_published is not None:
        published = {"enable": found.events_published, "scheduledEventsApiVersion": "2020-07-01"}
        policy["scheduledEventsAdditionalPublishingTargets"] = {"eventGridAndResourceGraph": published}
    return policy


def _profile(found: ScaleSet) -> Json:
    os_disk: Json = {"createOption": "FromImage", "caching": "ReadOnly", "diskSizeGB": 30}
    if found.ephemeral_os_disk:
        os_disk["diffDiskSettings"] = {"option": "Local", "placement": "CacheDisk"}
    network: Json = {"networkInterfaceConfigurations": []}
    extensions: list[Json] = []
    if found.health == "extension":
        extensions.append(
            _extension("HealthExtension", "Microsoft.ManagedServices", "ApplicationHealthLinux")
        )
    if found.health == "probe":
        root = found.id.split("/providers/", 1)[0]
        probe = f"{root}/providers/Microsoft.Network/loadBalancers/lb/probes/health"
        network["healthProbe"] = {"id": probe}
    if found.service_fabric:
        extensions.append(
            _extension("ServiceFabric", "Microsoft.Azure.ServiceFabric", "ServiceFabricLinuxNode")
        )
    profile: Json = {
        "storageProfile": {"osDisk": os_disk},
        "networkProfile": network,
        "extensionProfile": {"extensions": extensions},
    }
    if found.spot:
        profile |= {"priority": "Spot", "evictionPolicy": found.eviction_policy}
    events: Json = {}
    if found.terminate_notification:
        events["terminateNotificationProfile"] = {"enable": True, "notBeforeTimeout": "PT15M"}
    if found.os_image_notification:
        events["osImageNotificationProfile"] = {"enable": True, "notBeforeTimeout": "PT15M"}
    if events:
        profile["scheduledEventsProfile"] = events
    return profile


def _extension(name: str, publisher: str, kind: str) -> Json:
    return {
        "name": name,
        "properties": {"publisher": publisher, "type": kind, "typeHandlerVersion": "2.0"},
    }


def instance(found: Instance, now: datetime, faults: Faults, *, view: bool) -> Json:
    """An instance of a Uniform set, with or without its instance view."""
    properties: Json = {
        "latestModelApplied": found.latest_model,
        "modelDefinitionApplied": "VirtualMachineScaleSet",
        "vmId": found.vm_id,
        "provisioningState": found.provisioning,
    }
    if found.created is not None:
        properties["timeCreated"] = stamp(found.created)
    if found.protect_from_actions or found.protect_from_scale_in:
        properties["protectionPolicy"] = {
            "protectFromScaleIn": found.protect_from_scale_in,
            "protectFromScaleSetActions": found.protect_from_actions,
        }
    if view:
        properties["instanceView"] = instance_view(found, now, faults)
    made: Json = {
        "name": found.name,
        "id": found.id,
        "type": "Microsoft.Compute/virtualMachineScaleSets/virtualMachines",
        "location": found.owner.location,
        "instanceId": found.instance_id,
        "sku": {"name": found.owner.sku, "tier": "Standard"},
        "properties": properties,
    }
    if found.zone:
        made["zones"] = [found.zone]
    return made


def machine(found: Instance, now: datetime, faults: Faults, *, view: bool) -> Json:
    """An instance of a Flexible set: an ordinary virtual machine."""
    owner = found.owner
    properties: Json = {
        "vmId": found.vm_id,
        "provisioningState": found.provisioning,
        "virtualMachineScaleSet": {"id": owner.id},
        "hardwareProfile": {"vmSize": owner.sku},
    }
    if found.created is not None:
        properties["timeCreated"] = stamp(found.created)
    if owner.spot:
        properties |= {"priority": "Spot", "evictionPolicy": owner.eviction_policy}
    if view:
        properties["instanceView"] = instance_view(found, now, faults)
    made: Json = {
        "name": found.name,
        "id": found.id,
        "type": "Microsoft.Compute/virtualMachines",
        "location": owner.location,
        "managedBy": owner.id,
        "properties": properties,
    }
    if found.zone:
        made["zones"] = [found.zone]
    return made


@lru_cache(maxsize=64)
def _statuses(provisioning: str, power: str) -> list[Json]:
    word = provisioning.lower()
    return [
        {"code": f"ProvisioningState/{word}", "level": "Info", "displayStatus": f"Provisioning {word}"},
        {"code": f"PowerState/{power}", "level": "Info", "displayStatus": POWER_WORDS[power]},
    ]


def instance_view(found: Instance, now: datetime, faults: Faults) -> Json:
    view: Json = {"statuses": _statuses(found.provisioning, found.power)}
    if found.update_domain is not None:
        view["platformUpdateDomain"] = found.update_domain
        view["placementGroupId"] = found.placement_group
    if found.fault_domain is not None:
        view["platformFaultDomain"] = found.fault_domain
    if found.health != "missing":
        code = "wobbly" if found.name in faults.unknown_codes else found.health
        view["vmHealth"] = {"status": {"code": f"HealthState/{code}", "level": "Info"}}
    ticket = found.ticket
    if ticket is not None:
        bad = found.name in faults.malformed_dates
        starts, ends = ticket.self_service, ticket.scheduled
        view["maintenanceRedeployStatus"] = {
            "isCustomerInitiatedMaintenanceAllowed": ticket.allowed(now),
            "preMaintenanceWindowStartTime": "soon" if bad else stamp(starts.start),
            "preMaintenanceWindowEndTime": "2026-13-45T99:00:00Z" if bad else stamp(starts.end),
            "maintenanceWindowStartTime": stamp(ends.start),
            "maintenanceWindowEndTime": stamp(ends.end),
            "lastOperationResultCode": "Perplexed" if found.name in faults.unknown_codes else ticket.code,
            "lastOperationMessage": ticket.message,
        }
    return view


def rolling_upgrade(found: ScaleSet) -> Json:
    running = found.upgrade == "RollingForward"
    started = found.upgrade_started
    return {
        "name": "latest",
        "id": f"{found.id}/rollingUpgrades/latest",
        "type": "Microsoft.Compute/virtualMachineScaleSets/rollingUpgrades",
        "location": found.location,
        "properties": {
            "policy": {"maxBatchInstancePercent": 20, "maxUnhealthyInstancePercent": 20},
            "runningStatus": {
                "code": found.upgrade,
                "startTime": stamp(started) if started is not None else None,
                "lastAction": "Start",
            },
            "progress": {
                "successfulInstanceCount": 0 if running else len(found.instances),
                "failedInstanceCount": 0,
                "inProgressInstanceCount": 1 if running else 0,
                "pendingInstanceCount": max(0, len(found.instances) - 1) if running else 0,
            },
        },
    }


def operation(found: Operation) -> Json:
    made: Json = {"name": found.id, "startTime": stamp(found.started), "status": found.status}
    if found.ended is not None:
        made["endTime"] = stamp(found.ended)
    if found.status == "Failed":
        made["error"] = {"code": found.code, "message": found.message}
    return made


def error(code: str, message: str) -> Json:
    return {"error": {"code": code, "message": message}}
