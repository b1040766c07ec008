"""A wave as the app really plays it: its stages over an Azure that answers over HTTP, weeks on a virtual clock.

Whenever somebody is told something, what storage held just before is kept.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from azure.core.credentials import AccessToken

from handlers.channels import Message
from handlers.cloud.records import Stored
from handlers.wire import policy_file
from handlers.wire.ids import NOTICES
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from simulator.arm import ArmServer, serve
from simulator.fleet import SUBSCRIPTION
from tests.world.mailbox import Mailbox
from tests.world.storage import Queued
from tests.world.world import World


@dataclass(frozen=True)
class Telling:
    """A message as it was sent, the queue message that had it sent, and all documents just before."""

    at: datetime
    asked: str
    receiver: str
    message: Message
    documents: dict[str, tuple[Stored, datetime]]


class Recorder(World):
    """Azure answers what its fleet knows; nothing fails that the wave does not let fail."""

    def __init__(self, policy: str) -> None:
        self.arm: ArmServer | None = None
        self.tellings: list[Telling] = []
        super().__init__(policy=policy_file.load(policy, environment={}), mailbox=Mailbox())

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Azure is there, at this address, as long as this is open."""
        self.arm = await serve(self.fleet)
        self.settings = Settings(
            AzureWebJobsStorage="UseDevelopmentStorage=true", BREAKWATER_ARM_ENDPOINT=self.arm.url
        )
        self.wiring = self._new_wiring()
        try:
            yield self.arm.url
        finally:
            await self.wiring.compute(SUBSCRIPTION).close()
            await self.arm.close()

    def _new_wiring(self) -> Wiring:
        wiring = super()._new_wiring()
        if self.arm is not None:
            del wiring.__dict__["compute"]
            wiring.__dict__["credential"] = _Token(self.arm)
        return wiring

    async def _handle(self, message: Queued) -> None:
        before = dict(self.records.documents) if message.queue == NOTICES else {}
        at, known = self.clock(), len(self.mailbox.mails)
        await super()._handle(message)
        self.tellings += [
            Telling(at, message.text, mail.receiver, mail.message, before)
            for mail in self.mailbox.mails[known:]
        ]


class _Token:
    """Who the app is to this Azure."""

    def __init__(self, arm: ArmServer) -> None:
        self._arm = arm

    async def get_token(self, *_: str, **__: object) -> AccessToken:
        return AccessToken(self._arm.token, 2**40)

    async def close(self) -> None:
        """Holds nothing."""
