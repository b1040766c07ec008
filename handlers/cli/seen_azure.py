"""One subscription of Azure as a plan sees it: each thing is read once, and stays as it was seen then.

Without a connection it answers from a snapshot. Either way the stages of the app run on it: it has the faces
of `handlers.cloud.compute` that they read, and none of those that change something.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from handlers.cli.snapshot import Lookups, Subscription, Trouble
from handlers.cloud import graph, lookups
from handlers.cloud.compute import Compute
from handlers.cloud.errors import AzureTrouble, NotFound, Throttled, Unreachable
from handlers.cloud.graph import Found
from handlers.cloud.lookups import Looked
from planner.azure.fleet import Instance, ScaleSet
from planner.azure.usage import Evidence, Source

MAINTENANCE, SCALE_SETS = "planned maintenance", "scale sets"
"""What of a subscription may be unreadable, beside single scale sets."""

NOT_THERE = "It is not in the snapshot."

PATIENT_FOR = timedelta(seconds=60)
"""How long Azure may ask to wait, in all for one call; what is throttled for longer counts as unread."""


class SeenAzure:
    """`live` reads what has not been seen; without it everything is as `seen` has it.

    `gate` bounds the calls that are made side by side. Raises handlers.cloud.errors, and again the same for
    what could not be read the first time.
    """

    def __init__(
        self, seen: Subscription, live: Compute | None = None, gate: asyncio.Semaphore | None = None
    ) -> None:
        self.subscription = seen.id
        self.seen = seen
        self._live, self._gate = live, gate or asyncio.Semaphore(1)
        self._turns: dict[str, asyncio.Lock] = {}
        self._sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def planned_maintenance(self) -> list[Found]:
        """What Resource Graph knows of this subscription's planned maintenance."""
        if self.seen.maintenance is None:

            async def read(live: Compute) -> tuple[Found, ...]:
                return tuple(await graph.planned_maintenance(live, self.subscription))

            found = await self._once(MAINTENANCE, read, lambda: self.seen.maintenance)
            self.seen = replace(self.seen, maintenance=found)
            return list(found)
        return list(self.seen.maintenance)

    async def scale_sets(self, start: str = "") -> AsyncIterator[tuple[list[ScaleSet], str]]:
        """Every scale set of the subscription, on one page."""
        del start
        yield list(await self.listed()), ""

    async def listed(self) -> tuple[ScaleSet, ...]:
        async def read(live: Compute) -> tuple[ScaleSet, ...]:
            return tuple([each async for page, _ in live.scale_sets() for each in page])

        found = await self._once(SCALE_SETS, read, lambda: self.seen.scale_sets)
        self.seen = replace(self.seen, scale_sets=found)
        return found

    async def scale_set(self, arm_id: str) -> ScaleSet:
        """One scale set, as the listing had it."""
        for scale_set in await self.listed():
            if scale_set.key == arm_id.lower():
                return scale_set
        raise NotFound(f"ResourceNotFound: {arm_id} is not there.")

    async def instances(self, scale_set: ScaleSet) -> tuple[Instance, ...]:
        """Every instance of a scale set with its instance view."""
        key = scale_set.key
        found = await self._once(
            key, lambda live: live.instances(scale_set), lambda: self.seen.instances.get(key)
        )
        self.seen = replace(self.seen, instances={**self.seen.instances, key: found})
        return found

    async def instance(self, scale_set: ScaleSet, instance: str) -> Instance:
        """One instance, read by itself."""
        key = f"{scale_set.key}/{instance}"
        found = await self._once(
            key, lambda live: live.instance(scale_set, instance), lambda: self.seen.single.get(key)
        )
        self.seen = replace(self.seen, single={**self.seen.single, key: found})
        return found

    async def look_up(
        self, scale_sets: Collection[ScaleSet], now: datetime, listed: Collection[ScaleSet]
    ) -> Looked:
        """The extra look-ups of these scale sets; what is unread says why, and nobody waits for it."""
        wanted = {scale_set.key for scale_set in scale_sets}
        async with self._turn("look-ups"):
            fitting = [each for each in self.seen.lookups if wanted <= {*each.about}]
            if fitting:
                known = min(fitting, key=lambda each: len(each.about))
                return _about(known, tuple(scale_set.key for scale_set in scale_sets)).looked()
            if self._live is None:
                unread = dict.fromkeys(Source, NOT_THERE)
                return Looked(Evidence(now, now, unread), None, tuple(wanted))
            async with self._gate:
                looked = await lookups.look_up(self._live, scale_sets, now, listed)
            made = Lookups(looked.about, looked.evidence)
            self.seen = replace(self.seen, lookups=(*self.seen.lookups, made))
            return made.looked()

    def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        """The list at a path; only of a live Azure. A plan of one moment asks for none."""
        if self._live is None:
            raise Unreachable(NOT_THERE)
        return self._live.pages(path)

    async def _once[Thing](
        self,
        name: str,
        read: Callable[[Compute], Awaitable[Thing]],
        known: Callable[[], Thing | None],
    ) -> Thing:
        """What is known of it, else read now; the trouble of it is kept like an answer."""
        async with self._turn(name):
            if (found := known()) is not None:
                return found
            if (trouble := self.seen.troubles.get(name)) is not None:
                raise trouble.error()
            if self._live is None:
                raise Unreachable(NOT_THERE)
            try:
                return await self._patiently(read, self._live)
            except AzureTrouble as error:
                self.seen = replace(self.seen, troubles={**self.seen.troubles, name: Trouble.of(error)})
                raise

    async def _patiently[Thing](self, read: Callable[[Compute], Awaitable[Thing]], live: Compute) -> Thing:
        """Read it, and wait where Azure asks for a short wait."""
        waited = timedelta(0)
        while True:
            async with self._gate:
                try:
                    return await read(live)
                except Throttled as error:
                    wait = error.retry_after
                    waited += wait
                    if waited > PATIENT_FOR:
                        raise
            await self._sleep(wait.total_seconds())

    def _turn(self, name: str) -> asyncio.Lock:
        return self._turns.setdefault(name, asyncio.Lock())


def _about(known: Lookups, keys: tuple[str, ...]) -> Lookups:
    """The part of the look-ups that is about these scale sets."""
    wanted = set(keys)
    habits = {key: each for key, each in known.evidence.scale_sets.items() if key in wanted}
    return Lookups(keys, replace(known.evidence, scale_sets=habits))
