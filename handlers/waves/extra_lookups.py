"""The extra look-ups of a wave: made once its scale sets are queued, and again when somebody needs them.

They only explain and caution, so planning never waits for them; nothing starts before they are made, and the
scale sets that they change something for are planned again. What cannot be read after a few tries counts as
unread, and is asked for again an hour later.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cloud.errors import AzureTrouble, Throttled
from handlers.cloud.lookups import Looked
from handlers.cloud.records import Conflict
from handlers.log import logger
from handlers.waves import rights_probe, roster
from handlers.wire.ids import ALERTS
from handlers.wire.messages import EVERY, AlertMessage
from handlers.wiring import Wiring
from planner.azure.wave import Announcement, Wave, with_evidence
from planner.policy.model import Mode
from planner.policy.resolve import rules_for
from planner.text.backoff import FIRST_WAIT, throttled_wait

log = logger(__name__)

TRIES = 3
"""How often look-ups are tried again before the wave goes on without what could not be read."""

PUT_OFF_FOR = timedelta(hours=12)
"""How long 429 may put look-ups off before the wave goes on without them: nothing starts meanwhile."""

FRESH = timedelta(hours=1)
"""Look-ups younger than this are not made again."""


class LookUpsLater(Exception):
    """Azure cannot be read for the look-ups now; `message` is to be sent again after `wait`.

    429 uses up no try: giving up would have every scale set planned again for nothing while it lasts.
    """

    def __init__(self, message: AlertMessage, trouble: AzureTrouble, now: datetime) -> None:
        super().__init__(str(trouble))
        if isinstance(trouble, Throttled):
            since = message.throttled_since or now
            self.wait = throttled_wait(trouble.retry_after, now - since, message.alert, now)
            self.message = message.model_copy(update={"throttled_since": since})
        else:
            self.wait = FIRST_WAIT * 2**message.look_ups
            self.message = message.model_copy(
                update={"look_ups": message.look_ups + 1, "throttled_since": None}
            )


async def renewed(announcement: Announcement, message: AlertMessage, wiring: Wiring) -> bool:
    """Make the look-ups of an alert's wave; False when the alert is still to be discovered.

    Raises LookUpsLater while waiting for Azure may help, and Conflict. After that what is on record stays: it
    was true not long ago. Where nothing is on record, what could be read counts.
    """
    looked: Looked | None = None
    asked_again = False

    async def with_look_ups(wave: Wave) -> Wave:
        nonlocal looked, asked_again
        first = wave.evidence is None or bool(wave.unlooked)
        stale = first or wave.evidence is None or wiring.now() - wave.evidence.at >= FRESH
        if not (wave.knows(announcement.alert) and wave.open and wave.roster and stale):
            return wave
        looked = looked or await _look_up(wave, message, wiring)
        if looked.trouble is not None and not asked_again and (first or message.renew == EVERY):
            # Before the record is written: should we crash then, it is still asked for again.
            log.warning("look_ups.incomplete", extra={"alert": message.alert})
            again = AlertMessage(alert=message.alert, renew=EVERY)
            await wiring.queues.send(ALERTS, again, delay=FRESH)
            asked_again = True
        if looked.trouble is not None and not first:
            return wave
        wave = with_evidence(wave, looked.evidence, looked.about)
        return _with_who_asks(wave, wiring) if first else wave

    async with wiring.turn(f"look-ups/{announcement.tracking_id}/{announcement.subscription}"):
        _, wave = await wiring.waves.update(announcement, with_look_ups)
        known = wave.knows(announcement.alert)
        if known:
            await _plan_again(wave, message, announcement, wiring)
    return known


def _with_who_asks(wave: Wave, wiring: Wiring) -> Wave:
    """The wave with those planned again whose plan waits for a person, so that it shows every check made."""
    policy = wiring.policy()
    asks = [
        member.scale_set.key
        for member in wave.roster
        if rules_for(policy, member.scale_set).mode is Mode.APPROVE
    ]
    return replace(wave, to_plan=tuple(dict.fromkeys((*wave.to_plan, *asks))))


async def _plan_again(wave: Wave, message: AlertMessage, announcement: Announcement, wiring: Wiring) -> None:
    """Ask for the plans that the look-ups change, and for the one that asked for them.

    The record names those to be asked for until all are, so that nobody is forgotten.
    """
    wanted = {*wave.to_plan, *(() if message.renew == EVERY else (message.renew.lower(),))}
    concerned = tuple(member for member in wave.roster if member.scale_set.key in wanted)
    await roster.ask_for_plans(wave, concerned, "renewed", message.traceparent, wiring)
    log.info("look_ups.made", extra={"wave": wave.tracking_id, "planned_again": len(concerned)})

    async def asked(wave: Wave) -> Wave:
        return replace(wave, to_plan=tuple(key for key in wave.to_plan if key not in wanted))

    if wave.to_plan:
        with suppress(Conflict):  # those still on record are only asked for once more
            await wiring.waves.update(announcement, asked)


async def _look_up(wave: Wave, message: AlertMessage, wiring: Wiring) -> Looked:
    scale_sets = [member.scale_set for member in wave.roster]
    # The first look-ups follow a listing: the resource groups of what it listed are visible to us.
    complete = wave.evidence is not None and not wave.unlooked
    listed = () if complete else [scale_set for scale_set in scale_sets if scale_set.key not in wave.unlisted]
    rights = await rights_probe.known(wave.subscription, wiring)
    lacking = rights.missing if rights is not None else ()
    looked = await wiring.look_up(wave.subscription, scale_sets, listed, lacking)
    now = wiring.now()
    put_off = isinstance(looked.trouble, Throttled)
    if looked.trouble is not None and (
        now - (message.throttled_since or now) < PUT_OFF_FOR if put_off else message.look_ups < TRIES
    ):
        raise LookUpsLater(message, looked.trouble, now)
    return looked
