"""The queue and timer listeners of an app, and the storage clients they share."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from simulator.host.app_settings import connection, resolve
from simulator.host.metadata import Binding, Function
from simulator.host.ncrontab import Schedule
from simulator.host.output import send
from simulator.host.queues import QueueListener
from simulator.host.settings import HostSettings
from simulator.host.timers import TimerListener
from simulator.host.triggers import Trigger
from simulator.host.worker import FunctionError, invoke

log = logging.getLogger(__name__)

type Listener = QueueListener | TimerListener


@asynccontextmanager
async def listeners(
    app: Path, functions: Iterable[Function], settings: HostSettings, lock: timedelta
) -> AsyncIterator[list[Listener]]:
    """Listeners for every queue and timer function, with clients open as long as the block runs."""
    async with AsyncExitStack() as clients:
        made = _Listeners(app, settings, lock, clients)
        found: list[Listener] = []
        for one in functions:
            if one.trigger.type == "queueTrigger":
                found.append(await made.queue(one))
            elif one.trigger.type == "timerTrigger":
                found.append(await made.timer(one))
        yield found


class _Listeners:
    def __init__(self, app: Path, settings: HostSettings, lock: timedelta, clients: AsyncExitStack) -> None:
        self._host_id = hashlib.sha256(str(app.resolve()).encode()).hexdigest()[:32]
        self._settings = settings
        self._lock = lock
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
            lambda tick: self._run(function, tick),
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
        """Run a function within the app's time limit; whether it succeeded."""
        log.info("Executing %s", function.name)
        began = time.monotonic()
        try:
            async with asyncio.timeout(self._settings.function_timeout.total_seconds()):
                returned = await invoke(function, trigger)
            if function.returns_to and returned is not None:
                queues = await self._queue_service(function.returns_to)
                queue = queues.get_queue_client(resolve(function.returns_to.setting("queueName")))
                await send(queue, returned, encode=self._settings.queues.base64)
        except FunctionError as failed:
            # The trace that matters is the worker's, not the one of raising here.
            log.error("%s failed: %s\n%s", function.name, failed, failed.trace)  # noqa: TRY400
            return False
        except TimeoutError:
            log.exception("%s was stopped: functionTimeout.", function.name)
            return False
        except (AzureError, TypeError, ValueError):
            log.exception("%s ran, but its return value could not be sent.", function.name)
            return False
        log.info("Executed %s in %.0f ms", function.name, (time.monotonic() - began) * 1000)
        return True
