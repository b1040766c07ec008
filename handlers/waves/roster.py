"""A wave's record with its roster, written by discover alone, and the scale sets on it that want a plan."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from handlers.wire.ids import NOTICES, SCALE_SETS
from handlers.wire.messages import NoticeMessage, ScaleSetMessage
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.azure.wave import Member, Wave
from planner.policy.resolve import rules_for

AT_ONCE = 16
"""Messages sent side by side."""

SECOND_LISTING = timedelta(minutes=15)
"""How long after a discovery an open wave's scale sets are listed again."""

REDOS = 8
"""How often somebody else's write is made room for within one message."""


async def listed(subscription: str, wiring: Wiring) -> tuple[ScaleSet, ...]:
    """Every scale set Azure shows of the subscription now. Raises AzureTrouble."""
    return tuple([one async for one in wiring.compute(subscription).scale_sets()])


def with_listing(wave: Wave, found: Sequence[ScaleSet], wiring: Wiring) -> Wave:
    """The wave with everything listed now, and what was found earlier.

    What is no longer listed still hears what becomes of its wave: one answer is no proof that it is gone. Nor
    is it one that there are no others, so there is a second listing soon.
    """
    policy, now = wiring.policy(), wiring.now()
    coming = wave.list_again is not None and wave.list_again > now
    soon = now + SECOND_LISTING
    members: dict[str, Member] = {}
    for scale_set in found:
        if wave.current.covers(scale_set.location):
            rules = rules_for(policy, scale_set)
            members[scale_set.key] = Member(scale_set, tier=rules.tier, after=rules.after)
    for former in wave.roster:
        members.setdefault(former.scale_set.key, former)
    known, there = set(wave.keys), {one.key for one in found}
    joined = [key for key in sorted(members) if key not in known] if wave.evidence is not None else []
    return replace(
        wave,
        roster=tuple(members[key] for key in sorted(members)),
        unlooked=tuple(dict.fromkeys((*wave.unlooked, *joined))),
        unlisted=tuple(key for key in wave.keys if key not in there),
        list_again=min(wave.list_again, soon) if coming and wave.list_again else soon,
    )


def next_generation(wave: Wave) -> Wave:
    """The wave as it is written next."""
    return replace(wave, generation=wave.generation + 1)


async def tell_empty(wave: Wave, traceparent: str, wiring: Wiring) -> None:
    """Nobody is hit by this wave, as far as Azure shows: told once for each set of regions it names."""
    regions = ", ".join(wave.current.regions)
    where = (
        f"names {regions} in subscription {wave.subscription}, where"
        if regions
        else (f"names subscription {wave.subscription}, where")
    )
    notice = NoticeMessage(
        tracking_id=wave.tracking_id,
        kind="empty_wave",
        text=f"Wave {wave.tracking_id} {where} Breakwater sees no scale set; nothing is planned."[:4000],
        about=f"{wave.subscription} {regions}"[:300],
        traceparent=traceparent,
    )
    await wiring.queues.send(NOTICES, notice)


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
