"""notify: the untold notices of a wave, grouped into one message per receiver (docs/notices.md).

It never writes a run and never raises because of a channel: notification trouble neither blocks nor repeats
maintenance. What could not be sent waits in the delivery record and goes again under the same id.
"""

from functools import partial

from handlers import deadline
from handlers.cloud.side_by_side import side_by_side
from handlers.delivery.deliver import SEND_WITHIN, come_back, deliver, noted, senders_of
from handlers.delivery.fallback_receiver import stand_ins
from handlers.delivery.seen import Seen, see
from handlers.delivery.tell_alone import tell_alone
from handlers.delivery.wave_letter import letter
from handlers.wire.documents import waves_of
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.notices import delivery_steps as steps
from planner.notices.delivery import Delivery, stuck, with_channels
from planner.notices.digest import PATIENCE
from planner.notices.due import claims
from planner.notices.known import Known
from planner.policy.drill import for_wave

AT_ONCE = 16
"""Receivers told side by side; a failure does not cut off another one between sending and recording."""

POLLS = 8
"""How often one message polls again after something was sent, before it leaves the rest to another one."""


async def handle(message: NoticeMessage, wiring: Wiring) -> None:
    """Tell what is untold. Raises only what storage raises, and NewerRecord for a newer delivery record."""
    if message.kind != "wave":
        await tell_alone(message, wiring)
        return
    # A thousand scale sets planned at once ask for a thousand polls: those that come during one share the
    # next.
    async with wiring.shared_turn(f"{NOTICES}/{message.tracking_id}") as needed:
        if needed:
            await _poll_until_told(message, wiring)


async def _poll_until_told(message: NoticeMessage, wiring: Wiring) -> None:
    for _ in range(POLLS):
        if not await _poll(message, wiring):
            return
    await wiring.queues.send(NOTICES, message, delay=wiring.settings.group_wait)


async def _poll(message: NoticeMessage, wiring: Wiring) -> bool:
    """One poll of everything the wave's receivers have not been told; whether something was sent."""
    wanted = message.tracking_id
    lines = [line for line in await wiring.runs.listed() if wanted in waves_of(line.metadata)]
    # A run of two waves is told under the first; a message about the second must not lose it.
    acted = False
    for told_under in sorted({waves_of(line.metadata)[0] for line in lines} | {wanted}):
        about = message.model_copy(update={"tracking_id": told_under})
        members = [line for line in lines if told_under in waves_of(line.metadata)]
        seen = await see(about, members, for_wave(wiring.policy(), told_under), wiring)
        # A channel that does not answer must not hold up the other receivers.
        serve = partial(_serve, seen=seen, wiring=wiring)
        acted = any(await side_by_side(serve, _in_turn(seen.known), AT_ONCE)) or acted
        if not acted and not seen.known.runs and _plans_to_come(seen, wiring):
            await wiring.queues.send(NOTICES, about, delay=wiring.settings.group_wait)
    return acted


def _in_turn(known: Known) -> list[str]:
    """The receivers; those whose channel was silent before wait until the others were told."""

    def tried(receiver: str) -> bool:
        delivery = known.deliveries.get(receiver.lower())
        return delivery is not None and any(state.sending for state in delivery.channels.values())

    return sorted(known.receivers, key=tried)


def _plans_to_come(seen: Seen, wiring: Wiring) -> bool:
    """Whether to come back for the first plans of a young wave: nothing else has them told."""
    young = PATIENCE * wiring.settings.group_wait
    heard = [wave.current.received_at for wave in seen.waves if wave.open]
    return seen.known.overview.planning > 0 and bool(heard) and seen.known.now < max(heard) + young


async def _serve(receiver: str, seen: Seen, wiring: Wiring) -> bool:
    """Claim, send and record what is ripe for one receiver; whether something was sent.

    Raises TooLittleTime where a message that is begun now might be cut off on its way.
    """
    deadline.need(SEND_WITHIN)
    senders = senders_of(receiver, seen.known.policy, wiring)
    if senders is None:
        return False
    known = seen.known
    stored = known.deliveries.get(receiver.lower()) or Delivery(seen.message.tracking_id, receiver)
    etag = seen.etags.get(receiver.lower())
    delivery = with_channels(stored, senders)
    if any(state.in_flight(known.now) for state in delivery.channels.values()):
        return False  # whoever is sending polls again afterwards; if it died, the sweep asks again
    if stuck(delivery, known.now):
        spare = stand_ins(receiver, known.policy, wiring)
        delivery, senders = with_channels(stored, senders, spare), senders | spare
    if not known.overview.finished:
        delivery = steps.reopened(delivery)
    due = claims(delivery, senders, known, wiring.settings.group_wait)
    claimed = due.delivery
    if due.names:
        letters = {name: await letter(claimed, name, seen, wiring) for name in due.names}
        return await deliver(delivery, claimed, etag, letters, senders, wiring) is not None
    if claimed != delivery:
        etag = await noted(claimed, etag, wiring)
        if etag is None:
            return False
    if due.wake is not None:
        await come_back(due.wake, claimed, etag, seen.message, wiring)
    return False
