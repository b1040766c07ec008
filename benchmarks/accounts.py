"""Whose CPU it is: a coroutine driven step by step, its time on the processor booked to a name.

Steps nest: what a stage spends inside the storage SDK is the SDK's and not the stage's. Waiting costs nobody
anything; it is booked as seconds in flight.
"""

import os
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any


def cpu_of(pid: int) -> float:
    """Seconds of CPU a process has spent so far, all its threads, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> float:
    """Seconds of CPU that everything on this machine has spent so far, on all its processors."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system, _, _, interrupts, soft, *_ = map(int, first)
    return (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")


def starved() -> float:
    """Seconds this process's first thread has been ready so far and waited for a processor."""
    return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


class Book:
    """CPU seconds, calls and seconds in flight, by name."""

    def __init__(self) -> None:
        self.cpu: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.flight: Counter[str] = Counter()
        self._inside: list[float] = []

    def clear(self) -> None:
        """Begin anew."""
        for account in (self.cpu, self.calls, self.flight):
            account.clear()

    def booked(self, name: str, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        """The same coroutine function, its steps booked to `name`."""

        async def call(*args: Any, **options: Any) -> Any:
            self.calls[name] += 1
            began = time.perf_counter()
            try:
                return await _Steps(self, name, function(*args, **options))
            finally:
                self.flight[name] += time.perf_counter() - began

        return call

    def step(self, name: str, take: Callable[[], Any]) -> Any:
        self._inside.append(0.0)
        began = time.thread_time()
        try:
            return take()
        finally:
            spent = time.thread_time() - began
            self.cpu[name] += spent - self._inside.pop()
            if self._inside:
                self._inside[-1] += spent


class _Steps:
    def __init__(self, book: Book, name: str, work: Awaitable[Any]) -> None:
        self._book, self._name, self._work = book, name, work

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._work.__await__()
        send: Callable[[], Any] = lambda: next(steps)  # noqa: E731 - replaced below, once a step
        while True:
            try:
                waiting = self._book.step(self._name, send)
            except StopIteration as done:
                return done.value
            try:
                value = yield waiting
            except BaseException as error:  # noqa: BLE001 - handed on to the coroutine, cancellation too
                send = lambda error=error: steps.throw(error)  # type: ignore[attr-defined,misc]  # noqa: E731
            else:
                send = lambda value=value: steps.send(value)  # type: ignore[attr-defined,misc]  # noqa: E731
