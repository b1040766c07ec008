"""How long the function that runs now may still take: it is over at half of what the host allows.

A function that exceeds `functionTimeout` takes its worker down, and all else that runs there hangs until its
own time is over. So whatever reads, sends or goes through many things asks here how long it has, keeps what
it has by then, and leaves the rest to a message or to the next time. What has not ended by itself is ended.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from pathlib import Path

UNKNOWN = timedelta(minutes=5)
"""Taken for `functionTimeout` where host.json does not say: the shortest default of any plan."""

UNLIMITED = timedelta(days=1)
"""What is left where no host counts: in the command line, and of a `functionTimeout` of -1."""

RESERVE = timedelta(seconds=30)
"""Kept back of the half, to write down what was done and to queue the rest. What is still at work when half
of this is used up is cut off."""

OVERRIDE = "AzureFunctionsJobHost__functionTimeout"
"""The setting by which the host takes another value than that of host.json."""

_ends: ContextVar[float | None] = ContextVar("ends", default=None)
"""When the half is over, by the clock of the loop."""


class OutOfTime(Exception):
    """What a function does was not done in time, and was ended."""


class TooLittleTime(OutOfTime):
    """There is too little time left to begin something; nothing of it was done."""


def function_timeout(host_json: Path, environment: Mapping[str, str]) -> timedelta:
    """How long the host lets a function run."""
    said = environment.get(OVERRIDE, "")
    if not said:
        try:
            said = json.loads(host_json.read_text("utf-8")).get("functionTimeout", "")
        except (OSError, ValueError):
            return UNKNOWN
    if said == "-1":
        return 2 * UNLIMITED
    found = re.fullmatch(r"(?:(\d+)\.)?(\d+):(\d+):(\d+)", str(said))
    if found is None:
        return UNKNOWN
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


@asynccontextmanager
async def within(allowed: timedelta) -> AsyncIterator[None]:
    """Give what is done inside half of what the host allows. Raises OutOfTime where that is not enough."""
    half = allowed / 2
    known = _ends.set(asyncio.get_running_loop().time() + half.total_seconds())
    try:
        async with _ended_after(half):
            yield
    finally:
        _ends.reset(known)


def left() -> timedelta:
    """How long work may go on, the reserve kept back; not less than zero."""
    return max(_until_half() - RESERVE, timedelta(0))


def over() -> bool:
    """Whether nothing new may be begun."""
    return not left()


def need(time: timedelta) -> None:
    """Raise TooLittleTime where less than this is left for what is about to begin."""
    rest = left()
    if rest < time:
        raise TooLittleTime(
            f"{rest.total_seconds():.0f} s are left, and it may take {time.total_seconds():.0f} s."
        )


def work() -> AbstractAsyncContextManager[None]:
    """End what is done inside and has not ended by itself. Raises OutOfTime then: the rest is for later."""
    return _ended_after(_until_half() - RESERVE / 2)


def _until_half() -> timedelta:
    ends = _ends.get()
    if ends is None:
        return UNLIMITED
    return timedelta(seconds=ends - asyncio.get_running_loop().time())


@asynccontextmanager
async def _ended_after(limit: timedelta) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limit.total_seconds()) as timer:
            yield
    except TimeoutError:
        if not timer.expired():
            raise
        raise OutOfTime(f"It was not done within {limit.total_seconds():.0f} s.") from None
