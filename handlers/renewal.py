"""The extra look-ups of a wave: made when it is discovered, and again when somebody needs them fresh.

They explain and they caution, so a wave never waits for them for long: what cannot be read after a few tries
is unread, and asked for again an hour later.
"""

import logging
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from handlers import roster
from handlers.cloud.errors import Throttled
from handlers.cloud.lookups import Looked, look_up
from handlers.cloud.names import ALERTS
from handlers.cloud.records import Conflict
from handlers.wire.messages import EVERY, AlertMessage
from handlers.wiring import Wiring
from planner.fleet import ScaleSet
from planner.wave import Announcement, Member, Wave

log = logging.getLogger(__name__)

TRIES = 3
"""How often a message is sent again for look-ups before it goes on without what could not be read."""

FIRST_WAIT = timedelta(seconds=30)
FRESH = timedelta(hours=1)
"""Look-ups younger than this are not made again."""


class LookUpsLater(Exception):
    """Azure cannot be read for the look-ups now; `message` is to be sent again after `wait`."""

    def __init__(self, message: AlertMessage, looked: Looked) -> None:
        super().__init__(str(looked.trouble))
        asked = looked.trouble.retry_after if isinstance(looked.trouble, Throttled) else timedelta(0)
        self.wait = asked or FIRST_WAIT * 2**message.look_ups
        self.message = message.model_copy(update={"look_ups": message.look_ups + 1})


def wanted(before: Wave, after: Wave) -> bool:
    """Whether a discovery needs look-ups: none were made, or not for all that is on the roster now."""
    known = {member.scale_set.key for member in before.roster}
    more = any(member.scale_set.key not in known for member in after.roster)
    return after.open and (more or (after.evidence is None and bool(after.roster)))


async def look(wave: Wave, listed: Collection[ScaleSet], message: AlertMessage, wiring: Wiring) -> Looked:
    """The look-ups for a wave whose scale sets were `listed` just now.

    Raises LookUpsLater while waiting for Azure may help. What stays unread for trouble that passes is asked
    for again in an hour, whoever dies meanwhile.
    """
    looked = await _look(wave, listed, message, wiring)
    if looked.trouble is not None:
        await _in_an_hour(message, wiring)
    return looked


async def renewed(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> bool:
    """Renew the look-ups of a discovered alert's wave; False when the alert is still to be discovered.

    Raises LookUpsLater while waiting for Azure may help. After that what is on record stays: it was true not
    long ago, which is better than not knowing.
    """
    looked: Looked | None = None
    for _ in range(roster.REDOS):
        wave, etag = await roster.read(announcement, wiring)
        if announcement.alert not in wave.discovered:
            return False
        if wave.open and wave.roster and _stale(wave, wiring):
            looked = looked or await _look(wave, (), message, wiring)
            if looked.trouble is None:
                wave = replace(wave, evidence=looked.evidence, generation=wave.generation + 1)
                if await roster.written(wave, etag, wiring) is None:
                    continue
            elif message.renew == EVERY:
                await _in_an_hour(message, wiring)
                return True
        concerned = _concerned(wave, message)
        await roster.ask_for_plans(wave, concerned, "renewed", message.traceparent, wiring)
        log.info("look_ups.renewed", extra={"tracking_id": wave.tracking_id, "scale_sets": len(concerned)})
        return True
    raise Conflict(f"The record of wave {announcement.tracking_id} is written by somebody else all the time.")


async def _look(wave: Wave, listed: Collection[ScaleSet], message: AlertMessage, wiring: Wiring) -> Looked:
    scale_sets = [member.scale_set for member in wave.roster]
    looked = await look_up(wiring.compute(wave.subscription), scale_sets, wiring.now(), listed)
    if looked.trouble is not None and message.look_ups < TRIES:
        raise LookUpsLater(message, looked)
    return looked


def _stale(wave: Wave, wiring: Wiring) -> bool:
    return wave.evidence is None or wiring.now() - wave.evidence.at >= FRESH


def _concerned(wave: Wave, message: AlertMessage) -> tuple[Member, ...]:
    """Who hears of it: of an open wave everybody, if everybody's evidence was incomplete."""
    if message.renew == EVERY:
        return wave.roster if wave.open else ()
    member = wave.member(message.renew)
    return (member,) if member is not None else ()


async def _in_an_hour(message: AlertMessage, wiring: Wiring) -> None:
    log.warning("look_ups.incomplete", extra={"alert": message.alert})
    await wiring.queues.send(ALERTS, AlertMessage(alert=message.alert, renew=EVERY), delay=FRESH)
