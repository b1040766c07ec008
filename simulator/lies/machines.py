"""Machines that take maintenance badly, and Azure putting it off many times: drawn once, for the whole wave."""

from datetime import timedelta
from random import Random

from simulator.fleet.behaviour import Behaviour
from simulator.fleet.fleet import Fleet
from simulator.lies.lies import Lies

MINUTE = timedelta(minutes=1)
TIMES = (3, 6, 12)


def afflict(fleet: Fleet, lies: Lies, *, pace: float = 1.0) -> None:
    """Give the marked instances the behaviours that the lies ask for."""
    for instance in fleet.world.instances():
        for name in ENDINGS:
            if lies.marked(name, instance.id.lower()):
                instance.behaviour |= _behaviour(name, Random(f"{lies.seed}/{name}/how/{instance.id}"), pace)


def _behaviour(name: str, random: Random, pace: float) -> Behaviour:
    match name:
        case "retry-later":
            return Behaviour(retry_later=random.choice(TIMES), set_aside_fails=random.random() < 0.5)
        case "aborted":
            return Behaviour(aborted=random.choice(TIMES), set_aside_fails=random.random() < 0.5)
        case "ends-stopped":
            return Behaviour(ends_up="stopped")
        case "ends-deallocated":
            return Behaviour(ends_up="deallocated")
        case "ends-failed":
            return Behaviour(ends_up="failed")
        case "ends-unhealthy":
            return Behaviour(health_finally="unhealthy")
        case "relapses-soon":
            return Behaviour(relapses_after=random.choice((3, 8, 20)) * MINUTE * pace)
        case _:
            return Behaviour(relapses_after=random.choice((70, 180, 600)) * MINUTE * pace)


ENDINGS = (
    "retry-later",
    "aborted",
    "ends-stopped",
    "ends-deallocated",
    "ends-failed",
    "ends-unhealthy",
    "relapses-soon",
    "relapses-late",
)
