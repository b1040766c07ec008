"""notify: the untold notices of a wave, grouped into one message per receiver (docs/notices.md).

It never writes a run and never raises because of a channel: notification trouble neither blocks nor repeats
maintenance. What could not be sent waits in the delivery record and goes again under the same id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from handlers.cloud.records import Listed
from handlers.cloud.side_by_side import side_by_side
from handlers.delivery import calendars
from handlers.delivery.deliver import NOBODY, come_back, deliver, senders_of
from handlers.delivery.fallback_receiver import remarks, stand_ins
from handlers.delivery.tell_alone import tell_alone
from handlers.render.compose import compose
from handlers.render.letter import Letter, Story
from handlers.runs import queue
from handlers.waves import figures
from handlers.wire.documents import waves_of
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.notices import delivery_steps as steps
from planner.notices.delivery import EMERGENCY, FINISHED, Delivery, behind, stuck, with_channels
from planner.notices.digest import HELD, PATIENCE, Overview, choose, untold
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import ACTIVE

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

    @property
    def receivers(self) -> list[str]:
        """Who has been told something or is to be told something, each once whatever the case."""
        names = [delivery.receiver for delivery, _ in self.deliveries.values()]
        names += map(_receiver, self.runs.values())
        return sorted({name.lower(): name for name in reversed(names)}.values())

    def runs_of(self, receiver: str) -> Mapping[str, Run]:
        return {path: run for path, run in self.runs.items() if _receiver(run).lower() == receiver.lower()}

    def reached_by_others(self, receiver: str) -> Mapping[str, int]:
        """What other receivers know: a run that changed hands is not told from its beginning."""
        best: dict[str, int] = {}
        for other, _ in self.deliveries.values():
            if other.receiver.lower() != receiver.lower():
                for key, number in other.reached().items():
                    best[key] = max(number, best.get(key, 0))
        return best


def _receiver(run: Run) -> str:
    return run.terms.receiver or NOBODY


async def _poll(message: NoticeMessage, wiring: Wiring) -> bool:
    """One poll of everything the wave's receivers have not been told; whether something was sent."""
    wanted = message.tracking_id
    lines = [line for line in await wiring.runs.listed() if wanted in waves_of(line.metadata)]
    # A run of two waves is told under the first; a message about the second must not lose it.
    acted = False
    for told_under in sorted({waves_of(line.metadata)[0] for line in lines} | {wanted}):
        about = message.model_copy(update={"tracking_id": told_under})
        seen = await _see(about, [line for line in lines if told_under in waves_of(line.metadata)], wiring)
        # A channel that does not answer must not hold up the other receivers.
        serve = partial(_serve, seen=seen, wiring=wiring)
        acted = any(await side_by_side(serve, seen.receivers, AT_ONCE)) or acted
        if not acted and not seen.runs and _plans_to_come(seen, wiring):
            await wiring.queues.send(NOTICES, about, delay=wiring.settings.group_wait)
    return acted


def _plans_to_come(seen: _Seen, wiring: Wiring) -> bool:
    """Whether to come back for the first plans of a young wave: nothing else has them told."""
    young = PATIENCE * wiring.settings.group_wait
    heard = [wave.current.received_at for wave in seen.waves if wave.open]
    return seen.overview.planning > 0 and bool(heard) and seen.now < max(heard) + young


async def _see(message: NoticeMessage, members: Sequence[Listed], wiring: Wiring) -> _Seen:
    tracking_id = message.tracking_id
    stored = [found async for found in wiring.deliveries.of_wave(tracking_id)]
    told_here = {line.path: line for line in members if waves_of(line.metadata)[0] == tracking_id}
    last_notices = {path: int(line.metadata.get("last_notice", "0")) for path, line in told_here.items()}
    late = {*behind((delivery for delivery, _ in stored), last_notices)}
    for delivery, _ in stored:
        late |= {key for state in delivery.channels.values() if state.sending for key in state.sending.upto}
    waves = await wiring.waves.of(tracking_id)
    counts = figures.overview(waves, {line.path: line for line in members})
    runs = await wiring.runs.read_listed([told_here[path] for path in sorted(late & told_here.keys())])
    deliveries = {delivery.receiver.lower(): (delivery, etag) for delivery, etag in stored}
    return _Seen(message, wiring.now(), waves, counts, told_here, runs, deliveries)


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
        return False  # whoever is sending polls again afterwards; if it died, the sweep asks again
    if stuck(delivery, seen.now):
        spare = stand_ins(receiver, policy, wiring)
        delivery, senders = with_channels(stored, senders, spare), senders | spare
    if not seen.overview.finished:
        delivery = steps.reopened(delivery)
    runs, elsewhere = seen.runs_of(receiver), seen.reached_by_others(receiver)
    claimed, names, wakes = delivery, [], []
    for name, state in delivery.channels.items():
        if name not in senders:
            continue  # a stand-in that is no longer needed
        if state.sending is not None:
            wake = state.waits_until(seen.now)
            upto, kinds, due = state.sending.upto, state.sending.kinds, wake is None
        else:
            waiting = {
                key: notices
                for key, run in runs.items()
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


def _lost_its_place(run: Run) -> bool:
    limited = run.waits is not None and run.waits.cause is Cause.LIMIT
    return not run.begun and run.state in ACTIVE and bool(run.people.misfit or limited)


async def _letter(
    delivery: Delivery, channel: str, elsewhere: Mapping[str, int], seen: _Seen, wiring: Wiring
) -> Letter | None:
    """What a claimed message says; None when the run it was about has been replaced by another one."""
    state = delivery.channels[channel]
    assert state.sending is not None
    about = {key: seen.runs[key] for key in state.sending.upto if key in seen.runs}
    runs = await queue.in_place(about, wiring)
    items = tuple(
        (runs[key], notice)
        for key, upto in state.sending.upto.items()
        if (run := about.get(key)) is not None
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
    # Where the wave's places stand is told with its plans, and again when a scale set has lost its own.
    placed = any(notice.kind in HELD for _, notice in items) or any(map(_lost_its_place, about.values()))
    whose = {seen.listed[key].metadata.get("receiver") for key in about}
    theirs = [line for line in seen.listed.values() if line.metadata.get("receiver") in whose]
    outlooks = await queue.outlooks(theirs if placed else [], wiring)
    story = Story(seen.message.tracking_id, seen.waves, items, seen.overview, ended, paged, outlooks)
    letter = compose(story, wiring.addresses(delivery.receiver), seen.now)
    return replace(
        letter,
        remarks=(*letter.remarks, *remarks(delivery, channel, seen.now)),
        calendar=await calendars.attached(channel, story, delivery.receiver, wiring),
    )
