"""A wave in front of plan and advance: a simulated fleet, Azurite, and everything written down in order."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.cloud.names import run_path
from handlers.stages import advance, discover, plan, receive
from handlers.wire.documents import decode
from handlers.wire.http import Request
from handlers.wire.messages import RunMessage, ScaleSetMessage
from handlers.wire.policy_file import load
from planner.record.run import Run
from simulator.fleet import SUBSCRIPTION, Behaviour, Fleet, ScaleSet, Wave, Window, uniform
from tests.handlers.parts import Clock, TestWiring
from tests.world.azure import FleetCompute
from tests.world.chaos import Chaos
from tests.world.sentry import Sentry

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TRACKING_ID = "VM8T-1Q8"
WEB = run_path(SUBSCRIPTION, "rg-breakwater", "web")
QUICK = Behaviour(reboot=timedelta(minutes=2))
POLICY = "defaults: {self-service: always, lead: 1h, soak: 10m, max-unavailable: 50%}"


class Scene:
    """One scale set `web` of four in two domains, unless others are given, in a wave that has begun."""

    def __init__(self, storage: str, *scale_sets: ScaleSet, policy: str = POLICY, **wave: Any) -> None:
        self.clock = Clock(START)
        self.azure = Fleet(self.clock)
        self.azure.add(*(scale_sets or (uniform("web", 4, update_domains=2, behaviour=QUICK),)))
        windows = {
            "self_service": Window(START - timedelta(days=1), START + timedelta(days=30)),
            "scheduled": Window(START + timedelta(days=31), START + timedelta(days=40)),
        }
        self.azure.plan(
            Wave(
                tracking_id=TRACKING_ID,
                subscriptions=(SUBSCRIPTION,),
                regions=("westeurope",),
                **(windows | wave),
            )
        )
        self.wiring = TestWiring(storage, self.clock)
        self.wiring.rules = load(policy, environment={})
        self.compute = FleetCompute(self.azure, Chaos(), Sentry(self.wiring.policy, lambda _: set()))
        self.wiring.__dict__["fake"] = self.compute
        self.events: list[str] = []
        self._write_down()

    def _write_down(self) -> None:
        """Sends, writes of runs and starts, in the order they happen."""
        records, queues, compute = self.wiring.records, self.wiring.queues, self.compute
        write, send, start = records.write, queues.send_text, compute.start

        async def writing(path: str, *args: Any, **options: Any) -> str:
            etag = await write(path, *args, **options)
            if path.startswith("runs/"):
                self.events.append("write")
            return etag

        async def sending(queue: Any, *args: Any, **options: Any) -> None:
            await send(queue, *args, **options)
            self.events.append(f"send {queue}")

        async def starting(scale_set: Any, instance: str) -> Any:
            self.events.append(f"start {instance}")
            return await start(scale_set, instance)

        records.write, queues.send_text, compute.start = writing, sending, starting  # type: ignore[method-assign]

    async def announced(
        self, stage: Any = "Planned", *, wave: str = TRACKING_ID, **variations: Any
    ) -> ScaleSetMessage:
        """Receive, discover and look up; the message to plan `web` by."""
        body = json.dumps(self.azure.alert(wave, stage, **variations)).encode()
        assert (await receive.handle(Request("POST", body=body), self.wiring)).status == 202
        alert = self.wiring.spy.of("alerts")[-1]
        await discover.handle(alert, self.wiring)
        last = self.wiring.spy.of("alerts")[-1]
        if last is not alert:
            await discover.handle(last, self.wiring)
        return next(one for one in self.wiring.spy.of("scale-sets")[::-1] if one.scale_set.endswith("/web"))

    async def planned(self) -> RunMessage:
        """Announced and planned; the message of the first poll."""
        await plan.handle(await self.announced(), self.wiring)
        self.events.clear()
        return self.next_poll()

    async def ready(self) -> RunMessage:
        """Planned, and the lead time has passed."""
        message = await self.planned()
        self.clock.forward(hours=1)
        return message

    def next_poll(self) -> RunMessage:
        return self.wiring.spy.of("runs")[-1]

    def delay(self) -> timedelta:
        """For how long the last message to `runs` was put off."""
        return self.wiring.spy.delays("runs")[-1]

    async def poll(self, message: RunMessage | None = None) -> Run:
        await advance.handle(message or self.next_poll(), self.wiring)
        return await self.run()

    async def run(self) -> Run:
        stored = await self.wiring.records.read(WEB)
        assert stored is not None
        return decode(Run, stored.body)

    def started(self) -> list[str]:
        return [one.instance.rpartition("/")[2] for one in self.azure.ledger.starts("customer")]

    async def close(self) -> None:
        await self.wiring.close()
