"""Who is on a wave's roster, and the messages that have them planned, looked up and told."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from handlers.wire.ids import ALERTS, NOTICES, SCALE_SETS
from handlers.wire.messages import EVERY, AlertMessage, NoticeMessage, ScaleSetMessage
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.azure.wave import Member, Wave
from planner.policy.resolve import member_for

SECOND_LISTING = timedelta(minutes=15)
"""How long after a discovery an open wave's scale sets are listed again."""


async def listed(subscription: str, wiring: Wiring) -> tuple[ScaleSet, ...]:
    """Every scale set Azure shows of the subscription now. Raises AzureTrouble."""
    return tuple([scale_set async for scale_set in wiring.compute(subscription).scale_sets()])


def with_listing(wave: Wave, found: Sequence[ScaleSet], wiring: Wiring) -> Wave:
    """The wave with everything listed now, and what was found earlier.

    A scale set that is no longer listed stays: one answer does not prove that it is gone. Nor does it prove
    that there are no others, so the second listing comes soon.
    """
    policy, now = wiring.policy(), wiring.now()
    soon = now + SECOND_LISTING
    members = {member.scale_set.key: member for member in wave.roster}
    for scale_set in found:
        if wave.current.covers(scale_set.location):
            members[scale_set.key] = member_for(policy, scale_set)
    joined = sorted(members.keys() - set(wave.keys)) if wave.evidence is not None else []
    there = {scale_set.key for scale_set in found}
    again = wave.list_again
    return replace(
        wave,
        roster=tuple(members[key] for key in sorted(members)),
        unlooked=tuple(dict.fromkeys((*wave.unlooked, *joined))),
        unlisted=tuple(key for key in wave.keys if key not in there),
        list_again=again if again is not None and now < again < soon else soon,
    )


async def tell_empty(wave: Wave, traceparent: str, wiring: Wiring) -> None:
    """Tell people, once for each set of regions, that Azure shows no scale set in the wave's regions."""
    regions = ", ".join(wave.current.regions)
    where = f"names {regions and f'{regions} in '}subscription {wave.subscription}, where"
    notice = NoticeMessage(
        tracking_id=wave.tracking_id,
        kind="empty_wave",
        text=f"Wave {wave.tracking_id} {where} Breakwater sees no scale set; nothing is planned."[:4000],
        about=f"{wave.subscription} {regions}"[:300],
        traceparent=traceparent,
    )
    await wiring.queues.send(NOTICES, notice)


async def have_planned(wave: Wave, members: Iterable[Member], message: AlertMessage, wiring: Wiring) -> None:
    """Have members of the wave planned, people told, and made what look-ups the wave still needs."""
    traceparent = message.traceparent
    await ask_for_plans(wave, members, "announced", traceparent, wiring)
    notice = NoticeMessage(tracking_id=wave.tracking_id, kind="wave", traceparent=traceparent)
    await wiring.queues.send(NOTICES, notice, delay=wiring.settings.group_wait)
    if wave.wants_look_ups:
        look_ups = AlertMessage(alert=message.alert, renew=EVERY, traceparent=traceparent)
        await wiring.queues.send(ALERTS, look_ups)


async def ask_for_plans(
    wave: Wave,
    members: Iterable[Member],
    reason: Literal["announced", "renewed", "swept"],
    traceparent: str,
    wiring: Wiring,
) -> None:
    """Ask for a plan of each of these scale sets of the wave."""
    messages = [
        ScaleSetMessage(
            tracking_id=wave.tracking_id,
            subscription=wave.subscription,
            scale_set=member.scale_set.id,
            reason=reason,
            wave_generation=wave.generation,
            traceparent=traceparent,
        )
        for member in members
    ]
    await wiring.queues.send_together(SCALE_SETS, messages)
