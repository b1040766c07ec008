"""Reading single facts of a Service Health event, as tolerantly as Azure varies them.

Whatever has the wrong type counts as missing; nothing here raises. `operationName` and `incidentType` can be
relied on; the event source and the level are numbers in one schema and words in the other (Learn,
azure-monitor/alerts/activity-log-alerts-webhook).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from handlers.wire.ids import GUID
from handlers.wire.outside_json import AnyCase, UnusableJson, load, utc_time
from planner.azure.regions import REGIONS
from planner.azure.wave import Stage, normal_region
from planner.text.phrases import shortened

SERVICES = frozenset({"virtualmachines", "virtualmachinescalesets"})
"""The services whose maintenance reboots instances of scale sets; compared without case and spaces."""

_OPERATION, _MAINTENANCE = "microsoft.servicehealth/", "microsoft.servicehealth/maintenance/action"
_OTHER_INCIDENTS = frozenset(
    {"actionrequired", "assistedrecovery", "billing", "incident", "informational", "security"}
)
_TEST_TRACKING_IDS = frozenset({"TEST-TTT", "ABC1-DEF"})
"""Sent by the action group's test button."""

TITLE_LENGTH = 300
TEXT_LENGTH = 20_000

MOST_NAMES, NAME_LENGTH = 500, 200
"""Of services and regions: Azure has some sixty regions, so more than this means all of them."""

_NAMES = ("Critical", "Error", "Warning", "Informational", "Verbose")
_LEVELS = {name: name for name in _NAMES} | {str(number): name for number, name in enumerate(_NAMES)}
"""Azure Monitor's event levels by name and number: the common schema sends 3 for Informational."""

_STAGES = {stage.value.lower(): stage for stage in Stage} | {
    "cancelled": Stage.CANCELED,
    "completed": Stage.COMPLETE,
}
_SUBSCRIPTION = re.compile(rf"/subscriptions/({GUID})(?:/.*)?|({GUID})", re.IGNORECASE | re.DOTALL)
_ZONE = re.compile(r"\s*\([^)]*\)\s*$")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_CLOCK_SKEW = timedelta(minutes=5)


def when(value: Any) -> datetime | None:
    """An aware UTC time from ISO 8601, with or without zone (UTC) and with any number of digits."""
    try:
        at = utc_time(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
    return at if at is not None and at >= _EARLIEST else None


def first_time(candidates: Iterable[Any], received_at: datetime) -> datetime:
    """The first readable time that is not in the future, else when it was received.

    A time in the future would make every later announcement seem old.
    """
    at = next(filter(None, map(when, candidates)), received_at)
    return at if at <= received_at + _CLOCK_SKEW else received_at


def level(value: Any) -> str:
    """The level's name; unreadable ones are Informational."""
    return _LEVELS.get(str(value).strip().capitalize(), "Informational")


def stage(properties: AnyCase, status: str) -> Stage:
    """The stage; one that cannot be read is Resolved if the event's status says so, else Active."""
    otherwise = Stage.RESOLVED if folded(status) == "resolved" else Stage.ACTIVE
    return _STAGES.get(folded(properties.text("stage")), otherwise)


def folded(text: str) -> str:
    """Without spaces and case, in which Azure varies its names."""
    return "".join(text.split()).lower()


def is_service_health(event: AnyCase, essentials: AnyCase) -> bool:
    """Whether Service Health sent the event."""
    operation = event.text("operationName").lower()
    sources = (essentials.text("monitoringService"), event.text("eventSource"))
    if operation.startswith(_OPERATION) or "servicehealth" in map(folded, sources):
        return True
    # Only its events have an incident type; operations of others look like `provider/type/verb`.
    return "/" not in operation and "incidentType" in event.part("properties")


def is_test(properties: AnyCase) -> bool:
    """Whether somebody pressed the test button."""
    tracking_id = properties.text("trackingId").upper()
    return folded(str(properties.get("isSynthetic"))) == "true" or tracking_id in _TEST_TRACKING_IDS


def is_maintenance(event: AnyCase) -> bool | None:
    """Whether the event is about maintenance; None when neither its type nor its operation can be read."""
    operation = event.text("operationName").lower()
    incident = "".join(_words(event.part("properties"), "incidentType")).lower()
    if incident == "maintenance":
        return True
    if operation.startswith(_OPERATION):
        return operation == _MAINTENANCE and incident not in _OTHER_INCIDENTS
    return False if incident else None


def title(text: str) -> str:
    """One line of at most TITLE_LENGTH characters."""
    return shortened(" ".join(text.split()), TITLE_LENGTH)


def body_text(text: str) -> str:
    """At most TEXT_LENGTH characters, with a note when there were more."""
    if len(text) <= TEXT_LENGTH:
        return text
    return f"{shortened(text, TEXT_LENGTH)}\n[Shortened: the stored alert has all of the announcement.]"


def subscription(*candidates: Any) -> str:
    """The first subscription found in GUIDs, ARM ids or lists of them, in lower case; empty when none."""
    for candidate in candidates:
        for text in candidate if isinstance(candidate, list) else [candidate]:
            found = _SUBSCRIPTION.fullmatch(text.strip()) if isinstance(text, str) else None
            if found:
                return (found[1] or found[2]).lower()
    return ""


def impact(properties: AnyCase) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """The services, the regions of ours (normalised; none means every region), and whether it is for us.

    When in doubt it is for us: an unreadable service may be ours, an unreadable region any.
    """
    named = [(_words(entry, "ServiceName", "ServiceId"), entry) for entry in _entries(properties)]
    services = [title(names[0]) for names, _ in named if names]
    ours = [entry for names, entry in named if not SERVICES.isdisjoint(map(folded, names))]
    regions = [_regions(entry.get("ImpactedRegions")) for entry in ours]
    in_doubt = not named or len(services) < len(named)
    known = () if in_doubt or not all(regions) else tuple(chain.from_iterable(regions))
    return (
        tuple(dict.fromkeys(services))[:MOST_NAMES],
        () if len(known) > MOST_NAMES else tuple(dict.fromkeys(known)),
        in_doubt or bool(ours),
    )


def _entries(properties: AnyCase) -> list[Any]:
    """The list of impacted services, the single service where there is none; empty when unreadable."""
    raw = properties.get("impactedServices")
    if isinstance(raw, str) and raw.strip():
        try:
            raw = load(raw)
        except UnusableJson:
            return []
    if raw in (None, "", []) and properties.text("service"):
        region = properties.text("region")
        raw = AnyCase(
            {"ServiceName": properties.text("service"), "ImpactedRegions": [region] if region else []}
        )
    if isinstance(raw, AnyCase):
        return [raw]
    return raw if isinstance(raw, list) else []


def _regions(raw: Any) -> list[str]:
    """Normalised names; empty, that is every region, as soon as one is not a region (Global)."""
    if isinstance(raw, AnyCase | str):
        raw = [raw]
    if not isinstance(raw, list):
        return []
    found: list[str] = []
    for region in raw:
        names = (
            [region[:NAME_LENGTH]] if isinstance(region, str) else _words(region, "RegionName", "RegionId")
        )
        read = [name for name in (normal_region(_ZONE.sub("", name)) for name in names) if name]
        if not read or not REGIONS.intersection(read):
            return []
        found += read
    return found


def _words(entry: Any, *keys: str) -> list[str]:
    """The texts under these keys; numbers are not names."""
    values = [entry.get(key) for key in keys] if isinstance(entry, AnyCase) else []
    return [value.strip()[:NAME_LENGTH] for value in values if isinstance(value, str) and value.strip()]
