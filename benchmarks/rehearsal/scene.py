"""The wave that is rehearsed: scale sets, how their instances take it, the policy; all drawn by a seed."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from planner.policy.model import Limits, Policy, Receiver
from simulator.fleet import Fleet, ScaleSet
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, Traits, flexible, uniform
from simulator.fleet.clock import VirtualClock
from simulator.fleet.waves import Wave, Window

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LASTS = timedelta(days=35)
TRACKING_ID = "VM8T-1Q8"
SUBSCRIPTIONS = (SUBSCRIPTION, "22222222-3333-4444-5555-666666666666")
REGIONS = ("westeurope", "northeurope", "eastus", "uksouth")
M = timedelta(minutes=1)

AS_LEARNED = Behaviour(reboot=8 * M, health_delay=M)
"""Ten polls from start to verification, which is what a batch is expected to take before any has finished."""

OTHERWISE = (Behaviour(reboot=3 * M, health_delay=M), Behaviour(reboot=12 * M, health_delay=4 * M))
SICK = Behaviour(health_finally="unhealthy")

A_PLACE = 20
"""Scale sets of a subscription for each that may be in flight: the last of them begin in the second week."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of the scale sets, from 0 to 1, drawn independently."""

    windows: float = 0.2
    approvals: float = 0.1
    trouble: float = 0.04
    otherwise: float = 0.2
    many_domains: float = 0.2
    flexible: float = 0.04

    def of(self, random: Random) -> dict[str, bool]:
        """What a scale set has, by the names of the shares."""
        return {name: random.random() < share for name, share in asdict(self).items()}


CALM = Shares(approvals=0, trouble=0, otherwise=0)
"""Nothing comes between, and every batch takes as long as it is expected to take."""


@dataclass(frozen=True, slots=True)
class Part:
    """What was drawn for a scale set. `sick` names the instance that does not serve after its maintenance."""

    scale_set: ScaleSet
    as_learned: bool
    windows: bool
    approvals: bool
    sick: str = ""


@dataclass(slots=True)
class Scene:
    """The fleet with its wave, by a clock that stands at `START`."""

    clock: VirtualClock
    fleet: Fleet
    policy: Policy
    parts: dict[str, Part]


def scene(sets: int, instances: int, seed: int, shares: Shares, regions: int) -> Scene:
    """A wave over so many scale sets in two subscriptions and four regions; the same for the same seed.

    `regions`: in so many of them something may be in flight at once.
    """
    random, clock = Random(f"rehearsal {seed}"), VirtualClock(START)
    fleet, parts = Fleet(clock), dict[str, Part]()
    for number in range(sets):
        part = _part(number, instances, random, shares)
        fleet.add(part.scale_set)
        parts[part.scale_set.name] = part
    opens = START - timedelta(hours=1)
    closes = opens + LASTS
    fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=SUBSCRIPTIONS,
            regions=REGIONS,
            self_service=Window(opens, closes),
            scheduled=Window(closes + timedelta(days=1), closes + timedelta(days=9)),
        )
    )
    limits = Limits(regions=regions, scale_sets=max(2, sets // len(SUBSCRIPTIONS) // A_PLACE))
    receivers = (Receiver("ops", email=("ops@example.org",)),)
    return Scene(clock, fleet, Policy({"self-service": "always"}, limits=limits, receivers=receivers), parts)


def _part(number: int, instances: int, random: Random, shares: Shares) -> Part:
    drawn = shares.of(random)
    where = number % len(SUBSCRIPTIONS)
    tags = {}
    if drawn["windows"]:
        tags["breakwater-windows"] = "daily 20:00-06:00 UTC"
    if drawn["approvals"]:
        tags["breakwater-mode"] = "approve"
    behaviour = random.choice(OTHERWISE) if drawn["otherwise"] else AS_LEARNED
    name = f"set{number:05}"
    place: Traits = {
        "subscription": SUBSCRIPTIONS[where],
        "resource_group": f"rg-{number % 97:02}",
        "location": REGIONS[number // len(SUBSCRIPTIONS) % len(REGIONS)],
        "tags": tags,
    }
    if drawn["flexible"]:
        made = flexible(name, instances, behaviour=behaviour, **place)
    else:
        domains = 20 if drawn["many_domains"] else 5
        made = uniform(name, instances, update_domains=domains, behaviour=behaviour, **place)
    sick = ""
    if drawn["trouble"]:
        chosen = random.choice(list(made.instances.values()))
        chosen.behaviour |= SICK
        sick = chosen.instance_id
    return Part(made, not drawn["otherwise"], drawn["windows"], drawn["approvals"], sick)
