"""The listing of an open wave's scale sets, made again where the last one was empty or shorter than before.

Azure Resource Manager answers from several regions that agree after a while only; one answer is no proof that
there is nothing.
"""

import logging

from handlers import renewal, roster
from handlers.cloud.names import NOTICES
from handlers.cloud.records import Conflict
from handlers.wire.messages import AlertMessage, NoticeMessage
from handlers.wiring import Wiring
from planner.fleet import ScaleSet
from planner.wave import Announcement, Wave

log = logging.getLogger(__name__)


def wanted(wave: Wave) -> bool:
    """Whether the last listing is no proof of what it did not show."""
    return wave.open and (not wave.roster or bool(wave.unlisted))


async def relisted(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> bool:
    """List again for an alert's wave; False when the alert is still to be discovered.

    Raises AzureTrouble; the sweep asks again. Who is found is planned, and looked up. Who is missing in two
    listings is left to its own run: that reads the scale set itself.
    """
    found: tuple[ScaleSet, ...] | None = None
    for _ in range(roster.REDOS):
        wave, etag = await roster.read(announcement, wiring)
        if not wave.knows(announcement.alert):
            return False
        if not wanted(wave):
            return True
        if found is None:
            found = await roster.listed(wave.subscription, wiring)
        updated = roster.with_listing(wave, found, wiring)
        if set(updated.unlisted) == set(wave.unlisted):
            updated = roster.settled(updated)
        if updated != wave:
            updated = roster.next_generation(updated)
            if await roster.written(updated, etag, wiring) is None:
                continue
        await _told(wave, updated, message, wiring)
        return True
    raise Conflict(f"The record of wave {announcement.tracking_id} is written by somebody else all the time.")


async def _told(before: Wave, after: Wave, message: AlertMessage, wiring: Wiring) -> None:
    """Have those planned that were not there before; should this get lost, the sweep finds them."""
    if not after.roster:
        await roster.tell_empty(after, message.traceparent, wiring)
        return
    joined = [one for one in after.roster if before.member(one.scale_set.key) is None]
    if not joined:
        return
    log.warning("relisted.found", extra={"tracking_id": after.tracking_id, "scale_sets": len(joined)})
    await roster.ask_for_plans(after, joined, "announced", message.traceparent, wiring)
    notice = NoticeMessage(tracking_id=after.tracking_id, kind="wave", traceparent=message.traceparent)
    await wiring.queues.send(NOTICES, notice, delay=wiring.settings.group_wait)
    await renewal.ask(after, message, wiring)
