"""Random waves: fleets, behaviours, policies and meddling people, drawn by a seed."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from planner.policy.model import Freeze, Limits, Match, MatchLimit, Policy
from simulator.fleet import Instance, ScaleSet
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import SUBSCRIPTION, flexible, uniform
from simulator.fleet.waves import Wave, Window
from simulator.lies import Lies
from simulator.lies.machines import afflict
from simulator.lies.somebody import meddle
from tests.world import events
from tests.world.chaos import Chaos
from tests.world.promises import broken
from tests.world.world import START, World

TRACKING_ID = "VM8T-1Q8"
M = timedelta(minutes=1)
AFTERWARDS = timedelta(days=2)
MOST_MESSAGES = 20_000

BEHAVIOURS = (
    Behaviour(),
    Behaviour(reboot=12 * M, health_delay=5 * M),
    Behaviour(guest_delay=15 * M),
    Behaviour(retry_later=2),
    Behaviour(aborted=1, set_aside_fails=True),
    Behaviour(retry_later=1, set_aside_fails=True),
    Behaviour(refused=True),
    Behaviour(lost_answers=1),
    Behaviour(lost_answers=1, guest_delay=10 * M),
    Behaviour(answer=200),
    Behaviour(after_success="lingers_allowed"),
    Behaviour(after_success="lingers_done"),
    Behaviour(after_success="lingers_allowed", lingers_for=45 * M),
    Behaviour(health_finally="unhealthy"),
    Behaviour(health_finally="missing"),
    Behaviour(health_meanwhile="healthy"),
    Behaviour(fails_after_reboot=True),
    Behaviour(hangs="up"),
    Behaviour(hangs="down"),
)


@dataclass(frozen=True)
class Drawn:
    world: World
    wave: Wave
    blocked: frozenset[str]
    limits: Limits
    nightly: bool

    def broken(self) -> list[str]:
        """The promises that were broken; ask when every window has passed."""
        return broken(self.world, blocked=self.blocked, limits=self.limits, nightly=self.nightly)

    async def play(self) -> None:
        """From the announcement until long after the last window."""
        world = self.world
        await world.alert(TRACKING_ID)
        ends = self.wave.scheduled.end
        while world.clock() < ends + AFTERWARDS:
            await world.until(ends + AFTERWARDS, most=MOST_MESSAGES)
            # Waves that were moved, or came later, end later.
            ends = max(one.scheduled.end for one in world.fleet.world.waves.values())


def drawn(
    seed: int,
    *,
    trouble: bool = True,
    people: bool = True,
    eventful: bool = False,
    chaos: Chaos | None = None,
    start: datetime = START,
    freezes: bool = False,
    lies: Lies | None = None,
    leave_out: Collection[str] = (),
) -> Drawn:
    """A world with a fleet and a wave, everything decided by the seed.

    eventful: more happens than one announcement and some meddling, see `tests.world.events`. start: when it
    is announced. freezes: at times nothing may be started at all. lies: what this Azure tells wrongly.
    leave_out: scale sets, and kinds of events, by name.
    """
    random = Random(seed)
    policy = Policy(
        defaults={
            "self-service": random.choice(("always", "always", "when-needed")),
            "lead": random.choice(("10m", "24h")),
            "soak": random.choice(("5m", "30m", "45m")),
            "windows": random.choice(("any time", "any time", "daily 22:00-04:00 Europe/Berlin")),
        },
        limits=Limits(regions=random.choice((1, 2)), scale_sets=random.choice((1, 2, 5))),
    )
    policy = replace(policy, limits=_further(policy.limits, Random(f"limits of {seed}")))
    if freezes:
        policy = replace(policy, freezes=_freezes(start, Random(f"freezes of {seed}")))
    world = World(policy=policy, chaos=chaos or Chaos(seed), start=start, lies=lies)
    blocked: set[str] = set()
    for number in range(random.randint(1, 5)):
        _one_set(world, random, number, blocked, trouble=trouble)
    for name in leave_out:
        world.fleet.world.scale_sets.pop(_id_of(world, name), None)
    opens = world.clock() + random.choice((-1, 2, 30)) * timedelta(hours=1)
    closes = opens + timedelta(days=random.choice((1, 3, 30)))
    unlucky = random.random() < 0.3

    def eligible(instance: Instance) -> bool:
        return not (unlucky and instance.fault_domain == 1) and not instance.owner.service_fabric

    wave = world.fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope", "northeurope"),
            self_service=Window(opens, closes),
            scheduled=Window(closes + timedelta(days=1), closes + timedelta(days=9)),
            eligible=eligible,
        )
    )
    if people:
        _meddling(world, random)
    _repairs(world, Random(f"repairs of {seed}"), people=people)
    if eventful:
        events.happen(world, wave, Random(f"events of {seed}"), leave_out)
    if lies is not None:
        afflict(world.fleet, lies)
        meddle(world.fleet, lies)
    return Drawn(world, wave, frozenset(blocked), policy.limits, policy.defaults["windows"] != "any time")


def _further(limits: Limits, random: Random) -> Limits:
    """Sometimes a limit for each region, sometimes one for some of the scale sets."""
    if random.random() < 0.3:
        limits = replace(limits, per_region=random.choice((1, 2)))
    if random.random() < 0.3:
        named = MatchLimit("some", Match(name=("set[123]",)), 1)
        limits = replace(limits, by_match=(named,))
    return limits


def _id_of(world: World, name: str) -> str:
    return next((key for key, one in world.fleet.world.scale_sets.items() if one.name == name), "")


def _freezes(start: datetime, random: Random) -> tuple[Freeze, ...]:
    begins = [start + timedelta(minutes=random.randint(0, 4000)) for _ in range(random.randint(1, 4))]
    return tuple(
        Freeze(one, one + timedelta(minutes=random.randint(5, 900)), "the books are closed") for one in begins
    )


def _one_set(world: World, random: Random, number: int, blocked: set[str], *, trouble: bool) -> None:
    name = f"set{number}"
    location = random.choice(("westeurope", "northeurope"))
    health = random.choice(("extension", "extension", "none"))
    zones = random.choice(((), ("1", "2", "3")))
    tags = {"breakwater-self-service": "always"} if random.random() < 0.3 else {}
    if number and random.random() < 0.3:
        tags["breakwater-after"] = "set0"
    fabric = random.random() < 0.1
    spot = random.random() < 0.1
    if random.random() < 0.3:
        made = flexible(
            name, random.randint(1, 4), location=location, health=health, zones=zones, tags=tags, spot=spot
        )
    else:
        made = uniform(
            name, random.randint(1, 9), update_domains=random.choice((1, 3, 5)),
            placement_groups=random.choice((1, 1, 2)), location=location, health=health, zones=zones, tags=tags,
            service_fabric=fabric, spot=spot,
        )  # fmt: skip
        if fabric:
            blocked.add(name)
    if spot:
        blocked.add(name)
    for instance in made.instances.values():
        if trouble and random.random() < 0.35:
            instance.behaviour = random.choice(BEHAVIOURS)
        if made.mode == "Uniform" and random.random() < 0.05:
            instance.protect_from_actions = True
            blocked.add(instance.id)
    world.fleet.add(made)


def _repairs(world: World, random: Random, *, people: bool) -> None:
    """Some Uniform sets repair themselves, and some of their instances take their time to come back.

    Of some a person has suspended it, for now or for good. The dice are its own, so that what else a seed
    draws stays as it is.
    """
    for scale_set in world.fleet.scale_sets():
        able = scale_set.mode == "Uniform" and scale_set.reports_health and not scale_set.service_fabric
        if not able or random.random() < 0.2:
            continue
        scale_set.automatic_repairs = True
        scale_set.repair_grace = random.choice(("PT10M", "PT20M", "PT30M"))
        scale_set.repairs.lost_answers = random.choice((0, 0, 1))
        for instance in scale_set.instances.values():
            if random.random() < 0.5:
                instance.behaviour |= Behaviour(reboot=random.choice((11, 15, 35)) * M)
        if people and random.random() < 0.3:
            _suspended(world, scale_set, random)


def _suspended(world: World, scale_set: ScaleSet, random: Random) -> None:
    """By a person, before anything is announced."""
    world.fleet.people.suspend_repairs(scale_set)
    if random.random() < 0.5:
        later = world.clock() + timedelta(minutes=random.randint(1, 3000))
        world.fleet.at(later, lambda: world.fleet.people.resume_repairs(scale_set))


def _meddling(world: World, random: Random) -> None:
    """People and Azure do other things meanwhile."""
    people = world.fleet.people
    for scale_set in world.fleet.scale_sets():
        if random.random() < 0.5:
            continue
        victim = random.choice(list(scale_set.instances.values()))
        at = world.clock() + timedelta(minutes=random.randint(1, 3000))
        acts = (
            lambda v=victim: people.stop(v),
            lambda v=victim: people.deallocate(v),
            lambda v=victim: people.delete(v),
            lambda v=victim: people.reimage(v),
            lambda v=victim: people.service_heal(v),
            lambda v=victim: people.set_health(v, "unhealthy"),
            lambda s=scale_set: people.start_rolling_upgrade(s),
            lambda s=scale_set: people.set_tags(s, {"breakwater-self-service": "never"}),
        )
        world.fleet.at(at, random.choice(acts))
        if random.random() < 0.5:
            later = at + timedelta(minutes=random.randint(1, 600))
            undo = (
                lambda v=victim: v.instance_id in v.owner.instances and people.start(v),
                lambda v=victim: v.instance_id in v.owner.instances and people.set_health(v, "healthy"),
                lambda s=scale_set: people.end_rolling_upgrade(s),
            )
            world.fleet.at(later, random.choice(undo))
