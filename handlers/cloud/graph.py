"""Resource Graph: the queries kept here, and the planned maintenance Azure knows of, alert or no alert."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any, Protocol

from handlers.cloud.errors import Refused, Unreachable

PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
MOST_PAGES = 50
"""Of up to 1,000 rows each; a subscription that has more to say is not read any further."""


class PostsJson(Protocol):
    """What is needed of the compute face: its pipeline, with the credential and the throttling in it."""

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]: ...


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
    """A query as it is sent: one line an operator, without the remarks."""
    text = files(__package__).joinpath(f"{name}.kql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("//"))


async def rows(compute: PostsJson, subscription: str, name: str) -> AsyncIterator[list[dict[str, Any]]]:
    """What a query answers about a subscription, page by page.

    Raises handlers.cloud.errors: Unreachable for an answer that is no table, Refused for one without end.
    """
    options: dict[str, Any] = {"resultFormat": "objectArray"}
    for _ in range(MOST_PAGES):
        payload = {"subscriptions": [subscription], "query": query(name), "options": options}
        answer = await compute.post_json(PATH, payload)
        data = answer.get("data")
        if not isinstance(data, list) or not all(isinstance(one, dict) for one in data):
            raise Unreachable("Resource Graph answered something that is no table.")
        yield data
        token = answer.get("$skipToken")
        if not isinstance(token, str) or not token:
            return
        options = {**options, "$skipToken": token}
    raise Refused("TooManyRows", f"Resource Graph's answer has more than {MOST_PAGES} pages.")


async def planned_maintenance(compute: PostsJson, subscription: str) -> list[Found]:
    """The events of the last 60 days, one query (per page). Raises handlers.cloud.errors."""
    pages = rows(compute, subscription, "planned_maintenance")
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
    for one in _dicts(raw):
        regions = (_text(region, "ImpactedRegion") for region in _dicts(one.get("ImpactedRegions")))
        yield _text(one, "ImpactedService"), tuple(region for region in regions if region)


def _dicts(raw: Any) -> list[dict[str, Any]]:
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def _when(value: Any) -> datetime | None:
    """ISO 8601, or milliseconds since 1970 (Microsoft's own samples convert both)."""
    try:
        if isinstance(value, str) and not value.isdigit():
            at = datetime.fromisoformat(value)
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
