"""A platform that misbehaves under the demo: hosts die with their messages, workers hang, cold starts take long.

What happens when is drawn from the seed before anything is played.
"""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from simulator.host import HostProcess

LASTS = 120
"""Seconds from the alert on in which it misbehaves; after that what is left of the wave has to come to its end."""

COLD = 20
"""Seconds that a cold start takes."""


class Blow(StrEnum):
    """What happens to a host."""

    DIES = "dies with the messages it has taken, and is started again"
    STARTS_COLD = f"dies, and its next start takes {COLD} seconds"
    HANGS = "has a worker that hangs"


LENGTHS = {Blow.DIES: (1, 4), Blow.STARTS_COLD: (COLD, COLD), Blow.HANGS: (8, 25)}
"""How many seconds it is away, at least and at most."""


@dataclass(frozen=True, slots=True)
class Struck:
    """A blow at `at`, in seconds from the alert on, against the host of this number, for so many seconds."""

    at: float
    host: int
    blow: Blow
    lasts: float


def plan(seed: int, hosts: int) -> tuple[Struck, ...]:
    """What happens to each of so many hosts, in order of time: the same for the same seed."""
    return tuple(
        sorted((one for host in range(hosts) for one in _against(host, seed)), key=lambda one: one.at)
    )


def _against(host: int, seed: int) -> Iterator[Struck]:
    dice = random.Random(f"{seed} {host}")
    at = dice.uniform(3, 15)
    while at < LASTS:
        blow = dice.choice(list(Blow))
        lasts = round(dice.uniform(*LENGTHS[blow]), 1)
        yield Struck(round(at, 1), host, blow, lasts)
        at += lasts + dice.uniform(5, 20)


class Platform:
    """Deals the blows of a plan; `told` hears of each as it comes."""

    def __init__(
        self, hosts: list[HostProcess], blows: tuple[Struck, ...], told: Callable[[str], None]
    ) -> None:
        self._hosts, self._blows, self._told = hosts, blows, told

    async def misbehave(self) -> None:
        """From the alert until the last blow is over; then every host runs again."""
        await asyncio.gather(*(self._against(number) for number in range(len(self._hosts))))
        self._told("The platform has calmed down: every host runs.")

    async def _against(self, number: int) -> None:
        began = asyncio.get_running_loop().time()
        for struck in self._blows:
            if struck.host == number:
                await asyncio.sleep(max(0.0, began + struck.at - asyncio.get_running_loop().time()))
                await self._strike(struck)

    async def _strike(self, struck: Struck) -> None:
        host = self._hosts[struck.host]
        self._told(f"Host {struck.host + 1} {struck.blow} ({struck.lasts:g} s).")
        if struck.blow is Blow.HANGS:
            worker = host.worker_pid
            # A worker that has been replaced meanwhile is nobody's to wake.
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGSTOP)
            await asyncio.sleep(struck.lasts)
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)
            return
        await host.kill()
        await asyncio.sleep(struck.lasts)
        await host.start()
        await host.wait_ready(60)
