"""Resource Graph: the queries kept here, and the planned maintenance Azure knows of, alert or no alert."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from handlers.cloud.errors import Refused, Unreachable
from handlers.cloud.reading import ReadsArm
from handlers.wire.outside_json import utc_time

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
MOST_PAGES = 50
"""Of up to 1,000 rows each; of a subscription with more, the rest is not read."""


@dataclass(frozen=True, slots=True)
class Found:
    """One planned-maintenance event as Resource Graph shows it; what it leaves out is empty.

    `impact` lists services with their regions, display names. Times are aware UTC.
    """

    subscription: str
    tracking_id: str
    status: str
    level: str
    title: str
    summary: str
    impact: tuple[tuple[str, tuple[str, ...]], ...]
    impact_start: datetime | None
    impact_end: datetime | None
    updated: datetime | None


def query(name: str = "planned_maintenance") -> str:
    """A query as it is sent: one operator per line, without the comments."""
    text = files(__package__).joinpath(f"{name}.kql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("//"))


async def rows(arm: ReadsArm, subscription: str, name: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What a query answers about a subscription, page by page.

    Raises handlers.cloud.errors: Unreachable for an answer that is not a table, Refused for one without end.
    """
    options: dict[str, Any] = {"resultFormat": "objectArray"}
    for _ in range(MOST_PAGES):
        payload = {"subscriptions": [subscription], "query": query(name), "options": options}
        answer = await arm.post_json(PATH, payload)
        data = answer.get("data")
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            raise Unreachable("Resource Graph answered with something that is not a table.")
        yield data
        token = answer.get("$skipToken")
        if not isinstance(token, str) or not token:
            return
        options = {**options, "$skipToken": token}
    raise Refused("TooManyRows", f"Resource Graph's answer has more than {MOST_PAGES} pages.")


async def planned_maintenance(arm: ReadsArm, subscription: str) -> list[Found]:
    """The events of the last 60 days, one query (per page). Raises handlers.cloud.errors."""
    pages = rows(arm, subscription, "planned_maintenance")
    return [_found(row, subscription) async for page in pages for row in page]


def _found(row: dict[str, Any], subscription: str) -> Found:
    return Found(
        subscription=subscription,
        tracking_id=_text(row, "trackingId"),
        status=_text(row, "status"),
        level=_text(row, "level"),
        title=_text(row, "title"),
        summary=_text(row, "summary"),
        impact=tuple(_impact(row.get("impact"))),
        impact_start=_when(row.get("impactStartTime")),
        impact_end=_when(row.get("impactMitigationTime")),
        updated=_when(row.get("lastUpdateTime")),
    )


def _impact(raw: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
    for entry in _dicts(raw):
        regions = (_text(region, "ImpactedRegion") for region in _dicts(entry.get("ImpactedRegions")))
        yield _text(entry, "ImpactedService"), tuple(filter(None, regions))


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [entry for entry in raw if isinstance(entry, dict)] if isinstance(raw, list) else []


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def _when(value: Any) -> datetime | None:
    """ISO 8601, or milliseconds since 1970 (Microsoft's own samples convert both)."""
    try:
        if isinstance(value, str) and not value.isdigit():
            return utc_time(value)
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
