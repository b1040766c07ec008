"""The simulated Azure that the doctor looks at: a scale set, and what a test sets up or takes away."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from simulator.arm import ArmServer, Faults
from simulator.fleet import SUBSCRIPTION, Fleet, uniform
from simulator.fleet.alerting import Alerting
from tests.handlers.cli.azure_over_http import Azure, running


@dataclass
class Beside:
    """`shell` is what a shell needs to reach it as Azure and be signed in."""

    azure: Azure
    fleet: Fleet
    faults: Faults

    @property
    def shell(self) -> Mapping[str, str]:
        return {**self.azure.environment, "BREAKWATER_SUBSCRIPTIONS": SUBSCRIPTION}

    @property
    def server(self) -> ArmServer:
        return self.azure.server

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
    with running(fleet, faults=faults) as azure:
        yield Beside(azure, fleet, faults)
