"""The activity log of one subscription: who stopped what, and what autoscale removed.

Its filter knows the events of one resource provider in a time range and nothing finer (Azure Monitor's REST
API, Activity Logs, List); its `$select` has no caller, so who asked is read from the claims. An operation is
in the log several times: started, accepted, and how it ended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic_core import from_json

from handlers.cloud.notes import Notes, Stop, place
from handlers.cloud.reading import ReadsArm, read
from handlers.cloud.shapes import Json
from handlers.wire.outside_json import utc_time
from planner.text.phrases import many, say

API = "2015-04-01"
FIELDS = (
    "claims,correlationId,eventDataId,eventTimestamp,operationId,operationName,properties,resourceId,status"
)
COMPUTE, INSIGHTS = "Microsoft.Compute", "Microsoft.Insights"
MOST_PAGES = 50
"""Read of one list. In a busier subscription they do not reach back through the whole look-back."""

STOPS = frozenset(
    f"microsoft.compute/{kind}/{what}/action"
    for kind in ("virtualmachinescalesets", "virtualmachinescalesets/virtualmachines", "virtualmachines")
    for what in ("deallocate", "poweroff")
)
SCALED_IN = "microsoft.insights/autoscalesettings/scaledown/action"
CLAIMS = (
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/spn",
    "appid",
)
"""A person's sign-in name first, then what an application is known by."""


@dataclass(slots=True)
class _Operation:
    first: Stop
    statuses: set[str] = field(default_factory=set)

    @property
    def happened(self) -> bool:
        return "succeeded" in self.statuses or not self.statuses & {"failed", "canceled"}


async def stops(arm: ReadsArm, notes: Notes) -> str:
    """Note every stop that somebody requested; a sentence when the log is longer than what is read.

    Started maintenance and Azure's own repairs are other operations.
    """
    seen: dict[tuple[str, str], _Operation] = {}

    def see(event: Json) -> None:
        if _word(event, "operationName") not in STOPS:
            return
        stop = _stop(event)
        known = seen.setdefault((stop.target.lower(), stop.occasion), _Operation(stop))
        known.statuses.add(_word(event, "status"))
        if stop.at < known.first.at:
            known.first = stop

    try:
        return await _read(arm, COMPUTE, see, notes)
    finally:
        # What was read counts even when time ran out for the rest.
        notes.stops += [operation.first for operation in seen.values() if operation.happened]


async def scale_ins(arm: ReadsArm, notes: Notes) -> str:
    """Note how many instances autoscale removed; a sentence when the log is longer than what is read."""
    seen: dict[tuple[str, str], int] = {}

    def see(event: Json) -> None:
        if _word(event, "operationName") != SCALED_IN or _word(event, "status") != "succeeded":
            return
        told = {key.lower(): value for key, value in (event.get("properties") or {}).items()}
        target = str(told.get("resourcename", "")).lower()
        if place(target, {}) is not None:
            removed = int(str(told.get("oldinstancescount"))) - int(str(told.get("newinstancescount")))
            seen[target, _occasion(event)] = max(removed, 0)

    try:
        return await _read(arm, INSIGHTS, see, notes)
    finally:
        for (target, _), removed in seen.items():
            notes.scaled_in[target] += removed


async def _read(arm: ReadsArm, provider: str, see: Callable[[Json], None], notes: Notes) -> str:
    since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (notes.since, notes.until))
    span = f"eventTimestamp ge '{since}' and eventTimestamp le '{until}'"
    wanted = quote(f"{span} and resourceProvider eq '{provider}'")
    path = f"/subscriptions/{arm.subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    pages = events = 0
    oldest = notes.until
    async for page in arm.pages(f"{path}?api-version={API}&$filter={wanted}&$select={FIELDS}"):
        if pages == MOST_PAGES:
            return (
                f"The activity log of {provider} is longer than the {events} records that were read; "
                f"they go back to {say(oldest)}."
            )
        for event in page:
            read(see, event)
            oldest = min(oldest, read(_at, event))
        pages, events = pages + 1, events + len(page)
        notes.logs[provider] = f"{many(events, 'record')} of {provider}, back to {say(oldest)}"
    return ""


def _at(event: Json) -> datetime:
    return utc_time(str(event.get("eventTimestamp")))


def _stop(event: Json) -> Stop:
    properties = event.get("properties")
    asked = properties.get("requestbody") if isinstance(properties, dict) else None
    return Stop(str(event.get("resourceId", "")), _occasion(event), _at(event), _caller(event), _named(asked))


def _occasion(event: Json) -> str:
    """What identifies one action: all its operations share a correlation id."""
    keys = ("correlationId", "operationId", "eventDataId")
    return next((str(event[key]).lower() for key in keys if event.get(key)), "")


def _caller(event: Json) -> str:
    claims = event.get("claims")
    told: Mapping[str, Any] = claims if isinstance(claims, dict) else {}
    names = (event.get("caller"), *(told.get(claim) for claim in CLAIMS))
    return next((str(name)[:200] for name in names if name), "")


def _named(asked: Any) -> tuple[str, ...]:
    """The instances that a call on the scale set named, where the log has kept the call's body."""
    try:
        named = from_json(asked).get("instanceIds") if asked else None
    except (ValueError, TypeError, AttributeError):
        return ()
    return tuple(str(instance).lower() for instance in named) if isinstance(named, list) else ()


def _word(event: Json, key: str) -> str:
    """The invariant value of a localizable string, in lower case."""
    told = event.get(key)
    return str((told.get("value") if isinstance(told, dict) else told) or "").lower()
