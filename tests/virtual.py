"""A loop whose clock stands still while there is work, and jumps to the next timer when there is none.

What takes minutes by its timeouts is over in milliseconds. For code that waits for timers only: on sockets nobody
would be waited for.
"""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self._threads = 0

    def time(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        """The clock of the product, by this loop's."""
        return START + timedelta(seconds=self.seconds)

    def run_in_executor(self, executor: Executor | None, func: Any, *args: Any) -> Any:
        # While a thread works, time is not to jump.
        self._threads += 1
        future = super().run_in_executor(executor, func, *args)

        def done(_: Any) -> None:
            self._threads -= 1

        future.add_done_callback(done)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        # Without a timer, which would be over at once.
        await super().shutdown_default_executor(None)

    def _run_once(self) -> None:
        timers = [one.when() for one in self._scheduled if not one.cancelled()]  # type: ignore[attr-defined]
        if timers and not self._ready and not self._threads:  # type: ignore[attr-defined]
            self.seconds = max(self.seconds, min(timers))
        super()._run_once()  # type: ignore[misc]


def played[Result](coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run it to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def elapsed() -> timedelta:
    """How much virtual time has passed."""
    return timedelta(seconds=asyncio.get_running_loop().time())


def now() -> datetime:
    """The present moment of the running virtual loop."""
    return START + elapsed()


async def passes(seconds: float) -> None:
    """Let virtual time go by: nobody waits for it."""
    await asyncio.sleep(seconds)


async def never(*_: Any, **__: Any) -> Any:
    """Does not answer."""
    await asyncio.Event().wait()
