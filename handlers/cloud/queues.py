"""The queues between the stages: sending with a delay, and how long they are."""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any, Self

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

from handlers.cloud import storage
from handlers.cloud.side_by_side import side_by_side
from handlers.wire.bundles import bundled
from handlers.wire.ids import QUEUES, Queue, poison
from handlers.wire.messages import Message
from handlers.wire.settings import Settings

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient, QueueServiceClient

LONGEST_WAIT = timedelta(days=7)
"""Azure's limit for a message's delay. What is due later is polled early and sent again."""


AT_ONCE = 16
"""Messages sent side by side."""


TAKEN_AT_MOST = 32
"""Storage hands out no more messages at once."""

TAKEN_FOR = timedelta(minutes=5)
"""How long what was taken is nobody else's. What is not removed by then is there again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as it lies in storage: its text, and what it is removed by."""

    id: str
    receipt: str
    text: str

    @property
    def body(self) -> bytes:
        """What was sent: decoded where the text is base64, else the text as it is."""
        try:
            return base64.b64decode(self.text, validate=True)
        except ValueError:
            return self.text.encode()


class Queues:
    """Every method may raise StorageDown. Queues are created when first needed."""

    def __init__(self, service: "QueueServiceClient", credential: Any = None) -> None:
        self._service = service
        self._credential = credential
        self._clients: dict[str, QueueClient] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        # Imported on first use: see the budget for a cold start.
        from azure.storage.queue.aio import QueueServiceClient  # noqa: PLC0415

        return cls(*storage.client(QueueServiceClient, settings, "queue", settings.storage_queue_uri))

    async def send(self, queue: Queue, message: Message, *, delay: timedelta = timedelta(0)) -> None:
        """Send one message, visible after `delay`, cut to seven days; it never expires."""
        await self.send_text(queue, message.model_dump_json(), delay=delay)

    async def send_together(
        self, queue: Queue, messages: Sequence[Message], *, delay: timedelta = timedelta(0)
    ) -> None:
        """Send messages of one queue in as few as may be, visible after `delay` like one."""

        async def send(text: str) -> None:
            await self.send_text(queue, text, delay=delay)

        await side_by_side(send, bundled(messages), AT_ONCE)

    async def send_text(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        """Send a message's text as it came, also to a poison queue."""
        # Rounded up: a message must not arrive before what it asks for is due.
        wait = ceil(max(timedelta(0), min(delay, LONGEST_WAIT)).total_seconds())
        client = self._client(queue)
        send = partial(client.send_message, text, visibility_timeout=wait, time_to_live=-1)
        with storage.translated(f"Sending to {queue}"):
            try:
                await send()
            except ResourceNotFoundError:
                try:
                    await client.create_queue()
                except ResourceExistsError as error:
                    if storage.code(error) != "QueueAlreadyExists":
                        raise
                await send()

    async def take(self, queue: str) -> list[Taken]:
        """Up to 32 messages that are visible, whatever is in them; none where there is no such queue."""
        hidden = int(TAKEN_FOR.total_seconds())
        pages = self._client(queue).receive_messages(
            messages_per_page=TAKEN_AT_MOST, max_messages=TAKEN_AT_MOST, visibility_timeout=hidden
        )
        with storage.translated(f"Taking from {queue}"):
            try:
                return [Taken(one.id, one.pop_receipt or "", one.content) async for one in pages]
            except ResourceNotFoundError:
                return []

    async def remove(self, queue: str, taken: Taken) -> None:
        """Delete a message; nothing happens where it is gone, or was taken again meanwhile."""
        with storage.translated(f"Deleting from {queue}"):
            try:
                await self._client(queue).delete_message(taken.id, taken.receipt)
            except HttpResponseError as error:
                if storage.code(error) not in {"MessageNotFound", "PopReceiptMismatch"}:
                    raise

    async def lengths(self) -> dict[str, int]:
        """About how many messages each queue and each poison queue holds; 0 where there is none yet."""
        names = [*QUEUES, *(poison(queue) for queue in QUEUES)]
        counts = await asyncio.gather(*(self._length(name) for name in names))
        return dict(zip(names, counts, strict=True))

    async def close(self) -> None:
        for client in self._clients.values():
            await client.close()
        await self._service.close()
        if self._credential is not None:
            await self._credential.close()

    async def _length(self, queue: str) -> int:
        with storage.translated(f"Counting {queue}"):
            try:
                properties = await self._client(queue).get_queue_properties()
            except ResourceNotFoundError:
                return 0
            return int(properties.approximate_message_count or 0)

    def _client(self, queue: str) -> "QueueClient":
        known = self._clients.get(queue)
        if known is None:
            from azure.storage.queue import TextBase64EncodePolicy  # noqa: PLC0415 - loaded with the client

            # The host expects base64 (host.json, messageEncoding); the client's default is plain text, and a
            # service client does not hand its policy on.
            known = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
            self._clients[queue] = known
        return known
