"""Where messages arrive: every receiver has one channel, which keeps what it is told and when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from handlers.channels import Message, Sender
from planner.policy.model import Receiver


@dataclass(frozen=True)
class Mail:
    receiver: str
    at: datetime
    message: Message


@dataclass
class Mailbox:
    """Stands for the channels of the product; nothing leaves the process."""

    mails: list[Mail] = field(default_factory=list)

    def opened(self, clock: Callable[[], datetime]) -> Self:
        self._clock = clock
        return self

    def of(self, receiver: Receiver) -> dict[str, Sender]:
        return {"email": _Slot(receiver.name, self)}

    def take(self, receiver: str, message: Message) -> None:
        self.mails.append(Mail(receiver, self._clock(), message))

    @property
    def subjects(self) -> list[str]:
        return [one.message.subject for one in self.mails]


@dataclass(frozen=True)
class _Slot:
    receiver: str
    mailbox: Mailbox

    async def send(self, message: Message) -> str:
        self.mailbox.take(self.receiver, message)
        return ""
