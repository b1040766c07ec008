"""A taken message stays ours while its function runs: its invisibility is renewed at half time."""

import asyncio
import logging
from datetime import timedelta
from types import TracebackType
from typing import Self

from azure.core.exceptions import AzureError, HttpResponseError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

log = logging.getLogger(__name__)


class Lock:
    """Holds one message for as long as the block runs; inside and after it `message` has the newest receipt.

    A renewal under way when the block ends is awaited, never cut off: storage changes the pop receipt with
    every renewal, and with a stale one the message could no longer be deleted.
    """

    def __init__(self, queue: QueueClient, message: QueueMessage, length: timedelta) -> None:
        self._queue = queue
        self._message = message
        self._length = length
        self._done = asyncio.Event()
        self._renewals: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewals = asyncio.create_task(self._renew())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        assert self._renewals is not None
        await self._renewals

    async def _renew(self) -> None:
        half = self._length.total_seconds() / 2
        pause = half
        while not await happened(self._done, within=pause):
            try:
                renewed = await self._queue.update_message(
                    self._message, visibility_timeout=int(self._length.total_seconds())
                )
            except HttpResponseError as refused:
                if refused.status_code in {400, 404}:
                    log.warning(
                        "Lost message %s of %s to another host.", self._message.id, self._queue.queue_name
                    )
                    return
                pause = min(half, 1.0)
            except AzureError:
                pause = min(half, 1.0)
            else:
                self._message.pop_receipt = renewed.pop_receipt
                pause = half


async def happened(event: asyncio.Event, *, within: float) -> bool:
    """Whether the event is set, waiting up to `within` seconds for it."""
    try:
        await asyncio.wait_for(event.wait(), within)
    except TimeoutError:
        return False
    return True
