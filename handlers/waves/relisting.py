"""The listing of an open wave's scale sets, made again: one answer is no proof of what it did not show.

Azure Resource Manager answers from several regions that agree after a while only, and a listing may end early
without saying so. The budget of one listing for a wave and subscription buys one answer; so there is a second
one a quarter of an hour after each discovery, another an hour after each that differed from the one before,
and, once two agree, one every six hours for as long as the wave is open: two answers may leave out the same,
and scale sets are made meanwhile.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cloud.records import Conflict
from handlers.waves import extra_lookups, roster
from handlers.wire.ids import NOTICES
from handlers.wire.messages import AlertMessage, NoticeMessage
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.azure.wave import Announcement, Wave

log = logging.getLogger(__name__)

WHEN_DIFFERENT, WHEN_AGREED = timedelta(hours=1), timedelta(hours=6)


def wanted(wave: Wave, now: datetime) -> bool:
    """Whether it is time to list the wave's scale sets again."""
    return wave.open and (wave.list_again is None or wave.list_again <= now)


async def relisted(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> bool:
    """List again for an alert's wave when it is time; False when the alert is still to be discovered.

    Raises AzureTrouble; the sweep asks again. Who is found is planned, and looked up. Who is missing in two
    listings is left to its own run: that reads the scale set itself.
    """
    found: tuple[ScaleSet, ...] | None = None
    for _ in range(roster.REDOS):
        wave, etag = await wiring.waves.read(announcement)
        if not wave.knows(announcement.alert):
            return False
        if not wanted(wave, wiring.now()):
            return True
        if found is None:
            found = await roster.listed(wave.subscription, wiring)
        updated = _confirmed(wave, roster.with_listing(wave, found, wiring), wiring.now())
        updated = roster.next_generation(updated)
        if await wiring.waves.write(updated, etag) is None:
            continue
        await _told(wave, updated, message, wiring)
        return True
    raise Conflict(f"Wave {announcement.tracking_id}: gave up after {roster.REDOS} write conflicts.")


def _confirmed(before: Wave, after: Wave, now: datetime) -> Wave:
    """The wave with the time of its next listing: soon, unless this one has shown what the one before did."""
    agreed = before.keys == after.keys and set(before.unlisted) == set(after.unlisted)
    if not (agreed and after.roster):
        return replace(after, list_again=now + WHEN_DIFFERENT)
    return replace(after, list_again=now + WHEN_AGREED)


async def _told(before: Wave, after: Wave, message: AlertMessage, wiring: Wiring) -> None:
    """Have those planned that were not there before; should this get lost, the sweep finds them."""
    if not after.roster:
        await roster.tell_empty(after, message.traceparent, wiring)
        return
    joined = [member for member in after.roster if before.member(member.scale_set.key) is None]
    if not joined:
        return
    log.warning("relisted.found", extra={"tracking_id": after.tracking_id, "scale_sets": len(joined)})
    await roster.ask_for_plans(after, joined, "announced", message.traceparent, wiring)
    notice = NoticeMessage(tracking_id=after.tracking_id, kind="wave", traceparent=message.traceparent)
    await wiring.queues.send(NOTICES, notice, delay=wiring.settings.group_wait)
    await extra_lookups.ask(after, message, wiring)
