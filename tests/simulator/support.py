"""Fleets on a clock moved by hand, and the real Azure clients against them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.compute.aio import ComputeManagementClient

from simulator.arm import ArmServer, Faults, serve
from simulator.fleet import SUBSCRIPTION, Fleet, ScaleSet, VirtualClock, Wave, Window, uniform

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
GROUP = "rg-breakwater"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def window(first_day: float, last_day: float) -> Window:
    return Window(START + first_day * DAY, START + last_day * DAY)


def wave(tracking_id: str = "VM1T-1Q8", **more: Any) -> Wave:
    """Self-service from day 1 to day 5, a gap of a day, scheduled from day 6 to day 16."""
    settings: dict[str, Any] = {
        "subscriptions": (SUBSCRIPTION,),
        "regions": ("westeurope",),
        "self_service": window(1, 5),
        "scheduled": window(6, 16),
    }
    return Wave(tracking_id=tracking_id, **(settings | more))


class Stage:
    """A fleet, its clock and one wave, already inside the self-service window unless told otherwise."""

    def __init__(self, *scale_sets: ScaleSet, at: timedelta = DAY, **wave_settings: Any) -> None:
        self.clock = VirtualClock(START)
        self.fleet = Fleet(self.clock)
        self.fleet.add(*(scale_sets or (uniform("web", 10),)))
        self.wave = self.fleet.plan(wave(**wave_settings))
        self.clock.advance(at)

    def after(self, span: timedelta) -> "Stage":
        self.clock.advance(span)
        self.fleet.world.look()
        return self


class PlainHttp(SansIOHTTPPolicy[Any, Any]):
    """Lets the production pipeline carry its token over plain http to a loopback address."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options.setdefault("enforce_https", False)


@asynccontextmanager
async def azure(
    fleet: Fleet, monkeypatch: Any, subscription: str = SUBSCRIPTION, **settings: Any
) -> AsyncIterator[tuple[ComputeManagementClient, ArmServer]]:
    """The real compute client with the real managed identity, against the fleet's ARM."""
    settings.setdefault("retry_after", 0)
    server = await serve(fleet, faults=settings.pop("faults", Faults()), **settings)
    monkeypatch.setenv("IDENTITY_ENDPOINT", server.identity_url)
    monkeypatch.setenv("IDENTITY_HEADER", server.identity_header)
    credential = ManagedIdentityCredential()
    client = ComputeManagementClient(
        credential,
        subscription,
        base_url=server.url,
        per_call_policies=[PlainHttp()],
        polling_interval=0,
        retry_total=0,
    )
    try:
        yield client, server
    finally:
        await client.close()
        await credential.close()
        await server.close()
