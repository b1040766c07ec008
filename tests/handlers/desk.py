"""A receiver with a mailbox and a Teams channel, for the tests of what is told and how it gets there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from handlers.cloud.names import delivery_path
from handlers.stages import notify
from handlers.wire.documents import decode
from handlers.wire.ids import NOTICES
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.notices.delivery import Delivery
from simulator.inboxes import MailInbox, TeamsInbox
from tests.notices import (
    TRACKING,
    Clock,
    policy_file,
    settings,
)

MINUTE = timedelta(minutes=1)


ASK = NoticeMessage(tracking_id=TRACKING, kind="wave")


@dataclass
class Office:
    """A receiver with a mailbox and a Teams channel, and the stage that tells it."""

    wiring: Wiring
    clock: Clock
    mail: MailInbox
    teams: TeamsInbox
    asked: list[NoticeMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        queued = self.wiring.queues.send

        async def send(queue: Any, message: Any, **more: Any) -> None:
            self.asked.append(message)
            await queued(queue, message, **more)

        self.wiring.queues.send = send

    async def tell(self, after: timedelta = timedelta(0), message: NoticeMessage = ASK) -> None:
        self.clock.pass_(after)
        await notify.handle(message, self.wiring)

    async def delivery(self, receiver: str = "ops", tracking_id: str = TRACKING) -> Delivery:
        stored = await self.wiring.records.read(delivery_path(tracking_id, receiver))
        assert stored is not None
        return decode(Delivery, stored.body)

    @property
    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mail.messages]

    async def queued(self) -> int:
        return (await self.wiring.queues.lengths())[NOTICES]


@asynccontextmanager
async def office(storage: str, folder: Path, **more: Any) -> AsyncIterator[Office]:
    async with TeamsInbox() as teams, MailInbox() as mail:
        receivers = {"ops": {"teams": teams.url, "email": ["ops@example.org"]}} | more.pop("receivers", {})
        clock = Clock()
        wiring = Wiring(
            settings(storage, policy=policy_file(folder, receivers), smtp=mail.url, **more), clock
        )
        try:
            yield Office(wiring, clock, mail, teams)
        finally:
            await wiring.close()


def taken(desk: Office, kind: str) -> list[NoticeMessage]:
    """The messages of this kind that were queued since this was last asked."""
    found = [message for message in desk.asked if message.kind == kind]
    desk.asked.clear()
    return found


def texts(desk: Office, to: str) -> list[str]:
    """What this address has been mailed, as plain text."""
    return [mail.get_body(("plain",)).get_content() for mail in desk.mail.messages if str(mail["to"]) == to]


def ids(desk: Office) -> list[str]:
    """The ids of the messages that the Teams channel took."""
    return [message.headers["Idempotency-Key"] for message in desk.teams.messages]
