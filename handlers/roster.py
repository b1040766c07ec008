"""A wave's record with its roster, written by discover alone, and the scale sets on it that want a plan."""

import asyncio
from collections.abc import Iterable
from typing import Literal

from handlers.cloud.names import SCALE_SETS, wave_path
from handlers.cloud.records import Conflict
from handlers.wire.documents import decode_wave, encode_wave, wave_metadata
from handlers.wire.messages import ScaleSetMessage
from handlers.wiring import Wiring
from planner.wave import Announcement, Member, Wave

AT_ONCE = 16
"""Messages sent side by side."""

REDOS = 8
"""How often somebody else's write is made room for within one message."""


async def read(announcement: Announcement, wiring: Wiring) -> tuple[Wave, str | None]:
    """The announcement's wave with its etag, None when there is no record yet."""
    stored = await wiring.records.read(wave_path(announcement.tracking_id, announcement.subscription))
    if stored is None:
        return Wave(announcement.tracking_id, announcement.subscription), None
    return decode_wave(stored.body), stored.etag


async def written(wave: Wave, etag: str | None, wiring: Wiring) -> str | None:
    """The new etag, None when somebody wrote in between."""
    path = wave_path(wave.tracking_id, wave.subscription)
    try:
        return await wiring.records.write(path, encode_wave(wave), etag=etag, metadata=wave_metadata(wave))
    except Conflict:
        return None


async def ask_for_plans(
    wave: Wave,
    members: Iterable[Member],
    reason: Literal["announced", "renewed"],
    traceparent: str,
    wiring: Wiring,
) -> None:
    """One message for each of these scale sets of the wave."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def send(member: Member) -> None:
        async with gate:
            await wiring.queues.send(
                SCALE_SETS,
                ScaleSetMessage(
                    tracking_id=wave.tracking_id,
                    subscription=wave.subscription,
                    scale_set=member.scale_set.id,
                    reason=reason,
                    wave_generation=wave.generation,
                    traceparent=traceparent,
                ),
            )

    await asyncio.gather(*(send(member) for member in members))
