"""The app in virtual time with its own way to Azure, on which nothing may go: for drills."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from handlers.intake import hand_over
from handlers.pages.report import shown
from handlers.stages import advance, discover, drill, notify, plan, receive, respond, sweep
from handlers.wire.http import Request
from handlers.wire.policy_file import load
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from simulator.fleet import VirtualClock
from tests.world.chaos import Chaos
from tests.world.storage import MemoryQueues, MemoryRecords

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SWEEP_EVERY = timedelta(minutes=5)
POLICY = """
defaults: {lead: 24h, windows: "Sun 02:00-05:00 Europe/Berlin", mode: approve}
freezes: [{from: 2026-11-01, to: 2026-12-31, reason: the end of the year}]
receivers:
  ops: {email: [ops@example.org], know: daily 08:00 UTC}
  shop: {email: [shop@example.org]}
routes:
  - match: {name: "drill-db"}
    receiver: shop
"""
STAGES = {
    "alerts": discover.handle,
    "scale-sets": plan.handle,
    "runs": advance.handle,
    "notices": notify.handle,
}


class Post:
    """The only channel: it takes every message and keeps it with its receiver."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Any]] = []

    def of(self, receiver: Any) -> dict[str, Any]:
        return {"email": _Box(receiver.name, self)}

    async def close(self) -> None:
        pass


class _Box:
    def __init__(self, name: str, post: Post) -> None:
        self.name, self.post = name, post

    async def send(self, message: Any) -> str:
        self.post.taken.append((self.name, message))
        return ""


class NoWay:
    """A sign-in that nobody may ask for."""

    async def get_token(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("Something asked for a token.")


class Drilling:
    """The stages over records in memory; `wiring.compute` is the product's own."""

    def __init__(self, policy: str = POLICY) -> None:
        self.clock = VirtualClock(START)
        chaos = Chaos()
        self.records = MemoryRecords(self.clock, chaos)
        self.queues = MemoryQueues(self.clock, chaos)
        self.post = Post()
        self.wiring = Wiring(
            Settings(
                AzureWebJobsStorage="UseDevelopmentStorage=true",
                public_url="https://breakwater.example",
                link_key="k" * 32,
            ),
            self.clock,
        )
        self.wiring.__dict__.update(
            records=self.records, queues=self.queues, channels=self.post, credential=NoWay()
        )
        rules = load(policy, environment={})
        self.wiring.policy = lambda: rules  # type: ignore[method-assign]
        self._next_sweep = START + SWEEP_EVERY
        self.tracking_id = ""
        self.subscription = ""

    async def begin(self, *, post: bool = True, **asked: Any) -> dict[str, Any]:
        """Begin it as the command does: ask for it, post the alert."""
        body = json.dumps({"actor": "Ana", **asked}).encode()
        answer = await drill.handle(Request("POST", body=body), self.wiring)
        said = json.loads(answer.body)
        assert answer.status == 201, said
        self.tracking_id, self.subscription = said["tracking_id"], said["subscription"]
        if post:
            taken = await receive.handle(
                Request("POST", body=json.dumps(said["alert"]).encode()), self.wiring
            )
            assert taken.status == 202, taken.body
        return said

    async def end(self) -> int:
        return (await drill.handle(Request("POST", {"wave": self.tracking_id}), self.wiring)).status

    async def say(self, name: str, action: str, **said: Any) -> tuple[int, dict[str, Any]]:
        place = {
            "wave": self.tracking_id,
            "subscription": self.subscription,
            "group": "rg-drill",
            "name": name,
        }
        body = json.dumps({"actor": "Ana", **said}).encode()
        answer = await respond.handle(Request("POST", {**place, "action": action}, body=body), self.wiring)
        return answer.status, json.loads(answer.body)

    async def until(self, minutes: float) -> None:
        """Let everything happen that is due by so many minutes after the start."""
        moment = START + timedelta(minutes=minutes)
        while True:
            first = min(filter(None, (self.queues.next_at(), self._next_sweep)))
            if first > moment:
                self.clock.advance(max(timedelta(0), moment - self.clock()))
                return
            self.clock.advance(max(timedelta(0), first - self.clock()))
            if self._next_sweep <= self.clock():
                self._next_sweep += SWEEP_EVERY
                await sweep.handle(self.wiring)
                continue
            for message in self.queues.take(1):
                body = message.text.encode()
                await hand_over(message.queue, body, STAGES[message.queue], self.wiring)

    async def report(self) -> dict[str, Any]:
        return await self.got({"wave": f"{self.tracking_id}.json"})

    async def got(self, place: Mapping[str, str]) -> dict[str, Any]:
        answer = await shown(place, {}, self.wiring, self.wiring.page_addresses())
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    async def runs(self) -> dict[str, dict[str, Any]]:
        return {run["name"]: run for run in (await self.report())["runs"]}

    async def page(self, **place: str) -> str:
        answer = await shown(
            {"wave": self.tracking_id, **place}, {}, self.wiring, self.wiring.page_addresses()
        )
        assert answer.status == 200
        return str(answer.body)
