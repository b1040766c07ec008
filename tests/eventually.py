"""Waiting for a condition: the only place in the tests that sleeps."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

PATIENCE = 4
"""How much slower than a machine of its own the one may be that runs all tests side by side."""


async def eventually[T](
    condition: Callable[[], T | Awaitable[T]], *, within: float, every: float = 0.05, why: str
) -> T:
    """Ask until the answer is truthy and return it; after `within` seconds fail, saying `why` it should hold.

    The seconds are those of a quiet machine; a busy one is given `PATIENCE` times as long. `condition` may be async. An AssertionError it raises counts as "not yet" and is shown at the end.
    """
    deadline = time.monotonic() + within * PATIENCE
    while True:
        objection: AssertionError | None = None
        answer: object = None
        try:
            answer = condition()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer  # type: ignore[return-value]
        except AssertionError as raised:
            objection = raised
        if time.monotonic() > deadline:
            seen = objection if objection is not None else repr(answer)
            raise AssertionError(f"Not within {within * PATIENCE} s: {why}; last seen: {seen}") from objection
        await asyncio.sleep(every)
