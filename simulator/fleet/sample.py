"""A fleet to look at: two regions, a dozen scale sets, one for each case of the guidance.

Every duration, the windows and those in tags included, is multiplied by `scale`, so that a demo can play
weeks in minutes. Sets that declare a need do it by tags; the rest of the policy is the file's business.
"""

from datetime import timedelta
from typing import TypedDict

from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, flexible, uniform
from simulator.fleet.clock import Clock
from simulator.fleet.fleet import Fleet
from simulator.fleet.model import Instance, ScaleSet
from simulator.fleet.waves import Wave, Window

TRACKING_ID = "VM8T-1Q8"
REGIONS = ("westeurope", "northeurope")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Place(TypedDict):
    subscription: str
    resource_group: str
    location: str


def span(duration: timedelta, scale: float) -> str:
    """A duration as a policy tag writes it, scaled, at least a second."""
    seconds = max(1, round(duration.total_seconds() * scale))
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"


def sample_fleet(clock: Clock, *, scale: float = 1.0, subscription: str = SUBSCRIPTION) -> Fleet:
    """The fleet, with no wave planned yet; see `sample_wave`."""
    fleet = Fleet(clock)
    fleet.switch.takes *= scale
    fleet.repairs.creates *= scale
    fleet.add(*_scale_sets(scale, subscription))
    return fleet


def sample_wave(
    fleet: Fleet,
    *,
    scale: float = 1.0,
    tracking_id: str = TRACKING_ID,
    opens_in: timedelta = 2 * HOUR,
    self_service: timedelta = 30 * DAY,
    gap: timedelta = 2 * DAY,
    scheduled: timedelta = 8 * DAY,
) -> Wave:
    """Plan the sample's wave over both regions. All spans are multiplied by `scale`; the first starts now."""
    opens = fleet.now + opens_in * scale
    closes = opens + self_service * scale
    begins = closes + gap * scale
    subscriptions = sorted({scale_set.subscription for scale_set in fleet.scale_sets()})
    wave = Wave(
        tracking_id=tracking_id,
        subscriptions=tuple(subscriptions),
        regions=REGIONS,
        self_service=Window(opens, closes),
        scheduled=Window(begins, begins + scheduled * scale),
        impacted=lambda instance: instance.owner.name != "quiet-prod",
        eligible=_eligible,
        azure_reboot=timedelta(minutes=25) * scale,
        azure_pause=timedelta(minutes=30) * scale,
    )
    return fleet.plan(wave)


def _eligible(instance: Instance) -> bool:
    return instance.owner.name != "pinned-prod" and not instance.owner.service_fabric


def _needs(scale: float, soak_minutes: int = 45, **tags: str) -> dict[str, str]:
    named = {f"breakwater-{key.replace('_', '-')}": value for key, value in tags.items()}
    return {"breakwater-soak": span(timedelta(minutes=soak_minutes), scale), **named}


def _scale_sets(scale: float, subscription: str) -> list[ScaleSet]:
    west: Place = {"subscription": subscription, "resource_group": "rg-shop", "location": "westeurope"}
    north: Place = {
        "subscription": subscription,
        "resource_group": "rg-shop-north",
        "location": "northeurope",
    }
    nodes: Place = {
        "subscription": subscription,
        "resource_group": "MC_rg-shop_shop_westeurope",
        "location": "westeurope",
    }
    aks = f"/subscriptions/{subscription}/resourceGroups/rg-shop/providers/Microsoft.ContainerService"
    plain = Behaviour().scaled(scale)
    slow = (Behaviour(reboot=timedelta(minutes=6), health_delay=timedelta(minutes=10))).scaled(scale)
    made = [
        uniform(
            "web-prod",
            10,
            behaviour=plain,
            tags=_needs(scale, tier="web", after="db-prod", owner="shop"),
            automatic_repairs=True,
            **west,
        ),
        uniform("db-prod", 6, behaviour=slow, zones=("1", "2", "3"), tags=_needs(scale, tier="db"), **west),
        uniform(
            "cache-prod", 12, placement_groups=2, behaviour=plain, tags=_needs(scale, tier="cache"), **west
        ),
        flexible(
            "api-prod",
            6,
            zones=("1", "2"),
            behaviour=plain,
            tags=_needs(scale, self_service="always", after="db-prod"),
            **west,
        ),
        uniform("batch-dev", 4, behaviour=plain, spot=True, eviction_policy="Delete", **west),
        uniform("fabric-prod", 5, behaviour=plain, service_fabric=True, **west),
        uniform(
            "aks-pool1-24680135-vmss",
            3,
            behaviour=plain,
            managed_by=f"{aks}/managedClusters/shop",
            tags={"aks-managed-poolName": "pool1", "aks-managed-orchestrator": "Kubernetes:1.33.2"},
            **nodes,
        ),
        uniform("render-prod", 4, behaviour=plain, ephemeral_os_disk=True, tags=_needs(scale), **west),
        uniform(
            "legacy-prod", 3, update_domains=3, behaviour=plain, health="none", tags=_needs(scale), **west
        ),
        uniform("quiet-prod", 3, behaviour=plain, tags=_needs(scale), **north),
        uniform("pinned-prod", 3, behaviour=plain, tags=_needs(scale), **north),
        uniform("reports-dev", 4, behaviour=plain, **north),
        uniform(
            "search-prod",
            5,
            behaviour=plain,
            health="probe",
            tags=_needs(scale, self_service="always", mode="approve"),
            **north,
        ),
    ]
    busy = next(scale_set for scale_set in made if scale_set.name == "cache-prod")
    busy.instances["2"].behaviour |= Behaviour(retry_later=1)
    return made
