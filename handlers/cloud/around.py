"""What surrounds a subscription's scale sets: autoscale, auto-shutdown, resource groups, changes.

Read from Azure Resource Manager where it has a list: without permission it answers 403, whereas Resource
Graph only shows less.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from pydantic_core import from_json

from handlers.cloud import graph
from handlers.cloud.notes import Autoscale, Notes
from handlers.cloud.reading import ReadsArm, read
from handlers.cloud.shapes import Json
from handlers.wire.outside_json import utc_time

AUTOSCALE_API = "2022-10-01"
SCHEDULES_API = "2018-09-15"
GROUPS_API = "2021-04-01"


async def autoscale(arm: ReadsArm, notes: Notes) -> None:
    """Note the enabled autoscale settings by their target."""
    async for raw in _listed(arm, "providers/Microsoft.Insights/autoscalesettings", AUTOSCALE_API):
        target, setting = read(_setting, raw)
        if target:
            notes.autoscale[target.lower()] = setting


def _setting(raw: Json) -> tuple[str, Autoscale]:
    """The setting's target, empty unless it is enabled."""
    properties = raw.get("properties") or {}
    if properties.get("enabled") is not True:
        return "", Autoscale()
    profiles = properties.get("profiles") or []
    scales_in = any(
        str(rule.get("scaleAction", {}).get("direction", "")).lower() == "decrease"
        for profile in profiles
        for rule in profile.get("rules") or ()
    )
    to_none = (
        _name(str(profile.get("name", "")))
        for profile in profiles
        if profile.get("recurrence") and int(str(profile.get("capacity", {}).get("maximum"))) == 0
    )
    name = str(raw.get("name") or properties.get("name") or "autoscale")
    return str(properties.get("targetResourceUri") or ""), Autoscale(name, scales_in, next(to_none, ""))


def _name(told: str) -> str:
    """A profile's name; the one in force between recurring profiles has JSON: `{"name": ..., "for": ...}`."""
    try:
        inner = from_json(told).get("name")
    except (ValueError, AttributeError):
        inner = None
    return str(inner or told)


async def schedules(arm: ReadsArm, notes: Notes) -> None:
    """Note the enabled auto-shutdown schedules by the machine, or the scale set, they stop."""
    async for raw in _listed(arm, "providers/Microsoft.DevTestLab/schedules", SCHEDULES_API):
        target, name = read(_schedule, raw)
        if target:
            notes.shutdown.append((target, name))


def _schedule(raw: Json) -> tuple[str, str]:
    properties = raw.get("properties") or {}
    kind, status = (str(properties.get(key, "")).lower() for key in ("taskType", "status"))
    if kind != "computevmshutdowntask" or status != "enabled":
        return "", ""
    return str(properties.get("targetResourceId") or ""), str(raw.get("name") or "auto-shutdown")


async def groups(arm: ReadsArm, notes: Notes) -> None:
    """Note every resource group, and what manages it."""
    async for raw in _listed(arm, "resourcegroups", GROUPS_API):
        notes.groups[str(raw.get("name", "")).lower()] = str(raw.get("managedBy") or "")


async def _listed(arm: ReadsArm, what: str, api: str) -> AsyncIterator[dict[str, Any]]:
    async for page in arm.pages(f"/subscriptions/{arm.subscription}/{what}?api-version={api}"):
        for raw in page:
            yield raw


async def changes(arm: ReadsArm, notes: Notes) -> None:
    """Note changes of scale sets' sizes, and machines that Azure moved to repair them."""
    for name, noted in (("resizes", notes.resized), ("repairs", notes.healed)):
        async for page in graph.rows(arm, arm.subscription, name):
            for row in page:
                target = str(row.get("target", "")).lower()
                target = target.partition("/providers/microsoft.resourcehealth/")[0]
                noted.append((target, read(lambda row: utc_time(str(row.get("at"))), row)))


async def machines(arm: ReadsArm) -> Mapping[str, str]:
    """The Flexible scale set of each of its virtual machines, both ids in lower case."""
    found: dict[str, str] = {}
    async for page in graph.rows(arm, arm.subscription, "flexible_machines"):
        found |= {str(row.get("target", "")).lower(): str(row.get("owner", "")).lower() for row in page}
    return found
