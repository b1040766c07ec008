"""Drills: begun by a person, announced like a wave, ended by a person or by the sweep."""

import json
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from handlers.cloud.names import DRILLS_PREFIX, alert_path, drill_path
from handlers.cloud.records import Conflict
from handlers.log import logger
from handlers.wire.alerts import NotForUs, alert_metadata, read_alert
from handlers.wire.drill_record import DEFAULT_SETS, Asked, DrillRecord
from handlers.wire.ids import ALERTS
from handlers.wire.messages import AlertMessage
from handlers.wiring import Wiring
from handlers.words.trouble import gave_up
from planner.azure.drill import PREFIX, subscription_of, tracking_id_of
from planner.azure.wave import Stage
from planner.words.drills import PLAYED

log = logger(__name__)

TRIES = 5


async def begin(asked: Asked, wiring: Wiring) -> DrillRecord:
    """A new drill on record; it is announced by whoever posts `announcement`. Raises StorageDown."""
    now, subscription = wiring.now(), subscription_of(secrets.token_hex(6))
    drill = DrillRecord(
        tracking_id=tracking_id_of(subscription),
        subscription=subscription,
        actor=asked.actor,
        began_at=now,
        ends_at=now + timedelta(minutes=asked.minutes),
        scale_sets=asked.scale_sets or DEFAULT_SETS,
    )
    await wiring.records.create(drill_path(subscription), drill.model_dump_json().encode(), drill.metadata)
    log.info("drill.begun", extra={"wave": drill.tracking_id, "actor": drill.actor})
    return drill


async def find(tracking_id: str, wiring: Wiring) -> tuple[DrillRecord, str] | None:
    """A drill and its ETag; None where there is none. Raises StorageDown."""
    try:
        subscription = subscription_of(tracking_id.removeprefix(PREFIX))
    except ValueError:
        return None
    stored = await wiring.records.read(drill_path(subscription))
    return (DrillRecord.model_validate_json(stored.body), stored.etag) if stored is not None else None


async def end(tracking_id: str, wiring: Wiring) -> DrillRecord | None:
    """End a drill now: nothing of it is due any more, and that is announced. None where there is none.

    Raises Conflict when others write its record again and again, StorageDown.
    """
    for _ in range(TRIES):
        found = await find(tracking_id, wiring)
        if found is None or found[0].closed:
            return found[0] if found is not None else None
        drill, etag = found
        now = wiring.now()
        stage = Stage.CANCELED if now < drill.ends_at else Stage.COMPLETE
        ended = drill.model_copy(update={"ends_at": min(drill.ends_at, now), "closed": True})
        # Announced first: should we crash in between, the sweep finds it still open and says it again.
        await _announce(announcement(drill, stage, now), wiring)
        with suppress(Conflict):
            body = ended.model_dump_json().encode()
            await wiring.records.write(
                drill_path(drill.subscription), body, etag=etag, metadata=ended.metadata
            )
            log.info("drill.ended", extra={"wave": drill.tracking_id, "stage": stage.value})
            return ended
    raise Conflict(gave_up(drill_path(drill.subscription), TRIES))


async def end_those_over(wiring: Wiring) -> None:
    """End every drill whose time is over. Raises StorageDown."""
    for line in await wiring.records.list(DRILLS_PREFIX):
        ends = datetime.fromisoformat(line.metadata["ends"])
        if line.metadata.get("closed") == "true" or ends > wiring.now():
            continue
        subscription = line.path.removeprefix(DRILLS_PREFIX).removesuffix(".json")
        try:
            await end(tracking_id_of(subscription), wiring)
        except Conflict as error:
            log.warning("drill.not_ended", extra={"path": line.path, "why": str(error)})


async def _announce(body: dict[str, Any], wiring: Wiring) -> None:
    """Store and queue an alert of ours as `receive` does with one that comes."""
    text = json.dumps(body, sort_keys=True).encode()
    alert = read_alert(text, wiring.now())
    assert not isinstance(alert, NotForUs)
    with suppress(Conflict):
        await wiring.records.create(alert_path(alert.alert), text, alert_metadata(alert))
    await wiring.queues.send(ALERTS, AlertMessage(alert=alert.alert))


def announcement(drill: DrillRecord, stage: Stage, at: datetime) -> dict[str, Any]:
    """What Service Health would say, in the common alert schema."""
    regions = sorted({each.location for each in drill.scale_sets})
    impact = [
        {"ServiceName": service, "ImpactedRegions": [{"RegionName": region} for region in regions]}
        for service in ("Virtual Machines", "Virtual Machine Scale Sets")
    ]
    scope = f"/subscriptions/{drill.subscription}"
    properties = {
        "trackingId": drill.tracking_id,
        "incidentType": "Maintenance",
        "stage": stage.value,
        "title": f"Drill begun by {drill.actor}",
        "communication": PLAYED,
        "communicationId": f"{drill.tracking_id}-{stage.value}",
        "impactStartTime": drill.began_at.isoformat(),
        "impactMitigationTime": drill.ends_at.isoformat(),
        "impactedServices": json.dumps(impact),
        "IsSynthetic": "False",
    }
    return {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertRule": "breakwater-drill",
                "monitoringService": "ServiceHealth",
                "alertTargetIDs": [scope],
                "firedDateTime": at.isoformat(),
            },
            "alertContext": {
                "eventSource": "ServiceHealth",
                "operationName": "Microsoft.ServiceHealth/maintenance/action",
                "subscriptionId": drill.subscription,
                "eventTimestamp": at.isoformat(),
                "submissionTimestamp": at.isoformat(),
                "level": "Informational",
                "status": "Active",
                "properties": properties,
            },
        },
    }
