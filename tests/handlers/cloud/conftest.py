"""The compute face at a simulated ARM, for the tests of each of its calls."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from azure.identity.aio import ManagedIdentityCredential

from handlers.cloud.compute import Compute
from simulator.arm import ArmServer, serve
from simulator.fleet import SUBSCRIPTION
from tests.handlers.parts import Clock
from tests.simulator.support import Stage


class Desk:
    """A compute face, the server it talks to, and the face's own clock."""

    def __init__(self, compute: Compute, server: ArmServer, clock: Clock) -> None:
        self.compute, self.server, self.clock = compute, server, clock

    async def scale_set(self, name: str):
        return {
            scale_set.name: scale_set async for page, _ in self.compute.scale_sets() for scale_set in page
        }[name]


@pytest.fixture
async def desk(monkeypatch) -> AsyncIterator[Callable[..., object]]:
    """Opens a desk on a stage; faults, page_size and subscription may be given."""
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def opened(stage: Stage, *, subscription: str = SUBSCRIPTION, **settings):
            server = await serve(stage.fleet, **settings)
            monkeypatch.setenv("IDENTITY_ENDPOINT", server.identity_url)
            monkeypatch.setenv("IDENTITY_HEADER", server.identity_header)
            credential = ManagedIdentityCredential()
            clock = Clock()
            compute = Compute(subscription, lambda: credential, server.url, clock)
            try:
                yield Desk(compute, server, clock)
            finally:
                await compute.close()
                await credential.close()
                await server.close()

        async def open_(stage: Stage, **settings) -> Desk:
            return await stack.enter_async_context(opened(stage, **settings))

        yield open_
