"""What an action group posts about a wave, in both schemas (azure-facts 1.1 and 1.2).

The oddities are Azure's: impactedServices is JSON in a string, in the common schema eventSource, level and
channels are numbers and the subscription stands only in alertTargetIDs, the impact times say nothing about
whether the event is over, and regions go by their display names.
"""

import html
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from simulator.fleet.waves import Wave
from simulator.fleet.world import World

Stage = Literal["Active", "Planned", "InProgress", "Canceled", "Rescheduled", "Resolved", "Complete"]
Schema = Literal["common", "legacy"]

SERVICES = ("Virtual Machines", "Virtual Machine Scale Sets")
TERMINAL = frozenset({"Canceled", "Resolved", "Complete"})
LEVELS = {"Critical": 0, "Error": 1, "Warning": 2, "Informational": 3}
NAMES = {
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "eastus": "East US",
    "eastus2": "East US 2",
    "westus2": "West US 2",
    "uksouth": "UK South",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "swedencentral": "Sweden Central",
}
WORDS: dict[Stage, str] = {
    "Active": "is active",
    "Planned": "is planned",
    "InProgress": "has started",
    "Canceled": "has been cancelled",
    "Rescheduled": "has been rescheduled",
    "Resolved": "has been resolved",
    "Complete": "is complete",
}


def stamp(moment: datetime) -> str:
    """RFC 3339 with milliseconds, as alerts write times."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def payload(
    world: World,
    wave: Wave,
    stage: Stage,
    schema: Schema,
    *,
    subscription: str | None = None,
    communication_id: str | None = None,
    event_data_id: str | None = None,
    event_at: datetime | None = None,
    submitted_at: datetime | None = None,
    level: Literal["Informational", "Warning"] = "Informational",
    title: str | None = None,
    services: Sequence[str] = SERVICES,
    regions: Sequence[str] | None = None,
    reboot: bool = True,
    services_as: Literal["string", "array"] = "string",
    enums_as: Literal["numbers", "words"] = "numbers",
    synthetic: bool = False,
    communication: str | None = None,
    properties: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The body for one stage of a wave, about one of its subscriptions (the first unless named).

    communication_id and event_data_id are fresh unless given: give the same ones for a duplicate.
    event_at and submitted_at are the clock's unless given: give earlier ones for one that arrives late.
    reboot False tells of a pause of seconds instead. `properties` overrides or adds single properties; a
    value of None removes one.
    """
    about = subscription or wave.subscriptions[0]
    said_at = event_at or world.now
    status = "Resolved" if stage in TERMINAL else "Active"
    facts = _properties(
        wave,
        stage,
        title=title or f"{wave.title} {WORDS[stage]}",
        services=list(services),
        regions=[NAMES.get(r, r) for r in (regions or wave.regions)],
        text=communication or _communication(wave, stage, reboot=reboot),
        services_as=services_as,
        synthetic=synthetic,
    )
    facts["communicationId"] = communication_id or str(
        int(world.unique("communication").replace("-", "")[:14], 16)
    )
    facts |= properties or {}
    event: dict[str, Any] = {
        "channels": 1,
        "correlationId": world.unique("correlation"),
        "eventSource": 2,
        "eventTimestamp": stamp(said_at),
        "eventDataId": event_data_id or world.unique("event"),
        "level": LEVELS[level],
        "operationName": "Microsoft.ServiceHealth/maintenance/action",
        "operationId": world.unique("operation id"),
        "properties": {key: value for key, value in facts.items() if value is not None},
        "status": status,
        "submissionTimestamp": stamp(submitted_at or said_at),
    }
    if enums_as == "words" or schema == "legacy":
        event |= {"channels": "Admin", "eventSource": "ServiceHealth", "level": level}
    return _common(event, about, said_at) if schema == "common" else _legacy(event, about)


def _properties(
    wave: Wave,
    stage: Stage,
    *,
    title: str,
    services: list[str],
    regions: list[str],
    text: str,
    services_as: str,
    synthetic: bool,
) -> dict[str, Any]:
    impacted = [
        {"ImpactedRegions": [{"RegionName": region} for region in regions], "ServiceName": service}
        for service in services
    ]
    cell = "<td align='center' style='padding: 5px 10px; border-bottom:1px solid black'>"
    where = "<br>".join(map(html.escape, regions))
    rows = "".join(
        f"<tr>\r\n{cell}{html.escape(service)}</td>\r\n{cell}{where}<br></td>\r\n</tr>\r\n"
        for service in services
    )
    return {
        "title": title,
        "service": services[0] if services else "",
        "region": regions[0] if regions else "Global",
        "communication": text,
        "incidentType": "Maintenance",
        "trackingId": wave.tracking_id,
        "impactStartTime": stamp(wave.self_service.start),
        "impactMitigationTime": stamp(wave.scheduled.end),
        "impactedServices": json.dumps(impacted, separators=(",", ":"))
        if services_as == "string"
        else impacted,
        "impactedServicesTableRows": rows,
        "defaultLanguageTitle": title,
        "defaultLanguageContent": text,
        "stage": stage,
        "maintenanceId": f"{wave.tracking_id}-maintenance",
        "maintenanceType": "",
        "isHIR": "false",
        "IsSynthetic": "True" if synthetic else "False",
        "impactType": "SubscriptionList",
        "impactCategory": "Other",
        "argQuery": "",
        "version": "0.1.1",
    }


def _communication(wave: Wave, stage: Stage, *, reboot: bool) -> str:
    first, last = wave.self_service, wave.scheduled
    form = "%d %b %Y %H:%M UTC"
    impact = (
        "Virtual machines will be rebooted; expect several minutes without service per update domain."
        if reboot
        else "Virtual machines will be paused for a few seconds, without a reboot."
    )
    return (
        f"<p>Planned maintenance on hosts of your virtual machines {WORDS[stage]}.</p>"
        f"<p><strong>Self-service window:</strong> {first.start:{form}} to {first.end:{form}}.<br>"
        f"<strong>Scheduled window:</strong> {last.start:{form}} to {last.end:{form}}.</p>"
        f"<p>{impact}</p>"
        '<p>See <a href="https://aka.ms/planned-maintenance">planned maintenance</a> in the portal.</p>'
    )


def _common(event: dict[str, Any], subscription: str, fired: datetime) -> dict[str, Any]:
    target = f"/subscriptions/{subscription}"
    alert_id = event["eventDataId"].replace("-", "")
    nothing: dict[str, Any] = {"authorization": None, "claims": None, "caller": None, "httpRequest": None}
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": f"{target}/providers/Microsoft.AlertsManagement/alerts/{alert_id}",
                "alertRule": "planned-maintenance",
                "severity": "Sev4",
                "signalType": "Activity Log",
                "monitorCondition": "Fired",
                "monitoringService": "ServiceHealth",
                "alertTargetIDs": [target],
                "originAlertId": event["eventDataId"],
                "firedDateTime": stamp(fired),
                "description": "Planned maintenance of virtual machines",
                "essentialsVersion": "1.0",
                "alertContextVersion": "1.0",
            },
            "alertContext": {**nothing, **event, "subStatus": None, "ResourceType": None},
        },
    }


def _legacy(event: dict[str, Any], subscription: str) -> dict[str, Any]:
    title = event["properties"].get("title", "")
    activity = {
        **event,
        "description": f"{event['status']}: {title}",
        "subscriptionId": subscription,
    }
    return {
        "schemaId": "Microsoft.Insights/activityLogs",
        "data": {"status": "Activated", "context": {"activityLog": activity}, "properties": {}},
    }
