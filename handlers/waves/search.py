"""What Azure knows and no alert brought: the sweep's hourly question to Resource Graph.

A wave found this way becomes an alert like any other, stored and queued. Where Azure gives no tracking id
nothing is started, and people are told.
"""

import hashlib
import json
from collections.abc import Iterable, MutableMapping
from datetime import datetime, timedelta
from typing import Any

from handlers.cloud.errors import AzureTrouble
from handlers.cloud.graph import Found
from handlers.cloud.names import alert_path
from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.cloud.rights import WAVES
from handlers.log import logger
from handlers.waves.sweep_state import Rights, State
from handlers.wire.alerts import (
    ANNOUNCED,
    SEARCH_SCHEMA,
    NotAnAlert,
    NotForUs,
    alert_metadata,
    read_alert,
)
from handlers.wire.documents import instant
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import AlertMessage, NoticeMessage
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.azure.wave import OVER, Announcement
from planner.text.phrases import shortened

log = logger(__name__)

FAR_BACK = timedelta(days=60)


async def handle(
    alerts: Iterable[Listed], state: State, wiring: Wiring, left: list[str] | None = None
) -> dict[str, str]:
    """Search every configured subscription; the trouble by subscription. Raises only StorageDown.

    `alerts` is the listing of stored alerts; in `state` is when people were told of waves without a tracking
    id, which is noted there, and which rights are missing: then an empty table proves nothing.
    `left`: search these alone; each is taken from the list once it was searched.
    """
    now, told = wiring.now(), state.told
    brought: set[tuple[str, str]] = set()
    searched: set[tuple[str, str]] = set()
    for line in alerts:
        if line.metadata.get("kind") == ANNOUNCED:
            wave = (line.metadata.get("tracking_id", ""), line.metadata.get("subscription", ""))
            (searched if line.metadata.get("found_by_search") == "true" else brought).add(wave)
    trouble: dict[str, str] = {}
    for subscription in tuple(wiring.settings.subscriptions if left is None else left):
        try:
            table = await wiring.planned_maintenance(subscription)
            if not table and (why := _proves_nothing(state.rights.get(subscription))):
                trouble[subscription] = why
                log.warning("search.proves_nothing", extra={"subscription": subscription, "why": why})
            for found in table:
                if found.updated is None or found.updated > now - FAR_BACK:
                    await _take(found, brought, searched, told, wiring)
        except StorageDown:
            raise
        except AzureTrouble as error:
            trouble[subscription] = error.sentence
            log.warning("search.failed", extra={"subscription": subscription, "why": error.sentence})
        except Exception:
            trouble[subscription] = words.SEARCH_FAILED
            log.exception("search.failed", extra={"subscription": subscription})
        if left is not None:
            left.remove(subscription)
    for key, at in list(told.items()):
        if at < now - FAR_BACK:
            del told[key]
    return trouble


def _proves_nothing(known: Rights | None) -> str:
    """Why a table without waves does not say that there are none; empty where it does."""
    if known is None or known.unread:
        return words.RIGHTS_NOT_KNOWN
    lacks = [action for action in known.missing if action in WAVES]
    return words.empty_without(lacks) if lacks else ""


async def _take(
    found: Found,
    brought: set[tuple[str, str]],
    searched: set[tuple[str, str]],
    told: MutableMapping[str, datetime],
    wiring: Wiring,
) -> None:
    body = _body(found)
    try:
        alert = read_alert(body, wiring.now())
    except NotAnAlert as error:
        why = error.sentence if found.tracking_id else words.NO_TRACKING_ID
        await _unknown(found, why, told, wiring)
        return
    if isinstance(alert, NotForUs):
        return
    wave = (alert.tracking_id, alert.subscription)
    if wave in brought or (alert.stage in OVER and wave not in searched):
        return
    try:
        await wiring.records.create(alert_path(alert.alert), body, alert_metadata(alert))
    except Conflict:
        return  # found before; if its message was lost, the sweep sends it again
    log.warning("search.found", extra={"wave": alert.tracking_id, "alert": alert.alert})
    await wiring.queues.send(ALERTS, AlertMessage(alert=alert.alert))


async def _unknown(found: Found, why: str, told: MutableMapping[str, datetime], wiring: Wiring) -> None:
    """Tell people of a wave that cannot be followed, once, if it is open and about our services."""
    if found.status.lower() == "resolved" or not _may_be_ours(found, wiring.now()):
        return
    name = f"{found.subscription}\n{found.title}\n{found.impact_start}"
    key = hashlib.sha256(name.encode()).hexdigest()[:32]
    if key in told:
        return
    start = instant(found.impact_start) if found.impact_start else ""
    text = words.unknown_wave(found.subscription, start, found.title, why)
    await wiring.queues.send(NOTICES, NoticeMessage(kind="unknown_wave", text=shortened(text, 4000)))
    told[key] = wiring.now()


def _may_be_ours(found: Found, now: datetime) -> bool:
    """Whether the same event with a tracking id would be an announcement for us."""
    try:
        alert = read_alert(_body(found, tracking_id="0"), now)
    except NotAnAlert:
        return False
    return isinstance(alert, Announcement)


def _body(found: Found, tracking_id: str | None = None) -> bytes:
    """The event as an alert's body; the same event gives the same body."""
    impact = [
        {"ServiceName": service, "ImpactedRegions": [{"RegionName": region} for region in regions]}
        for service, regions in found.impact
    ]
    properties: dict[str, Any] = {
        "trackingId": found.tracking_id if tracking_id is None else tracking_id,
        "incidentType": "Maintenance",
        "title": found.title,
        "communication": found.summary,
        "impactedServices": impact,
        "impactStartTime": instant(found.impact_start) if found.impact_start else None,
        "impactMitigationTime": instant(found.impact_end) if found.impact_end else None,
        "communicationId": f"search-{instant(found.updated)}-{found.status}" if found.updated else "",
    }
    data = {
        "subscriptionId": found.subscription,
        "level": found.level,
        "status": found.status,
        "operationName": "Microsoft.ServiceHealth/maintenance/action",
        "eventTimestamp": found.updated.isoformat() if found.updated else None,
        "properties": properties,
    }
    return json.dumps({"schemaId": SEARCH_SCHEMA, "data": data}, sort_keys=True).encode()
