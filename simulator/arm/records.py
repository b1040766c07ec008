"""Calls about records: the activity log, autoscale settings, auto-shutdown schedules, resource groups.

The activity log's filter is as narrow as the published one, and refuses everything else as Azure does.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.arm import record_shapes as shapes
from simulator.arm.answers import Reply, Request, bad_request
from simulator.arm.pages import page
from simulator.fleet import Fleet

KEPT = timedelta(days=90)
FILTER = re.compile(
    r"eventTimestamp ge '(?P<since>[^']+)'(?: and eventTimestamp le '(?P<until>[^']+)')?"
    r"(?: and (?P<by>resourceGroupName|resourceUri|resourceProvider|correlationId) eq '?(?P<what>[^']+)'?)?",
    re.IGNORECASE,
)
SELECTABLE = frozenset(
    {
        *(
            "authorization",
            "claims",
            "correlationId",
            "description",
            "eventDataId",
            "eventName",
            "eventTimestamp",
        ),
        *("httpRequest", "level", "operationId", "operationName", "properties", "resourceGroupName"),
        *(
            "resourceProviderName",
            "resourceId",
            "status",
            "submissionTimestamp",
            "subStatus",
            "subscriptionId",
        ),
    }
)
FIELDS = {
    "resourcegroupname": lambda event: event["resourceGroupName"],
    "resourceuri": lambda event: event["resourceId"],
    "resourceprovider": lambda event: event["resourceProviderName"]["value"],
    "correlationid": lambda event: event["correlationId"],
}


class RecordCalls:
    """Answers calls about one fleet's records. `page_size` is in items."""

    def __init__(self, fleet: Fleet, *, page_size: int) -> None:
        self._fleet = fleet
        self.page_size = page_size

    def activity_log(self, request: Request) -> Reply:
        """Newest first, as the log is read."""
        asked = FILTER.fullmatch(request.query.get("$filter", "").strip())
        if asked is None:
            raise bad_request(f"The filter {request.query.get('$filter')!r} is not supported.", "BadRequest")
        since, until = _time(asked["since"]), _time(asked["until"] or "9999-12-31T00:00:00Z")
        world = self._fleet.world
        if since < world.now - KEPT:
            raise bad_request("The start time cannot be more than 90 days in the past.", "BadRequest")
        chosen = [name for name in request.query.get("$select", "").split(",") if name]
        if unknown := set(chosen) - SELECTABLE:
            raise bad_request(f"The properties {sorted(unknown)} cannot be selected.", "BadRequest")
        by, what = (asked["by"] or "").lower(), (asked["what"] or "").lower()
        subscription = f"/subscriptions/{request.names['subscription']}/"
        found = [
            (at, event)
            for done in world.records.activities
            if done.resource.lower().startswith(subscription)
            for at, event in shapes.events(done, world.now)
            if since <= at <= until and (not by or FIELDS[by](event).lower() == what)
        ]
        found.sort(key=lambda one: one[0], reverse=True)
        keys = chosen or [
            *SELECTABLE,
            "caller",
            "channels",
            "category",
            "id",
            "resourceType",
            "relatedEvents",
        ]
        return self._page([{k: e[k] for k in keys if k in e} for _, e in found], request)

    def autoscale_settings(self, request: Request) -> Reply:
        found = self._fleet.world.records.autoscale
        return self._page([shapes.autoscale(one) for one in found if _mine(one.target, request)], request)

    def shutdown_schedules(self, request: Request) -> Reply:
        found = self._fleet.world.records.shutdowns
        return self._page([shapes.shutdown(one) for one in found if _mine(one.target, request)], request)

    def subscriptions(self, request: Request) -> Reply:
        """Those that the caller may see: all that the fleet has something in."""
        found = sorted(self._fleet.world.subscriptions)
        return self._page([shapes.subscription(each) for each in found], request)

    def resource_groups(self, request: Request) -> Reply:
        """Those that are shown to the caller; Azure does not say that there are others."""
        found = self._fleet.world.records.groups.values()
        mine = [one for one in found if one.subscription.lower() == request.names["subscription"]]
        return self._page([shapes.group(one) for one in mine if not one.hidden], request)

    def _page(self, items: Sequence[dict[str, Any]], request: Request) -> Reply:
        address = request.base + request.path
        try:
            return Reply(body=page(items, self.page_size, address, request.query, json.dumps))
        except ValueError as error:
            raise bad_request(f"The continuation token is not valid: {error}.") from error


def _mine(arm_id: str, request: Request) -> bool:
    return arm_id.lower().startswith(f"/subscriptions/{request.names['subscription']}/")


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"{text!r} is no time.", "BadRequest") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
