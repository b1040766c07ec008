"""The worker as the host has it: a process that is started, timed, killed and started again.

As seen of the real host. A function over `functionTimeout` takes the worker along: the process is killed and another
started, and whatever else ran on it hangs without an end until its own time is over, which restarts the worker again.
A worker that dies by itself fails what ran on it and is started again; at the third death in a row the host gives up.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.host.child import Child
from simulator.host.conversation import (
    FunctionError,
    IndexingError,
    WorkerLost,
    folder_of,
    index,
    invocation,
    returned,
)
from simulator.host.metadata import Function, UnsupportedFunctionError
from simulator.host.triggers import Trigger

log = logging.getLogger(__name__)

MOST_DEATHS = 3
IN_A_ROW = timedelta(minutes=30)
"""Deaths farther apart than this are not counted together (WorkerRestartErrorIntervalThresholdInMinutes)."""

Watch = Callable[[str, Any], None]
"""Sees every message: who says it ("host" or "worker"), and the StreamingMessage."""


class Channel:
    """Runs an app's functions in a worker process, one after another as they are needed."""

    def __init__(
        self,
        app: Path,
        *,
        timeout: timedelta,
        level: str = "WARNING",
        clock: Callable[[], float] = time.monotonic,
        deadline: Callable[[float], asyncio.Timeout] = asyncio.timeout,
    ) -> None:
        """`timeout` is functionTimeout; `level` the lowest of the app's log that is shown.

        `clock` gives seconds and tells deaths in a row from deaths far apart; `deadline` ends what takes longer
        than so many seconds.
        """
        self._app = app
        self._timeout = timeout
        self._level = level
        self.watch: Watch = lambda _who, _message: None
        """Sees what is said from now on."""
        self._clock = clock
        self._deadline = deadline
        self._ready: asyncio.Future[Child] = asyncio.get_running_loop().create_future()
        self._child: Child | None = None
        self._deaths: list[float] = []
        self._lost = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self) -> dict[str, Function]:
        """Start a worker and have it load the app; the functions by name.

        Raises:
            IndexingError, UnsupportedFunctionError: the app cannot run.
        """
        folder = folder_of(self._app)
        try:
            return await self._launch(folder)
        except WorkerLost as ended:
            raise IndexingError(f"The worker ended while it loaded the app: {ended}") from None

    async def invoke(self, called: Function, trigger: Trigger) -> Any:
        """Run one function and return its return value as TypedData, None without one.

        A caller that is cancelled leaves the function running, as in the real host.

        Raises:
            WorkerLost: the worker ended meanwhile.
            FunctionError: it raised, took longer than functionTimeout, or something could not be converted.
        """
        return await asyncio.shield(self._spawn(self._invoked(called, trigger)))

    async def pid(self) -> int:
        """The id of the worker that runs functions, or of the next one once it can."""
        return (await asyncio.shield(self._ready)).pid

    async def lost(self) -> None:
        """Wait until the worker has died for the third time in a row: the host has to stop."""
        await self._lost.wait()

    async def stop(self) -> None:
        """Kill the worker; what still runs on it has failed."""
        child, self._child = self._child, None
        if child is not None:
            child.fail("The host stops.")
            await child.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _invoked(self, called: Function, trigger: Trigger) -> Any:
        child = await asyncio.shield(self._ready)
        try:
            async with self._deadline(self._timeout.total_seconds()):
                return returned(await child.ask(invocation(called, trigger), about=called.name))
        except TimeoutError:
            said = f"Timeout value of {self._timeout} was exceeded by function: Functions.{called.name}"
            log.error("%s. The worker is restarted.", said)  # noqa: TRY400 - there is no trace to show
            self._restart()
            raise FunctionError(said) from None

    async def _launch(self, folder: Path) -> dict[str, Function]:
        child = self._child = await Child.start(folder, self._level, self.watch)
        log.warning("The worker is process %s.", child.pid)
        self._spawn(self._follow(child))
        functions = await index(child.ask, folder)
        if not self._ready.done():
            self._ready.set_result(child)
        return functions

    async def _follow(self, child: Child) -> None:
        """Start another worker when this one dies by itself."""
        status = await child.ended()
        if child is not self._child:
            return
        now = self._clock()
        if self._deaths and now - self._deaths[-1] > IN_A_ROW.total_seconds():
            self._deaths.clear()
        self._deaths.append(now)
        self._renew()
        child.fail(f"The worker ended with status {status}.")
        if len(self._deaths) >= MOST_DEATHS:
            log.critical("The worker ended with status %s, the third time in a row.", status)
            self._lost.set()
            return
        log.error("The worker ended with status %s; another is started.", status)
        await self._relaunch()

    def _restart(self) -> None:
        """Replace the worker; whatever else runs on it never hears of it."""
        child = self._child
        if child is None or not self._ready.done():  # one is being started already
            return
        self._renew()
        self._child = None
        self._spawn(self._replace(child))

    async def _replace(self, child: Child) -> None:
        await child.kill()
        await self._relaunch()

    async def _relaunch(self) -> None:
        try:
            await self._launch(folder_of(self._app))
        except (IndexingError, UnsupportedFunctionError) as refused:
            log.critical("The worker does not load the app any more: %s", refused)
            self._lost.set()
        except WorkerLost:  # it died while loading; `_follow` sees it, too
            return

    def _renew(self) -> None:
        if self._ready.done():
            self._ready = asyncio.get_running_loop().create_future()

    def _spawn(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it has it
