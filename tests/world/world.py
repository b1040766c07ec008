"""The host's loop over virtual time, and what tests want to know afterwards."""

import asyncio
import heapq
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.cloud.names import archive_path
from handlers.cloud.records import Conflict, StorageDown
from handlers.intake import hand_over
from handlers.stages import advance, bury, discover, notify, plan, receive, respond, sweep
from handlers.wire.documents import decode
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, NOTICES, RUNS, SCALE_SETS, poison
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.policy.model import Policy
from planner.record.run import Run
from simulator.fleet import Fleet
from simulator.fleet.clock import VirtualClock
from simulator.lies import Liar, Lies
from simulator.lies.memory import LONGEST_LAG
from simulator.oracle import violations
from tests.world.azure import FleetCompute
from tests.world.chaos import Chaos, Killed
from tests.world.endings import Endings
from tests.world.mailbox import Mailbox
from tests.world.messages import Messages
from tests.world.sentry import Sentry
from tests.world.served import Served
from tests.world.storage import BEARS_A_WORD, SENDER, MemoryQueues, MemoryRecords, Queued, one_by_one
from tests.world.told import A_LOOK, Told
from tests.world.watch import Watch

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LOCK = timedelta(minutes=10)
RETRY = timedelta(seconds=30)
MOST_TRIES = 5
SWEEP_EVERY = timedelta(hours=3)  # so that a wave of weeks stays quick to play
STAGES = {ALERTS: discover.handle, SCALE_SETS: plan.handle, RUNS: advance.handle}


class World:
    """One Azure, one storage, and hosts that are started again whenever they die.

    Without a mailbox nobody is told anything: notices stay in the runs.
    """

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        chaos: Chaos | None = None,
        start: datetime = START,
        mailbox: Mailbox | None = None,
        lies: Lies | None = None,
    ) -> None:
        self.clock = VirtualClock(start)
        self.fleet = Fleet(self.clock)
        self.policy = policy or Policy()
        self.mailbox = mailbox
        self.chaos = chaos or Chaos()
        self.lies = lies or Lies()
        liar = Liar(self.lies, self.clock)
        self.records = MemoryRecords(self.clock, self.chaos, liar)
        self.queues = MemoryQueues(self.clock, self.chaos, liar)
        self.watch = Watch(lambda: self.policy)
        self.records.watching.append(self.watch.written)
        self.grace = LONGEST_LAG if "stale" in self.lies else timedelta(0)
        self.served = Served(self.fleet, self.watch.raised, self.grace)
        self.endings = Endings(self.fleet)
        dying = self.chaos.kill or self.chaos.storage
        self.told = Told(late=SWEEP_EVERY + A_LOOK) if dying else Told()
        self.messages = Messages(self.texts, self.clock)
        for judge in (self.served, self.endings, self.told, self.messages):
            self.records.watching.append(judge.written)
        self.queues.watching.append(self.messages.sent)
        self.records.overtaken.append(lambda path: self.messages.noted("conflict", path))
        self.sentry = Sentry(lambda: self.policy, self.watch.raised, self.served)
        self.compute = FleetCompute(self.fleet, self.chaos, self.sentry, liar)
        self.settings = Settings(AzureWebJobsStorage="UseDevelopmentStorage=true")
        self.wiring = self._new_wiring()
        self.beside = [self._new_wiring() for _ in range(self.chaos.processes - 1)]
        self.errors: list[str] = []
        self.next_sweep = start + SWEEP_EVERY
        self.acts: list[tuple[datetime, int, Callable[[], Awaitable[object]]]] = []
        self.handled = 0
        self.last_alert: bytes = b""
        self.accepted: list[tuple[str, str, str, datetime]] = []
        """Every word answered 202: the run's name, the word's id, its kind, and when it was answered."""

    def texts(self, queue: str) -> list[str]:
        """The messages that wait on a queue, those of a bundle one by one."""
        waiting = (one.text for one in self.queues.waiting if one.queue == queue)
        return [alone for text in waiting for alone in one_by_one(queue, text)]

    def _new_wiring(self) -> Wiring:
        wiring = Wiring(self.settings, self.clock)
        wiring.__dict__.update(records=self.records, queues=self.queues)
        if self.mailbox is not None:
            wiring.__dict__["channels"] = self.mailbox.opened(self.clock)
        wiring.compute = lambda _: self.compute
        wiring.policy = lambda: self.policy
        return wiring

    def _process(self) -> Wiring:
        """The process that takes a message."""
        if self.chaos.processes == 1:
            return self.wiring
        return self.chaos.random.choice((self.wiring, *self.beside))

    async def alert(self, tracking_id: str, stage: str = "Planned", **variations) -> int:
        self.last_alert = json.dumps(self.fleet.alert(tracking_id, stage, **variations)).encode()
        return await self.post(self.last_alert)

    async def post(self, body: bytes) -> int:
        """Post as an action group does: again after 503."""
        for _ in range(20):
            try:
                answer = await receive.handle(Request("POST", body=body), self.wiring)
            except Killed:
                self.wiring = self._new_wiring()
                continue
            if answer.status != 503:
                return answer.status
        raise AssertionError("receive never took the alert")

    async def say(
        self,
        name: str,
        kind: str,
        *,
        checksum: str = "",
        instances: tuple[str, ...] = (),
        domains: tuple[str, ...] = (),
        raised: Mapping[str, str] | None = None,
    ) -> int:
        """Say a word as a person does, again after 503 or no answer; the status of the last answer.

        An approval is for the plan as it is, unless another checksum is given. What was accepted is noted.
        """
        run = self.run_of(name)
        said: dict[str, Any] = {"actor": "ana", "comment": "as agreed", **(raised or {})}
        if kind == "approve" or checksum:
            said["checksum"] = checksum or run.people.checksum
        if instances:
            said["instances"] = list(instances)
        if domains:
            said["domains"] = list(domains)
        target = run.target
        place = {"wave": run.waves[0], "subscription": target.subscription, "group": target.resource_group}
        request = Request("POST", {**place, "name": name, "action": kind}, body=json.dumps(said).encode())
        for _ in range(20):
            wiring = self._process()
            word = BEARS_A_WORD.set(True)
            try:
                answer = await respond.handle(request, wiring)
            except Killed:
                self._restarted(wiring)
                continue
            finally:
                BEARS_A_WORD.reset(word)
            if answer.status == 202:
                self.accepted.append((name, json.loads(answer.body)["id"], kind, self.clock()))
            if answer.status != 503:
                return answer.status
        raise AssertionError("respond never answered")

    def at(self, moment: datetime, act: Callable[[], Awaitable[object]]) -> None:
        """Let somebody outside do something at a moment to come: an alert, a person's word."""
        self.handled += 1
        heapq.heappush(self.acts, (moment, self.handled, act))

    async def _act(self) -> None:
        moment, number, act = heapq.heappop(self.acts)
        try:
            await act()
        except (Killed, StorageDown):
            # Whoever was answered 503, or not at all, tries again.
            self.wiring = self._new_wiring()
            heapq.heappush(self.acts, (moment + RETRY, number, act))

    async def until(self, moment: datetime | None = None, *, most: int = 200_000, when=None) -> None:
        """Let everything happen that is due by `moment`, or until `when()` holds, or nothing is left."""
        for _ in range(most):
            if when is not None and when():
                return
            if self.clock() >= self.next_sweep:
                await self._sweep()
                continue
            if self.acts and self.acts[0][0] <= self.clock():
                # With several hosts, other messages are worked on while somebody says something.
                beside = self.queues.take(self.chaos.hosts) if self.chaos.hosts > 1 else []
                await asyncio.gather(self._act(), *(self._handle(one) for one in beside))
                continue
            upcoming = min(
                filter(None, (self.queues.next_at(), self.acts[0][0] if self.acts else None)), default=None
            )
            if upcoming is None or (moment is not None and upcoming > moment):
                if moment is not None and self.next_sweep <= moment:
                    # Nothing waits any more; what was lost on the way comes with the next sweep.
                    self.clock.to(self.next_sweep)
                    continue
                if moment is not None and moment > self.clock():
                    self.clock.to(moment)
                    self.fleet.world.look()
                return
            if upcoming > self.clock():
                self.clock.to(upcoming)
            taken = self.queues.take(self.chaos.hosts)
            await asyncio.gather(*(self._handle(one) for one in taken))
            self.clock.advance(timedelta(milliseconds=100))
        raise AssertionError(f"no end in sight after {most} messages: {self.states()}")

    async def _sweep(self) -> None:
        self.next_sweep = self.clock() + SWEEP_EVERY
        self.told.tick(self.clock())
        SENDER.set("sweep")
        try:
            await sweep.handle(self.wiring)
        except Killed:
            self.messages.noted("death")
            self.wiring = self._new_wiring()
        except StorageDown:
            self.messages.noted("storage")
            self.next_sweep = self.clock() + RETRY

    async def _handle(self, message: Queued) -> None:
        self.handled += 1
        message.tries += 1
        SENDER.set(message.queue)
        BEARS_A_WORD.set('"event":{' in message.text)
        wiring = self._process()
        try:
            if message.queue in STAGES:
                await hand_over(
                    message.queue, message.text.encode(), STAGES[message.queue], wiring, tries=message.tries
                )
            elif message.queue == NOTICES:
                if self.mailbox is not None:
                    await hand_over(
                        NOTICES, message.text.encode(), notify.handle, wiring, tries=message.tries
                    )
            else:
                await bury.handle(message.queue.removesuffix("-poison"), message.text.encode(), wiring)
        except Killed:
            self.messages.noted("death")
            # The message comes back when its lock runs out; the process is started again.
            self._restarted(wiring)
            self._given_up(message)
            self._again(message, LOCK)
        except Exception as error:  # noqa: BLE001 - the host's own catch-all
            self.messages.noted("failure")
            lied = isinstance(error, Conflict) and not {"record-conflict", "word-conflict"}.isdisjoint(
                self.lies.shares
            )
            if not isinstance(error, StorageDown) and not lied:
                self.errors.append(f"{message.queue}: {error!r}")
            self._given_up(message)
            self._again(message, RETRY)
        else:
            if self.chaos.happens(self.chaos.twice):
                self.messages.noted("twice")
                self._again(message, LOCK)

    def _restarted(self, wiring: Wiring) -> None:
        if wiring is self.wiring:
            self.wiring = self._new_wiring()
        else:
            self.beside = [self._new_wiring() if one is wiring else one for one in self.beside]

    def _given_up(self, message: Queued) -> None:
        """To the poison queue after five tries, whatever ended them; a poison queue has none of its own."""
        if message.tries >= MOST_TRIES and not message.queue.endswith("-poison"):
            message.tries = 0
            message.queue = poison(message.queue)

    def _again(self, message: Queued, wait: timedelta) -> None:
        message.visible = self.clock() + wait
        self.queues.waiting.append(message)

    def runs(self) -> dict[str, Run]:
        found = [
            decode(Run, stored.body)
            for path, (stored, _) in sorted(self.records.documents.items())
            if path.startswith("runs/")
        ]
        return {one.target.name: one for one in found}

    def archived(self, run: Run) -> list[Run]:
        """The earlier runs of the same scale set, oldest first."""
        one = run.target
        folder = archive_path(one.subscription, one.resource_group, one.name, START).rpartition("/")[0]
        return [
            decode(Run, stored.body)
            for path, (stored, _) in sorted(self.records.documents.items())
            if path.startswith(f"{folder}/")
        ]

    def run_of(self, name: str) -> Run:
        return self.runs()[name]

    def states(self) -> dict[str, str]:
        return {name: f"{run.state}: {run.reason}" for name, run in self.runs().items()}

    def wave(self, tracking_id: str):
        return next(
            decode(Wave, stored.body)
            for path, (stored, _) in self.records.documents.items()
            if path.startswith(f"waves/{tracking_id}/")
        )

    def violations(self, **options) -> list[str]:
        return violations(self.fleet, **options)

    def claims(self) -> list[str]:
        return [path for path in self.records.documents if path.startswith("claims/")]
