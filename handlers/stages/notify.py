"""notify: the untold notices of a wave, grouped into one message per receiver (docs/notices.md).

It never writes a run and never raises because of a channel: notification trouble neither blocks nor repeats
maintenance. What could not be sent waits in the delivery record and goes again under the same id.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from handlers import deadline
from handlers.cloud.side_by_side import side_by_side
from handlers.delivery.deliver import SEND_WITHIN, come_back, deliver, noted, senders_of
from handlers.delivery.fallback_receiver import stand_ins
from handlers.delivery.seen import Seen, see
from handlers.delivery.tell_alone import tell_alone
from handlers.delivery.wave_letter import borrowed_notices, letter
from handlers.wire.documents import waves_of
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.notices import alarms, ears
from planner.notices import delivery_steps as steps
from planner.notices.delivery import FINISHED, ChannelState, Delivery, stuck, with_channels
from planner.notices.digest import PATIENCE
from planner.notices.next_message import Choice, choose
from planner.policy.drill import for_wave
from planner.policy.hearing import wants
from planner.record.notice import LOUD_FIRST, Notice, Urgency

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
        acted = any(await side_by_side(serve, _in_turn(seen), AT_ONCE)) or acted
        if not acted and not seen.runs and _plans_to_come(seen, wiring):
            await wiring.queues.send(NOTICES, about, delay=wiring.settings.group_wait)
    return acted


def _in_turn(seen: Seen) -> list[str]:
    """The receivers; those whose channel was silent before wait until the others were told."""

    def tried(receiver: str) -> bool:
        known = seen.deliveries.get(receiver.lower())
        return known is not None and any(state.sending for state in known[0].channels.values())

    return sorted(seen.receivers, key=tried)


def _plans_to_come(seen: Seen, wiring: Wiring) -> bool:
    """Whether to come back for the first plans of a young wave: nothing else has them told."""
    young = PATIENCE * wiring.settings.group_wait
    heard = [wave.current.received_at for wave in seen.waves if wave.open]
    return seen.overview.planning > 0 and bool(heard) and seen.now < max(heard) + young


@dataclass(frozen=True, slots=True)
class _Due:
    """What a channel has to be told now, or when to look again; `passed` it has chosen not to hear."""

    upto: Mapping[str, int]
    lent: Mapping[str, int]
    pages: Mapping[str, int]
    kinds: tuple[str, ...]
    loudness: Urgency
    wake: datetime | None
    passed: Mapping[str, int]

    @property
    def says_something(self) -> bool:
        return bool(self.upto or self.lent or self.pages or self.kinds)


async def _serve(receiver: str, seen: Seen, wiring: Wiring) -> bool:
    """Claim, send and record what is ripe for one receiver; whether something was sent.

    Raises TooLittleTime where a message that is begun now might be cut off on its way.
    """
    deadline.need(SEND_WITHIN)
    senders = senders_of(receiver, seen.policy, wiring)
    if senders is None:
        return False
    known = seen.deliveries.get(receiver.lower())
    stored, etag = known or (Delivery(seen.message.tracking_id, receiver), None)
    delivery = with_channels(stored, senders)
    if any(state.in_flight(seen.now) for state in delivery.channels.values()):
        return False  # whoever is sending polls again afterwards; if it died, the sweep asks again
    if stuck(delivery, seen.now):
        spare = stand_ins(receiver, seen.policy, wiring)
        delivery, senders = with_channels(stored, senders, spare), senders | spare
    if not seen.overview.finished:
        delivery = steps.reopened(delivery)
    claimed, names, wakes = _claimed(delivery, senders, seen, wiring)
    if names:
        letters = {name: await letter(claimed, name, seen, wiring) for name in names}
        return await deliver(delivery, claimed, etag, letters, senders, wiring) is not None
    if claimed != delivery:
        etag = await noted(claimed, etag, wiring)
        if etag is None:
            return False
    if wakes:
        await come_back(min(wakes), claimed, etag, seen.message, wiring)
    return False


def _claimed(
    delivery: Delivery, senders: Collection[str], seen: Seen, wiring: Wiring
) -> tuple[Delivery, list[str], list[datetime]]:
    """The record with a claim for each channel that has something to tell; these, and when others have."""
    claimed = delivery
    names: list[str] = []
    wakes: list[datetime] = []
    for name, state in delivery.channels.items():
        if name not in senders:
            continue  # a stand-in that is no longer needed
        if state.sending is not None:
            wake = state.waits_until(seen.now)
            if wake is None:
                claimed = steps.claim(claimed, name, {}, (), seen.now)
                names.append(name)
            else:
                wakes.append(wake)
            continue
        due = _due(delivery, name, state, seen, wiring)
        claimed = steps.passed_over(claimed, name, due.passed)
        if due.says_something:
            claimed = steps.claim(
                claimed,
                name,
                due.upto,
                due.kinds,
                seen.now,
                lent=due.lent,
                pages=due.pages,
                loudness=due.loudness,
            )
            names.append(name)
        elif due.wake is not None:
            wakes.append(due.wake)
    return claimed, names, wakes


def _due(delivery: Delivery, name: str, state: ChannelState, seen: Seen, wiring: Wiring) -> _Due:
    """What is ripe for a channel that has nothing on its way."""
    receiver = seen.policy.receiver(delivery.receiver)
    elsewhere, lent = seen.reached_by_others(delivery.receiver), seen.lent()
    runs = seen.runs_of(delivery.receiver)
    told = {key: max(state.told.get(key, 0), elsewhere.get(key, 0)) for key in runs}
    waiting: dict[str, tuple[Notice, ...]] = {}
    passed: dict[str, int] = {}
    for key, run in runs.items():
        heard = ears.by_owner(run, told[key], lent.get(key, 0), seen.owner(run), seen.policy, seen.now)
        if heard.waiting:
            waiting[key] = heard.waiting
        elif heard.passed:
            passed[key] = heard.passed
    borrowed = {
        key: notices
        for key in seen.runs.keys() - runs.keys()
        if (notices := borrowed_notices(key, state, delivery.receiver, seen))
    }
    choice = Choice()
    if receiver is not None:
        choice = Choice(receiver.know, receiver.act, wants(receiver, FINISHED, Urgency.KNOW))
    wait = wiring.settings.group_wait
    next_ = choose(delivery, name, waiting | borrowed, seen.overview, wait, seen.now, choice)
    rings = seen.rings(delivery.receiver)
    again = alarms.pages(state, rings, told, seen.now)
    upto = {key: number for key, number in next_.upto.items() if key in runs}
    wakes = [wake for wake in (next_.wake, again.wake) if wake is not None]
    loudness = Urgency.PAGE if any(again.now.values()) else next_.loudness
    return _Due(
        upto=upto,
        lent={key: number for key, number in next_.upto.items() if key not in runs},
        pages={**again.now, **alarms.first(upto, rings)},
        kinds=next_.kinds,
        loudness=min(loudness, next_.loudness, key=LOUD_FIRST.index),
        wake=min(wakes, default=None),
        passed=passed,
    )
