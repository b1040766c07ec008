"""Records of a fleet in Azure's JSON, as published: activity log events, autoscale settings, schedules, groups."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from simulator.fleet.records import AUTOSCALE, Activity, AutoscaleSetting, Group, Profile, Shutdown

Json = dict[str, Any]

PACE = (("Started", timedelta(0)), ("Accepted", timedelta(seconds=1)), ("", timedelta(seconds=40)))
"""An operation is logged when it starts, when it is accepted, and when it has ended one way or the other."""


def ticks(at: datetime) -> str:
    """As the activity log writes times: seven digits of a second."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f0Z")


def events(done: Activity, now: datetime) -> Iterator[tuple[datetime, Json]]:
    """What the log has of an operation by now, oldest first."""
    if done.caller == AUTOSCALE and "autoscalesettings" in done.operation.lower():
        yield done.at, _event(done, done.at, done.outcome)
        return
    for status, after in PACE:
        if done.at + after <= now and not (after and done.outcome == "Started"):
            yield done.at + after, _event(done, done.at + after, status or done.outcome)


def _event(done: Activity, at: datetime, status: str) -> Json:
    parts = done.resource.split("/")
    provider, kind = parts[6], "/".join(parts[6:7] + parts[7::2])
    event = str(uuid5(NAMESPACE_URL, f"{done.correlation}/{done.resource}/{status}"))
    scaling = done.caller == AUTOSCALE and "autoscalesettings" in done.operation.lower()
    made: Json = {
        "caller": done.caller,
        "channels": "Admin, Operation" if scaling else "Operation",
        "claims": _claims(done.caller),
        "correlationId": done.correlation,
        "description": done.properties.get("Description", ""),
        "eventDataId": event,
        "eventName": _words("AutoscaleAction" if scaling else _name(status)),
        "category": _words("Autoscale" if scaling else "Administrative"),
        "eventTimestamp": ticks(at),
        "id": f"{done.resource}/events/{event}/ticks/{int(at.timestamp() * 10**7) + 621355968000000000}",
        "level": "Error" if status == "Failed" else "Informational",
        "operationId": str(uuid5(NAMESPACE_URL, f"{done.correlation}/{done.resource}")),
        "operationName": _words(done.operation),
        "resourceGroupName": parts[4],
        "resourceProviderName": _words(provider),
        "resourceType": _words(kind),
        "resourceId": done.resource,
        "status": _words(status),
        "subStatus": _words("Accepted" if status == "Accepted" else ""),
        "submissionTimestamp": ticks(at + timedelta(seconds=90)),
        "subscriptionId": parts[2],
        "properties": done.properties,
        "relatedEvents": [],
    }
    if not scaling:
        made["authorization"] = {"action": done.operation, "scope": done.resource}
        made["httpRequest"] = {"clientRequestId": event, "clientIpAddress": "192.0.2.7", "method": "POST"}
    return made


def _name(status: str) -> str:
    return "BeginRequest" if status == "Started" else "EndRequest"


def _words(value: str) -> Json:
    return {"value": value, "localizedValue": value}


def _claims(caller: str) -> Json:
    """What the log keeps of a token: a person's names, or an application's id."""
    schema = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
    if caller == AUTOSCALE:
        return {f"{schema}/spn": caller}
    if "@" in caller:
        return {
            "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46",
            f"{schema}/name": caller,
            f"{schema}/upn": caller,
        }
    return {"aud": "https://management.azure.com", "appid": caller, "appidacr": "2"}


def autoscale(found: AutoscaleSetting) -> Json:
    root = found.target.split("/providers/", 1)[0]
    return {
        "id": f"{root}/providers/microsoft.insights/autoscalesettings/{found.name}",
        "name": found.name,
        "type": "Microsoft.Insights/autoscaleSettings",
        "location": found.location,
        "tags": {},
        "properties": {
            "name": found.name,
            "enabled": found.enabled,
            "targetResourceUri": found.target,
            "targetResourceLocation": found.location,
            "profiles": [_profile(one, found.target) for one in found.profiles],
            "notifications": [],
            "predictiveAutoscalePolicy": None,
        },
    }


def _profile(found: Profile, target: str) -> Json:
    made: Json = {
        "name": found.name,
        "capacity": {
            "minimum": str(found.minimum),
            "maximum": str(found.maximum),
            "default": str(found.minimum),
        },
        "rules": [_rule(direction, target) for direction in found.directions],
    }
    if found.recurrence:
        schedule = {
            "timeZone": "W. Europe Standard Time",
            "days": list(found.recurrence),
            "hours": [19],
            "minutes": [0],
        }
        made["recurrence"] = {"frequency": "Week", "schedule": schedule}
    return made


def _rule(direction: str, target: str) -> Json:
    return {
        "metricTrigger": {
            "metricName": "Percentage CPU",
            "metricNamespace": "",
            "metricResourceUri": target,
            "timeGrain": "PT1M",
            "statistic": "Average",
            "timeWindow": "PT5M",
            "timeAggregation": "Average",
            "operator": "GreaterThan" if direction == "Increase" else "LessThan",
            "threshold": 70.0 if direction == "Increase" else 30.0,
            "dimensions": [],
            "dividePerInstance": False,
        },
        "scaleAction": {"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
    }


def shutdown(found: Shutdown) -> Json:
    root = found.target.split("/providers/", 1)[0]
    return {
        "id": f"{root.lower()}/providers/microsoft.devtestlab/schedules/{found.name}",
        "name": found.name,
        "type": "microsoft.devtestlab/schedules",
        "location": found.location,
        "properties": {
            "status": "Enabled" if found.enabled else "Disabled",
            "taskType": found.task,
            "dailyRecurrence": {"time": found.time},
            "timeZoneId": "W. Europe Standard Time",
            "notificationSettings": {"status": "Disabled", "timeInMinutes": 30},
            "createdDate": "2026-01-12T08:00:00.0000000+00:00",
            "targetResourceId": found.target,
            "provisioningState": "Succeeded",
            "uniqueIdentifier": str(uuid5(NAMESPACE_URL, found.target)),
        },
    }


def group(found: Group) -> Json:
    made: Json = {
        "id": f"/subscriptions/{found.subscription}/resourceGroups/{found.name}",
        "name": found.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": found.location,
        "properties": {"provisioningState": "Succeeded"},
    }
    if found.managed_by:
        made["managedBy"] = found.managed_by
    return made


def subscription(found: str) -> Json:
    return {
        "id": f"/subscriptions/{found}",
        "subscriptionId": found,
        "tenantId": str(uuid5(NAMESPACE_URL, "tenant")),
        "displayName": f"Subscription {found[:4]}",
        "state": "Enabled",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
    }
