"""Calls made side by side, no more than so many at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable


async def side_by_side[Item, Result](
    call: Callable[[Item], Awaitable[Result]], items: Iterable[Item], at_once: int
) -> list[Result]:
    """The results in the order of the items. Every call ends before the first failure is raised."""
    gate = asyncio.Semaphore(at_once)

    async def gated(item: Item) -> Result:
        async with gate:
            return await call(item)

    calls = [asyncio.ensure_future(gated(item)) for item in items]
    await asyncio.gather(*calls, return_exceptions=True)
    return [done.result() for done in calls]
