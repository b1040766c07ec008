"""The queue and timer listeners of an app, and the storage clients they share."""

import hashlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from simulator.host.app_settings import connection, resolve
from simulator.host.conversation import FunctionError, WorkerLost
from simulator.host.metadata import Binding, Function
from simulator.host.ncrontab import Schedule
from simulator.host.output import send
from simulator.host.queues import QueueListener
from simulator.host.settings import HostSettings
from simulator.host.timers import TimerListener
from simulator.host.triggers import TimerTick, Trigger

log = logging.getLogger(__name__)

type Listener = QueueListener | TimerListener
Invoke = Callable[[Function, Trigger], Awaitable[Any]]


@asynccontextmanager
async def listeners(
    app: Path, functions: Iterable[Function], settings: HostSettings, lock: timedelta, invoke: Invoke
) -> AsyncIterator[list[Listener]]:
    """Listeners for every queue and timer function, with clients open as long as the block runs.

    `invoke` runs a function; it raises FunctionError.
    """
    async with AsyncExitStack() as clients:
        made = _Listeners(app, settings, lock, invoke, clients)
        found: list[Listener] = []
        for one in functions:
            if one.trigger.type == "queueTrigger":
                found.append(await made.queue(one))
            elif one.trigger.type == "timerTrigger":
                found.append(await made.timer(one))
        yield found


class _Listeners:
    def __init__(
        self,
        app: Path,
        settings: HostSettings,
        lock: timedelta,
        invoke: Invoke,
        clients: AsyncExitStack,
    ) -> None:
        self._host_id = hashlib.sha256(str(app.resolve()).encode()).hexdigest()[:32]
        self._settings = settings
        self._lock = lock
        self._invoke = invoke
        self._clients = clients
        self._queues: dict[str, QueueServiceClient] = {}
        self._blobs: BlobServiceClient | None = None

    async def queue(self, function: Function) -> QueueListener:
        return QueueListener(
            await self._queue_service(function.trigger),
            resolve(function.trigger.setting("queueName")),
            self._settings.queues,
            self._lock,
            lambda item: self._run(function, item),
        )

    async def timer(self, function: Function) -> TimerListener:
        if self._blobs is None:
            self._blobs = await self._clients.enter_async_context(
                BlobServiceClient.from_connection_string(
                    connection("AzureWebJobsStorage"), retry_total=0, connection_timeout=5
                )
            )
        return TimerListener(
            self._blobs,
            f"timers/{self._host_id}/{function.name}/status",
            Schedule.parse(resolve(function.trigger.setting("schedule"))),
            lambda tick: self._tick(function, tick),
            at_start=bool(function.trigger.setting("runOnStartup", default=False)),
        )

    async def _queue_service(self, binding: Binding) -> QueueServiceClient:
        where = connection(binding.setting("connection", "AzureWebJobsStorage"))
        if where not in self._queues:
            # The listeners have their own back-off; the SDK's would make stopping slow.
            self._queues[where] = await self._clients.enter_async_context(
                QueueServiceClient.from_connection_string(
                    where, retry_total=0, connection_timeout=5, use_env_settings=False
                )
            )
        return self._queues[where]

    async def _run(self, function: Function, trigger: Trigger) -> bool:
        """Run a function; whether it succeeded. Raises WorkerLost."""
        log.info("Executing %s", function.name)
        began = time.monotonic()
        try:
            returned = await self._invoke(function, trigger)
            if function.returns_to and returned is not None:
                queues = await self._queue_service(function.returns_to)
                queue = queues.get_queue_client(resolve(function.returns_to.setting("queueName")))
                await send(queue, returned, encode=self._settings.queues.base64)
        except WorkerLost:
            raise
        except FunctionError as failed:
            # The trace that matters is the worker's, not the one of raising here.
            log.error("%s failed: %s\n%s", function.name, failed, failed.trace)  # noqa: TRY400
            return False
        except (AzureError, TypeError, ValueError):
            log.exception("%s ran, but its return value could not be sent.", function.name)
            return False
        log.info("Executed %s in %.0f ms", function.name, (time.monotonic() - began) * 1000)
        return True

    async def _tick(self, function: Function, tick: TimerTick) -> bool:
        """Run a timer's function; one whose worker is lost has failed, and the next occurrence is the next."""
        try:
            return await self._run(function, tick)
        except WorkerLost as lost:
            log.warning("%s failed: %s", function.name, lost)
            return False
