"""The demo's fleet: two regions, a dozen scale sets, one for each thing the report has to say."""

from datetime import UTC, datetime, timedelta

from simulator.fleet import Fleet
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, flexible, uniform
from simulator.fleet.waves import Wave, Window

TRACKING_ID = "VM8T-1Q8"
QUICK = Behaviour(
    reboot=timedelta(seconds=1.5), health_delay=timedelta(seconds=0.5), set_aside_after=timedelta(seconds=0.5)
)
ALWAYS = {"breakwater-self-service": "always"}


def fleet() -> Fleet:
    """The scale sets, with the wave planned over both regions."""
    made = Fleet(lambda: datetime.now(UTC))
    west, north = "westeurope", "northeurope"
    aks = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-shop/providers/aks"
    made.add(
        uniform("web-prod", 6, update_domains=3, behaviour=QUICK, location=west,
                tags={"breakwater-after": "db-prod", "breakwater-owner": "shop"}),
        uniform("db-prod", 3, update_domains=3, zones=("1", "2", "3"), behaviour=QUICK, location=west,
                tags={"breakwater-tier": "db"}),
        uniform("cache-prod", 4, update_domains=2, placement_groups=2, behaviour=QUICK, location=west,
                tags=ALWAYS),
        flexible("api-prod", 3, zones=("1", "2"), behaviour=QUICK, location=west, tags=ALWAYS),
        uniform("search-prod", 3, update_domains=3, behaviour=QUICK, location=north, tags=ALWAYS),
        uniform("legacy-prod", 2, update_domains=2, health="none", behaviour=QUICK, location=north, tags=ALWAYS),
        uniform("payments-prod", 3, update_domains=3, behaviour=QUICK, location=north,
                tags={**ALWAYS, "breakwater-mode": "approve"}),
        uniform("reports-dev", 4, behaviour=QUICK, location=north),
        uniform("batch-dev", 4, behaviour=QUICK, spot=True, location=west, tags=ALWAYS),
        uniform("fabric-prod", 5, behaviour=QUICK, service_fabric=True, location=west, tags=ALWAYS),
        uniform("aks-pool1-vmss", 3, behaviour=QUICK, managed_by=aks, location=west, tags=ALWAYS),
        uniform("quiet-prod", 3, behaviour=QUICK, location=north, tags=ALWAYS),
    )  # fmt: skip
    cache = made.scale_set("cache-prod").instances["2"]
    cache.behaviour |= Behaviour(retry_later=1)
    sick = made.scale_set("search-prod").instances["1"]
    sick.behaviour |= Behaviour(health_finally="unhealthy")
    now = datetime.now(UTC)
    closes = now + timedelta(days=30)
    made.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=(west, north),
            self_service=Window(now, closes),
            scheduled=Window(closes + timedelta(days=2), closes + timedelta(days=10)),
            impacted=lambda instance: instance.owner.name != "quiet-prod",
        )
    )
    return made
