"""One Functions host: the app's functions behind their HTTP, queue and timer triggers.

HTTP comes first: the storage SDKs take longer to import than anything else here, and the app must answer
(its health at least) within seconds of starting, whether storage is there or not.
"""

import asyncio
import logging
import socket
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

from simulator.host import settings
from simulator.host.channel import Channel
from simulator.host.checks import enabled
from simulator.host.keys import Keys
from simulator.host.metadata import Function
from simulator.host.settings import Switches
from simulator.host.tape import Tape
from simulator.host.triggers import Trigger
from simulator.host.web import WebFront

if TYPE_CHECKING:
    from simulator.host.listeners import Listener

log = logging.getLogger(__name__)

GRACE = 3.0  # seconds running functions get when the host is told to stop


class Worker(Protocol):
    """What runs the functions: `channel.Channel`, or `worker.InProcess`."""

    async def start(self) -> dict[str, Function]:
        """Load the app; its functions by name."""
        ...

    async def invoke(self, called: Function, trigger: Trigger) -> Any:
        """Run one function; raises FunctionError."""
        ...

    async def lost(self) -> None:
        """Wait until it has to be given up."""
        ...

    async def stop(self) -> None:
        """End it as it is."""
        ...


class Host:
    """Loads the app when started and runs it until stopped."""

    def __init__(self, app: Path, *, switches: Switches | None = None, worker: Worker | None = None) -> None:
        """`worker` runs the functions; without one it is a process of its own."""
        self._app = app
        self._switches = switches or Switches()
        self._worker = worker
        self._clients = AsyncExitStack()
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._front: WebFront | None = None
        self._keys = Keys()
        self.functions: dict[str, Function] = {}

    @property
    def key(self) -> str:
        """What callers of the HTTP functions show, as header `x-functions-key` or as `?code=`."""
        return self._keys.host

    async def start(self, port: int) -> str:
        """Index the app, answer HTTP, begin to listen to queues and timers; the address.

        Raises:
            IndexingError, UnsupportedFunctionError: the app cannot run.
            HostJsonError, MissingSettingError: its settings are wrong.
            OSError: the port is taken.
        """
        listening = socket.create_server(("127.0.0.1", port))  # first: a taken port shows at once
        said = self._switches.over(settings.read(self._app))
        worker = self._worker = self._worker or self._channel(said)
        try:
            self.functions = enabled(await worker.start())
        except BaseException:
            await worker.stop()
            raise
        self._front = WebFront(
            [one for one in self.functions.values() if one.trigger.type == "httpTrigger"],
            said.route_prefix,
            self._keys,
            worker.invoke,
        )
        address = await self._front.start(listening)
        self._spawn(self._listen(said, worker))
        return address

    async def worker_lost(self) -> None:
        """Wait until the worker has to be given up, and this host with it."""
        assert self._worker is not None
        await self._worker.lost()

    async def stop(self) -> None:
        """Take nothing new, give running functions a few seconds, close everything."""
        front = [self._front.stop()] if self._front else []
        if not self._listeners:  # still importing: there is nothing to let finish
            for task in self._tasks:
                task.cancel()
        await asyncio.gather(*front, *(listener.stop(GRACE) for listener in self._listeners))
        if self._worker:
            await self._worker.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._clients.aclose()

    def _channel(self, said: settings.HostSettings) -> Channel:
        channel = Channel(self._app, timeout=said.function_timeout, level=self._switches.level)
        if self._switches.wire:
            channel.watch = Tape(self._switches.wire)
        return channel

    async def _listen(self, said: settings.HostSettings, worker: Worker) -> None:
        listeners = await asyncio.to_thread(_import_listeners)
        self._listeners = await self._clients.enter_async_context(
            listeners.listeners(self._app, self.functions.values(), said, self._switches.lock, worker.invoke)
        )
        for listener in self._listeners:
            self._spawn(listener.run())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(_report)
        self._tasks.append(task)


def _import_listeners() -> ModuleType:
    from simulator.host import listeners  # noqa: PLC0415 - imports the storage SDKs

    return listeners


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.critical("A listener ended; its function no longer runs.", exc_info=error)
