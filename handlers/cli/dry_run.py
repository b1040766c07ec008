"""Plans a fleet as the deployed app would: its own stages, on records and queues in memory.

The search finds the waves, `discover` lists who is concerned and has the look-ups made, `plan` decides. There
it ends: what would poll, start, claim or tell is not run, and nothing of it is connected to anything.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, override

from handlers.cli.seen_azure import MAINTENANCE, SCALE_SETS, SeenAzure
from handlers.cli.snapshot import Snapshot, Subscription
from handlers.cloud.graph import Found
from handlers.cloud.lookups import Looked
from handlers.cloud.memory import MemoryQueues, MemoryRecords
from handlers.cloud.side_by_side import side_by_side
from handlers.intake import hand_over
from handlers.repository.runs import path_of
from handlers.runs import queue
from handlers.stages import discover, plan
from handlers.waves import search
from handlers.waves.sweep_state import State
from handlers.wire.bundles import texts_in
from handlers.wire.ids import ALERTS, NOTICES, Queue
from handlers.wire.ids import SCALE_SETS as SCALE_SET_QUEUE
from handlers.wire.messages import AlertMessage, NoticeMessage, ScaleSetMessage, parse
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.azure.usage import Source
from planner.azure.wave import Wave
from planner.places.outlook import Outlook
from planner.policy.model import Policy
from planner.record.run import Run

AT_ONCE = 24
"""Scale sets planned side by side, as many as a worker of the app does."""

MOST_TRIES = 6
"""How often a message comes back; by then the stages have gone on without what cannot be read."""

TOLD_ALONE = frozenset({"unknown_wave", "empty_wave"})
"""Notices that are about no run and say something that a plan should say as well."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that could not be read, by its name for people, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done. The runs have the times of their places in the queue, `alone` those without it.

    `remarks` are sentences about waves as a whole; `stopped` says why nothing would start, empty when it
    would.
    """

    at: datetime
    snapshot: Snapshot
    waves: tuple[Wave, ...]
    runs: tuple[Run, ...]
    alone: tuple[Run, ...]
    outlooks: tuple[Outlook, ...]
    remarks: tuple[str, ...]
    unread: tuple[Unread, ...]
    stopped: str


class DryWiring(Wiring):
    """The app's wiring with nothing behind it but what was seen of Azure."""

    def __init__(
        self, settings: Settings, policy: Policy, azure: Sequence[SeenAzure], now: Callable[[], datetime]
    ) -> None:
        ids = tuple(each.subscription for each in azure)
        super().__init__(settings.model_copy(update={"subscriptions": ids}), now)
        self._azure = {each.subscription: each for each in azure}
        self._rules = policy
        self.memory = MemoryQueues(now)
        self.__dict__.update(records=MemoryRecords(now), queues=self.memory)

    @override
    def compute(self, subscription: str) -> Any:
        return self._azure[subscription.lower()]

    @override
    async def planned_maintenance(self, subscription: str) -> list[Found]:
        return await self._azure[subscription.lower()].planned_maintenance()

    @override
    async def look_up(self, subscription: str, scale_sets: Any, listed: Any, lacking: Any = ()) -> Looked:
        del lacking  # a sign-in's rights are the doctor's to ask for
        return await self._azure[subscription.lower()].look_up(scale_sets, self.now(), listed)

    @override
    def policy(self) -> Policy:
        return self._rules


async def planned(
    azure: Sequence[SeenAzure],
    policy: Policy,
    settings: Settings,
    at: datetime,
    step: Callable[[str], None] = lambda _: None,
) -> Planned:
    """Plan everything Azure knows a wave for, as of `at` (aware UTC); `step` hears of each scale set done."""
    wiring = DryWiring(settings, policy, azure, lambda: at)
    await search.handle((), State(), wiring)
    await _drained(wiring, step)
    waves = await _open_waves(wiring)
    lines = await wiring.runs.listed()
    alone = await wiring.runs.read_listed(lines)
    runs = await queue.in_place(alone, wiring)
    return Planned(
        at=at,
        snapshot=Snapshot(at, tuple(each.seen for each in azure)),
        waves=tuple(waves),
        runs=tuple(runs.values()),
        alone=tuple(alone.values()),
        outlooks=await queue.outlooks(lines, wiring),
        remarks=_remarks(wiring.memory),
        unread=tuple(_unread([each.seen for each in azure], waves, runs)),
        stopped=wiring.stopped(),
    )


async def announced(
    azure: Sequence[SeenAzure], policy: Policy, settings: Settings, at: datetime
) -> list[Wave]:
    """The waves that are open as of `at`, with who is concerned and what the look-ups showed."""
    wiring = DryWiring(settings, policy, azure, lambda: at)
    await search.handle((), State(), wiring)
    await _drained(wiring, lambda _: None, planning=False)
    return await _open_waves(wiring)


async def _open_waves(wiring: DryWiring) -> list[Wave]:
    return [
        wave
        for tracking_id, subscription, _ in await wiring.waves.listed()
        if (wave := await wiring.waves.get(tracking_id, subscription)) is not None and wave.open
    ]


async def _drained(wiring: DryWiring, step: Callable[[str], None], *, planning: bool = True) -> None:
    """Work through what the stages ask of each other, until nothing is left to discover or plan.

    The look-ups come first, so that a plan shows what they found and not that they are still being made.
    """
    tries: Counter[str] = Counter()

    async def work(message: tuple[Queue, str]) -> None:
        kind, text = message
        if kind == ALERTS:
            await hand_over(ALERTS, text.encode(), discover.handle, wiring)
        else:
            await hand_over(SCALE_SET_QUEUE, text.encode(), plan.handle, wiring)
            step(text)

    while True:
        waiting = _waiting(ALERTS, wiring, tries)
        if not waiting and planning:
            waiting = _waiting(SCALE_SET_QUEUE, wiring, tries)
        if not waiting:
            return
        await side_by_side(work, waiting, AT_ONCE)


def _waiting(kind: Queue, wiring: DryWiring, tries: Counter[str]) -> list[tuple[Queue, str]]:
    """The messages of a queue one by one, without those that came back too often."""
    found: list[tuple[Queue, str]] = []
    for text in wiring.memory.drain(kind):
        for alone in texts_in(kind, text) or (text,):
            subject = _subject(kind, alone)
            tries[subject] += 1
            if tries[subject] <= MOST_TRIES:
                found.append((kind, alone))
    return found


def _subject(kind: Queue, text: str) -> str:
    """What a message is about: one that comes back is about the same."""
    message = parse(kind, text)
    if isinstance(message, AlertMessage):
        return f"{message.alert} {message.renew}"
    assert isinstance(message, ScaleSetMessage)
    return f"{message.tracking_id} {message.scale_set} {message.reason}"


def _remarks(queues: MemoryQueues) -> tuple[str, ...]:
    told = [parse(NOTICES, text) for text in queues.drain(NOTICES)]
    return tuple(
        dict.fromkeys(
            each.text for each in told if isinstance(each, NoticeMessage) and each.kind in TOLD_ALONE
        )
    )


def unread_in(snapshot: Snapshot) -> list[Unread]:
    """What of a whole fleet could not be read."""
    found = list[Unread]()
    for each in snapshot.subscriptions:
        found += _of_subscription(each)
        found += [
            Unread(f"scale set {_named(scale_set)}", each.troubles[scale_set.key].sentence)
            for scale_set in each.scale_sets or ()
            if scale_set.key in each.troubles
        ]
        found += [
            Unread(f"{Source(source)} of subscription {_where(each)}", why)
            for lookups in each.lookups
            for source, why in lookups.evidence.unread.items()
        ]
    return list(dict.fromkeys(found))


def _where(seen: Subscription) -> str:
    return f"{seen.name} ({seen.id})" if seen.name else seen.id


def _of_subscription(seen: Subscription) -> list[Unread]:
    return [
        Unread(f"{what} of subscription {_where(seen)}", seen.troubles[what].sentence)
        for what in (MAINTENANCE, SCALE_SETS)
        if what in seen.troubles
    ]


def _unread(seen: Sequence[Subscription], waves: Sequence[Wave], runs: Mapping[str, Run]) -> Sequence[Unread]:
    """What could not be read, subscription by subscription, and so was not planned or not known of."""
    found: list[Unread] = []
    for each in seen:
        found += _of_subscription(each)
        for wave in waves:
            if wave.subscription.lower() != each.id.lower():
                continue
            found += [
                Unread(f"scale set {_named(member.scale_set)}", _why(member.scale_set, each))
                for member in wave.roster
                if path_of(member.scale_set) not in runs
            ]
            found += [
                Unread(f"{Source(source)} of subscription {_where(each)}", why)
                for source, why in (wave.evidence.unread if wave.evidence is not None else {}).items()
            ]
    return list(dict.fromkeys(found))


def _why(scale_set: ScaleSet, seen: Subscription) -> str:
    trouble = seen.troubles.get(scale_set.key)
    return trouble.sentence if trouble is not None else "Azure left out the view of some of its instances."


def _named(scale_set: ScaleSet) -> str:
    return f"{scale_set.resource_group}/{scale_set.name}"
