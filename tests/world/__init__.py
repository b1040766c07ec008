"""A whole wave on a virtual clock: the real stages over storage in memory and the simulated fleet.

Time only moves when nothing is left to do at a moment, so a wave of weeks plays in a fraction of a second, and
any step of any stage can be killed, delayed or answered wrongly by the seed of a test.
"""

from tests.world.chaos import Chaos, Killed
from tests.world.world import World

__all__ = ["Chaos", "Killed", "World"]
