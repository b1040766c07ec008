"""The queue trigger: what the storage extension's listener does with a queue, on Azurite.

Rules as in the extension's QueueListener and QueueProcessor: a batch is fetched whenever no more than
`newBatchThreshold` messages are running; success deletes; failure makes the message visible again after
`visibilityTimeout`; at `maxDequeueCount` it is copied to `<queue>-poison` and deleted, and so is a message
that was taken too often. One that is not base64 goes there at once, no function sees it; base64 of what is no UTF-8
fails before the function, each time. A poison queue has no poison queue of its own: what fails there stays invisible
for the rest of its lock, is never handed out again once it was taken too often, and never deleted. What a worker had
taken when it died stays invisible, too.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from simulator.host.conversation import WorkerLost
from simulator.host.lock import Lock, happened
from simulator.host.settings import QueueSettings
from simulator.host.triggers import QueueItem

log = logging.getLogger(__name__)

FIRST_PAUSE = 0.1  # seconds; the real listener's QueuePollingIntervals.Minimum
POISON = "-poison"
Handler = Callable[[QueueItem], Awaitable[bool]]


class QueueListener:
    """Feeds one function from one queue until told to stop."""

    def __init__(
        self,
        storage: QueueServiceClient,
        name: str,
        settings: QueueSettings,
        lock: timedelta,
        handle: Handler,
    ) -> None:
        """`handle` runs the function and says whether it succeeded.

        It raises WorkerLost when nothing can be said, because the worker died.
        """
        self._storage = storage
        self._queue = storage.get_queue_client(name)
        self._poison = None if name.endswith(POISON) else storage.get_queue_client(name + POISON)
        self._name = name
        self._settings = settings
        self._lock = lock
        self._handle = handle
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._room.set()

    async def run(self) -> None:
        """Listen until `stop`; storage trouble is waited out with the same back-off as an empty queue."""
        pause, down = FIRST_PAUSE, False
        longest = self._settings.max_polling_interval.total_seconds()
        while not self._stopping.is_set():
            await self._room.wait()
            try:
                messages = await self._take()
            except AzureError as failed:
                if not down:
                    log.warning("Queue %s cannot be read, trying on: %s", self._name, _first_line(failed))
                messages, down = [], True
            else:
                if down:
                    log.warning("Queue %s answers again.", self._name)
                down = False
            if self._stopping.is_set():
                await asyncio.gather(*(self._release(message, 0) for message in messages))
                return
            for message in messages:
                self._start(message)
            if messages:
                pause = FIRST_PAUSE
            else:
                await happened(self._stopping, within=pause)
                pause = min(pause * 2, longest)

    async def stop(self, grace: float) -> None:
        """Take no more; after `grace` seconds cancel what still runs and let its messages go."""
        self._stopping.set()
        self._room.set()
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _take(self) -> list[QueueMessage]:
        pages = self._queue.receive_messages(
            messages_per_page=self._settings.batch_size, visibility_timeout=int(self._lock.total_seconds())
        ).by_page()
        try:
            # One page is one request; asking for the next would poll again while these wait.
            return [message async for message in await anext(pages)]
        except StopAsyncIteration:
            return []
        except ResourceNotFoundError:
            await create(self._queue)
            return []

    def _start(self, message: QueueMessage) -> None:
        task = asyncio.create_task(self._process(message))
        self._running.add(task)
        task.add_done_callback(self._finished)
        if len(self._running) > self._settings.new_batch_threshold:
            self._room.clear()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if len(self._running) <= self._settings.new_batch_threshold:
            self._room.set()
        if not task.cancelled() and (error := task.exception()):
            log.error(
                "A message of %s could not be settled; it comes back by itself.", self._name, exc_info=error
            )

    async def _process(self, message: QueueMessage) -> None:
        try:
            body = self._body(message)
        except ValueError as wrong:
            log.warning("Message %s of %s is not base64: %s", message.id, self._name, wrong)
            await self._bury(message)
            return
        if (message.dequeue_count or 1) > self._settings.max_dequeue_count:
            await self._bury(message)
            return
        try:
            item = self._item(message, body.decode())
        except UnicodeDecodeError as wrong:
            log.error("Message %s of %s cannot be bound: %s", message.id, self._name, wrong)  # noqa: TRY400
            await self._settle(message, succeeded=False)
            return
        succeeded = False
        try:
            async with Lock(self._queue, message, self._lock):
                succeeded = await self._handle(item)
        except WorkerLost as lost:
            log.warning("Message %s of %s stays taken: %s", message.id, self._name, lost)
            return
        except asyncio.CancelledError:
            await self._settle(message, succeeded=False)
            raise
        await self._settle(message, succeeded=succeeded)

    async def _settle(self, message: QueueMessage, *, succeeded: bool) -> None:
        if succeeded:
            await self._tolerant(self._queue.delete_message, message)
        elif self._poison is None:
            return
        elif (message.dequeue_count or 1) >= self._settings.max_dequeue_count:
            await self._bury(message)
        else:
            await self._release(message, int(self._settings.visibility_timeout.total_seconds()))

    async def _release(self, message: QueueMessage, seconds: int) -> None:
        await self._tolerant(self._queue.update_message, message, visibility_timeout=seconds)

    async def _bury(self, message: QueueMessage) -> None:
        if self._poison is None:
            return
        log.warning("Message %s of %s goes to %s%s.", message.id, self._name, self._name, POISON)
        try:
            await self._tolerant(self._poison.send_message, message.content)
        except ResourceNotFoundError:
            await create(self._poison)
            await self._tolerant(self._poison.send_message, message.content)
        await self._tolerant(self._queue.delete_message, message)

    async def _tolerant(self, call: Callable[..., Awaitable[Any]], *args: Any, **options: Any) -> None:
        """Settle a message: three tries, and no fuss when somebody else has taken it over meanwhile."""
        for pause in (0.2, 1.0, None):
            try:
                await call(*args, **options)
            except HttpResponseError as refused:
                if code(refused) in {"MessageNotFound", "PopReceiptMismatch"}:
                    log.info("A message of %s belongs to another host by now.", self._name)
                    return
                if pause is None or (refused.status_code or 500) < 500:
                    raise
            except AzureError:
                if pause is None:
                    raise
            else:
                return
            await asyncio.sleep(pause)

    def _body(self, message: QueueMessage) -> bytes:
        text: str = message.content
        return (
            base64.b64decode("".join(text.split()), validate=True) if self._settings.base64 else text.encode()
        )

    def _item(self, message: QueueMessage, body: str) -> QueueItem:
        assert message.inserted_on is not None
        assert message.expires_on is not None
        assert message.next_visible_on is not None
        return QueueItem(
            body=body,
            queue=self._name,
            id=message.id,
            pop_receipt=message.pop_receipt or "",
            dequeue_count=message.dequeue_count or 1,
            inserted_at=message.inserted_on,
            expires_at=message.expires_on,
            next_visible_at=message.next_visible_on,
        )


async def create(queue: QueueClient) -> None:
    """Create a queue unless it exists. In Azure the deployment creates trigger queues; here the host does."""
    try:
        await queue.create_queue()
    except HttpResponseError as refused:
        if code(refused) not in {"QueueAlreadyExists", "QueueBeingDeleted"}:
            raise


def code(error: HttpResponseError) -> str:
    """Storage's own name for an error, as in the header x-ms-error-code; empty without one."""
    found = getattr(error, "error_code", None) or ""
    return str(getattr(found, "value", found))


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
