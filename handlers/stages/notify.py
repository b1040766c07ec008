"""notify: the untold notices of a wave, grouped into one message per receiver (docs/notices.md).

It never writes a run and never raises because of a channel: notification trouble neither blocks nor repeats
maintenance. What could not be sent waits in the delivery record and goes again under the same id.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakKeyDictionary

from handlers.channels import Sender
from handlers.cloud.records import Listed
from handlers.delivery.deliver import NOBODY, come_back, deliver, senders_of
from handlers.delivery.fallback_receiver import default_receiver, remarks, stand_ins, whom
from handlers.render.addresses import Addresses
from handlers.render.compose import compose, standalone
from handlers.render.letter import Letter, Story
from handlers.waves import figures
from handlers.wire.documents import waves_of
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.notices import delivery_steps as steps
from planner.notices.delivery import EMERGENCY, FINISHED, STALE, Delivery, behind, stuck, with_channels
from planner.notices.digest import PATIENCE, Overview, choose, overview, untold
from planner.policy.model import Policy
from planner.record.run import Run

AT_ONCE = 16
"""Receivers that are told side by side."""

POLLS = 8
"""How often one message looks again after it sent something, before it leaves the rest to another one."""


async def handle(message: NoticeMessage, wiring: Wiring) -> None:
    """Tell what is untold. Raises only what storage raises, and NewerRecord for a newer delivery record."""
    if message.kind == "wave":
        await _flights.setdefault(wiring, _Flights()).fly(message, wiring)
    else:
        await _tell_alone(message, wiring)


class _Flights:
    """One poll of a wave at a time: a thousand scale sets planned at once ask for a thousand polls."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._started: dict[str, int] = {}
        self._ticks = 0

    async def fly(self, message: NoticeMessage, wiring: Wiring) -> None:
        self._ticks += 1
        came = self._ticks
        async with self._locks.setdefault(message.tracking_id, asyncio.Lock()):
            if self._started.get(message.tracking_id, 0) > came:
                return  # a poll that began after this message came has seen whatever it is about
            self._ticks += 1
            started = self._ticks
            for _ in range(POLLS):
                if not await _look(message, wiring):
                    break
            else:
                await wiring.queues.send(NOTICES, message, delay=wiring.settings.group_wait)
            self._started[message.tracking_id] = started


_flights: WeakKeyDictionary[Wiring, _Flights] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one poll found of a wave; `runs` are those that some channel has not been told to the end."""

    message: NoticeMessage
    now: datetime
    waves: tuple[Wave, ...]
    overview: Overview
    listed: Mapping[str, Listed]
    runs: Mapping[str, Run]
    deliveries: Mapping[str, tuple[Delivery, str]]

    def mine(self, receiver: str) -> Mapping[str, Run]:
        return {
            key: run
            for key, run in self.runs.items()
            if (run.terms.receiver or NOBODY).lower() == receiver.lower()
        }

    def reached_by_others(self, receiver: str) -> Mapping[str, int]:
        """What other receivers know: a run that changed hands is not told from its beginning."""
        best: dict[str, int] = {}
        for other, _ in self.deliveries.values():
            if other.receiver.lower() != receiver.lower():
                for key, number in other.reached().items():
                    best[key] = max(number, best.get(key, 0))
        return best


async def _look(message: NoticeMessage, wiring: Wiring) -> bool:
    """One poll of everything the wave's receivers have not been told; whether something was sent."""
    wanted = message.tracking_id
    listed = [one for one in await wiring.runs.listed() if wanted in waves_of(one.metadata)]
    # A run of two waves is told under the first; a message about the second must not lose it.
    acted = False
    for told_under in sorted({waves_of(one.metadata)[0] for one in listed} | {wanted}):
        about = message.model_copy(update={"tracking_id": told_under})
        seen = await _see(about, [one for one in listed if told_under in waves_of(one.metadata)], wiring)
        known = {one.receiver.lower(): one.receiver for one, _ in seen.deliveries.values()}
        for run in seen.runs.values():
            known.setdefault((run.terms.receiver or NOBODY).lower(), run.terms.receiver or NOBODY)
        acted = await _serve_all(sorted(known.values()), seen, wiring) or acted
        if not acted and not seen.runs and _plans_to_come(seen, wiring):
            await wiring.queues.send(NOTICES, about, delay=wiring.settings.group_wait)
    return acted


def _plans_to_come(seen: _Seen, wiring: Wiring) -> bool:
    """The first plan of a scale set is told by nobody else: we come back while the wave is young."""
    young = PATIENCE * wiring.settings.group_wait
    heard = [wave.current.received_at for wave in seen.waves if wave.open]
    return seen.overview.planning > 0 and bool(heard) and seen.now < max(heard) + young


async def _see(message: NoticeMessage, members: Sequence[Listed], wiring: Wiring) -> _Seen:
    tracking_id = message.tracking_id
    deliveries: dict[str, tuple[Delivery, str]] = {}
    async for delivery, etag in wiring.deliveries.of_wave(tracking_id):
        deliveries[delivery.receiver.lower()] = (delivery, etag)
    mine = {member.path: member for member in members if waves_of(member.metadata)[0] == tracking_id}
    lasts = {path: int(one.metadata.get("last_notice", "0")) for path, one in mine.items()}
    late = {*behind((one for one, _ in deliveries.values()), lasts)}
    for one, _ in deliveries.values():
        late |= {key for state in one.channels.values() if state.sending for key in state.sending.upto}
    waves = await wiring.waves.of(tracking_id)
    counts = overview(
        map(figures.row, members), figures.roster(waves), wave_open=any(wave.open for wave in waves)
    )
    runs = await wiring.runs.read_listed([mine[path] for path in sorted(late & mine.keys())])
    return _Seen(message, wiring.now(), waves, counts, mine, runs, deliveries)


async def _serve_all(receivers: Sequence[str], seen: _Seen, wiring: Wiring) -> bool:
    """Side by side: a channel that does not answer costs half a minute, and must not cost others theirs."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def serve(receiver: str) -> bool:
        async with gate:
            return await _serve(receiver, seen, wiring)

    # Whoever fails must not cut off another one between sending and recording.
    ends = await asyncio.gather(*map(serve, receivers), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return any(ends)


async def _serve(receiver: str, seen: _Seen, wiring: Wiring) -> bool:
    """Claim, send and record what is ripe for one receiver; whether something was sent."""
    policy = wiring.policy()
    senders = senders_of(receiver, policy, wiring)
    if senders is None:
        return False
    known = seen.deliveries.get(receiver.lower())
    stored, etag = known or (Delivery(seen.message.tracking_id, receiver), None)
    delivery = with_channels(stored, senders)
    if any(state.in_flight(seen.now) for state in delivery.channels.values()):
        return False  # who is at it looks again afterwards; if it died, the sweep asks again
    if stuck(delivery, seen.now):
        spare = stand_ins(receiver, policy, wiring)
        delivery, senders = with_channels(stored, senders, spare), senders | spare
    if not seen.overview.finished:
        delivery = steps.reopened(delivery)
    mine, elsewhere = seen.mine(receiver), seen.reached_by_others(receiver)
    claimed, names, wakes = delivery, [], []
    for name, state in delivery.channels.items():
        if name not in senders:
            continue  # a stand-in that is not needed any more
        if state.sending is not None:
            wake = state.waits_until(seen.now)
            upto, kinds, due = state.sending.upto, state.sending.kinds, wake is None
        else:
            waiting = {
                key: notices
                for key, run in mine.items()
                if (notices := untold(run, max(state.told.get(key, 0), elsewhere.get(key, 0))))
            }
            choice = choose(delivery, name, waiting, seen.overview, wiring.settings.group_wait, seen.now)
            upto, kinds, wake = choice.upto, choice.kinds, choice.wake
            due = bool(upto or kinds)
        if due:
            claimed = steps.claim(claimed, name, upto, kinds, seen.now)
            names.append(name)
        elif wake is not None:
            wakes.append(wake)
    if names:
        letters = {name: await _letter(claimed, name, elsewhere, seen, wiring) for name in names}
        return await deliver(delivery, claimed, etag, letters, senders, wiring) is not None
    if wakes:
        await come_back(min(wakes), delivery, etag, seen.message, wiring)
    return False


async def _letter(
    delivery: Delivery, channel: str, elsewhere: Mapping[str, int], seen: _Seen, wiring: Wiring
) -> Letter | None:
    """What a claimed message says; None when the run it was about has been replaced by another one."""
    state = delivery.channels[channel]
    assert state.sending is not None
    items = tuple(
        (run, notice)
        for key, upto in state.sending.upto.items()
        if (run := seen.runs.get(key)) is not None
        for notice in untold(run, max(state.told.get(key, 0), elsewhere.get(key, 0)))
        if notice.number <= upto
    )
    ended: tuple[Run, ...] = ()
    if FINISHED in state.sending.kinds:
        told = state.told.keys() | state.sending.upto.keys()
        lines = [line for path, line in seen.listed.items() if path in told]
        ended = tuple((await wiring.runs.read_listed(lines)).values())
    if not items and not ended:
        return None
    paged = EMERGENCY in state.wave_told
    story = Story(seen.message.tracking_id, seen.waves, items, seen.overview, ended, paged)
    letter = compose(story, _addresses(wiring), seen.now)
    return replace(letter, remarks=(*letter.remarks, *remarks(delivery, channel, seen.now)))


async def _tell_alone(message: NoticeMessage, wiring: Wiring) -> None:
    """Tell the default receiver, or whoever can still be reached, about something that is no run's, once."""
    policy, now = wiring.policy(), wiring.now()
    receiver, senders = _to_whom(message, policy, wiring)
    if senders is None:
        await wiring.queues.send(NOTICES, message, delay=STALE)
        return
    text = "" if message.kind == "wired" else message.about or message.text
    about = f"{message.tracking_id}\n{message.alert}\n{text}".encode()
    delivery, etag = await wiring.deliveries.read(
        f"{message.kind}-{hashlib.sha256(about).hexdigest()[:40]}", receiver
    )
    delivery = with_channels(delivery, senders)
    flying = [
        channel.sending.since
        for channel in delivery.channels.values()
        if channel.sending and channel.in_flight(now)
    ]
    if flying:
        await wiring.queues.send(NOTICES, message, delay=max(flying) + STALE - now)
        return
    claimed, names = delivery, []
    for name, state in delivery.channels.items():
        if message.kind not in state.wave_told and state.waits_until(now) is None:
            claimed = steps.claim(claimed, name, {}, (message.kind,), now)
            names.append(name)
    if names:
        kind = "unread" if message.unread else message.kind
        letter = standalone(kind, message.tracking_id, message.text, _addresses(wiring))
        letters, reports = dict.fromkeys(names, letter), message.kind != "channel"
        recorded = await deliver(delivery, claimed, etag, letters, senders, wiring, reports=reports)
        if recorded is None:
            return
        delivery, etag = await wiring.deliveries.read(recorded.tracking_id, receiver)
    wakes = [wake for channel in delivery.channels.values() if (wake := channel.waits_until(now)) is not None]
    if wakes:
        await come_back(min(wakes), delivery, etag, message, wiring)


def _to_whom(message: NoticeMessage, policy: Policy, wiring: Wiring) -> tuple[str, dict[str, Sender] | None]:
    """The receiver and its channels; None while a broken policy file or setting hides them."""
    if message.kind == "channel" and not policy.problem:
        return whom(message.receiver, message.stuck, policy, wiring)
    default = default_receiver(policy)
    receiver = default.name if default else NOBODY
    return receiver, senders_of(receiver, policy, wiring)


def _addresses(wiring: Wiring) -> Addresses:
    return Addresses(wiring.settings.public_url)
