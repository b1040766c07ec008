"""The functions host over virtual time: messages when they are due, the sweep every five minutes, people."""

import asyncio
import heapq
import itertools
import json
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from benchmarks.rehearsal.azure import Azure, Client
from benchmarks.rehearsal.buckets import Buckets
from benchmarks.rehearsal.courses import Courses
from benchmarks.rehearsal.looks import SEEN, Looks
from benchmarks.rehearsal.people import People
from benchmarks.rehearsal.scene import START, SUBSCRIPTIONS, TRACKING_ID, Scene
from benchmarks.rehearsal.storage import STAGE, SUBJECT, CountedQueues, CountedRecords, Waiting
from handlers.channels import Message, Sender
from handlers.intake import hand_over
from handlers.stages import advance, discover, notify, plan, receive, sweep
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, NOTICES, RUNS, SCALE_SETS
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.policy.model import Receiver
from planner.record.run import Run

STAGES: dict[str, tuple[str, Callable[[Any, Wiring], Awaitable[None]]]] = {
    ALERTS: ("discover", discover.handle),
    SCALE_SETS: ("plan", plan.handle),
    RUNS: ("advance", advance.handle),
    NOTICES: ("notify", notify.handle),
}
AT_ONCE = 16
"""Messages that a host works on at the same time (host.json)."""

SWEEP_EVERY = timedelta(minutes=5)
SEVERAL = "several scale sets"
RETRY, MOST_TRIES = timedelta(seconds=30), 5


class Mail:
    """The only channel there is: it takes every message."""

    def __init__(self) -> None:
        self.taken = 0

    def of(self, _: Receiver) -> dict[str, Sender]:
        return {"email": self}

    async def send(self, _: Message) -> str:
        self.taken += 1
        return ""


class Host:
    """One worker on a storage and an Azure of its own.

    `pace` is how long a message takes, counted as if the others of its batch took no time beside it. With
    `left` Azure answers 429 when the published buckets are empty, of which others leave us that share.
    """

    def __init__(self, scene: Scene, seed: int, *, pace: timedelta, left: float | None = None) -> None:
        self.scene, self.clock = scene, scene.clock
        self.people, self.courses = People(scene, seed, self.at), Courses(self.clock)
        self.records = CountedRecords(self.clock, self._written)
        self.queues = CountedQueues(self.clock)
        self.mail, self.looks = Mail(), Looks()
        limited = Buckets(self.clock, self._region, left) if left is not None else None
        self.azure = Azure(scene.fleet, limited)
        self.handled: Counter[str] = Counter()
        self.of: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.sweeps = 0
        self.laid: Counter[str] = Counter()
        self.cpu: defaultdict[str, float] = defaultdict(float)
        self._pace, self._next_sweep = pace, START + SWEEP_EVERY
        self._acts: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._numbers = itertools.count()
        self.wiring = self._wired()
        self.people.wiring = self.wiring

    def _wired(self) -> Wiring:
        wiring = Wiring(Settings(AzureWebJobsStorage="UseDevelopmentStorage=true"), self.clock)
        wiring.__dict__.update(records=self.records, queues=self.queues, channels=self.mail)
        clients = {name: Client(self.azure, name, wiring) for name in SUBSCRIPTIONS}
        wiring.compute = lambda subscription: clients[subscription]  # type: ignore[method-assign]
        wiring.policy = lambda: self.scene.policy  # type: ignore[method-assign]
        return wiring

    def _written(self, path: str, metadata: Mapping[str, str]) -> None:
        self.courses.written(path, metadata)
        self.people.written(path, metadata)

    def _region(self, path: str) -> str:
        parts = path.lower().split("/virtualmachines/", 1)[0]
        known = self.scene.fleet.world.scale_sets.get(parts)
        if known is None:
            machine = self.scene.fleet.world.machines.get(path.lower().removesuffix("/performmaintenance"))
            return machine.owner.location if machine is not None else ""
        return known.location

    async def announce(self) -> None:
        """Post the wave's alerts, one a subscription, as its action groups do."""
        for subscription in SUBSCRIPTIONS:
            STAGE.set("receive")
            alert = self.scene.fleet.alert(TRACKING_ID, subscription=subscription)
            answer = await receive.handle(Request("POST", body=json.dumps(alert).encode()), self.wiring)
            assert answer.status == 202, answer.body

    def at(self, moment: datetime, act: Callable[[], Awaitable[None]]) -> None:
        """Let somebody outside act at a moment to come."""
        heapq.heappush(self._acts, (moment, next(self._numbers), act))

    async def until(self, moment: datetime) -> None:
        """Let everything happen that is due before `moment`."""
        while True:
            waiting = self.queues.next_at()
            acting = self._acts[0][0] if self._acts else None
            first = min(filter(None, (waiting, acting, self._next_sweep)))
            if first >= moment:
                self.clock.to(max(moment, self.clock()))
                return
            self.clock.to(max(first, self.clock()))
            if acting is not None and acting <= self.clock():
                await heapq.heappop(self._acts)[2]()
            elif self._next_sweep <= self.clock():
                self._next_sweep += SWEEP_EVERY
                self.sweeps += 1
                STAGE.set("sweep")
                SUBJECT.set("")
                await self.sweep()
            else:
                taken = self.queues.take(AT_ONCE)
                await self.work(taken)
                self.clock.advance(self._pace * len(taken))

    async def work(self, taken: Sequence[Waiting]) -> None:
        """Handle these messages at the same time; each is booked the same share of the CPU."""
        began = time.thread_time()
        await asyncio.gather(*(self._handle(message) for message in taken))
        spent = (time.thread_time() - began) / len(taken)
        for message in taken:
            self.cpu[STAGES[message.queue][0]] += spent

    async def sweep(self) -> None:
        """Sweep once."""
        began = time.thread_time()
        await sweep.handle(self.wiring)
        self.cpu["sweep"] += time.thread_time() - began

    async def _handle(self, message: Waiting) -> None:
        message.tries += 1
        known = STAGES.get(message.queue)
        self.handled[message.queue] += 1
        if known is None:
            self.failed[message.queue] += 1
            return
        polled: list[Run] = []
        STAGE.set(known[0])
        subject = _subject(message)
        SUBJECT.set(subject)
        self.of[subject] += 1
        SEEN.set(polled)
        try:
            await hand_over(
                message.queue,  # type: ignore[arg-type]
                message.text.encode(),
                known[1],
                self.wiring,
                tries=message.tries,
            )
        except Exception as error:  # noqa: BLE001 - the host's own catch-all
            self.failed[f"{message.queue}: {error!r:.200}"] += 1
            if message.tries < MOST_TRIES:
                message.visible = self.clock() + RETRY
                self.queues.put(message)
        self.looks.note(message, polled)


def _subject(message: Waiting) -> str:
    """The name of the scale set that a message is about, `SEVERAL` for a bundle."""
    said = json.loads(message.text)
    if "messages" in said:
        return SEVERAL
    return str(said.get("name") or said.get("scale_set", "").rsplit("/", 1)[-1])
