"""A simulated Azure over HTTP beside a command: in a thread of its own, since the command runs its own loop."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.arm import ArmServer, Faults, serve
from simulator.fleet import SUBSCRIPTION, Fleet, uniform
from simulator.fleet.alerting import Alerting


@dataclass
class Beside:
    """`shell` is what a shell needs to reach it as Azure and be signed in."""

    server: ArmServer
    fleet: Fleet
    faults: Faults

    @property
    def shell(self) -> Mapping[str, str]:
        return {
            "BREAKWATER_ARM_ENDPOINT": self.server.url,
            "IDENTITY_ENDPOINT": self.server.identity_url,
            "IDENTITY_HEADER": self.server.identity_header,
            "BREAKWATER_SUBSCRIPTIONS": SUBSCRIPTION,
        }

    def as_new(self) -> "Beside":
        """Nothing denied, nothing set up, nothing counted."""
        self.faults.denied.clear()
        self.faults.waiting.clear()
        self.fleet.world.alerting = Alerting()
        self.server.calls.clear()
        self.server.seen.clear()
        return self


@contextmanager
def azure_beside() -> Iterator[Beside]:
    fleet, faults = Fleet(lambda: datetime.now(UTC)), Faults()
    fleet.add(uniform("web", 2))
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    def run(made: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(made, loop).result(30)

    server = run(serve(fleet, faults=faults))
    try:
        yield Beside(server, fleet, faults)
    finally:
        run(server.close())
        loop.call_soon_threadsafe(loop.stop)
