"""When things happen in a random wave."""

from datetime import datetime, timedelta
from random import Random

from simulator.fleet.waves import Wave
from tests.world.world import World

M = timedelta(minutes=1)
H = timedelta(hours=1)
DAY = timedelta(days=1)


def moment(world: World, wave: Wave, random: Random) -> datetime:
    """Some time from a minute on, most often when something is going on."""
    span = wave.self_service.end - world.clock()
    share = random.choice((0.02, 0.1, 0.4, 1.05)) * random.random()
    return world.clock() + M + span * share
