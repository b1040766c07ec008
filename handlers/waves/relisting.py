"""The listing of an open wave's scale sets, made again: one answer is no proof of what it did not show.

Azure Resource Manager answers from several regions that take a while to agree, and a listing may end early
without saying so. So there is a second listing a quarter of an hour after each discovery, another an hour
after each that differed from the one before, and, once two agree, one every six hours for as long as the wave
is open: both may leave out the same scale set, and new ones are created.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from handlers.log import logger
from handlers.waves import listing, roster
from handlers.wire.messages import AlertMessage
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.azure.wave import Announcement, Wave

log = logger(__name__)

WHEN_DIFFERENT, WHEN_AGREED = timedelta(hours=1), timedelta(hours=6)


def wanted(wave: Wave, now: datetime) -> bool:
    """Whether it is time to list the wave's scale sets again."""
    return wave.open and (wave.list_again is None or wave.list_again <= now)


async def relisted(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> bool:
    """List again for an alert's wave when it is time; False when the alert is still to be discovered.

    Raises AzureTrouble (the sweep asks again) and Conflict. Scale sets that are found are planned and looked
    up. Those missing from two listings are left to their own runs, which read the scale set itself.
    """
    found: tuple[ScaleSet, ...] | None = None

    async def with_new_listing(wave: Wave) -> Wave:
        nonlocal found
        if not wave.knows(announcement.alert) or not wanted(wave, wiring.now()):
            return wave
        if found is None:
            found = await listing.of(wave.subscription, wiring)
        listed = roster.with_listing(wave, found, wiring)
        agreed = listed.roster and wave.keys == listed.keys and set(wave.unlisted) == set(listed.unlisted)
        return replace(listed, list_again=wiring.now() + (WHEN_AGREED if agreed else WHEN_DIFFERENT))

    before, after = await wiring.waves.update(announcement, with_new_listing)
    if after is not before:
        await _told(before, after, message, wiring)
    return after.knows(announcement.alert)


async def _told(before: Wave, after: Wave, message: AlertMessage, wiring: Wiring) -> None:
    """Have those planned that were not there before; should this get lost, the sweep finds them."""
    if not after.roster:
        await roster.tell_empty(after, message.traceparent, wiring)
        return
    joined = [member for member in after.roster if before.member(member.scale_set.key) is None]
    if joined:
        log.warning("relisted.found", extra={"wave": after.tracking_id, "scale_sets": len(joined)})
        await roster.have_planned(after, joined, message, wiring)
