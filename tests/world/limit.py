"""A world that hangs must not hang those who wait for it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 1.0
"""Seconds: what is raised inside the event loop's own code is swallowed there, so it is raised again."""

BUSY = 5
"""How many times longer than its own time a world may take by the clock: the machine may be busy."""


class TookTooLong(BaseException):
    """No Exception: the hosts of a world catch those."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise TookTooLong in what is done within, once it has taken so long; None is without a limit.

    Seconds of CPU, so that a busy machine is no finding, and `BUSY` times as many by the clock, so that one
    who waits for ever is. Works in a process's main thread only.
    """
    if seconds is None:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLong

    before = {number: signal.signal(number, ring) for number in (signal.SIGVTALRM, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    signal.setitimer(signal.ITIMER_REAL, seconds * BUSY, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
