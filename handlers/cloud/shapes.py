"""From Azure's JSON to the planner's values: tolerant of what is left out, honest about what is garbled."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from typing import Any

from handlers.wire.messages import arm_parts
from handlers.wire.outside_json import utc_time
from planner.azure.fleet import (
    Health,
    Instance,
    Interval,
    Maintenance,
    MaintenanceStatus,
    Orchestration,
    Power,
    Provisioning,
    ResultCode,
    ScaleSet,
    Unreadable,
)
from planner.text.phrases import shortened

type Json = Mapping[str, Any]

_HEALTH = {
    "healthstate/healthy": Health.HEALTHY,
    "healthstate/unhealthy": Health.UNHEALTHY,
    "healthstate/initializing": Health.INITIALIZING,
}


def scale_set(raw: Json) -> ScaleSet:
    """A scale set from its ARM resource.

    Raises ValueError with a sentence when its id is not that of a scale set.
    """
    arm_id = str(raw.get("id", ""))
    subscription, resource_group, name = arm_parts(arm_id)
    properties = _map(raw, "properties")
    profile = _map(properties, "virtualMachineProfile")
    os_disk = _map(_map(profile, "storageProfile"), "osDisk")
    events = _scheduled_events(properties, profile)
    repairing = _map(properties, "automaticRepairsPolicy")
    rebalancing = _map(_any_case(_map(properties, "resiliencyPolicy")), "automaticzonerebalancingpolicy")
    extensions = _map(profile, "extensionProfile").get("extensions") or ()
    publishers = [str(_map(extension, "properties").get("publisher", "")).lower() for extension in extensions]
    flexible = str(properties.get("orchestrationMode", "")).lower() == "flexible"
    return ScaleSet(
        id=arm_id,
        subscription=subscription,
        resource_group=resource_group,
        name=name,
        location=str(raw.get("location", "")),
        orchestration=Orchestration.FLEXIBLE if flexible else Orchestration.UNIFORM,
        tags={str(key): str(value) for key, value in _map(raw, "tags").items()},
        managed_by=str(raw.get("managedBy") or ""),
        provisioning=str(properties.get("provisioningState", Provisioning.UNKNOWN)).lower(),
        spot=str(profile.get("priority", "")).lower() == "spot" or bool(properties.get("priorityMixPolicy")),
        ephemeral_os_disk=str(_map(os_disk, "diffDiskSettings").get("option", "")).lower() == "local",
        service_fabric=any("servicefabric" in publisher for publisher in publishers),
        scheduled_events=bool(events),
        scheduled_events_parts=events,
        automatic_repairs=bool(repairing.get("enabled")),
        repair_action=str(repairing.get("repairAction") or ""),
        zone_rebalancing=bool(_any_case(rebalancing).get("enabled")),
        created=_created(properties),
    )


def rolling_upgrade(raw: Json) -> str:
    """What the latest rolling upgrade is doing, in Azure's word."""
    return str(_map(_map(raw, "properties"), "runningStatus").get("code", ""))


def repairs(raw: Json) -> str:
    """The state of automatic repairs in a scale set's instance view, lower case; empty when not listed.

    Raises ValueError for anything else than such a view: that it shows no repairs must not be taken for none.
    """
    if not raw.keys() & {"virtualMachine", "statuses", "orchestrationServices"}:
        raise ValueError("it is not an instance view of a scale set.")
    for service in raw.get("orchestrationServices") or ():
        if str(service.get("serviceName", "")).lower() == "automaticrepairs":
            state = service.get("serviceState")
            if not isinstance(state, str) or not state:
                raise ValueError("it lists automatic repairs without a state.")
            return state.lower()
    return ""


NO_VIEW = Unreadable("Azure sent it without its instance view")
NO_STATES = Unreadable("Azure sent its instance view without a power state")


def uniform_instance(raw: Json) -> Instance:
    """An instance of a Uniform scale set, read with `$expand=instanceView`."""
    return _instance(str(raw.get("instanceId", "")), raw)


def flexible_instance(raw: Json) -> Instance:
    """A virtual machine of a Flexible scale set, read with `$expand=instanceView`."""
    return _instance(str(raw.get("name", "")), raw)


def _instance(instance_id: str, raw: Json) -> Instance:
    properties = _map(raw, "properties")
    # Azure answers listings without the view that was asked for (azure-sdk-for-go#19707).
    view = _map(properties, "instanceView")
    power, provisioning = str(Power.UNKNOWN), str(properties.get("provisioningState") or "").lower()
    for status in view.get("statuses") or ():
        kind, _, value = str(status.get("code", "")).partition("/")
        if kind == "PowerState":
            power = value.lower() or Power.UNKNOWN
        elif kind == "ProvisioningState" and not provisioning:
            provisioning = value.partition("/")[0].lower()
    zones = raw.get("zones")
    protection = properties.get("protectionPolicy") or {}
    update_domain = view.get("platformUpdateDomain")
    return Instance(
        id=instance_id,
        zone=str(zones[0]) if zones else "",
        placement_group=str(view.get("placementGroupId") or ""),
        update_domain=update_domain if isinstance(update_domain, int) else None,
        power=power,
        provisioning=provisioning or Provisioning.UNKNOWN,
        health=_health(view.get("vmHealth")) if view else Health.UNKNOWN,
        protected=protection.get("protectFromScaleSetActions") is True,
        created=_created(properties),
        maintenance=_maintenance(view, power),
    )


def _health(raw: Any) -> Health:
    if not isinstance(raw, dict):
        return Health.NOT_REPORTED
    code = str((raw.get("status") or {}).get("code", "")).lower()
    return _HEALTH.get(code, Health.UNKNOWN)


def _maintenance(view: Json, power: str) -> Maintenance:
    """The status in an instance view; a view that is missing or holds next to nothing is not "none"."""
    if not view:
        return NO_VIEW
    raw = view.get("maintenanceRedeployStatus")
    if raw is None:
        return NO_STATES if power == Power.UNKNOWN else None
    if not isinstance(raw, dict):
        return Unreadable("Azure sent a maintenance status in an unknown form")
    allowed = raw.get("isCustomerInitiatedMaintenanceAllowed")
    if not isinstance(allowed, bool):
        return Unreadable("Azure sent a maintenance status that does not say whether it may be started")
    problems: list[str] = []
    return MaintenanceStatus(
        allowed=allowed,
        self_service=_interval(raw, "preMaintenanceWindow", problems),
        scheduled=_interval(raw, "maintenanceWindow", problems),
        result=str(raw.get("lastOperationResultCode") or ResultCode.NONE),
        message=shortened(str(raw.get("lastOperationMessage") or ""), 500),
        unreadable="; ".join(problems),
    )


def _interval(raw: Json, prefix: str, problems: list[str]) -> Interval | None:
    start, end = raw.get(f"{prefix}StartTime"), raw.get(f"{prefix}EndTime")
    if not start or not end:
        return None
    try:
        return Interval(_time(str(start)), _time(str(end)))
    except ValueError:
        problems.append(f"{prefix} is {str(start)[:40]!r} to {str(end)[:40]!r}, which is not a pair of times")
        return None


# Cached, because a thousand instances of a wave share two windows.
_time = lru_cache(maxsize=1000)(utc_time)


def _created(properties: Json) -> datetime | None:
    """When it was created; nothing depends on it, so what cannot be read is left out."""
    with suppress(ValueError):
        return utc_time(str(properties.get("timeCreated")))
    return None


def _map(raw: Json, key: str) -> Json:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _any_case(raw: Json) -> Json:
    """With lower-case keys: Microsoft's page spells some of them with a capital, its API without."""
    return {key.lower(): value for key, value in raw.items()}


def _scheduled_events(properties: Json, profile: Json) -> tuple[str, ...]:
    """The parts about scheduled events that are switched on, in Azure's spelling."""
    policy = _map(properties, "scheduledEventsPolicy")
    places = (
        *_map(profile, "scheduledEventsProfile").items(),
        *_map(policy, "scheduledEventsAdditionalPublishingTargets").items(),
        *policy.items(),
    )
    switched_on = [name for name, part in places if isinstance(part, dict) and part.get("enable")]
    return tuple(dict.fromkeys(switched_on))
