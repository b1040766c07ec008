"""From Azure's JSON to the planner's values: tolerant of what is left out, honest about what is garbled."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

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

type Json = Mapping[str, Any]

_HEALTH = {
    "healthstate/healthy": Health.HEALTHY,
    "healthstate/unhealthy": Health.UNHEALTHY,
    "healthstate/initializing": Health.INITIALIZING,
}


def scale_set(raw: Json) -> ScaleSet:
    """A scale set from its ARM resource.

    Raises ValueError with a sentence when the id is not one of a scale set: nothing can be done with it.
    """
    arm_id = str(raw.get("id", ""))
    subscription, resource_group, name = id_parts(arm_id)
    properties = _map(raw, "properties")
    profile = _map(properties, "virtualMachineProfile")
    os_disk = _map(_map(profile, "storageProfile"), "osDisk")
    events = _scheduled_events(properties, profile)
    repairing = _map(properties, "automaticRepairsPolicy")
    rebalancing = _map(_any_case(_map(properties, "resiliencyPolicy")), "automaticzonerebalancingpolicy")
    flexible = str(properties.get("orchestrationMode", "")).lower() == "flexible"
    return ScaleSet(
        id=arm_id,
        subscription=subscription,
        resource_group=resource_group,
        name=name,
        location=str(raw.get("location", "")),
        orchestration=Orchestration.FLEXIBLE if flexible else Orchestration.UNIFORM,
        tags={str(key): str(value) for key, value in _map(raw, "tags").items()},
        zones=tuple(str(zone) for zone in raw.get("zones") or ()),
        sku=str(_map(raw, "sku").get("name", "")),
        managed_by=str(raw.get("managedBy") or ""),
        provisioning=str(properties.get("provisioningState", Provisioning.UNKNOWN)).lower(),
        spot=str(profile.get("priority", "")).lower() == "spot" or bool(properties.get("priorityMixPolicy")),
        ephemeral_os_disk=str(_map(os_disk, "diffDiskSettings").get("option", "")).lower() == "local",
        service_fabric=any("servicefabric" in publisher for publisher in _publishers(profile)),
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

    Raises ValueError for what is no such view: no repairs and nothing to be read are not the same.
    """
    if not raw.keys() & {"virtualMachine", "statuses", "orchestrationServices"}:
        raise ValueError("it is no instance view of a scale set.")
    for service in raw.get("orchestrationServices") or ():
        if str(service.get("serviceName", "")).lower() == "automaticrepairs":
            state = service.get("serviceState")
            if not isinstance(state, str) or not state:
                raise ValueError("it lists automatic repairs without a state.")
            return state.lower()
    return ""


def id_parts(arm_id: str) -> tuple[str, str, str]:
    """Subscription, resource group and name of a scale set's ARM id; ValueError for anything else."""
    parts = arm_id.split("/")
    fixed = [part.lower() for part in parts[1::2]]
    if len(parts) != 9 or fixed != [
        "subscriptions",
        "resourcegroups",
        "providers",
        "virtualmachinescalesets",
    ]:
        raise ValueError(f"{arm_id[:200]!r} is not the ARM id of a Virtual Machine Scale Set.")
    return parts[2], parts[4], parts[8]


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
        return Unreadable("Azure sent a maintenance status in a form nobody knows")
    problems: list[str] = []
    allowed = raw.get("isCustomerInitiatedMaintenanceAllowed")
    if not isinstance(allowed, bool):
        return Unreadable("Azure sent a maintenance status that does not say whether it may be started")
    return MaintenanceStatus(
        allowed=allowed,
        self_service=_interval(raw, "preMaintenanceWindow", problems),
        scheduled=_interval(raw, "maintenanceWindow", problems),
        result=str(raw.get("lastOperationResultCode") or ResultCode.NONE),
        message=str(raw.get("lastOperationMessage") or "")[:500],
        unreadable="; ".join(problems),
    )


def _interval(raw: Json, prefix: str, problems: list[str]) -> Interval | None:
    start, end = raw.get(f"{prefix}StartTime"), raw.get(f"{prefix}EndTime")
    if not start or not end:
        return None
    try:
        return Interval(_time(start), _time(end))
    except ValueError:
        problems.append(f"{prefix} is {str(start)[:40]!r} to {str(end)[:40]!r}, which is no pair of times")
        return None


_times: dict[str, datetime] = {}


def _time(text: Any) -> datetime:
    # A thousand instances of a wave share two windows: parsed once.
    known = _times.get(text) if isinstance(text, str) else None
    if known is not None:
        return known
    parsed = instant(text)
    if len(_times) > 1000:
        _times.clear()
    _times[str(text)] = parsed
    return parsed


def instant(text: Any) -> datetime:
    """An RFC 3339 time as aware UTC, UTC where it names no zone; ValueError for anything else."""
    parsed = datetime.fromisoformat(str(text))
    try:
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{str(text)[:40]!r} is before the first year or after the last") from error


def _created(properties: Json) -> datetime | None:
    """When it was created; only ever worth knowing, so what cannot be read is left out."""
    told = properties.get("timeCreated")
    try:
        return instant(told) if told else None
    except ValueError:
        return None


def _map(raw: Json, key: str) -> Json:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _any_case(raw: Json) -> Json:
    """With lower-case keys: Microsoft's own page spells a few with a capital, its API without."""
    return {key.lower(): value for key, value in raw.items()}


def _publishers(profile: Json) -> list[str]:
    extensions = _map(profile, "extensionProfile").get("extensions") or ()
    return [str(_map(one, "properties").get("publisher", "")).lower() for one in extensions]


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
