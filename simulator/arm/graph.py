"""Resource Graph over the fleet: planned-maintenance events and what they impact; more in `tables`."""

import re
from datetime import datetime
from typing import Any

from simulator.arm.kql import QueryError, Reader, Row
from simulator.arm.tables import TABLES
from simulator.fleet.alerts import NAMES, SERVICES
from simulator.fleet.waves import Wave
from simulator.fleet.world import World

PIPE = re.compile(r"\|(?=(?:[^']*'[^']*')*[^']*$)")


def run(world: World, query: str, subscriptions: list[str]) -> list[Row]:
    """Rows a query answers for these subscriptions; raises QueryError when it is not understood."""
    table, *operators = (part.strip() for part in PIPE.split(query))
    wanted = {s.lower() for s in subscriptions}
    waves = list(world.waves.values())
    if table.lower() in TABLES:
        rows = TABLES[table.lower()](world, wanted)
    elif table.lower() == "servicehealthresources":
        rows = [_event(wave, s) for wave in waves for s in wave.subscriptions if s.lower() in wanted]
    elif table.lower() == "maintenanceresources":
        rows = [row for wave in waves for row in _updates(wave, wanted)]
    else:
        raise QueryError(f"there is no table {table!r} here")
    for operator in operators:
        rows = _apply(rows, operator, world.now)
    return rows


def _apply(rows: list[Row], operator: str, now: datetime) -> list[Row]:
    verb, _, rest = operator.partition(" ")
    if verb in {"order", "sort"}:
        words = rest.removeprefix("by ").split()
        reader = Reader(words[0], now)
        key = reader.operand()
        reader.done()
        return sorted(rows, key=lambda row: str(key(row)), reverse=words[-1] != "asc")
    if verb in {"take", "limit"}:
        return rows[: int(rest)]
    reader = Reader(rest, now)
    if verb == "where":
        keep = reader.condition()
        reader.done()
        return [row for row in rows if keep(row)]
    if verb not in {"extend", "project", "distinct", "mv-expand"}:
        raise QueryError(f"there is no operator {verb!r} here")
    columns = reader.columns()
    reader.done()
    if verb == "mv-expand":
        ((name, values),) = columns
        return [{**row, name: value} for row in rows for value in (values(row) or [None])]
    base = [row if verb == "extend" else {} for row in rows]
    made = [
        {**start, **{name: _plain(value(row)) for name, value in columns}}
        for start, row in zip(base, rows, strict=True)
    ]
    if verb == "distinct":
        return [row for place, row in enumerate(made) if row not in made[:place]]
    return made


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _event(wave: Wave, subscription: str) -> Row:
    regions = [{"ImpactedRegion": NAMES.get(region, region)} for region in wave.regions]
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.ResourceHealth/events/{wave.tracking_id}",
        "name": wave.tracking_id,
        "type": "microsoft.resourcehealth/events",
        "subscriptionId": subscription,
        "location": "global",
        "properties": {
            "TrackingId": wave.tracking_id,
            "EventType": "PlannedMaintenance",
            "EventLevel": "Informational",
            "Status": "Resolved" if wave.over else "Active",
            "Title": wave.title,
            "Summary": wave.title,
            "ImpactStartTime": _plain(wave.self_service.start),
            "ImpactMitigationTime": _plain(wave.scheduled.end),
            "LastUpdateTime": _plain(wave.updated_at or wave.self_service.start),
            "ExternalIncidentId": f"{wave.tracking_id}-maintenance",
            "Impact": [{"ImpactedService": name, "ImpactedRegions": regions} for name in SERVICES],
        },
    }


def _updates(wave: Wave, subscriptions: set[str]) -> list[Row]:
    rows = []
    for instance, ticket in wave.tickets:
        subscription = instance.owner.subscription
        if subscription.lower() not in subscriptions or wave.state == "cancelled":
            continue
        target = instance.id.lower()
        update = {
            "maintenanceScope": "Host",
            "impactType": "Restart",
            "status": "Completed" if ticket.done_at is not None else "Pending",
            "notificationId": wave.tracking_id,
            "notBefore": _plain(ticket.scheduled.start),
            "startTimeUtc": _plain(ticket.self_service.start),
            "endTimeUtc": _plain(ticket.scheduled.end),
        }
        rows.append(
            {
                "id": f"{target}/providers/microsoft.maintenance/updates/default",
                "name": target,
                "type": "microsoft.maintenance/updates",
                "subscriptionId": subscription,
                "location": instance.owner.location,
                "properties": {"value": [update], "plannedMaintenanceId": f"{wave.tracking_id}-maintenance"},
            }
        )
    return rows
