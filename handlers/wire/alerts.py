"""From an alert's body to an announcement: both schemas of action groups, and what the search found.

Keys are read in any casing and unknown ones ignored, because Azure varies both (tests/samples/alerts). Text
stays data: whatever shows it escapes it.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from handlers.wire import alert_facts as facts
from handlers.wire.ids import TRACKING_ID
from handlers.wire.outside_json import AnyCase, UnusableJson, load
from planner.azure.drill import mixed_up
from planner.azure.wave import Announcement

ANNOUNCED: Final = "announcement"
"""The kind, in its metadata, of a stored alert that has to be discovered."""

SEARCH_SCHEMA = "breakwater/search"
"""Schema of what the sweep stores for a wave that Azure knows and no alert announced."""

_COMMON, _LEGACY = "azuremonitorcommonalertschema", "microsoft.insights/activitylogs"
_MARKS = (_COMMON.encode(), _LEGACY.encode())
"""What every alert of an action group contains, even one that was cut off."""


class NotAnAlert(ValueError):
    """The body cannot be read as an alert; `sentence` says what is wrong.

    `looks_like_one`: it came in an alert's envelope, so people should be told.
    """

    def __init__(self, sentence: str, *, tracking_id: str = "", looks_like_one: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.tracking_id = tracking_id
        self.looks_like_one = looks_like_one


@dataclass(frozen=True, slots=True)
class NotForUs:
    """A readable alert about something else; `test` when somebody pressed the test button."""

    reason: str
    test: bool = False
    tracking_id: str = ""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The event out of its envelope, and the essentials, which may name the subscription."""

    event: AnyCase
    essentials: AnyCase
    search: bool = False


def alert_hash(body: bytes) -> str:
    """The name of a body: SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def read_alert(body: bytes, received_at: datetime) -> Announcement | NotForUs:
    """The announcement in the body. Raises only NotAnAlert.

    `received_at` is aware; it stands in for times that are missing or lie in the future.
    """
    if not body.strip():
        raise NotAnAlert("The body is empty. Expected an alert from an action group.")
    try:
        raw = load(body)
    except UnusableJson as error:
        marked = any(mark in body.lower() for mark in _MARKS)
        raise NotAnAlert(str(error), looks_like_one=marked) from error
    if not isinstance(raw, AnyCase):
        raise NotAnAlert("The body is not a JSON object. Expected an alert from an action group.")
    opened = _opened(raw)
    event = opened.event
    properties = event.part("properties")
    tracking_id = properties.text("trackingId")
    known_id = tracking_id if re.fullmatch(TRACKING_ID, tracking_id) else ""
    if not opened.search and not facts.is_service_health(event, opened.essentials):
        about = opened.essentials.text("monitoringService") or event.text("eventSource") or "something else"
        return NotForUs(f"This alert is about {about[:100]}, not about Service Health.")
    if facts.is_test(properties):
        return NotForUs("This is a test alert.", test=True, tracking_id=known_id)
    maintenance = facts.is_maintenance(event)
    if maintenance is None:
        raise NotAnAlert(
            "The event has neither an `incidentType` nor an `operationName` that can be read.",
            looks_like_one=True,
        )
    if not maintenance:
        named = properties.text("incidentType") or event.text("operationName")
        return NotForUs(f"This event is of type {named[:100]}, not Maintenance.", tracking_id=known_id)
    services, regions, ours = facts.impact(properties)
    if not ours:
        named = ", ".join(services)[:200]
        return NotForUs(
            f"This maintenance is of {named}, not of Virtual Machines or Virtual Machine Scale Sets.",
            tracking_id=known_id,
        )
    if not known_id:
        raise NotAnAlert(
            f"{tracking_id[:80]!r} is not a valid tracking id: use 1 to 64 letters, digits, _ and -.",
            looks_like_one=True,
        )
    found = _announcement(body, opened, received_at, known_id, services, regions)
    if wrong := mixed_up(found.tracking_id, found.subscription):
        raise NotAnAlert(wrong, tracking_id=known_id)
    return found


def _opened(raw: AnyCase) -> _Opened:
    schema = raw.text("schemaId")
    data = raw.part("data")
    known = schema.lower() in {_COMMON, _LEGACY, SEARCH_SCHEMA}
    if known and not isinstance(raw.get("data"), AnyCase):
        raise NotAnAlert(
            f"The alert has the schema {schema}, but `data` is not an object.", looks_like_one=True
        )
    if schema.lower() == SEARCH_SCHEMA:
        return _Opened(data, AnyCase({}), search=True)
    if schema.lower() == _LEGACY:
        return _Opened(data.part("context").part("activityLog"), AnyCase({}))
    if schema.lower() == _COMMON:
        return _Opened(data.part("alertContext"), data.part("essentials"))
    if not schema and isinstance(raw.get("alertContext"), AnyCase):
        return _Opened(raw.part("alertContext"), raw.part("essentials"))
    raise NotAnAlert(
        f"The schema {schema[:100]!r} is not known. Expected an alert from an action group, "
        "in the common alert schema or in the activity log's own schema."
    )


def _announcement(
    body: bytes,
    opened: _Opened,
    received_at: datetime,
    tracking_id: str,
    services: tuple[str, ...],
    regions: tuple[str, ...],
) -> Announcement:
    event, essentials = opened.event, opened.essentials
    properties = event.part("properties")
    subscription = facts.subscription(
        essentials.get("alertTargetIDs"),
        event.get("subscriptionId"),
        essentials.get("alertId"),
        event.get("resourceId"),
        event.part("authorization").get("scope"),
    )
    if not subscription:
        raise NotAnAlert(
            "The alert names no subscription: neither `alertTargetIDs` nor `subscriptionId` holds one.",
            tracking_id=tracking_id,
            looks_like_one=True,
        )
    fired = essentials.get("firedDateTime")
    submitted = event.get("submissionTimestamp")
    event_time = facts.first_time((event.get("eventTimestamp"), submitted, fired), received_at)
    return Announcement(
        tracking_id=tracking_id,
        subscription=subscription,
        communication_id=facts.title(properties.text("communicationId") or event.text("eventDataId")),
        stage=facts.stage(properties, event.text("status")),
        alert=alert_hash(body),
        event_time=event_time,
        submitted_at=facts.first_time((submitted, event_time.isoformat()), received_at),
        received_at=received_at,
        title=facts.title(properties.text("title", "defaultLanguageTitle")),
        text=facts.body_text(properties.text("communication", "defaultLanguageContent")),
        level=facts.level(event.get("level")),
        services=services,
        regions=regions,
        impact_start=facts.when(properties.get("impactStartTime")),
        impact_end=facts.when(properties.get("impactMitigationTime")),
        found_by_search=opened.search,
    )


def alert_metadata(alert: Announcement) -> dict[str, str]:
    """What a listing shows of a stored alert: enough to tell whether its wave has been discovered."""
    return {
        "v": "1",
        "kind": ANNOUNCED,
        "received": alert.received_at.isoformat(),
        "tracking_id": alert.tracking_id,
        "subscription": alert.subscription,
        "found_by_search": "true" if alert.found_by_search else "false",
    }
