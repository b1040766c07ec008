"""Reading single facts of a Service Health event, as tolerantly as Azure varies them.

Whatever has the wrong type counts as not there; nothing here raises.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.wire.ids import GUID
from handlers.wire.outside_json import AnyCase, UnusableJson, load, utc_time
from planner.azure.regions import REGIONS
from planner.azure.wave import Stage, normal_region

SERVICES = frozenset({"virtualmachines", "virtualmachinescalesets"})
"""The services whose maintenance reboots instances of scale sets; compared without case and spaces."""

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

    A time ahead of ours would make every later announcement look old.
    """
    for value in candidates:
        at = when(value)
        if at is not None:
            return at if at <= received_at + _CLOCK_SKEW else received_at
    return received_at


def flag(value: Any) -> bool:
    return str(value).strip().lower() == "true"


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


def title(text: str) -> str:
    """One line of at most TITLE_LENGTH characters."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"


def body_text(text: str) -> str:
    """At most TEXT_LENGTH characters, with a note when there were more."""
    if len(text) <= TEXT_LENGTH:
        return text
    return text[:TEXT_LENGTH] + "\n[Shortened: the announcement is longer; the stored alert has all of it.]"


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
    entries, readable = _entries(properties)
    services: list[str] = []
    regions: list[str] = []
    everywhere = ours = False
    for entry in entries:
        names = _words(entry, "ServiceName", "ServiceId")
        if not names:
            readable = False
            continue
        services.append(title(names[0]))
        if not {folded(name) for name in names} & SERVICES:
            continue
        ours = True
        found = _regions(entry.get("ImpactedRegions"))
        regions += found
        everywhere = everywhere or not found
    if not readable or not services:
        ours = everywhere = True
    return (
        tuple(dict.fromkeys(services))[:MOST_NAMES],
        () if everywhere or len(regions) > MOST_NAMES else tuple(dict.fromkeys(regions)),
        ours,
    )


def _entries(properties: AnyCase) -> tuple[list[Any], bool]:
    """The list of impacted services and whether it could be read; the single service where there is none."""
    raw = properties.get("impactedServices")
    if isinstance(raw, str) and raw.strip():
        try:
            raw = load(raw)
        except UnusableJson:
            return [], False
    if isinstance(raw, AnyCase):
        raw = [raw]
    if isinstance(raw, list) and raw:
        return raw, True
    if raw is not None and raw not in ("", []):
        return [], False
    service, region = properties.text("service"), properties.text("region")
    if not service:
        return [], False
    return [AnyCase({"ServiceName": service, "ImpactedRegions": [region] if region else []})], True


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
