"""discover: an announcement becomes a wave with its roster, and every scale set concerned gets a message.

The roster is written before the first message. The alert counts as discovered only after the last message, so
that a crash anywhere in between is repaired by doing it again: a message sent twice is harmless.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, Throttled, Unreachable
from handlers.cloud.names import alert_path
from handlers.cloud.records import Conflict
from handlers.failures import throttling
from handlers.failures.quarantine import ALERT, keep
from handlers.log import also, logger
from handlers.waves import extra_lookups, listing, relisting, roster
from handlers.wire.alerts import NotAnAlert, NotForUs, read_alert
from handlers.wire.documents import NewerRecord
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import NEWER_WAIT, AlertMessage, NoticeMessage
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.azure.fleet import ScaleSet
from planner.azure.wave import Announcement, Wave, with_announcement
from planner.text.backoff import FAILURES_UNTOLD, FIRST_WAIT, after_trouble

log = logger(__name__)


async def handle(message: AlertMessage, wiring: Wiring) -> None:
    """Discover one stored alert.

    Raises what storage raises, and LookupError when there is no such alert: the host tries again, then it is
    quarantined. What only needs time is sent again as a new message.
    """
    announcement = await _announcement(message, wiring)
    if announcement is None:
        return
    try:
        if not await _only_again(announcement, message, wiring):
            await _discover(announcement, message, wiring)
    except extra_lookups.LookUpsLater as later:
        if not message.swept:
            await _later(later.message, later.wait, str(later), wiring)
    except (Throttled, Unreachable, NewerRecord) as trouble:
        if message.swept:
            # The sweep asks again, and must not ask beside a message that waits.
            log.info("discover.left_to_the_sweep", extra={"alert": message.alert, "why": str(trouble)})
        else:
            await _put_off(announcement, message, trouble, wiring)
    except NotFound as trouble:
        if message.tries or message.swept:
            await _not_ours(announcement, message, trouble.sentence, wiring)
        else:
            # Regions of Azure Resource Manager take a while to agree: one 404 is no proof.
            await _put_off(announcement, message, trouble, wiring)
    except Forbidden as trouble:
        await _not_ours(announcement, message, trouble.sentence, wiring)


async def _only_again(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> bool:
    """Whether a discovered alert asked for no more than its look-ups, or its listing, once more."""
    if message.renew:
        return await extra_lookups.renewed(announcement, message, wiring)
    return message.relist and await relisting.relisted(announcement, message, wiring)


async def _put_off(
    announcement: Announcement, message: AlertMessage, trouble: AzureTrouble | NewerRecord, wiring: Wiring
) -> None:
    """Try again later, longer each time, and tell people once it has lasted for half an hour."""
    tell = False
    if isinstance(trouble, NewerRecord):
        wait = NEWER_WAIT
    elif isinstance(trouble, Throttled):
        message, wait, tell = throttling.put_off(message, trouble, wiring.now(), announcement.alert)
    else:
        wait, tell = after_trouble(message.tries), message.tries == FAILURES_UNTOLD
        message = message.model_copy(update={"tries": message.tries + 1})
    if tell:
        text = words.not_listed(announcement.tracking_id, announcement.subscription, trouble)
        await _tell(announcement, message, text, wiring)
    await _later(message, wait, str(trouble), wiring)


async def _announcement(message: AlertMessage, wiring: Wiring) -> Announcement | None:
    stored = await wiring.records.read(alert_path(message.alert))
    if stored is None:
        raise LookupError(f"There is no stored alert {message.alert}.")
    received = datetime.fromisoformat(stored.metadata.get("received") or wiring.now().isoformat())
    try:
        alert = read_alert(stored.body, received)
    except NotAnAlert as error:
        # Stored by a version of this app that read it differently.
        log.warning("discover.unreadable", extra={"alert": message.alert, "why": error.sentence})
        await keep(ALERT, stored.body, error.sentence, wiring)
        return None
    if isinstance(alert, NotForUs):
        log.info("discover.not_for_us", extra={"alert": message.alert, "why": alert.reason})
        return None
    return alert


async def _discover(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> None:
    also(wave=announcement.tracking_id)
    listed: tuple[ScaleSet, ...] | None = None

    async def with_roster(wave: Wave) -> Wave:
        nonlocal listed
        if announcement.alert in wave.discovered:
            return wave
        updated = with_announcement(wave, announcement)
        if updated.current.alert != announcement.alert:
            # An older one, or another copy of one that is known: on record, and nothing else changes.
            log.info("discover.stale", extra={"current": updated.current.alert})
            return await discovered(updated)
        if updated.open:
            if listed is None:
                listed = await listing.of(announcement.subscription, wiring)
            updated = roster.with_listing(updated, listed, wiring)
        return updated

    async def discovered(wave: Wave) -> Wave:
        if announcement.alert in wave.discovered:
            return wave
        return replace(wave, discovered=(*wave.discovered, announcement.alert))

    try:
        _, wave = await wiring.waves.update(announcement, with_roster)
    except Conflict as error:
        await _later(message, FIRST_WAIT, str(error), wiring)
        return
    if announcement.alert in wave.discovered:
        return
    await roster.have_planned(wave, wave.roster, message, wiring)
    if wave.open and listed and not wave.roster:
        await roster.tell_empty(wave, message.traceparent, wiring)
    try:
        await wiring.waves.update(announcement, discovered)
    except Conflict:
        # The sweep will have it discovered again: more work, no harm.
        log.warning("discover.not_recorded")
    log.info("discover.done", extra={"scale_sets": len(wave.roster)})


async def _later(message: AlertMessage, wait: timedelta, why: str, wiring: Wiring) -> None:
    log.info("discover.later", extra={"alert": message.alert, "why": why, "seconds": wait.total_seconds()})
    await wiring.queues.send(ALERTS, message, delay=wait)


async def _not_ours(announcement: Announcement, message: AlertMessage, why: str, wiring: Wiring) -> None:
    """Tell people, once a day, that Azure does not show us the subscription; the sweep asks again."""
    text = words.may_not_read(announcement.tracking_id, announcement.subscription, why)
    body = message.model_copy(update={"tries": 0, "traceparent": ""}).model_dump_json().encode()
    log.error("discover.not_ours", extra={"wave": announcement.tracking_id, "why": why})

    async def tell(path: str) -> None:
        del path
        await _tell(announcement, message, text, wiring)

    await keep(ALERTS, body, text, wiring, tell=tell)


async def _tell(announcement: Announcement, message: AlertMessage, text: str, wiring: Wiring) -> None:
    notice = NoticeMessage(
        tracking_id=announcement.tracking_id,
        kind="quarantined",
        alert=announcement.alert,
        text=text,
        unread=True,
        traceparent=message.traceparent,
    )
    await wiring.queues.send(NOTICES, notice)
