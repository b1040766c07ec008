"""One Functions host: the app's functions behind their HTTP, queue and timer triggers.

HTTP comes first: the storage SDKs take longer to import than anything else here, and the app must answer
(its health at least) within seconds of starting, whether storage is there or not.
"""

import asyncio
import logging
import re
import socket
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from simulator.host import settings
from simulator.host.app_settings import connection, resolve
from simulator.host.keys import host_key
from simulator.host.metadata import Function, UnsupportedFunctionError
from simulator.host.ncrontab import Schedule
from simulator.host.web import WebFront
from simulator.host.worker import load_app

if TYPE_CHECKING:
    from simulator.host.listeners import Listener

log = logging.getLogger(__name__)

_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(-[a-z0-9]+)*")
GRACE = 3.0  # seconds running functions get when the host is told to stop


class Host:
    """Loads the app when started and runs it until stopped."""

    def __init__(self, app: Path, *, lock: timedelta) -> None:
        """`lock`: how long a taken message stays invisible unless renewed; whole seconds."""
        self._app = app
        self._lock = lock
        self._clients = AsyncExitStack()
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._front: WebFront | None = None
        self.functions: dict[str, Function] = {}
        self.key = host_key()
        """What callers of the HTTP functions show, as header `x-functions-key` or as `?code=`."""

    async def start(self, port: int) -> str:
        """Index the app, answer HTTP, begin to listen to queues and timers; the address.

        Raises:
            IndexingError, UnsupportedFunctionError: the app cannot run.
            HostJsonError, MissingSettingError, ScheduleError: its settings are wrong.
            OSError: the port is taken.
        """
        listening = socket.create_server(("127.0.0.1", port))  # first: a taken port shows at once
        said = settings.read(self._app)
        self.functions = await load_app(self._app)
        _check(self.functions.values())
        self._front = WebFront(
            [one for one in self.functions.values() if one.trigger.type == "httpTrigger"],
            said.route_prefix,
            self.key,
        )
        address = await self._front.start(listening)
        self._spawn(self._listen(said))
        return address

    async def stop(self) -> None:
        """Take nothing new, give running functions a few seconds, close everything."""
        front = [self._front.stop()] if self._front else []
        if not self._listeners:  # still importing: there is nothing to let finish
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*front, *(listener.stop(GRACE) for listener in self._listeners))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._clients.aclose()

    async def _listen(self, said: settings.HostSettings) -> None:
        listeners = await asyncio.to_thread(_import_listeners)
        self._listeners = await self._clients.enter_async_context(
            listeners.listeners(self._app, self.functions.values(), said, self._lock)
        )
        for listener in self._listeners:
            self._spawn(listener.run())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_report)
        self._tasks.append(task)


def _check(functions: Iterable[Function]) -> None:
    """Find what is wrong with the triggers' settings before anything listens."""
    for one in functions:
        if one.trigger.type == "queueTrigger":
            connection(one.trigger.setting("connection", "AzureWebJobsStorage"))
            queue = resolve(one.trigger.setting("queueName"))
            if not _QUEUE_NAME.fullmatch(queue):
                raise UnsupportedFunctionError(
                    f"Function '{one.name}' names the queue '{queue}'; storage wants 3 to 63 lower-case "
                    "letters, digits and single hyphens."
                )
        if one.trigger.type == "timerTrigger":
            connection("AzureWebJobsStorage")
            Schedule.parse(resolve(one.trigger.setting("schedule")))


def _import_listeners() -> ModuleType:
    from simulator.host import listeners  # noqa: PLC0415 - imports the storage SDKs

    return listeners


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("A listener ended; its function no longer runs.", exc_info=error)
