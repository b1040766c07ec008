"""What goes wrong, when, decided by a seed."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random


class Killed(BaseException):
    """The process died at this step."""


@dataclass
class Chaos:
    """Shares are chances per step; the same seed makes the same trouble.

    kill: the process dies before or after the step. storage: storage is down for the step. azure: a read of
    Azure fails. throttle: it answers 429. twice: a message is delivered again although its work was done.
    hosts: how many messages are worked on at the same time. processes: among how many processes, which know
    of each other only what is in storage.
    """

    seed: int = 0
    kill: float = 0.0
    storage: float = 0.0
    azure: float = 0.0
    throttle: float = 0.0
    twice: float = 0.0
    hosts: int = 1
    processes: int = 1
    most_kills: int = 200
    kills: int = 0
    random: Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def happens(self, share: float) -> bool:
        return share > 0 and self.random.random() < share

    async def step(self) -> None:
        """Between any two steps another host may run, or this one may die."""
        if self.hosts > 1:
            for _ in range(self.random.randrange(3)):
                await asyncio.sleep(0)
        if self.kills < self.most_kills and self.happens(self.kill):
            self.kills += 1
            raise Killed

    def wait(self) -> timedelta:
        return timedelta(seconds=self.random.choice((1, 5, 30)))
