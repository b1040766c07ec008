"""The demo's fleet: two regions, a dozen scale sets, one for each thing the report has to say."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Unpack

from simulator.fleet import Fleet, ScaleSet
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, Traits, flexible, uniform
from simulator.fleet.clock import Clock
from simulator.fleet.waves import Wave, Window

TRACKING_ID = "VM8T-1Q8"
ENDS: Mapping[str, str] = {
    "web-prod": "completed",
    "db-prod": "completed",
    "cache-prod": "completed",
    "api-prod": "completed",
    "legacy-prod": "completed",
    "payments-prod": "completed",
    "search-prod": "paused",
    "reports-dev": "left_to_azure",
    "batch-dev": "left_to_azure",
    "fabric-prod": "left_to_azure",
    "aks-pool1-24680135-vmss": "left_to_azure",
    "quiet-prod": "not_impacted",
}
"""How the story ends, scale set by scale set; anything else is a broken demo."""

UNTOUCHED = tuple(name for name, state in ENDS.items() if state in {"left_to_azure", "not_impacted"})
"""Where nothing may be started."""

QUICK = Behaviour(
    reboot=timedelta(seconds=1.5), health_delay=timedelta(seconds=0.5), set_aside_after=timedelta(seconds=0.5)
)
ALWAYS = {"breakwater-self-service": "always"}
CLUSTER = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop"
    "/providers/Microsoft.ContainerService/managedClusters/shop"
)

WEST: Traits = {"location": "westeurope", "resource_group": "rg-shop"}
NORTH: Traits = {"location": "northeurope", "resource_group": "rg-shop-north"}
NODES: Traits = {"location": "westeurope", "resource_group": "MC_rg-shop_shop_westeurope"}
API: Traits = {**WEST, "zones": ("1", "2"), "tags": ALWAYS}


def demo_fleet(clock: Clock = lambda: datetime.now(UTC)) -> Fleet:
    """The scale sets on this clock, the wave planned over both regions, its window open from now on."""
    fleet = Fleet(clock)
    fleet.add(*_west(), *_north())
    fleet.scale_set("cache-prod").instances["2"].behaviour |= Behaviour(retry_later=1)
    fleet.scale_set("search-prod").instances["1"].behaviour |= Behaviour(health_finally="unhealthy")
    closes = fleet.now + timedelta(days=30)
    fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope", "northeurope"),
            self_service=Window(fleet.now, closes),
            scheduled=Window(closes + timedelta(days=2), closes + timedelta(days=10)),
            impacted=lambda instance: instance.owner.name != "quiet-prod",
            eligible=lambda instance: not instance.owner.service_fabric,
        )
    )
    return fleet


def kind(scale_set: ScaleSet) -> str:
    """What sort of scale set it is, in a word or two."""
    if scale_set.service_fabric:
        return "Service Fabric"
    if scale_set.managed_by:
        return "AKS"
    if scale_set.spot:
        return "Spot"
    if not scale_set.reports_health:
        return f"{scale_set.mode}, no health"
    if scale_set.zones:
        return f"{scale_set.mode}, {len(scale_set.zones)} zones"
    return scale_set.mode


def _west() -> list[ScaleSet]:
    """Web goes after the database; the rest declares that it wants to run uninterrupted."""
    return [
        _uniform("web-prod", 6, 3, WEST, tags={"breakwater-after": "db-prod", "breakwater-owner": "shop"}),
        _uniform("db-prod", 3, 3, WEST, tags={"breakwater-tier": "db"}, zones=("1", "2", "3")),
        _uniform("cache-prod", 4, 2, WEST, placement_groups=2, tags=ALWAYS),
        flexible("api-prod", 3, behaviour=QUICK, **API),
        _uniform("batch-dev", 4, 5, WEST, spot=True, tags=ALWAYS),
        _uniform("fabric-prod", 5, 5, WEST, service_fabric=True, tags=ALWAYS),
        _uniform("aks-pool1-24680135-vmss", 3, 5, NODES, managed_by=CLUSTER, tags=ALWAYS),
    ]


def _north() -> list[ScaleSet]:
    """search-prod comes back unhealthy and says so soon; payments-prod asks a person first."""
    impatient = {**ALWAYS, "breakwater-recover-within": "20s"}
    return [
        _uniform("search-prod", 3, 3, NORTH, automatic_repairs=True, tags=impatient),
        _uniform("legacy-prod", 2, 2, NORTH, health="none", tags=ALWAYS),
        _uniform("payments-prod", 3, 3, NORTH, tags={**ALWAYS, "breakwater-mode": "approve"}),
        _uniform("reports-dev", 4, 5, NORTH),
        _uniform("quiet-prod", 3, 5, NORTH, tags=ALWAYS),
    ]


def _uniform(
    name: str,
    count: int,
    update_domains: int,
    place: Traits,
    *,
    placement_groups: int = 1,
    **traits: Unpack[Traits],
) -> ScaleSet:
    placed: Traits = {**place, **traits}
    return uniform(
        name,
        count,
        update_domains=update_domains,
        placement_groups=placement_groups,
        behaviour=QUICK,
        **placed,
    )
